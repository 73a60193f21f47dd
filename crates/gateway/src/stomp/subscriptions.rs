//! What a session has subscribed to. Of several subscriptions to one place the oldest is
//! written to; when it goes, the next takes over.

use std::collections::HashMap;
use std::sync::Arc;

use crosstalk_wire::stomp::im::{Destination, UserQueue};
use crosstalk_wire::stomp::{AckMode, Fault};

/// Subscriptions of one session.
const MAX_SUBSCRIPTIONS: usize = 2_000;

/// Where something can be written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// `/user/queue/…` of the session's own user.
    Queue(Queue),
    /// `/topic/group/{id}`.
    Group(Arc<str>),
    /// A destination that nothing is ever sent to.
    Nowhere,
}

/// The queues that something is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Queue {
    Messages,
    Errors,
    Events,
    Receipts,
    Sync,
}

impl Place {
    /// The place that a destination names.
    pub(super) fn of(destination: &Destination<'_>) -> Self {
        match destination {
            Destination::User(UserQueue::Messages) => Self::Queue(Queue::Messages),
            Destination::User(UserQueue::Errors) => Self::Queue(Queue::Errors),
            Destination::User(UserQueue::Events) => Self::Queue(Queue::Events),
            Destination::User(UserQueue::Receipts) => Self::Queue(Queue::Receipts),
            Destination::User(UserQueue::Sync) => Self::Queue(Queue::Sync),
            Destination::GroupTopic(group) => Self::Group((*group).into()),
            Destination::User(UserQueue::Unknown(_))
            | Destination::App(_)
            | Destination::Broker
            | Destination::Other => Self::Nowhere,
        }
    }
}

impl Queue {
    /// Its destination as clients know it.
    pub(super) fn destination(self) -> &'static str {
        let queue = match self {
            Self::Messages => UserQueue::Messages,
            Self::Errors => UserQueue::Errors,
            Self::Events => UserQueue::Events,
            Self::Receipts => UserQueue::Receipts,
            Self::Sync => UserQueue::Sync,
        };
        queue.destination().expect("a queue that is served has one")
    }
}

/// One subscription.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    /// The client's id; `None` only in 1.0.
    pub(super) id: Option<Arc<str>>,
    /// How it acknowledges.
    pub(super) ack: AckMode,
    /// Unique within the session, also among those that are gone.
    pub(super) serial: u32,
}

/// All subscriptions of a session.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    by_place: HashMap<Place, Vec<Subscription>>,
    count: usize,
    next: u32,
}

impl Subscriptions {
    /// Adds one; one of the same id gives way to it, which is handed back.
    pub(super) fn add(
        &mut self,
        place: Place,
        id: Option<&str>,
        ack: AckMode,
    ) -> Result<Option<u32>, Fault> {
        let replaced = id.and_then(|id| self.remove(|_, sub| sub.id.as_deref() == Some(id)));
        if self.count >= MAX_SUBSCRIPTIONS {
            return Err(Fault::TooManySubscriptions);
        }
        self.next = self.next.wrapping_add(1);
        self.count += 1;
        let subscription = Subscription {
            id: id.map(Arc::from),
            ack,
            serial: self.next,
        };
        self.by_place.entry(place).or_default().push(subscription);
        Ok(replaced)
    }

    /// Takes away the one with this id, or one of a destination without an id. Returns its
    /// serial.
    pub(super) fn end(&mut self, id: Option<&str>, destination: Option<&str>) -> Option<u32> {
        if id.is_some() {
            return self.remove(|_, sub| sub.id.as_deref() == id);
        }
        let place = Place::of(&Destination::parse(destination?));
        self.remove(|at, sub| *at == place && sub.id.is_none())
    }

    fn remove(&mut self, which: impl Fn(&Place, &Subscription) -> bool) -> Option<u32> {
        for (place, subscriptions) in &mut self.by_place {
            let Some(at) = subscriptions.iter().position(|sub| which(place, sub)) else {
                continue;
            };
            let serial = subscriptions.remove(at).serial;
            self.count -= 1;
            if subscriptions.is_empty() {
                let place = place.clone();
                self.by_place.remove(&place);
            }
            return Some(serial);
        }
        None
    }

    /// The subscription that is written to.
    pub(super) fn at(&self, place: &Place) -> Option<&Subscription> {
        self.by_place.get(place)?.first()
    }

    /// How the subscription of a serial acknowledges, if it is there.
    pub(super) fn mode(&self, serial: u32) -> Option<AckMode> {
        let mut all = self.by_place.values().flatten();
        let found = all.find(|subscription| subscription.serial == serial);
        found.map(|subscription| subscription.ack)
    }

    /// The subscription to a queue.
    pub(super) fn queue(&self, queue: Queue) -> Option<&Subscription> {
        self.at(&Place::Queue(queue))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        Place::of(&Destination::parse(text))
    }

    #[test]
    fn the_oldest_of_a_place_is_written_to_and_the_next_takes_over() {
        let mut all = Subscriptions::default();
        let errors = place("/user/queue/errors");
        for id in ["a", "b"] {
            assert_eq!(all.add(errors.clone(), Some(id), AckMode::Auto), Ok(None));
        }
        let id = |all: &Subscriptions| all.queue(Queue::Errors).and_then(|sub| sub.id.clone());
        assert_eq!(id(&all).as_deref(), Some("a"));
        assert_eq!(all.end(Some("a"), None), Some(1));
        assert_eq!(id(&all).as_deref(), Some("b"));
        assert_eq!(all.end(Some("a"), None), None);
        assert_eq!(all.end(Some("b"), None), Some(2));
        assert!(id(&all).is_none());
    }

    #[test]
    fn an_id_that_is_used_again_moves() {
        let mut all = Subscriptions::default();
        let group = place("/topic/group/g");
        assert_eq!(all.add(group.clone(), Some("s"), AckMode::Auto), Ok(None));
        let events = place("/user/queue/events");
        assert_eq!(all.add(events, Some("s"), AckMode::Client), Ok(Some(1)));
        assert!(all.at(&group).is_none());
        assert_eq!(
            all.queue(Queue::Events).map(|sub| sub.ack),
            Some(AckMode::Client)
        );
    }

    #[test]
    fn without_an_id_the_destination_says_which() {
        let mut all = Subscriptions::default();
        let group = place("/topic/group/g");
        assert_eq!(all.add(group.clone(), None, AckMode::Auto), Ok(None));
        assert_eq!(all.end(None, Some("/topic/group/h")), None);
        assert_eq!(all.end(None, Some("/topic/group/g")), Some(1));
        assert!(all.at(&group).is_none());
    }

    #[test]
    fn there_is_an_end_to_them() {
        let mut all = Subscriptions::default();
        for n in 0..MAX_SUBSCRIPTIONS {
            let added = all.add(Place::Nowhere, Some(&n.to_string()), AckMode::Auto);
            assert_eq!(added, Ok(None));
        }
        let beyond = all.add(Place::Nowhere, Some("x"), AckMode::Auto);
        assert_eq!(beyond, Err(Fault::TooManySubscriptions));
        assert_eq!(all.end(Some("7"), None), Some(8));
        assert_eq!(all.add(Place::Nowhere, Some("x"), AckMode::Auto), Ok(None));
    }
}
