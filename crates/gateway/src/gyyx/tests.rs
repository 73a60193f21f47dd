//! The machine by transcripts: frames in, frames and commands out, without sockets or clocks.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use crosstalk_core::change::{Change, MessageName};
use crosstalk_core::channel::{ChannelKey, ChannelKind, ChannelRef, LogKind};
use crosstalk_core::conversation::ConversationRow;
use crosstalk_core::deliver::TakenBack;
use crosstalk_core::directory::AppId;
use crosstalk_core::id::{ChannelNum, MessageId, Realm, Uid, UserNum, UserRef};
use crosstalk_core::im::Credential;
use crosstalk_core::message::{Accepted, Body, Flags, Message, Origin, Revocation};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{
    Displacement, Ending, Event, Notice, Offline, Refused, Session, Ticket,
};
use crosstalk_wire::gyyx::{Code, Codes, Field, FieldSet, close_code};
use serde_json::{Value, json};

use super::admission::{Admitted, Turned};
use super::machine::Machine;
use super::settings::{GyyxApp, GyyxBehaviour};
use crate::protocol::{
    Answer, Ask, AskId, Command, MessageKind, Now, Protocol, Scope, Target, Turn, put_message,
};
use crate::registry::{Dialect, WUKONG_ORIGIN};

mod changes;
mod lists;

const START: Now = Now {
    wall_ms: 1_708_742_795_000,
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

fn alice() -> UserRef {
    user("48057", 1)
}

/// A stored text of the dialect's from a user to 48057, or back if they sent it.
pub(super) fn message(id: i64, from: &str, payload: &'static str) -> Arc<Message> {
    let peer = if from == "48057" { "bob" } else { from };
    let peer = user(peer, 2);
    let sender = if from == "48057" {
        alice()
    } else {
        peer.clone()
    };
    let key = ChannelKey::direct(&Realm::default(), &alice().uid, &peer.uid);
    Arc::new(Message {
        id: MessageId(id),
        channel: Arc::new(ChannelRef {
            num: ChannelNum(1),
            key,
            log: LogKind::Chat,
        }),
        seq: id.unsigned_abs() + 1,
        ordinal: id.unsigned_abs() + 1,
        sender,
        sent_at_ms: START.wall_ms,
        body: Arc::new(Body {
            client_no: format!("s{id}").into(),
            origin: Dialect::Gyyx.origin(),
            tag: "1".into(),
            flags: Flags {
                counts: true,
                ..Flags::default()
            },
            payload: Bytes::from_static(payload.as_bytes()),
            ..Body::default()
        }),
        revoked: None,
        edited: None,
        is_concealed: false,
    })
}

fn admitted() -> Admitted {
    Admitted {
        app: AppId::parse("1477358668").expect("an app id"),
        uid: alice().uid,
        version: "1.10".into(),
        signed_ms: START.wall_ms,
        rules: GyyxApp::default(),
        chat_secret: None,
        codes: None,
        first: false,
    }
}

/// A machine and the client side of its connection.
struct Wire {
    machine: Machine,
}

/// A frame of the client's: what is given, and an id.
#[allow(clippy::needless_pass_by_value)] // literals
fn frame(code: impl Into<Value>, unique: &str, more: Value) -> Value {
    let mut frame = json!({"msgType": code.into(), "unique": unique, "userId": "48057"});
    let more = more.as_object().expect("members").clone();
    frame.as_object_mut().expect("an object").extend(more);
    frame
}

/// What was said: each frame has exactly the fields of its set (gyyx.md T4-48).
fn heard(turn: &Turn) -> Vec<Value> {
    turn.out.each().map(checked).collect()
}

fn checked(bytes: &[u8]) -> Value {
    let frame: Value = serde_json::from_slice(bytes).expect("JSON");
    let number = match &frame["msgType"] {
        Value::String(text) => text.parse().expect("a number"),
        other => other.as_i64().expect("a number"),
    };
    let set = match Code::of(number).expect("a known code") {
        Code::ProsePush => FieldSet::CHAT,
        code => code.fields(),
    };
    let expected: Vec<&str> = set.fields().map(Field::name).collect();
    let mut found: Vec<&String> = frame.as_object().expect("an object").keys().collect();
    found.retain(|name| number != 10 || *name != "message");
    found.sort();
    assert_eq!(found, expected, "{frame}");
    frame
}

fn codes(turn: &Turn) -> Vec<i64> {
    let frames = heard(turn);
    frames
        .iter()
        .map(|frame| frame["msgType"].as_i64().expect("a number"))
        .collect()
}

impl Wire {
    fn new(admitted: Result<Admitted, Box<Turned>>, behaviour: GyyxBehaviour) -> Self {
        let peer = IpAddr::from([127, 0, 0, 1]);
        let machine = Machine::new(admitted, Arc::new(behaviour), peer, &[7; 48], START);
        Self { machine }
    }

    /// An open session of 48057's.
    fn open() -> Self {
        Self::open_as(admitted(), GyyxBehaviour::default()).0
    }

    fn open_as(admitted: Admitted, behaviour: GyyxBehaviour) -> (Self, Turn) {
        let mut wire = Self::new(Ok(admitted), behaviour);
        assert_eq!(wire.machine.next_deadline(), 0, "it opens by itself");
        let mut turn = Turn::default();
        wire.machine.tick(START, &mut turn);
        assert!(matches!(turn.commands[..], [Command::Open(_)]), "{turn:?}");
        let mut turn = Turn::default();
        wire.machine
            .opened(Ok(&Session::detached(alice())), START, &mut turn);
        (wire, turn)
    }

    fn say(&mut self, frame: &Value) -> Turn {
        self.say_at(frame, START)
    }

    fn say_at(&mut self, frame: &Value, now: Now) -> Turn {
        self.text_at(frame.to_string().as_bytes(), now)
    }

    fn text_at(&mut self, text: &[u8], now: Now) -> Turn {
        let mut input = BytesMut::new();
        put_message(MessageKind::Text, text, &mut input);
        let mut turn = Turn::default();
        self.machine.receive(&mut input, now, &mut turn);
        assert!(input.is_empty());
        turn
    }

    fn answer(&mut self, id: AskId, answer: Answer) -> Turn {
        let mut turn = Turn::default();
        self.machine.answer(id, answer, START, &mut turn);
        turn
    }

    fn reply(&mut self, ticket: Ticket, reply: Result<Accepted, Refused>) -> Turn {
        let mut turn = Turn::default();
        self.machine.reply(ticket, reply, START, &mut turn);
        turn
    }

    fn refuse(&mut self, ticket: Ticket, why: Refusal) -> Turn {
        let id = MessageId(1);
        self.reply(ticket, Err(Refused { id, why }))
    }

    fn deliver(&mut self, event: Event, now: Now) -> Turn {
        let mut turn = Turn::default();
        self.machine.deliver(&mut [event].into(), now, &mut turn);
        turn
    }

    fn push(&mut self, message: &Arc<Message>) -> Turn {
        self.deliver(Event::Message(Arc::clone(message)), START)
    }

    fn tick(&mut self, now: Now) -> Turn {
        let mut turn = Turn::default();
        self.machine.tick(now, &mut turn);
        turn
    }
}

fn accepted(id: i64, is_new: bool) -> Result<Accepted, Refused> {
    Ok(Accepted {
        id: MessageId(id),
        seq: 1,
        sent_at_ms: START.wall_ms + 5,
        is_new,
    })
}

fn only_ask(turn: &Turn) -> (AskId, &Ask) {
    match &turn.commands[..] {
        [Command::Ask(id, ask)] => (*id, ask),
        other => panic!("no question: {other:?}"),
    }
}

fn only_draft(turn: &Turn) -> (Ticket, &str, &crosstalk_core::message::Draft) {
    match &turn.commands[..] {
        [Command::SendTo(ticket, to, draft)] => (*ticket, to, draft),
        other => panic!("no draft: {other:?}"),
    }
}

fn acknowledged(turn: &Turn) -> Vec<i64> {
    let commands = turn.commands.iter();
    let acknowledged = commands.filter_map(|command| match command {
        Command::Acknowledge(messages) => Some(messages),
        _ => None,
    });
    acknowledged.flatten().map(|message| message.id.0).collect()
}

fn closed(turn: &Turn) -> Option<u16> {
    turn.close.map(|close| close.code)
}

#[test]
fn a_signed_url_opens_a_session_by_itself() {
    let mut wire = Wire::new(Ok(admitted()), GyyxBehaviour::default());
    let mut early = BytesMut::new();
    put_message(MessageKind::Text, b"{\"msgType\":20}", &mut early);
    let mut turn = Turn::default();
    wire.machine.receive(&mut early, START, &mut turn);
    assert!(!early.is_empty() && turn.out.is_empty(), "it waits");
    let turn = wire.tick(START);
    let [Command::Open(open)] = &turn.commands[..] else {
        panic!("{turn:?}")
    };
    assert!(matches!(
        &open.credential,
        Credential::Vouched { uid, at_ms, .. }
            if *uid == alice().uid && *at_ms == START.wall_ms
    ));
    assert_eq!(open.origin, Dialect::Gyyx.origin());
    assert!(open.delivery.acks && open.delivery.presence && !open.delivery.stable_device);
    assert_eq!(open.delivery.offline, Offline::Sync);
    assert!(!open.sync_own);
    assert_eq!(open.max_sessions, 10);
}

#[test]
fn the_first_frame_is_101() {
    let (_, turn) = Wire::open_as(admitted(), GyyxBehaviour::default());
    let [online] = &heard(&turn)[..] else {
        panic!("{turn:?}")
    };
    let unique: u64 = online["unique"]
        .as_str()
        .and_then(|unique| unique.parse().ok())
        .expect("a decimal id");
    assert!(unique > 1 << 58);
    let expected = json!({
        "appId": "1477358668", "deviceId": "", "mark": null, "msgType": 101,
        "timestamp": 1_708_742_795_000_i64, "unique": unique.to_string(), "userId": "48057",
        "version": "1.10", "contentType": 1, "message": "1", "messageId": "",
        "receiveSign": "", "receiveUserId": "48057", "sendTime": 1_708_742_795_000_i64,
        "sendTimeDate": "2024-02-24 10:46:35",
    });
    assert_eq!(*online, expected);
}

#[test]
fn a_url_that_does_not_count_is_told_and_closed() {
    for close in [close_code::REFUSED, close_code::MISSING_PARAMETER] {
        let turned = Turned {
            base: crosstalk_wire::gyyx::base_of_query("appId=a&userId=u&version=v", 1),
            why: "why".into(),
            close,
        };
        let mut wire = Wire::new(Err(Box::new(turned)), GyyxBehaviour::default());
        assert_eq!(wire.machine.next_deadline(), 0);
        let turn = wire.tick(START);
        let expected = json!({
            "appId": "a", "deviceId": "", "mark": null, "msgType": 10,
            "timestamp": START.wall_ms, "unique": "", "userId": "u", "version": "v",
        });
        assert_eq!(heard(&turn), [expected]);
        assert_eq!(closed(&turn), Some(close));
        assert!(turn.commands.is_empty());
    }
}

#[test]
fn a_session_that_is_refused_is_told_and_closed() {
    for (why, close) in [
        (Refusal::NotAuthenticated, 4401),
        (Refusal::UserBanned, 4401),
        (Refusal::Unavailable, 1013),
    ] {
        let mut wire = Wire::new(Ok(admitted()), GyyxBehaviour::default());
        wire.tick(START);
        let mut turn = Turn::default();
        wire.machine.opened(Err(why), START, &mut turn);
        assert_eq!(codes(&turn), [10]);
        assert_eq!(heard(&turn)[0]["userId"], "48057");
        assert_eq!(closed(&turn), Some(close));
    }
}

#[test]
fn a_core_that_has_no_word_is_not_waited_for() {
    let mut wire = Wire::new(Ok(admitted()), GyyxBehaviour::default());
    wire.tick(START);
    assert_eq!(wire.machine.next_deadline(), START.mono_ms + 4_000);
    assert_eq!(closed(&wire.tick(after(3_999))), None);
    assert_eq!(closed(&wire.tick(after(4_000))), Some(1013));
}

#[test]
fn a_heartbeat_is_answered_with_its_own_base() {
    let mut wire = Wire::open();
    let asked = json!({
        "appId": "1477358668", "deviceId": "", "mark": {"k": 1}, "msgType": 20,
        "timestamp": 5, "unique": "h1", "userId": "48057", "version": "9",
    });
    let turn = wire.say_at(&asked, after(11));
    let [answer] = &heard(&turn)[..] else {
        panic!("{turn:?}")
    };
    assert_eq!(answer["msgType"], 21);
    assert_eq!(answer["unique"], "h1");
    assert_eq!(answer["mark"], json!({"k": 1}));
    assert_eq!(answer["version"], "9");
    assert_eq!(answer["timestamp"], START.wall_ms + 11);
    assert_eq!(answer["sendTimeDate"], "2024-02-24 10:46:35");
}

#[test]
fn the_first_frame_says_how_codes_are_written() {
    let mut wire = Wire::open();
    assert_eq!(
        heard(&wire.say(&frame("20", "1", json!({}))))[0]["msgType"],
        "21"
    );
    assert_eq!(
        heard(&wire.say(&frame(20, "2", json!({}))))[0]["msgType"],
        "21"
    );
    let pushed = wire.push(&message(1, "bob", "\"x\""));
    assert_eq!(heard(&pushed)[0]["msgType"], "140");
    let mut wire = Wire::open();
    // What has no code does not count.
    wire.text_at(b"abc", START);
    assert_eq!(
        heard(&wire.say(&frame(20, "1", json!({}))))[0]["msgType"],
        21
    );
    assert_eq!(
        heard(&wire.say(&frame("20", "2", json!({}))))[0]["msgType"],
        21
    );
}

#[test]
fn who_is_silent_for_three_heartbeats_is_gone() {
    let mut app = admitted();
    app.rules.heartbeat_secs = 7;
    let (mut wire, _) = Wire::open_as(app, GyyxBehaviour::default());
    wire.say_at(&frame(31, "1", json!({})), after(5_000));
    assert_eq!(wire.machine.next_deadline(), START.mono_ms + 26_000);
    assert_eq!(closed(&wire.tick(after(25_999))), None);
    let turn = wire.tick(after(26_000));
    assert_eq!(closed(&turn), Some(4408));
    assert!(turn.out.is_empty());
}

#[test]
fn an_accepted_message_is_answered_with_30_and_131() {
    let mut wire = Wire::open();
    let sent = frame(
        130,
        "s1",
        json!({"receiveUserId": "bob", "message": "你好", "receiveSign": "x", "mark": 7}),
    );
    let turn = wire.say(&sent);
    let (ticket, to, draft) = only_draft(&turn);
    assert_eq!((to, &*draft.body.client_no), ("bob", "s1"));
    assert_eq!(draft.body.payload, "\"你好\"");
    let turn = wire.reply(ticket, accepted(741_200_000_000_000_001, true));
    let [received, done] = &heard(&turn)[..] else {
        panic!("{turn:?}")
    };
    assert_eq!(
        (&received["msgType"], &received["receiveMsgType"]),
        (&json!(30), &json!(130))
    );
    assert_eq!(
        (&received["unique"], &received["mark"]),
        (&json!("s1"), &json!(7))
    );
    assert_eq!(done["msgType"], 131);
    assert_eq!(done["unique"], "s1");
    assert_eq!(done["messageId"], "741200000000000001");
    assert_eq!(done["message"], "你好");
    assert_eq!(done["receiveUserId"], "bob");
    assert_eq!(done["receiveSign"], "", "it is nobody's business");
    assert_eq!(done["sendTime"], START.wall_ms + 5);
}

#[test]
fn a_name_that_the_client_gives_is_what_the_store_says() {
    for (name, expected) in [(Some("mine"), "mine"), (None, "7")] {
        let mut wire = Wire::open();
        let more = json!({"receiveUserId": "bob", "message": "x", "messageId": "mine"});
        let turn = wire.say(&frame(130, "s1", more));
        let (ticket, _, draft) = only_draft(&turn);
        assert_eq!(draft.body.name.as_deref(), Some("mine"));
        let turn = wire.reply(ticket, accepted(7, true));
        assert!(turn.out.is_empty());
        let (id, ask) = only_ask(&turn);
        let by_id = Ask::Find {
            name: "7".into(),
            within: None,
        };
        assert_eq!(*ask, by_id);
        let mut found = Message::clone(&message(7, "48057", "\"x\""));
        let mut body = Body::clone(&found.body);
        body.name = name.map(Into::into);
        found.body = Arc::new(body);
        let turn = wire.answer(id, Answer::Message(Ok(found)));
        assert_eq!(codes(&turn), [30, 131]);
        assert_eq!(heard(&turn)[1]["messageId"], expected);
    }
}

#[test]
fn a_retry_has_the_name_of_the_first_time() {
    let mut wire = Wire::open();
    let more = json!({"receiveUserId": "bob", "message": "x"});
    let turn = wire.say(&frame(130, "s1", more));
    let (ticket, ..) = only_draft(&turn);
    let turn = wire.reply(ticket, accepted(7, false));
    let (id, _) = only_ask(&turn);
    let turn = wire.answer(id, Answer::Message(Err(Refusal::Unavailable)));
    assert_eq!(heard(&turn)[1]["messageId"], "7", "the id always does");
}

#[test]
fn refusals_of_messages_have_their_codes() {
    for (why, code) in [
        (Refusal::SensitiveWord, 133),
        (Refusal::NoSuchUser, 10),
        (Refusal::Blocked, 10),
        (Refusal::Forbidden, 10),
        (Refusal::Unavailable, 10),
    ] {
        let mut wire = Wire::open();
        let more = json!({"receiveUserId": "bob", "message": "坏", "contentType": 1});
        let turn = wire.say(&frame(130, "s1", more));
        let (ticket, ..) = only_draft(&turn);
        let turn = wire.refuse(ticket, why);
        assert_eq!(codes(&turn), [code], "{why}");
        let answer = &heard(&turn)[0];
        assert_eq!(answer["unique"], "s1");
        if code == 133 {
            assert_eq!(
                (&answer["message"], &answer["receiveUserId"]),
                (&json!("坏"), &json!("bob"))
            );
        }
    }
}

#[test]
fn a_chat_signature_counts_for_its_receiver_and_its_time() {
    let mut app = admitted();
    app.chat_secret = Some("secret".into());
    let (mut wire, _) = Wire::open_as(app, GyyxBehaviour::default());
    let now_secs = START.wall_ms / 1000;
    let sign = |to, secs| {
        let right = crosstalk_wire::gyyx::ChatRight {
            app_id: "1477358668",
            user_id: "48057",
            receive_user_id: to,
        };
        right.sign(b"secret", secs).expect("a signature")
    };
    let cases = [
        (sign("bob", now_secs + 1), true),
        (sign("bob", now_secs - 1), false),
        (sign("carol", now_secs + 1), false),
        (format!("{}x", sign("bob", now_secs + 1)), false),
        (String::new(), false),
    ];
    for (sign, counts) in cases {
        let more = json!({"receiveUserId": "bob", "message": "hi", "receiveSign": sign});
        let turn = wire.say(&frame(130, "s1", more));
        let (ticket, _, draft) = only_draft(&turn);
        assert_eq!(draft.fault.is_none(), counts, "{sign}");
        if counts {
            wire.reply(ticket, accepted(1, true));
            continue;
        }
        let turn = wire.refuse(ticket, Refusal::Forbidden);
        assert_eq!(codes(&turn), [132]);
        let answer = &heard(&turn)[0];
        assert_eq!(
            (&answer["message"], &answer["unique"]),
            (&json!("hi"), &json!("s1"))
        );
        assert_eq!(answer["receiveSign"], "");
    }
    // Who does not exist needs no right.
    let turn = wire.say(&frame(
        130,
        "s2",
        json!({"receiveUserId": "no", "message": "hi"}),
    ));
    let (ticket, ..) = only_draft(&turn);
    assert_eq!(codes(&wire.refuse(ticket, Refusal::NoSuchUser)), [10]);
}

#[test]
fn minimal_acks_are_for_what_has_no_answer_of_its_own() {
    let behaviour = GyyxBehaviour {
        ack30_always: false,
        ..GyyxBehaviour::default()
    };
    let (mut wire, _) = Wire::open_as(admitted(), behaviour);
    let turn = wire.say(&frame(
        130,
        "s1",
        json!({"receiveUserId": "bob", "message": "x"}),
    ));
    let (ticket, ..) = only_draft(&turn);
    assert_eq!(codes(&wire.reply(ticket, accepted(1, true))), [131]);
    let turn = wire.say(&frame(102, "q1", json!({})));
    let (id, _) = only_ask(&turn);
    assert_eq!(
        codes(&wire.answer(id, Answer::Messages(Ok(Vec::new())))),
        [30]
    );
}

#[test]
fn what_makes_no_sense_is_a_10_and_the_connection_stays() {
    let mut wire = Wire::open();
    for text in ["abc", "[]", "{}", "", "{\"msgType\":\"x\"}", "1"] {
        let turn = wire.text_at(text.as_bytes(), START);
        assert_eq!(codes(&turn), [10], "{text}");
        assert_eq!(heard(&turn)[0]["unique"], "", "{text}");
        assert_eq!(closed(&turn), None);
    }
    for code in [9999, 131, 140, 10, 40, 0, -1] {
        let turn = wire.say(&frame(code, "e1", json!({"mark": [1]})));
        let expected = json!({
            "appId": "1477358668", "deviceId": "", "mark": [1], "msgType": 10,
            "timestamp": START.wall_ms, "unique": "e1", "userId": "48057", "version": "1.10",
        });
        assert_eq!(heard(&turn), [expected], "{code}");
    }
    for missing in [
        json!({"message": "x"}),
        json!({"receiveUserId": "bob"}),
        json!({"receiveUserId": "bob", "message": "x", "unique": ""}),
        json!({"receiveUserId": "bob", "message": "x", "userId": "bob"}),
    ] {
        let turn = wire.say(&frame(130, "e2", missing.clone()));
        assert_eq!(codes(&turn), [10], "{missing}");
        assert!(turn.commands.is_empty(), "{missing}");
    }
    assert_eq!(codes(&wire.say(&frame(20, "h", json!({})))), [21]);
}

/// What waits must not be larger than what is needed of it.
#[test]
fn what_nobody_can_be_called_is_refused_and_large_marks_are_not_kept() {
    let mut wire = Wire::open();
    let long = "x".repeat(513);
    for (code, more) in [
        (130, json!({"receiveUserId": long, "message": "x"})),
        (190, json!({"messageId": long})),
        (161, json!({"sender": long})),
        (20, json!({"deviceId": long})),
        (198, json!({"messageId": "1", "mark": "m".repeat(17 << 10)})),
    ] {
        let turn = wire.say(&frame(code, "e", more));
        assert_eq!(codes(&turn), [10], "{code}");
        assert!(turn.commands.is_empty(), "{code}");
    }
    let turn = wire.say(&frame(20, "h", json!({"mark": "m".repeat(17 << 10)})));
    assert_eq!(codes(&turn), [21], "what need not wait may be large");
    let padded = json!({
        "receiveUserId": "bob", "message": "你好", "mark": {"k": 1}, "info": "x".repeat(9 << 10),
    });
    let turn = wire.say(&frame(130, "s1", padded));
    let (ticket, ..) = only_draft(&turn);
    let turn = wire.reply(ticket, accepted(1, true));
    let done = &heard(&turn)[1];
    assert_eq!(
        (&done["message"], &done["mark"]),
        (&json!("你好"), &json!({"k": 1}))
    );
}

#[test]
fn details_are_told_where_the_app_wants_them() {
    let behaviour = GyyxBehaviour {
        error_detail: true,
        ..GyyxBehaviour::default()
    };
    let (mut wire, _) = Wire::open_as(admitted(), behaviour);
    let turn = wire.say(&frame(130, "e", json!({"message": "x"})));
    assert_eq!(heard(&turn)[0]["message"], "receiveUserId is missing");
}

#[test]
fn every_code_with_nothing_else_is_answered_or_refused() {
    for code in Code::ALL {
        let mut wire = Wire::open();
        let turn = wire.say(&frame(code.number(), "n", json!({})));
        let is_quiet = [31, 102, 161, 180].contains(&code.number());
        assert_eq!(turn.out.is_empty(), is_quiet, "{code:?}");
        let expects_close = code == Code::Logout;
        assert_eq!(closed(&turn).is_some(), expects_close, "{code:?}");
    }
}

#[test]
fn calls_queues_and_rooms_are_refused() {
    let mut wire = Wire::open();
    let full = json!({
        "role": 1, "roomId": "r", "sign": "", "message": "{}", "requestUserId": "bob",
    });
    for code in [
        300, 301, 302, 310, 320, 330, 400, 401, 403, 420, 430, 540, 550,
    ] {
        let turn = wire.say(&frame(code, "c", full.clone()));
        assert_eq!(codes(&turn), [10], "{code}");
    }
}

#[test]
fn prose_is_told_by_the_first_code_that_tells() {
    let pushed = |wire: &mut Wire| codes(&wire.push(&message(1, "bob", "\"x\"")))[0];
    let text = json!({"receiveUserId": "bob", "message": "x"});
    let mut wire = Wire::open();
    assert_eq!(pushed(&mut wire), 140);
    let turn = wire.say(&frame(30, "p1", text.clone()));
    let (ticket, ..) = only_draft(&turn);
    let turn = wire.reply(ticket, accepted(1, true));
    assert_eq!(codes(&turn), [30, 131]);
    assert_eq!(heard(&turn)[0]["receiveMsgType"], 30, "as it was received");
    assert_eq!(pushed(&mut wire), 40);
    wire.say(&frame(130, "p2", text.clone()));
    assert_eq!(pushed(&mut wire), 40, "for good");
    let mut wire = Wire::open();
    wire.say(&frame(130, "p1", text.clone()));
    wire.say(&frame(30, "p2", text.clone()));
    assert_eq!(pushed(&mut wire), 140, "for good");
    let mut app = admitted();
    app.codes = Some(Codes::Prose);
    let (mut wire, _) = Wire::open_as(app, GyyxBehaviour::default());
    wire.say(&frame(130, "p1", text));
    assert_eq!(pushed(&mut wire), 40, "the app or the URL says so");
}

#[test]
fn who_logs_out_gets_the_answers_that_are_due_first() {
    let mut wire = Wire::open();
    let turn = wire.say(&frame(
        130,
        "s1",
        json!({"receiveUserId": "bob", "message": "x"}),
    ));
    let (ticket, ..) = only_draft(&turn);
    let turn = wire.say(&frame(251, "bye", json!({})));
    assert!(turn.out.is_empty() && closed(&turn).is_none());
    assert!(wire.say(&frame(20, "h", json!({}))).out.is_empty());
    let turn = wire.reply(ticket, accepted(1, true));
    assert_eq!(codes(&turn), [30, 131, 252]);
    assert_eq!(heard(&turn)[2]["unique"], "bye");
    assert_eq!(closed(&turn), Some(1000));
}

#[test]
fn endings_have_their_words() {
    for (why, code, message, close, wait_ms) in [
        (Ending::ShuttingDown, Some(99), "服务维护", 1001, 1_000),
        (
            Ending::Displaced(Displacement::Replaced),
            Some(99),
            "replaced",
            4002,
            0,
        ),
        (
            Ending::Displaced(Displacement::Kicked),
            Some(99),
            "replaced",
            4002,
            0,
        ),
        (Ending::Kicked, Some(10), "", 4401, 0),
        (Ending::TooSlow, None, "", 1013, 0),
    ] {
        let mut wire = Wire::open();
        let mut turn = Turn::default();
        wire.machine.ending(why, START, &mut turn);
        assert_eq!(codes(&turn), Vec::from_iter(code), "{why:?}");
        if code == Some(99) {
            assert_eq!(heard(&turn)[0]["message"], message);
        }
        let end = turn.close.expect("an end");
        assert_eq!((end.code, end.at_mono_ms), (close, START.mono_ms + wait_ms));
        assert!(wire.say(&frame(20, "h", json!({}))).out.is_empty());
    }
}
