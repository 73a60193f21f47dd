//! What waits, against a plain look through the log, in long logs and damaged ones.

use crosstalk_core::contract::{append, store, text};
use crosstalk_core::delivered::{Devices, Stretch, WaitingQuery};
use crosstalk_core::id::MessageId;
use crosstalk_core::log::AppendOutcome;

use super::{Bed, people, room};

const QUERY: WaitingQuery = WaitingQuery {
    per_log: 10_000,
    messages: 100_000,
    bytes: usize::MAX,
    only: None,
};

#[tokio::test(flavor = "multi_thread")]
async fn stretches_of_long_logs_are_found() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let mut logs = Vec::new();
    for id in ["a", "b", "c"] {
        logs.push(room(&db, id, &[&alice, &bob]).await);
    }
    let mut said = Vec::new();
    for round in 0..300_usize {
        // Ids that are far apart, and many of one moment.
        bed.clock
            .advance_ms(i64::try_from(round % 7).unwrap() * 1000);
        let log = &logs[if round % 50 == 0 { 2 } else { round % 2 }];
        let batch = (0..=round % 5).map(|_| append(log, &alice, text("x")));
        for outcome in store(&*db, batch.collect()).await {
            let AppendOutcome::Stored { id, .. } = outcome else {
                panic!("not stored")
            };
            said.push((log.num, id));
        }
    }
    // Rows that are gone: from the front of one log, from the middle of another.
    let raw = bed.raw();
    let of = |n: usize| {
        let num = logs[n].num;
        said.iter().filter(move |(log, _)| *log == num)
    };
    let lost: Vec<MessageId> = of(0)
        .take(70)
        .chain(of(1).skip(100).take(40))
        .map(|s| s.1)
        .collect();
    for id in &lost {
        raw.execute("DELETE FROM message WHERE id = ?1", [id.0])
            .unwrap();
    }
    let there: Vec<MessageId> = said
        .iter()
        .map(|s| s.1)
        .filter(|id| !lost.contains(id))
        .collect();
    for n in 0..120 {
        let (lo, hi) = (said[n * 7 % said.len()].1.0, said[n * 31 % said.len()].1.0);
        let (lo, hi) = (lo.min(hi) - i64::try_from(n % 2).unwrap(), lo.max(hi) + 5);
        let at = Stretch {
            lo: MessageId(lo),
            hi: MessageId(hi),
        };
        let found = db.waiting(bob.num, vec![at], QUERY).await.unwrap();
        let found: Vec<_> = found.messages.iter().map(|m| m.id).collect();
        let all = there.iter().copied();
        let expected: Vec<_> = all.filter(|id| at.lo <= *id && *id <= at.hi).collect();
        assert_eq!(found, expected, "{at:?}");
        let count = u32::try_from(n).unwrap();
        let floor = db.newest(bob.num, at.lo, count).await.unwrap();
        let above = there.iter().filter(|id| **id > floor).count();
        let wanted = there.iter().filter(|id| **id > at.lo).count().min(n);
        assert_eq!(above, wanted, "the newest {n} after {lo}");
    }
}

#[tokio::test]
async fn however_many_are_for_others_a_page_ends() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    let mut own = text("for alice");
    own.audience = Some([alice.num].into());
    let mut batch = vec![append(&log, &alice, own); 1000];
    batch.push(append(&log, &alice, text("for all")));
    let stored = store(&*db, batch).await;
    let Some(AppendOutcome::Stored { id: last, .. }) = stored.last() else {
        panic!("not stored")
    };
    let query = WaitingQuery {
        messages: 1,
        ..QUERY
    };
    let (mut pages, mut lo, mut found) = (0, MessageId(1), Vec::new());
    while lo <= *last {
        let page = db.waiting(bob.num, vec![Stretch { lo, hi: *last }], query);
        let page = page.await.unwrap();
        assert!(page.through >= lo, "each page gets on");
        lo = MessageId(page.through.0 + 1);
        found.extend(page.messages.into_iter().map(|message| message.id));
        pages += 1;
    }
    assert_eq!(found, [*last]);
    assert!(pages > 2, "they were looked at in {pages}");
}

/// What a page costs goes with the user's logs and the page, not with what was said.
#[tokio::test]
async fn nothing_is_scanned() {
    use crate::sqlite::waiting::{AFTER, AT_OR_BEFORE, CHAT_LOGS, HEAD};
    let bed = Bed::new();
    let db = bed.open();
    let (alice, _) = people(&db).await;
    room(&db, "g", &[&alice]).await;
    let logs = super::plans::plan(&bed, CHAT_LOGS);
    let scans = logs.lines().filter(|step| step.contains("SCAN"));
    assert!(
        scans.clone().all(|step| step.starts_with("SCAN m")),
        "{logs}"
    );
    assert!(logs.contains("USING INDEX member_of (user=?)"), "{logs}");
    assert!(!logs.contains("AUTOMATIC"), "{logs}");
    let q = "SEARCH q USING COVERING INDEX sqlite_autoindex_channel_1 \
             (realm=? AND kind=? AND id=? AND log=?)";
    assert!(logs.contains(q), "{logs}");
    for (sql, by) in [
        (HEAD, "(channel=?)"),
        (AT_OR_BEFORE, "(channel=? AND seq<?)"),
        (AFTER, "(channel=? AND seq>?)"),
    ] {
        let plan = super::plans::plan(&bed, sql);
        let expected = format!("SEARCH message USING COVERING INDEX message_place {by}");
        assert_eq!(plan, expected);
    }
}

#[tokio::test]
async fn a_cleared_conversation_does_not_come_back() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    let said = super::say(&db, &log, &alice, 4).await;
    let sql = "INSERT INTO conversation (user, channel, read_seq, badge_seq, badge_ordinal, \
               cleared_seq, hidden_seq, pinned_at, muted, version) \
               VALUES (?1, ?2, 0, 0, 0, 3, 0, 0, 0, 1)";
    bed.raw().execute(sql, [bob.num.0, log.num.0]).unwrap();
    let at = Stretch {
        lo: MessageId(1),
        hi: MessageId(i64::MAX - 1),
    };
    let found = db.waiting(bob.num, vec![at], QUERY).await.unwrap().messages;
    let AppendOutcome::Stored { id, .. } = said[3] else {
        panic!("not stored")
    };
    assert_eq!(found.iter().map(|m| m.id).collect::<Vec<_>>(), [id]);
}
