//! The integration tests: real servers, real sockets, real clients.

mod basics;
