//! Conversations: what is unread (data-model.md §2).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::room::{Room, open, place};
use super::{append, group, store, text, user};
use crate::channel::{LogKind, MemberChange, MemberRole};
use crate::conversation::ConversationChange::{Read, SetUnread};
use crate::im::Stores;

/// A member has a conversation from the join on, also where nothing was said.
pub async fn members_need_no_row(stores: &Stores) {
    let room = Room::new(stores).await;
    let empty = room.view(&room.alice).await;
    assert_eq!(
        (empty.head_seq, empty.head_ordinal, empty.head),
        (0, 0, None)
    );
    assert_eq!((place(&empty), empty.unread()), ((0, 0, 0), 0));
    room.say(&room.bob, 3).await;
    let view = room.view(&room.alice).await;
    assert_eq!((view.unread(), place(&view)), (3, (0, 0, 0)));
}

/// Who joins later begins at the head.
pub async fn what_was_before_the_join_is_never_unread(stores: &Stores) {
    let room = Room::new(stores).await;
    room.say(&room.alice, 2).await;
    room.whisper(&room.alice).await;
    let carol = user(&*stores.directory, "carol").await;
    assert_eq!(room.look(&carol).await, None);
    room.join(&carol).await;
    let view = room.view(&carol).await;
    assert_eq!((place(&view), view.unread()), ((3, 3, 2), 0));
    assert_eq!(view.begins_after, 0, "the history is there all the same");
    room.say(&room.alice, 1).await;
    assert_eq!(
        (room.unread(&carol).await, room.unread(&room.bob).await),
        (1, 3)
    );
}

/// Messages that do not count, and the whole command log, are never unread.
pub async fn only_counting_messages_count(stores: &Stores) {
    let room = Room::new(stores).await;
    let command = open(stores, &group("g"), LogKind::Command).await;
    room.say(&room.alice, 1).await;
    room.whisper(&room.alice).await;
    store(
        &*stores.log,
        vec![append(&command, &room.alice, text("event"))],
    )
    .await;
    let view = room.view(&room.bob).await;
    assert_eq!((view.head_seq, view.head_ordinal, view.unread()), (2, 1, 1));
    assert_eq!(
        stores
            .inbox
            .conversations(room.bob.num)
            .await
            .expect("inbox")
            .len(),
        1
    );
    let in_command = stores.inbox.conversation(room.bob.num, command.num).await;
    assert_eq!(in_command.expect("inbox"), None);
}

/// Sending reads everything before it, at once.
pub async fn own_sends_are_read(stores: &Stores) {
    let room = Room::new(stores).await;
    room.say(&room.alice, 3).await;
    room.say(&room.bob, 1).await;
    assert_eq!(place(&room.view(&room.bob).await), (4, 4, 4));
    assert_eq!(place(&room.view(&room.alice).await), (3, 3, 3));
    assert_eq!(
        (room.unread(&room.alice).await, room.unread(&room.bob).await),
        (1, 0)
    );
    // A silent one reads as well, and two in one batch are as good as one.
    room.whisper(&room.alice).await;
    assert_eq!(place(&room.view(&room.alice).await), (5, 5, 4));
    room.say(&room.bob, 2).await;
    assert_eq!(
        (room.unread(&room.alice).await, room.unread(&room.bob).await),
        (2, 0)
    );
    room.change(&room.alice, Read(Some(6))).await;
    assert_eq!(room.unread(&room.alice).await, 1);
}

/// There is no moment at which a sender's own message is unread to them.
pub async fn own_sends_are_read_at_every_moment(stores: &Stores) {
    let room = Room::new(stores).await;
    let done = Arc::new(AtomicBool::new(false));
    let watcher = {
        let (inbox, done) = (Arc::clone(&stores.inbox), Arc::clone(&done));
        let (user, log) = (room.alice.num, room.log.num);
        tokio::spawn(async move {
            let mut seen = 0;
            while !done.load(Ordering::SeqCst) {
                let view = inbox
                    .conversation(user, log)
                    .await
                    .expect("inbox")
                    .expect("a row");
                assert_eq!(view.unread(), 0, "at head {}", view.head_seq);
                assert_eq!(view.read_seq, view.head_seq);
                assert!(view.head_seq >= seen);
                seen = view.head_seq;
                tokio::task::yield_now().await;
            }
        })
    };
    for _ in 0..150 {
        room.say(&room.alice, 3).await;
    }
    done.store(true, Ordering::SeqCst);
    watcher.await.expect("nothing was unread");
    assert_eq!(room.unread(&room.bob).await, 450);
}

/// Who may send without being a member (the system, an application) has no conversation.
pub async fn who_does_not_take_part_gets_nothing(stores: &Stores) {
    let room = Room::new(stores).await;
    let system = user(&*stores.directory, "announcer").await;
    room.say(&system, 2).await;
    assert_eq!(room.look(&system).await, None);
    assert!(
        stores
            .inbox
            .conversations(system.num)
            .await
            .expect("inbox")
            .is_empty()
    );
    assert_eq!(room.unread(&room.alice).await, 2);
    // What was sent before the join is not taken for reading after it.
    room.join(&system).await;
    room.say(&room.alice, 1).await;
    assert_eq!(room.unread(&system).await, 1);
}

/// Reading moves both places forward, never back, and no further than the head.
pub async fn reading_goes_forward(stores: &Stores) {
    let room = Room::new(stores).await;
    room.say(&room.alice, 2).await;
    room.whisper(&room.alice).await;
    room.say(&room.alice, 2).await;
    let steps = [
        (Read(Some(0)), (0, 0, 0), 4),
        (Read(Some(1)), (1, 1, 1), 3),
        (Read(Some(3)), (3, 3, 2), 2),
        (Read(Some(2)), (3, 3, 2), 2),
        (Read(Some(0)), (3, 3, 2), 2),
        (Read(Some(u64::MAX)), (5, 5, 4), 0),
        (Read(None), (5, 5, 4), 0),
        (SetUnread(3), (5, 1, 1), 3),
        (Read(Some(4)), (5, 4, 3), 1),
        (Read(None), (5, 5, 4), 0),
    ];
    for (step, (change, expected, unread)) in steps.into_iter().enumerate() {
        let view = room.change(&room.bob, change).await;
        assert_eq!(
            (place(&view), view.unread()),
            (expected, unread),
            "step {step}: {change:?}"
        );
    }
    room.say(&room.alice, 1).await;
    assert_eq!(room.unread(&room.bob).await, 1);
}

/// The badge goes where it is told; the read position only ever forward.
pub async fn unread_is_set_either_way(stores: &Stores) {
    let room = Room::new(stores).await;
    // Ordinals 1 2 2 2 3 at seqs 1 to 5.
    room.say(&room.alice, 2).await;
    room.whisper(&room.alice).await;
    room.whisper(&room.alice).await;
    room.say(&room.alice, 1).await;
    let steps = [
        (SetUnread(1), (4, 4, 2), 1),
        (SetUnread(2), (4, 1, 1), 2),
        (SetUnread(3), (4, 0, 0), 3),
        (SetUnread(99), (4, 0, 0), 3),
        (SetUnread(0), (5, 5, 3), 0),
        (SetUnread(u64::MAX), (5, 0, 0), 3),
        (Read(Some(2)), (5, 2, 2), 1),
        (Read(None), (5, 5, 3), 0),
    ];
    for (step, (change, expected, unread)) in steps.into_iter().enumerate() {
        let view = room.change(&room.bob, change).await;
        assert_eq!(
            (place(&view), view.unread()),
            (expected, unread),
            "step {step}: {change:?}"
        );
    }
    room.change(&room.bob, SetUnread(2)).await;
    room.say(&room.alice, 2).await;
    assert_eq!(room.unread(&room.bob).await, 4);
    room.say(&room.bob, 1).await;
    assert_eq!(room.unread(&room.bob).await, 0);
    let quiet = open(stores, &group("quiet"), LogKind::Chat).await;
    let join = MemberChange::Join(room.bob.clone(), MemberRole::Member);
    stores
        .channels
        .change_members(quiet.num, &[join])
        .await
        .expect("joined");
    let nothing = stores
        .inbox
        .change(room.bob.num, quiet.num, SetUnread(5))
        .await;
    assert_eq!(nothing.expect("changed").expect("a row").unread(), 0);
}

/// An own send before the change does not come back over it; one after it does.
pub async fn set_unread_outlives_own_sends_before_it(stores: &Stores) {
    let room = Room::new(stores).await;
    room.say(&room.alice, 3).await;
    room.say(&room.bob, 1).await;
    let view = room.change(&room.bob, SetUnread(2)).await;
    assert_eq!((place(&view), view.unread()), ((4, 2, 2), 2));
    room.say(&room.alice, 1).await;
    assert_eq!(room.unread(&room.bob).await, 3);
    room.say(&room.bob, 1).await;
    assert_eq!(place(&room.view(&room.bob).await), (6, 6, 6));
}
