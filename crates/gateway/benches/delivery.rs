//! What a delivery costs between the mailbox and the socket: a machine alone, and whole
//! connections over streams in memory, from one SEND to the RECVs of a group.

#![allow(clippy::unwrap_used, reason = "a bench that fails has nobody to tell")]

use std::collections::VecDeque;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use criterion::{Criterion, Throughput};
use crosstalk_backends::sqlite::{Sqlite, SqliteOptions};
use crosstalk_core::channel::{
    ChannelKey, ChannelKind, ChannelRef, LogKind, MemberChange, MemberRole,
};
use crosstalk_core::clock::{Clock, SystemClock};
use crosstalk_core::directory::Seal;
use crosstalk_core::id::{ChannelNum, MessageId, Realm, Snowflake, Uid, UserNum, UserRef};
use crosstalk_core::im::{Im, Policy, Stores};
use crosstalk_core::message::{Body, Flags as BodyFlags, Message};
use crosstalk_core::session::{Event, Session};
use crosstalk_gateway::protocol::Arrival;
use crosstalk_gateway::protocol::{Now, Protocol, Turn};
use crosstalk_gateway::{Dialect, Gateway, GatewaySettings, WUKONG_ORIGIN, WukongSettings};
use crosstalk_wire::wukong::binary::crypto::{Cipher, KeyPair, msg_key_text};
use crosstalk_wire::wukong::binary::{
    Connect, Decoder, Flags, LATEST_VERSION, Packet, Recvack, Send, Setting, encode,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::{Builder, Runtime};

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PAYLOAD_BYTES: usize = 100;
const MEMBERS: usize = 100;
const NOW: Now = Now {
    wall_ms: 1_700_000_000_000,
    mono_ms: 1_000,
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

fn uid(name: &str) -> Uid {
    Uid::parse(name).unwrap()
}

fn group() -> ChannelKey {
    ChannelKey {
        realm: Realm::default(),
        kind: ChannelKind::GROUP,
        id: "group-1".into(),
    }
}

async fn gateway() -> (Arc<Im>, Arc<Gateway>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let ids = Arc::new(Snowflake::new(Arc::clone(&clock), 1));
    let options = SqliteOptions::temporary(Arc::clone(&clock), Arc::clone(&ids));
    let store = Arc::new(Sqlite::open(options).unwrap());
    let stores = Stores::of(store);
    let mut policy = Policy::default();
    policy.send.rate_per_sec = 0;
    let im = Im::start(stores, Arc::new(NoSeal), ids, clock, policy);
    let im = im.await.unwrap();
    let wukong = WukongSettings {
        realm: Realm::default(),
        node_id: 1,
        token_auth: false,
        strict_users: false,
        allowed_origins: Arc::default(),
    };
    let settings = GatewaySettings::default().with(Dialect::Wukong, wukong);
    (Arc::clone(&im), Gateway::new(im, settings))
}

fn keys() -> KeyPair {
    KeyPair::from_secret([3; 32])
}

fn connect(uid: &str) -> BytesMut {
    written(&Packet::Connect(Connect {
        version: LATEST_VERSION,
        device_flag: 0,
        device_id: "d".into(),
        uid: uid.into(),
        token: String::new(),
        client_timestamp_ms: 0,
        client_key: keys().public_base64(),
    }))
}

fn written(packet: &Packet) -> BytesMut {
    let mut bytes = BytesMut::new();
    encode(packet, LATEST_VERSION, &mut bytes).unwrap();
    bytes
}

/// An open session's machine.
fn machine(gateway: &Gateway) -> Box<dyn Protocol> {
    let mut machine = gateway
        .machine(Dialect::Wukong, Arrival::tcp(CLIENT))
        .unwrap();
    let mut turn = Turn::default();
    machine.receive(&mut connect("receiver"), NOW, &mut turn);
    let user = UserRef {
        num: UserNum(2),
        uid: uid("receiver"),
    };
    machine.opened(Ok(&Session::detached(user)), NOW, &mut turn);
    machine
}

fn message(seq: u64) -> Message {
    Message {
        id: MessageId(1_234_567_890_123_456_000 + seq.cast_signed()),
        channel: Arc::new(ChannelRef {
            num: ChannelNum(1),
            key: group(),
            log: LogKind::Chat,
        }),
        seq,
        ordinal: seq,
        sender: UserRef {
            num: UserNum(1),
            uid: uid("sender"),
        },
        sent_at_ms: NOW.wall_ms,
        body: Arc::new(Body {
            client_no: "f3c1b1de-7f1e-4a4b-9f10-7a4f5a3c9d11".into(),
            origin: WUKONG_ORIGIN,
            tag: "".into(),
            flags: BodyFlags {
                counts: true,
                ..BodyFlags::default()
            },
            expire_secs: 0,
            payload: Bytes::from(vec![b'x'; PAYLOAD_BYTES]),
            extra: None,
            name: None,
            audience: None,
            carried: None,
        }),
        revoked: None,
        edited: None,
        is_concealed: false,
    }
}

/// Events become bytes, and their acknowledgements are taken.
fn machines(criterion: &mut Criterion, runtime: &Runtime) {
    let (_im, gateway) = runtime.block_on(gateway());
    let mut machine = machine(&gateway);
    let mut bench = criterion.benchmark_group("machine");
    for count in [1, 4, 16] {
        let messages: Vec<Message> = (1..=count).map(message).collect();
        let events: Vec<Event> = messages
            .iter()
            .map(|message| Event::Message(Arc::new(message.clone())))
            .collect();
        let acks: BytesMut = messages
            .iter()
            .flat_map(|message| {
                written(&Packet::Recvack(Recvack {
                    flags: Flags::default(),
                    message_id: message.id.0,
                    message_seq: message.seq,
                }))
            })
            .collect();
        let (mut turn, mut input) = (Turn::default(), BytesMut::new());
        let mut waiting = VecDeque::new();
        bench.throughput(Throughput::Elements(count));
        bench.bench_function(format!("{count} messages and their acks"), |bench| {
            bench.iter(|| {
                turn.clear();
                waiting.extend(black_box(&events).iter().cloned());
                machine.deliver(&mut waiting, NOW, &mut turn);
                input.extend_from_slice(&acks);
                machine.receive(&mut input, NOW, &mut turn);
                assert!(machine.has_room() && turn.close.is_none());
            });
        });
    }
    bench.finish();
}

/// A client at the other end of a stream.
struct Client {
    stream: DuplexStream,
    input: BytesMut,
    cipher: Cipher,
    sent: u32,
}

impl Client {
    async fn log_in(gateway: &Arc<Gateway>, uid: &str) -> Self {
        let (mut stream, server) = tokio::io::duplex(64 * 1024);
        let serving = Arc::clone(gateway);
        tokio::spawn(async move {
            serving.serve_stream(Dialect::Wukong, CLIENT, server).await;
        });
        stream.write_all(&connect(uid)).await.unwrap();
        let mut input = BytesMut::new();
        loop {
            assert!(stream.read_buf(&mut input).await.unwrap() > 0);
            let decoded = Decoder::new(LATEST_VERSION).decode(&mut input).unwrap();
            if let Some(Packet::Connack(connack)) = decoded {
                let shared = keys().agree(&connack.server_key).unwrap();
                let cipher = Cipher::new(&shared, &connack.salt).unwrap();
                return Self {
                    stream,
                    input,
                    cipher,
                    sent: 0,
                };
            }
        }
    }

    /// Sends to the group, passing the store by.
    async fn send(&mut self, count: u32) {
        let mut bytes = BytesMut::new();
        for _ in 0..count {
            self.sent += 1;
            let (no, to) = (format!("no-{}", self.sent), "group-1");
            let mut payload = Vec::new();
            self.cipher
                .encrypt_into(&[b'x'; PAYLOAD_BYTES], &mut payload);
            let key = self.cipher.send_msg_key(self.sent, &no, to, 2, &payload);
            bytes.extend_from_slice(&written(&Packet::Send(Send {
                flags: Flags {
                    no_persist: true,
                    ..Flags::default()
                },
                setting: Setting(0),
                client_seq: self.sent,
                client_msg_no: no,
                stream_no: String::new(),
                channel_id: to.into(),
                channel_type: 2,
                expire_secs: 0,
                msg_key: msg_key_text(&key).into(),
                topic: String::new(),
                payload: payload.into(),
            })));
        }
        self.stream.write_all(&bytes).await.unwrap();
    }

    /// Reads so many packets.
    async fn hear(&mut self, count: u32) {
        let mut decoder = Decoder::new(LATEST_VERSION);
        for _ in 0..count {
            while decoder.decode(&mut self.input).unwrap().is_none() {
                assert!(self.stream.read_buf(&mut self.input).await.unwrap() > 0);
            }
        }
    }
}

/// One member of a group speaks, the others hear it; the clients' work is in the figures.
fn connections(criterion: &mut Criterion, runtime: &Runtime) {
    let mut clients = runtime.block_on(async {
        let (im, gateway) = gateway().await;
        let names: Vec<Uid> = (0..MEMBERS).map(|n| uid(&format!("user-{n}"))).collect();
        let users = im.user_refs(&Realm::default(), &names).await.unwrap();
        let join = |user| MemberChange::Join(user, MemberRole::Member);
        let joins = users.into_iter().map(join).collect();
        im.change_members(&group(), joins).await.unwrap();
        let mut clients = Vec::new();
        for name in &names {
            clients.push(Client::log_in(&gateway, name.as_str()).await);
        }
        clients
    });
    let mut bench = criterion.benchmark_group("connections");
    for count in [1, 4] {
        let deliveries = u64::from(count) * (MEMBERS as u64 - 1);
        bench.throughput(Throughput::Elements(deliveries));
        bench.bench_function(format!("{count} messages to 99 members"), |bench| {
            bench.iter(|| {
                runtime.block_on(async {
                    clients[0].send(count).await;
                    for client in &mut clients {
                        client.hear(count).await;
                    }
                });
            });
        });
    }
    bench.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    // One thread, so that the time is the work.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    machines(&mut criterion, &runtime);
    connections(&mut criterion, &runtime);
    criterion.final_summary();
}
