//! A small server to run against: WuKongIM's protocol and the three routes that
//! set-up needs. It can be told to do what a server must not.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use crosstalk_wire::wukong::binary::crypto::{Cipher, KeyPair, msg_key_matches, msg_key_text};
use crosstalk_wire::wukong::binary::{
    Connack, Connect, Decoder, Packet, Recv, Send, Sendack, encode,
};
use crosstalk_wire::wukong::reason::Reason;
use futures_util::{SinkExt, StreamExt};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_tungstenite::tungstenite::Message;

/// What the server gets wrong, counted in deliveries and in messages.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mischief {
    /// Does not deliver one in so many.
    pub(super) drop_every: Option<u64>,
    /// Delivers one in so many twice.
    pub(super) repeat_every: Option<u64>,
    /// Signs one in so many wrongly.
    pub(super) forge_every: Option<u64>,
    /// Refuses one message in so many as too fast.
    pub(super) refuse_every: Option<u64>,
    /// Never answers after so many messages.
    pub(super) hang_after: Option<u64>,
}

/// The server. Its tasks end with the runtime.
pub(super) struct Fake {
    pub(super) folder: TempDir,
}

#[derive(Default)]
struct State {
    mischief: Mischief,
    tokens: Mutex<HashMap<String, String>>,
    groups: Mutex<HashMap<String, Vec<String>>>,
    online: Mutex<HashMap<String, Sender<Recv>>>,
    places: Mutex<HashMap<String, u64>>,
    messages: AtomicU64,
    deliveries: AtomicU64,
}

impl Fake {
    pub(super) async fn start(mischief: Mischief) -> Self {
        let state = Arc::new(State {
            mischief,
            ..State::default()
        });
        let [api, tcp, ws] = [bind().await, bind().await, bind().await];
        let address = |listener: &TcpListener| listener.local_addr().expect("bound").to_string();
        let listeners = json!({"wukong_api": address(&api), "wukong_tcp": address(&tcp),
                               "wukong_ws": address(&ws)});
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("listeners.json"), listeners.to_string()).expect("a file");
        accept(api, Arc::clone(&state), |stream, state| async move {
            http(stream, &state).await;
        });
        accept(tcp, Arc::clone(&state), |stream, state| {
            session(stream, state)
        });
        accept(ws, state, |stream, state| async move {
            let (near, far) = duplex(1 << 16);
            tokio::join!(web_socket(stream, far), session(near, state));
        });
        Self { folder }
    }
}

async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a listener")
}

fn accept<F: Future<Output = ()> + std::marker::Send + 'static>(
    listener: TcpListener,
    state: Arc<State>,
    serve: impl Fn(TcpStream, Arc<State>) -> F + std::marker::Send + 'static,
) {
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&state)));
        }
    });
}

/// Carries the bytes of binary messages.
async fn web_socket(stream: TcpStream, pipe: impl AsyncRead + AsyncWrite) {
    let socket = tokio_tungstenite::accept_async(stream)
        .await
        .expect("a handshake");
    let (mut sink, mut stream) = socket.split();
    let (mut from, mut to) = split(pipe);
    let inwards = async {
        while let Some(Ok(Message::Binary(bytes))) = stream.next().await {
            to.write_all(&bytes).await.expect("the session reads");
        }
        to.shutdown().await.expect("an open pipe");
    };
    let outwards = async {
        let mut bytes = vec![0; 4096];
        while let Ok(len @ 1..) = from.read(&mut bytes).await {
            if sink
                .send(Message::binary(bytes[..len].to_vec()))
                .await
                .is_err()
            {
                return;
            }
        }
    };
    tokio::join!(inwards, outwards);
}

/// Answers requests with a body of a known length.
async fn http(mut stream: TcpStream, state: &State) {
    let mut input = BytesMut::new();
    loop {
        let (head, body) = loop {
            let text = String::from_utf8_lossy(&input).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse::<usize>()
                        .ok()
                });
                if body.len() >= length.unwrap_or(0) {
                    break (head.to_owned(), body.to_owned());
                }
            }
            if stream.read_buf(&mut input).await.unwrap_or(0) == 0 {
                return;
            }
        };
        input.clear();
        let body: Value = serde_json::from_str(&body).expect("JSON");
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let path = head.split_whitespace().nth(1).unwrap_or_default();
        match path {
            "/user/token" => {
                state.tokens.lock().insert(text("uid"), text("token"));
            }
            "/channel" | "/channel/subscriber_add" => {
                let members = body["subscribers"].as_array().into_iter().flatten();
                let members = members.filter_map(Value::as_str).map(str::to_owned);
                state
                    .groups
                    .lock()
                    .entry(text("channel_id"))
                    .or_default()
                    .extend(members);
            }
            other => panic!("no route {other}"),
        }
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{\"status\":200}";
        stream
            .write_all(answer.as_bytes())
            .await
            .expect("the client reads");
    }
}

async fn session(
    stream: impl AsyncRead + AsyncWrite + std::marker::Send + 'static,
    state: Arc<State>,
) {
    let (mut reader, mut writer) = split(stream);
    let (mut decoder, mut input) = (Decoder::new(5), BytesMut::new());
    let (mailbox, inbox) = channel::<Recv>(100_000);
    let mut login: Option<(String, Arc<Cipher>)> = None;
    let mut inbox = Some(inbox);
    let (acks, mut to_write) = channel::<BytesMut>(100_000);
    tokio::spawn(async move {
        while let Some(bytes) = to_write.recv().await {
            if writer.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    while reader.read_buf(&mut input).await.unwrap_or(0) > 0 {
        let mut out = BytesMut::new();
        while let Some(packet) = decoder.decode(&mut input).expect("good packets") {
            match packet {
                Packet::Connect(connect) => {
                    let Some(cipher) = state.log_in(&connect, &mut out) else {
                        continue;
                    };
                    let cipher = Arc::new(cipher);
                    let inbox = inbox.take().expect("one login");
                    state
                        .online
                        .lock()
                        .insert(connect.uid.clone(), mailbox.clone());
                    let state = Arc::clone(&state);
                    tokio::spawn(deliver(inbox, state, Arc::clone(&cipher), acks.clone()));
                    login = Some((connect.uid, cipher));
                }
                Packet::Send(send) => {
                    let (uid, cipher) = login.as_ref().expect("logged in");
                    state.take(uid, cipher, &send, &mut out);
                }
                Packet::Recvack(_) | Packet::Ping => {}
                other => panic!("unexpected {other:?}"),
            }
        }
        acks.send(out).await.expect("the writer runs");
    }
}

/// Seals what one client gets.
async fn deliver(
    mut inbox: Receiver<Recv>,
    state: Arc<State>,
    cipher: Arc<Cipher>,
    out: Sender<BytesMut>,
) {
    while let Some(mut recv) = inbox.recv().await {
        let number = state.deliveries.fetch_add(1, Ordering::Relaxed) + 1;
        let hits = |every: Option<u64>| every.is_some_and(|every| number.is_multiple_of(every));
        if hits(state.mischief.drop_every) {
            continue;
        }
        let mut sealed = Vec::new();
        cipher.encrypt_into(&recv.payload, &mut sealed);
        let key = cipher.recv_msg_key(
            recv.message_id,
            recv.message_seq,
            &recv.client_msg_no,
            recv.timestamp_secs,
            &recv.from_uid,
            &recv.channel_id,
            recv.channel_type,
            &sealed,
        );
        recv.msg_key = msg_key_text(&key).to_owned();
        if hits(state.mischief.forge_every) {
            recv.msg_key = "0".repeat(32);
        }
        recv.payload = sealed.into();
        let mut bytes = BytesMut::new();
        for _ in 0..1 + u64::from(hits(state.mischief.repeat_every)) {
            encode(&Packet::Recv(recv.clone()), 5, &mut bytes).expect("an encoding");
        }
        if out.send(bytes).await.is_err() {
            return;
        }
    }
}

impl State {
    fn log_in(&self, connect: &Connect, out: &mut BytesMut) -> Option<Cipher> {
        let is_known = self.tokens.lock().get(&connect.uid) == Some(&connect.token);
        let keys = KeyPair::from_secret([7; 32]);
        let shared = keys.agree(&connect.client_key).expect("a good key");
        let reason = if is_known {
            Reason::Success
        } else {
            Reason::AuthFail
        };
        let salt = "AbCdEfGh12345678";
        let connack = Packet::Connack(Connack {
            server_version: Some(5),
            time_diff_ms: 0,
            reason: reason.code(),
            server_key: keys.public_base64(),
            salt: salt.to_owned(),
            node_id: Some(1),
        });
        encode(&connack, 5, out).expect("an encoding");
        is_known.then(|| Cipher::new(&shared, salt).expect("a good salt"))
    }

    fn take(&self, from: &str, cipher: &Cipher, send: &Send, out: &mut BytesMut) {
        let number = self.messages.fetch_add(1, Ordering::Relaxed) + 1;
        if self.mischief.hang_after.is_some_and(|after| number > after) {
            return;
        }
        let key = cipher.send_msg_key(
            send.client_seq,
            &send.client_msg_no,
            &send.channel_id,
            send.channel_type,
            &send.payload,
        );
        assert!(msg_key_matches(&key, &send.msg_key), "a wrong signature");
        let refuses = self.mischief.refuse_every;
        let is_refused = refuses.is_some_and(|every| number.is_multiple_of(every));
        let reason = if is_refused {
            Reason::RateLimit
        } else {
            Reason::Success
        };
        let is_group = send.channel_type == 2;
        let channel = if is_group {
            send.channel_id.clone()
        } else {
            let mut both = [from, &send.channel_id];
            both.sort_unstable();
            both.join("@")
        };
        // Held until all have it in their mailbox, so that each gets the same order.
        let mut places = self.places.lock();
        let place = places.entry(channel).or_default();
        if !is_refused {
            *place += 1;
            let recv = Recv {
                flags: send.flags,
                setting: send.setting,
                msg_key: String::new(),
                from_uid: from.to_owned(),
                channel_id: if is_group {
                    send.channel_id.clone()
                } else {
                    from.to_owned()
                },
                channel_type: send.channel_type,
                expire_secs: 0,
                client_msg_no: send.client_msg_no.clone(),
                stream: None,
                message_id: number as i64,
                message_seq: *place,
                timestamp_secs: 1_700_000_000,
                topic: String::new(),
                payload: Bytes::from(cipher.decrypt(&send.payload).expect("a payload")),
            };
            let members = match is_group {
                true => self
                    .groups
                    .lock()
                    .get(&send.channel_id)
                    .cloned()
                    .unwrap_or_default(),
                false => vec![send.channel_id.clone()],
            };
            let online = self.online.lock();
            for mailbox in members
                .iter()
                .filter(|it| *it != from)
                .filter_map(|it| online.get(it))
            {
                mailbox.try_send(recv.clone()).expect("room in a mailbox");
            }
        }
        let ack = Packet::Sendack(Sendack {
            flags: send.flags,
            message_id: number as i64,
            client_seq: send.client_seq,
            message_seq: *place,
            reason: reason.code(),
        });
        encode(&ack, 5, out).expect("an encoding");
    }
}
