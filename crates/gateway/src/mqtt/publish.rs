//! What the client publishes (mqtt.md Q3-6, Q3-9, Q3-13 to Q3-20).

use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::id::Uid;
use crosstalk_core::message::{Body, Draft, Flags, OnReuse};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::SendReply;
use crosstalk_wire::mqtt::im::background::Background;
use crosstalk_wire::mqtt::im::{Envelope, MsgType};
use crosstalk_wire::mqtt::{Delivery, Publish, ReasonCode, TopicName, Will};

use super::acks::{AckKind, Slot};
use super::chores::Chore;
use super::connect::TOPIC_ALIASES;
use super::envelope::Extra;
use super::habit::Habit;
use super::live::{Asked, Live, Sent};
use super::reasons::{FORGED, MALFORMED, refused};
use super::topics::{self, Topic};
use crate::protocol::{Command, Now, TopicVerb, Turn};
use crate::registry::Dialect;

/// What forces a group.
pub(super) const GROUP_PREFIX: &str = "group:";
/// A target that means everybody.
const EVERYBODY: &str = "all";

impl Live {
    /// Takes a publication. The error is the reason for which the connection ends.
    pub(super) fn publish(
        &mut self,
        mut publish: Publish,
        now: Now,
        turn: &mut Turn,
    ) -> Result<(), ReasonCode> {
        let topic = self.topic_of(&mut publish)?;
        let slot = match self.slot_of(publish.delivery, turn)? {
            Place::New(slot) => slot,
            Place::Again => return Ok(()),
        };
        let account = self.reader.account();
        match topics::topic(topic.as_str(), account) {
            Topic::Plain => self.publish_plain(&topic, publish, slot, turn),
            Topic::Dollar => {
                if let Some(slot) = slot {
                    self.answer(slot, ReasonCode::NoMatchingSubscribers, turn);
                }
            }
            Topic::Send => self.send(None, &publish, slot, now, turn),
            Topic::To(to) => self.send(Some(to), &publish, slot, now, turn),
        }
        Ok(())
    }

    /// The topic, which an alias may stand for.
    fn topic_of(&mut self, publish: &mut Publish) -> Result<TopicName, ReasonCode> {
        let topic = publish.topic.take();
        let Some(alias) = publish.topic_alias else {
            return topic.ok_or(ReasonCode::ProtocolError);
        };
        if alias.get() > TOPIC_ALIASES {
            return Err(ReasonCode::TopicAliasInvalid);
        }
        if let Some(topic) = &topic {
            self.aliases.insert(alias.get(), topic.clone());
        }
        let known = || self.aliases.get(&alias.get()).cloned();
        topic.or_else(known).ok_or(ReasonCode::ProtocolError)
    }

    /// The place of a publication among those that are to be answered.
    fn slot_of(&mut self, delivery: Delivery, turn: &mut Turn) -> Result<Place, ReasonCode> {
        let (kind, id) = match delivery {
            Delivery::AtMostOnce => return Ok(Place::New(None)),
            Delivery::AtLeastOnce { id, .. } => (AckKind::Puback, id),
            Delivery::ExactlyOnce { id, .. } => (AckKind::Pubrec, id),
        };
        if kind == AckKind::Pubrec {
            if self.acks.has(kind, id) {
                return Ok(Place::Again);
            }
            if self.received.contains_key(&id.get()) {
                let slot = self.acks.open(kind, id);
                self.answer(slot, ReasonCode::Success, turn);
                return Ok(Place::Again);
            }
        }
        let open = self.acks.len() + self.received.len();
        if self.is_v5() && open >= usize::from(self.settings.limits.receive_maximum) {
            return Err(ReasonCode::ReceiveMaximumExceeded);
        }
        Ok(Place::New(Some(self.acks.open(kind, id))))
    }

    fn publish_plain(
        &mut self,
        topic: &TopicName,
        publish: Publish,
        slot: Option<Slot>,
        turn: &mut Turn,
    ) {
        let once = slot.and_then(|slot| match self.acks.kind(slot) {
            Some((AckKind::Pubrec, id)) => Some(id.get()),
            _ => None,
        });
        match super::plain::publication(topic, publish, once) {
            Some(publication) => {
                let verb = TopicVerb::Publish(Box::new(publication));
                self.topics(verb, Asked::Publish(slot), turn);
            }
            None => {
                if let Some(slot) = slot {
                    self.answer(slot, ReasonCode::TopicNameInvalid, turn);
                }
            }
        }
    }

    /// Takes what is published to the messenger.
    fn send(
        &mut self,
        topic: Option<&str>,
        publish: &Publish,
        slot: Option<Slot>,
        now: Now,
        turn: &mut Turn,
    ) {
        let expiry_secs = publish.properties.expiry_secs;
        match self.read(topic, &publish.payload, expiry_secs, turn) {
            Ok(said) => self.say(said, slot, turn),
            Err((told, id, why)) => {
                let sent = Sent { slot, id };
                self.refuse(&sent, told, &why, now, turn);
            }
        }
    }

    fn say(&mut self, said: Said, slot: Option<Slot>, turn: &mut Turn) {
        let sent = Sent { slot, id: said.id };
        match said.what {
            What::Chore(chore) => self.chore(chore, Asked::Chore(sent), turn),
            What::Message { to, only, draft } => {
                let ticket = self.ticket(sent);
                turn.commands.push(if only.is_empty() {
                    Command::SendTo(ticket, to, *draft)
                } else {
                    Command::SendToSome(ticket, to, only, *draft)
                });
            }
        }
    }

    /// What a payload says, if it is an envelope that this client may send.
    fn read(
        &mut self,
        topic: Option<&str>,
        payload: &Bytes,
        expiry_secs: Option<u32>,
        turn: &mut Turn,
    ) -> Result<Said, Wrong> {
        let envelope = Envelope::read(payload, self.reader.table())
            .map_err(|error| (MALFORMED, error.id.clone(), error.fault.to_string()))?;
        if self.writes(envelope.form) {
            let habit = Habit {
                form: envelope.form,
                is_fixed: false,
            };
            self.chore(Chore::Remember(habit.text()), Asked::Nothing, turn);
        }
        let wrong = |told, why: &str| Err((told, envelope.id.clone(), why.to_owned()));
        if payload.len() > self.settings.limits.max_payload_bytes {
            return wrong(refused(Refusal::TooLarge), "too large");
        }
        if !self.is_me(&envelope.from) && !envelope.from.is_empty() {
            return wrong(FORGED, "from is somebody else");
        }
        if !envelope.tenant_no.is_empty() && envelope.tenant_no != self.reader.tenant_no() {
            return wrong(FORGED, "tenantNo is another tenant's");
        }
        if topic.is_some_and(|topic| !self.is_topic_of(topic, &envelope.to)) {
            return wrong(MALFORMED, "topic and to are different");
        }
        let kind = envelope.kind.meaning();
        let mut is_command = false;
        let mut is_background = envelope.is_background;
        if kind == MsgType::Exception {
            let report = String::from_utf8_lossy(payload).into_owned();
            return Ok(Said::chore(envelope.id, Chore::Report(report)));
        }
        if kind == MsgType::Background {
            let Ok(background) = Background::read(envelope.content) else {
                return wrong(MALFORMED, "content has a wrong value");
            };
            match background.request() {
                Ok(Some(request)) => {
                    let chore = Chore::asked(request, &envelope.to);
                    return Ok(Said::chore(envelope.id, chore));
                }
                Ok(None) => {}
                Err(_) => return wrong(MALFORMED, "content has a wrong value"),
            }
            // Calls are for people.
            let is_call = background.as_call().is_some();
            is_command = !is_call;
            is_background |= !is_call;
        }
        let flags = Flags {
            counts: !is_background,
            command: is_command,
            ..Flags::default()
        };
        let only = self.only(&envelope.to, &envelope.target);
        Ok(Self::said(envelope, flags, expiry_secs, only))
    }

    /// The message that an envelope is.
    fn said(
        envelope: Envelope<'_>,
        flags: Flags,
        expiry_secs: Option<u32>,
        only: Vec<String>,
    ) -> Said {
        let extra = Extra {
            target: envelope.target.clone(),
            ..Extra::default()
        };
        let body = Body {
            client_no: envelope.id.as_str().into(),
            origin: Dialect::Mqtt.origin(),
            tag: Arc::from(&*envelope.kind.to_tag()),
            flags,
            // What is worth nothing at once is worth something for a second.
            expire_secs: expiry_secs.map_or(0, |secs| secs.max(1)),
            payload: Bytes::copy_from_slice(envelope.content.as_bytes()),
            extra: extra.encode(),
            ..Body::default()
        };
        let draft = Draft {
            // The core finds out whom the name means.
            to: Address {
                kind: ChannelKind::DIRECT,
                id: "".into(),
            },
            body,
            on_reuse: OnReuse::Store,
            require_peer: true,
            fault: None,
        };
        let what = What::Message {
            to: envelope.to.as_str().into(),
            only,
            draft: Box::new(draft),
        };
        Said {
            id: envelope.id,
            what,
        }
    }

    /// Who of a group is meant; nobody by name if it is everybody (mqtt.md Q3-13).
    fn only(&self, to: &str, target: &str) -> Vec<String> {
        let group = |name: &str| name.strip_prefix(GROUP_PREFIX).unwrap_or(name).to_owned();
        let is_everybody = target.is_empty()
            || target == EVERYBODY
            || group(target) == group(to)
            || self.is_me(target);
        if is_everybody {
            return Vec::new();
        }
        let names = target.split(',').map(str::trim);
        let names = names.filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    }

    fn is_me(&self, name: &str) -> bool {
        name == self.reader.account() || name == self.reader.uid().as_str()
    }

    /// Whether a topic is that of a receiver, by its own name or by the account.
    fn is_topic_of(&self, topic: &str, to: &str) -> bool {
        if topic == to || Some(topic) == to.strip_prefix(GROUP_PREFIX) {
            return true;
        }
        let is_account = |uid: &Uid| {
            let account = self.settings.aliases.of(self.reader.realm(), uid);
            account.as_str() == topic
        };
        Uid::parse(to).is_ok_and(|uid| is_account(&uid))
    }

    /// The core has judged a send.
    pub(super) fn sent(&mut self, reply: SendReply, now: Now, turn: &mut Turn) {
        let Some(sent) = self.sends.pop_front() else {
            return;
        };
        match reply {
            Ok(_) => self.accept(sent.slot, turn),
            Err(refusal) => {
                let why = refusal.why.code().replace('_', " ");
                self.refuse(&sent, refused(refusal.why), &why, now, turn);
            }
        }
        self.rest();
    }

    /// The connection is lost: what the client wanted said then (mqtt.md Q3-33).
    pub(super) fn say_will(&mut self, turn: &mut Turn) {
        let Some(Will {
            topic,
            payload,
            properties,
            ..
        }) = self.will.take()
        else {
            return;
        };
        let account = self.reader.account();
        let to = match topics::topic(topic.as_str(), account) {
            Topic::Send => None,
            Topic::To(to) => Some(to),
            Topic::Plain | Topic::Dollar => return,
        };
        // Nobody is there to hear why it is none.
        if let Ok(said) = self.read(to, &payload, properties.expiry_secs, turn)
            && matches!(said.what, What::Message { .. })
        {
            self.say(said, None, turn);
        }
    }
}

/// What is wrong with what was published: what is told, its id and the words.
type Wrong = (super::reasons::Told, String, String);

enum Place {
    New(Option<Slot>),
    /// It came before, and was or will be answered.
    Again,
}

struct Said {
    id: String,
    what: What,
}

enum What {
    Message {
        to: Arc<str>,
        /// Of a group only these.
        only: Vec<String>,
        draft: Box<Draft>,
    },
    Chore(Chore),
}

impl Said {
    fn chore(id: String, chore: Chore) -> Self {
        Self {
            id,
            what: What::Chore(chore),
        }
    }
}
