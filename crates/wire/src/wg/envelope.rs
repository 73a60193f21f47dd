//! A message as it came, checked step by step (wg.md Q0-13).
//!
//! The checks have a fixed order, and one of them, whether the session is
//! registered, is not ours. So reading a message checks what comes before it,
//! and the rest waits to be asked for, in this order:
//!
//! - any type but 1000: is it registered? → [`Envelope::check_sender`] →
//!   [`Envelope::recipients`] → [`Envelope::content`] → rights and limits;
//! - 1000: [`Envelope::check_addressed`] → [`Envelope::content`] → is there
//!   such a session? → [`Envelope::check_sender`].

use std::borrow::Cow;

use bytes::Bytes;

use crate::lenient::{self, Json, members};

use super::message::SYSTEM;
use super::status::texts;
use super::{
    Body, Fault, Kind, Limits, Recipient, Status, ToClient, ToServer, Written, recipients,
};

/// A message whose id and type are known; the rest may be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Its id; never empty.
    pub id: String,
    /// Its type.
    pub kind: Kind,
    /// Whether it says that the server itself says it.
    pub is_system: bool,
    /// The sender; none if it cannot be read.
    pub from: Option<String>,
    /// The receivers as they were written; none if they cannot be read.
    pub to: Option<String>,
    /// The body as it was written; none if it is `null` or not there.
    pub body: Option<Json>,
    /// When the sender says it was sent, ms since 1970.
    pub timestamp_ms: Option<i64>,
}

const NAMES: [&str; 7] = ["id", "type", "isSystem", "from", "to", "body", "timestamp"];

impl Envelope {
    /// Reads a message of either direction: 401, then 403.
    pub(super) fn read(input: &Bytes, limits: &Limits) -> Result<Envelope, Fault> {
        Envelope::read_with(input, limits, true)
    }

    /// As [`read`](Envelope::read), but the id is empty if there is none.
    pub(super) fn read_any_id(input: &Bytes, limits: &Limits) -> Result<Envelope, Fault> {
        Envelope::read_with(input, limits, false)
    }

    fn read_with(input: &Bytes, limits: &Limits, needs_id: bool) -> Result<Envelope, Fault> {
        if input.len() > limits.frame_bytes {
            return Err(Fault {
                msg: Cow::Borrowed(texts::TOO_LARGE),
                ..Fault::malformed()
            });
        }
        let text = std::str::from_utf8(input).map_err(|_| Fault::malformed())?;
        let place = |name: &str| NAMES.iter().position(|it| *it == name);
        let [id, kind, is_system, from, to, body, timestamp] =
            members(text, place).map_err(|_| Fault::malformed())?;
        let owned = |raw: Option<&str>| {
            let text = lenient::text(raw?).ok()??;
            Some(text.into_owned())
        };

        let from = owned(from);
        let id = owned(id).unwrap_or_default();
        if needs_id && id.is_empty() {
            return Err(Fault {
                claimed_from: from.unwrap_or_default(),
                ..Fault::malformed()
            });
        }
        let mut envelope = Envelope {
            id,
            kind: Kind::Custom(0),
            is_system: false,
            from,
            to: owned(to),
            body: body.map(|raw| Json::within(input, raw)),
            timestamp_ms: timestamp.and_then(|raw| lenient::integer(raw).ok().flatten()),
        };
        envelope.is_system = match is_system.map(lenient::flag).transpose() {
            Ok(flag) => flag.flatten().unwrap_or(false),
            Err(_) => return Err(envelope.fault(Status::MessageError, texts::MALFORMED)),
        };
        let is_too_large = |body: &Json| body.is_longer_than(limits.body_bytes);
        if envelope.body.as_ref().is_some_and(is_too_large) {
            return Err(envelope.fault(Status::MessageError, texts::TOO_LARGE));
        }
        envelope.kind = kind
            .and_then(|raw| lenient::integer(raw).ok().flatten())
            .map(Kind::of)
            .ok_or_else(|| envelope.wrong(Status::TypeError))?;
        Ok(envelope)
    }

    /// A refusal of this message.
    #[must_use]
    pub fn fault(&self, status: Status, msg: impl Into<Cow<'static, str>>) -> Fault {
        Fault {
            id: Some(self.id.clone()),
            claimed_from: self.from.clone().unwrap_or_default(),
            status,
            msg: msg.into(),
        }
    }

    /// A refusal with the text of the document.
    fn wrong(&self, status: Status) -> Fault {
        self.fault(status, status.text())
    }

    /// Checks that the sender is `user_id`, and does not pose as the server
    /// (wg.md Q0-20).
    ///
    /// # Errors
    ///
    /// 405.
    pub fn check_sender(&self, user_id: &str) -> Result<(), Fault> {
        let from = self.from.as_deref();
        if from == Some(user_id) && from != Some(SYSTEM) && !self.is_system {
            Ok(())
        } else {
            Err(self.wrong(Status::FromError))
        }
    }

    /// Checks that `to` is there; what it says does not matter
    /// (wg.md Q0-8).
    ///
    /// # Errors
    ///
    /// 406.
    pub fn check_addressed(&self) -> Result<(), Fault> {
        match self.to {
            Some(_) => Ok(()),
            None => Err(self.wrong(Status::ToError)),
        }
    }

    /// The receivers. Whether they exist is not known here.
    ///
    /// # Errors
    ///
    /// 406 if nobody is named, or too many are.
    pub fn recipients(&self) -> Result<Vec<Recipient<'_>>, Fault> {
        recipients(self.to.as_deref().unwrap_or_default()).map_err(|_| self.wrong(Status::ToError))
    }

    /// Type and body of a client's message.
    ///
    /// # Errors
    ///
    /// 404 if the body does not fit the type, 403 for 9001, which no client
    /// sends.
    pub fn content(&self) -> Result<ToServer, Fault> {
        Ok(match self.kind {
            Kind::Register => ToServer::Register(self.read_body()?),
            Kind::Text => ToServer::Text(self.text()?),
            Kind::Notice => ToServer::Notice(self.written()?),
            Kind::TargetNotice => ToServer::TargetNotice(self.written()?),
            Kind::ReceiveStatus => ToServer::ReceiveStatus(self.written()?),
            Kind::Custom(code) => ToServer::Custom(code, self.custom()?),
            Kind::SendStatus => return Err(self.wrong(Status::TypeError)),
        })
    }

    /// Type and body of a server's message.
    ///
    /// # Errors
    ///
    /// 404 if the body does not fit the type, 403 for 1000, which no server
    /// sends.
    pub fn content_of_server(&self) -> Result<ToClient, Fault> {
        Ok(match self.kind {
            Kind::Text => ToClient::Text(self.text()?),
            Kind::Notice => ToClient::Notice(self.written()?),
            Kind::TargetNotice => ToClient::TargetNotice(self.written()?),
            Kind::SendStatus => ToClient::SendStatus(self.read_body()?),
            Kind::ReceiveStatus => ToClient::ReceiveStatus(self.written()?),
            Kind::Custom(code) => ToClient::Custom(code, self.custom()?),
            Kind::Register => return Err(self.wrong(Status::TypeError)),
        })
    }

    fn read_body<B: Body>(&self) -> Result<B, Fault> {
        self.body
            .as_ref()
            .and_then(|raw| B::read(raw).ok())
            .ok_or_else(|| self.wrong(Status::BodyError))
    }

    fn written<B: Body>(&self) -> Result<Written<B>, Fault> {
        self.body
            .clone()
            .and_then(|raw| Written::read(raw).ok())
            .ok_or_else(|| self.wrong(Status::BodyError))
    }

    fn text(&self) -> Result<Json, Fault> {
        self.body
            .clone()
            .filter(|body| body.is_string() && *body != Json::EMPTY)
            .ok_or_else(|| self.wrong(Status::BodyError))
    }

    fn custom(&self) -> Result<Json, Fault> {
        self.body
            .clone()
            .filter(|body| body.is_string() || body.is_object())
            .ok_or_else(|| self.wrong(Status::BodyError))
    }
}
