//! A connection while its session is being opened by a store that takes its time.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use crosstalk_backends::sqlite::{Sqlite, SqliteOptions};
use crosstalk_core::clock::{Clock, SystemClock};
use crosstalk_core::directory::{
    Alias, Aliases, Directory, FlagToken, Seal, UserChange, UserRecord,
};
use crosstalk_core::id::{Realm, Snowflake, Uid, UserNum};
use crosstalk_core::im::{Credential, Im, OpenSession, Policy, Stores};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{Delivery, Ending, Event, Offline, SendReply, Session, Ticket};
use crosstalk_core::store::StoreResult;
use crosstalk_wire::wukong::binary::crypto::KeyPair;
use crosstalk_wire::wukong::binary::{Connect, Decoder, Packet, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::protocol::{Arrival, Command, Now, Plug, Protocol, Seed, Turn};
use crate::{Dialect, Gateway, GatewaySettings, WukongSettings};

const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(1);

/// A store whose answers about users wait until they are let through.
struct SlowStore {
    store: Arc<Sqlite>,
    gate: Semaphore,
    is_asked: Semaphore,
    /// Set when a question was dropped before it was answered.
    is_dropped: AtomicBool,
}

impl SlowStore {
    async fn answer(&self) {
        struct Question<'a>(&'a AtomicBool);
        impl Drop for Question<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        self.is_asked.add_permits(1);
        let question = Question(&self.is_dropped);
        self.gate.acquire().await.expect("it stays open").forget();
        self.gate.add_permits(1);
        std::mem::forget(question);
    }
}

#[async_trait]
impl Directory for SlowStore {
    async fn user(&self, realm: &Realm, uid: &Uid) -> StoreResult<Option<UserRecord>> {
        self.answer().await;
        self.store.user(realm, uid).await
    }

    async fn intern(&self, realm: &Realm, uids: &[Uid]) -> StoreResult<Vec<UserRecord>> {
        self.answer().await;
        self.store.intern(realm, uids).await
    }

    async fn by_alias(&self, realm: &Realm, alias: &Alias) -> StoreResult<Option<UserRecord>> {
        self.store.by_alias(realm, alias).await
    }

    fn aliases(&self) -> &Aliases {
        self.store.aliases()
    }

    async fn user_by_num(&self, num: UserNum) -> StoreResult<Option<UserRecord>> {
        self.store.user_by_num(num).await
    }

    async fn put_user(
        &self,
        realm: &Realm,
        uid: &Uid,
        change: &UserChange,
    ) -> StoreResult<UserRecord> {
        self.store.put_user(realm, uid, change).await
    }

    async fn flag_token(&self, user: UserNum, flag: u8) -> StoreResult<Option<FlagToken>> {
        self.store.flag_token(user, flag).await
    }

    async fn by_flag_token(
        &self,
        realm: &Realm,
        hash: &[u8; 32],
        limit: u32,
    ) -> StoreResult<Vec<UserNum>> {
        self.store.by_flag_token(realm, hash, limit).await
    }

    async fn set_flag_token(&self, user: UserNum, flag: u8, token: &FlagToken) -> StoreResult<()> {
        self.store.set_flag_token(user, flag, token).await
    }
}

struct NoSeal;

impl Seal for NoSeal {
    fn seal(&self, secret: &str) -> Vec<u8> {
        secret.into()
    }
    fn open(&self, sealed: &[u8]) -> Option<String> {
        String::from_utf8(sealed.to_vec()).ok()
    }
}

/// The time that the runtime goes by, which a test may stop.
struct RuntimeClock {
    start: Instant,
    system: SystemClock,
}

impl Clock for RuntimeClock {
    fn now_ms(&self) -> i64 {
        self.system.now_ms()
    }

    fn mono_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).expect("a short test")
    }

    fn fill_random(&self, out: &mut [u8]) {
        self.system.fill_random(out);
    }
}

/// A gateway over a slow store, and a client that has asked for a session.
struct Bed {
    store: Arc<SlowStore>,
    gateway: Arc<Gateway>,
    im: Arc<Im>,
    client: DuplexStream,
    serving: JoinHandle<()>,
}

impl Bed {
    async fn new() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(RuntimeClock {
            start: Instant::now(),
            system: SystemClock::new(),
        });
        let ids = Arc::new(Snowflake::new(Arc::clone(&clock), 1));
        let options = SqliteOptions::temporary(Arc::clone(&clock), Arc::clone(&ids));
        let db = Arc::new(Sqlite::open(options).expect("a store"));
        let store = Arc::new(SlowStore {
            store: Arc::clone(&db),
            gate: Semaphore::new(0),
            is_asked: Semaphore::new(0),
            is_dropped: AtomicBool::new(false),
        });
        let stores = Stores {
            directory: store.clone(),
            ..Stores::of(db)
        };
        let im = Im::start(stores, Arc::new(NoSeal), ids, clock, Policy::default());
        let im = im.await.expect("an Im");
        let settings = GatewaySettings::default().with(
            Dialect::Wukong,
            WukongSettings {
                realm: Realm::default(),
                node_id: 1,
                token_auth: false,
                strict_users: false,
                allowed_origins: Arc::default(),
            },
        );
        let gateway = Gateway::new(Arc::clone(&im), settings);
        let (mut client, server) = tokio::io::duplex(1024);
        let serving = Arc::clone(&gateway);
        let peer = IpAddr::from([127, 0, 0, 1]);
        let serving = tokio::spawn(async move {
            serving.serve_stream(Dialect::Wukong, peer, server).await;
        });
        let connect = Packet::Connect(Connect {
            version: 5,
            device_flag: 0,
            device_id: "d".into(),
            uid: "alice".into(),
            token: String::new(),
            client_timestamp_ms: 0,
            client_key: KeyPair::from_secret([3; 32]).public_base64(),
        });
        let mut bytes = BytesMut::new();
        encode(&connect, 5, &mut bytes).expect("a packet");
        client.write_all(&bytes).await.expect("written");
        store.is_asked.acquire().await.expect("asked").forget();
        Self {
            store,
            gateway,
            im,
            client,
            serving,
        }
    }

    /// The connection is over, and its question to the store with it.
    async fn ends(self) {
        let ended = timeout(PATIENCE, self.serving).await;
        ended.expect("it ends").expect("no panic");
        assert!(self.store.is_dropped.load(Ordering::SeqCst));
        assert_eq!(self.im.hub().session_count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_waited_for_four_seconds() {
    let mut bed = Bed::new().await;
    let asked = Instant::now();
    let mut said = Vec::new();
    let heard = timeout(PATIENCE, bed.client.read_to_end(&mut said)).await;
    heard.expect("it is closed").expect("in order");
    assert!(said.is_empty(), "no CONNACK, so that clients come again");
    assert_eq!(asked.elapsed().as_secs(), 4);
    bed.ends().await;
}

#[tokio::test]
async fn who_goes_away_meanwhile_is_not_waited_for() {
    let mut bed = Bed::new().await;
    bed.client.shutdown().await.expect("closed");
    bed.ends().await;
}

#[tokio::test]
async fn a_server_that_stops_ends_it() {
    let bed = Bed::new().await;
    bed.gateway.shutdown(Duration::ZERO).await;
    bed.ends().await;
}

#[tokio::test]
async fn what_is_said_meanwhile_is_answered_afterwards() {
    let mut bed = Bed::new().await;
    bed.client.write_all(b"\x70").await.expect("written");
    bed.client.write_all(b"\x70").await.expect("written");
    bed.store.gate.add_permits(1);
    let (mut input, mut decoder) = (BytesMut::new(), Decoder::new(5));
    let mut heard = Vec::new();
    while heard.len() < 3 {
        match decoder.decode(&mut input).expect("a packet") {
            Some(packet) => heard.push(packet),
            None => {
                let read = timeout(PATIENCE, bed.client.read_buf(&mut input)).await;
                assert_ne!(read.expect("in time").expect("read"), 0, "closed");
            }
        }
    }
    assert!(
        matches!(&heard[..], [Packet::Connack(ack), Packet::Pong, Packet::Pong] if ack.reason == 1),
        "{heard:?}"
    );
}

/// Time stands still until nobody has anything to do, so the pause is over when the client is
/// not read any more.
#[tokio::test(start_paused = true)]
async fn who_says_too_much_meanwhile_is_not_read_any_more() {
    let mut bed = Bed::new().await;
    let flood = vec![0x70; 1 << 20];
    let mut written = 0;
    while let Ok(count) = timeout(PAUSE, bed.client.write(&flood)).await {
        written += count.expect("written");
    }
    assert!((1024..64 * 1024).contains(&written), "{written}");
}

/// A machine that opens a session and then fails at the first byte.
struct Faulty;

impl Protocol for Faulty {
    fn receive(&mut self, input: &mut BytesMut, _now: Now, turn: &mut Turn) {
        if input.first() == Some(&b'o') {
            input.clear();
            turn.commands.push(Command::Open(OpenSession {
                credential: Credential::Unchecked {
                    realm: Realm::default(),
                    uid: Uid::parse("alice").expect("a uid"),
                },
                origin: Dialect::Wg.origin(),
                device_id: "d".into(),
                device_flag: 0,
                delivery: Delivery::plain(Offline::Sync, true),
                sync_own: true,
                max_sessions: 0,
                peer: [127, 0, 0, 1].into(),
            }));
        }
        assert!(input.is_empty(), "this machine cannot read");
    }
    fn opened(&mut self, _: Result<&Arc<Session>, Refusal>, _: Now, turn: &mut Turn) {
        let hello = turn.out.frame(|out| {
            out.extend_from_slice(b"open");
            Ok::<(), ()>(())
        });
        hello.expect("it cannot fail");
    }
    fn reply(&mut self, _: Ticket, _: SendReply, _: Now, _: &mut Turn) {}
    fn deliver(&mut self, events: &mut VecDeque<Event>, _: Now, _: &mut Turn) {
        events.clear();
    }
    fn ending(&mut self, _: Ending, _: Now, _: &mut Turn) {}
    fn tick(&mut self, _: Now, _: &mut Turn) {}
    fn next_deadline(&self) -> u64 {
        u64::MAX
    }
    fn has_room(&self) -> bool {
        true
    }
}

struct FaultyPlug;

impl Plug for FaultyPlug {
    fn allowed_origins(&self) -> &[String] {
        &[]
    }
    fn machine(&self, _: Arrival, _: &Seed, _: Now) -> Box<dyn Protocol> {
        Box::new(Faulty)
    }
}

#[tokio::test]
async fn a_fault_in_a_machine_ends_its_connection_and_leaves_no_session() {
    let bed = Bed::new().await;
    bed.store.gate.add_permits(1);
    let settings = GatewaySettings::default().with(Dialect::Wg, FaultyPlug);
    let gateway = Gateway::new(Arc::clone(&bed.im), settings);
    let (mut client, server) = tokio::io::duplex(1024);
    let peer = IpAddr::from([127, 0, 0, 1]);
    let serving = tokio::spawn(async move {
        gateway.serve_stream(Dialect::Wg, peer, server).await;
    });
    client.write_all(b"o").await.expect("written");
    let mut hello = [0; 4];
    let heard = timeout(PATIENCE, client.read_exact(&mut hello)).await;
    heard.expect("in time").expect("read");
    let sessions = bed.im.hub().session_count();
    client.write_all(b"x").await.expect("written");
    let ended = timeout(PATIENCE, serving).await;
    ended.expect("in time").expect("the fault goes no further");
    assert_eq!(bed.im.hub().session_count(), sessions - 1);
}
