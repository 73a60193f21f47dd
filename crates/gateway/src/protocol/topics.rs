//! What a machine wants of the plain topics (core's `pubsub`), and what comes of it.

use crosstalk_core::pubsub::{
    DeliveryId, Detach, Filter, Publication, Published, Settled, SubscribeOutcome, Subscription,
    TopicError, Will,
};

/// A session over topics that a machine asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSession {
    /// Its id among those of its user.
    pub client_id: String,
    /// It wants nothing of an earlier one.
    pub clean: bool,
    /// How long it outlives the connection, seconds; `u32::MAX` = for ever.
    pub expiry_secs: u32,
    /// What is published when the connection is lost.
    pub will: Option<Will>,
}

/// What a machine wants of the topics. Begun in the order of the commands, and answered in no
/// particular order.
#[derive(Debug)]
pub enum TopicVerb {
    /// Connect; answered by `Attached`. Once, and before anything else.
    Attach(TopicSession),
    /// Subscribe; answered by `Subscribed`.
    Subscribe(Vec<Subscription>),
    /// Unsubscribe; answered by `Unsubscribed`.
    Unsubscribe(Vec<Filter>),
    /// Publish; answered by `Published`.
    Publish(Box<Publication>),
    /// Note the number of something that must count once; answered by `Done`.
    Note(u16),
    /// Forget such a number; answered by `Done`.
    Release(u16),
    /// How far a delivery is; answered by `Done`.
    Settle(DeliveryId, Settled),
    /// Disconnect; not answered, and nothing can be asked afterwards.
    Detach(Detach, Option<u32>),
}

/// What came of a verb.
#[derive(Debug)]
pub enum TopicAnswer {
    /// Whether an earlier session goes on, and what it subscribes to.
    Attached(Result<(bool, Vec<Subscription>), TopicError>),
    /// One outcome for each subscription.
    Subscribed(Result<Vec<SubscribeOutcome>, TopicError>),
    /// For each filter, whether it was there.
    Unsubscribed(Result<Vec<bool>, TopicError>),
    /// What became of a publication.
    Published(Result<Published, TopicError>),
    /// Whether it was new, known or settled.
    Done(Result<bool, TopicError>),
}
