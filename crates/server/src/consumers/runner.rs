//! Runs consumers: one task each, which waits until a log has grown, brings what is new and
//! writes down the place once it is done.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crosstalk_core::im::Im;
use crosstalk_core::outbox::Place;
use crosstalk_core::refusal::Refusal;
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Consumer, NotNow};

/// It is also looked when nobody says that there is something.
const POLL: Duration = Duration::from_secs(30);
/// The pause after a failure; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long events are kept for those who are behind or go back.
const KEEP_EVENTS: Duration = Duration::from_secs(7 * 24 * 3600);
/// How often old events are dropped, and how many at once.
const DROP_EVENTS_EVERY: Duration = Duration::from_secs(600);
const DROP_EVENTS: u32 = 1000;

/// How far behind a consumer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// Its name.
    pub consumer: String,
    /// Age of the oldest thing that it has yet to do, ms; 0 = it has done everything.
    pub behind_ms: u64,
    /// Messages and events that it has done since it was started.
    pub done: u64,
    /// How often its work has failed since it was started.
    pub failed: u64,
}

/// What a running consumer says of itself.
#[derive(Debug, Default)]
struct Progress {
    /// When the oldest undone thing was said, ms since 1970.
    undone_since_ms: Option<i64>,
    done: u64,
    failed: u64,
}

type Shared = Arc<Mutex<Progress>>;

/// A consumer that runs. It stops when [`stop`](Self::stop) is called, or with all others.
#[derive(Debug)]
pub struct Running {
    name: String,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    /// Stops it and waits until it has let go of everything. Its place stays.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, consumer = self.name, "a consumer ended with a failure");
        }
    }
}

/// All consumers of a server.
pub struct Consumers {
    im: Mutex<Option<Arc<Im>>>,
    stop: CancellationToken,
    kept: Mutex<Vec<Running>>,
    progress: Arc<Mutex<BTreeMap<String, Shared>>>,
}

impl Consumers {
    /// Nobody runs yet, except what drops old events.
    #[must_use]
    pub fn new(im: &Arc<Im>) -> Arc<Self> {
        let stop = CancellationToken::new();
        let housekeeping = {
            let (im, stop) = (Arc::clone(im), stop.child_token());
            let task = stop.clone();
            Running {
                name: "housekeeping".to_owned(),
                stop,
                task: tokio::spawn(async move {
                    task.run_until_cancelled(drop_old_events(&im)).await;
                }),
            }
        };
        Arc::new(Self {
            im: Mutex::new(Some(Arc::clone(im))),
            stop,
            kept: Mutex::new(vec![housekeeping]),
            progress: Arc::default(),
        })
    }

    /// Starts a consumer; `None` once everything was stopped. Nobody else of its name may run.
    #[must_use]
    pub fn start(&self, consumer: Arc<dyn Consumer>) -> Option<Running> {
        let im = self.im.lock().clone()?;
        let name = consumer.name().to_owned();
        let progress = Shared::default();
        self.progress
            .lock()
            .insert(name.clone(), Arc::clone(&progress));
        let all = Arc::clone(&self.progress);
        let stop = self.stop.child_token();
        let worker = Worker {
            im,
            consumer,
            progress,
        };
        let (ended, own) = (stop.clone(), name.clone());
        let task = tokio::spawn(async move {
            ended.run_until_cancelled(worker.run()).await;
            all.lock().remove(&own);
        });
        Some(Running { name, stop, task })
    }

    /// Starts a consumer that runs as long as the server.
    pub fn keep(&self, consumer: Arc<dyn Consumer>) {
        if let Some(running) = self.start(consumer) {
            self.kept.lock().push(running);
        }
    }

    /// How far behind those are that run.
    #[must_use]
    pub fn lags(&self) -> Vec<Lag> {
        let now_ms = match &*self.im.lock() {
            Some(im) => im.clock().now_ms(),
            None => return Vec::new(),
        };
        let progress = self.progress.lock();
        let lags = progress.iter().map(|(name, progress)| {
            let progress = progress.lock();
            let behind = progress.undone_since_ms.map_or(0, |since| now_ms - since);
            Lag {
                consumer: name.clone(),
                behind_ms: u64::try_from(behind).unwrap_or(0),
                done: progress.done,
                failed: progress.failed,
            }
        });
        lags.collect()
    }

    /// Stops all and waits until they have let go of the messenger. Those that were started one
    /// by one are only told.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.im.lock().take();
        let kept = std::mem::take(&mut *self.kept.lock());
        for running in kept {
            running.stop().await;
        }
    }
}

/// One consumer at work.
struct Worker {
    im: Arc<Im>,
    consumer: Arc<dyn Consumer>,
    progress: Shared,
}

impl Worker {
    async fn run(self) {
        tokio::join!(self.work(), self.consumer.beside());
    }

    async fn work(&self) {
        let mut grown = self.im.outbox_grown();
        let mut pause = FIRST_PAUSE;
        let mut place = None;
        loop {
            grown.mark_unchanged();
            match self.step(&mut place).await {
                Ok(true) => pause = FIRST_PAUSE,
                Ok(false) => {
                    pause = FIRST_PAUSE;
                    // The messenger outlives this; a failure means that nothing will come.
                    let _ = tokio::time::timeout(POLL, grown.changed()).await;
                }
                Err(why) => {
                    tracing::warn!(%why, consumer = self.consumer.name(), "trying again later");
                    self.progress.lock().failed += 1;
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Does what is next in both logs. False if nothing was.
    async fn step(&self, place: &mut Option<Place>) -> Result<bool, NotNow> {
        let at = match place {
            Some(at) => *at,
            None => *place.insert(self.begin().await?),
        };
        let mut next = at;
        let batch = self.consumer.batch();
        let messages = self.im.scan(at.message, batch).await?;
        if let (Some(first), Some(last)) = (messages.first(), messages.last()) {
            self.works_on(first.sent_at_ms);
            self.consumer.messages(&messages).await?;
            next.message = last.id;
            self.write_down(place, next).await?;
        }
        let events = self.im.events(at.event, batch).await?;
        if let (Some(first), Some(last)) = (events.first(), events.last()) {
            self.works_on(first.what.at_ms);
            self.consumer.events(&events).await?;
            next.event = last.pos;
            self.write_down(place, next).await?;
        }
        let mut progress = self.progress.lock();
        progress.done += (messages.len() + events.len()) as u64;
        if next == at {
            progress.undone_since_ms = None;
        }
        Ok(next != at)
    }

    fn works_on(&self, since_ms: i64) {
        self.progress.lock().undone_since_ms = Some(since_ms);
    }

    async fn write_down(&self, place: &mut Option<Place>, next: Place) -> Result<(), Refusal> {
        // What is done is not done again because it could not be written down.
        *place = Some(next);
        self.im.put_place(self.consumer.name(), next).await
    }

    /// Where it was, or where it begins.
    async fn begin(&self) -> Result<Place, Refusal> {
        let name = self.consumer.name();
        if let Some(place) = self.im.place_of(name).await? {
            return Ok(place);
        }
        let begin = if self.consumer.wants_the_past() {
            Place::default()
        } else {
            self.im.outbox_end().await?
        };
        self.im.put_place(name, begin).await?;
        Ok(begin)
    }
}

/// Drops events that nobody goes back to.
async fn drop_old_events(im: &Im) {
    let keep_ms = i64::try_from(KEEP_EVENTS.as_millis()).unwrap_or(i64::MAX);
    loop {
        let before_ms = im.clock().now_ms() - keep_ms;
        match drop_events_before(im, before_ms).await {
            Ok(0) => {}
            Ok(dropped) => tracing::debug!(dropped, "old events were dropped"),
            Err(why) => tracing::warn!(%why, "old events could not be dropped; trying later"),
        }
        sleep(DROP_EVENTS_EVERY).await;
    }
}

/// Drops all events from before a moment, in small steps.
pub(super) async fn drop_events_before(im: &Im, before_ms: i64) -> Result<u64, Refusal> {
    let mut all = 0;
    loop {
        let oldest = im.events(0, DROP_EVENTS).await?;
        let old = oldest
            .iter()
            .take_while(|event| event.what.at_ms < before_ms);
        let Some(last) = old.last() else {
            return Ok(all);
        };
        all += im.drop_events(last.pos, DROP_EVENTS).await?;
    }
}
