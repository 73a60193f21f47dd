//! A registered channel: what the client says, and what it is told.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::change::{Change, MessageName};
use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::id::{MessageId, Uid, UserRef};
use crosstalk_core::message::{Body, Draft, Flags, Message, OnReuse};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{Event, Notice, SendReply, Session, Ticket};
use crosstalk_wire::wg::{
    Content as _, Envelope, Fault, Kind, Message as WireMessage, Recipient, Status, StatusBody,
    ToClient, ToServer, encode, texts,
};

use super::deliver::{Extra, edit, expiry, put, recall, receipt, to_of};
use super::given::Given;
use super::logins::Channel;
use super::pending::{Pending, Target};
use super::reasons::reason;
use super::settings::{WgListTo, WgSettings};
use super::{ORIGIN, handlers};
use crate::protocol::{Answer, Ask, AskId, Command, Now, Turn};

/// The longest text of a text message, bytes (protocols/README.md A12).
const MAX_TEXT_BYTES: usize = 32 * 1024;
/// Messages that were taken back before this client got them, of which it is not told, and
/// those that it got edited, of which older edits are not told.
const SKIPPED: usize = 1024;

/// What a question was asked for.
enum Asked {
    /// Which message a 9101 means.
    Receipt {
        /// The 9101.
        envelope: Envelope,
        /// Why the client could not use the message, if so.
        rejected: Option<String>,
    },
    /// What an application makes of a message with this id.
    Custom(String),
}

/// See the module's words.
pub(super) struct Live {
    user: UserRef,
    channel: Channel,
    next_ticket: u64,
    next_ask: u64,
    pending: VecDeque<Pending>,
    asked: HashMap<AskId, Asked>,
    given: Given,
    skipped: VecDeque<MessageId>,
    /// Shown with this edit of theirs.
    edited: VecDeque<(MessageId, u32)>,
}

impl Live {
    pub(super) fn new(session: &Session, channel: Channel, is_acking: bool) -> Self {
        Self {
            user: session.user.clone(),
            channel,
            next_ticket: 0,
            next_ask: 0,
            pending: VecDeque::new(),
            asked: HashMap::new(),
            given: Given::new(is_acking),
            skipped: VecDeque::new(),
            edited: VecDeque::new(),
        }
    }

    /// Whose channel it is.
    pub(super) fn uid(&self) -> &str {
        self.user.uid.as_str()
    }

    pub(super) fn has_room(&self) -> bool {
        self.given.has_room()
    }

    /// Takes a message whose type is known; what is wrong with it is the answer.
    pub(super) fn hear(
        &mut self,
        envelope: Envelope,
        settings: &WgSettings,
        now: Now,
        turn: &mut Turn,
    ) -> Result<(), Fault> {
        if envelope.kind == Kind::Register {
            return self.register_again(&envelope, now, turn);
        }
        envelope.check_sender(self.uid())?;
        let recipients = envelope.recipients()?;
        match envelope.content()? {
            ToServer::ReceiveStatus(status) => {
                let body = status.body();
                let rejected = match Status::of_code(body.code) {
                    Some(Status::Success) => None,
                    Some(Status::ReceiveError) => Some(body.msg.clone().into_owned()),
                    _ => {
                        let status = Status::BodyError;
                        return Err(envelope.fault(status, status.text()));
                    }
                };
                drop(recipients);
                self.received(envelope, rejected, turn);
            }
            ToServer::Custom(code, _) => {
                drop(recipients);
                return self.custom(code, envelope, settings, turn);
            }
            content => {
                if let ToServer::Text(text) = &content
                    && text.is_longer_than(MAX_TEXT_BYTES)
                {
                    return Err(envelope.fault(Status::MessageError, texts::TOO_LARGE));
                }
                let is_listed = recipients.len() > 1 && settings.list_to == WgListTo::AsSent;
                let body = stored(&envelope, &content, is_listed);
                self.send(&envelope.id, &body, &recipients, now, turn);
            }
        }
        Ok(())
    }

    /// Registering again is a success, but not with another session.
    fn register_again(&self, envelope: &Envelope, now: Now, turn: &mut Turn) -> Result<(), Fault> {
        envelope.check_addressed()?;
        let ToServer::Register(body) = envelope.content()? else {
            return Ok(());
        };
        if body.session_id != self.channel.session_id() {
            return Err(envelope.fault(Status::SessionError, "通道已注册其他会话"));
        }
        envelope.check_sender(self.uid())?;
        let body = StatusBody::new(Status::Success, texts::REGISTERED);
        self.status(&envelope.id, body, now, turn);
        Ok(())
    }

    fn send(
        &mut self,
        id: &str,
        body: &Body,
        recipients: &[Recipient<'_>],
        now: Now,
        turn: &mut Turn,
    ) {
        let (mut targets, mut unknown) = (Vec::new(), Vec::new());
        for recipient in recipients {
            let (name, to, user) = match recipient {
                Recipient::User(id) => {
                    let uid = Uid::parse(id).ok();
                    ((*id).to_owned(), uid.as_ref().map(Address::direct), uid)
                }
                Recipient::Group(id) => {
                    let to = Address::parse(ChannelKind::GROUP, id).ok();
                    (format!("group:{id}"), to, None)
                }
            };
            let Some(to) = to else {
                unknown.push(name);
                continue;
            };
            let draft = Draft {
                to,
                body: body.clone(),
                on_reuse: OnReuse::Store,
                require_peer: true,
                fault: None,
            };
            let ticket = Ticket(self.next_ticket);
            self.next_ticket += 1;
            turn.commands.push(Command::Send(ticket, draft));
            targets.push(Target { name, user });
        }
        let pending = Pending::new(id.to_owned(), targets, unknown);
        if pending.is_done() {
            self.status(pending.id(), pending.status(), now, turn);
        } else {
            self.pending.push_back(pending);
        }
    }

    /// The client has a message, or could not use it.
    fn received(&mut self, envelope: Envelope, rejected: Option<String>, turn: &mut Turn) {
        if !self.given.is_acking {
            self.given.is_acking = true;
            self.channel.acknowledges();
            turn.commands.push(Command::Presume(false));
        }
        let to = envelope.to.as_deref().unwrap_or_default().trim();
        if let Some(message) = self.given.take(&envelope.id, to) {
            return has(message, rejected, turn);
        }
        if self.given.is_recent(&envelope.id, to) {
            return;
        }
        // Perhaps it was given on an earlier channel.
        let name = envelope.id.clone();
        let asked = Asked::Receipt { envelope, rejected };
        self.ask(Ask::Find { name, within: None }, asked, turn);
    }

    fn custom(
        &mut self,
        code: i64,
        envelope: Envelope,
        settings: &WgSettings,
        turn: &mut Turn,
    ) -> Result<(), Fault> {
        let (Some(handler), Some(row)) = (settings.handler(code), self.channel.row()) else {
            let status = Status::TypeError;
            return Err(envelope.fault(status, status.text()));
        };
        let id = envelope.id.clone();
        let job = handlers::job(handler, row, envelope);
        self.ask(Ask::Do(job), Asked::Custom(id), turn);
        Ok(())
    }

    fn ask(&mut self, ask: Ask, asked: Asked, turn: &mut Turn) {
        let id = AskId(self.next_ask);
        self.next_ask += 1;
        self.asked.insert(id, asked);
        turn.commands.push(Command::Ask(id, ask));
    }

    pub(super) fn answer(&mut self, id: AskId, answer: Answer, now: Now, turn: &mut Turn) {
        match (self.asked.remove(&id), answer) {
            (Some(Asked::Receipt { envelope, rejected }), Answer::Message(found)) => {
                let own = |message: &Message| {
                    message.sender.num == self.user.num && !message.channel.key.is_notes()
                };
                let why = match found {
                    Ok(message) if !own(&message) => {
                        return has(Arc::new(message), rejected, turn);
                    }
                    // One of them it was given; which one does not matter any more.
                    Err(Refusal::Ambiguous) => return,
                    Ok(_) => Refusal::NoSuchMessage,
                    Err(why) => why,
                };
                let (status, msg) = reason(why);
                self.status(&envelope.id, StatusBody::new(status, msg), now, turn);
            }
            (Some(Asked::Custom(id)), Answer::Done(done)) => {
                let body = done.downcast_ref::<StatusBody>().cloned();
                let body = body.unwrap_or_else(|| {
                    let (status, msg) = reason(Refusal::Internal);
                    StatusBody::new(status, msg)
                });
                self.status(&id, body, now, turn);
            }
            _ => {}
        }
    }

    pub(super) fn reply(
        &mut self,
        reply: SendReply,
        settings: &WgSettings,
        now: Now,
        turn: &mut Turn,
    ) {
        let Some(pending) = self.pending.front_mut() else {
            return;
        };
        pending.replied(reply, &settings.realm, &*settings.people);
        if pending.is_done()
            && let Some(pending) = self.pending.pop_front()
        {
            self.status(pending.id(), pending.status(), now, turn);
            if self.pending.is_empty() {
                self.pending = VecDeque::new();
            }
        }
    }

    pub(super) fn deliver(
        &mut self,
        events: &mut VecDeque<Event>,
        settings: &WgSettings,
        now: Now,
        turn: &mut Turn,
    ) {
        let (mut settled, mut counted) = (Vec::new(), Vec::new());
        let mut is_doubtful = false;
        while let Some(event) = events.pop_front() {
            match event {
                Event::Message(message) => {
                    if self.show(&message, settings, turn) {
                        is_doubtful |= message.seq > 0 && !self.given.is_acking;
                        self.given.given(&message, now.mono_ms, &mut counted);
                    } else {
                        settled.push(message);
                    }
                }
                Event::Notice(notice) => self.notice(&notice, now, turn),
            }
        }
        if !settled.is_empty() {
            turn.commands.push(Command::Settle(settled));
        }
        if !counted.is_empty() {
            turn.commands.push(Command::Acknowledge(counted));
        }
        if is_doubtful {
            turn.commands.push(Command::Presume(true));
        }
    }

    /// Shows a message; false if it is not one for these clients.
    fn show(&mut self, message: &Message, settings: &WgSettings, turn: &mut Turn) -> bool {
        if message.revoked.is_some() {
            if self.skipped.len() == SKIPPED {
                self.skipped.pop_front();
            }
            self.skipped.push_back(message.id);
            return false;
        }
        if message.is_concealed {
            return false;
        }
        match Change::of(message) {
            Some(change) => self.change(message, &change, turn),
            None => {
                let mut is_shown = false;
                let Ok(()) = turn.out.frame(|out| {
                    is_shown = put(message, self.user.uid.as_str(), settings, out);
                    Ok::<(), std::convert::Infallible>(())
                });
                if let Some(edited) = message.edited.as_ref().filter(|_| is_shown) {
                    if self.edited.len() == SKIPPED {
                        self.edited.pop_front();
                    }
                    self.edited.push_back((message.id, edited.n));
                }
                is_shown
            }
        }
    }

    /// Whether a message came with this edit of it already, or a later one.
    fn has_edit(&self, id: MessageId, n: u32) -> bool {
        let has = |(shown, with): &(MessageId, u32)| *shown == id && *with >= n;
        self.edited.iter().any(has)
    }

    /// Shows what has changed; false if these clients have no words for it.
    fn change(&self, message: &Message, change: &Change, turn: &mut Turn) -> bool {
        // What the user sent in another dialect is not on these clients.
        let is_here = |name: &&MessageName| {
            let is_elsewhere = name.sender == self.uid() && name.origin != ORIGIN.0;
            !is_elsewhere && !self.skipped.contains(&name.id)
        };
        let content = match change {
            Change::Revoked {
                message: name, by, ..
            }
            | Change::Deleted {
                message: name, by, ..
            } => is_here(&name).then(|| recall(name, by.as_deref())),
            Change::Expired { messages, .. } => {
                expiry(&messages.iter().filter(is_here).collect::<Vec<_>>())
            }
            Change::Edited {
                message: name,
                by,
                body,
                n,
                ..
            } => (is_here(&name) && !self.has_edit(name.id, *n))
                .then(|| edit(name, by.as_deref(), body))
                .flatten(),
            // Of members and groups, tips tell (interop.md G.2, G.6).
            Change::Read { .. }
            | Change::Unread { .. }
            | Change::Left { .. }
            | Change::Reacted { .. }
            | Change::Pinned { .. }
            | Change::Typing { .. }
            | Change::Hidden { .. }
            | Change::Conversation { .. }
            | Change::ChannelCreated { .. }
            | Change::ChannelUpdated { .. }
            | Change::ChannelDissolved { .. }
            | Change::Joined { .. }
            | Change::Departed { .. }
            | Change::MemberChanged { .. }
            | Change::JoinRequest { .. }
            | Change::FriendRequest { .. }
            | Change::Friend { .. }
            | Change::Blocked { .. }
            | Change::Profile { .. } => None,
        };
        let Some(content) = content else {
            return false;
        };
        let to = to_of(message, self.uid()).into_owned();
        let id = message.id.to_string();
        let shown = WireMessage::of_system(&id, &to, content, message.sent_at_ms);
        say(&shown, turn);
        true
    }

    fn notice(&self, notice: &Notice, now: Now, turn: &mut Turn) {
        let (message, by, rejected) = match notice {
            Notice::Delivered { message, by, .. } => (message, by, None),
            Notice::Rejected { message, by, why } => (message, by, Some(&**why)),
            _ => return,
        };
        // What the user sent in another dialect has no id here.
        if message.body.origin == ORIGIN {
            let shown = receipt(message, &by.uid, self.uid(), rejected, now.wall_ms);
            say(&shown, turn);
        }
    }

    /// What has been written for long enough counts for its senders, too.
    pub(super) fn tick(&mut self, now: Now, turn: &mut Turn) {
        let due = self.given.due(now.mono_ms);
        if !due.is_empty() {
            turn.commands.push(Command::Acknowledge(due));
        }
    }

    /// Tells what became of a message.
    fn status(&self, id: &str, body: StatusBody, now: Now, turn: &mut Turn) {
        say(
            &WireMessage::status(id, self.uid(), body, now.wall_ms),
            turn,
        );
    }
}

/// A message as it is stored, with the list of its receivers where they are shown it.
fn stored(envelope: &Envelope, content: &ToServer, is_listed: bool) -> Body {
    let extra = Extra {
        to: envelope.to.clone().filter(|_| is_listed),
        ..Extra::default()
    };
    Body {
        client_no: envelope.id.as_str().into(),
        origin: ORIGIN,
        tag: content.kind().code().to_string().into(),
        flags: Flags {
            counts: true,
            ..Flags::default()
        },
        // The message that it came in is not kept for it.
        payload: Bytes::copy_from_slice(content.body().as_bytes()),
        extra: is_listed.then(|| extra.encode()).flatten(),
        ..Body::default()
    }
}

/// The client has a message, or could not use it and says why.
fn has(message: Arc<Message>, rejected: Option<String>, turn: &mut Turn) {
    match rejected {
        Some(why) => {
            let settled = Command::Settle(vec![Arc::clone(&message)]);
            turn.commands.push(settled);
            turn.commands.push(Command::Reject(message, why));
        }
        None => match turn.commands.last_mut() {
            Some(Command::Acknowledge(messages)) => messages.push(message),
            _ => turn.commands.push(Command::Acknowledge(vec![message])),
        },
    }
}

/// Appends a message of our own.
pub(super) fn say(message: &WireMessage<ToClient>, turn: &mut Turn) {
    let Ok(()) = turn.out.frame(|out| {
        encode(message, out);
        Ok::<(), std::convert::Infallible>(())
    });
}
