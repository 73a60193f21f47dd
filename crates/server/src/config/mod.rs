//! Configuration: typed, complete, and strict about what it does not know.
//!
//! A setting comes from the command line, the environment, the file or the defaults, in this
//! order. The typed form ([`Config`]) is the only list of settings there is: which keys exist,
//! what they are called and what they default to is read from it.

mod check;
mod load;
mod place;
mod print;
mod schema;
mod values;

#[cfg(test)]
mod tests;

pub use load::{Loaded, Sources, load};
pub use place::{Place, Problem, Problems};
pub use print::{changed_keys, print};
pub use schema::{
    Config, Dialects, Durability, Im, Limits, Listen, Log, LogFormat, Net, Public, Server, Store,
    Wukong, WukongSwitch,
};
pub use values::{Listener, Secret};

/// The complete configuration with every default, as shipped.
pub const EXAMPLE: &str = include_str!("../../../../crosstalk.example.toml");
