//! Peers of all dialects that talk to each other through one real server.
//!
//! A [`Peer`] is a user with a client that we did not write (WuKongIM's SDK, stompjs with or
//! without sockjs-client, MQTT.js, paho-mqtt) or, where there is none to install, a raw WebSocket (gyyx,
//! wg). Whatever a client says comes into its [`Log`] as [`Event`]s of one form, with the
//! rendering of its dialect as it was on the wire. What must be there is in [`kinds`], which
//! restates interop.md G.3 and never asks the product. Peers are made by
//! [`Dialect`](crosstalk_gateway::Dialect): a dialect without a driver does not compile.

mod driver;
mod event;
mod gyyx;
pub mod kinds;
mod log;
mod mqtt;
mod peer;
mod process;
mod socket;
mod stomp;
mod wg;
mod world;
mod wukong;

pub use driver::Driver;
pub use event::{Answer, Event, Heard, Place, Sent};
pub use log::Log;
pub use peer::Peer;
pub use world::{Clients, World};
