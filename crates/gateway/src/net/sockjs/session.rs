//! A SockJS session that lives between requests: the driver's side of it is a transport, the
//! other side is what requests bring and take.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use crosstalk_core::clock::Clock;
use crosstalk_wire::sockjs::{Framing, Messages};
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::state::{NoReceiver, ReceiverId, State, Taken};
use crate::conn::{Input, Transport, in_time};
use crate::protocol::{Out, close_code};

/// The largest body of a request that sends, bytes.
pub(super) const MAX_BODY_BYTES: usize = 1 << 20;
/// What may wait for the dialect, bytes; requests that send more wait. The text of a body is
/// no longer than the body.
const INBOUND_BYTES: usize = MAX_BODY_BYTES;

/// Why messages were not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// The session has ended.
    Ended,
    /// It does not read; they may be sent again.
    Full,
}

/// See the module's words.
pub(super) struct Session {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Room for what the client sends, bytes; closed when the session has ended.
    room: Semaphore,
    /// The driver, when it waits for the client's messages.
    reader: AtomicWaker,
    /// The driver, when it waits for room in the queue.
    writer: AtomicWaker,
    /// The receiving request, when it waits for messages.
    receiver: AtomicWaker,
    /// Its deadline has come into being, or it has ended, or the client knows that.
    changed: Notify,
}

impl Session {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let state = Mutex::new(State::new(clock.mono_ms()));
        Self {
            clock,
            state,
            room: Semaphore::new(INBOUND_BYTES),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
            receiver: AtomicWaker::new(),
            changed: Notify::new(),
        }
    }

    pub(super) fn attach(&self) -> Result<ReceiverId, NoReceiver> {
        self.state.lock().attach()
    }

    pub(super) fn detach(&self, id: ReceiverId, is_whole: bool) {
        let has_ended = {
            let mut state = self.state.lock();
            state.detach(id, is_whole, self.clock.mono_ms());
            state.has_ended()
        };
        if has_ended {
            self.ended();
        }
        self.changed.notify_one();
    }

    /// Writes the next frame for the receiving request, or has it woken when there is one.
    pub(super) fn poll_take(
        &self,
        cx: &mut Context<'_>,
        framing: &Framing,
        out: &mut BytesMut,
    ) -> Taken {
        self.receiver.register(cx.waker());
        let taken = self.state.lock().take(framing, out);
        match taken {
            Taken::Frame => self.writer.wake(),
            Taken::Last => self.changed.notify_one(),
            Taken::Nothing => {}
        }
        taken
    }

    /// Hands over what a request has sent, in the order of the requests.
    ///
    /// # Errors
    /// Then nothing of it was taken.
    pub(super) async fn put(&self, messages: &Messages) -> Result<(), NotTaken> {
        let text = messages.joined();
        let bytes = u32::try_from(text.len()).map_err(|_| NotTaken::Full)?;
        let room = in_time(async { Ok(self.room.acquire_many(bytes).await) }).await;
        let room = room.map_err(|_| NotTaken::Full)?;
        let room = room.map_err(|_| NotTaken::Ended)?;
        if !self.state.lock().put(text) {
            return Err(NotTaken::Ended);
        }
        room.forget();
        self.reader.wake();
        Ok(())
    }

    fn close(&self, code: u16) {
        self.state.lock().close(code, self.clock.mono_ms());
        self.ended();
        self.changed.notify_one();
    }

    /// Tells everybody who waits.
    fn ended(&self) {
        self.room.close();
        self.reader.wake();
        self.writer.wake();
        self.receiver.wake();
    }

    /// Waits until the session's time is over, or, when the server stops, until it has ended
    /// and its client knows.
    pub(super) async fn watch(&self, stop: &CancellationToken) {
        loop {
            let is_left = stop.is_cancelled()
                && self
                    .state
                    .lock()
                    .leave(close_code::GOING_AWAY, self.clock.mono_ms());
            if is_left {
                self.ended();
            }
            let (deadline_ms, is_settled) = {
                let state = self.state.lock();
                (state.deadline_ms(), state.is_settled())
            };
            if is_settled && stop.is_cancelled() {
                // Nobody can ask any more.
                return;
            }
            let now_ms = self.clock.mono_ms();
            let wait_ms = deadline_ms.map(|at_ms| at_ms.saturating_sub(now_ms));
            if wait_ms == Some(0) && self.state.lock().expire(now_ms) {
                return self.ended();
            }
            let pause = Duration::from_millis(wait_ms.unwrap_or_default());
            tokio::select! {
                () = self.changed.notified() => {}
                () = stop.cancelled(), if !stop.is_cancelled() => {}
                () = sleep(pause), if wait_ms.is_some() => {}
            }
        }
    }
}

/// The driver's side of a session.
pub(super) struct SessionTransport(pub(super) Arc<Session>);

impl SessionTransport {
    /// Queues a message once there is room.
    fn poll_push(&self, cx: &mut Context<'_>, message: &str) -> Poll<io::Result<()>> {
        let session = &self.0;
        session.writer.register(cx.waker());
        let mut state = session.state.lock();
        if state.has_ended() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if state.push(message) {
            return Poll::Ready(Ok(()));
        }
        drop(state);
        session.receiver.wake();
        Poll::Pending
    }

    /// Waits until requests have taken all that was queued. Only then is it written: who does
    /// not ask for it has not got it.
    fn poll_taken(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let session = &self.0;
        session.writer.register(cx.waker());
        let state = session.state.lock();
        if state.has_ended() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if state.is_taken() {
            return Poll::Ready(Ok(()));
        }
        drop(state);
        session.receiver.wake();
        Poll::Pending
    }
}

impl Transport for SessionTransport {
    fn poll_receive(&mut self, cx: &mut Context<'_>, input: &mut Input) -> Poll<io::Result<usize>> {
        let session = &self.0;
        session.reader.register(cx.waker());
        let (received, has_ended) = {
            let mut state = session.state.lock();
            (state.received(), state.has_ended())
        };
        if !received.is_empty() {
            session.room.add_permits(received.len());
            input.room().extend_from_slice(&received);
            return Poll::Ready(Ok(received.len()));
        }
        if has_ended {
            return Poll::Ready(Ok(0));
        }
        Poll::Pending
    }

    /// Each frame is one message, which is text whatever its bytes are.
    async fn send(&mut self, out: &Out) -> io::Result<()> {
        for frame in out.each().filter(|frame| !frame.is_empty()) {
            let message = String::from_utf8_lossy(frame);
            in_time(poll_fn(|cx| self.poll_push(cx, &message))).await?;
        }
        in_time(poll_fn(|cx| self.poll_taken(cx))).await
    }

    async fn close(&mut self, code: u16) {
        self.0.close(code);
    }
}

impl Drop for SessionTransport {
    /// Nobody serves the session any more.
    fn drop(&mut self) {
        self.0.close(close_code::GOING_AWAY);
    }
}
