//! The envelope of every message: nine members (`mqtt.md` S3-2 to S3-10).
//!
//! Reading takes no copy of `content`, and does not look into it beyond seeing
//! that it is an object: receivers of the same dialect get it as it came.
//! Writing can leave a hole for the receiver, so that the copies of a group
//! message are one text.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{TypeForm, TypeTable, TypeValue, tolerant};

/// A message as a client publishes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The sender's number of the message: the key against duplicates. Never
    /// empty.
    pub id: String,
    /// Who sends; may be empty.
    pub from: String,
    /// An account, a user or a group. Never empty.
    pub to: String,
    /// The tenant; may be empty.
    pub tenant_no: String,
    /// Of a group, who is meant; may be empty (`mqtt.md` Q3-13).
    pub target: String,
    /// What the message is.
    pub kind: TypeValue,
    /// How `type` was written.
    pub form: TypeForm,
    /// A JSON object, as the sender wrote it.
    pub content: &'a str,
    /// The sender's clock in milliseconds since the Unix epoch.
    pub client_time_ms: Option<i64>,
    /// Whether nobody is to be told of it.
    pub is_background: bool,
}

/// Why a payload is no envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeFault {
    /// It is no JSON object.
    #[error("payload is not a JSON object")]
    NotJson,
    /// A member that is needed is not there, or empty.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A member has a value that it cannot have.
    #[error("{0} has a wrong value")]
    Wrong(&'static str),
}

/// A payload that is no envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct EnvelopeError {
    /// What is wrong: the first fault in the order id, to, type, content,
    /// others.
    pub fault: EnvelopeFault,
    /// The message's id, for the answer, if it could be read.
    pub id: String,
}

impl<'a> Envelope<'a> {
    /// Reads a payload. Of `type`, `table` says what the numbers mean.
    ///
    /// # Errors
    ///
    /// See [`EnvelopeError`].
    pub fn read(payload: &'a [u8], table: &TypeTable) -> Result<Envelope<'a>, EnvelopeError> {
        let members: Members<'a> = serde_json::from_slice(payload).map_err(|_| EnvelopeError {
            fault: EnvelopeFault::NotJson,
            id: String::new(),
        })?;
        let id = members.id().unwrap_or_default();
        members
            .envelope(table)
            .map_err(|fault| EnvelopeError { fault, id })
    }
}

/// The members as they stand in the text.
#[derive(Default)]
struct Members<'a> {
    id: Option<&'a RawValue>,
    from: Option<&'a RawValue>,
    to: Option<&'a RawValue>,
    tenant_no: Option<&'a RawValue>,
    target: Option<&'a RawValue>,
    kind: Option<&'a RawValue>,
    content: Option<&'a RawValue>,
    timestamp: Option<&'a RawValue>,
    is_background: Option<&'a RawValue>,
}

impl<'a> Members<'a> {
    fn id(&self) -> Result<String, EnvelopeFault> {
        required(text(self.id, "id")?, "id")
    }

    fn envelope(&self, table: &TypeTable) -> Result<Envelope<'a>, EnvelopeFault> {
        let id = self.id()?;
        let to = required(text(self.to, "to")?, "to")?;
        let (kind, form) = self.kind(table)?;
        let content = self.content.map_or("null", RawValue::get);
        if content == "null" {
            return Err(EnvelopeFault::Missing("content"));
        }
        if !content.starts_with('{') {
            return Err(EnvelopeFault::Wrong("content"));
        }
        let timestamp = member(self.timestamp, "timestamp", |json| {
            tolerant::optional_integer(json)
        })?;
        let is_background = member(self.is_background, "isBackground", |json| {
            tolerant::optional_flag(json)
        })?;
        Ok(Envelope {
            id,
            from: text(self.from, "from")?,
            to,
            tenant_no: text(self.tenant_no, "tenantNo")?,
            target: text(self.target, "target")?,
            kind,
            form,
            content,
            client_time_ms: timestamp,
            is_background: is_background.unwrap_or(false),
        })
    }

    fn kind(&self, table: &TypeTable) -> Result<(TypeValue, TypeForm), EnvelopeFault> {
        let missing = EnvelopeFault::Missing("type");
        let value = member(self.kind, "type", |json| Value::deserialize(json).map(Some))?;
        match value.ok_or(missing)? {
            Value::Null => Err(missing),
            Value::String(text) if text.is_empty() => Err(missing),
            value => TypeValue::from_json(&value, table).ok_or(EnvelopeFault::Wrong("type")),
        }
    }
}

fn required(text: String, name: &'static str) -> Result<String, EnvelopeFault> {
    if text.is_empty() {
        Err(EnvelopeFault::Missing(name))
    } else {
        Ok(text)
    }
}

/// A string; a number with the digits that it was written with, however many.
fn text(value: Option<&RawValue>, name: &'static str) -> Result<String, EnvelopeFault> {
    let json = value.map_or("null", RawValue::get);
    match json.bytes().next() {
        Some(b'-' | b'0'..=b'9') => Ok(json.to_owned()),
        _ => Ok(member(value, name, tolerant::optional_text)?.unwrap_or_default()),
    }
}

/// Reads one member, if it is there.
fn member<'a, T>(
    value: Option<&'a RawValue>,
    name: &'static str,
    read: impl FnOnce(&'a RawValue) -> Result<Option<T>, serde_json::Error>,
) -> Result<Option<T>, EnvelopeFault> {
    match value {
        Some(json) => read(json).map_err(|_| EnvelopeFault::Wrong(name)),
        None => Ok(None),
    }
}

/// Takes the members that are ours, of several the last one.
impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Members<'a>, D::Error> {
        from.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an envelope")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members<'de>, M::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<Name>()? {
            let slot = match name {
                Name::Id => &mut members.id,
                Name::From => &mut members.from,
                Name::To => &mut members.to,
                Name::TenantNo => &mut members.tenant_no,
                Name::Target => &mut members.target,
                Name::Type => &mut members.kind,
                Name::Content => &mut members.content,
                Name::Timestamp => &mut members.timestamp,
                Name::IsBackground => &mut members.is_background,
                Name::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *slot = Some(map.next_value()?);
        }
        Ok(members)
    }
}

/// The names of the members.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Name {
    Id,
    From,
    To,
    TenantNo,
    Target,
    Type,
    Content,
    Timestamp,
    IsBackground,
    #[serde(other)]
    Other,
}

/// A message as the server publishes it.
#[derive(Debug, Clone, Copy)]
pub struct Outbound<'a> {
    /// The message's number.
    pub id: &'a str,
    /// The sender; of a group message the group (`mqtt.md` S3-13).
    pub from: &'a str,
    /// The receiver's account.
    pub to: &'a str,
    /// The tenant.
    pub tenant_no: &'a str,
    /// Of a group message the sender; else what the sender gave.
    pub target: &'a str,
    /// What the message is.
    pub kind: &'a TypeValue,
    /// How the receiver wants `type` written.
    pub form: TypeForm,
    /// A JSON object, written as it is.
    pub content: &'a str,
    /// When the server took the message, in milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// Whether nobody is to be told of it.
    pub is_background: bool,
}

impl Outbound<'_> {
    /// Appends the envelope to `out`.
    pub fn write(&self, table: &TypeTable, out: &mut BytesMut) {
        self.write_before(out);
        put_string(self.to, out);
        self.write_after(table, out);
    }

    /// The text before and after the value of `to`, which is not looked at:
    /// for [`SharedPublish::with_hole`](crate::mqtt::SharedPublish::with_hole),
    /// filled with [`json_string`] of the receiver.
    #[must_use]
    pub fn around_to(&self, table: &TypeTable) -> (Bytes, Bytes) {
        let mut text = BytesMut::with_capacity(self.content.len() + 256);
        self.write_before(&mut text);
        let before = text.split();
        self.write_after(table, &mut text);
        (before.freeze(), text.freeze())
    }

    fn write_before(&self, out: &mut BytesMut) {
        out.put_slice(b"{\"id\":");
        put_string(self.id, out);
        out.put_slice(b",\"from\":");
        put_string(self.from, out);
        out.put_slice(b",\"to\":");
    }

    fn write_after(&self, table: &TypeTable, out: &mut BytesMut) {
        out.put_slice(b",\"tenantNo\":");
        put_string(self.tenant_no, out);
        out.put_slice(b",\"target\":");
        put_string(self.target, out);
        out.put_slice(b",\"type\":");
        out.put_slice(self.kind.to_json(self.form, table).to_string().as_bytes());
        out.put_slice(b",\"content\":");
        out.put_slice(self.content.as_bytes());
        out.put_slice(b",\"timestamp\":");
        out.put_slice(self.timestamp_ms.to_string().as_bytes());
        out.put_slice(b",\"isBackground\":");
        out.put_slice(if self.is_background {
            b"true"
        } else {
            b"false"
        });
        out.put_slice(b"}");
    }
}

/// `text` as a JSON string, quotes included.
#[must_use]
pub fn json_string(text: &str) -> String {
    Value::from(text).to_string()
}

fn put_string(text: &str, out: &mut BytesMut) {
    serde_json::to_writer(out.writer(), text).expect("a string has a JSON form");
}
