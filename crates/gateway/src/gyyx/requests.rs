//! What clients ask of the core: one thing after the other, in the order of the frames, so
//! that a client that asks for the unread total behind a 160 is told what it is then.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crosstalk_core::id::MessageId;
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use crosstalk_wire::gyyx::{Chat, History, Outgoing, Recall, ToClient};
use crosstalk_wire::lenient::Json;

use super::live::{Asked, Live};
use super::outbox::{Kind, List, PORTION_BYTES, array, say};
use super::sends::Unnamed;
use super::unacked::Given;
use super::view::{message_id, receiver, seen, shown, target};
use crate::protocol::{Answer, Ask, AskId, Command, Now, Scope, Target, Turn};

/// Requests that may wait; more are refused.
const MAX_WAITING: usize = 256;
/// Unread messages that one 102 gives, the newest (protocols/README.md A8).
const MAX_UNREAD: u32 = 10_000;
/// Conversations whose newest message a new device is told.
const MAX_FIRST: u32 = 1_000;
/// Messages that answer a 160.
const VIEWED: u32 = 20;

/// A request.
pub(super) enum Request {
    /// The client has said on which device it runs.
    Meet { device: String, unique: String },
    /// The newest message of each conversation.
    First { unique: String },
    /// 102.
    Unread { asked: Asked },
    /// 160: everything from a peer is read…
    View { asked: Asked, peer: Arc<str> },
    /// … and shown.
    Viewed { asked: Asked, peer: Arc<str> },
    /// 161.
    History { asked: Asked, history: History },
    /// 180.
    Total {
        asked: Asked,
        peer: Option<Arc<str>>,
    },
    /// 190.
    Recall { asked: Asked, recall: Recall },
    /// 198.
    Read { asked: Asked, chat: Chat },
}

impl Request {
    /// The frame that waits for an answer.
    pub(super) fn asked(&mut self) -> Option<&mut Asked> {
        match self {
            Self::Meet { .. } | Self::First { .. } => None,
            Self::Unread { asked }
            | Self::View { asked, .. }
            | Self::Viewed { asked, .. }
            | Self::History { asked, .. }
            | Self::Total { asked, .. }
            | Self::Recall { asked, .. }
            | Self::Read { asked, .. } => Some(asked),
        }
    }

    /// That frame alone.
    fn into_asked(self) -> Option<Asked> {
        match self {
            Self::Meet { .. } | Self::First { .. } => None,
            Self::Unread { asked }
            | Self::View { asked, .. }
            | Self::Viewed { asked, .. }
            | Self::History { asked, .. }
            | Self::Total { asked, .. }
            | Self::Recall { asked, .. }
            | Self::Read { asked, .. } => Some(asked),
        }
    }
}

/// What is asked, and what waits for that.
#[derive(Default)]
pub(super) struct Requests {
    waiting: VecDeque<Request>,
    current: Option<(AskId, Request)>,
    /// The answer that is on its way.
    list: Option<List>,
    next_ask: u64,
    /// Accepted messages whose names are looked up: as many as sends are in flight at most.
    unnamed: HashMap<AskId, Unnamed>,
}

impl Requests {
    /// Adds a request. Returns the frame if there are too many.
    pub(super) fn add(&mut self, request: Request) -> Option<Asked> {
        if self.waiting.len() >= MAX_WAITING {
            return request.into_asked();
        }
        self.waiting.push_back(request);
        None
    }

    /// Notes that a message's name is looked up.
    pub(super) fn look_up(&mut self, unnamed: Unnamed) -> AskId {
        let id = self.next_id();
        self.unnamed.insert(id, unnamed);
        id
    }

    fn next_id(&mut self) -> AskId {
        self.next_ask += 1;
        AskId(self.next_ask)
    }

    /// Whether nothing is asked and nothing waits.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
            && self.current.is_none()
            && self.list.is_none()
            && self.unnamed.is_empty()
    }

    /// Whether there is more of a list to be written.
    pub(super) fn has_list(&self) -> bool {
        self.list.is_some()
    }

    /// Leaves a message out of the list that is on its way: it was taken back.
    pub(super) fn forget(&mut self, id: MessageId) {
        if let Some(list) = &mut self.list {
            list.messages.retain(|message| message.id != id);
        }
    }

    /// Whether that is a list of messages to be acknowledged.
    fn is_list_acked(&self) -> bool {
        self.list
            .as_ref()
            .is_some_and(|list| list.kind == Kind::Push)
    }
}

impl Live {
    /// Asks what waits next, if nothing is asked.
    pub(super) fn next_request(&mut self, turn: &mut Turn) {
        if self.requests.current.is_some() || self.requests.list.is_some() {
            return;
        }
        let Some(request) = self.requests.waiting.pop_front() else {
            self.requests.waiting = VecDeque::new();
            return;
        };
        self.ask(request, turn);
    }

    fn ask(&mut self, request: Request, turn: &mut Turn) {
        let ask = match &request {
            Request::Meet { device, .. } => Ask::MeetDevice(device.clone()),
            Request::First { .. } => Ask::Newest { limit: MAX_FIRST },
            Request::Unread { .. } => Ask::Unread {
                of: None,
                limit: MAX_UNREAD,
            },
            Request::View { peer, .. } => Ask::ReadConversation(target(peer), None),
            Request::Viewed { peer, .. } => Ask::Page {
                of: Scope::Channel(target(peer)),
                skip: 0,
                limit: VIEWED,
            },
            Request::History { history, .. } => Ask::Page {
                of: self.scope(&history.sender),
                skip: u64::from(history.page_index.saturating_sub(1))
                    * u64::from(history.page_size),
                limit: history.page_size,
            },
            Request::Total { peer, .. } => Ask::CountUnread(peer.as_ref().map(target)),
            Request::Recall { recall, .. } => Ask::Revoke {
                name: recall.message_id.clone(),
                within: self.within(&recall.receive_user_id),
            },
            Request::Read { chat, .. } if chat.message_id.is_empty() => {
                let peer = chat.receive_user_id.as_str().into();
                Ask::ReadConversation(target(&peer), None)
            }
            Request::Read { chat, .. } => Ask::ReadMessage {
                name: chat.message_id.clone(),
                within: self.within(&chat.receive_user_id),
            },
        };
        let id = self.requests.next_id();
        self.requests.current = Some((id, request));
        turn.commands.push(Command::Ask(id, ask));
    }

    /// The conversation that a message is named in, if one is.
    fn within(&self, peer: &str) -> Option<Target> {
        self.other(peer).as_ref().map(target)
    }

    /// Where a 161 looks: the other party, the own id = what the user sent, nothing = all.
    fn scope(&self, sender: &str) -> Scope {
        if sender.is_empty() {
            Scope::All
        } else if sender == self.user.uid.as_str() {
            Scope::Own
        } else {
            Scope::Channel(target(&sender.into()))
        }
    }

    /// The answer to a question.
    pub(super) fn answered(&mut self, id: AskId, answer: Answer, now: Now, turn: &mut Turn) {
        if let Some(unnamed) = self.requests.unnamed.remove(&id) {
            self.named(unnamed, answer, now, turn);
        } else if let Some((_, request)) = self.requests.current.take_if(|(asked, _)| *asked == id)
        {
            self.tell(request, answer, now, turn);
        }
        self.flow(now, turn);
    }

    fn tell(&mut self, request: Request, answer: Answer, now: Now, turn: &mut Turn) {
        match (request, answer) {
            (Request::Meet { unique, .. }, Answer::Device(is_new)) => {
                let is_new = is_new.unwrap_or_else(|why| {
                    tracing::warn!(%why, user = %self.user.uid, "device not looked up");
                    false
                });
                if is_new && !std::mem::replace(&mut self.is_first_told, true) {
                    self.ask(Request::First { unique }, turn);
                }
            }
            (Request::First { unique }, Answer::Messages(Ok(messages))) => {
                self.list(Kind::First, &unique, messages, None);
            }
            (Request::First { .. }, Answer::Messages(Err(why))) => {
                tracing::warn!(%why, user = %self.user.uid, "newest messages not read");
            }
            (Request::View { asked, peer }, Answer::Read(read)) => {
                match read.map(drop) {
                    Err(why) if !is_nothing_said(why, &peer) => {
                        self.refuse(&asked, why, now, turn);
                    }
                    Ok(()) if self.behaviour.view_reply => {
                        self.ask(Request::Viewed { asked, peer }, turn);
                    }
                    // There is nothing to show.
                    _ => say(&self.received(&asked, now), self.style, &mut turn.out),
                }
            }
            (Request::Unread { asked }, Answer::Messages(read)) => {
                self.told_list(Kind::Push, &asked, read, now, turn);
            }
            (
                Request::Viewed { asked, .. } | Request::History { asked, .. },
                Answer::Messages(read),
            ) => self.told_list(Kind::History, &asked, read, now, turn),
            (Request::Total { asked, peer }, Answer::Count(count)) => {
                let count = match (count, &peer) {
                    (Err(why), Some(peer)) if is_nothing_said(why, peer) => Ok(0),
                    (count, _) => count,
                };
                match count {
                    Ok(count) => {
                        let chat = Chat {
                            message: Json::string(&count.to_string()),
                            receive_user_id: peer.map_or_else(String::new, |peer| peer.to_string()),
                            ..self.blank(now.wall_ms)
                        };
                        self.answer(&asked, ToClient::UnreadTotal(chat), now, turn);
                    }
                    Err(why) => self.refuse(&asked, why, now, turn),
                }
            }
            (Request::Recall { asked, recall }, Answer::Revoked(taken)) => match taken {
                Ok(taken) => {
                    let message = &taken.message;
                    let at_ms = message.revoked.as_ref().map_or(now.wall_ms, |it| it.at_ms);
                    let body = &message.body;
                    let chat = Chat {
                        message_id: message_id(message.id, body.origin, body.name.as_deref()),
                        receive_user_id: self.named_or_found(recall.receive_user_id, message),
                        ..self.blank(at_ms)
                    };
                    self.received_first(&asked, now, turn);
                    self.answer(&asked, ToClient::Recalled(chat), now, turn);
                }
                Err(why) => self.refuse(&asked, why, now, turn),
            },
            (Request::Read { asked, chat }, Answer::Read(read)) => {
                self.told_read(&asked, chat, read.map(|(_, message)| message), now, turn);
            }
            // Each question has its own sort of answer.
            (request, _) => {
                if let Some(asked) = request.into_asked() {
                    self.refuse(&asked, Refusal::Internal, now, turn);
                }
            }
        }
    }

    fn told_read(
        &mut self,
        asked: &Asked,
        chat: Chat,
        read: Result<Option<Message>, Refusal>,
        now: Now,
        turn: &mut Turn,
    ) {
        let is_all = chat.message_id.is_empty();
        let message = match read {
            Ok(message) => message,
            Err(why) if is_all && is_nothing_said(why, &chat.receive_user_id) => None,
            Err(why) => return self.refuse(asked, why, now, turn),
        };
        let mut done = Chat {
            receive_user_id: chat.receive_user_id,
            ..self.blank(now.wall_ms)
        };
        if let Some(message) = message {
            let body = &message.body;
            done.message_id = message_id(message.id, body.origin, body.name.as_deref());
            done.receive_user_id = self.named_or_found(done.receive_user_id, &message);
        }
        self.received_first(asked, now, turn);
        self.answer(asked, ToClient::ReadDone(done), now, turn);
    }

    /// The peer that a frame names; if it names only a message, that of its conversation.
    fn named_or_found(&self, named: String, message: &Message) -> String {
        if !named.is_empty() {
            return named;
        }
        let own = self.user.uid.as_str();
        shown(&receiver(&message.channel.key, own, own)).to_owned()
    }

    fn told_list(
        &mut self,
        kind: Kind,
        asked: &Asked,
        read: Result<Vec<Message>, Refusal>,
        now: Now,
        turn: &mut Turn,
    ) {
        match read {
            Ok(messages) => {
                let end = self.received(asked, now);
                self.list(kind, asked.base.unique.as_str(), messages, Some(end));
            }
            Err(why) => self.refuse(asked, why, now, turn),
        }
    }

    fn list(&mut self, kind: Kind, unique: &str, messages: Vec<Message>, end: Option<Outgoing>) {
        self.requests.list = Some(List {
            kind,
            unique: unique.into(),
            messages: messages.into_iter().map(Arc::new).collect(),
            end,
        });
    }

    /// Whether a list can go on at once.
    pub(super) fn has_list_to_write(&self) -> bool {
        self.requests.has_list() && (!self.requests.is_list_acked() || self.unacked.has_room())
    }

    /// Writes of the list that is on its way what fits into this turn.
    pub(super) fn write_list(&mut self, now: Now, turn: &mut Turn) {
        while self.has_list_to_write() && turn.out.bytes().len() < PORTION_BYTES {
            let Some(mut list) = self.requests.list.take() else {
                return;
            };
            if self.behaviour.list_as_array {
                self.write_array(&mut list, now, turn);
            } else if let Some(message) = list.messages.pop_front()
                && let Some(frame) = self.list_frame(&list, &message)
            {
                say(&frame, self.style, &mut turn.out);
                self.given_in(&list, message, now);
            }
            if !list.messages.is_empty() {
                self.requests.list = Some(list);
            } else if let Some(end) = list.end {
                say(&end, self.style, &mut turn.out);
            }
        }
    }

    /// Writes as much of a list as one frame takes.
    fn write_array(&mut self, list: &mut List, now: Now, turn: &mut Turn) {
        let (mut frames, mut bytes) = (Vec::new(), 0);
        while bytes < PORTION_BYTES
            && let Some(message) = list.messages.pop_front()
        {
            bytes += message.weight();
            if let Some(frame) = self.list_frame(list, &message) {
                frames.push(frame);
                self.given_in(list, message, now);
            }
        }
        if let Some(frame) = array(&frames, self.style, list.kind) {
            say(&frame, self.style, &mut turn.out);
        }
    }

    fn given_in(&mut self, list: &List, message: Arc<Message>, now: Now) {
        if list.kind == Kind::Push {
            let unique = Some(Arc::clone(&list.unique));
            self.unacked.given(Given { message, unique }, now.mono_ms);
        }
    }

    fn list_frame(&self, list: &List, message: &Message) -> Option<Outgoing> {
        let mut seen = seen(message, self.own(), self.behaviour.zone)?;
        seen.base.unique = (&*list.unique).into();
        Some(Outgoing {
            base: seen.base,
            body: list.kind.body(seen.chat),
        })
    }
}

/// Whether a refusal only means that nothing was ever said to a user who exists.
fn is_nothing_said(why: Refusal, peer: &str) -> bool {
    why == Refusal::NoSuchChannel && !peer.starts_with("group:")
}
