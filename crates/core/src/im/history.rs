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
/// Pages that one query reads at most, if most of what is there is left out.
const MAX_PAGES_LISTED: u32 = 100;
/// Messages of a page that are read at least, once some were left out.
const LEAST_READ: usize = 100;

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

/// What of a log is shown beside what is said there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Nothing.
    Said,
    /// The places of what was deleted for everybody or has expired.
    Places,
    /// These, and what the viewer has deleted for themselves.
    Everything,
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
        self.stretch(key, viewer, query, Shown::Said).await
    }

    /// As [`history`](Self::history), with tombstones in the places of messages that were
    /// deleted for everybody or have expired: for clients that count seqs. What the user has
    /// deleted for themselves is left out all the same.
    ///
    /// # Errors
    /// As with `history`.
    pub async fn places(
        &self,
        key: &ChannelKey,
        viewer: &Viewer,
        query: HistoryQuery,
    ) -> Result<Vec<Message>, Refusal> {
        self.stretch(key, viewer, query, Shown::Places).await
    }

    /// As [`places`](Self::places), with what the viewer has deleted for themselves, and the
    /// seqs of that, ascending.
    ///
    /// # Errors
    /// As with `history`.
    pub async fn all_places(
        &self,
        key: &ChannelKey,
        viewer: &Viewer,
        query: HistoryQuery,
    ) -> Result<(Vec<Message>, Vec<u64>), Refusal> {
        let found = self.stretch(key, viewer, query, Shown::Everything).await?;
        let hidden = match found.first() {
            Some(first) => {
                let log = [(Arc::clone(&first.channel), 0)];
                self.hidden_of(viewer, &log, std::slice::from_ref(&found))
                    .await?
            }
            None => Vec::new(),
        };
        Ok((found, hidden.into_iter().next().unwrap_or_default()))
    }

    async fn stretch(
        &self,
        key: &ChannelKey,
        viewer: &Viewer,
        query: HistoryQuery,
        shown: Shown,
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
        let query = HistoryQuery {
            from,
            limit: query.limit.min(MAX_HISTORY),
            ..query
        };
        self.listed(&channel, viewer, query, shown).await
    }

    /// Messages of a stretch, ascending. Where some are left out others take their places; so
    /// fewer than the limit are all there are, unless very many are left out.
    async fn listed(
        &self,
        channel: &Arc<ChannelRef>,
        viewer: &Viewer,
        query: HistoryQuery,
        shown: Shown,
    ) -> Result<Vec<Message>, Refusal> {
        let (mut from, mut to) = (query.from, query.to);
        let limit = query.limit as usize;
        let mut listed: Vec<Message> = Vec::new();
        for n in 0..MAX_PAGES_LISTED {
            let missing = limit - listed.len();
            // Not one by one where much was deleted.
            let wanted = if n == 0 {
                missing
            } else {
                missing.max(LEAST_READ)
            };
            let page = Page {
                from,
                to,
                limit: u32::try_from(wanted).unwrap_or(u32::MAX),
                newest: query.newest,
            };
            let found = self.stores.log.page(channel, page).await?;
            let is_last = found.len() < wanted;
            let ends = found.first().zip(found.last()).map(|(a, b)| (a.seq, b.seq));
            let kept = self.kept(channel, viewer, found, shown).await?;
            if query.newest {
                listed.splice(0..0, kept);
                listed.drain(..listed.len().saturating_sub(limit));
            } else {
                listed.extend(kept);
                listed.truncate(limit);
            }
            let Some((first, last)) = ends.filter(|_| !is_last && listed.len() < limit) else {
                break;
            };
            if query.newest {
                to = first.saturating_sub(1);
            } else {
                from = last + 1;
            }
            if from > to {
                break;
            }
        }
        Ok(listed)
    }

    /// Of a page that was read what a viewer is shown: for whom a message is not, a place;
    /// nothing of what was deleted for all or for the viewer, unless that is wanted.
    async fn kept(
        &self,
        channel: &Arc<ChannelRef>,
        viewer: &Viewer,
        found: Vec<Message>,
        shown: Shown,
    ) -> Result<Vec<Message>, Refusal> {
        let mut kept = found;
        if shown == Shown::Said {
            kept.retain(|message| !message.is_unlisted());
        }
        let Viewer::User(user) = viewer else {
            return Ok(kept);
        };
        if shown != Shown::Everything
            && let (Some(first), Some(last)) = (kept.first(), kept.last())
        {
            let stretch = [(channel.num, first.seq..=last.seq)];
            let hidden = self.stores.marks.hidden(user.num, &stretch).await?;
            let hidden = hidden.into_iter().next().unwrap_or_default();
            kept.retain(|message| hidden.binary_search(&message.seq).is_err());
        }
        let seen = kept.into_iter().map(|message| message.seen_by(user.num));
        Ok(seen.collect())
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
        let hidden = self.hidden_of(viewer, logs, &newest).await?;
        let nothing: Vec<u64> = Vec::new();
        for (n, (messages, (channel, from))) in newest.iter_mut().zip(logs).enumerate() {
            let hidden = hidden.get(n).unwrap_or(&nothing);
            if !messages.iter().all(|it| is_shown(viewer, it, hidden)) {
                let all = std::mem::take(messages);
                *messages = self.visible(viewer, channel, *from, all, limit).await?;
            }
        }
        Ok(newest)
    }

    /// What of these messages the viewer has deleted for themselves, log by log.
    async fn hidden_of(
        &self,
        viewer: &Viewer,
        logs: &[(Arc<ChannelRef>, u64)],
        messages: &[Vec<Message>],
    ) -> Result<Vec<Vec<u64>>, Refusal> {
        let Viewer::User(user) = viewer else {
            return Ok(Vec::new());
        };
        let stretches = logs.iter().zip(messages).map(|((channel, _), messages)| {
            let ends = messages.first().zip(messages.last());
            let (first, last) = ends.map_or((1, 0), |(first, last)| (first.seq, last.seq));
            (channel.num, first..=last)
        });
        let stretches: Vec<_> = stretches.collect();
        Ok(self.stores.marks.hidden(user.num, &stretches).await?)
    }

    /// Of the newest messages of a log those that a viewer is shown; where some are not,
    /// older ones instead.
    async fn visible(
        &self,
        viewer: &Viewer,
        channel: &Arc<ChannelRef>,
        from: u64,
        newest: Vec<Message>,
        limit: u32,
    ) -> Result<Vec<Message>, Refusal> {
        let limit = limit as usize;
        let log = [(Arc::clone(channel), from)];
        let (mut visible, mut page) = (Vec::new(), newest);
        for _ in 0..MAX_PAGES_BACK {
            let before = page.first().map_or(0, |first| first.seq);
            let hidden = self.hidden_of(viewer, &log, std::slice::from_ref(&page));
            let hidden = hidden.await?.into_iter().next().unwrap_or_default();
            let seen = page.into_iter().rev();
            visible.extend(seen.filter(|message| is_shown(viewer, message, &hidden)));
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
pub(super) fn may_exist(key: &ChannelKey, viewer: &UserRef) -> bool {
    key.pair()
        .is_some_and(|(low, high)| [low, high].contains(&viewer.uid.as_str()))
}

/// Whether a viewer is shown a message in lists that need not be without gaps.
fn is_shown(viewer: &Viewer, message: &Message, hidden: &[u64]) -> bool {
    let is_theirs = match viewer {
        Viewer::Application => true,
        Viewer::User(user) => message.is_for(user.num),
    };
    is_theirs && !message.is_unlisted() && hidden.binary_search(&message.seq).is_err()
}
