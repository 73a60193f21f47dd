//! The one formula of unread (data-model.md §2).

use super::ConversationRow;

impl ConversationRow {
    /// How many messages this user has not seen, as their badge says.
    #[must_use]
    pub fn unread(&self) -> u64 {
        let counted = self.head_ordinal.saturating_sub(self.badge_ordinal);
        counted.saturating_sub(self.uncounted) + self.directed
    }

    /// True while the user has put it away and nothing newer was said.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.head_seq <= self.hidden_seq && self.hidden_seq > 0
    }
}
