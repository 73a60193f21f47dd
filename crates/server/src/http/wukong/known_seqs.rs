//! What a client has already: `last_msg_seqs` of a conversation sync, `id:type:seq` joined by
//! `|`, with ids as the client sees them.

use std::collections::HashMap;

use crosstalk_core::channel::ChannelKind;

/// The last seq that a client has, per channel.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct KnownSeqs(HashMap<(ChannelKind, String), u64>);

impl KnownSeqs {
    /// Reads the list. What cannot be read is left out: the client is told too much rather
    /// than too little.
    pub(super) fn parse(text: &str) -> Self {
        let mut known = HashMap::new();
        let mut id = String::new();
        for part in text.split('|') {
            // An id may have a bar of its own: what does not end like an entry begins one.
            id.push_str(part);
            match entry(&id) {
                Some((kind, name, seq)) => {
                    known.insert((kind, name.to_owned()), seq);
                    id.clear();
                }
                None if part.contains(':') => id.clear(),
                None => id.push('|'),
            }
        }
        Self(known)
    }

    /// The last seq that the client has of a channel, if it has the channel at all.
    pub(super) fn of(&self, kind: ChannelKind, id: &str) -> Option<u64> {
        self.0.get(&(kind, id.to_owned())).copied()
    }
}

fn entry(text: &str) -> Option<(ChannelKind, &str, u64)> {
    let mut fields = text.rsplitn(3, ':');
    let seq = fields.next()?.trim().parse().ok()?;
    let kind = fields.next()?.trim().parse().ok().map(ChannelKind)?;
    let id = fields.next()?.trim();
    (!id.is_empty()).then_some((kind, id, seq))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Vec<(u8, String, u64)> {
        let known = KnownSeqs::parse(text).0;
        let mut all: Vec<_> = known
            .into_iter()
            .map(|((kind, id), seq)| (kind.0, id, seq))
            .collect();
        all.sort();
        all
    }

    #[test]
    fn the_table_of_lists() {
        let one = |kind, id: &str, seq| (kind, id.to_owned(), seq);
        let cases = [
            ("", vec![]),
            ("|", vec![]),
            ("bob:1:7", vec![one(1, "bob", 7)]),
            ("bob:1:7|g1:2:9", vec![one(1, "bob", 7), one(2, "g1", 9)]),
            ("bob:1:0", vec![one(1, "bob", 0)]),
            ("v|cs:3:4", vec![one(3, "v|cs", 4)]),
            (
                "bob:1:7|v|cs:3:4|g1:2:9",
                vec![one(1, "bob", 7), one(2, "g1", 9), one(3, "v|cs", 4)],
            ),
            ("c@t:5:1", vec![one(5, "c@t", 1)]),
            ("bob:1:x|g1:2:9", vec![one(2, "g1", 9)]),
            ("bob:x:1|g1:2:9", vec![one(2, "g1", 9)]),
            ("bob:1:-1|g1:2:9", vec![one(2, "g1", 9)]),
            (":1:5", vec![]),
            ("bob:1:7|bob:1:8", vec![one(1, "bob", 8)]),
            ("bob:1:7|", vec![one(1, "bob", 7)]),
            ("张三:1:3", vec![one(1, "张三", 3)]),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_channel_that_is_not_listed_is_not_known() {
        let known = KnownSeqs::parse("bob:1:7");
        assert_eq!(known.of(ChannelKind::DIRECT, "bob"), Some(7));
        assert_eq!(known.of(ChannelKind::GROUP, "bob"), None);
        assert_eq!(known.of(ChannelKind::DIRECT, "alice"), None);
    }
}
