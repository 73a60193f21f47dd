//! The bodies that are JSON objects inside a string (wg.md S0-29 to S0-36).
//!
//! They are also read from an object that somebody forgot to make a string
//! (wg.md Q0-22). Unknown members are ignored; what is passed on is the text
//! as it came, so they reach the other side all the same.

use std::borrow::Cow;

use serde::Serialize;

use crate::lenient::{self, Json, members};

use super::Status;

/// A body that is no JSON object, or lacks a required member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body does not fit its type")]
pub struct BadBody;

/// A body with typed members.
pub trait Body: Sized {
    /// Reads a string that holds a JSON object, or the object itself.
    ///
    /// # Errors
    ///
    /// [`BadBody`] if it is neither, or lacks a required member.
    fn read(json: &Json) -> Result<Self, BadBody>;

    /// The JSON object, members in the order of the document.
    #[must_use]
    fn to_json(&self) -> String;
}

/// A body as it was written, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<B> {
    body: B,
    raw: Json,
}

impl<B: Body> Written<B> {
    /// A body of our own.
    #[must_use]
    pub fn new(body: B) -> Written<B> {
        let raw = Json::string(&body.to_json());
        Written { body, raw }
    }

    /// A body that was written by others; it is passed on as it is.
    ///
    /// # Errors
    ///
    /// [`BadBody`] if it makes no sense.
    pub fn read(raw: Json) -> Result<Written<B>, BadBody> {
        let body = B::read(&raw)?;
        Ok(Written { body, raw })
    }

    /// What it says.
    #[must_use]
    pub const fn body(&self) -> &B {
        &self.body
    }

    /// How it was written.
    #[must_use]
    pub const fn raw(&self) -> &Json {
        &self.raw
    }
}

/// The body of 1000.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisterBody {
    /// The session id that the login gave.
    pub session_id: String,
}

/// The body of 9001 and 9101.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusBody {
    /// The code; from a client not necessarily that of the status.
    pub code: i64,
    /// The status.
    pub status: Status,
    /// What a person is told.
    pub msg: Cow<'static, str>,
}

impl StatusBody {
    /// A body whose code is that of the status.
    #[must_use]
    pub fn new(status: Status, msg: impl Into<Cow<'static, str>>) -> StatusBody {
        StatusBody {
            code: status.code(),
            status,
            msg: msg.into(),
        }
    }
}

/// The body of 3001 and 3003.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NoticeBody {
    /// The title.
    pub title: String,
    /// The text.
    pub msg: String,
    /// What a click leads to: a URL, a page, whatever was agreed on.
    pub target: Option<String>,
    /// The application's id of the matter.
    pub service_id: Option<String>,
}

impl Body for RegisterBody {
    fn read(json: &Json) -> Result<RegisterBody, BadBody> {
        let text = json.text();
        let [session_id] = object(json, &text, ["sessionId"])?;
        Ok(RegisterBody {
            session_id: id(session_id)?.ok_or(BadBody)?,
        })
    }

    fn to_json(&self) -> String {
        serialized(self)
    }
}

impl Body for StatusBody {
    fn read(json: &Json) -> Result<StatusBody, BadBody> {
        let text = json.text();
        let [code, status, msg] = object(json, &text, ["code", "status", "msg"])?;
        let code = code.ok_or(BadBody)?;
        Ok(StatusBody {
            code: lenient::integer(code).ok().flatten().ok_or(BadBody)?,
            status: id(status)?
                .and_then(|name| Status::of_name(&name))
                .ok_or(BadBody)?,
            msg: string(msg)?.ok_or(BadBody)?.into(),
        })
    }

    fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Members<'a> {
            code: i64,
            status: &'a str,
            msg: &'a str,
        }
        serialized(&Members {
            code: self.code,
            status: self.status.name(),
            msg: &self.msg,
        })
    }
}

impl Body for NoticeBody {
    fn read(json: &Json) -> Result<NoticeBody, BadBody> {
        let text = json.text();
        let names = ["title", "msg", "target", "serviceId"];
        let [title, msg, target, service_id] = object(json, &text, names)?;
        Ok(NoticeBody {
            title: string(title)?.ok_or(BadBody)?,
            msg: string(msg)?.ok_or(BadBody)?,
            target: string(target)?,
            service_id: id(service_id)?,
        })
    }

    fn to_json(&self) -> String {
        serialized(self)
    }
}

/// The members of the object in `text`, which is that of `json`.
fn object<'a, const N: usize>(
    json: &Json,
    text: &'a str,
    names: [&str; N],
) -> Result<[Option<&'a str>; N], BadBody> {
    if !json.is_string() && !json.is_object() {
        return Err(BadBody);
    }
    members(text, |name| names.iter().position(|it| *it == name)).map_err(|_| BadBody)
}

fn string(raw: Option<&str>) -> Result<Option<String>, BadBody> {
    let text = raw.map(lenient::string).transpose().map_err(|_| BadBody)?;
    Ok(text.flatten().map(Cow::into_owned))
}

fn id(raw: Option<&str>) -> Result<Option<String>, BadBody> {
    let text = raw.map(lenient::text).transpose().map_err(|_| BadBody)?;
    Ok(text.flatten().map(Cow::into_owned))
}

fn serialized(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("strings and numbers are JSON")
}
