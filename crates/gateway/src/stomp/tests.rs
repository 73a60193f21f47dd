//! The machine by transcripts: bytes in, bytes and commands out, without sockets or clocks.

mod changes;
mod connecting;
mod delivering;
mod frames;
mod messages;
mod syncing;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use crosstalk_core::channel::{ChannelKey, ChannelKind, ChannelRef, LogKind};
use crosstalk_core::directory::AppId;
use crosstalk_core::id::{ChannelNum, MessageId, Realm, Uid, UserNum, UserRef};
use crosstalk_core::message::{Accepted, Body, Draft, Flags, Message};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{Event, Refused, Session, Ticket};
use crosstalk_wire::stomp::{Command as Verb, Decoder, Frame, Side, Version};
use serde_json::Value;

use super::machine::Machine;
use super::render::ORIGIN;
use super::settings::StompSettings;
use crate::protocol::{Answer, Arrival, Ask, AskId, Command, Now, Protocol, Turn};

const START: Now = Now {
    wall_ms: 1_700_000_000_000,
    mono_ms: 1_000,
};

fn after(ms: u64) -> Now {
    Now {
        wall_ms: START.wall_ms + ms.cast_signed(),
        mono_ms: START.mono_ms + ms,
    }
}

fn user(uid: &str, num: i64) -> UserRef {
    UserRef {
        num: UserNum(num),
        uid: Uid::parse(uid).expect("a uid"),
    }
}

fn settings() -> StompSettings {
    StompSettings {
        realm: Realm::default(),
        close_on_expiry: true,
        strict_subscribe: false,
        allowed_origins: ["*".to_owned()].into(),
    }
}

/// A machine and the client side of its connection.
struct Wire {
    machine: Machine,
    decoder: Decoder,
    now: Now,
}

/// A step that is over.
struct Step {
    turn: Turn,
    frames: Vec<Frame>,
}

impl Wire {
    fn new() -> Self {
        Self::with(settings(), "")
    }

    fn with(settings: StompSettings, query: &str) -> Self {
        let arrival = Arrival {
            path: "/ws/im".to_owned(),
            query: query.to_owned(),
            ..Arrival::tcp([127, 0, 0, 1].into())
        };
        Self {
            machine: Machine::new(settings, arrival, &[7; 48], START),
            decoder: Decoder::new(Side::Server),
            now: START,
        }
    }

    /// An open session of alice's, of app `ak`.
    fn open() -> Self {
        Self::open_as(settings(), "accept-version:1.2\nheart-beat:0,0", None)
    }

    fn open_as(settings: StompSettings, headers: &str, expires_at_ms: Option<i64>) -> Self {
        let mut wire = Self::with(settings, "");
        let step = wire.say(&format!("CONNECT\n{headers}\nAuthorization:Bearer t\n\n\0"));
        assert!(
            matches!(step.turn.commands[..], [Command::Open(_)]),
            "{:?}",
            step.turn
        );
        let mut session = Session::detached(user("alice", 1));
        let parts = Arc::get_mut(&mut session).expect("the only one");
        parts.app = Some(AppId::parse("ak").expect("an app id"));
        parts.expires_at_ms = expires_at_ms;
        let step = wire.step(|machine, now, turn| machine.opened(Ok(&session), now, turn));
        assert_eq!(step.frames[0].command, Verb::Connected, "{:?}", step.frames);
        let version = step.frames[0].header("version").and_then(Version::parse);
        wire.decoder.set_version(version.expect("a version"));
        wire
    }

    /// The same with subscriptions: each `id destination` and more headers.
    fn subscribed(places: &[&str]) -> Self {
        let mut wire = Self::open();
        for place in places {
            wire.subscribe(place);
        }
        wire
    }

    fn subscribe(&mut self, place: &str) -> Step {
        let (id, destination) = place.split_once(' ').expect("an id and a destination");
        self.say(&format!(
            "SUBSCRIBE\nid:{id}\ndestination:{destination}\n\n\0"
        ))
    }

    fn step(&mut self, act: impl FnOnce(&mut Machine, Now, &mut Turn)) -> Step {
        let mut turn = Turn::default();
        act(&mut self.machine, self.now, &mut turn);
        // The driver drains the mailbox in every turn.
        self.machine
            .deliver(&mut VecDeque::new(), self.now, &mut turn);
        let mut bytes = BytesMut::from(turn.out.bytes());
        let mut frames = Vec::new();
        while let Some(frame) = self.decoder.decode(&mut bytes).expect("a server's frame") {
            frames.push(frame);
        }
        assert!(bytes.is_empty());
        Step { turn, frames }
    }

    fn say(&mut self, text: &str) -> Step {
        self.bytes(text.as_bytes())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Step {
        let mut input = BytesMut::from(bytes);
        self.step(|machine, now, turn| machine.receive(&mut input, now, turn))
    }

    fn send(&mut self, verb: &str, body: &str) -> Step {
        self.say(&format!(
            "SEND\ndestination:/app/{verb}\ncontent-type:application/json\nreceipt:r\n\n{body}\0"
        ))
    }

    fn reply(&mut self, ticket: u64, reply: Result<Accepted, Refusal>) -> Step {
        let reply = reply.map_err(|why| Refused {
            id: MessageId(99),
            why,
        });
        self.step(|machine, now, turn| machine.reply(Ticket(ticket), reply, now, turn))
    }

    fn answer(&mut self, id: AskId, answer: Answer) -> Step {
        self.step(|machine, now, turn| machine.answer(id, answer, now, turn))
    }

    fn deliver(&mut self, messages: &[Arc<Message>]) -> Step {
        let events = messages
            .iter()
            .map(|message| Event::Message(Arc::clone(message)));
        self.events(events.collect())
    }

    fn events(&mut self, mut events: VecDeque<Event>) -> Step {
        assert!(self.machine.has_room(), "nothing is given without room");
        self.step(|machine, now, turn| machine.deliver(&mut events, now, turn))
    }

    fn tick_at(&mut self, ms: u64) -> Step {
        self.now = after(ms);
        self.step(|machine, now, turn| machine.tick(now, turn))
    }
}

impl Step {
    /// The only frame.
    fn one(&self) -> &Frame {
        let [one] = &self.frames[..] else {
            panic!("{:?}", self.frames)
        };
        one
    }

    fn none(&self) {
        assert!(self.frames.is_empty(), "{:?}", self.frames);
        assert!(self.turn.close.is_none());
    }

    /// The ERROR that ends the connection with this code.
    fn error(&self, code: u16) -> &str {
        let last = self.frames.last().expect("a frame");
        assert_eq!(last.command, Verb::Error, "{:?}", self.frames);
        assert_eq!(self.turn.close.map(|close| close.code), Some(code));
        last.header("message").expect("a message")
    }

    /// The only question that was asked.
    fn ask(&self) -> (AskId, &Ask) {
        let mut asks = self
            .turn
            .commands
            .iter()
            .filter_map(|command| match command {
                Command::Ask(id, ask) => Some((*id, ask)),
                _ => None,
            });
        let one = asks.next().expect("a question");
        assert!(asks.next().is_none(), "{:?}", self.turn.commands);
        one
    }

    /// Ids of what is acknowledged to the core.
    fn acknowledged(&self) -> Vec<i64> {
        let commands = self.turn.commands.iter();
        let all = commands.filter_map(|command| match command {
            Command::Acknowledge(messages) => Some(messages),
            _ => None,
        });
        all.flatten().map(|message| message.id.0).collect()
    }

    /// The only draft that was sent.
    fn draft(&self) -> (u64, &Draft) {
        let [Command::Send(ticket, draft)] = &self.turn.commands[..] else {
            panic!("{:?}", self.turn.commands)
        };
        (ticket.0, draft)
    }
}

/// A MESSAGE: its destination, subscription and body.
fn read(frame: &Frame) -> (&str, &str, Value) {
    assert_eq!(frame.command, Verb::Message, "{frame:?}");
    assert_eq!(frame.header("content-type"), Some("application/json"));
    let header = |name| frame.header(name).expect("a header");
    let body = serde_json::from_slice(&frame.body).expect("JSON");
    (header("destination"), header("subscription"), body)
}

/// The bodies of MESSAGEs.
fn bodies(frames: &[Frame]) -> Vec<Value> {
    frames.iter().map(|frame| read(frame).2).collect()
}

fn channel(kind: ChannelKind, id: &str, log: LogKind) -> Arc<ChannelRef> {
    Arc::new(ChannelRef {
        num: ChannelNum(5),
        key: ChannelKey {
            realm: Realm::default(),
            kind,
            id: id.into(),
        },
        log,
    })
}

/// A message of this dialect's, as stored.
fn message(id: i64, from: UserRef, channel: Arc<ChannelRef>, text: &str) -> Message {
    Message {
        id: MessageId(id),
        channel,
        seq: id.unsigned_abs(),
        ordinal: 1,
        sender: from,
        sent_at_ms: START.wall_ms,
        body: Arc::new(Body {
            client_no: format!("m-{id}").as_str().into(),
            origin: ORIGIN,
            tag: "TEXT".into(),
            flags: Flags {
                counts: true,
                ..Flags::default()
            },
            payload: Bytes::copy_from_slice(text.as_bytes()),
            extra: Some(Bytes::from_static(br#"{"appId":"ak"}"#)),
            ..Body::default()
        }),
        revoked: None,
        edited: None,
        is_concealed: false,
    }
}

fn direct() -> Arc<ChannelRef> {
    channel(ChannelKind::DIRECT, "alice|bob", LogKind::Chat)
}

fn group() -> Arc<ChannelRef> {
    channel(ChannelKind::GROUP, "g", LogKind::Chat)
}

fn from_bob(id: i64) -> Arc<Message> {
    Arc::new(message(id, user("bob", 2), direct(), "hi"))
}

fn accepted(id: i64, is_new: bool) -> Accepted {
    Accepted {
        id: MessageId(id),
        seq: id.unsigned_abs(),
        sent_at_ms: START.wall_ms,
        is_new,
    }
}

const MESSAGES: &str = "s /user/queue/messages";
const ERRORS: &str = "e /user/queue/errors";
const EVENTS: &str = "v /user/queue/events";
const RECEIPTS: &str = "c /user/queue/receipts";
const SYNC: &str = "y /user/queue/sync";
