//! What messages carry and what is to be sent later is found again, by the indexes made for it;
//! and what may become of it in the messenger.

use std::sync::Arc;

use crosstalk_core::carried::Carried;
use crosstalk_core::channel::{Address, ChannelKey, ChannelKind, Channels, LogKind};
use crosstalk_core::contract::{append, store, text};
use crosstalk_core::deliver::Sender;
use crosstalk_core::expiry::{Due, Expiry};
use crosstalk_core::id::{MessageId, Realm, UserRef};
use crosstalk_core::im::{EditRequest, Policy, Viewer};
use crosstalk_core::log::{AppendOutcome, Log};
use crosstalk_core::mention::{MentionCount, Mentions};
use crosstalk_core::message::{Body, Draft, Gone, OnReuse, Origin};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::schedule::{Saying, Schedule, Scheduled, State};
use crosstalk_core::send::screen::{Screen, Verdict};

use super::messenger::{ALICE, BOB, OWNER, STRANGER, World};
use super::plans::plan;
use super::{Bed, EVERYTHING, people, room};
use crate::sqlite::{expire, mentions, schedule};

fn stored(outcomes: &[AppendOutcome]) -> (MessageId, i64) {
    match outcomes {
        [AppendOutcome::Stored { id, sent_at_ms, .. }] => (*id, *sent_at_ms),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn all_of_it_is_found_again_after_a_restart() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    let carried = Carried {
        mentions: vec![bob.clone()],
        reply_to: Some(MessageId(7)),
        burn_after_ms: 5000,
        ..Carried::default()
    };
    let body = Body {
        carried: carried.clone().packed(),
        ..text("x")
    };
    let (id, _) = stored(&store(&*db, vec![append(&log, &alice, body)]).await);
    let ends = Body {
        expire_secs: 60,
        ..text("y")
    };
    let (ending, sent_at) = stored(&store(&*db, vec![append(&log, &alice, ends)]).await);
    let item = Scheduled {
        id: MessageId(99),
        realm: Realm::default(),
        sender: alice.clone(),
        app: None,
        by_application: false,
        kind: ChannelKind::GROUP,
        to: "g".into(),
        saying: Saying::default(),
        send_at_ms: 5,
        created_at_ms: 1,
        state: State::Open,
        done_at_ms: 0,
    };
    assert!(db.schedule(&item, 9).await.unwrap());
    db.close().await;
    drop(db);
    let db = bed.open();
    let found = db.by_id(id).await.unwrap().unwrap();
    assert_eq!(found.body.carried.as_deref(), Some(&carried));
    let counts = db.counts(bob.num, &[(log.num, 0)]).await.unwrap();
    let once = MentionCount {
        count: 1,
        first_seq: 1,
    };
    assert_eq!(counts, [once]);
    assert_eq!(db.burn(log.num, bob.num, 0..=9, sent_at).await.unwrap(), 1);
    assert_eq!(db.scheduled_due(5, None, 9).await.unwrap(), [item]);
    db.close().await;
    drop(db);
    let db = bed.open();
    let due = db.due(i64::MAX, None, 9).await.unwrap();
    let burning = Due {
        at_ms: sent_at + 5000,
        id,
    };
    let ends = Due {
        at_ms: sent_at + 60_000,
        id: ending,
    };
    assert_eq!(due, [burning, ends]);
}

#[tokio::test]
async fn what_is_over_is_not_shown_before_it_is_swept() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    let body = Body {
        expire_secs: 60,
        ..text("y")
    };
    let (id, _) = stored(&store(&*db, vec![append(&log, &alice, body)]).await);
    bed.clock.advance_ms(59_999);
    let found = db.by_id(id).await.unwrap().unwrap();
    assert!(found.revoked.is_none() && &found.body.payload[..] == b"y");
    bed.clock.advance_ms(1);
    let over = db.by_id(id).await.unwrap().unwrap();
    assert!(over.body.payload.is_empty());
    assert_eq!(over.revoked.map(|gone| gone.how), Some(Gone::Expired));
}

#[tokio::test]
async fn its_questions_use_indexes() {
    let bed = Bed::new();
    let db = bed.open();
    people(&db).await;
    for (sql, index) in [
        (expire::DUE.to_owned(), "message_expires"),
        (expire::BURNING.to_owned(), "SEARCH burn"),
        (schedule::due_sql(), "scheduled_due"),
        (mentions::count_sql(), "SEARCH x"),
        (mentions::list_sql(true, false), "SEARCH x"),
        (mentions::list_sql(false, true), "SEARCH x"),
    ] {
        let plan = plan(&bed, &sql);
        assert!(plan.contains(index) && !plan.contains("SCAN"), "{plan}");
    }
}

fn draft(world: &World, body: Body) -> Draft {
    Draft {
        to: Address {
            kind: world.group.kind,
            id: world.group.id.clone(),
        },
        body,
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    }
}

async fn say(world: &World, who: usize, body: Body) -> MessageId {
    let sender = Sender::User(world.people[who].clone());
    let draft = draft(world, body);
    let sent = world.im.send_as(&Realm::default(), sender, draft).await;
    sent.unwrap().id
}

#[tokio::test]
async fn what_is_over_is_not_altered_and_takes_its_edits_with_it() {
    let world = World::new(Policy::default()).await;
    let realm = Realm::default();
    let body = Body {
        expire_secs: 60,
        ..text("x")
    };
    let id = say(&world, ALICE, body).await;
    let edit = async |payload: &'static str| {
        let request = EditRequest {
            message: id,
            by: world.by(ALICE),
            origin: Origin(1),
            tag: "".into(),
            payload: bytes::Bytes::from_static(payload.as_bytes()),
            fault: None,
            review: false,
            mentions_all: false,
        };
        world.im.edit(&realm, request).await.map(|_| ())
    };
    edit("said in time").await.unwrap();
    world.clock.advance_ms(60_000);
    assert_eq!(edit("said too late").await, Err(Refusal::WrongState));
    let pinned = world.im.pin(&realm, id, world.by(OWNER), true).await;
    assert!(pinned.is_err(), "it is not erased yet, and over");
    assert_eq!(world.im.expire_due().await, Ok(1));
    assert_eq!(world.im.expire_due().await, Ok(0));
    let log = world.db.open(&world.group, LogKind::Command, false).await;
    let told = world.db.page(&log.unwrap().unwrap(), EVERYTHING).await;
    let told = told.unwrap();
    let names: Vec<_> = told.iter().map(|entry| &*entry.body.tag).collect();
    assert!(names.ends_with(&["edited", "expired"]), "{names:?}");
    let says = |entry: &crosstalk_core::message::Message| {
        String::from_utf8_lossy(&entry.body.payload).contains("said")
    };
    assert!(!told.iter().any(says), "its edits are gone as well");
}

#[tokio::test]
async fn what_was_taken_back_in_time_is_not_sent() {
    let world = World::new(Policy::default()).await;
    let (realm, im, alice) = (Realm::default(), &world.im, &world.people[ALICE]);
    let now_ms = im.clock().now_ms();
    let item = |payload: &'static str| Scheduled {
        id: MessageId(0),
        realm: realm.clone(),
        sender: alice.clone(),
        app: None,
        by_application: false,
        kind: world.group.kind,
        to: world.group.id.clone(),
        saying: Saying {
            payload: payload.into(),
            ..Saying::default()
        },
        send_at_ms: now_ms,
        created_at_ms: 0,
        state: State::Open,
        done_at_ms: 0,
    };
    let cancelled = im.schedule(item("cancelled")).await.unwrap();
    let changed = im.schedule(item("as it was")).await.unwrap();
    let due = im.scheduled_due(None, 9).await.unwrap();
    assert_eq!(due, [cancelled.clone(), changed.clone()]);
    let taken = im.cancel_scheduled(&realm, Some(alice), cancelled.id).await;
    assert_eq!(taken.unwrap().state, State::Cancelled);
    let change = crosstalk_core::schedule::Change {
        saying: Some(item("as it is").saying),
        ..Default::default()
    };
    im.reschedule(&realm, Some(alice), changed.id, change)
        .await
        .unwrap();
    // The sweep had read both before.
    let mut states = Vec::new();
    for item in &due {
        states.push(im.send_scheduled(item, item.draft()).await.unwrap());
    }
    assert_eq!(states, [State::Cancelled, State::Open]);
    let due = im.scheduled_due(None, 9).await.unwrap();
    let sent = im.send_scheduled(&due[0], due[0].draft()).await.unwrap();
    let State::Sent { message, seq: 1 } = sent else {
        panic!("{sent:?}")
    };
    let sent = im.message(message).await.unwrap();
    assert_eq!(&sent.body.payload[..], b"as it is");
}

#[tokio::test]
async fn what_is_not_for_somebody_to_read_is_theirs_neither_to_end_nor_to_quote() {
    let world = World::new(Policy::default()).await;
    let (realm, im) = (Realm::default(), &world.im);
    let body = Body {
        carried: Carried::mentioning([], true).packed(),
        ..text("x")
    };
    let id = say(&world, OWNER, body).await;
    for (who, newly) in [(STRANGER, 0), (BOB, 1), (BOB, 0)] {
        let done = im.reminders_done(&world.people[who], &[id]).await;
        assert_eq!(done, Ok(newly), "{who}");
    }
    let bob = Viewer::User(world.people[BOB].clone());
    assert!(im.message_for(&realm, &bob, id).await.is_ok());
    im.hide(&realm, &world.people[BOB], &[id]).await.unwrap();
    let quoted = im.replied(&world.group, &bob, id).await;
    assert_eq!(quoted.err(), Some(Refusal::NoSuchMessage));
}

/// Looks at what users send, and lets nothing bad pass.
struct Looks;

#[async_trait::async_trait]
impl Screen for Looks {
    fn looks_at(&self, _: &Realm) -> bool {
        true
    }

    async fn look(&self, _: &UserRef, _: &ChannelKey, body: &Body) -> Verdict {
        match &body.payload[..] {
            b"bad" => Verdict::Deny,
            b"rude" => Verdict::Replace(Box::new(text("polite"))),
            _ => Verdict::Allow,
        }
    }
}

#[tokio::test]
async fn who_looks_at_what_is_sent_looks_at_edits() {
    let world = World::new(Policy::default()).await;
    let id = say(&world, ALICE, text("x")).await;
    world.im.set_screen(Some(Arc::new(Looks)));
    for (payload, expected) in [
        ("bad", Err(Refusal::HookRefused)),
        ("rude", Ok("polite")),
        ("good", Ok("good")),
    ] {
        let request = EditRequest {
            message: id,
            by: world.by(ALICE),
            origin: Origin(1),
            tag: "".into(),
            payload: payload.into(),
            fault: None,
            review: false,
            mentions_all: false,
        };
        let edited = world.im.edit(&Realm::default(), request).await;
        let says = edited.map(|edited| edited.message.shown().payload.clone());
        assert_eq!(says, expected.map(|it| it.as_bytes().into()));
    }
}

#[tokio::test]
async fn it_burns_however_one_says_that_it_is_read() {
    let world = World::new(Policy::default()).await;
    let (im, alice, bob) = (&world.im, &world.people[ALICE], &world.people[BOB]);
    let key = ChannelKey::direct(&Realm::default(), &alice.uid, &bob.uid);
    let say = async |from: &UserRef, to: &UserRef, body: Body| {
        let draft = Draft {
            to: Address::direct(&to.uid),
            ..draft(&world, body)
        };
        let sender = Sender::User(from.clone());
        let sent = im.send_as(&Realm::default(), sender, draft).await;
        im.message(sent.unwrap().id).await.unwrap()
    };
    let secret = |payload| {
        let carried = Carried {
            burn_after_ms: 5000,
            ..Carried::default()
        };
        Body {
            carried: carried.packed(),
            ..text(payload)
        }
    };
    say(alice, bob, secret("one")).await;
    im.set_unread(bob, &key, 0).await.unwrap();
    world.clock.advance_ms(5000);
    assert_eq!(im.expire_due().await, Ok(1));
    // Who answers has read, and says so of the message afterwards.
    let two = say(alice, bob, secret("two")).await;
    say(bob, alice, text("I see")).await;
    im.read_messages(bob, &[two]).await.unwrap();
    world.clock.advance_ms(4999);
    assert_eq!(im.expire_due().await, Ok(0));
    world.clock.advance_ms(1);
    assert_eq!(im.expire_due().await, Ok(1));
}
