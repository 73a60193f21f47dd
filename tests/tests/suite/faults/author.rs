//! Clients that go on writing while the server refuses.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crosstalk_tests::wukong::WukongClient;
use crosstalk_tests::{Server, eventually};
use crosstalk_wire::wukong::binary::Sendack;
use tokio::task::JoinSet;

use crate::crash::ledger::{Ledger, Line};

/// Messages of an author that wait for their answer.
const WINDOW: usize = 16;

/// The reason in a SENDACK for what the server could not do.
pub(super) const SYSTEM_ERROR: u8 = 15;

/// All lines being written, each by a client of its own, until [`stop`](Authors::stop).
pub(super) struct Authors {
    writing: JoinSet<Line>,
    told: Arc<Told>,
}

/// What authors are told, and what they tell.
#[derive(Default)]
struct Told {
    to_stop: AtomicBool,
    accepted: AtomicUsize,
    refused: AtomicUsize,
}

impl Authors {
    /// Lets everybody write. What is refused is sent again, under its old number, and nothing
    /// new until that is accepted; what was pending before is sent again first.
    pub(super) async fn start(server: &Server, ledger: &mut Ledger) -> Authors {
        let told = Arc::<Told>::default();
        let mut writing = JoinSet::new();
        for line in ledger.take_lines() {
            let client = server.login(&line.writer).connect().await;
            let author = Author {
                client,
                again: line.again(),
                line,
                in_flight: HashMap::new(),
                told: Arc::clone(&told),
            };
            writing.spawn(author.write());
        }
        Authors { writing, told }
    }

    /// Waits until so many more have been accepted.
    pub(super) async fn accepted(&self, count: usize) {
        let until = self.told.accepted.load(Ordering::Relaxed) + count;
        let accepted = &self.told.accepted;
        eventually("messages being accepted", async || {
            (accepted.load(Ordering::Relaxed) >= until).then_some(())
        })
        .await;
    }

    /// Waits until so many more have been refused.
    pub(super) async fn refused(&self, count: usize) {
        let until = self.told.refused.load(Ordering::Relaxed) + count;
        let refused = &self.told.refused;
        eventually("messages being refused", async || {
            (refused.load(Ordering::Relaxed) >= until).then_some(())
        })
        .await;
    }

    /// Lets everybody wait for their answers and stop; what was refused last stays pending.
    /// Everybody must still be connected.
    pub(super) async fn stop(mut self, ledger: &mut Ledger) {
        self.told.to_stop.store(true, Ordering::Relaxed);
        while let Some(line) = self.writing.join_next().await {
            ledger.put_line(line.expect("an author that does not panic"));
        }
    }
}

/// One line and the connection that carries it on.
struct Author {
    client: WukongClient,
    line: Line,
    /// Numbers to be sent again.
    again: Vec<usize>,
    /// Client sequence → number.
    in_flight: HashMap<u32, usize>,
    told: Arc<Told>,
}

impl Author {
    async fn write(mut self) -> Line {
        loop {
            let stops = self.told.to_stop.load(Ordering::Relaxed);
            while !stops && self.in_flight.len() < WINDOW {
                let number = self.again.pop().unwrap_or_else(|| self.line.next_number());
                let client_seq = self.client.post(&self.line.message(number)).await;
                self.in_flight.insert(client_seq, number);
            }
            if self.in_flight.is_empty() {
                return self.line;
            }
            // Each is answered, and nobody is cut off.
            let ack = self.client.any_ack().await;
            self.note(ack.expect("a connection that stays open"));
        }
    }

    fn note(&mut self, ack: Sendack) {
        let who = &self.line.writer;
        let number = self.in_flight.remove(&ack.client_seq);
        let number = number.expect("an answer to what was sent");
        if ack.reason == 1 {
            self.told.accepted.fetch_add(1, Ordering::Relaxed);
            self.line
                .acknowledged(number, (ack.message_id, ack.message_seq));
        } else {
            assert_eq!(ack.reason, SYSTEM_ERROR, "{who} {number}: {ack:?}");
            assert_eq!(ack.message_seq, 0, "{who} {number}: {ack:?}");
            self.told.refused.fetch_add(1, Ordering::Relaxed);
            self.again.push(number);
        }
    }
}
