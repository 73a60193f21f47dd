//! What a SockJS session is at one moment (stomp-sockjs-wire.md §2.5): no time of its own, no
//! waiting, so that every rule of the protocol is a plain test.

use bytes::{BufMut, BytesMut};
use crosstalk_wire::sockjs::{Frame, Framing};

/// How long a session lasts that nobody receives from, and how long a closed one tells so.
pub(super) const TIMEOUT_MS: u64 = 5_000;
/// What may wait for the client, bytes; one message may be longer.
const QUEUE_BYTES: usize = 128 * 1024;
/// How many messages may wait for the client.
const QUEUE_MESSAGES: usize = 1024;

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The server closed it, with this code.
    Closed(u16),
    /// The receiving request broke off: what it was given may be lost.
    Interrupted,
    /// Nobody received for too long; there is nobody to tell.
    TimedOut,
}

/// Who receives: the number of a request, rising by one with each.
pub(super) type ReceiverId = u64;

/// Why a request may not receive.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoReceiver {
    /// Another one does.
    Busy,
    /// The session is gone; one of the same name would be new.
    Gone,
}

/// What there is for a receiving request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// One frame.
    Frame,
    /// The last frame.
    Last,
    /// Nothing now.
    Nothing,
}

/// See the module's words.
#[derive(Debug)]
pub(super) struct State {
    /// The client has been told that it has a session.
    is_open: bool,
    /// The client has been told that it has none any more.
    is_told: bool,
    inbound: BytesMut,
    queue: Queue,
    receiver: Option<ReceiverId>,
    last_receiver: ReceiverId,
    /// Since when nobody receives, monotonic ms; of no meaning while somebody does.
    vacant_since_ms: u64,
    /// Set when it has ended, with the time of that.
    ended: Option<(End, u64)>,
}

/// Messages that wait for the client.
#[derive(Debug, Default)]
struct Queue {
    text: String,
    /// Where each message ends in `text`.
    ends: Vec<usize>,
}

impl State {
    /// A session that nobody receives from yet.
    pub(super) fn new(now_ms: u64) -> Self {
        Self {
            is_open: false,
            is_told: false,
            inbound: BytesMut::new(),
            queue: Queue::default(),
            receiver: None,
            last_receiver: 0,
            vacant_since_ms: now_ms,
            ended: None,
        }
    }

    /// A request wants to receive. Of a session that has ended anybody may hear that.
    pub(super) fn attach(&mut self) -> Result<ReceiverId, NoReceiver> {
        match self.ended {
            Some((End::TimedOut, _)) => return Err(NoReceiver::Gone),
            None if self.receiver.is_some() => return Err(NoReceiver::Busy),
            _ => {}
        }
        self.last_receiver += 1;
        self.receiver = Some(self.last_receiver);
        Ok(self.last_receiver)
    }

    /// A receiving request is over; `is_whole` unless its client went away before its end.
    pub(super) fn detach(&mut self, id: ReceiverId, is_whole: bool, now_ms: u64) {
        if self.receiver != Some(id) {
            return;
        }
        self.receiver = None;
        self.vacant_since_ms = now_ms;
        if !is_whole {
            self.end(End::Interrupted, now_ms);
        }
    }

    /// Writes the next frame for a receiving request.
    pub(super) fn take(&mut self, framing: &Framing, out: &mut BytesMut) -> Taken {
        if !self.is_open {
            self.is_open = true;
            framing.write(&Frame::Open, out);
            return Taken::Frame;
        }
        if !self.queue.is_empty() {
            self.queue.write(framing, out);
            return Taken::Frame;
        }
        let Some((end, _)) = self.ended else {
            return Taken::Nothing;
        };
        self.is_told = true;
        let frame = match end {
            End::Closed(code) => closing(code),
            End::Interrupted | End::TimedOut => Frame::INTERRUPTED,
        };
        framing.write(&frame, out);
        Taken::Last
    }

    /// Queues a message for the client; false if it must wait.
    pub(super) fn push(&mut self, message: &str) -> bool {
        let has_room = self.queue.has_room(message.len());
        if has_room {
            self.queue.text.push_str(message);
            self.queue.ends.push(self.queue.text.len());
        }
        has_room
    }

    /// True if no message waits for the client.
    pub(super) fn is_taken(&self) -> bool {
        self.queue.is_empty()
    }

    /// Appends what the client sent; false if the session has ended.
    pub(super) fn put(&mut self, text: &str) -> bool {
        if self.ended.is_none() {
            self.inbound.put_slice(text.as_bytes());
        }
        self.ended.is_none()
    }

    /// Takes all that the client sent.
    pub(super) fn received(&mut self) -> BytesMut {
        std::mem::take(&mut self.inbound)
    }

    /// The server ends it, if it has not ended.
    pub(super) fn close(&mut self, code: u16, now_ms: u64) {
        self.end(End::Closed(code), now_ms);
    }

    /// The server ends it unless somebody receives: no request will any more. True if it did.
    pub(super) fn leave(&mut self, code: u16, now_ms: u64) -> bool {
        let is_vacant = self.receiver.is_none() && self.ended.is_none();
        if is_vacant {
            self.close(code, now_ms);
        }
        is_vacant
    }

    fn end(&mut self, how: End, now_ms: u64) {
        if self.ended.is_some() {
            return;
        }
        self.ended = Some((how, now_ms));
        if !matches!(how, End::Closed(_)) {
            // What waits may come after what was lost.
            self.queue = Queue::default();
        }
    }

    /// True once it has ended, however.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// True if it has ended and nobody waits to hear of it.
    pub(super) fn is_settled(&self) -> bool {
        self.ended.is_some() && (self.is_told || self.receiver.is_none())
    }

    /// When it is to be looked at again, monotonic ms.
    pub(super) fn deadline_ms(&self) -> Option<u64> {
        match (self.ended, self.receiver) {
            (Some((_, at_ms)), _) => Some(at_ms + TIMEOUT_MS),
            (None, None) => Some(self.vacant_since_ms + TIMEOUT_MS),
            (None, Some(_)) => None,
        }
    }

    /// True if its time is over; then it is gone.
    pub(super) fn expire(&mut self, now_ms: u64) -> bool {
        let is_over = self.deadline_ms().is_some_and(|at_ms| now_ms >= at_ms);
        if is_over {
            self.ended = None;
            self.end(End::TimedOut, now_ms);
        }
        is_over
    }
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.is_empty()
            || self.ends.len() < QUEUE_MESSAGES && self.text.len() + bytes <= QUEUE_BYTES
    }

    /// Writes all of it as one frame.
    fn write(&mut self, framing: &Framing, out: &mut BytesMut) {
        let queue = std::mem::take(self);
        let starts = std::iter::once(0).chain(queue.ends.iter().copied());
        let messages: Vec<&str> = starts
            .zip(&queue.ends)
            .map(|(start, end)| &queue.text[start..*end])
            .collect();
        framing.write(&Frame::Messages(&messages), out);
    }
}

/// The frame that tells a client so.
pub(super) fn closing(code: u16) -> Frame<'static> {
    let reason = match code {
        1000 => "Normal closure",
        1001 => "Going away",
        1002 => "Protocol error",
        1003 => "Unsupported data",
        1007 => "Not UTF-8",
        1008 => "Policy violation",
        1009 => "Message too big",
        1013 => "Try again later",
        _ => "Closed",
    };
    Frame::Close { code, reason }
}

#[cfg(test)]
mod tests;
