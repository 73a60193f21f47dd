//! The façade: the only door to the messenger. It holds the parts; what they do stands in
//! their modules. One file per group of verbs.

mod changes;
mod channels;
mod consuming;
mod conversations;
mod delivered;
mod fetching;
mod finding;
mod history;
mod logins;
mod reading;
mod receiving;
mod registering;
mod resolve;
mod retention;
mod revoking;
mod sending;
mod sessions;
mod users;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::resolve::GroupNames;
pub use changes::Changed;
pub use conversations::{ConversationWish, MAX_AT_ONCE, UnreadTotals};
pub use fetching::{Fetch, Fetched};
pub use history::{HistoryQuery, Viewer};
pub use logins::{Login, LoginRequest, LoginScope};
pub use registering::{RegisterDevice, RegisteredDevice};
pub use sessions::{Credential, OpenSession};
pub use users::{FlagTokenRegistration, Identity, OnlineDevice};

use crate::channel::Channels;
use crate::clock::Clock;
use crate::conversation::Inbox;
use crate::deliver::Counters;
use crate::deliver::lane::{Lanes, Parts};
use crate::deliver::receipts::Told;
use crate::delivered::{Devices, Ledger, Positions};
use crate::directory::{Aliases, AppKeys, Apps, Directory, Registrations, Seal, Users};
use crate::id::Snowflake;
use crate::log::Log;
use crate::outbox::Outbox;
use crate::pubsub::{PubSub, Subscribers, TopicLimits};
use crate::receipt::Receipts;
use crate::relation::Relations;
use crate::send::limits::{Budgets, SendLimits};
use crate::send::words::Words;
use crate::session::foreign::ForeignLogins;
use crate::session::presence::{Crier, Reports, reports};
use crate::session::throttle::{LoginLimits, Throttle};
use crate::session::{Ending, Hub, MailboxLimits};
use crate::store::StoreResult;

/// The stores behind the messenger.
#[derive(Clone)]
pub struct Stores {
    /// Messages.
    pub log: Arc<dyn Log>,
    /// Channels.
    pub channels: Arc<dyn Channels>,
    /// Conversations.
    pub inbox: Arc<dyn Inbox>,
    /// Users.
    pub directory: Arc<dyn Directory>,
    /// Apps.
    pub apps: Arc<dyn Apps>,
    /// Relations.
    pub relations: Arc<dyn Relations>,
    /// What devices were given.
    pub devices: Arc<dyn Devices>,
    /// Who has read what.
    pub receipts: Arc<dyn Receipts>,
    /// Subscribers of topics.
    pub subscribers: Arc<dyn Subscribers>,
    /// Registered devices.
    pub registrations: Arc<dyn Registrations>,
    /// Events, and where consumers are.
    pub outbox: Arc<dyn Outbox>,
}

/// How the messenger behaves.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How much and how fast users may send.
    pub send: SendLimits,
    /// How many failed logins are too many.
    pub login: LoginLimits,
    /// The size of a session's mailbox.
    pub mailbox: MailboxLimits,
    /// Strangers may not write to each other.
    pub friends_only: bool,
    /// How many lanes order and deliver messages.
    pub lanes: usize,
    /// Words that may not be said, or not be read.
    pub words: Arc<Words>,
    /// For how long authors may revoke what they sent, in ms; 0 = for ever.
    pub revoke_window_ms: u64,
    /// How often what devices were given is written down, at most ten times a second. What a
    /// crash loses of it is delivered again.
    pub delivered_every: Duration,
    /// How much there may be of topics, subscribers and what waits for them.
    pub topics: TopicLimits,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            send: SendLimits::default(),
            login: LoginLimits::default(),
            mailbox: MailboxLimits::default(),
            friends_only: false,
            lanes: 8,
            words: Arc::default(),
            revoke_window_ms: 120_000,
            delivered_every: Duration::from_secs(10),
            topics: TopicLimits::default(),
        }
    }
}

/// The least time between two times of writing down what devices were given.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// How often it is looked which wills and subscribers' sessions are due.
const TOPICS_SWEEP_EVERY: Duration = Duration::from_millis(500);

/// The messenger.
pub struct Im {
    stores: Stores,
    policy: Policy,
    parts: Arc<Parts>,
    lanes: Arc<Lanes>,
    ledger: Arc<Ledger>,
    /// Who comes and goes is reported here.
    reports: Reports,
    /// Deliveries that were told to their senders.
    told: Told,
    /// How far readers have told that they have read.
    told_reads: Arc<reading::ToldReads>,
    throttle: Throttle,
    budgets: Budgets,
    apps: AppKeys,
    topics: Arc<PubSub>,
    /// Who decides on credentials that are not ours.
    foreign: OnceLock<Arc<dyn ForeignLogins>>,
    groups: GroupNames,
    /// When the newest user token that was seen was issued, ms since 1970.
    newest_token_ms: AtomicI64,
    /// Set when sessions are ended for good: later ones end at once.
    stopping: AtomicBool,
    tasks: TaskTracker,
    /// Stops those of the tasks that wait for a time…
    stop: CancellationToken,
    /// … also when this is only dropped.
    stop_at_drop: DropGuard,
}

impl Im {
    /// Starts the messenger on its stores. `ids` is where the log takes its ids from.
    ///
    /// # Errors
    /// When the apps cannot be read.
    pub async fn start(
        stores: Stores,
        seal: Arc<dyn Seal>,
        ids: Arc<Snowflake>,
        clock: Arc<dyn Clock>,
        policy: Policy,
    ) -> StoreResult<Arc<Self>> {
        let apps = AppKeys::load(Arc::clone(&stores.apps), seal, Arc::clone(&clock)).await?;
        let directory = Arc::clone(&stores.directory);
        let lanes = policy.lanes.max(1);
        // Above everything stored, below everything to come.
        let positions = Positions::new(lanes, ids.next());
        let parts = Arc::new(Parts {
            log: Arc::clone(&stores.log),
            channels: Arc::clone(&stores.channels),
            users: Arc::new(Users::new(directory, Arc::clone(&stores.relations))),
            hub: Arc::new(Hub::default()),
            ids,
            positions: Arc::clone(&positions),
            clock: Arc::clone(&clock),
            friends_only: policy.friends_only,
            counters: Counters::default(),
            grown: tokio::sync::watch::Sender::default(),
        });
        let tasks = TaskTracker::new();
        let lanes = Arc::new(Lanes::start(lanes, &parts, &tasks));
        let devices = Arc::clone(&stores.devices);
        let hub = Arc::clone(&parts.hub);
        let ledger = Ledger::new(devices, hub, positions, Arc::clone(&clock));
        let stop = CancellationToken::new();
        let every = policy.delivered_every.max(SHORTEST_PAUSE);
        tasks.spawn(Arc::clone(&ledger).run(every, stop.clone()));
        let (reports, reported) = reports();
        let crier = Crier {
            hub: Arc::clone(&parts.hub),
            users: Arc::clone(&parts.users),
            inbox: Arc::clone(&stores.inbox),
            relations: Arc::clone(&stores.relations),
            clock: Arc::clone(&clock),
        };
        tasks.spawn(crier.run(reported, stop.clone()));
        let topics = PubSub::start(
            Arc::clone(&stores.subscribers),
            Arc::clone(&clock),
            policy.topics,
            TOPICS_SWEEP_EVERY,
        )
        .await?;
        let throttle = Throttle::new(policy.login, clock);
        let budgets = Budgets::new(policy.send);
        Ok(Arc::new(Self {
            stores,
            policy,
            parts,
            lanes,
            ledger,
            reports,
            told: Told::default(),
            told_reads: reading::told_reads(),
            throttle,
            budgets,
            apps,
            topics,
            foreign: OnceLock::new(),
            groups: GroupNames::new(),
            newest_token_ms: AtomicI64::new(0),
            stopping: AtomicBool::new(false),
            tasks,
            stop_at_drop: stop.clone().drop_guard(),
            stop,
        }))
    }

    /// The clock that everything here goes by.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.parts.clock
    }

    /// Who is online.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.parts.hub
    }

    /// Words that may not be said, or not be read. Whoever knows how to read a payload asks
    /// them before it is sent.
    #[must_use]
    pub fn words(&self) -> &Words {
        &self.policy.words
    }

    /// The apps and their keys.
    #[must_use]
    pub fn apps(&self) -> &AppKeys {
        &self.apps
    }

    /// The second names of users, which tell nothing of the first.
    #[must_use]
    pub fn aliases(&self) -> &Aliases {
        self.stores.directory.aliases()
    }

    /// Publish and subscribe over plain topics.
    #[must_use]
    pub fn topics(&self) -> &Arc<PubSub> {
        &self.topics
    }

    /// What delivery has done since the start.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.parts.counters
    }

    /// Jobs that wait in the lanes.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.lanes.queued()
    }

    /// Asks all sessions to end because the server stops.
    pub fn end_sessions(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.parts.hub.end_all(Ending::ShuttingDown);
    }

    /// Lets the lanes finish what they have, and writes down what devices were given. The
    /// last owner of the messenger calls it, so that nobody can bring more.
    pub async fn finish(self) {
        drop(self.lanes);
        drop(self.stop_at_drop);
        self.tasks.close();
        self.tasks.wait().await;
        self.topics.stop().await;
        // A failure was reported; what could not be written is delivered again.
        let _ = self.ledger.write_all().await;
    }
}
