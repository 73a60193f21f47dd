//! Sending.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Im;
use crate::channel::{ChannelKey, ChannelRef, LogKind};
use crate::deliver::{Job, ReplyTo, SendJob, Sender};
use crate::directory::AppId;
use crate::id::{ChannelNum, Realm, UserRef};
use crate::message::{Accepted, Body, Draft, MAX_AUDIENCE, Message};
use crate::refusal::Refusal;
use crate::send::limits::MAX_CLIENT_NO_BYTES;
use crate::session::{Event, Push, Refused, SendReply, Session, Ticket};

impl Im {
    /// Sends a draft of a session's user. The answer comes to the session's mailbox under
    /// `ticket`. Waits while the channel's lane is full: the caller stops reading meanwhile.
    pub async fn send(&self, session: &Arc<Session>, ticket: Ticket, mut draft: Draft) {
        let sender = Sender::Session(Arc::clone(session));
        if !session.budget.take() || !self.rates.app(session.app.as_ref(), &session.realm) {
            return self.refuse(session, ticket, Refusal::RateLimited);
        }
        if draft.body.carried.is_some()
            && let Err(why) = self.find_mentioned(&session.realm, &mut draft.body).await
        {
            return self.refuse(session, ticket, why);
        }
        match self.admit(&session.realm, &session.user, &draft) {
            Ok(key) if !self.rates.channel(&key) => {
                self.refuse(session, ticket, Refusal::RateLimited);
            }
            Ok(key) => {
                let send = SendJob {
                    key,
                    sender,
                    draft,
                    reply: ReplyTo::Session(ticket),
                };
                if let Err(send) = self.hold(session, send).await {
                    self.queue(send).await;
                }
            }
            Err(why) => self.refuse(session, ticket, why),
        }
    }

    /// Refuses what a session wanted to send before it was a draft, in its turn.
    pub fn refuse(&self, session: &Session, ticket: Ticket, why: Refusal) {
        let id = self.parts.ids.next();
        session.mailbox.reply(ticket, Err(Refused { id, why }));
    }

    /// Sends a draft in the name of a user and waits for the answer.
    ///
    /// # Errors
    /// The refusal, under an id that no stored message has.
    pub async fn send_as(&self, realm: &Realm, sender: Sender, draft: Draft) -> SendReply {
        self.send_by(realm, None, sender, draft).await
    }

    /// As [`send_as`](Self::send_as), charged to the app that calls; `None` = nobody knows
    /// which of the realm.
    ///
    /// # Errors
    /// As [`send_as`](Self::send_as).
    pub async fn send_by(
        &self,
        realm: &Realm,
        app: Option<&AppId>,
        sender: Sender,
        mut draft: Draft,
    ) -> SendReply {
        let refused = |why| Refused {
            id: self.parts.ids.next(),
            why,
        };
        // The application itself is not limited.
        let is_limited = matches!(sender, Sender::User(_));
        if is_limited && !(self.budgets.of(sender.user().num).take() && self.rates.app(app, realm))
        {
            return Err(refused(Refusal::RateLimited));
        }
        if draft.body.carried.is_some() {
            let found = self.find_mentioned(realm, &mut draft.body).await;
            found.map_err(refused)?;
        }
        let key = self.admit(realm, sender.user(), &draft).map_err(refused)?;
        if is_limited && !self.rates.channel(&key) {
            return Err(refused(Refusal::RateLimited));
        }
        let screened = self.screen(realm, &sender, &key, &mut draft).await;
        screened.map_err(refused)?;
        self.say(&key, sender, draft).await
    }

    /// Whether a draft would be taken now, for all that its sender and its channel are.
    pub(super) async fn would_take(
        &self,
        realm: &Realm,
        sender: Sender,
        draft: Draft,
    ) -> Result<(), Refusal> {
        let key = self.admit(realm, sender.user(), &draft)?;
        let (answer, waiting) = oneshot::channel();
        let job = SendJob {
            key: key.clone(),
            sender,
            draft,
            reply: ReplyTo::Nobody,
        };
        let job = Job::Judge(Box::new(job), answer);
        // Stopped lanes answer nobody.
        let _ = self.lanes.put(&key, job).await;
        waiting.await.unwrap_or(Err(Refusal::Unavailable))
    }

    /// Has the lane of a channel take a draft, and waits for the answer.
    pub(super) async fn say(&self, key: &ChannelKey, sender: Sender, draft: Draft) -> SendReply {
        let (answer, waiting) = oneshot::channel();
        self.queue(SendJob {
            key: key.clone(),
            sender,
            draft,
            reply: ReplyTo::Caller(answer),
        })
        .await;
        waiting.await.unwrap_or_else(|_| {
            Err(Refused {
                id: self.parts.ids.next(),
                why: Refusal::Unavailable,
            })
        })
    }

    /// Passes a message that is not stored to those of some users who are online.
    ///
    /// # Errors
    /// `TooLarge`, or `InvalidArgument` for a client number or name that is too long, or an
    /// audience that is too large.
    pub fn push_online(
        &self,
        channel: ChannelKey,
        sender: &UserRef,
        to: &[UserRef],
        mut body: Body,
    ) -> Result<Accepted, Refusal> {
        within_limits(&body, self.policy.send.payload_bytes)?;
        body.flags.no_persist = true;
        let message = self.passing(channel, sender, body);
        for user in to {
            self.parts.hub.each_of(user.num, |session| {
                session.mailbox.push(Event::Message(Arc::clone(&message)));
            });
        }
        Ok(Accepted {
            id: message.id,
            seq: 0,
            sent_at_ms: message.sent_at_ms,
            is_new: true,
        })
    }

    /// Passes a message that is not stored to some sessions, and says to how many: those
    /// that have ended or whose mailbox is full do not get it.
    ///
    /// # Errors
    /// As [`push_online`](Self::push_online).
    pub fn push_to(
        &self,
        sessions: &[Arc<Session>],
        channel: ChannelKey,
        sender: &UserRef,
        mut body: Body,
    ) -> Result<usize, Refusal> {
        within_limits(&body, self.policy.send.payload_bytes)?;
        body.flags.no_persist = true;
        let message = self.passing(channel, sender, body);
        let pushed = sessions.iter().filter(|session| {
            let event = Event::Message(Arc::clone(&message));
            session.mailbox.push(event) == Push::Queued
        });
        Ok(pushed.count())
    }

    fn passing(&self, channel: ChannelKey, sender: &UserRef, body: Body) -> Arc<Message> {
        let log = if body.flags.command {
            LogKind::Command
        } else {
            LogKind::Chat
        };
        Arc::new(Message {
            id: self.parts.ids.next(),
            channel: Arc::new(ChannelRef {
                num: ChannelNum(0),
                key: channel,
                log,
            }),
            seq: 0,
            ordinal: 0,
            sender: sender.clone(),
            sent_at_ms: self.parts.clock.now_ms(),
            body: Arc::new(body),
            revoked: None,
            edited: None,
            is_concealed: false,
        })
    }

    /// What can be said of a draft without looking at its channel.
    fn admit(&self, realm: &Realm, user: &UserRef, draft: &Draft) -> Result<ChannelKey, Refusal> {
        within_limits(&draft.body, self.policy.send.payload_bytes)?;
        draft.to.key(realm, &user.uid)
    }

    async fn queue(&self, send: SendJob) {
        let key = send.key.clone();
        if let Err(Job::Send(send)) = self.lanes.put(&key, Job::Send(Box::new(send))).await {
            let id = self.parts.ids.next();
            send.refuse(Refused {
                id,
                why: Refusal::Unavailable,
            });
        }
    }
}

/// What must hold for every message to fit a frame.
fn within_limits(body: &Body, payload_bytes: usize) -> Result<(), Refusal> {
    if body.payload.len() > payload_bytes {
        return Err(Refusal::TooLarge);
    }
    let name_bytes = body.name.as_ref().map_or(0, |name| name.len());
    let audience = body.audience.as_ref().map_or(0, |audience| audience.len());
    if body.client_no.len().max(name_bytes) > MAX_CLIENT_NO_BYTES || audience > MAX_AUDIENCE {
        return Err(Refusal::InvalidArgument);
    }
    Ok(())
}
