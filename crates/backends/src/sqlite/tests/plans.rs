//! That hot queries use the indexes made for them.

use crosstalk_core::conversation::Inbox;
use crosstalk_core::log::{Log, Page};

use super::{Bed, people, room, say};

/// What SQLite would do for each of these statements.
pub(super) fn plan(bed: &Bed, sql: &str) -> String {
    let raw = bed.raw();
    let mut explain = raw.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let params = vec![0_i64; explain.parameter_count()];
    let steps = explain
        .query_map(rusqlite::params_from_iter(params), |row| {
            row.get::<_, String>(3)
        })
        .unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn heads_and_pages_come_from_the_narrow_index() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    say(&db, &log, &alice, 3).await;
    let page = Page {
        from: 1,
        to: 9,
        limit: 2,
        newest: true,
    };
    assert_eq!(db.page(&log, page).await.unwrap().len(), 2);
    let head = plan(
        &bed,
        "SELECT seq, ordinal FROM message WHERE channel = ?1 ORDER BY seq DESC LIMIT 1",
    );
    assert_eq!(
        head,
        "SEARCH message USING COVERING INDEX message_place (channel=?)"
    );
    let page = plan(
        &bed,
        "SELECT payload FROM message WHERE channel = ?1 AND seq BETWEEN ?2 AND ?3 \
         ORDER BY seq DESC LIMIT ?4",
    );
    assert_eq!(
        page,
        "SEARCH message USING INDEX message_place (channel=? AND seq>? AND seq<?)"
    );
}

#[tokio::test]
async fn conversations_are_found_without_a_scan() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    let log = room(&db, "g", &[&alice]).await;
    for (only, rows) in [
        (None, true),
        (Some(log.num), true),
        (None, false),
        (Some(log.num), false),
    ] {
        let plan = plan(&bed, &crate::sqlite::inbox::views_sql(only.is_some(), rows));
        // The only thing scanned is the user's own list, made by the searches below it.
        let scans: Vec<_> = plan.lines().filter(|step| step.contains("SCAN")).collect();
        assert!(
            scans.iter().all(|step| step.starts_with("SCAN m")),
            "{plan}"
        );
        let members = match only {
            None => "USING INDEX member_of (user=?",
            Some(_) => "SEARCH member USING PRIMARY KEY (channel=? AND user=?)",
        };
        assert!(plan.contains(members), "{plan}");
        for index in [
            "SEARCH message USING COVERING INDEX message_place (channel=?)",
            "SEARCH s USING COVERING INDEX message_state_uncounted (channel=? AND seq>?)",
        ] {
            assert!(plan.contains(index), "{plan}");
        }
    }
    assert_eq!(db.conversations(alice.num).await.unwrap().len(), 1);
}

#[tokio::test]
async fn state_is_found_by_what_it_is_asked_for() {
    let bed = Bed::new();
    bed.open();
    let uncounted = plan(
        &bed,
        "SELECT count(*) FROM message_state \
         WHERE channel = ?1 AND uncounted = 1 AND seq > ?2 AND seq <= ?3",
    );
    assert_eq!(
        uncounted,
        "SEARCH message_state USING COVERING INDEX message_state_uncounted \
         (channel=? AND seq>? AND seq<?)"
    );
    let version = plan(
        &bed,
        "SELECT ifnull(max(version), 0) FROM message_state WHERE channel = ?1",
    );
    assert_eq!(
        version,
        "SEARCH message_state USING COVERING INDEX message_state_version (channel=?)"
    );
}

#[tokio::test]
async fn retention_reads_the_front_and_nothing_else() {
    let bed = Bed::new();
    bed.open();
    let plan = plan(&bed, crate::sqlite::retain::OLDEST);
    assert_eq!(
        plan,
        "SEARCH m USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)\n\
         CORRELATED SCALAR SUBQUERY 1\n\
         SEARCH place USING COVERING INDEX message_place \
         (channel=? AND seq=? AND ordinal=? AND rowid=?)"
    );
}

#[tokio::test]
async fn what_hangs_on_messages_is_found_without_a_scan() {
    use crate::sqlite::{called, dedup, directed, receipts};

    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    say(&db, &log, &alice, 3).await;
    let asking = plan(&bed, &receipts::asking_sql());
    assert_eq!(
        asking,
        "SEARCH m USING INDEX message_asked (channel=? AND seq>? AND seq<?)\n\
         CORRELATED SCALAR SUBQUERY 1\n\
         SEARCH receipt USING PRIMARY KEY (message=? AND user=?)"
    );
    assert_eq!(
        plan(&bed, receipts::READERS),
        "SEARCH receipt USING PRIMARY KEY (message=? AND user>?)"
    );
    assert_eq!(
        plan(&bed, &receipts::changed_sql()),
        "SEARCH message_state USING INDEX message_state_version (channel=? AND version>?)"
    );
    assert_eq!(
        plan(&bed, directed::COUNTING),
        "SEARCH directed USING PRIMARY KEY (user=? AND channel=? AND seq>? AND seq<?)"
    );
    let week = 1_700_000_000_000 / (7 * 24 * 3600 * 1000);
    let keys = plan(&bed, &dedup::written_sql(week));
    assert_eq!(
        keys,
        format!("SEARCH client_key_{week} USING PRIMARY KEY (hash=?)")
    );
    assert_eq!(
        plan(&bed, called::IS_CALLED),
        "SEARCH m USING INTEGER PRIMARY KEY (rowid=?)\n\
         SEARCH c USING INTEGER PRIMARY KEY (rowid=?)"
    );
    let views = plan(&bed, &crate::sqlite::inbox::views_sql(false, true));
    let directed = "SEARCH d USING PRIMARY KEY (user=? AND channel=? AND seq>?)";
    assert!(views.contains(directed), "{views}");
}

#[tokio::test]
async fn a_registered_token_is_found_by_its_hash() {
    let bed = Bed::new();
    let _db = bed.open();
    let plan = plan(&bed, super::super::directory::BY_FLAG_TOKEN);
    let found = "SEARCH t USING COVERING INDEX flag_token_hash (hash=?)";
    assert!(plan.starts_with(found), "{plan}");
}
