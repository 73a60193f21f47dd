//! What clients send: JSON arrays of strings (stomp-sockjs-wire.md §2.4).

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

/// Messages of one request, in order. All texts lie in one string, so that a
/// body of many small messages costs a small multiple of its own bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Messages {
    text: String,
    /// Where each message ends in `text`.
    ends: Vec<usize>,
}

/// Why a body holds no messages. Over a WebSocket the connection is dropped;
/// over HTTP the answer is status 500 with this text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// There is nothing, or no array.
    #[error("Payload expected.")]
    Expected,
    /// It is no JSON, or has an element that is no string.
    #[error("Broken JSON encoding.")]
    Broken,
}

impl Messages {
    /// Reads a text message of the framed WebSocket: an array of strings or
    /// a single string. An empty one holds no messages.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn from_websocket(text: &str) -> Result<Messages, PayloadError> {
        if text.is_empty() {
            return Ok(Messages::default());
        }
        Messages::read(text.as_bytes())
    }

    /// Reads the body of `xhr_send`, whatever its content type: an array of
    /// strings, which may be empty.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn from_xhr(body: &[u8]) -> Result<Messages, PayloadError> {
        match body.trim_ascii_start().first() {
            None => Err(PayloadError::Expected),
            Some(b'[') => Messages::read(body),
            // Other JSON is told from what is none.
            Some(_) => match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
                Ok(_) => Err(PayloadError::Expected),
                Err(_) => Err(PayloadError::Broken),
            },
        }
    }

    /// Reads the body of `jsonp_send`: the field `d` of a form, or as plain
    /// text the array itself.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn from_jsonp(content_type: Option<&str>, body: &[u8]) -> Result<Messages, PayloadError> {
        let media_type = content_type.and_then(|it| it.split(';').next());
        let is_plain = media_type.is_some_and(|it| it.trim().eq_ignore_ascii_case("text/plain"));
        if is_plain {
            return Messages::from_xhr(body);
        }
        let mut fields = form_fields(body);
        let field = fields.find(|(name, _)| *name == b"d");
        let (_, value) = field.ok_or(PayloadError::Expected)?;
        Messages::from_xhr(&unescape(value))
    }

    fn read(json: &[u8]) -> Result<Messages, PayloadError> {
        let mut messages = Messages::default();
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        OneOrMany(&mut messages)
            .deserialize(&mut deserializer)
            .and_then(|()| deserializer.end())
            .map(|()| messages)
            .map_err(|_| PayloadError::Broken)
    }

    /// All messages behind one another: for a protocol that is a byte stream
    /// this is all there is to know.
    #[must_use]
    pub fn joined(&self) -> &str {
        &self.text
    }

    /// The messages, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let message = &self.text[start..end];
            start = end;
            message
        })
    }

    /// How many messages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// Reads a string, or an array of strings, into messages.
struct OneOrMany<'m>(&'m mut Messages);

impl<'de> DeserializeSeed<'de> for OneOrMany<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneOrMany<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.text.push_str(text);
        self.0.ends.push(self.0.text.len());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(One(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

/// Reads one string of an array: an array inside it is none.
struct One<'m>(&'m mut Messages);

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(OneOrMany(self.0))
    }
}

/// Names and values of a form or a query, both still escaped.
pub(super) fn form_fields(form: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    form.split(|byte| *byte == b'&').map(|field| {
        let equals = field.iter().position(|byte| *byte == b'=');
        match equals {
            Some(at) => (&field[..at], &field[at + 1..]),
            None => (field, &[][..]),
        }
    })
}

/// A value of a form without its escapes; what is no escape stays.
pub(super) fn unescape(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.iter().any(|byte| b"%+".contains(byte)) {
        return Cow::Borrowed(value);
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match (byte, tail) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, tail @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    rest = tail;
                }
                _ => out.push(b'%'),
            },
            _ => out.push(*byte),
        }
    }
    Cow::Owned(out)
}
