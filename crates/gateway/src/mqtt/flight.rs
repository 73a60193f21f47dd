//! Messages that were published to the client and are not acknowledged: packet id by message.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crosstalk_core::id::MessageId;
use crosstalk_core::message::Message;
use crosstalk_core::pubsub::DeliveryId;
use crosstalk_wire::mqtt::PacketId;

/// Packet ids of messages begin above those of topics.
const FIRST: u16 = DeliveryId::MAX + 1;

/// What may be unacknowledged, whatever the client takes.
const MOST: usize = 1_000;

/// See the module's words.
pub(super) struct Flight {
    limit: usize,
    next: u16,
    messages: HashMap<u16, Arc<Message>>,
    /// Deliveries of topics.
    topics: HashSet<u16>,
    /// What went before the connection was lost, and under which ids.
    before: HashMap<MessageId, u16>,
}

impl Flight {
    /// Room for `receive_maximum` of both together, or fewer.
    pub(super) fn new(receive_maximum: u16, before: HashMap<MessageId, u16>) -> Self {
        Self {
            limit: usize::from(receive_maximum).clamp(1, MOST),
            next: FIRST,
            messages: HashMap::new(),
            topics: HashSet::new(),
            before,
        }
    }

    /// How many more may go.
    pub(super) fn room(&self) -> usize {
        self.limit
            .saturating_sub(self.messages.len() + self.topics.len())
    }

    /// A message goes: under which id, and whether it goes again.
    pub(super) fn goes(&mut self, message: &Arc<Message>) -> (PacketId, bool) {
        let before = self.before.remove(&message.id);
        let is_again = before.is_some();
        let id = match before.filter(|id| !self.messages.contains_key(id)) {
            Some(id) => id,
            None => self.free(),
        };
        self.messages.insert(id, Arc::clone(message));
        if self.before.is_empty() && self.before.capacity() > 0 {
            self.before = HashMap::new();
        }
        (PacketId::new(id).expect("ids begin at 0x8000"), is_again)
    }

    /// There are more ids than messages.
    fn free(&mut self) -> u16 {
        let taken =
            |id: &u16| self.messages.contains_key(id) || self.before.values().any(|b| b == id);
        let mut id = self.next;
        while taken(&id) {
            id = after(id);
        }
        self.next = after(id);
        id
    }

    /// A message that was to go does not fit.
    pub(super) fn does_not_go(&mut self, id: PacketId) {
        self.messages.remove(&id.get());
    }

    /// The client has a message.
    pub(super) fn acknowledged(&mut self, id: PacketId) -> Option<Arc<Message>> {
        self.messages.remove(&id.get())
    }

    /// A delivery of a topic goes.
    pub(super) fn topic_goes(&mut self, id: DeliveryId) {
        self.topics.insert(id.0.get());
    }

    /// The delivery of a topic with this packet id, if it is one.
    pub(super) fn topic(&self, id: PacketId) -> Option<DeliveryId> {
        let number = std::num::NonZeroU16::new(id.get())?;
        self.topics
            .contains(&id.get())
            .then_some(DeliveryId(number))
    }

    /// A delivery of a topic is over.
    pub(super) fn topic_done(&mut self, id: DeliveryId) {
        self.topics.remove(&id.0.get());
    }

    /// What is not acknowledged, and under which ids it went.
    pub(super) fn under_way(&mut self) -> HashMap<MessageId, u16> {
        let mut all = std::mem::take(&mut self.before);
        let stored = self.messages.drain().filter(|(_, message)| message.seq > 0);
        all.extend(stored.map(|(id, message)| (message.id, id)));
        all
    }
}

fn after(id: u16) -> u16 {
    id.checked_add(1).unwrap_or(FIRST)
}
