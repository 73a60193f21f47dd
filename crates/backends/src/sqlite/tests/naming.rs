//! That names and numbers are known whatever happens to the process, and for how long; and
//! that what belongs to a message goes with it.

use std::sync::Arc;

use crosstalk_core::channel::ChannelRef;
use crosstalk_core::contract::{append, numbered, store, text};
use crosstalk_core::id::{MessageId, Realm, UserNum, UserRef};
use crosstalk_core::log::{AppendOutcome, Called, Log};
use crosstalk_core::message::{Body, Flags, Naming};
use crosstalk_core::receipt::Receipts;

use super::{Bed, all, people, room, view};
use crate::sqlite::{Sqlite, SqliteOptions};

const DAY_MS: i64 = 24 * 3600 * 1000;

fn named(name: &str, payload: &str) -> Body {
    Body {
        name: Some(name.into()),
        ..text(payload)
    }
}

async fn put(db: &Sqlite, log: &Arc<ChannelRef>, by: &UserRef, body: Body) -> (MessageId, Naming) {
    match store(db, vec![append(log, by, body)]).await[0] {
        AppendOutcome::Stored { id, naming, .. } => (id, naming),
        other => panic!("{other:?}"),
    }
}

async fn called(db: &Sqlite, text: &str) -> Vec<MessageId> {
    let called = Called {
        realm: Realm::default(),
        text: text.into(),
        sender: None,
        channel: None,
    };
    let found = db.by_number(&called, 9).await.unwrap();
    found.iter().map(|message| message.id).collect()
}

#[tokio::test]
async fn names_and_numbers_are_known_after_a_restart() {
    for crash in [false, true] {
        let bed = Bed::new();
        let db = bed.open();
        let (alice, bob) = people(&db).await;
        let log = room(&db, "g", &[&alice, &bob]).await;
        let (id, _) = put(&db, &log, &alice, named("m", "x")).await;
        let (other, _) = put(&db, &log, &alice, numbered("7", "x")).await;
        let (gone, _) = put(&db, &log, &alice, named("gone", "x")).await;
        db.revoke(gone, None).await.unwrap();
        if !crash {
            db.close().await;
        }
        drop(db);
        let db = bed.open();
        assert_eq!(called(&db, "m").await, [id]);
        assert_eq!(called(&db, "7").await, [other]);
        assert_eq!(called(&db, "gone").await, [gone]);
        for name in ["m", "gone"] {
            let (_, naming) = put(&db, &log, &bob, named(name, "y")).await;
            assert!(naming.name_dropped, "{name}, crash: {crash}");
        }
        let (_, naming) = put(&db, &log, &bob, numbered("7", "x")).await;
        assert!(naming.number_taken);
        assert_eq!(called(&db, "m").await, [id]);
    }
}

/// Also where the week's table is no longer one that retries are looked for in.
#[tokio::test]
async fn messages_are_found_however_old_they_are() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    let mut ids = Vec::new();
    for week in 0..5 {
        let body = numbered("n", &week.to_string());
        ids.insert(0, put(&db, &log, &alice, body).await.0);
        bed.clock.advance_ms(7 * DAY_MS);
    }
    assert_eq!(called(&db, "n").await, ids);
    db.close().await;
    drop(db);
    let db = bed.open();
    assert_eq!(called(&db, "n").await, ids);
    // The oldest is dropped, the keys of its week with it; the others stay.
    let mut next = Some(MessageId(0));
    while let Some(from) = next {
        next = db.retain(from, ids[3], 9).await.unwrap().next;
    }
    assert_eq!(called(&db, "n").await, ids[..4]);
}

/// New names and numbers are told from memory.
#[tokio::test]
async fn a_new_name_needs_no_look_up() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    put(&db, &log, &alice, named("first", "x")).await;
    let before = db.stats().key_lookups;
    for n in 0..50 {
        let body = Body {
            client_no: format!("number {n}").into(),
            ..named(&format!("name {n}"), "x")
        };
        assert_eq!(put(&db, &log, &alice, body).await.1, Naming::default());
    }
    assert_eq!(db.stats().key_lookups, before);
}

/// A name that could not be committed was never given.
#[tokio::test]
async fn a_failed_commit_gives_no_name() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    // Together, and then each alone.
    db.shared
        .failing_commits
        .store(2, std::sync::atomic::Ordering::SeqCst);
    let batch = vec![append(&log, &alice, named("m", "x"))];
    let outcomes = db.append(batch).await.unwrap().await;
    assert!(outcomes[0].is_err());
    assert_eq!(called(&db, "m").await, []);
    let (id, naming) = put(&db, &log, &alice, named("m", "x")).await;
    assert!(!naming.name_dropped);
    assert_eq!(called(&db, "m").await, [id]);
}

#[tokio::test]
async fn a_damaged_name_or_audience_is_noticed() {
    for damage in [
        "name = 'n'",
        "name = NULL",
        "audience = NULL",
        "audience = X'00'",
    ] {
        let bed = Bed::new();
        let db = bed.open();
        let (alice, _) = people(&db).await;
        let log = room(&db, "g", &[&alice]).await;
        let body = Body {
            audience: Some([UserNum(5)].into()),
            ..named("m", "secret")
        };
        let (id, _) = put(&db, &log, &alice, body).await;
        assert_eq!(db.verify().await.unwrap().damaged, 0);
        bed.raw()
            .execute(&format!("UPDATE message SET {damage}"), [])
            .unwrap();
        assert_eq!(db.verify().await.unwrap().named[0].id, id, "{damage}");
        let found = db.by_id(id).await.unwrap().unwrap();
        assert!(found.body.payload.is_empty());
    }
}

/// Nothing is left of a message that was dropped, and nothing is written for one that asks
/// for nothing.
#[tokio::test]
async fn what_hangs_on_a_message_goes_with_it() {
    let bed = Bed::new();
    let db = Sqlite::open(SqliteOptions {
        reader_threads: 1,
        ..bed.options()
    });
    let db = db.unwrap();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    let rows = || {
        let raw = bed.raw();
        ["directed", "receipt", "message_state"].map(|table| {
            let sql = format!("SELECT count(*) FROM {table}");
            raw.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap()
        })
    };
    put(&db, &log, &alice, numbered("1", "x")).await;
    db.read_all(&log, &bob).await;
    assert_eq!(rows(), [0, 0, 0]);
    let body = Body {
        audience: Some([bob.num, UserNum(99)].into()),
        flags: Flags {
            receipt: true,
            counts: true,
            ..Flags::default()
        },
        ..text("x")
    };
    put(&db, &log, &alice, body).await;
    db.read_all(&log, &bob).await;
    assert_eq!(rows(), [2, 1, 1]);
    assert_eq!(view(&db, &bob, &log).await.unread(), 2);
    let mut next = Some(MessageId(0));
    while let Some(from) = next {
        next = db.retain(from, MessageId(i64::MAX), 9).await.unwrap().next;
    }
    assert_eq!(rows(), [0, 0, 0]);
    assert!(all(&db, &log).await.is_empty());
}

impl Sqlite {
    async fn read_all(&self, log: &ChannelRef, reader: &UserRef) {
        Receipts::read(self, log.num, reader.num, 1..=u64::MAX, 1, 9)
            .await
            .unwrap();
    }
}
