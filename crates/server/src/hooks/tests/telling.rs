//! Hooks that are told: order, signature, repetition, dead letters, what is told at all.

use crosstalk_core::deliver::Operator;
use crosstalk_core::hook::{HookFormat, HookKind, HookSettings};
use crosstalk_core::id::Realm;
use crosstalk_core::outbox::NewEvent;
use serde_json::json;

use super::{Bed, Receiver, members, texts, until};

#[tokio::test]
async fn messages_are_told_in_order_and_signed() {
    let bed = Bed::start().await;
    let receiver = Receiver::taking().await;
    let (hook, secret) = bed.hook(receiver.url(), &["message.stored"]).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(bed.say("alice", "bob", &n.to_string()).await.to_string());
    }
    let calls = receiver.after(5).await;
    assert_eq!(texts(&calls), ["0", "1", "2", "3", "4"]);
    assert_eq!(members(&calls, "id"), ids);
    for call in &calls {
        assert!(call.is_signed_with(&secret));
        assert!(!call.is_signed_with("another"));
        assert_eq!(call.header("crosstalk-id"), call.json["id"]);
        assert_eq!(call.header("crosstalk-event"), "message.stored");
        assert_eq!(call.header("crosstalk-try"), "1");
        assert_eq!(call.header("content-type"), "application/json");
        assert_eq!(
            (&call.json["event"], &call.json["app_id"]),
            (&json!("message.stored"), &json!("default"))
        );
    }
    let data = &calls[0].json["data"];
    assert_eq!((&data["from"], &data["seq"]), (&json!("alice"), &json!(1)));
    assert_eq!(data["to"], json!({"kind": "direct", "id": "bob"}));
    assert_eq!(data["channel"]["users"], json!(["alice", "bob"]));
    until(async || hook.stats().delivered == 5).await;
}

#[tokio::test]
async fn what_was_not_taken_is_told_again_with_the_same_id() {
    let bed = Bed::start().await;
    let receiver = Receiver::start(|before, _| {
        let status = if before < 2 { 500 } else { 204 };
        Some((status, "no room".to_owned()))
    })
    .await;
    let (hook, secret) = bed.hook(receiver.url(), &["message.*"]).await;
    bed.say("alice", "bob", "first").await;
    bed.say("alice", "bob", "second").await;
    let calls = receiver.after(6).await;
    // Also who was not there is told of: two events of each message.
    let stored: Vec<_> = calls
        .into_iter()
        .filter(|call| call.json["event"] == "message.stored")
        .collect();
    assert_eq!(texts(&stored), ["first", "first", "first", "second"]);
    let tries: Vec<_> = stored
        .iter()
        .map(|call| call.header("crosstalk-try"))
        .collect();
    assert_eq!(tries, ["1", "2", "3", "1"]);
    assert!(
        stored[..3]
            .iter()
            .all(|call| call.json["id"] == stored[0].json["id"])
    );
    assert!(stored.iter().all(|call| call.is_signed_with(&secret)));
    until(async || hook.stats().delivered == 4 && hook.stats().retrying == 0).await;
    let stats = hook.stats();
    assert_eq!((stats.failed, stats.dead), (2, 0));
    assert_eq!(stats.last_error, "500 Internal Server Error: no room");
}

#[tokio::test]
async fn what_is_never_taken_becomes_a_dead_letter_and_the_rest_goes_on() {
    let bed = Bed::start().await;
    let receiver = Receiver::start(|_, call| {
        let is_bad = call.json["data"]["content"]["text"] == "bad";
        Some((if is_bad { 400 } else { 200 }, String::new()))
    })
    .await;
    let settings = HookSettings {
        retry_for_ms: 0,
        ..bed.settings(HookKind::Events, receiver.url(), &["message.stored"])
    };
    let (hook, _) = bed.hook_with(HookKind::Events, settings).await;
    for text in ["good", "bad", "better"] {
        bed.say("alice", "bob", text).await;
    }
    let calls = receiver.after(3).await;
    assert_eq!(texts(&calls), ["good", "bad", "better"]);
    until(async || hook.stats().dead == 1).await;
    let (realm, id) = (Realm::default(), hook.record.id.as_str());
    let letters = bed
        .hooks
        .dead_letters(&realm, id, 0, 9)
        .await
        .expect("letters");
    assert_eq!(letters.len(), 1);
    let letter = &letters[0].letter;
    assert_eq!((letter.event.as_str(), letter.tries), ("message.stored", 1));
    assert_eq!(letter.body, calls[1].body);
    // It stays one until it is taken.
    let retry = async || {
        bed.hooks
            .retry(&realm, id, letters[0].n)
            .await
            .expect("tried")
    };
    assert_eq!(retry().await, Err("400 Bad Request: ".to_owned()));
    receiver.now(200, "");
    assert_eq!(retry().await, Ok(()));
    assert!(bed.hooks.retry(&realm, id, letters[0].n).await.is_err());
    let calls = receiver.calls();
    assert_eq!(calls.len(), 5);
    assert!(
        calls[3..]
            .iter()
            .all(|call| call.json["id"] == calls[1].json["id"])
    );
}

#[tokio::test]
async fn what_one_channel_does_not_get_told_holds_up_no_other() {
    let mut bed = Bed::start().await;
    let receiver = Receiver::start(|_, call| {
        let is_bad = call.json["data"]["content"]["text"] == "bad";
        Some((if is_bad { 500 } else { 200 }, String::new()))
    })
    .await;
    let (hook, _) = bed.hook(receiver.url(), &["message.stored"]).await;
    bed.say("alice", "bob", "bad").await;
    bed.say("alice", "bob", "behind").await;
    // More than a round.
    for n in 0..250 {
        bed.say("alice", "carol", &n.to_string()).await;
    }
    let told = async || {
        let mut told = texts(&receiver.calls());
        told.retain(|text| text != "bad");
        told
    };
    until(async || told().await.len() == 250).await;
    assert!(told().await.iter().all(|text| text != "behind"));
    assert_eq!(hook.stats().retrying, 1);
    // It is the same after a restart, and in order once it is taken.
    bed.restart().await;
    bed.say("alice", "bob", "last").await;
    bed.say("alice", "carol", "250").await;
    until(async || told().await.len() == 251).await;
    receiver.now(200, "");
    until(async || told().await.len() == 253).await;
    assert_eq!(told().await[251..], ["behind", "last"]);
    let hooks = bed.hooks.of(&Realm::default());
    until(async || hooks[0].stats().retrying == 0).await;
    let waiting = bed.im.postponed_lanes(&hook.record.id).await;
    assert_eq!(waiting, Ok(Vec::new()));
}

#[tokio::test]
async fn one_that_does_not_answer_holds_up_neither_senders_nor_others() {
    let bed = Bed::start().await;
    let silent = Receiver::start(|_, _| None).await;
    let receiver = Receiver::taking().await;
    bed.hook(silent.url(), &[]).await;
    bed.hook(receiver.url(), &["message.stored"]).await;
    for n in 0..20 {
        bed.say("alice", "bob", &n.to_string()).await;
    }
    assert_eq!(receiver.after(20).await.len(), 20);
    assert_eq!(silent.after(1).await.len(), 1, "one channel, one at a time");
    bed.hooks.stop().await;
}

#[tokio::test]
async fn who_was_not_there_is_told() {
    let bed = Bed::start().await;
    let receiver = Receiver::taking().await;
    bed.hook(receiver.url(), &["message.offline"]).await;
    let id = bed.say("alice", "bob", "hello").await;
    let calls = receiver.after(1).await;
    let data = &calls[0].json["data"];
    assert_eq!(data["users"], json!(["bob"]));
    assert_eq!(data["message"]["id"], id.to_string());
    assert_eq!(data["message"]["content"]["text"], "hello");
    assert_eq!(calls[0].json["id"], format!("{id}-0"));
}

#[tokio::test]
async fn what_becomes_of_a_message_is_told_too() {
    let bed = Bed::start().await;
    let receiver = Receiver::taking().await;
    bed.hook(receiver.url(), &["message.revoked"]).await;
    let id = bed.say("alice", "bob", "oops").await;
    let revoked = bed
        .im
        .revoke(&Realm::default(), id, Operator::Application)
        .await;
    revoked.expect("revoked");
    let calls = receiver.after(1).await;
    assert_eq!(calls[0].json["event"], "message.revoked");
    let data = &calls[0].json["data"];
    assert_eq!(data["message"]["id"], id.to_string());
    assert_eq!(data["channel"]["users"], json!(["alice", "bob"]));
}

#[tokio::test]
async fn events_of_the_event_log_are_told_and_those_of_other_realms_are_not() {
    let bed = Bed::start().await;
    let receiver = Receiver::taking().await;
    bed.hook(receiver.url(), &["user.*", "call.*"]).await;
    let event = |realm: &str, kind: &str, user: &str| NewEvent {
        realm: Realm::parse(realm).expect("a realm"),
        kind: kind.into(),
        channel: None,
        at_ms: 7,
        body: json!({"user": user, "origin": 0}).to_string().into(),
    };
    let all = [
        event("elsewhere", "user.online", "mallory"),
        event("default", "session.opened", "alice"),
        event("default", "user.online", "alice"),
        event("default", "call.started", "alice"),
    ];
    bed.im.record_events(&all).await.expect("recorded");
    let calls = receiver.after(2).await;
    assert_eq!(members(&calls, "event"), ["user.online", "call.started"]);
    assert!(
        calls
            .iter()
            .all(|call| call.json["data"]["user"] == "alice")
    );
    assert_eq!(calls[0].json["at"], 7);
}

#[tokio::test]
async fn several_events_go_in_one_request_if_that_is_wanted() {
    let bed = Bed::start().await;
    let receiver =
        Receiver::start(|before, _| Some((if before == 0 { 503 } else { 200 }, String::new())))
            .await;
    let settings = HookSettings {
        max_batch: 3,
        ..bed.settings(HookKind::Events, receiver.url(), &["message.stored"])
    };
    bed.hook_with(HookKind::Events, settings).await;
    for n in 0..8 {
        bed.say("alice", ["bob", "carol"][n % 2], &n.to_string())
            .await;
    }
    let all = async || -> Vec<String> {
        let calls = receiver.calls().into_iter().skip(1);
        let events = calls.flat_map(|call| call.json["events"].as_array().cloned());
        let text = |event: &serde_json::Value| event["data"]["content"]["text"].to_string();
        events.flatten().map(|event| text(&event)).collect()
    };
    until(async || all().await.len() >= 8).await;
    let expected: Vec<String> = (0..8).map(|n| format!("\"{n}\"")).collect();
    assert_eq!(all().await, expected);
    for call in receiver.calls() {
        assert!(
            call.json["events"]
                .as_array()
                .is_some_and(|events| (1..=3).contains(&events.len()))
        );
        assert_eq!(call.header("crosstalk-event"), "batch");
    }
}

#[cfg(feature = "wukong")]
#[tokio::test]
async fn wukongs_own_webhooks() {
    let bed = Bed::start().await;
    let receiver = Receiver::taking().await;
    let settings = HookSettings {
        format: HookFormat::Foreign,
        ..bed.settings(HookKind::Events, receiver.url(), &[])
    };
    bed.hook_with(HookKind::Events, settings).await;
    let id = bed.say("alice", "bob", "hello").await;
    let calls = receiver.after(2).await;
    let of = |query: &str| {
        calls
            .iter()
            .find(|call| call.query == query)
            .expect("a call")
    };
    let notify = &of("event=msg.notify").json;
    assert_eq!(notify[0]["message_id"], id.0);
    assert_eq!(
        (&notify[0]["from_uid"], &notify[0]["channel_id"]),
        (&json!("alice"), &json!("bob"))
    );
    assert_eq!(notify.as_array().map(Vec::len), Some(1));
    let offline = &of("event=msg.offline").json;
    assert_eq!(
        (&offline["message_id"], &offline["to_uids"]),
        (&json!(id.0), &json!(["bob"]))
    );
    assert!(offline["payload"].is_string());
    let event = NewEvent {
        realm: Realm::default(),
        kind: "session.opened".into(),
        channel: None,
        at_ms: 7,
        body: json!({
            "user": "alice", "device_flag": 1, "session": "9", "sessions": 2, "sessions_of_flag": 1,
        })
        .to_string()
        .into(),
    };
    bed.im.record_events(&[event]).await.expect("recorded");
    let calls = receiver.after(1).await;
    assert_eq!(calls[2].query, "event=user.onlinestatus");
    assert_eq!(calls[2].json, json!(["alice-1-1-9-1-2"]));
}

#[tokio::test]
async fn private_addresses_can_be_closed() {
    let limits = super::HookLimits {
        private_addresses: false,
        ..super::quick()
    };
    let bed = Bed::with(limits).await;
    let receiver = Receiver::taking().await;
    let by_name = receiver.url().replace("127.0.0.1", "localhost");
    for url in [receiver.url(), by_name] {
        let (hook, _) = bed.hook(url, &["message.stored"]).await;
        let tested = bed.hooks.test(&Realm::default(), &hook.record.id).await;
        let tested = tested.expect("tested");
        assert_eq!(tested.status, None);
        assert!(tested.error.contains("called"), "{}", tested.error);
    }
    assert!(receiver.calls().is_empty());
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let bed = Bed::start().await;
    let other = Receiver::taking().await;
    let receiver = Receiver::answering(307, "elsewhere").await;
    let (hook, _) = bed.hook(receiver.url(), &["message.stored"]).await;
    let tested = bed.hooks.test(&Realm::default(), &hook.record.id).await;
    let tested = tested.expect("tested");
    assert_eq!(
        (tested.status, tested.body.as_str()),
        (Some(307), "elsewhere")
    );
    assert!(other.calls().is_empty());
}
