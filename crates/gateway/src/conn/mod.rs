//! The one connection loop, for every dialect over every transport.

mod driver;
mod in_flight;

pub(crate) use driver::{Connection, drive};

use std::future::Future;
use std::io;
use std::time::Duration;

use bytes::BytesMut;
use tokio::time::timeout;

use crate::protocol::Out;

/// How long a peer may take nothing of what is written to it.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);

/// Bounds one step of writing: who reads slowly stays, who does not read at all is cut off.
///
/// # Errors
/// `TimedOut`, or what the step says.
pub(crate) async fn in_time<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(WRITE_DEADLINE, step)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Carries a connection's bytes. A transport of messages hands over each message's bytes as
/// part of one stream and sends each frame as one message.
pub(crate) trait Transport: Send {
    /// Waits for bytes and appends them; 0 = the peer has closed. May be dropped at any
    /// await without losing bytes.
    fn receive(&mut self, input: &mut BytesMut) -> impl Future<Output = io::Result<usize>> + Send;

    /// Writes everything, each step of it `in_time`.
    fn send(&mut self, out: &mut Out) -> impl Future<Output = io::Result<()>> + Send;

    /// Ends the connection in the transport's own way, bounded in time.
    fn close(&mut self, code: u16) -> impl Future<Output = ()> + Send;
}
