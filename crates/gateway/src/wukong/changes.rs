//! Changes as CMD messages (wukong-client.md Q1-3). A client that is told so fetches what has
//! changed; every message is named by its id and its client number.

use crosstalk_core::change::{Change, ChannelName, ConversationView, MessageName};
use crosstalk_core::channel::{ChannelKey, ChannelKind};
use crosstalk_core::message::Message;
use serde_json::{Map, Value, json};

/// The payload type of a CMD.
const CMD: u64 = 99;

/// Whether wukong clients are told of an entry of a command log.
pub(super) fn is_told(change: &Change) -> bool {
    match change {
        // They count readers, of messages that asked for it.
        Change::Read { messages, .. } => messages.iter().any(|message| message.receipt),
        // That another device of the asker's has asked is no news.
        Change::FriendRequest { request, .. } => {
            matches!(&*request.status, "pending" | "accepted" | "rejected")
        }
        _ => true,
    }
}

/// The payload that says what has changed, as `viewer` sees it.
pub(super) fn payload(message: &Message, change: &Change, viewer: &str) -> Value {
    let beside = &message.channel.key;
    let (cmd, param) = told(beside, change, viewer);
    json!({"type": CMD, "cmd": cmd, "param": param})
}

fn told(beside: &ChannelKey, change: &Change, viewer: &str) -> (&'static str, Value) {
    let of = |channel: &ChannelName, more: Value| at(&channel.key(beside), viewer, more);
    let here = |more: Value| at(beside, viewer, more);
    match change {
        Change::Revoked { message, .. } => ("messageRevoke", here(named(message))),
        Change::Deleted { message, .. } | Change::Edited { message, .. } => {
            ("syncMessageExtra", here(named(message)))
        }
        Change::Expired { messages, .. } => ("syncMessageExtra", here(all_named(messages))),
        Change::Read {
            channel, messages, ..
        } => ("syncMessageExtra", of(channel, all_named(messages))),
        Change::Reacted { message, .. } => ("syncMessageReaction", here(named(message))),
        Change::Pinned { message, .. } => ("syncPinnedMessage", here(named(message))),
        Change::Typing { user, .. } => ("typing", here(json!({"from_uid": user}))),
        Change::Hidden {
            channel, messages, ..
        } => ("messageDelete", of(channel, all_named(messages))),
        Change::Unread {
            channel, unread, ..
        } => ("unreadClear", of(channel, json!({"unread": unread}))),
        Change::Conversation {
            channel,
            view,
            at_ms,
        } => {
            let (cmd, more) = kept(view, *at_ms);
            (cmd, of(channel, more))
        }
        Change::ChannelCreated { .. } | Change::ChannelUpdated { .. } => {
            ("channelUpdate", here(json!({})))
        }
        Change::ChannelDissolved { .. } => ("channelUpdate", here(json!({"disband": true}))),
        Change::Joined { users, count, .. } | Change::Departed { users, count, .. } => {
            ("memberUpdate", here(json!({"uids": users, "count": count})))
        }
        Change::MemberChanged { user, .. } => ("memberUpdate", here(json!({"uids": [user]}))),
        Change::Left { channel, .. } => ("memberUpdate", of(channel, json!({"uids": [viewer]}))),
        Change::JoinRequest { request, .. } => {
            let more = json!({
                "request_id": request.id,
                "uid": request.user,
                "inviter": request.inviter,
                "message": request.message,
                "status": request.status,
            });
            ("groupMemberRequest", of(&request.channel, more))
        }
        Change::FriendRequest { request, .. } => {
            let cmd = match &*request.status {
                "pending" => "friendRequest",
                "accepted" => "friendAccept",
                _ => "friendRefuse",
            };
            let param = json!({
                "request_id": request.id,
                "apply_uid": request.from,
                "to_uid": request.to,
                "remark": request.message,
            });
            (cmd, param)
        }
        Change::Friend {
            user, is_friend, ..
        } if !is_friend => ("friendDeleted", person(user, json!({"uid": user}))),
        // What a person is to the user is fetched as what a channel is.
        Change::Friend { user, .. } | Change::Profile { user, .. } => {
            ("channelUpdate", person(user, json!({})))
        }
        Change::Blocked { user, blocked, .. } => {
            ("channelUpdate", person(user, json!({"blacklist": blocked})))
        }
    }
}

/// How a conversation is kept.
fn kept(view: &ConversationView, now_ms: i64) -> (&'static str, Value) {
    if view.mentions.is_some() {
        return ("syncReminders", json!({}));
    }
    if view.hidden {
        return ("conversationDelete", json!({}));
    }
    let more = json!({
        "pinned": view.pinned_at_ms > 0,
        "muted": view.muted_until_ms > now_ms,
        "muted_until": muted_until(view.muted_until_ms, now_ms),
        "draft": view.draft,
        "unread": view.unread,
    });
    ("syncConversationExtra", more)
}

/// The end of a muting, in s since 1970; 0 = it has none, or nothing is muted.
fn muted_until(until_ms: i64, now_ms: i64) -> i64 {
    match until_ms {
        i64::MAX => 0,
        until_ms if until_ms > now_ms => until_ms / 1000,
        _ => 0,
    }
}

fn named(message: &MessageName) -> Value {
    json!({
        "message_id": message.id.to_string(),
        "client_msg_no": super::map::client_no_of(message),
    })
}

fn all_named(messages: &[MessageName]) -> Value {
    let all: Vec<Value> = messages.iter().map(named).collect();
    json!({"messages": all})
}

/// How a channel is named to a viewer, and what else there is to say.
fn at(key: &ChannelKey, viewer: &str, more: Value) -> Value {
    place(key.id_for(viewer), key.kind, more)
}

/// The same for a person.
fn person(uid: &str, more: Value) -> Value {
    place(uid, ChannelKind::DIRECT, more)
}

fn place(id: &str, kind: ChannelKind, more: Value) -> Value {
    let mut param = Map::new();
    param.insert("channel_id".to_owned(), id.into());
    param.insert("channel_type".to_owned(), kind.0.into());
    if let Value::Object(more) = more {
        param.extend(more);
    }
    Value::Object(param)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crosstalk_core::channel::{ChannelRef, LogKind};
    use crosstalk_core::contract::changes::one_of_each;
    use crosstalk_core::id::{ChannelNum, Realm};

    use super::*;

    fn key() -> ChannelKey {
        let group = ChannelRef {
            num: ChannelNum(1),
            key: ChannelKey {
                realm: Realm::default(),
                kind: ChannelKind::GROUP,
                id: "g".into(),
            },
            log: LogKind::Command,
        };
        Arc::new(group).key.clone()
    }

    /// Each CMD stands in the page on this dialect, with its parameters.
    #[test]
    fn every_command_is_documented() {
        let page = include_str!("../../../../docs/dialects/wukong.md");
        for change in one_of_each() {
            let (cmd, param) = told(&key(), &change, "alice");
            let row = page
                .lines()
                .find(|line| line.starts_with(&format!("| `{cmd}`")));
            let row = row.unwrap_or_else(|| panic!("{cmd} ({}) has no row", change.name()));
            for member in param.as_object().expect("an object").keys() {
                assert!(row.contains(&format!("`{member}`")), "{cmd}: {member}");
            }
        }
    }

    #[test]
    fn a_message_is_named_by_both_of_its_numbers() {
        for change in one_of_each() {
            let (cmd, param) = told(&key(), &change, "alice");
            let text = param.to_string();
            assert_eq!(
                text.matches("message_id").count(),
                text.matches("client_msg_no").count(),
                "{cmd}: {text}"
            );
        }
    }
}
