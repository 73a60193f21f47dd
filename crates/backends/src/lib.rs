//! Stores behind the core's ports: the only home of SQL.
//!
//! What it must not know: sockets, dialects, and what the core does with what it asks for.
//! [`sqlite`] is the embedded default; [`doctor`] measures what a disk can do for it. [`blob`]
//! keeps the bytes of files.

pub mod blob;
pub mod doctor;
pub mod sqlite;
