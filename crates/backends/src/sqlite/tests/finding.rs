//! Finding the message that a client means (data-model.md §4).

use std::sync::Arc;

use crosstalk_core::channel::{ChannelChange, ChannelKey, HistoryFrom, MemberChange, MemberRole};
use crosstalk_core::contract::{append, group, numbered, store};
use crosstalk_core::id::{MessageId, Realm, Uid, UserNum, UserRef};
use crosstalk_core::im::{HistoryQuery, Im, Policy, Stores, Viewer};
use crosstalk_core::log::AppendOutcome;
use crosstalk_core::message::Body;
use crosstalk_core::refusal::Refusal;

use super::Bed;
use super::messenger::NoSeal;
use crate::sqlite::Sqlite;

struct World {
    im: Arc<Im>,
    db: Arc<Sqlite>,
    people: [UserRef; 4],
    _bed: Bed,
}

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
const STRANGER: usize = 3;

impl World {
    /// alice, bob and carol in "g"; alice and bob in "h".
    async fn new() -> Self {
        let bed = Bed::new();
        let clock = Arc::clone(&bed.clock);
        let options = bed.options();
        let ids = Arc::clone(&options.ids);
        let db = Arc::new(Sqlite::open(options).unwrap());
        let stores = Stores::of(Arc::clone(&db));
        let im = Im::start(stores, Arc::new(NoSeal), ids, clock, Policy::default());
        let im = im.await.unwrap();
        let mut people = Vec::new();
        for uid in ["alice", "bob", "carol", "stranger"] {
            let uid = Uid::parse(uid).unwrap();
            people.push(im.ensure_user(&Realm::default(), &uid).await.unwrap());
        }
        let people: [UserRef; 4] = people.try_into().unwrap();
        let world = Self {
            im,
            db,
            people,
            _bed: bed,
        };
        for who in [ALICE, BOB, CAROL] {
            world.join("g", who, MemberRole::Member).await;
        }
        for who in [ALICE, BOB] {
            world.join("h", who, MemberRole::Member).await;
        }
        world
    }

    async fn join(&self, to: &str, who: usize, role: MemberRole) {
        let join = vec![MemberChange::Join(self.people[who].clone(), role)];
        self.im.change_members(&group(to), join).await.unwrap();
    }

    async fn say_in(&self, key: &ChannelKey, who: usize, body: Body) -> MessageId {
        use crosstalk_core::channel::{Channels, LogKind};
        let log = self
            .db
            .open(key, LogKind::Chat, true)
            .await
            .unwrap()
            .unwrap();
        let mut item = append(&log, &self.people[who], body);
        if key.pair().is_some() {
            item.first_contact = self.people[..2].iter().map(|user| user.num).collect();
        }
        match store(&*self.db, vec![item]).await[0] {
            AppendOutcome::Stored { id, .. } => id,
            other => panic!("{other:?}"),
        }
    }

    async fn say(&self, to: &str, who: usize, number: &str) -> MessageId {
        // No two are retries of each other.
        let payload = format!("{}", self.im.clock().mono_ms());
        let name: Arc<str> = format!("{number} of {who} in {to} {payload}").into();
        let body = numbered(number, &name);
        self.say_in(&group(to), who, body).await
    }

    async fn find(&self, who: usize, text: &str) -> Result<MessageId, Refusal> {
        self.find_in(who, text, None).await
    }

    async fn find_in(
        &self,
        who: usize,
        text: &str,
        within: Option<&str>,
    ) -> Result<MessageId, Refusal> {
        let within = within.map(group);
        let realm = Realm::default();
        let found = self
            .im
            .find(&realm, &self.people[who], text, within.as_ref());
        Ok(found.await?.id)
    }
}

const NONE: Result<MessageId, Refusal> = Err(Refusal::NoSuchMessage);

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_found_by_those_whose_business_it_is() {
    let world = World::new().await;
    let id = world.say("h", ALICE, "n").await;
    let text = id.0.to_string();
    for who in [ALICE, BOB] {
        assert_eq!(world.find(who, &text).await, Ok(id));
        assert_eq!(world.find_in(who, &text, Some("h")).await, Ok(id));
        assert_eq!(world.find_in(who, &text, Some("g")).await, NONE);
    }
    for who in [CAROL, STRANGER] {
        assert_eq!(world.find(who, &text).await, NONE);
    }
    for text in ["", "0", "-1", "+1", "99999999999999999999999", "１"] {
        assert_eq!(world.find(ALICE, text).await, NONE, "{text}");
    }
    // An id goes before a number of the same digits.
    let decoy = world.say("g", ALICE, &text).await;
    assert_eq!(world.find(ALICE, &text).await, Ok(id));
    assert_eq!(world.find_in(ALICE, &text, Some("g")).await, Ok(decoy));
    let realm = Realm::parse("elsewhere").unwrap();
    let found = world
        .im
        .find(&realm, &world.people[ALICE], &text, None)
        .await;
    assert_eq!(found.map(|found| found.id), NONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_goes_before_others() {
    let world = World::new().await;
    let of_bob = world.say("g", BOB, "n").await;
    assert_eq!(world.find(ALICE, "n").await, Ok(of_bob));
    assert_eq!(world.find(STRANGER, "n").await, NONE);
    let first = world.say("g", ALICE, "n").await;
    assert_eq!(world.find(ALICE, "n").await, Ok(first));
    let second = world.say("h", ALICE, "n").await;
    assert_eq!(world.find(ALICE, "n").await, Ok(second), "the newest");
    assert_eq!(world.find_in(ALICE, "n", Some("g")).await, Ok(first));
    assert_eq!(world.find(BOB, "n").await, Ok(of_bob));
    // Carol reads two of them, in "g".
    assert_eq!(world.find(CAROL, "n").await, Err(Refusal::Ambiguous));
    assert_eq!(world.find(STRANGER, "n").await, NONE);
    let application = world.im.find_for_application(&Realm::default(), "n").await;
    assert_eq!(application.map(|found| found.id), Err(Refusal::Ambiguous));
    let only = world.say("h", BOB, "only").await;
    for text in ["only".to_owned(), only.0.to_string()] {
        let found = world
            .im
            .find_for_application(&Realm::default(), &text)
            .await;
        assert_eq!(found.map(|found| found.id), Ok(only));
    }
    assert_eq!(world.find(CAROL, "only").await, NONE);
    let none = world
        .im
        .find_for_application(&Realm::default(), "none")
        .await;
    assert_eq!(none.map(|found| found.id), NONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_found_as_numbers_are() {
    let world = World::new().await;
    let body = Body {
        name: Some("m1".into()),
        ..numbered("n", "x")
    };
    let id = world.say_in(&group("g"), ALICE, body).await;
    for text in ["m1", "n"] {
        for who in [ALICE, BOB, CAROL] {
            assert_eq!(world.find(who, text).await, Ok(id));
        }
        assert_eq!(world.find(STRANGER, text).await, NONE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_is_found_by_moderators_alone() {
    let world = World::new().await;
    let history = ChannelChange {
        history: Some(HistoryFrom::SinceJoin),
        ..ChannelChange::default()
    };
    world.im.put_channel(&group("h"), history).await.unwrap();
    let id = world.say("h", ALICE, "n").await;
    world.join("h", CAROL, MemberRole::Member).await;
    world.join("h", STRANGER, MemberRole::Administrator).await;
    for text in ["n".to_owned(), id.0.to_string()] {
        assert_eq!(world.find(CAROL, &text).await, NONE);
        assert_eq!(world.find(STRANGER, &text).await, Ok(id));
        assert_eq!(world.find(BOB, &text).await, Ok(id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_two_of_a_direct_channel_find_what_they_said() {
    let world = World::new().await;
    let [alice, bob, ..] = &world.people;
    let key = ChannelKey::direct(&Realm::default(), &alice.uid, &bob.uid);
    let id = world.say_in(&key, ALICE, numbered("n", "x")).await;
    for text in ["n".to_owned(), id.0.to_string()] {
        for (who, found) in [(ALICE, Ok(id)), (BOB, Ok(id)), (CAROL, NONE)] {
            assert_eq!(world.find(who, &text).await, found);
        }
    }
}

/// What is for others shows its place in the history, and itself nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_others_is_seen_by_them_alone() {
    let world = World::new().await;
    let bob = world.people[BOB].num;
    let first = world.say("g", ALICE, "first").await;
    let mut last = first;
    for n in 0..150 {
        let body = Body {
            audience: Some([bob, UserNum(99)].into()),
            ..numbered("secret", &n.to_string())
        };
        last = world.say_in(&group("g"), ALICE, body).await;
    }
    for text in ["secret".to_owned(), last.0.to_string()] {
        assert_eq!(world.find(CAROL, &text).await, NONE);
        assert_eq!(world.find(ALICE, &text).await, Ok(last));
    }
    assert_eq!(world.find(BOB, "secret").await, Err(Refusal::Ambiguous));
    let query = HistoryQuery {
        from: 1,
        to: 9,
        limit: 9,
        newest: false,
    };
    for (who, newest, is_concealed) in [
        (Some(ALICE), last, false),
        (Some(BOB), last, false),
        (Some(CAROL), first, true),
        (None, last, false),
    ] {
        let user = who.map(|who| world.people[who].clone());
        let viewer = user.map_or(Viewer::Application, Viewer::User);
        let history = world.im.history(&group("g"), &viewer, query).await.unwrap();
        assert!(history.iter().map(|message| message.seq).eq(1..=9));
        assert!(!history[0].is_concealed);
        for message in &history[1..] {
            assert_eq!(message.is_concealed, is_concealed);
            assert_eq!(message.body.payload.is_empty(), is_concealed);
        }
        let logs = [(Arc::clone(&history[0].channel), 1)];
        let found = world.im.newest(&viewer, &logs, 1).await.unwrap();
        assert_eq!(found[0].iter().map(|m| m.id).collect::<Vec<_>>(), [newest]);
        let logs = [(Arc::clone(&history[0].channel), 2)];
        let found = world.im.newest(&viewer, &logs, 2).await.unwrap();
        assert_eq!(found[0].is_empty(), is_concealed);
    }
}
