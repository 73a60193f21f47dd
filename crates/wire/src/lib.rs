//! Wire formats: bytes in, typed frames out, and back.
//!
//! One module per dialect, and `lenient`, the tolerant reading of JSON that several of them
//! share. Everything here is a pure function of its input:
//! the crate guarantees that no input makes it panic, that a limit is checked
//! before memory is spent on what the limit forbids, and that encoding either
//! appends one whole frame or leaves the output as it was.
//!
//! It does not know sockets, tasks, clocks, randomness, storage or the
//! messenger's own types. Converting frames to messages is the gateway's work.

pub mod gyyx;
pub mod lenient;
pub mod mqtt;
pub mod sockjs;
pub mod stomp;
pub mod wg;
pub mod wukong;
