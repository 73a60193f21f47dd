//! RECV frames: what a message looks like to one wukong client (wukong.md §1.3, §6.1).

use bytes::BytesMut;
use crosstalk_core::message::Message;
use crosstalk_wire::wukong::binary::crypto::{Cipher, msg_key_text};
use crosstalk_wire::wukong::binary::{EncodeError, Flags, RecvParts, Setting, encode_recv};

use super::map::{wukong_client_no, wukong_envelope, wukong_payload};

/// The receiving side of one connection.
pub(super) struct Receiver<'a> {
    pub(super) uid: &'a str,
    pub(super) version: u8,
    pub(super) cipher: Option<&'a Cipher>,
}

/// Writes a message as one RECV. `scratch` is kept by the caller from call to call.
///
/// # Errors
/// When the message does not fit into a frame.
pub(super) fn recv(
    message: &Message,
    to: &Receiver<'_>,
    scratch: &mut Vec<u8>,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let envelope = wukong_envelope(message);
    let own = message.sender.uid.as_str() == to.uid;
    let body = &message.body;
    let flags = Flags {
        no_persist: body.flags.no_persist,
        // The sender's own other devices show no red dot.
        red_dot: body.flags.counts && !own,
        sync_once: envelope.sync_once,
        dup: false,
    };
    let payload = wukong_payload(message);
    let client_msg_no = wukong_client_no(message);
    let key = &message.channel.key;
    let from_uid = if message.sender.uid.is_system() {
        ""
    } else {
        message.sender.uid.as_str()
    };
    let channel_id = key.id_for(to.uid);
    // The wire has 32 bits of seconds, which end in 2038.
    let timestamp_secs = i32::try_from(message.sent_at_ms / 1000).unwrap_or(i32::MAX);
    let mut parts = RecvParts {
        flags,
        setting: Setting(envelope.setting),
        msg_key: "",
        from_uid,
        channel_id,
        channel_type: key.kind.0,
        expire_secs: body.expire_secs,
        client_msg_no: &client_msg_no,
        message_id: message.id.0,
        message_seq: message.seq,
        timestamp_secs,
        topic: &envelope.topic,
        payload: &payload,
    };
    let Some(cipher) = to.cipher else {
        return encode_recv(&parts, to.version, out);
    };
    cipher.encrypt_into(&payload, scratch);
    let signature = cipher.recv_msg_key(
        parts.message_id,
        parts.message_seq,
        parts.client_msg_no,
        parts.timestamp_secs,
        parts.from_uid,
        parts.channel_id,
        parts.channel_type,
        scratch,
    );
    parts.msg_key = msg_key_text(&signature);
    parts.payload = scratch;
    encode_recv(&parts, to.version, out)
}
