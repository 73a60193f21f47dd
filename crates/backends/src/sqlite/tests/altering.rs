//! The messenger on this store: what is altered is told once, to those who may know, and is
//! still so after the file was opened again.

use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::change::Change;
use crosstalk_core::channel::{
    ChannelChange, Channels, HistoryFrom, LogKind, MemberChange, MemberRole,
};
use crosstalk_core::deliver::Operator;
use crosstalk_core::id::{MessageId, Realm};
use crosstalk_core::im::{EditRequest, Policy, Viewer};
use crosstalk_core::log::Log;
use crosstalk_core::mark::{Edit, Marks};
use crosstalk_core::message::{Gone, Message, Origin};
use crosstalk_core::receipt::Receipts;
use crosstalk_core::refusal::Refusal;

use super::messenger::{ADMIN, ALICE, BOB, OWNER, STRANGER, World};
use super::{Bed, EVERYTHING, all, people, room, say};

fn request(message: MessageId, by: Operator, payload: &'static str) -> EditRequest {
    EditRequest {
        message,
        by,
        origin: Origin(1),
        tag: "".into(),
        payload: Bytes::from_static(payload.as_bytes()),
        fault: None,
        review: false,
        mentions_all: false,
    }
}

/// What the command log of the group says.
async fn told(world: &World) -> Vec<Message> {
    let db = &world.db;
    let log = db
        .open(&world.group, LogKind::Command, false)
        .await
        .unwrap();
    match log {
        Some(log) => db.page(&log, EVERYTHING).await.unwrap(),
        None => Vec::new(),
    }
}

async fn changes(world: &World) -> Vec<&'static str> {
    let told = told(world).await;
    told.iter()
        .filter_map(Change::of)
        .map(|it| it.name())
        .collect()
}

#[tokio::test]
async fn the_table_of_who_may_edit() {
    let world = World::new(Policy {
        edit_window_ms: 1000,
        ..Policy::default()
    })
    .await;
    let realm = Realm::default();
    let table = [
        (world.by(ALICE), 0, None),
        (world.by(ALICE), 1000, None),
        (world.by(ALICE), 1001, Some(Refusal::TooLate)),
        (world.by(BOB), 0, Some(Refusal::Forbidden)),
        (world.by(OWNER), 0, Some(Refusal::Forbidden)),
        (world.by(ADMIN), 0, Some(Refusal::Forbidden)),
        (world.by(STRANGER), 0, Some(Refusal::NoSuchMessage)),
        (Operator::Application, 100_000, None),
    ];
    for (by, after_ms, expected) in table {
        let id = world.say(ALICE).await;
        world.clock.advance_ms(after_ms);
        let edited = world.im.edit(&realm, request(id, by.clone(), "y")).await;
        assert_eq!(
            edited.as_ref().err(),
            expected.as_ref(),
            "{by:?} {after_ms}"
        );
        let now = world.im.message(id).await.unwrap();
        let payload = &now.shown().payload[..];
        assert_eq!(payload == b"y", expected.is_none(), "{by:?} {after_ms}");
        if let Ok(edited) = edited {
            assert_eq!(edited.message, now);
            assert!(edited.is_new);
        }
    }
    // A word that may not be said holds users back, and not the application.
    let id = world.say(ALICE).await;
    for (by, expected) in [
        (world.by(ALICE), Some(Refusal::SensitiveWord)),
        (Operator::Application, None),
    ] {
        let request = EditRequest {
            fault: Some(Refusal::SensitiveWord),
            ..request(id, by, "y")
        };
        assert_eq!(world.im.edit(&realm, request).await.err(), expected);
    }
}

#[tokio::test]
async fn each_change_is_told_once() {
    let world = World::new(Policy::default()).await;
    let realm = Realm::default();
    let id = world.say(ALICE).await;
    let bob = &world.people[BOB];
    let im = &world.im;
    let before = changes(&world).await.len();
    for is_new in [true, false] {
        let edited = im.edit(&realm, request(id, world.by(ALICE), "y")).await;
        assert_eq!(edited.unwrap().is_new, is_new);
        let pinned = im.pin(&realm, id, world.by(OWNER), true).await;
        assert_eq!(pinned.unwrap().is_new, is_new);
        let reacted = im.react(&realm, id, bob, "👍", false).await;
        assert_eq!(reacted.unwrap().is_new, is_new);
    }
    for is_new in [true, false] {
        let gone = im.react(&realm, id, bob, "👍", true).await;
        assert_eq!(gone.unwrap().is_new, is_new);
        let deleted = im.delete(&realm, id, world.by(ALICE)).await;
        assert_eq!(deleted.unwrap().is_new, is_new);
        if is_new {
            let react = im.react(&realm, id, bob, "👍", false).await;
            assert_eq!(react.err(), Some(Refusal::NoSuchMessage), "it is unlisted");
            break;
        }
    }
    let told = changes(&world).await;
    assert_eq!(
        told[before..],
        ["edited", "pinned", "reacted", "reacted", "deleted"]
    );
    let entries = self::told(&world).await;
    assert!(
        entries
            .iter()
            .all(|it| !it.body.payload.windows(3).any(|w| w == b"\"ty")),
        "what the edit said is gone with the message"
    );
}

#[tokio::test]
async fn an_edit_is_told_to_those_who_may_read_the_message() {
    let world = World::new(Policy::default()).await;
    let realm = Realm::default();
    let since = ChannelChange {
        history: Some(HistoryFrom::SinceJoin),
        ..ChannelChange::default()
    };
    world.im.put_channel(&world.group, since).await.unwrap();
    let id = world.say(ALICE).await;
    let edit = |payload| world.im.edit(&realm, request(id, world.by(ALICE), payload));
    edit("for all").await.unwrap();
    let stranger = world.people[STRANGER].clone();
    let join = MemberChange::Join(stranger.clone(), MemberRole::Member);
    world
        .im
        .change_members(&world.group, vec![join])
        .await
        .unwrap();
    edit("for some").await.unwrap();
    let told = told(&world).await;
    let edits: Vec<_> = told.iter().filter(|it| &*it.body.tag == "edited").collect();
    assert_eq!(edits.len(), 2);
    assert_eq!(edits[0].body.audience, None);
    assert!(!edits[1].is_for(stranger.num));
    for who in [OWNER, ADMIN, ALICE, BOB] {
        assert!(edits[1].is_for(world.people[who].num), "{who}");
    }
    let viewer = Viewer::User(stranger);
    let hidden = world.im.sight(&realm, id, &viewer).await;
    assert_eq!(hidden.err(), Some(Refusal::NoSuchMessage));
    // Taken back, nothing of it is left for anybody.
    world.im.revoke(&realm, id, world.by(ALICE)).await.unwrap();
    for entry in self::told(&world).await {
        let text = String::from_utf8_lossy(&entry.body.payload).into_owned();
        assert!(
            !text.contains("for all") && !text.contains("for some"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn everything_is_found_again_after_opening() {
    let bed = Bed::new();
    let db = bed.open();
    let (alice, bob) = people(&db).await;
    let log = room(&db, "g", &[&alice, &bob]).await;
    say(&db, &log, &alice, 3).await;
    let messages = all(&db, &log).await;
    let edit = Edit {
        by: Some(alice.clone()),
        origin: Origin(3),
        tag: "t".into(),
        payload: Bytes::from_static(b"edited"),
    };
    db.edit(messages[0].id, &edit).await.unwrap();
    db.react(messages[0].id, &bob, "x", false).await.unwrap();
    db.pin(messages[1].id, Some(&bob), true).await.unwrap();
    db.hide(bob.num, log.num, &[2]).await.unwrap();
    db.erase(messages[2].id, None, Gone::Deleted).await.unwrap();
    let state = |db: Arc<crate::sqlite::Sqlite>| {
        let (log, ids, bob) = (log.clone(), messages[0].id, bob.clone());
        async move {
            (
                all(&db, &log).await,
                db.versions(ids, 0, 9).await.unwrap(),
                db.reactions(ids, None, 9).await.unwrap(),
                db.pins(log.num, 9).await.unwrap(),
                db.hidden(bob.num, &[(log.num, 1..=9)]).await.unwrap(),
                db.changed_since(log.num, 0, 9).await.unwrap(),
                super::view(&db, &bob, &log).await.unread(),
            )
        }
    };
    let before = state(Arc::clone(&db)).await;
    assert!(before.0[0].edited.is_some() && before.0[2].is_unlisted());
    assert_eq!(
        (before.3.len(), &before.4[..], before.6),
        (1, &[vec![2]][..], 1)
    );
    db.close().await;
    drop(db);
    assert_eq!(state(bed.open()).await, before);
}
