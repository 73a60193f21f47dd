//! The books of a run: what each client sent and got, and what that adds up to.
//!
//! [`Sent`] and [`Received`] belong to one client and are compared when all is
//! over ([`settle`]); [`Tally`] holds the latencies and the running totals that
//! all clients share; [`Asked`] what was asked over HTTP. Nothing here knows a
//! socket or a dialect.

mod asked;
mod received;
mod sent;
mod tally;

use std::ops::Range;

pub(crate) use asked::{Asked, Asking};
pub(crate) use received::{Arrival, Received};
pub(crate) use sent::Sent;
pub(crate) use tally::{Batch, Tally, Totals, histogram};

/// One client's books when its connection is over.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) sent: Sent,
    pub(crate) received: Received,
    /// Who must get what this client sends, by index; itself excepted.
    pub(crate) audience: Option<Range<u32>>,
    /// Why the connection ended before its time.
    pub(crate) broken: Option<String>,
    /// It had left and was not back when all was over.
    pub(crate) is_away: bool,
}

/// What all books say together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Settlement {
    /// Accepted by the server, due to a client that stayed online, never there.
    pub(crate) losses: u64,
    /// Copies beyond the first, without those that a reconnect explains.
    pub(crate) duplicates: u64,
    /// Copies that a reconnect explains.
    pub(crate) redelivered: u64,
    /// Messages that came only because a client asked when it was back.
    pub(crate) recovered: u64,
    /// Messages whose place in the channel was not above the one before.
    pub(crate) order_errors: u64,
    /// Messages that came after a later one of the same sender.
    pub(crate) sender_order_errors: u64,
    /// Messages that were not for the client, or not of this run.
    pub(crate) foreign: u64,
    /// Messages whose signature or content was checked.
    pub(crate) checked: u64,
    /// Those that were wrong.
    pub(crate) corrupt: u64,
    /// Sent and never answered.
    pub(crate) unanswered: u64,
    /// Clients that lost their connection, and one reason.
    pub(crate) broken: u64,
    pub(crate) broken_why: Option<String>,
    /// Clients that had left and were not back.
    pub(crate) away: u64,
}

/// Compares what was accepted with what arrived. The books are in the order of
/// the clients' indexes.
pub(crate) fn settle(books: &[Books]) -> Settlement {
    let mut settlement = Settlement::default();
    for (index, book) in books.iter().enumerate() {
        settlement.unanswered += book.sent.in_flight();
        settlement.duplicates += book.received.duplicates;
        settlement.redelivered += book.received.redelivered;
        settlement.recovered += book.received.recovered;
        settlement.order_errors += book.received.order_errors;
        settlement.sender_order_errors += book.received.sender_order_errors;
        settlement.foreign += book.received.foreign;
        settlement.checked += book.received.checked;
        settlement.corrupt += book.received.corrupt;
        settlement.away += u64::from(book.is_away);
        if let Some(why) = &book.broken {
            settlement.broken += 1;
            settlement.broken_why.get_or_insert_with(|| why.clone());
        }
        let Some(audience) = &book.audience else {
            continue;
        };
        let not_accepted = book.sent.not_accepted();
        let sender = index as u32;
        for receiver in audience.clone().filter(|&receiver| receiver != sender) {
            let receiver = &books[receiver as usize];
            // What a client without a connection did not get waits on the server.
            if receiver.broken.is_none() && !receiver.is_away {
                settlement.losses +=
                    receiver
                        .received
                        .lost_from(sender, book.sent.count(), &not_accepted);
            }
        }
    }
    settlement
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sender of five messages to clients 1 and 2: the second refused, the
    /// fourth never answered.
    fn books() -> Vec<Books> {
        let mut sender = Books {
            audience: Some(0..3),
            ..Books::default()
        };
        for at_ns in 0..5 {
            sender.sent.send(at_ns);
        }
        for seq in [0, 2, 4] {
            sender.sent.accept(seq);
        }
        sender.sent.refuse(1, 22);
        let mut whole = Books::default();
        for (seq, channel_seq) in [(0, 1), (2, 2), (3, 3), (4, 4)] {
            whole.received.note(("c", true), Some(channel_seq), 0, seq);
        }
        vec![sender, whole, Books::default()]
    }

    #[test]
    fn losses_are_what_was_accepted_and_did_not_come() {
        let mut books = books();
        let settlement = settle(&books);
        assert_eq!(
            settlement,
            Settlement {
                losses: 3,
                unanswered: 1,
                ..Settlement::default()
            }
        );

        books[2].received.note(("c", true), Some(2), 0, 2);
        assert_eq!(settle(&books).losses, 2);
    }

    #[test]
    fn who_was_cut_off_has_lost_nothing() {
        let mut books = books();
        books[2].broken = Some("reset by peer".to_owned());
        let settlement = settle(&books);
        assert_eq!((settlement.losses, settlement.broken), (0, 1));
        assert_eq!(settlement.broken_why.as_deref(), Some("reset by peer"));
        books[2].broken = None;
        books[2].is_away = true;
        let settlement = settle(&books);
        assert_eq!((settlement.losses, settlement.away), (0, 1));
    }
}
