//! Subscribing, and what is retained for those who do.

use std::sync::Arc;

use super::{Effect, State, Turn};
use crate::pubsub::job::{Holder, Reply};
use crate::pubsub::{
    Change, Filter, Qos, RetainHandling, Subscription, SubscriptionOptions, TopicError,
};

/// Why a subscription was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubscribeRefusal {
    /// The subscriber has as many as it may have.
    #[error("too many subscriptions")]
    Quota,
    /// A shared subscription cannot leave out what its subscriber published.
    #[error("a shared subscription cannot be without local messages")]
    NoLocalShared,
}

/// The guarantee that a subscription has, or why there is none.
pub type SubscribeOutcome = Result<Qos, SubscribeRefusal>;

impl State {
    pub(super) fn subscribe(
        &mut self,
        holder: Holder,
        list: Vec<Subscription>,
        reply: Reply<Vec<SubscribeOutcome>>,
        turn: &mut Turn,
    ) {
        let mut outcomes = Vec::with_capacity(list.len());
        let mut brings = Vec::new();
        for subscription in list {
            match self.subscribe_one(holder, subscription, &mut brings, turn) {
                Ok(outcome) => outcomes.push(outcome),
                Err(error) => {
                    turn.answer(reply, Err(error));
                    return;
                }
            }
        }
        turn.answer(reply, Ok(outcomes));
        for (filter, options) in brings {
            self.bring_retained(holder, &filter, options, turn);
        }
    }

    fn subscribe_one(
        &mut self,
        holder: Holder,
        subscription: Subscription,
        brings: &mut Vec<(Filter, SubscriptionOptions)>,
        turn: &mut Turn,
    ) -> Result<SubscribeOutcome, TopicError> {
        let limits = self.env.limits;
        let sub = self.held(holder)?;
        let Subscription { filter, options } = subscription;
        let is_shared = filter.group().is_some();
        if is_shared && options.no_local {
            return Ok(Err(SubscribeRefusal::NoLocalShared));
        }
        let is_new = !sub.subscriptions.contains_key(&filter);
        if is_new {
            let bytes: usize = sub.subscriptions.keys().map(|f| f.as_str().len()).sum();
            let is_full = sub.subscriptions.len() >= limits.subscriptions
                || bytes + filter.as_str().len() > limits.subscription_bytes;
            if is_full {
                return Ok(Err(SubscribeRefusal::Quota));
            }
        }
        sub.subscriptions.insert(filter.clone(), options);
        let (num, realm) = (sub.shared.num, sub.shared.realm.clone());
        let tree = self.trees.entry(realm).or_default();
        tree.add(&filter, holder.subscriber, options);
        if let Some(num) = num {
            let subscription = Subscription {
                filter: filter.clone(),
                options,
            };
            turn.changes.push(Change::Subscribe(num, subscription));
        }
        let is_brought = match options.retain_handling {
            RetainHandling::Send => true,
            RetainHandling::SendIfNew => is_new,
            RetainHandling::DoNotSend => false,
        };
        if is_brought && !is_shared {
            brings.push((filter, options));
        }
        Ok(Ok(options.max_qos))
    }

    fn bring_retained(
        &mut self,
        holder: Holder,
        filter: &Filter,
        options: SubscriptionOptions,
        turn: &mut Turn,
    ) {
        let Ok(sub) = self.held(holder) else {
            return;
        };
        let shared = Arc::clone(&sub.shared);
        let Some(retained) = self.retained.get(&shared.realm) else {
            return;
        };
        let ids: Arc<[u32]> = options.subscription_id.into_iter().collect();
        let mut once = Vec::new();
        for message in retained.matching(filter, turn.now_ms) {
            let qos = message.qos.min(options.max_qos);
            if qos == Qos::AtMostOnce {
                once.push(Self::once(message, true, &ids));
            } else {
                let mut num = None;
                self.queue(&shared, message, &mut num, (qos, true, &ids), turn);
            }
        }
        if !once.is_empty() {
            turn.effects.push(Effect::Once(shared, once));
        }
    }

    pub(super) fn unsubscribe(
        &mut self,
        holder: Holder,
        list: Vec<Filter>,
        turn: &mut Turn,
    ) -> Result<Vec<bool>, TopicError> {
        let mut outcomes = Vec::with_capacity(list.len());
        for filter in list {
            let sub = self.held(holder)?;
            let was_there = sub.subscriptions.remove(&filter).is_some();
            let (num, realm) = (sub.shared.num, sub.shared.realm.clone());
            if was_there {
                if let Some(tree) = self.trees.get_mut(&realm) {
                    tree.remove(&filter, holder.subscriber);
                }
                turn.changes
                    .extend(num.map(|num| Change::Unsubscribe(num, filter)));
            }
            outcomes.push(was_there);
        }
        Ok(outcomes)
    }
}
