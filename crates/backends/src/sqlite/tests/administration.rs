//! What moderators and operators keep is found again, and nothing of a user is forgotten when
//! the user is.

use std::sync::Arc;

use crosstalk_core::admin::{
    Audit, AuditEntry, AuditQuery, BanTarget, Bans, Census, ChoreKind, ChoreState, Chores, NewBan,
    NewChore, NewReport, ReportKind, Reports, Word, WordAction, WordLists,
};
use crosstalk_core::clock::ManualClock;
use crosstalk_core::contract::user;
use crosstalk_core::directory::{AppId, AppRecord, Apps};
use crosstalk_core::hook::{
    HookKind, HookRecord, HookSettings, Hooks, NewDeadLetter, NewPostponed,
};
use crosstalk_core::id::{Realm, Snowflake};
use crosstalk_core::send::rates::Rate;
use rusqlite::Connection;

use super::super::admin::owned::OWNED;
use super::super::migrate::migrate;
use crate::sqlite::{Sqlite, SqliteOptions};

fn open(path: &std::path::Path) -> Sqlite {
    let clock = Arc::new(ManualClock::at_ms(1_700_000_000_000));
    let ids = Arc::new(Snowflake::new(clock.clone(), 1));
    Sqlite::open(SqliteOptions::new(path, clock, ids)).expect("the store opens")
}

#[allow(clippy::too_many_lines, reason = "one story")]
#[tokio::test]
async fn everything_is_found_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let realm = Realm::default();
    let store = open(&path);
    let alice = user(&store, "alice").await;
    let word = Word {
        num: 0,
        word: "w".to_owned(),
        action: WordAction::Review,
        added_at_ms: 1,
    };
    store.add_words(&realm, &[word]).await.expect("added");
    let ban = NewBan {
        realm: realm.clone(),
        target: BanTarget::Device("d".to_owned()),
        reason: "r".to_owned(),
        until_ms: Some(5),
        by: "admin".to_owned(),
    };
    let ban = store.put_ban(&ban).await.expect("put").expect("room");
    let report = NewReport {
        realm: realm.clone(),
        reporter: alice.clone(),
        kind: ReportKind::Channel,
        target: "group:g".to_owned(),
        about: None,
        reason: "r".to_owned(),
        text: String::new(),
        said: None,
    };
    let report = store.file_report(&report).await.expect("filed");
    let entry = AuditEntry {
        realm: None,
        actor: "admin".to_owned(),
        action: "a".to_owned(),
        target: "t".to_owned(),
        outcome: 200,
        address: String::new(),
        note: String::new(),
        subjects: vec!["s".to_owned()],
        asked: String::new(),
    };
    store.log_act(&entry).await.expect("logged");
    let chore = NewChore {
        realm: realm.clone(),
        kind: ChoreKind::Erase,
        user: Some(alice.clone()),
        spec: String::new(),
        total: 1,
        by: "admin".to_owned(),
    };
    let mut chore = store.add_chore(&chore).await.expect("added").expect("room");
    chore.state = ChoreState::Running;
    chore.place = "here".to_owned();
    assert!(store.save_chore(&chore, None).await.expect("saved"));
    let tags = ["vip".to_owned()];
    store
        .set_tags(&realm, alice.num, &tags)
        .await
        .expect("tags");
    let app = AppRecord {
        id: AppId::default(),
        realm: realm.clone(),
        name: String::new(),
        sealed_secret: vec![1],
        sealed_old_secret: Some((vec![2], 3)),
        disabled: true,
        rate: Some(Rate {
            per_sec: 4,
            burst: 5,
        }),
    };
    store.put_app(&app).await.expect("put");
    store.close().await;
    drop(store);
    let store = open(&path);
    assert_eq!(store.all_words(&realm).await.expect("words").len(), 1);
    assert_eq!(store.all_bans().await.expect("bans"), [ban]);
    let reports = store.list_reports(&realm, true, 0, 9).await;
    assert_eq!(reports.expect("reports").into_iter().next(), report);
    let query = AuditQuery {
        limit: 9,
        ..AuditQuery::default()
    };
    let acts = store.acts(&query).await.expect("acts");
    assert_eq!(acts[0].entry, entry);
    assert_eq!(
        store.open_chores(chore.chore.kind, 9).await.expect("open"),
        [chore]
    );
    assert_eq!(Census::tags(&store, alice.num).await.expect("tags"), tags);
    assert_eq!(store.apps().await.expect("apps"), [app]);
}

#[tokio::test]
async fn what_an_erased_user_wrote_is_in_no_file_afterwards() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let realm = Realm::default();
    let secret = "nobody is to read this";
    let has = || {
        let bytes = std::fs::read(&path).expect("the file");
        let needle = secret.as_bytes();
        bytes.windows(needle.len()).any(|window| window == needle)
    };
    let store = open(&path);
    let alice = user(&store, "alice").await;
    let hook = HookRecord {
        id: "h".to_owned(),
        realm: realm.clone(),
        app: AppId::default(),
        kind: HookKind::Events,
        enabled: true,
        sealed_secret: vec![1],
        settings: HookSettings::default(),
        created_at_ms: 1,
    };
    assert!(store.put_hook(&hook, 9).await.expect("put"));
    for (n, said) in [
        (1, "x".to_owned()),
        (2, secret.to_owned()),
        (3, secret.repeat(5000)),
    ] {
        let from = if n == 1 { "bob" } else { "alice" };
        let body = format!(r#"{{"data":{{"from":"{from}","text":"{said}"}}}}"#);
        let letter = NewDeadLetter {
            event: "message.stored".to_owned(),
            event_id: n.to_string(),
            query: String::new(),
            body: body.clone().into(),
            tries: 1,
            reason: String::new(),
            at_ms: n,
        };
        store.bury("h", &letter, 9).await.expect("buried");
        let delivery = NewPostponed {
            lane: n.to_string(),
            event: "message.stored".to_owned(),
            event_id: n.to_string(),
            query: String::new(),
            body: body.into(),
            tries: 1,
            tried_for_ms: 1,
        };
        assert!(store.postpone("h", &delivery).await.expect("kept"));
    }
    let report = NewReport {
        realm: realm.clone(),
        reporter: alice.clone(),
        kind: ReportKind::Channel,
        target: "group:g".to_owned(),
        about: None,
        reason: "r".to_owned(),
        text: secret.to_owned(),
        said: None,
    };
    store.file_report(&report).await.expect("filed");
    store.close().await;
    drop(store);
    assert!(has());
    let store = open(&path);
    let purged = store.purge(alice.num).await.expect("purged");
    assert_eq!(purged, [("user_report".to_owned(), 1)]);
    let forgotten = store.forget_user(&realm, &alice.uid).await;
    assert_eq!(forgotten.expect("forgotten"), 4);
    store.close().await;
    drop(store);
    assert!(!has());
}

/// Columns that may name a user.
const NAMING: &[&str] = &[
    "user",
    "sender",
    "owner",
    "receiver",
    "other",
    "reporter",
    "author",
    "about",
    "inviter",
    "invited_by",
    "member",
    "made_by",
    "decided_by",
    "pinned_by",
    "revoked_by",
];
/// Columns that do so and are seen to otherwise: what they say is about somebody else's row.
const OTHERWISE: &[(&str, &str)] = &[("user_report", "about"), ("join_request", "inviter")];

#[test]
fn no_table_with_a_user_is_forgotten() {
    let mut conn = Connection::open_in_memory().expect("a database");
    migrate(&mut conn).expect("migrated");
    let sql = "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
               WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";
    let mut find = conn.prepare(sql).expect("a query");
    let columns = find.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let columns: Vec<(String, String)> = columns
        .expect("columns")
        .map(|it| it.expect("a row"))
        .collect();
    let is_there = |table: &str, column: &str| {
        let mut all = columns.iter();
        all.any(|(t, c)| t == table && c == column)
    };
    for (table, column, _) in OWNED {
        assert!(is_there(table, column), "there is no {table}.{column}");
    }
    let known = |table: &str, column: &str| {
        OWNED.iter().any(|(t, c, _)| *t == table && *c == column)
            || OTHERWISE.contains(&(table, column))
    };
    let forgotten: Vec<_> = columns
        .iter()
        .filter(|(table, column)| NAMING.contains(&column.as_str()) && !known(table, column))
        .collect();
    assert!(forgotten.is_empty(), "{forgotten:?}");
}
