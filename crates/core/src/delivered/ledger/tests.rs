//! The ledger over a store that fails or takes its time when told.

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::*;
use crate::channel::{ChannelKey, ChannelKind, ChannelRef, LogKind};
use crate::clock::ManualClock;
use crate::id::{ChannelNum, Realm, Uid, UserRef};
use crate::message::{Body, Flags, Message, Origin};
use crate::send::limits::{Budget, SendLimits};
use crate::session::{Delivery, Device, DeviceLevel, Event, Mailbox, MailboxLimits};
use crate::store::StoreError;

/// Keeps what it is given, answers when it may.
struct Slow {
    stored: Mutex<HashMap<DeviceKey, Given>>,
    fails: Mutex<bool>,
    asked: Semaphore,
    may_answer: Semaphore,
}

#[async_trait]
impl Devices for Slow {
    async fn given(&self, device: &DeviceKey) -> StoreResult<Option<Given>> {
        Ok(self.stored.lock().get(device).cloned())
    }

    async fn absorb(&self, batch: Vec<(DeviceKey, Given)>) -> StoreResult<()> {
        assert!((1..=SLICE).contains(&batch.len()));
        self.asked.add_permits(1);
        self.may_answer.acquire().await.expect("open").forget();
        if *self.fails.lock() {
            return Err(StoreError::unavailable("as told"));
        }
        let mut stored = self.stored.lock();
        for (device, given) in batch {
            stored.entry(device).or_default().absorb(&given);
        }
        Ok(())
    }

    async fn waiting(&self, _: UserNum, at: Vec<Stretch>, _: WaitingQuery) -> StoreResult<Waiting> {
        let through = at.last().map_or(MessageId(0), |last| last.hi);
        Ok(Waiting {
            messages: Vec::new(),
            through,
        })
    }

    async fn newest(&self, _: UserNum, after: MessageId, _: u32) -> StoreResult<MessageId> {
        Ok(after)
    }
}

struct Bed {
    store: Arc<Slow>,
    hub: Arc<Hub>,
    ledger: Arc<Ledger>,
}

impl Bed {
    fn new(waiting: usize, answers: usize) -> Self {
        let store = Arc::new(Slow {
            stored: Mutex::default(),
            fails: Mutex::new(false),
            asked: Semaphore::new(0),
            may_answer: Semaphore::new(answers),
        });
        let hub = Arc::new(Hub::default());
        let positions = Positions::new(1, MessageId(0));
        positions.lane(0).committed(MessageId(1000));
        let clock = Arc::new(ManualClock::at_ms(1_700_000_000_000));
        let ledger = Ledger {
            devices: store.clone(),
            hub: Arc::clone(&hub),
            positions,
            clock,
            unwritten: Unwritten::new(WAITING),
            kept: Mutex::default(),
            waiting,
            turn: tokio::sync::Mutex::default(),
        };
        Self {
            store,
            hub,
            ledger: Arc::new(ledger),
        }
    }

    /// A session that was given one message, which it has acknowledged.
    fn session(&self, user: i64, id: i64) -> Arc<Session> {
        let session = self.silent(user);
        let message = message(id);
        session.mailbox.push(Event::Message(Arc::new(message)));
        let _ = session.mailbox.drain(false);
        session.mailbox.acknowledge(&[MessageId(id)]);
        session
    }

    fn silent(&self, user: i64) -> Arc<Session> {
        let delivery = Delivery {
            stable_device: true,
            ..Delivery::plain(Offline::Pull, true)
        };
        let user = UserRef {
            num: UserNum(user),
            uid: Uid::from_store("u"),
        };
        let unwritten = self.ledger.unwritten();
        let (session, _, _) = self.hub.open(user.num, 0, |id| Session {
            id,
            user,
            realm: Realm::default(),
            origin: Origin(1),
            device: Device {
                id: "phone".into(),
                flag: 0,
                level: DeviceLevel::Slave,
            },
            delivery,
            sync_own: true,
            met: std::sync::OnceLock::new(),
            peer: [127, 0, 0, 1].into(),
            opened_at_ms: 0,
            app: None,
            registration: None,
            expires_at_ms: None,
            mailbox: Mailbox::new(MailboxLimits::default(), delivery, unwritten),
            receipts: Arc::default(),
            budget: Arc::new(Budget::new(&SendLimits::default())),
            screened: std::sync::OnceLock::new(),
        });
        session.mailbox.begin(MessageId(0));
        session.mailbox.entered(MessageId(0));
        session
    }

    /// Takes a session out as `Im` does.
    fn close(&self, session: &Session) -> Option<(DeviceKey, Given)> {
        let unplaced = self.ledger.leaves(session);
        self.hub.close(session);
        unplaced
    }

    fn is_stored(&self, session: &Session, id: i64) -> bool {
        let stored = self.store.stored.lock();
        let given = stored.get(&session.device_key());
        given.is_some_and(|given| given.is_delivered(MessageId(id)))
    }

    /// Whether the next session on the same device hears of it.
    async fn is_known(&self, session: &Session, id: i64) -> bool {
        let next = self.silent(session.user.num.0);
        let given = self.ledger.given_before(&next).await.expect("an answer");
        self.hub.close(&next);
        given.is_some_and(|given| given.is_delivered(MessageId(id)))
    }
}

fn message(id: i64) -> Message {
    let key = ChannelKey {
        realm: Realm::default(),
        kind: ChannelKind::GROUP,
        id: "g".into(),
    };
    let sender = UserRef {
        num: UserNum(99),
        uid: Uid::from_store("sender"),
    };
    let body = Body {
        client_no: "".into(),
        origin: Origin(1),
        tag: "".into(),
        flags: Flags::default(),
        expire_secs: 0,
        payload: bytes::Bytes::new(),
        extra: None,
        name: None,
        audience: None,
        carried: None,
    };
    Message {
        id: MessageId(id),
        channel: Arc::new(ChannelRef {
            num: ChannelNum(1),
            key,
            log: LogKind::Chat,
        }),
        seq: id.unsigned_abs(),
        ordinal: 0,
        sender,
        sent_at_ms: 0,
        body: Arc::new(body),
        revoked: None,
        edited: None,
        is_concealed: false,
    }
}

#[tokio::test]
async fn what_was_given_is_known_at_every_moment() {
    let bed = Bed::new(10, 0);
    let session = bed.session(1, 5);
    assert!(bed.is_known(&session, 5).await, "open");
    assert_eq!(bed.close(&session), None);
    assert!(bed.is_known(&session, 5).await, "closed");
    let ledger = Arc::clone(&bed.ledger);
    let writing = tokio::spawn(async move { ledger.write_all().await });
    bed.store.asked.acquire().await.expect("open").forget();
    assert!(!bed.is_stored(&session, 5));
    assert!(bed.is_known(&session, 5).await, "being written");
    bed.store.may_answer.add_permits(1);
    writing.await.expect("written").expect("written");
    assert!(bed.is_stored(&session, 5));
    assert!(bed.is_known(&session, 5).await, "written");
    bed.ledger.write_all().await.expect("nothing to write");
}

#[tokio::test]
async fn what_could_not_be_written_is_written_later() {
    let bed = Bed::new(10, 100);
    let (open, closed) = (bed.session(1, 5), bed.session(2, 6));
    assert_eq!(bed.close(&closed), None);
    *bed.store.fails.lock() = true;
    bed.ledger.write_all().await.expect_err("it fails");
    *bed.store.fails.lock() = false;
    assert!(bed.is_known(&closed, 6).await);
    bed.ledger.write_all().await.expect("written");
    assert!(bed.is_stored(&open, 5) && bed.is_stored(&closed, 6));
}

#[tokio::test]
async fn whoever_gives_up_writing_leaves_it_to_the_next() {
    let bed = Bed::new(10, 0);
    let session = bed.session(1, 5);
    let ledger = Arc::clone(&bed.ledger);
    let writing = tokio::spawn(async move { ledger.write_all().await });
    bed.store.asked.acquire().await.expect("open").forget();
    writing.abort();
    assert!(writing.await.is_err());
    assert!(bed.is_known(&session, 5).await);
    bed.store.may_answer.add_permits(100);
    bed.ledger.write_all().await.expect("written");
    assert!(bed.is_stored(&session, 5));
}

#[tokio::test]
async fn what_finds_no_place_is_written_at_once() {
    let bed = Bed::new(2, 100);
    let sessions: Vec<_> = (1..=4).map(|user| bed.session(user, 10 + user)).collect();
    for session in &sessions[..2] {
        assert_eq!(bed.close(session), None);
    }
    // Of a device that waits there is only more.
    let again = bed.session(1, 20);
    assert_eq!(bed.close(&again), None);
    let unplaced = bed.close(&sessions[2]).expect("no place");
    bed.ledger.keep_later(unplaced).await;
    assert!(bed.is_stored(&sessions[0], 11) && bed.is_stored(&again, 20));
    assert!(bed.is_known(&sessions[2], 13).await);
    // Only a store that fails makes it forget.
    *bed.store.fails.lock() = true;
    for user in [5, 6] {
        let session = bed.session(user, 30);
        if let Some(unplaced) = bed.close(&session) {
            bed.ledger.keep_later(unplaced).await;
        }
    }
    let forgotten = bed.session(7, 30);
    let unplaced = bed.close(&forgotten).expect("no place");
    bed.ledger.keep_later(unplaced).await;
    assert!(!bed.is_known(&forgotten, 30).await);
    assert!(bed.is_known(&sessions[2], 13).await);
}

#[tokio::test]
async fn many_devices_are_written_in_slices() {
    let bed = Bed::new(WAITING, 100_000);
    let users = 3 * i64::try_from(SLICE).expect("small") + 10;
    let sessions: Vec<_> = (1..=users).map(|user| bed.session(user, user)).collect();
    for session in sessions.iter().step_by(2) {
        assert_eq!(bed.close(session), None);
    }
    bed.ledger.write_all().await.expect("written");
    for session in &sessions {
        assert!(bed.is_stored(session, session.user.num.0));
    }
    let written = bed.store.asked.available_permits();
    assert!(written <= 10, "{written} for {users}");
}
