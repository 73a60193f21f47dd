//! What the core asks of a store about devices.

use std::sync::Arc;

use async_trait::async_trait;

use super::Given;
use crate::channel::ChannelRef;
use crate::id::{MessageId, UserNum};
use crate::message::Origin;
use crate::store::StoreResult;

/// A device: what a user runs a dialect on. Clients without a stable id of their own share
/// the device `default` of their user and dialect (interop.md G.7).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceKey {
    /// Whose it is.
    pub user: UserNum,
    /// The dialect it speaks.
    pub origin: Origin,
    /// Its id within both.
    pub id: Arc<str>,
}

/// A log in which something may wait for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The log.
    pub channel: Arc<ChannelRef>,
    /// The first seq above the position asked for that the user may read.
    pub first: u64,
    /// The log's last seq.
    pub last: u64,
}

/// The store of what devices were given.
#[async_trait]
pub trait Devices: Send + Sync + 'static {
    /// What a device has been given; `None` if it was never seen.
    async fn given(&self, device: &DeviceKey) -> StoreResult<Option<Given>>;

    /// Adds ([`Given::absorb`]) what devices were given meanwhile; durable when it returns.
    async fn absorb(&self, batch: Vec<(DeviceKey, Given)>) -> StoreResult<()>;

    /// The logs of a user's channels, chat and command, in which there is something above a
    /// position that the user may read now: of each log at most the newest `per_log`
    /// messages, and of all together at most the newest `in_all`, if given.
    async fn waiting(
        &self,
        user: UserNum,
        after: MessageId,
        per_log: u32,
        in_all: Option<u32>,
    ) -> StoreResult<Vec<Waiting>>;
}
