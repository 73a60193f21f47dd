//! What was asked over HTTP, and how it was answered.

use hdrhistogram::Histogram;
use parking_lot::Mutex;

use super::histogram;

/// The answers to one kind of question, for all who ask.
#[derive(Debug)]
pub(crate) struct Asked {
    asking: Mutex<Asking>,
}

/// What came of so many questions.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    /// From asking, or from when it was due, to the whole answer.
    pub(crate) latency: Histogram<u64>,
    /// Bytes of all answers.
    pub(crate) bytes: u64,
    /// Questions without an answer, or refused.
    pub(crate) failed: u64,
    pub(crate) first_failure: Option<String>,
    /// Answers that said something wrong.
    pub(crate) wrong: u64,
    pub(crate) first_wrong: Option<String>,
}

impl Asked {
    pub(crate) fn new() -> Self {
        Self {
            asking: Mutex::new(Asking {
                latency: histogram(),
                bytes: 0,
                failed: 0,
                first_failure: None,
                wrong: 0,
                first_wrong: None,
            }),
        }
    }

    /// An answer of so many bytes came.
    pub(crate) fn answered(&self, took_ns: u64, bytes: usize) {
        let mut asking = self.asking.lock();
        asking.latency.saturating_record(took_ns);
        asking.bytes += bytes as u64;
    }

    /// No answer came, or a refusal.
    pub(crate) fn failed(&self, why: &anyhow::Error) {
        let mut asking = self.asking.lock();
        asking.failed += 1;
        asking
            .first_failure
            .get_or_insert_with(|| format!("{why:#}"));
    }

    /// An answer said something wrong.
    pub(crate) fn wrong(&self, why: &anyhow::Error) {
        let mut asking = self.asking.lock();
        asking.wrong += 1;
        asking.first_wrong.get_or_insert_with(|| format!("{why:#}"));
    }

    /// All of it so far.
    pub(crate) fn so_far(&self) -> Asking {
        self.asking.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_and_the_first_complaints_kept() {
        let asked = Asked::new();
        asked.answered(1_000_000, 10);
        asked.answered(3_000_000, 20);
        for why in ["one", "two"] {
            asked.failed(&anyhow::anyhow!("failed {why}"));
            asked.wrong(&anyhow::anyhow!("wrong {why}"));
        }
        let asking = asked.so_far();
        assert_eq!((asking.latency.len(), asking.bytes), (2, 30));
        assert_eq!((asking.failed, asking.wrong), (2, 2));
        assert_eq!(asking.first_failure.as_deref(), Some("failed one"));
        assert_eq!(asking.first_wrong.as_deref(), Some("wrong one"));
    }
}
