//! How fast loopback is without a server of ours: bytes that come back over one
//! TCP connection, with one thread on each side.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::account::histogram;

/// A message, as long as the usual payload.
const MESSAGE_BYTES: usize = 100;
/// Messages on their way when many are: what a busy server finds in a socket.
const PIPELINE: usize = 64;
/// The buffer of the side that sends everything back.
const BUFFER_BYTES: usize = 64 << 10;

/// What came back.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct EchoReport {
    /// Messages of 100 bytes per second with 64 of them under way.
    pub(crate) messages_per_s: f64,
    /// The same with one at a time.
    pub(crate) round_trips_per_s: f64,
    pub(crate) round_trip_p50_us: f64,
    pub(crate) round_trip_p99_us: f64,
}

/// Measures twice for so long.
pub(super) fn measure(time: Duration) -> io::Result<EchoReport> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut near = TcpStream::connect(listener.local_addr()?)?;
    let (far, _) = listener.accept()?;
    for end in [&near, &far] {
        end.set_nodelay(true)?;
        end.set_read_timeout(Some(time * 2 + Duration::from_secs(1)))?;
    }
    let echoing = thread::spawn(move || send_back(far));

    let mut times = histogram();
    let round_trips_per_s = rate(time, || {
        let before = Instant::now();
        exchange(&mut near, 1)?;
        times.saturating_record(before.elapsed().as_nanos() as u64);
        Ok(1)
    })?;
    let messages_per_s = rate(time, || {
        exchange(&mut near, PIPELINE)?;
        Ok(PIPELINE)
    })?;
    drop(near);
    // It cannot panic, and nothing depends on it any more.
    let _ = echoing.join();
    let at = |quantile| times.value_at_quantile(quantile) as f64 / 1e3;
    Ok(EchoReport {
        messages_per_s,
        round_trips_per_s,
        round_trip_p50_us: at(0.5),
        round_trip_p99_us: at(0.99),
    })
}

/// Ends when the other side closes.
fn send_back(mut stream: TcpStream) {
    let mut bytes = vec![0; BUFFER_BYTES];
    while let Ok(len @ 1..) = stream.read(&mut bytes) {
        if stream.write_all(&bytes[..len]).is_err() {
            return;
        }
    }
}

/// So many messages there and back.
fn exchange(stream: &mut TcpStream, messages: usize) -> io::Result<()> {
    let mut bytes = [0x5a; MESSAGE_BYTES * PIPELINE];
    let bytes = &mut bytes[..messages * MESSAGE_BYTES];
    stream.write_all(bytes)?;
    stream.read_exact(bytes)
}

/// How many per second `step` makes.
fn rate(time: Duration, mut step: impl FnMut() -> io::Result<usize>) -> io::Result<f64> {
    let (start, mut made) = (Instant::now(), 0_usize);
    while start.elapsed() < time {
        made += step()?;
    }
    Ok(made as f64 / start.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_comes_back() {
        let report = measure(Duration::from_millis(20)).expect("measured");
        assert!(report.messages_per_s > 0.0 && report.round_trips_per_s > 0.0);
        assert!(report.round_trip_p99_us >= report.round_trip_p50_us);
    }
}
