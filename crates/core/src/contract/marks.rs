//! What users put on messages: edits, reactions, pins, hidden messages.

use std::sync::Arc;

use bytes::Bytes;

use super::room::{Room, open};
use super::{EVERYTHING, append, numbered, store, text};
use crate::change::{Change, EditedBody, MessageName};
use crate::channel::{Address, LogKind};
use crate::conversation::ConversationChange::SetUnread;
use crate::deliver::{edit_number, entry_number};
use crate::delivered::{Stretch, WaitingQuery};
use crate::id::{MessageId, UserRef};
use crate::im::Stores;
use crate::log::RevokeOutcome;
use crate::mark::{
    Edit, EditOutcome, MAX_PINS, MAX_REACTIONS, MAX_REACTIONS_OF_ONE, MarkOutcome, Marks, Tally,
};
use crate::message::{Gone, Message, Origin};

/// The cases of marks, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! marks_contract {
    ($make:path) => {
        $crate::contract_tests!($make, marks:
            an_edited_message_comes_with_its_edit,
            the_same_again_is_no_edit,
            what_is_erased_takes_its_edits_along,
            a_revoked_message_can_still_be_deleted,
            reactions_are_counted_and_their_end_is_told,
            reactions_have_an_end,
            pins_are_listed_by_time,
            pins_have_an_end,
            what_is_gone_takes_no_marks,
            hidden_messages_leave_the_user_s_view,
            what_is_hidden_and_revoked_is_taken_off_once,
            marks_go_with_dropped_messages,
        );
    };
}

fn edit(by: Option<&UserRef>, payload: &'static str) -> Edit {
    Edit {
        by: by.cloned(),
        origin: Origin(7),
        tag: "new".into(),
        payload: Bytes::from_static(payload.as_bytes()),
    }
}

async fn say(room: &Room<'_>, times: usize) -> Vec<Message> {
    room.say(&room.alice, times).await;
    all(room).await
}

async fn all(room: &Room<'_>) -> Vec<Message> {
    let page = room.stores.log.page(&room.log, EVERYTHING).await;
    page.expect("a page")
}

async fn erase(room: &Room<'_>, id: MessageId, how: Gone) -> RevokeOutcome {
    let by = Some(&room.alice);
    let outcome = room.stores.log.erase(id, by, how).await;
    outcome.expect("an answer")
}

async fn put_edit(room: &Room<'_>, id: MessageId, edit: &Edit) -> EditOutcome {
    room.stores.marks.edit(id, edit).await.expect("an answer")
}

fn number(outcome: &EditOutcome) -> u32 {
    match outcome {
        EditOutcome::Done(n, _) => *n,
        other => panic!("{other:?}"),
    }
}

fn done(outcome: MarkOutcome) -> i64 {
    match outcome {
        MarkOutcome::Done(version, _) => version,
        other => panic!("{other:?}"),
    }
}

/// In every answer, beside what was sent; the versions are all there.
pub async fn an_edited_message_comes_with_its_edit(stores: &Stores) {
    let room = Room::new(stores).await;
    let messages = say(&room, 3).await;
    let id = messages[1].id;
    assert_eq!(
        number(&put_edit(&room, id, &edit(Some(&room.alice), "one")).await),
        1
    );
    assert_eq!(number(&put_edit(&room, id, &edit(None, "two")).await), 2);
    let by_id = stores.log.by_id(id).await.expect("by id").expect("there");
    let found = by_id.edited.as_deref().expect("edited");
    assert_eq!((found.n, found.by.as_ref()), (2, None));
    assert_eq!(by_id.body, messages[1].body, "what was sent stays");
    let shown = by_id.shown();
    assert_eq!((&shown.payload[..], &*shown.tag), (&b"two"[..], "new"));
    assert_eq!(shown.origin, Origin(7));
    assert_eq!(shown.flags, messages[1].body.flags);
    let page = all(&room).await;
    assert_eq!(page[1], by_id);
    assert_eq!([&page[0], &page[2]], [&messages[0], &messages[2]]);
    let wanted = [(Arc::clone(&room.log), 2)];
    let newest = stores.log.newest(&wanted, 9).await.expect("newest");
    assert_eq!(newest[0][0], by_id);
    let versions = stores.marks.versions(id, 0, 9).await.expect("versions");
    let said: Vec<_> = versions
        .iter()
        .map(|v| (v.n, &v.edit.payload[..]))
        .collect();
    assert_eq!(said, [(1, &b"one"[..]), (2, &b"two"[..])]);
    assert_eq!(versions[0].edit.by.as_ref(), Some(&room.alice));
    let second = stores.marks.versions(id, 1, 9).await.expect("versions");
    assert_eq!(second, versions[1..]);
    let states = stores.receipts.states(&[id]).await.expect("states");
    assert_eq!((states[0].edits, states[0].edited_at_ms), (2, found.at_ms));
}

/// Neither what was sent nor what was said last; but what it said before is.
pub async fn the_same_again_is_no_edit(stores: &Stores) {
    let room = Room::new(stores).await;
    let message = say(&room, 1).await.remove(0);
    let sent = Edit {
        by: None,
        origin: message.body.origin,
        tag: Arc::clone(&message.body.tag),
        payload: message.body.payload.clone(),
    };
    assert_eq!(
        put_edit(&room, message.id, &sent).await,
        EditOutcome::Same(0, 0)
    );
    let one = edit(None, "one");
    let first = put_edit(&room, message.id, &one).await;
    let EditOutcome::Done(1, at_ms) = first else {
        panic!("{first:?}")
    };
    let again = put_edit(&room, message.id, &one).await;
    assert_eq!(again, EditOutcome::Same(1, at_ms));
    assert_eq!(number(&put_edit(&room, message.id, &sent).await), 2);
    // Also what looks the same but is of another kind.
    let other = Edit {
        tag: "other".into(),
        ..sent
    };
    assert_eq!(number(&put_edit(&room, message.id, &other).await), 3);
}

/// From its row, from its versions, and from what the command log says of them.
pub async fn what_is_erased_takes_its_edits_along(stores: &Stores) {
    let room = Room::new(stores).await;
    let messages = say(&room, 2).await;
    let command = open(stores, &room.log.key, LogKind::Command).await;
    for (message, how) in messages.iter().zip([Gone::Revoked, Gone::Deleted]) {
        put_edit(&room, message.id, &edit(Some(&room.alice), "secret")).await;
        let react = stores.marks.react(message.id, &room.bob, "x", false).await;
        done(react.expect("an answer"));
        let change = Change::Edited {
            message: MessageName::of(message),
            by: None,
            n: 1,
            body: EditedBody {
                origin: 7,
                tag: "new".to_owned(),
                payload: Bytes::from_static(b"secret"),
                extra: Bytes::from_static(b"secret"),
                ..EditedBody::default()
            },
            at_ms: 1,
        };
        let to = Address {
            kind: room.log.key.kind,
            id: Arc::clone(&room.log.key.id),
        };
        // As told to some, in several entries.
        for n in 0..3 {
            let mut body = change.draft(to.clone()).body;
            body.client_no = entry_number(&edit_number(message.id, 1), n).into();
            body.audience = Some([room.bob.num].into());
            store(&*stores.log, vec![append(&command, &room.alice, body)]).await;
        }
        let outcome = erase(&room, message.id, how).await;
        assert!(matches!(outcome, RevokeOutcome::Revoked(_)), "{outcome:?}");
        let found = stores.log.by_id(message.id).await.expect("by id");
        let found = found.expect("there");
        assert_eq!(found.revoked.as_deref().map(|it| it.how), Some(how));
        assert_eq!((found.edited.as_ref(), found.body.payload.len()), (None, 0));
        let versions = stores.marks.versions(message.id, 0, 9).await;
        assert!(versions.expect("versions").is_empty());
        let states = stores.receipts.states(&[message.id]).await.expect("states");
        assert_eq!((states[0].edits, states[0].edited_at_ms), (0, 0));
        let tallies = stores.marks.tallies(&[message.id], None).await;
        assert_eq!(tallies.expect("tallies"), [vec![]]);
    }
    let told = stores.log.page(&command, EVERYTHING).await.expect("a page");
    assert_eq!(told.len(), 6);
    for entry in told {
        let text = String::from_utf8_lossy(&entry.body.payload).into_owned();
        assert!(!text.contains("secret"), "{text}");
        let Some(Change::Edited { n: 1, body, .. }) = Change::of(&entry) else {
            panic!("{text}")
        };
        assert!(body.payload.is_empty());
    }
}

/// The other way round it stays deleted.
pub async fn a_revoked_message_can_still_be_deleted(stores: &Stores) {
    let room = Room::new(stores).await;
    let id = say(&room, 1).await[0].id;
    erase(&room, id, Gone::Revoked).await;
    let deleted = erase(&room, id, Gone::Deleted).await;
    let RevokeOutcome::Revoked(revocation) = deleted else {
        panic!("{deleted:?}")
    };
    assert_eq!(revocation.how, Gone::Deleted);
    for how in [Gone::Deleted, Gone::Revoked, Gone::Expired] {
        let again = erase(&room, id, how).await;
        assert_eq!(again, RevokeOutcome::Before(revocation.clone()), "{how:?}");
    }
    let found = stores.log.by_id(id).await.expect("by id").expect("there");
    assert!(found.is_unlisted());
    assert_eq!(room.unread(&room.bob).await, 0, "it is taken off once");
}

/// By reaction and for the viewer; the same again changes nothing.
pub async fn reactions_are_counted_and_their_end_is_told(stores: &Stores) {
    let room = Room::new(stores).await;
    let messages = say(&room, 2).await;
    let (id, other) = (messages[0].id, messages[1].id);
    let marks = &stores.marks;
    let react = |user: &UserRef, emoji: &'static str, removed| {
        let user = user.clone();
        async move {
            marks
                .react(id, &user, emoji, removed)
                .await
                .expect("an answer")
        }
    };
    let nothing = react(&room.bob, "👍", true).await;
    assert_eq!(nothing, MarkOutcome::Same(0, 0));
    let first = done(react(&room.bob, "👍", false).await);
    let MarkOutcome::Same(version, _) = react(&room.bob, "👍", false).await else {
        panic!("it is there already")
    };
    assert_eq!(version, first);
    let second = done(react(&room.alice, "👍", false).await);
    let third = done(react(&room.bob, "x", false).await);
    assert!(first < second && second < third);
    let tally = |emoji: &str, count, mine| Tally {
        emoji: emoji.into(),
        count,
        mine,
    };
    let tallies = marks.tallies(&[other, id], Some(room.alice.num)).await;
    assert_eq!(
        tallies.expect("tallies"),
        [vec![], vec![tally("👍", 2, true), tally("x", 1, false)]]
    );
    let whole = marks.reactions(id, None, 9).await.expect("reactions");
    let who: Vec<_> = whole.iter().map(|it| (&*it.emoji, &it.user)).collect();
    assert_eq!(
        who,
        [("x", &room.bob), ("👍", &room.alice), ("👍", &room.bob)]
    );
    let after = Some((Arc::clone(&whole[0].emoji), whole[0].user.num));
    let rest = marks.reactions(id, after, 9).await.expect("reactions");
    assert_eq!(rest, whole[1..]);
    let each = marks.reactions_to(&[other, id], 2).await;
    assert_eq!(each.expect("reactions"), [vec![], whole[..2].to_vec()]);
    // Taken away, and put there again.
    let fourth = done(react(&room.bob, "👍", true).await);
    let since = marks.reactions_since(room.log.num, third, 9).await;
    let since = since.expect("changes");
    assert_eq!(since.len(), 1);
    assert_eq!(
        (since[0].removed, since[0].version, since[0].seq),
        (true, fourth, 1)
    );
    let tallies = marks.tallies(&[id], None).await.expect("tallies");
    assert_eq!(tallies[0], [tally("x", 1, false), tally("👍", 1, false)]);
    done(react(&room.bob, "👍", false).await);
    let states = stores.receipts.changed_since(room.log.num, fourth, 9).await;
    let states = states.expect("states");
    assert_eq!(
        states.iter().map(|state| state.id).collect::<Vec<_>>(),
        [id]
    );
}

/// Of one user; what is taken away makes room.
pub async fn reactions_have_an_end(stores: &Stores) {
    let room = Room::new(stores).await;
    let id = say(&room, 1).await[0].id;
    let marks = &stores.marks;
    for n in 0..MAX_REACTIONS_OF_ONE {
        let outcome = marks.react(id, &room.bob, &n.to_string(), false).await;
        done(outcome.expect("an answer"));
    }
    let one_more = marks.react(id, &room.bob, "more", false).await;
    assert_eq!(one_more.expect("an answer"), MarkOutcome::TooMany);
    let other = marks.react(id, &room.alice, "more", false).await;
    done(other.expect("an answer"));
    done(
        marks
            .react(id, &room.bob, "0", true)
            .await
            .expect("an answer"),
    );
    let now = marks.react(id, &room.bob, "more", false).await;
    done(now.expect("an answer"));
    // Nor does one who tries many, and takes them away, leave no room for others.
    let id = say(&room, 2).await[1].id;
    for n in 0..MAX_REACTIONS {
        for removed in [false, true] {
            let outcome = marks.react(id, &room.bob, &n.to_string(), removed).await;
            done(outcome.expect("an answer"));
        }
    }
    let other = marks.react(id, &room.alice, "other", false).await;
    done(other.expect("an answer"));
    let again = marks.react(id, &room.bob, "0", false).await;
    done(again.expect("one that was there"));
    let one_more = marks.react(id, &room.bob, "more", false).await;
    assert_eq!(one_more.expect("an answer"), MarkOutcome::TooMany);
}

/// The one pinned last first; pinning again changes nothing.
pub async fn pins_are_listed_by_time(stores: &Stores) {
    let room = Room::new(stores).await;
    let messages = say(&room, 3).await;
    let marks = &stores.marks;
    for message in &messages[..2] {
        let pin = marks.pin(message.id, Some(&room.alice), true).await;
        done(pin.expect("an answer"));
    }
    let again = marks.pin(messages[0].id, None, true).await;
    assert!(matches!(again.expect("an answer"), MarkOutcome::Same(_, at) if at > 0));
    let never = marks.pin(messages[2].id, None, false).await;
    assert_eq!(never.expect("an answer"), MarkOutcome::Same(0, 0));
    let pins = marks.pins(room.log.num, 9).await.expect("pins");
    let ids: Vec<_> = pins.iter().map(|pin| pin.message).collect();
    assert_eq!(ids, [messages[1].id, messages[0].id]);
    assert_eq!(pins[0].by.as_ref(), Some(&room.alice));
    let unpin = marks.pin(messages[1].id, None, false).await;
    done(unpin.expect("an answer"));
    erase(&room, messages[0].id, Gone::Revoked).await;
    let pins = marks.pins(room.log.num, 9).await.expect("pins");
    assert_eq!(pins, [], "what is gone is pinned no longer");
}

/// In each log by itself.
pub async fn pins_have_an_end(stores: &Stores) {
    let room = Room::new(stores).await;
    let most = usize::try_from(MAX_PINS).expect("a small number");
    let messages = say(&room, most + 1).await;
    let marks: &dyn Marks = &*stores.marks;
    for message in &messages[..most] {
        done(marks.pin(message.id, None, true).await.expect("an answer"));
    }
    let last = messages[most].id;
    let outcome = marks.pin(last, None, true).await.expect("an answer");
    assert_eq!(outcome, MarkOutcome::TooMany);
    done(
        marks
            .pin(messages[0].id, None, false)
            .await
            .expect("an answer"),
    );
    done(marks.pin(last, None, true).await.expect("an answer"));
}

/// Nor does what never was, or what stands in a command log.
pub async fn what_is_gone_takes_no_marks(stores: &Stores) {
    let room = Room::new(stores).await;
    let id = say(&room, 1).await[0].id;
    erase(&room, id, Gone::Deleted).await;
    let command = open(stores, &room.log.key, LogKind::Command).await;
    store(&*stores.log, vec![append(&command, &room.alice, text("x"))]).await;
    let page = stores.log.page(&command, EVERYTHING).await.expect("a page");
    let marks = &stores.marks;
    for id in [id, page[0].id, MessageId(1)] {
        assert_eq!(
            put_edit(&room, id, &edit(None, "x")).await,
            EditOutcome::Gone
        );
        let react = marks.react(id, &room.bob, "x", false).await;
        assert_eq!(react.expect("an answer"), MarkOutcome::Gone);
        let pin = marks.pin(id, None, true).await.expect("an answer");
        assert_eq!(pin, MarkOutcome::Gone);
    }
}

/// What waits for them, and what is unread; that of nobody else.
pub async fn hidden_messages_leave_the_user_s_view(stores: &Stores) {
    let room = Room::new(stores).await;
    let messages = say(&room, 4).await;
    let (bob, log) = (&room.bob, room.log.num);
    assert_eq!(room.unread(bob).await, 4);
    let marks = &stores.marks;
    let hide =
        |seqs: &'static [u64]| async move { marks.hide(bob.num, log, seqs).await.expect("hidden") };
    assert_eq!(hide(&[2, 3, 99]).await, [2, 3]);
    assert_eq!(hide(&[3, 4]).await, [4], "each is hidden once");
    assert_eq!(room.unread(bob).await, 1);
    let hidden = marks.hidden(bob.num, &[(log, 3..=9), (log, 1..=1)]).await;
    assert_eq!(hidden.expect("hidden"), [vec![3, 4], vec![]]);
    let query = WaitingQuery {
        per_log: u32::MAX,
        messages: 9,
        bytes: usize::MAX,
        only: None,
    };
    let everything = vec![Stretch {
        lo: MessageId(1),
        hi: MessageId(i64::MAX),
    }];
    let waiting = stores.devices.waiting(bob.num, everything, query).await;
    let waiting = waiting.expect("what waits").messages;
    assert_eq!(waiting, messages[..1]);
    assert_eq!(all(&room).await, messages, "the log is as it was");
    let alice = marks.hidden(room.alice.num, &[(log, 1..=9)]).await;
    assert_eq!(alice.expect("hidden"), [Vec::<u64>::new()]);
    // Where the badge is moved, what is hidden is passed over.
    room.say(&room.alice, 2).await;
    assert_eq!(room.unread(bob).await, 3);
    room.change(bob, SetUnread(3)).await;
    assert_eq!(room.unread(bob).await, 3);
    room.change(bob, SetUnread(2)).await;
    assert_eq!(room.unread(bob).await, 2);
}

/// Whichever came first.
pub async fn what_is_hidden_and_revoked_is_taken_off_once(stores: &Stores) {
    let room = Room::new(stores).await;
    let messages = say(&room, 4).await;
    let (bob, log) = (&room.bob, room.log.num);
    let marks = &stores.marks;
    marks.hide(bob.num, log, &[1]).await.expect("hidden");
    erase(&room, messages[0].id, Gone::Revoked).await;
    erase(&room, messages[1].id, Gone::Revoked).await;
    marks.hide(bob.num, log, &[2]).await.expect("hidden");
    assert_eq!(room.unread(bob).await, 2);
}

/// All of them.
pub async fn marks_go_with_dropped_messages(stores: &Stores) {
    let room = Room::new(stores).await;
    let body = numbered("n", "x");
    store(&*stores.log, vec![append(&room.log, &room.alice, body)]).await;
    let messages = say(&room, 1).await;
    let (id, log) = (messages[0].id, room.log.num);
    let marks = &stores.marks;
    put_edit(&room, id, &edit(None, "x")).await;
    done(
        marks
            .react(id, &room.bob, "x", false)
            .await
            .expect("an answer"),
    );
    done(marks.pin(id, None, true).await.expect("an answer"));
    marks.hide(room.bob.num, log, &[1]).await.expect("hidden");
    assert_eq!(room.unread(&room.bob).await, 1);
    room.drop_before(2).await;
    assert_eq!(room.unread(&room.bob).await, 1);
    assert!(marks.versions(id, 0, 9).await.expect("versions").is_empty());
    assert!(
        marks
            .reactions(id, None, 9)
            .await
            .expect("reactions")
            .is_empty()
    );
    assert!(marks.pins(log, 9).await.expect("pins").is_empty());
    let hidden = marks.hidden(room.bob.num, &[(log, 1..=9)]).await;
    assert_eq!(hidden.expect("hidden"), [Vec::<u64>::new()]);
}
