//! Publishing: what is kept, who gets it, and how.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Effect, State, Sub, Turn};
use crate::id::Realm;
use crate::pubsub::job::Holder;
use crate::pubsub::limits::add;
use crate::pubsub::subscriber::{SubId, Subscriber};
use crate::pubsub::tree::{Group, Member};
use crate::pubsub::{
    Change, Delivery, Publication, Published, Qos, QueuedMessage, Stage, SubscriptionOptions,
    TopicError, TopicMessage, TopicMessageNum, Will,
};

/// How one subscriber gets a message: all its matching subscriptions together.
struct Match {
    max_qos: Qos,
    keeps_retain: bool,
    ids: Vec<u32>,
}

impl Match {
    fn of(options: &SubscriptionOptions) -> Self {
        Self {
            max_qos: options.max_qos,
            keeps_retain: options.retain_as_published,
            ids: options.subscription_id.into_iter().collect(),
        }
    }

    fn merge(&mut self, options: &SubscriptionOptions) {
        self.max_qos = self.max_qos.max(options.max_qos);
        self.keeps_retain |= options.retain_as_published;
        self.ids.extend(options.subscription_id);
    }
}

impl State {
    pub(super) fn publish(
        &mut self,
        from: Option<Holder>,
        realm: &Realm,
        publication: Publication,
        turn: &mut Turn,
    ) -> Result<Published, TopicError> {
        let expiry_ms = |secs: u32| turn.now_ms.saturating_add(i64::from(secs) * 1000);
        let message = TopicMessage {
            realm: realm.clone(),
            topic: publication.topic,
            payload: publication.payload,
            properties: publication.properties,
            qos: publication.qos,
            retain: publication.retain,
            expires_at_ms: publication.expiry_secs.map(expiry_ms),
        };
        let clears = message.retain && message.payload.is_empty();
        let keeps = message.retain && !clears;
        if keeps {
            let retained = self.retained.entry(realm.clone()).or_default();
            if !retained.has_room(&message, &self.env.limits) {
                return Err(TopicError::Quota);
            }
        }
        if let Some(id) = publication.once {
            let from = from.ok_or(TopicError::Superseded)?;
            if !self.note(from, id, turn)? {
                return Ok(Published {
                    matched: 0,
                    is_new: false,
                });
            }
        }
        let message = Arc::new(message);
        if keeps {
            let retained = self.retained.entry(realm.clone()).or_default();
            retained.keep(Arc::clone(&message));
            turn.changes.push(Change::Retain(Arc::clone(&message)));
        } else if clears
            && let Some(retained) = self.retained.get_mut(realm)
            && retained.clear(&message.topic)
        {
            let topic = message.topic.clone();
            turn.changes
                .push(Change::ClearRetained(realm.clone(), topic));
        }
        if message.retain {
            self.count_retained();
        }
        add(&self.env.counters.published, 1);
        let from = from.map(|holder| holder.subscriber);
        Ok(Published {
            matched: self.hand_out(from, &message, turn),
            is_new: true,
        })
    }

    /// Publishes a will, which nobody waits for.
    pub(super) fn publish_will(&mut self, realm: &Realm, will: Will, turn: &mut Turn) {
        match self.publish(None, realm, will.publication(), turn) {
            Ok(_) => add(&self.env.counters.wills, 1),
            Err(error) => tracing::warn!(%error, %realm, "a will could not be published"),
        }
    }

    /// Gives a message to everybody who subscribes to its topic. How many those are.
    fn hand_out(
        &mut self,
        from: Option<SubId>,
        message: &Arc<TopicMessage>,
        turn: &mut Turn,
    ) -> usize {
        let Some(tree) = self.trees.get_mut(&message.realm) else {
            return 0;
        };
        let found = tree.matches(&message.topic);
        let mut matches: FxHashMap<SubId, Match> = FxHashMap::default();
        for Member { who, options } in found.single {
            if options.no_local && Some(who) == from {
                continue;
            }
            matches
                .entry(who)
                .and_modify(|known| known.merge(&options))
                .or_insert_with(|| Match::of(&options));
        }
        let mut all: Vec<(SubId, Match)> = matches.into_iter().collect();
        for group in found.groups {
            let at = choose(group, &self.subs);
            let Member { who, options } = group.members()[at];
            group.chosen(at);
            all.push((who, Match::of(&options)));
        }
        let matched = all.len();
        let mut num = None;
        for (who, how) in all {
            let Some(sub) = self.subs.get(&who) else {
                continue;
            };
            let shared = Arc::clone(&sub.shared);
            let is_connected = sub.epoch.is_some();
            let qos = message.qos.min(how.max_qos);
            let retain = how.keeps_retain && message.retain;
            let ids: Arc<[u32]> = how.ids.into();
            if qos > Qos::AtMostOnce {
                let message = Arc::clone(message);
                self.queue(&shared, message, &mut num, (qos, retain, &ids), turn);
            } else if is_connected {
                let once = vec![Self::once(Arc::clone(message), retain, &ids)];
                turn.effects.push(Effect::Once(shared, once));
            }
        }
        matched
    }

    pub(super) fn once(message: Arc<TopicMessage>, retain: bool, ids: &Arc<[u32]>) -> Delivery {
        Delivery {
            id: None,
            message,
            qos: Qos::AtMostOnce,
            retain,
            subscription_ids: Arc::clone(ids),
            stage: Stage::Queued,
        }
    }

    /// Puts a message into a queue. `num` is its number if another queue has it already.
    pub(super) fn queue(
        &mut self,
        to: &Arc<Subscriber>,
        message: Arc<TopicMessage>,
        num: &mut Option<TopicMessageNum>,
        (qos, retain, ids): (Qos, bool, &Arc<[u32]>),
        turn: &mut Turn,
    ) {
        let bytes = message.weight();
        let Some(n) = to.reserve(bytes) else {
            return;
        };
        if let Some(subscriber) = to.num {
            let num = *num.get_or_insert_with(|| {
                self.last_message += 1;
                let num = TopicMessageNum(self.last_message);
                let put = Change::PutMessage(num, Arc::clone(&message));
                turn.changes.push(put);
                num
            });
            turn.changes.push(Change::Enqueue {
                subscriber,
                n,
                message: num,
                qos,
                retain,
                subscription_ids: Arc::clone(ids),
                bytes,
            });
        }
        let entry = QueuedMessage {
            n,
            message,
            qos,
            retain,
            subscription_ids: Arc::clone(ids),
            stage: Stage::Queued,
        };
        turn.effects.push(Effect::Queue(Arc::clone(to), entry));
    }
}

/// Who of a group gets the next message: the first in turn who is connected, otherwise the
/// first.
fn choose(group: &Group<SubId>, subs: &FxHashMap<SubId, Sub>) -> usize {
    let is_connected =
        |member: &Member<SubId>| subs.get(&member.who).is_some_and(|sub| sub.epoch.is_some());
    group.members().iter().position(is_connected).unwrap_or(0)
}
