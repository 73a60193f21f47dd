//! netty IM 2.0: JSON over WebSocket (protocols/gyyx.md).
//!
//! A client's URL is signed at set-up, by the server as for any front end. Once
//! connected it sends a heartbeat, and says 141 to every message that comes.

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use bytes::BytesMut;
use crosstalk_wire::gyyx::{
    Base, Chat, Code, Codes, DEFAULT_VERSION, Form, Limits, Receipt, Style, ToClient, ToServer,
    Unique, decode_to_client, encode_to_server,
};
use crosstalk_wire::lenient::Json;
use serde::Deserialize;

use super::numbers::Numbers;
use super::rest::setup;
use super::{
    APP, Address, Dialect, Endpoint, Event, Group, Login, LoginRefused, Message, Outbox, Peer,
    Proof, Question, SITE, Sampler, WebSocketUse,
};
use crate::options::Transport;
use crate::target::{Questions, Target};

/// The WebSocket, without the signed query.
const PATH: &str = "/ws";
/// What a group's address begins with (gyyx.md Q4-31).
const GROUP: &str = "group:";
/// How clients write: by the document's table, `msgType` as a number.
const STYLE: Style = Style {
    codes: Codes::Table,
    form: Form::Number,
};
/// The unique id of heartbeats; messages have others.
const HEARTBEAT: &str = "heartbeat";

/// The dialect.
pub(super) struct Gyyx {
    verify: bool,
}

impl Gyyx {
    pub(super) fn new(verify: bool) -> Self {
        Self { verify }
    }
}

#[derive(Deserialize)]
struct Signed {
    url: String,
}

#[async_trait]
impl Dialect for Gyyx {
    fn name(&self) -> String {
        "gyyx".to_owned()
    }

    fn endpoint(&self, target: &Target, _transport: Transport) -> Result<Endpoint> {
        Ok(Endpoint {
            address: target.listener(SITE)?,
            web_socket: Some(WebSocketUse {
                path: PATH,
                subprotocol: None,
                is_text: true,
            }),
        })
    }

    async fn make_users(&self, target: &Target, users: &mut [Login]) -> Result<()> {
        setup::user_tokens(target, users).await?;
        let answers = target.ask_all("signed URLs", signs(target, users)).await?;
        for (user, answer) in users.iter_mut().zip(answers) {
            let signed: Signed = serde_json::from_slice(&answer).context("the answer of sign")?;
            user.path = Some(path_of(&signed.url)?);
        }
        Ok(())
    }

    async fn make_groups(&self, target: &Target, groups: &[Group]) -> Result<()> {
        setup::make_groups(target, groups).await
    }

    fn peer(&self, login: &Login, index: u32) -> Result<Box<dyn Peer>> {
        Ok(Box::new(GyyxPeer {
            base: Base {
                app_id: APP.to_owned(),
                device_id: format!("{}-web", login.uid),
                user_id: login.uid.clone(),
                version: DEFAULT_VERSION.to_owned(),
                ..Base::default()
            },
            numbers: Numbers::of(&login.uid),
            sampler: Sampler::new(self.verify, index),
            is_open: false,
        }))
    }

    fn refusal(&self, code: u16) -> String {
        refusal(code)
    }

    /// It has no code of its own: 10 is for whatever is wrong.
    fn is_rate_limit(&self, _code: u16) -> bool {
        false
    }
}

fn signs<'a>(target: &'a Target, users: &'a [Login]) -> Questions<'a> {
    Box::new(users.iter().map(move |user| {
        let path = format!("/im/sign?appId={APP}&userId={}", user.uid);
        Ok(Question::get(target.url(SITE, &path)?).of_user(&user.token))
    }))
}

/// The signed query at the path of the server's own listener.
fn path_of(url: &str) -> Result<String> {
    let (_, query) = url.split_once('?').context("a signed URL has a query")?;
    Ok(format!("{PATH}?{query}"))
}

fn refusal(code: u16) -> String {
    let known = Code::of(code.into());
    known.map_or_else(
        || format!("code {code}"),
        |known| format!("{code} {}", known.name()),
    )
}

/// One client.
struct GyyxPeer {
    /// The common part of all its frames, but for time and unique id.
    base: Base,
    numbers: Numbers,
    sampler: Sampler,
    is_open: bool,
}

impl Peer for GyyxPeer {
    fn open(&mut self, out: &mut Outbox) -> Result<()> {
        self.keep_alive(out)
    }

    fn send(&mut self, to: &Address, tag: u32, content: &[u8], out: &mut Outbox) -> Result<()> {
        let chat = Chat {
            message: Json::string(std::str::from_utf8(content).context("a text")?),
            receive_user_id: match to {
                Address::User(uid) => uid.clone(),
                Address::Group(id) => format!("{GROUP}{id}"),
            },
            ..Chat::default()
        };
        self.write(self.numbers.number(tag).into(), &ToServer::Send(chat), out);
        Ok(())
    }

    fn receive(
        &mut self,
        input: &mut BytesMut,
        out: &mut Outbox,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<()> {
        let text = input.split().freeze();
        if text.is_empty() {
            return Ok(());
        }
        let frame = decode_to_client(&text, Codes::Table, &Limits::default())
            .context("a frame that cannot be read")?;
        let unique = frame.base.unique;
        match frame.body {
            ToClient::HeartbeatAnswer(_) if !self.is_open => {
                self.is_open = true;
                tell(Event::Open);
            }
            ToClient::Sent(_) => {
                if let Some(tag) = self.numbers.tag(unique.as_str()) {
                    tell(Event::Accepted { tag });
                }
            }
            ToClient::SignExpired(_) => self.refused(&unique, Code::SignExpired, tell)?,
            ToClient::Sensitive(_) => self.refused(&unique, Code::Sensitive, tell)?,
            ToClient::ParameterError { .. } => {
                self.refused(&unique, Code::ParameterError, tell)?;
            }
            ToClient::Push(chat) => {
                let group = chat.receive_user_id.strip_prefix(GROUP);
                tell(Event::Received(Message {
                    channel: group.unwrap_or(&frame.base.user_id),
                    is_group: group.is_some(),
                    place: None,
                    content: chat.message.text().as_bytes(),
                    proof: Proof::unsigned(&mut self.sampler),
                }));
                let pushed = ToServer::Pushed(Chat {
                    message_id: chat.message_id,
                    ..Chat::default()
                });
                self.write(unique, &pushed, out);
            }
            // Who has come or gone is acknowledged, too (gyyx.md Q4-15).
            ToClient::Online(_) => self.received(unique, Code::Online, out),
            ToClient::FriendOnline(_) => self.received(unique, Code::FriendOnline, out),
            ToClient::FriendOffline(_) => self.received(unique, Code::FriendOffline, out),
            ToClient::Shutdown(chat) => bail!("the server ends: {}", chat.message.text()),
            // 30 says nothing that 131 does not; nobody asks for anything else.
            _ => {}
        }
        Ok(())
    }

    fn keep_alive(&mut self, out: &mut Outbox) -> Result<()> {
        let beat = ToServer::Heartbeat(Chat::default());
        self.write(HEARTBEAT.into(), &beat, out);
        Ok(())
    }
}

impl GyyxPeer {
    fn refused(&self, unique: &Unique, code: Code, tell: &mut dyn FnMut(Event<'_>)) -> Result<()> {
        let code = u16::try_from(code.number()).context("a code of four digits at most")?;
        if let Some(tag) = self.numbers.tag(unique.as_str()) {
            tell(Event::Refused { tag, code });
            return Ok(());
        }
        if self.is_open {
            bail!("the server refused a frame: {}", refusal(code));
        }
        bail!(LoginRefused {
            uid: self.base.user_id.clone(),
            code,
            why: refusal(code),
        });
    }

    /// Says 31.
    fn received(&mut self, unique: Unique, code: Code, out: &mut Outbox) {
        let receipt = ToServer::Received(Receipt {
            receive_msg_type: code.number(),
        });
        self.write(unique, &receipt, out);
    }

    fn write(&mut self, unique: Unique, body: &ToServer, out: &mut Outbox) {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        self.base.timestamp_ms = since_epoch.as_millis() as i64;
        self.base.unique = unique;
        let written = out.message(|bytes| -> Result<(), Infallible> {
            encode_to_server(&self.base, body, STYLE, bytes);
            Ok(())
        });
        match written {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }
}
