//! Latencies and running totals of all clients together.
//!
//! Clients collect a [`Batch`] and hand it in, so that a lock is taken per
//! read of a socket and not per message; few histograms are shared by all,
//! since one for each client would fill the memory.

use std::sync::atomic::{AtomicU64, Ordering};

use hdrhistogram::Histogram;
use parking_lot::Mutex;

use crate::clock::SECOND_NS;

/// The smallest and the largest latency that are told apart, and how exactly.
const LOWEST_NS: u64 = 1_000;
const HIGHEST_NS: u64 = 120 * SECOND_NS;
const SIGNIFICANT_DIGITS: u8 = 3;

/// The histograms of a run, or of a part of its clients.
#[derive(Debug, Clone)]
pub(crate) struct Latencies {
    /// From sending, or from when it was due, to the answer.
    pub(crate) ack: Histogram<u64>,
    /// To each receiver.
    pub(crate) delivery: Histogram<u64>,
    /// How late a message was handed to the socket at a given rate.
    pub(crate) lag: Histogram<u64>,
}

impl Latencies {
    fn new() -> Self {
        Self {
            ack: histogram(),
            delivery: histogram(),
            lag: histogram(),
        }
    }
}

/// An empty histogram of nanoseconds.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(LOWEST_NS, HIGHEST_NS, SIGNIFICANT_DIGITS)
        .expect("the bounds are constants in the right order")
}

/// What one client saw since it last handed in.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) totals: Totals,
    pub(crate) ack_ns: Vec<u64>,
    pub(crate) delivery_ns: Vec<u64>,
    pub(crate) lag_ns: Vec<u64>,
}

/// Counts of messages. `measured_*` are those of the measured time only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) sent: u64,
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    /// How many deliveries the accepted messages must lead to.
    pub(crate) expected: u64,
    pub(crate) delivered: u64,
    pub(crate) measured_sent: u64,
    pub(crate) measured_accepted: u64,
    pub(crate) measured_delivered: u64,
}

/// What all clients saw.
#[derive(Debug)]
pub(crate) struct Tally {
    shards: Vec<Mutex<Latencies>>,
    totals: AtomicTotals,
}

#[derive(Debug, Default)]
struct AtomicTotals {
    sent: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    expected: AtomicU64,
    delivered: AtomicU64,
    measured_sent: AtomicU64,
    measured_accepted: AtomicU64,
    measured_delivered: AtomicU64,
}

impl Tally {
    /// One shard per thread keeps them out of each other's way.
    pub(crate) fn new(shards: usize) -> Self {
        let shards = (0..shards.max(1))
            .map(|_| Mutex::new(Latencies::new()))
            .collect();
        Self {
            shards,
            totals: AtomicTotals::default(),
        }
    }

    /// Takes what a client saw; the batch is empty afterwards.
    pub(crate) fn add(&self, client: u32, batch: &mut Batch) {
        let counts = std::mem::take(&mut batch.totals);
        if counts == Totals::default() {
            return;
        }
        let totals = &self.totals;
        for (total, count) in [
            (&totals.sent, counts.sent),
            // Expected goes before accepted, so that nobody sees all answered
            // and all delivered while a delivery is still to be expected.
            (&totals.expected, counts.expected),
            (&totals.accepted, counts.accepted),
            (&totals.refused, counts.refused),
            (&totals.delivered, counts.delivered),
            (&totals.measured_sent, counts.measured_sent),
            (&totals.measured_accepted, counts.measured_accepted),
            (&totals.measured_delivered, counts.measured_delivered),
        ] {
            if count > 0 {
                total.fetch_add(count, Ordering::AcqRel);
            }
        }
        if batch.ack_ns.is_empty() && batch.delivery_ns.is_empty() && batch.lag_ns.is_empty() {
            return;
        }
        let mut shard = self.shards[client as usize % self.shards.len()].lock();
        let Latencies { ack, delivery, lag } = &mut *shard;
        for (values, histogram) in [
            (&mut batch.ack_ns, ack),
            (&mut batch.delivery_ns, delivery),
            (&mut batch.lag_ns, lag),
        ] {
            for value in values.drain(..) {
                histogram.saturating_record(value);
            }
        }
    }

    /// The counts now.
    pub(crate) fn totals(&self) -> Totals {
        let get = |total: &AtomicU64| total.load(Ordering::Acquire);
        let totals = &self.totals;
        // In this order: see `add`.
        let (accepted, refused) = (get(&totals.accepted), get(&totals.refused));
        Totals {
            accepted,
            refused,
            sent: get(&totals.sent),
            expected: get(&totals.expected),
            delivered: get(&totals.delivered),
            measured_sent: get(&totals.measured_sent),
            measured_accepted: get(&totals.measured_accepted),
            measured_delivered: get(&totals.measured_delivered),
        }
    }

    /// All latencies so far.
    pub(crate) fn latencies(&self) -> Latencies {
        let mut all = Latencies::new();
        for shard in &self.shards {
            let shard = shard.lock();
            // All histograms have the same bounds, so adding cannot fail.
            all.ack += &shard.ack;
            all.delivery += &shard.delivery;
            all.lag += &shard.lag;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_of_all_clients_add_up() {
        let tally = Tally::new(2);
        for client in 0..4 {
            let totals = Totals {
                sent: 2,
                accepted: 1,
                expected: 3,
                ..Totals::default()
            };
            let mut batch = Batch {
                totals,
                ack_ns: vec![u64::from(client + 1) * 1_000_000],
                delivery_ns: vec![5_000_000, HIGHEST_NS * 2],
                lag_ns: Vec::new(),
            };
            tally.add(client, &mut batch);
            assert!(batch.ack_ns.is_empty() && batch.totals == Totals::default());
            tally.add(client, &mut batch);
        }
        let totals = tally.totals();
        assert_eq!((totals.sent, totals.accepted, totals.expected), (8, 4, 12));
        let latencies = tally.latencies();
        assert_eq!(
            (
                latencies.ack.len(),
                latencies.delivery.len(),
                latencies.lag.len()
            ),
            (4, 8, 0)
        );
        let median = latencies.ack.value_at_quantile(0.5) as f64;
        assert!((median / 2e6 - 1.0).abs() < 0.001, "{median}");
        // What is out of bounds is recorded as the highest.
        assert!(latencies.delivery.max() >= HIGHEST_NS);
    }
}
