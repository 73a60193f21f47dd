//! What was under way to a session when its connection was lost. Messages come again by
//! themselves (core's `delivered`); this remembers under which packet ids they went, so that
//! they go again under the same ones, marked as repeated (mqtt-wire.md §4.2). It is memory
//! only: after a restart they come unmarked.

use std::collections::{HashMap, VecDeque};

use crosstalk_core::id::{MessageId, UserNum};
use parking_lot::Mutex;

/// Sessions that are remembered; the oldest are forgotten first.
const SESSIONS: usize = 10_000;

type Name = (UserNum, String);
type Sent = HashMap<MessageId, u16>;

/// See the module's words.
#[derive(Default)]
pub(super) struct UnderWay(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    sessions: HashMap<Name, Sent>,
    order: VecDeque<Name>,
}

impl UnderWay {
    /// Remembers what a session was sent and has not acknowledged.
    pub(super) fn keep(&self, user: UserNum, client_id: &str, sent: Sent) {
        if sent.is_empty() {
            return;
        }
        let name = (user, client_id.to_owned());
        let mut inner = self.0.lock();
        if inner.sessions.insert(name.clone(), sent).is_none() {
            inner.order.push_back(name);
        }
        while inner.order.len() > SESSIONS {
            if let Some(oldest) = inner.order.pop_front() {
                inner.sessions.remove(&oldest);
            }
        }
    }

    /// What a session that goes on was sent before.
    pub(super) fn take(&self, user: UserNum, client_id: &str) -> Sent {
        let name = (user, client_id.to_owned());
        let mut inner = self.0.lock();
        let Some(sent) = inner.sessions.remove(&name) else {
            return Sent::new();
        };
        inner.order.retain(|other| *other != name);
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_known_once_and_sessions_are_bounded() {
        let under_way = UnderWay::default();
        let one = || Sent::from([(MessageId(7), 0x8000)]);
        under_way.keep(UserNum(1), "c", one());
        under_way.keep(UserNum(1), "c", one());
        assert_eq!(under_way.take(UserNum(2), "c"), Sent::new());
        assert_eq!(under_way.take(UserNum(1), "c"), one());
        assert_eq!(under_way.take(UserNum(1), "c"), Sent::new());
        for n in 0..=SESSIONS {
            under_way.keep(UserNum(1), &n.to_string(), one());
        }
        assert_eq!(under_way.take(UserNum(1), "0"), Sent::new());
        assert_eq!(under_way.take(UserNum(1), "1"), one());
    }
}
