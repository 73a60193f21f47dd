//! The server: configuration, command line, composition, HTTP.

pub mod http;
