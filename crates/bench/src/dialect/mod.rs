//! What a dialect is to the load generator.
//!
//! A [`Dialect`] makes users and groups over HTTP and says where clients
//! connect; an [`Api`] is what its clients ask over HTTP; a [`Peer`] is one
//! client's protocol, from bytes to events and from messages to bytes. None
//! opens a socket or waits. A new dialect is one file here, one name in the
//! options and one line in [`of`].

mod gyyx;
mod mqtt;
mod numbers;
mod question;
mod rest;
mod stomp;
mod wg;
mod wukong;

use std::collections::VecDeque;
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Result, bail};
use async_trait::async_trait;
use bytes::{Buf, BytesMut};

use crate::options::{DialectName, ServerOptions, Transport};
use crate::target::Target;

pub(crate) use question::{Ask, Conversation, Known, Line, Page, Past, Question, Readers};
pub(crate) use rest::Rest;

/// The app whose users clients are; a server has it from its first start.
const APP: &str = "default";
/// The server's own listener: REST, and the WebSockets of most dialects.
const SITE: &str = "http";
/// One message in so many has its signature checked, without `--verify`.
const SAMPLE: u32 = 64;

/// A user who will connect.
#[derive(Debug, Clone, Default)]
pub(crate) struct Login {
    pub(crate) uid: String,
    /// What the client proves itself by: a secret of the load generator, or
    /// what the server gave for it ([`Dialect::make_users`]).
    pub(crate) token: String,
    /// What the server calls the user, where that is not the uid.
    pub(crate) account: Option<String>,
    /// Path and query that the client opens, where they differ by user.
    pub(crate) path: Option<String>,
    /// The groups of the plan that the user is in.
    pub(crate) groups: Vec<String>,
}

/// Why a login was refused: what [`Peer::receive`] fails with then.
#[derive(Debug)]
pub(crate) struct LoginRefused {
    pub(crate) uid: String,
    pub(crate) code: u16,
    /// The code in words.
    pub(crate) why: String,
}

impl Display for LoginRefused {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "login of {} refused: {}", self.uid, self.why)
    }
}

impl Error for LoginRefused {}

/// A group, and who is in it.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) members: Vec<String>,
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    User(String),
    Group(String),
}

/// Where clients connect.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    /// Over WebSocket; over TCP without.
    pub(crate) web_socket: Option<WebSocketUse>,
}

/// How a dialect uses WebSocket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WebSocketUse {
    pub(crate) path: &'static str,
    pub(crate) subprotocol: Option<&'static str>,
    /// Text messages, not binary ones.
    pub(crate) is_text: bool,
}

/// One protocol with its set-up.
#[async_trait]
pub(crate) trait Dialect: Send + Sync {
    /// Its name in reports.
    fn name(&self) -> String;

    /// Where its clients connect.
    fn endpoint(&self, target: &Target, transport: Transport) -> Result<Endpoint>;

    /// Makes these users able to log in; what the server gives them for that
    /// is in their logins afterwards.
    async fn make_users(&self, target: &Target, users: &mut [Login]) -> Result<()>;

    /// Makes these groups.
    async fn make_groups(&self, target: &Target, groups: &[Group]) -> Result<()>;

    /// What its clients ask over HTTP, for the scenarios that do so.
    fn api(&self) -> Result<&dyn Api> {
        bail!("clients of {} ask nothing over HTTP here", self.name());
    }

    /// The protocol of one client, before it has connected.
    fn peer(&self, login: &Login, index: u32) -> Result<Box<dyn Peer>>;

    /// What a code of refusal means.
    fn refusal(&self, code: u16) -> String;

    /// Whether this code of refusal says that the sender is too fast.
    fn is_rate_limit(&self, code: u16) -> bool;
}

/// What a dialect's clients ask over HTTP.
#[async_trait]
pub(crate) trait Api: Send + Sync {
    /// Writes messages of the past, in no particular order of channels.
    async fn make_past(&self, target: &Target, past: &[Past]) -> Result<()>;

    /// How something is asked over HTTP.
    fn question(&self, target: &Target, ask: &Ask<'_>) -> Result<Question>;

    /// The answer to [`Ask::Conversations`] and [`Ask::News`] with so many
    /// conversations in a page. An error says what is wrong with it.
    fn conversations(&self, ask: &Ask<'_>, answer: &[u8]) -> Result<Page>;

    /// The answer to [`Ask::History`], the oldest first. An error says what is
    /// wrong with it.
    fn history(&self, answer: &[u8]) -> Result<Vec<Line>>;
}

/// One client's protocol.
///
/// All calls append to `out` what is to be sent. An error means that the
/// connection is of no more use.
pub(crate) trait Peer: Send {
    /// The first words after connecting.
    fn open(&mut self, out: &mut Outbox) -> Result<()>;

    /// A message; `tag` comes back in the event that answers it.
    fn send(&mut self, to: &Address, tag: u32, content: &[u8], out: &mut Outbox) -> Result<()>;

    /// Takes whole frames off the front of `input` and tells of each. Over
    /// WebSocket it is called after each message.
    fn receive(
        &mut self,
        input: &mut BytesMut,
        out: &mut Outbox,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<()>;

    /// Something that keeps an idle connection alive.
    fn keep_alive(&mut self, out: &mut Outbox) -> Result<()>;
}

/// What a client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// The login succeeded.
    Open,
    /// The message with this tag is stored.
    Accepted { tag: u32 },
    /// It is not.
    Refused { tag: u32, code: u16 },
    /// A message of somebody else.
    Received(Message<'a>),
}

/// A message that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    /// Names its channel, for this client: a group, or the other user.
    pub(crate) channel: &'a str,
    pub(crate) is_group: bool,
    /// Its place in the channel, where the dialect shows it.
    pub(crate) place: Option<u64>,
    pub(crate) content: &'a [u8],
    pub(crate) proof: Proof,
}

/// What a check of a message's signature found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    NotChecked,
    Good,
    Bad,
}

impl Proof {
    /// Of a message without a signature: only its content can be wrong.
    pub(crate) fn unsigned(sampler: &mut Sampler) -> Self {
        match sampler.picks() {
            true => Self::Good,
            false => Self::NotChecked,
        }
    }
}

/// Picks the messages that are checked.
#[derive(Debug, Clone)]
pub(crate) struct Sampler {
    every: u32,
    until_next: u32,
}

impl Sampler {
    /// `index` spreads the checks of many clients.
    pub(crate) fn new(verify_all: bool, index: u32) -> Self {
        let every = if verify_all { 1 } else { SAMPLE };
        Self {
            every,
            until_next: index % every,
        }
    }

    /// Whether this message is to be checked.
    pub(crate) fn picks(&mut self) -> bool {
        let is_picked = self.until_next == 0;
        self.until_next = if is_picked {
            self.every - 1
        } else {
            self.until_next - 1
        };
        is_picked
    }
}

/// Bytes to be sent, and where its messages end: over WebSocket each is a
/// message of its own.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: BytesMut,
    lengths: VecDeque<usize>,
}

impl Outbox {
    /// Appends a message. If `write` fails, nothing was appended.
    pub(crate) fn message<E>(
        &mut self,
        write: impl FnOnce(&mut BytesMut) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.bytes.len();
        let written = write(&mut self.bytes);
        if written.is_ok() {
            self.lengths.push_back(self.bytes.len() - start);
        } else {
            self.bytes.truncate(start);
        }
        written
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// All bytes, whatever their messages.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes bytes off the front that were sent as a stream.
    pub(crate) fn advance(&mut self, len: usize) {
        self.bytes.advance(len);
        if self.bytes.is_empty() {
            self.lengths.clear();
        }
    }

    /// Takes the first message.
    pub(crate) fn take_message(&mut self) -> Option<BytesMut> {
        let len = self.lengths.pop_front()?;
        Some(self.bytes.split_to(len))
    }
}

/// The dialect of these options.
pub(crate) fn of(options: &ServerOptions) -> Arc<dyn Dialect> {
    match options.dialect {
        DialectName::Wukong => Arc::new(wukong::Wukong::new(options.version(), options.verify)),
        DialectName::Stomp => Arc::new(stomp::Stomp::new(options.verify)),
        DialectName::Mqtt => Arc::new(mqtt::Mqtt::new(options.version(), options.verify)),
        DialectName::Gyyx => Arc::new(gyyx::Gyyx::new(options.verify)),
        DialectName::Wg => Arc::new(wg::Wg::new(options.verify)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_is_a_stream_or_messages() {
        let fill = || {
            let mut out = Outbox::default();
            for text in ["one", "", "three"] {
                let written = out.message(|bytes| {
                    bytes.extend_from_slice(text.as_bytes());
                    if text.is_empty() {
                        Err("empty")
                    } else {
                        Ok(())
                    }
                });
                assert_eq!(written.is_err(), text.is_empty());
            }
            out
        };
        let mut out = fill();
        assert_eq!(out.bytes(), b"onethree");
        assert_eq!(out.take_message().as_deref(), Some(&b"one"[..]));
        assert_eq!(out.take_message().as_deref(), Some(&b"three"[..]));
        assert!(out.take_message().is_none() && out.is_empty());

        let mut out = fill();
        out.advance(8);
        assert!(out.take_message().is_none());
    }

    #[test]
    fn a_sample_is_even_and_spread() {
        let picked = |mut sampler: Sampler| (0..640).filter(|_| sampler.picks()).count();
        assert_eq!(picked(Sampler::new(false, 5)), 10);
        assert_eq!(picked(Sampler::new(true, 5)), 640);
        assert!(Sampler::new(false, 64).picks());
        assert!(!Sampler::new(false, 65).picks());
    }
}
