//! A connection of the stomp dialect: from CONNECT to the close (stomp.md Q2-2 to Q2-5).

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::BytesMut;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{Displacement, Ending, Event, SendReply, Session, Ticket};
use crosstalk_wire::stomp::im::Event as ImEvent;
use crosstalk_wire::stomp::{
    ClientFrame, Connect, Connected, Decoder, ErrorFrame, Escaping, Fault, Frame, HeartBeat,
    Limits, Periods, ServerFrame, Side, Version,
};

use super::clock::{Clock, Due};
use super::live::{Flow, Live};
use super::login;
use super::outbox::say;
use super::reasons::login_fault;
use super::settings::StompSettings;
use crate::protocol::{
    Answer, Arrival, AskId, Close, Command, Now, Protocol, Seed, Turn, close_code,
};

/// From the handshake until CONNECT (stomp.md Q2-4).
const GREETING_MS: u64 = 30_000;
/// From CONNECT until the session is open.
const OPENING_MS: u64 = 30_000;
/// The range of our heart-beats, ms (stomp.md Q2-5).
const SLOWEST_BEAT_MS: u32 = 10_000;
const FASTEST_BEAT_MS: u32 = 1_000;
/// What the server calls itself.
const SERVER: &str = concat!("crosstalk/", env!("CARGO_PKG_VERSION"));

enum Phase {
    /// Waits for CONNECT.
    Greeting,
    /// Waits for the core's word on the CONNECT.
    Opening(Agreement),
    /// The session is open.
    Live(Box<Live>),
    /// Nothing is read or said any more.
    Over,
}

/// What CONNECT asks for.
struct Agreement {
    version: Version,
    heart_beat: HeartBeat,
}

pub(crate) struct Machine {
    settings: StompSettings,
    arrival: Arrival,
    seed: Seed,
    decoder: Decoder,
    phase: Phase,
    /// When the phase began, monotonic ms.
    since_mono_ms: u64,
    /// The time of the last step.
    now: Now,
}

/// An ERROR that ends the connection.
pub(super) struct Fatal {
    error: Box<ErrorFrame>,
    code: u16,
}

impl Fatal {
    /// With what is said and the close code that follows.
    pub(super) fn new(error: ErrorFrame, code: u16) -> Self {
        Self {
            error: Box::new(error),
            code,
        }
    }

    /// For a fault in a frame that may have asked for a receipt.
    pub(super) fn of(fault: Fault, receipt: Option<&str>) -> Self {
        Self::new(ErrorFrame::from(fault).about(receipt), fault.close_code())
    }
}

impl Machine {
    pub(crate) fn new(settings: StompSettings, arrival: Arrival, seed: &Seed, now: Now) -> Self {
        let mut decoder = Decoder::new(Side::Client);
        decoder.set_limits(Limits::before_login());
        Self {
            settings,
            arrival,
            seed: *seed,
            decoder,
            phase: Phase::Greeting,
            since_mono_ms: now.mono_ms,
            now,
        }
    }

    fn frame(&mut self, frame: Frame, now: Now, turn: &mut Turn) -> Result<(), Fatal> {
        let version = match &self.phase {
            Phase::Live(live) => live.version,
            _ => Version::V1_2,
        };
        let frame = ClientFrame::read(frame, version).map_err(|refused| {
            Fatal::new(ErrorFrame::from(&refused), refused.error.close_code())
        })?;
        match (&mut self.phase, frame) {
            (Phase::Greeting, ClientFrame::Connect(connect)) => self.connect(&connect, now, turn),
            (Phase::Greeting, other) => Err(Fatal::of(Fault::NotConnected, other.receipt())),
            (Phase::Live(_), ClientFrame::Connect(_)) => {
                Err(Fatal::of(Fault::AlreadyConnected, None))
            }
            (Phase::Live(live), frame) => {
                if live.frame(frame, now, turn)? == Flow::Over {
                    self.phase = Phase::Over;
                }
                Ok(())
            }
            (Phase::Opening(_) | Phase::Over, _) => Ok(()),
        }
    }

    fn connect(&mut self, connect: &Connect, now: Now, turn: &mut Turn) -> Result<(), Fatal> {
        let Some(version) = connect.version() else {
            return Err(Fatal::of(Fault::UnsupportedVersion, None));
        };
        let request = login::request(connect, &self.arrival, &self.settings, &self.seed);
        self.decoder.set_version(version);
        self.since_mono_ms = now.mono_ms;
        self.phase = Phase::Opening(Agreement {
            version,
            heart_beat: connect.heart_beat,
        });
        turn.commands.push(Command::Open(request));
        Ok(())
    }

    /// Says ERROR and closes.
    fn fail(&mut self, fatal: &Fatal, now: Now, turn: &mut Turn) {
        let escaping = match &self.phase {
            Phase::Live(live) => Escaping::of(live.version),
            _ => Escaping::V1_2,
        };
        self.phase = Phase::Over;
        say(&fatal.error.to_frame(), escaping, &mut turn.out);
        turn.close_now(now, fatal.code);
    }

    /// What a step of an open session came to.
    fn settle(&mut self, stepped: Result<Flow, Fatal>, now: Now, turn: &mut Turn) {
        match stepped {
            Ok(Flow::On) => {}
            Ok(Flow::Over) => self.phase = Phase::Over,
            Err(fatal) => self.fail(&fatal, now, turn),
        }
    }

    /// The end of every step.
    fn stepped(&mut self, now: Now, turn: &Turn) {
        self.now = now;
        if let Phase::Live(live) = &mut self.phase
            && !turn.out.is_empty()
        {
            live.clock.said(now);
        }
    }
}

impl Protocol for Machine {
    fn receive(&mut self, input: &mut BytesMut, now: Now, turn: &mut Turn) {
        if let Phase::Live(live) = &mut self.phase {
            live.clock.heard(now);
        }
        loop {
            match &self.phase {
                Phase::Over => {
                    input.clear();
                    break;
                }
                // What follows a CONNECT in the same breath waits for the session.
                Phase::Opening(_) => break,
                // What follows a DISCONNECT is not for us.
                Phase::Live(live) if live.is_leaving() => {
                    input.clear();
                    break;
                }
                Phase::Greeting | Phase::Live(_) => {}
            }
            let read = match self.decoder.decode(input) {
                Ok(Some(frame)) => self.frame(frame, now, turn),
                Ok(None) => break,
                Err(error) => Err(Fatal::new(ErrorFrame::from(error), error.close_code())),
            };
            if let Err(fatal) = read {
                self.fail(&fatal, now, turn);
            }
        }
        self.stepped(now, turn);
    }

    fn opened(&mut self, session: Result<&Arc<Session>, Refusal>, now: Now, turn: &mut Turn) {
        let Phase::Opening(agreement) = std::mem::replace(&mut self.phase, Phase::Over) else {
            return;
        };
        let is_over = |session: &Session| session.expires_at_ms.is_some_and(|at| at <= now.wall_ms);
        let session = match session {
            // The core is lenient with clocks; but what ends at once need not begin.
            Ok(session) if is_over(session) => Err(Refusal::NotAuthenticated),
            other => other,
        };
        let session = match session {
            Ok(session) => session,
            Err(why) => {
                return self.fail(&Fatal::of(login_fault(why), None), now, turn);
            }
        };
        self.decoder.set_limits(Limits::default());
        let heart_beat = agreement
            .heart_beat
            .answer(FASTEST_BEAT_MS, SLOWEST_BEAT_MS);
        let clock = Clock::new(
            Periods::of(agreement.heart_beat, heart_beat),
            session.expires_at_ms,
            self.settings.close_on_expiry,
            now,
        );
        let strict = self.settings.strict_subscribe;
        let live = Live::new(session, agreement.version, clock, strict, now);
        let connected = Connected {
            version: agreement.version,
            heart_beat,
            user_name: Some(session.user.uid.as_str().to_owned()),
            server: Some(SERVER.to_owned()),
            session: Some(live.session_name()),
        };
        let connected = ServerFrame::Connected(connected);
        live.outbox.frame(&connected, &mut turn.out);
        self.phase = Phase::Live(Box::new(live));
        self.stepped(now, turn);
    }

    fn reply(&mut self, ticket: Ticket, reply: SendReply, now: Now, turn: &mut Turn) {
        if let Phase::Live(live) = &mut self.phase {
            live.reply(ticket, reply, now, turn);
            let stepped = live.leave(now, turn);
            self.settle(Ok(stepped), now, turn);
        }
        self.stepped(now, turn);
    }

    fn answer(&mut self, id: AskId, answer: Answer, now: Now, turn: &mut Turn) {
        if let Phase::Live(live) = &mut self.phase {
            let stepped = live.answer(id, answer, now, turn);
            let stepped = stepped.map(|()| live.leave(now, turn));
            self.settle(stepped, now, turn);
        }
        self.stepped(now, turn);
    }

    fn deliver(&mut self, events: &mut VecDeque<Event>, now: Now, turn: &mut Turn) {
        let Phase::Live(live) = &mut self.phase else {
            return events.clear();
        };
        live.at(now);
        live.deliver(events, turn);
        let stepped = live.leave(now, turn);
        self.settle(Ok(stepped), now, turn);
        self.stepped(now, turn);
    }

    fn ending(&mut self, why: Ending, now: Now, turn: &mut Turn) {
        let Phase::Live(live) = &mut self.phase else {
            return;
        };
        let (fault, reason) = match why {
            Ending::Displaced(Displacement::Replaced) => {
                (Fault::Replaced, "The same device has logged in again")
            }
            Ending::Displaced(Displacement::Kicked) => (
                Fault::Replaced,
                "Too many sessions: a newer one has taken the place",
            ),
            Ending::Kicked => (Fault::Unauthorized, "Ended by the server"),
            Ending::TooSlow => {
                self.phase = Phase::Over;
                return turn.close_now(now, close_code::POLICY);
            }
            Ending::ShuttingDown => {
                self.phase = Phase::Over;
                return turn.close_now(now, close_code::GOING_AWAY);
            }
        };
        if !live.hears_events() {
            // Who hears no events hears it so.
            return self.fail(&Fatal::of(fault, None), now, turn);
        }
        live.event(ImEvent::Kicked { reason }, now.wall_ms, &mut turn.out);
        self.phase = Phase::Over;
        turn.close = Some(Close {
            at_mono_ms: now.mono_ms,
            code: close_code::POLICY,
        });
    }

    fn tick(&mut self, now: Now, turn: &mut Turn) {
        match &mut self.phase {
            Phase::Greeting if now.mono_ms >= self.since_mono_ms + GREETING_MS => {
                self.fail(&Fatal::of(Fault::NotConnected, None), now, turn);
            }
            Phase::Opening(_) if now.mono_ms >= self.since_mono_ms + OPENING_MS => {
                self.phase = Phase::Over;
                turn.close_now(now, close_code::TRY_AGAIN);
            }
            Phase::Live(live) => {
                let stepped = live.tick(now, turn);
                self.settle(stepped, now, turn);
            }
            Phase::Greeting | Phase::Opening(_) | Phase::Over => {}
        }
        self.stepped(now, turn);
    }

    fn next_deadline(&self) -> u64 {
        match &self.phase {
            Phase::Greeting => self.since_mono_ms + GREETING_MS,
            Phase::Opening(_) => self.since_mono_ms + OPENING_MS,
            Phase::Live(live) => live.next_deadline(self.now),
            Phase::Over => 0,
        }
    }

    fn has_room(&self) -> bool {
        match &self.phase {
            Phase::Live(live) => live.has_room(),
            _ => false,
        }
    }
}

impl Live {
    /// Does what is due.
    fn tick(&mut self, now: Now, turn: &mut Turn) -> Result<Flow, Fatal> {
        self.settle_implicit(now, turn);
        match self.clock.due(now, self.hears_events()) {
            Some(Due::Expired) => return Err(Fatal::of(Fault::TokenExpired, None)),
            Some(Due::Silence) => return Err(Fatal::of(Fault::HeartBeatMissed, None)),
            Some(Due::Warning(ends)) => {
                self.warn(ends, now, turn);
            }
            Some(Due::Beat) => {
                let beat = |out: &mut BytesMut| {
                    crosstalk_wire::stomp::encode_heart_beat(out);
                    Ok::<(), std::convert::Infallible>(())
                };
                let Ok(()) = turn.out.frame(beat);
            }
            Some(Due::Ping) => turn.out.ping(),
            None => {}
        }
        Ok(self.leave(now, turn))
    }
}
