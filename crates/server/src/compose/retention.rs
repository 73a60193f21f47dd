//! Has the messenger forget what is older than the operator wants to keep.

use std::sync::Arc;
use std::time::Duration;

use crosstalk_core::im::Im;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How often it looks for what has become old.
const EVERY: Duration = Duration::from_secs(3600);
const DAY_MS: i64 = 24 * 3600 * 1000;

/// A task that drops old messages; none if everything is kept.
pub(super) struct Retention {
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Retention {
    /// Starts keeping messages for `days`; 0 = for ever.
    pub(super) fn start(im: &Arc<Im>, days: u32) -> Self {
        let stop = CancellationToken::new();
        let task = (days > 0).then(|| {
            let (im, stop) = (Arc::clone(im), stop.clone());
            // Given up between two steps: what was dropped stays dropped.
            tokio::spawn(async move {
                stop.run_until_cancelled(run(im, days)).await;
            })
        });
        Self { stop, task }
    }

    /// Stops it and waits until it has let go of the messenger.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if let Some(task) = self.task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "retention ended with a failure");
        }
    }
}

async fn run(im: Arc<Im>, days: u32) {
    loop {
        let before_ms = im.clock().now_ms() - i64::from(days) * DAY_MS;
        match im.retain(before_ms).await {
            Ok(0) => {}
            Ok(dropped) => tracing::info!(dropped, days, "old messages were dropped"),
            Err(why) => tracing::error!(%why, "old messages could not be dropped; trying later"),
        }
        sleep(EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::v1::tests::im;
    use crosstalk_core::channel::{Address, ChannelKey};
    use crosstalk_core::deliver::Sender;
    use crosstalk_core::id::{Realm, Uid};
    use crosstalk_core::im::{HistoryQuery, Viewer};
    use crosstalk_core::message::{Body, Draft, Flags, OnReuse, Origin};
    use tokio::time::timeout;

    const PATIENCE: Duration = Duration::from_secs(20);

    async fn say(im: &Im, payload: &'static str) {
        let realm = Realm::default();
        let uid = |text| Uid::parse(text).expect("a uid");
        let sender = im.ensure_user(&realm, &uid("alice")).await.expect("a user");
        let draft = Draft {
            to: Address::direct(&uid("bob")),
            body: Body {
                client_no: "".into(),
                origin: Origin::REST,
                tag: "".into(),
                flags: Flags::default(),
                expire_secs: 0,
                payload: payload.into(),
                extra: None,
                name: None,
                audience: None,
                carried: None,
            },
            on_reuse: OnReuse::Store,
            require_peer: false,
            fault: None,
        };
        let sent = im.send_as(&realm, Sender::User(sender), draft).await;
        sent.expect("sent");
    }

    async fn kept(im: &Im) -> Vec<String> {
        let uid = |text| Uid::parse(text).expect("a uid");
        let key = ChannelKey::direct(&Realm::default(), &uid("alice"), &uid("bob"));
        let query = HistoryQuery {
            from: 1,
            to: 99,
            limit: 99,
            newest: false,
        };
        let history = im.history(&key, &Viewer::Application, query).await;
        let payload = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let messages = history.expect("history");
        messages.iter().map(|m| payload(&m.body.payload)).collect()
    }

    #[tokio::test]
    async fn what_is_too_old_goes_and_the_task_ends_when_told() {
        let (im, clock, _) = im::start_with_policy(Default::default()).await;
        say(&im, "old").await;
        clock.advance_ms(3 * DAY_MS);
        say(&im, "new").await;
        let for_ever = Retention::start(&im, 0);
        assert!(for_ever.task.is_none());
        for_ever.stop().await;
        assert_eq!(kept(&im).await, ["old", "new"]);
        let owners = Arc::strong_count(&im);
        let short = Retention::start(&im, 2);
        let gone = async {
            while kept(&im).await != ["new"] {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, gone).await.expect("the old one goes");
        short.stop().await;
        assert_eq!(Arc::strong_count(&im), owners);
    }
}
