//! The gyyx machine: a connection from its signed URL to its end.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::BytesMut;
use crosstalk_core::im::{Credential, OpenSession};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{
    Beginning, Delivery, Displacement, Echo, Ending, Event, Offline, SendReply, Session, Ticket,
};
use crosstalk_wire::gyyx::{Base, Chat, Outgoing, Own, Style, ToClient, close_code as own_code};
use crosstalk_wire::lenient::Json;

use super::admission::{Admitted, Turned, admit};
use super::live::Live;
use super::outbox::say;
use super::reasons::login_close;
use super::requests::Request;
use super::settings::{GyyxBehaviour, GyyxSettings};
use crate::protocol::{
    Answer, Arrival, AskId, Close, Command, MessageKind, Now, Plug, Protocol, Seed, Turn,
    close_code, take_message,
};
use crate::registry::Dialect;

/// From the URL until the session is open.
const OPENING_MS: u64 = 4_000;
/// From a 99 for a stop until the connection is closed (gyyx.md Q4-26).
const FAREWELL_MS: u64 = 1_000;
/// Connections of one user (gyyx.md Q4-29).
const MAX_SESSIONS: usize = 10;
/// What a device is where the dialect does not say: a browser's.
const DEVICE_FLAG: u8 = 1;

/// `message` of a 99 when the server stops.
const STOPPING: &str = "服务维护";
/// `message` of a 99 when a newer connection takes the place.
const REPLACED: &str = "replaced";

enum Phase {
    /// The URL does not count; the client is about to be told.
    Turned(Box<Turned>),
    /// The URL counts.
    Admitted(Box<Admitted>),
    /// Waits for the core's word.
    Opening(Box<Admitted>),
    /// The session is open.
    Live(Box<Live>),
    /// Nothing is read or said any more.
    Over,
}

impl Plug for GyyxSettings {
    fn allowed_origins(&self) -> &[String] {
        &self.allowed_origins
    }

    fn machine(&self, arrival: Arrival, seed: &Seed, now: Now) -> Box<dyn Protocol> {
        let admitted = admit(self, &arrival.query, now.wall_ms);
        let behaviour = Arc::clone(&self.behaviour);
        Box::new(Machine::new(admitted, behaviour, arrival.client, seed, now))
    }
}

pub(super) struct Machine {
    behaviour: Arc<GyyxBehaviour>,
    peer: IpAddr,
    seed: Seed,
    phase: Phase,
    /// When something was last received, or the phase began.
    since_mono_ms: u64,
}

impl Machine {
    pub(super) fn new(
        admitted: Result<Admitted, Box<Turned>>,
        behaviour: Arc<GyyxBehaviour>,
        peer: IpAddr,
        seed: &Seed,
        now: Now,
    ) -> Self {
        Self {
            behaviour,
            peer,
            seed: *seed,
            phase: match admitted {
                Ok(admitted) => Phase::Admitted(Box::new(admitted)),
                Err(turned) => Phase::Turned(turned),
            },
            since_mono_ms: now.mono_ms,
        }
    }

    fn open(&mut self, admitted: Box<Admitted>, turn: &mut Turn) {
        // Of its own: only what the client says later tells on which device it is.
        let device: String = self.seed[8..24]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        turn.commands.push(Command::Open(OpenSession {
            credential: Credential::Vouched {
                app: admitted.app.clone(),
                uid: admitted.uid.clone(),
                at_ms: admitted.signed_ms,
            },
            origin: Dialect::Gyyx.origin(),
            device_id: device.into(),
            device_flag: DEVICE_FLAG,
            delivery: Delivery {
                stable_device: false,
                acks: true,
                offline: Offline::Sync,
                begins: Beginning::Newest,
                // Who writes to themselves is the receiver, too (gyyx.md Q4-8).
                echo: Echo::Notes,
                receipts: false,
                presence: true,
            },
            sync_own: false,
            max_sessions: MAX_SESSIONS,
            peer: self.peer,
        }));
        self.phase = Phase::Opening(admitted);
    }

    /// Refuses the connection: a frame 10, and the end.
    fn turn_away(&mut self, base: &Base, why: &str, close: u16, now: Now, turn: &mut Turn) {
        tracing::debug!(peer = %self.peer, user = base.user_id, why, "connection refused");
        let own = Own {
            app_id: &base.app_id,
            user_id: &base.user_id,
            version: &base.version,
        };
        let detail = self.behaviour.error_detail.then(|| why.to_owned());
        let frame = base.refusal(own, now.wall_ms, detail);
        say(&frame, Style::default(), &mut turn.out);
        self.phase = Phase::Over;
        turn.close_now(now, close);
    }

    /// When something is to be done by itself.
    fn deadline(&self) -> u64 {
        match &self.phase {
            Phase::Turned(_) | Phase::Admitted(_) => 0,
            Phase::Opening(_) => self.since_mono_ms + OPENING_MS,
            Phase::Live(live) if live.has_list_to_write() => 0,
            Phase::Live(live) => {
                let silence = self.since_mono_ms + live.patience_ms();
                let again = live.unacked.next_due();
                again.map_or(silence, |due| due.min(silence))
            }
            Phase::Over => u64::MAX,
        }
    }
}

impl Protocol for Machine {
    fn receive(&mut self, input: &mut BytesMut, now: Now, turn: &mut Turn) {
        loop {
            let live = match &mut self.phase {
                Phase::Live(live) if !live.is_leaving() => live,
                Phase::Live(_) | Phase::Over => return input.clear(),
                // What follows the handshake in the same breath waits for the session.
                Phase::Turned(_) | Phase::Admitted(_) | Phase::Opening(_) => return,
            };
            let Some((kind, payload)) = take_message(input) else {
                return;
            };
            if kind == MessageKind::Pong {
                continue;
            }
            self.since_mono_ms = now.mono_ms;
            live.hear(&payload, now, turn);
            if turn.close.is_some() {
                self.phase = Phase::Over;
            }
        }
    }

    fn opened(&mut self, session: Result<&Arc<Session>, Refusal>, now: Now, turn: &mut Turn) {
        let Phase::Opening(admitted) = std::mem::replace(&mut self.phase, Phase::Over) else {
            return;
        };
        let session = match session {
            Ok(session) => session,
            Err(why) => {
                let base = Base {
                    app_id: admitted.app.as_str().to_owned(),
                    user_id: admitted.uid.as_str().to_owned(),
                    version: admitted.version.clone(),
                    ..Base::default()
                };
                let close = login_close(why);
                return self.turn_away(&base, &why.to_string(), close, now, turn);
            }
        };
        self.since_mono_ms = now.mono_ms;
        let wants_first = admitted.first;
        let user = session.user.clone();
        let mut live = Live::new(*admitted, user, Arc::clone(&self.behaviour), &self.seed);
        let chat = Chat {
            message: Json::string("1"),
            receive_user_id: live.user.uid.as_str().to_owned(),
            ..live.blank(now.wall_ms)
        };
        let base = live.unasked(now);
        live.say(base, ToClient::Online(chat), turn);
        if wants_first {
            live.is_first_told = true;
            let unique = live.unique();
            live.requests.add(Request::First { unique });
            live.flow(now, turn);
        }
        self.phase = Phase::Live(Box::new(live));
    }

    fn reply(&mut self, ticket: Ticket, reply: SendReply, now: Now, turn: &mut Turn) {
        if let Phase::Live(live) = &mut self.phase {
            live.reply(ticket, reply, now, turn);
        }
    }

    fn answer(&mut self, id: AskId, answer: Answer, now: Now, turn: &mut Turn) {
        if let Phase::Live(live) = &mut self.phase {
            live.answered(id, answer, now, turn);
        }
    }

    fn deliver(&mut self, events: &mut VecDeque<Event>, now: Now, turn: &mut Turn) {
        match &mut self.phase {
            Phase::Live(live) => live.deliver(events, now, turn),
            _ => events.clear(),
        }
    }

    fn ending(&mut self, why: Ending, now: Now, turn: &mut Turn) {
        let Phase::Live(live) = &mut self.phase else {
            return;
        };
        let told = match why {
            Ending::Displaced(Displacement::Replaced | Displacement::Kicked) => Some(REPLACED),
            Ending::ShuttingDown => Some(STOPPING),
            Ending::Kicked | Ending::TooSlow => None,
        };
        let base = live.unasked(now);
        if let Some(message) = told {
            let chat = Chat {
                message: Json::string(message),
                ..live.blank(now.wall_ms)
            };
            live.say(base, ToClient::Shutdown(chat), turn);
        } else if why == Ending::Kicked {
            let detail = self
                .behaviour
                .error_detail
                .then(|| "the login no longer counts".to_owned());
            let frame = Outgoing {
                base,
                body: ToClient::ParameterError { detail },
            };
            say(&frame, live.style, &mut turn.out);
        }
        let (wait_ms, code) = match why {
            Ending::Displaced(_) => (0, own_code::REPLACED),
            Ending::Kicked => (0, own_code::REFUSED),
            Ending::TooSlow => (0, close_code::TRY_AGAIN),
            Ending::ShuttingDown => (FAREWELL_MS, close_code::GOING_AWAY),
        };
        self.phase = Phase::Over;
        turn.close.get_or_insert(Close {
            at_mono_ms: now.mono_ms + wait_ms,
            code,
        });
    }

    fn tick(&mut self, now: Now, turn: &mut Turn) {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Turned(turned) => {
                let Turned { base, why, close } = *turned;
                self.turn_away(&base, &why, close, now, turn);
            }
            Phase::Admitted(admitted) => self.open(admitted, turn),
            Phase::Opening(_) if now.mono_ms >= self.since_mono_ms + OPENING_MS => {
                turn.close_now(now, close_code::TRY_AGAIN);
            }
            Phase::Live(mut live) => {
                if now.mono_ms >= self.since_mono_ms + live.patience_ms() {
                    return turn.close_now(now, own_code::SILENT);
                }
                live.push_again(now, turn);
                live.flow(now, turn);
                self.phase = Phase::Live(live);
            }
            other => self.phase = other,
        }
    }

    fn next_deadline(&self) -> u64 {
        self.deadline()
    }

    fn has_room(&self) -> bool {
        match &self.phase {
            Phase::Live(live) => live.unacked.has_room(),
            _ => false,
        }
    }
}
