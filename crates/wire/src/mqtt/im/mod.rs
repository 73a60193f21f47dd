//! What travels inside the packets of this dialect, and its HTTP bodies
//! (`mqtt.md`): JSON in, typed values out, and back.
//!
//! [`Envelope`] is the container of every message, [`Outbound`] writes it. Its
//! `content` stays the author's text; [`content`], [`call`] and [`background`]
//! say what it may hold. [`register`], [`pull`], [`app`] and [`reply`] are the
//! bodies of the HTTP interface.
//!
//! Reading is tolerant, writing exact: numbers, flags and ids are understood in
//! each of their forms, unknown members are passed over, and of members that
//! occur twice the last one counts, provided that [`read`] or [`Envelope::read`]
//! did the reading. What is written has the members of `mqtt.md` in its order,
//! and nothing else. The module does not know accounts, groups or rights: it
//! moves members, it never judges them.

pub mod app;
pub mod background;
pub mod call;
pub mod content;
mod envelope;
mod message_type;
pub mod pull;
pub mod register;
pub mod reply;
mod tolerant;

pub use envelope::{Envelope, EnvelopeError, EnvelopeFault, Outbound, json_string};
pub use message_type::{MsgType, TypeForm, TypeTable, TypeTableError, TypeValue};

use serde::de::{Deserialize, DeserializeOwned, Error};
use serde_json::Value;

/// The sender of what the server itself says (`mqtt.md` Q3-10).
pub const SYSTEM: &str = "SYSTEM";

/// The topic that clients publish to (`mqtt.md` Q3-6).
pub const SEND_TOPIC: &str = "im/send";

/// Why JSON is not of the wanted form; the text is for a log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(#[from] serde_json::Error);

/// Reads one of this module's values from JSON, the tolerant way.
///
/// # Errors
///
/// If `json` is no JSON object, or a member has a value that it cannot have.
pub fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, ReadError> {
    // Through a map, in which the last of several members wins.
    let value: Value = serde_json::from_slice(json)?;
    require_object(&value).and_then(|()| Ok(T::deserialize(value)?))
}

/// As [`read`], of a part of what was read.
fn read_part<'a, T: Deserialize<'a>>(value: &'a Value) -> Result<T, ReadError> {
    require_object(value).and_then(|()| Ok(T::deserialize(value)?))
}

/// serde would take a list for a struct, too, member by member.
fn require_object(value: &Value) -> Result<(), ReadError> {
    if value.is_object() {
        Ok(())
    } else {
        Err(serde_json::Error::custom("not an object").into())
    }
}
