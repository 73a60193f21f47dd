//! Sending later.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use parking_lot::Mutex;

use super::Im;
use crate::id::{MessageId, Realm, UserRef};
use crate::message::Draft;
use crate::refusal::Refusal;
use crate::schedule::{
    Change, Closed, KEPT_MS, MAX_AHEAD_MS, MAX_OPEN, MAX_OPEN_OF_APPLICATION, Saying, Scheduled,
    ScheduledQuery, State,
};
use crate::send::limits::MAX_CLIENT_NO_BYTES;

/// Old ones that are forgotten in one step.
const STEP: u32 = 1000;
/// The most of a list that one question gives.
const MAX: u32 = 1000;

/// Which scheduled messages are being dealt with: what is being sent is not changed, and what is
/// being changed is not sent, so that whoever takes one back knows that it will not be sent.
#[derive(Debug, Default)]
pub(super) struct AtWork(Mutex<HashMap<MessageId, Work>>);

/// What is being done with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Sent,
    /// So many are at it; the store does one after the other.
    Changed(u32),
}

/// It is at work until this goes.
struct Turn<'a> {
    at_work: &'a AtWork,
    id: MessageId,
}

impl AtWork {
    fn with<T>(&self, what: impl FnOnce(&mut HashMap<MessageId, Work>) -> T) -> T {
        what(&mut self.0.lock())
    }

    /// To send one, unless somebody is at it.
    fn send(&self, id: MessageId) -> Option<Turn<'_>> {
        let is_free = self.with(|all| match all.entry(id) {
            Entry::Occupied(_) => false,
            Entry::Vacant(free) => {
                free.insert(Work::Sent);
                true
            }
        });
        is_free.then(|| Turn { at_work: self, id })
    }

    /// To change one, unless it is being sent.
    fn change(&self, id: MessageId) -> Option<Turn<'_>> {
        let is_free = self.with(|all| match all.entry(id).or_insert(Work::Changed(0)) {
            Work::Sent => false,
            Work::Changed(by) => {
                *by += 1;
                true
            }
        });
        is_free.then(|| Turn { at_work: self, id })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.at_work.with(|all| match all.get_mut(&self.id) {
            Some(Work::Changed(by)) if *by > 1 => *by -= 1,
            _ => drop(all.remove(&self.id)),
        });
    }
}

impl Im {
    /// Notes a message that is to be sent later, in the name of `item.sender`, and gives it an
    /// id. Durable when it returns.
    ///
    /// # Errors
    /// `InvalidArgument` for a time that has passed or is more than a year away, `TooLarge`,
    /// `TooMany` if the sender has 1,000 open (the application 100,000), whatever a send of it
    /// would be refused for now, or when the store fails.
    pub async fn schedule(&self, mut item: Scheduled) -> Result<Scheduled, Refusal> {
        let now_ms = self.clock().now_ms();
        self.check_time(item.send_at_ms, now_ms)?;
        self.check_saying(&item.saying)?;
        item.id = self.parts.ids.next();
        debug_assert!(
            item.client_no().len() <= MAX_CLIENT_NO_BYTES,
            "a short number"
        );
        item.created_at_ms = now_ms;
        item.state = State::Open;
        item.done_at_ms = 0;
        self.would_send(&item).await?;
        let max = if item.by_application {
            MAX_OPEN_OF_APPLICATION
        } else {
            MAX_OPEN
        };
        if self.stores.schedule.schedule(&item, max).await? {
            Ok(item)
        } else {
            Err(Refusal::TooMany)
        }
    }

    /// One of a realm's; only one of this sender's if it is given.
    ///
    /// # Errors
    /// `NotFound`, or when the store fails.
    pub async fn scheduled(
        &self,
        realm: &Realm,
        sender: Option<&UserRef>,
        id: MessageId,
    ) -> Result<Scheduled, Refusal> {
        let found = self.stores.schedule.scheduled(id).await?;
        let is_theirs = |item: &Scheduled| {
            item.realm == *realm && sender.is_none_or(|sender| sender.num == item.sender.num)
        };
        found.filter(is_theirs).ok_or(Refusal::NotFound)
    }

    /// Some of them, ascending by id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn scheduled_list(
        &self,
        mut query: ScheduledQuery,
    ) -> Result<Vec<Scheduled>, Refusal> {
        query.limit = query.limit.clamp(1, MAX);
        Ok(self.stores.schedule.scheduled_of(query).await?)
    }

    /// Changes one that waits.
    ///
    /// # Errors
    /// `NotFound`, `WrongState` if it is over or being sent, or as [`schedule`](Self::schedule).
    pub async fn reschedule(
        &self,
        realm: &Realm,
        sender: Option<&UserRef>,
        id: MessageId,
        change: Change,
    ) -> Result<Scheduled, Refusal> {
        let mut item = self.scheduled(realm, sender, id).await?;
        if let Some(at_ms) = change.send_at_ms {
            self.check_time(at_ms, self.clock().now_ms())?;
        }
        if let Some(saying) = &change.saying {
            self.check_saying(saying)?;
            item.saying = saying.clone();
        }
        if item.state == State::Open {
            self.would_send(&item).await?;
        }
        let _turn = self.at_work.change(id).ok_or(Refusal::WrongState)?;
        match self.stores.schedule.reschedule(id, change).await? {
            Closed::Is(item) => Ok(*item),
            Closed::Over(_) => Err(Refusal::WrongState),
            Closed::Nothing => Err(Refusal::NotFound),
        }
    }

    /// Takes one back that waits; one that was taken back before stays so.
    ///
    /// # Errors
    /// `NotFound`, `WrongState` if it was sent, is being sent or has failed, or when the store
    /// fails.
    pub async fn cancel_scheduled(
        &self,
        realm: &Realm,
        sender: Option<&UserRef>,
        id: MessageId,
    ) -> Result<Scheduled, Refusal> {
        self.scheduled(realm, sender, id).await?;
        let _turn = self.at_work.change(id).ok_or(Refusal::WrongState)?;
        let at_ms = self.clock().now_ms();
        let schedule = &self.stores.schedule;
        match schedule
            .close_scheduled(id, State::Cancelled, at_ms)
            .await?
        {
            Closed::Is(item) => Ok(*item),
            Closed::Over(item) if item.state == State::Cancelled => Ok(*item),
            Closed::Over(_) => Err(Refusal::WrongState),
            Closed::Nothing => Err(Refusal::NotFound),
        }
    }

    /// Those whose time has come, the oldest first, those after one of them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn scheduled_due(
        &self,
        after: Option<(i64, MessageId)>,
        limit: u32,
    ) -> Result<Vec<Scheduled>, Refusal> {
        let now_ms = self.clock().now_ms();
        Ok(self
            .stores
            .schedule
            .scheduled_due(now_ms, after, limit)
            .await?)
    }

    /// Sends one whose time has come, with all checks of an ordinary send, and notes what
    /// became of it. `draft` is [`Scheduled::draft`], as whoever knows how to read it has
    /// judged it. It is sent once though this is called again after a crash. Where the sender
    /// is too fast, or the server cannot, it waits on: then it is open still. So it does if it
    /// was changed since it was read, or is being changed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn send_scheduled(
        &self,
        item: &Scheduled,
        draft: Result<Draft, Refusal>,
    ) -> Result<State, Refusal> {
        let Some(_turn) = self.at_work.send(item.id) else {
            return Ok(State::Open);
        };
        let now = self.stores.schedule.scheduled(item.id).await?;
        if now.as_ref() != Some(item) {
            return Ok(now.map_or(State::Cancelled, |now| now.state));
        }
        let sent = match draft {
            Ok(draft) => {
                let app = item.app.as_ref();
                let sent = self.send_by(&item.realm, app, item.speaker(), draft);
                sent.await.map_err(|refused| refused.why)
            }
            Err(why) => Err(why),
        };
        let state = match sent {
            Ok(accepted) => State::Sent {
                message: accepted.id,
                seq: accepted.seq,
            },
            Err(Refusal::RateLimited | Refusal::Unavailable | Refusal::Internal) => {
                return Ok(State::Open);
            }
            Err(why) => State::Failed(why),
        };
        let at_ms = self.clock().now_ms();
        let schedule = &self.stores.schedule;
        schedule.close_scheduled(item.id, state, at_ms).await?;
        Ok(state)
    }

    /// Forgets what has been over for 30 days. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_scheduled(&self) -> Result<u64, Refusal> {
        let before_ms = self.clock().now_ms() - KEPT_MS;
        Ok(self
            .stores
            .schedule
            .forget_scheduled(before_ms, STEP)
            .await?)
    }

    /// Says why it would be refused if it were sent now, beside the rates: so whoever schedules
    /// it learns that in time. It is looked at again when it is sent.
    async fn would_send(&self, item: &Scheduled) -> Result<(), Refusal> {
        let mut draft = item.draft()?;
        if draft.body.carried.is_some() {
            self.find_mentioned(&item.realm, &mut draft.body).await?;
        }
        self.would_take(&item.realm, item.speaker(), draft).await
    }

    fn check_time(&self, at_ms: i64, now_ms: i64) -> Result<(), Refusal> {
        if (now_ms..=now_ms.saturating_add(MAX_AHEAD_MS)).contains(&at_ms) {
            Ok(())
        } else {
            Err(Refusal::InvalidArgument)
        }
    }

    fn check_saying(&self, saying: &Saying) -> Result<(), Refusal> {
        if saying.payload.len() > self.policy.send.payload_bytes {
            Err(Refusal::TooLarge)
        } else {
            Ok(())
        }
    }
}
