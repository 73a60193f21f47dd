//! STOMP over WebSocket with the XuqmGroup IM's JSON (protocols/stomp.md).
//!
//! A client connects, subscribes to its queue and to the topics of its groups,
//! and sends without asking for receipts, as the dialect's document has it: the
//! echo of a message with status SENT says that it is stored (stomp.md Q2-10).

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use bytes::BytesMut;
use crosstalk_wire::stomp::im::{
    AppVerb, ChatSend, ChatType, Code, MsgType, Status, UserQueue, group_topic,
};
use crosstalk_wire::stomp::{
    AckMode, ClientFrame, Command, Decoder, Escaping, Frame, Send, Side, Subscribe, Version,
    encode, encode_heart_beat,
};
use serde::Deserialize;

use super::numbers::Numbers;
use super::rest::setup;
use super::{
    APP, Address, Dialect, Endpoint, Event, Group, Login, LoginRefused, Message, Outbox, Peer,
    Proof, SITE, Sampler, WebSocketUse,
};
use crate::options::Transport;
use crate::target::Target;

/// The WebSocket.
const PATH: &str = "/ws/im";
/// The receipt of the last subscription: with it all of them are there.
const SUBSCRIBED: &str = "subscribed";

/// The dialect.
pub(super) struct Stomp {
    verify: bool,
}

impl Stomp {
    pub(super) fn new(verify: bool) -> Self {
        Self { verify }
    }
}

#[async_trait]
impl Dialect for Stomp {
    fn name(&self) -> String {
        "stomp".to_owned()
    }

    fn endpoint(&self, target: &Target, _transport: Transport) -> Result<Endpoint> {
        Ok(Endpoint {
            address: target.listener(SITE)?,
            web_socket: Some(WebSocketUse {
                path: PATH,
                subprotocol: Some(Version::V1_2.subprotocol()),
                is_text: true,
            }),
        })
    }

    async fn make_users(&self, target: &Target, users: &mut [Login]) -> Result<()> {
        setup::user_tokens(target, users).await?;
        for user in users {
            user.path = Some(format!("{PATH}?token={}", user.token));
        }
        Ok(())
    }

    async fn make_groups(&self, target: &Target, groups: &[Group]) -> Result<()> {
        setup::make_groups(target, groups).await
    }

    fn peer(&self, login: &Login, index: u32) -> Result<Box<dyn Peer>> {
        Ok(Box::new(StompPeer {
            login: login.clone(),
            numbers: Numbers::of(&login.uid),
            decoder: Decoder::new(Side::Server),
            sampler: Sampler::new(self.verify, index),
            is_open: false,
        }))
    }

    fn refusal(&self, code: u16) -> String {
        let known = Code::from_number(code);
        known.map_or_else(
            || format!("code {code}"),
            |known| format!("{code} {}", known.text()),
        )
    }

    fn is_rate_limit(&self, code: u16) -> bool {
        code == Code::TooManyRequests.number()
    }
}

/// One client.
struct StompPeer {
    login: Login,
    numbers: Numbers,
    decoder: Decoder,
    sampler: Sampler,
    is_open: bool,
}

/// What the books need of a message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    from_id: Cow<'a, str>,
    group_id: Option<String>,
    #[serde(borrow)]
    content: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    seq: Option<u64>,
    error_code: Option<u16>,
}

impl Peer for StompPeer {
    fn open(&mut self, out: &mut Outbox) -> Result<()> {
        let connect = Frame::new(Command::Connect)
            .with("accept-version", Version::V1_2.as_str())
            .with("heart-beat", "0,0")
            .with("host", "localhost")
            .with("Authorization", &format!("Bearer {}", self.login.token));
        write(&connect, out)
    }

    fn send(&mut self, to: &Address, tag: u32, content: &[u8], out: &mut Outbox) -> Result<()> {
        let (to_id, chat_type) = match to {
            Address::User(uid) => (uid, ChatType::Single),
            Address::Group(id) => (id, ChatType::Group),
        };
        let body = ChatSend {
            app_id: Some(APP.to_owned()),
            message_id: Some(self.numbers.number(tag)),
            to_id: to_id.clone(),
            chat_type,
            msg_type: MsgType::Text.as_str().to_owned(),
            content: std::str::from_utf8(content).context("a text")?.to_owned(),
            mentioned_user_ids: Vec::new(),
            extra: None,
        };
        let send = ClientFrame::Send(Send {
            destination: AppVerb::Send.destination().to_owned(),
            content_type: Some("application/json".to_owned()),
            transaction: None,
            receipt: None,
            body: serde_json::to_vec(&body)?.into(),
        });
        write(&send.to_frame(), out)
    }

    fn receive(
        &mut self,
        input: &mut BytesMut,
        out: &mut Outbox,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<()> {
        while let Some(frame) = self.decoder.decode(input)? {
            match frame.command {
                Command::Connected => self.subscribe(out)?,
                Command::Receipt => {
                    if frame.header("receipt-id") == Some(SUBSCRIBED) {
                        self.is_open = true;
                        tell(Event::Open);
                    }
                }
                Command::Message => self.message(&frame, tell)?,
                Command::Error => return Err(self.failed(&frame)),
                other => bail!("the server sent what only clients send: {other:?}"),
            }
        }
        Ok(())
    }

    fn keep_alive(&mut self, out: &mut Outbox) -> Result<()> {
        out.message(|bytes| -> Result<()> {
            encode_heart_beat(bytes);
            Ok(())
        })
    }
}

impl StompPeer {
    /// Subscribes to all that it wants; the last one is answered.
    fn subscribe(&mut self, out: &mut Outbox) -> Result<()> {
        let queue = UserQueue::Messages.destination().unwrap_or_default();
        let topics = self.login.groups.iter().map(|id| group_topic(id));
        let wanted: Vec<String> = [queue.to_owned()].into_iter().chain(topics).collect();
        for (number, destination) in (1..).zip(&wanted) {
            let subscribe = ClientFrame::Subscribe(Subscribe {
                id: Some(format!("sub-{number}")),
                destination: destination.clone(),
                ack: AckMode::Auto,
                receipt: (number == wanted.len()).then(|| SUBSCRIBED.to_owned()),
            });
            write(&subscribe.to_frame(), out)?;
        }
        Ok(())
    }

    fn message(&mut self, frame: &Frame, tell: &mut dyn FnMut(Event<'_>)) -> Result<()> {
        let shown: Shown<'_> = serde_json::from_slice(&frame.body).context("a message's body")?;
        let is_own = shown.from_id == self.login.uid;
        match Status::parse(&shown.status) {
            Some(Status::Failed) => {
                if let Some(tag) = self.numbers.tag(&shown.id) {
                    let code = shown.error_code.unwrap_or_default();
                    tell(Event::Refused { tag, code });
                }
            }
            Some(Status::Sent) if is_own => {
                if let Some(tag) = self.numbers.tag(&shown.id) {
                    tell(Event::Accepted { tag });
                }
            }
            Some(Status::Sent) => tell(Event::Received(Message {
                channel: shown.group_id.as_deref().unwrap_or(&shown.from_id),
                is_group: shown.group_id.is_some(),
                place: shown.seq,
                content: shown.content.as_bytes(),
                proof: Proof::unsigned(&mut self.sampler),
            })),
            // Nobody revokes, and who has read what is of no interest here.
            _ => {}
        }
        Ok(())
    }

    fn failed(&self, frame: &Frame) -> anyhow::Error {
        let why = frame.header("message").unwrap_or_default();
        if self.is_open {
            return anyhow::anyhow!("the server sent ERROR {why:?}");
        }
        let code = Code::ALL.into_iter().find(|code| code.text() == why);
        anyhow::Error::new(LoginRefused {
            uid: self.login.uid.clone(),
            code: code.map_or(0, Code::number),
            why: why.to_owned(),
        })
    }
}

fn write(frame: &Frame, out: &mut Outbox) -> Result<()> {
    out.message(|bytes| encode(frame, Escaping::V1_2, bytes))?;
    Ok(())
}
