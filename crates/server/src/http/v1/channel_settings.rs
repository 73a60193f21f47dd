//! A channel's settings as callers give and see them.

use crosstalk_core::channel::settings::{
    MAX_ANNOUNCEMENT_CHARS, MAX_AVATAR_CHARS, MAX_MEMBERS, MAX_NAME_CHARS,
};
use crosstalk_core::channel::{self, ChannelChange, ChannelRecord};
use crosstalk_core::id::UserRef;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::acting::{check_text, muted_until, muting};
use super::input;
use super::problem::Problem;
use super::view::KindName;

/// From where members may read a channel's history.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum History {
    /// Everything there is.
    All,
    /// Only what was said since they joined.
    SinceJoin,
}

/// How users join.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum JoinMode {
    /// Whoever wants to.
    Free,
    /// Whoever asks, if one who moderates agrees.
    Approval,
    /// Only who is invited.
    Invite,
}

/// Which members may do something.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Circle {
    /// Every member.
    All,
    /// The owner and the administrators.
    Administrators,
}

/// Core's enum and the one that is described, back and forth.
macro_rules! the_same {
    ($($name:ident { $($variant:ident),+ } = $core:path;)+) => { $(
        impl From<$core> for $name {
            fn from(from: $core) -> Self {
                match from { $(<$core>::$variant => Self::$variant,)+ }
            }
        }

        impl From<$name> for $core {
            fn from(from: $name) -> Self {
                match from { $($name::$variant => Self::$variant,)+ }
            }
        }
    )+ };
}

the_same! {
    History { All, SinceJoin } = channel::HistoryFrom;
    JoinMode { Free, Approval, Invite } = channel::JoinMode;
    Circle { All, Administrators } = channel::Circle;
}

/// What the members of a channel should know.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Announcement {
    /// What it says.
    text: String,
    /// Who wrote it; null = the application.
    by: Option<String>,
    /// When, ms since 1970.
    at: i64,
}

/// A channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Channel, example = json!({
    "kind": "group",
    "id": "team",
    "name": "The team",
    "avatar": "",
    "announcement": {"text": "Lunch at noon", "by": "alice", "at": 1_715_000_001_234_i64},
    "owner": "alice",
    "ban": false,
    "disband": false,
    "send_ban": false,
    "large": false,
    "allow_stranger": false,
    "history": "all",
    "join_mode": "approval",
    "invite_by": "all",
    "edit_by": "administrators",
    "mention_all_by": "administrators",
    "pin_by": "administrators",
    "speak": "all",
    "muted": false,
    "muted_until_at": null,
    "tips": true,
    "max_members": 0,
    "member_count": 2,
    "created_at": 1_715_000_000_000_i64,
}))]
#[allow(clippy::struct_excessive_bools)] // independent switches
pub(super) struct ChannelView {
    /// The kind.
    #[schema(value_type = KindName)]
    kind: &'static str,
    /// The id within its kind.
    id: String,
    /// What people call it.
    name: Option<String>,
    /// Address of its picture; empty = none.
    avatar: String,
    /// What its members should know; null = nothing.
    announcement: Option<Announcement>,
    /// Its owner; null = none.
    owner: Option<String>,
    /// Nobody may send.
    ban: bool,
    /// Dissolved for good.
    disband: bool,
    /// Nobody but owner, administrators and system may send.
    send_ban: bool,
    /// A mark for clients that ask.
    large: bool,
    /// Whoever writes needs no place on the allow list.
    allow_stranger: bool,
    /// From where members may read.
    history: History,
    /// How users join.
    join_mode: JoinMode,
    /// Who may invite.
    invite_by: Circle,
    /// Who may change name, picture and announcement.
    edit_by: Circle,
    /// Who may mention all.
    mention_all_by: Circle,
    /// Who may pin messages for all.
    pin_by: Circle,
    /// Who may send.
    speak: Circle,
    /// All but owner and administrators are muted now.
    muted: bool,
    /// Until when, ms since 1970; null = for good, or not at all.
    muted_until_at: Option<i64>,
    /// Who joins and who leaves is said in the chat.
    tips: bool,
    /// How many members there may be; 0 = not limited (where users let others in: 100,000).
    max_members: u32,
    /// How many members it has.
    member_count: u32,
    /// When it was made, ms since 1970; null = not known.
    created_at: Option<i64>,
}

impl ChannelView {
    /// A channel whose owner is known, at a time.
    pub(super) fn new(record: ChannelRecord, owner: Option<UserRef>, now_ms: i64) -> Self {
        let settings = record.settings;
        let (muted, muted_until_at) = muting(settings.muted_until_ms, now_ms);
        let announcement = settings.announcement;
        let announcement = (!announcement.text.is_empty()).then(|| Announcement {
            text: announcement.text,
            by: Some(announcement.by).filter(|by| !by.is_empty()),
            at: announcement.at_ms,
        });
        Self {
            kind: record.channel.key.kind.name(),
            id: record.channel.key.id.to_string(),
            name: settings.name,
            avatar: settings.avatar,
            announcement,
            owner: owner.map(|owner| owner.uid.as_str().to_owned()),
            ban: settings.ban,
            disband: settings.disband,
            send_ban: settings.send_ban,
            large: settings.large,
            allow_stranger: settings.allow_stranger,
            history: settings.history.into(),
            join_mode: settings.join_mode.into(),
            invite_by: settings.invite_by.into(),
            edit_by: settings.edit_by.into(),
            mention_all_by: settings.mention_all_by.into(),
            pin_by: settings.pin_by.into(),
            speak: settings.speak.into(),
            muted,
            muted_until_at,
            tips: settings.tips,
            max_members: settings.max_members,
            member_count: record.member_count,
            created_at: (settings.created_at_ms > 0).then_some(settings.created_at_ms),
        }
    }
}

/// A body with a channel's settings, and fields of its own before them.
macro_rules! with_settings {
    ($(#[$meta:meta])* struct $name:ident { $($(#[$own_meta:meta])* $own:ident: $type:ty,)* }) => {
        $(#[$meta])*
        pub(super) struct $name {
            $($(#[$own_meta])* pub(super) $own: $type,)*
            /// What people call it.
            #[schema(max_length = 200)]
            name: Option<String>,
            /// Address of its picture; empty = none.
            #[schema(max_length = 1000)]
            avatar: Option<String>,
            /// What its members should know; empty = nothing.
            #[schema(max_length = 4000)]
            announcement: Option<String>,
            /// Nobody may send. Only the application says so.
            ban: Option<bool>,
            /// Dissolved for good. Only the application says so here; the owner deletes it.
            disband: Option<bool>,
            /// Nobody but owner, administrators and system may send. Only the application says so.
            send_ban: Option<bool>,
            /// A mark for clients that ask. Only the application sets it.
            large: Option<bool>,
            /// Whoever writes needs no place on the allow list. Only the application says so.
            allow_stranger: Option<bool>,
            /// From where members may read.
            history: Option<History>,
            /// How users join.
            join_mode: Option<JoinMode>,
            /// Who may invite.
            invite_by: Option<Circle>,
            /// Who may change name, picture and announcement.
            edit_by: Option<Circle>,
            /// Who may mention all.
            mention_all_by: Option<Circle>,
            /// Who may pin messages for all.
            pin_by: Option<Circle>,
            /// Who may send.
            speak: Option<Circle>,
            /// All but owner and administrators are muted; `true` without `muted_until_at`:
            /// for good.
            muted: Option<bool>,
            /// They are muted until then, ms since 1970.
            muted_until_at: Option<i64>,
            /// Who joins and who leaves is said in the chat.
            tips: Option<bool>,
            /// How many members there may be; 0 = not limited.
            #[schema(maximum = 100_000)]
            max_members: Option<u32>,
        }

        impl $name {
            /// The change that it asks for.
            pub(super) fn change(&self) -> Result<ChannelChange, Problem> {
                Given {
                    name: self.name.clone(),
                    avatar: self.avatar.clone(),
                    announcement: self.announcement.clone(),
                    muted: self.muted,
                    muted_until_at: self.muted_until_at,
                    max_members: self.max_members,
                }
                .check(ChannelChange {
                    ban: self.ban,
                    disband: self.disband,
                    send_ban: self.send_ban,
                    large: self.large,
                    allow_stranger: self.allow_stranger,
                    history: self.history.map(Into::into),
                    join_mode: self.join_mode.map(Into::into),
                    invite_by: self.invite_by.map(Into::into),
                    edit_by: self.edit_by.map(Into::into),
                    mention_all_by: self.mention_all_by.map(Into::into),
                    pin_by: self.pin_by.map(Into::into),
                    speak: self.speak.map(Into::into),
                    tips: self.tips,
                    ..ChannelChange::default()
                })
            }
        }
    };
}

/// What has limits.
struct Given {
    name: Option<String>,
    avatar: Option<String>,
    announcement: Option<String>,
    muted: Option<bool>,
    muted_until_at: Option<i64>,
    max_members: Option<u32>,
}

impl Given {
    #[allow(
        clippy::needless_pass_by_value,
        reason = "what it has goes into the outcome"
    )]
    fn check(self, rest: ChannelChange) -> Result<ChannelChange, Problem> {
        if let Some(name) = &self.name {
            input::check_name("name", name, MAX_NAME_CHARS)?;
        }
        if let Some(avatar) = &self.avatar {
            input::check_name("avatar", avatar, MAX_AVATAR_CHARS)?;
        }
        if let Some(text) = &self.announcement {
            check_text("announcement", text, MAX_ANNOUNCEMENT_CHARS)?;
        }
        if self.max_members.is_some_and(|most| most > MAX_MEMBERS) {
            let wrong = format_args!("is at most {MAX_MEMBERS}");
            return Err(Problem::field("max_members", wrong));
        }
        Ok(ChannelChange {
            name: self.name,
            avatar: self.avatar,
            announcement: self.announcement.map(|text| channel::Announcement {
                text,
                ..channel::Announcement::default()
            }),
            muted_until_ms: muted_until(self.muted, self.muted_until_at)?,
            max_members: self.max_members,
            ..rest
        })
    }
}

with_settings! {
    /// A change of a channel. What is absent stays as it is.
    #[derive(Debug, Deserialize, ToSchema)]
    #[schema(as = ChannelChange, example = json!({
        "name": "The team",
        "owner": "alice",
        "members": ["alice", "bob"],
    }))]
    struct PutChannel {
        /// The owner, who becomes a member; a former owner becomes an administrator.
        owner: Option<String>,
        /// All members. Those who are not named leave, but the owner stays.
        members: Option<Vec<String>>,
    }
}

with_settings! {
    /// A new channel.
    #[derive(Debug, Deserialize, ToSchema)]
    #[schema(as = NewChannel, example = json!({
        "kind": "group",
        "name": "The team",
        "owner": "alice",
        "members": ["bob", "carol"],
        "join_mode": "approval",
    }))]
    struct NewChannel {
        /// The kind, by name; `group` if absent. Users make groups and communities.
        #[schema(value_type = Option<KindName>)]
        kind: Option<String>,
        /// Its id; one is made if absent.
        id: Option<String>,
        /// The owner, who becomes a member; with a user token the user.
        owner: Option<String>,
        /// Its first members.
        members: Option<Vec<String>>,
    }
}

with_settings! {
    /// A change of a channel's settings. What is absent stays as it is.
    #[derive(Debug, Deserialize, ToSchema)]
    #[schema(as = ChannelPatch, example = json!({
        "announcement": "Lunch at noon",
        "operator": "alice",
    }))]
    struct PatchChannel {
        /// The user in whose name it is done, with the user's rights. Absent: the application
        /// itself; with a user token the user.
        operator: Option<String>,
    }
}
