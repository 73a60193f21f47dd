//! A client of the mqtt dialect: registration over HTTP, and MQTT over TCP or WebSocket, packet
//! by packet. It reads only while it is asked for something; what arrives meanwhile is kept.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use crosstalk_wire::mqtt::{
    Ack, Connack, Connect, ConnectProperties, Decoder, Delivery, Encoder, MessageProperties,
    Packet, PacketId, Publish, Qos, ReasonCode, Suback, Subscribe, Subscription, TopicFilter,
    TopicName, UserProperties, Version,
};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::http::Http;
use crate::server::Server;
use crate::wait::within;

/// What a device was given when it registered.
#[derive(Debug, Clone)]
pub struct MqttDevice {
    /// The user's account.
    pub account: String,
    /// The password of CONNECT.
    pub token: String,
    /// Its unique code.
    pub id: String,
}

/// Registers a device with more members in the body.
///
/// # Panics
/// When the answer is no success.
pub async fn register_with(server: &Server, uid: &str, device: &str, more: Value) -> MqttDevice {
    let mut body = json!({"userId": uid, "deviceId": device, "os": 2});
    let members = body.as_object_mut().expect("an object");
    members.extend(more.as_object().cloned().unwrap_or_default());
    let answer = server.admin().post("/im/v1/register", body).await.ok();
    let text = |name: &str| {
        let text = answer["data"][name].as_str();
        text.unwrap_or_else(|| panic!("no {name}: {answer}"))
            .to_owned()
    };
    MqttDevice {
        account: text("account"),
        token: text("token"),
        id: device.to_owned(),
    }
}

/// Registers a device.
pub async fn register(server: &Server, uid: &str, device: &str) -> MqttDevice {
    register_with(server, uid, device, json!({})).await
}

impl MqttDevice {
    /// This dialect's HTTP routes with the device's token.
    #[must_use]
    pub fn http(&self, server: &Server) -> Http {
        server.rest().bearer(&self.token)
    }

    /// A CONNECT of 3.1.1 as the specification shows it.
    #[must_use]
    pub fn connect(&self, clean: bool) -> Connect {
        connect(Version::V311, &self.id, clean, &self.account, &self.token)
    }

    /// A CONNECT of 5.0 whose session outlives the connection for so long.
    #[must_use]
    pub fn connect_v5(&self, clean: bool, expiry_secs: u32) -> Connect {
        let mut connect = connect(Version::V5, &self.id, clean, &self.account, &self.token);
        connect.properties.session_expiry_secs = Some(expiry_secs);
        connect
    }

    /// Connects with 3.1.1 and subscribes to the account.
    pub async fn open(&self, server: &Server, clean: bool) -> MqttClient {
        let (mut client, connack) = MqttClient::connect(server, &self.connect(clean)).await;
        assert_eq!(connack.reason, ReasonCode::Success);
        let suback = client.subscribe(&self.account, Qos::AtLeastOnce).await;
        assert_eq!(suback.reasons, [ReasonCode::GrantedQos1]);
        client
    }
}

/// A CONNECT.
#[must_use]
pub fn connect(
    version: Version,
    client_id: &str,
    clean: bool,
    username: &str,
    password: &str,
) -> Connect {
    Connect {
        version,
        clean_start: clean,
        keep_alive_secs: 60,
        client_id: client_id.to_owned(),
        will: None,
        username: Some(username.to_owned()),
        password: Some(Bytes::copy_from_slice(password.as_bytes())),
        properties: ConnectProperties::default(),
    }
}

/// An envelope as a client publishes it.
#[must_use]
pub fn envelope(id: &str, to: &str, kind: impl Into<Value>, content: Value) -> Value {
    let mut envelope = json!({
        "id": id, "from": "", "to": to, "tenantNo": "", "target": "", "timestamp": 1,
        "isBackground": false,
    });
    envelope["type"] = kind.into();
    envelope["content"] = content;
    envelope
}

/// A text message's envelope.
#[must_use]
pub fn text(id: &str, to: &str, text: &str) -> Value {
    envelope(id, to, 0, json!({"text": text}))
}

enum Line {
    Tcp(TcpStream),
    Ws(Box<WebSocketStream<TcpStream>>),
}

/// A connection.
pub struct MqttClient {
    line: Line,
    decoder: Decoder,
    encoder: Encoder,
    input: BytesMut,
    heard: VecDeque<Packet>,
    next_id: u16,
    /// Publications of QoS 1 are acknowledged when they are asked for.
    pub acks: bool,
}

impl MqttClient {
    /// Opens a TCP connection that says nothing yet.
    pub async fn tcp(server: &Server, version: Version) -> MqttClient {
        let addr = &server.listeners().mqtt_tcp;
        let stream = within("a TCP connection", TcpStream::connect(addr)).await;
        let stream = stream.unwrap_or_else(|error| panic!("{addr}: {error}"));
        Self::on(Line::Tcp(stream), version)
    }

    /// Opens a WebSocket that says nothing yet.
    pub async fn ws(server: &Server, path: &str, version: Version) -> MqttClient {
        let addr = &server.listeners().http;
        let mut request = format!("ws://{addr}{path}")
            .into_client_request()
            .expect("a request");
        let protocol = HeaderValue::from_static("mqtt");
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let stream = within("a TCP connection", TcpStream::connect(addr)).await;
        let stream = stream.unwrap_or_else(|error| panic!("{addr}: {error}"));
        let opened = within("a handshake", client_async(request, stream)).await;
        let (socket, _) = opened.unwrap_or_else(|error| panic!("{path}: {error}"));
        Self::on(Line::Ws(Box::new(socket)), version)
    }

    fn on(line: Line, version: Version) -> MqttClient {
        MqttClient {
            line,
            decoder: Decoder::of_server(version),
            encoder: Encoder::new(version),
            input: BytesMut::new(),
            heard: VecDeque::new(),
            next_id: 0,
            acks: true,
        }
    }

    /// Connects over TCP and hears the answer.
    pub async fn connect(server: &Server, connect: &Connect) -> (MqttClient, Connack) {
        let mut client = Self::tcp(server, connect.version).await;
        let connack = client.log_in(connect).await;
        (client, connack)
    }

    /// Says CONNECT and hears the answer.
    ///
    /// # Panics
    /// When it is another one.
    pub async fn log_in(&mut self, connect: &Connect) -> Connack {
        self.say(&Packet::Connect(Box::new(connect.clone()))).await;
        match self.hear().await {
            Packet::Connack(connack) => *connack,
            other => panic!("no CONNACK: {other:?}"),
        }
    }

    /// Writes a packet.
    ///
    /// # Panics
    /// When it cannot be encoded or written.
    pub async fn say(&mut self, packet: &Packet) {
        let mut out = BytesMut::new();
        self.encoder.encode(packet, &mut out).expect("a packet");
        self.say_bytes(&out).await;
    }

    /// Writes bytes.
    ///
    /// # Panics
    /// When they cannot be written.
    pub async fn say_bytes(&mut self, bytes: &[u8]) {
        match &mut self.line {
            Line::Tcp(stream) => stream.write_all(bytes).await.expect("written"),
            Line::Ws(socket) => {
                let message = Message::Binary(Bytes::copy_from_slice(bytes));
                socket.send(message).await.expect("written");
            }
        }
    }

    /// More bytes; false if the server has closed.
    async fn read(&mut self) -> bool {
        match &mut self.line {
            Line::Tcp(stream) => match stream.read_buf(&mut self.input).await {
                Ok(count) => count > 0,
                Err(_) => false,
            },
            Line::Ws(socket) => match socket.next().await {
                Some(Ok(Message::Binary(bytes))) => {
                    self.input.extend_from_slice(&bytes);
                    true
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => false,
                Some(Ok(_)) => true,
            },
        }
    }

    /// The next packet that was not asked for yet; `None` if the server has closed.
    ///
    /// # Panics
    /// When nothing comes in time.
    pub async fn try_hear(&mut self) -> Option<Packet> {
        if let Some(packet) = self.heard.pop_front() {
            return Some(packet);
        }
        self.next_packet().await
    }

    async fn next_packet(&mut self) -> Option<Packet> {
        loop {
            let decoded = self.decoder.decode(&mut self.input);
            if let Some(packet) = decoded.expect("a server's packet") {
                return Some(packet);
            }
            if !within("a packet", self.read()).await {
                return None;
            }
        }
    }

    /// The next packet that was not asked for yet.
    ///
    /// # Panics
    /// When there is none.
    pub async fn hear(&mut self) -> Packet {
        self.try_hear().await.expect("a packet, not the end")
    }

    /// The first packet that `wanted` takes; the others wait.
    ///
    /// # Panics
    /// When there is none.
    pub async fn hears<T>(&mut self, mut wanted: impl FnMut(&Packet) -> Option<T>) -> T {
        for at in 0..self.heard.len() {
            if let Some(found) = wanted(&self.heard[at]) {
                self.heard.remove(at);
                return found;
            }
        }
        loop {
            let packet = self.next_packet().await;
            let packet = packet.unwrap_or_else(|| panic!("closed; heard {:?}", self.heard));
            match wanted(&packet) {
                Some(found) => return found,
                None => self.heard.push_back(packet),
            }
        }
    }

    /// Waits until the server has closed; what it said before that.
    pub async fn closed(&mut self) -> Vec<Packet> {
        let mut last = Vec::new();
        while let Some(packet) = self.try_hear().await {
            last.push(packet);
        }
        last
    }

    /// A packet id that is not in use.
    pub fn id(&mut self) -> PacketId {
        self.next_id += 1;
        PacketId::new(self.next_id).expect("not 0")
    }

    /// Subscribes to one filter and hears the answer.
    pub async fn subscribe(&mut self, filter: &str, qos: Qos) -> Suback {
        let filter = TopicFilter::new(filter).expect("a filter");
        let list = vec![Subscription::new(filter, qos)];
        self.subscribe_all(list, None).await
    }

    /// Subscribes and hears the answer.
    pub async fn subscribe_all(&mut self, list: Vec<Subscription>, id: Option<u32>) -> Suback {
        let packet_id = self.id();
        let subscribe = Subscribe {
            packet_id,
            subscriptions: list,
            subscription_id: id.and_then(crosstalk_wire::mqtt::SubscriptionId::new),
            user_properties: UserProperties::new(),
        };
        self.say(&Packet::Subscribe(subscribe)).await;
        self.hears(|packet| match packet {
            Packet::Suback(suback) if suback.packet_id == packet_id => Some(suback.clone()),
            _ => None,
        })
        .await
    }

    /// A PUBLISH with a payload.
    #[must_use]
    pub fn publish_packet(topic: &str, delivery: Delivery, payload: &[u8]) -> Publish {
        Publish {
            delivery,
            retain: false,
            topic: Some(TopicName::new(topic).expect("a topic")),
            topic_alias: None,
            subscription_ids: Vec::new(),
            properties: MessageProperties::default(),
            payload: Bytes::copy_from_slice(payload),
        }
    }

    /// Publishes with QoS 1 and hears the answer.
    pub async fn publish(&mut self, topic: &str, payload: &[u8]) -> ReasonCode {
        let id = self.id();
        let delivery = Delivery::AtLeastOnce { id, dup: false };
        let publish = Self::publish_packet(topic, delivery, payload);
        self.say(&Packet::Publish(publish)).await;
        self.hears(|packet| match packet {
            Packet::Puback(ack) if ack.packet_id == id => Some(ack.reason),
            _ => None,
        })
        .await
    }

    /// Sends an envelope with QoS 1 and hears the answer.
    pub async fn send(&mut self, envelope: &Value) -> ReasonCode {
        let payload = envelope.to_string();
        self.publish("im/send", payload.as_bytes()).await
    }

    /// The next publication that `wanted` takes; with QoS 1 it is acknowledged.
    pub async fn published(&mut self, mut wanted: impl FnMut(&Publish) -> bool) -> Publish {
        let publish = self
            .hears(|packet| match packet {
                Packet::Publish(publish) if wanted(publish) => Some(publish.clone()),
                _ => None,
            })
            .await;
        if let Delivery::AtLeastOnce { id, .. } = publish.delivery
            && self.acks
        {
            self.say(&Packet::Puback(Ack::new(id, ReasonCode::Success)))
                .await;
        }
        publish
    }

    /// The next envelope that `wanted` takes.
    pub async fn envelope(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let json = |publish: &Publish| -> Value {
            serde_json::from_slice(&publish.payload).unwrap_or_default()
        };
        let publish = self.published(|publish| wanted(&json(publish))).await;
        json(&publish)
    }

    /// The next message that is no news of presence, delivery, groups, conversations or friends.
    pub async fn message(&mut self) -> Value {
        self.envelope(|it| {
            let kind = it["content"]["type"].as_str().unwrap_or_default();
            !matches!(
                kind,
                "presence" | "received" | "error" | "sync" | "group" | "conversation" | "friend"
            )
        })
        .await
    }

    /// The next news of this kind.
    pub async fn told(&mut self, kind: &str) -> Value {
        let told = self.envelope(|it| it["content"]["type"] == kind).await;
        told["content"]["content"].clone()
    }
}
