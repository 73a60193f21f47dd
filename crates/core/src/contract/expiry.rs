//! Messages whose time ends.

use super::room::Room;
use super::{EVERYTHING, append, store, text};
use crate::carried::Carried;
use crate::expiry::Due;
use crate::id::{MessageId, UserRef};
use crate::im::Stores;
use crate::log::AppendOutcome;
use crate::message::{Body, Gone};

/// The cases of messages that end, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! expiry_contract {
    ($make:path) => {
        $crate::contract_tests!($make, expiry:
            what_ends_is_due_then_and_once,
            due_ones_come_page_by_page,
            what_is_over_is_no_longer_unread,
            a_message_burns_once_its_receiver_reads_it,
            burning_never_makes_a_life_longer,
        );
    };
}

async fn say(
    room: &Room<'_>,
    by: &UserRef,
    expire_secs: u32,
    burn_after_ms: u64,
) -> (MessageId, i64) {
    let carried = Carried {
        burn_after_ms,
        ..Carried::default()
    };
    let body = Body {
        expire_secs,
        carried: carried.packed(),
        ..text("x")
    };
    let outcomes = store(&*room.stores.log, vec![append(&room.log, by, body)]).await;
    match outcomes[..] {
        [AppendOutcome::Stored { id, sent_at_ms, .. }] => (id, sent_at_ms),
        ref other => panic!("{other:?}"),
    }
}

async fn due(room: &Room<'_>, now_ms: i64) -> Vec<Due> {
    let due = room.stores.expiry.due(now_ms, None, 100).await;
    due.expect("looked")
}

/// Not before, until it is erased, and not if it is gone otherwise.
pub async fn what_ends_is_due_then_and_once(stores: &Stores) {
    let room = Room::new(stores).await;
    let (id, sent_at) = say(&room, &room.alice, 60, 0).await;
    let (revoked, _) = say(&room, &room.alice, 60, 0).await;
    say(&room, &room.alice, 0, 0).await;
    let erased = stores.log.erase(revoked, None, Gone::Revoked).await;
    erased.expect("erased");
    let end = sent_at + 60_000;
    assert_eq!(due(&room, end - 1).await, []);
    assert_eq!(due(&room, end).await, [Due { at_ms: end, id }]);
    let erased = stores.log.erase(id, None, Gone::Expired).await;
    erased.expect("erased");
    assert_eq!(due(&room, i64::MAX).await, []);
    let found = stores.log.by_id(id).await.expect("read").expect("there");
    assert!(found.body.payload.is_empty());
    let how = found.revoked.map(|revocation| revocation.how);
    assert_eq!(how, Some(Gone::Expired));
}

/// Ascending by time and id; also many of one moment.
pub async fn due_ones_come_page_by_page(stores: &Stores) {
    let room = Room::new(stores).await;
    let mut expected = Vec::new();
    for secs in [30, 10, 10, 20, 10] {
        let (id, sent_at) = say(&room, &room.alice, secs, 0).await;
        let at_ms = sent_at + i64::from(secs) * 1000;
        expected.push(Due { at_ms, id });
    }
    expected.sort();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = stores.expiry.due(i64::MAX, after, 2).await.expect("looked");
        let Some(last) = page.last() else { break };
        after = Some(*last);
        found.extend(page);
    }
    assert_eq!(found, expected);
}

/// Erasing takes it out of the unread counts.
pub async fn what_is_over_is_no_longer_unread(stores: &Stores) {
    let room = Room::new(stores).await;
    say(&room, &room.alice, 0, 0).await;
    let (id, _) = say(&room, &room.alice, 60, 0).await;
    assert_eq!(room.unread(&room.bob).await, 2);
    let erased = stores.log.erase(id, None, Gone::Expired).await;
    erased.expect("erased");
    assert_eq!(room.unread(&room.bob).await, 1);
}

/// Not when its author reads it, and not when other messages are read.
pub async fn a_message_burns_once_its_receiver_reads_it(stores: &Stores) {
    let room = Room::new(stores).await;
    let (alice, bob) = (&room.alice, &room.bob);
    say(&room, alice, 0, 0).await;
    let (id, _) = say(&room, alice, 0, 5_000).await;
    let log = room.log.num;
    let expiry = &stores.expiry;
    let now = 1_800_000_000_000;
    let burn = async |reader: &UserRef, seqs| expiry.burn(log, reader.num, seqs, now).await;
    assert_eq!(burn(alice, 0..=9).await.expect("looked"), 0, "the author");
    assert_eq!(
        burn(bob, 0..=1).await.expect("looked"),
        0,
        "another message"
    );
    assert_eq!(due(&room, i64::MAX).await, []);
    assert_eq!(burn(bob, 0..=9).await.expect("lit"), 1);
    assert_eq!(
        burn(bob, 0..=9).await.expect("looked"),
        0,
        "it burns already"
    );
    let at_ms = now + 5_000;
    assert_eq!(due(&room, i64::MAX).await, [Due { at_ms, id }]);
    let page = stores
        .log
        .page(&room.log, EVERYTHING)
        .await
        .expect("a page");
    assert_eq!(page.len(), 2);
    assert_eq!(&page[1].body.payload[..], b"x", "it is sound");
}

/// A timer that ends before stays.
pub async fn burning_never_makes_a_life_longer(stores: &Stores) {
    let room = Room::new(stores).await;
    let (id, sent_at) = say(&room, &room.alice, 1, 60_000).await;
    let (log, bob) = (room.log.num, room.bob.num);
    let lit = stores.expiry.burn(log, bob, 0..=9, sent_at).await;
    assert_eq!(lit.expect("looked"), 0);
    let at_ms = sent_at + 1000;
    assert_eq!(due(&room, i64::MAX).await, [Due { at_ms, id }]);
}
