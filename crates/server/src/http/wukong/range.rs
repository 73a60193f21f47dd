//! Which stretch of a channel `/channel/messagesync` asks for (protocols/wukong.md §4.5).

use crosstalk_core::im::HistoryQuery;

/// Messages in an answer, if the caller does not say.
const DEFAULT_LIMIT: u32 = 30;
/// Messages in an answer at most.
const MAX_LIMIT: u32 = 10_000;
/// Above every seq.
const END: u64 = i64::MAX.unsigned_abs();

/// The question as it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// Where to start; belongs to the stretch.
    pub(super) start: u64,
    /// Where to stop; does not belong to the stretch. 0 = nowhere.
    pub(super) end: u64,
    /// How many at most.
    pub(super) limit: u32,
    /// Towards newer messages, not older ones.
    pub(super) is_up: bool,
}

impl Range {
    /// The question with its limit made sensible.
    pub(super) fn new(start: u64, end: u64, limit: u64, is_up: bool) -> Self {
        let limit = match u32::try_from(limit) {
            Ok(0) => DEFAULT_LIMIT,
            Ok(limit) => limit.min(MAX_LIMIT),
            Err(_) => MAX_LIMIT,
        };
        Self {
            start,
            end,
            limit,
            is_up,
        }
    }

    /// What to read; `None` when the stretch is empty.
    pub(super) fn query(self) -> Option<HistoryQuery> {
        let Self {
            start,
            end,
            limit,
            is_up,
        } = self;
        let (from, to, newest) = match (start, end, is_up) {
            (0, 0, _) => (1, END, true),
            (_, 0, true) => (start, END, false),
            (_, _, true) => (start, end - 1, false),
            (_, _, false) => (end.checked_add(1)?, start, true),
        };
        let query = HistoryQuery {
            from: from.max(1),
            to: to.min(END),
            limit,
            newest,
        };
        (query.from <= query.to).then_some(query)
    }

    /// Whether to ask again: the answer is full, and its last message in the direction of
    /// reading is not the end itself.
    pub(super) fn has_more(self, seqs: &[u64]) -> bool {
        let boundary = if self.is_up {
            seqs.last()
        } else {
            seqs.first()
        };
        let is_full = u32::try_from(seqs.len()).is_ok_and(|count| count >= self.limit);
        is_full && boundary != Some(&self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a channel with seqs 1 to `head` answers.
    fn answer(head: u64, start: u64, end: u64, limit: u64, is_up: bool) -> Vec<u64> {
        let Some(query) = Range::new(start, end, limit, is_up).query() else {
            return Vec::new();
        };
        let all: Vec<u64> = (query.from..=query.to.min(head)).collect();
        let count = all.len().min(query.limit as usize);
        if query.newest {
            all[all.len() - count..].to_vec()
        } else {
            all[..count].to_vec()
        }
    }

    fn seqs(from: u64, to: u64) -> Vec<u64> {
        (from..=to).collect()
    }

    #[test]
    fn the_table_of_ranges() {
        let (down, up) = (false, true);
        let none = Vec::new();
        let cases = [
            // The newest, in both modes.
            (100, 0, 0, 20, down, seqs(81, 100)),
            (100, 0, 0, 20, up, seqs(81, 100)),
            (5, 0, 0, 20, down, seqs(1, 5)),
            (0, 0, 0, 20, down, none.clone()),
            // Down: from start, included, towards end, excluded; the newest of it.
            (100, 80, 60, 100, down, seqs(61, 80)),
            (100, 80, 60, 20, down, seqs(61, 80)),
            (100, 80, 60, 5, down, seqs(76, 80)),
            (100, 80, 0, 20, down, seqs(61, 80)),
            (100, 10, 0, 20, down, seqs(1, 10)),
            (100, 120, 90, 50, down, seqs(91, 100)),
            (100, 60, 80, 20, down, none.clone()),
            (100, 80, 80, 20, down, none.clone()),
            (100, 0, 80, 20, down, none.clone()),
            (100, 1, 0, 20, down, seqs(1, 1)),
            // Up: from start, included, towards end, excluded; the oldest of it.
            (100, 60, 80, 100, up, seqs(60, 79)),
            (100, 60, 80, 5, up, seqs(60, 64)),
            (100, 60, 0, 5, up, seqs(60, 64)),
            (100, 98, 0, 20, up, seqs(98, 100)),
            (100, 101, 0, 20, up, none.clone()),
            (100, 80, 60, 20, up, none.clone()),
            (100, 80, 80, 20, up, none.clone()),
            (100, 0, 5, 20, up, seqs(1, 4)),
            (100, 0, 1, 20, up, none.clone()),
            // A limit of nothing is no limit of ours.
            (100, 0, 0, 0, down, seqs(71, 100)),
            (100, 1, 0, 0, up, seqs(1, 30)),
            // Numbers beyond every channel.
            (100, u64::MAX, 0, 5, down, seqs(96, 100)),
            (100, u64::MAX, 0, 5, up, none.clone()),
            (100, 5, u64::MAX, 5, up, seqs(5, 9)),
            (100, u64::MAX, u64::MAX, 5, down, none),
        ];
        for (head, start, end, limit, is_up, expected) in cases {
            let case = format!("head {head}, {start}..{end}, limit {limit}, up {is_up}");
            assert_eq!(answer(head, start, end, limit, is_up), expected, "{case}");
        }
        assert_eq!(Range::new(0, 0, 1 << 40, false).limit, MAX_LIMIT);
    }

    #[test]
    fn more_is_a_full_answer_that_has_not_reached_the_end() {
        let more = |start, end, limit, is_up, seqs: &[u64]| {
            Range::new(start, end, limit, is_up).has_more(seqs)
        };
        assert!(more(0, 0, 2, false, &[9, 10]));
        assert!(!more(0, 0, 3, false, &[9, 10]));
        assert!(!more(0, 0, 3, false, &[]));
        assert!(more(10, 5, 2, false, &[9, 10]));
        assert!(!more(10, 9, 2, false, &[9, 10]));
        assert!(!more(9, 10, 2, true, &[9, 10]));
        assert!(more(9, 20, 2, true, &[9, 10]));
    }
}
