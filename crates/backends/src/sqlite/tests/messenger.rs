//! The messenger on this store: who may revoke what, what is answered when, and retention by
//! time.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crosstalk_core::channel::{Address, ChannelKey, LogKind, MemberChange, MemberRole};
use crosstalk_core::clock::ManualClock;
use crosstalk_core::contract::{append, group, store, text};
use crosstalk_core::deliver::{Operator, Sender};
use crosstalk_core::directory::Seal;
use crosstalk_core::id::{MessageId, Realm, Uid, UserRef};
use crosstalk_core::im::{HistoryQuery, Im, Policy, Stores, Viewer};
use crosstalk_core::log::AppendOutcome;
use crosstalk_core::message::{Accepted, Draft, OnReuse};
use crosstalk_core::refusal::Refusal;

use super::Bed;
use super::commits::Gate;
use crate::sqlite::Sqlite;

const WINDOW_MS: i64 = 120_000;

pub(super) struct NoSeal;

impl Seal for NoSeal {
    fn seal(&self, secret: &str) -> Vec<u8> {
        secret.into()
    }
    fn open(&self, sealed: &[u8]) -> Option<String> {
        String::from_utf8(sealed.to_vec()).ok()
    }
}

/// The messenger, and a group of its people: an owner, an administrator, two members.
pub(super) struct World {
    pub(super) im: Arc<Im>,
    pub(super) db: Arc<Sqlite>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) group: ChannelKey,
    pub(super) people: Vec<UserRef>,
    _bed: Bed,
}

pub(super) const OWNER: usize = 0;
pub(super) const ADMIN: usize = 1;
pub(super) const ALICE: usize = 2;
pub(super) const BOB: usize = 3;
pub(super) const STRANGER: usize = 4;

impl World {
    pub(super) async fn new(policy: Policy) -> Self {
        let bed = Bed::new();
        let clock = Arc::clone(&bed.clock);
        let options = bed.options();
        let ids = Arc::clone(&options.ids);
        let db = Arc::new(Sqlite::open(options).unwrap());
        let stores = Stores::of(Arc::clone(&db));
        let im = Im::start(stores, Arc::new(NoSeal), ids, clock.clone(), policy);
        let im = im.await.unwrap();
        let realm = Realm::default();
        let mut people = Vec::new();
        for uid in ["owner", "admin", "alice", "bob", "stranger"] {
            let uid = Uid::parse(uid).unwrap();
            people.push(im.ensure_user(&realm, &uid).await.unwrap());
        }
        let roles = [
            MemberRole::Owner,
            MemberRole::Administrator,
            MemberRole::Member,
            MemberRole::Member,
        ];
        let join = |(user, role): (&UserRef, MemberRole)| MemberChange::Join(user.clone(), role);
        let joins = people.iter().zip(roles).map(join).collect();
        let group = group("g");
        im.change_members(&group, joins).await.unwrap();
        Self {
            im,
            db,
            clock,
            group,
            people,
            _bed: bed,
        }
    }

    pub(super) fn by(&self, who: usize) -> Operator {
        Operator::User(self.people[who].clone())
    }

    async fn say_in(&self, key: &ChannelKey, who: usize) -> Accepted {
        send(&self.im, key, &self.people[who], "x").await.unwrap()
    }

    pub(super) async fn say(&self, who: usize) -> MessageId {
        self.say_in(&self.group, who).await.id
    }

    async fn revoke(&self, id: MessageId, by: Operator) -> Result<bool, Refusal> {
        let taken = self.im.revoke(&Realm::default(), id, by).await?;
        let now = self.im.message(id).await.unwrap();
        assert_eq!(taken.message, now, "what is answered is what is stored");
        assert!(now.revoked.is_some() && now.body.payload.is_empty());
        Ok(taken.is_new)
    }

    async fn is_there(&self, id: MessageId) -> bool {
        let message = self.im.message(id).await.unwrap();
        message.revoked.is_none() && &message.body.payload[..] == b"x"
    }
}

async fn send(
    im: &Im,
    key: &ChannelKey,
    who: &UserRef,
    payload: &str,
) -> Result<Accepted, Refusal> {
    let to = Address {
        kind: key.kind,
        id: key.id_for(who.uid.as_str()).into(),
    };
    let draft = Draft {
        to,
        body: text(payload),
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    let sender = Sender::User(who.clone());
    let sent = im.send_as(&key.realm, sender, draft).await;
    sent.map_err(|refused| refused.why)
}

#[tokio::test]
async fn the_table_of_who_may_revoke() {
    let world = World::new(Policy::default()).await;
    let user = |who| world.by(who);
    let app = Operator::Application;
    // Who wrote it, who takes it back after how long, and what becomes of that.
    let table = [
        (ALICE, user(ALICE), 0, Ok(true)),
        (ALICE, user(ALICE), WINDOW_MS, Ok(true)),
        (ALICE, user(ALICE), WINDOW_MS + 1, Err(Refusal::TooLate)),
        (ALICE, user(BOB), 0, Err(Refusal::Forbidden)),
        (OWNER, user(ALICE), 0, Err(Refusal::Forbidden)),
        (ALICE, user(STRANGER), 0, Err(Refusal::NoSuchMessage)),
        (ALICE, user(ADMIN), 100 * WINDOW_MS, Ok(true)),
        (ALICE, user(OWNER), 100 * WINDOW_MS, Ok(true)),
        (OWNER, user(ADMIN), 100 * WINDOW_MS, Ok(true)),
        (ADMIN, user(ADMIN), 100 * WINDOW_MS, Ok(true)),
        (ALICE, app.clone(), 100 * WINDOW_MS, Ok(true)),
        // A clock that went back.
        (ALICE, user(ALICE), -100 * WINDOW_MS, Ok(true)),
    ];
    for (author, by, after_ms, expected) in table {
        let id = world.say(author).await;
        world.clock.advance_ms(after_ms);
        let found = world.revoke(id, by.clone()).await;
        let row = (author, &by, after_ms);
        assert_eq!(found, expected, "{row:?}");
        assert_eq!(world.is_there(id).await, expected.is_err(), "{row:?}");
        if expected.is_ok() {
            // Again, also when the author would be too late by now.
            world.clock.advance_ms(WINDOW_MS + 1);
            assert_eq!(world.revoke(id, by.clone()).await, Ok(false), "{row:?}");
            assert_eq!(world.revoke(id, user(OWNER)).await, Ok(false), "{row:?}");
            let refused = world.revoke(id, user(BOB)).await;
            assert_eq!(refused, Err(Refusal::Forbidden), "{row:?}");
        }
    }
}

#[tokio::test]
async fn without_a_window_there_is_no_haste() {
    let world = World::new(Policy {
        revoke_window_ms: 0,
        ..Policy::default()
    })
    .await;
    let id = world.say(ALICE).await;
    world.clock.advance_ms(1000 * WINDOW_MS);
    assert_eq!(
        world.revoke(id, world.by(BOB)).await,
        Err(Refusal::Forbidden)
    );
    assert_eq!(world.revoke(id, world.by(ALICE)).await, Ok(true));
}

#[tokio::test]
async fn the_two_of_a_direct_channel_revoke_their_own() {
    let world = World::new(Policy::default()).await;
    let [alice, bob] = [ALICE, BOB].map(|who| world.people[who].uid.clone());
    let key = ChannelKey::direct(&Realm::default(), &alice, &bob);
    let sent = world.say_in(&key, ALICE).await.id;
    let refused = [(BOB, Refusal::Forbidden), (OWNER, Refusal::NoSuchMessage)];
    for (who, why) in refused {
        assert_eq!(world.revoke(sent, world.by(who)).await, Err(why));
    }
    assert_eq!(world.revoke(sent, world.by(ALICE)).await, Ok(true));
    let query = HistoryQuery {
        from: 1,
        to: 9,
        limit: 9,
        newest: true,
    };
    let viewer = Viewer::User(world.people[BOB].clone());
    let history = world.im.history(&key, &viewer, query).await.unwrap();
    let by = history[0].revoked.as_ref().and_then(|r| r.by.clone());
    assert_eq!(by.as_ref(), Some(&world.people[ALICE]));
    assert!(history[0].body.payload.is_empty());
    let rows = world.im.conversations(&world.people[BOB]).await.unwrap();
    let direct = rows.iter().find(|row| row.channel.key == key).unwrap();
    assert_eq!((direct.head_seq, direct.unread()), (1, 0));
}

#[tokio::test]
async fn whoever_left_takes_back_only_what_is_their_own() {
    let world = World::new(Policy::default()).await;
    let (own, other) = (world.say(ADMIN).await, world.say(ALICE).await);
    let leave = vec![MemberChange::Leave(world.people[ADMIN].clone())];
    world.im.change_members(&world.group, leave).await.unwrap();
    let refused = world.revoke(other, world.by(ADMIN)).await;
    assert_eq!(refused, Err(Refusal::NoSuchMessage));
    assert_eq!(world.revoke(own, world.by(ADMIN)).await, Ok(true));
}

#[tokio::test]
async fn other_realms_logs_and_ids_have_no_such_message() {
    let world = World::new(Policy::default()).await;
    let id = world.say(ALICE).await;
    let none = Err(Refusal::NoSuchMessage);
    let elsewhere = Realm::parse("elsewhere").unwrap();
    let found = world.im.revoke(&elsewhere, id, Operator::Application).await;
    assert_eq!(found.map(|taken| taken.is_new), none);
    assert!(world.is_there(id).await);
    let unknown = world
        .im
        .revoke(&Realm::default(), MessageId(77), world.by(OWNER))
        .await;
    assert_eq!(unknown.map(|taken| taken.is_new), none);
    use crosstalk_core::channel::Channels;
    let command = world.db.open(&world.group, LogKind::Command, true).await;
    let event = append(&command.unwrap().unwrap(), &world.people[ALICE], text("x"));
    let AppendOutcome::Stored { id, .. } = store(&*world.db, vec![event]).await[0] else {
        panic!("not stored")
    };
    assert_eq!(world.revoke(id, Operator::Application).await, none);
    assert!(world.is_there(id).await);
}

#[tokio::test]
async fn revoking_counts_like_sending() {
    let mut policy = Policy::default();
    (policy.send.rate_per_sec, policy.send.burst) = (1, 2);
    let world = World::new(policy).await;
    let first = world.say(ALICE).await;
    assert_eq!(world.revoke(first, world.by(ALICE)).await, Ok(true));
    let limited = world.revoke(first, world.by(ALICE)).await;
    assert_eq!(limited, Err(Refusal::RateLimited));
    assert_eq!(world.revoke(first, world.by(OWNER)).await, Ok(false));
    assert_eq!(world.revoke(first, Operator::Application).await, Ok(false));
}

#[tokio::test]
async fn a_revoke_that_is_not_durable_is_a_failure() {
    let world = World::new(Policy::default()).await;
    let id = world.say(ALICE).await;
    world.db.shared.failing_commits.store(2, Ordering::SeqCst);
    let failed = world.revoke(id, world.by(ALICE)).await;
    assert_eq!(failed, Err(Refusal::Unavailable));
    assert!(world.is_there(id).await);
    assert_eq!(world.revoke(id, world.by(ALICE)).await, Ok(true));
}

#[tokio::test]
async fn what_was_sent_before_is_answered_first() {
    let world = World::new(Policy::default()).await;
    let id = world.say(ALICE).await;
    let gate = Gate::shut(&world.db).await;
    let mut turns = tokio::task::JoinSet::new();
    for n in 0..3 {
        let (im, key) = (Arc::clone(&world.im), world.group.clone());
        let bob = world.people[BOB].clone();
        turns.spawn(async move {
            send(&im, &key, &bob, &n.to_string()).await.unwrap();
            "sent"
        });
    }
    while world.db.stats().queue_len == 0 {
        tokio::task::yield_now().await;
    }
    let (im, by) = (Arc::clone(&world.im), world.by(ALICE));
    turns.spawn(async move {
        im.revoke(&Realm::default(), id, by).await.unwrap();
        "revoked"
    });
    gate.open().await;
    let mut order = Vec::new();
    while let Some(turn) = turns.join_next().await {
        order.push(turn.unwrap());
    }
    assert_eq!(order, ["sent", "sent", "sent", "revoked"]);
}

#[tokio::test]
async fn retention_goes_by_time() {
    const DAY_MS: i64 = 24 * 3600 * 1000;
    let mut policy = Policy::default();
    policy.send.rate_per_sec = 0;
    let world = World::new(policy).await;
    let mut sent_at_ms = Vec::new();
    for _ in 0..5 {
        for _ in 0..500 {
            let sent = world.say_in(&world.group, OWNER).await;
            sent_at_ms.push(sent.sent_at_ms);
        }
        world.clock.advance_ms(DAY_MS);
    }
    // What tells that its people have joined is as old as the group.
    use crosstalk_core::channel::Channels;
    use crosstalk_core::log::Log;
    let told = world.db.open(&world.group, LogKind::Command, false).await;
    let told = told.unwrap().expect("they were told");
    let told = world.db.heads(&[told.num]).await.unwrap()[0].seq;
    let cut = sent_at_ms[1000];
    assert_eq!(world.im.retain(cut).await, Ok(1000 + told));
    assert_eq!(world.im.retain(cut).await, Ok(0));
    let query = HistoryQuery {
        from: 1,
        to: u64::MAX,
        limit: 10_000,
        newest: false,
    };
    let viewer = Viewer::Application;
    let history = world
        .im
        .history(&world.group, &viewer, query)
        .await
        .unwrap();
    let seqs = history.iter().map(|message| message.seq);
    assert!(seqs.eq(1001..=2500));
    let rows = world.im.conversations(&world.people[BOB]).await.unwrap();
    assert_eq!((rows[0].begins_after, rows[0].unread()), (1000, 1500));
    assert_eq!(world.im.retain(i64::MAX).await, Ok(1500));
    let rows = world.im.conversations(&world.people[BOB]).await.unwrap();
    assert_eq!((rows[0].head_seq, rows[0].unread()), (2500, 0));
    world.say(ALICE).await;
    let rows = world.im.conversations(&world.people[BOB]).await.unwrap();
    assert_eq!((rows[0].head_seq, rows[0].unread()), (2501, 1));
}
