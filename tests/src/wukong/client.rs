//! A logged-in client.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use crosstalk_wire::wukong::binary::crypto::{Cipher, msg_key_text};
use crosstalk_wire::wukong::binary::{
    Connack, Disconnect, Flags, Packet, Recv, Recvack, Send, Sendack, Setting,
};
use serde_json::Value;

use super::link::Link;
use super::outgoing::Outgoing;
use crate::wait::within;

/// A message that has arrived: its key is right and it is decrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The packet.
    pub packet: Recv,
    /// What was said.
    pub payload: Vec<u8>,
}

/// A client whose login has succeeded. It reads only while it is asked for something; what
/// arrives meanwhile is kept in order.
pub struct WukongClient {
    uid: String,
    link: Link,
    cipher: Cipher,
    connack: Connack,
    last_client_seq: u32,
    has_manual_acks: bool,
    acks: HashMap<u32, Sendack>,
    messages: VecDeque<Received>,
    others: VecDeque<Packet>,
}

impl Received {
    /// The payload as JSON.
    ///
    /// # Panics
    /// When it is not.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).expect("a JSON payload")
    }

    /// Whether it says what has changed about a channel or a person, or who has come or gone.
    fn is_about_channels(&self) -> bool {
        let json: Value = serde_json::from_slice(&self.payload).unwrap_or_default();
        ["memberUpdate", "channelUpdate", "onlineStatus"]
            .contains(&json["cmd"].as_str().unwrap_or_default())
    }

    /// The text of a text message.
    ///
    /// # Panics
    /// When it is not one.
    #[must_use]
    pub fn text(&self) -> String {
        let json = self.json();
        json["content"]
            .as_str()
            .unwrap_or_else(|| panic!("no text: {json}"))
            .to_owned()
    }
}

impl WukongClient {
    pub(super) fn new(uid: String, link: Link, cipher: Cipher, connack: Connack) -> WukongClient {
        WukongClient {
            uid,
            link,
            cipher,
            connack,
            last_client_seq: 0,
            has_manual_acks: false,
            acks: HashMap::new(),
            messages: VecDeque::new(),
            others: VecDeque::new(),
        }
    }

    /// The answer to the login.
    #[must_use]
    pub fn connack(&self) -> &Connack {
        &self.connack
    }

    /// The connection, for writing what no client would.
    pub fn link(&mut self) -> &mut Link {
        &mut self.link
    }

    /// Leaves acknowledging to the test from now on.
    pub fn ack_by_hand(&mut self) {
        self.has_manual_acks = true;
    }

    /// Gives up everything but the connection: for many clients whose messages are counted, and
    /// neither decrypted nor acknowledged.
    #[must_use]
    pub fn into_link(self) -> Link {
        self.link
    }

    /// The packet of a message, encrypted and signed, under the next client sequence.
    pub fn seal(&mut self, message: &Outgoing) -> Send {
        let mut payload = Vec::new();
        self.cipher.encrypt_into(&message.payload, &mut payload);
        self.seal_text(message, &payload)
    }

    /// As [`seal`](Self::seal), with this text in place of an encrypted payload: signed as it
    /// is.
    pub fn seal_text(&mut self, message: &Outgoing, payload: &[u8]) -> Send {
        self.last_client_seq += 1;
        let client_seq = self.last_client_seq;
        let Outgoing {
            client_msg_no,
            channel_id,
            channel_type,
            ..
        } = message.clone();
        let key = self.cipher.send_msg_key(
            client_seq,
            &client_msg_no,
            &channel_id,
            channel_type,
            payload,
        );
        Send {
            flags: message.flags,
            setting: message.setting,
            client_seq,
            client_msg_no,
            stream_no: String::new(),
            channel_id,
            channel_type,
            expire_secs: message.expire_secs,
            msg_key: msg_key_text(&key).to_owned(),
            topic: message.topic.clone(),
            payload: Bytes::copy_from_slice(payload),
        }
    }

    /// Writes a message without waiting for its acknowledgement; returns its client sequence.
    pub async fn post(&mut self, message: &Outgoing) -> u32 {
        let packet = self.seal(message);
        let client_seq = packet.client_seq;
        self.link.write(&Packet::Send(packet)).await;
        client_seq
    }

    /// As [`post`](Self::post); `None` if the server has closed the connection.
    pub async fn try_post(&mut self, message: &Outgoing) -> Option<u32> {
        let packet = self.seal(message);
        let client_seq = packet.client_seq;
        let bytes = self.link.encode(&Packet::Send(packet));
        self.link
            .try_write_bytes(&bytes)
            .await
            .then_some(client_seq)
    }

    /// Sends a message and waits for the answer.
    pub async fn send(&mut self, message: &Outgoing) -> Sendack {
        let client_seq = self.post(message).await;
        self.ack_of(client_seq).await
    }

    /// Sends a message that must be accepted.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn accepted(&mut self, message: &Outgoing) -> Sendack {
        let ack = self.send(message).await;
        assert_eq!(ack.reason, 1, "{}: {message:?}: {ack:?}", self.uid);
        assert!(ack.message_id > 0, "{}: {ack:?}", self.uid);
        assert_eq!(ack.flags, message.flags, "flags are echoed");
        ack
    }

    /// Sends a message that must be refused, and returns the reason.
    ///
    /// # Panics
    /// When it is accepted.
    pub async fn refused(&mut self, message: &Outgoing) -> u8 {
        let ack = self.send(message).await;
        assert_ne!(ack.reason, 1, "{}: accepted: {message:?}", self.uid);
        assert_eq!(ack.message_seq, 0, "what is refused has no place: {ack:?}");
        ack.reason
    }

    /// Waits for the answer to a message written before.
    pub async fn ack_of(&mut self, client_seq: u32) -> Sendack {
        let what = format!("{}: the SENDACK of {client_seq}", self.uid);
        within(&what, async {
            loop {
                if let Some(ack) = self.acks.remove(&client_seq) {
                    return ack;
                }
                self.pump_or_panic(&what).await;
            }
        })
        .await
    }

    /// Waits for any SENDACK; `None` when the server has closed the connection.
    pub async fn any_ack(&mut self) -> Option<Sendack> {
        within(format!("{}: a SENDACK", self.uid), async {
            loop {
                let first = self.acks.keys().min().copied();
                if let Some(client_seq) = first {
                    return self.acks.remove(&client_seq);
                }
                if !self.pump().await {
                    return None;
                }
            }
        })
        .await
    }

    /// Waits for the next message. What changes about channels and people is passed over, and
    /// acknowledged.
    pub async fn message(&mut self) -> Received {
        let what = format!("{}: a message", self.uid);
        within(&what, async {
            loop {
                while let Some(message) = self.messages.pop_front() {
                    if !message.is_about_channels() {
                        return message;
                    }
                    self.ack(&message).await;
                }
                self.pump_or_panic(&what).await;
            }
        })
        .await
    }

    /// Waits for the next message; `None` when the server has closed the connection. Waits as
    /// long as it takes.
    pub async fn any_message(&mut self) -> Option<Received> {
        loop {
            while let Some(message) = self.messages.pop_front() {
                if !message.is_about_channels() {
                    return Some(message);
                }
                self.ack(&message).await;
            }
            if !self.pump().await {
                return None;
            }
        }
    }

    /// Messages that have been read while waiting for something else.
    #[must_use]
    pub fn unheard(&self) -> usize {
        self.messages.len()
    }

    /// Waits for the next message, which must be this text; returns it.
    ///
    /// # Panics
    /// When it is another.
    pub async fn hears(&mut self, text: &str) -> Received {
        let message = self.message().await;
        assert_eq!(message.text(), text, "{}: {:?}", self.uid, message.packet);
        message
    }

    /// Acknowledges a message, as [`ack_by_hand`](Self::ack_by_hand) asks for.
    pub async fn ack(&mut self, message: &Received) {
        let Recv {
            flags,
            message_id,
            message_seq,
            ..
        } = message.packet;
        let ack = Recvack {
            flags,
            message_id,
            message_seq,
        };
        // The server may have closed meanwhile; whoever waits for more will notice.
        let bytes = self.link.encode(&Packet::Recvack(ack));
        self.link.try_write_bytes(&bytes).await;
    }

    /// Sends PING and waits for PONG.
    pub async fn ping(&mut self) {
        self.link.write(&Packet::Ping).await;
        let what = format!("{}: a PONG", self.uid);
        within(&what, async {
            loop {
                if let Some(at) = self.others.iter().position(|it| *it == Packet::Pong) {
                    self.others.remove(at);
                    return;
                }
                self.pump_or_panic(&what).await;
            }
        })
        .await;
    }

    /// Waits for DISCONNECT.
    pub async fn disconnected(&mut self) -> Disconnect {
        let what = format!("{}: a DISCONNECT", self.uid);
        within(&what, async {
            loop {
                if let Some(Packet::Disconnect(disconnect)) = self.others.pop_front() {
                    return disconnect;
                }
                self.pump_or_panic(&what).await;
            }
        })
        .await
    }

    /// Waits until the server has closed the connection; returns what it said besides messages
    /// and acknowledgements.
    pub async fn closed(&mut self) -> Vec<Packet> {
        within(format!("{}: the end of the connection", self.uid), async {
            while self.pump().await {}
        })
        .await;
        self.others.drain(..).collect()
    }

    async fn pump_or_panic(&mut self, what: &str) {
        assert!(
            self.pump().await,
            "{what}: the server closed the connection"
        );
    }

    /// Reads one packet and puts it where it belongs; false at the end of the connection.
    async fn pump(&mut self) -> bool {
        let Some(packet) = self.link.read().await else {
            return false;
        };
        let is_new = matches!(
            packet,
            Packet::Sub(_) | Packet::Suback(_) | Packet::Event(_)
        );
        assert!(
            !is_new || self.link.version() >= 5,
            "not for old clients: {packet:?}"
        );
        match packet {
            Packet::Sendack(ack) => {
                let before = self.acks.insert(ack.client_seq, ack);
                assert_eq!(before, None, "{}: answered twice", self.uid);
            }
            Packet::Recv(recv) => {
                let message = self.open(recv);
                if !self.has_manual_acks {
                    self.ack(&message).await;
                }
                self.messages.push_back(message);
            }
            other => self.others.push_back(other),
        }
        true
    }

    /// Checks what holds for every message, and decrypts it.
    fn open(&self, packet: Recv) -> Received {
        let who = &self.uid;
        let key = self.cipher.recv_msg_key(
            packet.message_id,
            packet.message_seq,
            &packet.client_msg_no,
            packet.timestamp_secs,
            &packet.from_uid,
            &packet.channel_id,
            packet.channel_type,
            &packet.payload,
        );
        assert_eq!(
            packet.msg_key,
            msg_key_text(&key),
            "{who}: the msgKey of {packet:?}"
        );
        let stream_bits = Setting::STREAM | 0x04;
        let is_clean = self.link.version() >= 5 || packet.setting.0 & stream_bits == 0;
        assert!(is_clean, "{who}: stream bits for an old client: {packet:?}");
        assert!(packet.message_id > 0, "{who}: {packet:?}");
        assert!(
            packet.timestamp_secs > 1_600_000_000,
            "{who}: seconds since 1970: {packet:?}"
        );
        let Flags { no_persist, .. } = packet.flags;
        assert_eq!(
            packet.message_seq == 0,
            no_persist,
            "{who}: stored ones have a seq: {packet:?}"
        );
        let payload = self.cipher.decrypt(&packet.payload);
        let payload = payload.unwrap_or_else(|error| panic!("{who}: {error}: {packet:?}"));
        Received { packet, payload }
    }
}
