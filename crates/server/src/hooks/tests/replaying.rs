//! Going back, and going on.

use crosstalk_core::hook::HookKind;
use crosstalk_core::id::Realm;
use crosstalk_core::outbox::NewEvent;

use super::super::Replay;
use super::{Bed, Receiver, members, texts, until};

fn online(at_ms: i64) -> NewEvent {
    NewEvent {
        realm: Realm::default(),
        kind: "user.online".into(),
        channel: None,
        at_ms,
        body: r#"{"user":"alice"}"#.into(),
    }
}

#[tokio::test]
async fn from_a_message_on_it_is_told_again() {
    let bed = Bed::start().await;
    let receiver = Receiver::taking().await;
    let (hook, _) = bed.hook(receiver.url(), &["message.stored"]).await;
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(bed.say("alice", "bob", &n.to_string()).await);
    }
    receiver.after(4).await;
    let (realm, id) = (Realm::default(), hook.record.id.as_str());
    let replayed = bed.hooks.replay(&realm, id, Replay::Message(ids[2])).await;
    replayed.expect("replayed");
    let calls = receiver.after(2).await;
    assert_eq!(texts(&calls[4..]), ["2", "3"]);
    assert_eq!(members(&calls[4..], "id"), members(&calls[2..4], "id"));
    // What comes after it is told as ever.
    bed.say("alice", "bob", "4").await;
    assert_eq!(texts(&receiver.after(1).await[6..]), ["4"]);
}

#[tokio::test]
async fn from_a_moment_on_messages_and_events_are_told_again() {
    let bed = Bed::start().await;
    let receiver = Receiver::taking().await;
    let (hook, _) = bed
        .hook(receiver.url(), &["message.stored", "user.online"])
        .await;
    let start_ms = bed.im.clock().now_ms();
    for at_ms in [start_ms, start_ms + 5000] {
        bed.im
            .record_events(&[online(at_ms)])
            .await
            .expect("recorded");
    }
    bed.say("alice", "bob", "early").await;
    bed._clock.advance_ms(5000);
    bed.say("alice", "bob", "late").await;
    receiver.after(4).await;
    let (realm, id) = (Realm::default(), hook.record.id.as_str());
    let since = Replay::Since(start_ms + 5000);
    bed.hooks.replay(&realm, id, since).await.expect("replayed");
    let calls = receiver.after(2).await;
    let mut again = members(&calls[4..], "at");
    again.sort_by_key(serde_json::Value::as_i64);
    assert_eq!(again, [start_ms + 5000, start_ms + 5000]);
    assert!(texts(&calls[4..]).contains(&"late".to_owned()));
}

#[tokio::test]
async fn one_that_was_off_is_told_what_came_meanwhile_or_not() {
    let bed = Bed::start().await;
    let receiver = Receiver::taking().await;
    let (hook, _) = bed.hook(receiver.url(), &["message.stored"]).await;
    let (realm, id) = (Realm::default(), hook.record.id.as_str());
    let switch = async |on| {
        let settings = hook.record.settings.clone();
        bed.hooks
            .change(&realm, id, on, settings)
            .await
            .expect("changed");
    };
    switch(false).await;
    bed.say("alice", "bob", "meanwhile").await;
    switch(true).await;
    assert_eq!(texts(&receiver.after(1).await), ["meanwhile"]);
    switch(false).await;
    bed.say("alice", "bob", "skipped").await;
    bed.hooks
        .replay(&realm, id, Replay::Now)
        .await
        .expect("replayed");
    switch(true).await;
    bed.say("alice", "bob", "after").await;
    assert_eq!(texts(&receiver.after(1).await), ["meanwhile", "after"]);
}

#[tokio::test]
async fn what_was_said_before_a_hook_was_made_is_not_told() {
    let bed = Bed::start().await;
    let receiver = Receiver::taking().await;
    bed.say("alice", "bob", "before").await;
    bed.hook(receiver.url(), &["message.stored"]).await;
    bed.say("alice", "bob", "after").await;
    assert_eq!(texts(&receiver.after(1).await), ["after"]);
}

#[tokio::test]
async fn a_deleted_hook_is_told_nothing_and_leaves_nothing() {
    let bed = Bed::start().await;
    let receiver = Receiver::taking().await;
    let kept = Receiver::taking().await;
    let (hook, _) = bed.hook(receiver.url(), &["message.stored"]).await;
    bed.hook(kept.url(), &["message.stored"]).await;
    let (realm, id) = (Realm::default(), hook.record.id.as_str());
    bed.hooks.delete(&realm, id).await.expect("deleted");
    assert!(bed.hooks.delete(&realm, id).await.is_err());
    bed.say("alice", "bob", "x").await;
    kept.after(1).await;
    assert!(receiver.calls().is_empty());
    let name = super::super::told::consumer_name(id);
    assert_eq!(bed.im.place_of(&name).await.expect("a place"), None);
}

#[tokio::test]
async fn a_new_secret_signs_from_then_on() {
    let bed = Bed::start().await;
    let receiver = Receiver::taking().await;
    let (hook, old) = bed.hook(receiver.url(), &["message.stored"]).await;
    let (realm, id) = (Realm::default(), hook.record.id.as_str());
    let (_, new) = bed.hooks.rotate(&realm, id).await.expect("rotated");
    bed.say("alice", "bob", "x").await;
    let calls = receiver.after(1).await;
    assert!(calls[0].is_signed_with(&new) && !calls[0].is_signed_with(&old));
    until(async || bed.hooks.of(&realm)[0].stats().delivered == 1).await;
    assert_eq!(bed.hooks.of(&realm)[0].record.kind, HookKind::Events);
}
