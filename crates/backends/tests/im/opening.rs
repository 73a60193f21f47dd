//! Sessions that are being opened: what is sent meanwhile, and that nothing stays of one
//! that was given up.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use crosstalk_core::channel::{
    ChannelChange, ChannelKey, ChannelRecord, ChannelRef, Channels, FoundMembers, List, ListChange,
    LogKind, Member, MemberChange, MemberQuery, MemberRow, MembersChanged,
};
use crosstalk_core::id::{ChannelNum, MessageId, Realm, UserNum};
use crosstalk_core::im::Stores;
use crosstalk_core::session::{MailboxLimits, Session};
use crosstalk_core::store::StoreResult;
use tokio::sync::Semaphore;

use super::world::{PULLING, PUSHED, World, request, to_group, until};

/// Answers who is in which channel only when it is let.
struct Slow {
    inner: Arc<dyn Channels>,
    asked: Semaphore,
    answer: Semaphore,
}

#[async_trait]
impl Channels for Slow {
    async fn open(
        &self,
        key: &ChannelKey,
        log: LogKind,
        create: bool,
    ) -> StoreResult<Option<Arc<ChannelRef>>> {
        self.inner.open(key, log, create).await
    }

    async fn record(&self, key: &ChannelKey) -> StoreResult<Option<ChannelRecord>> {
        self.inner.record(key).await
    }

    async fn put(&self, key: &ChannelKey, change: &ChannelChange) -> StoreResult<ChannelRecord> {
        self.inner.put(key, change).await
    }

    async fn create(
        &self,
        key: &ChannelKey,
        change: &ChannelChange,
        members: &[MemberChange],
    ) -> StoreResult<Option<(ChannelRecord, MembersChanged)>> {
        self.inner.create(key, change, members).await
    }

    async fn members(
        &self,
        channel: ChannelNum,
        after: Option<UserNum>,
        limit: u32,
    ) -> StoreResult<Vec<Member>> {
        self.inner.members(channel, after, limit).await
    }

    async fn find_members(
        &self,
        channel: ChannelNum,
        query: &MemberQuery,
    ) -> StoreResult<FoundMembers> {
        self.inner.find_members(channel, query).await
    }

    async fn member(&self, channel: ChannelNum, user: UserNum) -> StoreResult<Option<Member>> {
        self.inner.member(channel, user).await
    }

    async fn members_since(
        &self,
        channel: ChannelNum,
        after_version: i64,
        limit: u32,
    ) -> StoreResult<Vec<MemberRow>> {
        self.inner
            .members_since(channel, after_version, limit)
            .await
    }

    async fn change_members(
        &self,
        channel: ChannelNum,
        changes: &[MemberChange],
    ) -> StoreResult<MembersChanged> {
        self.inner.change_members(channel, changes).await
    }

    async fn lists(&self, channel: ChannelNum) -> StoreResult<Vec<(List, UserNum)>> {
        self.inner.lists(channel).await
    }

    async fn change_list(
        &self,
        channel: ChannelNum,
        list: List,
        change: ListChange,
        users: &[UserNum],
    ) -> StoreResult<()> {
        self.inner.change_list(channel, list, change, users).await
    }

    async fn of_user(&self, user: UserNum) -> StoreResult<Vec<Arc<ChannelRef>>> {
        let channels = self.inner.of_user(user).await;
        self.asked.add_permits(1);
        self.answer.acquire().await.expect("open").forget();
        channels
    }
}

async fn world() -> (World, Arc<Slow>) {
    let slow = std::sync::OnceLock::new();
    let world = World::with(MailboxLimits::default(), |stores| {
        let channels = Slow {
            inner: Arc::clone(&stores.channels),
            asked: Semaphore::new(0),
            answer: Semaphore::new(0),
        };
        let channels = slow.get_or_init(|| Arc::new(channels));
        Stores {
            channels: channels.clone(),
            ..stores
        }
    })
    .await;
    for uid in ["alice", "bob"] {
        world.join("g", uid).await;
    }
    let slow = slow.into_inner().expect("it was put there");
    (world, slow)
}

/// A group whose set of sessions is there already, so that only its lane can add one.
async fn wake_the_lane(world: &World) {
    let id = world.say("alice", to_group("g")).await;
    world.handed_out(id).await;
}

/// What is handed out after the session is in the hub and before the lane knows it is below
/// its live messages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_while_a_session_opens_is_not_lost() {
    for delivery in [PULLING, PUSHED] {
        let (world, slow) = world().await;
        wake_the_lane(&world).await;
        let im = Arc::clone(world.im());
        let opening = tokio::spawn(async move {
            let request = request("bob", "phone", delivery);
            im.open_session(request).await.expect("a session")
        });
        slow.asked.acquire().await.expect("open").forget();
        let missed = world.say("alice", to_group("g")).await;
        world.handed_out(missed).await;
        slow.answer.add_permits(1);
        let session = opening.await.expect("opened");
        let client = super::world::Client { session };
        let live = world.say("alice", to_group("g")).await;
        world.handed_out(live).await;
        let mut got: Vec<MessageId> = client.take_and_ack(&world).await;
        let pulled = world.im().pull(&client.session, 100).await.expect("pulled");
        got.extend(pulled.messages.iter().map(|message| message.id));
        for id in [missed, live] {
            assert_eq!(
                got.iter().filter(|got| **got == id).count(),
                1,
                "{delivery:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_session_that_was_given_up_nothing_stays() {
    let (world, slow) = world().await;
    let im = Arc::clone(world.im());
    let opening = tokio::spawn(async move {
        let _ = im.open_session(request("bob", "phone", PUSHED)).await;
    });
    slow.asked.acquire().await.expect("open").forget();
    let bob = world.user("bob").await;
    let there = world.im().sessions(&Realm::default(), &bob.uid).await;
    let session: Weak<Session> = Arc::downgrade(&there.expect("sessions")[0]);
    // The lane finds it in the hub and keeps it.
    wake_the_lane(&world).await;
    assert_eq!(world.im().hub().session_count(), 1);
    opening.abort();
    assert!(opening.await.expect_err("it was aborted").is_cancelled());
    assert_eq!(world.im().hub().session_count(), 0);
    until(|| session.upgrade().is_none()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_closed_is_forgotten_by_the_lanes() {
    let (world, slow) = world().await;
    slow.answer.add_permits(1);
    let client = world.client("bob", "phone", PUSHED).await;
    wake_the_lane(&world).await;
    let session = Arc::downgrade(&client.session);
    {
        // Whoever closes it goes away at the first chance.
        let closing = world.im().close_session(&client.session);
        tokio::pin!(closing);
        let _ = futures_util::poll!(closing.as_mut());
    }
    drop(client);
    until(|| session.upgrade().is_none()).await;
    assert_eq!(world.im().hub().session_count(), 0);
}
