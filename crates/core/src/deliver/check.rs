//! From drafts to the log: gather the facts, judge, append.

use std::sync::Arc;

use futures_util::FutureExt;

use super::fanout::{Committed, Pending, Place};
use super::lane::{Lane, Parts, SendJob, Sender};
use super::state::ChannelState;
use crate::channel::{ChannelKind, ChannelRef, LogKind, MemberRole};
use crate::directory::UserState;
use crate::id::{Uid, UserNum};
use crate::log::Append;
use crate::refusal::Refusal;
use crate::send::access::{Facts, judge};
use crate::session::Refused;

impl Lane {
    /// Checks drafts in order and hands those that pass to the log as one batch.
    pub(super) async fn check_and_append(&mut self, sends: &mut Vec<SendJob>) {
        if sends.is_empty() {
            return;
        }
        let mut appends = Vec::with_capacity(sends.len());
        let mut pending = Vec::with_capacity(sends.len());
        for job in sends.drain(..) {
            match self.check(&job).await {
                Ok(channel) => {
                    let body = Arc::new(job.draft.body);
                    let state = self
                        .channels
                        .get_mut(&job.key)
                        .expect("checked a moment ago");
                    state.in_flight += 1;
                    let place = if body.flags.no_persist {
                        Place::Passing
                    } else {
                        appends.push(Append {
                            channel: Arc::clone(&channel),
                            sender: job.sender.user().clone(),
                            first_contact: Arc::clone(&state.first_contact),
                            body: Arc::clone(&body),
                            on_reuse: job.draft.on_reuse,
                        });
                        Place::Log
                    };
                    let SendJob { sender, reply, .. } = job;
                    pending.push(Pending {
                        sender,
                        reply,
                        channel,
                        body,
                        place,
                    });
                }
                Err(why) => {
                    let id = self.parts.ids.next();
                    job.refuse(Refused { id, why });
                }
            }
        }
        if pending.is_empty() {
            return;
        }
        let stored = if appends.is_empty() {
            async { Vec::new() }.boxed()
        } else {
            let count = appends.len();
            match self.parts.log.append(appends).await {
                Ok(stored) => stored,
                Err(error) => async move { vec![Err(error); count] }.boxed(),
            }
        };
        self.in_flight.push_back(
            async move {
                Committed {
                    pending,
                    outcomes: stored.await,
                }
            }
            .boxed(),
        );
    }

    /// The log that a draft may be appended to.
    async fn check(&mut self, job: &SendJob) -> Result<Arc<ChannelRef>, Refusal> {
        let parts = Arc::clone(&self.parts);
        let sender = parts.users.state(job.sender.user().num).await?;
        if job.draft.require_peer && !self.channels.contains_key(&job.key) {
            // Before the channel is read, which gives unknown names a number.
            peer_is_known(&parts, job).await?;
        }
        let state = self.state(&job.key).await?;
        let peer = peer(state, job.sender.user().num);
        let peer = match peer {
            Some(num) => Some(parts.users.state(num).await?),
            None => None,
        };
        judge(&facts(job, &parts, state, &sender, peer.as_deref()))?;
        open_log(&parts, state, job.draft.body.flags.command).await
    }
}

/// Refuses a direct message to a name that nobody has ever had.
async fn peer_is_known(parts: &Parts, job: &SendJob) -> Result<(), Refusal> {
    let (key, sender) = (&job.key, job.sender.user());
    let Some(peer) = key.peer_of(sender.uid.as_str()) else {
        return Ok(());
    };
    let found = parts.users.find(&key.realm, &Uid::from_store(peer)).await?;
    found.map(|_| ()).ok_or(Refusal::NoSuchUser)
}

/// The other one of a direct channel.
fn peer(state: &ChannelState, sender: UserNum) -> Option<UserNum> {
    if state.key.kind != ChannelKind::DIRECT {
        return None;
    }
    let other = state.participants.iter().find(|user| user.num != sender);
    other.map(|user| user.num)
}

fn facts(
    job: &SendJob,
    parts: &Parts,
    state: &ChannelState,
    sender: &UserState,
    peer: Option<&UserState>,
) -> Facts {
    let num = sender.record.user.num;
    let application = matches!(job.sender, Sender::Application(_));
    let flags = sender.record.flags;
    let direct = state.key.kind == ChannelKind::DIRECT;
    let member = state.members.get(&num);
    let peer_flags = peer.map(|peer| peer.record.flags).unwrap_or_default();
    let muted_until = member.map_or(0, |member| member.muted_until_ms);
    Facts {
        kind: state.key.kind,
        fault: job.draft.fault,
        sender_is_system: application || flags.system || sender.record.user.uid.is_system(),
        sender_banned: flags.ban,
        sender_send_ban: flags.send_ban,
        banned: state.settings.ban || peer_flags.ban,
        disbanded: state.settings.disband,
        muted_for_all: state.settings.send_ban,
        sender_moderates: member.is_some_and(|member| member.role > MemberRole::Member),
        sender_muted: muted_until > 0 && parts.clock.now_ms() < muted_until,
        takes_part: state.takes_part(num),
        // Notes to oneself have no peer.
        peer_known: peer.is_none() || peer_flags.exists || !job.draft.require_peer,
        peer_is_system: peer_flags.system
            || peer.is_some_and(|peer| peer.record.user.uid.is_system()),
        denied: state.denied.contains(&num) || peer.is_some_and(|p| p.blocked.contains(&num)),
        is_member: member.is_some(),
        allow_list_in_force: if direct {
            parts.friends_only && peer.is_some() && !peer_flags.allow_stranger
        } else {
            !state.allowed.is_empty() && !state.settings.allow_stranger
        },
        allow_listed: if direct {
            peer.is_some_and(|peer| peer.allowed.contains(&num))
        } else {
            state.allowed.contains(&num)
        },
    }
}

/// The chat or command log of a channel, made at first use.
async fn open_log(
    parts: &Parts,
    state: &mut ChannelState,
    command: bool,
) -> Result<Arc<ChannelRef>, Refusal> {
    let (slot, log) = if command {
        (&mut state.command, LogKind::Command)
    } else {
        (&mut state.chat, LogKind::Chat)
    };
    if let Some(open) = slot {
        return Ok(Arc::clone(open));
    }
    let opened = parts
        .channels
        .open(&state.key, log, true)
        .await?
        .ok_or(Refusal::Internal)?;
    *slot = Some(Arc::clone(&opened));
    Ok(opened)
}
