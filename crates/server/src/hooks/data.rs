//! What is said of an event, as JSON: members as in `/v1`, channels by kind and id, messages by
//! what their clients know them by, times in ms since 1970.

use crosstalk_core::change::{Change, ChannelName, EditedBody, MessageName};
use crosstalk_core::channel::{ChannelKey, ChannelKind, LogKind};
use crosstalk_core::message::{Body, Message};
use crosstalk_gateway::content_of_body;
use serde::Serialize;
use serde_json::{Value, json};

use super::event::Said;
use crate::http::v1::message_json;

/// A message, as `/v1` shows it, with its channel.
pub(super) fn of_said(message: &Message, now_ms: i64) -> Value {
    let mut data = message_json(now_ms, message);
    if let Value::Object(members) = &mut data {
        let key = &message.channel.key;
        members.insert("channel".to_owned(), channel(&ChannelName::of(key)));
        if message.channel.log == LogKind::Command {
            members.insert("command".to_owned(), true.into());
        }
        if message.body.audience.is_some() {
            members.insert("directed".to_owned(), true.into());
        }
    }
    data
}

/// A channel. Of a direct one the two users say more than the id, which is both.
fn channel(name: &ChannelName) -> Value {
    let kind = ChannelKind(name.kind).name();
    match name.id.split_once('|') {
        Some((one, other)) if name.kind == ChannelKind::DIRECT.0 => {
            json!({ "kind": kind, "id": name.id, "users": [one, other] })
        }
        _ => json!({ "kind": kind, "id": name.id }),
    }
}

fn named(message: &MessageName) -> Value {
    json!({
        "id": message.id.to_string(),
        "seq": message.seq,
        "client_no": (!message.client_no.is_empty()).then_some(&message.client_no),
        "from": message.sender,
        "sent_at": message.sent_at_ms,
    })
}

fn all_named(messages: &[MessageName]) -> Vec<Value> {
    messages.iter().map(named).collect()
}

/// What an edited message says now, in `/v1`'s form.
fn content(body: &EditedBody) -> Value {
    content_of_body(&Body {
        origin: body.origin(),
        tag: body.tag.as_str().into(),
        payload: body.payload.clone(),
        ..Body::default()
    })
}

/// A view of the core's, with times named as everywhere here.
fn view(of: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(of).unwrap_or_default();
    if let Value::Object(members) = &mut value {
        for name in ["name", "channel"] {
            let named = members.get(name).cloned();
            if let Some(Ok(name_of)) = named.map(serde_json::from_value::<ChannelName>) {
                members.remove(name);
                members.insert("channel".to_owned(), channel(&name_of));
            }
        }
        let times: Vec<String> = members
            .keys()
            .filter(|name| name.ends_with("_ms"))
            .cloned()
            .collect();
        for name in times {
            if let Some(time) = members.remove(&name) {
                members.insert(name.trim_end_matches("_ms").to_owned(), time);
            }
        }
    }
    value
}

/// Whose command log an entry stands in, if it is one user's own.
fn owner(key: &ChannelKey) -> Option<&str> {
    key.is_notes().then(|| key.pair().map(|(user, _)| user))?
}

/// What a change says; `None` for what another entry says as well, or nobody outside needs.
#[allow(clippy::too_many_lines)] // one row for each change
pub(super) fn of_change(change: &Change, entry: &Message) -> Option<Said> {
    let key = &entry.channel.key;
    let here = ChannelName::of(key);
    let user = owner(key).unwrap_or_default();
    let at = channel(&here);
    let (name, about, at_ms, data) = match change {
        Change::Revoked { message, by, at_ms } => (
            "message.revoked",
            None,
            *at_ms,
            json!({ "channel": at, "message": named(message), "by": by }),
        ),
        Change::Deleted { message, by, at_ms } => (
            "message.deleted",
            None,
            *at_ms,
            json!({ "channel": at, "message": named(message), "by": by }),
        ),
        Change::Edited {
            message,
            by,
            n,
            body,
            at_ms,
        } => (
            "message.edited",
            None,
            *at_ms,
            json!({
                "channel": at,
                "message": named(message),
                "by": by,
                "edits": n,
                "content": content(body),
            }),
        ),
        Change::Expired { messages, at_ms } => (
            "message.expired",
            None,
            *at_ms,
            json!({ "channel": at, "messages": all_named(messages) }),
        ),
        Change::Reacted {
            message,
            user,
            emoji,
            removed,
            at_ms,
        } => (
            "message.reacted",
            None,
            *at_ms,
            json!({
                "channel": at,
                "message": named(message),
                "user": user,
                "emoji": emoji,
                "removed": removed,
            }),
        ),
        Change::Pinned {
            message,
            by,
            pinned,
            at_ms,
        } => (
            if *pinned { "message.pinned" } else { "message.unpinned" },
            None,
            *at_ms,
            json!({ "channel": at, "message": named(message), "by": by }),
        ),
        Change::Read {
            channel: there,
            reader,
            up_to,
            messages,
            at_ms,
        } => (
            "message.read",
            Some(there),
            *at_ms,
            json!({
                "channel": channel(there),
                "reader": reader,
                "author": user,
                "up_to": up_to,
                "messages": all_named(messages),
            }),
        ),
        Change::Unread {
            channel: there,
            read_seq,
            unread,
            at_ms,
        } => (
            "conversation.read",
            Some(there),
            *at_ms,
            json!({
                "user": user,
                "channel": channel(there),
                "read_seq": read_seq,
                "unread": unread,
            }),
        ),
        Change::Hidden {
            channel: there,
            messages,
            at_ms,
        } => (
            "message.hidden",
            Some(there),
            *at_ms,
            json!({
                "user": user,
                "channel": channel(there),
                "messages": all_named(messages),
            }),
        ),
        Change::Conversation {
            channel: there,
            view: kept,
            at_ms,
        } => (
            "conversation.updated",
            Some(there),
            *at_ms,
            json!({ "user": user, "channel": channel(there), "conversation": view(kept) }),
        ),
        Change::ChannelCreated {
            by,
            channel: made,
            at_ms,
        } => (
            "channel.created",
            None,
            *at_ms,
            json!({ "channel": at, "by": by, "info": view(made) }),
        ),
        Change::ChannelUpdated {
            by,
            channel: changed,
            at_ms,
        } => (
            "channel.updated",
            None,
            *at_ms,
            json!({ "channel": at, "by": by, "info": view(changed) }),
        ),
        Change::ChannelDissolved { by, at_ms } => (
            "channel.dissolved",
            None,
            *at_ms,
            json!({ "channel": at, "by": by }),
        ),
        Change::Joined {
            users,
            count,
            by,
            at_ms,
        } => (
            "member.joined",
            None,
            *at_ms,
            json!({ "channel": at, "users": users, "count": count, "by": by }),
        ),
        Change::Departed {
            users,
            count,
            by,
            at_ms,
        } => (
            "member.departed",
            None,
            *at_ms,
            json!({ "channel": at, "users": users, "count": count, "by": by }),
        ),
        Change::MemberChanged {
            user,
            by,
            role,
            nick,
            muted_until_ms,
            at_ms,
        } => (
            "member.changed",
            None,
            *at_ms,
            json!({
                "channel": at,
                "user": user,
                "by": by,
                "role": role,
                "nick": nick,
                "muted_until": muted_until_ms,
            }),
        ),
        // It stands in the logs of all whom it concerns: told once, from that of the one it
        // is about.
        Change::JoinRequest { request, at_ms } if user == request.user => (
            answered(&request.status, "join_request.created", "join_request.answered"),
            Some(&request.channel),
            *at_ms,
            json!({ "request": view(request) }),
        ),
        Change::FriendRequest { request, at_ms } if user == request.from => (
            answered(
                &request.status,
                "friend_request.created",
                "friend_request.answered",
            ),
            None,
            *at_ms,
            json!({ "request": view(request) }),
        ),
        Change::Friend {
            user: friend,
            is_friend,
            remark,
            group,
            at_ms,
        } => (
            if *is_friend { "friend.updated" } else { "friend.removed" },
            None,
            *at_ms,
            json!({ "user": user, "friend": friend, "remark": remark, "group": group }),
        ),
        Change::Blocked {
            user: whom,
            blocked,
            at_ms,
        } => (
            if *blocked { "user.blocked" } else { "user.unblocked" },
            None,
            *at_ms,
            json!({ "user": user, "other": whom }),
        ),
        Change::Profile {
            user: whose,
            profile,
            at_ms,
        } if user == whose => (
            "user.profile",
            None,
            *at_ms,
            json!({ "user": whose, "profile": profile }),
        ),
        Change::JoinRequest { .. }
        | Change::FriendRequest { .. }
        | Change::Profile { .. }
        // Departed says it to all, and to us.
        | Change::Left { .. }
        | Change::Typing { .. } => return None,
    };
    Some(Said {
        name: name.into(),
        channel: about.cloned().unwrap_or(here),
        at_ms,
        data,
    })
}

fn answered(status: &str, created: &'static str, answered: &'static str) -> &'static str {
    if status == "pending" {
        created
    } else {
        answered
    }
}
