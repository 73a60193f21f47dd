//! The gateway on a real store and real sockets: a message's whole way, and what happens to
//! a reader who is too slow.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use crosstalk_backends::sqlite::{Sqlite, SqliteOptions};
use crosstalk_core::channel::{ChannelKey, ChannelKind, MemberChange, MemberRole};
use crosstalk_core::clock::{Clock, SystemClock};
use crosstalk_core::directory::Seal;
use crosstalk_core::id::{Realm, Snowflake, Uid};
use crosstalk_core::im::{FlagTokenRegistration, Im, Policy, Stores};
use crosstalk_core::session::{DeviceLevel, MailboxLimits};
use crosstalk_gateway::{
    Dialect, Gateway, GatewaySettings, Listener, WUKONG_ORIGIN, WukongSettings,
};
use crosstalk_wire::wukong::binary::crypto::{Cipher, KeyPair, msg_key_text};
use crosstalk_wire::wukong::binary::{
    Connect, Decoder, Flags, Packet, Recv, Recvack, Send, Sendack, Setting, encode,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

struct NoSeal;

impl Seal for NoSeal {
    fn seal(&self, secret: &str) -> Vec<u8> {
        secret.into()
    }
    fn open(&self, sealed: &[u8]) -> Option<String> {
        String::from_utf8(sealed.to_vec()).ok()
    }
}

struct World {
    im: Arc<Im>,
    address: SocketAddr,
}

impl World {
    async fn start(mailbox: MailboxLimits) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let ids = Arc::new(Snowflake::new(Arc::clone(&clock), 1));
        let options = SqliteOptions::temporary(Arc::clone(&clock), Arc::clone(&ids));
        let store = Arc::new(Sqlite::open(options).expect("a store"));
        let stores = Stores::of(store);
        let mut policy = Policy {
            mailbox,
            ..Policy::default()
        };
        policy.send.rate_per_sec = 0;
        let im = Im::start(stores, Arc::new(NoSeal), ids, clock, policy)
            .await
            .expect("an Im");
        let wukong = WukongSettings {
            realm: Realm::default(),
            node_id: 1,
            token_auth: true,
            strict_users: false,
            allowed_origins: ["*".to_owned()].into(),
        };
        let settings = GatewaySettings::default().with(Dialect::Wukong, wukong);
        let gateway = Gateway::new(Arc::clone(&im), settings);
        let any = "127.0.0.1:0".parse().expect("an address");
        let address = gateway
            .listen(Listener::Tcp(Dialect::Wukong), any)
            .await
            .expect("a listener");
        Self { im, address }
    }

    async fn client(&self, uid: &str) -> Client {
        let registration = FlagTokenRegistration {
            flag: 0,
            token: "token".into(),
            level: DeviceLevel::Slave,
            origin: WUKONG_ORIGIN,
        };
        let id = Uid::parse(uid).expect("a uid");
        let realm = Realm::default();
        self.im
            .register_flag_token(&realm, &id, &registration)
            .await
            .expect("a token");
        Client::connect(self.address, uid).await
    }

    async fn group(&self, id: &str, members: &[&str]) {
        let realm = Realm::default();
        let uids: Vec<Uid> = members
            .iter()
            .map(|m| Uid::parse(m).expect("a uid"))
            .collect();
        let users = self.im.user_refs(&realm, &uids).await.expect("users");
        let join = |user| MemberChange::Join(user, MemberRole::Member);
        let key = ChannelKey {
            realm,
            kind: ChannelKind::GROUP,
            id: id.into(),
        };
        let changes = users.into_iter().map(join).collect();
        self.im
            .change_members(&key, changes)
            .await
            .expect("members");
    }
}

/// The client side of one connection, protocol version 5.
struct Client {
    stream: TcpStream,
    input: BytesMut,
    cipher: Cipher,
    sent: u32,
}

impl Client {
    async fn connect(address: SocketAddr, uid: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let keys = KeyPair::from_secret([3; 32]);
        let connect = Connect {
            version: 5,
            device_flag: 0,
            device_id: format!("device of {uid}"),
            uid: uid.into(),
            token: "token".into(),
            client_timestamp_ms: 0,
            client_key: keys.public_base64(),
        };
        write(&mut stream, &Packet::Connect(connect)).await;
        let mut input = BytesMut::new();
        let Packet::Connack(connack) = read(&mut stream, &mut input).await else {
            panic!("no CONNACK")
        };
        assert_eq!(connack.reason, 1);
        let shared = keys.agree(&connack.server_key).expect("a key");
        let cipher = Cipher::new(&shared, &connack.salt).expect("a salt");
        Self {
            stream,
            input,
            cipher,
            sent: 0,
        }
    }

    async fn send(&mut self, to: (&str, u8), text: &str) {
        self.sent += 1;
        let no = format!("no-{}", self.sent);
        let mut payload = Vec::new();
        self.cipher.encrypt_into(text.as_bytes(), &mut payload);
        let key = self
            .cipher
            .send_msg_key(self.sent, &no, to.0, to.1, &payload);
        let send = Send {
            flags: Flags {
                red_dot: true,
                ..Flags::default()
            },
            setting: Setting(0),
            client_seq: self.sent,
            client_msg_no: no,
            stream_no: String::new(),
            channel_id: to.0.into(),
            channel_type: to.1,
            expire_secs: 0,
            msg_key: msg_key_text(&key).into(),
            topic: String::new(),
            payload: payload.into(),
        };
        write(&mut self.stream, &Packet::Send(send)).await;
    }

    /// The next packet but for what tells who comes and goes, which is acknowledged.
    async fn next(&mut self) -> Packet {
        loop {
            let packet = read(&mut self.stream, &mut self.input).await;
            let Packet::Recv(recv) = &packet else {
                return packet;
            };
            if !self.text(recv).contains("\"cmd\"") {
                return packet;
            }
            self.ack(recv).await;
        }
    }

    fn text(&self, recv: &Recv) -> String {
        let plain = self.cipher.decrypt(&recv.payload).expect("our key");
        String::from_utf8(plain).expect("text")
    }

    async fn sendack(&mut self) -> Sendack {
        match self.next().await {
            Packet::Sendack(ack) => ack,
            other => panic!("no SENDACK: {other:?}"),
        }
    }

    async fn recv(&mut self) -> (Recv, String) {
        match self.next().await {
            Packet::Recv(recv) => {
                let text = self.text(&recv);
                (recv, text)
            }
            other => panic!("no RECV: {other:?}"),
        }
    }

    async fn ack(&mut self, recv: &Recv) {
        let ack = Recvack {
            flags: recv.flags,
            message_id: recv.message_id,
            message_seq: recv.message_seq,
        };
        write(&mut self.stream, &Packet::Recvack(ack)).await;
    }

    /// Everything that was asked before has been handled when the answer is there.
    async fn ping(&mut self) {
        write(&mut self.stream, &Packet::Ping).await;
        assert_eq!(self.next().await, Packet::Pong);
    }
}

async fn write(stream: &mut TcpStream, packet: &Packet) {
    let mut bytes = BytesMut::new();
    encode(packet, 5, &mut bytes).expect("a packet");
    timeout(PATIENCE, stream.write_all(&bytes))
        .await
        .expect("in time")
        .expect("written");
}

async fn read(stream: &mut TcpStream, input: &mut BytesMut) -> Packet {
    let decoder = Decoder::new(5);
    let mut decoder = decoder;
    loop {
        if let Some(packet) = decoder.decode(input).expect("a packet") {
            return packet;
        }
        let read = timeout(PATIENCE, stream.read_buf(input)).await;
        assert_ne!(read.expect("in time").expect("read"), 0, "closed");
    }
}

#[tokio::test]
async fn a_message_goes_its_way() {
    let world = World::start(MailboxLimits::default()).await;
    let mut alice = world.client("alice").await;
    let mut bob = world.client("bob").await;
    alice.send(("bob", 1), "你好 👋").await;
    let ack = alice.sendack().await;
    assert_eq!((ack.reason, ack.message_seq, ack.client_seq), (1, 1, 1));
    let (recv, text) = bob.recv().await;
    assert_eq!(
        (text.as_str(), recv.from_uid.as_str()),
        ("你好 👋", "alice")
    );
    assert_eq!((recv.message_id, recv.message_seq), (ack.message_id, 1));
    bob.ack(&recv).await;
    bob.ping().await;
}

#[tokio::test]
async fn members_who_join_while_online_get_what_is_said_next() {
    let world = World::start(MailboxLimits::default()).await;
    world.group("g", &["alice"]).await;
    let mut alice = world.client("alice").await;
    let mut bob = world.client("bob").await;
    alice.send(("g", 2), "one").await;
    assert_eq!(alice.sendack().await.message_seq, 1);
    world.group("g", &["bob"]).await;
    alice.send(("g", 2), "two").await;
    assert_eq!(alice.sendack().await.message_seq, 2);
    let (recv, text) = bob.recv().await;
    assert_eq!((recv.message_seq, text.as_str()), (2, "two"));
    assert_eq!(recv.channel_id, "g");
}

/// A client that acknowledges nothing is given a thousand messages; what comes then does not
/// fit into its small mailbox and is read back from the store once it acknowledges.
#[tokio::test]
async fn a_reader_who_was_too_slow_gets_everything_once_and_in_order() {
    const MESSAGES: u64 = 1500;
    let world = World::start(MailboxLimits {
        items: 8,
        ..MailboxLimits::default()
    })
    .await;
    world.group("g", &["alice", "bob", "carol"]).await;
    let mut alice = world.client("alice").await;
    let mut bob = world.client("bob").await;
    let mut carol = world.client("carol").await;
    let mut held = Vec::new();
    for n in 1..=MESSAGES {
        alice.send(("g", 2), &n.to_string()).await;
        assert_eq!(alice.sendack().await.message_seq, n);
        // Carol reads along: a slow reader costs nobody else anything.
        let (recv, text) = carol.recv().await;
        assert_eq!((recv.message_seq, text), (n, n.to_string()));
        carol.ack(&recv).await;
        if n <= 1000 {
            held.push(bob.recv().await.0);
        }
    }
    bob.ping().await;
    assert!(
        world
            .im
            .counters()
            .missed
            .load(std::sync::atomic::Ordering::Relaxed)
            > 400
    );
    for recv in &held {
        bob.ack(recv).await;
    }
    for n in 1001..=MESSAGES {
        let (recv, text) = bob.recv().await;
        assert_eq!((recv.message_seq, text), (n, n.to_string()));
        bob.ack(&recv).await;
    }
    alice.send(("g", 2), "live").await;
    assert_eq!(bob.recv().await.1, "live");
}

/// What a reader missed is not read back to one who was removed meanwhile.
#[tokio::test]
async fn who_is_removed_while_behind_is_told_no_more() {
    let world = World::start(MailboxLimits {
        items: 8,
        ..MailboxLimits::default()
    })
    .await;
    world.group("g", &["alice", "bob"]).await;
    let mut alice = world.client("alice").await;
    let mut bob = world.client("bob").await;
    let mut held = Vec::new();
    for n in 1..=1020 {
        alice.send(("g", 2), &n.to_string()).await;
        assert_eq!(alice.sendack().await.message_seq, n);
        if n <= 1000 {
            held.push(bob.recv().await.0);
        }
    }
    bob.ping().await;
    let realm = Realm::default();
    let uid = Uid::parse("bob").expect("a uid");
    let user = world.im.user_ref(&realm, &uid).await.expect("bob");
    let key = ChannelKey {
        realm,
        kind: ChannelKind::GROUP,
        id: "g".into(),
    };
    let leave = vec![MemberChange::Leave(user)];
    world.im.change_members(&key, leave).await.expect("removed");
    for recv in &held {
        bob.ack(recv).await;
    }
    // What waited in the mailbox when he was removed had been given to him already.
    for n in 1001..=1008 {
        assert_eq!(bob.recv().await.0.message_seq, n);
    }
    alice.send(("bob", 1), "between us").await;
    assert_eq!(bob.recv().await.1, "between us", "nothing else came before");
}
