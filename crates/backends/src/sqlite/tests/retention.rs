//! Retention beyond its contract: crashes, damage, sizes, and what is kept besides messages.

use std::sync::Arc;

use crosstalk_core::channel::ChannelRef;
use crosstalk_core::clock::ManualClock;
use crosstalk_core::contract::{append, numbered, store, text};
use crosstalk_core::conversation::ConversationChange::SetUnread;
use crosstalk_core::conversation::Inbox;
use crosstalk_core::id::{MessageId, UserRef};
use crosstalk_core::log::{AppendOutcome, Head, Log, Retained};

use super::damage::damage_rows;
use super::{Bed, all, people, room, say, view};
use crate::sqlite::Sqlite;

const DAY_MS: i64 = 24 * 3600 * 1000;
const EVER: MessageId = MessageId(i64::MAX);

/// Steps of `limit` to the end; how many messages went with each.
async fn retain(db: &Sqlite, before: MessageId, limit: u32) -> Vec<u64> {
    let (mut steps, mut next) = (Vec::new(), Some(MessageId(0)));
    while let Some(from) = next {
        let step = db.retain(from, before, limit).await.unwrap();
        steps.push(step.dropped);
        next = step.next;
    }
    steps
}

fn count(bed: &Bed, what: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {what}");
    bed.raw().query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn an_emptied_store_gives_no_id_twice() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    say(&db, &log, &alice, 3).await;
    let newest = all(&db, &log).await[2].id;
    assert_eq!(retain(&db, EVER, 2).await, [2, 1]);
    for crash in [true, false] {
        if !crash {
            db.close().await;
        }
        // A new process, and a clock that went back by a year.
        let elsewhere = Bed {
            dir: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::at_ms(1_670_000_000_000)),
        };
        for suffix in ["", "-wal"] {
            let (from, to) = (bed.path(), elsewhere.path());
            let file = |path| super::suffixed(path, suffix);
            if file(&from).exists() {
                std::fs::copy(file(&from), file(&to)).unwrap();
            }
        }
        let copy = elsewhere.open();
        let head = Head { seq: 3, ordinal: 3 };
        assert_eq!(copy.heads(&[log.num]).await.unwrap(), [head]);
        assert_eq!(view(&copy, &bob, &log).await.unread(), 0);
        let outcome = say(&copy, &log, &alice, 1).await[0];
        let AppendOutcome::Stored { id, seq: 4, .. } = outcome else {
            panic!("{outcome:?}")
        };
        assert!(id > newest);
        assert_eq!(view(&copy, &bob, &log).await.unread(), 1);
    }
}

#[tokio::test]
async fn what_goes_takes_its_state_and_leaves_no_hole() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let one = room(&db, "one", &[&alice, &bob]).await;
    let two = room(&db, "two", &[&alice, &bob]).await;
    for log in [&one, &two, &one, &two] {
        say(&db, log, &alice, 10).await;
    }
    for log in [&one, &two] {
        for message in all(&db, log).await.iter().step_by(2) {
            db.revoke(message.id, None).await.unwrap();
        }
    }
    let keep = all(&db, &one).await[15].id;
    assert_eq!(retain(&db, keep, 7).await.iter().sum::<u64>(), 25);
    assert_eq!(count(&bed, "message"), 15);
    assert_eq!(count(&bed, "message_state"), 7);
    assert_eq!(view(&db, &bob, &one).await.unread(), 3);
    assert_eq!(view(&db, &bob, &two).await.unread(), 5);
    // The badge was set by its row before, and is now set among what is left.
    db.change(bob.num, two.num, SetUnread(4)).await.unwrap();
    assert_eq!(view(&db, &bob, &two).await.unread(), 4);
    drop(db);
    let db = bed.open();
    assert_eq!(all(&db, &one).await.len() + all(&db, &two).await.len(), 15);
    assert_eq!(view(&db, &bob, &one).await.unread(), 3);
}

#[tokio::test]
async fn own_sends_that_went_before_they_were_written_down_stay_read() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    say(&db, &log, &alice, 1).await;
    say(&db, &log, &bob, 2).await;
    say(&db, &log, &alice, 2).await;
    assert_eq!(db.stats().advances, 2);
    let keep = all(&db, &log).await[3].id;
    assert_eq!(retain(&db, keep, 100).await, [3]);
    let seen = view(&db, &bob, &log).await;
    assert_eq!((seen.read_seq, seen.unread()), (3, 2));
    drop(db);
    let db = bed.open();
    let again = view(&db, &bob, &log).await;
    assert_eq!((again.read_seq, again.unread()), (3, 2));
    assert_eq!(view(&db, &alice, &log).await.read_seq, 5);
}

#[tokio::test]
async fn a_step_ends_early_when_it_is_large() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    let large = "x".repeat(3 << 20);
    for _ in 0..7 {
        store(&*db, vec![append(&log, &alice, text(&large))]).await;
    }
    assert_eq!(retain(&db, EVER, 1000).await, [3, 3, 1]);
}

#[tokio::test]
async fn a_damaged_message_stays_and_keeps_nobody_else() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    say(&db, &log, &alice, 8).await;
    let ids: Vec<MessageId> = all(&db, &log).await.iter().map(|m| m.id).collect();
    db.close().await;
    // The row says another place than the index; as on a disk, only one of them changes.
    damage_rows(&bed, "UPDATE message SET seq = seq + 64 WHERE seq = 2");
    bed.raw()
        .execute("UPDATE message SET payload = X'ff' WHERE seq = 3", [])
        .unwrap();
    let db = bed.open();
    let before = db.stats().damaged;
    let steps = retain(&db, ids[5], 2).await;
    assert_eq!(
        steps.iter().sum::<u64>(),
        4,
        "all but the second: {steps:?}"
    );
    assert_eq!(db.stats().damaged, before + 1);
    let seqs: Vec<u64> = all(&db, &log).await.iter().map(|m| m.seq).collect();
    assert_eq!(seqs, [2, 6, 7, 8], "the index still knows where it was");
    assert_eq!(view(&db, &bob, &log).await.unread(), 3);
    let outcome = say(&db, &log, &bob, 1).await[0];
    assert!(matches!(outcome, AppendOutcome::Stored { seq: 9, .. }));
}

async fn send(db: &Sqlite, log: &Arc<ChannelRef>, alice: &UserRef, number: &str) -> bool {
    let item = append(log, alice, numbered(number, "a"));
    matches!(store(db, vec![item]).await[0], AppendOutcome::Stored { .. })
}

#[tokio::test]
async fn keys_go_with_their_messages_but_not_those_that_are_looked_at() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    for week in 0..5 {
        for n in 0..3 {
            assert!(send(&db, &log, &alice, &format!("{week}-{n}")).await);
        }
        bed.clock.advance_ms(7 * DAY_MS);
    }
    // The clock stands in the sixth week, of which nothing is known yet.
    assert!(send(&db, &log, &alice, "now").await);
    db.close().await;
    let tables = || count(&bed, "sqlite_master WHERE name GLOB 'client_key_*'");
    assert_eq!(tables(), 6);
    let db = bed.open();
    let ids: Vec<MessageId> = all(&db, &log).await.iter().map(|m| m.id).collect();
    // A week is kept for as long as one of its messages is.
    retain(&db, ids[5], 1000).await;
    assert_eq!((all(&db, &log).await.len(), tables()), (11, 5));
    retain(&db, ids[6], 1000).await;
    assert_eq!((all(&db, &log).await.len(), tables()), (10, 4));
    retain(&db, EVER, 1000).await;
    assert_eq!((all(&db, &log).await.len(), tables()), (0, 2));
    for number in ["0-1", "3-1", "4-1", "now"] {
        assert!(send(&db, &log, &alice, number).await, "{number} is free");
        assert!(!send(&db, &log, &alice, number).await, "and then used");
    }
    db.close().await;
    let db = bed.open();
    assert!(!send(&db, &log, &alice, "now").await);
}

#[tokio::test]
async fn keys_go_in_steps() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    let batch = (0..50_000).map(|n| append(&log, &alice, numbered(&n.to_string(), "")));
    store(&*db, batch.collect()).await;
    bed.clock.advance_ms(21 * DAY_MS);
    assert!(send(&db, &log, &alice, "now").await);
    db.close().await;
    let db = bed.open();
    let newest = all(&db, &log).await[50_000].id;
    let all_but_keys = Retained {
        dropped: 50_000,
        next: Some(newest),
    };
    let mut step = db.retain(MessageId(0), newest, 60_000).await.unwrap();
    assert_eq!(step, all_but_keys);
    let mut steps = 0;
    while let Some(next) = step.next {
        step = db.retain(next, newest, 1000).await.unwrap();
        assert_eq!(step.dropped, 0);
        steps += 1;
    }
    assert_eq!(steps, 3);
    assert_eq!(
        count(&bed, "sqlite_master WHERE name GLOB 'client_key_*'"),
        1
    );
}
