//! What happens by itself when its time has come.

use super::{State, Turn};
use crate::pubsub::limits::add;
use crate::pubsub::{AttachmentEnd, Change, SubscriberNum};

impl State {
    /// Wills that are due, sessions that nobody came back to, retained messages that expired.
    pub(in crate::pubsub) fn sweep(&mut self, turn: &mut Turn) {
        self.fire_due(turn);
        let mut dropped = 0;
        for (realm, retained) in &mut self.retained {
            for topic in retained.expire(turn.now_ms) {
                dropped += 1;
                let cleared = Change::ClearRetained(realm.clone(), topic);
                turn.changes.push(cleared);
            }
        }
        if dropped > 0 {
            add(&self.env.counters.expired, dropped);
            self.retained.retain(|_, retained| retained.len() > 0);
            self.count_retained();
        }
    }

    /// Wills and sessions.
    pub(super) fn fire_due(&mut self, turn: &mut Turn) {
        while let Some(&(at, id)) = self.due.first()
            && at <= turn.now_ms
        {
            let Some(sub) = self.subs.get_mut(&id) else {
                self.due.remove(&(at, id));
                continue;
            };
            if sub.ends_at_ms().is_some_and(|at| at <= turn.now_ms) {
                add(&self.env.counters.sessions_expired, 1);
                self.end(id, AttachmentEnd::SessionEnded, true, turn);
                continue;
            }
            sub.will_due_ms = None;
            let will = sub.will.take();
            turn.changes.extend(sub.record().map(Change::PutSubscriber));
            let realm = sub.shared.realm.clone();
            self.schedule(id);
            if let Some(will) = will {
                self.publish_will(&realm, will, turn);
            }
        }
    }

    /// Messages in stored queues that expired before they were sent. What a connection has in
    /// memory it drops itself.
    pub(in crate::pubsub) fn drop_expired(&self, expired: &[(SubscriberNum, u64, usize)]) {
        let mut dropped = 0;
        for (num, n, bytes) in expired {
            let sub = self.stored.get(num).and_then(|id| self.subs.get(id));
            if sub.is_some_and(|sub| sub.shared.drop_stored(*n, *bytes)) {
                dropped += 1;
            }
        }
        add(&self.env.counters.expired, dropped);
    }
}
