//! One client's life while messages flow: it sends at its pace, reads what
//! comes, leaves and comes back when it is told to, and keeps its books.

mod desk;
mod missed;
mod trip;

use std::future::poll_fn;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use anyhow::{Context as _, Result, anyhow};
use tokio::task::JoinHandle;
use tokio::time::{Sleep, sleep_until};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::account::{Books, Tally};
use crate::clock::{Clock, SECOND_NS};
use crate::connect::Client;
use crate::dialect::Address;
use crate::pace::{Next, Pace};
use desk::Desk;
use missed::Missed;

pub(crate) use trip::{Ledger, TripTotals, Trips, When};

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
    /// How clients leave and come back, if they do.
    pub(crate) trips: Option<Trips>,
}

impl Shared {
    pub(crate) fn is_measured(&self, at_ns: u64) -> bool {
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
    let next_keep_alive_ns = shared.clock.now_ns() + KEEP_ALIVE_NS;
    let trips = shared.trips.as_ref().filter(|trips| trips.takes(index));
    let mut driver = Driver {
        timer: Box::pin(sleep_until(shared.clock.instant(next_keep_alive_ns))),
        timer_ns: next_keep_alive_ns,
        next_keep_alive_ns,
        close: Box::pin(shared.close.clone().cancelled_owned()),
        leave: trips.and_then(Trips::signal).map(Box::pin),
        turns: trips.and_then(|trips| trips.turns(index)),
        asking: None,
        client,
        desk: Desk::new(index, sending, shared),
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
    /// Tells it to leave, once.
    leave: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    /// When it leaves by the clock.
    turns: Option<Pace>,
    /// Finds out what was missed.
    asking: Option<JoinHandle<Result<Missed>>>,
}

/// Why a client goes on.
enum Wake {
    /// Something came, or it is time.
    Go,
    Leave,
    Close,
}

impl Driver {
    async fn run(&mut self) -> Result<()> {
        loop {
            let next_ns = self.desk.send_due(&mut self.client)?;
            self.desk.hand_in();
            let now_ns = self.desk.shared.clock.now_ns();
            self.keep_alive(now_ns)?;
            if self.desk.books.is_away {
                return Ok(());
            }
            let Some(turn_ns) = self.turn(now_ns) else {
                self.trip().await?;
                continue;
            };
            let next_ns = next_ns.unwrap_or(u64::MAX).min(self.next_keep_alive_ns);
            let next_ns = next_ns.min(turn_ns);
            if next_ns != self.timer_ns {
                self.timer_ns = next_ns;
                self.timer
                    .as_mut()
                    .reset(self.desk.shared.clock.instant(next_ns));
            }
            match poll_fn(|cx| self.poll(cx)).await? {
                Wake::Go => {}
                Wake::Leave => self.trip().await?,
                Wake::Close => return Ok(()),
            }
        }
    }

    fn keep_alive(&mut self, now_ns: u64) -> Result<()> {
        if now_ns >= self.next_keep_alive_ns {
            self.next_keep_alive_ns = now_ns + KEEP_ALIVE_NS;
            self.client.peer.keep_alive(&mut self.client.out)?;
        }
        Ok(())
    }

    /// When it is this client's turn to leave; `None` if that is now. Nobody
    /// leaves who is still finding out what the last time cost, nor at the end.
    fn turn(&mut self, now_ns: u64) -> Option<u64> {
        let Some(turns) = &mut self.turns else {
            return Some(u64::MAX);
        };
        if now_ns >= self.desk.shared.stop_ns() {
            self.turns = None;
            return Some(u64::MAX);
        }
        match turns.next(now_ns, 0) {
            Next::Send { .. } if self.asking.is_some() => Some(u64::MAX),
            Next::Send { .. } => {
                turns.sent();
                None
            }
            Next::At(at_ns) => Some(at_ns),
            Next::AfterAnswer => Some(u64::MAX),
        }
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
        if let Some(leave) = &mut self.leave
            && leave.as_mut().poll(cx).is_ready()
        {
            self.leave = None;
            return Poll::Ready(Ok(Wake::Leave));
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
        let has_found_out = self.poll_asking(cx)?.is_ready();
        if has_read || has_found_out || self.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(Wake::Go));
        }
        Poll::Pending
    }

    /// Ready when the client has just been told what it missed.
    fn poll_asking(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let Some(asking) = &mut self.asking else {
            return Poll::Pending;
        };
        let missed = ready!(Pin::new(asking).poll(cx));
        self.asking = None;
        let missed = missed.context("asking broke down").flatten();
        self.desk.catch_up(missed);
        Poll::Ready(Ok(()))
    }
}
