//! An open session: what it holds, and the ways in which it speaks.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::id::MessageId;
use crosstalk_core::session::{Session, Ticket};
use crosstalk_wire::mqtt::im::TypeForm;
use crosstalk_wire::mqtt::im::background::Event as Telling;
use crosstalk_wire::mqtt::{
    Ack, Delivery, Disconnect, Encoder, MessageProperties, Packet, PacketId, Publish, Qos,
    ReasonCode, SubscriptionId, TopicName, Will,
};

use super::acks::{AckKind, Acks, Slot};
use super::aliases::OutAliases;
use super::connect::Agreement;
use super::deliver::Outgoing;
use super::envelope::{self, MqttReader};
use super::flight::Flight;
use super::habit::Habit;
use super::plain::SubscribePlan;
use super::reasons::Told;
use super::settings::MqttSettings;
use crate::protocol::{AskId, Command, Now, Seed, TopicVerb, Turn};

/// After how long the server subscribes for a client that did not (mqtt.md Q3-6).
const IMPLICIT_MS: u64 = 1_000;
/// How often a connection has the form in which it writes `type` remembered.
const MAX_HABITS: u8 = 8;
/// Error messages that wait for a subscription; of more the newest are dropped.
const MAX_TOLD: usize = 100;

/// What is to be done when the core has judged a send.
pub(super) struct Sent {
    pub(super) slot: Option<Slot>,
    /// The id that the client gave it.
    pub(super) id: String,
}

/// What is to be done when a question is answered.
pub(super) enum Asked {
    /// The client asked for something that is no message.
    Chore(Sent),
    /// Nobody waits for it.
    Nothing,
    /// A publication to a plain topic.
    Publish(Option<Slot>),
    /// The number of a publication that must count once.
    Note(Slot),
    /// The same, forgotten.
    Release(PacketId),
    /// The first half of a delivery that must come once.
    Received(PacketId),
    Subscribe(PacketId, Vec<SubscribePlan>),
    /// The reasons of filters that are not for the client, and `None` for the others.
    Unsubscribe(PacketId, Vec<Option<ReasonCode>>, Vec<String>),
}

/// A subscription to one's own messages.
pub(super) struct Own {
    pub(super) filter: String,
    pub(super) qos: Qos,
    pub(super) id: Option<SubscriptionId>,
}

/// See the module's words.
pub(super) struct Live {
    pub(super) settings: MqttSettings,
    pub(super) session: Arc<Session>,
    pub(super) reader: MqttReader,
    pub(super) encoder: Encoder,
    pub(super) client_id: String,
    pub(super) keep_alive_secs: u16,
    pub(super) expiry_secs: u32,
    pub(super) acks: Acks,
    pub(super) flight: Flight,
    /// Topics by the client's aliases, at most as many as it was told.
    pub(super) aliases: HashMap<u16, TopicName>,
    /// Ours.
    out_aliases: OutAliases,
    /// Publications of QoS 2 that are not released; true if the core knows the number, too.
    pub(super) received: HashMap<u16, bool>,
    next_ticket: u64,
    next_ask: u64,
    pub(super) sends: VecDeque<Sent>,
    pub(super) asked: HashMap<u64, Asked>,
    pub(super) own: Vec<Own>,
    /// When the server subscribes for the client, monotonic ms.
    pub(super) implicit_at_ms: Option<u64>,
    pub(super) outgoing: VecDeque<Outgoing>,
    pub(super) topic: Option<TopicName>,
    pub(super) will: Option<Will>,
    /// The client has said goodbye, or was told to go.
    pub(super) is_over: bool,
    /// It has said goodbye.
    pub(super) has_left: bool,
    /// The session does not outlive the connection any more: the client was logged out.
    pub(super) is_logged_out: bool,
    /// Makes ids of what is told distinct from all others.
    told_prefix: String,
    told: u64,
    form_is_fixed: bool,
    habits: u8,
}

impl Live {
    pub(super) fn new(
        settings: &MqttSettings,
        agreement: &mut Agreement,
        session: &Arc<Session>,
        seed: &Seed,
        before: HashMap<MessageId, u16>,
        now: Now,
    ) -> Self {
        let mut reader = MqttReader::new(
            settings,
            &session.realm,
            &session.user,
            session.app.as_ref(),
        );
        let registration = session.registration.as_ref();
        let habit = registration.and_then(|registration| Habit::parse(&registration.habit));
        reader.form = habit.map(|habit| habit.form).unwrap_or_default();
        let mut encoder = Encoder::new(agreement.version);
        if let Some(bytes) = agreement.max_packet_bytes {
            encoder.set_max_packet(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        encoder.set_problem_information(agreement.problem_information);
        let told_prefix = seed[16..24]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            settings: settings.clone(),
            session: Arc::clone(session),
            topic: TopicName::new(reader.account()).ok(),
            reader,
            encoder,
            client_id: agreement.client_id.clone(),
            keep_alive_secs: agreement.keep_alive_secs,
            expiry_secs: agreement.expiry_secs,
            acks: Acks::default(),
            flight: Flight::new(agreement.receive_maximum, before),
            aliases: HashMap::new(),
            out_aliases: OutAliases::new(agreement.topic_alias_maximum),
            received: HashMap::new(),
            next_ticket: 0,
            next_ask: 1,
            sends: VecDeque::new(),
            asked: HashMap::new(),
            own: Vec::new(),
            implicit_at_ms: Some(now.mono_ms + IMPLICIT_MS),
            outgoing: VecDeque::new(),
            will: agreement.im_will.take(),
            is_over: false,
            has_left: false,
            is_logged_out: false,
            told_prefix,
            told: 0,
            form_is_fixed: habit.is_some_and(|habit| habit.is_fixed),
            habits: 0,
        }
    }

    pub(super) fn is_v5(&self) -> bool {
        self.encoder.version().is_v5()
    }

    /// Writes a packet; false if it is none for this client.
    pub(super) fn write(&self, packet: &Packet, turn: &mut Turn) -> bool {
        let written = turn.out.frame(|out| self.encoder.encode(packet, out));
        if let Err(error) = &written {
            tracing::debug!(%error, user = %self.session.user.uid, "a packet was not written");
        }
        written.is_ok()
    }

    /// Publishes something; false if the client cannot take it.
    pub(super) fn write_publish(&mut self, mut publish: Publish, turn: &mut Turn) -> bool {
        let new = self.out_aliases.shorten(&mut publish);
        let is_written = self.write(&Packet::Publish(publish), turn);
        if let Some(topic) = new.filter(|_| is_written) {
            self.out_aliases.told(topic);
        }
        is_written
    }

    /// The next command that the core answers in order.
    pub(super) fn ticket(&mut self, sent: Sent) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.sends.push_back(sent);
        ticket
    }

    pub(super) fn ask_id(&mut self, asked: Asked) -> AskId {
        let id = self.next_ask;
        self.next_ask += 1;
        self.asked.insert(id, asked);
        AskId(id)
    }

    /// Asks something of the topics.
    pub(super) fn topics(&mut self, verb: TopicVerb, asked: Asked, turn: &mut Turn) {
        let id = self.ask_id(asked);
        turn.commands.push(Command::Topics(id, verb));
    }

    /// A publication is accepted.
    pub(super) fn accept(&mut self, slot: Option<Slot>, turn: &mut Turn) {
        let Some(slot) = slot else {
            return;
        };
        match self.acks.kind(slot) {
            // A session that goes on must know the number when the client comes back.
            Some((AckKind::Pubrec, id)) if self.expiry_secs > 0 => {
                self.topics(TopicVerb::Note(id.get()), Asked::Note(slot), turn);
            }
            _ => self.answer(slot, ReasonCode::Success, turn),
        }
    }

    /// A publication is refused: the reason goes with its acknowledgement, where there is one
    /// and it can carry one, and the words in an error message (mqtt.md Q3-10).
    pub(super) fn refuse(&mut self, sent: &Sent, told: Told, why: &str, now: Now, turn: &mut Turn) {
        if let Some(slot) = sent.slot {
            self.answer(slot, told.reason, turn);
        }
        let event = Telling::Error {
            id: sent.id.clone(),
            code: i64::from(told.code),
            msg: why.to_owned(),
        };
        self.tell(&event, now, turn);
    }

    /// Says how a publication is answered.
    pub(super) fn answer(&mut self, slot: Slot, reason: ReasonCode, turn: &mut Turn) {
        self.acks.settle(slot, reason);
        while let Some(due) = self.acks.next_due() {
            let ack = Ack::new(due.id, due.reason);
            let packet = match due.kind {
                AckKind::Puback => Packet::Puback(ack),
                AckKind::Pubrec => {
                    // Before 5.0 a refused one goes on like any other.
                    if !due.reason.is_error() || !self.is_v5() {
                        self.received.entry(due.id.get()).or_insert(false);
                    }
                    Packet::Pubrec(ack)
                }
            };
            self.write(&packet, turn);
        }
    }

    /// Tells this client something of the server's own.
    pub(super) fn tell(&mut self, event: &Telling, now: Now, turn: &mut Turn) {
        let id = self.told_id();
        let telling = envelope::Telling {
            id: &id,
            event,
            at_ms: now.wall_ms,
        };
        let payload = self.reader.system(&telling);
        if !self.own.is_empty() {
            self.publish_once(payload, turn);
        } else if self.outgoing.len() < MAX_TOLD {
            self.outgoing.push_back(Outgoing::Told(payload));
        }
    }

    /// An id that no message has.
    pub(super) fn told_id(&mut self) -> String {
        self.told += 1;
        format!("{}-{}", self.told_prefix, self.told)
    }

    /// Publishes something to the client that is worth nothing later.
    pub(super) fn publish_once(&mut self, payload: Bytes, turn: &mut Turn) -> bool {
        self.publish_own(payload, Delivery::AtMostOnce, None, turn)
    }

    /// Publishes to the client's own topic.
    pub(super) fn publish_own(
        &mut self,
        payload: Bytes,
        delivery: Delivery,
        expiry_secs: Option<u32>,
        turn: &mut Turn,
    ) -> bool {
        let publish = Publish {
            delivery,
            retain: false,
            topic: self.topic.clone(),
            topic_alias: None,
            subscription_ids: self.own.iter().filter_map(|own| own.id).collect(),
            properties: MessageProperties {
                expiry_secs,
                ..MessageProperties::default()
            },
            payload,
        };
        self.write_publish(publish, turn)
    }

    /// Says goodbye with a reason, where the version has words for it.
    pub(super) fn disconnect(&mut self, reason: ReasonCode, turn: &mut Turn) {
        // Several may want to end it at once: the first says why.
        if self.is_v5() && !self.is_over {
            self.write(&Packet::Disconnect(Disconnect::new(reason)), turn);
        }
        self.is_over = true;
    }

    /// Notes how the client writes `type`; true if that is to be remembered.
    pub(super) fn writes(&mut self, form: TypeForm) -> bool {
        if self.form_is_fixed || self.reader.form == form {
            return false;
        }
        self.reader.form = form;
        self.habits += 1;
        self.session.registration.is_some() && self.habits <= MAX_HABITS
    }

    /// Gives back what is not needed while nothing is under way.
    pub(super) fn rest(&mut self) {
        if self.asked.is_empty() && self.asked.capacity() > 0 {
            self.asked = HashMap::new();
        }
        if self.sends.is_empty() && self.sends.capacity() > 0 {
            self.sends = VecDeque::new();
        }
    }

    /// Filters for one's own messages among those that a session has.
    pub(super) fn remember_own(&mut self, filters: Vec<Own>) {
        let known: HashSet<&str> = filters.iter().map(|own| own.filter.as_str()).collect();
        self.own.retain(|own| !known.contains(own.filter.as_str()));
        self.own.extend(filters);
        if !self.own.is_empty() {
            self.implicit_at_ms = None;
        }
    }
}
