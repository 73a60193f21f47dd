//! What a device has been given (data-model.md §3): which stretches of the log, and which
//! messages inside them it has not acknowledged. What waits for a device that was away is
//! computed from this and the channels' logs; nothing is written per recipient at a send.
//!
//! `given` is the set, `positions` says how far the log was handed out, `ledger` keeps and
//! writes down what sessions were given, `offline` reads what a device was not given yet.

mod given;
mod ledger;
mod offline;
mod port;
mod positions;

pub use given::{Given, MAX_RANGES, MAX_UNACKED, Stretch};
pub use offline::Pulled;
pub use port::{DeviceKey, Devices, MAX_DEVICE_ID_BYTES, MAX_DEVICES, Waiting, WaitingQuery};
pub use positions::{LanePosition, Positions};

pub(crate) use ledger::Ledger;
pub(crate) use offline::{OFFERED_MS, PER_LOG, begin, catch_up, position_before, pull};
