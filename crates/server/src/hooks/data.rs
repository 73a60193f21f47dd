//! What is said of an event: which it is, and its body (`bodies`) as JSON.

use crosstalk_core::change::{Change, ChannelName};
use crosstalk_core::channel::{ChannelKey, LogKind};
use crosstalk_core::message::Message;
use crosstalk_gateway::content_of_body;
use serde::Serialize;
use serde_json::Value;

use super::bodies::{
    BlockedData, Channel, ChannelData, ChannelInfo, ConversationData, ConversationReadData,
    DissolvedData, EditedData, ExpiredData, FriendData, FriendRequestData, GoneData, HiddenData,
    JoinRequestData, KeptBody, MemberChangedData, MembersData, Named, ProfileData, ReactedData,
    ReadData, StoredData,
};
use super::event::Said;
use crate::http::v1::message_view;

/// A message, as `/v1` shows it, with its channel.
pub(super) fn of_said(message: &Message, now_ms: i64) -> Value {
    json(&StoredData {
        message: message_view(now_ms, message),
        channel: Channel::of(&ChannelName::of(&message.channel.key)),
        command: message.channel.log == LogKind::Command,
        directed: message.body.audience.is_some(),
    })
}

/// A body is made of texts, numbers and what is JSON already: it cannot fail to be JSON.
pub(super) fn json(body: &impl Serialize) -> Value {
    serde_json::to_value(body).unwrap_or_default()
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
    let at = || Channel::of(&here);
    let (name, about, at_ms, data) = match change {
        Change::Revoked { message, by, at_ms } => (
            "message.revoked",
            None,
            *at_ms,
            json(&GoneData {
                channel: at(),
                message: Named::of(message),
                by: by.clone(),
            }),
        ),
        Change::Deleted { message, by, at_ms } => (
            "message.deleted",
            None,
            *at_ms,
            json(&GoneData {
                channel: at(),
                message: Named::of(message),
                by: by.clone(),
            }),
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
            json(&EditedData {
                channel: at(),
                message: Named::of(message),
                by: by.clone(),
                edits: *n,
                content: content_of_body(&body.shown(message)),
            }),
        ),
        Change::Expired { messages, at_ms } => (
            "message.expired",
            None,
            *at_ms,
            json(&ExpiredData {
                channel: at(),
                messages: Named::all(messages),
            }),
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
            json(&ReactedData {
                channel: at(),
                message: Named::of(message),
                user: user.clone(),
                emoji: emoji.clone(),
                removed: *removed,
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
            json(&GoneData {
                channel: at(),
                message: Named::of(message),
                by: by.clone(),
            }),
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
            json(&ReadData {
                channel: Channel::of(there),
                reader: reader.clone(),
                author: user.to_owned(),
                up_to: *up_to,
                messages: Named::all(messages),
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
            json(&ConversationReadData {
                user: user.to_owned(),
                channel: Channel::of(there),
                read_seq: *read_seq,
                unread: *unread,
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
            json(&HiddenData {
                user: user.to_owned(),
                channel: Channel::of(there),
                messages: Named::all(messages),
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
            json(&ConversationData {
                user: user.to_owned(),
                channel: Channel::of(there),
                conversation: KeptBody::of(kept, *at_ms),
            }),
        ),
        Change::ChannelCreated {
            by,
            channel: made,
            at_ms,
        } => (
            "channel.created",
            None,
            *at_ms,
            json(&ChannelData {
                channel: at(),
                by: by.clone(),
                info: ChannelInfo::of(made, *at_ms),
            }),
        ),
        Change::ChannelUpdated {
            by,
            channel: changed,
            at_ms,
        } => (
            "channel.updated",
            None,
            *at_ms,
            json(&ChannelData {
                channel: at(),
                by: by.clone(),
                info: ChannelInfo::of(changed, *at_ms),
            }),
        ),
        Change::ChannelDissolved { by, at_ms } => (
            "channel.dissolved",
            None,
            *at_ms,
            json(&DissolvedData {
                channel: at(),
                by: by.clone(),
            }),
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
            json(&MembersData {
                channel: at(),
                users: users.clone(),
                count: *count,
                by: by.clone(),
            }),
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
            json(&MembersData {
                channel: at(),
                users: users.clone(),
                count: *count,
                by: by.clone(),
            }),
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
            json(&MemberChangedData::new(
                (at(), user, by.as_ref()),
                role.as_ref(),
                nick.as_ref(),
                (*muted_until_ms, *at_ms),
            )),
        ),
        // It stands in the logs of all whom it concerns: told once, from that of the one it
        // is about.
        Change::JoinRequest { request, at_ms } if user == request.user => (
            answered(&request.status, "join_request.created", "join_request.answered"),
            Some(&request.channel),
            *at_ms,
            json(&JoinRequestData {
                request: request.into(),
            }),
        ),
        Change::FriendRequest { request, at_ms } if user == request.from => (
            answered(
                &request.status,
                "friend_request.created",
                "friend_request.answered",
            ),
            None,
            *at_ms,
            json(&FriendRequestData {
                request: request.into(),
            }),
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
            json(&FriendData {
                user: user.to_owned(),
                friend: friend.clone(),
                remark: remark.clone(),
                group: group.clone(),
            }),
        ),
        Change::Blocked {
            user: whom,
            blocked,
            at_ms,
        } => (
            if *blocked { "user.blocked" } else { "user.unblocked" },
            None,
            *at_ms,
            json(&BlockedData {
                user: user.to_owned(),
                other: whom.clone(),
            }),
        ),
        Change::Profile {
            user: whose,
            profile,
            at_ms,
        } if user == whose => (
            "user.profile",
            None,
            *at_ms,
            json(&ProfileData {
                user: whose.clone(),
                profile: profile.clone(),
            }),
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
