//! How far the log was handed out. Lanes dispatch independently of each other, while the
//! store's one writer gives ids across all of them; a device's range can only end at a
//! position up to which every lane has handed out what it had.
//!
//! Two things are published. `head` is the highest id that some lane has seen committed,
//! raised before that lane hands anything of the batch out. Each lane's `low` says that
//! everything of this lane up to it was handed out and that nothing at or below it will come
//! from this lane any more; it is `IDLE` while the lane has no append in flight. A lane that
//! is idle sets it to the head of that moment before it calls `append`, and after each batch
//! to the batch's last id.
//!
//! *Everything up to `dispatched()` was handed out.* Let `m` have an id at or below it. The
//! head was read first and is at or above `m`, so `m` got its id before the head's message
//! was committed, and the lane of `m` had lowered its `low` before it called `append` for
//! it: that happened before we read the head, and so before we read this lane's `low`. If we
//! read `IDLE`, the lane has handed out all that it had in flight since, `m` among it. If we
//! read less, it is at or above `m`, and so `m` was handed out.
//!
//! *What was handed out before a session was in the hub has an id at or below the `head()`
//! that is read after it is there*: the lane raised the head, then looked into the hub.
//!
//! Both need one writer whose ids rise with its commits. A store with several has to bring
//! positions of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::id::MessageId;

/// A lane without appends in flight holds nothing back.
const IDLE: i64 = i64::MAX;

/// See the module's words.
#[derive(Debug)]
pub struct Positions {
    head: AtomicI64,
    low: Box<[AtomicI64]>,
}

impl Positions {
    /// Positions of a node with `lanes` lanes, none of which has done anything. Everything
    /// that is stored is at or below `start`; everything to come is above it.
    #[must_use]
    pub fn new(lanes: usize, start: MessageId) -> Arc<Self> {
        Arc::new(Self {
            head: AtomicI64::new(start.0),
            low: (0..lanes).map(|_| AtomicI64::new(IDLE)).collect(),
        })
    }

    /// The highest position that is known to be committed: whoever reads the log now finds
    /// everything up to it.
    #[must_use]
    pub fn head(&self) -> MessageId {
        MessageId(self.head.load(Ordering::SeqCst))
    }

    /// A position up to which everything was put into mailboxes, or missed by them.
    #[must_use]
    pub fn dispatched(&self) -> MessageId {
        let head = self.head.load(Ordering::SeqCst);
        let lanes = self.low.iter().map(|low| low.load(Ordering::SeqCst));
        MessageId(lanes.fold(head, i64::min))
    }

    /// One lane's side of it.
    ///
    /// # Panics
    /// When there is no such lane.
    #[must_use]
    pub fn lane(self: &Arc<Self>, lane: usize) -> LanePosition {
        assert!(lane < self.low.len(), "a lane of this node");
        LanePosition {
            positions: Arc::clone(self),
            lane,
        }
    }
}

/// What one lane publishes.
#[derive(Debug)]
pub struct LanePosition {
    positions: Arc<Positions>,
    lane: usize,
}

impl LanePosition {
    /// An append follows.
    pub fn begin(&self) {
        // Only this lane writes it.
        if self.low().load(Ordering::SeqCst) == IDLE {
            let head = self.positions.head.load(Ordering::SeqCst);
            self.low().store(head, Ordering::SeqCst);
        }
    }

    /// A batch whose last id this is was committed and is about to be handed out.
    pub fn committed(&self, last: MessageId) {
        self.positions.head.fetch_max(last.0, Ordering::SeqCst);
    }

    /// A batch was handed out; `last` is its last id if anything of it was stored, `idle`
    /// says that nothing else of this lane is in flight.
    pub fn handed_out(&self, last: Option<MessageId>, idle: bool) {
        if idle {
            self.low().store(IDLE, Ordering::SeqCst);
        } else if let Some(last) = last {
            self.low().store(last.0, Ordering::SeqCst);
        }
    }

    fn low(&self) -> &AtomicI64 {
        &self.positions.low[self.lane]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_lane_that_waits_holds_the_position_back() {
        let positions = Positions::new(2, MessageId(100));
        let (fast, slow) = (positions.lane(0), positions.lane(1));
        assert_eq!(positions.dispatched(), MessageId(100));
        slow.begin();
        fast.begin();
        // The slow lane's message has got the id 101.
        fast.committed(MessageId(102));
        assert_eq!(positions.head(), MessageId(102));
        assert_eq!(positions.dispatched(), MessageId(100));
        fast.handed_out(Some(MessageId(102)), true);
        assert_eq!(positions.dispatched(), MessageId(100));
        // It was idle for long: what it held back is not what it did last.
        fast.begin();
        assert_eq!(positions.dispatched(), MessageId(100));
        slow.committed(MessageId(101));
        slow.handed_out(Some(MessageId(101)), true);
        assert_eq!(positions.dispatched(), MessageId(102));
        fast.handed_out(None, true);
        assert_eq!(positions.dispatched(), MessageId(102));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Append { lane: usize, count: i64 },
        Pass { lane: usize },
        Commit { batches: usize },
        Dispatch { lane: usize },
    }

    const LANES: usize = 3;

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..LANES, 0..4_i64).prop_map(|(lane, count)| Step::Append { lane, count }),
            (0..LANES).prop_map(|lane| Step::Pass { lane }),
            (1..4_usize).prop_map(|batches| Step::Commit { batches }),
            (0..LANES).prop_map(|lane| Step::Dispatch { lane }),
        ]
    }

    proptest! {
        /// One writer, lanes that append and dispatch at any time: nothing at or below the
        /// position is ever still to be handed out.
        #[test]
        fn nothing_below_the_position_is_still_to_come(
            steps in proptest::collection::vec(step(), 1..80)
        ) {
            let positions = Positions::new(LANES, MessageId(0));
            let lanes: Vec<LanePosition> = (0..LANES).map(|n| positions.lane(n)).collect();
            let mut writer: VecDeque<(usize, i64)> = VecDeque::new();
            let mut in_flight = [0; LANES];
            // Per lane, batches that are committed and wait for their dispatch.
            let mut committed: Vec<VecDeque<Vec<i64>>> = vec![VecDeque::new(); LANES];
            let mut next = 1;
            let mut handed_out = 0;
            for step in steps {
                match step {
                    Step::Append { lane, count } => {
                        lanes[lane].begin();
                        in_flight[lane] += 1;
                        writer.push_back((lane, count));
                    }
                    // A batch without anything to store is ready when its turn comes, which
                    // is after those before it.
                    Step::Pass { lane } => {
                        in_flight[lane] += 1;
                        writer.push_back((lane, 0));
                    }
                    Step::Commit { batches } => {
                        for _ in 0..batches {
                            let Some((lane, count)) = writer.pop_front() else { break };
                            committed[lane].push_back((next..next + count).collect());
                            next += count;
                        }
                    }
                    Step::Dispatch { lane } => {
                        let Some(batch) = committed[lane].pop_front() else { continue };
                        let last = batch.last().map(|id| MessageId(*id));
                        if let Some(last) = last {
                            lanes[lane].committed(last);
                            // Seen now, the position must not cover what is being handed out.
                            prop_assert!(positions.dispatched() < MessageId(batch[0]));
                        }
                        handed_out += batch.len();
                        in_flight[lane] -= 1;
                        lanes[lane].handed_out(last, in_flight[lane] == 0);
                    }
                }
                let waiting = committed.iter().flatten().flatten().min();
                let lowest = waiting.copied().unwrap_or(next);
                prop_assert!(positions.dispatched().0 < lowest);
            }
            if in_flight == [0; LANES] && handed_out > 0 {
                prop_assert_eq!(positions.dispatched(), positions.head());
            }
        }
    }
}
