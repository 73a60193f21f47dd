//! Conversations: messages for some users only (data-model.md §2).

use std::sync::Arc;

use super::room::{Room, open, place};
use super::{append, group, store, text, user};
use crate::channel::LogKind;
use crate::conversation::ConversationChange::{Clear, Read, SetUnread};
use crate::delivered::{Stretch, WaitingQuery};
use crate::id::{MessageId, UserNum, UserRef};
use crate::im::Stores;
use crate::message::{Body, Flags};

async fn tell(room: &Room<'_>, by: &UserRef, to: &[&UserRef], counts: bool) {
    let body = Body {
        audience: Some(to.iter().map(|user| user.num).collect()),
        flags: Flags {
            counts,
            ..Flags::default()
        },
        ..text("for some")
    };
    store(&*room.stores.log, vec![append(&room.log, by, body)]).await;
}

async fn unread(room: &Room<'_>, users: [&UserRef; 3]) -> [u64; 3] {
    let mut found = [0; 3];
    for (user, found) in users.into_iter().zip(&mut found) {
        let view = room.view(user).await;
        let all = room.stores.inbox.conversations(user.num).await;
        let all = all.expect("inbox");
        assert_eq!(all, std::slice::from_ref(&view), "the list says the same");
        *found = view.unread();
    }
    found
}

/// Those of its audience have it unread until they read it or it is revoked; nobody else.
pub async fn it_is_unread_for_those_it_is_for(stores: &Stores) {
    let room = Room::new(stores).await;
    let carol = user(&*stores.directory, "carol").await;
    room.join(&carol).await;
    let (alice, bob) = (&room.alice, &room.bob);
    let all = [alice, bob, &carol];
    room.say(alice, 1).await;
    tell(&room, alice, &[bob], true).await;
    assert_eq!(unread(&room, all).await, [0, 2, 1]);
    // One that does not count, one to oneself, one to somebody twice.
    tell(&room, alice, &[bob, &carol], false).await;
    tell(&room, alice, &[alice], true).await;
    tell(&room, alice, &[bob, bob, &carol], true).await;
    assert_eq!(unread(&room, all).await, [0, 3, 2]);
    let view = room.view(bob).await;
    assert_eq!((view.head_seq, view.head_ordinal, view.directed), (5, 1, 2));
    // Sending reads it, reading up to it as well.
    tell(&room, &carol, &[alice], true).await;
    assert_eq!(unread(&room, all).await, [1, 3, 0]);
    room.change(bob, Read(Some(2))).await;
    assert_eq!(unread(&room, all).await, [1, 1, 0]);
    for _ in 0..2 {
        room.revoke(5).await;
        assert_eq!(unread(&room, all).await, [1, 0, 0]);
    }
    room.change(bob, SetUnread(9)).await;
    assert_eq!(unread(&room, all).await, [1, 2, 0]);
    room.revoke(2).await;
    assert_eq!(unread(&room, all).await, [1, 1, 0]);
    room.change(alice, Clear).await;
    assert_eq!(unread(&room, all).await, [0, 1, 0]);
}

/// "Unread is n" counts what is for everybody and what is for oneself alone.
pub async fn unread_is_set_among_both_kinds(stores: &Stores) {
    let room = Room::new(stores).await;
    let carol = user(&*stores.directory, "carol").await;
    let (alice, bob) = (&room.alice, &room.bob);
    // For bob count: 1, 2, 5, 6 and 8.
    room.say(alice, 1).await;
    tell(&room, alice, &[bob], true).await;
    tell(&room, alice, &[&carol], true).await;
    room.whisper(alice).await;
    tell(&room, alice, &[bob, &carol], true).await;
    room.say(alice, 2).await;
    tell(&room, alice, &[bob], true).await;
    room.revoke(7).await;
    for (n, badge) in [(0, 8), (1, 7), (2, 5), (3, 4), (4, 1), (5, 0), (6, 0)] {
        let view = room.change(bob, SetUnread(n)).await;
        assert_eq!((view.unread(), view.badge_seq), (n.min(5), badge), "{n}");
    }
    let view = room.change(bob, Read(Some(5))).await;
    assert_eq!((place(&view), view.unread()), ((8, 5, 1), 2));
}

/// What retention dropped is unread for nobody, and what waits is for those it is for.
pub async fn it_is_dropped_with_the_rest(stores: &Stores) {
    let room = Room::new(stores).await;
    let (alice, bob) = (&room.alice, &room.bob);
    for _ in 0..3 {
        tell(&room, alice, &[bob], true).await;
    }
    room.say(alice, 1).await;
    assert_eq!(room.unread(bob).await, 4);
    room.drop_before(3).await;
    assert_eq!(room.unread(bob).await, 2);
    let view = room.change(bob, SetUnread(9)).await;
    assert_eq!((view.unread(), view.badge_seq), (2, 2));
}

/// It waits, in both logs, for those it is for, and for its sender's other devices.
pub async fn it_waits_for_those_it_is_for(stores: &Stores) {
    let room = Room::new(stores).await;
    let carol = user(&*stores.directory, "carol").await;
    room.join(&carol).await;
    let (alice, bob) = (&room.alice, &room.bob);
    let command = open(stores, &group("g"), LogKind::Command).await;
    room.say(alice, 1).await;
    tell(&room, alice, &[bob], true).await;
    tell(&room, alice, &[&carol], true).await;
    let body = Body {
        audience: Some([carol.num].into()),
        ..text("event")
    };
    store(&*stores.log, vec![append(&command, alice, body)]).await;
    room.say(alice, 1).await;
    let query = WaitingQuery {
        per_log: 100,
        messages: 2,
        bytes: usize::MAX,
        only: None,
    };
    let end = MessageId(i64::MAX - 1);
    for (user, expected) in [
        (alice, vec![(0, 1), (0, 2), (0, 3), (1, 1), (0, 4)]),
        (bob, vec![(0, 1), (0, 2), (0, 4)]),
        (&carol, vec![(0, 1), (0, 3), (1, 1), (0, 4)]),
    ] {
        let (mut found, mut from) = (Vec::new(), MessageId(1));
        while from < end {
            let at = vec![Stretch { lo: from, hi: end }];
            let waiting = stores.devices.waiting(user.num, at, query).await;
            let waiting = waiting.expect("waiting");
            assert!(
                waiting
                    .messages
                    .iter()
                    .all(|message| message.is_for(user.num))
            );
            found.extend(waiting.messages);
            from = MessageId(waiting.through.0 + 1);
        }
        let places = found.iter().map(|m| (m.channel.log as u8, m.seq));
        assert_eq!(
            places.collect::<Vec<_>>(),
            expected,
            "{}",
            user.uid.as_str()
        );
        // One that stands alone is looked at, too.
        let ids: Vec<MessageId> = found.iter().map(|message| message.id).collect();
        let log = stores.log.page(&room.log, super::EVERYTHING).await;
        for message in log.expect("a page") {
            let (lo, hi) = (message.id, message.id);
            let at = vec![Stretch { lo, hi }];
            let waiting = stores.devices.waiting(user.num, at, query).await;
            let is_there = !waiting.expect("waiting").messages.is_empty();
            assert_eq!(is_there, ids.contains(&message.id));
        }
    }
}

/// An audience as large as it may be.
pub async fn an_audience_may_be_large(stores: &Stores) {
    let room = Room::new(stores).await;
    let others = (1_000_000..1_000_499).map(UserNum);
    let audience: Arc<[UserNum]> = others.chain([room.bob.num]).collect();
    let body = Body {
        audience: Some(audience),
        ..text("x")
    };
    let batch = vec![append(&room.log, &room.alice, body)];
    store(&*stores.log, batch).await;
    assert_eq!(room.unread(&room.bob).await, 1);
    room.drop_before(9).await;
    assert_eq!(room.unread(&room.bob).await, 0);
}
