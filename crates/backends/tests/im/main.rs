//! The messenger on the embedded store: what devices get that were away, too slow, or
//! connected to a server that crashed.

mod beginning;
mod catch_up;
mod changes;
mod comings;
mod crash;
mod first_contact;
mod friends;
mod groups;
mod halfway;
mod logins;
mod model;
mod opening;
mod positions;
mod presence;
mod pull;
mod resolving;
mod screening;
mod world;
