//! A message for many receivers: encoded once, with a hole for `to`.

use bytes::{BufMut, Bytes, BytesMut};

use crate::lenient::put_text;

use super::codec::put;
use super::{Message, ToClient};

/// A message whose receivers differ in `to` only: each sees its own id
/// (wg.md Q0-16). Cloning shares it.
#[derive(Debug, Clone)]
pub struct Shared {
    text: Bytes,
    hole: usize,
}

impl Shared {
    /// Encodes `message`; its `to` is not looked at.
    #[must_use]
    pub fn new(message: &Message<ToClient>) -> Shared {
        let mut out = BytesMut::new();
        let mut hole = 0;
        put(message, &mut out, |_, out| hole = out.len());
        Shared {
            text: out.freeze(),
            hole,
        }
    }

    /// Appends the message for the receiver `to`.
    pub fn put(&self, to: &str, out: &mut BytesMut) {
        out.put_slice(&self.text[..self.hole]);
        put_text(to, out);
        out.put_slice(&self.text[self.hole..]);
    }
}
