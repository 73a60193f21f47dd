//! Sending: limits → access → append.

pub mod access;
pub mod limits;
