//! What the HTTP handlers are given. It holds handles only: the messenger, the keys that callers
//! must show, and what the server says about itself.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crosstalk_core::id::Realm;
use crosstalk_core::im::Im;
use crosstalk_core::message::Origin;
use crosstalk_core::store::Probe;

use crate::consumers::search::Search;

/// State of the REST interface.
#[derive(Clone)]
pub struct ApiState {
    /// The messenger.
    pub im: Arc<Im>,
    /// The bearer key that may do everything.
    pub admin_key: Arc<str>,
    /// Who fills the index of messages.
    pub search: Arc<Search>,
}

/// State of WuKongIM's HTTP API.
#[derive(Clone)]
pub struct WukongApiState {
    /// The messenger.
    pub im: Arc<Im>,
    /// The realm that the whole API works in.
    pub realm: Realm,
    /// The header `token` that callers must send; without one the API is open, which the
    /// configuration allows on loopback only.
    pub manager_token: Option<Arc<str>>,
    /// Whether the routes below `/v1` need no token; the configuration allows that on
    /// loopback only.
    pub demo_open: bool,
    /// The dialect's number, as its sessions and messages carry it.
    pub origin: Origin,
    /// What `/route` answers.
    pub routes: RouteAddresses,
    /// What `/health` answers.
    pub ready: Readiness,
    /// What `/message/sync` has handed out.
    #[cfg(feature = "wukong")]
    pub handed_out: super::wukong::HandedOut,
}

/// Where clients are told to connect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteAddresses {
    /// `host:port` of the TCP listener; empty when there is none.
    pub tcp: String,
    /// `ws://…`; empty when there is none.
    pub ws: String,
    /// `wss://…`; empty when there is none.
    pub wss: String,
}

/// Whether the server can serve right now.
#[derive(Clone)]
pub struct Readiness {
    store: Arc<dyn Probe>,
    stopping: Arc<AtomicBool>,
}

/// Why the server cannot serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReady {
    /// It is shutting down.
    Stopping,
    /// The store does not serve.
    Store,
}

impl Readiness {
    /// Ready as long as `store` answers and nobody said otherwise.
    #[must_use]
    pub fn new(store: Arc<dyn Probe>) -> Self {
        Self {
            store,
            stopping: Arc::default(),
        }
    }

    /// From now on the server is not ready, for all clones.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Asks the store whether it serves.
    ///
    /// # Errors
    /// Why requests would fail now.
    pub async fn check(&self) -> Result<(), NotReady> {
        if self.stopping.load(Ordering::Relaxed) {
            return Err(NotReady::Stopping);
        }
        self.store.probe().await.map_err(|error| {
            tracing::warn!(%error, "the store does not serve");
            NotReady::Store
        })
    }
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopping => "the server is shutting down",
            Self::Store => "the store does not serve",
        })
    }
}
