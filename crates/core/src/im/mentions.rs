//! Who has mentioned a user, and what of it is still to be looked at.

use std::sync::Arc;

use super::Im;
use crate::channel::ChannelKey;
use crate::conversation::ConversationRow;
use crate::id::{ChannelNum, MessageId, UserRef};
use crate::mention::{MentionCount, NotedQuery};
use crate::message::Message;
use crate::refusal::Refusal;

/// The most that one question gives.
const MAX: u32 = 1000;
/// Conversations whose reminders are ended at once and told of, at most.
const MAX_TOLD: usize = 100;

/// Which reminders are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReminderQuery {
    /// Only of this channel.
    pub of: Option<ChannelKey>,
    /// Only what is not read, nor done with.
    pub open_only: bool,
    /// Only of messages older than this.
    pub before: Option<MessageId>,
    /// Only what has changed after this version, ascending by it.
    pub after_version: Option<i64>,
    /// At most this many.
    pub limit: u32,
}

/// That a message mentions the user who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    /// The message, as the user may read it; also one that is gone, in a list by version.
    pub message: Message,
    /// Everybody is mentioned, and not the user by name.
    pub is_all: bool,
    /// The user has read it, or is done with it, or it is gone.
    pub is_done: bool,
    /// See [`ReminderQuery::after_version`].
    pub version: i64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reminders {
    /// Newest first, or ascending by version.
    pub items: Vec<Reminder>,
    /// The last of those that were looked at, if there may be more: ask again after it.
    pub next: Option<(MessageId, i64)>,
}

impl Im {
    /// How often each of these conversations of a user has messages after the badge that
    /// mention them, and where the first is; in the order given.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mention_counts(
        &self,
        user: &UserRef,
        rows: &[ConversationRow],
    ) -> Result<Vec<MentionCount>, Refusal> {
        let places: Vec<_> = rows
            .iter()
            .map(|row| (row.channel.num, unread_after(row)))
            .collect();
        Ok(self.stores.mentions.counts(user.num, &places).await?)
    }

    /// Messages that mention a user, as far as they may read them.
    ///
    /// # Errors
    /// `NotAMember` if the user has nothing to do with the channel that is asked for, or when
    /// the store fails.
    pub async fn reminders(
        &self,
        user: &UserRef,
        query: &ReminderQuery,
    ) -> Result<Reminders, Refusal> {
        let rows = match &query.of {
            Some(key) => vec![self.conversation(user, key).await?],
            None => self.stores.inbox.conversations(user.num).await?,
        };
        let after = |row: &ConversationRow| {
            if query.open_only {
                unread_after(row)
            } else {
                row.begins_after
            }
        };
        let limit = query.limit.clamp(1, MAX);
        let noted = NotedQuery {
            places: rows
                .iter()
                .map(|row| (row.channel.num, after(row)))
                .collect(),
            open_only: query.open_only,
            before: query.before,
            after_version: query.after_version,
            limit,
        };
        let noted = self.stores.mentions.noted(user.num, noted).await?;
        let full = noted.len() == limit as usize;
        let next = noted
            .last()
            .filter(|_| full)
            .map(|last| (last.message, last.version));
        let mut items = Vec::with_capacity(noted.len());
        for noted in noted {
            let Some(row) = rows.iter().find(|row| row.channel.num == noted.channel) else {
                continue;
            };
            let message = self.stores.log.by_id(noted.message).await?;
            // Who asks by version learns that there is nothing to look at any more.
            let is_there = |it: &Message| query.after_version.is_some() || it.revoked.is_none();
            let is_seen = |it: &Message| is_there(it) && it.is_for(user.num);
            if let Some(message) = message.filter(is_seen) {
                items.push(Reminder {
                    message,
                    is_all: noted.is_all,
                    is_done: noted.is_done || noted.seq <= row.badge_seq,
                    version: noted.version,
                });
            }
        }
        Ok(Reminders { items, next })
    }

    /// A user has done with what these messages remind them of. What does not mention them, or
    /// is not for them to read, is passed over. Returns how many are newly done.
    ///
    /// # Errors
    /// `TooMany` for more than 1,000 at once, or when the store fails.
    pub async fn reminders_done(
        &self,
        user: &UserRef,
        messages: &[MessageId],
    ) -> Result<u64, Refusal> {
        if messages.len() > MAX as usize {
            return Err(Refusal::TooMany);
        }
        let rows = self.stores.inbox.conversations(user.num).await?;
        let may_read = |message: &Message| {
            let row = rows
                .iter()
                .find(|row| row.channel.num == message.channel.num);
            row.is_some_and(|row| message.seq > row.begins_after) && message.is_for(user.num)
        };
        let mut theirs = Vec::with_capacity(messages.len());
        for &id in messages {
            let message = self.stores.log.by_id(id).await?;
            let message = message.filter(may_read);
            theirs.extend(message.map(|message| (message.channel.num, message.id)));
        }
        self.end_reminders(user, &rows, theirs).await
    }

    /// Notes that a user has done with some messages, and tells the user's devices what is open
    /// now in the conversations of which they are.
    async fn end_reminders(
        &self,
        user: &UserRef,
        rows: &[ConversationRow],
        theirs: Vec<(ChannelNum, MessageId)>,
    ) -> Result<u64, Refusal> {
        let ids: Vec<_> = theirs.iter().map(|(_, id)| *id).collect();
        let is_touched = |row: &&ConversationRow| {
            let num = row.channel.num;
            theirs.iter().any(|(channel, _)| *channel == num)
        };
        let touched = rows.iter().filter(is_touched).take(MAX_TOLD);
        let touched: Vec<ConversationRow> = touched.cloned().collect();
        let (tells, user) = (self.tells(), user.clone());
        let mentions = Arc::clone(&self.stores.mentions);
        self.to_the_end(async move {
            let done = mentions.done(user.num, &ids).await?;
            if done == 0 {
                return Ok(done);
            }
            for row in touched {
                let place = (row.channel.num, unread_after(&row));
                let open = mentions.counts(user.num, &[place]).await?;
                let open = open.first().map_or(0, |it| it.count);
                tells.reminders(&user, &row, open).await;
            }
            Ok(done)
        })
        .await
    }

    /// A user has done with all that a channel reminds them of now. Returns how many are newly
    /// done.
    ///
    /// # Errors
    /// `NotAMember`, or when the store fails.
    pub async fn channel_reminders_done(
        &self,
        user: &UserRef,
        key: &ChannelKey,
    ) -> Result<u64, Refusal> {
        let row = self.conversation(user, key).await?;
        let query = NotedQuery {
            places: vec![(row.channel.num, row.begins_after)],
            open_only: true,
            before: None,
            after_version: None,
            limit: MAX,
        };
        let noted = self.stores.mentions.noted(user.num, query).await?;
        let ids = noted.iter().map(|noted| (noted.channel, noted.message));
        let ids = ids.collect();
        self.end_reminders(user, &[row], ids).await
    }
}

/// What stands above this seq is unread, and may be read.
fn unread_after(row: &ConversationRow) -> u64 {
    row.badge_seq.max(row.begins_after)
}
