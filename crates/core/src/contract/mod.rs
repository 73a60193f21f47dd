//! What every backend must do, port by port: suites that a backend's tests run.
//!
//! Each case is a function over fresh stores; the macros make one test of each, so that a
//! failure names what is broken and hides nothing:
//! `crosstalk_core::inbox_contract!(make)`, where `make` is an async function that gives
//! empty [`Stores`] (the log's cases need only a [`LogBed`]).

pub mod admin;
pub mod answered;
pub mod apps;
pub mod blobs;
pub mod changes;
pub mod channels;
pub mod counting;
pub mod devices;
pub mod directed;
pub mod directory;
pub mod expiry;
pub mod files;
pub mod friends;
pub mod hooks;
pub mod inbox;
pub mod joining;
pub mod keeping;
pub mod log;
pub mod marks;
pub mod members;
pub mod mentions;
pub mod naming;
pub mod outbox;
pub mod people;
pub mod receipts;
pub mod registrations;
pub mod relations;
pub mod retention;
pub mod retries;
pub mod revoking;
mod room;
pub mod scanning;
pub mod schedule;
pub mod searching;
pub mod subscribers;
pub mod unread;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::channel::{ChannelKey, ChannelKind, ChannelRef, Channels, LogKind};
use crate::directory::Directory;
use crate::id::{ChannelNum, Realm, Uid, UserNum, UserRef};
use crate::im::Stores;
use crate::log::{Append, AppendOutcome, Log, Page};
use crate::message::{Body, Flags, OnReuse, Origin};

/// Makes one test of each named case of a suite.
#[macro_export]
macro_rules! contract_tests {
    ($make:path, $suite:ident: $($case:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let bed = $make().await;
                $crate::contract::$suite::$case(&bed).await;
            }
        )+
    };
}

/// A log and what gives its users and channels their numbers.
pub struct LogBed {
    /// The log.
    pub log: Arc<dyn Log>,
    /// Who gives numbers.
    pub names: Box<dyn Names>,
}

impl LogBed {
    /// The log of whole stores.
    #[must_use]
    pub fn of(stores: &Stores) -> Self {
        let names = Stored {
            channels: Arc::clone(&stores.channels),
            directory: Arc::clone(&stores.directory),
        };
        Self {
            log: Arc::clone(&stores.log),
            names: Box::new(names),
        }
    }

    /// A log that does not ask who its users and channels are.
    pub fn alone(log: Arc<dyn Log>) -> Self {
        Self {
            log,
            names: Box::<Invented>::default(),
        }
    }
}

/// Gives users and channels their numbers.
#[async_trait]
pub trait Names: Send + Sync {
    /// The log of a channel.
    async fn channel(&self, key: &ChannelKey, log: LogKind) -> Arc<ChannelRef>;
    /// The user with an id.
    async fn user(&self, uid: &str) -> UserRef;
}

struct Stored {
    channels: Arc<dyn Channels>,
    directory: Arc<dyn Directory>,
}

#[async_trait]
impl Names for Stored {
    async fn channel(&self, key: &ChannelKey, log: LogKind) -> Arc<ChannelRef> {
        let open = self.channels.open(key, log, true).await;
        open.expect("the store answers")
            .expect("the channel was made")
    }

    async fn user(&self, uid: &str) -> UserRef {
        user(&*self.directory, uid).await
    }
}

#[derive(Default)]
struct Invented {
    given: parking_lot::Mutex<Vec<String>>,
}

impl Invented {
    fn number(&self, name: String) -> i64 {
        let mut given = self.given.lock();
        let at = given
            .iter()
            .position(|known| *known == name)
            .unwrap_or_else(|| {
                given.push(name);
                given.len() - 1
            });
        i64::try_from(at).expect("few names") + 1
    }
}

#[async_trait]
impl Names for Invented {
    async fn channel(&self, key: &ChannelKey, log: LogKind) -> Arc<ChannelRef> {
        let num = ChannelNum(self.number(format!("{key:?}{log:?}")));
        Arc::new(ChannelRef {
            num,
            key: key.clone(),
            log,
        })
    }

    async fn user(&self, uid: &str) -> UserRef {
        UserRef {
            num: UserNum(self.number(uid.to_owned())),
            uid: Uid::from_store(uid),
        }
    }
}

/// A whole log.
pub(crate) const EVERYTHING: Page = Page {
    from: 1,
    to: u64::MAX,
    limit: u32::MAX,
    newest: false,
};

/// A user of the default realm.
///
/// # Panics
/// Like the rest of this module: when something is not as it must be.
pub async fn user(directory: &dyn Directory, uid: &str) -> UserRef {
    let uid = Uid::parse(uid).expect("a valid uid");
    let mut records = directory
        .intern(&Realm::default(), &[uid])
        .await
        .expect("interned");
    records.pop().expect("one record").user
}

/// A group of the default realm.
#[must_use]
pub fn group(id: &str) -> ChannelKey {
    ChannelKey {
        realm: Realm::default(),
        kind: ChannelKind::GROUP,
        id: id.into(),
    }
}

/// A text that counts, without a client number.
#[must_use]
pub fn text(payload: &str) -> Body {
    Body {
        client_no: "".into(),
        origin: Origin(1),
        tag: "".into(),
        flags: Flags {
            counts: true,
            ..Flags::default()
        },
        expire_secs: 0,
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        extra: None,
        name: None,
        audience: None,
        carried: None,
    }
}

/// A text with a client number.
#[must_use]
pub fn numbered(client_no: &str, payload: &str) -> Body {
    Body {
        client_no: client_no.into(),
        ..text(payload)
    }
}

/// An append without first contact that stores reused numbers.
#[must_use]
pub fn append(channel: &Arc<ChannelRef>, sender: &UserRef, body: Body) -> Append {
    Append {
        channel: Arc::clone(channel),
        sender: sender.clone(),
        first_contact: Arc::default(),
        body: Arc::new(body),
        on_reuse: OnReuse::Store,
        files: Vec::new(),
    }
}

/// Appends a batch that must succeed.
///
/// # Panics
/// When it does not.
pub async fn store(log: &dyn Log, batch: Vec<Append>) -> Vec<AppendOutcome> {
    let count = batch.len();
    let pending = log.append(batch).await.expect("the batch is taken");
    let outcomes = pending.await;
    assert_eq!(outcomes.len(), count, "one outcome per message");
    outcomes
        .into_iter()
        .map(|outcome| outcome.expect("stored"))
        .collect()
}
