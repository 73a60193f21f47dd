//! Mentions: written with messages, counted and listed when somebody asks.

use std::sync::Arc;

use super::room::Room;
use super::{append, store, text, user};
use crate::carried::Carried;
use crate::id::{MessageId, UserRef};
use crate::im::Stores;
use crate::log::AppendOutcome;
use crate::mention::{MentionCount, Noted, NotedQuery};
use crate::message::{Body, Gone};

/// The cases of mentions, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! mentions_contract {
    ($make:path) => {
        $crate::contract_tests!($make, mentions:
            what_a_message_carries_is_kept_with_it,
            those_named_and_everybody_are_counted,
            done_is_done_for_one_user,
            what_is_gone_mentions_nobody,
            lists_go_by_age_and_by_version,
            directed_ones_mention_who_may_see_them,
        );
    };
}

fn mentioning(users: &[&UserRef], all: bool) -> Body {
    let carried = Carried {
        mentions: users.iter().map(|user| (*user).clone()).collect(),
        mention_all: all,
        ..Carried::default()
    };
    Body {
        carried: carried.packed(),
        ..text("@")
    }
}

async fn say(room: &Room<'_>, by: &UserRef, body: Body) -> MessageId {
    let outcomes = store(&*room.stores.log, vec![append(&room.log, by, body)]).await;
    match outcomes[..] {
        [AppendOutcome::Stored { id, .. }] => id,
        ref other => panic!("{other:?}"),
    }
}

async fn count(room: &Room<'_>, user: &UserRef, after: u64) -> (u64, u64) {
    let places = [(room.log.num, after)];
    let counts = room.stores.mentions.counts(user.num, &places).await;
    let counts = counts.expect("counted");
    let [MentionCount { count, first_seq }] = counts[..] else {
        panic!("{counts:?}");
    };
    (count, first_seq)
}

fn everything(room: &Room<'_>) -> NotedQuery {
    NotedQuery {
        places: vec![(room.log.num, 0)],
        open_only: false,
        before: None,
        after_version: None,
        limit: 100,
    }
}

async fn noted(room: &Room<'_>, user: &UserRef, query: NotedQuery) -> Vec<Noted> {
    let noted = room.stores.mentions.noted(user.num, query).await;
    noted.expect("listed")
}

/// A message is read back with what it carries, and a tombstone carries nothing.
pub async fn what_a_message_carries_is_kept_with_it(stores: &Stores) {
    let room = Room::new(stores).await;
    let carried = Carried {
        mentions: vec![room.bob.clone()],
        mention_all: true,
        reply_to: Some(MessageId(77)),
        burn_after_ms: 5000,
        ..Carried::default()
    };
    let body = Body {
        carried: carried.clone().packed(),
        ..text("x")
    };
    let id = say(&room, &room.alice, body).await;
    let found = stores.log.by_id(id).await.expect("read").expect("there");
    assert_eq!(found.body.carried.as_deref(), Some(&carried));
    let erased = stores.log.erase(id, None, Gone::Revoked).await;
    erased.expect("erased");
    let found = stores.log.by_id(id).await.expect("read").expect("there");
    assert_eq!(found.body.carried, None);
}

/// By name and with everybody; the author is not mentioned by what they say themselves.
pub async fn those_named_and_everybody_are_counted(stores: &Stores) {
    let room = Room::new(stores).await;
    let (alice, bob) = (&room.alice, &room.bob);
    let carol = user(&*stores.directory, "carol").await;
    room.join(&carol).await;
    room.say(alice, 1).await;
    assert_eq!(count(&room, bob, 0).await, (0, 0));
    say(&room, alice, mentioning(&[bob], false)).await;
    say(&room, alice, mentioning(&[], true)).await;
    say(&room, alice, mentioning(&[bob, alice], true)).await;
    for (user, expected) in [(bob, (3, 2)), (&carol, (2, 3)), (alice, (0, 0))] {
        assert_eq!(count(&room, user, 0).await, expected, "{}", user.uid);
    }
    assert_eq!(count(&room, bob, 2).await, (2, 3), "from a place on");
    let flags: Vec<_> = noted(&room, bob, everything(&room)).await;
    let flags: Vec<_> = flags
        .iter()
        .map(|noted| (noted.seq, noted.is_all))
        .collect();
    assert_eq!(
        flags,
        [(4, false), (3, true), (2, false)],
        "by name goes first"
    );
}

/// Being done with one changes it for nobody else, and only what mentions can be done with.
pub async fn done_is_done_for_one_user(stores: &Stores) {
    let room = Room::new(stores).await;
    let (alice, bob) = (&room.alice, &room.bob);
    let carol = user(&*stores.directory, "carol").await;
    room.join(&carol).await;
    let plain = say(&room, alice, text("x")).await;
    let all = say(&room, alice, mentioning(&[], true)).await;
    let named = say(&room, alice, mentioning(&[bob], false)).await;
    let done = async |ids: &[MessageId]| stores.mentions.done(bob.num, ids).await.expect("done");
    assert_eq!(done(&[plain, all, MessageId(1), all]).await, 1);
    assert_eq!(done(&[all]).await, 0, "it was done");
    assert_eq!(count(&room, bob, 0).await, (1, 3));
    assert_eq!(count(&room, &carol, 0).await, (1, 2));
    assert_eq!(done(&[named]).await, 1);
    assert_eq!(count(&room, bob, 0).await, (0, 0));
    let query = NotedQuery {
        open_only: true,
        ..everything(&room)
    };
    assert_eq!(noted(&room, bob, query).await, []);
    let kept = noted(&room, bob, everything(&room)).await;
    assert!(kept.len() == 2 && kept.iter().all(|noted| noted.is_done));
}

/// Revoked ones, and those that retention has dropped.
pub async fn what_is_gone_mentions_nobody(stores: &Stores) {
    let room = Room::new(stores).await;
    let (alice, bob) = (&room.alice, &room.bob);
    for _ in 0..3 {
        say(&room, alice, mentioning(&[bob], false)).await;
    }
    let since = |version| NotedQuery {
        after_version: Some(version),
        ..everything(&room)
    };
    let newest = noted(&room, bob, since(0)).await[2].version;
    room.revoke(2).await;
    assert_eq!(count(&room, bob, 0).await, (2, 1));
    let over = noted(&room, bob, since(newest)).await;
    assert_eq!(over.len(), 1, "told by version");
    assert!(over[0].seq == 2 && over[0].is_done && over[0].version > newest);
    assert_eq!(noted(&room, bob, since(over[0].version)).await, []);
    room.drop_before(3).await;
    assert_eq!(count(&room, bob, 0).await, (1, 3));
    assert_eq!(noted(&room, bob, everything(&room)).await.len(), 1);
}

/// Newest first page by page; by version everything that has changed, once.
pub async fn lists_go_by_age_and_by_version(stores: &Stores) {
    let room = Room::new(stores).await;
    let (alice, bob) = (&room.alice, &room.bob);
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(say(&room, alice, mentioning(&[bob], false)).await);
    }
    let page = |before| NotedQuery {
        before,
        limit: 2,
        ..everything(&room)
    };
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let found = noted(&room, bob, page(before)).await;
        let Some(last) = found.last() else { break };
        before = Some(last.message);
        seen.extend(found.iter().map(|noted| noted.message));
    }
    assert_eq!(seen, ids.iter().rev().copied().collect::<Vec<_>>());
    let since = |version| NotedQuery {
        after_version: Some(version),
        ..everything(&room)
    };
    let all = noted(&room, bob, since(0)).await;
    assert!(all.is_sorted_by_key(|noted| noted.version) && all.len() == 5);
    let newest = all[4].version;
    assert_eq!(noted(&room, bob, since(newest)).await, []);
    stores
        .mentions
        .done(bob.num, &ids[1..2])
        .await
        .expect("done");
    let changed = noted(&room, bob, since(newest)).await;
    assert_eq!(changed.len(), 1);
    assert!(changed[0].message == ids[1] && changed[0].is_done);
    assert!(changed[0].version > newest);
}

/// Everybody is everybody who may see it.
pub async fn directed_ones_mention_who_may_see_them(stores: &Stores) {
    let room = Room::new(stores).await;
    let (alice, bob) = (&room.alice, &room.bob);
    let carol = user(&*stores.directory, "carol").await;
    room.join(&carol).await;
    let body = Body {
        audience: Some(Arc::from([bob.num])),
        ..mentioning(&[], true)
    };
    say(&room, alice, body).await;
    assert_eq!(count(&room, bob, 0).await, (1, 1));
    assert_eq!(count(&room, &carol, 0).await, (0, 0));
}
