//! What a dialect is: a pure machine. Bytes, answers, events and time go in; frames,
//! commands and a close come out. No I/O, no clock, no randomness of its own, so that a
//! transcript of bytes is a test.
//!
//! A machine holds only what may vanish with its socket. State that outlives a connection
//! belongs to the core.

mod arrival;
mod ask;
mod command;
mod messages;
mod topics;

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::BytesMut;
use crosstalk_core::pubsub::{AttachmentEnd, Delivery};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{Ending, Event, SendReply, Session, Ticket};

pub use arrival::{Arrival, Carrier};
pub use ask::{Answer, Ask, AskId, Done, Job, Scope, Target, Work};
pub use command::Command;
pub use messages::{MESSAGE_HEADER_BYTES, MessageKind, put_message, take_message};
pub use topics::{TopicAnswer, TopicSession, TopicVerb};

/// How a dialect takes what comes over a transport of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Heard {
    /// One stream of bytes; a text message is an error.
    #[default]
    Binary,
    /// One stream of bytes, whatever the messages are of.
    Stream,
    /// Message by message ([`take_message`]).
    Messages,
}

/// What a dialect's messages are made of on a transport of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Text.
    Text,
    /// Bytes.
    Binary,
}

/// The randomness that a machine is born with.
pub type Seed = [u8; 48];

/// A dialect that is switched on, with its settings.
pub trait Plug: Any + Send + Sync {
    /// Web origins whose pages may connect; `*` = all.
    fn allowed_origins(&self) -> &[String];
    /// The machine of a new connection.
    fn machine(&self, arrival: Arrival, seed: &Seed, now: Now) -> Box<dyn Protocol>;
}

/// The time of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Wall time, ms since 1970.
    pub wall_ms: i64,
    /// Monotonic time, ms; deadlines are in it.
    pub mono_ms: u64,
}

/// The end of a connection, as the machine wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    /// When, monotonic ms; nothing is read or delivered meanwhile.
    pub at_mono_ms: u64,
    /// The code where the transport has codes (WebSocket).
    pub code: u16,
}

/// WebSocket close codes (RFC 6455 §7.4.1).
pub mod close_code {
    /// Done.
    pub const NORMAL: u16 = 1000;
    /// The server goes away.
    pub const GOING_AWAY: u16 = 1001;
    /// The client broke the protocol.
    pub const PROTOCOL: u16 = 1002;
    /// A kind of data that is not spoken here.
    pub const UNSUPPORTED: u16 = 1003;
    /// The client may not do this.
    pub const POLICY: u16 = 1008;
    /// A frame beyond the limit.
    pub const TOO_BIG: u16 = 1009;
    /// Text that is not UTF-8.
    pub const NOT_UTF8: u16 = 1007;
    /// The server is at fault.
    pub const INTERNAL: u16 = 1011;
    /// Not now, but perhaps soon.
    pub const TRY_AGAIN: u16 = 1013;
}

/// Frames to write: one buffer, with the place where each frame ends.
#[derive(Debug, Default)]
pub struct Out {
    bytes: BytesMut,
    ends: Vec<usize>,
}

impl Out {
    /// Appends one frame, written by `write`; if that fails, nothing is appended.
    ///
    /// # Errors
    /// What `write` says.
    // Once for each delivery.
    #[inline]
    pub fn frame<E>(
        &mut self,
        write: impl FnOnce(&mut BytesMut) -> Result<(), E>,
    ) -> Result<(), E> {
        let before = self.bytes.len();
        let written = write(&mut self.bytes);
        if written.is_err() {
            self.bytes.truncate(before);
        } else if self.bytes.len() > before {
            self.ends.push(self.bytes.len());
        }
        written
    }

    /// Appends a sign of life, where the transport has one (WebSocket's ping); an answer to
    /// it is heard as [`MessageKind::Pong`].
    pub fn ping(&mut self) {
        // No frame is empty but this.
        self.ends.push(self.bytes.len());
    }

    /// True if there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All bytes, for a stream.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many frames there are.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.ends.len()
    }

    /// The frames one by one, for a transport of messages; an empty one is a ping.
    pub fn each(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| &self.bytes[start..*end])
    }

    /// Forgets everything, but keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// What came of one step.
#[derive(Debug, Default)]
pub struct Turn {
    /// Frames to write.
    pub out: Out,
    /// Commands to run, in order.
    pub commands: Vec<Command>,
    /// Set when the connection is to end.
    pub close: Option<Close>,
}

impl Turn {
    /// Forgets everything, but keeps the memory.
    pub fn clear(&mut self) {
        self.out.clear();
        self.commands.clear();
        self.close = None;
    }

    /// Roughly the memory that it keeps, bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        let commands = self.commands.capacity() * size_of::<Command>();
        self.out.bytes.capacity() + self.out.ends.capacity() * size_of::<usize>() + commands
    }

    /// Ends the connection once what was written is out.
    pub fn close_now(&mut self, now: Now, code: u16) {
        self.close.get_or_insert(Close {
            at_mono_ms: now.mono_ms,
            code,
        });
    }
}

/// A dialect's machine for one connection.
pub trait Protocol: Send {
    /// Takes whole frames out of what was received; what is left waits for more.
    fn receive(&mut self, input: &mut BytesMut, now: Now, turn: &mut Turn);
    /// The session that was asked for, or why there is none.
    fn opened(&mut self, session: Result<&Arc<Session>, Refusal>, now: Now, turn: &mut Turn);
    /// The answer to a command with a ticket. Answers come in the order of the tickets.
    fn reply(&mut self, ticket: Ticket, reply: SendReply, now: Now, turn: &mut Turn);
    /// The answer to a question, in no particular order.
    fn answer(&mut self, id: AskId, answer: Answer, now: Now, turn: &mut Turn) {
        // For dialects that ask nothing.
        let _ = (id, answer, now, turn);
    }
    /// Takes things for the client, all of them, in order. Commands of this turn run after
    /// what it says was written.
    fn deliver(&mut self, events: &mut VecDeque<Event>, now: Now, turn: &mut Turn);
    /// The answer to a verb of the topics, in no particular order.
    fn topics(&mut self, id: AskId, answer: TopicAnswer, now: Now, turn: &mut Turn) {
        // For dialects without topics.
        let _ = (id, answer, now, turn);
    }
    /// Takes what came out of the topics, all of it, in order.
    fn published(&mut self, deliveries: Vec<Delivery>, now: Now, turn: &mut Turn) {
        let _ = (deliveries, now, turn);
    }
    /// The topics end this connection, as `ending` does.
    fn topics_ended(&mut self, why: AttachmentEnd, now: Now, turn: &mut Turn) {
        let _ = (why, now, turn);
    }
    /// How many more deliveries that must be settled the client may be given.
    fn topic_room(&self) -> usize {
        0
    }
    /// The connection is over, in whatever way: last commands. Nothing is written any more.
    fn lost(&mut self, now: Now, turn: &mut Turn) {
        let _ = (now, turn);
    }
    /// The server ends this session: say goodbye in the dialect's words, and close.
    fn ending(&mut self, why: Ending, now: Now, turn: &mut Turn);
    /// A deadline has come.
    fn tick(&mut self, now: Now, turn: &mut Turn);
    /// When `tick` is due, monotonic ms.
    fn next_deadline(&self) -> u64;
    /// False while the client has too much unacknowledged to be given more.
    fn has_room(&self) -> bool;
}
