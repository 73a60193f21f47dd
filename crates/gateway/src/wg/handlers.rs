//! An application's own message types (wg.md S0-46 to S0-48, Q0-27).

use std::ops::RangeInclusive;
use std::sync::Arc;

use crosstalk_wire::wg::{Envelope, OnlineClient, StatusBody};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::protocol::{Done, Job, Work};

/// Handles messages of an application's own types. Whatever it wants to send it sends by the
/// channel manager ([`WgManager`](super::manager::WgManager)).
pub trait WgHandler: Send + Sync + 'static {
    /// Handles one message of the client on a channel. What it says is the client's answer.
    /// It bounds its own time.
    fn handle(&self, channel: OnlineClient, message: Envelope) -> BoxFuture<'static, StatusBody>;
}

/// Types that an application handles.
#[derive(Clone)]
pub struct WgClaim {
    /// The codes; those of the document are not concerned.
    pub types: RangeInclusive<i64>,
    /// Who handles them.
    pub handler: Arc<dyn WgHandler>,
}

struct Handling {
    handler: Arc<dyn WgHandler>,
    channel: OnlineClient,
    message: Envelope,
}

impl Work for Handling {
    fn work(&self) -> BoxFuture<'static, Done> {
        let handled = self
            .handler
            .handle(self.channel.clone(), self.message.clone());
        handled.map(|body| Arc::new(body) as Done).boxed()
    }
}

/// The handling of a message; its `Done` is a [`StatusBody`].
pub(super) fn job(handler: &Arc<dyn WgHandler>, channel: OnlineClient, message: Envelope) -> Job {
    Job(Arc::new(Handling {
        handler: Arc::clone(handler),
        channel,
        message,
    }))
}
