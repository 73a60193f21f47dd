//! How much may stand in messages that were forwarded together: each of them may be such a
//! message again, and some dialects write one within the other as text in text.

use super::{Content, MergedItem};

/// How deep messages that were forwarded together may stand in one another.
pub const MAX_MERGED_DEPTH: usize = 3;
/// How many messages there may be in one that was forwarded together, at all depths.
pub const MAX_MERGED_ITEMS: usize = 1000;

impl Content {
    /// How deep messages that were forwarded together stand in one another; 0 = it is none.
    #[must_use]
    pub fn merged_depth(&self) -> usize {
        match self {
            Self::Merged { items, .. } => {
                let inner = items.iter().map(|item| item.content.merged_depth());
                1 + inner.max().unwrap_or(0)
            }
            _ => 0,
        }
    }

    /// How many messages stand in it, at all depths.
    #[must_use]
    pub fn merged_items(&self) -> usize {
        match self {
            Self::Merged { items, .. } => {
                let inner = items.iter().map(|item| item.content.merged_items());
                items.len() + inner.sum::<usize>()
            }
            _ => 0,
        }
    }

    /// Whether it is within [`MAX_MERGED_DEPTH`] and [`MAX_MERGED_ITEMS`].
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.merged_depth() <= MAX_MERGED_DEPTH && self.merged_items() <= MAX_MERGED_ITEMS
    }

    /// The same within these bounds: what stands deeper is named and not shown, and of too many
    /// the first are left.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        if !self.is_bounded() {
            let mut room = MAX_MERGED_ITEMS;
            self.cut(MAX_MERGED_DEPTH, &mut room);
        }
        self
    }

    fn cut(&mut self, depth: usize, room: &mut usize) {
        let Self::Merged { title, items } = self else {
            return;
        };
        if depth == 0 {
            *self = Self::text(named(title));
            return;
        }
        items.truncate(*room);
        *room -= items.len();
        for MergedItem { content, .. } in items {
            content.cut(depth - 1, room);
        }
    }
}

/// What stands for messages that were forwarded together.
pub(super) fn named(title: &str) -> String {
    format!("[聊天记录] {title}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(content: Content) -> MergedItem {
        MergedItem {
            from: "bob".into(),
            name: "Bob".into(),
            sent_at: 1,
            content,
        }
    }

    fn merged(items: Vec<MergedItem>) -> Content {
        Content::Merged {
            title: "t".into(),
            items,
        }
    }

    #[test]
    fn what_is_too_deep_or_too_much_is_cut() {
        let deep = |n| (0..n).fold(Content::text("x"), |inner, _| merged(vec![item(inner)]));
        for n in 0..=MAX_MERGED_DEPTH {
            assert!(deep(n).is_bounded());
            assert_eq!(deep(n).bounded(), deep(n));
        }
        let cut = deep(40).bounded();
        assert_eq!(cut.merged_depth(), MAX_MERGED_DEPTH);
        assert!(cut.all_words().contains("[聊天记录] t"));
        let many = merged(vec![item(Content::text("x")); MAX_MERGED_ITEMS + 1]);
        assert!(!many.is_bounded());
        assert_eq!(many.bounded().merged_items(), MAX_MERGED_ITEMS);
        let wide = merged(vec![item(merged(vec![item(Content::text("x")); 60])); 60]);
        assert!(!wide.is_bounded());
        assert_eq!(wide.bounded().merged_items(), MAX_MERGED_ITEMS);
    }
}
