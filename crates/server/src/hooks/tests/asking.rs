//! The hook that is asked before a message is accepted.

use crosstalk_core::channel::ChannelKey;
use crosstalk_core::directory::AppId;
use crosstalk_core::hook::{HookKind, HookSettings, OnFailure};
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::im::{HistoryQuery, Viewer};
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::content_of;
use serde_json::{Value, json};

use super::{Bed, Receiver};

/// A messenger with a hook that is asked.
async fn asking(receiver: &Receiver, on_failure: OnFailure) -> Bed {
    let bed = Bed::start().await;
    let settings = HookSettings {
        on_failure,
        ..bed.settings(HookKind::BeforeSend, receiver.url(), &[])
    };
    bed.hook_with(HookKind::BeforeSend, settings).await;
    bed
}

async fn said(bed: &Bed) -> Vec<Value> {
    let uid = |text| Uid::parse(text).expect("a uid");
    let key = ChannelKey::direct(&Realm::default(), &uid("alice"), &uid("bob"));
    let all = HistoryQuery {
        from: 1,
        to: 99,
        limit: 99,
        newest: false,
    };
    let history = bed.im.history(&key, &Viewer::Application, all).await;
    history.expect("history").iter().map(content_of).collect()
}

async fn refusal(bed: &Bed, text: &str) -> Option<Refusal> {
    let reply = bed.try_say("alice", "bob", text).await;
    reply.err().map(|refused| refused.why)
}

#[tokio::test]
async fn it_lets_pass_refuses_and_replaces() {
    let receiver = Receiver::start(|_, call| {
        let answer = match call.json["data"]["content"]["text"].as_str() {
            Some("bad") => json!({"action": "deny", "reason": "rude"}),
            Some("rough") => json!({
                "action": "replace",
                "content": {"type": "text", "text": "smooth"},
            }),
            Some("nothing") => return Some((204, String::new())),
            _ => json!({"action": "allow"}),
        };
        Some((200, answer.to_string()))
    })
    .await;
    let bed = asking(&receiver, OnFailure::Closed).await;
    assert_eq!(refusal(&bed, "fine").await, None);
    assert_eq!(refusal(&bed, "bad").await, Some(Refusal::HookRefused));
    assert_eq!(refusal(&bed, "rough").await, None);
    assert_eq!(refusal(&bed, "nothing").await, None);
    let text = |text| json!({"type": "text", "text": text});
    assert_eq!(said(&bed).await, ["fine", "smooth", "nothing"].map(text));
    let calls = receiver.after(4).await;
    let question = &calls[0].json;
    assert_eq!(question["event"], "message.before_send");
    assert_eq!(question["data"]["from"], "alice");
    assert_eq!(
        question["data"]["to"],
        json!({"kind": "direct", "id": "bob"})
    );
    assert_eq!(question["id"], calls[0].header("crosstalk-id"));
}

#[tokio::test]
async fn without_an_answer_the_policy_decides() {
    let cases = [
        (None, OnFailure::Open, None),
        (None, OnFailure::Closed, Some(Refusal::Unavailable)),
        (Some((500, "")), OnFailure::Open, None),
        (
            Some((500, "")),
            OnFailure::Closed,
            Some(Refusal::Unavailable),
        ),
        (Some((200, "what?")), OnFailure::Open, None),
        (
            Some((200, "what?")),
            OnFailure::Closed,
            Some(Refusal::Unavailable),
        ),
        (
            Some((200, r#"{"action":"replace","content":{"text":1}}"#)),
            OnFailure::Closed,
            Some(Refusal::Unavailable),
        ),
    ];
    for (answer, on_failure, expected) in cases {
        let receiver =
            Receiver::start(move |_, _| answer.map(|(status, body)| (status, body.to_owned())))
                .await;
        let bed = Bed::start().await;
        let settings = HookSettings {
            on_failure,
            timeout_ms: 50,
            ..bed.settings(HookKind::BeforeSend, receiver.url(), &[])
        };
        bed.hook_with(HookKind::BeforeSend, settings).await;
        assert_eq!(
            refusal(&bed, "x").await,
            expected,
            "{answer:?} {on_failure:?}"
        );
        let stored = said(&bed).await.len();
        assert_eq!(stored, usize::from(expected.is_none()));
        assert_eq!(bed.hooks.of(&Realm::default())[0].stats().failed, 1);
    }
}

#[tokio::test]
async fn one_that_is_off_is_not_asked_and_a_realm_has_one() {
    let receiver = Receiver::answering(200, r#"{"action":"deny"}"#).await;
    let bed = asking(&receiver, OnFailure::Closed).await;
    let realm = Realm::default();
    let hook = bed.hooks.of(&realm).remove(0);
    let settings = hook.record.settings.clone();
    let app = AppId::default();
    let second = bed
        .hooks
        .create(&realm, &app, HookKind::BeforeSend, true, settings.clone());
    assert_eq!(second.await.err(), Some(Refusal::AlreadyExists));
    assert_eq!(refusal(&bed, "x").await, Some(Refusal::HookRefused));
    let off = bed
        .hooks
        .change(&realm, &hook.record.id, false, settings)
        .await;
    off.expect("changed");
    assert_eq!(refusal(&bed, "x").await, None);
    assert_eq!(receiver.calls().len(), 1);
}

#[tokio::test]
async fn another_realm_is_not_asked_about() {
    let receiver = Receiver::answering(200, r#"{"action":"deny"}"#).await;
    let bed = Bed::start().await;
    let settings = bed.settings(HookKind::BeforeSend, receiver.url(), &[]);
    let elsewhere = Realm::parse("elsewhere").expect("a realm");
    let app = AppId::default();
    let made = bed
        .hooks
        .create(&elsewhere, &app, HookKind::BeforeSend, true, settings);
    made.await.expect("a hook");
    assert_eq!(refusal(&bed, "x").await, None);
    assert!(receiver.calls().is_empty());
}
