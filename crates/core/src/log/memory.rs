//! A log in memory: for simulations and as the contract's second implementation.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::{
    Append, AppendOutcome, Called, Head, Log, Page, PendingAppend, Retained, RevokeOutcome,
};
use crate::channel::ChannelRef;
use crate::clock::Clock;
use crate::id::{ChannelNum, MessageId, Snowflake, UserRef};
use crate::message::{Gone, Message, Naming, OnReuse, Revocation};
use crate::store::StoreResult;

/// Keeps everything until it is dropped.
pub struct MemoryLog {
    ids: Arc<Snowflake>,
    clock: Arc<dyn Clock>,
    logs: Mutex<FxHashMap<ChannelNum, OneLog>>,
}

/// One log: what is kept of it, and its newest place, which outlives the messages.
#[derive(Default)]
struct OneLog {
    kept: VecDeque<Kept>,
    head: Head,
}

/// A message, and the digest of what it was sent with: a tombstone has lost that.
struct Kept {
    message: Message,
    digest: i64,
}

impl OneLog {
    /// What an append is answered with if its client number was used before.
    fn reuse(&self, item: &Append) -> Option<AppendOutcome> {
        let same = |kept: &&Kept| {
            let body = &kept.message.body;
            kept.message.sender.num == item.sender.num && body.client_no == item.body.client_no
        };
        let mut reused = false;
        for first in self.kept.iter().rev().filter(same) {
            if first.digest == item.body.digest() {
                return Some(AppendOutcome::Duplicate {
                    id: first.message.id,
                    seq: first.message.seq,
                    sent_at_ms: first.message.sent_at_ms,
                });
            }
            reused = true;
        }
        (reused && item.on_reuse == OnReuse::Refuse).then_some(AppendOutcome::Conflict)
    }

    /// The messages of a page, ascending.
    fn page(&self, page: Page) -> Vec<Message> {
        let within = |kept: &&Kept| (page.from..=page.to).contains(&kept.message.seq);
        let all: Vec<_> = self.kept.iter().filter(within).collect();
        let limit = page.limit as usize;
        let skip = if page.newest {
            all.len().saturating_sub(limit)
        } else {
            0
        };
        let wanted = all.into_iter().skip(skip).take(limit);
        wanted.map(|kept| kept.message.clone()).collect()
    }
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new(ids: Arc<Snowflake>, clock: Arc<dyn Clock>) -> Self {
        Self {
            ids,
            clock,
            logs: Mutex::default(),
        }
    }

    fn append_one(&self, item: &Append) -> AppendOutcome {
        let mut logs = self.logs.lock();
        let name_dropped = item.body.name.as_ref().is_some_and(|name| {
            let realm = &item.channel.key.realm;
            let has_it = |kept: &Kept| kept.message.body.name.as_ref() == Some(name);
            let mut kept = logs.values().flat_map(|log| &log.kept);
            kept.any(|kept| kept.message.channel.key.realm == *realm && has_it(kept))
        });
        let log = logs.entry(item.channel.num).or_default();
        let mut naming = Naming {
            name_dropped,
            ..Naming::default()
        };
        if !item.body.client_no.is_empty() {
            if let Some(outcome) = log.reuse(item) {
                return outcome;
            }
            naming.number_taken = log.kept.iter().any(|kept| {
                kept.message.sender.num != item.sender.num
                    && kept.message.body.client_no == item.body.client_no
            });
        }
        log.head = Head {
            seq: log.head.seq + 1,
            ordinal: log.head.ordinal + u64::from(item.body.takes_ordinal()),
        };
        let Head { seq, ordinal } = log.head;
        let (id, sent_at_ms) = (self.ids.next(), self.clock.now_ms());
        log.kept.push_back(Kept {
            message: Message {
                id,
                channel: Arc::clone(&item.channel),
                seq,
                ordinal,
                sender: item.sender.clone(),
                sent_at_ms,
                body: item.body.as_stored(naming),
                revoked: None,
                edited: None,
                is_concealed: false,
            },
            digest: item.body.digest(),
        });
        AppendOutcome::Stored {
            id,
            seq,
            ordinal,
            sent_at_ms,
            naming,
        }
    }
}

#[async_trait]
impl Log for MemoryLog {
    async fn append(&self, batch: Vec<Append>) -> StoreResult<PendingAppend> {
        let outcomes: Vec<_> = batch.iter().map(|item| Ok(self.append_one(item))).collect();
        Ok(async move { outcomes }.boxed())
    }

    async fn heads(&self, channels: &[ChannelNum]) -> StoreResult<Vec<Head>> {
        let logs = self.logs.lock();
        let head = |num| logs.get(num).map(|log| log.head).unwrap_or_default();
        Ok(channels.iter().map(head).collect())
    }

    async fn page(&self, channel: &Arc<ChannelRef>, page: Page) -> StoreResult<Vec<Message>> {
        let logs = self.logs.lock();
        Ok(logs
            .get(&channel.num)
            .map_or_else(Vec::new, |log| log.page(page)))
    }

    async fn by_id(&self, id: MessageId) -> StoreResult<Option<Message>> {
        let logs = self.logs.lock();
        let mut kept = logs.values().flat_map(|log| &log.kept);
        Ok(kept
            .find(|kept| kept.message.id == id)
            .map(|kept| kept.message.clone()))
    }

    async fn by_number(&self, called: &Called, limit: u32) -> StoreResult<Vec<Message>> {
        let logs = self.logs.lock();
        let is_called = |message: &&Message| {
            let body = &message.body;
            let text = &called.text;
            !text.is_empty()
                && (body.client_no == *text || body.name.as_ref() == Some(text))
                && message.channel.key.realm == called.realm
                && called
                    .sender
                    .is_none_or(|sender| message.sender.num == sender)
                && called.channel.is_none_or(|log| message.channel.num == log)
        };
        let kept = logs.values().flat_map(|log| &log.kept);
        let found = kept.map(|kept| &kept.message).filter(is_called);
        let mut found: Vec<Message> = found.cloned().collect();
        found.sort_unstable_by_key(|message| std::cmp::Reverse(message.id));
        found.truncate(limit as usize);
        Ok(found)
    }

    async fn newest(
        &self,
        wanted: &[(Arc<ChannelRef>, u64)],
        limit: u32,
    ) -> StoreResult<Vec<Vec<Message>>> {
        let logs = self.logs.lock();
        let newest = |(channel, from): &(Arc<ChannelRef>, u64)| {
            let page = Page {
                from: *from,
                to: u64::MAX,
                limit,
                newest: true,
            };
            logs.get(&channel.num)
                .map_or_else(Vec::new, |log| log.page(page))
        };
        Ok(wanted.iter().map(newest).collect())
    }

    async fn scan(&self, after: MessageId, limit: u32) -> StoreResult<Vec<Message>> {
        let logs = self.logs.lock();
        let kept = logs.values().flat_map(|log| &log.kept);
        let messages = kept.map(|kept| &kept.message);
        let mut found: Vec<&Message> = messages.filter(|message| message.id > after).collect();
        found.sort_unstable_by_key(|message| message.id);
        found.truncate(limit as usize);
        Ok(found.into_iter().cloned().collect())
    }

    async fn last_id(&self) -> StoreResult<MessageId> {
        let logs = self.logs.lock();
        let kept = logs.values().filter_map(|log| log.kept.back());
        let ids = kept.map(|kept| kept.message.id);
        Ok(ids.max().unwrap_or(MessageId(0)))
    }

    async fn erase(
        &self,
        id: MessageId,
        by: Option<&UserRef>,
        how: Gone,
    ) -> StoreResult<RevokeOutcome> {
        let mut logs = self.logs.lock();
        let mut kept = logs.values_mut().flat_map(|log| &mut log.kept);
        let Some(kept) = kept.find(|kept| kept.message.id == id) else {
            return Ok(RevokeOutcome::NoMessage);
        };
        if let Some(before) = &kept.message.revoked {
            return Ok(RevokeOutcome::Before(Revocation::clone(before)));
        }
        let revocation = Revocation {
            by: by.cloned(),
            at_ms: self.clock.now_ms(),
            how,
        };
        kept.message = kept.message.tombstone(revocation.clone());
        Ok(RevokeOutcome::Revoked(revocation))
    }

    async fn retain(
        &self,
        from: MessageId,
        before: MessageId,
        limit: u32,
    ) -> StoreResult<Retained> {
        let mut logs = self.logs.lock();
        let wanted = from..before;
        let kept = logs.values().flat_map(|log| &log.kept);
        let ids = kept.map(|kept| kept.message.id);
        let mut ids: Vec<MessageId> = ids.filter(|id| wanted.contains(id)).collect();
        ids.sort_unstable();
        ids.truncate(limit as usize);
        let Some(last) = ids.last() else {
            return Ok(Retained {
                dropped: 0,
                next: None,
            });
        };
        for log in logs.values_mut() {
            while log
                .kept
                .front()
                .is_some_and(|kept| kept.message.id <= *last)
            {
                log.kept.pop_front();
            }
        }
        Ok(Retained {
            dropped: ids.len() as u64,
            next: Some(MessageId(last.0 + 1)),
        })
    }
}
