//! For how long a client number is remembered.

use std::sync::Arc;

use crosstalk_core::channel::ChannelRef;
use crosstalk_core::contract::{append, numbered, store};
use crosstalk_core::id::UserRef;
use crosstalk_core::log::AppendOutcome;

use super::{Bed, people, room};
use crate::sqlite::Sqlite;

const DAY_MS: i64 = 24 * 3600 * 1000;

async fn try_again(db: &Sqlite, log: &Arc<ChannelRef>, alice: &UserRef, number: &str) -> bool {
    let item = append(log, alice, numbered(number, "a"));
    let outcome = store(db, vec![item]).await[0];
    matches!(outcome, AppendOutcome::Duplicate { .. })
}

/// Waits for the filters, which a thread fills: a number that was never used needs no
/// look-up then.
async fn filters_are_ready(db: &Sqlite, log: &Arc<ChannelRef>, alice: &UserRef) {
    for n in 0.. {
        let before = db.stats().key_lookups;
        try_again(db, log, alice, &format!("never used before {n}")).await;
        if db.stats().key_lookups == before {
            return;
        }
    }
}

#[tokio::test]
async fn a_number_is_known_for_at_least_a_week_and_not_for_ever() {
    for day in 0..7 {
        let bed = Bed::new();
        bed.clock.advance_ms(day * DAY_MS);
        let db = bed.open();
        let (alice, _) = people(&db).await;
        let log = room(&db, "g", &[&alice]).await;
        assert!(!try_again(&db, &log, &alice, "1").await);
        bed.clock.advance_ms(DAY_MS / 2);
        assert!(try_again(&db, &log, &alice, "1").await);
        bed.clock.advance_ms(6 * DAY_MS);
        assert!(
            try_again(&db, &log, &alice, "1").await,
            "after 6½ days, begun on day {day}"
        );
        bed.clock.advance_ms(8 * DAY_MS);
        assert!(
            !try_again(&db, &log, &alice, "1").await,
            "after 14½ days, begun on day {day}"
        );
        assert!(try_again(&db, &log, &alice, "1").await);
    }
}

#[tokio::test]
async fn a_number_is_known_after_a_restart() {
    for crash in [false, true] {
        let bed = Bed::new();
        let db = bed.open();
        let (alice, _) = people(&db).await;
        let log = room(&db, "g", &[&alice]).await;
        for n in 0..100 {
            assert!(!try_again(&db, &log, &alice, &n.to_string()).await);
        }
        assert_eq!(db.stats().key_lookups, 0, "new numbers need no look-up");
        if !crash {
            db.close().await;
        }
        drop(db);
        bed.clock.advance_ms(6 * DAY_MS);
        let db = bed.open();
        assert!(
            try_again(&db, &log, &alice, "0").await,
            "while the filter is being filled"
        );
        filters_are_ready(&db, &log, &alice).await;
        for n in 0..100 {
            assert!(try_again(&db, &log, &alice, &n.to_string()).await, "{n}");
        }
    }
}

#[tokio::test]
async fn a_clock_that_goes_back_forgets_nothing() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    assert!(!try_again(&db, &log, &alice, "1").await);
    bed.clock.advance_ms(7 * DAY_MS);
    assert!(!try_again(&db, &log, &alice, "2").await);
    bed.clock.advance_ms(-7 * DAY_MS);
    for number in ["1", "2"] {
        assert!(try_again(&db, &log, &alice, number).await);
    }
    assert!(!try_again(&db, &log, &alice, "3").await);
    drop(db);
    let db = bed.open();
    for number in ["1", "2", "3"] {
        assert!(try_again(&db, &log, &alice, number).await);
    }
}

/// Rows per table of keys.
fn tables(bed: &Bed) -> Vec<i64> {
    let raw = bed.raw();
    let sql = "SELECT name FROM sqlite_master WHERE name GLOB 'client_key_*' ORDER BY name";
    let mut names = raw.prepare(sql).unwrap();
    let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let count = |name: String| {
        raw.query_row(&format!("SELECT count(*) FROM {name}"), [], |row| {
            row.get(0)
        })
        .unwrap()
    };
    names.map(|name| count(name.unwrap())).collect()
}

#[tokio::test]
async fn keys_wait_in_memory_and_end_in_the_table_of_their_week() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    for number in ["1", "2", ""] {
        try_again(&db, &log, &alice, number).await;
    }
    assert_eq!((db.stats().keys, tables(&bed)), (2, vec![0]));
    // A crash, and nobody came back for weeks.
    drop(db);
    bed.clock.advance_ms(30 * DAY_MS);
    let db = bed.open();
    assert!(!try_again(&db, &log, &alice, "1").await);
    assert!(try_again(&db, &log, &alice, "1").await);
    db.close().await;
    assert_eq!(tables(&bed), [2, 1]);
    let db = bed.open();
    assert!(try_again(&db, &log, &alice, "1").await);
    assert!(!try_again(&db, &log, &alice, "2").await);
}

#[tokio::test]
async fn a_crash_in_the_middle_of_writing_down_forgets_nothing() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    let numbers = || (0..3000).map(|n| append(&log, &alice, numbered(&n.to_string(), "a")));
    store(&*db, numbers().collect()).await;
    bed.clock.advance_ms(60_000);
    for turn in 1..=2 {
        assert!(try_again(&db, &log, &alice, "7").await);
        assert_eq!(tables(&bed), [1024 * turn], "a slice for each transaction");
    }
    // Half of them in the table: all are known, before and after.
    drop(db);
    let db = bed.open();
    for outcome in store(&*db, numbers().collect()).await {
        assert!(matches!(outcome, AppendOutcome::Duplicate { .. }));
    }
    db.close().await;
    assert_eq!(tables(&bed), [3000]);
}
