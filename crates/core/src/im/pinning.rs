//! Pinned messages, messages that a user does not want to see, and who has read one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Im, Viewer};
use crate::change::{Change, ChannelName, MessageName};
use crate::channel::{ChannelKey, ChannelKind, ChannelRef, LogKind};
use crate::deliver::{Alteration, Altered, Operator};
use crate::id::{MessageId, Realm, UserNum, UserRef};
use crate::mark::{MAX_BATCH, MAX_PINS, Pin};
use crate::message::Message;
use crate::receipt::MAX_COUNTED_MEMBERS;
use crate::refusal::Refusal;

/// Members or receipts that are read at once.
const PAGE: u32 = 1000;
/// Receipts of one message that are looked at, at most: only small channels have any.
const MAX_READERS: u32 = 100_000;

/// Which readers of a message are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadersQuery {
    /// Those who have read it; otherwise those who could and have not.
    pub is_read: bool,
    /// Those after this one.
    pub after: Option<UserNum>,
    /// At most this many.
    pub limit: u32,
}

/// Who has read a message, or has not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Readers {
    /// How many have read it.
    pub read_count: u64,
    /// How many could have, beside its author, and have not.
    pub unread_count: u64,
    /// Those asked for, in order of user number, and when they have read it, ms since 1970;
    /// 0 = they have not, or it is not known when.
    pub users: Vec<(UserRef, i64)>,
    /// There are more: ask again, after the last one.
    pub more: bool,
    /// The channel has become too large for readers to be counted any more: those who were
    /// stay so.
    pub is_closed: bool,
}

impl Im {
    /// Pins a message of a realm's chat logs in its channel, or unpins it. Both of a direct
    /// channel may, and who moderates another; the other members if the channel's `pin_by` or
    /// [`Policy::members_pin`](super::Policy::members_pin) says so; the application. Durable
    /// when it returns.
    ///
    /// # Errors
    /// `NoSuchMessage`, also for one who may not see it; `WrongState` if its content is gone,
    /// `Forbidden`, `TooMany` pins, `RateLimited` (it counts like a send), or when the store
    /// fails.
    pub async fn pin(
        &self,
        realm: &Realm,
        id: MessageId,
        by: Operator,
        pinned: bool,
    ) -> Result<Altered, Refusal> {
        if let Operator::User(user) = &by {
            self.sight(realm, id, &Viewer::User(user.clone())).await?;
        }
        let what = Alteration::Pin {
            pinned,
            members_may: self.policy.members_pin,
        };
        self.alter(realm, id, by, what).await
    }

    /// The pinned messages of a channel that a viewer may see, the one pinned last first.
    ///
    /// # Errors
    /// `NotAMember` for a user who has nothing to do with the channel, or when the store
    /// fails.
    pub async fn pins(
        &self,
        key: &ChannelKey,
        viewer: &Viewer,
    ) -> Result<Vec<(Pin, Message)>, Refusal> {
        let log = self.stores.channels.open(key, LogKind::Chat, false).await?;
        let Some(channel) = log else {
            return match viewer {
                Viewer::User(user) if !super::history::may_exist(key, user) => {
                    Err(Refusal::NotAMember)
                }
                _ => Ok(Vec::new()),
            };
        };
        if let Viewer::User(user) = viewer
            && self.readable_after(user, &channel).await?.is_none()
        {
            return Err(Refusal::NotAMember);
        }
        let mut pins = Vec::new();
        for pin in self.stores.marks.pins(channel.num, MAX_PINS).await? {
            let Some(message) = self.stores.log.by_id(pin.message).await? else {
                continue;
            };
            let is_seen = match viewer {
                Viewer::Application => true,
                Viewer::User(user) => self.sees(user, &message).await?,
            };
            if is_seen {
                pins.push((pin, message));
            }
        }
        Ok(pins)
    }

    /// Deletes messages for one user: they leave their history, what waits for them, their
    /// unread count and their last messages. Their other devices are told. Ids of what the
    /// user does not see are passed over. Returns which of the ids are hidden now.
    ///
    /// # Errors
    /// `TooMany` ids at once, `RateLimited` (it counts like a send), or when the store fails.
    pub async fn hide(
        &self,
        realm: &Realm,
        user: &UserRef,
        ids: &[MessageId],
    ) -> Result<Vec<MessageId>, Refusal> {
        if ids.len() > MAX_BATCH {
            return Err(Refusal::TooMany);
        }
        if !self.budgets.of(user.num).take() {
            return Err(Refusal::RateLimited);
        }
        let mut by_channel: BTreeMap<_, (Arc<ChannelRef>, Vec<Message>)> = BTreeMap::new();
        let mut hidden = Vec::with_capacity(ids.len());
        for &id in ids {
            let message = match self.said(realm, id).await {
                Ok(message) => message,
                Err(Refusal::NoSuchMessage) => continue,
                Err(why) => return Err(why),
            };
            let after = self.readable_after(user, &message.channel).await?;
            let is_seen = after.is_some_and(|after| message.seq > after);
            if is_seen && message.is_for(user.num) {
                hidden.push(id);
                let channel = Arc::clone(&message.channel);
                let of = by_channel.entry(channel.num);
                of.or_insert_with(|| (channel, Vec::new())).1.push(message);
            }
        }
        let marks = Arc::clone(&self.stores.marks);
        let (tells, user) = (self.tells(), user.clone());
        let at_ms = self.parts.clock.now_ms();
        self.to_the_end(async move {
            for (channel, messages) in by_channel.into_values() {
                let seqs: Vec<u64> = messages.iter().map(|message| message.seq).collect();
                let newly = marks.hide(user.num, channel.num, &seqs).await?;
                let newly = messages.iter().filter(|it| newly.contains(&it.seq));
                let names: Vec<_> = newly.map(MessageName::of).collect();
                if !names.is_empty() {
                    let change = Change::Hidden {
                        channel: ChannelName::of(&channel.key),
                        messages: names,
                        at_ms,
                    };
                    let own = ChannelKey::direct(&channel.key.realm, &user.uid, &user.uid);
                    tells.tell(&own, &user, &change).await;
                }
            }
            Ok(())
        })
        .await?;
        Ok(hidden)
    }

    /// Who has read a message, or has not. Its author may ask, who moderates its channel, and
    /// the application. Of a direct channel it is always known; elsewhere of messages that
    /// ask for receipts.
    ///
    /// # Errors
    /// `NoSuchMessage` for who does not see it, `Forbidden` for who sees it and may not ask,
    /// or when the store fails.
    pub async fn readers(
        &self,
        realm: &Realm,
        id: MessageId,
        viewer: &Viewer,
        query: ReadersQuery,
    ) -> Result<Readers, Refusal> {
        let ReadersQuery {
            is_read,
            after,
            limit,
        } = query;
        let message = self.sight(realm, id, viewer).await?;
        if let Viewer::User(user) = viewer
            && message.sender.num != user.num
            && !self.moderates(user, &message.channel).await?
        {
            return Err(Refusal::Forbidden);
        }
        let limit = limit.clamp(1, PAGE);
        if message.channel.key.kind == ChannelKind::DIRECT {
            self.peer_reads(&message, is_read, after).await
        } else if message.body.flags.receipt {
            self.members_read(&message, is_read, after, limit).await
        } else {
            Ok(Readers::default())
        }
    }

    async fn peer_reads(
        &self,
        message: &Message,
        is_read: bool,
        after: Option<UserNum>,
    ) -> Result<Readers, Refusal> {
        let key = &message.channel.key;
        let peer = key.peer_of(message.sender.uid.as_str());
        let uid = peer.map(crate::id::Uid::from_store);
        let peer = match uid.filter(|uid| *uid != message.sender.uid) {
            Some(uid) => self.parts.users.find(&key.realm, &uid).await?,
            None => None,
        };
        let Some(peer) = peer else {
            return Ok(Readers::default());
        };
        let noted = self.stores.receipts.of(message.id, None, 1).await?;
        let row = self
            .stores
            .inbox
            .conversation(peer.num, message.channel.num)
            .await?;
        let has_read = !noted.is_empty() || row.is_some_and(|row| row.read_seq >= message.seq);
        let at_ms = noted.first().map_or(0, |(_, at_ms)| *at_ms);
        let is_asked = has_read == is_read && after.is_none_or(|after| peer.num > after);
        Ok(Readers {
            read_count: has_read.into(),
            unread_count: (!has_read).into(),
            users: is_asked.then_some((peer, at_ms)).into_iter().collect(),
            ..Readers::default()
        })
    }

    async fn members_read(
        &self,
        message: &Message,
        is_read: bool,
        after: Option<UserNum>,
        limit: u32,
    ) -> Result<Readers, Refusal> {
        let states = self.stores.receipts.states(&[message.id]).await?;
        let read_count = states.first().map_or(0, |state| state.read_count);
        let mut readers = Readers {
            read_count,
            unread_count: self.unread_by(message, read_count).await?,
            is_closed: !self.counts_readers(&message.channel.key).await?,
            ..Readers::default()
        };
        if is_read {
            let receipts = &self.stores.receipts;
            let page = receipts.of(message.id, after, limit + 1).await?;
            readers.more = page.len() > limit as usize;
            for (num, at_ms) in page.into_iter().take(limit as usize) {
                let state = self.parts.users.state(num).await?;
                readers.users.push((state.record.user.clone(), at_ms));
            }
            return Ok(readers);
        }
        let mut from = after;
        loop {
            let page = self.asked_page(message, from, PAGE).await?;
            let Some(last) = page.last().map(|user| user.num) else {
                return Ok(readers);
            };
            let receipts = &self.stores.receipts;
            let read = receipts.of(message.id, from, MAX_READERS).await?;
            let unread = page.into_iter().filter(|user| {
                read.binary_search_by_key(&user.num, |(num, _)| *num)
                    .is_err()
            });
            for user in unread {
                if readers.users.len() == limit as usize {
                    readers.more = true;
                    return Ok(readers);
                }
                readers.users.push((user, 0));
            }
            from = Some(last);
        }
    }

    /// How many could read a message beside its author, and have not. Where readers are no
    /// longer counted, those who have read it and left are taken for members.
    async fn unread_by(&self, message: &Message, read_count: u64) -> Result<u64, Refusal> {
        let members = self.channel(&message.channel.key).await?.member_count;
        if members > MAX_COUNTED_MEMBERS && message.body.audience.is_none() {
            return Ok(u64::from(members - 1).saturating_sub(read_count));
        }
        let asked = self.asked_page(message, None, PAGE).await?;
        let read = self.stores.receipts.of(message.id, None, MAX_READERS);
        let read = read.await?;
        let has_read = |user: &UserRef| {
            let place = read.binary_search_by_key(&user.num, |(num, _)| *num);
            place.is_ok()
        };
        Ok(asked.iter().filter(|user| !has_read(user)).count() as u64)
    }

    /// Those who could read a message beside its author, after a user, in order.
    async fn asked_page(
        &self,
        message: &Message,
        after: Option<UserNum>,
        limit: u32,
    ) -> Result<Vec<UserRef>, Refusal> {
        let Some(audience) = &message.body.audience else {
            let members = &self.stores.channels;
            let mut page = members.members(message.channel.num, after, limit).await?;
            if page.len() == 1 && page[0].user.num == message.sender.num {
                // The author alone would look like the end.
                let after = Some(message.sender.num);
                page = members.members(message.channel.num, after, limit).await?;
            }
            let others = page
                .into_iter()
                .map(|member| member.user)
                .filter(|user| user.num != message.sender.num);
            return Ok(others.collect());
        };
        let mut nums: Vec<UserNum> = audience
            .iter()
            .copied()
            .filter(|num| *num != message.sender.num && after.is_none_or(|after| *num > after))
            .collect();
        nums.sort_unstable();
        nums.dedup();
        let mut users = Vec::new();
        for num in nums.into_iter().take(limit as usize) {
            users.push(self.parts.users.state(num).await?.record.user.clone());
        }
        Ok(users)
    }
}
