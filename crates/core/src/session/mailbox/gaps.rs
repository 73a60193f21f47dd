//! What a session missed because its mailbox was full: one stretch per log, read back when
//! the mailbox has drained.

use std::sync::Arc;

use super::{Event, Inner, Mailbox};
use crate::channel::ChannelRef;
use crate::id::ChannelNum;
use crate::message::Message;

/// Messages of a gap that are read at first, and again after large ones: in the worst case
/// they are as large as messages may be.
const FIRST_PAGE: u32 = 8;
/// Messages of a gap that are read at once at most.
const LARGEST_PAGE: u32 = 256;
/// A page below this size makes the next one larger.
const SMALL_PAGE_BYTES: usize = 256 << 10;
/// Own messages of a session that are remembered in one gap; further ones are given to it.
const OWN_KEPT: usize = 4096;

/// The stretch of a channel's log that a session was not given.
#[derive(Debug, Clone)]
pub(crate) struct Gap {
    pub(crate) channel: Arc<ChannelRef>,
    /// The first seq to read.
    pub(crate) next: u64,
    /// The last seq that was missed.
    pub(crate) last: u64,
    /// Seqs inside that this session sent itself.
    own: Vec<u64>,
    /// How many messages to read at once: more while they are small.
    pub(crate) page: u32,
}

impl Gap {
    /// A message alone was missed.
    pub(super) fn of(message: &Message) -> Self {
        Self {
            channel: Arc::clone(&message.channel),
            next: message.seq,
            last: message.seq,
            own: Vec::new(),
            page: FIRST_PAGE,
        }
    }

    pub(super) fn note_own(&mut self, seq: u64) {
        if self.own.len() < OWN_KEPT {
            self.own.push(seq);
        }
    }
}

impl Mailbox {
    /// One gap to read back, if there is one and the mailbox has room.
    pub(crate) fn next_gap(&self) -> Option<Gap> {
        let inner = self.inner.lock();
        if inner.closed || inner.events.len() > self.limits.items / 2 {
            return None;
        }
        let mut gap = inner.gaps.values().next().cloned()?;
        let room = self.limits.items.saturating_sub(inner.events.len());
        gap.page = gap.page.min(u32::try_from(room).unwrap_or(u32::MAX)).max(1);
        Some(gap)
    }

    /// Forgets what was missed in a log: the session may not see it any more.
    pub(crate) fn forget_gap(&self, channel: ChannelNum) {
        let mut inner = self.inner.lock();
        inner.gaps.remove(&channel);
        inner.after_gap();
    }

    /// Puts what was read back for a gap behind what waits, and moves the gap's start to
    /// `next`. Nothing happens if the gap is no longer the one that was read for.
    pub(crate) fn fill_gap(&self, read: &Gap, mut messages: Vec<Message>, mut next: u64) {
        let mut inner = self.inner.lock();
        let channel = read.channel.num;
        let room = self.limits.bytes.saturating_sub(inner.bytes);
        let fitting = fitting(&messages, room).max(1);
        if let Some(first_left) = messages.get(fitting) {
            // The rest is read again when there is room.
            next = first_left.seq;
            messages.truncate(fitting);
        }
        let Some(gap) = inner.gaps.get_mut(&channel) else {
            return;
        };
        if gap.next != read.next {
            return;
        }
        let own = std::mem::take(&mut gap.own);
        gap.next = next;
        let bytes: usize = messages.iter().map(Message::weight).sum();
        gap.page = if bytes < SMALL_PAGE_BYTES {
            (gap.page * 2).min(LARGEST_PAGE)
        } else {
            FIRST_PAGE
        };
        if gap.next > gap.last {
            inner.gaps.remove(&channel);
        } else {
            gap.own = own.iter().copied().filter(|seq| *seq >= next).collect();
        }
        for message in messages {
            if !own.contains(&message.seq) && !inner.record.came_before(&message) {
                inner.queue(Event::Message(Arc::new(message)));
            }
        }
        inner.after_gap();
        drop(inner);
        self.wake.notify_one();
    }
}

/// How many of these, from the first on, fit into so many bytes.
fn fitting(messages: &[Message], room: usize) -> usize {
    let mut bytes = 0;
    let fits = |message: &&Message| {
        bytes += message.weight();
        bytes <= room
    };
    messages.iter().take_while(fits).count()
}

impl Inner {
    /// With the last gap the session is no longer behind: it has got, or has waiting,
    /// everything that was handed out.
    fn after_gap(&mut self) {
        if self.gaps.is_empty() {
            self.record.nothing_missed();
        }
    }
}
