//! A user's conversations, and how they keep them.

use std::sync::Arc;

use futures_util::future::join_all;

use super::Im;
use crate::channel::{ChannelKey, ChannelRef, LogKind};
use crate::conversation::{ConversationChange, ConversationRow, Keep, MAX_DRAFT_BYTES};
use crate::id::{Uid, UserRef};
use crate::refusal::Refusal;

/// Conversations that a client is told of at once, at most.
const MAX_KEPT: u32 = 10_000;
/// Conversations that may be changed at once.
pub const MAX_AT_ONCE: usize = 100;

/// What is to be done to several conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConversationWish {
    /// To keep them otherwise.
    Keep(Keep),
    /// To read them.
    Read,
}

/// What a user has not seen, over all their conversations. Hidden ones do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UnreadTotals {
    /// Messages in conversations that are not muted.
    pub unread: u64,
    /// Messages in all conversations.
    pub with_muted: u64,
    /// Messages that mention the user, muted ones too.
    pub mentions: u64,
    /// Conversations with any, muted ones too.
    pub conversations: u64,
    /// Conversations that the user has marked.
    pub marked: u64,
}

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

    /// One conversation of a user, hidden or not.
    ///
    /// # Errors
    /// `NotAMember` if the user has nothing to do with the channel, `NoSuchChannel` if it
    /// does not exist, or when the store fails.
    pub async fn conversation(
        &self,
        user: &UserRef,
        key: &ChannelKey,
    ) -> Result<ConversationRow, Refusal> {
        let channel = self.stores.channels.open(key, LogKind::Chat, false).await?;
        let channel = channel.ok_or(Refusal::NoSuchChannel)?;
        let inbox = &self.stores.inbox;
        let row = inbox.conversation(user.num, channel.num).await?;
        row.ok_or(Refusal::NotAMember)
    }

    /// What a user has not seen.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unread_totals(&self, user: &UserRef) -> Result<UnreadTotals, Refusal> {
        let now_ms = self.parts.clock.now_ms();
        let mut totals = UnreadTotals::default();
        let mut rows = self.conversations(user).await?;
        for row in &rows {
            let unread = row.unread();
            totals.with_muted += unread;
            totals.conversations += u64::from(unread > 0);
            totals.marked += u64::from(row.kept.marked);
            if !row.kept.is_muted(now_ms) {
                totals.unread += unread;
            }
        }
        rows.retain(|row| row.unread() > 0);
        let mentions = self.mention_counts(user, &rows).await?;
        totals.mentions = mentions.iter().map(|mention| mention.count).sum();
        Ok(totals)
    }

    /// Changes a user's view of a channel.
    ///
    /// # Errors
    /// As [`conversation`](Self::conversation).
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

    /// Keeps a conversation otherwise. All devices of the user are told, if it was not like
    /// that already. One with a user to whom nothing was said yet begins with what is pinned
    /// or begun to be written there.
    ///
    /// # Errors
    /// `TooLarge` for too long a draft, `NoSuchUser` if there is no such peer; otherwise as
    /// [`conversation`](Self::conversation).
    pub async fn keep_conversation(
        &self,
        user: &UserRef,
        key: &ChannelKey,
        wish: Keep,
    ) -> Result<ConversationRow, Refusal> {
        let draft_bytes = wish.draft.as_ref().map_or(0, |draft| draft.len());
        if draft_bytes > MAX_DRAFT_BYTES {
            return Err(Refusal::TooLarge);
        }
        let begins = draft_bytes > 0 || wish.pinned == Some(true);
        let (channel, make) = self.kept_log(user, key, begins).await?;
        let inbox = Arc::clone(&self.stores.inbox);
        let (tells, user, key) = (self.tells(), user.clone(), key.clone());
        self.to_the_end(async move {
            let kept = inbox.keep(user.num, channel.num, wish, make).await?;
            let kept = kept.ok_or(Refusal::NotAMember)?;
            if kept.is_changed {
                tells.conversation(&user, &key, &kept.row).await;
            }
            Ok(kept.row)
        })
        .await
    }

    /// Does something to several conversations, each with its own outcome, in their order. At
    /// most [`MAX_AT_ONCE`] are looked at.
    pub async fn change_conversations(
        &self,
        user: &UserRef,
        wishes: Vec<(ChannelKey, ConversationWish)>,
    ) -> Vec<Result<ConversationRow, Refusal>> {
        let wishes = wishes.into_iter().take(MAX_AT_ONCE);
        let each = wishes.map(async |(key, wish)| match wish {
            ConversationWish::Keep(wish) => self.keep_conversation(user, &key, wish).await,
            ConversationWish::Read => self.read(user, &key, None).await,
        });
        join_all(each).await
    }

    /// How a user keeps conversations, as far as that has changed since a version, ascending
    /// by version.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn kept_since(
        &self,
        user: &UserRef,
        after_version: i64,
    ) -> Result<Vec<ConversationRow>, Refusal> {
        let inbox = &self.stores.inbox;
        Ok(inbox.kept_since(user.num, after_version, MAX_KEPT).await?)
    }

    /// The log of a conversation that is to be kept, and whether the user may begin it.
    async fn kept_log(
        &self,
        user: &UserRef,
        key: &ChannelKey,
        begins: bool,
    ) -> Result<(Arc<ChannelRef>, bool), Refusal> {
        let channels = &self.stores.channels;
        let uid = user.uid.as_str();
        let peer = key.pair().and_then(|(low, high)| match uid {
            _ if uid == low => Some(high),
            _ if uid == high => Some(low),
            _ => None,
        });
        if let Some(channel) = channels.open(key, LogKind::Chat, false).await? {
            return Ok((channel, peer.is_some() && begins));
        }
        let peer = peer.ok_or(Refusal::NoSuchChannel)?;
        let peer = Uid::parse(peer).map_err(|_| Refusal::NoSuchUser)?;
        self.user(&key.realm, &peer).await?;
        if !begins {
            return Err(Refusal::NoSuchChannel);
        }
        let made = channels.open(key, LogKind::Chat, true).await?;
        Ok((made.ok_or(Refusal::NoSuchChannel)?, true))
    }
}
