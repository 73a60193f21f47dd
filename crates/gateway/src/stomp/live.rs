//! An open session: the client's frames, and where what it is told goes (stomp.md Q2-6,
//! Q2-12 to Q2-15, Q2-29).

use std::collections::VecDeque;
use std::sync::Arc;

use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::id::UserRef;
use crosstalk_core::message::Message;
use crosstalk_core::session::Session;
use crosstalk_wire::stomp::im::{Code, Destination, Event, QueueError};
use crosstalk_wire::stomp::{
    Ack, ClientFrame, Command as Verb, ErrorFrame, Fault, FrameError, Receipt, ServerFrame,
    Subscribe, Transaction, Unsubscribe, Version,
};

use super::clock::{Clock, Due};
use super::machine::Fatal;
use super::outbox::Outbox;
use super::personal::{Implicit, Kept, Route};
use super::reads::OwnReads;
use super::requests::{Membership, Requests};
use super::subscriptions::{Place, Queue, Subscriptions};
use super::transactions::Transactions;
use crate::protocol::{Ask, Command, Now, Out, Target, Turn, close_code};

/// The longest id of a subscription, bytes.
const MAX_ID_BYTES: usize = 256;
/// How long a DISCONNECT waits for what is under way.
const LEAVING_MS: u64 = 2_000;

/// Whether the connection goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    On,
    Over,
}

/// What a DISCONNECT waits for.
struct Leaving {
    receipt: Option<String>,
    /// At the latest, monotonic ms.
    until_mono_ms: u64,
    /// What was asked before it.
    after: u64,
}

/// An open session. Its methods are spread over the modules of the dialect.
pub(super) struct Live {
    pub(super) user: UserRef,
    /// The app of the session's token; empty if it is of none.
    pub(super) app: Arc<str>,
    pub(super) version: Version,
    session: String,
    strict_subscribe: bool,
    pub(super) clock: Clock,
    pub(super) subscriptions: Subscriptions,
    pub(super) outbox: Outbox,
    pub(super) requests: Requests,
    pub(super) own_reads: OwnReads,
    pub(super) kept: VecDeque<Kept>,
    /// What the client has with what is being written.
    pub(super) had: Vec<Arc<Message>>,
    pub(super) implicit: Implicit,
    /// Bodies for the personal queue that wait for its subscription.
    pub(super) early: Vec<Vec<u8>>,
    transactions: Transactions,
    leaving: Option<Leaving>,
    /// The monotonic time of the step.
    pub(super) mono_ms: u64,
}

impl Live {
    pub(super) fn new(
        session: &Session,
        version: Version,
        clock: Clock,
        strict_subscribe: bool,
        now: Now,
    ) -> Self {
        let app: Arc<str> = session.app.as_ref().map_or("", |app| app.as_str()).into();
        let name = format!("s{}", session.id);
        Self {
            user: session.user.clone(),
            app: Arc::clone(&app),
            version,
            strict_subscribe,
            clock,
            subscriptions: Subscriptions::default(),
            outbox: Outbox::new(version, &name, app),
            session: name,
            requests: Requests::default(),
            own_reads: OwnReads::default(),
            kept: VecDeque::new(),
            had: Vec::new(),
            implicit: Implicit::begin(now),
            early: Vec::new(),
            transactions: Transactions::default(),
            leaving: None,
            mono_ms: now.mono_ms,
        }
    }

    /// The session's name, as CONNECTED and message ids have it.
    pub(super) fn session_name(&self) -> String {
        self.session.clone()
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// Takes one frame.
    pub(super) fn frame(
        &mut self,
        frame: ClientFrame,
        now: Now,
        turn: &mut Turn,
    ) -> Result<Flow, Fatal> {
        self.mono_ms = now.mono_ms;
        let receipt = frame.receipt().map(str::to_owned);
        let fatal = |fault| Fatal::of(fault, receipt.as_deref());
        if let Some(id) = transaction_of(&frame).map(str::to_owned) {
            self.transactions.add(&id, frame).map_err(fatal)?;
            return Ok(Flow::On);
        }
        match frame {
            ClientFrame::Send(send) => self.send(send, now, turn)?,
            ClientFrame::Subscribe(subscribe) => self.subscribe(&subscribe, now, turn)?,
            ClientFrame::Unsubscribe(unsubscribe) => self.unsubscribe(&unsubscribe, turn),
            ClientFrame::Ack(ack) => self.acked(&ack, true, turn),
            ClientFrame::Nack(nack) => self.acked(&nack, false, turn),
            ClientFrame::Begin(transaction) => {
                self.transactions.begin(transaction.id).map_err(fatal)?;
                self.receipt(receipt, &mut turn.out);
            }
            ClientFrame::Commit(transaction) => {
                self.commit(&transaction, now, turn)?;
            }
            ClientFrame::Abort(transaction) => {
                self.transactions.end(&transaction.id).map_err(fatal)?;
                self.receipt(receipt, &mut turn.out);
            }
            ClientFrame::Disconnect { receipt } => {
                self.leaving = Some(Leaving {
                    receipt,
                    until_mono_ms: now.mono_ms + LEAVING_MS,
                    after: self.requests.asked(),
                });
            }
            // The machine has seen to it.
            ClientFrame::Connect(_) => {}
        }
        Ok(self.leave(now, turn))
    }

    /// Runs what waited for a COMMIT. It is done when all of that is.
    fn commit(
        &mut self,
        transaction: &Transaction,
        now: Now,
        turn: &mut Turn,
    ) -> Result<(), Fatal> {
        let frames = self.transactions.end(&transaction.id);
        let receipt = transaction.receipt.as_deref();
        for frame in frames.map_err(|fault| Fatal::of(fault, receipt))? {
            match frame {
                ClientFrame::Send(send) => self.send(send, now, turn)?,
                ClientFrame::Ack(ack) => self.acked(&ack, true, turn),
                ClientFrame::Nack(nack) => self.acked(&nack, false, turn),
                // Nothing else has a transaction.
                _ => {}
            }
        }
        self.receipt_after(transaction.receipt.clone(), &mut turn.out)
    }

    fn subscribe(&mut self, subscribe: &Subscribe, now: Now, turn: &mut Turn) -> Result<(), Fatal> {
        let receipt = subscribe.receipt.as_deref();
        let destination = Destination::parse(&subscribe.destination);
        if subscribe
            .id
            .as_ref()
            .is_some_and(|id| id.len() > MAX_ID_BYTES)
        {
            let error = FrameError::BadHeader {
                command: Verb::Subscribe,
                header: "id",
            };
            return Err(Fatal::new(
                ErrorFrame::from(error).about(receipt),
                error.close_code(),
            ));
        }
        let is_served = matches!(
            destination,
            Destination::User(_) | Destination::GroupTopic(_)
        );
        if !is_served && self.strict_subscribe {
            return Err(Fatal::of(Fault::Forbidden, receipt));
        }
        let group = match destination {
            Destination::GroupTopic(id) => Some(Address::parse(ChannelKind::GROUP, id).ok()),
            _ => None,
        };
        let place = match group {
            // What cannot be a group is kept no longer than its id.
            Some(None) => Place::Nowhere,
            _ => Place::of(&destination),
        };
        let added = self
            .subscriptions
            .add(place.clone(), subscribe.id.as_deref(), subscribe.ack);
        let replaced = added.map_err(|fault| Fatal::of(fault, receipt))?;
        if let Some(replaced) = replaced {
            self.orphaned(replaced);
        }
        match group {
            Some(Some(address)) => {
                let wait = Membership::Subscribe {
                    destination: subscribe.destination.clone(),
                    receipt: subscribe.receipt.clone(),
                };
                self.ask_membership(address, wait, turn);
                // Who is not let in is not told that it is done.
                if self.strict_subscribe {
                    return Ok(());
                }
            }
            Some(None) => {
                self.not_a_member(&subscribe.destination, receipt, &mut turn.out)?;
            }
            None if !is_served => {
                let error = QueueError {
                    code: Code::NotFound,
                    message: "Unknown destination",
                    destination: Some(&subscribe.destination),
                };
                self.error(&error, &mut turn.out);
            }
            None => {}
        }
        self.receipt(subscribe.receipt.clone(), &mut turn.out);
        match place {
            Place::Queue(Queue::Messages) => self.replace_implicit(now, turn),
            Place::Queue(Queue::Events) => {
                if let Some(Due::Warning(ends)) = self.clock.warning(now) {
                    self.warn(ends, now, turn);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Who is no member hears nothing (stomp.md Q2-13).
    pub(super) fn not_a_member(
        &mut self,
        destination: &str,
        receipt: Option<&str>,
        out: &mut Out,
    ) -> Result<(), Fatal> {
        if self.strict_subscribe {
            return Err(Fatal::of(Fault::Forbidden, receipt));
        }
        self.error(&QueueError::not_a_member(destination), out);
        Ok(())
    }

    /// True if a SUBSCRIBE waits for its answer.
    pub(super) fn is_strict(&self) -> bool {
        self.strict_subscribe
    }

    fn unsubscribe(&mut self, unsubscribe: &Unsubscribe, turn: &mut Turn) {
        let id = unsubscribe.id.as_deref();
        let ended = self
            .subscriptions
            .end(id, unsubscribe.destination.as_deref());
        if let Some(serial) = ended {
            self.orphaned(serial);
        }
        self.receipt(unsubscribe.receipt.clone(), &mut turn.out);
    }

    /// What was not acknowledged on a subscription that is gone waits for a sync.
    fn orphaned(&mut self, serial: u32) {
        for message in self.outbox.orphans(serial) {
            self.keep(message, false);
        }
    }

    fn acked(&mut self, ack: &Ack, is_taken: bool, turn: &mut Turn) {
        let mode = |serial| self.subscriptions.mode(serial);
        let messages = self.outbox.settle(&ack.key, mode);
        if is_taken && !messages.is_empty() {
            turn.commands.push(Command::Acknowledge(messages));
        } else {
            // It stays unacknowledged, and comes again to the next session.
            for message in messages {
                let why = "NACK".to_owned();
                turn.commands.push(Command::Reject(message, why));
            }
        }
        self.receipt(ack.receipt.clone(), &mut turn.out);
    }

    /// Answers a frame's receipt, if it asks for one.
    pub(super) fn receipt(&self, receipt: Option<String>, out: &mut Out) {
        if let Some(receipt_id) = receipt {
            let receipt = ServerFrame::Receipt(Receipt { receipt_id });
            self.outbox.frame(&receipt, out);
        }
    }

    /// Ends the connection if the client has said so and nothing is under way any more.
    pub(super) fn leave(&mut self, now: Now, turn: &mut Turn) -> Flow {
        let Some(leaving) = &self.leaving else {
            return Flow::On;
        };
        let is_done = self.requests.is_done(leaving.after);
        if !is_done && now.mono_ms < leaving.until_mono_ms {
            return Flow::On;
        }
        let receipt = self.leaving.take().and_then(|leaving| leaving.receipt);
        self.acknowledge_had(turn);
        self.receipt(receipt, &mut turn.out);
        turn.close_now(now, close_code::NORMAL);
        Flow::Over
    }

    /// Notes the time of a step.
    pub(super) fn at(&mut self, now: Now) {
        self.mono_ms = now.mono_ms;
    }

    /// Tells that the token ends soon, if the client hears events.
    pub(super) fn warn(&mut self, ends: i64, now: Now, turn: &mut Turn) {
        if !self.hears_events() {
            return;
        }
        self.clock.warned();
        let event = Event::TokenExpiring { expires_at: ends };
        self.event(event, now.wall_ms, &mut turn.out);
    }

    /// Whether the client has subscribed to events.
    pub(super) fn hears_events(&self) -> bool {
        self.subscriptions.queue(Queue::Events).is_some()
    }

    /// When something is due next, monotonic ms.
    pub(super) fn next_deadline(&self, now: Now) -> u64 {
        let mut next = self.clock.next(now, self.hears_events());
        if let Some(until) = self.implicit.until() {
            next = next.min(until);
        }
        if let Some(leaving) = &self.leaving {
            next = next.min(leaving.until_mono_ms);
        }
        next
    }

    /// Whether live messages may come: not before it is clear where they go, and not while a
    /// sync gives older ones.
    pub(super) fn has_room(&self) -> bool {
        self.outbox.has_room()
            && self.personal_route() != Route::Later
            && !self.requests.is_syncing()
    }
}

fn transaction_of(frame: &ClientFrame) -> Option<&str> {
    match frame {
        ClientFrame::Send(send) => send.transaction.as_deref(),
        ClientFrame::Ack(ack) | ClientFrame::Nack(ack) => ack.transaction.as_deref(),
        _ => None,
    }
}

/// The channel of a group.
pub(super) fn group(address: Address) -> Ask {
    Ask::Membership(Target::Address(address))
}
