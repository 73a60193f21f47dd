//! The one connection loop, for every dialect over every transport.

mod driver;
mod in_flight;

pub(crate) use driver::{Connection, drive};

use std::future::Future;
use std::io;

use bytes::BytesMut;

use crate::protocol::Out;

/// Carries a connection's bytes. A transport of messages hands over each message's bytes as
/// part of one stream and sends each frame as one message.
pub(crate) trait Transport: Send {
    /// Waits for bytes and appends them; 0 = the peer has closed. May be dropped at any
    /// await without losing bytes.
    fn receive(&mut self, input: &mut BytesMut) -> impl Future<Output = io::Result<usize>> + Send;

    /// Writes everything.
    fn send(&mut self, out: &mut Out) -> impl Future<Output = io::Result<()>> + Send;

    /// Ends the connection in the transport's own way, bounded in time.
    fn close(&mut self, code: u16) -> impl Future<Output = ()> + Send;
}
