//! Bodies of answers, and reading those of requests.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use crosstalk_wire::sockjs::{Frame as SockJsFrame, Framing, ResponseBudget, STREAM_BYTES};
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::HEARTBEAT;
use super::session::Session;
use super::state::{ReceiverId, Taken};

/// The body of an answer of SockJS.
#[derive(Debug)]
pub struct SockJsBody(Kind);

enum Kind {
    /// All of it, or what is left.
    Whole(Bytes),
    /// Piece by piece.
    Pieces(std::vec::IntoIter<Bytes>),
    /// What a session has to say, as long as it takes.
    Received(Receiver),
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Whole",
            Self::Pieces(_) => "Pieces",
            Self::Received(_) => "Received",
        })
    }
}

impl SockJsBody {
    pub(super) fn whole(body: impl Into<Bytes>) -> Self {
        Self(Kind::Whole(body.into()))
    }

    /// One frame that no session has said.
    pub(super) fn one(framing: &Framing, frame: &SockJsFrame<'_>) -> Self {
        let (mut prelude, mut text) = (BytesMut::new(), BytesMut::new());
        framing.prelude(&mut prelude);
        framing.write(frame, &mut text);
        let pieces = [prelude.freeze(), text.freeze()];
        let pieces: Vec<Bytes> = pieces.into_iter().filter(|it| !it.is_empty()).collect();
        Self(Kind::Pieces(pieces.into_iter()))
    }

    /// What a session has to say to the request that was attached to it as `id`.
    pub(super) fn received(session: Arc<Session>, id: ReceiverId, framing: Framing) -> Self {
        Self(Kind::Received(Receiver::new(session, id, framing)))
    }
}

impl Body for SockJsBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match &mut self.0 {
            Kind::Whole(body) if body.is_empty() => None,
            Kind::Whole(body) => Some(std::mem::take(body)),
            Kind::Pieces(pieces) => pieces.next(),
            Kind::Received(receiver) => ready!(receiver.poll_next(cx)),
        };
        Poll::Ready(piece.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.0, Kind::Whole(body) if body.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(body) => SizeHint::with_exact(body.len() as u64),
            _ => SizeHint::default(),
        }
    }
}

/// The receiving side of a session, for one request. Dropped before its end it has been broken
/// off by the client.
struct Receiver {
    session: Arc<Session>,
    id: ReceiverId,
    framing: Framing,
    budget: ResponseBudget,
    has_begun: bool,
    /// Nothing comes any more.
    is_last: bool,
    is_over: bool,
    heartbeat: Pin<Box<Sleep>>,
}

impl Receiver {
    fn new(session: Arc<Session>, id: ReceiverId, framing: Framing) -> Self {
        Self {
            session,
            id,
            budget: framing.budget(STREAM_BYTES),
            framing,
            has_begun: false,
            is_last: false,
            is_over: false,
            heartbeat: Box::pin(sleep(HEARTBEAT)),
        }
    }

    /// Each frame is a piece of its own.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.is_last {
            self.leave(true);
            return Poll::Ready(None);
        }
        let mut out = BytesMut::new();
        if !self.has_begun {
            self.has_begun = true;
            self.framing.prelude(&mut out);
            if !out.is_empty() {
                return Poll::Ready(Some(out.freeze()));
            }
        }
        match self.session.poll_take(cx, &self.framing, &mut out) {
            Taken::Frame => {}
            Taken::Last => self.is_last = true,
            Taken::Nothing => {
                ready!(self.heartbeat.as_mut().poll(cx));
                self.framing.write(&SockJsFrame::HeartBeat, &mut out);
            }
        }
        self.is_last |= self.budget.spend(out.len());
        self.heartbeat.as_mut().reset(Instant::now() + HEARTBEAT);
        Poll::Ready(Some(out.freeze()))
    }

    fn leave(&mut self, is_whole: bool) {
        if !self.is_over {
            self.is_over = true;
            self.session.detach(self.id, is_whole);
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.leave(false);
    }
}

/// Why a request's body was not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotRead {
    /// It is longer than allowed.
    TooLarge,
    /// It broke off.
    Failed,
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read<B: Body + Unpin>(body: &mut B, limit: usize) -> Result<BytesMut, NotRead> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        let frame = frame.map_err(|_| NotRead::Failed)?;
        let Ok(mut data) = frame.into_data() else {
            continue;
        };
        if bytes.len() + data.remaining() > limit {
            return Err(NotRead::TooLarge);
        }
        while data.has_remaining() {
            let chunk = data.chunk();
            bytes.extend_from_slice(chunk);
            let length = chunk.len();
            data.advance(length);
        }
    }
    Ok(bytes)
}
