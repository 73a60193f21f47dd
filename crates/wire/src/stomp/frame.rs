//! One frame of either side, before its command is understood.

use bytes::Bytes;

use super::{Command, Headers};

/// A frame. `content-length` is no header here: it belongs to the encoding,
/// the decoder drops it and the encoder writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The command.
    pub command: Command,
    /// The headers in order, unescaped.
    pub headers: Headers,
    /// The body; empty for commands that have none. After decoding this is a
    /// slice of the input and keeps it alive: copy it if it is to be kept.
    pub body: Bytes,
}

impl Frame {
    /// A frame without headers and body.
    #[must_use]
    pub const fn new(command: Command) -> Frame {
        Frame {
            command,
            headers: Headers::new(),
            body: Bytes::new(),
        }
    }

    /// The same frame with one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Frame {
        self.headers.push(name, value);
        self
    }

    /// The same frame with one more header if there is a value.
    #[must_use]
    pub(super) fn with_some(self, name: &str, value: Option<&str>) -> Frame {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The same frame with this body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Frame {
        self.body = body.into();
        self
    }

    /// The value of the first header `name`.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The receipt that the sender asks for.
    #[must_use]
    pub fn receipt(&self) -> Option<&str> {
        self.header("receipt")
    }
}
