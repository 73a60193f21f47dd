//! Taking back what was said, and deleting it for everybody.

use tokio::sync::oneshot;

use super::Im;
use crate::channel::LogKind;
use crate::deliver::{AlterJob, Alteration, Altered, Job, Operator, TakenBack};
use crate::id::{MessageId, Realm};
use crate::message::{Gone, Message};
use crate::refusal::Refusal;

impl Im {
    /// Revokes a message of a realm's chat logs: its content is gone for good, its place
    /// stays. Revoking it again is a success that changes nothing. The application may at
    /// any time, and so may who moderates the channel; an author for as long as
    /// [`Policy::revoke_window_ms`](super::Policy::revoke_window_ms) says. Durable when it
    /// returns.
    ///
    /// # Errors
    /// `NoSuchMessage`, also for one who has nothing to do with its channel; `TooLate`,
    /// `Forbidden`, `RateLimited` (it counts like a send), or when the store fails.
    pub async fn revoke(
        &self,
        realm: &Realm,
        id: MessageId,
        by: Operator,
    ) -> Result<TakenBack, Refusal> {
        self.erase(realm, id, by, Gone::Revoked).await
    }

    /// Deletes a message of a realm's chat logs for everybody: as [`revoke`](Self::revoke),
    /// but nothing says that it was there. A message that was revoked can still be deleted.
    ///
    /// # Errors
    /// As with `revoke`.
    pub async fn delete(
        &self,
        realm: &Realm,
        id: MessageId,
        by: Operator,
    ) -> Result<TakenBack, Refusal> {
        self.erase(realm, id, by, Gone::Deleted).await
    }

    async fn erase(
        &self,
        realm: &Realm,
        id: MessageId,
        by: Operator,
        how: Gone,
    ) -> Result<TakenBack, Refusal> {
        let what = Alteration::Erase {
            how,
            window_ms: self.policy.revoke_window_ms,
        };
        self.alter(realm, id, by, what).await
    }

    /// Has a message altered in its channel's lane.
    pub(super) async fn alter(
        &self,
        realm: &Realm,
        id: MessageId,
        by: Operator,
        what: Alteration,
    ) -> Result<Altered, Refusal> {
        if let Operator::User(user) = &by
            && !self.budgets.of(user.num).take()
        {
            return Err(Refusal::RateLimited);
        }
        let message = self.said(realm, id).await?;
        let key = message.channel.key.clone();
        let (reply, waiting) = oneshot::channel();
        let job = AlterJob {
            message,
            by,
            what,
            reply,
        };
        self.lanes
            .put(&key, Job::Alter(Box::new(job)))
            .await
            .map_err(|_| Refusal::Unavailable)?;
        waiting.await.unwrap_or(Err(Refusal::Unavailable))
    }

    /// A message of a realm's chat logs.
    pub(super) async fn said(&self, realm: &Realm, id: MessageId) -> Result<Message, Refusal> {
        let found = self.stores.log.by_id(id).await?;
        found
            .filter(|message| message.channel.key.realm == *realm)
            // What stands in a command log says what has changed: that stays so.
            .filter(|message| message.channel.log == LogKind::Chat)
            .ok_or(Refusal::NoSuchMessage)
    }
}
