//! Apps with their secrets in the open, in memory: who may call in an app's name, and which
//! key signs its user tokens.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::RwLock;
use sha2::{Digest, Sha256};

use super::{AppId, AppRecord, Apps};
use crate::clock::Clock;
use crate::id::Realm;
use crate::store::{StoreError, StoreErrorKind, StoreResult};

/// Seals secrets for storage under a key of the server's.
pub trait Seal: Send + Sync + 'static {
    /// The sealed form.
    fn seal(&self, secret: &str) -> Vec<u8>;
    /// The secret again; `None` when it was sealed under another key or damaged.
    fn open(&self, sealed: &[u8]) -> Option<String>;
}

/// An app with its secret.
#[derive(Clone)]
pub struct App {
    /// Its id.
    pub id: AppId,
    /// The realm of its users.
    pub realm: Realm,
    /// What people call it.
    pub name: String,
    /// The secret: the bearer key of its backend and the HS256 key of its user tokens.
    pub secret: Arc<str>,
}

#[derive(Default)]
struct Known {
    by_id: HashMap<AppId, App>,
    by_secret: HashMap<[u8; 32], AppId>,
}

/// All apps of this server.
pub struct AppKeys {
    store: Arc<dyn Apps>,
    seal: Arc<dyn Seal>,
    clock: Arc<dyn Clock>,
    known: RwLock<Known>,
}

impl AppKeys {
    /// Reads all apps.
    ///
    /// # Errors
    /// When the store fails, or a secret cannot be opened with this server's key.
    pub async fn load(
        store: Arc<dyn Apps>,
        seal: Arc<dyn Seal>,
        clock: Arc<dyn Clock>,
    ) -> StoreResult<Self> {
        let keys = Self {
            store,
            seal,
            clock,
            known: RwLock::default(),
        };
        for record in keys.store.apps().await? {
            let secret = keys.seal.open(&record.sealed_secret).ok_or_else(|| {
                let why = format!(
                    "the secret of app {} was sealed under another key",
                    record.id
                );
                StoreError::new(StoreErrorKind::Corrupt, why)
            })?;
            keys.remember(App {
                id: record.id,
                realm: record.realm,
                name: record.name,
                secret: secret.into(),
            });
        }
        Ok(keys)
    }

    fn remember(&self, app: App) {
        let mut known = self.known.write();
        if let Some(old) = known.by_id.get(&app.id) {
            let old = digest(&old.secret);
            known.by_secret.remove(&old);
        }
        known.by_secret.insert(digest(&app.secret), app.id.clone());
        known.by_id.insert(app.id.clone(), app);
    }

    /// The app with an id.
    #[must_use]
    pub fn get(&self, id: &AppId) -> Option<App> {
        self.known.read().by_id.get(id).cloned()
    }

    /// The app whose secret this is. The look-up is by digest, so its time tells nothing.
    #[must_use]
    pub fn by_secret(&self, secret: &str) -> Option<App> {
        let known = self.known.read();
        let id = known.by_secret.get(&digest(secret))?;
        known.by_id.get(id).cloned()
    }

    /// All apps by id.
    #[must_use]
    pub fn all(&self) -> Vec<App> {
        let mut all: Vec<App> = self.known.read().by_id.values().cloned().collect();
        all.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
        all
    }

    /// Creates an app with a new secret, or gives an existing one a new secret; its user
    /// tokens are void from then on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put(&self, id: &AppId, realm: &Realm, name: &str) -> StoreResult<App> {
        let mut random = [0; 32];
        self.clock.fill_random(&mut random);
        let secret = URL_SAFE_NO_PAD.encode(random);
        let record = AppRecord {
            id: id.clone(),
            realm: realm.clone(),
            name: name.to_owned(),
            sealed_secret: self.seal.seal(&secret),
        };
        self.store.put_app(&record).await?;
        let app = App {
            id: id.clone(),
            realm: realm.clone(),
            name: name.to_owned(),
            secret: secret.into(),
        };
        self.remember(app.clone());
        Ok(app)
    }
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
