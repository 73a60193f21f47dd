//! Clients that write until the connection ends.

use std::collections::HashMap;
use std::sync::Arc;

use crosstalk_tests::wukong::{Received, WukongClient};
use crosstalk_wire::wukong::binary::Sendack;

use super::ledger::Line;
use super::moment::Trigger;

/// Messages of a writer that wait for their acknowledgement.
const WINDOW: usize = 48;

/// One line and the connection that carries it on.
pub(super) struct Writer {
    client: WukongClient,
    line: Line,
    /// Numbers from here on were never sent before this connection.
    fresh_from: usize,
    /// Client sequence → number.
    in_flight: HashMap<u32, usize>,
}

/// Reads all messages until the server is gone.
pub(super) async fn listen(mut client: WukongClient) -> Vec<Received> {
    let mut heard = Vec::new();
    while let Some(message) = client.any_message().await {
        heard.push(message);
    }
    heard
}

impl Writer {
    pub(super) fn new(client: WukongClient, line: Line) -> Writer {
        let fresh_from = line.next;
        Writer {
            client,
            line,
            fresh_from,
            in_flight: HashMap::new(),
        }
    }

    /// Writes what is pending and then ever more, until the server is gone.
    pub(super) async fn write_until_closed(mut self, trigger: Arc<Trigger>) -> Line {
        let mut again = self.line.again().into_iter();
        let mut is_open = true;
        loop {
            while is_open && self.in_flight.len() < WINDOW {
                let number = again.next().unwrap_or_else(|| self.line.next_number());
                is_open = self.post(number).await;
                trigger.posted();
            }
            // What the server had answered before it was gone still counts.
            let Some(ack) = self.client.any_ack().await else {
                return self.line;
            };
            // The kill comes first: the sooner, the less the server can still make good.
            let number = self.in_flight.get(&ack.client_seq);
            trigger.acked(number.is_some_and(|number| *number >= self.fresh_from));
            self.note(ack);
        }
    }

    /// Writes what is pending, and waits until all of it is acknowledged.
    pub(super) async fn write_the_rest(mut self) -> Line {
        for number in self.line.again() {
            assert!(self.post(number).await, "the server takes the rest");
        }
        while !self.in_flight.is_empty() {
            let ack = self
                .client
                .any_ack()
                .await
                .expect("the server acknowledges the rest");
            self.note(ack);
        }
        self.line
    }

    /// Writes a message; false if the server is gone.
    async fn post(&mut self, number: usize) -> bool {
        let message = self.line.message(number);
        let Some(client_seq) = self.client.try_post(&message).await else {
            return false;
        };
        self.in_flight.insert(client_seq, number);
        true
    }

    fn note(&mut self, ack: Sendack) {
        let number = self
            .in_flight
            .remove(&ack.client_seq)
            .expect("an answer to what was sent");
        assert_eq!(ack.reason, 1, "{} {number}: {ack:?}", self.line.writer);
        self.line
            .acknowledged(number, (ack.message_id, ack.message_seq));
    }
}
