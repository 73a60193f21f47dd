//! The gyyx dialect: netty IM 2.0 with video service (`gyyx.md`).
//!
//! A connection is opened with a signed URL ([`ConnectQuery`]); then every
//! WebSocket text message is one JSON object whose `msgType` says what it is.
//! The document has two sets of codes, a table and a prose: both are
//! understood, and [`Codes`] says in which a connection is written to.
//!
//! Reading order: [`Code`] and [`FieldSet`] are the document's table,
//! [`ToServer`] and [`ToClient`] what travels, [`decode_to_server`] and
//! [`encode_to_client`] how. [`Shared`] is a frame for many receivers, the
//! rest is signatures and the bodies of the HTTP routes.
//!
//! The module does not know users, rights, queues or the time. It checks that
//! a frame has what it needs and never whether that is allowed.

mod base;
mod chat;
mod code;
mod codec;
mod commas;
mod connect;
mod date;
mod field;
mod frame;
mod friend;
mod http;
mod past;
mod queue;
mod read;
mod receipt;
mod room;
mod shared;
mod sign;
mod signal;
mod to_client;
mod to_server;

pub use base::{Base, Own, Unique};
pub use chat::{Chat, ContentType};
pub use code::{Code, Codes, Form, Side, Style};
pub use codec::{
    Limits, Reason, decode_to_client, decode_to_server, encode_to_client, encode_to_server, list,
};
pub use connect::{ConnectFault, ConnectQuery, DEFAULT_VERSION, base_of_query};
pub use date::Zone;
pub use field::{Field, FieldSet};
pub use friend::Friend;
pub use http::{
    ChatSignRequest, HttpBody, HttpError, Parameters, RequestFault, SignRequest, SignShape,
    chat_sign_answer, sign_answer, upload_answer,
};
pub use past::{History, Recall};
pub use queue::{Enter, Role, Waiting};
pub use receipt::Receipt;
pub use room::{MAX_ROOMS, Room, RoomEntry, RoomStatus, with_room_key};
pub use shared::{Fill, Shared};
pub use sign::{CHAT_SIGN_SECS, ChatRight, ChatSignError, Key, SignMethod, canonical, queue_text};
pub use signal::Signal;
pub use to_client::{Outgoing, ToClient};
pub use to_server::{Incoming, MsgType, ToServer};

/// WebSocket close codes of this dialect; the others are those of RFC 6455.
pub mod close_code {
    /// A newer connection of the same device (gyyx.md Q4-29).
    pub const REPLACED: u16 = 4002;
    /// The URL lacks a parameter (gyyx.md Q4-4).
    pub const MISSING_PARAMETER: u16 = 4400;
    /// The URL's signature does not count (gyyx.md Q4-4).
    pub const REFUSED: u16 = 4401;
    /// Nothing came for three heartbeats (gyyx.md Q4-7).
    pub const SILENT: u16 = 4408;
}
