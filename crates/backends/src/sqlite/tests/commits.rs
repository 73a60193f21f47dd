//! Shared transactions: that they are shared, and what a failure in one costs the others.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use crosstalk_core::channel::ChannelRef;
use crosstalk_core::contract::{append, numbered, store, text, user};
use crosstalk_core::id::UserRef;
use crosstalk_core::log::{AppendOutcome, Log, PendingAppend};
use crosstalk_core::store::{StoreErrorKind, StoreResult};

use super::{Bed, all, people, room, say, view};
use crate::sqlite::error::DbError;
use crate::sqlite::{Sqlite, SqliteOptions};

/// Holds the writer up, so that what is queued meanwhile shares the next transaction.
pub(super) struct Gate {
    open: mpsc::SyncSender<()>,
    passed: tokio::task::JoinHandle<StoreResult<()>>,
}

impl Gate {
    pub(super) async fn shut(db: &Arc<Sqlite>) -> Self {
        let (open, wait) = mpsc::sync_channel::<()>(1);
        let (arrived, writer_waits) = tokio::sync::oneshot::channel();
        let mut arrived = Some(arrived);
        let db = Arc::clone(db);
        let passed = tokio::spawn(async move {
            let write = move |_: &crate::sqlite::work::Tx<'_>| {
                if let Some(arrived) = arrived.take() {
                    arrived.send(()).unwrap();
                }
                // Open for good once the sender is gone.
                let _ = wait.recv();
                Ok(())
            };
            db.write(write).await
        });
        writer_waits.await.unwrap();
        Self { open, passed }
    }

    pub(super) async fn open(self) {
        drop(self.open);
        self.passed.await.unwrap().unwrap();
    }
}

async fn hand_over(
    db: &Sqlite,
    log: &Arc<ChannelRef>,
    user: &UserRef,
    texts: &[&str],
) -> PendingAppend {
    let batch = texts
        .iter()
        .map(|payload| append(log, user, text(payload)))
        .collect();
    db.append(batch).await.unwrap()
}

fn kinds(outcomes: &[StoreResult<AppendOutcome>]) -> Vec<Option<StoreErrorKind>> {
    outcomes
        .iter()
        .map(|outcome| outcome.as_ref().err().map(|error| error.kind))
        .collect()
}

/// Makes inserts of one payload fail in the way told.
async fn forbid(db: &Sqlite, payload: &str, how: &str) {
    let sql = format!(
        "CREATE TEMP TRIGGER forbid BEFORE INSERT ON message
         WHEN NEW.payload = CAST('{payload}' AS BLOB)
         BEGIN SELECT RAISE({how}, 'forbidden'); END"
    );
    db.write(move |tx| Ok(tx.conn.execute_batch(&sql)?))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_waits_shares_a_commit() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    let gate = Gate::shut(&db).await;
    let mut pending = Vec::new();
    for _ in 0..100 {
        pending.push(hand_over(&db, &log, &alice, &["x"]).await);
    }
    assert!(db.stats().queue_len > 0);
    let before = db.stats().commits;
    gate.open().await;
    for pending in pending {
        assert!(pending.await[0].is_ok());
    }
    let stats = db.stats();
    assert_eq!((stats.commits - before, stats.appended), (2, 100));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_are_fewer_than_appends_under_load() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    let before = db.stats().commits;
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (db, log, alice) = (Arc::clone(&db), Arc::clone(&log), alice.clone());
            tokio::spawn(async move {
                for _ in 0..20 {
                    say(&db, &log, &alice, 1).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let commits = db.stats().commits - before;
    assert!(commits < 320, "{commits} commits for 640 batches");
    assert_eq!(all(&db, &log).await.len(), 640);
}

#[tokio::test]
async fn a_message_that_cannot_be_stored_harms_no_other() {
    for how in ["ABORT", "ROLLBACK", "FAIL"] {
        let bed = Bed::new();
        let db = bed.open();
        let (alice, bob) = people(&db).await;
        let log = room(&db, "g", &[&alice, &bob]).await;
        say(&db, &log, &alice, 1).await;
        forbid(&db, "bad", how).await;
        let gate = Gate::shut(&db).await;
        let first = hand_over(&db, &log, &alice, &["a", "b"]).await;
        let second = hand_over(&db, &log, &bob, &["c", "bad", "d"]).await;
        let third = hand_over(&db, &log, &alice, &["e"]).await;
        gate.open().await;
        assert_eq!(kinds(&first.await), [None, None], "{how}");
        assert_eq!(
            kinds(&second.await),
            [None, Some(StoreErrorKind::Corrupt), None],
            "{how}"
        );
        let third = third.await;
        let seq = third[0].as_ref().unwrap();
        assert!(
            matches!(
                seq,
                AppendOutcome::Stored {
                    seq: 6,
                    ordinal: 6,
                    ..
                }
            ),
            "{how}"
        );
        let texts: Vec<_> = all(&db, &log)
            .await
            .iter()
            .map(|m| m.body.payload.clone())
            .collect();
        assert_eq!(texts, ["0", "a", "b", "c", "d", "e"], "{how}");
        assert_eq!(view(&db, &bob, &log).await.unread(), 1, "{how}");
        assert_eq!(view(&db, &alice, &log).await.unread(), 0, "{how}");
        let stats = db.stats();
        assert_eq!(
            (stats.retried, stats.failed, stats.appended),
            (1, 1, 6),
            "{how}"
        );
    }
}

#[tokio::test]
async fn a_write_that_fails_harms_no_other() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    let gate = Gate::shut(&db).await;
    let before = hand_over(&db, &log, &alice, &["a"]).await;
    let failing = {
        let (db, num) = (Arc::clone(&db), alice.num.0);
        let write = move |tx: &crate::sqlite::work::Tx<'_>| -> Result<(), DbError> {
            tx.conn
                .execute("UPDATE user SET flags = 31 WHERE num = ?1", [num])?;
            Err(DbError::Corrupt("as told".to_owned()))
        };
        tokio::spawn(async move { db.write(write).await })
    };
    tokio::task::yield_now().await;
    let after = hand_over(&db, &log, &alice, &["b"]).await;
    gate.open().await;
    assert_eq!(
        failing.await.unwrap().unwrap_err().kind,
        StoreErrorKind::Corrupt
    );
    assert_eq!(kinds(&before.await), [None]);
    assert_eq!(kinds(&after.await), [None]);
    assert_eq!(db.stats().retried, 0, "the savepoint was enough");
    let flags: i64 = bed
        .raw()
        .query_row("SELECT max(flags) FROM user", [], |r| r.get(0))
        .unwrap();
    assert_eq!(flags, 0, "what it did before it failed is undone");
}

#[tokio::test]
async fn a_write_that_ends_the_transaction_harms_no_other() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    let gate = Gate::shut(&db).await;
    let before = hand_over(&db, &log, &alice, &["a"]).await;
    let failing = {
        let db = Arc::clone(&db);
        let write = |tx: &crate::sqlite::work::Tx<'_>| -> Result<(), DbError> {
            tx.conn.execute_batch("ROLLBACK")?;
            Err(DbError::Corrupt("as told".to_owned()))
        };
        tokio::spawn(async move { db.write(write).await })
    };
    tokio::task::yield_now().await;
    let after = hand_over(&db, &log, &alice, &["b"]).await;
    gate.open().await;
    let error = failing.await.unwrap().unwrap_err();
    assert_eq!(
        (error.kind, error.to_string().contains("as told")),
        (StoreErrorKind::Corrupt, true)
    );
    assert_eq!(
        (kinds(&before.await), kinds(&after.await)),
        (vec![None], vec![None])
    );
    assert_eq!(all(&db, &log).await.len(), 2);
}

#[tokio::test]
async fn a_failed_commit_is_never_answered_as_stored() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    say(&db, &log, &alice, 1).await;
    // The shared commit, then those of "a" and "b" alone.
    let gate = Gate::shut(&db).await;
    let first = hand_over(&db, &log, &alice, &["a", "b"]).await;
    let second = hand_over(&db, &log, &bob, &["c"]).await;
    db.shared.failing_commits.store(4, Ordering::SeqCst);
    drop(gate.open);
    // The gate's own transaction fails first, and is repeated.
    assert!(gate.passed.await.unwrap().is_err());
    let unavailable = Some(StoreErrorKind::Unavailable);
    assert_eq!(kinds(&first.await), [unavailable, None]);
    assert_eq!(kinds(&second.await), [None]);
    let found = all(&db, &log).await;
    let texts: Vec<_> = found
        .iter()
        .map(|m| (m.seq, m.body.payload.clone()))
        .collect();
    assert_eq!(texts, [(1, "0".into()), (2, "b".into()), (3, "c".into())]);
    assert_eq!(view(&db, &alice, &log).await.unread(), 1);
    assert_eq!(view(&db, &bob, &log).await.unread(), 0);
    // A send that failed has read nothing, and its number is free.
    let item = || vec![append(&log, &alice, numbered("1", "x"))];
    db.shared.failing_commits.store(2, Ordering::SeqCst);
    let failed = db.append(item()).await.unwrap().await;
    assert_eq!(kinds(&failed), [unavailable]);
    assert_eq!(view(&db, &alice, &log).await.unread(), 1);
    assert_eq!((db.stats().keys, db.stats().advances), (0, 2));
    assert!(matches!(
        store(&*db, item()).await[0],
        AppendOutcome::Stored { seq: 4, .. }
    ));
}

#[tokio::test]
async fn a_full_disk_is_unavailable_until_there_is_room() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    say(&db, &log, &alice, 1).await;
    let limit = |pages: &'static str| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        db.write(move |tx| Ok(tx.conn.query_row(&sql, [], |row| row.get::<_, i64>(0))?))
    };
    limit("1").await.unwrap();
    let large = "x".repeat(100_000);
    let outcomes = hand_over(&db, &log, &alice, &[&*large; 9]).await.await;
    assert_eq!(kinds(&outcomes), [Some(StoreErrorKind::Unavailable); 9]);
    let why = outcomes[8].as_ref().unwrap_err().to_string();
    assert!(why.contains("full"), "{why}");
    assert_eq!(all(&db, &log).await.len(), 1);
    assert_eq!(view(&db, &bob, &log).await.head_seq, 1);
    limit("1000000").await.unwrap();
    let outcome = hand_over(&db, &log, &alice, &[&*large])
        .await
        .await
        .remove(0)
        .unwrap();
    assert!(matches!(outcome, AppendOutcome::Stored { seq: 2, .. }));
    assert_eq!(view(&db, &bob, &log).await.unread(), 2);
}

#[tokio::test]
async fn the_write_ahead_log_is_moved_when_it_is_large() {
    let bed = Bed::new();
    let options = SqliteOptions {
        wal_limit_bytes: 1 << 20,
        ..bed.options()
    };
    let db = Arc::new(Sqlite::open(options).unwrap());
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    let large = "x".repeat(50_000);
    let mut largest = 0;
    for _ in 0..100 {
        hand_over(&db, &log, &alice, &[&*large; 4]).await.await;
        largest = largest.max(db.stats().wal_bytes);
    }
    let stats = db.stats();
    assert!(stats.checkpoints >= 10, "{stats:?}");
    assert!(largest < 2 << 20, "{largest}");
    // A snapshot that somebody holds postpones it, and no more than that.
    let other = bed.raw();
    other
        .execute_batch("BEGIN; SELECT count(*) FROM message")
        .unwrap();
    for _ in 0..20 {
        hand_over(&db, &log, &alice, &[&*large; 4]).await.await;
    }
    assert!(db.stats().checkpoints_cut > 0 && db.stats().wal_bytes > 1 << 20);
    other.execute_batch("COMMIT").unwrap();
    for _ in 0..20 {
        hand_over(&db, &log, &alice, &[&*large; 4]).await.await;
    }
    assert!(db.stats().checkpoints > stats.checkpoints);
    assert!(db.stats().wal_bytes < 2 << 20);
}

#[tokio::test]
async fn a_batch_of_everybody_is_merged_in_order() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let carol = user(&*db, "carol").await;
    let log = room(&db, "g", &[&alice, &bob, &carol]).await;
    let gate = Gate::shut(&db).await;
    let mut pending = Vec::new();
    for (n, user) in [&alice, &bob, &alice, &carol].into_iter().enumerate() {
        let texts: Vec<String> = (0..3).map(|m| format!("{n}{m}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        pending.push(hand_over(&db, &log, user, &texts).await);
    }
    gate.open().await;
    for pending in pending {
        pending.await;
    }
    let texts: Vec<_> = all(&db, &log)
        .await
        .iter()
        .map(|m| m.body.payload.clone())
        .collect();
    let expected = [
        "00", "01", "02", "10", "11", "12", "20", "21", "22", "30", "31", "32",
    ];
    assert_eq!(texts, expected);
    let unread = [&alice, &bob, &carol].map(|user| view(&db, user, &log));
    let unread = futures_util::future::join_all(unread).await;
    assert_eq!(
        unread.iter().map(|view| view.unread()).collect::<Vec<_>>(),
        [3, 6, 0]
    );
}

#[tokio::test]
async fn a_failed_commit_takes_nothing_from_what_waits() {
    let bed = Bed::new();
    let options = SqliteOptions {
        flush_rows: 1,
        ..bed.options()
    };
    let db = Arc::new(Sqlite::open(options).unwrap());
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    let item = |user: &UserRef, number: &str| vec![append(&log, user, numbered(number, "x"))];
    store(&*db, item(&alice, "1")).await;
    for n in 2..6 {
        // The next one begins to write down what the last one left, and fails once.
        db.shared.failing_commits.store(1, Ordering::SeqCst);
        store(&*db, item(&bob, &n.to_string())).await;
    }
    assert_eq!(db.stats().retried, 4);
    let seen = (
        view(&db, &alice, &log).await.read_seq,
        view(&db, &bob, &log).await.read_seq,
    );
    assert_eq!(seen, (1, 5));
    db.close().await;
    let raw = bed.raw();
    let mut rows = raw
        .prepare("SELECT read_seq FROM conversation ORDER BY user")
        .unwrap();
    let rows: Vec<i64> = rows
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows, [1, 5]);
    let db = bed.open();
    assert_eq!((db.stats().advances, db.stats().keys), (0, 0));
    for (user, number) in [(&alice, "1"), (&bob, "2"), (&bob, "5")] {
        let outcome = store(&*db, item(user, number)).await[0];
        assert!(
            matches!(outcome, AppendOutcome::Duplicate { .. }),
            "{number}"
        );
    }
}
