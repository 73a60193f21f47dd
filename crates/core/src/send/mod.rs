//! Sending: limits → access → append. Words are judged by whoever can read the payload.

pub mod access;
pub(crate) mod folding;
pub mod limits;
pub mod rates;
pub mod screen;
pub mod strangers;
pub mod words;
