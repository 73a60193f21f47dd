//! Who belongs to a channel.

use crate::id::UserRef;

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

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: UserRef,
    /// Their role.
    pub role: MemberRole,
    /// The channel's last seq when they joined: what was before is never unread.
    pub join_seq: u64,
    /// Until when they may not send, ms since 1970; 0 = not muted.
    pub muted_until_ms: i64,
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
}
