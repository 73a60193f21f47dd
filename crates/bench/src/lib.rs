//! The load generator: many clients in one process against a running server,
//! and a report of what they saw.
//!
//! Reading order: [`Options`] says what can be asked for, `scenario` turns that
//! into who talks to whom, `run` has the steps of each scenario, `drive` runs one
//! connection, `account` keeps its books, `measure` watches the server and the
//! machine, `report` says it all and [`compare`] sets reports against each other.
//! A dialect is one file below `dialect`: a set-up over HTTP and a state
//! machine from bytes to bytes; sockets are opened in `link` only.
//!
//! It guarantees that a run is bounded in time and in count, that an interrupt
//! ends it with a report of what was seen so far, and that no message is
//! counted twice: not in the latencies, nor among losses and duplicates.
//!
//! It does not know the server's insides: everything it reports was seen on
//! sockets, read from `/proc`, or is named as what the server counts itself.

mod account;
mod clock;
mod compare;
mod connect;
mod dialect;
mod drive;
mod link;
mod measure;
mod options;
mod pace;
mod progress;
mod report;
mod run;
mod scenario;
mod stamp;
mod target;

pub use compare::{Comparison, compare};
pub use options::{Command, CompareOptions, Options, Scenario, ServerOptions};
pub use report::Report;
pub use run::run;
