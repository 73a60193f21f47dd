//! The gyyx dialect (protocols/gyyx.md): its machine and its mapping to the core.
//!
//! Reading order: [`settings`] and [`admission`] are how a signed URL becomes a connection,
//! [`machine`] is its life, [`live`] what is said to each frame, [`sends`] what becomes of its
//! messages, [`requests`] what is asked of the core one by one, [`deliver`] what is pushed,
//! [`view`] what a message looks like.

mod admission;
mod deliver;
mod live;
mod machine;
pub(crate) mod map;
mod once;
mod outbox;
pub(crate) mod reasons;
mod requests;
mod sends;
pub(crate) mod settings;
mod unacked;
mod view;

#[cfg(test)]
mod tests;
