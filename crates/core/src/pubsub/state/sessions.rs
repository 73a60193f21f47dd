//! Sessions come, are taken over, lose their connections and end.

use std::ops::Bound;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{State, Sub, Turn};
use crate::id::UserNum;
use crate::pubsub::job::{Holder, Reply};
use crate::pubsub::subscriber::{Name, SubId, Subscriber};
use crate::pubsub::{
    Attach, Attached, Attachment, AttachmentEnd, Change, Detach, QueueHead, SubscriberNum,
    Subscription, TopicError,
};

impl State {
    pub(super) fn attach(&mut self, attach: Attach, reply: Reply<Attached>, turn: &mut Turn) {
        match self.attached(attach, turn) {
            Err(error) => turn.answer(reply, Err(error)),
            Ok(attached) => turn.then(move |failure| match failure {
                None => {
                    let _ = reply.send(Ok(attached));
                }
                Some(error) => {
                    // It was never a connection: its will is nobody's.
                    attached.attachment.refuse();
                    let _ = reply.send(Err(error.clone()));
                }
            }),
        }
    }

    fn attached(&mut self, attach: Attach, turn: &mut Turn) -> Result<Attached, TopicError> {
        let name = (attach.user, Arc::clone(&attach.client_id));
        let older = self.names.get(&name).copied();
        let goes_on = older.filter(|id| self.goes_on(*id, &attach, turn.now_ms));
        if let Some(id) = older
            && goes_on.is_none()
        {
            self.end(id, AttachmentEnd::TakenOver, true, turn);
        }
        let id = match goes_on {
            Some(id) => {
                self.leave_will(id, turn);
                id
            }
            None => self.begin(&attach, turn)?,
        };
        let sub = self.subs.get_mut(&id).expect("it was found or made");
        let (epoch, wake) = sub.shared.hold();
        sub.epoch = Some(epoch);
        sub.expiry_secs = attach.expiry_secs;
        sub.detached_at_ms = None;
        sub.will = attach.will;
        sub.will_due_ms = None;
        // What an older connection left to be written down comes before what is read now.
        sub.shared.take_marks(&mut turn.changes);
        turn.changes.extend(sub.record().map(Change::PutSubscriber));
        let subscription = |(filter, options): (&_, &_)| Subscription {
            filter: Clone::clone(filter),
            options: *options,
        };
        let attached = Attached {
            attachment: Arc::new(Attachment {
                subscriber: Arc::clone(&sub.shared),
                epoch,
                wake,
            }),
            present: goes_on.is_some(),
            subscriptions: sub.subscriptions.iter().map(subscription).collect(),
        };
        self.schedule(id);
        Ok(attached)
    }

    /// Whether a session goes on with a new connection. One that ends with its connection does
    /// not, even if that connection is not known to be gone.
    fn goes_on(&self, id: SubId, attach: &Attach, now_ms: i64) -> bool {
        self.subs.get(&id).is_some_and(|sub| {
            let has_ended = sub.ends_at_ms().is_some_and(|at| at <= now_ms);
            !attach.clean && sub.expiry_secs > 0 && !has_ended && sub.shared.realm == attach.realm
        })
    }

    /// A connection that is taken over was lost: a will without delay is published. If the
    /// subscriber was away its will was waiting for just this.
    fn leave_will(&mut self, id: SubId, turn: &mut Turn) {
        let Some(sub) = self.subs.get_mut(&id) else {
            return;
        };
        let is_lost = sub.epoch.is_some();
        let is_overdue = sub.will_due_ms.is_some_and(|at| at <= turn.now_ms);
        let will = sub.will.take();
        if let Some(will) = will.filter(|will| is_overdue || (is_lost && will.delay_secs == 0)) {
            let realm = sub.shared.realm.clone();
            self.publish_will(&realm, will, turn);
        }
    }

    /// A new session.
    fn begin(&mut self, attach: &Attach, turn: &mut Turn) -> Result<SubId, TopicError> {
        self.make_room(attach.user, turn)?;
        self.last_id += 1;
        let id = SubId(self.last_id);
        let num = (attach.expiry_secs > 0).then(|| {
            self.last_subscriber += 1;
            SubscriberNum(self.last_subscriber)
        });
        let name = Name {
            realm: attach.realm.clone(),
            user: attach.user,
            client_id: Arc::clone(&attach.client_id),
        };
        self.enter(Sub {
            shared: Subscriber::new(id, num, name, QueueHead::default(), &self.env),
            epoch: None,
            subscriptions: FxHashMap::default(),
            received: FxHashSet::default(),
            expiry_secs: attach.expiry_secs,
            detached_at_ms: None,
            will: None,
            will_due_ms: None,
            due_ms: None,
        });
        Ok(id)
    }

    fn of_user(&self, user: UserNum) -> Vec<SubId> {
        let from = (user, Arc::from(""));
        self.names
            .range((Bound::Included(from), Bound::Unbounded))
            .take_while(|((of, _), _)| *of == user)
            .map(|(_, id)| *id)
            .collect()
    }

    /// Clients may name a new id each time: of too many, the one that was away longest goes.
    fn make_room(&mut self, user: UserNum, turn: &mut Turn) -> Result<(), TopicError> {
        let all = self.of_user(user);
        if all.len() < self.env.limits.subscribers_per_user {
            return Ok(());
        }
        let away = |id: &SubId| Some((self.subs.get(id)?.detached_at_ms?, *id));
        let oldest = all.iter().filter_map(away).min();
        let (_, oldest) = oldest.ok_or(TopicError::Quota)?;
        self.end(oldest, AttachmentEnd::SessionEnded, true, turn);
        Ok(())
    }

    pub(in crate::pubsub) fn detach(
        &mut self,
        holder: Holder,
        how: Detach,
        new_expiry: Option<u32>,
        turn: &mut Turn,
    ) {
        let id = holder.subscriber;
        let Ok(sub) = self.held(holder) else {
            return;
        };
        if let Some(secs) = new_expiry
            && sub.shared.num.is_some()
        {
            sub.expiry_secs = secs;
        }
        if how == Detach::Clean {
            sub.will = None;
        }
        if sub.expiry_secs == 0 {
            self.end(id, AttachmentEnd::SessionEnded, true, turn);
            return;
        }
        sub.lose(turn.now_ms);
        sub.shared.let_go(AttachmentEnd::SessionEnded);
        sub.shared.take_marks(&mut turn.changes);
        turn.changes.extend(sub.record().map(Change::PutSubscriber));
        self.schedule(id);
        // A will without delay is due already.
        self.fire_due(turn);
    }

    /// Ends sessions because somebody wants that: their wills are not published.
    pub(super) fn end_of(
        &mut self,
        user: UserNum,
        client_id: Option<&str>,
        turn: &mut Turn,
    ) -> usize {
        let mut ended = 0;
        for id in self.of_user(user) {
            let is_meant = client_id.is_none_or(|wanted| {
                let sub = self.subs.get(&id);
                sub.is_some_and(|sub| &*sub.shared.client_id == wanted)
            });
            if is_meant {
                self.end(id, AttachmentEnd::SessionEnded, false, turn);
                ended += 1;
            }
        }
        ended
    }

    /// A session is over: nothing of it is left. A will that it still has is published.
    pub(super) fn end(
        &mut self,
        id: SubId,
        why: AttachmentEnd,
        publishes_will: bool,
        turn: &mut Turn,
    ) {
        let Some(sub) = self.subs.remove(&id) else {
            return;
        };
        let shared = &sub.shared;
        shared.let_go(why);
        if let Some(at) = sub.due_ms {
            self.due.remove(&(at, id));
        }
        self.names
            .remove(&(shared.user, Arc::clone(&shared.client_id)));
        if let Some(tree) = self.trees.get_mut(&shared.realm) {
            for filter in sub.subscriptions.keys() {
                tree.remove(filter, id);
            }
            if tree.is_empty() {
                self.trees.remove(&shared.realm);
            }
        }
        if let Some(num) = shared.num {
            self.stored.remove(&num);
            turn.changes.push(Change::EndSubscriber(num));
        }
        self.count_subscribers();
        if let Some(will) = sub.will.filter(|_| publishes_will) {
            let realm = shared.realm.clone();
            self.publish_will(&realm, will, turn);
        }
    }
}
