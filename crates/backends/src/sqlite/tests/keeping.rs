//! How conversations are kept, and what is found, when the store is opened again.

use crosstalk_core::conversation::{Inbox, Keep, Screen};
use crosstalk_core::id::MessageId;
use crosstalk_core::log::Log;
use crosstalk_core::search::{DocChange, Found, IndexQuery, SearchDoc, SearchIndex, Within, terms};

use super::{Bed, people, room, say, view};
use crate::sqlite::Sqlite;

async fn found(db: &Sqlite, within: Within, question: &str) -> Vec<Found> {
    let query = IndexQuery {
        within,
        terms: terms(question),
        sender: None,
        kind: None,
        from: MessageId(0),
        before: MessageId(i64::MAX),
        limit: 10,
    };
    db.find(query).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_it_is_there_again() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    say(&db, &log, &alice, 1).await;
    let wish = Keep {
        pinned: Some(true),
        muted_until_ms: Some(i64::MAX),
        marked: Some(true),
        draft: Some("half a sentence 半句".into()),
        screen: Some(Screen {
            browsed_to: 1,
            top_seq: 1,
            top_offset: -3,
        }),
        hidden: Some(true),
        cleared_to: Some(1),
        read: false,
    };
    let kept = db.keep(bob.num, log.num, wish, false).await.unwrap();
    let kept = kept.unwrap().row;
    let id = db.last_id().await.unwrap();
    let doc = SearchDoc {
        id,
        realm: log.key.realm.clone(),
        channel: log.num,
        sender: alice.num,
        kind: "text".to_owned(),
        words: vec!["found".to_owned()],
    };
    db.apply(vec![DocChange::Put(doc)]).await.unwrap();
    let realm = || Within::Realm(log.key.realm.clone());
    let before = found(&db, realm(), "found").await;
    assert_eq!(before.len(), 1);
    // Once in good order, once as by a crash.
    db.close().await;
    drop(db);
    for _ in 0..2 {
        let db = bed.open();
        assert_eq!(view(&db, &bob, &log).await, kept);
        let since = db.kept_since(bob.num, 0, 10).await.unwrap();
        assert_eq!(since, std::slice::from_ref(&kept));
        assert_eq!(found(&db, realm(), "found").await, before);
    }
}
