//! The driver: owns a transport, runs a machine over it, and runs the machine's commands.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crosstalk_core::im::Im;
use crosstalk_core::session::{Ending, Session};
use futures_util::FutureExt;
use tokio::task::coop::consume_budget;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::alarm::Alarm;
use super::asks::Asks;
use super::in_flight::InFlight;
use super::naming::{addressed, audience};
use super::topics::{self, Topics};
use super::{Abort, Input, Transport, lent};
use crate::examine::examine;
use crate::files::sign_events;
use crate::moderation::moderate;
use crate::protocol::{Answer, AskId, Close, Command, Now, Protocol, Turn, close_code};
use crate::replying::note_reply;
use crate::stats::{Counters, add};

/// Commands of one connection that may wait for their answers; at this many it is not read.
const MAX_IN_FLIGHT: usize = 512;
/// Questions that may wait likewise: they cost more.
const MAX_ASKED: usize = 32;
/// Parts of a queue of topics that are read in one turn at most.
const MAX_REFILLS: usize = 8;
/// How long answers that are due are waited for when the server stops.
const LAST_ANSWERS_MS: u64 = 2_000;
/// How long changes that a client wanted before it left may take.
const LAST_CHANGES: Duration = Duration::from_secs(2);

/// What a connection needs.
pub(crate) struct Connection {
    pub(crate) im: Arc<Im>,
    pub(crate) machine: Box<dyn Protocol>,
    pub(crate) counters: Arc<Counters>,
    /// The gateway stops: connections without a session end at once.
    pub(crate) stop: CancellationToken,
    /// The time of grace is over: everything ends at once.
    pub(crate) abort: Arc<Abort>,
}

/// How a connection ends.
pub(super) enum End {
    /// With a code for transports that have codes.
    Code(u16),
    /// Because the transport fails.
    Failed(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
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
        asks: Asks::default(),
        topics: Topics::default(),
        stopping_until: None,
    };
    let timer = pin!(sleep(Duration::ZERO));
    let mut line = Line {
        transport: &mut transport,
        input: Input::default(),
        alarm: Alarm::new(Arc::clone(driver.im.clock()), timer),
    };
    let ended = {
        // A fault in a machine ends its own connection, and leaves no session behind.
        let run = pin!(AssertUnwindSafe(driver.run(&mut line, &stop)).catch_unwind());
        abort.or(run).await
    };
    let has_time = matches!(ended, Some(Ok(_)));
    let code = match ended {
        Some(Ok(Ok(never))) => match never {},
        Some(Ok(Err(End::Code(code)))) => code,
        Some(Ok(Err(End::Failed(error)))) => {
            tracing::debug!(%error, "connection failed");
            close_code::NORMAL
        }
        // What was wrong was reported where it happened.
        Some(Err(_)) => close_code::INTERNAL,
        None => close_code::GOING_AWAY,
    };
    if code == close_code::INTERNAL {
        // The machine is not to be asked any more.
        if let Some(session) = driver.session.take() {
            driver.im.close_session(&session).await;
        }
    } else {
        driver.leave(has_time).await;
    }
    transport.close(code).await;
}

pub(super) struct Driver {
    pub(super) im: Arc<Im>,
    pub(super) machine: Box<dyn Protocol>,
    counters: Arc<Counters>,
    session: Option<Arc<Session>>,
    in_flight: InFlight,
    asks: Asks,
    topics: Topics,
    /// Set when the server stops while answers are due: until when they are waited for.
    stopping_until: Option<u64>,
}

/// What a connection hears of: its peer and the time.
pub(super) struct Line<'a, T> {
    transport: &'a mut T,
    pub(super) input: Input,
    alarm: Alarm<'a>,
}

/// What woke a connection. All of it makes one turn, and so one write.
#[derive(Default)]
pub(super) struct Woken {
    /// What the transport's `poll_receive` says.
    pub(super) received: Option<io::Result<usize>>,
    /// The alarm has rung.
    pub(super) has_rung: bool,
    /// A question was answered.
    pub(super) answered: Option<(AskId, Box<Answer>)>,
    /// Something has happened with topics.
    pub(super) topics: Option<topics::Woken>,
}

impl<T: Transport> Line<'_, T> {
    /// Ready when something was received (unless it is not to be read), and at the deadline
    /// or earlier.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        deadline_ms: u64,
        is_read: bool,
    ) -> Poll<Woken> {
        let mut woken = Woken::default();
        if is_read && let Poll::Ready(received) = self.transport.poll_receive(cx, &mut self.input) {
            woken.received = Some(received);
        }
        woken.has_rung = self.alarm.poll(cx, deadline_ms).is_ready();
        if woken.has_rung || woken.received.is_some() {
            Poll::Ready(woken)
        } else {
            Poll::Pending
        }
    }
}

impl Driver {
    pub(super) fn now(&self) -> Now {
        let clock = self.im.clock();
        Now {
            wall_ms: clock.now_ms(),
            mono_ms: clock.mono_ms(),
        }
    }

    pub(super) fn deadline_ms(&self) -> u64 {
        self.stopping_until
            .unwrap_or_else(|| self.machine.next_deadline())
    }

    /// The connection's life; it ends with an [`End`] only.
    async fn run<T: Transport>(
        &mut self,
        line: &mut Line<'_, T>,
        stop: &CancellationToken,
    ) -> Result<Infallible, End> {
        let mut turn = lent::turn();
        let session = self.open(line, &mut turn, stop).await?;
        self.session = Some(Arc::clone(&session));
        let mut mail = pin!(session.mailbox.ready());
        let mut now = self.now();
        loop {
            self.run_commands(&session, &mut turn).await;
            self.drain_mailbox(&session, now, &mut turn).await;
            if self.topics.is_used() {
                self.drain_topics(now, &mut turn).await;
            }
            self.finish(line, &turn).await?;
            // What was to be done once that is written.
            self.run_commands(&session, &mut turn).await;
            lent::give_back_turn(turn);
            // Who always has something to do lets others work, too.
            consume_budget().await;
            let is_read = self.in_flight.len() < MAX_IN_FLIGHT
                && self.asks.len() < MAX_ASKED
                && self.topics.waiting() < topics::MAX_WAITING
                && self.stopping_until.is_none();
            let deadline_ms = self.deadline_ms();
            let woken = poll_fn(|cx| {
                let has_mail = mail.as_mut().poll(cx).is_ready();
                if has_mail {
                    mail.set(session.mailbox.ready());
                }
                let answered = match self.asks.poll(cx) {
                    Poll::Ready(answered) => Some(answered),
                    Poll::Pending => None,
                };
                let topics = match self.topics.poll(cx) {
                    Poll::Ready(woken) => Some(woken),
                    Poll::Pending => None,
                };
                let is_woken = has_mail || answered.is_some() || topics.is_some();
                let line = match line.poll(cx, deadline_ms, is_read) {
                    Poll::Pending if is_woken => Woken::default(),
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(woken) => woken,
                };
                Poll::Ready(Woken {
                    answered,
                    topics,
                    ..line
                })
            });
            let woken = woken.await;
            turn = lent::turn();
            now = self.now();
            self.hear(line, woken, now, &mut turn)?;
        }
    }

    /// Tells the machine what woke it.
    pub(super) fn hear<T>(
        &mut self,
        line: &mut Line<'_, T>,
        woken: Woken,
        now: Now,
        turn: &mut Turn,
    ) -> Result<(), End> {
        if let Some(received) = woken.received {
            let count = received?;
            if count == 0 {
                return Err(End::Code(close_code::NORMAL));
            }
            add(&self.counters.bytes_in, count);
            self.machine.receive(&mut line.input, now, turn);
            line.input.settle();
        }
        if woken.has_rung && now.mono_ms >= self.deadline_ms() {
            if self.stopping_until.is_some() {
                return Err(End::Code(close_code::GOING_AWAY));
            }
            self.machine.tick(now, turn);
        }
        if let Some((id, answer)) = woken.answered {
            self.machine.answer(id, *answer, now, turn);
        }
        if let Some(topics::Woken::Answer(id, answer)) = woken.topics {
            self.machine.topics(id, *answer, now, turn);
            if !line.input.is_empty() {
                // It may have waited for this.
                self.machine.receive(&mut line.input, now, turn);
                line.input.settle();
            }
        }
        Ok(())
    }

    async fn run_commands(&mut self, session: &Arc<Session>, turn: &mut Turn) {
        for command in turn.commands.drain(..) {
            match command {
                Command::Send(ticket, mut draft) => {
                    self.in_flight.issued(ticket);
                    examine(&mut draft);
                    note_reply(&self.im, &session.realm, &session.user, &mut draft).await;
                    moderate(&self.im.words(&session.realm), &mut draft);
                    self.im.send(session, ticket, draft).await;
                }
                Command::SendTo(ticket, name, draft) => {
                    self.in_flight.issued(ticket);
                    match addressed(&self.im, session, &name, draft).await {
                        Ok(mut draft) => {
                            examine(&mut draft);
                            note_reply(&self.im, &session.realm, &session.user, &mut draft).await;
                            moderate(&self.im.words(&session.realm), &mut draft);
                            self.im.send(session, ticket, draft).await;
                        }
                        Err(why) => self.im.refuse(session, ticket, why),
                    }
                }
                Command::SendToSome(ticket, name, names, draft) => {
                    self.in_flight.issued(ticket);
                    match audience(&self.im, session, &name, &names, draft).await {
                        Ok(mut draft) => {
                            examine(&mut draft);
                            note_reply(&self.im, &session.realm, &session.user, &mut draft).await;
                            moderate(&self.im.words(&session.realm), &mut draft);
                            self.im.send(session, ticket, draft).await;
                        }
                        Err(why) => self.im.refuse(session, ticket, why),
                    }
                }
                Command::Topics(id, verb) => self.topics.run(&self.im, session, id, verb).await,
                Command::Acknowledge(messages) => self.im.received(session, &messages).await,
                Command::Settle(messages) => {
                    let stored = messages.iter().filter(|message| message.seq > 0);
                    let ids: Vec<_> = stored.map(|message| message.id).collect();
                    self.im.acknowledge(session, &ids);
                }
                Command::Presume(is_presumed) => session.mailbox.presume(is_presumed),
                Command::Reject(message, why) => self.im.reject(session, &message, &why),
                Command::Ask(id, ask) => self.asks.ask(&self.im, session, id, ask).await,
                Command::Refuse(ticket, why) => {
                    self.in_flight.issued(ticket);
                    self.im.refuse(session, ticket, why);
                }
                // There is a session already.
                Command::Open(_) => {}
            }
        }
    }

    /// Hands answers, events and the session's end to the machine.
    async fn drain_mailbox(&mut self, session: &Arc<Session>, now: Now, turn: &mut Turn) {
        let mut drained = session.mailbox.drain(!self.machine.has_room());
        for (ticket, reply) in drained.replies {
            self.in_flight.answered(ticket, reply);
        }
        while let Some((ticket, reply)) = self.in_flight.next() {
            self.machine.reply(ticket, reply, now, turn);
        }
        sign_events(&self.im, session.origin, &mut drained.events);
        self.machine.deliver(&mut drained.events, now, turn);
        if let Some(why) = drained.ending {
            let answers_due = why == Ending::ShuttingDown && self.in_flight.len() > 0;
            let patience = now.mono_ms + LAST_ANSWERS_MS;
            if answers_due && now.mono_ms < *self.stopping_until.get_or_insert(patience) {
                return;
            }
            self.machine.ending(why, now, turn);
        } else if drained.behind
            && let Err(why) = self.im.resync(session).await
        {
            tracing::warn!(%why, user = %session.user.uid, "resync failed");
        }
    }

    /// Hands what came out of the topics to the machine.
    async fn drain_topics(&mut self, now: Now, turn: &mut Turn) {
        for _ in 0..MAX_REFILLS {
            let Some(drained) = self.topics.drain(self.machine.topic_room()) else {
                return;
            };
            if !drained.deliveries.is_empty() {
                self.machine.published(drained.deliveries, now, turn);
            }
            if let Some(why) = drained.ending {
                return self.machine.topics_ended(why, now, turn);
            }
            if !drained.behind || self.machine.topic_room() == 0 {
                return;
            }
            self.topics.refill().await;
        }
    }

    /// The session is over; the machine has the last word. If there is time, what was asked
    /// for before is done.
    async fn leave(&mut self, has_time: bool) {
        if let Some(session) = self.session.take() {
            let mut turn = Turn::default();
            self.machine.lost(self.now(), &mut turn);
            self.run_commands(&session, &mut turn).await;
            self.im.close_session(&session).await;
            if has_time {
                self.asks.finish(LAST_CHANGES).await;
            }
        }
    }

    /// Writes what the machine says, and closes if it wants that.
    pub(super) async fn finish<T: Transport>(
        &mut self,
        line: &mut Line<'_, T>,
        turn: &Turn,
    ) -> Result<(), End> {
        if !turn.out.is_empty() {
            add(&self.counters.bytes_out, turn.out.bytes().len());
            add(&self.counters.frames_out, turn.out.frames());
            line.transport.send(&turn.out).await?;
        }
        match turn.close {
            None => Ok(()),
            Some(close) => Err(self.linger(line, close).await),
        }
    }

    /// The machine has closed: the session is gone at once, the connection when the machine
    /// says. What the client still says is read and dropped, so that the goodbye reaches it.
    async fn linger<T: Transport>(&mut self, line: &mut Line<'_, T>, close: Close) -> End {
        self.leave(true).await;
        loop {
            let heard = poll_fn(|cx| {
                if line.alarm.poll(cx, close.at_mono_ms).is_ready() {
                    return Poll::Ready(None);
                }
                line.transport.poll_receive(cx, &mut line.input).map(Some)
            });
            match heard.await {
                Some(Ok(1..)) => {
                    line.input.clear();
                    line.input.settle();
                }
                Some(Err(error)) => return End::Failed(error),
                Some(Ok(0)) => return End::Code(close.code),
                None if self.im.clock().mono_ms() >= close.at_mono_ms => {
                    return End::Code(close.code);
                }
                None => {}
            }
        }
    }
}
