//! `/app/chat.sync`.

use crosstalk_core::delivered::Pulled;
use crosstalk_core::message::Revocation;
use serde_json::json;

use super::*;

fn page(ids: &[i64], more: bool) -> Answer {
    Answer::Pulled(Ok(Pulled {
        messages: ids
            .iter()
            .map(|id| Message::clone(&from_bob(*id)))
            .collect(),
        more,
    }))
}

fn limit(step: &Step) -> (AskId, u32) {
    let (id, Ask::Pull { limit }) = step.ask() else {
        panic!("{:?}", step.turn.commands)
    };
    (id, *limit)
}

fn ids(step: &Step) -> Vec<String> {
    let messages = step
        .frames
        .iter()
        .filter(|it| it.header("subscription") == Some("s"));
    messages
        .map(|it| read(it).2["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn pages_are_given_until_nothing_is_left_and_then_the_end() {
    let mut wire = Wire::subscribed(&[MESSAGES, SYNC]);
    let step = wire.send("chat.sync", r#"{"appId":"ak"}"#);
    let (id, asked) = limit(&step);
    assert_eq!(asked, 200);
    assert!(!wire.machine.has_room(), "new messages wait");
    let step = wire.answer(id, page(&[1, 2], true));
    assert_eq!(ids(&step), ["m-1", "m-2"]);
    assert_eq!(step.acknowledged(), [1, 2]);
    let (id, asked) = limit(&step);
    assert_eq!(asked, 198);
    let step = wire.answer(id, page(&[3], false));
    let [message, end, receipt] = &step.frames[..] else {
        panic!("{:?}", step.frames)
    };
    assert_eq!(read(message).2["id"], "m-3");
    assert_eq!(read(end).0, "/user/queue/sync");
    assert_eq!(
        read(end).2,
        json!({"count": 3, "hasMore": false, "cursor": "3"})
    );
    assert_eq!(receipt.header("receipt-id"), Some("r"));
    assert!(wire.machine.has_room());
}

#[test]
fn nothing_is_an_answer_too() {
    let mut wire = Wire::subscribed(&[MESSAGES, SYNC]);
    let (id, _) = limit(&wire.send("chat.sync", ""));
    let step = wire.answer(id, page(&[], false));
    let expected = json!({"count": 0, "hasMore": false, "cursor": null});
    assert_eq!(read(&step.frames[0]).2, expected);
}

#[test]
fn a_limit_ends_it_early() {
    let mut wire = Wire::subscribed(&[MESSAGES, SYNC]);
    let (id, asked) = limit(&wire.send("chat.sync", r#"{"limit":2}"#));
    assert_eq!(asked, 2);
    let step = wire.answer(id, page(&[1, 2], true));
    assert_eq!(step.frames.len(), 4);
    let expected = json!({"count": 2, "hasMore": true, "cursor": "2"});
    assert_eq!(read(&step.frames[2]).2, expected);
}

#[test]
fn groups_come_by_the_personal_queue_too() {
    let mut wire = Wire::subscribed(&[MESSAGES, "g /topic/group/g"]);
    let (id, _) = limit(&wire.send("chat.sync", "{}"));
    let pulled = Pulled {
        messages: vec![message(1, user("bob", 2), group(), "hi")],
        more: false,
    };
    let step = wire.answer(id, Answer::Pulled(Ok(pulled)));
    assert_eq!(read(&step.frames[0]).0, "/user/queue/messages");
}

#[test]
fn older_than_wanted_is_not_shown_and_not_taken() {
    let mut wire = Wire::subscribed(&[MESSAGES, SYNC]);
    let since = json!({"since": START.wall_ms}).to_string();
    let (id, _) = limit(&wire.send("chat.sync", &since));
    let mut old = Message::clone(&from_bob(1));
    old.sent_at_ms -= 1;
    let pulled = Pulled {
        messages: vec![old, Message::clone(&from_bob(2))],
        more: false,
    };
    let step = wire.answer(id, Answer::Pulled(Ok(pulled)));
    assert_eq!(ids(&step), ["m-2"]);
    assert_eq!(step.acknowledged(), [2]);
}

#[test]
fn tombstones_are_shown_and_what_says_no_more_is_taken() {
    let mut wire = Wire::subscribed(&[MESSAGES, SYNC]);
    let (id, _) = limit(&wire.send("chat.sync", "{}"));
    let gone = from_bob(1).tombstone(Revocation {
        by: None,
        at_ms: 5,
        ..Revocation::default()
    });
    let pulled = Pulled {
        messages: vec![from_bob(2).concealed(), gone],
        more: false,
    };
    let step = wire.answer(id, Answer::Pulled(Ok(pulled)));
    assert_eq!(read(&step.frames[0]).2["status"], "REVOKED");
    assert_eq!(read(&step.frames[1]).2["count"], 1);
    assert_eq!(step.acknowledged(), [2, 1]);
}

#[test]
fn it_waits_for_the_first_subscription() {
    let mut wire = Wire::open();
    let step = wire.send("chat.sync", "{}");
    assert!(step.turn.commands.is_empty());
    let step = wire.subscribe(MESSAGES);
    assert_eq!(limit(&step).1, 200);
}

#[test]
fn what_the_implicit_subscription_was_given_stays_for_a_sync() {
    let mut wire = Wire::open();
    wire.tick_at(5_000);
    wire.deliver(&[from_bob(5)]);
    let (id, _) = limit(&wire.send("chat.sync", "{}"));
    let step = wire.answer(id, page(&[1], false));
    let given: Vec<_> = step
        .frames
        .iter()
        .filter(|it| it.command == Verb::Message)
        .collect();
    let order: Vec<_> = given.iter().map(|it| read(it).2["id"].clone()).collect();
    assert_eq!(order, [json!("m-1"), json!("m-5")]);
    assert!(step.acknowledged().is_empty());
    let step = wire.subscribe(MESSAGES);
    assert_eq!(ids(&step), ["m-1", "m-5"]);
    assert_eq!(step.acknowledged(), [1, 5]);
}

#[test]
fn who_has_no_queue_has_no_sync() {
    let mut wire = Wire::subscribed(&[MESSAGES, ERRORS]);
    wire.say("UNSUBSCRIBE\nid:s\n\n\0");
    wire.deliver(&[from_bob(1)]).none();
    let step = wire.send("chat.sync", "{}");
    assert_eq!(read(step.one()).2["code"], 400);
    wire.subscribe(MESSAGES).none();
    let (id, _) = limit(&wire.send("chat.sync", "{}"));
    assert_eq!(ids(&wire.answer(id, page(&[], false))), ["m-1"]);
}

#[test]
fn a_failing_store_is_told_and_nothing_is_lost() {
    let mut wire = Wire::subscribed(&[MESSAGES, ERRORS, SYNC]);
    let (id, _) = limit(&wire.send("chat.sync", "{}"));
    let step = wire.answer(id, Answer::Pulled(Err(Refusal::Unavailable)));
    assert_eq!(read(step.one()).2["code"], 500);
    assert!(wire.machine.has_room());
}
