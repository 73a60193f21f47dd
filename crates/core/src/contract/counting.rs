//! Conversations: what still counts as unread once messages are revoked, dropped, or cleared
//! away.

use super::room::{Room, place};
use super::{EVERYTHING, append, store, text, user};
use crate::channel::{ChannelChange, HistoryFrom};
use crate::conversation::ConversationChange::{Clear, Hide, Read, SetUnread};
use crate::im::Stores;
use crate::message::{Body, Flags};

/// A revoked message is unread for nobody, whoever has read how far.
pub async fn what_is_revoked_no_longer_counts(stores: &Stores) {
    let room = Room::new(stores).await;
    let carol = user(&*stores.directory, "carol").await;
    room.say(&room.alice, 3).await;
    room.whisper(&room.alice).await;
    room.join(&carol).await;
    room.say(&room.alice, 3).await;
    room.change(&room.bob, Read(Some(2))).await;
    let unread = async || {
        let mut found = Vec::new();
        for user in [&room.alice, &room.bob, &carol] {
            let view = room.view(user).await;
            let all = stores.inbox.conversations(user.num).await.expect("inbox");
            let alone = std::slice::from_ref(&view);
            assert_eq!(all, alone, "the list says the same");
            found.push(view.unread());
        }
        found
    };
    assert_eq!(unread().await, [0, 4, 3]);
    let steps: [(u64, [u64; 3]); 5] = [
        // Read by bob, before carol's join.
        (1, [0, 4, 3]),
        (3, [0, 3, 3]),
        // It never counted.
        (4, [0, 3, 3]),
        (5, [0, 2, 2]),
        (7, [0, 1, 1]),
    ];
    for (seq, expected) in steps {
        room.revoke(seq).await;
        assert_eq!(unread().await, expected, "after revoking {seq}");
        room.revoke(seq).await;
        assert_eq!(unread().await, expected, "after revoking {seq} again");
    }
    assert_eq!(room.view(&room.bob).await.head_seq, 7);
    room.say(&room.bob, 1).await;
    assert_eq!(unread().await, [1, 0, 2]);
    room.revoke(8).await;
    assert_eq!(unread().await, [0, 0, 1]);
    room.change(&carol, Read(None)).await;
    assert_eq!(unread().await, [0, 0, 0]);
}

/// After "unread is n" it is n, if so many still count.
pub async fn unread_is_set_among_what_still_counts(stores: &Stores) {
    let room = Room::new(stores).await;
    room.say(&room.alice, 4).await;
    room.whisper(&room.alice).await;
    room.say(&room.alice, 4).await;
    for seq in [2, 4, 5, 8, 9] {
        room.revoke(seq).await;
    }
    // 1, 3, 6 and 7 still count.
    let steps = [
        (SetUnread(0), 9, 0),
        (SetUnread(1), 6, 1),
        (SetUnread(2), 5, 2),
        (SetUnread(3), 2, 3),
        (SetUnread(4), 0, 4),
        (SetUnread(5), 0, 4),
        (SetUnread(u64::MAX), 0, 4),
        (Read(Some(3)), 3, 2),
        (Read(Some(6)), 6, 1),
    ];
    for (step, (change, badge, unread)) in steps.into_iter().enumerate() {
        let view = room.change(&room.bob, change).await;
        assert_eq!(
            (view.badge_seq, view.unread()),
            (badge, unread),
            "step {step}: {change:?}"
        );
    }
    room.change(&room.bob, SetUnread(2)).await;
    room.revoke(7).await;
    assert_eq!(room.unread(&room.bob).await, 1);
    room.say(&room.alice, 1).await;
    assert_eq!(room.unread(&room.bob).await, 2);
}

/// What was cleared away is read, and gone for the one who did it.
pub async fn clearing_is_for_oneself(stores: &Stores) {
    let room = Room::new(stores).await;
    room.say(&room.alice, 3).await;
    let cleared = room.change(&room.bob, Clear).await;
    assert_eq!((place(&cleared), cleared.unread()), ((3, 3, 3), 0));
    assert_eq!((cleared.begins_after, cleared.head_seq), (3, 3));
    assert_eq!(room.view(&room.alice).await.begins_after, 0);
    // What cannot be read is not unread, whatever is asked for.
    let nothing = room.change(&room.bob, SetUnread(2)).await;
    assert_eq!((nothing.badge_seq, nothing.unread()), (3, 0));
    room.say(&room.alice, 2).await;
    let all = room.change(&room.bob, SetUnread(9)).await;
    assert_eq!((all.badge_seq, all.unread(), all.begins_after), (3, 2, 3));
    for change in [Hide, Read(None), SetUnread(1)] {
        assert_eq!(room.change(&room.bob, change).await.begins_after, 3);
    }
    let again = room.change(&room.bob, Clear).await;
    assert_eq!((again.begins_after, again.unread()), (5, 0));
    // It stays so for one who comes back.
    room.leave(&room.bob).await;
    room.join(&room.bob).await;
    assert_eq!(room.view(&room.bob).await.begins_after, 5);
}

/// What retention dropped is unread for nobody; who comes later finds the right places.
pub async fn what_was_dropped_is_never_unread(stores: &Stores) {
    let room = Room::new(stores).await;
    room.say(&room.alice, 2).await;
    room.whisper(&room.alice).await;
    room.say(&room.alice, 3).await;
    room.revoke(2).await;
    room.revoke(5).await;
    // Ordinals 1 2 2 3 4 5 at seqs 1 to 6; 2 and 5 no longer count.
    assert_eq!(room.unread(&room.bob).await, 3);
    let steps = [(2, 1, 2), (3, 2, 2), (4, 3, 2), (5, 4, 1), (6, 5, 1)];
    for (keep, begins_after, unread) in steps {
        room.drop_before(keep).await;
        let view = room.view(&room.bob).await;
        assert_eq!(
            (view.begins_after, view.unread(), view.badge_seq),
            (begins_after, unread, begins_after),
            "from {keep} on"
        );
        let all = stores.inbox.conversations(room.bob.num).await;
        assert_eq!(all.expect("inbox"), [view], "the list says the same");
    }
    let all = room.change(&room.bob, SetUnread(9)).await;
    assert_eq!((all.badge_seq, all.unread()), (5, 1));
    room.drop_before(u64::MAX).await;
    let empty = room.view(&room.bob).await;
    assert_eq!((empty.head_seq, empty.head_ordinal), (6, 5));
    assert_eq!((empty.head, empty.begins_after), (None, 6));
    assert_eq!((empty.unread(), empty.uncounted), (0, 0));
    let carol = user(&*stores.directory, "carol").await;
    room.join(&carol).await;
    assert_eq!(place(&room.view(&carol).await), (6, 6, 5));
    for change in [Read(None), Read(Some(2)), SetUnread(3), Clear] {
        let view = room.change(&room.bob, change).await;
        assert_eq!((view.unread(), view.badge_seq), (0, 6), "{change:?}");
    }
    room.say(&room.alice, 1).await;
    for user in [&room.bob, &carol] {
        let view = room.view(user).await;
        assert_eq!((view.head_seq, view.head_ordinal, view.unread()), (7, 6, 1));
    }
    assert_eq!(room.unread(&room.alice).await, 0);
}

/// Where members see only what was said since their join, nothing before it is unread,
/// however far back the badge was set before.
pub async fn what_was_said_before_the_join_is_unread_only_if_readable(stores: &Stores) {
    let room = Room::new(stores).await;
    room.say(&room.alice, 3).await;
    let carol = user(&*stores.directory, "carol").await;
    room.join(&carol).await;
    room.say(&room.alice, 1).await;
    assert_eq!(room.change(&carol, SetUnread(3)).await.unread(), 3);
    let since = ChannelChange {
        history: Some(HistoryFrom::SinceJoin),
        ..ChannelChange::default()
    };
    let key = room.log.key.clone();
    stores.channels.put(&key, &since).await.expect("put");
    assert_eq!(room.unread(&carol).await, 1);
    let all = room.change(&carol, SetUnread(3)).await;
    assert_eq!((all.badge_seq, all.unread()), (3, 1));
    room.revoke(4).await;
    assert_eq!(room.unread(&carol).await, 0);
}

/// The place of the newest message is right while everything is dropped beside new sends.
pub async fn dropping_beside_sending_loses_no_count(stores: &Stores) {
    let room = Room::new(stores).await;
    let silent = || Body {
        flags: Flags::default(),
        ..text("silent")
    };
    let mut ordinal = 0;
    for turn in 1..=20_u64 {
        let body = if turn % 4 == 0 { silent() } else { text("x") };
        ordinal += u64::from(body.flags.counts);
        store(&*stores.log, vec![append(&room.log, &room.alice, body)]).await;
        if turn % 3 == 0 {
            room.drop_before(u64::MAX).await;
        }
        let view = room.view(&room.bob).await;
        assert_eq!((view.head_seq, view.head_ordinal), (turn, ordinal));
        let kept = stores
            .log
            .page(&room.log, EVERYTHING)
            .await
            .expect("a page");
        let counting = kept.iter().filter(|m| m.body.flags.counts).count();
        assert_eq!(view.unread(), counting as u64, "turn {turn}");
    }
}
