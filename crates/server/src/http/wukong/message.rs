//! The message object (protocols/wukong.md §4.4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crosstalk_core::message::Message;
use crosstalk_gateway::{wukong_client_no, wukong_envelope, wukong_payload};
use serde::Serialize;

use super::demo::ExtraRow;
use super::names::shown;

/// Flags as 0 and 1.
#[derive(Debug, Serialize)]
struct Header {
    no_persist: u8,
    red_dot: u8,
    sync_once: u8,
}

/// A message, as every route shows it.
#[derive(Debug, Serialize)]
pub(super) struct MessageObject {
    header: Header,
    setting: u8,
    message_id: i64,
    message_idstr: String,
    client_msg_no: String,
    message_seq: u64,
    from_uid: String,
    channel_id: String,
    channel_type: u8,
    #[serde(skip_serializing_if = "String::is_empty")]
    topic: String,
    expire: u32,
    timestamp: i64,
    payload: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoke: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_extra: Option<ExtraRow>,
}

impl From<&Message> for MessageObject {
    fn from(message: &Message) -> Self {
        Self::seen_by(message, "")
    }
}

impl MessageObject {
    /// A message for one viewer, by whose side a change of a personal channel is named.
    pub(super) fn seen_by(message: &Message, viewer: &str) -> Self {
        let envelope = wukong_envelope(message);
        let body = &message.body;
        let flags = body.flags;
        let key = &message.channel.key;
        Self {
            header: Header {
                no_persist: flags.no_persist.into(),
                red_dot: flags.counts.into(),
                sync_once: envelope.sync_once.into(),
            },
            setting: envelope.setting,
            message_id: message.id.0,
            message_idstr: message.id.to_string(),
            client_msg_no: wukong_client_no(message).into_owned(),
            message_seq: message.seq,
            from_uid: shown(&message.sender.uid).to_owned(),
            // Of a personal channel the half that is not the sender, whoever asks.
            channel_id: key.id_for(message.sender.uid.as_str()).to_owned(),
            channel_type: key.kind.0,
            topic: envelope.topic,
            expire: body.expire_secs,
            timestamp: message.sent_at_ms.div_euclid(1000),
            payload: STANDARD.encode(wukong_payload(message, viewer)),
            revoke: (message.revoked.is_some() && !message.is_unlisted()).then_some(1),
            message_extra: ExtraRow::of_message(message),
        }
    }
}
