//! The one formula of unread (data-model.md §2).

use super::ConversationRow;
use crate::channel::ChannelKind;

impl ConversationRow {
    /// How many messages this user has not seen, as their badge says.
    #[must_use]
    pub fn unread(&self) -> u64 {
        let counted = self.head_ordinal.saturating_sub(self.badge_ordinal);
        counted.saturating_sub(self.uncounted) + self.directed
    }

    /// True while the user has put it away and nothing newer was said, and of a direct channel
    /// in which nothing was ever said, though something may have changed, unless the user has
    /// begun to write there or has pinned it.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        let is_wanted = self.pinned_at_ms > 0 || !self.kept.draft.is_empty();
        let is_blank =
            self.head_seq == 0 && self.channel.key.kind == ChannelKind::DIRECT && !is_wanted;
        is_blank || self.hidden_seq.is_some_and(|seq| self.head_seq <= seq)
    }
}
