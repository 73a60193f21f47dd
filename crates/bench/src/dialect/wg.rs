//! wg-basic instant messages: JSON over WebSocket (protocols/wg.md).
//!
//! A client logs in over HTTP at set-up, registers its session when it has
//! connected, and acknowledges with a 9101 what it gets.

#[cfg(test)]
mod tests;

use std::convert::Infallible;

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use bytes::BytesMut;
use crosstalk_wire::lenient::Json;
use crosstalk_wire::wg::{
    Content, Limits, Message as WgMessage, PING, PONG, RegisterBody, Status, StatusBody, ToClient,
    ToServer, Written, decode_to_client, encode, texts,
};
use serde::Deserialize;

use super::numbers::Numbers;
use super::rest::setup;
use super::{
    Address, Dialect, Endpoint, Event, Group, Login, LoginRefused, Message, Outbox, Peer, Proof,
    Question, SITE, Sampler, WebSocketUse,
};
use crate::options::Transport;
use crate::target::{Questions, Target};

/// The HTTP login of apps, with the client's name.
const LOGIN: &str = "/app/websocket/client/login/bench";
/// The WebSocket.
const PATH: &str = "/websocket";
/// What a group's address begins with (wg.md Q0-17).
const GROUP: &str = "group:";
/// The number of the registration; messages have others.
const REGISTRATION: &str = "registration";

/// The dialect.
pub(super) struct Wg {
    verify: bool,
}

impl Wg {
    pub(super) fn new(verify: bool) -> Self {
        Self { verify }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    session_id: String,
}

#[async_trait]
impl Dialect for Wg {
    fn name(&self) -> String {
        "wg".to_owned()
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
        let answers = target.ask_all("sessions", logins(target, users)).await?;
        for (user, answer) in users.iter_mut().zip(answers) {
            let session: Session = serde_json::from_slice(&answer).context("a login's answer")?;
            user.token = session.session_id;
        }
        Ok(())
    }

    async fn make_groups(&self, target: &Target, groups: &[Group]) -> Result<()> {
        setup::make_groups(target, groups).await
    }

    fn peer(&self, login: &Login, index: u32) -> Result<Box<dyn Peer>> {
        Ok(Box::new(WgPeer {
            uid: login.uid.clone(),
            session_id: login.token.clone(),
            numbers: Numbers::of(&login.uid),
            received: Written::new(StatusBody::new(Status::Success, texts::RECEIVED)),
            sampler: Sampler::new(self.verify, index),
        }))
    }

    fn refusal(&self, code: u16) -> String {
        let known = Status::of_code(code.into());
        known.map_or_else(
            || format!("code {code}"),
            |known| format!("{code} {}", known.name()),
        )
    }

    /// It has no code of its own: 400 is for whatever is not allowed.
    fn is_rate_limit(&self, _code: u16) -> bool {
        false
    }
}

fn logins<'a>(target: &'a Target, users: &'a [Login]) -> Questions<'a> {
    Box::new(users.iter().map(move |user| {
        let question = Question::get(target.url(SITE, LOGIN)?);
        Ok(question.of_user(&user.token))
    }))
}

/// One client.
struct WgPeer {
    uid: String,
    session_id: String,
    numbers: Numbers,
    /// The body of each acknowledgement.
    received: Written<StatusBody>,
    sampler: Sampler,
}

impl Peer for WgPeer {
    fn open(&mut self, out: &mut Outbox) -> Result<()> {
        let register = ToServer::Register(RegisterBody {
            session_id: self.session_id.clone(),
        });
        self.write(REGISTRATION, &self.uid, register, out);
        Ok(())
    }

    fn send(&mut self, to: &Address, tag: u32, content: &[u8], out: &mut Outbox) -> Result<()> {
        let text = Json::string(std::str::from_utf8(content).context("a text")?);
        let to = match to {
            Address::User(uid) => uid.clone(),
            Address::Group(id) => format!("{GROUP}{id}"),
        };
        self.write(&self.numbers.number(tag), &to, ToServer::Text(text), out);
        Ok(())
    }

    fn receive(
        &mut self,
        input: &mut BytesMut,
        out: &mut Outbox,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<()> {
        let text = input.split().freeze();
        if text.is_empty() || text == PONG {
            return Ok(());
        }
        let message =
            decode_to_client(&text, &Limits::default()).context("a message that cannot be read")?;
        match &message.content {
            ToClient::SendStatus(status) => self.answered(&message.id, status, tell)?,
            ToClient::Text(text) => {
                let group = message.to.strip_prefix(GROUP);
                tell(Event::Received(Message {
                    channel: group.unwrap_or(&message.from),
                    is_group: group.is_some(),
                    place: None,
                    content: text.text().as_bytes(),
                    proof: Proof::unsigned(&mut self.sampler),
                }));
                let received = ToServer::ReceiveStatus(self.received.clone());
                self.write(&message.id, &message.from, received, out);
            }
            // That others have received something says nothing new; the rest nobody sends.
            ToClient::ReceiveStatus(_)
            | ToClient::Notice(_)
            | ToClient::TargetNotice(_)
            | ToClient::Custom(..) => {}
        }
        Ok(())
    }

    fn keep_alive(&mut self, out: &mut Outbox) -> Result<()> {
        out.message(|bytes| -> Result<()> {
            bytes.extend_from_slice(PING);
            Ok(())
        })
    }
}

impl WgPeer {
    fn answered(
        &self,
        id: &str,
        status: &StatusBody,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<()> {
        let is_good = status.code == Status::Success.code();
        let code = u16::try_from(status.code).unwrap_or_default();
        if id == REGISTRATION {
            if !is_good {
                bail!(LoginRefused {
                    uid: self.uid.clone(),
                    code,
                    why: format!("{code} {}", status.msg),
                });
            }
            tell(Event::Open);
        } else if let Some(tag) = self.numbers.tag(id) {
            tell(if is_good {
                Event::Accepted { tag }
            } else {
                Event::Refused { tag, code }
            });
        } else if !is_good {
            // An acknowledgement that is refused, or words before the server closes.
            bail!("the server said {code} {}", status.msg);
        }
        Ok(())
    }

    fn write(&self, id: &str, to: &str, content: impl Content, out: &mut Outbox) {
        let message = WgMessage {
            id: id.to_owned(),
            is_system: false,
            from: self.uid.clone(),
            to: to.to_owned(),
            timestamp_ms: None,
            content,
        };
        let written = out.message(|bytes| -> Result<(), Infallible> {
            encode(&message, bytes);
            Ok(())
        });
        match written {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }
}
