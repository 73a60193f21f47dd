//! Deliveries that a hook did not take at once. They are kept and tried again beside the rest:
//! what comes after them in the same lane waits behind them, other lanes go on.

use std::collections::HashMap;
use std::time::Duration;

use crosstalk_core::hook::NewPostponed;
use crosstalk_core::refusal::Refusal;
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use tokio::sync::{Notify, OnceCell};
use tokio::time::{Instant, sleep, sleep_until};

use super::call::Parcel;
use super::deliver::{Post, jittered};
use crate::consumers::NotNow;

/// Lanes of one hook that may wait; where a further one fails, the receiver as a whole does,
/// and the rest is left in the log.
const MAX_LANES: usize = 100;
/// Deliveries of one hook that may wait.
const MAX_WAITING: u64 = 10_000;
/// Deliveries of one lane that are made before others have their turn.
const AT_A_TIME: usize = 50;

/// What waits in a lane.
struct Lane {
    /// How many, with those that are being written down.
    waiting: u64,
    /// When the first is tried again.
    due: Instant,
}

/// What a hook did not take yet.
#[derive(Default)]
pub(super) struct Late {
    is_read: OnceCell<()>,
    lanes: Mutex<HashMap<String, Lane>>,
    /// Something waits that did not.
    more: Notify,
    /// Something waits no longer.
    room: Notify,
}

impl Late {
    /// Notes what has been waiting since before it was started.
    async fn read(&self, post: &Post<'_>) -> Result<(), Refusal> {
        let reading = self.is_read.get_or_try_init(async || {
            let found = post.im.postponed_lanes(&post.hook.record.id).await?;
            post.hook
                .stats
                .change(|stats| stats.retrying += found.len() as u64);
            let due = Instant::now();
            let lanes = found
                .into_iter()
                .map(|(lane, waiting)| (lane, Lane { waiting, due }));
            self.lanes.lock().extend(lanes);
            Ok(())
        });
        reading.await.copied()
    }

    /// Whether something waits in a lane: then there is a place behind it now. Waits while
    /// there is none.
    async fn is_behind(&self, lane: &str) -> bool {
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            {
                let mut lanes = self.lanes.lock();
                let all: u64 = lanes.values().map(|lane| lane.waiting).sum();
                match lanes.get_mut(lane) {
                    None => return false,
                    Some(lane) if all < MAX_WAITING => {
                        lane.waiting += 1;
                        return true;
                    }
                    Some(_) => {}
                }
            }
            room.await;
        }
    }

    /// A place in a lane in which nothing waits. False if there is none.
    fn begin(&self, lane: &str, pause: Duration) -> bool {
        let mut lanes = self.lanes.lock();
        if lane.is_empty() || lanes.len() >= MAX_LANES {
            return false;
        }
        let due = Instant::now() + pause;
        lanes.insert(lane.to_owned(), Lane { waiting: 1, due });
        true
    }

    /// One waits no longer. True if that was the lane's last.
    fn end(&self, lane: &str) -> bool {
        let mut lanes = self.lanes.lock();
        let is_last = lanes.get_mut(lane).is_none_or(|lane| {
            lane.waiting = lane.waiting.saturating_sub(1);
            lane.waiting == 0
        });
        if is_last {
            lanes.remove(lane);
        }
        self.room.notify_waiters();
        is_last
    }

    fn put_off(&self, lane: &str, pause: Duration) {
        if let Some(lane) = self.lanes.lock().get_mut(lane) {
            lane.due = Instant::now() + pause;
        }
    }

    /// Lanes whose time has come, and when that of the next one comes.
    fn due(&self) -> (Vec<String>, Option<Instant>) {
        let now = Instant::now();
        let lanes = self.lanes.lock();
        let due = lanes.iter().filter(|(_, lane)| lane.due <= now);
        let due = due.map(|(name, _)| name.clone()).collect();
        let later = lanes.values().map(|lane| lane.due).filter(|due| *due > now);
        (due, later.min())
    }
}

/// The pause after so many tries.
pub(super) fn pause_after(tries: u32, first: Duration, longest: Duration) -> Duration {
    let doubled = 1_u32 << tries.saturating_sub(1).min(30);
    first.saturating_mul(doubled).min(longest)
}

impl Post<'_> {
    /// Makes sure that what waits is known.
    pub(super) async fn look_back(&self, late: &Late) -> Result<(), Refusal> {
        late.read(self).await
    }

    /// Puts a parcel behind those of its lane that wait, if there are any. Otherwise gives it
    /// back.
    pub(super) async fn put_behind(
        &self,
        late: &Late,
        parcel: Parcel,
    ) -> Result<Option<Parcel>, NotNow> {
        if !late.is_behind(&parcel.lane).await {
            return Ok(Some(parcel));
        }
        self.keep(late, parcel, 0, Duration::ZERO).await?;
        Ok(None)
    }

    /// Has a parcel tried again after a pause, by when it will have been tried for so long.
    /// Otherwise gives it back.
    pub(super) async fn postpone(
        &self,
        late: &Late,
        parcel: Parcel,
        tries: u32,
        pause: Duration,
        tried_for: Duration,
    ) -> Result<Option<Parcel>, NotNow> {
        if !late.begin(&parcel.lane, pause) {
            return Ok(Some(parcel));
        }
        self.hook.stats.change(|stats| stats.retrying += 1);
        self.keep(late, parcel, tries, tried_for).await?;
        Ok(None)
    }

    /// Writes down what has a place.
    async fn keep(
        &self,
        late: &Late,
        parcel: Parcel,
        tries: u32,
        tried_for: Duration,
    ) -> Result<(), NotNow> {
        let delivery = NewPostponed {
            lane: parcel.lane,
            event: parcel.event,
            event_id: parcel.id,
            query: parcel.query,
            body: parcel.body,
            tries,
            tried_for_ms: millis(tried_for),
        };
        let kept = self.im.postpone(&self.hook.record.id, &delivery).await;
        if kept == Ok(true) {
            late.more.notify_one();
        } else {
            // It waits already, or could not be written down.
            self.end(late, &delivery.lane);
        }
        kept.map(drop).map_err(NotNow::from)
    }

    fn end(&self, late: &Late, lane: &str) -> bool {
        let is_last = late.end(lane);
        if is_last {
            let less = |stats: &mut super::Snapshot| {
                stats.retrying = stats.retrying.saturating_sub(1);
            };
            self.hook.stats.change(less);
        }
        is_last
    }

    /// Tries what waits whenever its time has come, for ever.
    pub(super) async fn try_late(&self, late: &Late) {
        while let Err(why) = self.look_back(late).await {
            tracing::warn!(%why, hook = %self.hook.record.id, "what waits is not known yet");
            sleep(self.limits.first_pause).await;
        }
        loop {
            let (due, next) = late.due();
            if !due.is_empty() {
                let lanes = stream::iter(due);
                lanes
                    .for_each_concurrent(self.limits.at_once.max(1), |lane| self.go_on(late, lane))
                    .await;
                continue;
            }
            let more = late.more.notified();
            match next {
                Some(next) => {
                    tokio::select! { () = more => {} () = sleep_until(next) => {} }
                }
                None => more.await,
            }
        }
    }

    /// Delivers what waits in a lane, until something is not taken.
    async fn go_on(&self, late: &Late, lane: String) {
        for _ in 0..AT_A_TIME {
            match self.next_of(late, &lane).await {
                Ok(None) => {}
                Ok(Some(pause)) => return late.put_off(&lane, pause),
                Err(why) => {
                    tracing::warn!(%why, hook = %self.hook.record.id, "what waits is tried later");
                    return late.put_off(&lane, self.limits.first_pause);
                }
            }
        }
    }

    /// Tries the first in a lane. For how long the lane waits then; `None` = the next has its
    /// turn.
    async fn next_of(&self, late: &Late, lane: &str) -> Result<Option<Duration>, Refusal> {
        let (id, limits) = (&self.hook.record.id, self.limits);
        let Some(found) = self.im.next_postponed(id, lane).await? else {
            // It is being written down.
            return Ok(Some(limits.first_pause));
        };
        let delivery = found.delivery;
        if delivery.body.is_empty() {
            // What it told was erased meanwhile.
            self.im.end_postponed(id, found.n, None).await?;
            let is_last = self.end(late, lane);
            return Ok(is_last.then_some(Duration::ZERO));
        }
        let parcel = Parcel {
            event: delivery.event,
            id: delivery.event_id,
            query: delivery.query,
            body: delivery.body,
            lane: delivery.lane,
        };
        let tries = delivery.tries.saturating_add(1);
        let began = Instant::now();
        let dead = match self.try_once(&parcel, tries).await {
            Ok(_) => None,
            Err(reason) => {
                let pause = pause_after(tries, limits.first_pause, limits.longest_pause);
                let pause = jittered(pause, self.random());
                let tried_for_ms = delivery
                    .tried_for_ms
                    .saturating_add(millis(began.elapsed() + pause));
                if tried_for_ms <= self.hook.record.settings.retry_for_ms {
                    self.im.tried_again(found.n, tries, tried_for_ms).await?;
                    return Ok(Some(pause));
                }
                Some(self.letter(parcel, tries, reason))
            }
        };
        self.im.end_postponed(id, found.n, dead.as_ref()).await?;
        if dead.is_some() {
            self.hook.stats.change(|stats| stats.dead += 1);
        }
        let is_last = self.end(late, lane);
        Ok(is_last.then_some(Duration::ZERO))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(300));
        let pauses = [1, 2, 3, 9, 10, u32::MAX].map(|tries| pause_after(tries, first, longest));
        assert_eq!(
            pauses.map(|pause| pause.as_secs()),
            [1, 2, 4, 256, 300, 300]
        );
    }

    #[tokio::test]
    async fn lanes_and_what_waits_in_them_are_bounded() {
        let late = Late::default();
        assert!(!late.begin("", Duration::ZERO), "all in order is one lane");
        for n in 0..MAX_LANES {
            assert!(late.begin(&n.to_string(), Duration::ZERO), "{n}");
        }
        assert!(!late.begin("more", Duration::ZERO));
        assert!(!late.is_behind("more").await);
        assert!(late.is_behind("0").await);
        assert!(!late.end("0"));
        assert!(late.end("0"));
        assert!(late.begin("more", Duration::ZERO));
        late.put_off("more", Duration::from_secs(60));
        let (due, next) = late.due();
        assert_eq!((due.len(), next.is_some()), (MAX_LANES - 1, true));
        if let Some(lane) = late.lanes.lock().get_mut("1") {
            lane.waiting = MAX_WAITING - MAX_LANES as u64 + 1;
        }
        let behind = late.is_behind("1");
        tokio::pin!(behind);
        assert!(futures_util::poll!(behind.as_mut()).is_pending(), "no room");
        late.end("1");
        assert!(behind.await);
    }
}
