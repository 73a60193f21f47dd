//! A lane that is late holds back what devices are said to have been given.

use std::sync::Arc;

use async_trait::async_trait;
use crosstalk_core::channel::{ChannelRef, LogKind};
use crosstalk_core::id::{ChannelNum, MessageId, UserRef};
use crosstalk_core::im::Stores;
use crosstalk_core::log::{
    Append, Called, Head, Log, Page, PendingAppend, Retained, RevokeOutcome,
};
use crosstalk_core::message::{Gone, Message};
use crosstalk_core::session::MailboxLimits;
use crosstalk_core::store::StoreResult;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::world::{PATIENCE, PULLING, PUSHED, World, to_group};

/// Stores at once, but says so late of one channel.
struct Late {
    inner: Arc<dyn Log>,
    stored: Arc<Semaphore>,
    answer: Arc<Semaphore>,
}

#[async_trait]
impl Log for Late {
    async fn append(&self, batch: Vec<Append>) -> StoreResult<PendingAppend> {
        let is_late = batch
            .iter()
            .any(|item| &*item.channel.key.id == "late" && item.channel.log == LogKind::Chat);
        let pending = self.inner.append(batch).await?;
        if !is_late {
            return Ok(pending);
        }
        let (stored, answer) = (Arc::clone(&self.stored), Arc::clone(&self.answer));
        let late = async move {
            let outcomes = pending.await;
            stored.add_permits(1);
            answer.acquire().await.expect("open").forget();
            outcomes
        };
        // It is stored whether or not somebody waits for it.
        let late = tokio::spawn(late);
        Ok(async move { late.await.expect("the outcomes") }.boxed())
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_late_lane_has_not_handed_out_is_not_claimed() {
    for delivery in [PUSHED, PULLING] {
        let (stored, answer) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let mut world = World::with(MailboxLimits::default(), |stores| Stores {
            log: Arc::new(Late {
                inner: Arc::clone(&stores.log),
                stored: Arc::clone(&stored),
                answer: Arc::clone(&answer),
            }),
            ..stores
        })
        .await;
        // One of so many is in another lane.
        let groups: Vec<String> = (0..24).map(|n| format!("g{n}")).collect();
        for group in groups.iter().map(String::as_str).chain(["late"]) {
            world.join(group, "bob").await;
            world.join(group, "alice").await;
        }
        let client = world.client("bob", "phone", delivery).await;
        client.take(&world).await;
        let mut late = Box::pin(world.say("alice", to_group("late")));
        tokio::select! {
            stored = stored.acquire() => stored.expect("open").forget(),
            _ = &mut late => panic!("it is answered late"),
        }
        // Everything in other lanes goes on; what is in the same lane waits.
        let mut others: FuturesUnordered<_> = groups
            .iter()
            .map(|group| world.say("alice", to_group(group)))
            .collect();
        let mut answered = Vec::new();
        while answered.len() < 3 {
            let next = timeout(PATIENCE, others.next()).await.expect("in time");
            answered.push(next.expect("most are in other lanes"));
        }
        let got = loop {
            let (messages, behind) = client.drain();
            if behind {
                client.resync(&world).await;
            }
            if !messages.is_empty() {
                break messages;
            }
            client.session.mailbox.ready().await;
        };
        assert!(!got.is_empty());
        client.ack(&world, got.iter().map(|message| message.id));
        assert!(world.im().dispatched() < answered[0]);
        world.write().await;
        // What the lane does now, nobody hears any more.
        answer.add_permits(1);
        late.as_mut().await;
        drop(late);
        while others.next().await.is_some() {}
        drop(others);
        world.crash().await;
        let client = world.client("bob", "phone", delivery).await;
        let mut found = client.take(&world).await;
        let pulled = world
            .im()
            .pull(&client.session, 1000)
            .await
            .expect("pulled");
        found.extend(pulled.messages.into_iter().map(Arc::new));
        let channels: Vec<&str> = found.iter().map(|m| &*m.channel.key.id).collect();
        assert!(channels.contains(&"late"), "{delivery:?}: {channels:?}");
    }
}
