//! The integration tests: real servers, real sockets, real clients. One module per subject;
//! each test has a server of its own.

mod alone;
mod api;
mod attack;
mod auth;
mod backend;
mod conversations;
mod crash;
mod dedup;
#[cfg(target_os = "linux")]
mod faults;
mod files;
mod framing;
mod gyyx;
mod history;
mod jwt;
mod logins;
mod mqtt;
mod order;
mod rest;
mod rules;
mod sdk;
mod shutdown;
mod slow;
mod stomp;
mod versions;
mod wg;
mod wg_app;
