//! Changes as CMD messages (wukong-client.md Q1-3).

use crosstalk_core::change::{Change, ChannelName};
use crosstalk_core::channel::ChannelKey;
use crosstalk_core::message::Message;
use serde_json::{Value, json};

/// The payload type of a CMD.
const CMD: u64 = 99;

/// Whether wukong clients are told of an entry of a command log.
pub(super) fn is_told(change: &Change) -> bool {
    match change {
        Change::Revoked { .. } | Change::Unread { .. } => true,
        // Their business backend tells of members.
        Change::Left { .. } => false,
        // They count readers, of messages that asked for it.
        Change::Read { messages, .. } => messages.iter().any(|message| message.receipt),
        _ => false,
    }
}

/// The payload that says what has changed, as `viewer` sees it.
pub(super) fn payload(message: &Message, change: &Change, viewer: &str) -> Value {
    let beside = &message.channel.key;
    let of = |channel: &ChannelName| at(&channel.key(beside), viewer);
    let (cmd, mut param) = match change {
        Change::Revoked { message, .. } => {
            let mut param = at(beside, viewer);
            param["message_id"] = message.id.to_string().into();
            param["client_msg_no"] = super::map::client_no_of(message).into();
            ("messageRevoke", param)
        }
        Change::Read { channel, .. } => ("syncMessageExtra", of(channel)),
        Change::Left { channel, .. } => ("memberUpdate", of(channel)),
        Change::Unread {
            channel, unread, ..
        } => {
            let mut param = of(channel);
            param["unread"] = (*unread).into();
            ("unreadClear", param)
        }
        _ => ("", at(beside, viewer)),
    };
    json!({"type": CMD, "cmd": cmd, "param": param.take()})
}

/// How a channel is named to a viewer.
fn at(key: &ChannelKey, viewer: &str) -> Value {
    json!({"channel_id": key.id_for(viewer), "channel_type": key.kind.0})
}
