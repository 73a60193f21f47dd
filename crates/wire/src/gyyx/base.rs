//! What every frame carries: `IBaseMsg` (gyyx.md F.a.2, set F0).

use crate::lenient::Json;

use super::frame::Value;
use super::{Field, Outgoing, ToClient};

/// The common part of every frame. `msgType` is not in it: a frame knows its
/// own.
///
/// Absent values are empty or 0, and are written as such (gyyx.md Q4-30).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The app.
    pub app_id: String,
    /// The device, as the client made it up. In relayed frames the sender's.
    pub device_id: String,
    /// The client's own, returned as it came; `null` if there was none.
    pub mark: Json,
    /// ms since 1970. From the server always its own time.
    pub timestamp_ms: i64,
    /// The client's own id of the frame.
    pub unique: Unique,
    /// The user. In relayed frames the sender.
    pub user_id: String,
    /// The client's version.
    pub version: String,
}

impl Default for Base {
    fn default() -> Base {
        Base {
            app_id: String::new(),
            device_id: String::new(),
            mark: Json::NULL,
            timestamp_ms: 0,
            unique: Unique::default(),
            user_id: String::new(),
            version: String::new(),
        }
    }
}

/// What the server knows of a connection, whatever its frames say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Own<'a> {
    /// The app of the signed URL.
    pub app_id: &'a str,
    /// The user of the signed URL.
    pub user_id: &'a str,
    /// The version of the signed URL.
    pub version: &'a str,
}

impl Base {
    /// The base of an answer to a frame with this one: its device, mark,
    /// unique id and version, the connection's app and user, the server's
    /// time (gyyx.md F.a.2; S4-3).
    #[must_use]
    pub fn answer(&self, own: Own<'_>, now_ms: i64) -> Base {
        let version = if self.version.is_empty() {
            own.version
        } else {
            &self.version
        };
        Base {
            app_id: own.app_id.to_owned(),
            device_id: self.device_id.clone(),
            mark: self.mark.clone(),
            timestamp_ms: now_ms,
            unique: self.unique.clone(),
            user_id: own.user_id.to_owned(),
            version: version.to_owned(),
        }
    }

    /// The base of a frame that answers nothing; `unique` is a new id.
    #[must_use]
    pub fn unasked(own: Own<'_>, unique: &str, now_ms: i64) -> Base {
        let none = Base {
            unique: Unique::from(unique),
            ..Base::default()
        };
        none.answer(own, now_ms)
    }

    /// The frame 10 that refuses a frame with this base. `detail` is left out
    /// unless the app wants it (gyyx.md Q4-25).
    #[must_use]
    pub fn refusal(&self, own: Own<'_>, now_ms: i64, detail: Option<String>) -> Outgoing {
        Outgoing {
            base: self.answer(own, now_ms),
            body: ToClient::ParameterError { detail },
        }
    }

    pub(super) fn value(&self, field: Field) -> Option<Value<'_>> {
        Some(match field {
            Field::AppId => Value::Text(&self.app_id),
            Field::DeviceId => Value::Text(&self.device_id),
            Field::Mark => Value::Raw(&self.mark),
            Field::Timestamp => Value::Number(self.timestamp_ms),
            Field::Unique => Value::Unique(&self.unique),
            Field::UserId => Value::Text(&self.user_id),
            Field::Version => Value::Text(&self.version),
            _ => return None,
        })
    }
}

/// The client's own id of a frame: the dedup key of a message.
///
/// It is text; one that came as a number is answered as a number, so that a
/// client which compares by type finds its request again. Two ids are equal
/// if they are written equally; compare [`Unique::as_str`] for identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Unique {
    text: String,
    is_number: bool,
}

impl Unique {
    /// The id as text, whatever its JSON type.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// An id that is written as a number. `digits` are an integer as JSON
    /// writes them.
    pub(super) fn number(digits: String) -> Unique {
        Unique {
            text: digits,
            is_number: true,
        }
    }

    /// The digits, if it is written as a number.
    pub(super) fn digits(&self) -> Option<&str> {
        self.is_number.then_some(self.text.as_str())
    }
}

impl From<&str> for Unique {
    fn from(text: &str) -> Unique {
        Unique::from(text.to_owned())
    }
}

impl From<String> for Unique {
    fn from(text: String) -> Unique {
        Unique {
            text,
            is_number: false,
        }
    }
}
