//! Sending: limits → access → append. Words are judged by whoever can read the payload.

pub mod access;
pub mod limits;
pub mod screen;
pub mod rates;
pub mod words;
pub mod strangers;
