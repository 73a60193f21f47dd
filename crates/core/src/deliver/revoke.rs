//! Taking a message back, in its place among what is sent to the channel: everything that was
//! sent before is committed and answered first.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::lane::{Lane, ReplyTo, SendJob, Sender};
use super::state::ChannelState;
use crate::change::{Change, MessageName};
use crate::channel::{Address, ChannelKey, MemberRole};
use crate::id::UserRef;
use crate::log::RevokeOutcome;
use crate::message::Message;
use crate::refusal::Refusal;

/// Who changes what was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operator {
    /// The application, which may do so with everything in its realm, at any time.
    Application,
    /// A user: their own messages for a while, and all of a channel that they moderate.
    User(UserRef),
}

impl Operator {
    /// The user, unless it is the application.
    #[must_use]
    pub fn user(&self) -> Option<&UserRef> {
        match self {
            Self::Application => None,
            Self::User(user) => Some(user),
        }
    }
}

/// A message that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// What it is now.
    pub message: Message,
    /// False if it had been taken back before: then nothing has changed.
    pub is_new: bool,
}

/// Where whoever asked waits.
pub(super) type Revoker = oneshot::Sender<Result<TakenBack, Refusal>>;

/// A message to be taken back.
pub struct RevokeJob {
    /// The message as it was when somebody asked.
    pub message: Message,
    /// Who asked.
    pub by: Operator,
    /// For how long authors may do it, in ms; 0 = for ever.
    pub window_ms: u64,
    /// Where the answer goes.
    pub reply: Revoker,
}

impl Lane {
    /// Judges and takes back. It is answered once both are durable, what is left of the
    /// message and that everybody is told. If the second was lost in a crash, or fails,
    /// nobody was told that it is done: whoever asks again has it told again.
    pub(super) async fn revoke(&mut self, job: RevokeJob) {
        self.settle_sends(&job.message.channel.key).await;
        match self.take_back(&job).await {
            Ok(taken) => self.tell(taken, job.reply).await,
            // Whoever no longer waits has gone away.
            Err(why) => drop(job.reply.send(Err(why))),
        }
    }

    /// Says in the channel's command log that the message is gone, once: the entry has a
    /// number of its own, by which the log knows it again.
    async fn tell(&mut self, taken: TakenBack, revoker: Revoker) {
        let message = &taken.message;
        let revocation = message.revoked.as_deref();
        let by = revocation.and_then(|revocation| revocation.by.as_ref());
        let change = Change::Revoked {
            message: MessageName::of(message),
            by: by.map(|user| user.uid.as_str().to_owned()),
            at_ms: revocation.map_or(0, |revocation| revocation.at_ms),
        };
        let key = message.channel.key.clone();
        let to = Address {
            kind: key.kind,
            id: Arc::clone(&key.id),
        };
        let mut draft = change.draft(to);
        draft.body.client_no = format!("revoked-{}", message.id).into();
        // Who may not see the message is not told of it either.
        let audience = message.body.audience.as_deref();
        draft.body.audience = audience.map(|audience| {
            let author = std::iter::once(message.sender.num);
            author.chain(audience.iter().copied()).collect()
        });
        let sender = Sender::Change(by.unwrap_or(&message.sender).clone());
        let mut sends = vec![SendJob {
            key,
            sender,
            draft,
            reply: ReplyTo::Revoker(Box::new(taken), revoker),
        }];
        self.check_and_append(&mut sends).await;
    }

    /// Waits for the commits of what was sent to a channel, and for no other's.
    async fn settle_sends(&mut self, key: &ChannelKey) {
        use futures_util::StreamExt;
        let waits = |lane: &Self| lane.channels.get(key).is_some_and(|s| s.in_flight > 0);
        while waits(self) {
            let Some(committed) = self.in_flight.next().await else {
                return;
            };
            self.dispatch(committed);
        }
    }

    async fn take_back(&mut self, job: &RevokeJob) -> Result<TakenBack, Refusal> {
        let parts = Arc::clone(&self.parts);
        let now_ms = parts.clock.now_ms();
        let state = self.state(&job.message.channel.key).await?;
        judge(job, state, now_ms)?;
        let outcome = parts.log.revoke(job.message.id, job.by.user()).await?;
        let (revocation, is_new) = match outcome {
            RevokeOutcome::Revoked(revocation) => (revocation, true),
            RevokeOutcome::Before(revocation) => (revocation, false),
            RevokeOutcome::NoMessage => return Err(Refusal::NoSuchMessage),
        };
        Ok(TakenBack {
            message: job.message.tombstone(revocation),
            is_new,
        })
    }
}

/// The application may always; who moderates the channel, too; the author for a while. One
/// who has nothing to do with the channel is not told that there is such a message.
fn judge(job: &RevokeJob, state: &ChannelState, now_ms: i64) -> Result<(), Refusal> {
    let Operator::User(user) = &job.by else {
        return Ok(());
    };
    let member = state.members.get(&user.num);
    if member.is_some_and(|member| member.role > MemberRole::Member) {
        return Ok(());
    }
    if job.message.sender.num == user.num {
        // A clock that went back leaves more time, never less.
        let age_ms = now_ms.saturating_sub(job.message.sent_at_ms).max(0);
        let is_late = job.window_ms > 0 && age_ms.unsigned_abs() > job.window_ms;
        // Whoever asks again after it was done is told that it is done.
        return if is_late && job.message.revoked.is_none() {
            Err(Refusal::TooLate)
        } else {
            Ok(())
        };
    }
    if member.is_some() || state.takes_part(user.num) {
        Err(Refusal::Forbidden)
    } else {
        Err(Refusal::NoSuchMessage)
    }
}
