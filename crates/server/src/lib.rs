//! The server: configuration, command line, composition, HTTP.
//!
//! It puts the parts together and owns none of their rules: the messenger is `core`, storage
//! `backends`, connections and dialects `gateway`. What is here knows all of them, and nothing
//! knows it.

pub mod apps;
pub mod auth;
mod banner;
pub mod cli;
pub mod compose;
pub mod config;
pub mod consumers;
pub mod data_dir;
pub mod doctor;
pub mod files;
pub mod hooks;
pub mod http;
pub mod keys;
pub mod log;
mod manage;
mod say;
pub mod serve;
