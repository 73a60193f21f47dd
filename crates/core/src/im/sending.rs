//! Sending.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Im;
use crate::channel::ChannelKey;
use crate::deliver::{Job, ReplyTo, SendJob, Sender};
use crate::id::{Realm, UserRef};
use crate::message::Draft;
use crate::refusal::Refusal;
use crate::session::{Refused, SendReply, Session, Ticket};

impl Im {
    /// Sends a draft of a session's user. The answer comes to the session's mailbox under
    /// `ticket`. Waits while the channel's lane is full: the caller stops reading meanwhile.
    pub async fn send(&self, session: &Arc<Session>, ticket: Ticket, draft: Draft) {
        let sender = Sender::Session(Arc::clone(session));
        if !session.budget.take() {
            return self.refuse(session, ticket, Refusal::RateLimited);
        }
        match self.admit(&session.realm, &session.user, &draft) {
            Ok(key) => self.queue(key, sender, draft, ReplyTo::Session(ticket)).await,
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
        let refused = |why| Refused { id: self.parts.ids.next(), why };
        let key = self.admit(realm, sender.user(), &draft).map_err(refused)?;
        let (answer, waiting) = oneshot::channel();
        self.queue(key, sender, draft, ReplyTo::Caller(answer)).await;
        waiting.await.unwrap_or_else(|_| Err(refused(Refusal::Unavailable)))
    }

    /// What can be said of a draft without looking at its channel.
    fn admit(&self, realm: &Realm, user: &UserRef, draft: &Draft) -> Result<ChannelKey, Refusal> {
        if draft.body.payload.len() > self.policy.send.payload_bytes {
            return Err(Refusal::TooLarge);
        }
        draft.to.key(realm, &user.uid)
    }

    async fn queue(&self, key: ChannelKey, sender: Sender, draft: Draft, reply: ReplyTo) {
        let send = SendJob { key: key.clone(), sender, draft, reply };
        if let Err(Job::Send(send)) = self.lanes.put(&key, Job::Send(Box::new(send))).await {
            let id = self.parts.ids.next();
            send.refuse(Refused { id, why: Refusal::Unavailable });
        }
    }
}
