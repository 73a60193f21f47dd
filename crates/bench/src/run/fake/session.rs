//! One connection.

use std::sync::Arc;

use bytes::BytesMut;
use crosstalk_wire::wukong::binary::crypto::{Cipher, KeyPair, msg_key_matches, msg_key_text};
use crosstalk_wire::wukong::binary::{
    Connack, Connect, Decoder, Flags, Packet, Recv, Send, Sendack, Setting, encode,
};
use crosstalk_wire::wukong::reason::Reason;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_tungstenite::tungstenite::Message;

use super::hits;
use super::state::{State, Stored, next};

/// Messages and packets that may wait; no test has more.
const ROOM: usize = 100_000;

/// Carries the bytes of binary messages.
pub(super) async fn web_socket(stream: TcpStream, pipe: impl AsyncRead + AsyncWrite) {
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

/// Serves a client until it leaves.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + std::marker::Send + 'static,
    state: Arc<State>,
) {
    let (mut reader, mut writer) = split(stream);
    let (mut decoder, mut input) = (Decoder::new(5), BytesMut::new());
    let (out, mut to_write) = channel::<BytesMut>(ROOM);
    tokio::spawn(async move {
        while let Some(bytes) = to_write.recv().await {
            if writer.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = writer.shutdown().await;
    });
    let mut login: Option<(String, Arc<Cipher>, u64)> = None;
    'reading: while reader.read_buf(&mut input).await.unwrap_or(0) > 0 {
        let mut answers = BytesMut::new();
        while let Some(packet) = decoder.decode(&mut input).expect("good packets") {
            match packet {
                Packet::Connect(connect) => {
                    let number = next(&state.logins);
                    if hits(number, state.mischief.reset_every) {
                        break 'reading;
                    }
                    let Some(cipher) = log_in(&state, &connect, number, &mut answers) else {
                        continue;
                    };
                    let cipher = Arc::new(cipher);
                    let (mailbox, inbox) = channel(ROOM);
                    state.came(&connect.uid, number, mailbox);
                    let (state, out) = (Arc::clone(&state), out.clone());
                    tokio::spawn(deliver(inbox, state, Arc::clone(&cipher), out));
                    login = Some((connect.uid, cipher, number));
                }
                Packet::Send(send) => {
                    let (uid, cipher, _) = login.as_ref().expect("logged in");
                    take(&state, uid, cipher, &send, &mut answers);
                }
                Packet::Recvack(_) | Packet::Ping => {}
                other => panic!("unexpected {other:?}"),
            }
        }
        if out.send(answers).await.is_err() {
            break;
        }
    }
    if let Some((uid, _, number)) = login {
        state.left(&uid, number);
    }
}

/// Seals what one client gets.
async fn deliver(
    mut inbox: Receiver<Stored>,
    state: Arc<State>,
    cipher: Arc<Cipher>,
    out: Sender<BytesMut>,
) {
    let mut held: Option<BytesMut> = None;
    while let Some(stored) = inbox.recv().await {
        let number = next(&state.deliveries);
        let mischief = &state.mischief;
        if hits(number, mischief.drop_every) {
            continue;
        }
        let mut recv = recv(&cipher, &stored);
        if hits(number, mischief.forge_every) {
            recv.msg_key = "0".repeat(32);
        }
        let mut bytes = BytesMut::new();
        for _ in 0..1 + u64::from(hits(number, mischief.repeat_every)) {
            encode(&Packet::Recv(recv.clone()), 5, &mut bytes).expect("an encoding");
        }
        if held.is_none() && hits(number, mischief.swap_every) {
            held = Some(bytes);
            continue;
        }
        bytes.extend(held.take().unwrap_or_default());
        if out.send(bytes).await.is_err() {
            return;
        }
    }
}

fn recv(cipher: &Cipher, stored: &Stored) -> Recv {
    let mut sealed = Vec::new();
    cipher.encrypt_into(&stored.payload, &mut sealed);
    let mut recv = Recv {
        flags: Flags::default(),
        setting: Setting::default(),
        msg_key: String::new(),
        from_uid: stored.from.clone(),
        channel_id: stored.channel_for_receiver().to_owned(),
        channel_type: 1 + u8::from(stored.is_group),
        expire_secs: 0,
        client_msg_no: stored.client_no.clone(),
        stream: None,
        message_id: stored.id as i64,
        message_seq: stored.place,
        timestamp_secs: 1_700_000_000,
        topic: String::new(),
        payload: sealed.into(),
    };
    let key = cipher.recv_msg_key(
        recv.message_id,
        recv.message_seq,
        &recv.client_msg_no,
        recv.timestamp_secs,
        &recv.from_uid,
        &recv.channel_id,
        recv.channel_type,
        &recv.payload,
    );
    recv.msg_key = msg_key_text(&key).to_owned();
    recv
}

fn log_in(state: &State, connect: &Connect, number: u64, out: &mut BytesMut) -> Option<Cipher> {
    let is_known = state.tokens.lock().get(&connect.uid) == Some(&connect.token);
    let keys = KeyPair::from_secret([7; 32]);
    let shared = keys.agree(&connect.client_key).expect("a good key");
    let throttled = state.mischief.throttle_logins;
    let is_throttled = throttled.is_some_and(|(first, last)| (first..=last).contains(&number));
    let reason = if is_throttled {
        Reason::RateLimit
    } else if is_known {
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
    (reason == Reason::Success).then(|| Cipher::new(&shared, salt).expect("a good salt"))
}

fn take(state: &State, from: &str, cipher: &Cipher, send: &Send, out: &mut BytesMut) {
    let key = cipher.send_msg_key(
        send.client_seq,
        &send.client_msg_no,
        &send.channel_id,
        send.channel_type,
        &send.payload,
    );
    assert!(msg_key_matches(&key, &send.msg_key), "a wrong signature");
    let number = state.sent();
    if state
        .mischief
        .hang_after
        .is_some_and(|after| number > after)
    {
        return;
    }
    let is_refused = hits(number, state.mischief.refuse_every);
    let (reason, (id, place)) = if is_refused {
        (Reason::RateLimit, (0, 0))
    } else {
        let payload = cipher.decrypt(&send.payload).expect("a payload");
        let to = (send.channel_id.as_str(), send.channel_type == 2);
        let taken = state.take(from, to, &send.client_msg_no, payload);
        (Reason::Success, taken)
    };
    if state.mischief.mute_nth == Some(number) {
        return;
    }
    let ack = Packet::Sendack(Sendack {
        flags: send.flags,
        message_id: id as i64,
        client_seq: send.client_seq,
        message_seq: place,
        reason: reason.code(),
    });
    encode(&ack, 5, out).expect("an encoding");
}
