//! Channels, members and access lists.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Im;
use super::reading::Tells;
use crate::channel::{
    ChannelChange, ChannelKey, ChannelKind, ChannelRecord, List, ListChange, Member, MemberChange,
    settings,
};
use crate::deliver::{Changed, ChannelVerb, Job, Lanes, Moved};
use crate::id::{Realm, Uid, UserNum, UserRef};
use crate::refusal::Refusal;

/// Members changed in one go; sends of the channel pass between two of these.
const CHUNK: usize = 1000;

impl Im {
    /// Has the channel's lane make a change, and tells those who are no members any more,
    /// though the caller goes away.
    async fn change_channel(
        &self,
        key: &ChannelKey,
        verb: ChannelVerb,
    ) -> Result<Changed, Refusal> {
        if key.kind == ChannelKind::DIRECT {
            return Err(Refusal::UnsupportedChannelKind);
        }
        let verb = self.seemly_verb(&key.realm, verb)?;
        let (lanes, tells, key) = (Arc::clone(&self.lanes), self.tells(), key.clone());
        let system = self.user_ref(&key.realm, &Uid::system()).await?;
        self.to_the_end(async move {
            let changed = change(&lanes, &tells, &key, verb).await?;
            for request in &changed.requests {
                tells.join_request(request, &[], &system).await;
            }
            Ok(changed)
        })
        .await
    }

    /// Creates a channel or changes its settings.
    ///
    /// # Errors
    /// `UnsupportedChannelKind` for direct channels, `InvalidChannelId` for a new one with a
    /// name of the server's, or when the store fails.
    pub async fn put_channel(
        &self,
        key: &ChannelKey,
        change: ChannelChange,
    ) -> Result<ChannelRecord, Refusal> {
        self.change_channel(key, ChannelVerb::Put(change)).await?;
        self.channel(key).await
    }

    /// A channel with its settings.
    ///
    /// # Errors
    /// `NoSuchChannel`, or when the store fails.
    pub async fn channel(&self, key: &ChannelKey) -> Result<ChannelRecord, Refusal> {
        self.stores
            .channels
            .record(key)
            .await?
            .ok_or(Refusal::NoSuchChannel)
    }

    /// Changes members; the channel is created if there is none. Returns how many members it
    /// has then. Large changes are made in chunks.
    ///
    /// # Errors
    /// `TooMany` if more would come than may belong to a channel; or as `put_channel`.
    pub async fn change_members(
        &self,
        key: &ChannelKey,
        changes: Vec<MemberChange>,
    ) -> Result<u32, Refusal> {
        if changes.len() <= CHUNK {
            let told = true;
            let verb = ChannelVerb::Members { changes, told };
            return Ok(self.change_channel(key, verb).await?.members);
        }
        if key.kind == ChannelKind::DIRECT {
            return Err(Refusal::UnsupportedChannelKind);
        }
        let told = false;
        let whole = self.seemly_verb(&key.realm, ChannelVerb::Members { changes, told })?;
        let ChannelVerb::Members { changes, .. } = whole else {
            return Err(Refusal::Internal);
        };
        let (lanes, tells, key) = (Arc::clone(&self.lanes), self.tells(), key.clone());
        self.to_the_end(async move {
            // Many are told of as one, also if only some of them could be changed.
            let mut moved = Moved::default();
            let mut changes = changes.into_iter().peekable();
            let mut failed = None;
            while failed.is_none() && changes.peek().is_some() {
                let verb = ChannelVerb::Members {
                    changes: changes.by_ref().take(CHUNK).collect(),
                    told,
                };
                match change(&lanes, &tells, &key, verb).await {
                    Ok(changed) => moved.add(&changed),
                    Err(why) => failed = Some(why),
                }
            }
            let told = change(&lanes, &tells, &key, ChannelVerb::Tell(moved)).await;
            failed.map_or(Ok(told?.members), Err)
        })
        .await
    }

    /// Removes all members but these.
    ///
    /// # Errors
    /// `TooMany` if these are more than may belong to a channel, or as `put_channel`.
    pub async fn keep_members(&self, key: &ChannelKey, keep: Vec<UserRef>) -> Result<u32, Refusal> {
        // Whoever is to have just these is told before anybody is removed.
        if keep.len() > settings::MAX_MEMBERS as usize {
            return Err(Refusal::TooMany);
        }
        let changed = self.change_channel(key, ChannelVerb::KeepOnly(keep));
        Ok(changed.await?.members)
    }

    /// Changes an access list; the channel is created if there is none.
    ///
    /// # Errors
    /// As `put_channel`.
    pub async fn change_list(
        &self,
        key: &ChannelKey,
        list: List,
        change: ListChange,
        users: Vec<UserNum>,
    ) -> Result<(), Refusal> {
        self.change_channel(key, ChannelVerb::List(list, change, users))
            .await
            .map(drop)
    }

    /// Members in order of their numbers, those after `after`.
    ///
    /// # Errors
    /// `NoSuchChannel`, or when the store fails.
    pub async fn members(
        &self,
        key: &ChannelKey,
        after: Option<UserNum>,
        limit: u32,
    ) -> Result<Vec<Member>, Refusal> {
        let channel = self.channel(key).await?.channel;
        Ok(self
            .stores
            .channels
            .members(channel.num, after, limit)
            .await?)
    }

    /// Everybody on one of a channel's access lists; nobody if there is no such channel.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, key: &ChannelKey, list: List) -> Result<Vec<UserRef>, Refusal> {
        self.list_after(key, list, UserNum(0), u32::MAX).await
    }

    /// Those on one of a channel's access lists whose numbers are above one, in the order of
    /// their numbers, at most `limit`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_after(
        &self,
        key: &ChannelKey,
        list: List,
        after: UserNum,
        limit: u32,
    ) -> Result<Vec<UserRef>, Refusal> {
        let Some(record) = self.stores.channels.record(key).await? else {
            return Ok(Vec::new());
        };
        let listed = self.stores.channels.lists(record.channel.num).await?;
        let listed = listed.into_iter();
        let mut wanted: Vec<UserNum> = listed
            .filter(|(of, user)| *of == list && *user > after)
            .map(|(_, user)| user)
            .collect();
        wanted.sort_unstable();
        wanted.truncate(limit as usize);
        let mut users = Vec::with_capacity(wanted.len());
        for user in wanted {
            users.push(self.parts.users.state(user).await?.record.user.clone());
        }
        Ok(users)
    }

    /// Numbers and names of users who are to belong to something, whether or not they exist
    /// yet.
    ///
    /// # Errors
    /// `UserBanned` if one of them was erased, or when the store fails.
    pub async fn user_refs(&self, realm: &Realm, uids: &[Uid]) -> Result<Vec<UserRef>, Refusal> {
        let records = self.parts.users.intern_all(realm, uids).await?;
        if records.iter().any(|record| record.flags.erased) {
            return Err(Refusal::UserBanned);
        }
        Ok(records.into_iter().map(|record| record.user).collect())
    }
}

/// See [`Im::change_channel`].
async fn change(
    lanes: &Lanes,
    tells: &Tells,
    key: &ChannelKey,
    verb: ChannelVerb,
) -> Result<Changed, Refusal> {
    let (done, waiting) = oneshot::channel();
    let job = Job::Change(key.clone(), verb, done);
    lanes
        .put(key, job)
        .await
        .map_err(|_| Refusal::Unavailable)?;
    let changed = waiting.await.unwrap_or(Err(Refusal::Unavailable))?;
    if key.kind.has_conversations() {
        tells.left(key, &changed.left, None).await;
    }
    Ok(changed)
}
