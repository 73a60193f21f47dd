//! The machine of one connection: from CONNECT to its end (mqtt-wire.md §4.1).

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::BytesMut;
use crosstalk_core::pubsub::{self, AttachmentEnd, Detach, TopicError};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{Displacement, Ending, Event, SendReply, Session, Ticket};
use crosstalk_wire::mqtt::im::background::Event as Telling;
use crosstalk_wire::mqtt::{
    Connack, Connect, DecodeError, Decoder, Disconnect, Encoder, Packet, Qos, ReasonCode, Version,
};

use super::connect::{Agreement, Wrong, credential};
use super::live::{Live, Own};
use super::plain::own_of;
use super::reasons::login_reason;
use super::settings::MqttSettings;
use crate::protocol::{
    Answer, Arrival, AskId, Command, Now, Protocol, Seed, TopicAnswer, TopicVerb, Turn, close_code,
};

/// Silence before CONNECT, and from CONNECT until the session is open.
const GREETING_MS: u64 = 10_000;
/// The largest packet before the session is open.
const MAX_GREETING_BYTES: usize = 64 * 1024;
/// The question by which a connection is attached to the topics.
const ATTACH: AskId = AskId(0);

enum Phase {
    /// Waits for CONNECT.
    Greeting,
    /// Waits for the core's word on the CONNECT.
    Opening(Box<Agreement>),
    /// Waits for the topics.
    Attaching(Box<Agreement>, Arc<Session>),
    /// The session is open.
    Live(Box<Live>),
    /// Nothing is read or said any more.
    Over,
}

pub(super) struct Machine {
    settings: MqttSettings,
    arrival: Arrival,
    seed: Seed,
    decoder: Decoder,
    phase: Phase,
    /// When something was last received, or the phase began.
    since_mono_ms: u64,
}

impl Machine {
    pub(super) fn new(settings: MqttSettings, arrival: Arrival, seed: &Seed, now: Now) -> Self {
        let mut decoder = Decoder::of_client();
        decoder.set_max_packet(MAX_GREETING_BYTES.min(settings.limits.max_packet_bytes));
        Self {
            settings,
            arrival,
            seed: *seed,
            decoder,
            phase: Phase::Greeting,
            since_mono_ms: now.mono_ms,
        }
    }

    fn packet(&mut self, packet: Packet, now: Now, turn: &mut Turn) {
        match (&mut self.phase, packet) {
            (Phase::Greeting, Packet::Connect(connect)) => self.connect(*connect, now, turn),
            (Phase::Live(_), Packet::Disconnect(disconnect)) => self.left(&disconnect, now, turn),
            (Phase::Live(live), packet) => {
                if let Err(reason) = live_packet(live, packet, now, turn) {
                    self.part(reason, close_code::PROTOCOL, now, turn);
                }
            }
            _ => self.over(now, close_code::PROTOCOL, turn),
        }
    }

    fn over(&mut self, now: Now, code: u16, turn: &mut Turn) {
        self.phase = Phase::Over;
        turn.close_now(now, code);
    }

    /// Ends an open session with a reason. What the client wanted said then is said when the
    /// connection is over.
    fn part(&mut self, reason: ReasonCode, code: u16, now: Now, turn: &mut Turn) {
        if let Phase::Live(live) = &mut self.phase {
            live.disconnect(reason, turn);
        }
        turn.close_now(now, code);
    }

    fn connect(&mut self, mut connect: Connect, now: Now, turn: &mut Turn) {
        self.since_mono_ms = now.mono_ms;
        let version = connect.version;
        let proof = credential(&mut connect, &self.settings, &self.arrival);
        let agreed = Agreement::new(connect, &self.settings, &self.seed);
        let (agreement, credential) = match (agreed, proof) {
            (Ok(agreement), Ok(credential)) => (agreement, credential),
            (Err(wrong), _) | (Ok(_), Err(wrong)) => {
                let reason = match wrong {
                    Wrong::ClientId => ReasonCode::ClientIdNotValid,
                    Wrong::AuthenticationMethod => ReasonCode::BadAuthenticationMethod,
                    Wrong::Username | Wrong::Password => ReasonCode::BadUserNameOrPassword,
                };
                return self.refuse(version, reason, now, turn);
            }
        };
        let open = agreement.open(credential, &self.settings, &self.arrival);
        self.phase = Phase::Opening(Box::new(agreement));
        turn.commands.push(Command::Open(open));
    }

    fn refuse(&mut self, version: Version, reason: ReasonCode, now: Now, turn: &mut Turn) {
        let connack = Packet::Connack(Connack::refusing(reason).into());
        let encoder = Encoder::new(version);
        // A reason that the version has no word for leaves only the closing.
        let _ = turn.out.frame(|out| encoder.encode(&connack, out));
        self.over(now, close_code::POLICY, turn);
    }

    /// The client has said goodbye.
    fn left(&mut self, disconnect: &Disconnect, now: Now, turn: &mut Turn) {
        let Phase::Live(live) = &mut self.phase else {
            return;
        };
        let new_expiry = disconnect.session_expiry_secs;
        if live.expiry_secs == 0 && new_expiry.is_some_and(|secs| secs > 0) {
            return self.part(ReasonCode::ProtocolError, close_code::PROTOCOL, now, turn);
        }
        let longest = self.settings.limits.max_session_secs;
        let new_expiry = new_expiry.map(|secs| secs.min(longest));
        live.is_over = true;
        live.has_left = true;
        live.expiry_secs = new_expiry.unwrap_or(live.expiry_secs);
        let how = if disconnect.reason == ReasonCode::Success {
            live.will = None;
            Detach::Clean
        } else {
            live.say_will(turn);
            Detach::WithWill
        };
        let verb = TopicVerb::Detach(how, new_expiry);
        turn.commands.push(Command::Topics(ATTACH, verb));
        turn.close_now(now, close_code::NORMAL);
    }

    fn attached(
        &mut self,
        result: Result<(bool, Vec<pubsub::Subscription>), TopicError>,
        now: Now,
        turn: &mut Turn,
    ) {
        let Phase::Attaching(mut agreement, session) =
            std::mem::replace(&mut self.phase, Phase::Over)
        else {
            return;
        };
        let (is_present, subscriptions) = match result {
            Ok(attached) => attached,
            Err(error) => {
                let reason = match error {
                    TopicError::Quota => ReasonCode::QuotaExceeded,
                    _ => ReasonCode::ServerUnavailable,
                };
                return self.refuse(agreement.version, reason, now, turn);
            }
        };
        let under_way = self.settings.under_way();
        // Whatever went before: in a new session it does not go again.
        let mut before = under_way.take(session.user.num, &agreement.client_id);
        if !is_present {
            before.clear();
        }
        let connack = Connack {
            session_present: is_present,
            reason: ReasonCode::Success,
            properties: agreement.properties(&self.settings),
        };
        let mut live = Live::new(
            &self.settings,
            &mut agreement,
            &session,
            &self.seed,
            before,
            now,
        );
        live.write(&Packet::Connack(connack.into()), turn);
        let own = own_of(&subscriptions, live.reader.account());
        live.remember_own(own);
        self.decoder
            .set_max_packet(self.settings.limits.max_packet_bytes);
        self.since_mono_ms = now.mono_ms;
        self.phase = Phase::Live(Box::new(live));
    }

    fn malformed(&mut self, error: DecodeError, now: Now, turn: &mut Turn) {
        tracing::debug!(%error, peer = %self.arrival.client, "malformed packet");
        let accepted = matches!(self.phase, Phase::Live(_));
        let answer = error.answer(self.decoder.version(), accepted);
        let said = turn.out.frame(|out| {
            answer.encode(out);
            Ok::<(), std::convert::Infallible>(())
        });
        let Ok(()) = said;
        let code = match error {
            DecodeError::TooLarge { .. } => close_code::TOO_BIG,
            _ => close_code::PROTOCOL,
        };
        if let Phase::Live(live) = &mut self.phase {
            live.is_over = true;
            turn.close_now(now, code);
        } else {
            self.over(now, code, turn);
        }
    }

    /// When a client that says nothing is given up, monotonic ms.
    fn silence_ends(&self) -> u64 {
        let patience_ms = match &self.phase {
            Phase::Live(live) if live.keep_alive_secs == 0 => return u64::MAX,
            Phase::Live(live) => u64::from(live.keep_alive_secs) * 1_500,
            _ => GREETING_MS,
        };
        self.since_mono_ms.saturating_add(patience_ms)
    }

    fn is_over(&self) -> bool {
        match &self.phase {
            Phase::Over => true,
            Phase::Live(live) => live.is_over,
            _ => false,
        }
    }
}

/// What an open session says to a packet. The error is the reason for which it ends.
fn live_packet(
    live: &mut Live,
    packet: Packet,
    now: Now,
    turn: &mut Turn,
) -> Result<(), ReasonCode> {
    match packet {
        Packet::Publish(publish) => live.publish(publish, now, turn)?,
        Packet::Puback(ack) | Packet::Pubcomp(ack) => live.puback(&ack, now, turn),
        Packet::Pubrec(ack) => live.pubrec(&ack, now, turn),
        Packet::Pubrel(ack) => live.pubrel(ack.packet_id, turn),
        Packet::Subscribe(subscribe) => live.subscribe(subscribe, turn),
        Packet::Unsubscribe(unsubscribe) => live.unsubscribe(unsubscribe, turn),
        Packet::Pingreq => {
            live.write(&Packet::Pingresp, turn);
        }
        _ => return Err(ReasonCode::ProtocolError),
    }
    Ok(())
}

impl Protocol for Machine {
    fn receive(&mut self, input: &mut BytesMut, now: Now, turn: &mut Turn) {
        // Before CONNECT only silence counts, so that nobody stays by trickling bytes.
        if matches!(self.phase, Phase::Live(_)) {
            self.since_mono_ms = now.mono_ms;
        }
        while !input.is_empty() {
            if self.is_over() {
                return input.clear();
            }
            // What follows a CONNECT in the same breath waits for the session.
            if matches!(self.phase, Phase::Opening(_) | Phase::Attaching(..)) {
                return;
            }
            match self.decoder.decode(input) {
                Ok(Some(packet)) => self.packet(packet, now, turn),
                Ok(None) => return,
                Err(error) => {
                    self.malformed(error, now, turn);
                    return input.clear();
                }
            }
        }
    }

    fn opened(&mut self, session: Result<&Arc<Session>, Refusal>, now: Now, turn: &mut Turn) {
        let Phase::Opening(mut agreement) = std::mem::replace(&mut self.phase, Phase::Over) else {
            return;
        };
        let session = match session {
            Ok(session) => Arc::clone(session),
            Err(why) => return self.refuse(agreement.version, login_reason(why), now, turn),
        };
        let verb = TopicVerb::Attach(agreement.topic_session());
        turn.commands.push(Command::Topics(ATTACH, verb));
        self.since_mono_ms = now.mono_ms;
        self.phase = Phase::Attaching(agreement, session);
    }

    fn reply(&mut self, _ticket: Ticket, reply: SendReply, now: Now, turn: &mut Turn) {
        if let Phase::Live(live) = &mut self.phase {
            live.sent(reply, now, turn);
        }
    }

    fn answer(&mut self, id: AskId, answer: Answer, now: Now, turn: &mut Turn) {
        if let Phase::Live(live) = &mut self.phase {
            live.done(id, &answer, now, turn);
        }
    }

    fn topics(&mut self, id: AskId, answer: TopicAnswer, now: Now, turn: &mut Turn) {
        match (&mut self.phase, answer) {
            (Phase::Attaching(..), TopicAnswer::Attached(result)) => {
                self.attached(result, now, turn);
            }
            (Phase::Live(live), answer) => live.topic_answer(id, answer, now, turn),
            _ => {}
        }
    }

    fn published(&mut self, deliveries: Vec<pubsub::Delivery>, now: Now, turn: &mut Turn) {
        if let Phase::Live(live) = &mut self.phase
            && !live.is_over
        {
            live.deliver_plain(deliveries, now, turn);
        }
    }

    fn topics_ended(&mut self, why: AttachmentEnd, now: Now, turn: &mut Turn) {
        let reason = match why {
            AttachmentEnd::TakenOver => ReasonCode::SessionTakenOver,
            AttachmentEnd::SessionEnded => ReasonCode::AdministrativeAction,
        };
        self.part(reason, close_code::NORMAL, now, turn);
    }

    fn topic_room(&self) -> usize {
        match &self.phase {
            Phase::Live(live) => live.flight.room(),
            _ => 0,
        }
    }

    fn lost(&mut self, _now: Now, turn: &mut Turn) {
        let Phase::Live(mut live) = std::mem::replace(&mut self.phase, Phase::Over) else {
            return;
        };
        if !live.has_left {
            live.say_will(turn);
            let new_expiry = live.is_logged_out.then_some(0);
            let verb = TopicVerb::Detach(Detach::Lost, new_expiry);
            turn.commands.push(Command::Topics(ATTACH, verb));
        }
        if live.expiry_secs > 0 && !live.is_logged_out {
            let sent = live.flight.under_way();
            let user = live.session.user.num;
            self.settings.under_way().keep(user, &live.client_id, sent);
        }
    }

    fn deliver(&mut self, events: &mut VecDeque<Event>, now: Now, turn: &mut Turn) {
        let Phase::Live(live) = &mut self.phase else {
            return events.clear();
        };
        if live.is_over {
            return events.clear();
        }
        live.outgoing.extend(events.drain(..).map(Into::into));
        live.pump(now, turn);
    }

    fn ending(&mut self, why: Ending, now: Now, turn: &mut Turn) {
        let (reason, code) = match why {
            Ending::Displaced(_) => (ReasonCode::SessionTakenOver, close_code::NORMAL),
            Ending::Kicked => (ReasonCode::AdministrativeAction, close_code::NORMAL),
            Ending::TooSlow => (ReasonCode::QuotaExceeded, close_code::POLICY),
            Ending::ShuttingDown => (ReasonCode::ServerShuttingDown, close_code::GOING_AWAY),
        };
        if let Phase::Live(live) = &mut self.phase
            && why == Ending::Kicked
            && !live.is_over
        {
            live.tell(&Telling::Kick(serde_json::Map::new()), now, turn);
        }
        if let Phase::Live(live) = &mut self.phase {
            live.is_logged_out = matches!(
                why,
                Ending::Kicked | Ending::Displaced(Displacement::Kicked)
            );
            if why == Ending::ShuttingDown {
                // The client is not lost: it comes back with the server.
                live.will = None;
            }
            self.part(reason, code, now, turn);
        } else {
            self.over(now, code, turn);
        }
    }

    fn tick(&mut self, now: Now, turn: &mut Turn) {
        if let Phase::Live(live) = &mut self.phase
            && live
                .implicit_at_ms
                .is_some_and(|at_ms| at_ms <= now.mono_ms)
        {
            let filter = live.reader.account().to_owned();
            live.remember_own(vec![Own {
                filter,
                qos: Qos::AtLeastOnce,
                id: None,
            }]);
            live.pump(now, turn);
        }
        if now.mono_ms < self.silence_ends() {
            return;
        }
        if matches!(self.phase, Phase::Live(_)) {
            self.part(ReasonCode::KeepAliveTimeout, close_code::NORMAL, now, turn);
        } else {
            self.over(now, close_code::NORMAL, turn);
        }
    }

    fn next_deadline(&self) -> u64 {
        let silence_ends = self.silence_ends();
        match &self.phase {
            Phase::Live(live) => live
                .implicit_at_ms
                .map_or(silence_ends, |at_ms| silence_ends.min(at_ms)),
            _ => silence_ends,
        }
    }

    fn has_room(&self) -> bool {
        match &self.phase {
            Phase::Live(live) => {
                !live.own.is_empty() && live.outgoing.is_empty() && live.flight.room() > 0
            }
            _ => false,
        }
    }
}
