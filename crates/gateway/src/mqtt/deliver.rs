//! What goes out of the messenger to the client: on its own topic, QoS 1, no more than its
//! window (mqtt.md Q3-6, Q3-11).

use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::message::Message;
use crosstalk_core::session::{Event, Notice};
use crosstalk_wire::mqtt::im::background::Event as Told;
use crosstalk_wire::mqtt::im::register::OsType;
use crosstalk_wire::mqtt::{Ack, Delivery, PacketId, Qos};

use super::envelope::{Telling, mqtt_envelope, name};
use super::live::Live;
use crate::protocol::{Command, Now, Turn};

/// Something for the client, in its turn.
pub(super) enum Outgoing {
    Message(Arc<Message>),
    Notice(Arc<Notice>),
    /// What the server itself says.
    Told(Bytes),
}

impl From<Event> for Outgoing {
    fn from(event: Event) -> Self {
        match event {
            Event::Message(message) => Self::Message(message),
            Event::Notice(notice) => Self::Notice(notice),
        }
    }
}

impl Live {
    /// Publishes what waits, as far as the client takes it.
    pub(super) fn pump(&mut self, now: Now, turn: &mut Turn) {
        let Some(qos) = self.own.iter().map(|own| own.qos).max() else {
            return;
        };
        let qos = qos.min(Qos::AtLeastOnce);
        let (mut has, mut skips) = (Vec::new(), Vec::new());
        while let Some(next) = self.outgoing.pop_front() {
            match next {
                Outgoing::Told(payload) => {
                    self.publish_once(payload, turn);
                }
                Outgoing::Notice(notice) => {
                    if let Some(payload) = self.notice(&notice, now) {
                        self.publish_once(payload, turn);
                    }
                }
                Outgoing::Message(message)
                    if qos == Qos::AtLeastOnce && self.flight.room() == 0 =>
                {
                    self.outgoing.push_front(Outgoing::Message(message));
                    break;
                }
                Outgoing::Message(message) => match self.message(&message, qos, now, turn) {
                    Gone::Waits => {}
                    Gone::Written => has.push(message),
                    Gone::Left => skips.push(message),
                },
            }
        }
        if !has.is_empty() {
            turn.commands.push(Command::Acknowledge(has));
        }
        if !skips.is_empty() {
            turn.commands.push(Command::Settle(skips));
        }
    }

    fn message(&mut self, message: &Arc<Message>, qos: Qos, now: Now, turn: &mut Turn) -> Gone {
        let left_secs = match message.expires_at_ms() {
            None => None,
            Some(at_ms) if at_ms <= now.wall_ms => return Gone::Left,
            Some(at_ms) => {
                let secs = (at_ms - now.wall_ms).saturating_add(999) / 1000;
                Some(u32::try_from(secs).unwrap_or(u32::MAX))
            }
        };
        let Some(payload) = mqtt_envelope(message, &self.reader) else {
            return Gone::Left;
        };
        if qos == Qos::AtMostOnce {
            // What is too large for the client counts as sent (MQTT 5.0 §3.1.2.11.4).
            self.publish_own(payload, Delivery::AtMostOnce, left_secs, turn);
            return Gone::Written;
        }
        let (id, dup) = self.flight.goes(message);
        let delivery = Delivery::AtLeastOnce { id, dup };
        if self.publish_own(payload, delivery, left_secs, turn) {
            Gone::Waits
        } else {
            self.flight.does_not_go(id);
            Gone::Written
        }
    }

    fn notice(&mut self, notice: &Notice, now: Now) -> Option<Bytes> {
        let id = self.told_id();
        let telling = |event, at_ms| Telling {
            id: &id,
            event,
            at_ms,
        };
        match notice {
            Notice::Delivered { message, by, at_ms } => {
                let event = Told::Received {
                    id: name(message).into_owned(),
                    reader: self.reader.account_of(by.uid.as_str()),
                };
                let channel = &message.channel.key;
                let by = by.uid.as_str();
                Some(self.reader.happened(channel, by, &telling(&event, *at_ms)))
            }
            Notice::Presence {
                user,
                is_online,
                is_turn: true,
                at_ms,
                ..
            } => {
                let event = Told::Presence {
                    account: self.reader.account_of(user.uid.as_str()),
                    online: *is_online,
                    os: OsType::Unknown.code(),
                };
                Some(self.reader.system(&telling(&event, *at_ms)))
            }
            Notice::Handed {
                count,
                more,
                through,
            } => {
                let event = Told::Sync {
                    count: i64::try_from(*count).unwrap_or(i64::MAX),
                    more: *more,
                    cursor: through.map(|id| id.to_string()),
                };
                Some(self.reader.system(&telling(&event, now.wall_ms)))
            }
            // Clients of this dialect say why in no way that could be told, and what somebody
            // says beside being there has no place in it.
            Notice::Rejected { .. } | Notice::Presence { .. } => None,
        }
    }

    /// The client has acknowledged a message of the messenger's.
    pub(super) fn acknowledged(&mut self, ack: &Ack, now: Now, turn: &mut Turn) {
        let id: PacketId = ack.packet_id;
        if let Some(message) = self.flight.acknowledged(id) {
            let message = vec![message];
            turn.commands.push(if ack.reason.is_error() {
                Command::Settle(message)
            } else {
                Command::Acknowledge(message)
            });
        }
        self.pump(now, turn);
    }
}

/// What became of a message.
enum Gone {
    /// It is to be acknowledged.
    Waits,
    /// It counts as delivered.
    Written,
    /// The client is not shown it.
    Left,
}
