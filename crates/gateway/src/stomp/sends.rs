//! `/app/chat.send`: from a body to a draft, and its echo or refusal (stomp.md Q2-8 to Q2-11,
//! Q2-25).

use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::id::Uid;
use crosstalk_core::message::{Accepted, Body, Draft, Flags, Message, OnReuse};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{SendReply, Ticket};
use crosstalk_wire::stomp::im::{
    ChatSend, ChatType, Code, ImMessage, QueueError, RefusedSend, Status, Submitted,
};
use crosstalk_wire::stomp::{MAX_MESSAGE_BODY_BYTES, Send};

use super::live::Live;
use super::map::Envelope;
use super::reasons::failure;
use super::render::{ORIGIN, view};
use super::requests::{Asked, Done, Membership};
use crate::protocol::{Ask, Command, Now, Turn};

/// A send that is not answered.
pub(super) struct PendingSend {
    done: Done,
    /// What was sent; its content is in `payload`.
    chat: ChatSend,
    payload: Bytes,
}

impl PendingSend {
    /// What the client wrote.
    fn submitted(&self) -> Submitted {
        let mut submitted = self.chat.submitted();
        submitted.content = String::from_utf8_lossy(&self.payload).into_owned();
        submitted
    }
}

impl Live {
    pub(super) fn chat_send(&mut self, send: &Send, now: Now, turn: &mut Turn) {
        let out = &mut turn.out;
        let read = ChatSend::read(&send.body);
        if send.body.len() > MAX_MESSAGE_BODY_BYTES {
            let submitted = match &read {
                Ok(chat) => Some(chat.submitted()),
                Err(refused) => refused.submitted().cloned(),
            };
            // What is too large to be taken is too large to be given back.
            let submitted = Submitted {
                content: String::new(),
                ..submitted.unwrap_or_default()
            };
            return self.refused(&submitted, Refusal::TooLarge, now, out);
        }
        let mut chat = match read {
            Ok(chat) => chat,
            Err(RefusedSend::InvalidJson { submitted: None }) => {
                return self.error(&QueueError::INVALID_JSON, out);
            }
            Err(refused) => {
                let submitted = refused.submitted().cloned().unwrap_or_default();
                let reason = refused.to_string();
                return self.failed(&submitted, Code::BadRequest, &reason, now, out);
            }
        };
        let payload = Bytes::from(std::mem::take(&mut chat.content));
        let ticket = Ticket(self.requests.next_ticket);
        self.requests.next_ticket += 1;
        let draft = self.draft(&chat, payload.clone());
        turn.commands.push(match draft {
            Ok(draft) => Command::Send(ticket, draft),
            Err(why) => Command::Refuse(ticket, why),
        });
        let done = self.requests.begin(send.receipt.clone());
        self.requests.sends.push_back(PendingSend {
            done,
            chat,
            payload,
        });
    }

    fn draft(&self, chat: &ChatSend, payload: Bytes) -> Result<Draft, Refusal> {
        if !self.is_own_app(chat.app_id.as_deref()) {
            return Err(Refusal::Forbidden);
        }
        draft(&self.app, chat, payload)
    }

    /// What became of a send.
    pub(super) fn reply(&mut self, _ticket: Ticket, reply: SendReply, now: Now, turn: &mut Turn) {
        self.at(now);
        self.requests.replied += 1;
        // Answers come in the order of the tickets.
        if let Some(send) = self.requests.sends.pop_front() {
            match reply {
                Ok(accepted) if accepted.is_new => {
                    // Its echo comes in its place among what others say.
                    let done = self.requests.await_echo(accepted.id, send.done);
                    if let Some(done) = done {
                        self.done(done, &mut turn.out);
                    }
                }
                Ok(accepted) => {
                    let ask = Ask::Find {
                        name: accepted.id.to_string(),
                        within: None,
                    };
                    let id = self.requests.ask(ask, turn);
                    let asked = Asked::Retry(Box::new(send), accepted);
                    self.requests.asked.insert(id, asked);
                }
                Err(refused) => self.judge_refusal(send, refused.why, now, turn),
            }
        }
        self.start_jobs(turn);
    }

    fn judge_refusal(&mut self, send: PendingSend, why: Refusal, now: Now, turn: &mut Turn) {
        let group = match (why, send.chat.chat_type) {
            (Refusal::NotAMember, ChatType::Group) => {
                Address::parse(ChannelKind::GROUP, &send.chat.to_id).ok()
            }
            _ => None,
        };
        match group {
            // The core does not tell a group that never was from one that keeps others out.
            Some(group) => {
                let why = Membership::Refused(Box::new(send));
                self.ask_membership(group, why, turn);
            }
            None => self.refused_send(&send, why, now, turn),
        }
    }

    /// Gives back what was refused.
    pub(super) fn refused_send(
        &mut self,
        send: &PendingSend,
        why: Refusal,
        now: Now,
        turn: &mut Turn,
    ) {
        let (code, reason) = failure(why);
        self.failed(&send.submitted(), code, reason, now, &mut turn.out);
        self.done_without(send.done.number, &mut turn.out);
    }

    /// Echoes what was sent before: nobody else is given it again.
    pub(super) fn echo_again(
        &mut self,
        send: PendingSend,
        accepted: Accepted,
        found: Option<&Message>,
        turn: &mut Turn,
    ) {
        let app: Arc<str> = Arc::clone(&self.app);
        let body = match found {
            Some(message) => view(message, &app).to_json(),
            None => self.echo(&send, accepted).to_json(),
        };
        self.personal(body, &mut turn.out);
        self.done(send.done, &mut turn.out);
    }

    /// The echo of a message that cannot be read at the moment.
    fn echo<'a>(&'a self, send: &'a PendingSend, accepted: Accepted) -> ImMessage<'a> {
        let chat = &send.chat;
        let id = accepted.id.to_string();
        let id = chat.client_id().map_or(id, str::to_owned);
        let mut echo = ImMessage::new(id.clone(), Status::Sent, accepted.sent_at_ms);
        echo.message_id = Some(chat.message_id.clone().unwrap_or(id).into());
        echo.app_id = Some((&*self.app).into());
        echo.from_id = self.user.uid.as_str().into();
        echo.to_id = chat.to_id.as_str().into();
        echo.group_id = (chat.chat_type == ChatType::Group).then(|| chat.to_id.as_str().into());
        echo.chat_type = chat.chat_type.as_str().into();
        echo.msg_type = chat.msg_type.as_str().into();
        echo.content = String::from_utf8_lossy(&send.payload);
        echo.seq = Some(accepted.seq);
        echo.mentioned_user_ids = chat.mentioned_user_ids.as_slice().into();
        echo
    }
}

/// The draft of what a session of an app wants said. The content is in `payload`.
///
/// # Errors
/// `NoSuchUser` or `InvalidChannelId` if it is for nobody that there could be.
pub fn draft(app: &str, chat: &ChatSend, payload: Bytes) -> Result<Draft, Refusal> {
    let to = match chat.chat_type {
        ChatType::Single => {
            Address::direct(&Uid::parse(&chat.to_id).map_err(|_| Refusal::NoSuchUser)?)
        }
        ChatType::Group => Address::parse(ChannelKind::GROUP, &chat.to_id)?,
    };
    let named = chat.client_id();
    let app = Some(app.to_owned()).filter(|app| !app.is_empty());
    let envelope = Envelope {
        app_id: app.or_else(|| chat.app_id.clone()),
        message_id: chat.message_id.clone().filter(|_| named.is_none()),
        mentioned_user_ids: chat.mentioned_user_ids.clone(),
        extra: chat.extra.clone(),
    };
    Ok(Draft {
        to,
        body: Body {
            client_no: named.unwrap_or_default().into(),
            origin: ORIGIN,
            tag: chat.msg_type.as_str().into(),
            flags: Flags {
                counts: chat.extra_flag("unread") != Some(false),
                receipt: chat.extra_flag("readReceipt") == Some(true),
                ..Flags::default()
            },
            payload,
            // A name without a value is the only thing that could fail.
            extra: serde_json::to_vec(&envelope).ok().map(Bytes::from),
            ..Body::default()
        },
        on_reuse: OnReuse::Refuse,
        require_peer: true,
        fault: None,
    })
}
