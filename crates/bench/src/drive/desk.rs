//! Where a client's messages are written and noted.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Result;

use super::missed::Missed;
use super::{Sending, Shared};
use crate::account::{Arrival, Batch, Books};
use crate::connect::Client;
use crate::dialect::{Address, Event, Message, Proof};
use crate::pace::Next;
use crate::stamp::{Stamp, is_whole};

/// A client's books, and what it still has to send.
pub(super) struct Desk {
    pub(super) index: u32,
    pub(super) books: Books,
    pub(super) shared: Arc<Shared>,
    /// `None` once it has sent all.
    sending: Option<Sending>,
    /// Where its messages go, also when all are sent.
    to: Option<Address>,
    /// How many must get each of its messages.
    receivers: u64,
    batch: Batch,
    /// The last content, to use its memory again.
    content: Vec<u8>,
    /// When the client last came back: what was sent before has no latency.
    back_ns: u64,
}

impl Desk {
    pub(super) fn new(index: u32, sending: Option<Sending>, shared: Arc<Shared>) -> Self {
        let audience = shared.audiences[index as usize].clone();
        let receivers = audience
            .clone()
            .map_or(0, |range| range.filter(|&it| it != index).count());
        Self {
            index,
            to: sending.as_ref().map(|sending| sending.to.clone()),
            sending,
            receivers: receivers as u64,
            books: Books {
                audience,
                ..Books::default()
            },
            batch: Batch::default(),
            content: Vec::new(),
            back_ns: 0,
            shared,
        }
    }

    /// Sends all that is due. When to look again, if that is known.
    pub(super) fn send_due(&mut self, client: &mut Client) -> Result<Option<u64>> {
        loop {
            let now_ns = self.shared.clock.now_ns();
            let stop_ns = self.shared.stop_ns();
            let Some(sending) = &mut self.sending else {
                return Ok(None);
            };
            if now_ns >= stop_ns {
                self.finish_sending();
                return Ok(None);
            }
            let due_ns = match sending.pace.next(now_ns, self.books.sent.in_flight()) {
                Next::Send { due_ns } => due_ns,
                Next::At(at_ns) => return Ok(Some(at_ns)),
                Next::AfterAnswer => return Ok(None),
            };
            let is_measured = self.shared.is_measured(due_ns);
            if is_measured && let Some(quota) = &mut sending.quota {
                let Some(rest) = quota.checked_sub(1) else {
                    self.finish_sending();
                    return Ok(None);
                };
                *quota = rest;
            }
            sending.pace.sent();
            let seq = self.books.sent.send(due_ns);
            self.write(client, seq, due_ns)?;
            self.batch.totals.sent += 1;
            if is_measured {
                self.batch.totals.measured_sent += 1;
                self.batch.lag_ns.push(now_ns - due_ns);
            }
        }
    }

    /// Sends once more what got no answer on the last connection.
    pub(super) fn send_again(&mut self, client: &mut Client) -> Result<()> {
        for (seq, sent_ns) in self.books.sent.waiting() {
            self.write(client, seq, sent_ns)?;
        }
        Ok(())
    }

    fn write(&mut self, client: &mut Client, seq: u32, sent_ns: u64) -> Result<()> {
        let Some(to) = &self.to else { return Ok(()) };
        let stamp = Stamp {
            sent_ns,
            run: self.shared.run,
            sender: self.index,
            seq,
        };
        stamp.write(self.shared.payload, &mut self.content);
        client.peer.send(to, seq, &self.content, &mut client.out)
    }

    pub(super) fn finish_sending(&mut self) {
        if self.sending.take().is_some() {
            self.shared.senders.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(super) fn hand_in(&mut self) {
        self.shared.tally.add(self.index, &mut self.batch);
    }

    pub(super) fn hear(&mut self, event: Event<'_>, now_ns: u64) {
        match event {
            Event::Open => {}
            Event::Accepted { tag } => {
                let Some(sent_ns) = self.books.sent.accept(tag) else {
                    return;
                };
                let totals = &mut self.batch.totals;
                totals.accepted += 1;
                totals.expected += self.receivers;
                if self.shared.is_measured(now_ns) {
                    totals.measured_accepted += 1;
                }
                if self.shared.is_measured(sent_ns) {
                    self.batch.ack_ns.push(now_ns.saturating_sub(sent_ns));
                }
            }
            Event::Refused { tag, code } => {
                if self.books.sent.refuse(tag, code) {
                    self.batch.totals.refused += 1;
                    if let Some(sending) = &mut self.sending {
                        sending.pace.refused(now_ns);
                    }
                }
            }
            Event::Received(message) => self.receive(&message, now_ns),
        }
    }

    fn receive(&mut self, message: &Message<'_>, now_ns: u64) {
        let shared = &*self.shared;
        let received = &mut self.books.received;
        if message.proof != Proof::NotChecked {
            received.checked += 1;
            let is_good = message.proof == Proof::Good && is_whole(message.content, shared.payload);
            received.corrupt += u64::from(!is_good);
        }
        let Some(stamp) = shared.stamp(message.content, self.index) else {
            received.foreign += 1;
            return;
        };
        let channel = (message.channel, message.is_group);
        let arrival = received.note(channel, message.place, stamp.sender, stamp.seq);
        if arrival == Arrival::Duplicate {
            return;
        }
        let totals = &mut self.batch.totals;
        totals.delivered += 1;
        if shared.is_measured(now_ns) {
            totals.measured_delivered += 1;
        }
        if shared.is_measured(stamp.sent_ns) && stamp.sent_ns >= self.back_ns {
            self.batch
                .delivery_ns
                .push(now_ns.saturating_sub(stamp.sent_ns));
        }
    }

    /// A new connection is there.
    pub(super) fn came_back(&mut self, now_ns: u64) {
        self.back_ns = now_ns;
        self.books.received.reconnected();
    }

    /// Notes what the client was told that it had missed.
    pub(super) fn catch_up(&mut self, missed: Result<Missed>) {
        let shared = Arc::clone(&self.shared);
        let Some(trips) = &shared.trips else { return };
        match missed {
            Ok(missed) => {
                for (channel, line) in &missed.lines {
                    self.recover(channel, line.place, &line.content);
                }
                self.books.received.settle();
                trips.ledger.asked.answered(missed.took_ns, missed.bytes);
            }
            Err(why) => trips.ledger.asked.failed(&why),
        }
        // Counted first: who sees that nobody asks any more sees all of it.
        self.hand_in();
        trips.ledger.has_caught_up();
    }

    fn recover(&mut self, channel: &Address, place: u64, content: &[u8]) {
        let received = &mut self.books.received;
        // A conversation begins with what was said before this run, too.
        let Some(stamp) = self.shared.stamp(content, self.index) else {
            return;
        };
        let channel = match channel {
            Address::User(uid) => (uid.as_str(), false),
            Address::Group(id) => (id.as_str(), true),
        };
        if received.recover(channel, place, stamp.sender, stamp.seq) == Arrival::New {
            self.batch.totals.delivered += 1;
        }
    }
}

impl Shared {
    /// The stamp of a content that is for this client.
    fn stamp(&self, content: &[u8], index: u32) -> Option<Stamp> {
        Stamp::read(content).filter(|stamp| {
            let audience = self.audiences.get(stamp.sender as usize);
            let audience = audience.and_then(Option::as_ref);
            stamp.run == self.run
                && stamp.sender != index
                && audience.is_some_and(|audience| audience.contains(&index))
        })
    }
}
