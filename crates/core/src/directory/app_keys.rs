//! Apps with their secrets in the open, in memory: who may call in an app's name, and which
//! key signs its user tokens.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::RwLock;
use sha2::{Digest, Sha256};

use super::{AppId, AppRecord, Apps};
use crate::clock::Clock;
use crate::id::Realm;
use crate::send::rates::Rate;
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
    /// The secret before it, and until when it holds as well, ms since 1970.
    pub old_secret: Option<(Arc<str>, i64)>,
    /// Switched off: nobody may call or log in with it.
    pub disabled: bool,
    /// How fast its users may send together; `None` = as the configuration says.
    pub rate: Option<Rate>,
}

impl App {
    /// An app for tests.
    #[cfg(test)]
    pub(crate) fn named(id: &str) -> Self {
        Self {
            id: AppId::parse(id).expect("an app id"),
            realm: Realm::default(),
            name: String::new(),
            secret: "secret".into(),
            old_secret: None,
            disabled: false,
            rate: None,
        }
    }

    /// The secrets that hold at a time, the newest first.
    pub fn secrets(&self, now_ms: i64) -> impl Iterator<Item = &str> {
        let old = self.old_secret.as_ref();
        let old = old.filter(|(_, until_ms)| now_ms < *until_ms);
        std::iter::once(&*self.secret).chain(old.map(|(secret, _)| &**secret))
    }
}

/// A change of what an app may: what is `None` stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AppChange {
    /// Switched off, or on again.
    pub disabled: Option<bool>,
    /// A limit of its own; `Some(None)` = as the configuration says.
    pub rate: Option<Option<Rate>>,
}

#[derive(Default)]
struct Known {
    by_id: HashMap<AppId, App>,
    by_secret: HashMap<[u8; 32], AppId>,
}

/// Whoever is told what all apps are now.
type Watcher = Box<dyn Fn(&[App]) + Send + Sync>;

/// All apps of this server.
pub struct AppKeys {
    store: Arc<dyn Apps>,
    seal: Arc<dyn Seal>,
    clock: Arc<dyn Clock>,
    known: RwLock<Known>,
    /// Changes are made one after the other.
    changing: tokio::sync::Mutex<()>,
    /// Is told of each change.
    watcher: OnceLock<Watcher>,
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
            changing: tokio::sync::Mutex::default(),
            watcher: OnceLock::new(),
        };
        for record in keys.store.apps().await? {
            let open = |sealed: &[u8]| {
                let secret = keys.seal.open(sealed).ok_or_else(|| {
                    let why = format!(
                        "the secret of app {} was sealed under another key",
                        record.id
                    );
                    StoreError::new(StoreErrorKind::Corrupt, why)
                });
                secret.map(Arc::<str>::from)
            };
            let old_secret = match &record.sealed_old_secret {
                Some((sealed, until_ms)) => Some((open(sealed)?, *until_ms)),
                None => None,
            };
            let secret = open(&record.sealed_secret)?;
            keys.remember(App {
                id: record.id,
                realm: record.realm,
                name: record.name,
                secret,
                old_secret,
                disabled: record.disabled,
                rate: record.rate,
            });
        }
        Ok(keys)
    }

    /// Tells somebody what all apps are, now and after each change. There is one such.
    pub(crate) fn watch(&self, watcher: impl Fn(&[App]) + Send + Sync + 'static) {
        watcher(&self.all());
        let set = self.watcher.set(Box::new(watcher));
        debug_assert!(set.is_ok(), "nobody else watches");
    }

    fn remember(&self, app: App) {
        let mut known = self.known.write();
        known.by_secret.retain(|_, id| *id != app.id);
        for secret in app.secrets(i64::MIN) {
            known.by_secret.insert(digest(secret), app.id.clone());
        }
        known.by_id.insert(app.id.clone(), app);
    }

    /// The app with an id, unless it is switched off.
    #[must_use]
    pub fn get(&self, id: &AppId) -> Option<App> {
        self.known(id).filter(|app| !app.disabled)
    }

    /// The app with an id, also one that is switched off.
    #[must_use]
    pub fn known(&self, id: &AppId) -> Option<App> {
        self.known.read().by_id.get(id).cloned()
    }

    /// The app whose secret this is, unless it is switched off. The look-up is by digest, so
    /// its time tells nothing.
    #[must_use]
    pub fn by_secret(&self, secret: &str) -> Option<App> {
        let known = self.known.read();
        let offered = digest(secret);
        let app = known.by_id.get(known.by_secret.get(&offered)?)?;
        let now_ms = self.clock.now_ms();
        let holds = app.secrets(now_ms).any(|secret| digest(secret) == offered);
        (holds && !app.disabled).then(|| app.clone())
    }

    /// The secrets of an app that hold now, the newest first.
    pub fn secrets<'a>(&self, app: &'a App) -> impl Iterator<Item = &'a str> {
        app.secrets(self.clock.now_ms())
    }

    /// All apps by id, also those that are switched off.
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
        self.renew(id, realm, name, 0).await
    }

    /// As [`put`](Self::put), but what the last secret has signed holds for another
    /// `grace_ms`, and the secret itself does.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn renew(
        &self,
        id: &AppId,
        realm: &Realm,
        name: &str,
        grace_ms: i64,
    ) -> StoreResult<App> {
        let _one = self.changing.lock().await;
        let mut random = [0; 32];
        self.clock.fill_random(&mut random);
        let before = self.known(id);
        let until_ms = self.clock.now_ms().saturating_add(grace_ms);
        let app = App {
            id: id.clone(),
            realm: realm.clone(),
            name: name.to_owned(),
            secret: URL_SAFE_NO_PAD.encode(random).into(),
            old_secret: before
                .as_ref()
                .filter(|_| grace_ms > 0)
                .map(|before| (Arc::clone(&before.secret), until_ms)),
            disabled: before.as_ref().is_some_and(|before| before.disabled),
            rate: before.and_then(|before| before.rate),
        };
        self.keep(app).await
    }

    /// Changes what an app may; `None` if there is no such app.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn change(&self, id: &AppId, change: AppChange) -> StoreResult<Option<App>> {
        let _one = self.changing.lock().await;
        let Some(mut app) = self.known(id) else {
            return Ok(None);
        };
        app.disabled = change.disabled.unwrap_or(app.disabled);
        app.rate = change.rate.unwrap_or(app.rate);
        self.keep(app).await.map(Some)
    }

    async fn keep(&self, app: App) -> StoreResult<App> {
        let old = app.old_secret.as_ref();
        self.store
            .put_app(&AppRecord {
                id: app.id.clone(),
                realm: app.realm.clone(),
                name: app.name.clone(),
                sealed_secret: self.seal.seal(&app.secret),
                sealed_old_secret: old.map(|(secret, until)| (self.seal.seal(secret), *until)),
                disabled: app.disabled,
                rate: app.rate,
            })
            .await?;
        self.remember(app.clone());
        if let Some(watcher) = self.watcher.get() {
            watcher(&self.all());
        }
        Ok(app)
    }
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
