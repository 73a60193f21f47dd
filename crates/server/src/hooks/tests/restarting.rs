//! What is not told yet is told after a restart.

use crosstalk_core::admin::ChoreState;
use crosstalk_core::directory::AppId;
use crosstalk_core::hook::{HookKind, HookSettings};
use crosstalk_core::id::{Realm, Uid};
use tempfile::TempDir;

use super::super::HookService;
use super::{Bed, Receiver, quick, texts, until};
use crate::compose::Core;
use crate::config::Config;
use crate::consumers::Consumers;
use crate::data_dir::DataDir;

#[tokio::test]
async fn nothing_is_lost_while_nobody_tells() {
    let mut bed = Bed::start().await;
    let receiver = Receiver::answering(500, "").await;
    let (hook, _) = bed.hook(receiver.url(), &["message.stored"]).await;
    for n in 0..3 {
        bed.say("alice", "bob", &n.to_string()).await;
    }
    receiver.after(1).await;
    bed.hooks.stop().await;
    bed.say("alice", "bob", "3").await;
    let refused = receiver.calls().len();
    assert!(texts(&receiver.calls()).iter().all(|text| text == "0"));
    receiver.now(200, "");
    bed.restart().await;
    until(async || receiver.calls().len() >= refused + 4).await;
    assert_eq!(texts(&receiver.calls()[refused..]), ["0", "1", "2", "3"]);
    let hooks = bed.hooks.of(&Realm::default());
    assert_eq!(hooks[0].record, hook.record);
    // What is done is not done again.
    until(async || hooks[0].stats().delivered == 4 && hooks[0].stats().retrying == 0).await;
    let name = super::super::told::consumer_name(&hook.record.id);
    let end = bed.im.outbox_end().await.expect("the end");
    until(async || bed.im.place_of(&name).await.expect("a place") == Some(end)).await;
    bed.restart().await;
    bed.say("alice", "bob", "4").await;
    until(async || receiver.calls().len() > refused + 4).await;
    assert_eq!(texts(&receiver.calls()[refused + 4..]), ["4"]);
}

/// Hooks, their secrets and their dead letters are found again in the file.
#[tokio::test]
async fn hooks_outlive_the_process() {
    let folder = TempDir::new().expect("a folder");
    let receiver = Receiver::answering(500, "").await;
    let realm = Realm::default();
    let open = async || {
        let data_dir = DataDir::take_for_server(folder.path()).expect("a free folder");
        let core = Core::open(&Config::default(), &data_dir)
            .await
            .expect("a core");
        let consumers = Consumers::new(&core.im);
        let hooks = HookService::start(&core.im, &consumers, quick()).await;
        (data_dir, core, consumers, hooks.expect("hooks"))
    };
    let (data_dir, core, consumers, hooks) = open().await;
    let settings = HookSettings {
        url: receiver.url(),
        events: vec!["user.online".to_owned()],
        retry_for_ms: 0,
        ..hooks.limits().usual(HookKind::Events)
    };
    let app = AppId::default();
    let made = hooks.create(&realm, &app, HookKind::Events, true, settings);
    let (hook, secret) = made.await.expect("a hook");
    let event = crosstalk_core::outbox::NewEvent {
        realm: realm.clone(),
        kind: "user.online".into(),
        channel: None,
        at_ms: 1,
        body: r#"{"user":"alice"}"#.into(),
    };
    core.im.record_events(&[event]).await.expect("recorded");
    until(async || hook.stats().dead == 1).await;
    hooks.stop().await;
    drop(hooks);
    consumers.stop().await;
    core.close().await;
    drop(data_dir);
    let (_data_dir, core, consumers, hooks) = open().await;
    assert_eq!(hooks.of(&realm)[0].record, hook.record);
    let id = hook.record.id.as_str();
    let letters = hooks.dead_letters(&realm, id, 0, 9).await.expect("letters");
    assert_eq!(letters.len(), 1);
    receiver.now(200, "");
    let retried = hooks.retry(&realm, id, letters[0].n).await.expect("tried");
    assert_eq!(retried, Ok(()));
    assert!(
        receiver
            .calls()
            .iter()
            .all(|call| call.is_signed_with(&secret))
    );
    hooks.stop().await;
    drop(hooks);
    consumers.stop().await;
    core.close().await;
}

/// Neither what still waits nor what was given up.
#[tokio::test]
async fn what_an_erased_user_wrote_is_told_no_more() {
    let bed = Bed::start().await;
    let receiver = Receiver::answering(500, "").await;
    let (late, _) = bed.hook(receiver.url(), &["message.stored"]).await;
    let settings = HookSettings {
        retry_for_ms: 0,
        ..bed.settings(HookKind::Events, receiver.url(), &["message.stored"])
    };
    let (impatient, _) = bed.hook_with(HookKind::Events, settings).await;
    bed.say("dora", "carol", "secret").await;
    bed.say("dora", "carol", "secret, too").await;
    bed.say("alice", "bob", "plain").await;
    until(async || impatient.stats().dead == 3 && late.stats().retrying == 2).await;
    let (realm, dora) = (Realm::default(), Uid::parse("dora").expect("a uid"));
    let begun = bed.im.erase_user(&realm, &dora, "admin").await;
    let begun = begun.expect("begun");
    bed.im.work_off(&|_| String::new()).await;
    let again = bed.im.erase_user(&realm, &dora, "admin").await;
    let again = again.expect("answered");
    assert_eq!((again.num, again.state), (begun.num, ChoreState::Done));
    let id = impatient.record.id.as_str();
    let left = bed.hooks.dead_letters(&realm, id, 0, 9).await;
    assert_eq!(left.expect("letters").len(), 1);
    let before = receiver.calls().len();
    receiver.now(200, "");
    until(async || late.stats().retrying == 0).await;
    let told = receiver.calls().split_off(before);
    let told: Vec<_> = texts(&told);
    assert!(told.contains(&"plain".to_owned()), "{told:?}");
    assert!(!told.iter().any(|text| text.contains("secret")), "{told:?}");
}
