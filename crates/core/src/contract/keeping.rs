//! Conversations: how users keep them.

use super::room::{Room, open, place};
use super::user;
use crate::channel::{ChannelKey, LogKind};
use crate::conversation::ConversationChange::{Hide, Read};
use crate::conversation::{Keep, KeepOutcome, Screen};
use crate::id::{Realm, UserRef};
use crate::im::Stores;

async fn keep(room: &Room<'_>, user: &UserRef, wish: Keep) -> KeepOutcome {
    let inbox = &room.stores.inbox;
    let kept = inbox.keep(user.num, room.log.num, wish.clone(), false);
    let kept = kept.await.expect("kept").expect("a conversation");
    assert_eq!(room.view(user).await, kept.row, "after {wish:?}");
    kept
}

/// Each thing stays as it was said, beside the others, for this user alone.
pub async fn each_thing_is_kept_by_itself(stores: &Stores) {
    let room = Room::new(stores).await;
    room.say(&room.alice, 3).await;
    let screen = Screen {
        browsed_to: 3,
        top_seq: 2,
        top_offset: -7,
    };
    let wishes = [
        Keep {
            pinned: Some(true),
            ..Keep::default()
        },
        Keep {
            muted_until_ms: Some(i64::MAX),
            ..Keep::default()
        },
        Keep {
            marked: Some(true),
            ..Keep::default()
        },
        Keep {
            draft: Some("今天".into()),
            ..Keep::default()
        },
        Keep {
            screen: Some(screen),
            ..Keep::default()
        },
    ];
    for wish in wishes.clone() {
        assert!(keep(&room, &room.bob, wish).await.is_changed);
    }
    let row = room.view(&room.bob).await;
    assert!(row.pinned_at_ms > 0);
    assert_eq!(row.kept.muted_until_ms, i64::MAX);
    assert!(row.kept.marked && row.kept.draft_at_ms > 0);
    assert_eq!((&*row.kept.draft, row.kept.screen), ("今天", screen));
    assert_eq!(
        (place(&row), row.unread()),
        ((0, 0, 0), 3),
        "nothing is read"
    );
    for wish in wishes {
        let again = keep(&room, &room.bob, wish.clone()).await;
        assert_eq!((again.is_changed, &again.row), (false, &row), "{wish:?}");
    }
    let other = room.view(&room.alice).await;
    assert_eq!((other.pinned_at_ms, other.kept), (0, Default::default()));
    let none = Keep {
        pinned: Some(false),
        muted_until_ms: Some(0),
        marked: Some(false),
        draft: Some("".into()),
        screen: Some(Screen::default()),
        ..Keep::default()
    };
    let row = keep(&room, &room.bob, none).await.row;
    assert_eq!((row.pinned_at_ms, row.kept.muted_until_ms), (0, 0));
    assert!(!row.kept.marked && row.kept.draft.is_empty());
    assert_eq!(row.kept.screen, Screen::default());
}

/// Reading takes a mark away; what else is kept stays.
pub async fn reading_takes_a_mark_away(stores: &Stores) {
    let room = Room::new(stores).await;
    room.say(&room.alice, 2).await;
    let mark = Keep {
        marked: Some(true),
        draft: Some("x".into()),
        ..Keep::default()
    };
    keep(&room, &room.bob, mark.clone()).await;
    let marked = room.view(&room.bob).await;
    let read = room.change(&room.bob, Read(None)).await;
    assert_eq!((read.kept.marked, &*read.kept.draft), (false, "x"));
    assert!(read.kept.version > marked.kept.version);
    keep(&room, &room.bob, mark).await;
    room.say(&room.alice, 1).await;
    let all_read = Keep {
        read: true,
        ..Keep::default()
    };
    let read = keep(&room, &room.bob, all_read).await.row;
    assert_eq!(
        (read.kept.marked, read.unread(), read.read_seq),
        (false, 0, 3)
    );
}

/// The history begins where it is told, never earlier than before, and never after the head.
pub async fn history_is_cleared_up_to_a_place(stores: &Stores) {
    let room = Room::new(stores).await;
    room.say(&room.alice, 5).await;
    let clear = |to| Keep {
        cleared_to: Some(to),
        ..Keep::default()
    };
    for (to, begins_after, unread) in [(2, 2, 3), (1, 2, 3), (4, 4, 1), (99, 5, 0)] {
        let row = keep(&room, &room.bob, clear(to)).await.row;
        let found = (row.begins_after, row.unread(), row.read_seq);
        assert_eq!(found, (begins_after, unread, begins_after), "to {to}");
    }
    room.say(&room.alice, 1).await;
    let row = room.view(&room.bob).await;
    assert_eq!((row.begins_after, row.unread()), (5, 1));
    assert_eq!(room.view(&room.alice).await.begins_after, 0);
}

/// Put away and taken back; what else is kept stays.
pub async fn hiding_is_kept_beside_the_rest(stores: &Stores) {
    let room = Room::new(stores).await;
    let hide = |hidden| Keep {
        pinned: Some(true),
        hidden: Some(hidden),
        ..Keep::default()
    };
    // Nothing was said there yet.
    assert!(keep(&room, &room.bob, hide(true)).await.row.is_hidden());
    assert!(room.view(&room.bob).await.is_hidden());
    assert!(!keep(&room, &room.bob, hide(false)).await.row.is_hidden());
    room.say(&room.alice, 1).await;
    assert!(keep(&room, &room.bob, hide(true)).await.row.is_hidden());
    let shown = keep(&room, &room.bob, hide(false)).await.row;
    assert!(!shown.is_hidden() && shown.pinned_at_ms > 0);
    let hidden = room.change(&room.bob, Hide).await;
    assert!(hidden.is_hidden() && hidden.pinned_at_ms == shown.pinned_at_ms);
    let gone = Keep {
        hidden: Some(true),
        cleared_to: Some(u64::MAX),
        ..Keep::default()
    };
    let gone = keep(&room, &room.bob, gone).await.row.view();
    assert!(gone.hidden && gone.deleted);
}

/// Versions rise over all conversations of a user, and the list of changes goes by them.
pub async fn changes_come_in_their_order(stores: &Stores) {
    let room = Room::new(stores).await;
    let peer = ChannelKey::direct(&Realm::default(), &room.alice.uid, &room.bob.uid);
    let direct = open(stores, &peer, LogKind::Chat).await;
    let wish = |draft: &str| Keep {
        draft: Some(draft.into()),
        ..Keep::default()
    };
    let (bob, inbox) = (room.bob.num, &stores.inbox);
    let refused = inbox.keep(bob, direct.num, wish("x"), false).await;
    assert_eq!(
        refused.expect("an answer"),
        None,
        "nothing to do with it yet"
    );
    let mut last = 0;
    for draft in ["a", "b", "c"] {
        for log in [&room.log, &direct] {
            let kept = inbox.keep(bob, log.num, wish(draft), true).await;
            let version = kept.expect("kept").expect("a row").row.kept.version;
            assert!(version > last);
            last = version;
        }
    }
    let all = inbox.kept_since(bob, 0, 10).await.expect("a list");
    let found: Vec<_> = all.iter().map(|row| row.channel.num).collect();
    assert_eq!(found, [room.log.num, direct.num]);
    assert!(!all[1].is_hidden(), "something was begun there");
    let since = inbox.kept_since(bob, all[0].kept.version, 10).await;
    assert_eq!(since.expect("a list").len(), 1);
    assert_eq!(inbox.kept_since(bob, 0, 1).await.expect("a list").len(), 1);
    assert!(
        inbox
            .kept_since(bob, last, 10)
            .await
            .expect("none")
            .is_empty()
    );
    room.leave(&room.bob).await;
    assert_eq!(inbox.kept_since(bob, 0, 10).await.expect("a list").len(), 1);
    let stranger = user(&*stores.directory, "carol").await;
    let refused = inbox.keep(stranger.num, room.log.num, wish("x"), false);
    assert_eq!(refused.await.expect("an answer"), None);
}
