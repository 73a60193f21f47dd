//! Answers that are kept under keys.

use super::user;
use crate::answered::{Asker, KeptAnswer};
use crate::directory::AppId;
use crate::im::Stores;

/// The cases of kept answers, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! answered_contract {
    ($make:path) => {
        $crate::contract_tests!($make, answered:
            an_answer_is_kept_as_it_was,
            each_asker_has_keys_of_their_own,
            a_new_answer_takes_the_place_of_the_old,
            of_each_asker_the_newest_stay,
            old_answers_are_forgotten,
            answers_go_with_their_user,
        );
    };
}

fn answer(at_ms: i64) -> KeptAnswer {
    KeptAnswer {
        fingerprint: [7; 32],
        at_ms,
        status: 201,
        media_type: "application/json".to_owned(),
        sealed_body: Some(vec![0, 255, 1]),
    }
}

async fn keep(stores: &Stores, asker: &Asker, key: &str, answer: &KeptAnswer) {
    let kept = stores.answers.keep_answer(asker, key, answer, 3).await;
    kept.expect("kept");
}

async fn get(stores: &Stores, asker: &Asker, key: &str) -> Option<KeptAnswer> {
    let found = stores.answers.answer(asker, key).await;
    found.expect("read")
}

fn app(id: &str) -> AppId {
    AppId::parse(id).expect("an app id")
}

/// Also without a body, and with an empty one.
pub async fn an_answer_is_kept_as_it_was(stores: &Stores) {
    let asker = Asker::Admin(None);
    for (key, body) in [
        ("full", Some(vec![1; 70_000])),
        ("none", None),
        ("empty", Some(Vec::new())),
    ] {
        let mut answer = answer(5);
        answer.sealed_body = body;
        answer.media_type = String::new();
        keep(stores, &asker, key, &answer).await;
        assert_eq!(get(stores, &asker, key).await, Some(answer), "{key}");
    }
    assert_eq!(get(stores, &asker, "Full").await, None, "case matters");
}

/// Whatever they are called.
pub async fn each_asker_has_keys_of_their_own(stores: &Stores) {
    let alice = user(&*stores.directory, "alice").await;
    let bob = user(&*stores.directory, "bob").await;
    let askers = [
        Asker::Admin(None),
        Asker::Admin(Some(app("admin"))),
        Asker::Admin(Some(app("shop"))),
        Asker::App(app("admin")),
        Asker::App(app("shop")),
        Asker::User(alice.num),
        Asker::User(bob.num),
    ];
    for (at, asker) in (0..).zip(&askers) {
        assert_eq!(get(stores, asker, "k").await, None, "{asker}");
        keep(stores, asker, "k", &answer(at)).await;
    }
    for (at, asker) in (0..).zip(&askers) {
        assert_eq!(get(stores, asker, "k").await, Some(answer(at)), "{asker}");
    }
}

/// It counts once.
pub async fn a_new_answer_takes_the_place_of_the_old(stores: &Stores) {
    let asker = Asker::App(app("shop"));
    keep(stores, &asker, "a", &answer(1)).await;
    keep(stores, &asker, "b", &answer(2)).await;
    let mut other = answer(3);
    (other.fingerprint, other.status) = ([9; 32], 404);
    keep(stores, &asker, "b", &other).await;
    assert_eq!(get(stores, &asker, "b").await, Some(other));
    assert_eq!(get(stores, &asker, "a").await, Some(answer(1)));
}

/// However many another has.
pub async fn of_each_asker_the_newest_stay(stores: &Stores) {
    let (one, other) = (Asker::App(app("one")), Asker::App(app("other")));
    keep(stores, &other, "k0", &answer(0)).await;
    for n in 0..10 {
        // Clocks go back at times: it is the order of keeping that counts.
        keep(stores, &one, &format!("k{n}"), &answer(100 - n)).await;
    }
    for n in 0..10 {
        let kept = get(stores, &one, &format!("k{n}")).await.is_some();
        assert_eq!(kept, n >= 7, "k{n}");
    }
    assert!(get(stores, &other, "k0").await.is_some());
}

/// So many at a time, the oldest first.
pub async fn old_answers_are_forgotten(stores: &Stores) {
    let asker = Asker::App(app("shop"));
    for (key, at_ms) in [("c", 30), ("a", 10), ("b", 20)] {
        keep(stores, &asker, key, &answer(at_ms)).await;
    }
    let forget = async |before_ms, limit| {
        let gone = stores.answers.forget_answers(before_ms, limit).await;
        gone.expect("forgotten")
    };
    assert_eq!(forget(10, 10).await, 0);
    assert_eq!(forget(31, 1).await, 1);
    assert_eq!(get(stores, &asker, "a").await, None);
    assert!(get(stores, &asker, "b").await.is_some());
    assert_eq!(forget(30, 10).await, 1);
    assert!(get(stores, &asker, "c").await.is_some());
}

/// What they were told is theirs.
pub async fn answers_go_with_their_user(stores: &Stores) {
    let alice = user(&*stores.directory, "alice").await;
    let bob = user(&*stores.directory, "bob").await;
    for user in [&alice, &bob] {
        keep(stores, &Asker::User(user.num), "k", &answer(1)).await;
    }
    let purged = stores.admin.census.purge(alice.num).await;
    purged.expect("purged");
    assert_eq!(get(stores, &Asker::User(alice.num), "k").await, None);
    assert!(get(stores, &Asker::User(bob.num), "k").await.is_some());
}
