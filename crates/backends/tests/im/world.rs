//! A messenger on a file, and clients of it that can be seen through.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crosstalk_backends::sqlite::{Sqlite, SqliteOptions};
use crosstalk_core::change::Change;
use crosstalk_core::channel::{
    Address, ChannelKey, ChannelKind, Channels, MemberChange, MemberRole,
};
use crosstalk_core::clock::ManualClock;
use crosstalk_core::contract::text;
use crosstalk_core::deliver::Sender;
use crosstalk_core::directory::Seal;
use crosstalk_core::id::{MessageId, Realm, Snowflake, Uid, UserRef};
use crosstalk_core::im::{Credential, Im, OpenSession, Policy, Stores};
use crosstalk_core::log::Log;
use crosstalk_core::message::{Body, Draft, Message, OnReuse, Origin};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{Delivery, Event, MailboxLimits, Notice, Offline, Session};
use tokio::time::{sleep, timeout};

/// How long anything may take that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The dialects that these tests speak: a made-up one for each.
pub(crate) const ORIGIN: Origin = Origin(9);

pub(crate) const PUSHED: Delivery = Delivery {
    stable_device: true,
    ..Delivery::plain(Offline::Push, true)
};

pub(crate) const PULLING: Delivery = Delivery {
    offline: Offline::Pull,
    ..PUSHED
};

struct NoSeal;

impl Seal for NoSeal {
    fn seal(&self, secret: &str) -> Vec<u8> {
        secret.into()
    }
    fn open(&self, sealed: &[u8]) -> Option<String> {
        String::from_utf8(sealed.to_vec()).ok()
    }
}

pub(crate) struct World {
    dir: Arc<tempfile::TempDir>,
    pub(crate) clock: Arc<ManualClock>,
    policy: Policy,
    store: Option<Arc<Sqlite>>,
    im: Option<Arc<Im>>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(MailboxLimits::default(), |stores| stores).await
    }

    pub(crate) async fn small(items: usize) -> Self {
        let limits = MailboxLimits {
            items,
            ..MailboxLimits::default()
        };
        Self::with(limits, |stores| stores).await
    }

    /// A messenger with mailboxes of this size and something between it and its stores.
    pub(crate) async fn with(mailbox: MailboxLimits, between: impl Fn(Stores) -> Stores) -> Self {
        let mut policy = Policy {
            mailbox,
            // Only when told.
            delivered_every: Duration::from_secs(3600),
            ..Policy::default()
        };
        policy.send.rate_per_sec = 0;
        let dir = Arc::new(tempfile::tempdir().expect("a directory"));
        let clock = Arc::new(ManualClock::at_ms(1_700_000_000_000));
        Self::open(dir, clock, policy, between).await
    }

    async fn open(
        dir: Arc<tempfile::TempDir>,
        clock: Arc<ManualClock>,
        policy: Policy,
        between: impl Fn(Stores) -> Stores,
    ) -> Self {
        let ids = Arc::new(Snowflake::new(clock.clone(), 1));
        let path: PathBuf = dir.path().join("im.db");
        let options = SqliteOptions {
            filter_bytes: 1 << 16,
            ..SqliteOptions::new(path, clock.clone(), Arc::clone(&ids))
        };
        let store = Arc::new(Sqlite::open(options).expect("a store"));
        let stores = between(Stores::of(Arc::clone(&store)));
        let im = Im::start(stores, Arc::new(NoSeal), ids, clock.clone(), policy.clone()).await;
        Self {
            dir,
            clock,
            policy,
            store: Some(store),
            im: Some(im.expect("a messenger")),
        }
    }

    pub(crate) fn im(&self) -> &Arc<Im> {
        self.im.as_ref().expect("it runs")
    }

    pub(crate) fn store(&self) -> &Arc<Sqlite> {
        self.store.as_ref().expect("it is open")
    }

    /// The messenger is gone from one moment to the next, and comes back. What sessions have
    /// is never given back.
    pub(crate) async fn crash(&mut self) {
        self.im = None;
        self.reopen().await;
    }

    /// The messenger stops as it should, with whatever sessions there are, and comes back.
    pub(crate) async fn restart(&mut self) {
        let im = Arc::into_inner(self.im.take().expect("it runs"));
        im.expect("nobody else has it").finish().await;
        self.reopen().await;
    }

    async fn reopen(&mut self) {
        let store = self.store.take().expect("it is open");
        until(|| Arc::strong_count(&store) == 1).await;
        drop(store);
        let (dir, clock) = (Arc::clone(&self.dir), Arc::clone(&self.clock));
        *self = Self::open(dir, clock, self.policy.clone(), |stores| stores).await;
    }

    pub(crate) async fn user(&self, uid: &str) -> UserRef {
        let uid = Uid::parse(uid).expect("a uid");
        let user = self.im().ensure_user(&Realm::default(), &uid).await;
        user.expect("a user")
    }

    pub(crate) async fn join(&self, group: &str, uid: &str) {
        let user = self.user(uid).await;
        let join = MemberChange::Join(user.clone(), MemberRole::Member);
        self.change_member(group, &user, join).await;
    }

    /// A change of a member that is told to all whom it concerns when this returns.
    async fn change_member(&self, group: &str, user: &UserRef, change: MemberChange) {
        let (store, key) = (Arc::clone(self.store()), key(group));
        let is_member = async || {
            let record = Channels::record(&*store, &key).await.expect("a channel");
            let Some(record) = record else { return false };
            let member = Channels::member(&*store, record.channel.num, user.num).await;
            member.expect("a member").is_some()
        };
        let before = Log::last_id(&**self.store()).await.expect("the log");
        let was_member = is_member().await;
        let changed = self.im().change_members(&key, vec![change]).await;
        changed.expect("changed");
        // It is answered before it is told: that is waited for.
        let told: &[&str] = match (was_member, is_member().await) {
            (false, true) => &["joined"],
            (true, false) => &["departed", "left"],
            _ => return,
        };
        let telling = async {
            while !self.is_told(before, told, &user.uid).await {
                // wait: for the entries that tell of it
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(PATIENCE, telling).await.expect("it is told");
        let last = Log::last_id(&**self.store()).await.expect("the log");
        self.handed_out(last).await;
    }

    /// True if each of these is told of a user after a message.
    async fn is_told(&self, after: MessageId, names: &[&str], uid: &Uid) -> bool {
        let said = Log::scan(&**self.store(), after, 1000).await;
        let said = said.expect("the log");
        let is_about = |message: &Message| match Change::of(message) {
            Some(Change::Joined { users, .. } | Change::Departed { users, .. }) => {
                users.iter().any(|user| user == uid.as_str())
            }
            Some(Change::Left { .. }) => message.sender.uid == *uid,
            _ => false,
        };
        let mut names = names.iter();
        names.all(|name| {
            let mut said = said.iter();
            said.any(|message| *message.body.tag == **name && is_about(message))
        })
    }

    /// Has a device know who has come into its user's channels, so that only what follows waits.
    pub(crate) async fn settle(&self, uid: &str, device: &str) {
        let client = self.client(uid, device, PULLING).await;
        loop {
            let pulled = self.im().pull(&client.session, 1000).await.expect("pulled");
            client.ack(self, pulled.messages.iter().map(|message| message.id));
            if !pulled.more {
                break;
            }
        }
        client.take_and_ack(self).await;
        self.write().await;
        self.close(client).await;
    }

    pub(crate) async fn leave(&self, group: &str, uid: &str) {
        let user = self.user(uid).await;
        let leave = MemberChange::Leave(user.clone());
        self.change_member(group, &user, leave).await;
    }

    /// Has a user say something, and returns its id.
    pub(crate) async fn say(&self, uid: &str, to: Address) -> MessageId {
        self.send(uid, to, text("x")).await.expect("accepted")
    }

    pub(crate) async fn send(
        &self,
        uid: &str,
        to: Address,
        body: Body,
    ) -> Result<MessageId, Refusal> {
        let sender = Sender::User(self.user(uid).await);
        let realm = Realm::default();
        let sent = self.im().send_as(&realm, sender, draft(to, body)).await;
        sent.map(|accepted| accepted.id).map_err(|why| why.why)
    }

    /// Waits until a message was handed out to everybody online.
    pub(crate) async fn handed_out(&self, id: MessageId) {
        until(|| self.im().dispatched() >= id).await;
    }

    pub(crate) async fn write(&self) {
        self.im().write_delivered().await.expect("written");
    }

    pub(crate) async fn client(&self, uid: &str, device: &str, delivery: Delivery) -> Client {
        let opened = self.im().open_session(request(uid, device, delivery)).await;
        Client {
            session: opened.expect("a session"),
        }
    }

    pub(crate) async fn close(&self, client: Client) {
        self.im().close_session(&client.session).await;
    }
}

pub(crate) fn request(uid: &str, device: &str, delivery: Delivery) -> OpenSession {
    OpenSession {
        credential: Credential::Unchecked {
            realm: Realm::default(),
            uid: Uid::parse(uid).expect("a uid"),
        },
        origin: ORIGIN,
        device_id: device.into(),
        device_flag: 0,
        delivery,
        sync_own: true,
        max_sessions: 0,
        peer: [127, 0, 0, 1].into(),
    }
}

pub(crate) fn draft(to: Address, body: Body) -> Draft {
    Draft {
        to,
        body,
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    }
}

pub(crate) fn key(group: &str) -> ChannelKey {
    crosstalk_core::contract::group(group)
}

pub(crate) fn to_group(id: &str) -> Address {
    Address::parse(ChannelKind::GROUP, id).expect("an address")
}

pub(crate) fn to_user(uid: &str) -> Address {
    Address::parse(ChannelKind::DIRECT, uid).expect("an address")
}

/// Waits, bounded, until something is so.
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            // wait: for other tasks and threads; how long does not matter
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("in time");
}

/// A client that is as fast or slow as the test wants.
pub(crate) struct Client {
    pub(crate) session: Arc<Session>,
}

impl Client {
    /// What waits now, without reading anything back. True if there is more to read back.
    pub(crate) fn drain(&self) -> (Vec<Arc<Message>>, bool) {
        let drained = self.session.mailbox.drain(false);
        assert_eq!(drained.ending, None);
        let events = drained.events.into_iter();
        let messages = events.filter_map(|event| match event {
            Event::Message(message) => Some(message),
            Event::Notice(_) => None,
        });
        let messages = messages.collect();
        (messages, drained.behind)
    }

    /// The notices that wait; messages that wait beside them are dropped.
    pub(crate) fn notices(&self) -> Vec<Arc<Notice>> {
        let events = self.session.mailbox.drain(false).events.into_iter();
        let notices = events.filter_map(|event| match event {
            Event::Notice(notice) => Some(notice),
            Event::Message(_) => None,
        });
        notices.collect()
    }

    /// Reads back one part of what was missed, as a driver does.
    pub(crate) async fn resync(&self, world: &World) {
        let done = world.im().resync(&self.session).await.expect("resync");
        if !done {
            let ready = timeout(PATIENCE, self.session.mailbox.ready());
            ready.await.expect("a reason to look again");
        }
    }

    /// Who comes and goes in a channel is told, too; tests of what is said there acknowledge it
    /// and go on.
    pub(crate) fn pass_over(&self, messages: &mut Vec<Arc<Message>>, world: &World) {
        messages.retain(|message| {
            let told = ["left", "joined", "departed", "channel_created"];
            let is_told =
                message.body.origin == Origin::CHANGE && told.contains(&&*message.body.tag);
            if is_told {
                self.ack(world, [message.id]);
            }
            !is_told
        });
    }

    /// Everything that was handed out until now, missed or not.
    pub(crate) async fn take(&self, world: &World) -> Vec<Arc<Message>> {
        let mut all = Vec::new();
        loop {
            let (mut messages, behind) = self.drain();
            let nothing = messages.is_empty();
            self.pass_over(&mut messages, world);
            all.extend(messages);
            if behind {
                self.resync(world).await;
            } else if nothing {
                return all;
            }
        }
    }

    pub(crate) fn ack(&self, world: &World, ids: impl IntoIterator<Item = MessageId>) {
        let ids: Vec<_> = ids.into_iter().collect();
        world.im().acknowledge(&self.session, &ids);
    }

    /// Takes everything and acknowledges it.
    pub(crate) async fn take_and_ack(&self, world: &World) -> Vec<MessageId> {
        let taken = ids(&self.take(world).await);
        self.ack(world, taken.iter().copied());
        taken
    }
}

pub(crate) fn ids(messages: &[Arc<Message>]) -> Vec<MessageId> {
    messages.iter().map(|message| message.id).collect()
}
