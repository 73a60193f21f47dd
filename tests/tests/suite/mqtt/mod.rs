//! The mqtt dialect (protocols/mqtt.md E.e), asserted from outside.

mod connecting;
mod messages;
mod plain;
mod pulling;
mod registering;
mod sessions;
