//! The driver: owns a transport, runs a machine over it, and runs the machine's commands.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use crosstalk_core::im::Im;
use crosstalk_core::session::{Ending, Session};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Transport;
use super::in_flight::InFlight;
use crate::protocol::{Command, Now, Protocol, Turn, close_code};
use crate::stats::{Counters, add};

/// Commands of one connection that may wait for their answers; at this many it is not read.
const MAX_IN_FLIGHT: usize = 512;
/// How long answers that are due are waited for when the server stops.
const LAST_ANSWERS_MS: u64 = 2_000;

/// What a connection needs.
pub(crate) struct Connection {
    pub(crate) im: Arc<Im>,
    pub(crate) machine: Box<dyn Protocol>,
    pub(crate) counters: Arc<Counters>,
    /// The gateway stops: connections without a session end at once.
    pub(crate) stop: CancellationToken,
    /// The time of grace is over: everything ends at once.
    pub(crate) abort: CancellationToken,
}

/// Runs a connection to its end.
pub(crate) async fn drive<T: Transport>(connection: Connection, mut transport: T) {
    let Connection {
        im,
        machine,
        counters,
        stop,
        abort,
    } = connection;
    let mut driver = Driver {
        im,
        machine,
        counters,
        session: None,
        in_flight: InFlight::default(),
        turn: Turn::default(),
        stopping_until: None,
    };
    let code = tokio::select! {
        biased;
        () = abort.cancelled() => close_code::GOING_AWAY,
        code = driver.run(&mut transport, &stop) => code.unwrap_or_else(|error| {
            tracing::debug!(%error, "connection failed");
            close_code::NORMAL
        }),
    };
    if let Some(session) = driver.session.take() {
        driver.im.close_session(&session).await;
    }
    transport.close(code).await;
}

struct Driver {
    im: Arc<Im>,
    machine: Box<dyn Protocol>,
    counters: Arc<Counters>,
    session: Option<Arc<Session>>,
    in_flight: InFlight,
    turn: Turn,
    /// Set when the server stops while answers are due: until when they are waited for.
    stopping_until: Option<u64>,
}

/// What woke the loop.
enum Woken {
    Input(io::Result<usize>),
    Mailbox,
    Deadline,
    Stop,
}

impl Driver {
    fn now(&self) -> Now {
        let clock = self.im.clock();
        Now {
            wall_ms: clock.now_ms(),
            mono_ms: clock.mono_ms(),
        }
    }

    /// The loop; ends with the code to close with.
    async fn run<T: Transport>(
        &mut self,
        transport: &mut T,
        stop: &CancellationToken,
    ) -> io::Result<u16> {
        let mut input = BytesMut::new();
        let timer = sleep_until(Instant::now());
        tokio::pin!(timer);
        loop {
            let deadline = self.deadline();
            let due = self.instant_of(deadline);
            // A timer that rings early only looks again; so it is moved only when it must
            // ring earlier, which is rare.
            if timer.deadline() > due || timer.is_elapsed() {
                timer.as_mut().reset(due);
            }
            let reading = self.in_flight.len() < MAX_IN_FLIGHT && self.stopping_until.is_none();
            let woken = tokio::select! {
                biased;
                () = mailbox_ready(self.session.as_ref()) => Woken::Mailbox,
                () = stop.cancelled(), if self.session.is_none() => Woken::Stop,
                received = transport.receive(&mut input), if reading => Woken::Input(received),
                () = &mut timer => Woken::Deadline,
            };
            let now = self.now();
            match woken {
                Woken::Input(received) => {
                    let count = received?;
                    if count == 0 {
                        return Ok(close_code::NORMAL);
                    }
                    add(&self.counters.bytes_in, count);
                    self.machine.receive(&mut input, now, &mut self.turn);
                    if input.is_empty() {
                        input = BytesMut::new();
                    }
                }
                Woken::Deadline if now.mono_ms >= self.deadline() => {
                    if self.stopping_until.is_some() {
                        return Ok(close_code::GOING_AWAY);
                    }
                    self.machine.tick(now, &mut self.turn);
                }
                Woken::Deadline | Woken::Mailbox => {}
                Woken::Stop => return Ok(close_code::GOING_AWAY),
            }
            self.run_commands(&mut input, now).await;
            self.drain_mailbox(now).await;
            self.write(transport).await?;
            if let Some(close) = self.turn.close {
                return self.linger(transport, close.at_mono_ms, close.code).await;
            }
        }
    }

    fn deadline(&self) -> u64 {
        self.stopping_until
            .unwrap_or_else(|| self.machine.next_deadline())
    }

    fn instant_of(&self, mono_ms: u64) -> Instant {
        let wait = mono_ms.saturating_sub(self.im.clock().mono_ms());
        Instant::now() + Duration::from_millis(wait)
    }

    async fn run_commands(&mut self, input: &mut BytesMut, now: Now) {
        while !self.turn.commands.is_empty() {
            for command in std::mem::take(&mut self.turn.commands) {
                match command {
                    Command::Open(request) => {
                        let opened = self.im.open_session(request).await;
                        let result = opened.as_ref().map_err(|why| *why);
                        self.machine.opened(result, now, &mut self.turn);
                        self.session = opened.ok();
                        // What followed in the same breath has waited for this.
                        self.machine.receive(input, now, &mut self.turn);
                    }
                    Command::Send(ticket, draft) => {
                        if let Some(session) = &self.session {
                            self.in_flight.issued(ticket);
                            self.im.send(session, ticket, draft).await;
                        }
                    }
                    Command::Refuse(ticket, why) => {
                        if let Some(session) = &self.session {
                            self.in_flight.issued(ticket);
                            self.im.refuse(session, ticket, why);
                        }
                    }
                }
            }
        }
    }

    /// Hands answers, events and the session's end to the machine.
    async fn drain_mailbox(&mut self, now: Now) {
        let Some(session) = &self.session else { return };
        let drained = session.mailbox.drain(!self.machine.has_room());
        for (ticket, reply) in drained.replies {
            self.in_flight.answered(ticket, reply);
        }
        while let Some((ticket, reply)) = self.in_flight.next() {
            self.machine.reply(ticket, reply, now, &mut self.turn);
        }
        for event in &drained.events {
            self.machine.deliver(event, now, &mut self.turn);
        }
        if let Some(why) = drained.ending {
            let answers_due = why == Ending::ShuttingDown && self.in_flight.len() > 0;
            let patience = now.mono_ms + LAST_ANSWERS_MS;
            if answers_due && now.mono_ms < *self.stopping_until.get_or_insert(patience) {
                return;
            }
            self.machine.ending(why, now, &mut self.turn);
        } else if drained.behind
            && let Err(why) = self.im.resync(session).await
        {
            tracing::warn!(%why, user = %session.user.uid, "resync failed");
        }
    }

    async fn write<T: Transport>(&mut self, transport: &mut T) -> io::Result<()> {
        let out = &mut self.turn.out;
        if out.is_empty() {
            return Ok(());
        }
        add(&self.counters.bytes_out, out.bytes().len());
        add(&self.counters.frames_out, out.frames());
        let written = transport.send(out).await;
        out.clear();
        written
    }

    /// The machine has closed: the session is gone at once, the connection at `until`. What
    /// the client still says is read and dropped, so that the goodbye reaches it.
    async fn linger<T: Transport>(
        &mut self,
        transport: &mut T,
        until: u64,
        code: u16,
    ) -> io::Result<u16> {
        if let Some(session) = self.session.take() {
            self.im.close_session(&session).await;
        }
        let until = self.instant_of(until);
        let mut ignored = BytesMut::new();
        loop {
            tokio::select! {
                biased;
                () = sleep_until(until) => return Ok(code),
                received = transport.receive(&mut ignored) => {
                    ignored.clear();
                    if received? == 0 {
                        return Ok(code);
                    }
                }
            }
        }
    }
}

async fn mailbox_ready(session: Option<&Arc<Session>>) {
    match session {
        Some(session) => session.mailbox.ready().await,
        None => std::future::pending().await,
    }
}
