//! Closing, dropping, opening again.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use crosstalk_core::channel::Channels;
use crosstalk_core::clock::ManualClock;
use crosstalk_core::contract::{append, group, text, user};
use crosstalk_core::conversation::ConversationChange::SetUnread;
use crosstalk_core::conversation::Inbox;
use crosstalk_core::id::MessageId;
use crosstalk_core::log::{AppendOutcome, Log};
use crosstalk_core::store::StoreErrorKind;

use super::{Bed, all, people, room, say, view};
use crate::sqlite::{Sqlite, SqliteOptions};

fn place(view: &crosstalk_core::conversation::ConversationRow) -> (u64, u64, u64) {
    (view.read_seq, view.badge_seq, view.badge_ordinal)
}

#[tokio::test]
async fn what_was_stored_is_there_after_closing() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    say(&db, &log, &alice, 3).await;
    let messages = all(&db, &log).await;
    let views = (view(&db, &alice, &log).await, view(&db, &bob, &log).await);
    db.close().await;
    assert!(
        fs::metadata(bed.wal()).map_or(0, |wal| wal.len()) == 0,
        "the log was moved"
    );
    let db = bed.open();
    assert_eq!(db.stats().advances, 0, "nothing had to be replayed");
    assert_eq!(all(&db, &log).await, messages);
    let (mut of_alice, of_bob) = (view(&db, &alice, &log).await, view(&db, &bob, &log).await);
    assert!(of_alice.version >= views.0.version);
    of_alice.version = views.0.version;
    assert_eq!((of_alice, of_bob), views);
    let outcome = say(&db, &log, &bob, 1).await[0];
    assert!(matches!(
        outcome,
        AppendOutcome::Stored {
            seq: 4,
            ordinal: 4,
            ..
        }
    ));
}

#[tokio::test]
async fn nothing_is_lost_by_a_crash() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    say(&db, &log, &alice, 3).await;
    say(&db, &log, &bob, 2).await;
    // Set back after an own send: the replay of that send must not undo it.
    db.change(bob.num, log.num, SetUnread(4)).await.unwrap();
    let outsider = user(&*db, "outsider").await;
    say(&db, &log, &outsider, 1).await;
    let messages = all(&db, &log).await;
    drop(db);
    let rows = "SELECT count(*) FROM conversation WHERE user = ?1";
    let rows: i64 = bed
        .raw()
        .query_row(rows, [alice.num.0], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 0, "the advance of alice was not written down");
    // Twice: what was replayed once is still not written down.
    for _ in 0..2 {
        let db = bed.open();
        assert_eq!(all(&db, &log).await, messages);
        assert_eq!(place(&view(&db, &alice, &log).await), (3, 3, 3));
        let of_bob = view(&db, &bob, &log).await;
        assert_eq!((place(&of_bob), of_bob.unread()), ((5, 1, 1), 5));
        assert_eq!(db.conversation(outsider.num, log.num).await.unwrap(), None);
    }
    let db = bed.open();
    db.close().await;
    let raw = bed.raw();
    let sql = "SELECT user, read_seq, badge_ordinal FROM conversation ORDER BY user";
    let mut rows = raw.prepare(sql).unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let rows: Vec<(i64, i64, i64)> = rows
        .query_map([], row)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows, [(alice.num.0, 3, 3), (bob.num.0, 5, 1)]);
}

#[tokio::test]
async fn a_long_replay_is_written_down_on_the_way() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    say(&db, &log, &alice, 60_000).await;
    drop(db);
    let few = SqliteOptions {
        flush_rows: 1,
        ..bed.options()
    };
    let db = Sqlite::open(few).unwrap();
    assert_eq!(
        place(&view(&db, &alice, &log).await),
        (60_000, 60_000, 60_000)
    );
    assert_eq!(view(&db, &bob, &log).await.unread(), 60_000);
    let through: i64 = bed
        .raw()
        .query_row("SELECT flushed_through FROM meta", [], |row| row.get(0))
        .unwrap();
    assert!(through > 0);
}

#[tokio::test]
async fn advances_are_written_down_in_time() {
    let bed = Bed::new();
    let options = SqliteOptions {
        flush_every: Duration::from_secs(10),
        ..bed.options()
    };
    let db = Sqlite::open(options).unwrap();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    let last = say(&db, &log, &alice, 3).await[2];
    assert_eq!(db.stats().advances, 1);
    bed.clock.advance_ms(9_999);
    say(&db, &log, &bob, 1).await;
    assert_eq!(db.stats().advances, 2);
    bed.clock.advance_ms(1);
    // Whatever is written next takes them along; its own advance waits for the next time.
    say(&db, &log, &bob, 1).await;
    assert_eq!(db.stats().advances, 1);
    let through: i64 = bed
        .raw()
        .query_row("SELECT flushed_through FROM meta", [], |row| row.get(0))
        .unwrap();
    let AppendOutcome::Stored { id, .. } = last else {
        panic!("{last:?}")
    };
    assert!(through > id.0);
    assert_eq!(place(&view(&db, &alice, &log).await), (3, 3, 3));
    assert_eq!(place(&view(&db, &bob, &log).await), (5, 5, 5));
}

#[tokio::test]
async fn ids_rise_over_a_restart_with_a_clock_that_went_back() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    say(&db, &log, &alice, 2).await;
    let newest = all(&db, &log).await[1].id;
    db.close().await;
    bed.clock.set_ms(1_600_000_000_000);
    let db = bed.open();
    let outcome = say(&db, &log, &alice, 1).await[0];
    let AppendOutcome::Stored { id, seq: 3, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert!(id > newest);
    drop(db);
    let elsewhere = Bed {
        clock: Arc::new(ManualClock::at_ms(1_500_000_000_000)),
        ..bed
    };
    let db = elsewhere.open();
    let outcome = say(&db, &log, &alice, 1).await[0];
    let AppendOutcome::Stored {
        id: next, seq: 4, ..
    } = outcome
    else {
        panic!("{outcome:?}")
    };
    assert!(next > id);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    // What was handed over before is still stored.
    let pending = db
        .append(vec![append(&log, &alice, text("last"))])
        .await
        .unwrap();
    db.close().await;
    assert!(pending.await[0].is_ok());
    let unavailable = StoreErrorKind::Unavailable;
    let refused = db.append(vec![append(&log, &alice, text("late"))]).await;
    assert_eq!(refused.err().unwrap().kind, unavailable);
    assert_eq!(db.by_id(MessageId(1)).await.unwrap_err().kind, unavailable);
    let put = db
        .put(
            &group("g"),
            &crosstalk_core::channel::ChannelChange::default(),
        )
        .await;
    assert_eq!(put.unwrap_err().kind, unavailable);
    db.close().await;
    let again = bed.open();
    assert_eq!(all(&again, &log).await.len(), 1);
}

#[tokio::test]
async fn closing_waits_for_nobody_who_is_gone() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    for _ in 0..20 {
        drop(
            db.append(vec![append(&log, &alice, text("x"))])
                .await
                .unwrap(),
        );
    }
    db.close().await;
    assert_eq!(all(&bed.open(), &log).await.len(), 20);
}
