//! Hooks and their dead letters.

use bytes::Bytes;

use crate::directory::AppId;
use crate::hook::{
    HookFormat, HookKind, HookRecord, HookSettings, NewDeadLetter, NewPostponed, OnFailure,
};
use crate::id::{Realm, Uid};
use crate::im::Stores;

/// The cases of hooks, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! hooks_contract {
    ($make:path) => {
        $crate::contract_tests!($make, hooks:
            hooks_are_put_replaced_and_deleted,
            hooks_of_a_realm_are_bounded,
            dead_letters_are_kept_in_order,
            the_newest_dead_letters_are_kept,
            postponed_deliveries_keep_the_order_of_their_lanes,
            what_a_user_wrote_is_forgotten,
            what_a_user_is_called_is_no_word_of_ours,
        );
    };
}

fn hook(id: &str, realm: &str, at_ms: i64) -> HookRecord {
    HookRecord {
        id: id.to_owned(),
        realm: Realm::parse(realm).expect("a realm"),
        app: AppId::default(),
        kind: HookKind::Events,
        enabled: true,
        sealed_secret: vec![0, 255, 7],
        settings: HookSettings {
            url: "https://example.org/名?x=1".to_owned(),
            events: vec!["message.*".to_owned()],
            format: HookFormat::Foreign,
            headers: [("x-a".to_owned(), "b".to_owned())].into(),
            max_batch: 7,
            timeout_ms: 500,
            retry_for_ms: u64::MAX,
            on_failure: OnFailure::Closed,
            note: "n".to_owned(),
        },
        created_at_ms: at_ms,
    }
}

fn letter(n: i64) -> NewDeadLetter {
    NewDeadLetter {
        event: "message.stored".to_owned(),
        event_id: format!("e{n}"),
        query: String::new(),
        body: Bytes::from(format!("{{\"名\":{n}}}")),
        tries: 3,
        reason: "status 500".to_owned(),
        at_ms: n,
    }
}

/// Every part survives; a deleted one takes its dead letters with it.
pub async fn hooks_are_put_replaced_and_deleted(stores: &Stores) {
    let hooks = &stores.hooks;
    assert!(hooks.hooks().await.expect("hooks").is_empty());
    let (mut one, two) = (hook("a", "one", 2), hook("b", "two", 1));
    assert!(hooks.put_hook(&one, 9).await.expect("put"));
    assert!(hooks.put_hook(&two, 9).await.expect("put"));
    let all = hooks.hooks().await.expect("hooks");
    assert_eq!(all, [two.clone(), one.clone()], "oldest first");
    one.kind = HookKind::BeforeSend;
    one.enabled = false;
    one.sealed_secret = Vec::new();
    one.settings = HookSettings::default();
    assert!(hooks.put_hook(&one, 9).await.expect("put"));
    hooks.bury("a", &letter(1), 9).await.expect("buried");
    assert_eq!(hooks.count_dead_letters("a").await.expect("a count"), 1);
    assert_eq!(hooks.hooks().await.expect("hooks"), [two.clone(), one]);
    assert!(hooks.delete_hook("a").await.expect("deleted"));
    assert!(!hooks.delete_hook("a").await.expect("deleted"));
    assert_eq!(hooks.hooks().await.expect("hooks"), [two]);
    assert_eq!(hooks.count_dead_letters("a").await.expect("a count"), 0);
    // What comes late for a hook that is gone is not kept.
    hooks.bury("a", &letter(2), 9).await.expect("buried");
    assert_eq!(hooks.count_dead_letters("a").await.expect("a count"), 0);
}

/// Replacing one takes no room, and other realms have their own.
pub async fn hooks_of_a_realm_are_bounded(stores: &Stores) {
    let hooks = &stores.hooks;
    for (id, realm, expected) in [
        ("a", "one", true),
        ("b", "one", true),
        ("c", "one", false),
        ("b", "one", true),
        ("d", "two", true),
    ] {
        let put = hooks.put_hook(&hook(id, realm, 1), 2).await;
        assert_eq!(put.expect("put"), expected, "{id} {realm}");
    }
    assert_eq!(hooks.hooks().await.expect("hooks").len(), 3);
}

/// Each hook has its own; pages go on where the last one ended.
pub async fn dead_letters_are_kept_in_order(stores: &Stores) {
    let hooks = &stores.hooks;
    for id in ["a", "b"] {
        assert!(hooks.put_hook(&hook(id, "one", 1), 9).await.expect("put"));
    }
    for n in 0..5 {
        hooks.bury("a", &letter(n), 99).await.expect("buried");
        hooks.bury("b", &letter(n + 10), 99).await.expect("buried");
    }
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = hooks.dead_letters("a", after, 2).await.expect("a page");
        let Some(last) = page.last() else { break };
        after = last.n;
        found.extend(page);
    }
    let letters: Vec<_> = found.iter().map(|dead| dead.letter.clone()).collect();
    assert_eq!(letters, (0..5).map(letter).collect::<Vec<_>>());
    let (third, foreign) = (found[2].n, found[2].n + 1);
    let one = hooks.dead_letter("a", third).await.expect("a letter");
    assert_eq!(one.as_ref(), Some(&found[2]));
    assert_eq!(hooks.dead_letter("a", foreign).await.expect("none"), None);
    let dropped = hooks.drop_dead_letters("a", Some(foreign)).await;
    assert_eq!(dropped.expect("dropped"), 0, "of another hook");
    let dropped = hooks.drop_dead_letters("a", Some(third)).await;
    assert_eq!(dropped.expect("dropped"), 1);
    assert_eq!(hooks.count_dead_letters("a").await.expect("a count"), 4);
    assert_eq!(
        hooks.drop_dead_letters("a", None).await.expect("dropped"),
        4
    );
    assert_eq!(hooks.count_dead_letters("b").await.expect("a count"), 5);
}

/// The oldest go.
pub async fn the_newest_dead_letters_are_kept(stores: &Stores) {
    let hooks = &stores.hooks;
    assert!(hooks.put_hook(&hook("a", "one", 1), 9).await.expect("put"));
    for n in 0..7 {
        hooks.bury("a", &letter(n), 3).await.expect("buried");
    }
    let left = hooks.dead_letters("a", 0, 99).await.expect("letters");
    let times: Vec<_> = left.iter().map(|dead| dead.letter.at_ms).collect();
    assert_eq!(times, [4, 5, 6]);
}

/// Each lane of each hook has its own order; an event waits once; what is given up is a dead
/// letter.
pub async fn postponed_deliveries_keep_the_order_of_their_lanes(stores: &Stores) {
    let hooks = &stores.hooks;
    for id in ["a", "b"] {
        assert!(hooks.put_hook(&hook(id, "one", 1), 9).await.expect("put"));
    }
    let delivery = |lane: &str, n: i64, tries| NewPostponed {
        lane: lane.to_owned(),
        event: "message.stored".to_owned(),
        event_id: format!("e{n}"),
        query: String::new(),
        body: Bytes::from(format!("{{\"名\":{n}}}")),
        tries,
        tried_for_ms: 7 * u64::from(tries),
    };
    let all = [
        delivery("x", 1, 1),
        delivery("y", 2, 1),
        delivery("x", 3, 0),
    ];
    for one in &all {
        assert!(hooks.postpone("a", one).await.expect("kept"));
        assert!(!hooks.postpone("a", one).await.expect("kept"), "once");
        assert!(!hooks.postpone("gone", one).await.expect("none"));
    }
    assert!(hooks.postpone("b", &all[0]).await.expect("kept"));
    let mut lanes = hooks.postponed_lanes("a").await.expect("lanes");
    lanes.sort();
    assert_eq!(lanes, [("x".to_owned(), 2), ("y".to_owned(), 1)]);
    let next = async |lane: &str| hooks.next_postponed("a", lane).await.expect("the next");
    let first = next("x").await.expect("one");
    assert_eq!(first.delivery, all[0]);
    assert_eq!(next("z").await, None);
    hooks.tried_again(first.n, 5, 99).await.expect("tried");
    let again = next("x").await.expect("one").delivery;
    assert_eq!((again.tries, again.tried_for_ms), (5, 99));
    let taken = hooks.end_postponed("a", first.n, None, 9).await;
    taken.expect("taken");
    let second = next("x").await.expect("one");
    assert_eq!(second.delivery, all[2]);
    for _ in 0..2 {
        let dead = letter(3);
        let given_up = hooks.end_postponed("a", second.n, Some(&dead), 9).await;
        given_up.expect("given up");
    }
    assert_eq!(next("x").await, None);
    assert_eq!(hooks.count_dead_letters("a").await.expect("a count"), 1);
    assert_eq!(hooks.drop_postponed("a").await.expect("dropped"), 1);
    assert!(hooks.delete_hook("b").await.expect("deleted"));
    assert!(hooks.postponed_lanes("b").await.expect("none").is_empty());
}

/// Of one realm only; what says that others did something is told all the same.
pub async fn what_a_user_wrote_is_forgotten(stores: &Stores) {
    let hooks = &stores.hooks;
    for (id, realm) in [("a", "one"), ("b", "two")] {
        assert!(hooks.put_hook(&hook(id, realm, 1), 9).await.expect("put"));
    }
    let from = |uid: &str| format!(r#"{{"data":{{"from":"{uid}","to":"x\"y"}}}}"#);
    for (n, body) in [(1, from("dora")), (2, from("bob"))] {
        let letter = NewDeadLetter {
            body: body.into(),
            ..letter(n)
        };
        for id in ["a", "b"] {
            hooks.bury(id, &letter, 99).await.expect("buried");
        }
    }
    let gone = r#"{"data":{"user":"dora"}}"#.to_owned();
    let quotes = r#"{"data":{"from":"bob","reply":{"from":"dora"}}}"#.to_owned();
    let waiting = [
        ("message.stored", from("dora"), true),
        ("message.stored", from("bob"), false),
        ("message.stored", quotes, false),
        ("message.stored", "no JSON \"dora\"".to_owned(), false),
        (
            "message.edited",
            r#"{"data":{"message":{"from":"dora"}}}"#.to_owned(),
            true,
        ),
        ("user.profile", gone.clone(), true),
        ("user.offline", gone, false),
    ];
    for (n, (event, body, _)) in waiting.iter().enumerate() {
        let delivery = NewPostponed {
            lane: n.to_string(),
            event: (*event).to_owned(),
            event_id: n.to_string(),
            query: String::new(),
            body: body.clone().into(),
            tries: 1,
            tried_for_ms: 1,
        };
        assert!(hooks.postpone("a", &delivery).await.expect("kept"), "{n}");
    }
    let (realm, dora) = (Realm::parse("one"), Uid::parse("dora"));
    let (realm, dora) = (realm.expect("a realm"), dora.expect("a uid"));
    let forgotten = hooks.forget_user(&realm, &dora).await.expect("forgotten");
    assert_eq!(forgotten, 4);
    let left = hooks.dead_letters("a", 0, 9).await.expect("letters");
    let left: Vec<_> = left.iter().map(|dead| dead.letter.at_ms).collect();
    assert_eq!(left, [2]);
    assert_eq!(hooks.count_dead_letters("b").await.expect("a count"), 2);
    for (n, (event, body, is_gone)) in waiting.iter().enumerate() {
        let found = hooks.next_postponed("a", &n.to_string()).await;
        let found = found.expect("read").expect("it waits");
        let is_empty = found.delivery.body.is_empty();
        assert_eq!(is_empty, *is_gone, "{n} {event} {body}");
        // What was being tried meanwhile does not come back as a dead letter.
        let dead = letter(50 + found.n);
        let ended = hooks.end_postponed("a", found.n, Some(&dead), 99).await;
        ended.expect("ended");
    }
    assert_eq!(hooks.count_dead_letters("a").await.expect("a count"), 5);
}

/// Whoever is called what we call things names nothing by that.
pub async fn what_a_user_is_called_is_no_word_of_ours(stores: &Stores) {
    let hooks = &stores.hooks;
    let new = hook("a", "one", 1);
    assert!(hooks.put_hook(&new, 9).await.expect("put"));
    let by_others = r#"{"event":"message.stored","data":{"from":"bob","content":{"type":"text"}}}"#;
    let about = r#"{"event":"message.stored","data":{"from":"bob","mentions":["text"]}}"#;
    for (n, body) in [(1, by_others), (2, about)] {
        let letter = NewDeadLetter {
            body: body.into(),
            ..letter(n)
        };
        hooks.bury("a", &letter, 99).await.expect("buried");
    }
    let (realm, text) = (Realm::parse("one"), Uid::parse("text"));
    let (realm, text) = (realm.expect("a realm"), text.expect("a uid"));
    let forgotten = hooks.forget_user(&realm, &text).await.expect("forgotten");
    assert_eq!(forgotten, 1);
    let left = hooks.dead_letters("a", 0, 9).await.expect("letters");
    let left: Vec<_> = left.iter().map(|dead| dead.letter.at_ms).collect();
    assert_eq!(left, [1]);
}
