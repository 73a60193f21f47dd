//! When a client sends: as soon as there is room in its window, or by the clock.

use crate::clock::SECOND_NS;

/// How long a sender with a window waits after a refusal. Without it a refused
/// sender would do nothing but be refused.
const PAUSE_AFTER_REFUSAL_NS: u64 = SECOND_NS / 10;

/// How many messages a sender by the clock has under way at most. What is due
/// beyond that waits, and its latency counts from when it was due.
const MAX_UNDER_WAY: u64 = 10_000;

/// When the next message goes out.
#[derive(Debug, Clone)]
pub(crate) enum Pace {
    /// Closed loop: so many under way, and no more before an answer comes.
    Window { size: u64, paused_until_ns: u64 },
    /// Open loop: one at each of these times.
    Schedule {
        next_ns: u64,
        interval_ns: u64,
        rest: u64,
        rest_step: (u64, u64),
    },
}

/// What a sender may do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Send a message that was due at this time.
    Send { due_ns: u64 },
    /// Nothing before this time.
    At(u64),
    /// Nothing before an answer comes.
    AfterAnswer,
}

impl Pace {
    /// A window that opens at this time.
    pub(crate) fn window(start_ns: u64, size: u32) -> Self {
        Self::Window {
            size: size.into(),
            paused_until_ns: start_ns,
        }
    }

    /// The schedule of sender `index` of `senders` that make `rate` messages
    /// per second together, evenly spread.
    pub(crate) fn schedule(start_ns: u64, rate: u64, index: u64, senders: u64) -> Self {
        let round_ns = senders * SECOND_NS;
        Self::Schedule {
            next_ns: start_ns + index * SECOND_NS / rate,
            interval_ns: round_ns / rate,
            rest: 0,
            rest_step: (round_ns % rate, rate),
        }
    }

    /// What may be done with so many messages under way.
    pub(crate) fn next(&self, now_ns: u64, under_way: u64) -> Next {
        match *self {
            Self::Window {
                paused_until_ns, ..
            } if now_ns < paused_until_ns => Next::At(paused_until_ns),
            Self::Window { size, .. } if under_way < size => Next::Send { due_ns: now_ns },
            Self::Window { .. } => Next::AfterAnswer,
            Self::Schedule { next_ns, .. } if now_ns < next_ns => Next::At(next_ns),
            Self::Schedule { .. } if under_way >= MAX_UNDER_WAY => Next::AfterAnswer,
            Self::Schedule { next_ns, .. } => Next::Send { due_ns: next_ns },
        }
    }

    /// A message went out.
    pub(crate) fn sent(&mut self) {
        if let Self::Schedule {
            next_ns,
            interval_ns,
            rest,
            rest_step: (step, rate),
        } = self
        {
            // The fraction of a nanosecond is carried on, so that no rate drifts.
            *rest += *step;
            *next_ns += *interval_ns + *rest / *rate;
            *rest %= *rate;
        }
    }

    /// A message was refused.
    pub(crate) fn refused(&mut self, now_ns: u64) {
        if let Self::Window {
            paused_until_ns, ..
        } = self
        {
            *paused_until_ns = now_ns + PAUSE_AFTER_REFUSAL_NS;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_fills_and_refills() {
        let mut pace = Pace::window(3, 2);
        assert_eq!(pace.next(2, 0), Next::At(3));
        assert_eq!(pace.next(5, 1), Next::Send { due_ns: 5 });
        assert_eq!(pace.next(5, 2), Next::AfterAnswer);
        pace.refused(5);
        assert_eq!(pace.next(5, 0), Next::At(5 + PAUSE_AFTER_REFUSAL_NS));
        assert_eq!(
            pace.next(5 + PAUSE_AFTER_REFUSAL_NS, 0),
            Next::Send {
                due_ns: 5 + PAUSE_AFTER_REFUSAL_NS
            }
        );
    }

    #[test]
    fn a_late_schedule_keeps_its_times() {
        let mut pace = Pace::schedule(100, 1_000_000, 0, 1);
        assert_eq!(pace.next(99, 0), Next::At(100));
        for due_ns in [100, 1_100, 2_100] {
            assert_eq!(pace.next(2_100, 0), Next::Send { due_ns });
            pace.sent();
        }
        assert_eq!(pace.next(2_100, 0), Next::At(3_100));
        assert_eq!(pace.next(9_999, MAX_UNDER_WAY), Next::AfterAnswer);
    }

    #[test]
    fn senders_share_a_rate_exactly() {
        // 7 messages per second of 3 senders, for 3,000 s.
        let (rate, senders) = (7, 3);
        let mut due = Vec::new();
        for index in 0..senders {
            let mut pace = Pace::schedule(0, rate, index, senders);
            while let Next::Send { due_ns } = pace.next(3_000 * SECOND_NS - 1, 0) {
                due.push(due_ns);
                pace.sent();
            }
        }
        assert_eq!(due.len() as u64, 3_000 * rate);
        due.sort_unstable();
        let gaps: Vec<u64> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let even = SECOND_NS / rate;
        assert!(
            gaps.iter().all(|gap| gap.abs_diff(even) <= 2),
            "{:?}",
            gaps.iter().max()
        );
    }
}
