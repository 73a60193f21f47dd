//! What became of messages after they were sent, for clients that ask by version.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Im, Viewer};
use crate::channel::{ChannelKey, ChannelKind, ChannelRef, LogKind};
use crate::id::{ChannelNum, MessageId, UserNum};
use crate::mark::Reaction;
use crate::message::Message;
use crate::receipt::MessageState;
use crate::refusal::Refusal;

/// The most that one question gives.
const MAX: u32 = 1000;
/// Reactions to one message that are told at most: the newest.
const MAX_REACTIONS_TOLD: usize = 1000;
/// Pages that are read at most until there is something on one that the viewer may know of.
const MAX_PAGES: usize = 100;

/// A message that has changed.
#[derive(Debug, Clone)]
pub struct Changed {
    /// What it is now.
    pub message: Message,
    /// What became of it.
    pub state: MessageState,
    /// Reactions to it that were put there or taken away since; the newest 1,000.
    pub reactions: Vec<Reaction>,
    /// The viewer has deleted it for themselves.
    pub is_hidden: bool,
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
        viewer: &Viewer,
        key: &ChannelKey,
        after_version: i64,
        limit: u32,
    ) -> Result<Vec<Changed>, Refusal> {
        let Some(channel) = self.changing(viewer, key).await? else {
            return Ok(Vec::new());
        };
        let mut span = self.span(viewer, channel.num).await?;
        span.readers = self.possible_readers(key).await?;
        let limit = limit.clamp(1, MAX);
        let receipts = &self.stores.receipts;
        let mut changed = Vec::new();
        let mut after_version = after_version;
        for _ in 0..MAX_PAGES {
            let states = receipts
                .changed_since(channel.num, after_version, limit)
                .await?;
            let more = states.len() == limit as usize;
            let since = after_version;
            after_version = states.last().map_or(after_version, |last| last.version);
            let reactions = self.newly_reacted(channel.num, since, &states).await?;
            changed.extend(self.changed_of(viewer, &span, reactions, states).await?);
            // Whoever asks goes on from the last one: none would be the end.
            if !changed.is_empty() || !more {
                break;
            }
        }
        Ok(changed)
    }

    /// Reactions to messages of a channel that were put there or taken away after a version,
    /// ascending by version, as far as the viewer may read those.
    ///
    /// # Errors
    /// As with [`changed`](Self::changed).
    pub async fn reactions_since(
        &self,
        viewer: &Viewer,
        key: &ChannelKey,
        mut after_version: i64,
        limit: u32,
    ) -> Result<Vec<(Reaction, Message)>, Refusal> {
        let Some(channel) = self.changing(viewer, key).await? else {
            return Ok(Vec::new());
        };
        let span = self.span(viewer, channel.num).await?;
        let limit = limit.clamp(1, MAX);
        let mut seen = Vec::new();
        for _ in 0..MAX_PAGES {
            let marks = &self.stores.marks;
            let page = marks
                .reactions_since(channel.num, after_version, limit)
                .await?;
            let more = page.len() == limit as usize;
            after_version = page.last().map_or(after_version, |last| last.version);
            for reaction in page.into_iter().filter(|it| it.seq > span.begins_after) {
                let message = self.stores.log.by_id(reaction.message).await?;
                let message = message.filter(|message| is_for(viewer, message));
                seen.extend(message.map(|message| (reaction, message)));
            }
            if !seen.is_empty() || !more {
                break;
            }
        }
        Ok(seen)
    }

    /// What became of some messages of a channel, as [`Im::changed`] has it but without
    /// reactions: most have none of it.
    ///
    /// # Errors
    /// `NotAMember`, or when the store fails.
    pub async fn changed_among(
        &self,
        viewer: &Viewer,
        key: &ChannelKey,
        ids: &[MessageId],
    ) -> Result<Vec<Changed>, Refusal> {
        let Some(channel) = self.changing(viewer, key).await? else {
            return Ok(Vec::new());
        };
        let states = self.stores.receipts.states(ids).await?;
        if states.is_empty() {
            return Ok(Vec::new());
        }
        let mut span = self.span(viewer, channel.num).await?;
        span.readers = self.possible_readers(key).await?;
        self.changed_of(viewer, &span, BTreeMap::new(), states)
            .await
    }

    /// How many could have read a message of a channel beside its sender.
    async fn possible_readers(&self, key: &ChannelKey) -> Result<u64, Refusal> {
        if key.kind == ChannelKind::DIRECT {
            return Ok(1);
        }
        let members = self.channel(key).await?.member_count;
        Ok(u64::from(members).saturating_sub(1))
    }

    /// The log whose messages have changed; `None` if there is none and the viewer may know it.
    async fn changing(
        &self,
        viewer: &Viewer,
        key: &ChannelKey,
    ) -> Result<Option<Arc<ChannelRef>>, Refusal> {
        let log = self.stores.channels.open(key, LogKind::Chat, false).await?;
        match viewer {
            Viewer::User(user) if log.is_none() && !super::history::may_exist(key, user) => {
                Err(Refusal::NotAMember)
            }
            _ => Ok(log),
        }
    }

    /// Of some states those that the viewer may know of.
    async fn changed_of(
        &self,
        viewer: &Viewer,
        span: &Span,
        mut reactions: BTreeMap<MessageId, Vec<Reaction>>,
        states: Vec<MessageState>,
    ) -> Result<Vec<Changed>, Refusal> {
        let mut changed = Vec::new();
        let hidden = self.hidden_among(viewer, span.channel, &states).await?;
        for state in states
            .into_iter()
            .filter(|state| state.seq > span.begins_after)
        {
            let Some(message) = self.stores.log.by_id(state.id).await? else {
                continue;
            };
            if is_for(viewer, &message) {
                let is_own = matches!(viewer, Viewer::User(user) if message.sender.num == user.num);
                changed.push(Changed {
                    is_read: is_own
                        || span.read_seq >= state.seq
                        || self.has_read(viewer, &state).await?,
                    reactions: reactions.remove(&state.id).unwrap_or_default(),
                    is_hidden: hidden.binary_search(&state.seq).is_ok(),
                    message,
                    state,
                    readers: span.readers,
                });
            }
        }
        Ok(changed)
    }

    /// Whether the viewer has said of a message by itself that they have read it.
    async fn has_read(&self, viewer: &Viewer, state: &MessageState) -> Result<bool, Refusal> {
        let Viewer::User(user) = viewer else {
            return Ok(false);
        };
        if !state.asked {
            return Ok(false);
        }
        let after = Some(UserNum(user.num.0.saturating_sub(1)));
        let found = self.stores.receipts.of(state.id, after, 1).await?;
        Ok(found.first().is_some_and(|(reader, _)| *reader == user.num))
    }

    /// The reactions to some messages since a version: they are no newer than the last of
    /// the states.
    async fn newly_reacted(
        &self,
        channel: ChannelNum,
        after_version: i64,
        states: &[MessageState],
    ) -> Result<BTreeMap<MessageId, Vec<Reaction>>, Refusal> {
        let mut found: BTreeMap<MessageId, Vec<Reaction>> = BTreeMap::new();
        let Some(last) = states.last().map(|last| last.version) else {
            return Ok(found);
        };
        let mut after = after_version;
        loop {
            let marks = &self.stores.marks;
            let page = marks.reactions_since(channel, after, MAX).await?;
            let more = page.len() == MAX as usize;
            after = page.last().map_or(last, |reaction| reaction.version);
            for reaction in page {
                let of = found.entry(reaction.message).or_default();
                of.push(reaction);
                if of.len() >= 2 * MAX_REACTIONS_TOLD {
                    of.drain(..MAX_REACTIONS_TOLD);
                }
            }
            if !more || after >= last {
                for of in found.values_mut() {
                    of.drain(..of.len().saturating_sub(MAX_REACTIONS_TOLD));
                }
                return Ok(found);
            }
        }
    }

    /// What a viewer may know of a channel.
    async fn span(&self, viewer: &Viewer, channel: ChannelNum) -> Result<Span, Refusal> {
        let Viewer::User(user) = viewer else {
            return Ok(Span {
                channel,
                begins_after: 0,
                read_seq: 0,
                readers: 0,
            });
        };
        let row = self.stores.inbox.conversation(user.num, channel).await?;
        let row = row.ok_or(Refusal::NotAMember)?;
        Ok(Span {
            channel,
            begins_after: row.begins_after,
            read_seq: row.read_seq,
            readers: 0,
        })
    }

    /// Seqs of some states' messages that the viewer has deleted for themselves.
    async fn hidden_among(
        &self,
        viewer: &Viewer,
        channel: ChannelNum,
        states: &[MessageState],
    ) -> Result<Vec<u64>, Refusal> {
        let seqs = states.iter().map(|state| state.seq);
        let (Viewer::User(user), Some(first), Some(last)) =
            (viewer, seqs.clone().min(), seqs.max())
        else {
            return Ok(Vec::new());
        };
        let stretch = [(channel, first..=last)];
        let hidden = self.stores.marks.hidden(user.num, &stretch).await?;
        Ok(hidden.into_iter().next().unwrap_or_default())
    }

    /// The states of some messages that the caller was shown: most have none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn states(&self, ids: &[MessageId]) -> Result<Vec<MessageState>, Refusal> {
        Ok(self.stores.receipts.states(ids).await?)
    }
}

/// What a viewer may know of a channel.
struct Span {
    channel: ChannelNum,
    /// Nothing up to this seq.
    begins_after: u64,
    read_seq: u64,
    /// How many could have read a message beside its sender.
    readers: u64,
}

fn is_for(viewer: &Viewer, message: &Message) -> bool {
    match viewer {
        Viewer::Application => true,
        Viewer::User(user) => message.is_for(user.num),
    }
}
