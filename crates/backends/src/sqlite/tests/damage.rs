//! Rows that are not what was written.

use std::fs;
use std::sync::Arc;

use crosstalk_core::contract::{append, numbered, store};
use crosstalk_core::conversation::Inbox;
use crosstalk_core::id::MessageId;
use crosstalk_core::log::{AppendOutcome, Log, RevokeOutcome};
use crosstalk_core::message::Origin;

use super::{Bed, all, people, room, say, view};

/// Changes rows without their index hearing of it, as a bad disk does.
pub(super) fn damage_rows(bed: &Bed, sql: &str) {
    const INDEX: &str = "FROM sqlite_master WHERE name = 'message_place'";
    let schema = || {
        let raw = bed.raw();
        raw.execute_batch("PRAGMA writable_schema = ON").unwrap();
        raw
    };
    let raw = schema();
    let columns = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
    let index = raw.query_row(&format!("SELECT rootpage, sql {INDEX}"), [], columns);
    let index = index.unwrap();
    assert_eq!(raw.execute(&format!("DELETE {INDEX}"), []).unwrap(), 1);
    drop(raw);
    assert_eq!(bed.raw().execute(sql, []).unwrap(), 1);
    let put = "INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) \
               VALUES ('index', 'message_place', 'message', ?1, ?2)";
    schema().execute(put, index).unwrap();
}

#[tokio::test]
async fn a_damaged_message_keeps_its_place_without_content() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    say(&db, &log, &alice, 5).await;
    let sound = all(&db, &log).await;
    db.close().await;
    let raw = bed.raw();
    let damages = [
        "UPDATE message SET payload = X'ff' WHERE seq = 1",
        "UPDATE message SET sent_at = sent_at + 1 WHERE seq = 2",
        "UPDATE message SET client_no = '1' WHERE seq = 3",
        // A sender that nobody knows: not even a tombstone can be made of it.
        "UPDATE message SET sender = 999 WHERE seq = 4",
    ];
    for damage in damages {
        assert_eq!(raw.execute(damage, []).unwrap(), 1);
    }
    drop(raw);
    let db = bed.open();
    let found = all(&db, &log).await;
    assert_eq!(
        found.iter().map(|m| m.seq).collect::<Vec<_>>(),
        [1, 2, 3, 5]
    );
    for (found, sound) in found[..3].iter().zip(&sound) {
        assert_eq!((found.id, &found.sender), (sound.id, &sound.sender));
        assert!(found.body.payload.is_empty() && found.body.client_no.is_empty());
        assert_eq!(found.body.origin, Origin::REST);
        assert_eq!(db.by_id(found.id).await.unwrap().as_ref(), Some(found));
    }
    assert_eq!(found[3], sound[4]);
    assert_eq!(db.by_id(sound[3].id).await.unwrap(), None);
    assert_eq!(db.stats().damaged, 8);
    // The log goes on behind it.
    let outcome = say(&db, &log, &alice, 1).await[0];
    assert!(matches!(outcome, AppendOutcome::Stored { seq: 6, .. }));
}

#[tokio::test]
async fn a_damaged_message_keeps_nobody_from_starting() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    let item = |number| append(&log, &alice, numbered(number, "a"));
    store(&*db, vec![item("1"), item("2")]).await;
    drop(db);
    let damage = "UPDATE message SET tag = CAST(X'ff' AS TEXT) WHERE seq = 1";
    bed.raw().execute(damage, []).unwrap();
    let db = bed.open();
    assert_eq!(all(&db, &log).await.len(), 2);
    let again = store(&*db, vec![item("2"), item("1")]).await;
    assert!(matches!(again[0], AppendOutcome::Duplicate { seq: 2, .. }));
    assert!(matches!(again[1], AppendOutcome::Stored { seq: 3, .. }));
}

#[tokio::test]
async fn a_retry_of_a_message_that_lost_its_number_is_stored_again() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    let item = || vec![append(&log, &alice, numbered("1", "a"))];
    store(&*db, item()).await;
    db.close().await;
    bed.raw()
        .execute("UPDATE message SET client_no = 'x'", [])
        .unwrap();
    let db = bed.open();
    let outcome = store(&*db, item()).await[0];
    assert!(matches!(outcome, AppendOutcome::Stored { seq: 2, .. }));
}

#[tokio::test]
async fn a_damaged_message_is_not_revoked_and_stays_damaged() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    say(&db, &log, &alice, 4).await;
    let ids: Vec<_> = all(&db, &log).await.iter().map(|m| m.id).collect();
    db.close().await;
    let damages = [
        "UPDATE message SET payload = X'ff' WHERE seq = 1",
        "UPDATE message SET tag = CAST(X'ff' AS TEXT) WHERE seq = 2",
    ];
    for damage in damages {
        damage_rows(&bed, damage);
    }
    // Another channel than the index says. A page takes it from there and shows what was
    // written; the row alone is not to be trusted.
    damage_rows(
        &bed,
        "UPDATE message SET channel = channel + 1 WHERE seq = 3",
    );
    let db = bed.open();
    for (id, met) in ids[..3].iter().zip(1..) {
        let outcome = db.revoke(*id, None).await.unwrap();
        assert_eq!(outcome, RevokeOutcome::NoMessage);
        assert_eq!(db.stats().damaged, met);
    }
    let outcome = db.revoke(ids[3], None).await.unwrap();
    assert!(matches!(outcome, RevokeOutcome::Revoked(_)), "{outcome:?}");
    let found = all(&db, &log).await;
    assert_eq!(found.len(), 4);
    let empty = found.iter().map(|m| m.body.payload.is_empty());
    assert!(empty.eq([true, true, false, true]));
    assert!(found[..3].iter().all(|m| m.revoked.is_none()));
    assert!(found[3].revoked.is_some());
    assert_eq!(view(&db, &bob, &log).await.unread(), 3);
}

#[tokio::test]
async fn a_tombstone_without_its_state_is_one_all_the_same() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    say(&db, &log, &alice, 3).await;
    for message in all(&db, &log).await {
        db.revoke(message.id, Some(&bob)).await.unwrap();
    }
    db.close().await;
    let raw = bed.raw();
    let damages = [
        "DELETE FROM message_state WHERE seq = 1",
        "UPDATE message_state SET revoked_by = 999 WHERE seq = 2",
        // It looks like a message that says nothing, but for its sum.
        "UPDATE message SET flags = flags & 15 WHERE seq = 3",
    ];
    for damage in damages {
        assert_eq!(raw.execute(damage, []).unwrap(), 1);
    }
    drop(raw);
    let db = bed.open();
    let found = all(&db, &log).await;
    let by = |at: usize| {
        found[at]
            .revoked
            .as_ref()
            .map(|r| (r.by.clone(), r.at_ms > 0))
    };
    assert_eq!(by(0), Some((None, false)));
    assert_eq!(by(1), Some((None, true)));
    assert_eq!(by(2), None);
    assert_eq!(found[2].body.origin, Origin::REST);
    assert_eq!(db.stats().damaged, 2);
    assert!(found.iter().all(|m| m.body.payload.is_empty()));
    let again = db.revoke(found[0].id, None).await.unwrap();
    assert!(matches!(again, RevokeOutcome::Before(_)), "{again:?}");
    assert!(matches!(
        say(&db, &log, &alice, 1).await[0],
        AppendOutcome::Stored { seq: 4, .. }
    ));
}

/// Where the row of the message at a place stands in the file, without its id.
fn record_of(bed: &Bed, at: usize) -> std::ops::Range<usize> {
    let sql = "SELECT rootpage FROM sqlite_master WHERE name = 'message'";
    let page: i64 = bed.raw().query_row(sql, [], |row| row.get(0)).unwrap();
    let start = usize::try_from(page - 1).unwrap() * 4096;
    let bytes = fs::read(bed.path()).unwrap();
    assert_eq!(bytes[start], 13, "all rows fit one leaf");
    let pointer = start + 8 + 2 * at;
    let cell = start + usize::from(u16::from_be_bytes([bytes[pointer], bytes[pointer + 1]]));
    // The row's size in one byte, its id in nine.
    cell + 10..cell + 10 + usize::from(bytes[cell])
}

#[tokio::test]
async fn a_byte_that_flipped_harms_no_other_message() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    let item = |n: u64| append(&log, &alice, numbered(&n.to_string(), "said"));
    store(&*db, (1..6).map(item).collect()).await;
    let sound = all(&db, &log).await;
    // As after a crash: the next start reads all of it.
    drop(db);
    let moved = bed
        .raw()
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    moved.unwrap();
    let bytes = fs::read(bed.path()).unwrap();
    for newest in [false, true] {
        let damaged = if newest { 4 } else { 2 };
        let mut unharmed = 0;
        for (turn, at) in record_of(&bed, damaged).enumerate() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (turn % 8);
            fs::write(bed.path(), &flipped).unwrap();
            let db = bed.open();
            let found = all(&db, &log).await;
            for (n, message) in sound.iter().enumerate() {
                let shown = found.iter().find(|m| m.seq == message.seq);
                if n != damaged {
                    assert_eq!(shown, Some(message), "{turn}");
                    let by_id = db.by_id(message.id).await.unwrap();
                    assert_eq!(by_id.as_ref(), Some(message), "{turn}");
                } else if let Some(shown) = shown.filter(|shown| *shown != message) {
                    assert!(shown.body.payload.is_empty(), "{turn}: {shown:?}");
                }
            }
            let wanted = [(Arc::clone(&log), 1)];
            // Two lengths of nothing at the row's end may be written as one.
            let is_harmless = found == sound;
            assert_eq!(db.newest(&wanted, 9).await.unwrap(), [found], "{turn}");
            db.by_id(sound[damaged].id).await.unwrap();
            let is_noticed = db.stats().damaged > 0;
            assert!(is_harmless || is_noticed, "{turn}");
            unharmed += usize::from(!is_noticed);
            assert_eq!(db.conversations(bob.num).await.unwrap().len(), 1);
            assert_eq!(
                db.conversation(bob.num, log.num)
                    .await
                    .unwrap()
                    .iter()
                    .count(),
                1
            );
            // It may still be sound enough to be found where the index has it.
            db.revoke(sound[damaged].id, None).await.unwrap();
            let other = db.revoke(sound[0].id, None).await.unwrap();
            assert!(matches!(other, RevokeOutcome::Revoked(_)), "{turn}");
            let (mut dropped, mut next) = (0, Some(MessageId(0)));
            while let Some(from) = next {
                let step = db.retain(from, MessageId(i64::MAX), 2).await.unwrap();
                (dropped, next) = (dropped + step.dropped, step.next);
            }
            assert!(dropped >= 4, "{turn}: {dropped}");
            drop(db);
            fs::remove_file(bed.wal()).unwrap();
        }
        assert!(unharmed <= 1, "{unharmed}");
    }
}
