//! The one connection loop, for every dialect over every transport.

mod abort;
mod alarm;
mod asks;
mod driver;
mod in_flight;
mod input;
mod lent;
mod naming;
mod opening;
#[cfg(all(test, feature = "wukong"))]
mod tests;
mod topics;

pub(crate) use abort::Abort;
pub(crate) use driver::{Connection, drive};
pub(crate) use input::Input;
pub(crate) use lent::{BUFFER_BYTES, buffer, give_back_buffer};

use std::io;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::timeout;

use crate::protocol::Out;

/// How long a peer may take nothing of what is written to it.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);

/// Bounds one step of writing: who reads slowly stays, who does not read at all is cut off.
///
/// # Errors
/// `TimedOut`, or what the step says.
pub(crate) async fn in_time<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let mut step = pin!(step);
    // Mostly it is done at once, and no clock need be asked.
    if let Poll::Ready(done) = futures_util::poll!(step.as_mut()) {
        return done;
    }
    timeout(WRITE_DEADLINE, step)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Carries a connection's bytes. A transport of messages hands over each message's bytes as
/// part of one stream and sends each frame as one message.
pub(crate) trait Transport: Send {
    /// Appends what has come; 0 = the peer has closed. An idle connection must not hold
    /// memory for it: `input` is settled whenever it is not ready.
    fn poll_receive(&mut self, cx: &mut Context<'_>, input: &mut Input) -> Poll<io::Result<usize>>;

    /// Writes everything, each step of it `in_time`.
    fn send(&mut self, out: &Out) -> impl Future<Output = io::Result<()>> + Send;

    /// Ends the connection in the transport's own way, bounded in time.
    fn close(&mut self, code: u16) -> impl Future<Output = ()> + Send;
}
