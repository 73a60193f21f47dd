//! A host application's published keys (RFC 7517): fetched when they are first needed, again
//! when a token names one that is not among them, and from time to time.

use std::sync::Arc;

use axum::body::Body;
use crosstalk_core::clock::Clock;
use crosstalk_core::refusal::Refusal;
use hyper::{Request, StatusCode, Uri, header};
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::client::{Client, TIMEOUT};

/// How old keys may be before they are fetched again, ms.
const FRESH_MS: u64 = 3_600_000;
/// How long keys hold when they cannot be fetched again, ms; then logins fail.
const STALE_MS: u64 = 24 * 3_600_000;
/// The least time between two fetches, ms, whatever kids tokens name.
const PAUSE_MS: u64 = 30_000;
/// Keys that are tried for a token that names none.
const MAX_TRIED: usize = 16;

#[derive(Default)]
struct Known {
    keys: Arc<Vec<Jwk>>,
    /// When they were fetched.
    fetched_mono_ms: Option<u64>,
    /// When that was last tried.
    tried_mono_ms: Option<u64>,
}

/// The keys at one address.
pub(super) struct KeySet {
    url: Uri,
    client: Client,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
    /// One fetches, the others wait for it.
    fetching: Semaphore,
}

impl KeySet {
    pub(super) fn new(url: Uri, client: Client, clock: Arc<dyn Clock>) -> Self {
        Self {
            url,
            client,
            clock,
            known: Mutex::default(),
            fetching: Semaphore::new(1),
        }
    }

    /// The keys that may have signed a token which names this one.
    ///
    /// # Errors
    /// `Unavailable` when there are no keys to look among.
    pub(super) async fn keys(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Vec<DecodingKey>, Refusal> {
        if let Some(keys) = self.look(kid, algorithm, FRESH_MS) {
            return Ok(keys);
        }
        self.refresh(kid, algorithm).await;
        if let Some(keys) = self.look(kid, algorithm, STALE_MS) {
            return Ok(keys);
        }
        let age_ms = self.age_ms();
        if age_ms.is_some_and(|age_ms| age_ms < STALE_MS) {
            // They are known, and this is none of them.
            return Ok(Vec::new());
        }
        Err(Refusal::Unavailable)
    }

    fn age_ms(&self) -> Option<u64> {
        let fetched = self.known.lock().fetched_mono_ms?;
        Some(self.clock.mono_ms().saturating_sub(fetched))
    }

    /// The fitting keys among those that are not older than this, if there are any.
    fn look(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        age_ms: u64,
    ) -> Option<Vec<DecodingKey>> {
        if self.age_ms()? >= age_ms {
            return None;
        }
        let all = Arc::clone(&self.known.lock().keys);
        let fits = |key: &&Jwk| {
            let names = |kid: &str| key.common.key_id.as_deref() == Some(kid);
            kid.is_none_or(names) && signs_with(key, algorithm)
        };
        let keys: Vec<DecodingKey> = all
            .iter()
            .filter(fits)
            .filter_map(|key| DecodingKey::from_jwk(key).ok())
            .take(MAX_TRIED)
            .collect();
        (!keys.is_empty()).then_some(keys)
    }

    async fn refresh(&self, kid: Option<&str>, algorithm: Algorithm) {
        let turn = timeout(TIMEOUT, self.fetching.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return;
        };
        // Whoever was before us may have brought it.
        if self.look(kid, algorithm, FRESH_MS).is_some() || !self.may_fetch() {
            return;
        }
        match self.fetch().await {
            Ok(keys) => {
                let mut known = self.known.lock();
                known.keys = Arc::new(keys);
                known.fetched_mono_ms = Some(self.clock.mono_ms());
            }
            Err(why) => tracing::warn!(url = %self.url, why, "the app's keys cannot be fetched"),
        }
    }

    fn may_fetch(&self) -> bool {
        let now = self.clock.mono_ms();
        let mut known = self.known.lock();
        let tried = known.tried_mono_ms;
        if tried.is_some_and(|tried| now.saturating_sub(tried) < PAUSE_MS) {
            return false;
        }
        known.tried_mono_ms = Some(now);
        true
    }

    async fn fetch(&self) -> Result<Vec<Jwk>, String> {
        let request = Request::get(self.url.clone())
            .header(header::ACCEPT, "application/json")
            .body(Body::empty())
            .expect("a checked address and a constant");
        let (status, body) = self
            .client
            .ask(request)
            .await
            .map_err(|it| it.to_string())?;
        if status != StatusCode::OK {
            return Err(format!("status {status}"));
        }
        let set: serde_json::Value =
            serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        let keys = set.get("keys").and_then(serde_json::Value::as_array);
        let keys = keys.ok_or("it has no member `keys`")?;
        // A key of a kind that is not known here does not hide the others.
        let read = |key: &serde_json::Value| serde_json::from_value(key.clone()).ok();
        Ok(JwkSet {
            keys: keys.iter().filter_map(read).collect(),
        }
        .keys)
    }
}

/// Whether a key is for signing, and for this algorithm if it names one.
fn signs_with(key: &Jwk, algorithm: Algorithm) -> bool {
    let is_for_signing = matches!(
        key.common.public_key_use,
        None | Some(PublicKeyUse::Signature)
    );
    let named = key.common.key_algorithm;
    is_for_signing && named.is_none_or(|named| same(named, algorithm))
}

fn same(named: KeyAlgorithm, algorithm: Algorithm) -> bool {
    // Both are written as RFC 7518 names them.
    format!("{named:?}") == format!("{algorithm:?}")
}
