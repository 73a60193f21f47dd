//! The façade: the only door to the messenger. It holds the parts; what they do stands in
//! their modules. One file per group of verbs.

pub mod admin;
mod answering;
mod blocking;
mod carrying;
mod changes;
mod channels;
mod commands;
mod consuming;
mod conversations;
mod delivered;
mod expiring;
mod fetching;
mod files;
mod finding;
mod friend_groups;
mod friends;
mod groups;
mod herald;
mod history;
mod hooks;
mod logins;
mod marking;
mod members;
mod mentions;
mod people;
mod pinning;
mod proving;
mod reading;
mod receiving;
mod registering;
mod resolve;
mod retention;
mod revoking;
mod scheduling;
mod screening;
mod searching;
mod sending;
mod sessions;
mod stores;
mod typing;
mod users;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::resolve::GroupNames;
pub use changes::Changed;
pub use commands::Commands;
pub use conversations::{ConversationWish, MAX_AT_ONCE, UnreadTotals};
pub use fetching::{Fetch, Fetched};
pub use friends::{KeepFriend, WantedRequests};
pub use history::{HistoryQuery, Viewer};
pub use logins::{Login, LoginRequest, LoginScope};
pub use marking::EditRequest;
pub use mentions::{Reminder, ReminderQuery, Reminders};
pub use people::{Presence, PresenceChange};
pub use pinning::{Readers, ReadersQuery};
pub use proving::Credential;
pub use registering::{RegisterDevice, RegisteredDevice};
pub(crate) use screening::Queue as ScreenedSends;
pub use searching::{SearchPage, SearchQuery};
pub use sessions::OpenSession;
pub use stores::Stores;
pub use users::{FlagTokenRegistration, Identity, OnlineDevice};

use crate::admin::banned::Banned;
use crate::clock::Clock;
use crate::deliver::Counters;
use crate::deliver::holding::{self, Holder};
use crate::deliver::lane::{Lanes, Parts};
use crate::deliver::receipts::Told;
use crate::delivered::{Ledger, Positions};
use crate::directory::{Aliases, AppKeys, Seal, Users};
use crate::file::{FileAccess, FileUrls};
use crate::id::{Realm, Snowflake};
use crate::pubsub::{PubSub, TopicLimits};
use crate::send::limits::{Budgets, SendLimits};
use crate::send::rates::Rates;
use crate::send::screen::Screening;
use crate::send::strangers::FriendsOnly;
use crate::send::words::{WordBook, Words};
use crate::session::comings::Comings;
use crate::session::foreign::ForeignLogins;
use crate::session::presence::{Crier, Reports, reports};
use crate::session::throttle::{LoginLimits, Throttle};
use crate::session::{Ending, Hub, MailboxLimits};
use crate::store::StoreResult;

/// How the messenger behaves.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How much and how fast users may send.
    pub send: SendLimits,
    /// How many failed logins are too many.
    pub login: LoginLimits,
    /// The size of a session's mailbox.
    pub mailbox: MailboxLimits,
    /// Where strangers may not write to each other.
    pub friends_only: FriendsOnly,
    /// How many lanes order and deliver messages.
    pub lanes: usize,
    /// Words that may not be said, or not be read.
    pub words: Arc<Words>,
    /// For how long authors may revoke what they sent, in ms; 0 = for ever.
    pub revoke_window_ms: u64,
    /// For how long authors may edit what they sent, in ms; 0 = for ever.
    pub edit_window_ms: u64,
    /// Members that do not moderate a channel may pin its messages, too.
    pub members_pin: bool,
    /// Messages of broadcasts per second; 0 = as many as there is room for.
    pub broadcast_per_sec: u32,
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
            friends_only: FriendsOnly::default(),
            lanes: 8,
            words: Arc::default(),
            revoke_window_ms: 120_000,
            edit_window_ms: 0,
            members_pin: false,
            broadcast_per_sec: 500,
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
    /// Likewise, for those outside.
    comings: Comings,
    /// Seals the secrets of hooks.
    seal: Arc<dyn Seal>,
    /// Who has a last look at what users send.
    screening: Arc<Screening>,
    /// Deliveries that were told to their senders.
    told: Told,
    /// How far readers have told that they have read.
    told_reads: Arc<reading::ToldReads>,
    /// Who was last said to be writing.
    typists: typing::Typists,
    /// Messages that have ended and could not be erased.
    unending: expiring::Unending,
    /// Scheduled messages that are being dealt with.
    at_work: scheduling::AtWork,
    /// For whom members are being looked for.
    searchers: members::Searchers,
    throttle: Throttle,
    budgets: Budgets,
    rates: Arc<Rates>,
    words: WordBook,
    banned: Banned,
    /// Decisions of moderators and administrators are made one after the other.
    deciding: tokio::sync::Mutex<()>,
    /// Told when there is work to be done in the background.
    chores: admin::Bells,
    apps: AppKeys,
    topics: Arc<PubSub>,
    /// Who decides on credentials that are not ours.
    foreign: OnceLock<Arc<dyn ForeignLogins>>,
    groups: GroupNames,
    /// Under which addresses files are served.
    file_urls: OnceLock<FileUrls>,
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

/// What the lanes share, and the rest of the messenger with them.
fn shared(
    stores: &Stores,
    ids: Arc<Snowflake>,
    positions: &Arc<Positions>,
    clock: &Arc<dyn Clock>,
    policy: &Policy,
    holding: mpsc::Sender<crate::deliver::SendJob>,
) -> Arc<Parts> {
    let directory = Arc::clone(&stores.directory);
    Arc::new(Parts {
        log: Arc::clone(&stores.log),
        marks: Arc::clone(&stores.marks),
        reviews: Arc::clone(&stores.admin.reviews),
        channels: Arc::clone(&stores.channels),
        joining: Arc::clone(&stores.joining),
        users: Arc::new(Users::new(directory, Arc::clone(&stores.relations))),
        files: FileAccess {
            files: Arc::clone(&stores.files),
            inbox: Arc::clone(&stores.inbox),
            log: Arc::clone(&stores.log),
            marks: Arc::clone(&stores.marks),
        },
        hub: Arc::new(Hub::default()),
        ids,
        positions: Arc::clone(positions),
        clock: Arc::clone(clock),
        friends_only: policy.friends_only.clone(),
        counters: Counters::default(),
        holding,
        grown: tokio::sync::watch::Sender::default(),
    })
}

/// Who keeps messages that wait for their review.
fn holder(stores: &Stores, parts: &Parts) -> Holder {
    Holder {
        reviews: Arc::clone(&stores.admin.reviews),
        clock: Arc::clone(&parts.clock),
        ids: Arc::clone(&parts.ids),
    }
}

/// Who tells of those who come and go.
fn crier(stores: &Stores, parts: &Parts) -> Crier {
    Crier {
        hub: Arc::clone(&parts.hub),
        users: Arc::clone(&parts.users),
        inbox: Arc::clone(&stores.inbox),
        people: Arc::clone(&stores.people),
        ids: Arc::clone(&parts.ids),
        clock: Arc::clone(&parts.clock),
    }
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
        let apps = AppKeys::load(
            Arc::clone(&stores.apps),
            Arc::clone(&seal),
            Arc::clone(&clock),
        )
        .await?;
        let lanes = policy.lanes.max(1);
        // Above everything stored, below everything to come.
        let positions = Positions::new(lanes, ids.next());
        let (holding, held) = mpsc::channel(holding::QUEUE);
        let parts = shared(&stores, ids, &positions, &clock, &policy, holding);
        let tasks = TaskTracker::new();
        let lanes = Arc::new(Lanes::start(lanes, &parts, &tasks));
        let devices = Arc::clone(&stores.devices);
        let hub = Arc::clone(&parts.hub);
        let ledger = Ledger::new(devices, hub, positions, Arc::clone(&clock));
        let stop = CancellationToken::new();
        let every = policy.delivered_every.max(SHORTEST_PAUSE);
        tasks.spawn(Arc::clone(&ledger).run(every, stop.clone()));
        tasks.spawn(holder(&stores, &parts).run(held, stop.clone()));
        let (comings, recorder) = Comings::new(&parts.hub, &clock, &stores.outbox, &parts.grown);
        tasks.spawn(recorder.run(stop.clone()));
        let (reports, reported) = reports();
        tasks.spawn(crier(&stores, &parts).run(reported, stop.clone()));
        let topics = PubSub::start(
            Arc::clone(&stores.subscribers),
            Arc::clone(&clock),
            policy.topics,
            TOPICS_SWEEP_EVERY,
        )
        .await?;
        let throttle = Throttle::new(policy.login, clock);
        let budgets = Budgets::new(policy.send);
        let rates = Arc::new(Rates::new(policy.send.channel, policy.send.app));
        let limits = Arc::clone(&rates);
        apps.watch(move |apps| limits.set_apps(apps));
        let words = WordBook::new(Arc::clone(&policy.words));
        let im = Arc::new(Self {
            stores,
            policy,
            parts,
            lanes,
            ledger,
            reports,
            comings,
            screening: Arc::default(),
            seal,
            told: Told::default(),
            told_reads: reading::told_reads(),
            typists: typing::typists(),
            unending: expiring::unending(),
            at_work: scheduling::AtWork::default(),
            searchers: members::Searchers::default(),
            throttle,
            budgets,
            rates,
            words,
            banned: Banned::default(),
            deciding: tokio::sync::Mutex::default(),
            chores: admin::Bells::default(),
            apps,
            topics,
            foreign: OnceLock::new(),
            groups: GroupNames::new(),
            file_urls: OnceLock::new(),
            newest_token_ms: AtomicI64::new(0),
            stopping: AtomicBool::new(false),
            tasks,
            stop_at_drop: stop.clone().drop_guard(),
            stop,
        });
        im.begin_administration().await?;
        Ok(im)
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

    /// Words that may not be said in a realm, or not be read. Whoever knows how to read a
    /// payload asks them before it is sent.
    #[must_use]
    pub fn words(&self, realm: &Realm) -> Arc<Words> {
        self.words.of(realm)
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
