//! What has become of something that a client was given, or has sent: BACKGROUND messages
//! (mqtt.md Q3-11).

use bytes::Bytes;
use crosstalk_core::change::{
    Change, ChannelName, ChannelView, FriendRequestView, JoinRequestView,
};
use crosstalk_core::channel::ChannelKey;
use crosstalk_core::message::{Body, Message};
use crosstalk_wire::mqtt::im::background::{Event, Read};
use serde_json::{Map, Value, json};

use super::envelope::{MqttReader, Telling, name_of};
use super::{map, users};
use crate::content::meaning_for;
use crate::registry::Dialect;

/// Says a change to a reader; nothing if it is no news to them.
pub(super) fn changed(message: &Message, change: &Change, reader: &MqttReader) -> Option<Bytes> {
    let told = Told::of(message, change, reader)?;
    let telling = Telling {
        id: &message.id.to_string(),
        event: &told.event,
        at_ms: told.at_ms,
    };
    Some(match told.place {
        Some(channel) => reader.happened(&channel, &told.actor, &telling),
        None => reader.system(&telling),
    })
}

/// A change in this dialect's words.
struct Told {
    event: Event,
    /// Where; `None` = the server itself says it.
    place: Option<ChannelKey>,
    /// Through whom; empty = the server.
    actor: String,
    at_ms: i64,
}

impl Told {
    #[allow(clippy::too_many_lines, reason = "a table")]
    fn of(message: &Message, change: &Change, reader: &MqttReader) -> Option<Self> {
        let beside = &message.channel.key;
        let account = |uid: &str| reader.account_of(uid);
        let by_account = |by: &Option<String>| account(by.as_deref().unwrap_or_default());
        let here = |event: Event, by: Option<&str>, at_ms: i64| {
            Some(Self {
                event,
                place: Some(beside.clone()),
                actor: by.unwrap_or_default().to_owned(),
                at_ms,
            })
        };
        let there = |channel: &ChannelName, event: Event, actor: &str, at_ms: i64| {
            Some(Self {
                event,
                place: Some(channel.key(beside)),
                actor: actor.to_owned(),
                at_ms,
            })
        };
        let own = |event: Event, at_ms: i64| {
            Some(Self {
                event,
                place: None,
                actor: String::new(),
                at_ms,
            })
        };
        match change {
            Change::Revoked { message, by, at_ms } | Change::Deleted { message, by, at_ms } => {
                let event = Event::Revoke {
                    id: name_of(message).into_owned(),
                    ids: Vec::new(),
                    operator: by_account(by),
                };
                here(event, by.as_deref(), *at_ms)
            }
            Change::Expired { messages, at_ms } => {
                let mut ids: Vec<String> = messages
                    .iter()
                    .map(|name| name_of(name).into_owned())
                    .collect();
                let id = ids.first()?.clone();
                if ids.len() == 1 {
                    ids.clear();
                }
                let operator = account("");
                here(Event::Revoke { id, ids, operator }, None, *at_ms)
            }
            Change::Edited {
                message,
                by,
                body,
                at_ms,
                ..
            } => {
                if body.payload.is_empty() {
                    // The message is gone: another entry says so.
                    return None;
                }
                let event = Event::Edit {
                    id: name_of(message).into_owned(),
                    content: content_of(&body.shown(message), reader),
                };
                here(event, by.as_deref(), *at_ms)
            }
            Change::Reacted {
                message,
                user,
                emoji,
                removed,
                at_ms,
            } => {
                let event = Event::Reaction(members(json!({
                    "id": name_of(message),
                    "account": account(user),
                    "emoji": emoji,
                    "removed": removed,
                })));
                here(event, Some(user), *at_ms)
            }
            Change::Pinned {
                message,
                by,
                pinned,
                at_ms,
            } => {
                let event = Event::Pin(members(json!({
                    "id": name_of(message),
                    "operator": by_account(by),
                    "pinned": pinned,
                })));
                here(event, by.as_deref(), *at_ms)
            }
            Change::Typing { user, at_ms } => {
                if user == reader.uid().as_str() {
                    return None;
                }
                let event = Event::Typing(members(json!({"account": account(user)})));
                here(event, Some(user), *at_ms)
            }
            Change::Read {
                channel,
                reader: by,
                messages,
                at_ms,
                ..
            } => {
                if messages.is_empty() {
                    return None;
                }
                let ids = messages.iter().map(|name| name_of(name).into_owned());
                let event = Event::Read {
                    messages: Read {
                        id: None,
                        ids: ids.collect(),
                    },
                    reader: account(by),
                    time_ms: *at_ms,
                };
                there(channel, event, by, *at_ms)
            }
            Change::Unread {
                channel,
                read_seq,
                unread,
                at_ms,
            } => {
                let event = Event::Conversation(members(json!({
                    "target": reader.name_of_channel(&channel.key(beside)),
                    "unread": unread,
                    "readSeq": read_seq,
                })));
                own(event, *at_ms)
            }
            Change::Conversation {
                channel,
                view,
                at_ms,
            } => {
                let mut kept = members(json!({
                    "target": reader.name_of_channel(&channel.key(beside)),
                    "unread": view.unread,
                    "readSeq": view.read_seq,
                    "pinned": view.pinned_at_ms > 0,
                    "mutedUntil": view.muted_until_ms,
                    "marked": view.marked,
                    "draft": view.draft,
                    "hidden": view.hidden,
                    "deleted": view.deleted,
                }));
                if let Some(mentions) = view.mentions {
                    kept.insert("mentions".to_owned(), mentions.into());
                }
                own(Event::Conversation(kept), *at_ms)
            }
            Change::Hidden {
                channel,
                messages,
                at_ms,
            } => {
                let ids: Vec<_> = messages.iter().map(name_of).collect();
                let event = Event::Delete(members(json!({
                    "target": reader.name_of_channel(&channel.key(beside)),
                    "ids": ids,
                })));
                own(event, *at_ms)
            }
            Change::Left { channel, by, at_ms } => {
                let by = by.as_deref().unwrap_or_default();
                let event = group_event("left", &channel.id, json!({}));
                there(channel, event, by, *at_ms)
            }
            Change::ChannelCreated { by, channel, at_ms } => {
                let event = group_event("created", &beside.id, settings(channel, reader));
                here(event, by.as_deref(), *at_ms)
            }
            Change::ChannelUpdated { by, channel, at_ms } => {
                let event = group_event("updated", &beside.id, settings(channel, reader));
                here(event, by.as_deref(), *at_ms)
            }
            Change::ChannelDissolved { by, at_ms } => {
                let event = group_event("dissolved", &beside.id, json!({}));
                here(event, by.as_deref(), *at_ms)
            }
            Change::Joined {
                users,
                count,
                by,
                at_ms,
            } => {
                let accounts: Vec<_> = users.iter().map(|user| account(user)).collect();
                let more = json!({"accounts": accounts, "count": count});
                here(
                    group_event("joined", &beside.id, more),
                    by.as_deref(),
                    *at_ms,
                )
            }
            Change::Departed {
                users,
                count,
                by,
                at_ms,
            } => {
                let accounts: Vec<_> = users.iter().map(|user| account(user)).collect();
                let more = json!({"accounts": accounts, "count": count});
                here(
                    group_event("removed", &beside.id, more),
                    by.as_deref(),
                    *at_ms,
                )
            }
            Change::MemberChanged {
                user,
                by,
                role,
                nick,
                muted_until_ms,
                at_ms,
            } => {
                let mut more = members(json!({"account": account(user)}));
                let changed = [
                    ("role", role.as_ref().map(|role| json!(role))),
                    ("nick", nick.as_ref().map(|nick| json!(nick))),
                    ("mutedUntil", muted_until_ms.map(|until| json!(until))),
                ];
                for (name, value) in changed {
                    if let Some(value) = value {
                        more.insert(name.to_owned(), value);
                    }
                }
                let event = group_event("member", &beside.id, Value::Object(more));
                here(event, by.as_deref(), *at_ms)
            }
            Change::JoinRequest { request, at_ms } => own(join_request(request, &account), *at_ms),
            Change::FriendRequest { request, at_ms } => {
                own(friend_request(request, reader), *at_ms)
            }
            Change::Friend {
                user,
                is_friend,
                remark,
                group,
                at_ms,
            } => {
                let event = if *is_friend { "updated" } else { "deleted" };
                let event = Event::Friend(members(json!({
                    "event": event,
                    "account": account(user),
                    "remark": remark,
                    "group": group,
                })));
                own(event, *at_ms)
            }
            Change::Blocked {
                user,
                blocked,
                at_ms,
            } => {
                let event = if *blocked { "blocked" } else { "unblocked" };
                let event = json!({"event": event, "account": account(user)});
                own(Event::Friend(members(event)), *at_ms)
            }
            Change::Profile {
                user,
                profile,
                at_ms,
            } => {
                let event = json!({
                    "event": "profile",
                    "account": account(user),
                    "profile": profile,
                });
                own(Event::Friend(members(event)), *at_ms)
            }
        }
    }
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn group_event(event: &str, id: &str, more: Value) -> Event {
    let mut details = members(more);
    details.insert("groupId".to_owned(), id.into());
    Event::Group {
        event: event.to_owned(),
        details,
    }
}

/// What a group is.
fn settings(view: &ChannelView, reader: &MqttReader) -> Value {
    json!({
        "name": view.title,
        "avatar": view.avatar,
        "owner": reader.account_of(&view.owner),
        "announcement": view.announcement,
        "memberCount": view.member_count,
        "joinMode": view.join_mode,
        "inviteBy": view.invite_by,
        "editBy": view.edit_by,
        "mentionAllBy": view.mention_all_by,
        "pinBy": view.pin_by,
        "speak": view.speak,
        "mutedUntil": view.muted_until_ms,
        "changed": view.changed.iter().map(|name| member_of(name)).collect::<Vec<_>>(),
    })
}

/// What clients call a setting: the member that it is, if it is one.
fn member_of(name: &str) -> String {
    let name = match name {
        "title" => "name",
        "muted_until_ms" => "mutedUntil",
        name => name,
    };
    let mut words = name.split('_');
    let mut member = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(word.len().min(1));
        member.push_str(&first.to_ascii_uppercase());
        member.push_str(rest);
    }
    member
}

fn join_request(request: &JoinRequestView, account: &impl Fn(&str) -> String) -> Event {
    let more = json!({
        "requestId": request.id,
        "account": account(&request.user),
        "inviter": if request.inviter.is_empty() {
            String::new()
        } else {
            account(&request.inviter)
        },
        "message": request.message,
        "status": request.status,
    });
    group_event("request", &request.channel.id, more)
}

fn friend_request(request: &FriendRequestView, reader: &MqttReader) -> Event {
    let event = match &*request.status {
        "pending" => "request",
        other => other,
    };
    Event::Friend(members(json!({
        "event": event,
        "requestId": request.id,
        "from": reader.account_of(&request.from),
        "to": reader.account_of(&request.to),
        "message": request.message,
    })))
}

/// What an edited message says, as a content of this dialect.
fn content_of(body: &Body, reader: &MqttReader) -> Value {
    if body.origin == Dialect::Mqtt.origin() {
        return serde_json::from_slice(&body.payload).unwrap_or(Value::Null);
    }
    let (_, json) = map::payload(&users::by_account(
        meaning_for(body, Dialect::Mqtt.origin()),
        reader,
    ));
    serde_json::from_str(&json).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests;
