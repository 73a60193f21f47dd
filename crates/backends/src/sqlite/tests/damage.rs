//! Rows that are not what was written.

use crosstalk_core::contract::{append, numbered, store};
use crosstalk_core::log::{AppendOutcome, Log};
use crosstalk_core::message::Origin;

use super::{Bed, all, people, room, say};

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
