//! One MESSAGE for many receivers: what they share is encoded once, what
//! differs is filled in for each (stomp.md Q2-7).
//!
//! ```text
//! head  MESSAGE · destination
//! hole  subscription · message-id · ack
//! tail  content-type · content-length · empty line · body · NUL
//! ```
//!
//! The tail does not depend on the destination: receivers who subscribed to
//! different ones share the body all the same.

use bytes::{BufMut, Bytes, BytesMut};

use super::encode::{put_body, put_command, put_header, put_length, whole};
use super::{Command, EncodeError, Escaping};

/// The part of a MESSAGE that its receivers share. Cloning copies nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedMessage {
    head: Bytes,
    tail: Bytes,
}

/// The part of a MESSAGE that is one receiver's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receiver<'a> {
    /// The receiver's subscription; `None` only for a 1.0 client that
    /// subscribed without an id.
    pub subscription: Option<&'a str>,
    /// Unique within the receiver's connection.
    pub message_id: &'a str,
    /// What an ACK of 1.2 names; only for subscriptions that acknowledge.
    pub ack: Option<&'a str>,
}

impl SharedMessage {
    /// Encodes what is shared.
    ///
    /// # Errors
    ///
    /// When `escaping` has no form of the destination or the content type.
    pub fn new(
        destination: &str,
        content_type: Option<&str>,
        body: &[u8],
        escaping: Escaping,
    ) -> Result<SharedMessage, EncodeError> {
        let mut tail = BytesMut::with_capacity(body.len() + 80);
        if let Some(content_type) = content_type {
            put_header(
                Command::Message,
                "content-type",
                content_type,
                escaping,
                &mut tail,
            )?;
        }
        put_length(body.len(), &mut tail);
        put_body(body, &mut tail);
        Ok(SharedMessage {
            head: head(destination, escaping)?,
            tail: tail.freeze(),
        })
    }

    /// The same body for those who subscribed to another destination.
    ///
    /// # Errors
    ///
    /// When `escaping` has no form of the destination.
    pub fn at(&self, destination: &str, escaping: Escaping) -> Result<SharedMessage, EncodeError> {
        Ok(SharedMessage {
            head: head(destination, escaping)?,
            tail: self.tail.clone(),
        })
    }

    /// Appends the whole MESSAGE for one receiver to `out`.
    ///
    /// # Errors
    ///
    /// When `escaping` has no form of what is the receiver's; `out` is
    /// untouched.
    #[inline]
    pub fn encode_for(
        &self,
        receiver: &Receiver<'_>,
        escaping: Escaping,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        whole(out, |out| {
            out.reserve(self.head.len() + receiver.bytes() + self.tail.len());
            out.put_slice(&self.head);
            receiver.encode(escaping, out)?;
            out.put_slice(&self.tail);
            Ok(())
        })
    }

    /// What comes before the receiver's part.
    #[must_use]
    pub fn head(&self) -> &Bytes {
        &self.head
    }

    /// What comes after the receiver's part.
    #[must_use]
    pub fn tail(&self) -> &Bytes {
        &self.tail
    }
}

impl Receiver<'_> {
    /// Appends the receiver's header lines to `out`: what goes between
    /// [`SharedMessage::head`] and [`SharedMessage::tail`].
    ///
    /// # Errors
    ///
    /// When `escaping` has no form of a value; `out` is untouched.
    pub fn encode(&self, escaping: Escaping, out: &mut BytesMut) -> Result<(), EncodeError> {
        whole(out, |out| {
            let mut put = |name, value| put_header(Command::Message, name, value, escaping, out);
            if let Some(subscription) = self.subscription {
                put("subscription", subscription)?;
            }
            put("message-id", self.message_id)?;
            self.ack.map_or(Ok(()), |ack| put("ack", ack))
        })
    }

    /// What the header lines take if nothing needs escaping.
    fn bytes(&self) -> usize {
        let names = "subscription:\nmessage-id:\nack:\n".len();
        let len = |value: Option<&str>| value.map_or(0, str::len);
        names + len(self.subscription) + self.message_id.len() + len(self.ack)
    }
}

fn head(destination: &str, escaping: Escaping) -> Result<Bytes, EncodeError> {
    let mut head = BytesMut::with_capacity(destination.len() + 24);
    put_command(Command::Message, &mut head);
    put_header(
        Command::Message,
        "destination",
        destination,
        escaping,
        &mut head,
    )?;
    Ok(head.freeze())
}
