//! What breaks under a server: its disk, its files, its clock, its peers.
//!
//! Each module breaks one thing on a real server and looks from outside at what clients are told,
//! at what is stored in the end, and at how the server says that something is wrong. `crash`
//! beside it has what ends the process.
//!
//! `CROSSTALK_SEED` repeats a run's choices, `CROSSTALK_FAULT_ROUNDS` sets how often a test breaks
//! something.

mod at_rest;
mod author;
mod clock;
mod flip;
mod full;
mod pages;
mod stalled;
mod sync;

use crosstalk_tests::Server;

use crate::crash::ledger::{Ledger, Line, READER};

/// Nothing is to be refused but for the fault.
const SETTINGS: &[&str] = &[
    "limits.send_rate=0",
    // Nothing but what is said is written.
    "search.enabled=false",
];

/// Who writes: to the reader, and to a group.
fn ledger() -> Ledger {
    let lines = vec![
        Line::new("direct1", READER, 1),
        Line::new("group1", "crowd", 2),
        Line::new("group2", "crowd", 2),
    ];
    Ledger::new(lines).in_any_order()
}

/// A server with faults under it that knows all who write.
async fn server() -> Server {
    let server = Server::start_with_faults(SETTINGS).await;
    let members = [READER, "direct1", "group1", "group2"];
    server.group("crowd", &members).await;
    for uid in members {
        server.register(uid, 0, 0).await;
    }
    server
}
