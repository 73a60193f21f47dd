//! Messages whose time ends: by a timer, or some time after they were read.
//!
//! When a message ends stands beside it, so reading never shows it afterwards. A sweep erases
//! what is due and has everybody told.

mod port;

pub use port::{Due, Expiry};
