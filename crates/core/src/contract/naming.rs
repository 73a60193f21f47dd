//! The log: what messages are called, and for whom they are (data-model.md §2, §4).

use std::sync::Arc;

use super::{EVERYTHING, LogBed, append, group, numbered, store, text};
use crate::channel::{ChannelKey, ChannelRef, LogKind};
use crate::id::{MessageId, Realm, UserNum, UserRef};
use crate::log::{Append, AppendOutcome, Called, Head};
use crate::message::{Body, Flags, Message, Naming};

fn named(name: &str, client_no: &str, payload: &str) -> Body {
    Body {
        name: Some(name.into()),
        ..numbered(client_no, payload)
    }
}

async fn put(bed: &LogBed, log: &Arc<ChannelRef>, by: &UserRef, body: Body) -> (MessageId, Naming) {
    match store(&*bed.log, vec![append(log, by, body)]).await[0] {
        AppendOutcome::Stored { id, naming, .. } => (id, naming),
        other => panic!("not stored: {other:?}"),
    }
}

async fn read(bed: &LogBed, id: MessageId) -> Message {
    let found = bed.log.by_id(id).await.expect("by id");
    found.expect("the message is there")
}

fn elsewhere() -> ChannelKey {
    ChannelKey {
        realm: Realm::parse("elsewhere").expect("a realm"),
        ..group("g")
    }
}

/// The first of a realm has a name; whoever uses it again has none. Numbers and names are
/// apart.
pub async fn names_are_unique_in_their_realm(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let bob = bed.names.user("bob").await;
    let chat = bed.names.channel(&group("g"), LogKind::Chat).await;
    let other = bed.names.channel(&group("h"), LogKind::Chat).await;
    let foreign = bed.names.channel(&elsewhere(), LogKind::Chat).await;
    let rows = [
        (&chat, &alice, named("m1", "1", "a"), true),
        (&chat, &alice, named("m2", "m2", "b"), true),
        (&other, &bob, named("m1", "1", "c"), false),
        (&chat, &alice, named("m1", "2", "d"), false),
        (&other, &bob, named("m2", "", "e"), false),
        (&other, &bob, numbered("m1", "f"), true),
        // A number is no name.
        (&chat, &bob, named("2", "", "g"), true),
        (&foreign, &bob, named("m1", "1", "h"), true),
        (&foreign, &bob, named("m1", "2", "i"), false),
    ];
    for (n, (log, by, body, kept)) in rows.into_iter().enumerate() {
        let (id, naming) = put(bed, log, by, body.clone()).await;
        assert_eq!(naming.name_dropped, !kept, "row {n}");
        let stored = read(bed, id).await.body;
        assert_eq!(stored, Arc::new(body).as_stored(naming), "row {n}");
        assert_eq!(stored.name.is_some(), kept && n != 5, "row {n}");
    }
    // Two in one batch are told apart as well.
    let batch = ["x", "y"].map(|text| append(&chat, &alice, named("m3", "", text)));
    let outcomes = store(&*bed.log, batch.into()).await;
    let dropped = outcomes.iter().map(|outcome| match outcome {
        AppendOutcome::Stored { naming, .. } => naming.name_dropped,
        _ => panic!("{outcome:?}"),
    });
    assert!(dropped.eq([false, true]));
}

/// A retry is the first message, whatever its name: it has it already.
pub async fn a_retry_keeps_the_name_of_the_first(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let chat = bed.names.channel(&group("g"), LogKind::Chat).await;
    let (id, _) = put(bed, &chat, &alice, named("m1", "1", "a")).await;
    let again = store(
        &*bed.log,
        vec![append(&chat, &alice, named("m1", "1", "a"))],
    )
    .await;
    assert!(matches!(again[0], AppendOutcome::Duplicate { id: first, .. } if first == id));
    assert_eq!(read(bed, id).await.body.name.as_deref(), Some("m1"));
}

/// A number that another sender used in the log is taken; elsewhere, or by oneself, not.
pub async fn a_number_of_another_sender_is_taken(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let bob = bed.names.user("bob").await;
    let chat = bed.names.channel(&group("g"), LogKind::Chat).await;
    let other = bed.names.channel(&group("h"), LogKind::Chat).await;
    let rows = [
        (&chat, &alice, "1", "a", false),
        (&chat, &alice, "1", "b", false),
        (&other, &bob, "1", "a", false),
        (&chat, &bob, "1", "a", true),
        (&chat, &bob, "1", "c", true),
        (&chat, &bob, "2", "a", false),
        (&chat, &alice, "2", "a", true),
        (&chat, &alice, "", "a", false),
        (&chat, &bob, "", "a", false),
        // Bob's came in between.
        (&chat, &alice, "1", "d", true),
    ];
    for (n, (log, by, client_no, payload, taken)) in rows.into_iter().enumerate() {
        let (id, naming) = put(bed, log, by, numbered(client_no, payload)).await;
        assert_eq!(naming.number_taken, taken, "row {n}");
        assert_eq!(
            read(bed, id).await.body.flags.number_taken,
            taken,
            "row {n}"
        );
    }
}

/// By number and by name, the newest first, and nothing of another realm.
pub async fn messages_are_found_by_what_they_are_called(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let bob = bed.names.user("bob").await;
    let chat = bed.names.channel(&group("g"), LogKind::Chat).await;
    let other = bed.names.channel(&group("h"), LogKind::Chat).await;
    let foreign = bed.names.channel(&elsewhere(), LogKind::Chat).await;
    let mut ids = Vec::new();
    for (log, by, body) in [
        (&chat, &alice, numbered("x", "0")),
        (&chat, &bob, numbered("x", "1")),
        (&other, &alice, named("x", "y", "2")),
        (&chat, &alice, numbered("x", "3")),
        (&foreign, &alice, named("x", "x", "4")),
        (&chat, &alice, named("z", "z", "5")),
        (&chat, &alice, text("6")),
    ] {
        ids.push(put(bed, log, by, body).await.0);
    }
    bed.log.revoke(ids[1], None).await.expect("revoked");
    let here = Realm::default();
    let called =
        |realm: &Realm, text: &str, sender: Option<&UserRef>, log: Option<&ChannelRef>| Called {
            realm: realm.clone(),
            text: text.into(),
            sender: sender.map(|user| user.num),
            channel: log.map(|log| log.num),
        };
    let table = [
        (called(&here, "x", None, None), 9, vec![3, 2, 1, 0]),
        (called(&here, "x", None, None), 2, vec![3, 2]),
        (called(&here, "x", Some(&alice), None), 9, vec![3, 2, 0]),
        (called(&here, "x", Some(&bob), None), 9, vec![1]),
        (called(&here, "x", None, Some(&chat)), 9, vec![3, 1, 0]),
        (called(&here, "x", Some(&alice), Some(&other)), 9, vec![2]),
        (called(&here, "y", None, None), 9, vec![2]),
        (called(&here, "z", None, None), 9, vec![5]),
        (called(&here, "X", None, None), 9, vec![]),
        (called(&here, "", None, None), 9, vec![]),
        (called(&elsewhere().realm, "x", None, None), 9, vec![4]),
        (called(&elsewhere().realm, "z", None, None), 9, vec![]),
    ];
    for (called, limit, expected) in table {
        let found = bed.log.by_number(&called, limit).await.expect("an answer");
        for message in &found {
            assert_eq!(*message, read(bed, message.id).await);
        }
        let found: Vec<MessageId> = found.iter().map(|message| message.id).collect();
        let expected: Vec<MessageId> = expected.iter().map(|n: &usize| ids[*n]).collect();
        assert_eq!(found, expected, "{called:?}");
    }
}

/// What is left of a revoked message is called as it was, and for whom it was.
pub async fn a_tombstone_keeps_its_name(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let chat = bed.names.channel(&group("g"), LogKind::Chat).await;
    let body = Body {
        audience: Some([UserNum(7), UserNum(i64::MAX)].into()),
        ..named("m1", "1", "secret")
    };
    let (id, _) = put(bed, &chat, &alice, body.clone()).await;
    bed.log.revoke(id, Some(&alice)).await.expect("revoked");
    let left = read(bed, id).await;
    assert_eq!(*left.body, body.erased());
    assert!(left.revoked.is_some() && left.body.name.is_some() && left.body.audience.is_some());
    let (_, naming) = put(bed, &chat, &alice, named("m1", "2", "x")).await;
    assert!(naming.name_dropped, "it still has its name");
}

/// A message for some users takes a place and no ordinal, and is read back with them.
pub async fn a_directed_message_takes_no_ordinal(bed: &LogBed) {
    let alice = bed.names.user("alice").await;
    let bob = bed.names.user("bob").await;
    let chat = bed.names.channel(&group("g"), LogKind::Chat).await;
    let body = |audience: Option<Arc<[UserNum]>>| Body {
        audience,
        ..text("x")
    };
    let many: Arc<[UserNum]> = (1..=500).map(UserNum).collect();
    let bodies = [
        body(None),
        body(Some([bob.num].into())),
        body(Some(Arc::default())),
        body(Some(Arc::clone(&many))),
        body(None),
    ];
    let batch: Vec<Append> = bodies
        .iter()
        .map(|b| append(&chat, &alice, b.clone()))
        .collect();
    let outcomes = store(&*bed.log, batch).await;
    let places: Vec<(u64, u64)> = outcomes
        .iter()
        .map(|outcome| match outcome {
            AppendOutcome::Stored { seq, ordinal, .. } => (*seq, *ordinal),
            _ => panic!("{outcome:?}"),
        })
        .collect();
    assert_eq!(places, [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2)]);
    let head = Head { seq: 5, ordinal: 2 };
    assert_eq!(bed.log.heads(&[chat.num]).await.expect("heads"), [head]);
    let found = bed.log.page(&chat, EVERYTHING).await.expect("a page");
    for (message, body) in found.iter().zip(&bodies) {
        assert_eq!(*message.body, *body);
        assert!(message.is_for(alice.num), "the sender sees it");
    }
    assert!(found[1].is_for(bob.num) && !found[2].is_for(bob.num));
    let concealed = found[1].concealed();
    assert!(concealed.is_concealed && concealed.body.payload.is_empty());
    assert_eq!(concealed.body.audience, None);
    assert_eq!((concealed.id, concealed.seq), (found[1].id, 2));
    assert_eq!(concealed.body.flags, Flags::default());
}
