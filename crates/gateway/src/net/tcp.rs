//! Plain TCP as a transport.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::conn::{Transport, in_time};
use crate::protocol::Out;

/// Read at once. On the stack only while there is something to read: an idle connection
/// holds no buffer.
const CHUNK: usize = 16 * 1024;
/// How long the peer may take to see that we have closed.
const CLOSE_DEADLINE: Duration = Duration::from_secs(1);

pub(super) struct TcpTransport(pub(super) TcpStream);

impl Transport for TcpTransport {
    async fn receive(&mut self, input: &mut BytesMut) -> io::Result<usize> {
        loop {
            self.0.readable().await?;
            let mut chunk = [0; CHUNK];
            match self.0.try_read(&mut chunk) {
                Ok(count) => {
                    input.extend_from_slice(&chunk[..count]);
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn send(&mut self, out: &mut Out) -> io::Result<()> {
        let mut rest = out.bytes();
        while !rest.is_empty() {
            match in_time(self.0.write(rest)).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => rest = &rest[count..],
            }
        }
        Ok(())
    }

    async fn close(&mut self, _code: u16) {
        // Closing with unread input would reset the connection and could take the last
        // frames with it: say that we have finished, then read until the peer has too.
        let goodbye = async {
            self.0.shutdown().await?;
            let mut ignored = [0; 512];
            let mut patience = 128;
            while patience > 0 && self.0.read(&mut ignored).await? > 0 {
                patience -= 1;
            }
            io::Result::Ok(())
        };
        // Whoever does not answer is cut off.
        let _ = timeout(CLOSE_DEADLINE, goodbye).await;
    }
}
