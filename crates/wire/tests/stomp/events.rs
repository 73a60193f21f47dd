//! Each event on `/user/queue/events`, with its name and members
//! (stomp.md Q2-30).

use crosstalk_wire::stomp::im::{
    ChatType, Conversation, ConversationId, Event, FriendEvent, Group, GroupEffect, GroupEvent,
    GroupRequestEvent, JoinMode, Permissions, Profile, Timed, Who,
};
use serde_json::{Value, json};

#[track_caller]
fn check(event: Event<'_>, name: &str, members: &Value) {
    let mut expected = members.clone();
    expected["event"] = json!(name);
    expected["at"] = json!(1_715_000_000_000_i64);
    let timed = Timed {
        event,
        at: 1_715_000_000_000,
    };
    assert_eq!(serde_json::to_value(timed).expect("JSON"), expected);
}

fn conversation_id() -> ConversationId {
    ConversationId::parse("SINGLE:u").expect("an id")
}

#[test]
fn events_about_friends() {
    let friend = FriendEvent {
        request_id: Some("r"),
        user_id: "u",
        message: None,
    };
    let members = json!({"requestId": "r", "userId": "u"});
    check(Event::FriendRequest(friend), "FRIEND_REQUEST", &members);
    check(Event::FriendAccepted(friend), "FRIEND_ACCEPTED", &members);
    check(Event::FriendRejected(friend), "FRIEND_REJECTED", &members);
    check(Event::FriendDeleted(friend), "FRIEND_DELETED", &members);
    let asked = FriendEvent {
        request_id: None,
        message: Some("hi"),
        ..friend
    };
    let members = json!({"userId": "u", "message": "hi"});
    check(Event::FriendRequest(asked), "FRIEND_REQUEST", &members);

    let user = json!({"userId": "u"});
    let online = Event::Online {
        user_id: "u",
        status: "busy",
    };
    check(online, "ONLINE", &json!({"userId": "u", "status": "busy"}));
    check(Event::Offline { user_id: "u" }, "OFFLINE", &user);
    let blocked = Event::Blacklist {
        user_id: "u",
        blocked: true,
    };
    check(
        blocked,
        "BLACKLIST",
        &json!({"userId": "u", "blocked": true}),
    );
    let profile = Event::Profile {
        user: Profile {
            user_id: "u",
            nickname: Some("n"),
            avatar: None,
            gender: None,
            signature: None,
            extra: None,
        },
    };
    check(
        profile,
        "PROFILE",
        &json!({"user": {"userId": "u", "nickname": "n", "avatar": null, "gender": null,
            "signature": null, "extra": null}}),
    );
}

#[test]
fn events_about_groups() {
    let change = || GroupEvent {
        group_id: "g_1",
        user_ids: &["u1", "u2"],
        operator_id: "u0",
        effect: GroupEffect::None,
        group: None,
    };
    let members = json!({"groupId": "g_1", "userIds": ["u1", "u2"], "operatorId": "u0"});
    for (event, name) in [
        (Event::GroupCreated(change()), "GROUP_CREATED"),
        (Event::GroupUpdated(change()), "GROUP_UPDATED"),
        (Event::GroupDissolved(change()), "GROUP_DISSOLVED"),
        (Event::GroupMemberJoined(change()), "GROUP_MEMBER_JOINED"),
        (Event::GroupLeft(change()), "GROUP_LEFT"),
        (Event::GroupKicked(change()), "GROUP_KICKED"),
        (Event::GroupRole(change()), "GROUP_ROLE"),
        (Event::GroupMuted(change()), "GROUP_MUTED"),
    ] {
        check(event, name, &members);
    }
    let request = GroupRequestEvent {
        group_id: "g",
        user_ids: &["u"],
        operator_id: "o",
        request_id: "r",
        status: "PENDING",
        message: "hi",
    };
    let asked = json!({
        "groupId": "g", "userIds": ["u"], "operatorId": "o",
        "requestId": "r", "status": "PENDING", "message": "hi",
    });
    check(Event::GroupRequest(request), "GROUP_REQUEST", &asked);
    for (effect, more) in [
        (
            GroupEffect::Role { role: "ADMIN" },
            json!({"role": "ADMIN"}),
        ),
        (GroupEffect::Nick { nick: "" }, json!({"nick": ""})),
        (
            GroupEffect::Muting {
                muted: true,
                muted_until: Some(7),
            },
            json!({"muted": true, "mutedUntil": 7}),
        ),
        (
            GroupEffect::Muting {
                muted: false,
                muted_until: None,
            },
            json!({"muted": false, "mutedUntil": null}),
        ),
    ] {
        let event = GroupEvent { effect, ..change() };
        let mut members = members.clone();
        for (name, value) in more.as_object().expect("an object") {
            members[name] = value.clone();
        }
        check(Event::GroupMuted(event), "GROUP_MUTED", &members);
    }
    let created = GroupEvent {
        group: Some(Box::new(group())),
        ..change()
    };
    let mut members = members;
    members["group"] = group_json();
    check(Event::GroupCreated(created), "GROUP_CREATED", &members);
}

#[test]
fn events_about_conversations() {
    let updated = Event::ConversationUpdated {
        conversation: Box::new(conversation()),
    };
    check(
        updated,
        "CONVERSATION_UPDATED",
        &json!({"conversation": {"id": "GROUP:g_1", "chatType": "GROUP", "targetId": "g_1",
            "unread": 1, "pinned": true, "muted": false, "mutedUntil": null, "marked": false,
            "hidden": false, "deleted": false, "draft": null, "readSeq": 4,
            "lastMessage": null, "updatedAt": 9}}),
    );
    let read = Event::Read {
        conversation_id: conversation_id(),
        seq: 7,
        unread: 2,
    };
    check(
        read,
        "READ",
        &json!({"conversationId": "SINGLE:u", "seq": 7, "unread": 2}),
    );
    let reaction = Event::Reaction {
        message_id: "m",
        user_id: "u",
        emoji: "👍",
        removed: false,
    };
    check(
        reaction,
        "REACTION",
        &json!({"messageId": "m", "userId": "u", "emoji": "👍", "removed": false}),
    );
    let typing = Event::Typing {
        user_id: "u",
        conversation_id: conversation_id(),
    };
    check(
        typing,
        "TYPING",
        &json!({"userId": "u", "conversationId": "SINGLE:u"}),
    );
}

#[test]
fn events_about_the_session() {
    check(
        Event::Kicked { reason: "x" },
        "KICKED",
        &json!({"reason": "x"}),
    );
    check(
        Event::TokenExpiring { expires_at: 8 },
        "TOKEN_EXPIRING",
        &json!({"expiresAt": 8}),
    );
}

const PERMISSIONS: Permissions = Permissions {
    join_mode: JoinMode::Approve,
    invite_by: Who::All,
    edit_info_by: Who::Admin,
    at_all_by: Who::Admin,
    pin_by: Who::Admin,
    speak: Who::All,
};

fn group() -> Group<'static> {
    Group {
        group_id: "g_1",
        name: "a",
        avatar: "",
        owner_id: Some("u1"),
        member_count: 2,
        announcement: "",
        join_mode: JoinMode::Approve,
        muted: false,
        muted_until: None,
        dissolved: false,
        permissions: PERMISSIONS,
        created_at: Some(5),
    }
}

fn group_json() -> Value {
    json!({
        "groupId": "g_1", "name": "a", "avatar": "", "ownerId": "u1", "memberCount": 2,
        "announcement": "", "joinMode": "APPROVE", "muted": false, "mutedUntil": null,
        "dissolved": false,
        "permissions": {"joinMode": "APPROVE", "inviteBy": "ALL", "editInfoBy": "ADMIN",
            "atAllBy": "ADMIN", "pinBy": "ADMIN", "speak": "ALL"},
        "createdAt": 5,
    })
}

fn conversation() -> Conversation<'static> {
    Conversation {
        id: ConversationId::parse("GROUP:g_1").expect("an id"),
        chat_type: ChatType::Group,
        target_id: "g_1",
        unread: 1,
        mentions: None,
        pinned: true,
        muted: false,
        muted_until: None,
        marked: false,
        hidden: false,
        deleted: false,
        draft: None,
        read_seq: 4,
        last_message: None,
        updated_at: 9,
    }
}
