//! Changes as events: each has a body that the page on this dialect names.

use std::collections::BTreeSet;

use crosstalk_core::carried::{Called, Carried};
use crosstalk_core::change::{Change, EditedBody, MessageName};
use crosstalk_core::channel::{ChannelKind, LogKind};
use crosstalk_core::contract::changes::one_of_each;
use crosstalk_core::deliver::Altered;
use crosstalk_core::message::{Edited, Origin};

use serde_json::json;

use super::super::render::view;
use super::*;

/// The entry of a command log that says a change.
fn entry(id: i64, change: &Change) -> Arc<Message> {
    let channel = channel(ChannelKind::GROUP, "g", LogKind::Command);
    let mut entry = message(id, user("bob", 2), channel, "");
    entry.body = Arc::new(Body {
        origin: Origin::CHANGE,
        tag: change.name().into(),
        flags: Flags {
            command: true,
            ..Flags::default()
        },
        payload: serde_json::to_vec(change).expect("JSON").into(),
        ..Body::default()
    });
    Arc::new(entry)
}

fn told(change: &Change) -> Vec<Value> {
    let mut wire = Wire::subscribed(&[MESSAGES, EVENTS, RECEIPTS]);
    bodies(&wire.deliver(&[entry(50, change)]).frames)
}

/// The row of an event on the page.
fn row(event: &str) -> &'static str {
    let page = include_str!("../../../../../docs/dialects/stomp.md");
    let row = page
        .lines()
        .find(|line| line.starts_with(&format!("| `{event}` |")));
    row.unwrap_or_else(|| panic!("{event} has no row"))
}

#[test]
fn every_change_is_told_and_every_body_is_documented() {
    for change in one_of_each() {
        let bodies = told(&change);
        let [body] = &bodies[..] else {
            panic!("{}: {bodies:?}", change.name());
        };
        let Some(event) = body["event"].as_str() else {
            // A message that is shown again, or a receipt.
            continue;
        };
        let row = row(event);
        for member in body.as_object().expect("an object").keys() {
            let is_named = ["event", "at"].contains(&&**member);
            assert!(
                is_named || row.contains(&format!("`{member}`")),
                "{event}: {member}"
            );
        }
    }
}

#[test]
fn no_event_is_documented_that_is_none() {
    let page = include_str!("../../../../../docs/dialects/stomp.md");
    let events = page.split("## Events").nth(1).expect("a section");
    let events = events.split("\n## ").next().expect("the section");
    let rows = events.lines().filter_map(|line| {
        let name = line.strip_prefix("| `")?.split('`').next()?;
        Some(name.to_owned())
    });
    let rows: BTreeSet<String> = rows.collect();
    let wire = include_str!("../../../../wire/src/stomp/im/event.rs");
    let body = wire.split("pub enum Event").nth(1).expect("the events");
    let body = body.split("\n}").next().expect("its end");
    let variants = body.lines().filter_map(|line| {
        let line = line.strip_prefix("    ")?;
        let first = line.chars().next()?;
        first.is_ascii_uppercase().then(|| {
            let name: String = line.chars().take_while(|c| c.is_alphanumeric()).collect();
            let mut upper = String::new();
            for (at, c) in name.chars().enumerate() {
                if c.is_ascii_uppercase() && at > 0 {
                    upper.push('_');
                }
                upper.push(c.to_ascii_uppercase());
            }
            upper
        })
    });
    let variants: BTreeSet<String> = variants.collect();
    assert_eq!(rows, variants);
}

#[test]
fn an_edit_is_the_message_again_with_what_it_says_now() {
    let edits = one_of_each();
    let edit = edits.iter().find(|it| it.name() == "edited");
    let bodies = told(edit.expect("an edit"));
    assert_eq!(bodies[0]["id"], "7");
    assert_eq!(bodies[0]["content"], "edited");
    assert_eq!(bodies[0]["msgType"], "TEXT");
    assert_eq!(bodies[0]["fromId"], "bob");
    assert!(bodies[0]["editedAt"].is_i64(), "{bodies:?}");
}

/// What an edited message looks like when that is told, and later.
fn told_and_read(sent: Body, (origin, tag, payload): (Origin, &str, &str)) -> [Value; 2] {
    let mut edited = message(7, user("bob", 2), group(), "");
    let now = sent.edited(origin, tag.into(), payload.to_owned().into());
    edited.body = Arc::new(sent);
    let edited = edited.with_edit(Edited {
        n: 1,
        by: None,
        at_ms: 1_715_000_060_000,
        body: Arc::new(now),
    });
    let change = Change::Edited {
        message: MessageName::of(&edited),
        by: None,
        n: 1,
        body: EditedBody::of(&edited, edited.shown()),
        at_ms: 1_715_000_060_000,
    };
    let read = serde_json::from_slice(&view(&edited, "ak").to_json()).expect("JSON");
    [told(&change).remove(0), read]
}

#[test]
fn an_edited_message_is_told_as_it_is_read_later() {
    let own = |extra: &str| Body {
        client_no: "SM-1".into(),
        origin: ORIGIN,
        tag: "TEXT".into(),
        flags: Flags {
            counts: true,
            ..Flags::default()
        },
        payload: "helo".into(),
        extra: Some(extra.to_owned().into()),
        ..Body::default()
    };
    let mut carried = Carried::mentioning([Uid::parse("carol").expect("a uid")], false);
    carried.reply_to = Some(MessageId(3));
    carried.reply_called = Some(Called {
        origin: ORIGIN.0,
        client_no: "SM-0".to_owned(),
    });
    let rest = Body {
        payload: "{}".into(),
        carried: carried.packed(),
        ..Body::default()
    };
    let quote = json!({"id": "SM-0", "content": "q"});
    let extra = json!({"custom": 1, "readReceipt": true, "quote": quote, "mentionAll": true});
    let envelope = json!({"mentionedUserIds": ["carol"], "extra": extra}).to_string();
    let text = r#"{"type":"text","text":"hello"}"#;
    let reply = r#"{"type":"text","text":"hello","reply":{"id":"3","from":"bob","text":"q"}}"#;
    let quoted = json!({"unread": false, "quote": {"id": "SM-0", "fromId": "bob", "content": "q"}});
    let cases = [
        (own(&envelope), (ORIGIN, "TEXT", "hello"), extra),
        (
            own(&envelope),
            (Origin::REST, "", text),
            json!({"custom": 1, "readReceipt": true}),
        ),
        (rest.clone(), (Origin::REST, "", reply), quoted),
        (rest, (ORIGIN, "TEXT", "hello"), json!({})),
    ];
    for (at, (sent, now, extra)) in cases.into_iter().enumerate() {
        let [told, read] = told_and_read(sent, now);
        assert_eq!(told, read, "{at}");
        assert_eq!(read["content"], "hello", "{at}");
        assert_eq!(read["mentionedUserIds"], json!(["carol"]), "{at}");
        assert_eq!(read["extra"], extra, "{at}");
    }
}

#[test]
fn who_writes_is_not_told_so() {
    let typing = |user: &str| Change::Typing {
        user: user.to_owned(),
        at_ms: 1,
    };
    assert_eq!(told(&typing("bob")).len(), 1);
    assert!(told(&typing("alice")).is_empty());
}

#[test]
fn an_edit_is_asked_for_and_receipted_once_it_is_shown() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    let step = wire.send("chat.edit", r#"{"messageId":"m-7","content":"edited"}"#);
    let (id, Ask::Edit { name, body, .. }) = step.ask() else {
        panic!("{:?}", step.turn.commands)
    };
    assert_eq!((&**name, &body.payload[..]), ("m-7", &b"edited"[..]));
    let edited = Altered {
        message: message(7, user("alice", 1), group(), "old"),
        is_new: true,
    };
    wire.answer(id, Answer::Edited(Ok(edited))).none();
    let edits = one_of_each();
    let edit = edits.iter().find(|it| it.name() == "edited");
    let step = wire.deliver(&[entry(50, edit.expect("an edit"))]);
    assert_eq!(read(&step.frames[0]).2["content"], "edited");
    assert_eq!(step.frames[1].command, Verb::Receipt, "{:?}", step.frames);
}

#[test]
fn a_refused_edit_fails_with_its_id() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    let step = wire.send("chat.edit", r#"{"messageId":"m-7","content":"edited"}"#);
    let (id, _) = step.ask();
    let step = wire.answer(id, Answer::Edited(Err(Refusal::TooLate)));
    let (_, _, body) = read(step.one());
    assert_eq!(
        (&body["id"], &body["errorCode"]),
        (&"m-7".into(), &409.into())
    );
    assert_eq!(body["errorMessage"], "Edit window expired");
}

#[test]
fn that_somebody_writes_is_passed_on() {
    let mut wire = Wire::open();
    for body in [
        r#"{"conversationId":"GROUP:g"}"#,
        r#"{"toId":"g","chatType":"GROUP"}"#,
    ] {
        let step = wire.send("chat.typing", body);
        assert!(matches!(step.ask().1, Ask::Typing(_)), "{:?}", step.turn);
    }
}
