//! An open connection: what it has agreed on, and what is said to each of its frames
//! (gyyx.md F.b).

use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::id::{Uid, UserRef};
use crosstalk_core::message::Message;
use crosstalk_wire::gyyx::{
    Base, Chat, Code, Incoming, Limits, MsgType, Outgoing, Own, Receipt, Style, ToClient, ToServer,
    decode_to_server,
};
use crosstalk_wire::lenient::Json;

use super::admission::Admitted;
use super::outbox::say;
use super::requests::{Request, Requests};
use super::sends::Sent;
use super::settings::GyyxBehaviour;
use super::unacked::{Given, Unacked};
use super::view::{SYSTEM, has_unique, is_called};
use crate::protocol::{Command, Now, Seed, Turn, close_code};

/// The longest id that a frame may have, bytes; nobody is called so.
const MAX_ID_BYTES: usize = 512;
/// The largest `mark` of a frame whose answer has to be waited for, bytes.
const MAX_KEPT_MARK_BYTES: usize = 16 * 1024;
/// What a frame may have beside what is kept of it, bytes, before that gets memory of its own.
const SPARE_BYTES: usize = 4 * 1024;

/// A frame that waits for its answer.
pub(super) struct Asked {
    pub(super) base: Base,
    pub(super) msg_type: Option<MsgType>,
    /// The length of the whole frame, bytes.
    frame_bytes: usize,
}

impl Asked {
    /// Gives what is kept of a frame memory of its own, if the rest of it is large.
    pub(super) fn shrink(&mut self, message: Option<&mut Json>) {
        let mark = &mut self.base.mark;
        let kept = mark.as_bytes().len() + message.as_ref().map_or(0, |it| it.as_bytes().len());
        if self.frame_bytes > kept + SPARE_BYTES {
            for json in [Some(mark), message].into_iter().flatten() {
                let copy = Bytes::copy_from_slice(json.as_bytes());
                *json = Json::parse(&copy).unwrap_or(Json::NULL);
            }
        }
    }
}

/// Whether the client's device is known.
#[derive(PartialEq, Eq)]
enum Device {
    Unmet,
    Met,
}

/// An open connection.
pub(super) struct Live {
    pub(super) app_id: String,
    pub(super) user: UserRef,
    version: String,
    pub(super) behaviour: Arc<GyyxBehaviour>,
    heartbeat_ms: u64,
    pub(super) chat_secret: Option<Arc<str>>,
    pub(super) style: Style,
    is_form_known: bool,
    is_codes_known: bool,
    device: Device,
    /// The newest messages were told, or are about to be.
    pub(super) is_first_told: bool,
    next_unique: u64,
    pub(super) next_ticket: u64,
    pub(super) sends: VecDeque<Sent>,
    pub(super) requests: Requests,
    pub(super) unacked: Unacked,
    /// The client has logged out and waits for the answers that are due.
    logout: Option<Asked>,
}

impl Live {
    pub(super) fn new(
        admitted: Admitted,
        user: UserRef,
        behaviour: Arc<GyyxBehaviour>,
        seed: &Seed,
    ) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *seed;
        let random = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        Self {
            app_id: admitted.app.as_str().to_owned(),
            user,
            version: admitted.version,
            behaviour,
            heartbeat_ms: u64::from(admitted.rules.heartbeat_secs.max(1)) * 1000,
            chat_secret: admitted.chat_secret,
            style: Style {
                codes: admitted.codes.unwrap_or_default(),
                ..Style::default()
            },
            is_form_known: false,
            is_codes_known: admitted.codes.is_some(),
            device: Device::Unmet,
            is_first_told: false,
            // As long as our ids are, with room to count on.
            next_unique: random >> 5 | 1 << 58,
            next_ticket: 0,
            sends: VecDeque::new(),
            requests: Requests::default(),
            unacked: Unacked::default(),
            logout: None,
        }
    }

    pub(super) fn own(&self) -> Own<'_> {
        Own {
            app_id: &self.app_id,
            user_id: self.user.uid.as_str(),
            version: &self.version,
        }
    }

    /// For how long the client may be silent, ms (gyyx.md Q4-7).
    pub(super) fn patience_ms(&self) -> u64 {
        3 * self.heartbeat_ms
    }

    /// A new decimal id, for a frame that nobody asked for.
    pub(super) fn unique(&mut self) -> String {
        self.next_unique = self.next_unique.wrapping_add(1);
        self.next_unique.to_string()
    }

    /// The base of a frame that nobody asked for.
    pub(super) fn unasked(&mut self, now: Now) -> Base {
        let unique = self.unique();
        Base::unasked(self.own(), &unique, now.wall_ms)
    }

    pub(super) fn say(&self, base: Base, body: ToClient, turn: &mut Turn) {
        say(&Outgoing { base, body }, self.style, &mut turn.out);
    }

    /// Answers a frame.
    pub(super) fn answer(&self, asked: &Asked, body: ToClient, now: Now, turn: &mut Turn) {
        let base = asked.base.answer(self.own(), now.wall_ms);
        self.say(base, body, turn);
    }

    /// The 30 for a frame.
    pub(super) fn received(&self, asked: &Asked, now: Now) -> Outgoing {
        Outgoing {
            base: asked.base.answer(self.own(), now.wall_ms),
            body: ToClient::ServerReceived(Receipt {
                receive_msg_type: asked.msg_type.map_or(0, |msg_type| msg_type.number),
            }),
        }
    }

    /// The 30 before an answer that the frame has of its own, where the app wants it.
    pub(super) fn received_first(&self, asked: &Asked, now: Now, turn: &mut Turn) {
        if self.behaviour.ack30_always {
            say(&self.received(asked, now), self.style, &mut turn.out);
        }
    }

    /// Refuses a frame with a 10.
    pub(super) fn refuse(&self, asked: &Asked, why: impl Display, now: Now, turn: &mut Turn) {
        tracing::debug!(user = %self.user.uid, code = ?asked.msg_type, %why, "frame refused");
        let detail = self.behaviour.error_detail.then(|| why.to_string());
        let frame = asked.base.refusal(self.own(), now.wall_ms, detail);
        say(&frame, self.style, &mut turn.out);
    }

    /// Fields of a message that is none.
    pub(super) fn blank(&self, ms: i64) -> Chat {
        Chat::at(ms, self.behaviour.zone)
    }

    /// Whether the client has said goodbye: nothing more is heard of it.
    pub(super) fn is_leaving(&self) -> bool {
        self.logout.is_some()
    }

    /// Takes a frame.
    pub(super) fn hear(&mut self, payload: &Bytes, now: Now, turn: &mut Turn) {
        let incoming = decode_to_server(payload, &Limits::default());
        if let Some(msg_type) = incoming.msg_type.filter(|_| !self.is_form_known) {
            self.style.form = msg_type.form;
            self.is_form_known = true;
        }
        if let Some(codes) = incoming.codes().filter(|_| !self.is_codes_known) {
            self.style.codes = codes;
            self.is_codes_known = true;
        }
        let Incoming {
            base,
            msg_type,
            body,
        } = incoming;
        let asked = Asked {
            base,
            msg_type,
            frame_bytes: payload.len(),
        };
        let body = match body {
            Ok(body) => body,
            Err(reason) => return self.refuse(&asked, reason, now, turn),
        };
        let claimed = &asked.base.user_id;
        if !claimed.is_empty() && claimed != self.user.uid.as_str() {
            return self.refuse(&asked, "userId is not that of the connection", now, turn);
        }
        if has_long_ids(&asked.base, &body) {
            return self.refuse(&asked, "an id is too long", now, turn);
        }
        let is_new = self.device == Device::Unmet && !asked.base.device_id.is_empty();
        let meet = is_new.then(|| Request::Meet {
            device: asked.base.device_id.clone(),
            unique: asked.base.unique.as_str().to_owned(),
        });
        self.act(asked, body, now, turn);
        if let Some(meet) = meet
            && self.logout.is_none()
        {
            self.device = Device::Met;
            self.requests.add(meet);
        }
        self.flow(now, turn);
    }

    fn act(&mut self, asked: Asked, body: ToServer, now: Now, turn: &mut Turn) {
        match body {
            ToServer::Heartbeat(_) => {
                let chat = self.blank(now.wall_ms);
                self.answer(&asked, ToClient::HeartbeatAnswer(chat), now, turn);
            }
            ToServer::Received(receipt) => self.acked_by_receipt(&asked, receipt, turn),
            ToServer::Pushed(chat) => self.acked(&chat, turn),
            ToServer::Send(chat) => self.send(asked, chat, now, turn),
            ToServer::Unread(_) => self.request(Request::Unread { asked }, now, turn),
            ToServer::View(chat) => {
                let peer = chat.receive_user_id.into();
                self.request(Request::View { asked, peer }, now, turn);
            }
            ToServer::History(history) => {
                self.request(Request::History { asked, history }, now, turn);
            }
            ToServer::UnreadTotal(chat) => {
                let peer = self.other(&chat.receive_user_id);
                self.request(Request::Total { asked, peer }, now, turn);
            }
            ToServer::Recall(recall) => self.request(Request::Recall { asked, recall }, now, turn),
            ToServer::Read(chat) => {
                let message = Json::EMPTY;
                let chat = Chat { message, ..chat };
                self.request(Request::Read { asked, chat }, now, turn);
            }
            ToServer::Logout(_) => self.logout = Some(asked),
            ToServer::CallRequest(_)
            | ToServer::CallAccept(_)
            | ToServer::CallRefuse(_)
            | ToServer::CallEnd(_)
            | ToServer::QueueEnter(_)
            | ToServer::QueueClaim(_)
            | ToServer::Leave
            | ToServer::QueueQuery
            | ToServer::RoomsQuery
            | ToServer::RoomQuery(_) => {
                self.refuse(&asked, "calls, queues and rooms are not served", now, turn);
            }
            ToServer::Unknown(_) => self.refuse(&asked, "no client sends this code", now, turn),
        }
    }

    fn request(&mut self, mut request: Request, now: Now, turn: &mut Turn) {
        if let Some(asked) = request.asked() {
            if asked.base.mark.as_bytes().len() > MAX_KEPT_MARK_BYTES {
                return self.refuse(asked, "mark is too long", now, turn);
            }
            asked.shrink(None);
        }
        if let Some(asked) = self.requests.add(request) {
            self.refuse(&asked, "too many requests at once", now, turn);
        }
    }

    /// A peer that is named and is not the user: clients that fill all fields put the user
    /// there, as frames for the user have it.
    pub(super) fn other(&self, peer: &str) -> Option<Arc<str>> {
        (!peer.is_empty() && peer != self.user.uid.as_str()).then(|| peer.into())
    }

    fn acked(&mut self, chat: &Chat, turn: &mut Turn) {
        let own = self.user.uid.as_str();
        let peer = match &*chat.receive_user_id {
            SYSTEM => Uid::SYSTEM,
            peer => peer,
        };
        let group = peer.strip_prefix("group:");
        let acked = self.unacked.acked(|Given { message, .. }| {
            if chat.message_id.is_empty() {
                return message.channel.key.id_for(own) == group.unwrap_or(peer);
            }
            is_called(message, &chat.message_id)
        });
        acknowledge(acked, turn);
    }

    /// A 31 names a frame by its `unique`; a client that makes up a new one acknowledges in
    /// the order in which it was given (gyyx.md Q4-15).
    fn acked_by_receipt(&mut self, asked: &Asked, receipt: Receipt, turn: &mut Turn) {
        let is_push = [Code::Push, Code::ProsePush]
            .iter()
            .any(|code| code.number() == receipt.receive_msg_type);
        if !is_push {
            return;
        }
        let unique = asked.base.unique.as_str();
        let mut acked = self.unacked.acked(|given| match &given.unique {
            Some(of_list) => **of_list == *unique,
            None => has_unique(&given.message, unique),
        });
        if acked.is_empty() {
            acked = self.unacked.acked_first();
        }
        acknowledge(acked, turn);
    }

    /// Goes on with what waits: the list that is on its way, the next request, the goodbye.
    pub(super) fn flow(&mut self, now: Now, turn: &mut Turn) {
        self.write_list(now, turn);
        self.next_request(turn);
        if self.sends.is_empty()
            && self.requests.is_idle()
            && let Some(asked) = self.logout.take_if(|_| turn.close.is_none())
        {
            let chat = self.blank(now.wall_ms);
            self.answer(&asked, ToClient::LoggedOut(chat), now, turn);
            turn.close_now(now, close_code::NORMAL);
        }
    }
}

/// Whether something is called by more than anything can be called.
fn has_long_ids(base: &Base, body: &ToServer) -> bool {
    let of_body: [&str; 2] = match body {
        ToServer::Heartbeat(chat)
        | ToServer::Unread(chat)
        | ToServer::Send(chat)
        | ToServer::Pushed(chat)
        | ToServer::View(chat)
        | ToServer::UnreadTotal(chat)
        | ToServer::Read(chat)
        | ToServer::Logout(chat) => [&chat.message_id, &chat.receive_user_id],
        ToServer::History(history) => [&history.sender, ""],
        ToServer::Recall(recall) => [&recall.message_id, &recall.receive_user_id],
        _ => ["", ""],
    };
    let of_base = [&base.device_id, base.unique.as_str(), &base.version];
    let mut ids = of_base.into_iter().chain(of_body);
    ids.any(|id| id.len() > MAX_ID_BYTES)
}

fn acknowledge(messages: Vec<Arc<Message>>, turn: &mut Turn) {
    if !messages.is_empty() {
        turn.commands.push(Command::Acknowledge(messages));
    }
}
