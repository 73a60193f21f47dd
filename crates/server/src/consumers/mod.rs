//! Consumers of the outbox (architecture.md §7): what is done with everything that was said
//! beside delivering it. Each has a task of its own and a durable place in the message log and
//! in the event log; a slow one holds up nobody, and what it had not done before a restart it
//! does afterwards.

mod runner;
pub mod search;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use crosstalk_core::message::Message;
use crosstalk_core::outbox::Event;

pub use runner::{Consumers, Lag, Running};

/// The work could not be done now: the same is brought again after a pause.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct NotNow(pub String);

impl From<crosstalk_core::refusal::Refusal> for NotNow {
    fn from(why: crosstalk_core::refusal::Refusal) -> Self {
        Self(why.to_string())
    }
}

/// Somebody who works through the outbox.
#[async_trait]
pub trait Consumer: Send + Sync + 'static {
    /// Under which its place is kept; of at most
    /// [`MAX_CONSUMER_NAME`](crosstalk_core::outbox::MAX_CONSUMER_NAME) bytes, and no other's.
    fn name(&self) -> &str;

    /// Where it begins if it was never there: with the oldest that is kept, or with what comes.
    fn wants_the_past(&self) -> bool {
        false
    }

    /// How much it is brought at once.
    fn batch(&self) -> u32 {
        500
    }

    /// Works on messages of all logs, in the order of their ids. Once it has returned they are
    /// done; after a crash some may come again.
    ///
    /// # Errors
    /// `NotNow` brings all of them again. Given up at any time when the server stops.
    async fn messages(&self, messages: &[Message]) -> Result<(), NotNow>;

    /// Works on events, likewise. By default they are passed over.
    ///
    /// # Errors
    /// As [`messages`](Self::messages).
    async fn events(&self, _events: &[Event]) -> Result<(), NotNow> {
        Ok(())
    }

    /// What it does beside, for as long as it runs. Given up at any time.
    async fn beside(&self) {
        std::future::pending::<()>().await;
    }
}
