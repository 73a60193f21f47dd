//! From the log to mailboxes: answers first, then each message to the online sessions of its
//! channel, in the log's order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustc_hash::FxHashSet;

use super::lane::{Lane, ReplyTo, Sender, answer};
use crate::channel::{ChannelKey, ChannelRef};
use crate::id::{SessionId, UserNum};
use crate::log::AppendOutcome;
use crate::message::{Accepted, Body, Message, Naming, Origin};
use crate::refusal::Refusal;
use crate::session::{Event, Push, Refused, Session};
use crate::store::StoreResult;

/// Whether a message has a place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is stored; its outcome is the batch's next.
    Log,
    /// It is only passed on.
    Passing,
}

/// A checked draft that waits for its commit.
pub(super) struct Pending {
    pub(super) sender: Sender,
    pub(super) reply: ReplyTo,
    pub(super) channel: Arc<ChannelRef>,
    pub(super) body: Arc<Body>,
    pub(super) place: Place,
}

/// A batch whose fate is known.
pub(super) struct Committed {
    pub(super) pending: Vec<Pending>,
    /// One for each pending of `Place::Log`, in order.
    pub(super) outcomes: Vec<StoreResult<AppendOutcome>>,
}

/// What delivery has done since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Messages accepted and stored.
    pub stored: AtomicU64,
    /// Messages passed on without storing.
    pub passed: AtomicU64,
    /// Retries answered with the first one's result.
    pub duplicates: AtomicU64,
    /// Sends refused by the access rules or a reused number.
    pub refused: AtomicU64,
    /// Sends that the store failed to take.
    pub failed: AtomicU64,
    /// Messages put into mailboxes.
    pub delivered: AtomicU64,
    /// Messages that did not fit into a mailbox; stored ones are read back later.
    pub missed: AtomicU64,
}

impl Lane {
    /// Answers and delivers a committed batch.
    pub(super) fn dispatch(&mut self, committed: Committed) {
        let stored = committed
            .outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                Ok(AppendOutcome::Stored { id, .. }) => Some(*id),
                _ => None,
            });
        let last = stored.max();
        let mut outcomes = committed.outcomes.into_iter();
        let mut messages = Vec::with_capacity(committed.pending.len());
        for pending in committed.pending {
            if let Some(state) = self.channels.get_mut(&pending.channel.key) {
                state.in_flight = state.in_flight.saturating_sub(1);
            }
            let outcome = match pending.place {
                Place::Passing => self.passing(),
                Place::Log => match outcomes.next() {
                    Some(Ok(outcome)) => Ok(outcome),
                    Some(Err(error)) => Err(Refusal::from(error)),
                    None => Err(Refusal::Internal),
                },
            };
            if let Some(sent) = self.settle(pending, outcome) {
                messages.push(sent);
            }
        }
        if let Some(last) = last {
            // Before the first look into the hub: who comes after it reads this.
            self.position.committed(last);
            // Costs one look where nobody works through the log.
            let _ = self.parts.grown.send(());
        }
        for (message, sender) in messages {
            self.deliver(&message, &sender);
        }
        self.position.handed_out(last, self.in_flight.is_empty());
    }

    /// A message that is not stored has an id and a time all the same.
    fn passing(&self) -> Result<AppendOutcome, Refusal> {
        Ok(AppendOutcome::Stored {
            id: self.parts.ids.next(),
            seq: 0,
            ordinal: 0,
            sent_at_ms: self.parts.clock.now_ms(),
            naming: Naming::default(),
        })
    }

    /// Answers the sender; a message that is new is to be delivered.
    fn settle(
        &self,
        pending: Pending,
        outcome: Result<AppendOutcome, Refusal>,
    ) -> Option<(Arc<Message>, Sender)> {
        let counters = &self.parts.counters;
        let Pending {
            sender,
            reply,
            channel,
            body,
            place,
        } = pending;
        let (counter, result, message) = match outcome {
            Ok(AppendOutcome::Stored {
                id,
                seq,
                ordinal,
                sent_at_ms,
                naming,
            }) => {
                let counter = if place == Place::Log {
                    &counters.stored
                } else {
                    &counters.passed
                };
                let user = sender.user().clone();
                let message = Message {
                    id,
                    channel,
                    seq,
                    ordinal,
                    sender: user,
                    sent_at_ms,
                    body: body.as_stored(naming),
                    revoked: None,
                    edited: None,
                    is_concealed: false,
                };
                (
                    counter,
                    Ok(Accepted {
                        id,
                        seq,
                        sent_at_ms,
                        is_new: true,
                    }),
                    Some(Arc::new(message)),
                )
            }
            Ok(AppendOutcome::Duplicate {
                id,
                seq,
                sent_at_ms,
            }) => (
                &counters.duplicates,
                Ok(Accepted {
                    id,
                    seq,
                    sent_at_ms,
                    is_new: false,
                }),
                None,
            ),
            Ok(AppendOutcome::Conflict) => {
                (&counters.refused, Err(Refusal::IdempotencyConflict), None)
            }
            Err(why) => (&counters.failed, Err(why), None),
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let result = result.map_err(|why| Refused {
            id: self.parts.ids.next(),
            why,
        });
        answer(&sender, reply, result);
        message.map(|message| (message, sender))
    }

    /// Hands a message to every session that may see it, but the one that sent it.
    fn deliver(&mut self, message: &Arc<Message>, sender: &Sender) {
        let parts = Arc::clone(&self.parts);
        let Some(state) = self.channels.get_mut(&message.channel.key) else {
            return;
        };
        if message.seq > 0 {
            state.handed_out = message.id;
        }
        let from = match sender {
            Sender::Session(session) => Some(session.id),
            Sender::User(_) | Sender::Application(_) | Sender::Change(_) => None,
        };
        // An audience is looked through once, and not once for each session.
        let audience = message.body.audience.as_deref();
        let audience: Option<FxHashSet<UserNum>> = audience.map(|a| a.iter().copied().collect());
        // Whoever does something that is not kept knows of it.
        let is_news = message.seq == 0 && message.body.origin == Origin::CHANGE;
        let is_for = |user: UserNum| {
            let may_see = |audience: &FxHashSet<_>| audience.contains(&user);
            if user == message.sender.num {
                return !is_news;
            }
            audience.as_ref().is_none_or(may_see)
        };
        let mut tally = Tally::default();
        let mut gone = Vec::new();
        for user in state.participants.iter().filter(|user| is_for(user.num)) {
            parts.hub.each_of(user.num, |session| {
                tally.count(give(message, session, from));
            });
        }
        if !state.members.is_empty() {
            let fresh = state.online.is_none();
            let participants = Arc::clone(&state.participants);
            let online = state.online(&parts.hub);
            for session in online.values() {
                let user = session.user.num;
                if !is_for(user) || participants.iter().any(|other| other.num == user) {
                    continue;
                }
                let push = give(message, session, from);
                if push == Some(Push::Closed) {
                    gone.push(session.id);
                }
                tally.count(push);
            }
            for session in &gone {
                online.remove(session);
            }
            if fresh {
                let ids: Vec<SessionId> = online.keys().copied().collect();
                let key = state.key.clone();
                for id in ids {
                    self.sessions.entry(id).or_default().push(key.clone());
                }
            }
        }
        tally.add_to(&parts.counters);
    }

    /// Takes a user's sessions out of a channel's online set; what they missed in it is not
    /// read back to them.
    pub(super) fn drop_online(&mut self, key: &ChannelKey, user: UserNum) {
        let Some(state) = self.channels.get_mut(key) else {
            return;
        };
        let logs = [&state.chat, &state.command];
        let nums = logs.map(|log| log.as_ref().map(|log| log.num));
        let sessions = &mut self.sessions;
        self.parts.hub.each_of(user, |session| {
            for num in nums.into_iter().flatten() {
                session.mailbox.forget_gap(num);
            }
        });
        if let Some(online) = &mut state.online {
            online.retain(|id, session| {
                if session.user.num != user {
                    return true;
                }
                if let Some(keys) = sessions.get_mut(id) {
                    keys.retain(|other| other != key);
                }
                false
            });
        }
    }
}

/// Puts a message that its user may see into a session's mailbox, unless it is the sender's
/// own and not wanted.
fn give(message: &Arc<Message>, session: &Session, from: Option<SessionId>) -> Option<Push> {
    if session.realm != message.channel.key.realm {
        return None;
    }
    if Some(session.id) == from {
        if !session.wants_back(message) {
            session.mailbox.note_own(message);
            return None;
        }
    } else if !session.is_for(message) {
        return None;
    }
    Some(session.mailbox.push(Event::Message(Arc::clone(message))))
}

#[derive(Default)]
struct Tally {
    delivered: u64,
    missed: u64,
}

impl Tally {
    fn count(&mut self, push: Option<Push>) {
        match push {
            Some(Push::Queued) => self.delivered += 1,
            Some(Push::Missed) => self.missed += 1,
            Some(Push::Closed) | None => {}
        }
    }

    fn add_to(&self, counters: &Counters) {
        counters
            .delivered
            .fetch_add(self.delivered, Ordering::Relaxed);
        counters.missed.fetch_add(self.missed, Ordering::Relaxed);
    }
}
