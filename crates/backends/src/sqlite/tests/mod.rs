//! Tests of the store: the contracts of its ports, and what it promises beyond them.

mod administration;
mod altering;
mod carrying;
mod commits;
mod contract;
mod damage;
mod files;
mod finding;
mod keeping;
mod lifecycle;
mod messenger;
mod model;
mod naming;
mod people;
mod plans;
mod pubsub;
mod retention;
mod retention_of_keys;
mod revoking;
mod waiting;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crosstalk_core::channel::{ChannelRef, Channels, LogKind, MemberChange, MemberRole};
use crosstalk_core::clock::ManualClock;
use crosstalk_core::contract::{append, group, store, text, user};
use crosstalk_core::conversation::{ConversationRow, Inbox};
use crosstalk_core::id::{Snowflake, UserRef};
use crosstalk_core::log::{AppendOutcome, Log, Page};
use crosstalk_core::message::Message;
use rusqlite::Connection;

use super::{Sqlite, SqliteOptions};

const EVERYTHING: Page = Page {
    from: 1,
    to: u64::MAX,
    limit: u32::MAX,
    newest: false,
};

/// A directory with a database, and the clock it goes by.
struct Bed {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
}

impl Bed {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::at_ms(1_700_000_000_000)),
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("im.db")
    }

    /// Options with ids of their own, as a new process has.
    fn options(&self) -> SqliteOptions {
        let ids = Arc::new(Snowflake::new(self.clock.clone(), 1));
        SqliteOptions::new(self.path(), self.clock.clone(), ids)
    }

    fn open(&self) -> Arc<Sqlite> {
        Arc::new(Sqlite::open(self.options()).unwrap())
    }

    /// The file as another program sees it.
    fn raw(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn wal(&self) -> PathBuf {
        suffixed(&self.path(), "-wal")
    }
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

async fn room(db: &Sqlite, id: &str, members: &[&UserRef]) -> Arc<ChannelRef> {
    let log = db
        .open(&group(id), LogKind::Chat, true)
        .await
        .unwrap()
        .unwrap();
    let join = |user: &&UserRef| MemberChange::Join(UserRef::clone(user), MemberRole::Member);
    let joins: Vec<_> = members.iter().map(join).collect();
    db.change_members(log.num, &joins).await.unwrap();
    log
}

async fn say(
    db: &Sqlite,
    log: &Arc<ChannelRef>,
    user: &UserRef,
    times: usize,
) -> Vec<AppendOutcome> {
    store(
        db,
        (0..times)
            .map(|n| append(log, user, text(&n.to_string())))
            .collect(),
    )
    .await
}

async fn all(db: &Sqlite, log: &Arc<ChannelRef>) -> Vec<Message> {
    db.page(log, EVERYTHING).await.unwrap()
}

async fn view(db: &Sqlite, user: &UserRef, log: &ChannelRef) -> ConversationRow {
    db.conversation(user.num, log.num).await.unwrap().unwrap()
}

async fn people(db: &Sqlite) -> (UserRef, UserRef) {
    (user(db, "alice").await, user(db, "bob").await)
}
