//! The end of messages whose time is over.

use std::collections::BTreeMap;

use quick_cache::sync::Cache;
use tokio::sync::oneshot;

use super::Im;
use crate::change::{Change, MessageName};
use crate::channel::{Address, ChannelKey, LogKind};
use crate::deliver::{ExpireJob, Job, Sender};
use crate::expiry::Due;
use crate::id::{MessageId, UserNum};
use crate::log::RevokeOutcome;
use crate::message::Message;
use crate::refusal::Refusal;
use crate::store::StoreResult;

/// Messages that end in one step.
const STEP: u32 = 500;
/// Messages that one entry of a command log names, and that a lane erases at once.
const NAMED: usize = 100;
/// Steps of one sweep; the next goes on.
const STEPS: usize = 100;

/// Damaged messages that are not looked at again before the next start, at most.
const UNENDING: usize = 10_000;

/// Messages that could not be erased.
pub(super) type Unending = Cache<MessageId, ()>;

/// What became of a message whose time was over.
type Erased = (MessageId, StoreResult<RevokeOutcome>);

/// There are none yet.
pub(super) fn unending() -> Unending {
    Cache::new(UNENDING)
}

impl Im {
    /// Erases messages whose time is over, and has those who could see them told. Returns how
    /// many. It can be given up at any time: the next goes on. Reading does not show what is
    /// over even before.
    ///
    /// Those who could see a message are told before it is erased: whatever a crash leaves
    /// undone is done again, and telling twice does no harm.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn expire_due(&self) -> Result<u64, Refusal> {
        let now_ms = self.clock().now_ms();
        let (mut expired, mut after) = (0, None);
        for _ in 0..STEPS {
            let due = self.stores.expiry.due(now_ms, after, STEP).await?;
            let Some(last) = due.last() else {
                break;
            };
            let is_last = due.len() < STEP as usize;
            after = Some(*last);
            expired += self.expire(due, now_ms).await?;
            if is_last {
                break;
            }
        }
        Ok(expired)
    }

    async fn expire(&self, due: Vec<Due>, now_ms: i64) -> Result<u64, Refusal> {
        let mut messages = Vec::with_capacity(due.len());
        for due in due {
            if self.unending.get(&due.id).is_some() {
                continue;
            }
            match self.stores.log.by_id(due.id).await? {
                Some(message) => messages.push(message),
                None => self.unending.insert(due.id, ()),
            }
        }
        self.tell_expired(&messages, now_ms).await?;
        let mut expired = 0;
        for (id, erased) in self.erase_expired(&messages).await? {
            match erased? {
                RevokeOutcome::Revoked(_) => expired += 1,
                RevokeOutcome::Before(_) => {}
                RevokeOutcome::NoMessage => self.unending.insert(id, ()),
            }
        }
        Ok(expired)
    }

    /// Has messages erased in their channels' lanes, all at once, and says what became of each.
    async fn erase_expired(&self, messages: &[Message]) -> Result<Vec<Erased>, Refusal> {
        let mut channels: BTreeMap<i64, (&ChannelKey, Vec<MessageId>)> = BTreeMap::new();
        for message in messages {
            let channel = &message.channel;
            let of = channels.entry(channel.num.0);
            of.or_insert_with(|| (&channel.key, Vec::new()))
                .1
                .push(message.id);
        }
        let mut waiting = Vec::new();
        for (key, ids) in channels.into_values() {
            for ids in ids.chunks(NAMED) {
                let (reply, answer) = oneshot::channel();
                let job = ExpireJob {
                    key: key.clone(),
                    messages: ids.to_vec(),
                    reply,
                };
                let put = self.lanes.put(key, Job::Expire(job)).await;
                put.map_err(|_| Refusal::Unavailable)?;
                waiting.push((ids.to_vec(), answer));
            }
        }
        let mut erased = Vec::with_capacity(messages.len());
        for (ids, answer) in waiting {
            let outcomes = answer.await.map_err(|_| Refusal::Unavailable)?;
            erased.extend(ids.into_iter().zip(outcomes));
        }
        Ok(erased)
    }

    /// Says in each channel's command log which of its messages are over; of directed ones to
    /// those only who could see them.
    async fn tell_expired(&self, due: &[Message], now_ms: i64) -> Result<(), Refusal> {
        let mut groups: BTreeMap<(i64, Vec<UserNum>), Vec<&Message>> = BTreeMap::new();
        // What only said that something had changed is not missed.
        for message in due
            .iter()
            .filter(|message| message.channel.log == LogKind::Chat)
        {
            let mut audience = message
                .body
                .audience
                .as_deref()
                .unwrap_or_default()
                .to_vec();
            if message.body.audience.is_some() {
                audience.push(message.sender.num);
            }
            let group = (message.channel.num.0, audience);
            groups.entry(group).or_default().push(message);
        }
        for ((_, audience), messages) in groups {
            for messages in messages.chunks(NAMED) {
                self.tell_one(messages, &audience, now_ms).await?;
            }
        }
        Ok(())
    }

    async fn tell_one(
        &self,
        messages: &[&Message],
        audience: &[UserNum],
        now_ms: i64,
    ) -> Result<(), Refusal> {
        let (Some(first), Some(last)) = (messages.first(), messages.last()) else {
            return Ok(());
        };
        let key = &first.channel.key;
        let to = Address {
            kind: key.kind,
            id: key.id.clone(),
        };
        let change = Change::Expired {
            messages: messages
                .iter()
                .map(|message| MessageName::of(message))
                .collect(),
            at_ms: now_ms,
        };
        let mut draft = change.draft(to);
        // The same ones are told once.
        draft.body.client_no = format!("expired-{}-{}", first.id, last.id).into();
        draft.body.audience = (!audience.is_empty()).then(|| audience.into());
        let told = self
            .say(key, Sender::Change(first.sender.clone()), draft)
            .await;
        told.map(|_| ()).map_err(|refused| refused.why)
    }
}
