//! Configuration: typed, complete, and strict about what it does not know.
//!
//! A setting comes from the command line, the environment, the file or the defaults, in this
//! order. The typed form ([`Config`]) is the only list of settings there is: which keys exist,
//! what they are called and what they default to is read from it.

mod auth;
mod check;
mod files;
mod gyyx;
mod hooks;
mod load;
mod mqtt;
mod place;
mod print;
mod schema;
mod stomp;
mod values;
mod wg;

#[cfg(test)]
mod tests;

pub use auth::{AppAuth, Auth, Hook, Jwt};
pub use files::{FileStore, Files, S3};
pub use gyyx::{Ack30, ChatSign, CodeProfile, Gyyx, GyyxAppSettings, ListForm, Sign, SignAnswer};
pub use hooks::Hooks;
pub use load::{Loaded, Sources, load};
pub use mqtt::{Mqtt, TenantTypes};
pub use place::{Place, Problem, Problems};
pub use print::{changed_keys, print};
pub use schema::{
    Config, Dialects, Durability, Im, Limits, Listen, Log, LogFormat, Moderation, Net, Public,
    ReviewMode, Server, Store, Switch, Wukong,
};
pub use stomp::Stomp;
pub use values::{Listener, Secret};
pub use wg::{Custom as WgCustom, ListTo, LoginData, SameName, Wg};

/// The complete configuration with every default, as shipped.
pub const EXAMPLE: &str = include_str!("../../../../crosstalk.example.toml");
