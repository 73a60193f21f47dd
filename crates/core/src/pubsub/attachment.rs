//! A subscriber's connection as seen from outside: what it asks for, and what it takes out.

use std::num::NonZeroU16;
use std::sync::Arc;

use tokio::sync::Notify;

use super::subscriber::Subscriber;
use super::{Qos, Stage, Subscription, TopicMessage, Will};
use crate::id::{Realm, UserNum};

/// The number of a delivery with a guarantee, unique among those of a subscriber that are not
/// settled, the same each time that it is delivered. It is in 1..=[`DeliveryId::MAX`], so that
/// numbers above are free for what a connection delivers besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryId(pub NonZeroU16);

impl DeliveryId {
    /// The highest.
    pub const MAX: u16 = 0x7fff;

    /// That of a place in a queue.
    pub(super) fn of(n: u64) -> Self {
        let at = n.wrapping_sub(1) % u64::from(Self::MAX);
        let id = u16::try_from(at + 1).expect("at most 15 bits");
        Self(NonZeroU16::new(id).expect("at least 1"))
    }

    /// The one place with this number in a queue whose first place is `first` and that is not
    /// longer than there are numbers.
    pub(super) fn place(self, first: u64) -> u64 {
        let all = u64::from(Self::MAX);
        let at = u64::from(self.0.get() - 1);
        let first_at = first.wrapping_sub(1) % all;
        first + (at + all - first_at) % all
    }
}

/// What a connection says when it comes.
#[derive(Debug, Clone)]
pub struct Attach {
    /// Whose topics it sees: the user's realm.
    pub realm: Realm,
    /// Whose it is.
    pub user: UserNum,
    /// Its id among those of its user.
    pub client_id: Arc<str>,
    /// It wants nothing of an earlier session.
    pub clean: bool,
    /// How long the session outlives the connection, seconds: 0 = it ends with it, and nothing
    /// of it is stored; `u32::MAX` = for ever.
    pub expiry_secs: u32,
    /// What is published when the connection is lost.
    pub will: Option<Will>,
}

/// What a connection gets.
#[derive(Debug)]
pub struct Attached {
    /// The connection's hold.
    pub attachment: Arc<Attachment>,
    /// An earlier session goes on. What it had under way comes out of the attachment first.
    pub present: bool,
    /// What that session subscribes to.
    pub subscriptions: Vec<Subscription>,
}

/// How a connection goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detach {
    /// As agreed: its will is not published.
    Clean,
    /// As agreed, and its will is to be published (after its delay).
    WithWill,
    /// It is lost; its will is published (after its delay).
    Lost,
}

/// Why an attachment ends from the server's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentEnd {
    /// Another connection came with the same user and client id.
    TakenOver,
    /// The session was ended: its user was removed from it, or it has no room.
    SessionEnded,
}

/// How far a delivery is, as the subscriber says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It has the message; the second half of "exactly once" is left. When this is answered it
    /// is durable, and the message will not be sent again.
    Received,
    /// It is over.
    Done,
}

/// A message for a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its number; `None` without a guarantee: there is nothing to settle then.
    pub id: Option<DeliveryId>,
    /// The message.
    pub message: Arc<TopicMessage>,
    /// How sure it must be, for this subscriber.
    pub qos: Qos,
    /// Its retain mark, for this subscriber.
    pub retain: bool,
    /// The subscriber's numbers of all subscriptions that it matched.
    pub subscription_ids: Arc<[u32]>,
    /// `Queued`: it comes the first time; `Sent`: it comes again; `Received`: only its second
    /// half is to be done again.
    pub stage: Stage,
}

/// What was taken out of an attachment.
#[derive(Debug, Default)]
pub struct Drained {
    /// In order for each guarantee.
    pub deliveries: Vec<Delivery>,
    /// Set when the connection is to end.
    pub ending: Option<AttachmentEnd>,
    /// There is more in the store and nothing is left here: time for
    /// [`PubSub::refill`](super::PubSub::refill).
    pub behind: bool,
}

/// A connection's hold on its subscriber. Dropping it without a detach loses the connection.
#[derive(Debug)]
pub struct Attachment {
    pub(super) subscriber: Arc<Subscriber>,
    /// Which of the subscriber's connections this is.
    pub(super) epoch: u64,
    pub(super) wake: Arc<Notify>,
}

impl Attachment {
    /// Whose it is.
    #[must_use]
    pub fn user(&self) -> UserNum {
        self.subscriber.user
    }

    /// Its id among those of its user.
    #[must_use]
    pub fn client_id(&self) -> &Arc<str> {
        &self.subscriber.client_id
    }

    /// It does not become a connection after all: nothing is published for its loss.
    pub(super) fn refuse(&self) {
        self.subscriber.abandon(self.epoch, Detach::Clean);
    }

    /// Waits until there is something to drain. May wake without cause.
    pub async fn ready(&self) {
        self.wake.notified().await;
    }

    /// Takes out what waits: what has no guarantee, and of what has one (numbered, to be
    /// settled) no more than `room`. More follows when there is room again; nothing wakes for
    /// that.
    #[must_use]
    pub fn drain(&self, room: usize) -> Drained {
        self.subscriber.drain(self.epoch, room)
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.subscriber.abandon(self.epoch, Detach::Lost);
    }
}
