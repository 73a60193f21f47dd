//! Reading what was said.

use std::sync::Arc;

use super::Im;
use crate::channel::{ChannelKey, ChannelRef, LogKind};
use crate::id::{ChannelNum, MessageId, UserRef};
use crate::log::{Head, Page};
use crate::message::Message;
use crate::refusal::Refusal;

/// The most messages that one query gives.
const MAX_HISTORY: u32 = 10_000;

/// Messages of a log that are read at once where its newest are not for the viewer…
const PAGE_BACK: u32 = 100;
/// … and how often, before there is nothing to show.
const MAX_PAGES_BACK: u32 = 10;

/// Who looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// The application, which sees everything in its realm.
    Application,
    /// A user, who sees what their conversation shows.
    User(UserRef),
}

/// A stretch of a channel's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryQuery {
    /// The lowest seq wanted.
    pub from: u64,
    /// The highest seq wanted.
    pub to: u64,
    /// At most this many.
    pub limit: u32,
    /// Which end counts when there are more: true = the newest.
    pub newest: bool,
}

impl Im {
    /// Messages of a channel, ascending by seq; none if nothing was ever said in it.
    ///
    /// # Errors
    /// `NotAMember` for a user who has nothing to do with the channel, or when the store
    /// fails.
    pub async fn history(
        &self,
        key: &ChannelKey,
        viewer: &Viewer,
        query: HistoryQuery,
    ) -> Result<Vec<Message>, Refusal> {
        let channel = self.stores.channels.open(key, LogKind::Chat, false).await?;
        let Some(channel) = channel else {
            return match viewer {
                Viewer::User(user) if !may_exist(key, user) => Err(Refusal::NotAMember),
                _ => Ok(Vec::new()),
            };
        };
        let mut from = query.from;
        if let Viewer::User(user) = viewer {
            let row = self
                .stores
                .inbox
                .conversation(user.num, channel.num)
                .await?;
            match row {
                Some(row) => from = from.max(row.begins_after + 1),
                None if may_exist(key, user) => return Ok(Vec::new()),
                None => return Err(Refusal::NotAMember),
            }
        }
        let limit = query.limit.min(MAX_HISTORY);
        let page = Page {
            from,
            to: query.to,
            limit,
            newest: query.newest,
        };
        let messages = self.stores.log.page(&channel, page).await?;
        Ok(match viewer {
            Viewer::Application => messages,
            Viewer::User(user) => {
                let seen = messages
                    .into_iter()
                    .map(|message| message.seen_by(user.num));
                seen.collect()
            }
        })
    }

    /// The newest messages of some logs, each from a seq on, for conversation lists; one read
    /// for all. Whoever calls has read the channels from the viewer's own conversations. What
    /// is not for the viewer is not among them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn newest(
        &self,
        viewer: &Viewer,
        logs: &[(Arc<ChannelRef>, u64)],
        limit: u32,
    ) -> Result<Vec<Vec<Message>>, Refusal> {
        let mut newest = self.stores.log.newest(logs, limit).await?;
        let Viewer::User(user) = viewer else {
            return Ok(newest);
        };
        for (messages, (channel, from)) in newest.iter_mut().zip(logs) {
            if messages.iter().any(|message| !message.is_for(user.num)) {
                let all = std::mem::take(messages);
                *messages = self.visible(user, channel, *from, all, limit).await?;
            }
        }
        Ok(newest)
    }

    /// Of the newest messages of a log those that are for a user; where some are not, older
    /// ones instead.
    async fn visible(
        &self,
        user: &UserRef,
        channel: &Arc<ChannelRef>,
        from: u64,
        newest: Vec<Message>,
        limit: u32,
    ) -> Result<Vec<Message>, Refusal> {
        let limit = limit as usize;
        let (mut visible, mut page) = (Vec::new(), newest);
        for _ in 0..MAX_PAGES_BACK {
            let before = page.first().map_or(0, |first| first.seq);
            let seen = page.into_iter().rev();
            visible.extend(seen.filter(|message| message.is_for(user.num)));
            if visible.len() >= limit || before <= from {
                break;
            }
            let back = Page {
                from,
                to: before - 1,
                limit: PAGE_BACK,
                newest: true,
            };
            page = self.stores.log.page(channel, back).await?;
        }
        visible.truncate(limit);
        visible.reverse();
        Ok(visible)
    }

    /// One message.
    ///
    /// # Errors
    /// `NoSuchMessage`, or when the store fails.
    pub async fn message(&self, id: MessageId) -> Result<Message, Refusal> {
        self.stores
            .log
            .by_id(id)
            .await?
            .ok_or(Refusal::NoSuchMessage)
    }

    /// The newest message of each log.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn heads(&self, channels: &[ChannelNum]) -> Result<Vec<Head>, Refusal> {
        Ok(self.stores.log.heads(channels).await?)
    }
}

/// A direct channel exists in meaning before anything is said in it.
fn may_exist(key: &ChannelKey, viewer: &UserRef) -> bool {
    key.pair()
        .is_some_and(|(low, high)| [low, high].contains(&viewer.uid.as_str()))
}
