//! What the lane owns: who subscribes to what, what is retained, what is due. A verb changes
//! it at once and says in a [`Turn`] what has to be committed before anybody hears of it.

mod due;
mod publish;
mod sessions;
mod subscribe;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustc_hash::{FxHashMap, FxHashSet};

pub use subscribe::{SubscribeOutcome, SubscribeRefusal};

use super::job::{Holder, Job, Reply};
use super::retained::Retained;
use super::subscriber::{Env, Name, SubId, Subscriber};
use super::{
    Change, Delivery, Filter, QueuedMessage, StoredTopics, SubscriberNum, SubscriberRecord,
    SubscriptionOptions, TopicError, TopicTree, Will,
};
use crate::id::{Realm, UserNum};

/// The expiry of a session that never ends by itself.
const NEVER: u32 = u32::MAX;

/// Something that happens when what is to be committed is.
pub(super) enum Effect {
    /// A message with a guarantee follows in a queue.
    Queue(Arc<Subscriber>, QueuedMessage),
    /// Messages without one.
    Once(Arc<Subscriber>, Vec<Delivery>),
    /// Somebody is answered, or told of the failure.
    Answer(Answer),
}

/// How somebody is told that all went well, or why not.
pub(super) type Answer = Box<dyn FnOnce(Option<&TopicError>) + Send>;

/// What a batch of verbs leads to.
pub(super) struct Turn {
    pub(super) now_ms: i64,
    pub(super) changes: Vec<Change>,
    pub(super) effects: Vec<Effect>,
}

impl Turn {
    pub(super) fn new(now_ms: i64) -> Self {
        Self {
            now_ms,
            changes: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// Answers when it is committed.
    fn answer<T: Send + 'static>(&mut self, reply: Reply<T>, outcome: Result<T, TopicError>) {
        self.then(move |failure| {
            let outcome = match failure {
                None => outcome,
                Some(error) => outcome.and(Err(error.clone())),
            };
            // Whoever asked may be gone.
            let _ = reply.send(outcome);
        });
    }

    fn then(&mut self, effect: impl FnOnce(Option<&TopicError>) + Send + 'static) {
        self.effects.push(Effect::Answer(Box::new(effect)));
    }
}

/// A subscriber as the lane knows it.
struct Sub {
    shared: Arc<Subscriber>,
    /// Its connection; `None` while it is away.
    epoch: Option<u64>,
    subscriptions: FxHashMap<Filter, SubscriptionOptions>,
    /// Numbers of publications that count once.
    received: FxHashSet<u16>,
    expiry_secs: u32,
    detached_at_ms: Option<i64>,
    will: Option<Will>,
    will_due_ms: Option<i64>,
    /// What it is entered with in the order of what is due.
    due_ms: Option<i64>,
}

impl Sub {
    /// When its session ends if nobody comes back.
    fn ends_at_ms(&self) -> Option<i64> {
        let since = self.detached_at_ms?;
        (self.expiry_secs != NEVER)
            .then(|| since.saturating_add(i64::from(self.expiry_secs).saturating_mul(1000)))
    }

    fn next_due_ms(&self) -> Option<i64> {
        let both = [self.ends_at_ms(), self.will_due_ms];
        both.into_iter().flatten().min()
    }

    /// Its connection is gone now.
    fn lose(&mut self, now_ms: i64) {
        self.epoch = None;
        self.detached_at_ms = Some(now_ms);
        self.will_due_ms = self.will.as_ref().map(|will| {
            let secs = will.delay_secs.min(self.expiry_secs);
            now_ms.saturating_add(i64::from(secs) * 1000)
        });
    }

    /// As it is stored; `None` for one that is not.
    fn record(&self) -> Option<SubscriberRecord> {
        Some(SubscriberRecord {
            num: self.shared.num?,
            realm: self.shared.realm.clone(),
            user: self.shared.user,
            client_id: Arc::clone(&self.shared.client_id),
            expiry_secs: self.expiry_secs,
            detached_at_ms: self.detached_at_ms,
            will: self.will.clone(),
            will_due_ms: self.will_due_ms,
        })
    }
}

/// See the module's words.
pub(super) struct State {
    env: Arc<Env>,
    subs: FxHashMap<SubId, Sub>,
    /// Those of a user stand together.
    names: BTreeMap<(UserNum, Arc<str>), SubId>,
    stored: FxHashMap<SubscriberNum, SubId>,
    trees: FxHashMap<Realm, TopicTree<SubId>>,
    retained: FxHashMap<Realm, Retained>,
    due: BTreeSet<(i64, SubId)>,
    last_id: u64,
    last_subscriber: i64,
    last_message: i64,
}

impl State {
    /// What is stored. Connections of an earlier run are lost now: what that changes of the
    /// stored is to be committed.
    pub(super) fn load(env: Arc<Env>, stored: StoredTopics) -> (Self, Vec<Change>) {
        let now_ms = env.clock.now_ms();
        let mut state = Self {
            env,
            subs: FxHashMap::default(),
            names: BTreeMap::new(),
            stored: FxHashMap::default(),
            trees: FxHashMap::default(),
            retained: FxHashMap::default(),
            due: BTreeSet::new(),
            last_id: 0,
            last_subscriber: stored.last_subscriber,
            last_message: stored.last_message,
        };
        let mut changes = Vec::new();
        for subscriber in stored.subscribers {
            let record = subscriber.record;
            let name = Name {
                realm: record.realm,
                user: record.user,
                client_id: record.client_id,
            };
            state.last_id += 1;
            let id = SubId(state.last_id);
            let head = subscriber.queue;
            let mut sub = Sub {
                shared: Subscriber::new(id, Some(record.num), name, head, &state.env),
                epoch: None,
                subscriptions: FxHashMap::default(),
                received: subscriber.received.into_iter().collect(),
                expiry_secs: record.expiry_secs,
                detached_at_ms: record.detached_at_ms,
                will: record.will,
                will_due_ms: record.will_due_ms,
                due_ms: None,
            };
            let tree = state.trees.entry(sub.shared.realm.clone()).or_default();
            for subscription in subscriber.subscriptions {
                tree.add(&subscription.filter, id, subscription.options);
                sub.subscriptions
                    .insert(subscription.filter, subscription.options);
            }
            if sub.detached_at_ms.is_none() {
                sub.lose(now_ms);
                changes.extend(sub.record().map(Change::PutSubscriber));
            }
            state.enter(sub);
        }
        for message in stored.retained {
            let realm = message.realm.clone();
            state.retained.entry(realm).or_default().keep(message);
        }
        state.count_retained();
        (state, changes)
    }

    pub(super) fn env(&self) -> &Arc<Env> {
        &self.env
    }

    fn enter(&mut self, sub: Sub) {
        let shared = &sub.shared;
        let id = shared.id;
        let name = (shared.user, Arc::clone(&shared.client_id));
        self.names.insert(name, id);
        if let Some(num) = shared.num {
            self.stored.insert(num, id);
        }
        self.subs.insert(id, sub);
        self.schedule(id);
        self.count_subscribers();
    }

    fn schedule(&mut self, id: SubId) {
        let Some(sub) = self.subs.get_mut(&id) else {
            return;
        };
        if let Some(at) = sub.due_ms.take() {
            self.due.remove(&(at, id));
        }
        sub.due_ms = sub.next_due_ms();
        if let Some(at) = sub.due_ms {
            self.due.insert((at, id));
        }
    }

    fn count_subscribers(&self) {
        let counter = &self.env.counters.subscribers;
        counter.store(self.subs.len() as u64, Ordering::Relaxed);
    }

    fn count_retained(&self) {
        let all: usize = self.retained.values().map(Retained::len).sum();
        let counter = &self.env.counters.retained;
        counter.store(all as u64, Ordering::Relaxed);
    }

    /// The subscriber that a connection holds.
    fn held(&mut self, holder: Holder) -> Result<&mut Sub, TopicError> {
        self.subs
            .get_mut(&holder.subscriber)
            .filter(|sub| sub.epoch == Some(holder.epoch))
            .ok_or(TopicError::Superseded)
    }

    /// Does what a job asks for.
    pub(super) fn run(&mut self, job: Job, turn: &mut Turn) {
        match job {
            Job::Attach(attach, reply) => self.attach(*attach, reply, turn),
            Job::Detach(holder, how, new_expiry, reply) => {
                self.detach(holder, how, new_expiry, turn);
                turn.answer(reply, Ok(()));
            }
            Job::Subscribe(holder, list, reply) => self.subscribe(holder, list, reply, turn),
            Job::Unsubscribe(holder, list, reply) => {
                let outcome = self.unsubscribe(holder, list, turn);
                turn.answer(reply, outcome);
            }
            Job::Publish(from, realm, publication, reply) => {
                let outcome = self.publish(from, &realm, *publication, turn);
                turn.answer(reply, outcome);
            }
            Job::Note(holder, id, reply) => {
                let outcome = self.note(holder, id, turn);
                turn.answer(reply, outcome);
            }
            Job::Release(holder, id, reply) => {
                let outcome = self.release(holder, id, turn);
                turn.answer(reply, outcome);
            }
            Job::End(user, client_id, reply) => {
                let ended = self.end_of(user, client_id.as_deref(), turn);
                turn.answer(reply, Ok(ended));
            }
            Job::Flush(reply) => turn.answer(reply, Ok(())),
            Job::Sweep(reply) => {
                self.sweep(turn);
                turn.answer(reply, Ok(()));
            }
        }
    }

    fn note(&mut self, holder: Holder, id: u16, turn: &mut Turn) -> Result<bool, TopicError> {
        let most = self.env.limits.received;
        let sub = self.held(holder)?;
        if sub.received.contains(&id) {
            return Ok(false);
        }
        if sub.received.len() >= most {
            return Err(TopicError::Quota);
        }
        sub.received.insert(id);
        let num = sub.shared.num;
        turn.changes.extend(num.map(|num| Change::Note(num, id)));
        Ok(true)
    }

    fn release(&mut self, holder: Holder, id: u16, turn: &mut Turn) -> Result<bool, TopicError> {
        let sub = self.held(holder)?;
        let was_noted = sub.received.remove(&id);
        if was_noted && let Some(num) = sub.shared.num {
            turn.changes.push(Change::Release(num, id));
        }
        Ok(was_noted)
    }
}
