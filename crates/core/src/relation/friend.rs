//! Friends, the groups that a user sorts them into, and requests to become one.

use crate::change::FriendRequestView;
use crate::id::{UserNum, UserRef};

/// The most friends that a user has.
pub const MAX_FRIENDS: u32 = 5_000;
/// The most requests of one user that wait for an answer.
pub const MAX_OPEN_OUTGOING: u32 = 100;
/// The most requests to one user that wait for an answer.
pub const MAX_OPEN_INCOMING: u32 = 1_000;
/// The most answered requests of one user that are remembered.
pub const MAX_CLOSED: u32 = 1_000;
/// The most friend groups that a user has.
pub const MAX_FRIEND_GROUPS: u32 = 100;
/// The most users that somebody blocks by themselves.
pub const MAX_BLOCKED: usize = 10_000;
/// How long a request waits for an answer, ms.
pub const REQUEST_MS: i64 = 30 * 24 * 3600 * 1000;
/// How long nobody asks the same person again who was refused or has taken it back, ms.
pub const ASK_AGAIN_MS: i64 = 10 * 60 * 1000;
/// How often one asks the same person within a day.
pub const MAX_ASKED_A_DAY: u32 = 5;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// The longest message of a request, characters.
pub const MAX_MESSAGE_CHARS: usize = 500;
/// The longest remark, characters.
pub const MAX_REMARK_CHARS: usize = 100;
/// The longest name of a friend group, characters.
pub const MAX_GROUP_NAME_CHARS: usize = 50;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestStatus {
    /// It waits for an answer.
    Pending,
    /// They are friends.
    Accepted,
    /// The one who was asked does not want to.
    Rejected,
    /// Nobody has answered in time.
    Expired,
    /// The one who asked has taken it back.
    Cancelled,
}

impl RequestStatus {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Accepted,
        Self::Rejected,
        Self::Expired,
        Self::Cancelled,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// The one with a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The stored form.
    #[must_use]
    pub fn bits(self) -> i64 {
        match self {
            Self::Pending => 0,
            Self::Accepted => 1,
            Self::Rejected => 2,
            Self::Expired => 3,
            Self::Cancelled => 4,
        }
    }

    /// From the stored form.
    #[must_use]
    pub fn from_bits(bits: i64) -> Self {
        Self::ALL
            .into_iter()
            .find(|status| status.bits() == bits)
            .unwrap_or(Self::Expired)
    }
}

/// Somebody's wish to be a friend of somebody. Of each pair and direction the last is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendRequest {
    /// Its id; later ones are larger.
    pub id: i64,
    /// Who asks.
    pub from: UserRef,
    /// Who is asked.
    pub to: UserRef,
    /// What they say.
    pub message: String,
    /// What became of it.
    pub status: RequestStatus,
    /// When it was made, ms since 1970.
    pub created_at_ms: i64,
    /// When that became of it, ms since 1970; 0 while it waits.
    pub decided_at_ms: i64,
}

impl FriendRequest {
    /// Until when it waits for an answer, ms since 1970.
    #[must_use]
    pub fn expires_at_ms(&self) -> i64 {
        self.created_at_ms.saturating_add(REQUEST_MS)
    }

    /// As changes show it.
    #[must_use]
    pub fn view(&self) -> FriendRequestView {
        FriendRequestView {
            id: self.id.to_string(),
            from: self.from.uid.as_str().to_owned(),
            to: self.to.uid.as_str().to_owned(),
            message: self.message.clone(),
            status: self.status.name().to_owned(),
            created_at_ms: self.created_at_ms,
        }
    }
}

/// How often somebody has asked the same person within a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asking {
    /// So often.
    pub count: u32,
    /// Since when this is counted, ms since 1970.
    pub since_ms: i64,
}

impl Asking {
    /// With one more.
    #[must_use]
    pub fn once_more(self, now_ms: i64) -> Self {
        if self.count == 0 || now_ms.saturating_sub(self.since_ms) >= DAY_MS {
            return Self {
                count: 1,
                since_ms: now_ms,
            };
        }
        Self {
            count: self.count.saturating_add(1),
            ..self
        }
    }

    /// How long they wait before they ask again after this last request, ms; 0 = not at all.
    #[must_use]
    pub fn wait_ms(self, last: &FriendRequest, now_ms: i64) -> i64 {
        use RequestStatus::{Cancelled, Rejected};
        if !matches!(last.status, Rejected | Cancelled) {
            return 0;
        }
        let soon_ms = last.created_at_ms.saturating_add(ASK_AGAIN_MS);
        let day_ms = match self.count >= MAX_ASKED_A_DAY {
            true => self.since_ms.saturating_add(DAY_MS),
            false => 0,
        };
        // A clock that went back holds nobody up for longer.
        soon_ms.max(day_ms).saturating_sub(now_ms).clamp(0, DAY_MS)
    }
}

/// A friend as the user keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Friend {
    /// Who.
    pub user: UserRef,
    /// What they are called in general.
    pub name: String,
    /// What the user calls them; empty = nothing.
    pub remark: String,
    /// The friend group; 0 = none.
    pub group: i64,
    /// Since when, ms since 1970.
    pub since_ms: i64,
    /// Grows with each change among the user's friends.
    pub version: i64,
    /// False = it is no friend any more.
    pub is_friend: bool,
}

/// A change of how a friend is kept: what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FriendChange {
    /// New remark; empty = none.
    pub remark: Option<String>,
    /// New group; 0 = none.
    pub group: Option<i64>,
}

/// A group of friends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendGroup {
    /// Its id.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// Its place among the user's groups, from 0.
    pub position: u32,
    /// How many friends are in it.
    pub members: u32,
}

/// A new request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRequest {
    /// Its id, if it is new.
    pub id: i64,
    /// Who asks.
    pub from: UserNum,
    /// Who is asked.
    pub to: UserNum,
    /// What they say.
    pub message: String,
    /// How the asking one would keep the other.
    pub keep: FriendChange,
    /// Now, ms since 1970.
    pub now_ms: i64,
}

/// What a request has led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The request; if the other one had asked, too, that one's.
    pub request: FriendRequest,
    /// False = the very same request waited already: nothing has changed.
    pub is_new: bool,
    /// Requests of this pair that ended with it, beside that one.
    pub closed: Vec<FriendRequest>,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// They are friends; so the one who was asked keeps the other.
    Accept(FriendChange),
    /// No.
    Reject,
    /// Never mind.
    Cancel,
}

impl Answer {
    /// What the request is then.
    #[must_use]
    pub fn status(&self) -> RequestStatus {
        match self {
            Self::Accept(_) => RequestStatus::Accepted,
            Self::Reject => RequestStatus::Rejected,
            Self::Cancel => RequestStatus::Cancelled,
        }
    }
}

/// A question for requests, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestQuery {
    /// Whose.
    pub user: UserNum,
    /// True = those to the user, false = those of the user.
    pub incoming: bool,
    /// Only of this status.
    pub status: Option<RequestStatus>,
    /// Only those before this id.
    pub before: i64,
    /// How many at most.
    pub limit: u32,
    /// Now, ms since 1970.
    pub now_ms: i64,
}

/// A question for friends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendQuery {
    /// Whose.
    pub user: UserNum,
    /// Which.
    pub which: WhichFriends,
    /// How many at most.
    pub limit: u32,
}

/// Which friends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichFriends {
    /// Those who are friends, by their numbers, after one.
    Now {
        /// After this one.
        after: UserNum,
        /// Only those whose id, name or remark contains it; empty = all.
        keyword: String,
        /// Only those of this group.
        group: Option<i64>,
    },
    /// Those who changed after a version, by version, with those who are no friends any more.
    Since(i64),
    /// These.
    These(Vec<UserNum>),
}

/// Which sides of a friendship.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// Only what the one keeps.
    One,
    /// Both.
    Both,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_survive_storage_and_have_names() {
        for status in RequestStatus::ALL {
            assert_eq!(RequestStatus::from_bits(status.bits()), status);
            assert_eq!(RequestStatus::parse(status.name()), Some(status));
        }
        assert_eq!(RequestStatus::parse("x"), None);
    }
}
