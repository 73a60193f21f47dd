//! What messages carry and what is to be sent later is found again, by the indexes made for it.

use crosstalk_core::carried::Carried;
use crosstalk_core::channel::ChannelKind;
use crosstalk_core::contract::{append, store, text};
use crosstalk_core::expiry::{Due, Expiry};
use crosstalk_core::id::{MessageId, Realm};
use crosstalk_core::log::{AppendOutcome, Log};
use crosstalk_core::mention::{MentionCount, Mentions};
use crosstalk_core::message::{Body, Gone};
use crosstalk_core::schedule::{Saying, Schedule, Scheduled, State};

use super::plans::plan;
use super::{Bed, people, room};
use crate::sqlite::{expire, mentions, schedule};

fn stored(outcomes: &[AppendOutcome]) -> (MessageId, i64) {
    match outcomes {
        [AppendOutcome::Stored { id, sent_at_ms, .. }] => (*id, *sent_at_ms),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn all_of_it_is_found_again_after_a_restart() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    let carried = Carried {
        mentions: vec![bob.clone()],
        reply_to: Some(MessageId(7)),
        burn_after_ms: 5000,
        ..Carried::default()
    };
    let body = Body {
        carried: carried.clone().packed(),
        ..text("x")
    };
    let (id, _) = stored(&store(&*db, vec![append(&log, &alice, body)]).await);
    let ends = Body {
        expire_secs: 60,
        ..text("y")
    };
    let (ending, sent_at) = stored(&store(&*db, vec![append(&log, &alice, ends)]).await);
    let item = Scheduled {
        id: MessageId(99),
        realm: Realm::default(),
        sender: alice.clone(),
        by_application: false,
        kind: ChannelKind::GROUP,
        to: "g".into(),
        saying: Saying::default(),
        send_at_ms: 5,
        created_at_ms: 1,
        state: State::Open,
        done_at_ms: 0,
    };
    assert!(db.schedule(&item, 9).await.unwrap());
    db.close().await;
    drop(db);
    let db = bed.open();
    let found = db.by_id(id).await.unwrap().unwrap();
    assert_eq!(found.body.carried.as_deref(), Some(&carried));
    let counts = db.counts(bob.num, &[(log.num, 0)]).await.unwrap();
    let once = MentionCount {
        count: 1,
        first_seq: 1,
    };
    assert_eq!(counts, [once]);
    assert_eq!(db.burn(log.num, bob.num, 0..=9, sent_at).await.unwrap(), 1);
    assert_eq!(db.scheduled_due(5, None, 9).await.unwrap(), [item]);
    db.close().await;
    drop(db);
    let db = bed.open();
    let due = db.due(i64::MAX, None, 9).await.unwrap();
    let burning = Due {
        at_ms: sent_at + 5000,
        id,
    };
    let ends = Due {
        at_ms: sent_at + 60_000,
        id: ending,
    };
    assert_eq!(due, [burning, ends]);
}

#[tokio::test]
async fn what_is_over_is_not_shown_before_it_is_swept() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    let body = Body {
        expire_secs: 60,
        ..text("y")
    };
    let (id, _) = stored(&store(&*db, vec![append(&log, &alice, body)]).await);
    bed.clock.advance_ms(59_999);
    let found = db.by_id(id).await.unwrap().unwrap();
    assert!(found.revoked.is_none() && &found.body.payload[..] == b"y");
    bed.clock.advance_ms(1);
    let over = db.by_id(id).await.unwrap().unwrap();
    assert!(over.body.payload.is_empty());
    assert_eq!(over.revoked.map(|gone| gone.how), Some(Gone::Expired));
}

#[tokio::test]
async fn its_questions_use_indexes() {
    let bed = Bed::new();
    let db = bed.open();
    people(&db).await;
    for (sql, index) in [
        (expire::DUE.to_owned(), "message_expires"),
        (expire::BURNING.to_owned(), "SEARCH burn"),
        (schedule::due_sql(), "scheduled_due"),
        (mentions::count_sql(), "SEARCH x"),
        (mentions::list_sql(true), "SEARCH x"),
    ] {
        let plan = plan(&bed, &sql);
        assert!(plan.contains(index) && !plan.contains("SCAN"), "{plan}");
    }
}
