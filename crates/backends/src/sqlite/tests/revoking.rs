//! Revoking: that it is durable, complete, and known for what it is after a crash.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use crosstalk_core::channel::{ChannelRef, Channels, LogKind};
use crosstalk_core::contract::{append, group, numbered, store, text};
use crosstalk_core::id::{MessageId, UserRef};
use crosstalk_core::log::{Append, AppendOutcome, Log, RevokeOutcome};
use crosstalk_core::message::Body;
use crosstalk_core::store::StoreErrorKind;

use super::commits::Gate;
use super::{Bed, all, people, room, say, view};
use crate::sqlite::{Sqlite, SqliteOptions};

async fn revoke(db: &Sqlite, id: MessageId) -> RevokeOutcome {
    db.revoke(id, None).await.unwrap()
}

fn is_revoked(outcome: &RevokeOutcome) -> bool {
    matches!(outcome, RevokeOutcome::Revoked(_))
}

fn id(outcome: AppendOutcome) -> MessageId {
    let AppendOutcome::Stored { id, .. } = outcome else {
        panic!("{outcome:?}")
    };
    id
}

#[tokio::test]
async fn what_was_said_is_in_no_file_afterwards() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    let secret = "nobody is to read this";
    let body = |payload: String| Body {
        extra: Some(Bytes::from(payload.clone())),
        ..numbered("n", &payload)
    };
    // One beside others on its page, and one that is longer than many pages.
    let long = secret.repeat(5000);
    let bodies = [
        text("before"),
        body(secret.to_owned()),
        body(long),
        text("after"),
    ];
    let batch = bodies.map(|body| append(&log, &alice, body)).into();
    let outcomes = store(&*db, batch).await;
    let has = |bytes: Vec<u8>| {
        let needle = secret.as_bytes();
        bytes.windows(needle.len()).any(|window| window == needle)
    };
    assert!(has(fs::read(bed.wal()).unwrap()));
    for outcome in &outcomes[1..3] {
        assert!(is_revoked(&revoke(&db, id(*outcome)).await));
    }
    db.close().await;
    assert!(!has(fs::read(bed.path()).unwrap()));
    assert_eq!(fs::metadata(bed.wal()).map_or(0, |wal| wal.len()), 0);
    let raw = bed.raw();
    let check: String = raw
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
}

#[tokio::test]
async fn a_tombstone_survives_a_crash() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    say(&db, &log, &alice, 3).await;
    let second = all(&db, &log).await[1].id;
    let outcome = db.revoke(second, Some(&bob)).await.unwrap();
    let RevokeOutcome::Revoked(revocation) = outcome else {
        panic!("{outcome:?}")
    };
    let messages = all(&db, &log).await;
    assert_eq!(messages[1].revoked.as_deref(), Some(&revocation));
    drop(db);
    for crash in [true, false] {
        let db = bed.open();
        assert_eq!(all(&db, &log).await, messages);
        assert_eq!(view(&db, &bob, &log).await.unread(), 2);
        assert_eq!(view(&db, &alice, &log).await.unread(), 0);
        let again = db.revoke(second, Some(&alice)).await.unwrap();
        assert_eq!(again, RevokeOutcome::Before(revocation.clone()));
        if !crash {
            db.close().await;
        }
    }
}

/// Retries of "1" (revoked) and "2" (not).
async fn retry_both(db: &Sqlite, log: &Arc<ChannelRef>, alice: &UserRef) -> Vec<u64> {
    let item = |number: &str| append(log, alice, numbered(number, number));
    let outcomes = store(db, vec![item("1"), item("2")]).await;
    let seq = |outcome: &AppendOutcome| match outcome {
        AppendOutcome::Duplicate { seq, .. } => *seq,
        other => panic!("{other:?}"),
    };
    outcomes.iter().map(seq).collect()
}

#[tokio::test]
async fn a_retry_is_known_although_its_content_is_gone() {
    const DAY_MS: i64 = 24 * 3600 * 1000;
    // Whether its key was written down before it was revoked, and after.
    for (before, after, crash) in [
        (false, false, true),
        (false, true, true),
        (true, false, true),
        (false, false, false),
        (true, true, false),
    ] {
        let bed = Bed::new();
        let db = bed.open();
        let (alice, _) = people(&db).await;
        let log = room(&db, "g", &[&alice]).await;
        let item = |number: &str| append(&log, &alice, numbered(number, number));
        let outcomes = store(&*db, vec![item("1"), item("2")]).await;
        let flush = async |is_wanted: bool| {
            if is_wanted {
                bed.clock.advance_ms(60_000);
                store(&*db, vec![append(&log, &alice, text("flush"))]).await;
                assert_eq!(db.stats().keys, 0);
            }
        };
        flush(before).await;
        assert!(is_revoked(&revoke(&db, id(outcomes[0])).await));
        flush(after).await;
        assert_eq!(retry_both(&db, &log, &alice).await, [1, 2]);
        if !crash {
            db.close().await;
        }
        drop(db);
        let db = bed.open();
        let replayed = u64::from(crash && !(before || after));
        assert_eq!(db.stats().keys, replayed, "only what kept its content");
        assert_eq!(retry_both(&db, &log, &alice).await, [1, 2]);
        drop(db);
        bed.clock.advance_ms(6 * DAY_MS);
        let db = bed.open();
        assert_eq!(retry_both(&db, &log, &alice).await, [1, 2]);
        db.close().await;
        let db = bed.open();
        assert_eq!(retry_both(&db, &log, &alice).await, [1, 2]);
    }
}

#[tokio::test]
async fn a_key_that_a_pass_is_writing_is_written_once() {
    let bed = Bed::new();
    let options = SqliteOptions {
        flush_rows: 1,
        ..bed.options()
    };
    let db = Arc::new(Sqlite::open(options).unwrap());
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    let items = || -> Vec<Append> {
        let item = |n: u64| append(&log, &alice, numbered(&n.to_string(), "x"));
        (0..3000).map(item).collect()
    };
    let outcomes = store(&*db, items()).await;
    // Passes are under way all the time: some keys are behind them, some before.
    for at in [0, 2999, 1500, 7, 2000] {
        assert!(is_revoked(&revoke(&db, id(outcomes[at])).await));
    }
    drop(db);
    let db = bed.open();
    for outcome in store(&*db, items()).await {
        assert!(matches!(outcome, AppendOutcome::Duplicate { .. }));
    }
}

#[tokio::test]
async fn nobody_hears_of_it_before_it_is_durable() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    say(&db, &log, &alice, 2).await;
    let before = all(&db, &log).await;
    // The shared commit, and the one alone.
    db.shared.failing_commits.store(2, Ordering::SeqCst);
    let failed = db.revoke(before[0].id, None).await;
    assert_eq!(failed.unwrap_err().kind, StoreErrorKind::Unavailable);
    assert_eq!(all(&db, &log).await, before);
    assert_eq!(view(&db, &bob, &log).await.unread(), 2);
    let gate = Gate::shut(&db).await;
    let waiting = {
        let (db, id) = (Arc::clone(&db), before[0].id);
        tokio::spawn(async move { revoke(&db, id).await })
    };
    while db.stats().queue_len == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    assert_eq!(all(&db, &log).await, before);
    gate.open().await;
    assert!(is_revoked(&waiting.await.unwrap()));
    assert_eq!(view(&db, &bob, &log).await.unread(), 1);
}

#[tokio::test]
async fn each_change_in_a_channel_has_a_higher_version() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    say(&db, &log, &alice, 5).await;
    let messages = all(&db, &log).await;
    for (turn, at) in [3, 0, 4, 1, 2].into_iter().enumerate() {
        if turn == 3 {
            bed.clock.advance_ms(-5000);
        }
        assert!(is_revoked(&revoke(&db, messages[at].id).await));
        revoke(&db, messages[3].id).await;
    }
    let raw = bed.raw();
    let sql = "SELECT seq FROM message_state WHERE channel = ?1 ORDER BY version";
    let mut rows = raw.prepare(sql).unwrap();
    let seqs = rows.query_map([log.num.0], |row| row.get::<_, i64>(0));
    let seqs: Vec<i64> = seqs.unwrap().map(Result::unwrap).collect();
    assert_eq!(seqs, [4, 1, 5, 2, 3]);
    let sql = "SELECT count(DISTINCT version) FROM message_state";
    let versions: i64 = raw.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(versions, 5);
}

#[tokio::test]
async fn only_what_counted_is_taken_off() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    let command = db.open(&group("g"), LogKind::Command, true).await;
    let command = command.unwrap().unwrap();
    let silent = Body {
        flags: Default::default(),
        ..text("silent")
    };
    let batch = vec![
        append(&log, &alice, text("counts")),
        append(&log, &alice, silent),
        append(&command, &alice, text("an event")),
    ];
    for outcome in store(&*db, batch).await {
        assert!(is_revoked(&revoke(&db, id(outcome)).await));
    }
    let raw = bed.raw();
    let sql = "SELECT uncounted FROM message_state ORDER BY id";
    let mut rows = raw.prepare(sql).unwrap();
    let uncounted = rows.query_map([], |row| row.get::<_, i64>(0)).unwrap();
    let uncounted: Vec<i64> = uncounted.map(Result::unwrap).collect();
    assert_eq!(uncounted, [1, 0, 0]);
}
