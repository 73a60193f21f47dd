//! The runner: order, places, failures, stopping.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::deliver::Sender;
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::im::{Im, Policy};
use crosstalk_core::message::{Body, Draft, Message, OnReuse};
use crosstalk_core::outbox::{Event, NewEvent, Place};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::runner::drop_events_before;
use super::{Consumer, Consumers, NotNow};
use crate::http::v1::tests::im;

const PATIENCE: Duration = Duration::from_secs(20);

/// Notes what it is brought.
struct Noting {
    name: &'static str,
    from_the_past: bool,
    /// So many times it cannot work.
    failures: AtomicU32,
    seen: Mutex<Vec<String>>,
    done: Semaphore,
}

impl Noting {
    fn new(name: &'static str, from_the_past: bool, failures: u32) -> Arc<Self> {
        Arc::new(Self {
            name,
            from_the_past,
            failures: AtomicU32::new(failures),
            seen: Mutex::default(),
            done: Semaphore::new(0),
        })
    }

    fn note(&self, all: impl Iterator<Item = String>) -> Result<(), NotNow> {
        let fails = |left: u32| left.checked_sub(1);
        if self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fails)
            .is_ok()
        {
            return Err(NotNow("not yet".to_owned()));
        }
        let mut seen = self.seen.lock();
        let before = seen.len();
        seen.extend(all);
        self.done.add_permits(seen.len() - before);
        Ok(())
    }

    async fn after(&self, more: u32) -> Vec<String> {
        let done = timeout(PATIENCE, self.done.acquire_many(more)).await;
        done.expect("in time").expect("open").forget();
        self.seen.lock().clone()
    }
}

#[async_trait]
impl Consumer for Noting {
    fn name(&self) -> &str {
        self.name
    }

    fn wants_the_past(&self) -> bool {
        self.from_the_past
    }

    fn batch(&self) -> u32 {
        2
    }

    async fn messages(&self, messages: &[Message]) -> Result<(), NotNow> {
        assert!((1..=2).contains(&messages.len()));
        let text = |message: &Message| String::from_utf8_lossy(&message.body.payload).into_owned();
        self.note(messages.iter().map(text))
    }

    async fn events(&self, events: &[Event]) -> Result<(), NotNow> {
        assert!((1..=2).contains(&events.len()));
        self.note(events.iter().map(|event| event.what.kind.to_string()))
    }
}

async fn say(im: &Im, text: &'static str) {
    let realm = Realm::default();
    let uid = |text| Uid::parse(text).expect("a uid");
    let sender = im.ensure_user(&realm, &uid("alice")).await;
    let draft = Draft {
        to: Address::parse(ChannelKind::DIRECT, "bob").expect("an address"),
        body: Body {
            payload: text.into(),
            ..Body::default()
        },
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    let sent = im.send_as(&realm, Sender::User(sender.expect("a user")), draft);
    sent.await.expect("accepted");
}

fn event(kind: &str, at_ms: i64) -> NewEvent {
    NewEvent {
        realm: Realm::default(),
        kind: kind.into(),
        channel: None,
        at_ms,
        body: "{}".into(),
    }
}

async fn until(is_so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_so().await {
            // wait: for other tasks; how long does not matter
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("in time");
}

async fn at_the_end(im: &Im, name: &str) -> bool {
    let end = im.outbox_end().await.expect("the end");
    im.place_of(name).await.expect("a place") == Some(end)
}

#[tokio::test]
async fn everything_comes_in_order_and_goes_on_after_a_restart() {
    let (im, _, _) = im::start_with_policy(Policy::default()).await;
    for text in ["1", "2", "3"] {
        say(&im, text).await;
    }
    let first = Noting::new("n", true, 0);
    let consumers = Consumers::new(&im);
    consumers.keep(Arc::clone(&first) as _);
    assert_eq!(first.after(3).await, ["1", "2", "3"]);
    say(&im, "4").await;
    im.record_events(&[event("a", 1), event("b", 1), event("c", 1)])
        .await
        .expect("recorded");
    let mut seen = first.after(4).await;
    seen.sort();
    assert_eq!(seen, ["1", "2", "3", "4", "a", "b", "c"]);
    until(async || at_the_end(&im, "n").await).await;
    let lags = consumers.lags();
    assert_eq!((lags.len(), lags[0].consumer.as_str()), (1, "n"));
    consumers.stop().await;
    assert!(consumers.start(Noting::new("late", true, 0)).is_none());
    say(&im, "5").await;
    let again = Noting::new("n", true, 0);
    let consumers = Consumers::new(&im);
    consumers.keep(Arc::clone(&again) as _);
    assert_eq!(again.after(1).await, ["5"]);
    consumers.stop().await;
    assert_eq!(Arc::strong_count(&im), 1, "everybody has let go");
}

#[tokio::test]
async fn what_fails_is_brought_again_and_the_place_waits() {
    let (im, _, _) = im::start_with_policy(Policy::default()).await;
    let noting = Noting::new("n", true, 3);
    say(&im, "1").await;
    let consumers = Consumers::new(&im);
    consumers.keep(Arc::clone(&noting) as _);
    until(async || consumers.lags()[0].failed >= 1).await;
    let place = im.place_of("n").await.expect("a place");
    if noting.seen.lock().is_empty() {
        assert_eq!(place, Some(Place::default()));
    }
    assert_eq!(noting.after(1).await, ["1"]);
    until(async || consumers.lags()[0].done == 1).await;
    assert_eq!(consumers.lags()[0].failed, 3);
    consumers.stop().await;
}

#[tokio::test]
async fn who_does_not_want_the_past_begins_with_what_comes() {
    let (im, _, _) = im::start_with_policy(Policy::default()).await;
    say(&im, "old").await;
    let noting = Noting::new("n", false, 0);
    let consumers = Consumers::new(&im);
    consumers.keep(Arc::clone(&noting) as _);
    until(async || im.place_of("n").await.expect("a place").is_some()).await;
    say(&im, "new").await;
    assert_eq!(noting.after(1).await, ["new"]);
    consumers.stop().await;
}

#[tokio::test]
async fn one_can_be_stopped_alone() {
    let (im, _, _) = im::start_with_policy(Policy::default()).await;
    let (one, other) = (Noting::new("one", true, 0), Noting::new("other", true, 0));
    let consumers = Consumers::new(&im);
    let running = consumers.start(Arc::clone(&one) as _).expect("it runs");
    consumers.keep(Arc::clone(&other) as _);
    say(&im, "1").await;
    one.after(1).await;
    running.stop().await;
    say(&im, "2").await;
    assert_eq!(other.after(2).await, ["1", "2"]);
    assert_eq!(*one.seen.lock(), ["1"]);
    assert_eq!(consumers.lags().len(), 1);
    consumers.stop().await;
}

#[tokio::test]
async fn old_events_are_dropped() {
    let (im, _, _) = im::start_with_policy(Policy::default()).await;
    im.record_events(&[event("a", 1), event("b", 2), event("c", 9)])
        .await
        .expect("recorded");
    assert_eq!(drop_events_before(&im, 5).await.expect("dropped"), 2);
    assert_eq!(drop_events_before(&im, 5).await.expect("dropped"), 0);
    let left = im.events(0, 9).await.expect("events");
    assert_eq!(left.len(), 1);
    assert_eq!(&*left[0].what.kind, "c");
}
