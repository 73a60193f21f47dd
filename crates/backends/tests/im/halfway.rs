//! What fails half-way is done by asking again: nothing of it is lost, nothing told twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use crosstalk_core::change::Change;
use crosstalk_core::channel::{ChannelRef, LogKind};
use crosstalk_core::contract::text;
use crosstalk_core::deliver::Operator;
use crosstalk_core::id::{ChannelNum, MessageId, Realm, UserNum, UserRef};
use crosstalk_core::im::Stores;
use crosstalk_core::log::{
    Append, Called, Head, Log, Page, PendingAppend, Retained, RevokeOutcome,
};
use crosstalk_core::message::{Gone, Message};
use crosstalk_core::receipt::{MessageState, NewlyRead, Receipts};
use crosstalk_core::session::MailboxLimits;
use crosstalk_core::store::{StoreError, StoreErrorKind, StoreResult};

use super::world::{PULLING, World, key, to_group};

/// A store that fails in one respect while it is told to.
struct Failing<P: ?Sized> {
    inner: Arc<P>,
    fails: Arc<AtomicBool>,
}

impl<P: ?Sized> Failing<P> {
    fn check(&self) -> StoreResult<()> {
        if self.fails.load(Ordering::SeqCst) {
            let why = "it fails, as told".to_owned();
            return Err(StoreError::new(StoreErrorKind::Unavailable, why));
        }
        Ok(())
    }
}

/// Nothing goes into command logs.
#[async_trait]
impl Log for Failing<dyn Log> {
    async fn append(&self, batch: Vec<Append>) -> StoreResult<PendingAppend> {
        if batch
            .iter()
            .any(|item| item.channel.log == LogKind::Command)
        {
            self.check()?;
        }
        self.inner.append(batch).await
    }

    async fn heads(&self, channels: &[ChannelNum]) -> StoreResult<Vec<Head>> {
        self.inner.heads(channels).await
    }

    async fn page(&self, channel: &Arc<ChannelRef>, page: Page) -> StoreResult<Vec<Message>> {
        self.inner.page(channel, page).await
    }

    async fn by_id(&self, id: MessageId) -> StoreResult<Option<Message>> {
        self.inner.by_id(id).await
    }

    async fn newest(
        &self,
        logs: &[(Arc<ChannelRef>, u64)],
        limit: u32,
    ) -> StoreResult<Vec<Vec<Message>>> {
        self.inner.newest(logs, limit).await
    }

    async fn by_number(&self, called: &Called, limit: u32) -> StoreResult<Vec<Message>> {
        self.inner.by_number(called, limit).await
    }

    async fn scan(&self, after: MessageId, limit: u32) -> StoreResult<Vec<Message>> {
        self.inner.scan(after, limit).await
    }

    async fn last_id(&self) -> StoreResult<MessageId> {
        self.inner.last_id().await
    }

    async fn erase(
        &self,
        id: MessageId,
        by: Option<&UserRef>,
        how: Gone,
    ) -> StoreResult<RevokeOutcome> {
        self.inner.erase(id, by, how).await
    }

    async fn retain(
        &self,
        from: MessageId,
        before: MessageId,
        limit: u32,
    ) -> StoreResult<Retained> {
        self.inner.retain(from, before, limit).await
    }
}

/// No receipts are written.
#[async_trait]
impl Receipts for Failing<dyn Receipts> {
    async fn read(
        &self,
        channel: ChannelNum,
        reader: UserNum,
        seqs: std::ops::RangeInclusive<u64>,
        at_ms: i64,
        limit: u32,
    ) -> StoreResult<Vec<NewlyRead>> {
        self.check()?;
        self.inner.read(channel, reader, seqs, at_ms, limit).await
    }

    async fn of(
        &self,
        message: MessageId,
        after: Option<UserNum>,
        limit: u32,
    ) -> StoreResult<Vec<(UserNum, i64)>> {
        self.inner.of(message, after, limit).await
    }

    async fn changed_since(
        &self,
        channel: ChannelNum,
        version: i64,
        limit: u32,
    ) -> StoreResult<Vec<MessageState>> {
        self.inner.changed_since(channel, version, limit).await
    }

    async fn states(&self, ids: &[MessageId]) -> StoreResult<Vec<MessageState>> {
        self.inner.states(ids).await
    }
}

async fn world(fails: &Arc<AtomicBool>) -> World {
    let world = World::with(MailboxLimits::default(), |stores| Stores {
        log: Arc::new(Failing {
            inner: Arc::clone(&stores.log),
            fails: Arc::clone(fails),
        }),
        receipts: Arc::new(Failing {
            inner: Arc::clone(&stores.receipts),
            fails: Arc::clone(fails),
        }),
        ..stores
    })
    .await;
    for uid in ["alice", "bob"] {
        world.join("g", uid).await;
    }
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_that_nobody_was_told_of_is_told_when_it_is_asked_for_again() {
    let fails = Arc::new(AtomicBool::new(false));
    let world = world(&fails).await;
    let bob = world.client("bob", "phone", PULLING).await;
    let said = world.say("alice", to_group("g")).await;
    let alice = world.user("alice").await;
    let realm = Realm::default();
    let revoke = || {
        let by = Operator::User(alice.clone());
        world.im().revoke(&realm, said, by)
    };
    fails.store(true, Ordering::SeqCst);
    assert!(revoke().await.is_err(), "not before everybody is told");
    fails.store(false, Ordering::SeqCst);
    for _ in 0..3 {
        let taken = revoke().await.expect("done");
        assert!(!taken.is_new && taken.message.revoked.is_some());
    }
    let last = world.say("alice", to_group("g")).await;
    world.handed_out(last).await;
    let told = bob.take(&world).await;
    let told: Vec<_> = told.iter().filter_map(|m| Change::of(m)).collect();
    let [Change::Revoked { message, by, .. }] = &told[..] else {
        panic!("told once: {told:?}");
    };
    assert_eq!((message.id, by.as_deref()), (said, Some("alice")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_that_could_not_be_written_are_written_when_it_is_read_again() {
    let fails = Arc::new(AtomicBool::new(false));
    let world = world(&fails).await;
    let mut asking = text("who reads this?");
    asking.flags.receipt = true;
    let sent = world.send("alice", to_group("g"), asking).await;
    let asked = sent.expect("accepted");
    let bob = world.user("bob").await;
    fails.store(true, Ordering::SeqCst);
    assert!(world.im().read(&bob, &key("g"), None).await.is_err());
    fails.store(false, Ordering::SeqCst);
    let row = world.im().read(&bob, &key("g"), None).await.expect("read");
    assert_eq!((row.unread(), row.read_seq), (0, 1));
    let viewer = crosstalk_core::im::Viewer::User(bob.clone());
    let changed = world.im().changed(&viewer, &key("g"), 0, 10).await;
    let counts: Vec<_> = changed
        .expect("changed")
        .iter()
        .map(|changed| (changed.message.id, changed.state.read_count))
        .collect();
    assert_eq!(counts, [(asked, 1)]);
}
