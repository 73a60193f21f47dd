//! What the integration tests stand on: real servers, and clients that talk to them.
//!
//! [`Server`] runs the `crosstalk` binary on free ports over a directory of its own; [`wukong`]
//! speaks the binary dialect over real sockets, [`JsPeer`] is the JavaScript SDK in a process of
//! its own, [`Http`] asks the REST and HTTP interfaces. Every wait is bounded and says in its
//! panic what it waited for. Nothing here knows how the server works inside.

mod faults;
pub mod gyyx;
mod http;
mod js;
pub mod mqtt;
mod seed;
mod server;
pub mod stomp;
mod wait;
pub mod wg;
pub mod wukong;

pub use faults::{Cut, FailedSync, Faults, SLOW_SYNC};
pub use http::{Http, Reply, http_client};
pub use js::{JsPeer, wukong_bundle};
pub use seed::{Seed, fault_rounds};
pub use server::{Killer, Listeners, Server};
pub use wait::{PATIENCE, eventually, within};
