//! Taking back what was said.

use tokio::sync::oneshot;

use super::Im;
use crate::channel::LogKind;
use crate::deliver::{Job, Operator, RevokeJob, TakenBack};
use crate::id::{MessageId, Realm};
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
        if let Operator::User(user) = &by
            && !self.budgets.of(user.num).take()
        {
            return Err(Refusal::RateLimited);
        }
        let found = self.stores.log.by_id(id).await?;
        let message = found
            .filter(|message| message.channel.key.realm == *realm)
            // What stands in a command log says what has changed: that stays so.
            .filter(|message| message.channel.log == LogKind::Chat)
            .ok_or(Refusal::NoSuchMessage)?;
        let key = message.channel.key.clone();
        let (reply, waiting) = oneshot::channel();
        let job = RevokeJob {
            message,
            by,
            window_ms: self.policy.revoke_window_ms,
            reply,
        };
        self.lanes
            .put(&key, Job::Revoke(Box::new(job)))
            .await
            .map_err(|_| Refusal::Unavailable)?;
        waiting.await.unwrap_or(Err(Refusal::Unavailable))
    }
}
