//! Records of groups, conversations and users, as events carry them and REST
//! answers them (stomp.md Q2-31, D.b.2).

use serde::Serialize;
use serde_json::value::RawValue;

use super::{ChatType, ConversationId, ImMessage};

/// A group.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group<'a> {
    /// Its id.
    pub group_id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Where its picture is; empty = nowhere.
    pub avatar: &'a str,
    /// Its owner; `None` if it has none.
    pub owner_id: Option<&'a str>,
    /// How many members it has.
    pub member_count: u64,
    /// What its board says; empty = nothing.
    pub announcement: &'a str,
    /// How users come in.
    pub join_mode: JoinMode,
    /// Whether all but owner and administrators are muted.
    pub muted: bool,
    /// Until when, in ms since 1970; `None` = for good, or not at all.
    pub muted_until: Option<i64>,
    /// Nobody sends or joins any more.
    pub dissolved: bool,
    /// Who may do what.
    pub permissions: Permissions,
    /// When it was made, in ms since 1970; `None` if that is not known.
    pub created_at: Option<i64>,
}

/// How users come into a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum JoinMode {
    /// Everybody may.
    Free,
    /// A request has to be accepted.
    Approve,
    /// Only by invitation.
    Invite,
}

/// Who may do something in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Who {
    /// Every member.
    All,
    /// The owner and administrators.
    Admin,
}

/// Who may do what in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Permissions {
    /// How users come in.
    pub join_mode: JoinMode,
    /// Who may invite.
    pub invite_by: Who,
    /// Who may change name, picture and board.
    pub edit_info_by: Who,
    /// Who may mention everybody.
    pub at_all_by: Who,
    /// Who may pin messages.
    pub pin_by: Who,
    /// Who may speak.
    pub speak: Who,
}

/// A conversation as one user has it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conversation<'a> {
    /// Its id.
    pub id: ConversationId,
    /// With whom.
    pub chat_type: ChatType,
    /// The other user or the group.
    pub target_id: &'a str,
    /// Unread messages.
    pub unread: u64,
    /// How many of them mention the user; `None` = it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentions: Option<u64>,
    /// Whether it is kept on top.
    pub pinned: bool,
    /// Whether it does not disturb.
    pub muted: bool,
    /// Until when it does not disturb, in ms since 1970; `None` = it does, or never ends.
    pub muted_until: Option<i64>,
    /// Whether the user has marked it, for example as unread.
    pub marked: bool,
    /// Whether it is out of the list until somebody speaks.
    pub hidden: bool,
    /// Whether it was deleted, with its history.
    pub deleted: bool,
    /// A message that is being written.
    pub draft: Option<&'a str>,
    /// The last message that the user has read.
    pub read_seq: u64,
    /// The last message.
    pub last_message: Option<ImMessage<'a>>,
    /// When something last changed, in ms since 1970.
    pub updated_at: i64,
}

/// A user.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile<'a> {
    /// The user's id.
    pub user_id: &'a str,
    /// What people call them.
    pub nickname: Option<&'a str>,
    /// Where their picture is.
    pub avatar: Option<&'a str>,
    /// As the user wrote it.
    pub gender: Option<&'a str>,
    /// A few words of theirs.
    pub signature: Option<&'a str>,
    /// An object of the app's own.
    pub extra: Option<&'a RawValue>,
}
