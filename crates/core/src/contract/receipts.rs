//! Read receipts and the states of messages.

use std::sync::Arc;

use super::room::Room;
use super::{EVERYTHING, append, numbered, store, user};
use crate::id::{MessageId, UserRef};
use crate::im::Stores;
use crate::message::{Body, Flags, Message};
use crate::receipt::{MessageState, NewlyRead};

/// The cases of receipts, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! receipts_contract {
    ($make:path) => {
        $crate::contract_tests!($make, receipts:
            each_who_reads_is_noted_once,
            only_what_asks_has_receipts,
            the_newest_are_noted_first,
            changes_come_in_the_order_of_versions,
            receipts_go_with_their_messages,
            readers_come_in_pages,
            many_who_read_at_once_are_all_counted,
        );
    };
}

/// Asks for a receipt.
fn asking(client_no: &str) -> Body {
    Body {
        flags: Flags {
            counts: true,
            receipt: true,
            ..Flags::default()
        },
        ..numbered(client_no, "x")
    }
}

async fn say(room: &Room<'_>, by: &UserRef, body: Body) {
    store(&*room.stores.log, vec![append(&room.log, by, body)]).await;
}

async fn all(room: &Room<'_>) -> Vec<Message> {
    let page = room.stores.log.page(&room.log, EVERYTHING).await;
    page.expect("a page")
}

async fn read(
    room: &Room<'_>,
    reader: &UserRef,
    (from, to): (u64, u64),
    limit: u32,
) -> Vec<NewlyRead> {
    let receipts = &room.stores.receipts;
    let read = receipts.read(room.log.num, reader.num, from..=to, 77, limit);
    read.await.expect("noted")
}

async fn changed(room: &Room<'_>, version: i64, limit: u32) -> Vec<MessageState> {
    let receipts = &room.stores.receipts;
    let changed = receipts.changed_since(room.log.num, version, limit).await;
    changed.expect("an answer")
}

fn counts(read: &[NewlyRead]) -> Vec<(u64, u64)> {
    read.iter()
        .map(|read| (read.seq, read.read_count))
        .collect()
}

/// Once for each reader, with what the author needs to know.
pub async fn each_who_reads_is_noted_once(stores: &Stores) {
    let room = Room::new(stores).await;
    let carol = user(&*stores.directory, "carol").await;
    let body = Body {
        name: Some("m1".into()),
        ..asking("n1")
    };
    say(&room, &room.alice, body).await;
    let message = all(&room).await.remove(0);
    let found = read(&room, &room.bob, (1, 9), 10).await;
    let expected = NewlyRead {
        id: message.id,
        seq: 1,
        sender: room.alice.clone(),
        client_no: "n1".into(),
        name: Some("m1".into()),
        origin: message.body.origin,
        flags: message.body.flags,
        read_count: 1,
    };
    assert_eq!(found, [expected]);
    assert_eq!(read(&room, &room.bob, (1, 9), 10).await, []);
    assert_eq!(counts(&read(&room, &carol, (1, 9), 10).await), [(1, 2)]);
    assert_eq!(read(&room, &room.alice, (1, 9), 10).await, []);
    let mut readers = [(room.bob.num, 77), (carol.num, 77)];
    readers.sort_unstable();
    let of = stores.receipts.of(message.id, None, 10).await;
    assert_eq!(of.expect("an answer"), readers);
    let states = stores.receipts.states(&[MessageId(1), message.id]).await;
    let states = states.expect("an answer");
    let [state] = &states[..] else {
        panic!("{states:?}")
    };
    assert_eq!(
        (state.id, state.seq, state.asked, state.read_count),
        (message.id, 1, true, 2)
    );
    assert_eq!(state.revoked, None);
    // It counts as before, and is what it was.
    assert_eq!(room.unread(&room.bob).await, 1);
    assert_eq!(all(&room).await, [message]);
}

/// Not what does not ask, is one's own, is revoked, or is for others; and of a stretch only
/// what stands in it.
pub async fn only_what_asks_has_receipts(stores: &Stores) {
    let room = Room::new(stores).await;
    let carol = user(&*stores.directory, "carol").await;
    let (alice, bob) = (&room.alice, &room.bob);
    let only = |user: &UserRef| Body {
        audience: Some([user.num].into()),
        ..asking("")
    };
    say(&room, alice, numbered("", "does not ask")).await;
    for _ in 0..2 {
        say(&room, alice, asking("")).await;
    }
    say(&room, bob, asking("")).await;
    say(&room, alice, only(&carol)).await;
    say(&room, alice, only(bob)).await;
    say(&room, alice, asking("")).await;
    room.revoke(3).await;
    assert_eq!(counts(&read(&room, bob, (5, 6), 10).await), [(6, 1)]);
    assert_eq!(
        counts(&read(&room, bob, (1, 99), 10).await),
        [(7, 1), (2, 1)]
    );
    assert_eq!(counts(&read(&room, alice, (1, 99), 10).await), [(4, 1)]);
    let found = read(&room, &carol, (1, 99), 10).await;
    assert_eq!(counts(&found), [(7, 2), (5, 1), (4, 2), (2, 2)]);
    assert_eq!(read(&room, &carol, (9, 3), 10).await, []);
}

/// A limit leaves the oldest, which are noted the next time.
pub async fn the_newest_are_noted_first(stores: &Stores) {
    let room = Room::new(stores).await;
    for _ in 0..5 {
        say(&room, &room.alice, asking("")).await;
    }
    assert_eq!(read(&room, &room.bob, (1, 5), 0).await, []);
    let first = read(&room, &room.bob, (1, 5), 2).await;
    assert_eq!(counts(&first), [(5, 1), (4, 1)]);
    let rest = read(&room, &room.bob, (1, 5), 9).await;
    assert_eq!(counts(&rest), [(3, 1), (2, 1), (1, 1)]);
}

/// Receipts and revocations, each version once, and a later change moves a message back.
pub async fn changes_come_in_the_order_of_versions(stores: &Stores) {
    let room = Room::new(stores).await;
    let carol = user(&*stores.directory, "carol").await;
    assert_eq!(changed(&room, i64::MIN, 9).await, []);
    for _ in 0..4 {
        say(&room, &room.alice, asking("")).await;
    }
    read(&room, &room.bob, (1, 3), 9).await;
    room.revoke(4).await;
    room.revoke(1).await;
    let seqs = |states: &[MessageState]| states.iter().map(|s| s.seq).collect::<Vec<_>>();
    let states = changed(&room, i64::MIN, 99).await;
    assert_eq!(seqs(&states), [3, 2, 4, 1]);
    assert!(states.is_sorted_by(|one, next| one.version < next.version));
    let (revoked, both) = (&states[2], &states[3]);
    assert_eq!((revoked.asked, revoked.read_count), (false, 0));
    assert_eq!((both.asked, both.read_count), (true, 1));
    let page = all(&room).await;
    let revocation = |message: &Message| message.revoked.as_deref().cloned();
    assert_eq!(revoked.revoked, revocation(&page[3]));
    assert_eq!(both.revoked, revocation(&page[0]));
    assert!(both.revoked.is_some());
    // In pages, and only what has changed since.
    let first = changed(&room, i64::MIN, 2).await;
    assert_eq!(first[..], states[..2]);
    let next = changed(&room, first[1].version, 2).await;
    assert_eq!(next[..], states[2..]);
    let last = states[3].version;
    assert_eq!(changed(&room, last, 9).await, []);
    read(&room, &carol, (2, 2), 9).await;
    let again = changed(&room, last, 9).await;
    assert_eq!(seqs(&again), [2]);
    assert_eq!(again[0].read_count, 2);
}

/// Retention forgets them.
pub async fn receipts_go_with_their_messages(stores: &Stores) {
    let room = Room::new(stores).await;
    for _ in 0..3 {
        say(&room, &room.alice, asking("")).await;
    }
    let page = all(&room).await;
    read(&room, &room.bob, (1, 3), 9).await;
    room.drop_before(3).await;
    for (message, kept) in page.iter().zip([0, 0, 1]) {
        let of = stores.receipts.of(message.id, None, 9).await;
        assert_eq!(of.expect("an answer").len(), kept);
    }
    let states = changed(&room, i64::MIN, 9).await;
    assert_eq!(states.iter().map(|s| s.seq).collect::<Vec<_>>(), [3]);
    assert_eq!(read(&room, &room.bob, (1, 3), 9).await, []);
}

/// In order of user number.
pub async fn readers_come_in_pages(stores: &Stores) {
    let room = Room::new(stores).await;
    say(&room, &room.alice, asking("")).await;
    let id = all(&room).await[0].id;
    let mut expected = Vec::new();
    for n in 0..7 {
        let reader = user(&*stores.directory, &format!("reader{n}")).await;
        read(&room, &reader, (1, 1), 9).await;
        expected.push((reader.num, 77));
    }
    expected.sort_unstable();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = stores.receipts.of(id, after, 3).await.expect("a page");
        after = page.last().map(|(user, _)| *user);
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    assert_eq!(found, expected);
}

/// Nobody is counted twice and nobody forgotten, however many come at a time.
pub async fn many_who_read_at_once_are_all_counted(stores: &Stores) {
    let room = Room::new(stores).await;
    say(&room, &room.alice, asking("")).await;
    let mut readers = Vec::new();
    for n in 0..8 {
        readers.push(user(&*stores.directory, &format!("reader{n}")).await);
    }
    let mut tasks = Vec::new();
    for reader in readers.iter().chain(&readers) {
        let (receipts, log) = (Arc::clone(&stores.receipts), room.log.num);
        let reader = reader.num;
        tasks.push(tokio::spawn(async move {
            let read = receipts.read(log, reader, 1..=1, 5, 9).await;
            read.expect("noted").len()
        }));
    }
    let mut noted = 0;
    for task in tasks {
        noted += task.await.expect("no panic");
    }
    assert_eq!(noted, 8);
    assert_eq!(changed(&room, i64::MIN, 9).await[0].read_count, 8);
}
