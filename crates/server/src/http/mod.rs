//! HTTP: our own REST, and the HTTP API of each dialect.

pub mod state;
pub mod v1;
pub mod wukong;
