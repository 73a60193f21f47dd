//! How much of everything there may be, and what was done and left out.

use std::sync::atomic::{AtomicU64, Ordering};

/// How much there may be. What is beyond is refused, or left out and counted.
#[derive(Debug, Clone, Copy)]
pub struct TopicLimits {
    /// Messages of guarantee 1 and 2 that wait for one subscriber, at most 30,000; new ones
    /// beyond are left out.
    pub queue_items: u32,
    /// Their bytes.
    pub queue_bytes: usize,
    /// Messages without a guarantee that wait for one connection; new ones beyond are left out.
    pub outbox_items: usize,
    /// Their bytes.
    pub outbox_bytes: usize,
    /// Of a durable queue, messages that are in memory while its subscriber is connected.
    pub window_items: u32,
    /// Their bytes; one message may always be.
    pub window_bytes: usize,
    /// Subscriptions of one subscriber; further ones are refused.
    pub subscriptions: usize,
    /// The bytes of all of their filters together, likewise.
    pub subscription_bytes: usize,
    /// Subscribers of one user; for a further one, the one that was away longest is ended, and
    /// if all are connected it is refused.
    pub subscribers_per_user: usize,
    /// Retained messages of one realm; further topics are refused.
    pub retained_items: usize,
    /// Their bytes.
    pub retained_bytes: usize,
    /// Numbers of publications that one subscriber may have unreleased.
    pub received: usize,
}

impl Default for TopicLimits {
    fn default() -> Self {
        Self {
            queue_items: 10_000,
            queue_bytes: 16 << 20,
            outbox_items: 1024,
            outbox_bytes: 4 << 20,
            window_items: 512,
            window_bytes: 1 << 20,
            subscriptions: 1_000,
            subscription_bytes: 256 << 10,
            subscribers_per_user: 64,
            retained_items: 100_000,
            retained_bytes: 64 << 20,
            received: 65_535,
        }
    }
}

/// What was done since the start.
#[derive(Debug, Default)]
pub struct TopicCounters {
    /// Publications that were accepted, wills included.
    pub published: AtomicU64,
    /// Messages that were put into queues and outboxes.
    pub queued: AtomicU64,
    /// Messages with a guarantee that were left out because a queue was full.
    pub dropped_full: AtomicU64,
    /// Messages without a guarantee that were left out because a connection is slow.
    pub dropped_slow: AtomicU64,
    /// Messages that expired in a queue.
    pub expired: AtomicU64,
    /// Wills that were published.
    pub wills: AtomicU64,
    /// Sessions that ended because nobody came back in time.
    pub sessions_expired: AtomicU64,
    /// Subscribers that are known now, connected or not.
    pub subscribers: AtomicU64,
    /// Retained messages that are kept now.
    pub retained: AtomicU64,
}

pub(super) fn add(counter: &AtomicU64, n: usize) {
    counter.fetch_add(n as u64, Ordering::Relaxed);
}
