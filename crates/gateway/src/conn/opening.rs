//! A connection before it has a session: the greeting, and waiting for the core's word.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use crosstalk_core::im::OpenSession;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::Session;
use tokio_util::sync::CancellationToken;

use super::Transport;
use super::driver::{Driver, End, Line, Woken};
use crate::protocol::{Command, Turn, close_code};

/// What a client may have said when its session opens, bytes; beyond that it is not read.
const MAX_EARLY_BYTES: usize = 16 * 1024;

/// What happens while the core opens a session.
enum Event {
    Opened(Result<Arc<Session>, Refusal>),
    Woken(Woken),
    Stop,
}

impl Driver {
    /// Opens the session that the client asks for. The connection ends if it does not ask in
    /// time, is refused or goes away, if the core has no answer in time, and if the server
    /// stops before it has one. On success `turn` holds what the machine says to that.
    pub(super) async fn open<T: Transport>(
        &mut self,
        line: &mut Line<'_, T>,
        turn: &mut Turn,
        stop: &CancellationToken,
    ) -> Result<Arc<Session>, End> {
        let mut stopped = pin!(stop.cancelled());
        let request = self.greeting(line, turn, stopped.as_mut()).await?;
        let opened = self.answer(request, line, turn, stopped).await?;
        let now = self.now();
        let result = opened.as_ref().map_err(|why| *why);
        self.machine.opened(result, now, turn);
        let Ok(session) = opened else {
            self.finish(line, turn).await?;
            return Err(End::Code(close_code::POLICY));
        };
        // What followed in the same breath has waited for this.
        self.machine.receive(&mut line.input, now, turn);
        line.input.settle();
        Ok(session)
    }

    /// Waits until the machine asks for a session.
    async fn greeting<T: Transport>(
        &mut self,
        line: &mut Line<'_, T>,
        turn: &mut Turn,
        mut stopped: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<OpenSession, End> {
        loop {
            let deadline_ms = self.deadline_ms();
            let woken = poll_fn(|cx| match stopped.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => line.poll(cx, deadline_ms, true).map(Some),
            });
            let Some(woken) = woken.await else {
                return Err(End::Code(close_code::GOING_AWAY));
            };
            self.hear(line, woken, self.now(), turn)?;
            if let Some(Command::Open(request)) = turn.commands.pop() {
                return Ok(request);
            }
            self.finish(line, turn).await?;
            turn.clear();
        }
    }

    /// The core's answer. The core may be dropped while it looks for one.
    async fn answer<T: Transport>(
        &mut self,
        request: OpenSession,
        line: &mut Line<'_, T>,
        turn: &mut Turn,
        mut stopped: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<Result<Arc<Session>, Refusal>, End> {
        let im = Arc::clone(&self.im);
        // In a box, which is gone when it is done: it is large, and lasts a moment.
        let mut opening = Box::pin(im.open_session(request));
        loop {
            let deadline_ms = self.deadline_ms();
            let event = poll_fn(|cx| {
                if stopped.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Event::Stop);
                }
                if let Poll::Ready(opened) = opening.as_mut().poll(cx) {
                    return Poll::Ready(Event::Opened(opened));
                }
                let is_read = line.input.len() < MAX_EARLY_BYTES;
                line.poll(cx, deadline_ms, is_read).map(Event::Woken)
            });
            match event.await {
                Event::Opened(opened) => return Ok(opened),
                Event::Stop => return Err(End::Code(close_code::GOING_AWAY)),
                Event::Woken(woken) => {
                    // The machine leaves what it is given where it is, until it is open.
                    self.hear(line, woken, self.now(), turn)?;
                    self.finish(line, turn).await?;
                }
            }
        }
    }
}
