//! Of channels, their members, and requests to become one.

use crosstalk_core::change::{ChannelView, JoinRequestView};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Channel, filled, muting};

/// A channel that was made, or is something else now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookChannelChanged)]
pub(in crate::hooks) struct ChannelData {
    /// Which.
    pub(in crate::hooks) channel: Channel,
    /// By whom; null = the application.
    pub(in crate::hooks) by: Option<String>,
    /// What it is now.
    pub(in crate::hooks) info: ChannelInfo,
}

/// What a channel is to its members.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookChannelInfo)]
pub(in crate::hooks) struct ChannelInfo {
    /// What people call it; empty = nothing.
    name: String,
    /// Address of its picture; empty = none.
    avatar: String,
    /// What its members should know; empty = nothing.
    announcement: String,
    /// Its owner; null = none.
    owner: Option<String>,
    /// How many members it has.
    member_count: u32,
    /// How one joins: `free`, `approval`, `invite`.
    join_mode: String,
    /// Who may invite: `all`, `administrators`.
    invite_by: String,
    /// Who may change name, picture and announcement: `all`, `administrators`.
    edit_by: String,
    /// Who may mention all: `all`, `administrators`.
    mention_all_by: String,
    /// Who may speak: `all`, `administrators`.
    speak: String,
    /// All but owner and administrators are muted.
    muted: bool,
    /// Until when, ms since 1970; null = for good, or not at all.
    muted_until_at: Option<i64>,
    /// What of the channel has changed, by the names that `PATCH /v1/channels/{kind}/{id}` has;
    /// empty of one that was made.
    changed: Vec<String>,
}

impl ChannelInfo {
    pub(in crate::hooks) fn of(view: &ChannelView, at_ms: i64) -> Self {
        let (muted, muted_until_at) = muting(view.muted_until_ms, at_ms);
        let changed = view.changed.iter().map(|name| match name.as_str() {
            "title" => "name".to_owned(),
            "muted_until_ms" => "muted".to_owned(),
            other => other.to_owned(),
        });
        Self {
            name: view.title.clone(),
            avatar: view.avatar.clone(),
            announcement: view.announcement.clone(),
            owner: filled(&view.owner),
            member_count: view.member_count,
            join_mode: view.join_mode.clone(),
            invite_by: view.invite_by.clone(),
            edit_by: view.edit_by.clone(),
            mention_all_by: view.mention_all_by.clone(),
            speak: view.speak.clone(),
            muted,
            muted_until_at,
            changed: changed.collect(),
        }
    }
}

/// A channel that is dissolved for good.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookChannelDissolved)]
pub(in crate::hooks) struct DissolvedData {
    /// Which.
    pub(in crate::hooks) channel: Channel,
    /// By whom; null = the application.
    pub(in crate::hooks) by: Option<String>,
}

/// Users who are members now, or no longer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookMembers)]
pub(in crate::hooks) struct MembersData {
    /// Of which channel.
    pub(in crate::hooks) channel: Channel,
    /// Who; of very many only the first.
    pub(in crate::hooks) users: Vec<String>,
    /// How many there are.
    pub(in crate::hooks) count: u32,
    /// Who has let them in or removed them, the user if they did it by themselves; null = the
    /// application.
    pub(in crate::hooks) by: Option<String>,
}

/// A member who is something else now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookMemberChanged)]
pub(in crate::hooks) struct MemberChangedData {
    /// Of which channel.
    pub(in crate::hooks) channel: Channel,
    /// Who.
    pub(in crate::hooks) user: String,
    /// By whom; null = the application.
    pub(in crate::hooks) by: Option<String>,
    /// The new role: `owner`, `administrator`, `member`; null = it stays.
    role: Option<String>,
    /// The new name there, empty = none; null = it stays.
    nick: Option<String>,
    /// Whether they are muted now; null = that stays.
    muted: Option<bool>,
    /// Until when, ms since 1970; null = for good, or not at all, or that stays.
    muted_until_at: Option<i64>,
}

impl MemberChangedData {
    /// What has changed of a user; `None` = that stays. `muting` is until when they are muted
    /// and when that was said, both in ms since 1970.
    pub(in crate::hooks) fn new(
        (channel, user, by): (Channel, &str, Option<&String>),
        role: Option<&String>,
        nick: Option<&String>,
        (until_ms, at_ms): (Option<i64>, i64),
    ) -> Self {
        let muting = until_ms.map(|until_ms| muting(until_ms, at_ms));
        Self {
            channel,
            user: user.to_owned(),
            by: by.cloned(),
            role: role.cloned(),
            nick: nick.cloned(),
            muted: muting.map(|(muted, _)| muted),
            muted_until_at: muting.and_then(|(_, until)| until),
        }
    }
}

/// A request to join a channel, or an invitation, that was made or answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookJoinRequestChanged)]
pub(in crate::hooks) struct JoinRequestData {
    /// The request as it is now.
    pub(in crate::hooks) request: JoinRequestBody,
}

/// A request to join a channel, or an invitation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookJoinRequest)]
pub(in crate::hooks) struct JoinRequestBody {
    /// Its id.
    id: String,
    /// The channel.
    channel: Channel,
    /// Who would join.
    user: String,
    /// Who has invited them; null = they ask by themselves, or the application invites.
    inviter: Option<String>,
    /// Who answers: `moderators`, or the `user` who was invited.
    decided_by: String,
    /// What was said with it.
    message: String,
    /// `pending`, `accepted`, `rejected`, `expired`, `cancelled`.
    status: String,
    /// Who has answered; null = nobody, or the application.
    by: Option<String>,
    /// When it was made, ms since 1970.
    created_at: i64,
}

impl From<&JoinRequestView> for JoinRequestBody {
    fn from(view: &JoinRequestView) -> Self {
        Self {
            id: view.id.clone(),
            channel: Channel::of(&view.channel),
            user: view.user.clone(),
            inviter: filled(&view.inviter),
            decided_by: view.decider.clone(),
            message: view.message.clone(),
            status: view.status.clone(),
            by: filled(&view.by),
            created_at: view.created_at_ms,
        }
    }
}
