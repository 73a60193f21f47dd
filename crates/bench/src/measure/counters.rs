//! What the server counts itself, from `/metrics` in the text format of
//! OpenMetrics.

use std::collections::BTreeMap;

/// Where they are.
pub(crate) const PATH: &str = "/metrics";
/// What our names begin with.
const PREFIX: &str = "crosstalk_";
/// What OpenMetrics ends the names of counters with.
const SUFFIX: &str = "_total";

/// The server's counters without labels, without prefix and suffix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counters(BTreeMap<String, u64>);

impl Counters {
    /// Reads the text; other lines are left out.
    pub(crate) fn parse(text: &str) -> Self {
        let counters = text.lines().filter_map(|line| {
            let (name, value) = line.split_once(' ')?;
            let name = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
            Some((name.to_owned(), value.trim().parse().ok()?))
        });
        Self(counters.collect())
    }

    /// What was counted since `before`.
    pub(crate) fn since(&self, before: &Self) -> BTreeMap<String, u64> {
        let grown = self.0.iter().map(|(name, now)| {
            let then = before.0.get(name).copied().unwrap_or(0);
            (name.clone(), now.saturating_sub(then))
        });
        grown.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_counters_of_ours_are_read() {
        let text = "# TYPE crosstalk_store_commits counter\ncrosstalk_store_commits_total 12\n\
                    crosstalk_sessions 3\nprocess_x_total 4\n\
                    crosstalk_http_requests_total{route=\"/\"} 5\n\
                    crosstalk_messages_stored_total 7\n# EOF\n";
        let now = Counters::parse(text);
        let before = Counters::parse("crosstalk_store_commits_total 10\n");
        let expected = [("messages_stored", 7), ("store_commits", 2)];
        let expected = expected.map(|(name, count)| (name.to_owned(), count));
        assert_eq!(now.since(&before), BTreeMap::from(expected));
        assert_eq!(Counters::parse("nonsense").since(&now), BTreeMap::new());
    }
}
