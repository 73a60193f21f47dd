//! The real messenger on a real file, one thread, a clock that moves only when told.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crosstalk_backends::sqlite::{Durability, Sqlite, SqliteOptions};
use crosstalk_core::channel::{Address, ChannelKey, ChannelKind};
use crosstalk_core::clock::{Clock, ManualClock};
use crosstalk_core::directory::Seal;
use crosstalk_core::id::{Realm, Snowflake, Uid, UserRef};
use crosstalk_core::im::{Im, Policy, Stores};
use crosstalk_core::message::{Body, Draft, Flags, OnReuse, Origin};
use crosstalk_core::session::MailboxLimits;

struct NoSeal;

impl Seal for NoSeal {
    fn seal(&self, secret: &str) -> Vec<u8> {
        secret.into()
    }
    fn open(&self, sealed: &[u8]) -> Option<String> {
        String::from_utf8(sealed.to_vec()).ok()
    }
}

/// A messenger and its store, which can be stopped and started.
pub(crate) struct Real {
    dir: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) im: Arc<Im>,
    store: Arc<Sqlite>,
    /// Write what waits in memory down as soon as possible, or as late as possible.
    eager: bool,
}

/// Mailboxes so small that sessions are behind all the time.
const MAILBOX: MailboxLimits = MailboxLimits {
    items: 6,
    bytes: 1 << 20,
    gaps: 64,
};

impl Real {
    pub(crate) async fn start(eager: bool) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(ManualClock::at_ms(1_700_000_000_000));
        let path = dir.path().join("im.db");
        let (im, store) = open(path, &clock, eager).await;
        Self {
            dir,
            clock,
            im,
            store,
            eager,
        }
    }

    /// Stops and starts again: as an operator would, or as a crash does.
    pub(crate) async fn restart(self, clean: bool) -> Self {
        let Self {
            dir,
            clock,
            im,
            store,
            eager,
        } = self;
        let im = Arc::into_inner(im).expect("nobody else holds the messenger");
        if clean {
            im.finish().await;
            store.close().await;
        } else {
            drop(im);
        }
        // The lanes end by themselves; then the file is free.
        let mut patience = 100_000;
        while Arc::strong_count(&store) > 1 {
            patience -= 1;
            assert!(patience > 0, "somebody keeps the store");
            tokio::task::yield_now().await;
        }
        drop(store);
        let (im, store) = open(dir.path().join("im.db"), &clock, eager).await;
        Self {
            dir,
            clock,
            im,
            store,
            eager,
        }
    }
}

async fn open(path: PathBuf, clock: &Arc<ManualClock>, eager: bool) -> (Arc<Im>, Arc<Sqlite>) {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    let ids = Arc::new(Snowflake::new(Arc::clone(&clock), 1));
    let mut options = SqliteOptions {
        // The process lives on: what was written is there.
        durability: Durability::Relaxed,
        ..SqliteOptions::new(path, Arc::clone(&clock), Arc::clone(&ids))
    };
    if eager {
        options.flush_every = Duration::ZERO;
    }
    let store = Arc::new(Sqlite::open(options).expect("the store opens"));
    let stores = Stores::of(Arc::clone(&store));
    let mut policy = Policy {
        mailbox: MAILBOX,
        lanes: 3,
        ..Policy::default()
    };
    policy.send.rate_per_sec = 0;
    let im = Im::start(stores, Arc::new(NoSeal), ids, clock, policy)
        .await
        .expect("the messenger starts");
    (im, store)
}

pub(crate) fn uid(who: usize) -> Uid {
    Uid::parse(&format!("user{who}")).expect("a uid")
}

pub(crate) async fn person(im: &Im, who: usize) -> UserRef {
    im.ensure_user(&Realm::default(), &uid(who))
        .await
        .expect("a user")
}

pub(crate) fn group(n: usize) -> ChannelKey {
    ChannelKey {
        realm: Realm::default(),
        kind: ChannelKind::GROUP,
        id: format!("group{n}").into(),
    }
}

pub(crate) fn draft(to: Address, text: &str, counts: bool, client_no: &str) -> Draft {
    Draft {
        to,
        body: Body {
            client_no: client_no.into(),
            origin: Origin::REST,
            tag: "text".into(),
            flags: Flags {
                counts,
                ..Flags::default()
            },
            expire_secs: 0,
            payload: Bytes::copy_from_slice(text.as_bytes()),
            extra: None,
            name: None,
            audience: None,
            carried: None,
        },
        on_reuse: OnReuse::Refuse,
        require_peer: false,
        fault: None,
    }
}
