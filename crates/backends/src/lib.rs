//! Stores behind the core's ports: the only home of SQL.
//!
//! What it must not know: sockets, dialects, and what the core does with what it asks for.
//! [`sqlite`] is the embedded default; [`doctor`] measures what a disk can do for it.

pub mod doctor;
pub mod sqlite;
