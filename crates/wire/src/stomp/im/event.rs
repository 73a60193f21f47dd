//! Bodies on `/user/queue/events`: `{"event":E,"at":ms,…}` (stomp.md Q2-30).

use std::borrow::Cow;

use serde::Serialize;

use super::{Conversation, ConversationId, Group, Profile};

/// An event and when it happened.
#[derive(Debug, Clone, Serialize)]
pub struct Timed<'a> {
    /// What happened.
    #[serde(flatten)]
    pub event: Event<'a>,
    /// When, in ms since 1970.
    pub at: i64,
}

/// What happened. The name of each is its variant's in upper case.
#[derive(Debug, Clone, Serialize)]
#[serde(
    tag = "event",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum Event<'a> {
    /// A friend has come, or says something else beside being there.
    Online {
        /// The friend.
        user_id: &'a str,
        /// What they say beside that; empty = nothing.
        status: &'a str,
    },
    /// A friend has gone.
    Offline {
        /// The friend.
        user_id: &'a str,
    },
    /// Somebody wants to be a friend.
    FriendRequest(FriendEvent<'a>),
    /// Somebody is a friend now.
    FriendAccepted(FriendEvent<'a>),
    /// Somebody does not want to be a friend.
    FriendRejected(FriendEvent<'a>),
    /// Somebody is no friend any more.
    FriendDeleted(FriendEvent<'a>),
    /// A group was made with the user in it.
    GroupCreated(GroupEvent<'a>),
    /// A group has another name, picture, board or settings.
    GroupUpdated(GroupEvent<'a>),
    /// A group is gone.
    GroupDissolved(GroupEvent<'a>),
    /// Users have come into a group.
    GroupMemberJoined(GroupEvent<'a>),
    /// Users have left a group by themselves.
    GroupLeft(GroupEvent<'a>),
    /// Users were put out of a group.
    GroupKicked(GroupEvent<'a>),
    /// Members have another role.
    GroupRole(GroupEvent<'a>),
    /// Members, or all if none is named, may not speak or may again.
    GroupMuted(GroupEvent<'a>),
    /// Users want to come into a group, were invited to it, or were answered.
    GroupRequest(GroupRequestEvent<'a>),
    /// The user's own settings of a conversation have changed.
    ConversationUpdated {
        /// As it is now.
        conversation: Box<Conversation<'a>>,
    },
    /// The user has read a conversation on another session, or has set it to unread.
    Read {
        /// The conversation.
        conversation_id: ConversationId,
        /// Up to where it is read.
        seq: u64,
        /// How many messages are unread now.
        unread: u64,
    },
    /// A message got or lost a reaction.
    Reaction {
        /// The message.
        message_id: &'a str,
        /// Whose reaction.
        user_id: &'a str,
        /// The reaction.
        emoji: &'a str,
        /// Whether it was taken back.
        removed: bool,
    },
    /// A message was pinned in its conversation, or unpinned.
    MessagePinned {
        /// The message.
        message_id: &'a str,
        /// Where, as the reader sees it.
        conversation_id: ConversationId,
        /// Who did it.
        operator_id: &'a str,
        /// Whether it is pinned now.
        pinned: bool,
    },
    /// The user has deleted messages for themselves.
    MessagesDeleted {
        /// Where, as the reader sees it.
        conversation_id: ConversationId,
        /// Which.
        message_ids: &'a [Cow<'a, str>],
    },
    /// Somebody is a friend, as this says.
    FriendUpdated {
        /// The friend.
        user_id: &'a str,
        /// What the user calls them; empty = nothing.
        remark: &'a str,
        /// The friend group; empty = none.
        group: &'a str,
    },
    /// The user has blocked somebody, or no longer does.
    Blacklist {
        /// Whom.
        user_id: &'a str,
        /// Whether they are blocked now.
        blocked: bool,
    },
    /// A user's profile has changed.
    Profile {
        /// As it is now.
        user: Profile<'a>,
    },
    /// This session ends.
    Kicked {
        /// Why.
        reason: &'a str,
    },
    /// Somebody is writing.
    Typing {
        /// Who.
        user_id: &'a str,
        /// Where, as the reader sees it.
        conversation_id: ConversationId,
    },
    /// The session's token ends soon (stomp.md Q2-3).
    TokenExpiring {
        /// When, in ms since 1970.
        expires_at: i64,
    },
}

/// What events about friends say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FriendEvent<'a> {
    /// The request, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<&'a str>,
    /// The other user.
    pub user_id: &'a str,
    /// What they wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'a str>,
}

/// What events about groups say.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupEvent<'a> {
    /// The group.
    pub group_id: &'a str,
    /// Whom it is about.
    pub user_ids: &'a [&'a str],
    /// Who did it.
    pub operator_id: &'a str,
    /// What it is about.
    #[serde(flatten)]
    pub effect: GroupEffect<'a>,
    /// The group as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Box<Group<'a>>>,
}

/// What those are now whom an event about a group is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(untagged)]
pub enum GroupEffect<'a> {
    /// What they were.
    #[default]
    None,
    /// OWNER, ADMIN or MEMBER.
    #[serde(rename_all = "camelCase")]
    Role {
        /// Which of these.
        role: &'a str,
    },
    /// What they are called there.
    #[serde(rename_all = "camelCase")]
    Nick {
        /// Empty = nothing of their own.
        nick: &'a str,
    },
    /// Whether they may speak.
    #[serde(rename_all = "camelCase")]
    Muting {
        /// They may not.
        muted: bool,
        /// Until when, in ms since 1970; `None` = for good, or not at all.
        muted_until: Option<i64>,
    },
}

/// What events about requests to come into a group say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupRequestEvent<'a> {
    /// The group.
    pub group_id: &'a str,
    /// Who would come in.
    pub user_ids: &'a [&'a str],
    /// Who asked, invited or answered.
    pub operator_id: &'a str,
    /// The request.
    pub request_id: &'a str,
    /// PENDING, ACCEPTED, REJECTED, EXPIRED or CANCELLED.
    pub status: &'a str,
    /// What they wrote.
    pub message: &'a str,
}
