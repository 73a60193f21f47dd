//! Delivers parcels until they are taken or given up.

use std::collections::HashMap;
use std::time::Duration;

use crosstalk_core::hook::{HookFormat, NewDeadLetter};
use crosstalk_core::im::Im;
use futures_util::StreamExt;
use futures_util::stream;
use hyper::StatusCode;
use tokio::time::{Instant, sleep};

use super::call::{Answered, Parcel, call};
use super::late::{Late, pause_after};
use super::registry::Hook;
use super::settings::HookLimits;
use super::stats::short;
use crate::auth::client::Client;
use crate::consumers::NotNow;

/// Who delivers.
pub(super) struct Post<'a> {
    pub(super) im: &'a Im,
    pub(super) client: &'a Client,
    pub(super) hook: &'a Hook,
    pub(super) limits: &'a HookLimits,
}

impl Post<'_> {
    /// Delivers all: those of the same lane in order, different lanes beside each other. It
    /// returns when each was taken, is kept for later, or is a dead letter.
    pub(super) async fn deliver(&self, parcels: Vec<Parcel>, late: &Late) -> Result<(), NotNow> {
        if parcels.is_empty() {
            return Ok(());
        }
        self.look_back(late).await?;
        let lanes = by_lane(parcels);
        let mut running = stream::iter(lanes)
            .map(|lane| self.deliver_lane(lane, late))
            .buffer_unordered(self.limits.at_once.max(1));
        while let Some(done) = running.next().await {
            done?;
        }
        Ok(())
    }

    async fn deliver_lane(&self, lane: Vec<Parcel>, late: &Late) -> Result<(), NotNow> {
        for parcel in lane {
            if let Some(parcel) = self.put_behind(late, parcel).await? {
                self.deliver_one(parcel, late).await?;
            }
        }
        Ok(())
    }

    /// Tries until it is taken, can be kept for later, or is given up.
    async fn deliver_one(&self, mut parcel: Parcel, late: &Late) -> Result<(), NotNow> {
        let began = Instant::now();
        let retry_for = Duration::from_millis(self.hook.record.settings.retry_for_ms);
        let mut tries = 0;
        loop {
            tries += 1;
            let Err(reason) = self.try_once(&parcel, tries).await else {
                self.no_longer_retrying(tries);
                return Ok(());
            };
            let pause = pause_after(tries, self.limits.first_pause, self.limits.longest_pause);
            let next = jittered(pause, self.random());
            let tried_for = began.elapsed() + next;
            if tried_for > retry_for {
                self.no_longer_retrying(tries);
                return self.bury(parcel, tries, reason).await;
            }
            let postponed = self.postpone(late, parcel, tries, next, tried_for).await?;
            let Some(here) = postponed else {
                self.no_longer_retrying(tries);
                return Ok(());
            };
            parcel = here;
            if tries == 1 {
                self.hook.stats.change(|stats| stats.retrying += 1);
            }
            sleep(next).await;
        }
    }

    fn no_longer_retrying(&self, tries: u32) {
        if tries > 1 {
            self.hook.stats.change(|stats| stats.retrying -= 1);
        }
    }

    /// One try; the error is why it was not taken.
    pub(super) async fn try_once(&self, parcel: &Parcel, tries: u32) -> Result<Answered, String> {
        let now_ms = self.im.clock().now_ms();
        let answer = call(self.client, self.hook, parcel, tries, now_ms).await;
        let taken = answer.and_then(|answer| {
            if is_taken(self.hook.record.settings.format, answer.status) {
                Ok(answer)
            } else {
                Err(short(&format!("{}: {}", answer.status, answer.head())))
            }
        });
        self.hook.stats.change(|stats| match &taken {
            Ok(_) => stats.delivered += 1,
            Err(reason) => {
                stats.failed += 1;
                stats.last_error.clone_from(reason);
            }
        });
        if let Err(reason) = &taken {
            tracing::debug!(hook = %self.hook.record.id, tries, reason, "a hook did not take an event");
        }
        taken
    }

    async fn bury(&self, parcel: Parcel, tries: u32, reason: String) -> Result<(), NotNow> {
        let letter = self.letter(parcel, tries, reason);
        self.im.bury(&self.hook.record.id, &letter).await?;
        self.hook.stats.change(|stats| stats.dead += 1);
        Ok(())
    }

    /// A parcel that is given up.
    pub(super) fn letter(&self, parcel: Parcel, tries: u32, reason: String) -> NewDeadLetter {
        let id = &self.hook.record.id;
        tracing::warn!(hook = %id, event = parcel.event, tries, reason, "an event was given up");
        NewDeadLetter {
            event: parcel.event,
            event_id: parcel.id,
            query: parcel.query,
            body: parcel.body,
            tries,
            reason,
            at_ms: self.im.clock().now_ms(),
        }
    }

    pub(super) fn random(&self) -> u8 {
        let mut random = [0];
        self.im.clock().fill_random(&mut random);
        random[0]
    }
}

/// Whether an answer says that the event was taken.
fn is_taken(format: HookFormat, status: StatusCode) -> bool {
    match format {
        HookFormat::Crosstalk => status.is_success(),
        // wukong.md §5.1: 200 exactly.
        HookFormat::Foreign => status == StatusCode::OK,
    }
}

/// Parcels by lane; lanes in the order of their first.
fn by_lane(parcels: Vec<Parcel>) -> Vec<Vec<Parcel>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut lanes: Vec<Vec<Parcel>> = Vec::new();
    for parcel in parcels {
        let place = *places.entry(parcel.lane.clone()).or_insert(lanes.len());
        if place == lanes.len() {
            lanes.push(Vec::new());
        }
        lanes[place].push(parcel);
    }
    lanes
}

/// A pause between 75 and 125 % of what it should be, so that those that failed together do
/// not come back together.
pub(super) fn jittered(pause: Duration, random: u8) -> Duration {
    pause.mul_f64(0.75 + f64::from(random) / 255.0 * 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_spread() {
        let pause = Duration::from_secs(100);
        assert_eq!(jittered(pause, 0), Duration::from_secs(75));
        assert_eq!(jittered(pause, 255), Duration::from_secs(125));
    }

    #[test]
    fn lanes_keep_their_order() {
        let parcel = |lane: &str, id: &str| Parcel {
            event: String::new(),
            id: id.to_owned(),
            query: String::new(),
            body: bytes::Bytes::new(),
            lane: lane.to_owned(),
        };
        let parcels = vec![parcel("a", "1"), parcel("b", "2"), parcel("a", "3")];
        let lanes = by_lane(parcels);
        let ids: Vec<Vec<&str>> = lanes
            .iter()
            .map(|lane| lane.iter().map(|parcel| parcel.id.as_str()).collect())
            .collect();
        assert_eq!(ids, [vec!["1", "3"], vec!["2"]]);
    }

    #[test]
    fn wukong_takes_nothing_but_200() {
        for (status, ours, wukong) in [
            (200, true, true),
            (204, true, false),
            (302, false, false),
            (500, false, false),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(is_taken(HookFormat::Crosstalk, status), ours);
            assert_eq!(is_taken(HookFormat::Foreign, status), wukong);
        }
    }
}
