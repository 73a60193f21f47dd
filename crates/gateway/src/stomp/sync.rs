//! `/app/chat.sync`: what the user was not given, oldest first, on the personal queue
//! (stomp.md Q2-23, Q2-24). New messages wait until it ends.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crosstalk_core::change::Change;
use crosstalk_core::delivered::Pulled;
use crosstalk_core::id::MessageId;
use crosstalk_core::message::Message;
use crosstalk_wire::stomp::im::{ChatSync, Code, QueueError, SyncEnd};

use super::deliver::Via;
use super::live::Live;
use super::personal::{Kept, Route};
use super::requests::Done;
use super::subscriptions::Queue;
use crate::protocol::{Ask, Out, Turn};

/// A sync that is under way.
pub(super) struct Sync {
    pub(super) done: Done,
    /// Nothing older, ms since 1970.
    since_ms: Option<i64>,
    /// Messages that may still be given.
    left: u64,
    given: u64,
    last: Option<MessageId>,
    /// Messages that were shown as revoked: that they were is no news any more.
    tombstones: HashSet<MessageId>,
    /// Messages that were shown edited, and how often they were by then.
    edits: HashMap<MessageId, u32>,
    /// What an earlier sync, or the implicit subscription, has given and the client does not
    /// have for good; ascending by id.
    kept: VecDeque<Kept>,
}

impl Sync {
    pub(super) fn new(sync: &ChatSync, done: Done) -> Box<Self> {
        Box::new(Self {
            done,
            since_ms: sync.since,
            left: sync.limit,
            given: 0,
            last: None,
            tombstones: HashSet::new(),
            edits: HashMap::new(),
            kept: VecDeque::new(),
        })
    }
}

impl Live {
    pub(super) fn begin_sync(&mut self, mut sync: Box<Sync>, turn: &mut Turn) {
        if self.personal_route() == Route::Nowhere {
            let error = QueueError {
                code: Code::BadRequest,
                message: "Not subscribed",
                destination: Some(Queue::Messages.destination()),
            };
            self.error(&error, &mut turn.out);
            return self.done_without(sync.done.number, &mut turn.out);
        }
        let mut kept = std::mem::take(&mut self.kept);
        kept.make_contiguous().sort_by_key(|kept| kept.message.id);
        sync.kept = kept;
        self.pull(sync, turn);
    }

    /// Asks for the next page, or ends.
    fn pull(&mut self, sync: Box<Sync>, turn: &mut Turn) {
        let limit = self.left(&sync);
        if limit == 0 {
            return self.end_sync(*sync, true, turn);
        }
        self.sync_on(Ask::Pull { limit }, sync, turn);
    }

    /// How many more may be given.
    fn left(&self, sync: &Sync) -> u32 {
        let room = u64::try_from(self.outbox.room()).unwrap_or(u64::MAX);
        u32::try_from(sync.left.min(room)).unwrap_or(u32::MAX)
    }

    pub(super) fn pulled(&mut self, mut sync: Box<Sync>, pulled: Pulled, turn: &mut Turn) {
        for message in pulled.messages {
            self.sync_kept(&mut sync, Some(message.id), turn);
            self.sync_one(&mut sync, Arc::new(message), turn);
        }
        if pulled.more {
            return self.pull(sync, turn);
        }
        self.sync_kept(&mut sync, None, turn);
        self.end_sync(*sync, false, turn);
    }

    /// Gives again what was kept, as far as it is older than a message.
    fn sync_kept(&mut self, sync: &mut Sync, before: Option<MessageId>, turn: &mut Turn) {
        while self.left(sync) > 0
            && let Some(next) = sync.kept.front()
            && before.is_none_or(|before| next.message.id < before)
            && let Some(next) = sync.kept.pop_front()
        {
            self.sync_one(sync, next.message, turn);
        }
    }

    fn sync_one(&mut self, sync: &mut Sync, message: Arc<Message>, turn: &mut Turn) {
        let is_old = sync
            .since_ms
            .is_some_and(|since| message.sent_at_ms < since);
        if is_old {
            // It stays what was not given, but is not wanted in this session.
            return;
        }
        let is_shown = match Change::of(&message) {
            Some(Change::Revoked { message, .. } | Change::Deleted { message, .. }) => {
                !sync.tombstones.contains(&message.id)
            }
            Some(Change::Expired { messages, .. }) => messages
                .iter()
                .any(|message| !sync.tombstones.contains(&message.id)),
            // What was given with its edit is not given again for it.
            Some(Change::Edited {
                message, n, body, ..
            }) => {
                // Of what is gone nothing is shown.
                !body.payload.is_empty()
                    && sync.edits.get(&message.id).is_none_or(|given| *given < n)
            }
            // Other things of the time away are read by REST.
            Some(_) => false,
            None => !message.is_concealed && !message.body.flags.command,
        };
        if !is_shown {
            return self.had.push(message);
        }
        if message.revoked.is_some() {
            sync.tombstones.insert(message.id);
        }
        if let Some(edited) = &message.edited {
            sync.edits.insert(message.id, edited.n);
        }
        sync.left = sync.left.saturating_sub(1);
        sync.last = Some(message.id);
        let before = turn.out.frames();
        self.give_via(message, Via::Personal, turn);
        // What came of it: one that tells of several is several.
        let given = turn.out.frames().saturating_sub(before);
        sync.given += u64::try_from(given).unwrap_or(u64::MAX);
    }

    /// Ends a sync that cannot go on; what was kept is kept.
    pub(super) fn give_up_sync(&mut self, mut sync: Sync, out: &mut Out) {
        self.kept.append(&mut sync.kept);
        self.done_without(sync.done.number, out);
    }

    fn end_sync(&mut self, mut sync: Sync, more: bool, turn: &mut Turn) {
        let has_more = more || !sync.kept.is_empty();
        // What was kept before is older than what was kept now only in part.
        self.kept.append(&mut sync.kept);
        let cursor = sync.last.map(|id| id.to_string());
        let end = SyncEnd {
            count: sync.given,
            has_more,
            cursor: cursor.as_deref(),
        };
        self.tell(Queue::Sync, &end, &mut turn.out);
        self.done(sync.done, &mut turn.out);
    }
}
