//! WuKongIM's binary protocol, over TCP or WebSocket (protocols/wukong.md §1, §2).
//!
//! Payloads are encrypted and decrypted for every message, as any client must;
//! the signature of what comes in is checked for a sample, or for all.

mod api;

#[cfg(test)]
mod tests;

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use crosstalk_wire::wukong::binary::crypto::{Cipher, KeyPair, msg_key_matches, msg_key_text};
use crosstalk_wire::wukong::binary::{
    Connack, Connect, Decoder, Flags, Packet, Recv, Recvack, Send, Setting, encode,
};
use crosstalk_wire::wukong::reason::Reason;

use super::numbers::Numbers;
use super::{
    Address, Api, Ask, Dialect, Endpoint, Event, Group, Line, Login, LoginRefused, Message, Outbox,
    Page, Past, Peer, Proof, Question, Sampler, WebSocketUse,
};
use crate::options::Transport;
use crate::target::Target;

/// The device that all clients are: an app, and the user's only one.
const DEVICE_FLAG: u8 = 0;
const DEVICE_LEVEL: u8 = 1;
/// Kinds of channel.
const PERSONAL: u8 = 1;
const GROUP: u8 = 2;

/// The dialect.
pub(super) struct Wukong {
    version: u8,
    verify: bool,
}

impl Wukong {
    pub(super) fn new(version: u8, verify: bool) -> Self {
        Self { version, verify }
    }
}

#[async_trait]
impl Dialect for Wukong {
    fn name(&self) -> String {
        format!("wukong v{}", self.version)
    }

    fn endpoint(&self, target: &Target, transport: Transport) -> Result<Endpoint> {
        Ok(match transport {
            Transport::Tcp => Endpoint {
                address: target.listener("wukong_tcp")?,
                web_socket: None,
            },
            Transport::Ws => Endpoint {
                address: target.listener("wukong_ws")?,
                web_socket: Some(WebSocketUse {
                    path: "/",
                    subprotocol: None,
                    is_text: false,
                }),
            },
        })
    }

    async fn make_users(&self, target: &Target, users: &mut [Login]) -> Result<()> {
        api::make_users(target, users).await
    }

    async fn make_groups(&self, target: &Target, groups: &[Group]) -> Result<()> {
        api::make_groups(target, groups).await
    }

    fn api(&self) -> Result<&dyn Api> {
        Ok(self)
    }

    fn peer(&self, login: &Login, index: u32) -> Result<Box<dyn Peer>> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).context("no random bytes")?;
        Ok(Box::new(WukongPeer {
            login: login.clone(),
            version: self.version,
            keys: KeyPair::from_secret(secret),
            cipher: None,
            decoder: Decoder::new(self.version),
            sampler: Sampler::new(self.verify, index),
            numbers: Numbers::of(&login.uid),
            sealed: Vec::new(),
        }))
    }

    fn refusal(&self, code: u16) -> String {
        reason_name(code)
    }

    fn is_rate_limit(&self, code: u16) -> bool {
        code == u16::from(Reason::RateLimit.code())
    }
}

#[async_trait]
impl Api for Wukong {
    async fn make_past(&self, target: &Target, past: &[Past]) -> Result<()> {
        api::make_past(target, past).await
    }

    fn question(&self, target: &Target, ask: &Ask<'_>) -> Result<Question> {
        api::question(target, ask)
    }

    fn conversations(&self, ask: &Ask<'_>, answer: &[u8]) -> Result<Page> {
        api::conversations(ask, answer)
    }

    fn history(&self, answer: &[u8]) -> Result<Vec<Line>> {
        api::history(answer)
    }
}

fn reason_name(code: u16) -> String {
    let reason = u8::try_from(code)
        .ok()
        .and_then(|code| Reason::try_from(code).ok());
    reason.map_or_else(
        || format!("reason {code}"),
        |reason| format!("{code} {reason:?}"),
    )
}

/// One client.
struct WukongPeer {
    login: Login,
    /// Asked for first, then what was agreed on.
    version: u8,
    keys: KeyPair,
    /// Set at login, if the server encrypts.
    cipher: Option<Cipher>,
    decoder: Decoder,
    sampler: Sampler,
    numbers: Numbers,
    /// The last payload that was sent, to use its memory again.
    sealed: Vec<u8>,
}

impl Peer for WukongPeer {
    fn open(&mut self, out: &mut Outbox) -> Result<()> {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let connect = Packet::Connect(Connect {
            version: self.version,
            device_flag: DEVICE_FLAG,
            device_id: format!("{}-app", self.login.uid),
            uid: self.login.uid.clone(),
            token: self.login.token.clone(),
            client_timestamp_ms: since_epoch.as_millis() as i64,
            client_key: self.keys.public_base64(),
        });
        self.write(&connect, out)
    }

    fn send(&mut self, to: &Address, tag: u32, content: &[u8], out: &mut Outbox) -> Result<()> {
        let (channel_id, channel_type) = match to {
            Address::User(uid) => (uid, PERSONAL),
            Address::Group(id) => (id, GROUP),
        };
        let client_msg_no = self.numbers.number(tag);
        let client_seq = tag.wrapping_add(1);
        let mut msg_key = String::new();
        let payload = if let Some(cipher) = &self.cipher {
            cipher.encrypt_into(content, &mut self.sealed);
            let key = cipher.send_msg_key(
                client_seq,
                &client_msg_no,
                channel_id,
                channel_type,
                &self.sealed,
            );
            msg_key.push_str(msg_key_text(&key));
            Bytes::copy_from_slice(&self.sealed)
        } else {
            Bytes::copy_from_slice(content)
        };
        let send = Packet::Send(Send {
            flags: Flags {
                red_dot: true,
                ..Flags::default()
            },
            setting: Setting::default(),
            client_seq,
            client_msg_no,
            stream_no: String::new(),
            channel_id: channel_id.clone(),
            channel_type,
            expire_secs: 0,
            msg_key,
            topic: String::new(),
            payload,
        });
        self.write(&send, out)
    }

    fn receive(
        &mut self,
        input: &mut BytesMut,
        out: &mut Outbox,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<()> {
        while let Some(packet) = self.decoder.decode(input)? {
            match packet {
                Packet::Connack(connack) => {
                    self.logged_in(&connack)?;
                    tell(Event::Open);
                }
                Packet::Sendack(ack) => {
                    let tag = ack.client_seq.wrapping_sub(1);
                    tell(if ack.reason == Reason::Success.code() {
                        Event::Accepted { tag }
                    } else {
                        Event::Refused {
                            tag,
                            code: ack.reason.into(),
                        }
                    });
                }
                Packet::Recv(recv) => self.received(&recv, out, tell)?,
                Packet::Disconnect(disconnect) => bail!(
                    "the server disconnected: {} {:?}",
                    reason_name(disconnect.reason.into()),
                    disconnect.text
                ),
                Packet::Pong | Packet::Event(_) | Packet::Suback(_) => {}
                other => bail!("the server sent what only clients send: {other:?}"),
            }
        }
        Ok(())
    }

    fn keep_alive(&mut self, out: &mut Outbox) -> Result<()> {
        self.write(&Packet::Ping, out)
    }
}

impl WukongPeer {
    fn write(&self, packet: &Packet, out: &mut Outbox) -> Result<()> {
        out.message(|bytes| encode(packet, self.version, bytes))?;
        Ok(())
    }

    fn logged_in(&mut self, connack: &Connack) -> Result<()> {
        if connack.reason != Reason::Success.code() {
            let code = connack.reason.into();
            bail!(LoginRefused {
                uid: self.login.uid.clone(),
                code,
                why: reason_name(code),
            });
        }
        if let Some(version) = connack.server_version {
            self.version = version;
            self.decoder.set_version(version);
        }
        if !connack.server_key.is_empty() {
            let shared = self
                .keys
                .agree(&connack.server_key)
                .context("the server's key")?;
            self.cipher = Some(Cipher::new(&shared, &connack.salt).context("the server's salt")?);
        }
        Ok(())
    }

    fn received(
        &mut self,
        recv: &Recv,
        out: &mut Outbox,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<()> {
        let is_picked = self.sampler.picks();
        let opened;
        let (content, proof) = match &self.cipher {
            None => (
                &recv.payload[..],
                if is_picked {
                    Proof::Good
                } else {
                    Proof::NotChecked
                },
            ),
            Some(cipher) => {
                let proof = match is_picked.then(|| is_signed(cipher, recv)) {
                    None => Proof::NotChecked,
                    Some(true) => Proof::Good,
                    Some(false) => Proof::Bad,
                };
                opened = cipher.decrypt(&recv.payload);
                // What cannot be opened is counted as a message gone bad.
                opened
                    .as_ref()
                    .map_or((&[][..], Proof::Bad), |content| (&content[..], proof))
            }
        };
        tell(Event::Received(Message {
            channel: &recv.channel_id,
            is_group: recv.channel_type != PERSONAL,
            place: Some(recv.message_seq),
            content,
            proof,
        }));
        let recvack = Packet::Recvack(Recvack {
            flags: recv.flags,
            message_id: recv.message_id,
            message_seq: recv.message_seq,
        });
        self.write(&recvack, out)
    }
}

fn is_signed(cipher: &Cipher, recv: &Recv) -> bool {
    let expected = cipher.recv_msg_key(
        recv.message_id,
        recv.message_seq,
        &recv.client_msg_no,
        recv.timestamp_secs,
        &recv.from_uid,
        &recv.channel_id,
        recv.channel_type,
        &recv.payload,
    );
    msg_key_matches(&expected, &recv.msg_key)
}
