//! How users keep their conversations: pinned, muted, marked, with a draft, put away.

use std::sync::Arc;

use super::ConversationRow;
use crate::change::ConversationView;

/// The longest draft, in bytes.
pub const MAX_DRAFT_BYTES: usize = 4096;

/// How a user keeps a conversation, beside what is read and what is hidden.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// No notifications until, ms since 1970; 0 = not muted, `i64::MAX` = for good.
    pub muted_until_ms: i64,
    /// Marked by the user, for example as unread. Reading takes the mark away.
    pub marked: bool,
    /// What was begun to be written there; empty = nothing.
    pub draft: Arc<str>,
    /// When that was last changed, ms since 1970; 0 = never.
    pub draft_at_ms: i64,
    /// Where the user's screen stood.
    pub screen: Screen,
    /// Grows over all conversations of the user with each change of these; 0 = none yet.
    pub version: i64,
}

impl Kept {
    /// Whether there are to be no notifications at a time.
    #[must_use]
    pub fn is_muted(&self, now_ms: i64) -> bool {
        self.muted_until_ms > now_ms
    }
}

/// Where a user's screen stood when they left a conversation, so that another device can show
/// the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Screen {
    /// The newest message that was ever shown there, by its seq; 0 = none.
    pub browsed_to: u64,
    /// The message at the top, by its seq; 0 = it stood at the newest.
    pub top_seq: u64,
    /// How far that message stood from the screen's edge, in the client's own unit.
    pub top_offset: i64,
}

/// A wish to keep a conversation otherwise. What is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keep {
    /// Pinned now, or no longer. What is pinned already keeps its time.
    pub pinned: Option<bool>,
    /// [`Kept::muted_until_ms`].
    pub muted_until_ms: Option<i64>,
    /// [`Kept::marked`].
    pub marked: Option<bool>,
    /// [`Kept::draft`].
    pub draft: Option<Arc<str>>,
    /// [`Kept::screen`].
    pub screen: Option<Screen>,
    /// Hidden until somebody speaks, or shown again.
    pub hidden: Option<bool>,
    /// For this user the history begins after this seq, or after the head if that is less;
    /// up to there all is read. It never begins earlier than before.
    pub cleared_to: Option<u64>,
    /// All is read.
    pub read: bool,
}

impl Keep {
    /// Puts a conversation away, with what was begun to be written there, its mark and, if
    /// wished, its history.
    #[must_use]
    pub fn delete(with_history: bool) -> Self {
        Self {
            hidden: Some(true),
            marked: Some(false),
            draft: Some("".into()),
            cleared_to: with_history.then_some(u64::MAX),
            ..Self::default()
        }
    }
}

/// What became of a [`Keep`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepOutcome {
    /// The conversation as it is now.
    pub row: ConversationRow,
    /// False = it was like that before, and nothing was written.
    pub is_changed: bool,
}

impl ConversationRow {
    /// What the user's devices are told of it.
    #[must_use]
    pub fn view(&self) -> ConversationView {
        let hidden = self.is_hidden();
        ConversationView {
            pinned_at_ms: self.pinned_at_ms,
            muted_until_ms: self.kept.muted_until_ms,
            marked: self.kept.marked,
            draft: self.kept.draft.to_string(),
            hidden,
            deleted: hidden && self.head_seq > 0 && self.begins_after >= self.head_seq,
            begins_after: self.begins_after,
            read_seq: self.read_seq,
            unread: self.unread(),
            mentions: None,
        }
    }

    /// When it last changed, ms since 1970: what was said, or how it is kept.
    #[must_use]
    pub fn updated_at_ms(&self) -> i64 {
        let said = self.head.map_or(0, |(_, at_ms)| at_ms);
        said.max(self.version)
    }
}
