//! One of each change: whoever renders changes tries them all.

use bytes::Bytes;
use serde_json::json;

use crate::change::{
    Change, ChannelName, ChannelView, ConversationView, EditedBody, FriendRequestView,
    JoinRequestView, MessageName,
};
use crate::id::MessageId;
use crate::message::Origin;

const AT_MS: i64 = 1_715_000_060_000;

/// One of each change, by the names of [`Change::name`]. They are about the message 7 of bob's
/// to alice (or in the group `g`), and about bob.
#[must_use]
#[allow(clippy::too_many_lines, reason = "a table")]
pub fn one_of_each() -> Vec<Change> {
    let message = || MessageName {
        id: MessageId(7),
        seq: 7,
        client_no: "m-7".to_owned(),
        name: None,
        number_taken: false,
        receipt: false,
        origin: Origin::REST.0,
        tag: String::new(),
        sender: "bob".to_owned(),
        sent_at_ms: 1_715_000_000_000,
    };
    let group = || ChannelName {
        kind: 2,
        id: "g".to_owned(),
    };
    let view = |changed: &[&str]| ChannelView {
        name: group(),
        title: "Team".to_owned(),
        owner: "bob".to_owned(),
        member_count: 2,
        changed: changed.iter().map(|it| (*it).to_owned()).collect(),
        ..ChannelView::default()
    };
    let bob = || Some("bob".to_owned());
    vec![
        Change::Revoked {
            message: message(),
            by: bob(),
            at_ms: AT_MS,
        },
        Change::Read {
            channel: group(),
            reader: "bob".to_owned(),
            up_to: 7,
            messages: vec![message()],
            at_ms: AT_MS,
        },
        Change::Unread {
            channel: group(),
            read_seq: 7,
            unread: 0,
            at_ms: AT_MS,
        },
        Change::Left {
            channel: group(),
            by: bob(),
            at_ms: AT_MS,
        },
        Change::Edited {
            message: message(),
            by: bob(),
            n: 1,
            body: EditedBody {
                origin: Origin::REST.0,
                tag: String::new(),
                payload: Bytes::from_static(br#"{"type":"text","text":"edited"}"#),
                ..EditedBody::default()
            },
            at_ms: AT_MS,
        },
        Change::Deleted {
            message: message(),
            by: bob(),
            at_ms: AT_MS,
        },
        Change::Expired {
            messages: vec![message()],
            at_ms: AT_MS,
        },
        Change::Reacted {
            message: message(),
            user: "bob".to_owned(),
            emoji: "👍".to_owned(),
            removed: false,
            at_ms: AT_MS,
        },
        Change::Pinned {
            message: message(),
            by: bob(),
            pinned: true,
            at_ms: AT_MS,
        },
        Change::Typing {
            user: "bob".to_owned(),
            at_ms: AT_MS,
        },
        Change::Hidden {
            channel: group(),
            messages: vec![message()],
            at_ms: AT_MS,
        },
        Change::Conversation {
            channel: group(),
            view: ConversationView {
                pinned_at_ms: AT_MS,
                draft: "well".to_owned(),
                ..ConversationView::default()
            },
            at_ms: AT_MS,
        },
        Change::ChannelCreated {
            by: bob(),
            channel: view(&[]),
            at_ms: AT_MS,
        },
        Change::ChannelUpdated {
            by: bob(),
            channel: view(&["title"]),
            at_ms: AT_MS,
        },
        Change::ChannelDissolved {
            by: bob(),
            at_ms: AT_MS,
        },
        Change::Joined {
            users: vec!["carol".to_owned()],
            count: 1,
            by: bob(),
            at_ms: AT_MS,
        },
        Change::Departed {
            users: vec!["carol".to_owned()],
            count: 1,
            by: bob(),
            at_ms: AT_MS,
        },
        Change::MemberChanged {
            user: "carol".to_owned(),
            by: bob(),
            role: Some("administrator".to_owned()),
            nick: None,
            muted_until_ms: None,
            at_ms: AT_MS,
        },
        Change::JoinRequest {
            request: JoinRequestView {
                id: "11".to_owned(),
                channel: group(),
                user: "bob".to_owned(),
                message: "let me in".to_owned(),
                status: "pending".to_owned(),
                ..JoinRequestView::default()
            },
            at_ms: AT_MS,
        },
        Change::FriendRequest {
            request: FriendRequestView {
                id: "12".to_owned(),
                from: "bob".to_owned(),
                to: "alice".to_owned(),
                message: "hi".to_owned(),
                status: "pending".to_owned(),
                created_at_ms: AT_MS,
            },
            at_ms: AT_MS,
        },
        Change::Friend {
            user: "bob".to_owned(),
            is_friend: false,
            remark: String::new(),
            group: String::new(),
            at_ms: AT_MS,
        },
        Change::Blocked {
            user: "bob".to_owned(),
            blocked: true,
            at_ms: AT_MS,
        },
        Change::Profile {
            user: "bob".to_owned(),
            profile: json!({"name": "Bob"}),
            at_ms: AT_MS,
        },
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// How many kinds of change there are: a new one does not compile here before it is counted.
    fn kinds(change: &Change) -> usize {
        match change {
            Change::Revoked { .. }
            | Change::Read { .. }
            | Change::Unread { .. }
            | Change::Left { .. }
            | Change::Edited { .. }
            | Change::Deleted { .. }
            | Change::Expired { .. }
            | Change::Reacted { .. }
            | Change::Pinned { .. }
            | Change::Typing { .. }
            | Change::Hidden { .. }
            | Change::Conversation { .. }
            | Change::ChannelCreated { .. }
            | Change::ChannelUpdated { .. }
            | Change::ChannelDissolved { .. }
            | Change::Joined { .. }
            | Change::Departed { .. }
            | Change::MemberChanged { .. }
            | Change::JoinRequest { .. }
            | Change::FriendRequest { .. }
            | Change::Friend { .. }
            | Change::Blocked { .. }
            | Change::Profile { .. } => 23,
        }
    }

    #[test]
    fn each_is_there_once() {
        let all = one_of_each();
        let names: BTreeSet<_> = all.iter().map(Change::name).collect();
        assert_eq!((names.len(), all.len()), (kinds(&all[0]), kinds(&all[0])));
    }

    #[test]
    fn each_survives_its_stored_form() {
        for change in one_of_each() {
            let stored = serde_json::to_vec(&change).expect("JSON");
            let read: Change = serde_json::from_slice(&stored).expect("the same");
            assert_eq!(read, change);
        }
    }
}
