//! What the core asks of a store about channels.

use std::sync::Arc;

use async_trait::async_trait;

use super::{
    ChannelChange, ChannelKey, ChannelRef, ChannelSettings, FoundMembers, LogKind, Member,
    MemberChange, MemberQuery, MemberRow,
};
use crate::id::{ChannelNum, UserNum};
use crate::store::StoreResult;

/// A channel as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRecord {
    /// Its chat log, to which members and settings belong.
    pub channel: Arc<ChannelRef>,
    /// Its settings.
    pub settings: ChannelSettings,
    /// How many active members it has.
    pub member_count: u32,
}

/// One of a channel's two access lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum List {
    /// Those on it may not send.
    Deny = 0,
    /// If anybody is on it, only those on it may send.
    Allow = 1,
}

/// A change of an access list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListChange {
    /// Puts users on the list.
    Add,
    /// Takes users off the list.
    Remove,
    /// Makes the list exactly these users.
    Set,
}

/// The outcome of a change of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembersChanged {
    /// Those who are members now, of those that the change named to join.
    pub joined: Vec<Member>,
    /// How many active members the channel has now.
    pub member_count: u32,
}

/// The store of channels, members and access lists. Each change is durable when it returns.
#[async_trait]
pub trait Channels: Send + Sync + 'static {
    /// The log of a channel, made if `create` is set and it does not exist. Creating the
    /// command log creates the chat log as well.
    async fn open(
        &self,
        key: &ChannelKey,
        log: LogKind,
        create: bool,
    ) -> StoreResult<Option<Arc<ChannelRef>>>;

    /// A channel with its settings.
    async fn record(&self, key: &ChannelKey) -> StoreResult<Option<ChannelRecord>>;

    /// Creates or changes a channel.
    async fn put(&self, key: &ChannelKey, change: &ChannelChange) -> StoreResult<ChannelRecord>;

    /// Creates a channel with its members, all of it or nothing. `None` if it is there.
    async fn create(
        &self,
        key: &ChannelKey,
        change: &ChannelChange,
        members: &[MemberChange],
    ) -> StoreResult<Option<(ChannelRecord, MembersChanged)>>;

    /// Active members in order of user number, those after `after`, at most `limit`.
    async fn members(
        &self,
        channel: ChannelNum,
        after: Option<UserNum>,
        limit: u32,
    ) -> StoreResult<Vec<Member>>;

    /// Active members that a query wants, in order of user number. For a keyword it looks at a
    /// stretch of the members only, and says after whom to go on.
    async fn find_members(
        &self,
        channel: ChannelNum,
        query: &MemberQuery,
    ) -> StoreResult<FoundMembers>;

    /// An active member.
    async fn member(&self, channel: ChannelNum, user: UserNum) -> StoreResult<Option<Member>>;

    /// Members and former members that have changed after a version, ascending by version, at
    /// most `limit`; more only where several have the last version.
    async fn members_since(
        &self,
        channel: ChannelNum,
        after_version: i64,
        limit: u32,
    ) -> StoreResult<Vec<MemberRow>>;

    /// Changes members in one transaction. A new member's `join_seq` is the channel's head;
    /// one who is a member already keeps theirs.
    async fn change_members(
        &self,
        channel: ChannelNum,
        changes: &[MemberChange],
    ) -> StoreResult<MembersChanged>;

    /// Everybody on the channel's access lists.
    async fn lists(&self, channel: ChannelNum) -> StoreResult<Vec<(List, UserNum)>>;

    /// Changes one access list.
    async fn change_list(
        &self,
        channel: ChannelNum,
        list: List,
        change: ListChange,
        users: &[UserNum],
    ) -> StoreResult<()>;

    /// The chat logs of all channels whose active member a user is. Direct channels have no
    /// members and are not among them.
    async fn of_user(&self, user: UserNum) -> StoreResult<Vec<Arc<ChannelRef>>>;
}
