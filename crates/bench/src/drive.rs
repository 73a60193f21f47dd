//! One client's life while messages flow: it sends at its pace, reads what
//! comes, and keeps its books.

use std::future::poll_fn;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use anyhow::{Result, anyhow};
use tokio::time::{Sleep, sleep_until};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::account::{Arrival, Batch, Books, Tally};
use crate::clock::{Clock, SECOND_NS};
use crate::connect::Client;
use crate::dialect::{Address, Event, Message, Proof};
use crate::pace::{Next, Pace};
use crate::stamp::{Stamp, is_whole};

/// Servers close what is silent for minutes.
const KEEP_ALIVE_NS: u64 = 45 * SECOND_NS;
/// How often a socket is read before its client sends again.
const READS: usize = 32;

/// What all clients of a run share.
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    /// Tells this run's messages from others'.
    pub(crate) run: u32,
    /// Bytes of a content.
    pub(crate) payload: usize,
    /// Latencies count from here on.
    pub(crate) measure_ns: u64,
    /// Nobody sends from here on. An interrupt makes it earlier.
    pub(crate) stop_ns: AtomicU64,
    /// Clients that may still send.
    pub(crate) senders: AtomicU64,
    pub(crate) tally: Tally,
    /// Ends all clients.
    pub(crate) close: CancellationToken,
    /// Who must get what a client sends, by the client's index.
    pub(crate) audiences: Vec<Option<Range<u32>>>,
}

impl Shared {
    fn is_measured(&self, at_ns: u64) -> bool {
        (self.measure_ns..self.stop_ns()).contains(&at_ns)
    }

    /// When sending ends.
    pub(crate) fn stop_ns(&self) -> u64 {
        self.stop_ns.load(Ordering::Relaxed)
    }
}

/// What a client sends.
pub(crate) struct Sending {
    pub(crate) to: Address,
    pub(crate) pace: Pace,
    /// How many measured messages at most.
    pub(crate) quota: Option<u64>,
}

/// Runs a client until it is told to close or its connection breaks.
pub(crate) async fn drive(
    client: Client,
    sending: Option<Sending>,
    shared: Arc<Shared>,
) -> (u32, Books) {
    let index = client.index;
    let audience = shared.audiences[index as usize].clone();
    let receivers = audience
        .clone()
        .map_or(0, |range| range.filter(|&it| it != index).count());
    let next_keep_alive_ns = shared.clock.now_ns() + KEEP_ALIVE_NS;
    let mut driver = Driver {
        timer: Box::pin(sleep_until(shared.clock.instant(next_keep_alive_ns))),
        timer_ns: next_keep_alive_ns,
        next_keep_alive_ns,
        close: Box::pin(shared.close.clone().cancelled_owned()),
        client,
        desk: Desk {
            index,
            sending,
            receivers: receivers as u64,
            books: Books {
                audience,
                ..Books::default()
            },
            batch: Batch::default(),
            content: Vec::new(),
            shared,
        },
    };
    let outcome = driver.run().await;
    driver.desk.finish_sending();
    driver.desk.hand_in();
    let mut books = driver.desk.books;
    books.broken = outcome.err().map(|error| format!("{error:#}"));
    (index, books)
}

struct Driver {
    client: Client,
    desk: Desk,
    timer: Pin<Box<Sleep>>,
    /// When the timer goes off.
    timer_ns: u64,
    next_keep_alive_ns: u64,
    close: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// Why a client goes on.
enum Wake {
    /// Something came, or it is time.
    Go,
    Close,
}

impl Driver {
    async fn run(&mut self) -> Result<()> {
        loop {
            let next_ns = self.desk.send_due(&mut self.client)?;
            self.desk.hand_in();
            self.keep_alive()?;
            let next_ns = next_ns.unwrap_or(u64::MAX).min(self.next_keep_alive_ns);
            if next_ns != self.timer_ns {
                self.timer_ns = next_ns;
                self.timer
                    .as_mut()
                    .reset(self.desk.shared.clock.instant(next_ns));
            }
            match poll_fn(|cx| self.poll(cx)).await? {
                Wake::Go => {}
                Wake::Close => return Ok(()),
            }
        }
    }

    fn keep_alive(&mut self) -> Result<()> {
        let now_ns = self.desk.shared.clock.now_ns();
        if now_ns >= self.next_keep_alive_ns {
            self.next_keep_alive_ns = now_ns + KEEP_ALIVE_NS;
            self.client.peer.keep_alive(&mut self.client.out)?;
        }
        Ok(())
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Wake>> {
        let Client {
            link,
            peer,
            input,
            out,
            ..
        } = &mut self.client;
        if self.close.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(Wake::Close));
        }
        if link.wants_write(out)
            && let Poll::Ready(Err(error)) = link.poll_write(cx, out)
        {
            return Poll::Ready(Err(error.into()));
        }
        let mut has_read = false;
        for _ in 0..READS {
            match link.poll_read(cx, input) {
                Poll::Pending => break,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
                Poll::Ready(Ok(0)) => {
                    return Poll::Ready(Err(anyhow!("the server closed the connection")));
                }
                Poll::Ready(Ok(_)) => {
                    has_read = true;
                    let now_ns = self.desk.shared.clock.now_ns();
                    let desk = &mut self.desk;
                    peer.receive(input, out, &mut |event| desk.hear(event, now_ns))?;
                }
            }
        }
        if has_read || self.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(Wake::Go));
        }
        Poll::Pending
    }
}

/// Where a client's messages are written and noted.
struct Desk {
    index: u32,
    /// `None` once it has sent all.
    sending: Option<Sending>,
    /// How many must get each of its messages.
    receivers: u64,
    books: Books,
    batch: Batch,
    /// The last content, to use its memory again.
    content: Vec<u8>,
    shared: Arc<Shared>,
}

impl Desk {
    /// Sends all that is due. When to look again, if that is known.
    fn send_due(&mut self, client: &mut Client) -> Result<Option<u64>> {
        loop {
            let now_ns = self.shared.clock.now_ns();
            let stop_ns = self.shared.stop_ns();
            let Some(sending) = &mut self.sending else {
                return Ok(None);
            };
            if now_ns >= stop_ns {
                self.finish_sending();
                return Ok(None);
            }
            let due_ns = match sending.pace.next(now_ns, self.books.sent.in_flight()) {
                Next::Send { due_ns } => due_ns,
                Next::At(at_ns) => return Ok(Some(at_ns)),
                Next::AfterAnswer => return Ok(None),
            };
            let is_measured = self.shared.is_measured(due_ns);
            if is_measured && let Some(quota) = &mut sending.quota {
                let Some(rest) = quota.checked_sub(1) else {
                    self.finish_sending();
                    return Ok(None);
                };
                *quota = rest;
            }
            let seq = self.books.sent.send(due_ns);
            let (run, sender) = (self.shared.run, self.index);
            let stamp = Stamp {
                sent_ns: due_ns,
                run,
                sender,
                seq,
            };
            stamp.write(self.shared.payload, &mut self.content);
            client
                .peer
                .send(&sending.to, seq, &self.content, &mut client.out)?;
            sending.pace.sent();
            self.batch.totals.sent += 1;
            if is_measured {
                self.batch.totals.measured_sent += 1;
                self.batch.lag_ns.push(now_ns - due_ns);
            }
        }
    }

    fn finish_sending(&mut self) {
        if self.sending.take().is_some() {
            self.shared.senders.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn hand_in(&mut self) {
        self.shared.tally.add(self.index, &mut self.batch);
    }

    fn hear(&mut self, event: Event<'_>, now_ns: u64) {
        match event {
            Event::Open => {}
            Event::Accepted { tag } => {
                let Some(sent_ns) = self.books.sent.accept(tag) else {
                    return;
                };
                let totals = &mut self.batch.totals;
                totals.accepted += 1;
                totals.expected += self.receivers;
                if self.shared.is_measured(now_ns) {
                    totals.measured_accepted += 1;
                }
                if self.shared.is_measured(sent_ns) {
                    self.batch.ack_ns.push(now_ns.saturating_sub(sent_ns));
                }
            }
            Event::Refused { tag, code } => {
                if self.books.sent.refuse(tag, code) {
                    self.batch.totals.refused += 1;
                    if let Some(sending) = &mut self.sending {
                        sending.pace.refused(now_ns);
                    }
                }
            }
            Event::Received(message) => self.receive(&message, now_ns),
        }
    }

    fn receive(&mut self, message: &Message<'_>, now_ns: u64) {
        let shared = &*self.shared;
        let received = &mut self.books.received;
        if message.proof != Proof::NotChecked {
            received.checked += 1;
            let is_good = message.proof == Proof::Good && is_whole(message.content, shared.payload);
            received.corrupt += u64::from(!is_good);
        }
        let stamp = Stamp::read(message.content).filter(|stamp| {
            let audience = shared
                .audiences
                .get(stamp.sender as usize)
                .and_then(Option::as_ref);
            stamp.run == shared.run
                && stamp.sender != self.index
                && audience.is_some_and(|audience| audience.contains(&self.index))
        });
        let Some(stamp) = stamp else {
            received.foreign += 1;
            return;
        };
        let arrival = received.note(message.channel, message.place, stamp.sender, stamp.seq);
        if arrival == Arrival::Duplicate {
            return;
        }
        let totals = &mut self.batch.totals;
        totals.delivered += 1;
        if shared.is_measured(now_ns) {
            totals.measured_delivered += 1;
        }
        if shared.is_measured(stamp.sent_ns) {
            self.batch
                .delivery_ns
                .push(now_ns.saturating_sub(stamp.sent_ns));
        }
    }
}
