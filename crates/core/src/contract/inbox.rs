//! Conversations: who has which, and what they show.

use std::sync::Arc;

use super::room::{Room, open, place};
use super::{append, group, store, text, user};
use crate::channel::{
    ChannelChange, ChannelKey, ChannelRef, HistoryFrom, LogKind, MemberChange, MemberRole,
};
use crate::conversation::ConversationChange::{Hide, Read, SetUnread};
use crate::conversation::ConversationRow;
use crate::id::{Realm, UserRef};
use crate::im::Stores;

/// The cases of conversations and unread, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! inbox_contract {
    ($make:path) => {
        $crate::contract_tests!($make, inbox:
            first_contact_makes_both_conversations,
            a_channel_without_words_is_no_direct_conversation,
            notes_to_oneself_are_read,
            leaving_ends_it_and_coming_back_begins_anew,
            history_may_begin_at_the_join,
            hidden_until_somebody_speaks,
            versions_grow,
            all_conversations_agree_with_each,
        );
        $crate::contract_tests!($make, keeping:
            each_thing_is_kept_by_itself,
            reading_takes_a_mark_away,
            history_is_cleared_up_to_a_place,
            hiding_is_kept_beside_the_rest,
            changes_come_in_their_order,
        );
        $crate::contract_tests!($make, unread:
            members_need_no_row,
            what_was_before_the_join_is_never_unread,
            only_counting_messages_count,
            own_sends_are_read,
            own_sends_are_read_at_every_moment,
            who_does_not_take_part_gets_nothing,
            reading_goes_forward,
            unread_is_set_either_way,
            set_unread_outlives_own_sends_before_it,
        );
        $crate::contract_tests!($make, directed:
            it_is_unread_for_those_it_is_for,
            unread_is_set_among_both_kinds,
            it_is_dropped_with_the_rest,
            it_waits_for_those_it_is_for,
            an_audience_may_be_large,
        );
        $crate::contract_tests!($make, counting:
            what_is_revoked_no_longer_counts,
            unread_is_set_among_what_still_counts,
            clearing_is_for_oneself,
            what_was_dropped_is_never_unread,
            what_was_said_before_the_join_is_unread_only_if_readable,
            dropping_beside_sending_loses_no_count,
        );
    };
}

/// The first message of a direct channel gives both a conversation.
pub async fn first_contact_makes_both_conversations(stores: &Stores) {
    let alice = user(&*stores.directory, "alice").await;
    let bob = user(&*stores.directory, "bob").await;
    let key = ChannelKey::direct(&Realm::default(), &alice.uid, &bob.uid);
    let log = open(stores, &key, LogKind::Chat).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut hello = append(&log, &alice, text("hello"));
        hello.first_contact = [alice.num, bob.num].into();
        let outcomes = store(&*stores.log, vec![hello]).await;
        ids.extend(outcomes);
    }
    let inbox = &stores.inbox;
    let sent = inbox
        .conversation(alice.num, log.num)
        .await
        .expect("inbox")
        .expect("a row");
    let got = inbox
        .conversation(bob.num, log.num)
        .await
        .expect("inbox")
        .expect("a row");
    assert_eq!((sent.unread(), got.unread()), (0, 2));
    assert_eq!((sent.read_seq, got.read_seq), (2, 0));
    for view in [&sent, &got] {
        assert_eq!((view.head_seq, view.head_ordinal), (2, 2));
        assert_eq!(view.channel, log);
        let newest = stores
            .log
            .by_id(view.head.expect("a head").0)
            .await
            .expect("by id");
        assert_eq!(
            newest.map(|m| (m.seq, m.sent_at_ms)),
            Some((2, view.head.expect("a head").1))
        );
        assert!(!view.is_hidden() && view.kept.muted_until_ms == 0 && view.pinned_at_ms == 0);
        assert_eq!(view.begins_after, 0);
    }
    let stranger = user(&*stores.directory, "stranger").await;
    assert_eq!(
        inbox
            .conversation(stranger.num, log.num)
            .await
            .expect("inbox"),
        None
    );
    assert!(
        inbox
            .conversations(stranger.num)
            .await
            .expect("inbox")
            .is_empty()
    );
    assert_eq!(
        inbox
            .change(stranger.num, log.num, Read(None))
            .await
            .expect("inbox"),
        None
    );
    assert_eq!(
        inbox
            .conversation(stranger.num, log.num)
            .await
            .expect("inbox"),
        None
    );
}

/// A direct channel that was only opened is nobody's conversation.
pub async fn a_channel_without_words_is_no_direct_conversation(stores: &Stores) {
    let alice = user(&*stores.directory, "alice").await;
    let bob = user(&*stores.directory, "bob").await;
    let key = ChannelKey::direct(&Realm::default(), &alice.uid, &bob.uid);
    let log = open(stores, &key, LogKind::Chat).await;
    assert!(
        stores
            .inbox
            .conversations(alice.num)
            .await
            .expect("inbox")
            .is_empty()
    );
    assert_eq!(
        stores
            .inbox
            .change(bob.num, log.num, Hide)
            .await
            .expect("inbox"),
        None
    );
}

/// A direct channel with oneself.
pub async fn notes_to_oneself_are_read(stores: &Stores) {
    let alice = user(&*stores.directory, "alice").await;
    let key = ChannelKey::direct(&Realm::default(), &alice.uid, &alice.uid);
    let log = open(stores, &key, LogKind::Chat).await;
    let mut note = append(&log, &alice, text("note"));
    note.first_contact = [alice.num, alice.num].into();
    store(&*stores.log, vec![note]).await;
    let all = stores.inbox.conversations(alice.num).await.expect("inbox");
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].head_seq, all[0].unread()), (1, 0));
}

/// Nothing after leaving; nothing unread after coming back.
pub async fn leaving_ends_it_and_coming_back_begins_anew(stores: &Stores) {
    let room = Room::new(stores).await;
    room.say(&room.bob, 1).await;
    room.say(&room.alice, 3).await;
    room.change(&room.bob, SetUnread(2)).await;
    room.leave(&room.bob).await;
    assert_eq!(room.look(&room.bob).await, None);
    assert!(
        stores
            .inbox
            .conversations(room.bob.num)
            .await
            .expect("inbox")
            .is_empty()
    );
    let changed = stores
        .inbox
        .change(room.bob.num, room.log.num, Read(None))
        .await;
    assert_eq!(changed.expect("inbox"), None);
    // Nothing was said meanwhile: the badge is at the head all the same.
    room.join(&room.bob).await;
    assert_eq!(place(&room.view(&room.bob).await), (4, 4, 4));
    room.leave(&room.bob).await;
    room.say(&room.alice, 5).await;
    room.join(&room.bob).await;
    let view = room.view(&room.bob).await;
    assert_eq!((place(&view), view.unread()), ((9, 9, 9), 0));
    room.say(&room.alice, 1).await;
    assert_eq!(room.unread(&room.bob).await, 1);
    // One who never had a row: sent, left, came back.
    room.leave(&room.alice).await;
    room.say(&room.bob, 2).await;
    room.join(&room.alice).await;
    assert_eq!(room.unread(&room.alice).await, 0);
    assert_eq!(room.view(&room.alice).await.begins_after, 0);
}

/// Where the channel says so, members see only what was said since their last join.
pub async fn history_may_begin_at_the_join(stores: &Stores) {
    let room = Room::new(stores).await;
    room.say(&room.alice, 2).await;
    let carol = user(&*stores.directory, "carol").await;
    room.join(&carol).await;
    let since = |history| ChannelChange {
        history: Some(history),
        ..ChannelChange::default()
    };
    let put = |history| async move {
        stores
            .channels
            .put(&group("g"), &since(history))
            .await
            .expect("put");
    };
    assert_eq!(room.view(&carol).await.begins_after, 0);
    put(HistoryFrom::SinceJoin).await;
    assert_eq!(room.view(&carol).await.begins_after, 2);
    assert_eq!(room.view(&room.bob).await.begins_after, 0);
    room.change(&carol, Read(None)).await;
    assert_eq!(room.view(&carol).await.begins_after, 2);
    room.leave(&carol).await;
    room.say(&room.alice, 1).await;
    room.join(&carol).await;
    assert_eq!(room.view(&carol).await.begins_after, 3);
    put(HistoryFrom::All).await;
    assert_eq!(room.view(&carol).await.begins_after, 0);
}

/// Put away, back with the next message, put away again.
pub async fn hidden_until_somebody_speaks(stores: &Stores) {
    let room = Room::new(stores).await;
    assert!(!room.view(&room.bob).await.is_hidden());
    let blank = room.change(&room.bob, Hide).await;
    assert!(blank.is_hidden(), "also before anything was said");
    assert!(room.view(&room.bob).await.is_hidden());
    assert!(!room.view(&room.alice).await.is_hidden());
    room.say(&room.alice, 2).await;
    assert!(!room.view(&room.bob).await.is_hidden());
    let hidden = room.change(&room.bob, Hide).await;
    assert!(hidden.is_hidden());
    assert_eq!(
        (hidden.hidden_seq, hidden.unread()),
        (Some(2), 2),
        "hiding reads nothing"
    );
    assert!(room.change(&room.bob, Read(None)).await.is_hidden());
    let all = stores
        .inbox
        .conversations(room.bob.num)
        .await
        .expect("inbox");
    assert_eq!(all.len(), 1, "hidden ones are included");
    room.say(&room.alice, 1).await;
    assert!(!room.view(&room.bob).await.is_hidden());
    assert!(!room.view(&room.alice).await.is_hidden());
    assert!(room.change(&room.bob, Hide).await.is_hidden());
    room.say(&room.bob, 1).await;
    assert!(!room.view(&room.bob).await.is_hidden());
}

/// Each change has a higher version than the one before.
pub async fn versions_grow(stores: &Stores) {
    let room = Room::new(stores).await;
    room.say(&room.alice, 3).await;
    let mut last = room.view(&room.bob).await.version;
    let mut grown = |version: i64, what: &str| {
        assert!(version > last, "{what}: {version} after {last}");
        last = version;
    };
    for change in [
        Read(Some(1)),
        Read(Some(1)),
        SetUnread(3),
        Hide,
        Read(None),
        SetUnread(0),
    ] {
        grown(
            room.change(&room.bob, change).await.version,
            &format!("{change:?}"),
        );
    }
    room.leave(&room.bob).await;
    room.join(&room.bob).await;
    grown(room.view(&room.bob).await.version, "coming back");
    grown(room.change(&room.bob, Hide).await.version, "after that");
}

/// The list says of each conversation what asking for it alone says.
pub async fn all_conversations_agree_with_each(stores: &Stores) {
    let room = Room::new(stores).await;
    let Room { alice, bob, .. } = &room;
    let mut logs = vec![Arc::clone(&room.log)];
    for id in ["two", "three", "four"] {
        let log = open(stores, &group(id), LogKind::Chat).await;
        let join = MemberChange::Join(bob.clone(), MemberRole::Member);
        stores
            .channels
            .change_members(log.num, &[join])
            .await
            .expect("joined");
        logs.push(log);
    }
    let direct = ChannelKey::direct(&Realm::default(), &alice.uid, &bob.uid);
    logs.push(open(stores, &direct, LogKind::Chat).await);
    for (n, log) in logs.iter().enumerate() {
        let say = |sender: &UserRef| {
            let mut item = append(log, sender, text("x"));
            item.first_contact = if n == 4 {
                [alice.num, bob.num].into()
            } else {
                Arc::default()
            };
            item
        };
        // The fourth stays silent.
        if n != 3 {
            let batch = (0..=n)
                .map(|_| say(alice))
                .chain((n == 1).then(|| say(bob)));
            store(&*stores.log, batch.collect()).await;
        }
    }
    let change = |n: usize, change| {
        let num = logs[n].num;
        async move {
            stores
                .inbox
                .change(bob.num, num, change)
                .await
                .expect("changed")
        }
    };
    change(2, SetUnread(2)).await;
    change(0, Hide).await;
    let mut all = stores.inbox.conversations(bob.num).await.expect("inbox");
    all.sort_by_key(|view| logs.iter().position(|log| *log == view.channel));
    assert_eq!(
        all.iter().map(|view| view.channel.num).collect::<Vec<_>>(),
        nums(&logs)
    );
    assert_eq!(
        all.iter().map(ConversationRow::unread).collect::<Vec<_>>(),
        [1, 0, 2, 0, 5]
    );
    for view in all {
        let alone = stores
            .inbox
            .conversation(bob.num, view.channel.num)
            .await
            .expect("inbox");
        assert_eq!(alone, Some(view));
    }
}

fn nums(logs: &[Arc<ChannelRef>]) -> Vec<crate::id::ChannelNum> {
    logs.iter().map(|log| log.num).collect()
}
