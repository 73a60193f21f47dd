//! What became of messages after they were sent, for clients that ask by version.

use super::Im;
use crate::channel::{ChannelKey, ChannelKind, LogKind};
use crate::conversation::ConversationRow;
use crate::id::UserRef;
use crate::message::Message;
use crate::receipt::MessageState;
use crate::refusal::Refusal;

/// The most that one question gives.
const MAX: u32 = 1000;
/// Pages that are read at most until there is something on one that the viewer may know of.
const MAX_PAGES: usize = 100;

/// A message that has changed.
#[derive(Debug, Clone)]
pub struct Changed {
    /// What it is now.
    pub message: Message,
    /// What became of it.
    pub state: MessageState,
    /// Whether the viewer has read it.
    pub is_read: bool,
    /// How many could have read it beside its sender, as the channel is now.
    pub readers: u64,
}

impl Im {
    /// Messages of a channel that changed after a version, ascending by version, as far as
    /// the viewer may read them. None if nothing was ever said there.
    ///
    /// # Errors
    /// `NotAMember` for one who has nothing to do with the channel, or when the store fails.
    pub async fn changed(
        &self,
        viewer: &UserRef,
        key: &ChannelKey,
        after_version: i64,
        limit: u32,
    ) -> Result<Vec<Changed>, Refusal> {
        let Some(channel) = self.stores.channels.open(key, LogKind::Chat, false).await? else {
            return Ok(Vec::new());
        };
        let row = self
            .stores
            .inbox
            .conversation(viewer.num, channel.num)
            .await?;
        let row = row.ok_or(Refusal::NotAMember)?;
        let readers = if key.kind == ChannelKind::DIRECT {
            1
        } else {
            u64::from(self.channel(key).await?.member_count).saturating_sub(1)
        };
        let limit = limit.clamp(1, MAX);
        let receipts = &self.stores.receipts;
        let mut changed = Vec::new();
        let mut after_version = after_version;
        for _ in 0..MAX_PAGES {
            let states = receipts
                .changed_since(channel.num, after_version, limit)
                .await?;
            let more = states.len() == limit as usize;
            after_version = states.last().map_or(after_version, |last| last.version);
            self.changed_of(viewer, &row, readers, states, &mut changed)
                .await?;
            // Whoever asks goes on from the last one: none would be the end.
            if !changed.is_empty() || !more {
                break;
            }
        }
        Ok(changed)
    }

    /// Of some states those that the viewer may know of.
    async fn changed_of(
        &self,
        viewer: &UserRef,
        row: &ConversationRow,
        readers: u64,
        states: Vec<MessageState>,
        changed: &mut Vec<Changed>,
    ) -> Result<(), Refusal> {
        for state in states
            .into_iter()
            .filter(|state| state.seq > row.begins_after)
        {
            let Some(message) = self.stores.log.by_id(state.id).await? else {
                continue;
            };
            if message.is_for(viewer.num) {
                let is_own = message.sender.num == viewer.num;
                changed.push(Changed {
                    is_read: is_own || row.read_seq >= state.seq,
                    message,
                    state,
                    readers,
                });
            }
        }
        Ok(())
    }
}
