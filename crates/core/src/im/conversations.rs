//! A user's conversations.

use super::Im;
use crate::channel::{ChannelKey, LogKind};
use crate::conversation::{ConversationChange, ConversationRow};
use crate::id::UserRef;
use crate::refusal::Refusal;

impl Im {
    /// A user's conversations, pinned ones first, then by the newest message. Hidden ones
    /// and kinds that have no conversations are left out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn conversations(&self, user: &UserRef) -> Result<Vec<ConversationRow>, Refusal> {
        let mut rows = self.stores.inbox.conversations(user.num).await?;
        rows.retain(|row| row.channel.key.kind.has_conversations() && !row.is_hidden());
        let newest = |row: &ConversationRow| row.head.map_or(0, |(id, _)| id.0);
        rows.sort_by_key(|row| std::cmp::Reverse((row.pinned_at_ms, newest(row))));
        Ok(rows)
    }

    /// Changes a user's view of a channel.
    ///
    /// # Errors
    /// `NotAMember` if the user has nothing to do with the channel, `NoSuchChannel` if it
    /// does not exist, or when the store fails.
    pub async fn change_conversation(
        &self,
        user: &UserRef,
        key: &ChannelKey,
        change: ConversationChange,
    ) -> Result<ConversationRow, Refusal> {
        let channel = self.stores.channels.open(key, LogKind::Chat, false).await?;
        let channel = channel.ok_or(Refusal::NoSuchChannel)?;
        let changed = self
            .stores
            .inbox
            .change(user.num, channel.num, change)
            .await?;
        changed.ok_or(Refusal::NotAMember)
    }
}
