//! Whole messages of both directions (wg.md S0-14 to S0-22).

use crate::lenient::Json;

use super::{Body, Kind, NoticeBody, RegisterBody, StatusBody, Written};

/// The sender of what the server itself says.
pub const SYSTEM: &str = "SYSTEM";

/// A message: the envelope, and a content that says its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<C> {
    /// Its id, the client's own if a client wrote it.
    pub id: String,
    /// Whether the server itself says it.
    pub is_system: bool,
    /// The sender, or [`SYSTEM`].
    pub from: String,
    /// The receiver: from a client possibly several.
    pub to: String,
    /// ms since 1970. The server always writes it.
    pub timestamp_ms: Option<i64>,
    /// Type and body.
    pub content: C,
}

/// What a client can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToServer {
    /// 1000.
    Register(RegisterBody),
    /// 2001: a string that is not empty.
    Text(Json),
    /// 3001.
    Notice(Written<NoticeBody>),
    /// 3003.
    TargetNotice(Written<NoticeBody>),
    /// 9101: it has a message, or could not use it; `id` is the message's,
    /// `to` its sender.
    ReceiveStatus(Written<StatusBody>),
    /// An application's own: a string, or an object.
    Custom(i64, Json),
}

/// What a server can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToClient {
    /// 2001.
    Text(Json),
    /// 3001.
    Notice(Written<NoticeBody>),
    /// 3003.
    TargetNotice(Written<NoticeBody>),
    /// 9001: what became of the client's message with this `id`.
    SendStatus(StatusBody),
    /// 9101: a receiver of the client's message with this `id` has it, or
    /// could not use it.
    ReceiveStatus(Written<StatusBody>),
    /// An application's own.
    Custom(i64, Json),
}

impl Message<ToClient> {
    /// A message that the server itself says.
    #[must_use]
    pub fn of_system(id: &str, to: &str, content: ToClient, now_ms: i64) -> Message<ToClient> {
        Message {
            id: id.to_owned(),
            is_system: true,
            from: SYSTEM.to_owned(),
            to: to.to_owned(),
            timestamp_ms: Some(now_ms),
            content,
        }
    }

    /// The 9001 for the message with this `id` (wg.md Q0-7, Q0-10).
    #[must_use]
    pub fn status(id: &str, to: &str, body: StatusBody, now_ms: i64) -> Message<ToClient> {
        Message::of_system(id, to, ToClient::SendStatus(body), now_ms)
    }
}

/// The type and the body of a message, as they are written.
pub trait Content {
    /// The type.
    fn kind(&self) -> Kind;

    /// The body; what is no string is written as the string of its text.
    fn body(&self) -> Json;
}

impl Content for ToServer {
    fn kind(&self) -> Kind {
        match self {
            ToServer::Register(_) => Kind::Register,
            ToServer::Text(_) => Kind::Text,
            ToServer::Notice(_) => Kind::Notice,
            ToServer::TargetNotice(_) => Kind::TargetNotice,
            ToServer::ReceiveStatus(_) => Kind::ReceiveStatus,
            ToServer::Custom(code, _) => Kind::of(*code),
        }
    }

    fn body(&self) -> Json {
        match self {
            ToServer::Register(body) => Json::string(&body.to_json()),
            ToServer::Text(body) | ToServer::Custom(_, body) => body.clone(),
            ToServer::Notice(body) | ToServer::TargetNotice(body) => body.raw().clone(),
            ToServer::ReceiveStatus(body) => body.raw().clone(),
        }
    }
}

impl Content for ToClient {
    fn kind(&self) -> Kind {
        match self {
            ToClient::Text(_) => Kind::Text,
            ToClient::Notice(_) => Kind::Notice,
            ToClient::TargetNotice(_) => Kind::TargetNotice,
            ToClient::SendStatus(_) => Kind::SendStatus,
            ToClient::ReceiveStatus(_) => Kind::ReceiveStatus,
            ToClient::Custom(code, _) => Kind::of(*code),
        }
    }

    fn body(&self) -> Json {
        match self {
            ToClient::SendStatus(body) => Json::string(&body.to_json()),
            ToClient::Text(body) | ToClient::Custom(_, body) => body.clone(),
            ToClient::Notice(body) | ToClient::TargetNotice(body) => body.raw().clone(),
            ToClient::ReceiveStatus(body) => body.raw().clone(),
        }
    }
}
