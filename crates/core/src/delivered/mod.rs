//! What a device has been given (data-model.md §3): which stretches of the log, and which
//! messages inside them it has not acknowledged. What waits for a device that was away is
//! computed from this and the channels' logs; nothing is written per recipient at a send.

mod given;
mod port;

pub use given::{Given, MAX_RANGES, MAX_UNACKED, Stretch};
pub use port::{DeviceKey, Devices, Waiting};
