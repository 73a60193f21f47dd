//! Who belongs to a channel.

use crate::id::{UserNum, UserRef};

/// A member's role. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum MemberRole {
    /// An ordinary member.
    #[default]
    Member = 0,
    /// May moderate.
    Administrator = 1,
    /// Owns the channel; at most one.
    Owner = 2,
}

impl MemberRole {
    /// The role with a stored number; an unknown one is an ordinary member.
    #[must_use]
    pub fn from_number(number: i64) -> Self {
        match number {
            1 => Self::Administrator,
            2 => Self::Owner,
            _ => Self::Member,
        }
    }

    /// The role's name in REST.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Administrator => "administrator",
            Self::Owner => "owner",
        }
    }
}

/// Whether a member row is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberState {
    /// Belongs to the channel.
    Active = 1,
    /// Left or was removed; the row keeps the version for synchronisation.
    Left = 0,
}

/// The longest name that somebody has in a channel, characters.
pub const MAX_NICK_CHARS: usize = 64;
/// How many administrators a channel may have.
pub const MAX_ADMINISTRATORS: usize = 50;

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: UserRef,
    /// Their role.
    pub role: MemberRole,
    /// The channel's last seq when they joined: what was before is never unread.
    pub join_seq: u64,
    /// Until when they may not send, ms since 1970; 0 = not muted, `i64::MAX` = for good.
    pub muted_until_ms: i64,
    /// What they are called there; empty = nothing of their own.
    pub nick: String,
    /// When they joined, ms since 1970; 0 = not known.
    pub joined_at_ms: i64,
}

/// A member or former member, for those who ask what has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// What they are, or were.
    pub member: Member,
    /// Whether they belong to the channel.
    pub state: MemberState,
    /// Grows with each change in the channel.
    pub version: i64,
}

/// Which members are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberQuery {
    /// Those with this role or a higher one.
    pub at_least: MemberRole,
    /// Those whose name there, uid, or name everywhere has this in it, in whatever case of
    /// letters; empty = all.
    pub keyword: String,
    /// Those after this number, in order of numbers.
    pub after: Option<UserNum>,
    /// How many at most.
    pub limit: u32,
}

/// Members that were found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundMembers {
    /// At most as many as were asked for.
    pub rows: Vec<MemberRow>,
    /// After whom to go on: there may be more although there are fewer than asked for. `None`
    /// = all were looked at, or there are as many as asked for.
    pub next: Option<UserNum>,
}

/// A change of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberChange {
    /// Joins as an ordinary member; one who is a member already stays what they are.
    Enter(UserRef),
    /// Joins with a role, or gets that role if already a member.
    Join(UserRef, MemberRole),
    /// Leaves or is removed.
    Leave(UserRef),
    /// Is called something else there. Nothing for who is no member.
    Nick(UserRef, String),
    /// May not send until then, ms since 1970; 0 = may. Nothing for who is no member.
    Mute(UserRef, i64),
}
