//! The wg machine: a channel from its first byte to its end (wg.md B.b).

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use crosstalk_core::im::{Credential, OpenSession};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{
    Beginning, Delivery, Echo, Ending, Event, Offline, SendReply, Session, Ticket,
};
use crosstalk_wire::wg::{
    Envelope, Fault, Incoming, Kind, Limits, Message, PONG, Status, StatusBody, ToServer,
    close_code as wg_close_code, decode_to_server, texts,
};

use super::ORIGIN;
use super::live::{Live, say};
use super::reasons::reason;
use super::settings::WgSettings;
use crate::protocol::{
    Answer, AskId, Command, MessageKind, Now, Protocol, Seed, Turn, close_code, take_message,
};

/// From the start until a registration has succeeded (wg.md Q0-24).
const REGISTER_MS: u64 = 30_000;
/// Registrations that may fail.
const MAX_FAILED: u8 = 3;
/// Between two signs of life of ours (wg.md Q0-25).
const PING_MS: u64 = 30_000;
/// Silence of the client.
const IDLE_MS: u64 = 90_000;
/// So much of the seed is the first fresh id.
const SEED_ID_BYTES: usize = 8;

enum Phase {
    /// Waits for a registration that can succeed.
    Waiting {
        /// Registrations that failed.
        failed: u8,
    },
    /// Waits for the core's word on one.
    Opening(Box<Opening>),
    /// Registered.
    Live(Box<Live>),
    /// Nothing is read or said any more.
    Over,
}

/// A registration on its way.
struct Opening {
    /// The id of the message.
    id: String,
    session_id: String,
    uid: String,
    is_acking: bool,
}

/// See the module's words.
pub(super) struct Machine {
    settings: WgSettings,
    limits: Limits,
    peer: IpAddr,
    /// The next id of what has none of its own.
    next_id: u64,
    phase: Phase,
    /// The channel's start, or when something was last received on a registered one.
    since_mono_ms: u64,
    next_ping_mono_ms: u64,
}

impl Machine {
    pub(super) fn new(settings: WgSettings, peer: IpAddr, seed: &Seed, now: Now) -> Self {
        let mut id = [0; SEED_ID_BYTES];
        id.copy_from_slice(&seed[..SEED_ID_BYTES]);
        Self {
            settings,
            limits: Limits::default(),
            peer,
            // With 19 digits at most, like all ids.
            next_id: u64::from_be_bytes(id) >> 2,
            phase: Phase::Waiting { failed: 0 },
            since_mono_ms: now.mono_ms,
            next_ping_mono_ms: now.mono_ms + PING_MS,
        }
    }

    fn fresh_id(&mut self) -> String {
        self.next_id += 1;
        self.next_id.to_string()
    }

    /// Takes one message of the client.
    fn hear(&mut self, kind: MessageKind, payload: &Bytes, now: Now, turn: &mut Turn) {
        let decoded = match kind {
            MessageKind::Pong => return,
            MessageKind::Binary => Err(Fault::malformed()),
            MessageKind::Text => decode_to_server(payload, &self.limits),
        };
        let heard = match decoded {
            Ok(Incoming::Ping) => {
                let Ok(()) = turn.out.frame(|out| {
                    out.extend_from_slice(PONG);
                    Ok::<(), std::convert::Infallible>(())
                });
                return;
            }
            Ok(Incoming::Message(envelope)) => self.message(envelope, now, turn),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = heard {
            self.refuse(&fault, now, turn);
        }
    }

    fn message(&mut self, envelope: Envelope, now: Now, turn: &mut Turn) -> Result<(), Fault> {
        if let Kind::Custom(code) = envelope.kind
            && self.settings.handler(code).is_none()
        {
            let status = Status::TypeError;
            return Err(envelope.fault(status, status.text()));
        }
        match &mut self.phase {
            Phase::Live(live) => live.hear(envelope, &self.settings, now, turn),
            Phase::Waiting { .. } if envelope.kind == Kind::Register => {
                self.register(&envelope, now, turn)
            }
            _ => Err(envelope.fault(Status::SessionError, texts::NOT_REGISTERED)),
        }
    }

    fn register(&mut self, envelope: &Envelope, now: Now, turn: &mut Turn) -> Result<(), Fault> {
        envelope.check_addressed()?;
        let ToServer::Register(body) = envelope.content()? else {
            return Ok(());
        };
        let Some(found) = self.settings.logins.find(&body.session_id) else {
            let fault = envelope.fault(Status::SessionError, texts::NO_SUCH_SESSION);
            return self.failed(fault, now, turn);
        };
        let uid = found.login.user.uid.as_str().to_owned();
        if let Err(fault) = envelope.check_sender(&uid) {
            return self.failed(fault, now, turn);
        }
        turn.commands.push(Command::Open(OpenSession {
            credential: Credential::Proven(Box::new(found.login)),
            origin: ORIGIN,
            device_id: found.client,
            device_flag: found.slot,
            delivery: Delivery {
                stable_device: true,
                acks: true,
                offline: Offline::Push,
                begins: Beginning::Newest,
                echo: Echo::Notes,
                receipts: true,
                presence: false,
            },
            sync_own: false,
            max_sessions: 0,
            peer: self.peer,
        }));
        self.phase = Phase::Opening(Box::new(Opening {
            id: envelope.id.clone(),
            session_id: body.session_id,
            uid,
            is_acking: found.is_acking,
        }));
        Ok(())
    }

    /// Somebody has shown a session id that is not theirs, or none.
    fn failed(&mut self, fault: Fault, now: Now, turn: &mut Turn) -> Result<(), Fault> {
        let Phase::Waiting { failed } = &mut self.phase else {
            return Err(fault);
        };
        *failed += 1;
        if *failed < MAX_FAILED {
            return Err(fault);
        }
        self.refuse(&fault, now, turn);
        self.close(now, wg_close_code::NOT_REGISTERED, turn);
        Ok(())
    }

    fn refuse(&mut self, fault: &Fault, now: Now, turn: &mut Turn) {
        let fresh_id = if fault.id.is_none() {
            self.fresh_id()
        } else {
            String::new()
        };
        let to = match &self.phase {
            Phase::Live(live) => live.uid(),
            _ => &fault.claimed_from,
        };
        say(&fault.answer(&fresh_id, to, now.wall_ms), turn);
    }

    /// Says that the session is over, and closes.
    fn expel(&mut self, msg: &'static str, code: u16, now: Now, turn: &mut Turn) {
        let id = self.fresh_id();
        let to = match &self.phase {
            Phase::Live(live) => live.uid(),
            Phase::Opening(opening) => &opening.uid,
            Phase::Waiting { .. } | Phase::Over => "",
        };
        let body = StatusBody::new(Status::SessionError, msg);
        say(&Message::status(&id, to, body, now.wall_ms), turn);
        self.close(now, code, turn);
    }

    fn close(&mut self, now: Now, code: u16, turn: &mut Turn) {
        self.phase = Phase::Over;
        turn.close_now(now, code);
    }
}

impl Protocol for Machine {
    fn receive(&mut self, input: &mut BytesMut, now: Now, turn: &mut Turn) {
        if matches!(self.phase, Phase::Live(_)) {
            self.since_mono_ms = now.mono_ms;
        }
        loop {
            match self.phase {
                Phase::Over => return input.clear(),
                // What follows a registration in the same breath waits for the session.
                Phase::Opening(_) => return,
                Phase::Waiting { .. } | Phase::Live(_) => {}
            }
            let Some((kind, payload)) = take_message(input) else {
                return;
            };
            self.hear(kind, &payload, now, turn);
        }
    }

    fn opened(&mut self, session: Result<&Arc<Session>, Refusal>, now: Now, turn: &mut Turn) {
        let Phase::Opening(opening) = std::mem::replace(&mut self.phase, Phase::Over) else {
            return;
        };
        let Opening {
            id,
            session_id,
            uid,
            is_acking,
        } = *opening;
        let registered = session.and_then(|session| {
            let channel = self.settings.logins.register(&session_id, session);
            let channel = channel.ok_or(Refusal::NotAuthenticated)?;
            Ok(Live::new(session, channel, is_acking))
        });
        let body = match &registered {
            Ok(_) => StatusBody::new(Status::Success, texts::REGISTERED),
            Err(why) => {
                let (status, msg) = reason(*why);
                StatusBody::new(status, msg)
            }
        };
        say(&Message::status(&id, &uid, body, now.wall_ms), turn);
        match registered {
            Ok(live) => {
                self.phase = Phase::Live(Box::new(live));
                self.since_mono_ms = now.mono_ms;
                self.next_ping_mono_ms = now.mono_ms + PING_MS;
            }
            Err(_) => self.close(now, wg_close_code::NOT_REGISTERED, turn),
        }
    }

    fn reply(&mut self, _ticket: Ticket, reply: SendReply, now: Now, turn: &mut Turn) {
        if let Phase::Live(live) = &mut self.phase {
            live.reply(reply, &self.settings, now, turn);
        }
    }

    fn answer(&mut self, id: AskId, answer: Answer, now: Now, turn: &mut Turn) {
        if let Phase::Live(live) = &mut self.phase {
            live.answer(id, answer, now, turn);
        }
    }

    fn deliver(&mut self, events: &mut VecDeque<Event>, now: Now, turn: &mut Turn) {
        match &mut self.phase {
            Phase::Live(live) => live.deliver(events, &self.settings, now, turn),
            _ => events.clear(),
        }
    }

    fn ending(&mut self, why: Ending, now: Now, turn: &mut Turn) {
        match why {
            Ending::Displaced(_) => {
                self.expel(texts::REPLACED, wg_close_code::REPLACED, now, turn);
            }
            Ending::Kicked => {
                self.expel(texts::NO_SUCH_SESSION, wg_close_code::REPLACED, now, turn);
            }
            Ending::TooSlow => self.close(now, close_code::POLICY, turn),
            Ending::ShuttingDown => self.close(now, close_code::GOING_AWAY, turn),
        }
    }

    fn tick(&mut self, now: Now, turn: &mut Turn) {
        let Phase::Live(live) = &mut self.phase else {
            if now.mono_ms >= self.since_mono_ms + REGISTER_MS {
                self.close(now, wg_close_code::NOT_REGISTERED, turn);
            }
            return;
        };
        if now.mono_ms >= self.since_mono_ms + IDLE_MS {
            return self.close(now, close_code::NORMAL, turn);
        }
        if now.mono_ms >= self.next_ping_mono_ms {
            live.tick(now, turn);
            turn.out.ping();
            self.next_ping_mono_ms = now.mono_ms + PING_MS;
        }
    }

    fn next_deadline(&self) -> u64 {
        match self.phase {
            Phase::Live(_) => (self.since_mono_ms + IDLE_MS).min(self.next_ping_mono_ms),
            Phase::Waiting { .. } | Phase::Opening(_) => self.since_mono_ms + REGISTER_MS,
            Phase::Over => self.since_mono_ms,
        }
    }

    fn has_room(&self) -> bool {
        match &self.phase {
            Phase::Live(live) => live.has_room(),
            _ => false,
        }
    }
}
