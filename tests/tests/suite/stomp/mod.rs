//! The stomp dialect from outside: the conformance steps of its specification, over raw
//! WebSockets on real servers.

mod connecting;
mod crossing;
mod frames;
mod groups;
mod logins;
mod reading;
mod revoking;
mod sending;
mod sockjs;
mod subscribing;
mod syncing;
