//! MESSAGE frames of one connection: their ids, and what of them is not acknowledged
//! (stomp.md Q2-7, stomp-sockjs-wire.md §1.7).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::BytesMut;
use crosstalk_core::message::Message;
use crosstalk_wire::stomp::{
    AckKey, AckMode, Escaping, Frame, Receiver, ServerFrame, SharedMessage, Version, encode,
};

use super::render::view;
use super::subscriptions::{Queue, Subscription};
use crate::protocol::Out;

/// Messages that a client may leave unacknowledged; at this many it is given no more.
const MAX_UNACKED: usize = 1_000;
/// Their bytes, likewise.
const MAX_UNACKED_BYTES: usize = 4 << 20;

/// The subscription of those who have made none (stomp.md Q2-6).
const IMPLICIT: &str = "auto";

/// The media type of all bodies.
const JSON: &str = "application/json";

/// The last message that this thread has rendered.
struct Rendered {
    message: Arc<Message>,
    app: Arc<str>,
    escaping: Escaping,
    shared: SharedMessage,
}

thread_local! {
    /// A message goes to many sessions in a row: what they share is made once.
    static RENDERED: RefCell<Option<Rendered>> = const { RefCell::new(None) };
}

/// A message that waits for its ACK.
struct Unacked {
    /// Of the subscription it came by.
    serial: u32,
    message: Arc<Message>,
}

/// Whom a MESSAGE goes to.
#[derive(Clone, Copy)]
pub(super) enum To<'a> {
    /// A subscription.
    Subscription(&'a Subscription),
    /// The client has none yet.
    Implicit,
}

/// See the module's words.
pub(super) struct Outbox {
    escaping: Escaping,
    /// What ids begin with: the session's.
    prefix: String,
    /// The app of the session.
    app: Arc<str>,
    next: u64,
    unacked: BTreeMap<u64, Unacked>,
    unacked_bytes: usize,
    id: String,
}

impl Outbox {
    pub(super) fn new(version: Version, session: &str, app: Arc<str>) -> Self {
        Self {
            escaping: Escaping::of(version),
            prefix: format!("{session}-"),
            app,
            next: 1,
            unacked: BTreeMap::new(),
            unacked_bytes: 0,
            id: String::new(),
        }
    }

    /// False while too much is not acknowledged.
    pub(super) fn has_room(&self) -> bool {
        self.room() > 0
    }

    /// How many more may be given.
    pub(super) fn room(&self) -> usize {
        if self.unacked_bytes >= MAX_UNACKED_BYTES {
            return 0;
        }
        MAX_UNACKED.saturating_sub(self.unacked.len())
    }

    /// Writes a frame that is no MESSAGE.
    pub(super) fn frame(&self, frame: &ServerFrame, out: &mut Out) {
        say(&frame.to_frame(), self.escaping, out);
    }

    /// Writes a body that is for this session alone. True if the client got it.
    pub(super) fn body(&mut self, queue: Queue, to: To<'_>, body: &[u8], out: &mut Out) -> bool {
        let shared = SharedMessage::new(queue.destination(), Some(JSON), body, self.escaping);
        shared.is_ok_and(|shared| self.shared(&shared, to, out).is_some())
    }

    /// Writes a message, as rendered from its own text or as `body` has it. Returns whether
    /// it waits for an ACK now; `None` = it could not be written.
    pub(super) fn message(
        &mut self,
        message: &Arc<Message>,
        body: Option<&[u8]>,
        destination: &str,
        to: To<'_>,
        out: &mut Out,
    ) -> Option<bool> {
        let shared = match body {
            Some(body) => SharedMessage::new(destination, Some(JSON), body, self.escaping).ok()?,
            None => self.rendered(message, destination)?,
        };
        let number = self.shared(&shared, to, out)?;
        let To::Subscription(subscription) = to else {
            return Some(false);
        };
        if subscription.ack.waits() {
            let unacked = Unacked {
                serial: subscription.serial,
                message: Arc::clone(message),
            };
            self.unacked_bytes += message.weight();
            self.unacked.insert(number, unacked);
        }
        Some(subscription.ack.waits())
    }

    fn rendered(&self, message: &Arc<Message>, destination: &str) -> Option<SharedMessage> {
        RENDERED.with_borrow_mut(|rendered| {
            let known = rendered.as_ref().filter(|known| {
                Arc::ptr_eq(&known.message, message)
                    && known.app == self.app
                    && known.escaping == self.escaping
            });
            if let Some(known) = known {
                return known.shared.at(destination, self.escaping).ok();
            }
            let body = view(message, &self.app).to_json();
            let shared = SharedMessage::new(destination, Some(JSON), &body, self.escaping).ok()?;
            *rendered = Some(Rendered {
                message: Arc::clone(message),
                app: Arc::clone(&self.app),
                escaping: self.escaping,
                shared: shared.clone(),
            });
            Some(shared)
        })
    }

    /// Writes one MESSAGE; returns its number.
    fn shared(&mut self, shared: &SharedMessage, to: To<'_>, out: &mut Out) -> Option<u64> {
        use std::fmt::Write as _;
        let number = self.next;
        let (subscription, waits, serial) = match to {
            To::Subscription(to) => (to.id.as_deref(), to.ack.waits(), to.serial),
            To::Implicit => (Some(IMPLICIT), false, 0),
        };
        self.id.clear();
        self.id.push_str(&self.prefix);
        // A string takes any text.
        let _ = write!(self.id, "{serial}-{number}");
        let receiver = Receiver {
            subscription,
            message_id: &self.id,
            ack: waits.then_some(&*self.id),
        };
        let escaping = self.escaping;
        let written = out.frame(|out| shared.encode_for(&receiver, escaping, out));
        if let Err(error) = written {
            tracing::warn!(%error, "a MESSAGE cannot be written");
            return None;
        }
        self.next += 1;
        Some(number)
    }

    /// Takes out what an ACK or NACK names: one message, or with it all before it that came
    /// by the same subscription. Ids that nothing waits under are passed over.
    pub(super) fn settle(
        &mut self,
        key: &AckKey,
        mode: impl Fn(u32) -> Option<AckMode>,
    ) -> Vec<Arc<Message>> {
        let named = key.id().strip_prefix(&self.prefix);
        let named = named.and_then(|named| {
            let (serial, number) = named.split_once('-')?;
            Some((serial.parse::<u32>().ok()?, number.parse::<u64>().ok()?))
        });
        let Some((serial, number)) = named else {
            return Vec::new();
        };
        // What itself waits for no ACK stands for all before it, too.
        let from = match mode(serial) {
            Some(AckMode::Client) => 0,
            _ => number,
        };
        let named: Vec<u64> = self
            .unacked
            .range(from.min(number)..=number)
            .filter(|(_, waiting)| waiting.serial == serial)
            .map(|(number, _)| *number)
            .collect();
        self.take(&named)
    }

    /// Takes out what came by a subscription that is gone, oldest first.
    pub(super) fn orphans(&mut self, serial: u32) -> Vec<Arc<Message>> {
        let of_it = |(_, waiting): &(&u64, &Unacked)| waiting.serial == serial;
        let numbers: Vec<u64> = self
            .unacked
            .iter()
            .filter(of_it)
            .map(|(number, _)| *number)
            .collect();
        self.take(&numbers)
    }

    fn take(&mut self, numbers: &[u64]) -> Vec<Arc<Message>> {
        let taken = numbers
            .iter()
            .filter_map(|number| self.unacked.remove(number));
        let taken: Vec<_> = taken.map(|taken| taken.message).collect();
        let bytes = taken.iter().map(|message| message.weight());
        self.unacked_bytes -= bytes.sum::<usize>();
        taken
    }
}

/// Writes a frame of the server's.
pub(super) fn say(frame: &Frame, escaping: Escaping, out: &mut Out) {
    let written = out.frame(|out: &mut BytesMut| encode(frame, escaping, out));
    if let Err(error) = written {
        tracing::warn!(%error, "a frame cannot be written");
    }
}
