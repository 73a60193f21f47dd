//! The packets as Rust values (wukong.md §1.2–§1.4).
//!
//! Every struct lists its fields in wire order. A value holds what was on the
//! wire and nothing else: fields that a version does not carry are empty, zero
//! or `None` after decoding and are skipped when encoding. No field is checked
//! for meaning; reason codes, channel types and device flags are raw numbers.

use bytes::Bytes;

/// The low nibble of the header byte of SEND, SENDACK, RECV and RECVACK
/// (wukong.md §1.1). SENDACK and RECVACK echo the flags of what they answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags {
    /// Bit 0: do not store the message.
    pub no_persist: bool,
    /// Bit 1: the message counts as unread.
    pub red_dot: bool,
    /// Bit 2: a command message, consumed once.
    pub sync_once: bool,
    /// Bit 3: a re-send of an earlier packet.
    pub dup: bool,
}

impl Flags {
    /// The flags in the low four bits; the high ones are ignored, so that a
    /// whole header byte may be passed.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Flags {
        Flags {
            no_persist: bits & 0x01 != 0,
            red_dot: bits & 0x02 != 0,
            sync_once: bits & 0x04 != 0,
            dup: bits & 0x08 != 0,
        }
    }

    /// The flags as the low nibble of a header byte.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.no_persist as u8
            | (self.red_dot as u8) << 1
            | (self.sync_once as u8) << 2
            | (self.dup as u8) << 3
    }
}

/// The setting byte of SEND, RECV and SUB (wukong.md §1.4). Bits without a
/// name are kept as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Setting(pub u8);

impl Setting {
    /// The sender asks for a receipt.
    pub const RECEIPT: u8 = 0x80;
    /// The payload is end-to-end encrypted with the Signal protocol.
    pub const SIGNAL: u8 = 0x20;
    /// The payload is not encrypted. The reference server ignores this bit.
    pub const NO_ENCRYPT: u8 = 0x10;
    /// A topic string is present.
    pub const TOPIC: u8 = 0x08;
    /// The message belongs to a stream.
    pub const STREAM: u8 = 0x02;

    /// What Android and Flutter take for the stream bit (wukong.md §1.3).
    const STREAM_OF_OLD_CLIENTS: u8 = 0x04;

    /// Whether [`Setting::RECEIPT`] is set.
    #[must_use]
    pub const fn has_receipt(self) -> bool {
        self.0 & Self::RECEIPT != 0
    }

    /// Whether [`Setting::SIGNAL`] is set.
    #[must_use]
    pub const fn has_signal(self) -> bool {
        self.0 & Self::SIGNAL != 0
    }

    /// Whether [`Setting::NO_ENCRYPT`] is set.
    #[must_use]
    pub const fn has_no_encrypt(self) -> bool {
        self.0 & Self::NO_ENCRYPT != 0
    }

    /// Whether [`Setting::TOPIC`] is set.
    #[must_use]
    pub const fn has_topic(self) -> bool {
        self.0 & Self::TOPIC != 0
    }

    /// Whether [`Setting::STREAM`] is set.
    #[must_use]
    pub const fn has_stream(self) -> bool {
        self.0 & Self::STREAM != 0
    }

    /// The setting that a RECV of `version` carries: before version 5 without
    /// either bit that some client takes for "stream fields follow", since the
    /// clients disagree about their order and we never send them
    /// (wukong.md §1.3).
    #[must_use]
    pub const fn for_recv(self, version: u8) -> Setting {
        if version < 5 {
            Setting(self.0 & !(Self::STREAM | Self::STREAM_OF_OLD_CLIENTS))
        } else {
            self
        }
    }
}

/// One frame of either direction (wukong.md §1.2).
///
/// Clients below version 5 know nothing from SUB on; Flutter reconnects when
/// it sees one. The codec does not enforce that: do not send them SUBACK or
/// EVENT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// Client to server; must be first.
    Connect(Connect),
    /// Server to client, answers CONNECT.
    Connack(Connack),
    /// Client to server: a message.
    Send(Send),
    /// Server to client, answers SEND.
    Sendack(Sendack),
    /// Server to client: a message.
    Recv(Recv),
    /// Client to server, answers RECV.
    Recvack(Recvack),
    /// Client to server; one byte.
    Ping,
    /// Server to client; one byte.
    Pong,
    /// Server to client, before closing. Clients take it for a logout, so it
    /// is for kicks only (wukong.md §1.6).
    Disconnect(Disconnect),
    /// Client to server.
    Sub(Sub),
    /// Server to client, answers SUB.
    Suback(Suback),
    /// Server to client.
    Event(Event),
}

/// CONNECT: a client introduces itself (wukong.md §1.3). Its layout is the
/// same in all versions.
#[derive(Clone, PartialEq, Eq)]
pub struct Connect {
    /// The client's protocol version; see [`negotiate`](super::negotiate).
    pub version: u8,
    /// 0 app, 1 web, 2 PC, 99 system (wukong.md §1.5).
    pub device_flag: u8,
    /// The client's own name for the device.
    pub device_id: String,
    /// The user who logs in.
    pub uid: String,
    /// The user's token. A secret: `Debug` leaves it out.
    pub token: String,
    /// The client's clock in milliseconds since the Unix epoch.
    pub client_timestamp_ms: i64,
    /// Base64 of the client's X25519 public key (wukong.md §2.1).
    pub client_key: String,
}

impl std::fmt::Debug for Connect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connect")
            .field("version", &self.version)
            .field("device_flag", &self.device_flag)
            .field("device_id", &self.device_id)
            .field("uid", &self.uid)
            .field("client_timestamp_ms", &self.client_timestamp_ms)
            .field("client_key", &self.client_key)
            .finish_non_exhaustive()
    }
}

/// CONNACK: the answer to CONNECT (wukong.md §1.3).
///
/// For clients above version 3 set `server_version` and `node_id` even when
/// refusing them: Flutter reads a node id whenever its own version is 4 or
/// more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connack {
    /// The negotiated version; `None` leaves out the byte and header bit 0.
    pub server_version: Option<u8>,
    /// Server clock minus client clock in milliseconds.
    pub time_diff_ms: i64,
    /// Reason code; 1 is success. See [`Reason`](crate::wukong::reason::Reason).
    pub reason: u8,
    /// Base64 of the server's X25519 public key; empty without encryption.
    pub server_key: String,
    /// The AES initialisation vector as 16 ASCII characters (wukong.md §2.3).
    pub salt: String,
    /// The node that serves the client, from version 4 on. The version is
    /// `server_version` if present, else the one given to the codec. When the
    /// version calls for it, `None` is written as 0; otherwise `Some` is not
    /// written.
    pub node_id: Option<u64>,
}

/// SEND: a client's message (wukong.md §1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// Header flags.
    pub flags: Flags,
    /// Setting byte; decides which optional fields are on the wire.
    pub setting: Setting,
    /// The client's number for this packet, echoed in SENDACK.
    pub client_seq: u32,
    /// The client's idempotency id.
    pub client_msg_no: String,
    /// On the wire only in versions 2 to 4 with [`Setting::STREAM`]; else
    /// empty.
    pub stream_no: String,
    /// The channel; in direct chats the peer's uid.
    pub channel_id: String,
    /// The kind of channel.
    pub channel_type: u8,
    /// Lifetime in seconds, 0 for ever. On the wire from version 3 on.
    pub expire_secs: u32,
    /// Lower-hex message key (wukong.md §2.5).
    pub msg_key: String,
    /// On the wire only with [`Setting::TOPIC`]; else empty.
    pub topic: String,
    /// Base64 text of the ciphertext, or raw bytes without encryption. After
    /// decoding this is a slice of the input buffer and keeps that buffer
    /// alive: copy it if it is to be kept.
    pub payload: Bytes,
}

/// SENDACK: the answer to SEND (wukong.md §1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sendack {
    /// The flags of the SEND.
    pub flags: Flags,
    /// The message's id.
    pub message_id: i64,
    /// The SEND's client sequence.
    pub client_seq: u32,
    /// The message's place in its channel; 32 bits before version 6.
    pub message_seq: u64,
    /// Reason code; 1 is success.
    pub reason: u8,
}

/// RECV: a message for a client (wukong.md §1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recv {
    /// Header flags; `red_dot` is cleared for the sender's own devices.
    pub flags: Flags,
    /// Setting byte, encoded as [`Setting::for_recv`] says.
    pub setting: Setting,
    /// Lower-hex message key (wukong.md §2.6).
    pub msg_key: String,
    /// The sender; empty for the system user.
    pub from_uid: String,
    /// The channel as this receiver names it.
    pub channel_id: String,
    /// The kind of channel.
    pub channel_type: u8,
    /// Lifetime in seconds, 0 for ever. On the wire from version 3 on.
    pub expire_secs: u32,
    /// The sender's idempotency id.
    pub client_msg_no: String,
    /// Stream fields, decoded in versions 2 to 4 with [`Setting::STREAM`].
    /// Never encoded (wukong.md §1.3).
    pub stream: Option<StreamPart>,
    /// The message's id.
    pub message_id: i64,
    /// The message's place in its channel; 32 bits before version 6.
    pub message_seq: u64,
    /// Send time in seconds since the Unix epoch.
    pub timestamp_secs: i32,
    /// On the wire only with [`Setting::TOPIC`]; else empty.
    pub topic: String,
    /// As [`Send::payload`].
    pub payload: Bytes,
}

impl Recv {
    /// The same packet by reference, without its stream fields.
    #[must_use]
    pub fn parts(&self) -> RecvParts<'_> {
        RecvParts {
            flags: self.flags,
            setting: self.setting,
            msg_key: &self.msg_key,
            from_uid: &self.from_uid,
            channel_id: &self.channel_id,
            channel_type: self.channel_type,
            expire_secs: self.expire_secs,
            client_msg_no: &self.client_msg_no,
            message_id: self.message_id,
            message_seq: self.message_seq,
            timestamp_secs: self.timestamp_secs,
            topic: &self.topic,
            payload: &self.payload,
        }
    }
}

/// A RECV by reference, for [`encode_recv`](super::encode_recv). Fields are
/// those of [`Recv`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecvParts<'a> {
    /// See [`Recv::flags`].
    pub flags: Flags,
    /// See [`Recv::setting`].
    pub setting: Setting,
    /// See [`Recv::msg_key`].
    pub msg_key: &'a str,
    /// See [`Recv::from_uid`].
    pub from_uid: &'a str,
    /// See [`Recv::channel_id`].
    pub channel_id: &'a str,
    /// See [`Recv::channel_type`].
    pub channel_type: u8,
    /// See [`Recv::expire_secs`].
    pub expire_secs: u32,
    /// See [`Recv::client_msg_no`].
    pub client_msg_no: &'a str,
    /// See [`Recv::message_id`].
    pub message_id: i64,
    /// See [`Recv::message_seq`].
    pub message_seq: u64,
    /// See [`Recv::timestamp_secs`].
    pub timestamp_secs: i32,
    /// See [`Recv::topic`].
    pub topic: &'a str,
    /// See [`Recv::payload`].
    pub payload: &'a [u8],
}

/// The stream fields of a RECV in the reference server's order
/// (wukong.md §1.3). Other code bases order them differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPart {
    /// Where in the stream this part stands, as the server numbers it.
    pub flag: u8,
    /// The stream's name.
    pub stream_no: String,
    /// The part's id.
    pub stream_id: u64,
}

/// RECVACK: the answer to RECV (wukong.md §1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recvack {
    /// The flags of the RECV.
    pub flags: Flags,
    /// The message's id.
    pub message_id: i64,
    /// The message's place in its channel; 32 bits before version 6.
    pub message_seq: u64,
}

/// DISCONNECT: the server is about to close (wukong.md §1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnect {
    /// Reason code.
    pub reason: u8,
    /// The reason in words.
    pub text: String,
}

/// SUB: (un)subscribe to a channel for this connection (wukong.md §1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sub {
    /// Setting byte.
    pub setting: Setting,
    /// The client's number for this request, echoed in SUBACK.
    pub sub_no: String,
    /// The channel.
    pub channel_id: String,
    /// The kind of channel.
    pub channel_type: u8,
    /// 0 subscribe, 1 unsubscribe.
    pub action: u8,
    /// Free parameter.
    pub param: String,
}

/// SUBACK: the answer to SUB (wukong.md §1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suback {
    /// The SUB's number.
    pub sub_no: String,
    /// The channel.
    pub channel_id: String,
    /// The kind of channel.
    pub channel_type: u8,
    /// 0 subscribe, 1 unsubscribe.
    pub action: u8,
    /// Reason code; 1 is success.
    pub reason: u8,
}

/// EVENT: something that is not a message (wukong.md §1.3). Never encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The event's id.
    pub id: String,
    /// What happened, such as `stream.delta`.
    pub event_type: String,
    /// When, in milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// The event's body. After decoding a slice of the input buffer, as
    /// [`Send::payload`].
    pub data: Bytes,
}
