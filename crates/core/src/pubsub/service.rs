//! The verbs. Those that change something go through the lane, in the order of the calls, and
//! are answered when what must be durable is.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::job::{Holder, Job, Reply};
use super::lane::Lane;
use super::state::{State, SubscribeOutcome};
use super::subscriber::Env;
use super::{
    Attach, Attached, Attachment, DeliveryId, Detach, Filter, Publication, Published, QueuePage,
    Settled, Subscribers, Subscription, TopicCounters, TopicLimits,
};
use crate::clock::Clock;
use crate::id::{Realm, UserNum};
use crate::store::{StoreError, StoreResult};

/// Jobs that may wait; whoever brings another waits, which stops its reading.
const QUEUE: usize = 4096;

/// Why a verb did nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TopicError {
    /// The connection does not hold the subscriber any more: another took it over, or the
    /// session was ended. The attachment tells which.
    #[error("another connection has taken over, or the session was ended")]
    Superseded,
    /// A bound of [`TopicLimits`] is reached.
    #[error("there is no room for it")]
    Quota,
    /// The store failed: nothing of it counts as accepted, and what was told to no one may
    /// still happen.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server stops.
    #[error("the server stops")]
    Stopped,
}

/// The answer to a publication that has its place in the order already.
#[derive(Debug)]
pub struct PendingPublish(oneshot::Receiver<Result<Published, TopicError>>);

impl PendingPublish {
    /// Waits until what must be durable is.
    ///
    /// # Errors
    /// As [`PubSub::publish`].
    pub async fn done(self) -> Result<Published, TopicError> {
        self.0.await.unwrap_or(Err(TopicError::Stopped))
    }
}

/// Publish and subscribe. See the module's words.
pub struct PubSub {
    jobs: mpsc::Sender<Job>,
    store: Arc<dyn Subscribers>,
    limits: TopicLimits,
    counters: Arc<TopicCounters>,
    tasks: TaskTracker,
    stop: CancellationToken,
    _stop_at_drop: DropGuard,
}

impl PubSub {
    /// Starts with everything that is stored. Sessions that were connected when the last run
    /// ended have lost their connections now. `sweep_every` is how often what is due is done:
    /// wills, sessions, expired messages.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn start(
        store: Arc<dyn Subscribers>,
        clock: Arc<dyn Clock>,
        limits: TopicLimits,
        sweep_every: Duration,
    ) -> StoreResult<Arc<Self>> {
        let counters = Arc::new(TopicCounters::default());
        let stored = store.load().await?;
        let env = Arc::new(Env::new(clock, limits, Arc::clone(&counters)));
        let (state, first) = State::load(env, stored);
        let (jobs, queue) = mpsc::channel(QUEUE);
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        if !first.is_empty() {
            store.apply(first.into()).await?;
        }
        let lane = Lane::new(state, Arc::clone(&store));
        tasks.spawn(lane.run(queue, sweep_every, stop.clone()));
        Ok(Arc::new(Self {
            jobs,
            store,
            limits,
            counters,
            tasks,
            _stop_at_drop: stop.clone().drop_guard(),
            stop,
        }))
    }

    /// What was done since the start.
    #[must_use]
    pub fn counters(&self) -> &TopicCounters {
        &self.counters
    }

    /// Jobs that wait for the lane.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    /// Connects a subscriber. An older connection of the same user and client id is told
    /// [`TakenOver`](super::AttachmentEnd::TakenOver), and its will is published unless the
    /// session goes on and the will has a delay.
    ///
    /// # Errors
    /// `Quota` if the user has too many connected subscribers.
    pub async fn attach(&self, attach: Attach) -> Result<Attached, TopicError> {
        let ask = |reply| Job::Attach(Box::new(attach), reply);
        let attached = self.ask(ask).await?;
        if let Err(error) = self.refill(&attached.attachment).await {
            attached.attachment.refuse();
            return Err(error);
        }
        Ok(attached)
    }

    /// Disconnects a subscriber. `new_expiry` replaces how long its session goes on, if it is
    /// one that goes on at all. Does nothing if the connection does not hold it any more.
    ///
    /// # Errors
    /// When the store fails; the connection is gone all the same.
    pub async fn detach(
        &self,
        attachment: &Attachment,
        how: Detach,
        new_expiry: Option<u32>,
    ) -> Result<(), TopicError> {
        let holder = attachment.holder();
        let detached = self
            .ask(|reply| Job::Detach(holder, how, new_expiry, reply))
            .await;
        if detached.is_err() {
            // It is done as soon as it can be.
            attachment.subscriber.abandon(attachment.epoch, how);
        }
        detached
    }

    /// Subscribes; an equal filter is replaced. One outcome per subscription, in order.
    /// Retained messages that it brings come out of the attachment, not before the answer.
    ///
    /// # Errors
    /// `Superseded`, or when the store fails.
    pub async fn subscribe(
        &self,
        attachment: &Attachment,
        list: Vec<Subscription>,
    ) -> Result<Vec<SubscribeOutcome>, TopicError> {
        let holder = attachment.holder();
        self.ask(|reply| Job::Subscribe(holder, list, reply)).await
    }

    /// Unsubscribes. For each filter, in order, whether it was there.
    ///
    /// # Errors
    /// `Superseded`, or when the store fails.
    pub async fn unsubscribe(
        &self,
        attachment: &Attachment,
        list: Vec<Filter>,
    ) -> Result<Vec<bool>, TopicError> {
        let holder = attachment.holder();
        self.ask(|reply| Job::Unsubscribe(holder, list, reply))
            .await
    }

    /// Publishes in the realm of a connection. When it is answered, what must be durable is:
    /// it is in the queues of durable subscribers, and retained.
    ///
    /// # Errors
    /// `Quota` if it cannot be retained; `Superseded` if it must count once and the connection
    /// does not hold its subscriber any more; when the store fails.
    pub async fn publish(
        &self,
        from: &Attachment,
        publication: Publication,
    ) -> Result<Published, TopicError> {
        self.submit(from, publication).await?.done().await
    }

    /// As [`publish`](Self::publish), in two steps: when this returns, the publication has its
    /// place in the order, and another may be submitted.
    ///
    /// # Errors
    /// `Stopped`.
    pub async fn submit(
        &self,
        from: &Attachment,
        publication: Publication,
    ) -> Result<PendingPublish, TopicError> {
        let realm = from.subscriber.realm.clone();
        self.enter(Some(from.holder()), realm, publication).await
    }

    /// Publishes in the server's own name.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub async fn publish_as_server(
        &self,
        realm: &Realm,
        publication: Publication,
    ) -> Result<Published, TopicError> {
        let pending = self.enter(None, realm.clone(), publication).await?;
        pending.done().await
    }

    async fn enter(
        &self,
        from: Option<Holder>,
        realm: Realm,
        publication: Publication,
    ) -> Result<PendingPublish, TopicError> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Publish(from, realm, Box::new(publication), reply);
        self.send(job).await?;
        Ok(PendingPublish(answer))
    }

    /// Notes how far a delivery is; false if there is none with that number, or it is not that
    /// far. What is `Done` is not waited for: if the server crashes it may be asked again.
    ///
    /// # Errors
    /// `Superseded`, or when the store fails.
    pub async fn settle(
        &self,
        attachment: &Attachment,
        id: DeliveryId,
        how: Settled,
    ) -> Result<bool, TopicError> {
        let subscriber = &attachment.subscriber;
        match how {
            Settled::Done => subscriber.done(attachment.epoch, id),
            Settled::Received => {
                let is_known = subscriber.received(attachment.epoch, id)?;
                if is_known && subscriber.num.is_some() {
                    self.ask(Job::Flush).await?;
                }
                Ok(is_known)
            }
        }
    }

    /// Notes the number of a publication that must count once, whatever becomes of it. True if
    /// it is new; false if it was noted and not released since.
    ///
    /// # Errors
    /// `Quota` if too many are not released; `Superseded`; when the store fails.
    pub async fn note_received(&self, from: &Attachment, id: u16) -> Result<bool, TopicError> {
        let holder = from.holder();
        self.ask(|reply| Job::Note(holder, id, reply)).await
    }

    /// Forgets such a number; false if it was not noted.
    ///
    /// # Errors
    /// `Superseded`, or when the store fails.
    pub async fn release(&self, from: &Attachment, id: u16) -> Result<bool, TopicError> {
        let holder = from.holder();
        self.ask(|reply| Job::Release(holder, id, reply)).await
    }

    /// Reads on in a durable queue when what was in memory of it has been handed out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn refill(&self, attachment: &Attachment) -> Result<(), TopicError> {
        let (subscriber, epoch) = (&attachment.subscriber, attachment.epoch);
        let Some(num) = subscriber.num else {
            return Ok(());
        };
        while let Some(part) = subscriber.missing(epoch) {
            let page = QueuePage {
                after: part.after,
                items: self.limits.window_items.max(1),
                bytes: self.limits.window_bytes,
            };
            let (messages, more) = self.store.queued(num, page).await?;
            if subscriber.refill(epoch, part, messages, more) {
                break;
            }
        }
        Ok(())
    }

    /// Ends the sessions of a user, or the one with a client id, connected or not. How many
    /// there were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_sessions(
        &self,
        user: UserNum,
        client_id: Option<&str>,
    ) -> Result<usize, TopicError> {
        let client_id = client_id.map(str::to_owned);
        self.ask(|reply| Job::End(user, client_id, reply)).await
    }

    /// Does now what is due: wills, sessions that nobody came back to, expired messages. It is
    /// also done from time to time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sweep(&self) -> Result<(), TopicError> {
        self.ask(Job::Sweep).await
    }

    /// Makes durable what was settled, and stops. Verbs after it are answered with `Stopped`.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, TopicError> {
        let (reply, answer) = oneshot::channel();
        self.send(job(reply)).await?;
        answer.await.unwrap_or(Err(TopicError::Stopped))
    }

    async fn send(&self, job: Job) -> Result<(), TopicError> {
        let sent = self.jobs.send(job).await;
        sent.map_err(|_| TopicError::Stopped)
    }
}

impl Attachment {
    fn holder(&self) -> Holder {
        Holder {
            subscriber: self.subscriber.id,
            epoch: self.epoch,
        }
    }
}

impl std::fmt::Debug for PubSub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PubSub")
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}
