//! The wg dialect: instant messages of wg-basic (`wg.md`).
//!
//! A client logs in over HTTP ([`login_path`], [`Login`]), opens a WebSocket
//! and registers its session; every text message is one JSON object with the
//! same seven members, whose `type` says what its `body` is.
//!
//! Reading order: [`Kind`] and [`Status`] are the document's tables,
//! [`Message`] with [`ToServer`] and [`ToClient`] what travels,
//! [`Envelope`] how a client's message is checked, step by step, since the
//! order of the checks decides what the client is told. [`Shared`] is a
//! message for many receivers, [`OnlineQuery`] and [`SendRequest`] are the
//! channel manager over HTTP.
//!
//! The module does not know users, sessions, rights or the time.

mod body;
mod codec;
mod envelope;
mod fault;
mod kind;
mod login;
mod message;
mod online;
mod recipients;
mod shared;
mod status;

pub use body::{BadBody, Body, NoticeBody, RegisterBody, StatusBody, Written};
pub use codec::{Incoming, Limits, PING, PONG, decode_to_client, decode_to_server, encode};
pub use envelope::Envelope;
pub use fault::Fault;
pub use kind::Kind;
pub use login::{
    BadClientName, ClientName, HttpError, Login, LoginShape, LoginSide, done, login_path, sent,
    token_of_query,
};
pub use message::{Content, Message, SYSTEM, ToClient, ToServer};
pub use online::{
    MAX_IDS, OnlineClient, OnlineQuery, SendRequest, SendRequestError, SendTo, masked,
    online_answer,
};
pub use recipients::{MAX_RECIPIENTS, Recipient, RecipientsError, recipients};
pub use shared::Shared;
pub use status::{Status, texts};

/// WebSocket close codes of this dialect; the others are those of RFC 6455.
pub mod close_code {
    /// No registration in time, or too many failed (wg.md Q0-24).
    pub const NOT_REGISTERED: u16 = 4001;
    /// A newer registration took the name (wg.md Q0-5).
    pub const REPLACED: u16 = 4002;
}
