//! What the lane is asked to do.

use tokio::sync::oneshot;

use super::state::SubscribeOutcome;
use super::subscriber::SubId;
use super::{Attach, Attached, Detach, Filter, Publication, Published, Subscription, TopicError};
use crate::id::{Realm, UserNum};

/// Where an answer goes. Whoever asked may be gone.
pub(super) type Reply<T> = oneshot::Sender<Result<T, TopicError>>;

/// A connection: a subscriber, and which of its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) subscriber: SubId,
    pub(super) epoch: u64,
}

/// One item of the lane's queue.
pub(super) enum Job {
    Attach(Box<Attach>, Reply<Attached>),
    Detach(Holder, Detach, Option<u32>, Reply<()>),
    Subscribe(Holder, Vec<Subscription>, Reply<Vec<SubscribeOutcome>>),
    Unsubscribe(Holder, Vec<Filter>, Reply<Vec<bool>>),
    Publish(Option<Holder>, Realm, Box<Publication>, Reply<Published>),
    Note(Holder, u16, Reply<bool>),
    Release(Holder, u16, Reply<bool>),
    /// Ends all sessions of a user, or one of them.
    End(UserNum, Option<String>, Reply<usize>),
    /// Answered when everything that was settled before is durable.
    Flush(Reply<()>),
    /// Does what is due.
    Sweep(Reply<()>),
}

impl Job {
    /// Answers without doing anything.
    pub(super) fn refuse(self, error: &TopicError) {
        // Whoever asked may be gone.
        match self {
            Self::Attach(_, reply) => drop(reply.send(Err(error.clone()))),
            Self::Subscribe(_, _, reply) => drop(reply.send(Err(error.clone()))),
            Self::Unsubscribe(_, _, reply) => drop(reply.send(Err(error.clone()))),
            Self::Publish(_, _, _, reply) => drop(reply.send(Err(error.clone()))),
            Self::Note(_, _, reply) | Self::Release(_, _, reply) => {
                drop(reply.send(Err(error.clone())));
            }
            Self::End(_, _, reply) => drop(reply.send(Err(error.clone()))),
            Self::Detach(_, _, _, reply) | Self::Flush(reply) | Self::Sweep(reply) => {
                drop(reply.send(Err(error.clone())));
            }
        }
    }
}
