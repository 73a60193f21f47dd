//! Which files are opened and which are refused, untouched.

use std::fs;

use crosstalk_core::contract::{append, numbered, store, user};
use crosstalk_core::delivered::{DeviceKey, Devices, Stretch};
use crosstalk_core::directory::{Aliases, Directory};
use crosstalk_core::id::{MessageId, Realm, Uid, UserNum};
use crosstalk_core::log::{AppendOutcome, Log, RevokeOutcome};
use crosstalk_core::message::{Body, Naming, Origin, Revocation};
use crosstalk_core::receipt::Receipts;
use crosstalk_core::store::{StoreErrorKind, StoreResult};
use rusqlite::Connection;

use super::{Bed, all, people, room, view};
use crate::sqlite::Sqlite;
use crate::sqlite::rows::{MESSAGE_COLUMNS, MessageRow, REVOKED};

fn refused(opened: StoreResult<Sqlite>) -> (StoreErrorKind, String) {
    let error = opened.expect_err("refused");
    (error.kind, error.to_string())
}

/// The file's bytes do not change by being refused.
fn refused_untouched(bed: &Bed) -> (StoreErrorKind, String) {
    let before = fs::read(bed.path()).unwrap();
    let why = refused(Sqlite::open(bed.options()));
    assert_eq!(fs::read(bed.path()).unwrap(), before);
    assert_eq!(fs::metadata(bed.wal()).map_or(0, |log| log.len()), 0);
    why
}

/// A conversation as the first version of the schema has it.
const FIRST_VERSION: &str = "
    INSERT INTO user VALUES (1, 'default', 'alice', 1, 0, NULL, 1);
    INSERT INTO user VALUES (2, 'default', 'bob', 1, 0, NULL, 1);
    INSERT INTO channel (num, realm, kind, id, log, flags, settings, member_count, first_seq)
        VALUES (1, 'default', 2, 'g', 0, 0, '{}', 2, 1);
    INSERT INTO member VALUES (1, 1, 1, 0, 0, 0, 0, 1);
    INSERT INTO member VALUES (1, 2, 1, 0, 0, 0, 0, 1);
    INSERT INTO conversation VALUES (2, 1, 1, 1, 1, 0, 0, 0, 0, 1);
";

/// Inserts a message as the versions wrote it that knew no names: without the columns that
/// came later.
fn insert_as_before_names(raw: &Connection, seq: i64, body: &Body, flags: i64) {
    let (place, sent_at) = ((seq, 1, seq, seq), 1_700_000_000_000);
    let mut row = MessageRow::new(place, UserNum(1), sent_at, body, Naming::default());
    row.flags |= flags;
    let columns = MESSAGE_COLUMNS.replace(", name, audience, carried", "");
    let sql = format!(
        "INSERT INTO message ({columns}) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, '', ?7, ?8, NULL, ?9, ?10, NULL, ?11)"
    );
    let values = rusqlite::params![
        row.id,
        row.channel,
        row.seq,
        row.ordinal,
        row.sender,
        row.origin,
        row.flags,
        row.sent_at,
        row.client_no,
        row.payload,
        row.crc()
    ];
    raw.execute(&sql, values).unwrap();
}

/// What the third version had beside [`FIRST_VERSION`]: a revoked message, and a device that
/// was given the first one.
const THIRD_VERSION: &str = "
    INSERT INTO message_state VALUES (2, 1, 2, 1700000000500, 1, 1, 1700000000400);
    INSERT INTO device VALUES (1, 2, 3, 'phone');
    INSERT INTO device_range VALUES (1, 1, 1);
";

#[tokio::test]
async fn what_a_file_of_the_third_version_says_of_messages_stays_so() {
    let bed = Bed::new();
    let mut raw = bed.raw();
    crate::sqlite::migrate::migrate_to(&mut raw, 3);
    raw.execute_batch(FIRST_VERSION).unwrap();
    raw.execute_batch(THIRD_VERSION).unwrap();
    let mut asking = numbered("3", "x");
    asking.flags.receipt = true;
    insert_as_before_names(&raw, 1, &numbered("1", "x"), 0);
    insert_as_before_names(&raw, 2, &numbered("2", "x").erased(), REVOKED);
    insert_as_before_names(&raw, 3, &asking, 0);
    drop(raw);

    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    let found = all(&db, &log).await;
    let revocation = Revocation {
        by: Some(alice.clone()),
        at_ms: 1_700_000_000_400,
        ..Revocation::default()
    };
    let revoked: Vec<_> = found.iter().map(|m| m.revoked.as_deref()).collect();
    assert_eq!(revoked, [None, Some(&revocation), None]);
    assert!(found[1].body.payload.is_empty() && found[0].body.payload == "x");
    // Bob has read the first; of the others one counts no more.
    assert_eq!(view(&db, &bob, &log).await.unread(), 1);
    let states = db.changed_since(log.num, 0, 10).await.unwrap();
    let states: Vec<_> = states
        .iter()
        .map(|state| (state.seq, state.version, state.asked, state.read_count))
        .collect();
    assert_eq!(states, [(2, 1_700_000_000_500, false, 0)]);
    let again = db.revoke(found[1].id, None).await.unwrap();
    assert_eq!(again, RevokeOutcome::Before(revocation));
    // What asked for a receipt before there were any gets its receipts now.
    let read = Receipts::read(&*db, log.num, bob.num, 1..=3, 77, 10).await;
    let read: Vec<_> = read.unwrap().iter().map(|read| read.seq).collect();
    assert_eq!(read, [3]);
    let phone = DeviceKey {
        user: bob.num,
        origin: Origin(3),
        id: "phone".into(),
    };
    let given = db.given(&phone).await.unwrap().expect("it was seen");
    let first = Stretch {
        lo: MessageId(1),
        hi: MessageId(1),
    };
    assert_eq!(given.ranges(), [first]);
}

#[tokio::test]
async fn a_file_of_the_first_version_is_brought_up_to_date() {
    let bed = Bed::new();
    let mut raw = bed.raw();
    crate::sqlite::migrate::migrate_to(&mut raw, 1);
    raw.execute_batch(FIRST_VERSION).unwrap();
    for seq in 1..=3 {
        insert_as_before_names(&raw, seq, &numbered(&seq.to_string(), "x"), 0);
    }
    drop(raw);
    for _ in 0..2 {
        let db = bed.open();
        for uid in ["alice", "bob"].map(Uid::from_store) {
            let alias = db.aliases().of(&Realm::default(), &uid);
            let found = db.by_alias(&Realm::default(), &alias).await.unwrap();
            assert_eq!(found.map(|record| record.user.uid), Some(uid));
        }
        let (alice, bob) = people(&db).await;
        let log = room(&db, "g", &[&alice, &bob]).await;
        let found = all(&db, &log).await;
        let seqs: Vec<u64> = found.iter().map(|message| message.seq).collect();
        assert_eq!(seqs, [1, 2, 3]);
        let seen = view(&db, &bob, &log).await;
        assert!(seen.unread() <= 2 && seen.begins_after == 0);
        let outcome = db.revoke(found[1].id, None).await.unwrap();
        assert_ne!(outcome, RevokeOutcome::NoMessage);
        assert_eq!(view(&db, &bob, &log).await.unread(), 1);
        let again = vec![append(&log, &alice, numbered("2", "x"))];
        let again = store(&*db, again).await;
        assert!(matches!(again[0], AppendOutcome::Duplicate { seq: 2, .. }));
        db.close().await;
    }
    let db = bed.open();
    let gone = db.retain(MessageId(0), MessageId(3), 10).await.unwrap();
    assert_eq!(gone.dropped, 2);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let bed = Bed::new();
    let db = bed.open();
    user(&*db, "alice").await;
    db.close().await;
    let raw = bed.raw();
    let sql = "INSERT INTO refinery_schema_history VALUES \
               (9999, 'later', '2031-01-01T00:00:00Z', '1')";
    raw.execute(sql, []).unwrap();
    // Once with a write-ahead log left over, once without.
    let keep = rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    raw.set_db_config(keep, true).unwrap();
    drop(raw);
    let before = (fs::read(bed.path()).unwrap(), fs::read(bed.wal()).unwrap());
    let (kind, why) = refused(Sqlite::open(bed.options()));
    assert_eq!(kind, StoreErrorKind::TooNew);
    assert!(why.contains("9999"), "{why}");
    let after = (fs::read(bed.path()).unwrap(), fs::read(bed.wal()).unwrap());
    assert!(before == after, "the files were changed");
    bed.raw()
        .pragma_update(None, "journal_mode", "DELETE")
        .unwrap();
    assert_eq!(refused_untouched(&bed).0, StoreErrorKind::TooNew);
}

#[tokio::test]
async fn an_edited_migration_is_refused() {
    let bed = Bed::new();
    bed.open().close().await;
    let raw = bed.raw();
    raw.execute("UPDATE refinery_schema_history SET checksum = '1'", [])
        .unwrap();
    drop(raw);
    assert_eq!(
        refused(Sqlite::open(bed.options())).0,
        StoreErrorKind::Corrupt
    );
}

#[test]
fn the_database_of_another_program_is_refused() {
    let bed = Bed::new();
    bed.raw()
        .execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
        .unwrap();
    let (kind, why) = refused_untouched(&bed);
    assert_eq!(kind, StoreErrorKind::Corrupt);
    assert!(why.contains("another program"), "{why}");
    let marked = Bed::new();
    marked
        .raw()
        .execute_batch("PRAGMA application_id = 77")
        .unwrap();
    assert_eq!(refused_untouched(&marked).0, StoreErrorKind::Corrupt);
}

#[test]
fn what_is_no_database_is_refused() {
    let bed = Bed::new();
    fs::write(bed.path(), "not a database ".repeat(1000)).unwrap();
    assert_eq!(refused_untouched(&bed).0, StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn a_database_that_ends_inside_of_a_page_is_refused() {
    let bed = Bed::new();
    bed.open().close().await;
    let sound = fs::read(bed.path()).unwrap();
    // SQLite would read the rest of the page as zeros.
    for lacking in [1, 700, 4095] {
        fs::write(bed.path(), &sound[..sound.len() - lacking]).unwrap();
        let (kind, why) = refused_untouched(&bed);
        assert_eq!(kind, StoreErrorKind::Corrupt);
        assert!(why.contains("malformed"), "{why}");
    }
    fs::write(bed.path(), &sound).unwrap();
    assert!(Sqlite::open(bed.options()).is_ok());
}

#[test]
fn an_empty_file_is_a_new_database() {
    let bed = Bed::new();
    fs::write(bed.path(), "").unwrap();
    assert!(Sqlite::open(bed.options()).is_ok());
}

#[test]
fn a_directory_that_is_not_there_is_unavailable() {
    let bed = Bed::new();
    let options = crate::sqlite::SqliteOptions {
        path: Some(bed.dir.path().join("missing").join("im.db")),
        ..bed.options()
    };
    assert_eq!(
        refused(Sqlite::open(options)).0,
        StoreErrorKind::Unavailable
    );
}

#[tokio::test]
async fn a_second_store_on_the_same_file_is_refused() {
    let bed = Bed::new();
    let first = bed.open();
    let (kind, why) = refused(Sqlite::open(bed.options()));
    assert_eq!(kind, StoreErrorKind::Unavailable);
    assert!(why.contains("in use"), "{why}");
    first.close().await;
    let second = bed.open();
    drop(second);
    bed.open();
}

#[test]
fn a_temporary_store_leaves_nothing_behind() {
    let bed = Bed::new();
    let options = crate::sqlite::SqliteOptions {
        path: None,
        ..bed.options()
    };
    let db = Sqlite::open(options).unwrap();
    let path = db.place.lock().as_ref().unwrap().path.clone();
    assert!(path.exists());
    drop(db);
    assert!(!path.parent().unwrap().exists());
}

#[tokio::test]
async fn a_file_is_not_used_with_another_key() {
    let bed = Bed::new();
    let db = bed.open();
    people(&db).await;
    db.close().await;
    let other = || crate::sqlite::SqliteOptions {
        aliases: Aliases::new(&[1; 32]),
        ..bed.options()
    };
    let (kind, why) = refused(Sqlite::open(other()));
    assert_eq!(kind, StoreErrorKind::Corrupt, "{why}");
    assert!(why.contains("server key"), "{why}");
    assert!(Sqlite::open(bed.options()).is_ok());
}
