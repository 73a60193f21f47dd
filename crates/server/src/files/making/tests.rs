//! Whose turn it is, with makers that wait until they are let go.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;

use super::*;

const ALICE: Option<UserNum> = Some(UserNum(1));
const BOB: Option<UserNum> = Some(UserNum(2));

fn wanted(blob: usize) -> Wanted {
    Wanted {
        blob: blob.to_string(),
        side: 128,
    }
}

fn small() -> Thumbnail {
    Thumbnail {
        key: "k".to_owned(),
        media_type: "image/png".to_owned(),
        size: 1,
    }
}

/// Counts how often a picture is made, and makes none before it is let.
#[derive(Clone)]
struct Maker {
    made: Arc<AtomicUsize>,
    let_go: Arc<Semaphore>,
}

impl Maker {
    fn new() -> Self {
        Self {
            made: Arc::default(),
            let_go: Arc::new(Semaphore::new(0)),
        }
    }

    async fn make(self, made: Result<Thumbnail, Refusal>) -> Result<Thumbnail, Refusal> {
        self.made.fetch_add(1, Ordering::Relaxed);
        drop(self.let_go.acquire().await);
        made
    }

    /// Begins to have one made.
    fn begin(
        &self,
        making: &Arc<Making>,
        blob: usize,
        owner: Option<UserNum>,
        made: Result<Thumbnail, Refusal>,
    ) -> Result<watch::Receiver<Outcome>, Refusal> {
        let maker = self.clone();
        making.begin(wanted(blob), owner, move |turn| async move {
            let made = maker.make(made).await;
            drop(turn);
            made
        })
    }

    fn let_all_go(&self) {
        self.let_go.add_permits(Semaphore::MAX_PERMITS / 2);
    }
}

async fn outcome(begun: Result<watch::Receiver<Outcome>, Refusal>) -> Result<Thumbnail, Refusal> {
    let mut begun = begun?;
    let known = begun.wait_for(Option::is_some).await.expect("it ends");
    known.clone().expect("it is known")
}

#[tokio::test]
async fn all_who_ask_get_the_one_that_is_made() {
    let making = Making::new(CancellationToken::new());
    let maker = Maker::new();
    let begun: Vec<_> = (0..40)
        .map(|_| maker.begin(&making, 1, ALICE, Ok(small())))
        .collect();
    maker.let_all_go();
    for made in join_all(begun.into_iter().map(outcome)).await {
        assert_eq!(made, Ok(small()));
    }
    assert_eq!(maker.made.load(Ordering::Relaxed), 1);
    assert!(making.state.lock().wanted.is_empty());
    assert!(making.state.lock().owners.is_empty());
}

#[tokio::test]
async fn it_is_made_also_if_whoever_asked_goes_away() {
    let making = Making::new(CancellationToken::new());
    let maker = Maker::new();
    drop(maker.begin(&making, 1, ALICE, Ok(small())));
    let again = maker.begin(&making, 1, ALICE, Ok(small()));
    maker.let_all_go();
    assert_eq!(outcome(again).await, Ok(small()));
    assert_eq!(maker.made.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_is_broken_is_not_tried_again_and_other_failures_are() {
    let making = Making::new(CancellationToken::new());
    let maker = Maker::new();
    maker.let_all_go();
    for _ in 0..3 {
        let broken = maker.begin(&making, 1, ALICE, Err(Refusal::NotFound));
        assert_eq!(outcome(broken).await, Err(Refusal::NotFound));
        let later = maker.begin(&making, 2, ALICE, Err(Refusal::Unavailable));
        assert_eq!(outcome(later).await, Err(Refusal::Unavailable));
    }
    assert_eq!(maker.made.load(Ordering::Relaxed), 1 + 3);
    let mut broken = Broken::default();
    for blob in 0..=MAX_BROKEN {
        broken.remember(blob.to_string());
    }
    assert_eq!(broken.known.len(), MAX_BROKEN);
    assert!(!broken.known.contains("0"), "the oldest is forgotten");
}

#[tokio::test]
async fn one_users_files_leave_a_decoder_to_others() {
    let making = Making::new(CancellationToken::new());
    let (slow, quick) = (Maker::new(), Maker::new());
    let begun: Vec<_> = (0..MAX_OF_OWNER)
        .map(|blob| slow.begin(&making, blob, ALICE, Ok(small())))
        .collect();
    let more = slow.begin(&making, MAX_OF_OWNER, ALICE, Ok(small()));
    assert_eq!(outcome(more).await, Err(Refusal::Unavailable));
    quick.let_all_go();
    let other = quick.begin(&making, 999, BOB, Ok(small()));
    assert_eq!(outcome(other).await, Ok(small()));
    assert_eq!(slow.made.load(Ordering::Relaxed), 1, "one at a time");
    slow.let_all_go();
    for made in join_all(begun.into_iter().map(outcome)).await {
        assert_eq!(made, Ok(small()));
    }
}

#[tokio::test]
async fn what_waits_is_bounded_and_ends_with_the_server() {
    let stop = CancellationToken::new();
    let making = Making::new(stop.clone());
    let maker = Maker::new();
    let mut begun: Vec<_> = (0..MAX_WANTED)
        .map(|blob| maker.begin(&making, blob, None, Ok(small())))
        .collect();
    let more = maker.begin(&making, MAX_WANTED, None, Ok(small()));
    assert_eq!(outcome(more).await, Err(Refusal::Unavailable));
    stop.cancel();
    let last = begun.pop().expect("one");
    let ended = last
        .expect("it waits")
        .wait_for(Option::is_some)
        .await
        .map(drop);
    ended.expect_err("it ends without an outcome");
}
