//! The machine by transcripts: texts in, texts and commands out, without sockets or clocks.

mod receiving;
mod registering;
mod sending;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use crosstalk_core::channel::{ChannelKey, ChannelRef, LogKind};
use crosstalk_core::clock::ManualClock;
use crosstalk_core::id::{ChannelNum, MessageId, Realm, Uid, UserNum, UserRef};
use crosstalk_core::im::Login;
use crosstalk_core::message::{Accepted, Body, Draft, Flags, Message};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{Event, Refused, SendReply, Session, Ticket};
use crosstalk_wire::wg::{ClientName, Envelope, OnlineClient, Status, StatusBody};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::ORIGIN;
use super::handlers::{WgClaim, WgHandler};
use super::logins::{WgLogins, WgSameName};
use super::machine::Machine;
use super::settings::{People, WgListTo, WgSettings};
use crate::protocol::{Command, MessageKind, Now, Protocol, Turn, put_message};

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

/// Of all people only u2 is online.
struct OnlyU2;

impl People for OnlyU2 {
    fn is_online(&self, _realm: &Realm, user: &Uid) -> bool {
        user.as_str() == "u2"
    }
}

/// Says that it has handled what it was given.
struct Echo;

impl WgHandler for Echo {
    fn handle(&self, channel: OnlineClient, message: Envelope) -> BoxFuture<'static, StatusBody> {
        let said = format!("{} {}", channel.user_id, message.kind.code());
        std::future::ready(StatusBody::new(Status::Success, said)).boxed()
    }
}

/// A machine and the client side of its connection.
struct Wire {
    machine: Machine,
    logins: Arc<WgLogins>,
}

impl Wire {
    fn new() -> Self {
        Self::listing(WgListTo::Own)
    }

    fn listing(list_to: WgListTo) -> Self {
        let clock = Arc::new(ManualClock::at_ms(START.wall_ms));
        let logins = WgLogins::new(clock, WgSameName::Replace);
        let settings = WgSettings {
            realm: Realm::default(),
            list_to,
            logins: Arc::clone(&logins),
            claims: Arc::new([WgClaim {
                types: 4000..=4999,
                handler: Arc::new(Echo),
            }]),
            allowed_origins: Arc::default(),
            people: Arc::new(OnlyU2),
        };
        let peer = std::net::IpAddr::from([127, 0, 0, 1]);
        let machine = Machine::new(settings, peer, &[7; 48], START);
        Self { machine, logins }
    }

    fn login(&self, uid: &str, num: i64) -> String {
        let login = Login {
            realm: Realm::default(),
            app: None,
            user: user(uid, num),
            expires_at_ms: None,
            proven_at_ms: 0,
            roles: Vec::new(),
        };
        let name = ClientName::parse("web").expect("a name");
        self.logins.give(login, &name)
    }

    fn hear(&mut self, kind: MessageKind, payload: &[u8], now: Now) -> Turn {
        let mut input = BytesMut::new();
        put_message(kind, payload, &mut input);
        let mut turn = Turn::default();
        self.machine.receive(&mut input, now, &mut turn);
        turn
    }

    fn text(&mut self, text: &str) -> Turn {
        self.hear(MessageKind::Text, text.as_bytes(), START)
    }

    fn say(&mut self, message: &Value) -> Turn {
        self.text(&message.to_string())
    }

    fn register(&mut self, session_id: &str, uid: &str) -> Turn {
        let body = json!({"sessionId": session_id}).to_string();
        self.say(&json!({
            "id": "r", "type": 1000, "isSystem": false, "from": uid, "to": uid, "body": body,
        }))
    }

    /// A channel of u1's that is registered.
    fn open() -> Self {
        Self::opened(Self::new())
    }

    fn opened(mut wire: Self) -> Self {
        let session_id = wire.login("u1", 1);
        let turn = wire.register(&session_id, "u1");
        assert!(matches!(turn.commands[..], [Command::Open(_)]), "{turn:?}");
        let turn = wire.session_opened();
        assert_eq!(only_status(&turn), ("r".to_owned(), 200));
        wire
    }

    fn session_opened(&mut self) -> Turn {
        let mut turn = Turn::default();
        let session = Session::detached(user("u1", 1));
        self.machine.opened(Ok(&session), START, &mut turn);
        turn
    }

    fn reply(&mut self, reply: SendReply) -> Turn {
        let mut turn = Turn::default();
        self.machine.reply(Ticket(0), reply, START, &mut turn);
        turn
    }

    fn deliver(&mut self, messages: &[Arc<Message>]) -> Turn {
        let mut events = messages.iter().cloned().map(Event::Message).collect();
        let mut turn = Turn::default();
        self.machine.deliver(&mut events, START, &mut turn);
        turn
    }

    /// A 9101 of u1's.
    fn receipt(&mut self, id: &str, to: &str, code: i64) -> Turn {
        let status = Status::of_code(code).map_or("FAILED", Status::name);
        let body = json!({"code": code, "status": status, "msg": "解析失败"}).to_string();
        self.say(&json!({"id": id, "type": 9101, "from": "u1", "to": to, "body": body}))
    }
}

/// The texts that the client is sent.
fn said(turn: &Turn) -> Vec<Value> {
    let texts = turn.out.each().filter(|text| !text.is_empty());
    texts
        .map(|text| serde_json::from_slice(text).expect("JSON"))
        .collect()
}

/// Id and code of each 9001.
fn statuses(turn: &Turn) -> Vec<(String, i64)> {
    let mut statuses = Vec::new();
    for message in said(turn) {
        assert_eq!(message["type"], 9001, "{message}");
        assert_eq!(message["isSystem"], true);
        assert_eq!(message["from"], "SYSTEM");
        let body = message["body"].as_str().expect("a string");
        let body: Value = serde_json::from_str(body).expect("JSON");
        let code = body["code"].as_i64().expect("a number");
        let status = Status::of_code(code).expect("a code");
        assert_eq!(body["status"], status.name());
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(3));
        let id = message["id"].as_str().expect("a string").to_owned();
        statuses.push((id, code));
    }
    statuses
}

fn only_status(turn: &Turn) -> (String, i64) {
    let mut statuses = statuses(turn);
    assert_eq!(statuses.len(), 1, "{statuses:?}");
    statuses.remove(0)
}

/// What a person is told by the only 9001.
fn only_msg(turn: &Turn) -> String {
    only_status(turn);
    let body = said(turn)[0]["body"].as_str().expect("a string").to_owned();
    let body: Value = serde_json::from_str(&body).expect("JSON");
    body["msg"].as_str().expect("a string").to_owned()
}

fn drafts(turn: &Turn) -> Vec<&Draft> {
    let drafts = turn.commands.iter().map(|command| match command {
        Command::Send(_, draft) => draft,
        other => panic!("no draft: {other:?}"),
    });
    drafts.collect()
}

fn accepted() -> SendReply {
    Ok(Accepted {
        id: MessageId(7),
        seq: 1,
        sent_at_ms: START.wall_ms,
        is_new: true,
    })
}

fn refused(why: Refusal) -> SendReply {
    Err(Refused {
        id: MessageId(8),
        why,
    })
}

/// A stored text of u2's to u1.
fn message(id: i64, client_no: &str, text: &str) -> Arc<Message> {
    let (from, to) = (user("u2", 2), user("u1", 1));
    let key = ChannelKey::direct(&Realm::default(), &from.uid, &to.uid);
    Arc::new(Message {
        id: MessageId(id),
        channel: Arc::new(ChannelRef {
            num: ChannelNum(1),
            key,
            log: LogKind::Chat,
        }),
        seq: id.unsigned_abs(),
        ordinal: id.unsigned_abs(),
        sender: from,
        sent_at_ms: START.wall_ms + id,
        body: Arc::new(Body {
            client_no: client_no.into(),
            origin: ORIGIN,
            tag: "2001".into(),
            flags: Flags {
                counts: true,
                ..Flags::default()
            },
            payload: Bytes::from(json!(text).to_string()),
            ..Body::default()
        }),
        revoked: None,
        edited: None,
        is_concealed: false,
    })
}
