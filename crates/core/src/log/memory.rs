//! A log in memory: for simulations and as the contract's second implementation.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::{Append, AppendOutcome, Head, Log, Page, PendingAppend};
use crate::channel::ChannelRef;
use crate::clock::Clock;
use crate::id::{ChannelNum, MessageId, Snowflake};
use crate::message::{Message, OnReuse};
use crate::store::StoreResult;

/// Keeps everything until it is dropped.
pub struct MemoryLog {
    ids: Arc<Snowflake>,
    clock: Arc<dyn Clock>,
    logs: Mutex<FxHashMap<ChannelNum, Vec<Message>>>,
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
        let log = logs.entry(item.channel.num).or_default();
        if !item.body.client_no.is_empty() {
            let same = |m: &&Message| {
                m.sender.num == item.sender.num && m.body.client_no == item.body.client_no
            };
            let mut reused = false;
            for first in log.iter().rev().filter(same) {
                if first.body.digest() == item.body.digest() {
                    let Message {
                        id,
                        seq,
                        sent_at_ms,
                        ..
                    } = *first;
                    return AppendOutcome::Duplicate {
                        id,
                        seq,
                        sent_at_ms,
                    };
                }
                reused = true;
            }
            if reused && item.on_reuse == OnReuse::Refuse {
                return AppendOutcome::Conflict;
            }
        }
        let last = log.last().map_or((0, 0), |m| (m.seq, m.ordinal));
        let message = Message {
            id: self.ids.next(),
            channel: Arc::clone(&item.channel),
            seq: last.0 + 1,
            ordinal: last.1 + u64::from(item.body.flags.counts),
            sender: item.sender.clone(),
            sent_at_ms: self.clock.now_ms(),
            body: Arc::clone(&item.body),
        };
        let Message {
            id,
            seq,
            ordinal,
            sent_at_ms,
            ..
        } = message;
        log.push(message);
        AppendOutcome::Stored {
            id,
            seq,
            ordinal,
            sent_at_ms,
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
        let head = |num| {
            let last = logs.get(num).and_then(|log| log.last());
            last.map_or_else(Head::default, |m| Head {
                seq: m.seq,
                ordinal: m.ordinal,
            })
        };
        Ok(channels.iter().map(head).collect())
    }

    async fn page(&self, channel: &Arc<ChannelRef>, page: Page) -> StoreResult<Vec<Message>> {
        let logs = self.logs.lock();
        let Some(log) = logs.get(&channel.num) else {
            return Ok(Vec::new());
        };
        let within = log
            .iter()
            .filter(|m| (page.from..=page.to).contains(&m.seq));
        let all: Vec<_> = within.cloned().collect();
        let limit = page.limit as usize;
        let skip = if page.newest {
            all.len().saturating_sub(limit)
        } else {
            0
        };
        Ok(all.into_iter().skip(skip).take(limit).collect())
    }

    async fn by_id(&self, id: MessageId) -> StoreResult<Option<Message>> {
        let logs = self.logs.lock();
        Ok(logs.values().flatten().find(|m| m.id == id).cloned())
    }
}
