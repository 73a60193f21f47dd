//! What the core asks of a store about devices.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Given, Stretch};
use crate::channel::LogKind;
use crate::id::{MessageId, UserNum};
use crate::message::{Message, Origin};
use crate::store::StoreResult;

/// The longest id of a device, bytes.
pub const MAX_DEVICE_ID_BYTES: usize = 255;
/// Devices of one user and dialect that a store remembers at least; of more it may forget
/// those that were given something longest ago.
pub const MAX_DEVICES: u32 = 64;

/// A device: what a user runs a dialect on. Clients without a stable id of their own share
/// the device `default` of their user and dialect (interop.md G.7).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceKey {
    /// Whose it is.
    pub user: UserNum,
    /// The dialect it speaks.
    pub origin: Origin,
    /// Its id within both, at most [`MAX_DEVICE_ID_BYTES`].
    pub id: Arc<str>,
}

/// How much of what waits is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingQuery {
    /// Of each log only the newest of this many messages count; older ones are history.
    pub per_log: u32,
    /// At most this many messages.
    pub messages: u32,
    /// No more once they have this many bytes ([`Message::weight`]).
    pub bytes: usize,
    /// Only what stands in logs of this kind; `None` = in all.
    pub only: Option<LogKind>,
}

/// The oldest of what waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Ascending by id. There may be none and yet more: ask on, above `through`.
    pub messages: Vec<Message>,
    /// Of what was asked for, everything up to this position is among them. The last one
    /// asked for when nothing more waits.
    pub through: MessageId,
}

/// The store of what devices were given.
#[async_trait]
pub trait Devices: Send + Sync + 'static {
    /// What a device has been given; `None` if it was never seen, or is forgotten.
    async fn given(&self, device: &DeviceKey) -> StoreResult<Option<Given>>;

    /// Adds ([`Given::absorb`]) what devices were given meanwhile; durable when it returns.
    /// A device may be named more than once.
    async fn absorb(&self, batch: Vec<(DeviceKey, Given)>) -> StoreResult<()>;

    /// The oldest messages at some positions (ascending stretches, apart from each other) in
    /// the logs of a user's channels, chat and command, that the user may read now: in the
    /// channels whose member the user is since the last join, in direct ones since they were
    /// cleared.
    async fn waiting(
        &self,
        user: UserNum,
        at: Vec<Stretch>,
        query: WaitingQuery,
    ) -> StoreResult<Waiting>;

    /// The lowest position at or above `after` above which at most `count` messages of a
    /// user's channels wait, as in `waiting`.
    async fn newest(&self, user: UserNum, after: MessageId, count: u32) -> StoreResult<MessageId>;
}
