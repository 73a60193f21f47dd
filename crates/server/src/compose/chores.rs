//! Has the messenger do what goes on in the background: broadcasts, erasing and exporting
//! users; and has the audit log forget what is older than the operator wants to keep.

use std::sync::Arc;
use std::time::Duration;

use crosstalk_core::im::Im;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::http::v1::export_line;

/// How often it looks for acts that have become old.
const EVERY: Duration = Duration::from_secs(3600);
const DAY_MS: i64 = 24 * 3600 * 1000;

/// The tasks.
pub(super) struct Background {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Background {
    /// Starts; acts are kept for `audit_days`, 0 = for ever.
    pub(super) fn start(im: &Arc<Im>, audit_days: u32) -> Self {
        let stop = CancellationToken::new();
        // Given up between two steps: what was done stays done, and goes on at the next start.
        let (worker, stopped) = (Arc::clone(im), stop.clone());
        let mut tasks = vec![tokio::spawn(async move {
            let im = Arc::clone(&worker);
            let render = move |message: &_| export_line(&im, message);
            let work = Box::pin(worker.work(&render));
            stopped.run_until_cancelled(work).await;
        })];
        if audit_days > 0 {
            let (im, stopped) = (Arc::clone(im), stop.clone());
            tasks.push(tokio::spawn(async move {
                stopped.run_until_cancelled(forget(im, audit_days)).await;
            }));
        }
        Self { stop, tasks }
    }

    /// Stops them and waits until they have let go of the messenger.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "work in the background ended with a failure");
            }
        }
    }
}

async fn forget(im: Arc<Im>, days: u32) {
    loop {
        let before_ms = im.clock().now_ms() - i64::from(days) * DAY_MS;
        loop {
            match im.audit().drop_acts(before_ms).await {
                Ok(0) => break,
                Ok(dropped) => tracing::info!(dropped, days, "old acts were dropped"),
                Err(error) => {
                    tracing::error!(%error, "old acts could not be dropped; trying later");
                    break;
                }
            }
        }
        sleep(EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::compose::Core;
    use crate::config::Config;
    use crate::data_dir::DataDir;
    use crosstalk_core::admin::{ChoreKind, ChoreState};
    use crosstalk_core::directory::UserChange;
    use crosstalk_core::id::{MessageId, Realm, Uid};
    use crosstalk_core::im::admin::{Audience, Broadcast, ImportUser};

    /// More than one piece of work.
    const USERS: usize = 150;

    /// Work of one kind does not wait for that of another.
    #[tokio::test]
    async fn a_slow_broadcast_holds_up_no_export() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let realm = Realm::default();
        let mut config = Config::default();
        config.limits.broadcast_rate = 1;
        let data_dir = DataDir::take_for_server(folder.path()).expect("a free folder");
        let core = Core::open(&config, &data_dir).await.expect("a core");
        let alice = Uid::parse("alice").expect("a uid");
        let user = ImportUser {
            uid: alice.clone(),
            change: UserChange::default(),
            tags: None,
        };
        core.im.import_user(&realm, user).await.expect("a user");
        let said = Broadcast {
            to: Audience::Uids((0..USERS).map(|n| format!("u{n}")).collect()),
            from: Uid::SYSTEM.to_owned(),
            payload: r#"{"type":"text","text":"hello"}"#.to_owned(),
        };
        let cast = core.im.broadcast(&realm, &said, "admin").await;
        let cast = cast.expect("a broadcast").num;
        let export = core.im.export_user(&realm, &alice, "admin").await;
        let export = export.expect("an export").num;
        let state = async |kind, num| {
            let chore = core.im.chore(&realm, kind, num).await;
            chore.expect("a chore").state
        };
        let exported = async {
            while state(ChoreKind::Export, export).await != ChoreState::Done
                || state(ChoreKind::Broadcast, cast).await != ChoreState::Running
            {
                tokio::task::yield_now().await;
            }
        };
        let render = |_: &_| String::new();
        let exported = tokio::time::timeout(Duration::from_secs(20), exported);
        tokio::select! {
            () = core.im.work_off(&render) => panic!("the broadcast takes its time"),
            done = exported => done.expect("in time"),
        }
        core.close().await;
    }

    /// Each is told once, also if the process ends in the middle.
    #[tokio::test]
    async fn a_broadcast_goes_on_in_another_process() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let realm = Realm::default();
        let open = async || {
            let data_dir = DataDir::take_for_server(folder.path()).expect("a free folder");
            let core = Core::open(&Config::default(), &data_dir).await;
            (data_dir, core.expect("a core"))
        };
        let (data_dir, core) = open().await;
        for n in 0..USERS {
            let user = ImportUser {
                uid: Uid::parse(&format!("u{n}")).expect("a uid"),
                change: UserChange::default(),
                tags: None,
            };
            core.im.import_user(&realm, user).await.expect("a user");
        }
        let said = Broadcast {
            to: Audience::All,
            from: Uid::SYSTEM.to_owned(),
            payload: r#"{"type":"text","text":"hello"}"#.to_owned(),
        };
        let begun = core.im.broadcast(&realm, &said, "admin").await;
        let num = begun.expect("begun").num;
        let render = |_: &_| String::new();
        let chore = async |im: &Arc<Im>| {
            let found = im.chore(&realm, ChoreKind::Broadcast, num).await;
            found.expect("the broadcast")
        };
        let begun = async {
            while chore(&core.im).await.done == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = core.im.work_off(&render) => panic!("it pauses after the first piece"),
            () = begun => {}
        }
        let half = chore(&core.im).await;
        assert_eq!(half.state, ChoreState::Running);
        assert!((1..USERS as u64).contains(&half.done), "{}", half.done);
        core.close().await;
        drop(data_dir);
        let (_data_dir, core) = open().await;
        assert_eq!(chore(&core.im).await, half);
        core.im.work_off(&render).await;
        let done = chore(&core.im).await;
        assert_eq!((done.state, done.failed), (ChoreState::Done, 0));
        let log = core.im.scan(MessageId(0), 10_000).await.expect("the log");
        let told: Vec<&str> = log
            .iter()
            .map(|message| &*message.body.client_no)
            .filter(|number| number.starts_with("broadcast-"))
            .collect();
        assert_eq!(told.len(), USERS, "each once");
        assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), USERS);
        core.close().await;
    }
}
