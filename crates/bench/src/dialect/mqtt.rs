//! MQTT with the IM's JSON, over TCP or WebSocket (protocols/mqtt.md).
//!
//! A device is registered at set-up. Its client subscribes to its account with
//! QoS 1, publishes to `im/send` with QoS 1, where PUBACK says that a message is
//! stored (mqtt.md Q3-9), and sends PUBACK for what comes.

mod flight;

#[cfg(test)]
mod tests;

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use crosstalk_wire::mqtt::im::background::{Background, Event as BackgroundEvent};
use crosstalk_wire::mqtt::im::content::Text;
use crosstalk_wire::mqtt::im::register::{OsType, Register, Registered};
use crosstalk_wire::mqtt::im::reply::Reply;
use crosstalk_wire::mqtt::im::{
    Envelope, MsgType, Outbound, SEND_TOPIC, TypeForm, TypeTable, TypeValue,
};
use crosstalk_wire::mqtt::{
    Ack, Connack, Connect, ConnectProperties, Decoder, Delivery, Encoder, MessageProperties,
    Packet, PacketId, Publish, Qos, ReasonCode, RetainHandling, Suback, Subscribe, Subscription,
    TopicFilter, TopicName, UserProperties, Version,
};

use super::numbers::Numbers;
use super::rest::setup;
use super::{
    APP, Address, Dialect, Endpoint, Event, Group, Login, LoginRefused, Message, Outbox, Peer,
    Proof, Question, SITE, Sampler, WebSocketUse,
};
use crate::options::Transport;
use crate::target::{Questions, Target};
use flight::Flight;

/// The listener without WebSocket.
const TCP: &str = "mqtt_tcp";
/// The registration of devices.
const REGISTER: &str = "/im/v1/register";
/// What a client promises to say something within; it does so more often.
const KEEP_ALIVE_SECS: u16 = 60;
/// How long the server keeps a session whose connection is gone.
const SESSION_SECS: u32 = 3_600;
/// Publications under way where the server names no limit.
const MOST_UNDER_WAY: u16 = u16::MAX - 1;
/// What the content of the message is that says why one was refused
/// (mqtt.md Q3-10).
const ERROR: &str = "error";
/// The code of the error message for what came too fast (mqtt.md E.c).
const TOO_MANY: u16 = 429;

/// The dialect.
pub(super) struct Mqtt {
    version: Version,
    verify: bool,
}

impl Mqtt {
    /// By the protocol level, as CONNECT names it.
    pub(super) fn new(level: u8, verify: bool) -> Self {
        let version = Version::ALL.into_iter().find(|it| it.level() == level);
        Self {
            version: version.unwrap_or(Version::V5),
            verify,
        }
    }
}

#[async_trait]
impl Dialect for Mqtt {
    fn name(&self) -> String {
        let version = match self.version {
            Version::V31 => "3.1",
            Version::V311 => "3.1.1",
            Version::V5 => "5.0",
        };
        format!("mqtt v{version}")
    }

    fn endpoint(&self, target: &Target, transport: Transport) -> Result<Endpoint> {
        Ok(match transport {
            Transport::Tcp => Endpoint {
                address: target.listener(TCP)?,
                web_socket: None,
            },
            Transport::Ws => Endpoint {
                address: target.listener(SITE)?,
                web_socket: Some(WebSocketUse {
                    path: "/mqtt",
                    subprotocol: Some("mqtt"),
                    is_text: false,
                }),
            },
        })
    }

    async fn make_users(&self, target: &Target, users: &mut [Login]) -> Result<()> {
        setup::user_tokens(target, users).await?;
        let answers = target
            .ask_all("devices", registrations(target, users))
            .await?;
        for (user, answer) in users.iter_mut().zip(answers) {
            let reply: Reply<Registered> =
                serde_json::from_slice(&answer).context("a registration's answer")?;
            let registered = reply.data.context("a registration gives an account")?;
            user.token = registered.token;
            user.account = Some(registered.account);
        }
        Ok(())
    }

    async fn make_groups(&self, target: &Target, groups: &[Group]) -> Result<()> {
        setup::make_groups(target, groups).await
    }

    fn peer(&self, login: &Login, index: u32) -> Result<Box<dyn Peer>> {
        Ok(Box::new(MqttPeer {
            uid: login.uid.clone(),
            account: login.account.clone().unwrap_or_else(|| login.uid.clone()),
            password: login.token.clone(),
            version: self.version,
            encoder: Encoder::new(self.version),
            decoder: Decoder::of_server(self.version),
            types: TypeTable::default(),
            topic: TopicName::new(SEND_TOPIC)?,
            flight: Flight::new(MOST_UNDER_WAY),
            numbers: Numbers::of(&login.uid),
            sampler: Sampler::new(self.verify, index),
        }))
    }

    fn refusal(&self, code: u16) -> String {
        refusal(code)
    }

    fn is_rate_limit(&self, code: u16) -> bool {
        let too_fast = [ReasonCode::QuotaExceeded, ReasonCode::MessageRateTooHigh];
        code == TOO_MANY || too_fast.iter().any(|it| code == u16::from(it.code()))
    }
}

/// A reason code is one byte; the codes of error messages are above that.
fn refusal(code: u16) -> String {
    let reason = u8::try_from(code).ok().and_then(ReasonCode::from_code);
    reason.map_or_else(
        || format!("code {code}"),
        |reason| format!("{code:#04x} {reason:?}"),
    )
}

fn registrations<'a>(target: &'a Target, users: &'a [Login]) -> Questions<'a> {
    Box::new(users.iter().map(move |user| {
        let body = serde_json::to_string(&registration(&user.uid))?;
        let question = Question::post(target.url(SITE, REGISTER)?, body);
        Ok(question.of_user(&user.token))
    }))
}

fn registration(uid: &str) -> Register {
    Register {
        tenant_no: APP.to_owned(),
        user_id: uid.to_owned(),
        device_id: device_id(uid),
        os: OsType::Android,
        ..Register::default()
    }
}

/// The device's unique code.
fn device_id(uid: &str) -> String {
    format!("{uid}-phone")
}

/// One client.
struct MqttPeer {
    uid: String,
    account: String,
    password: String,
    version: Version,
    encoder: Encoder,
    decoder: Decoder,
    types: TypeTable,
    /// Where it publishes to.
    topic: TopicName,
    flight: Flight,
    numbers: Numbers,
    sampler: Sampler,
}

impl Peer for MqttPeer {
    fn open(&mut self, out: &mut Outbox) -> Result<()> {
        let connect = Packet::Connect(Box::new(Connect {
            version: self.version,
            clean_start: false,
            keep_alive_secs: KEEP_ALIVE_SECS,
            client_id: device_id(&self.uid),
            will: None,
            username: Some(self.account.clone()),
            password: Some(Bytes::from(self.password.clone())),
            properties: ConnectProperties {
                session_expiry_secs: Some(SESSION_SECS),
                ..ConnectProperties::default()
            },
        }));
        self.write(&connect, out)
    }

    fn send(&mut self, to: &Address, tag: u32, content: &[u8], out: &mut Outbox) -> Result<()> {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let (Address::User(to) | Address::Group(to)) = to;
        let text = Text {
            text: std::str::from_utf8(content).context("a text")?.to_owned(),
            ext: None,
        };
        let envelope = Outbound {
            id: &self.numbers.number(tag),
            from: &self.account,
            to,
            tenant_no: APP,
            target: "",
            kind: &TypeValue::Known(MsgType::Text),
            form: TypeForm::Code,
            content: &serde_json::to_string(&text)?,
            timestamp_ms: since_epoch.as_millis() as i64,
            is_background: false,
        };
        let mut payload = BytesMut::new();
        envelope.write(&self.types, &mut payload);
        self.flight.push(tag, payload.freeze());
        self.publish(out)
    }

    fn receive(
        &mut self,
        input: &mut BytesMut,
        out: &mut Outbox,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<()> {
        while let Some(packet) = self.decoder.decode(input)? {
            match packet {
                Packet::Connack(connack) => self.connected(&connack, out)?,
                Packet::Suback(suback) => {
                    self.subscribed(&suback)?;
                    tell(Event::Open);
                }
                Packet::Publish(publish) => self.message(&publish, out, tell)?,
                Packet::Puback(ack) => {
                    if let Some(tag) = self.flight.finish(ack.packet_id) {
                        tell(if ack.reason.is_error() {
                            let code = ack.reason.code().into();
                            Event::Refused { tag, code }
                        } else {
                            Event::Accepted { tag }
                        });
                    }
                    self.publish(out)?;
                }
                Packet::Disconnect(disconnect) => {
                    bail!("the server disconnected: {:?}", disconnect.reason)
                }
                Packet::Pingresp => {}
                other => bail!("the server sent a packet that nobody waits for: {other:?}"),
            }
        }
        Ok(())
    }

    fn keep_alive(&mut self, out: &mut Outbox) -> Result<()> {
        self.write(&Packet::Pingreq, out)
    }
}

impl MqttPeer {
    fn connected(&mut self, connack: &Connack, out: &mut Outbox) -> Result<()> {
        self.must_be_granted(connack.reason)?;
        if let Some(most) = connack.properties.receive_maximum {
            self.flight.limit(most.get().min(MOST_UNDER_WAY));
        }
        let subscribe = Packet::Subscribe(Subscribe {
            packet_id: PacketId::new(1).context("1 is not 0")?,
            subscriptions: vec![Subscription {
                filter: TopicFilter::new(self.account.as_str())?,
                qos: Qos::AtLeastOnce,
                no_local: false,
                retain_as_published: false,
                retain_handling: RetainHandling::default(),
            }],
            subscription_id: None,
            user_properties: UserProperties::default(),
        });
        self.write(&subscribe, out)
    }

    fn subscribed(&self, suback: &Suback) -> Result<()> {
        let reason = suback.reasons.first().copied().unwrap_or_default();
        self.must_be_granted(reason)
    }

    fn must_be_granted(&self, reason: ReasonCode) -> Result<()> {
        if reason.is_error() {
            let code = reason.code().into();
            bail!(LoginRefused {
                uid: self.uid.clone(),
                code,
                why: refusal(code),
            });
        }
        Ok(())
    }

    fn message(
        &mut self,
        publish: &Publish,
        out: &mut Outbox,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<()> {
        let envelope = Envelope::read(&publish.payload, &self.types).context("an envelope")?;
        if envelope.kind == TypeValue::Known(MsgType::Background) {
            self.background(&envelope, tell)?;
        } else {
            let content: Text = serde_json::from_str(envelope.content).context("a text")?;
            // A group message names its sender there (mqtt.md S3-13).
            let is_group = !envelope.target.is_empty();
            tell(Event::Received(Message {
                channel: &envelope.from,
                is_group,
                place: None,
                content: content.text.as_bytes(),
                proof: Proof::unsigned(&mut self.sampler),
            }));
        }
        match publish.delivery {
            Delivery::AtMostOnce => Ok(()),
            Delivery::AtLeastOnce { id, .. } => {
                self.write(&Packet::Puback(Ack::new(id, ReasonCode::Success)), out)
            }
            Delivery::ExactlyOnce { .. } => bail!("QoS 2 without having asked for it"),
        }
    }

    /// Of what is no message only a refusal matters: before 5.0 PUBACK cannot
    /// say it, and whoever has got that one already cannot take its word back.
    fn background(&self, envelope: &Envelope<'_>, tell: &mut dyn FnMut(Event<'_>)) -> Result<()> {
        if Background::read(envelope.content)?.kind != ERROR {
            return Ok(());
        }
        let refusal = serde_json::from_str(envelope.content).context("an error message")?;
        if let BackgroundEvent::Error { id, code, .. } = refusal
            && let Some(tag) = self.numbers.tag(&id)
        {
            if self.flight.has(tag) {
                let code = u16::try_from(code).unwrap_or_default();
                tell(Event::Refused { tag, code });
            } else if !self.version.is_v5() {
                bail!(
                    "a message was refused with {code} after its PUBACK; refusals are counted \
                     with --version 5 only"
                );
            }
        }
        Ok(())
    }

    /// Publishes what may go.
    fn publish(&mut self, out: &mut Outbox) -> Result<()> {
        while let Some((id, payload)) = self.flight.next() {
            let publish = Packet::Publish(Publish {
                delivery: Delivery::AtLeastOnce { id, dup: false },
                retain: false,
                topic: Some(self.topic.clone()),
                topic_alias: None,
                subscription_ids: Vec::new(),
                properties: MessageProperties::default(),
                payload,
            });
            self.write(&publish, out)?;
        }
        Ok(())
    }

    fn write(&self, packet: &Packet, out: &mut Outbox) -> Result<()> {
        out.message(|bytes| self.encoder.encode(packet, bytes))?;
        Ok(())
    }
}
