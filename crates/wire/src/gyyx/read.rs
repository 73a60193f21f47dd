//! Reading the fields of a frame, one by one and by the rules of
//! protocols/README.md A5.
//!
//! A field that is not there is empty. One that is there and makes no sense
//! refuses the frame, except where the document's reader ignores it.

use std::borrow::Cow;

use bytes::Bytes;

use crate::lenient::{self, Json, NotAnObject, members};

use super::commas::without_trailing_commas;
use super::field::FIELDS;
use super::{Base, Field, Form, MsgType, Reason, Unique};

/// A frame's fields, not yet looked at.
pub(super) struct Fields<'a> {
    input: &'a Bytes,
    raw: [Option<&'a str>; FIELDS],
}

/// Takes a message apart and gives `read` its fields. A message that is no
/// JSON is tried once more without commas before a closing bracket, as the
/// document's samples have them (gyyx.md Q4-33).
pub(super) fn with_fields<R>(
    input: &Bytes,
    frame_bytes: usize,
    read: impl FnOnce(Result<&Fields<'_>, Reason>) -> R,
) -> R {
    if input.len() > frame_bytes {
        return read(Err(Reason::TooLarge));
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return read(Err(Reason::NotJson));
    };
    if let Ok(raw) = members(text, Field::place) {
        return read(Ok(&Fields { input, raw }));
    }
    let Some(repaired) = without_trailing_commas(text).map(Bytes::from) else {
        return read(Err(Reason::NotJson));
    };
    let text = std::str::from_utf8(&repaired).expect("it was text");
    match members(text, Field::place) {
        Ok(raw) => read(Ok(&Fields {
            input: &repaired,
            raw,
        })),
        Err(NotAnObject) => read(Err(Reason::NotJson)),
    }
}

impl<'a> Fields<'a> {
    /// The message that the fields are parts of.
    pub(super) fn input(&self) -> &'a Bytes {
        self.input
    }

    /// The field as it was written; nothing if it is `null`.
    pub(super) fn raw(&self, field: Field) -> Option<&'a str> {
        self.raw[field as usize]
    }

    /// Refuses the frame unless a field it needs is there.
    pub(super) fn demand(&self, field: Field, is_there: bool) -> Result<(), Reason> {
        if is_there {
            Ok(())
        } else {
            Err(Reason::Missing(field))
        }
    }

    /// A string or an integer's digits; empty if absent.
    pub(super) fn text(&self, field: Field) -> Result<String, Reason> {
        let Some(raw) = self.raw(field) else {
            return Ok(String::new());
        };
        lenient::text(raw)
            .map(|text| text.map_or_else(String::new, Cow::into_owned))
            .map_err(|_| Reason::Unreadable(field))
    }

    /// An integer.
    pub(super) fn integer(&self, field: Field) -> Result<Option<i64>, Reason> {
        let Some(raw) = self.raw(field) else {
            return Ok(None);
        };
        lenient::integer(raw).map_err(|_| Reason::Unreadable(field))
    }

    /// An integer that is never negative; 0 if absent.
    pub(super) fn count(&self, field: Field) -> Result<u32, Reason> {
        let number = self.integer(field)?.unwrap_or(0).max(0);
        Ok(u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// A flag.
    pub(super) fn flag(&self, field: Field) -> Result<Option<bool>, Reason> {
        let Some(raw) = self.raw(field) else {
            return Ok(None);
        };
        lenient::flag(raw).map_err(|_| Reason::Unreadable(field))
    }

    /// Any JSON as it was written, empty if absent; its text has at most
    /// `limit` bytes.
    pub(super) fn json(&self, field: Field, limit: usize) -> Result<Json, Reason> {
        let Some(raw) = self.raw(field) else {
            return Ok(Json::EMPTY);
        };
        let json = Json::within(self.input, raw);
        if json.is_longer_than(limit) {
            return Err(Reason::TooLong(field));
        }
        Ok(json)
    }

    /// The content of a message or signal.
    pub(super) fn message(&self, limit: usize) -> Result<Json, Reason> {
        self.json(Field::Message, limit)
    }

    /// A text that nobody relies on; empty if it makes no sense.
    pub(super) fn unchecked_text(&self, field: Field) -> String {
        self.text(field).unwrap_or_default()
    }

    /// An integer that nobody relies on; 0 if it makes no sense.
    pub(super) fn unchecked_integer(&self, field: Field) -> i64 {
        self.integer(field).ok().flatten().unwrap_or(0)
    }

    /// The code, and how it was written.
    pub(super) fn msg_type(&self) -> Option<MsgType> {
        let number = self.integer(Field::MsgType).ok()??;
        let form = match self.raw(Field::MsgType)?.starts_with('"') {
            true => Form::Text,
            false => Form::Number,
        };
        Some(MsgType { number, form })
    }

    /// The common part as far as it can be read, and the first field that
    /// cannot.
    pub(super) fn base(&self) -> (Base, Option<Reason>) {
        let mut fault = None;
        let mut text = |field| {
            self.text(field).unwrap_or_else(|reason| {
                fault.get_or_insert(reason);
                String::new()
            })
        };
        let unique = text(Field::Unique);
        let is_number = self
            .raw(Field::Unique)
            .is_some_and(|raw| !raw.starts_with('"'));
        let base = Base {
            app_id: text(Field::AppId),
            device_id: text(Field::DeviceId),
            mark: match self.raw(Field::Mark) {
                Some(raw) => Json::within(self.input, raw),
                None => Json::NULL,
            },
            timestamp_ms: self.unchecked_integer(Field::Timestamp),
            unique: if is_number && !unique.is_empty() {
                Unique::number(unique)
            } else {
                Unique::from(unique)
            },
            user_id: text(Field::UserId),
            version: text(Field::Version),
        };
        (base, fault)
    }
}
