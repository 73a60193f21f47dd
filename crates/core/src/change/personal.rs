//! What a change says of somebody that is not to be told once they are erased.

use super::Change;

impl Change {
    /// The [names](Self::name) of changes that may say something personal of a user outside the
    /// user's own command log.
    pub const PERSONAL: [&'static str; 6] = [
        "reacted",
        "member_changed",
        "join_request",
        "friend_request",
        "friend",
        "profile",
    ];

    /// Whether it says more of a user than that it was they: how they call themselves or are
    /// called, what they have said or felt. Who joined, left or moderated stays.
    #[must_use]
    pub fn tells_of(&self, uid: &str) -> bool {
        match self {
            Self::Reacted { user, .. }
            | Self::Friend { user, .. }
            | Self::Profile { user, .. }
            | Self::MemberChanged {
                user,
                nick: Some(_),
                ..
            } => user == uid,
            Self::JoinRequest { request, .. } => request.user == uid || request.inviter == uid,
            Self::FriendRequest { request, .. } => request.from == uid || request.to == uid,
            Self::MemberChanged { nick: None, .. }
            | Self::Revoked { .. }
            | Self::Read { .. }
            | Self::Unread { .. }
            | Self::Left { .. }
            | Self::Edited { .. }
            | Self::Deleted { .. }
            | Self::Expired { .. }
            | Self::Pinned { .. }
            | Self::Typing { .. }
            | Self::Hidden { .. }
            | Self::Conversation { .. }
            | Self::ChannelCreated { .. }
            | Self::ChannelUpdated { .. }
            | Self::ChannelDissolved { .. }
            | Self::Joined { .. }
            | Self::Departed { .. }
            | Self::Blocked { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{ChannelName, FriendRequestView, JoinRequestView};

    /// One of each that may say something personal, about `zed`.
    fn about_zed() -> Vec<Change> {
        let friend = FriendRequestView {
            id: "1".to_owned(),
            from: "zed".to_owned(),
            to: "bob".to_owned(),
            message: "hi".to_owned(),
            status: "pending".to_owned(),
            created_at_ms: 1,
        };
        let join = JoinRequestView {
            inviter: "zed".to_owned(),
            user: "carol".to_owned(),
            channel: ChannelName::default(),
            ..JoinRequestView::default()
        };
        let user = || "zed".to_owned();
        vec![
            Change::FriendRequest {
                request: friend,
                at_ms: 1,
            },
            Change::JoinRequest {
                request: join,
                at_ms: 1,
            },
            Change::Friend {
                user: user(),
                is_friend: true,
                remark: "Zeddy".to_owned(),
                group: String::new(),
                at_ms: 1,
            },
            Change::Profile {
                user: user(),
                profile: serde_json::json!({"name": "Zed"}),
                at_ms: 1,
            },
            Change::MemberChanged {
                user: user(),
                by: None,
                role: None,
                nick: Some("Z".to_owned()),
                muted_until_ms: None,
                at_ms: 1,
            },
        ]
    }

    #[test]
    fn what_is_personal_is_known_by_its_name_and_by_whom_it_is_about() {
        for change in about_zed() {
            assert!(Change::PERSONAL.contains(&change.name()), "{change:?}");
            assert!(change.tells_of("zed"), "{change:?}");
            assert!(!change.tells_of("ze"), "{change:?}");
        }
        let role = Change::MemberChanged {
            user: "zed".to_owned(),
            by: None,
            role: Some("member".to_owned()),
            nick: None,
            muted_until_ms: None,
            at_ms: 1,
        };
        assert!(!role.tells_of("zed"), "who was what may stay");
    }
}
