//! A stream of bytes as a transport: plain TCP.

use std::io;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::conn::{Input, Transport, in_time};
use crate::protocol::Out;

/// How long the peer may take to see that we have closed.
const CLOSE_DEADLINE: Duration = Duration::from_secs(1);

pub(super) struct StreamTransport<S>(pub(super) S);

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Transport for StreamTransport<S> {
    fn poll_receive(&mut self, cx: &mut Context<'_>, input: &mut Input) -> Poll<io::Result<usize>> {
        read(&mut self.0, cx, input)
    }

    async fn send(&mut self, out: &Out) -> io::Result<()> {
        write(&mut self.0, out.bytes()).await
    }

    async fn close(&mut self, _code: u16) {
        // Whoever does not answer is cut off.
        let _ = timeout(CLOSE_DEADLINE, hang_up(&mut self.0)).await;
    }
}

/// Appends what can be read to `input`, and settles it when that is nothing.
pub(super) fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    cx: &mut Context<'_>,
    input: &mut Input,
) -> Poll<io::Result<usize>> {
    // The future keeps nothing, so the next one goes on where this one ends.
    let polled = pin!(stream.read_buf(input.room())).poll(cx);
    if polled.is_pending() {
        input.settle();
    }
    polled
}

/// Writes all of it.
pub(super) async fn write<S: AsyncWrite + Unpin>(
    stream: &mut S,
    mut rest: &[u8],
) -> io::Result<()> {
    while !rest.is_empty() {
        match in_time(stream.write(rest)).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            count => rest = &rest[count..],
        }
    }
    Ok(())
}

/// Closing with unread input would reset the connection and could take the last frames with
/// it: says that we have finished, then reads until the peer has too.
pub(super) async fn hang_up<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> io::Result<()> {
    stream.shutdown().await?;
    let mut ignored = [0; 512];
    let mut patience = 128;
    while patience > 0 && stream.read(&mut ignored).await? > 0 {
        patience -= 1;
    }
    Ok(())
}
