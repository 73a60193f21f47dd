//! A lane's loop: takes jobs in order, has them checked and appended, and dispatches what
//! was committed, in order. Several batches may wait for their commit at once, so that the
//! next one gathers meanwhile.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use rustc_hash::FxHashMap;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::alter::{AlterJob, Altered};
use super::change::{Changed, ChannelVerb};
use super::expire::ExpireJob;
use super::fanout::Committed;
use super::state::ChannelState;
use crate::admin::Reviews;
use crate::channel::{ChannelKey, ChannelRef, Channels, Joining};
use crate::clock::Clock;
use crate::delivered::{LanePosition, Positions};
use crate::directory::Users;
use crate::file::FileAccess;
use crate::id::{MessageId, SessionId, Snowflake, UserRef};
use crate::log::Log;
use crate::mark::Marks;
use crate::message::{Accepted, Draft};
use crate::refusal::Refusal;
use crate::send::strangers::FriendsOnly;
use crate::session::{Hub, Refused, SendReply, Session, Ticket};
use crate::store::StoreResult;

/// Jobs that may wait in one lane; whoever brings another waits, which stops its reading.
const QUEUE: usize = 4096;
/// Jobs handled in one go.
const BATCH: usize = 512;
/// Batches of one lane that may wait for their commit.
const IN_FLIGHT: usize = 4;
/// Channels that one lane keeps in memory; those not used for longest go first.
const KEPT_CHANNELS: usize = 50_000;

/// Who sends.
#[derive(Debug, Clone)]
pub enum Sender {
    /// A session's user.
    Session(Arc<Session>),
    /// A user on whose behalf the application calls; the ordinary checks hold.
    User(UserRef),
    /// The application itself in the name of a user: only bans of the channel hold.
    Application(UserRef),
    /// The messenger itself says what a user has changed: nothing holds.
    Change(UserRef),
}

impl Sender {
    /// The user in whose name this is.
    #[must_use]
    pub fn user(&self) -> &UserRef {
        match self {
            Self::Session(session) => &session.user,
            Self::User(user) | Self::Application(user) | Self::Change(user) => user,
        }
    }
}

/// Where the answer to a send goes.
pub enum ReplyTo {
    /// To the session's mailbox, under its machine's ticket.
    Session(Ticket),
    /// To a caller that waits.
    Caller(oneshot::Sender<SendReply>),
    /// To whoever altered a message, which is done once it is said.
    Altered(Box<Altered>, oneshot::Sender<Result<Altered, Refusal>>),
    /// Nowhere.
    Nobody,
}

/// A draft on its way.
pub struct SendJob {
    /// The channel it is for.
    pub key: ChannelKey,
    /// Who sends it.
    pub sender: Sender,
    /// The draft.
    pub draft: Draft,
    /// Where the answer goes.
    pub reply: ReplyTo,
}

impl SendJob {
    /// Answers with what was accepted before.
    pub(super) fn accept(self, accepted: Accepted) {
        answer(&self.sender, self.reply, Ok(accepted));
    }

    /// Answers with a refusal.
    pub(crate) fn refuse(self, refused: Refused) {
        answer(&self.sender, self.reply, Err(refused));
    }
}

pub(super) fn answer(sender: &Sender, to: ReplyTo, reply: SendReply) {
    match (to, sender) {
        (ReplyTo::Session(ticket), Sender::Session(session)) => {
            session.mailbox.reply(ticket, reply);
        }
        // A caller that no longer waits has gone away: nobody is left to tell.
        (ReplyTo::Caller(caller), _) => drop(caller.send(reply)),
        (ReplyTo::Altered(altered, asker), _) => {
            drop(asker.send(reply.map(|_| *altered).map_err(|refused| refused.why)));
        }
        (ReplyTo::Session(_) | ReplyTo::Nobody, _) => {}
    }
}

/// What a lane can be asked to do.
pub enum Job {
    /// Send a draft.
    Send(Box<SendJob>),
    /// Say whether a draft would be taken.
    Judge(Box<SendJob>, oneshot::Sender<Result<(), Refusal>>),
    /// A session was opened: deliver these channels to it.
    Opened(Arc<Session>, Vec<Arc<ChannelRef>>),
    /// A session was closed.
    Closed(SessionId),
    /// Change a channel.
    Change(
        ChannelKey,
        ChannelVerb,
        oneshot::Sender<Result<Changed, Refusal>>,
    ),
    /// Alter a message.
    Alter(Box<AlterJob>),
    /// Erase messages whose time is over.
    Expire(ExpireJob),
}

/// What all lanes share.
pub(crate) struct Parts {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) marks: Arc<dyn Marks>,
    /// What moderators are to look at.
    pub(crate) reviews: Arc<dyn Reviews>,
    pub(crate) channels: Arc<dyn Channels>,
    pub(crate) joining: Arc<dyn Joining>,
    pub(crate) users: Arc<Users>,
    pub(crate) files: FileAccess,
    pub(crate) hub: Arc<Hub>,
    pub(crate) ids: Arc<Snowflake>,
    /// How far the lanes have handed out the log.
    pub(crate) positions: Arc<Positions>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Strangers may not write to each other (protocols/README.md A13).
    pub(crate) friends_only: FriendsOnly,
    pub(crate) counters: super::fanout::Counters,
    /// What waits for a moderator.
    pub(crate) holding: mpsc::Sender<SendJob>,
    /// Wakes those who work through the log.
    pub(crate) grown: tokio::sync::watch::Sender<()>,
}

/// All lanes of a node.
pub struct Lanes {
    queues: Vec<mpsc::Sender<Job>>,
    hasher: std::hash::RandomState,
}

impl Lanes {
    /// Starts `count` lanes, at least one, as tasks of `tasks`. They end when this is dropped
    /// and what was queued is done.
    pub(crate) fn start(
        count: usize,
        parts: &Arc<Parts>,
        tasks: &tokio_util::task::TaskTracker,
    ) -> Self {
        let queues = (0..count).map(|lane| {
            let (queue, jobs) = mpsc::channel(QUEUE);
            tasks.spawn(Lane::new(Arc::clone(parts), lane).run(jobs));
            queue
        });
        Self {
            queues: queues.collect(),
            hasher: std::hash::RandomState::new(),
        }
    }

    fn index(&self, key: &ChannelKey) -> usize {
        let hash = self.hasher.hash_one(key) % self.queues.len() as u64;
        usize::try_from(hash).unwrap_or(0)
    }

    /// Queues a job in the lane of a channel, waiting while that is full.
    ///
    /// # Errors
    /// Gives the job back when the lanes have stopped.
    pub async fn put(&self, key: &ChannelKey, job: Job) -> Result<(), Job> {
        self.queues[self.index(key)]
            .send(job)
            .await
            .map_err(|refused| refused.0)
    }

    /// Tells the lanes of a new session's channels to deliver to it from now on. When this
    /// returns, whatever is sent later reaches the session.
    pub(crate) async fn opened(&self, session: &Arc<Session>, channels: Vec<Arc<ChannelRef>>) {
        let mut by_lane: FxHashMap<usize, Vec<Arc<ChannelRef>>> = FxHashMap::default();
        for channel in channels {
            by_lane
                .entry(self.index(&channel.key))
                .or_default()
                .push(channel);
        }
        session.mailbox.expect(by_lane.len());
        for (lane, channels) in by_lane {
            let job = Job::Opened(Arc::clone(session), channels);
            // Stopped lanes deliver to nobody.
            let _ = self.queues[lane].send(job).await;
        }
        session.mailbox.entered(MessageId(0));
    }

    /// Tells all lanes that a session is gone. Whoever closes a session may be gone as well in
    /// a moment: nothing here waits, a lane that is full is told by a task of `tasks`.
    pub(crate) fn closed(&self, session: SessionId, tasks: &tokio_util::task::TaskTracker) {
        for queue in &self.queues {
            if let Err(TrySendError::Full(job)) = queue.try_send(Job::Closed(session))
                && tokio::runtime::Handle::try_current().is_ok()
            {
                let queue = queue.clone();
                tasks.spawn(async move { queue.send(job).await });
            }
        }
    }

    /// Jobs that wait, in all lanes.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queues
            .iter()
            .map(|queue| queue.max_capacity() - queue.capacity())
            .sum()
    }
}

/// One lane.
pub(super) struct Lane {
    pub(super) parts: Arc<Parts>,
    pub(super) channels: HashMap<ChannelKey, ChannelState>,
    /// In which channels' online sets a session is.
    pub(super) sessions: FxHashMap<SessionId, Vec<ChannelKey>>,
    pub(super) in_flight: FuturesOrdered<BoxFuture<'static, Committed>>,
    pub(super) turn: u64,
    /// How far this lane has handed out the log.
    pub(super) position: LanePosition,
    /// The last message that was handed out in a channel whose state was forgotten.
    forgotten: MessageId,
}

impl Lane {
    fn new(parts: Arc<Parts>, lane: usize) -> Self {
        Self {
            position: parts.positions.lane(lane),
            forgotten: MessageId(0),
            parts,
            channels: HashMap::new(),
            sessions: FxHashMap::default(),
            in_flight: FuturesOrdered::new(),
            turn: 0,
        }
    }

    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(BATCH);
        loop {
            let room = self.in_flight.len() < IN_FLIGHT;
            tokio::select! {
                biased;
                Some(committed) = self.in_flight.next() => self.dispatch(committed),
                count = queue.recv_many(&mut jobs, BATCH), if room => {
                    if count == 0 {
                        break;
                    }
                    self.turn += 1;
                    self.handle(&mut jobs).await;
                    self.forget_unused();
                }
            }
        }
        while let Some(committed) = self.in_flight.next().await {
            self.dispatch(committed);
        }
    }

    /// Handles jobs in order. Sends are gathered until something else comes between.
    async fn handle(&mut self, jobs: &mut Vec<Job>) {
        let mut sends = Vec::new();
        for job in jobs.drain(..) {
            if let Job::Send(send) = job {
                sends.push(*send);
                continue;
            }
            // Sessions come and go beside what is sent; only a change of the channel or of what
            // was said has its place between two sends.
            match job {
                Job::Send(_) => {}
                Job::Judge(send, done) => {
                    let _ = done.send(self.would_take(&send).await);
                }
                Job::Opened(session, channels) => {
                    let missed = self.join_online(&session, &channels);
                    session.mailbox.entered(missed);
                }
                Job::Closed(session) => self.leave_online(session),
                Job::Change(key, verb, done) => {
                    self.check_and_append(&mut sends).await;
                    // Whoever joins gets nothing, whoever leaves gets everything from before.
                    while let Some(committed) = self.in_flight.next().await {
                        self.dispatch(committed);
                    }
                    let changed = self.change(&key, verb).await;
                    let _ = done.send(changed);
                }
                Job::Alter(alter) => {
                    self.check_and_append(&mut sends).await;
                    self.alter(*alter).await;
                }
                Job::Expire(expire) => {
                    self.check_and_append(&mut sends).await;
                    self.expire(expire).await;
                }
            }
        }
        self.check_and_append(&mut sends).await;
    }

    /// The state of a channel, read from the store if the lane does not have it.
    pub(super) async fn state(&mut self, key: &ChannelKey) -> StoreResult<&mut ChannelState> {
        if !self.channels.contains_key(key) {
            let parts = &self.parts;
            let state = ChannelState::load(key, &parts.channels, &parts.users).await?;
            self.channels.insert(key.clone(), state);
        }
        let turn = self.turn;
        let state = self
            .channels
            .get_mut(key)
            .expect("the state was just put there");
        state.used = turn;
        Ok(state)
    }

    /// Puts a session into the sets of its channels. Returns up to where it may have missed
    /// messages of theirs that were handed out while it was in the hub already.
    fn join_online(&mut self, session: &Arc<Session>, channels: &[Arc<ChannelRef>]) -> MessageId {
        let mut missed = MessageId(0);
        for channel in channels {
            let Some(state) = self.channels.get_mut(&channel.key) else {
                missed = missed.max(self.forgotten);
                continue;
            };
            // Only who is a member now: the list of channels was read a moment ago.
            if let Some(online) = &mut state.online
                && state.members.contains_key(&session.user.num)
                && online.insert(session.id, Arc::clone(session)).is_none()
            {
                missed = missed.max(state.handed_out);
                self.sessions
                    .entry(session.id)
                    .or_default()
                    .push(channel.key.clone());
            }
        }
        missed
    }

    fn leave_online(&mut self, session: SessionId) {
        for key in self.sessions.remove(&session).unwrap_or_default() {
            if let Some(online) = self.channels.get_mut(&key).and_then(|s| s.online.as_mut()) {
                online.remove(&session);
            }
        }
    }

    /// Keeps the number of states bounded.
    fn forget_unused(&mut self) {
        if self.channels.len() <= KEPT_CHANNELS {
            return;
        }
        let mut ages: Vec<u64> = self.channels.values().map(|state| state.used).collect();
        let (_, middle, _) = {
            let at = ages.len() / 4;
            ages.select_nth_unstable(at)
        };
        let middle = *middle;
        let now = self.turn;
        let keep =
            |state: &ChannelState| state.in_flight > 0 || state.used > middle || state.used == now;
        let mut forgotten = self.forgotten;
        self.channels.retain(|_, state| {
            let keep = keep(state);
            if !keep {
                forgotten = forgotten.max(state.handed_out);
            }
            keep
        });
        self.forgotten = forgotten;
        let channels = &self.channels;
        self.sessions.retain(|_, keys| {
            keys.retain(|key| channels.contains_key(key));
            !keys.is_empty()
        });
    }
}
