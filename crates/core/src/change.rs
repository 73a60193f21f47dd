//! What becomes of a channel or of somebody's view of one, as entries of a command log
//! (architecture.md §2): what changes for everybody stands in the channel's own, what concerns
//! one user in that of the user's notes to themselves. So devices that were away get it, too.
//! Each dialect renders an entry in its own way, or not at all.

mod name;
mod personal;
mod view;

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use self::name::{ChannelName, MessageName};
pub use self::view::{
    ChannelView, ConversationView, EditedBody, FriendRequestView, JoinRequestView,
};
use crate::channel::Address;
use crate::message::{Body, Draft, Flags, Message, OnReuse, Origin};

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A message of the channel was revoked. In the channel's command log.
    Revoked {
        /// Which.
        message: MessageName,
        /// By whom; `None` = the application.
        by: Option<String>,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// Somebody has read what the user sent. In the author's own command log.
    Read {
        /// Where.
        channel: ChannelName,
        /// Who has read.
        reader: String,
        /// Everything up to this seq is read.
        up_to: u64,
        /// The author's messages that are newly read, newest first; not all if they are many.
        messages: Vec<MessageName>,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// The user has read, or set to unread, a conversation. In the user's own command log.
    Unread {
        /// Which.
        channel: ChannelName,
        /// Read up to this seq.
        read_seq: u64,
        /// How many messages are unread now.
        unread: u64,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// The user is no member of a channel any more. In the user's own command log.
    Left {
        /// Which.
        channel: ChannelName,
        /// Who removed the user; the user itself if it left; `None` = the application.
        by: Option<String>,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// What a message of the channel says was replaced. In the channel's command log.
    Edited {
        /// Which.
        message: MessageName,
        /// By whom; `None` = the application.
        by: Option<String>,
        /// How often it was edited, with this.
        n: u32,
        /// What it says now. Gone once the message is: then it says nothing.
        body: EditedBody,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// A message of the channel was deleted for everybody: unlike a revoked one nothing says
    /// that it was there. In the channel's command log.
    Deleted {
        /// Which.
        message: MessageName,
        /// By whom; `None` = the application.
        by: Option<String>,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// The time of messages of the channel is over. In the channel's command log.
    Expired {
        /// Which.
        messages: Vec<MessageName>,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// Somebody has put a reaction to a message of the channel, or has taken it away. In the
    /// channel's command log.
    Reacted {
        /// To which.
        message: MessageName,
        /// Who.
        user: String,
        /// Which.
        emoji: String,
        /// It is taken away.
        removed: bool,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// A message of the channel was pinned there, or unpinned. In the channel's command log.
    Pinned {
        /// Which.
        message: MessageName,
        /// By whom; `None` = the application.
        by: Option<String>,
        /// True = it is pinned now.
        pinned: bool,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// Somebody is writing in the channel. Not stored.
    Typing {
        /// Who.
        user: String,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// The user has deleted messages for themselves. In the user's own command log.
    Hidden {
        /// Where.
        channel: ChannelName,
        /// Which.
        messages: Vec<MessageName>,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// The user has changed how a conversation is kept: pinned, muted, marked, its draft,
    /// hidden, cleared, deleted. In the user's own command log.
    Conversation {
        /// Which.
        channel: ChannelName,
        /// How it is now.
        view: ConversationView,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// The channel was made. In its command log.
    ChannelCreated {
        /// By whom; `None` = the application.
        by: Option<String>,
        /// What it is.
        channel: ChannelView,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// The channel's name, announcement, permissions or other settings have changed. In its
    /// command log.
    ChannelUpdated {
        /// By whom; `None` = the application.
        by: Option<String>,
        /// What it is now.
        channel: ChannelView,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// The channel is dissolved for good. In its command log.
    ChannelDissolved {
        /// By whom; `None` = the application.
        by: Option<String>,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// Users are members of the channel now. In its command log.
    Joined {
        /// Who; of very many only the first.
        users: Vec<String>,
        /// How many there are.
        count: u32,
        /// By whom they were let in; a user of theirs if they came by themselves; `None` = the
        /// application.
        by: Option<String>,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// Users are no members of the channel any more: what the others are told. In the
    /// channel's command log.
    Departed {
        /// Who; of very many only the first.
        users: Vec<String>,
        /// How many there are.
        count: u32,
        /// Who removed them; the user if they left by themselves; `None` = the application.
        by: Option<String>,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// What a member of the channel is has changed. In the channel's command log.
    MemberChanged {
        /// Who.
        user: String,
        /// By whom; `None` = the application.
        by: Option<String>,
        /// The new role: `owner`, `administrator`, `member`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<String>,
        /// The new name there; empty = none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nick: Option<String>,
        /// Muted there until now, ms since 1970; 0 = not muted any more, `i64::MAX` = for good.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        muted_until_ms: Option<i64>,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// Somebody wants to join a channel, was invited to it, or was answered. In the own
    /// command log of each whom it concerns: those who may decide, and the one it is about.
    JoinRequest {
        /// The request as it is now.
        request: JoinRequestView,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// Somebody wants to be a friend, or has answered. In the own command log of both.
    FriendRequest {
        /// The request as it is now.
        request: FriendRequestView,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// The user has a friend that was none, has one no longer, or keeps one differently
    /// (remark, friend group). In the user's own command log.
    Friend {
        /// Who.
        user: String,
        /// False = it is no friend any more.
        is_friend: bool,
        /// What the user calls them; empty = nothing.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        remark: String,
        /// The friend group; empty = none.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        group: String,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// The user blocks somebody, or no longer. In the user's own command log.
    Blocked {
        /// Whom.
        user: String,
        /// True = blocked now.
        blocked: bool,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// The profile of the user has changed. In the user's own command log, and not stored for
    /// those of their friends who are there.
    Profile {
        /// Whose.
        user: String,
        /// The profile, a JSON object.
        profile: serde_json::Value,
        /// When, ms since 1970.
        at_ms: i64,
    },
}

impl Change {
    /// What a message of a command log says has changed, if the core wrote it.
    #[must_use]
    pub fn of(message: &Message) -> Option<Self> {
        (message.body.origin == Origin::CHANGE)
            .then(|| serde_json::from_slice(&message.body.payload).ok())
            .flatten()
    }

    /// Its name, as it is stored beside it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Revoked { .. } => "revoked",
            Self::Read { .. } => "read",
            Self::Unread { .. } => "unread",
            Self::Left { .. } => "left",
            Self::Edited { .. } => "edited",
            Self::Deleted { .. } => "deleted",
            Self::Expired { .. } => "expired",
            Self::Reacted { .. } => "reacted",
            Self::Pinned { .. } => "pinned",
            Self::Typing { .. } => "typing",
            Self::Hidden { .. } => "hidden",
            Self::Conversation { .. } => "conversation",
            Self::ChannelCreated { .. } => "channel_created",
            Self::ChannelUpdated { .. } => "channel_updated",
            Self::ChannelDissolved { .. } => "channel_dissolved",
            Self::Joined { .. } => "joined",
            Self::Departed { .. } => "departed",
            Self::MemberChanged { .. } => "member_changed",
            Self::JoinRequest { .. } => "join_request",
            Self::FriendRequest { .. } => "friend_request",
            Self::Friend { .. } => "friend",
            Self::Blocked { .. } => "blocked",
            Self::Profile { .. } => "profile",
        }
    }

    /// The entry of a command log that says it.
    pub(crate) fn draft(&self, to: Address) -> Draft {
        Draft {
            to,
            body: Body {
                origin: Origin::CHANGE,
                tag: Arc::from(self.name()),
                flags: Flags {
                    command: true,
                    ..Flags::default()
                },
                payload: serde_json::to_vec(self)
                    .map(Bytes::from)
                    .unwrap_or_default(),
                ..Body::default()
            },
            on_reuse: OnReuse::Store,
            require_peer: false,
            fault: None,
        }
    }
}
