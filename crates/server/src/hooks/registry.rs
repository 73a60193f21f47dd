//! All hooks of this server: which there are, and whoever works for each.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crosstalk_core::directory::AppId;
use crosstalk_core::hook::{HookKind, HookRecord, HookSettings};
use crosstalk_core::id::{MessageId, Realm};
use crosstalk_core::im::Im;
use crosstalk_core::outbox::Place;
use crosstalk_core::refusal::Refusal;
use parking_lot::RwLock;
use tokio::sync::Mutex;

use super::before::Before;
use super::late::Late;
use super::names::Wanted;
use super::settings::HookLimits;
use super::stats::{Snapshot, Stats};
use super::told::{Told, consumer_name};
use crate::auth::client::Client;
use crate::consumers::{Consumers, Running};

/// Events read at once where the one of a moment is looked for.
const SEARCH: u32 = 1000;

/// A hook, and what became of its deliveries.
pub struct Hook {
    /// What is stored of it.
    pub record: HookRecord,
    /// What signs its calls; `None` if it cannot be read.
    pub(super) secret: Option<String>,
    pub(super) stats: Arc<Stats>,
}

impl Hook {
    /// What became of its deliveries since the server started.
    #[must_use]
    pub fn stats(&self) -> Snapshot {
        self.stats.snapshot()
    }
}

/// From where a hook is told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// From this message on.
    Message(MessageId),
    /// From this moment on, ms since 1970.
    Since(i64),
    /// What comes from now on: what it was not told yet is left out.
    Now,
}

/// What a test has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// The status; `None` = there was no answer.
    pub status: Option<u16>,
    /// How long the answer took, ms.
    pub took_ms: u64,
    /// The beginning of its body.
    pub body: String,
    /// Why there was none.
    pub error: String,
}

/// All hooks.
pub struct HookService {
    pub(super) im: Arc<Im>,
    consumers: Arc<Consumers>,
    pub(super) client: Client,
    pub(super) limits: HookLimits,
    before: Arc<Before>,
    known: RwLock<BTreeMap<String, Arc<Hook>>>,
    /// Who is told. Held while anything of the hooks changes, so that changes come one after
    /// the other.
    running: Mutex<HashMap<String, Running>>,
}

impl HookService {
    /// Reads all hooks and starts telling those that are on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn start(
        im: &Arc<Im>,
        consumers: &Arc<Consumers>,
        limits: HookLimits,
    ) -> Result<Arc<Self>, Refusal> {
        let client = if limits.private_addresses {
            Client::new()
        } else {
            Client::to_public_addresses()
        };
        let service = Arc::new(Self {
            im: Arc::clone(im),
            consumers: Arc::clone(consumers),
            before: Arc::new(Before::new(client.clone(), Arc::clone(im.clock()))),
            client,
            limits,
            known: RwLock::default(),
            running: Mutex::default(),
        });
        let mut running = service.running.lock().await;
        for (record, secret) in im.hooks().await? {
            if secret.is_none() {
                tracing::error!(hook = %record.id, "the secret of a hook was sealed under another key; give it a new one");
            }
            service.keep(record, secret);
        }
        let all: Vec<_> = service.known.read().values().cloned().collect();
        service.look_around();
        for hook in all {
            service.tell(&mut running, hook);
        }
        drop(running);
        Ok(service)
    }

    /// Stops telling, and asking. It holds the messenger until it is dropped.
    pub async fn stop(&self) {
        self.im.set_screen(None);
        for (_, running) in self.running.lock().await.drain() {
            running.stop().await;
        }
    }

    /// How hooks are called.
    #[must_use]
    pub fn limits(&self) -> &HookLimits {
        &self.limits
    }

    /// The hooks of a realm, oldest first.
    #[must_use]
    pub fn of(&self, realm: &Realm) -> Vec<Arc<Hook>> {
        let known = self.known.read();
        let ours = known.values().filter(|hook| hook.record.realm == *realm);
        let mut all: Vec<_> = ours.cloned().collect();
        all.sort_by_key(|hook| hook.record.created_at_ms);
        all
    }

    /// One hook of a realm.
    ///
    /// # Errors
    /// `NotFound`
    pub fn one(&self, realm: &Realm, id: &str) -> Result<Arc<Hook>, Refusal> {
        let known = self.known.read();
        let hook = known.get(id).filter(|hook| hook.record.realm == *realm);
        hook.cloned().ok_or(Refusal::NotFound)
    }

    /// Makes a hook. It is told what comes from now on. With its secret.
    ///
    /// # Errors
    /// `TooMany`; `AlreadyExists` for a second one of a realm that is asked; or when the store
    /// fails.
    pub async fn create(
        &self,
        realm: &Realm,
        app: &AppId,
        kind: HookKind,
        enabled: bool,
        settings: HookSettings,
    ) -> Result<(Arc<Hook>, String), Refusal> {
        let mut running = self.running.lock().await;
        self.check_alone(realm, kind, enabled, None)?;
        let secret = format!("whsec_{}", self.random::<32>());
        let record = HookRecord {
            id: format!("hk_{}", self.random::<12>()),
            realm: realm.clone(),
            app: app.clone(),
            kind,
            enabled,
            sealed_secret: Vec::new(),
            settings,
            created_at_ms: self.im.clock().now_ms(),
        };
        // What is sent once this has returned is told.
        let place = self.im.outbox_end().await?;
        self.im.put_place(&consumer_name(&record.id), place).await?;
        if let Err(why) = self.im.put_hook(record.clone(), &secret).await {
            self.im.forget_place(&consumer_name(&record.id)).await?;
            return Err(why);
        }
        let hook = self.keep(record, Some(secret.clone()));
        self.look_around();
        self.tell(&mut running, Arc::clone(&hook));
        Ok((hook, secret))
    }

    /// Changes a hook.
    ///
    /// # Errors
    /// `NotFound`; `AlreadyExists` as for [`create`](Self::create); or when the store fails.
    pub async fn change(
        &self,
        realm: &Realm,
        id: &str,
        enabled: bool,
        settings: HookSettings,
    ) -> Result<Arc<Hook>, Refusal> {
        let mut running = self.running.lock().await;
        let old = self.one(realm, id)?;
        self.check_alone(realm, old.record.kind, enabled, Some(id))?;
        let record = HookRecord {
            enabled,
            settings,
            ..old.record.clone()
        };
        let secret = old.secret.clone().ok_or(Refusal::WrongState)?;
        self.im.put_hook(record.clone(), &secret).await?;
        Ok(self.replace(&mut running, record, Some(secret)).await)
    }

    /// Gives a hook a new secret; the old one is void at once.
    ///
    /// # Errors
    /// `NotFound`, or when the store fails.
    pub async fn rotate(&self, realm: &Realm, id: &str) -> Result<(Arc<Hook>, String), Refusal> {
        let mut running = self.running.lock().await;
        let record = self.one(realm, id)?.record.clone();
        let secret = format!("whsec_{}", self.random::<32>());
        self.im.put_hook(record.clone(), &secret).await?;
        let hook = self.replace(&mut running, record, Some(secret.clone()));
        Ok((hook.await, secret))
    }

    /// Forgets a hook, its place and its dead letters.
    ///
    /// # Errors
    /// `NotFound`, or when the store fails.
    pub async fn delete(&self, realm: &Realm, id: &str) -> Result<(), Refusal> {
        let mut running = self.running.lock().await;
        self.one(realm, id)?;
        self.im.delete_hook(id).await?;
        self.known.write().remove(id);
        self.look_around();
        if let Some(running) = running.remove(id) {
            running.stop().await;
        }
        self.im.forget_place(&consumer_name(id)).await
    }

    /// Has a hook told again from a point on, or leave out what it was not told yet.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` for one that is asked; or when the store fails.
    pub async fn replay(&self, realm: &Realm, id: &str, from: Replay) -> Result<(), Refusal> {
        let mut running = self.running.lock().await;
        let hook = self.one(realm, id)?;
        if hook.record.kind != HookKind::Events {
            return Err(Refusal::WrongState);
        }
        let place = match from {
            Replay::Message(id) => Place {
                message: MessageId(id.0.saturating_sub(1)),
                event: self.event_before(id.given_at_ms()).await?,
            },
            Replay::Since(at_ms) => Place {
                message: MessageId(MessageId::first_at_ms(at_ms).0.saturating_sub(1)),
                event: self.event_before(at_ms).await?,
            },
            Replay::Now => self.im.outbox_end().await?,
        };
        if let Some(running) = running.remove(id) {
            running.stop().await;
        }
        hook.stats.change(|stats| stats.retrying = 0);
        if from == Replay::Now {
            self.im.drop_postponed(id).await?;
        }
        self.im.put_place(&consumer_name(id), place).await?;
        self.tell(&mut running, hook);
        Ok(())
    }

    /// The position of the last event from before a moment.
    async fn event_before(&self, at_ms: i64) -> Result<i64, Refusal> {
        let mut before = 0;
        loop {
            let events = self.im.events(before, SEARCH).await?;
            let older = events.iter().take_while(|event| event.what.at_ms < at_ms);
            let (last, count) = older.fold((before, 0), |(_, count), event| (event.pos, count + 1));
            before = last;
            if count < events.len() || events.is_empty() {
                return Ok(before);
            }
        }
    }

    /// How many dead letters a hook has.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_dead_letters(&self, id: &str) -> Result<u64, Refusal> {
        self.im.count_dead_letters(id).await
    }

    /// How far behind a hook is, ms.
    #[must_use]
    pub fn behind_ms(&self, id: &str) -> u64 {
        let name = consumer_name(id);
        let lags = self.consumers.lags();
        let lag = lags.iter().find(|lag| lag.consumer == name);
        lag.map_or(0, |lag| lag.behind_ms)
    }

    /// Of those that are asked a realm has one that is on: two could contradict each other.
    fn check_alone(
        &self,
        realm: &Realm,
        kind: HookKind,
        enabled: bool,
        but: Option<&str>,
    ) -> Result<(), Refusal> {
        let is_other = |hook: &Arc<Hook>| {
            hook.record.kind == HookKind::BeforeSend
                && hook.record.enabled
                && but != Some(hook.record.id.as_str())
        };
        if kind == HookKind::BeforeSend && enabled && self.of(realm).iter().any(is_other) {
            return Err(Refusal::AlreadyExists);
        }
        Ok(())
    }

    fn keep(&self, mut record: HookRecord, secret: Option<String>) -> Arc<Hook> {
        // It was opened, or cannot be.
        record.sealed_secret = Vec::new();
        let mut known = self.known.write();
        let stats = known
            .get(&record.id)
            .map_or_else(Arc::default, |old| Arc::clone(&old.stats));
        let id = record.id.clone();
        let hook = Arc::new(Hook {
            record,
            secret,
            stats,
        });
        known.insert(id, Arc::clone(&hook));
        hook
    }

    async fn replace(
        &self,
        running: &mut HashMap<String, Running>,
        record: HookRecord,
        secret: Option<String>,
    ) -> Arc<Hook> {
        if let Some(running) = running.remove(&record.id) {
            running.stop().await;
        }
        let hook = self.keep(record, secret);
        hook.stats.change(|stats| stats.retrying = 0);
        self.look_around();
        self.tell(running, Arc::clone(&hook));
        hook
    }

    /// Starts telling a hook, if it is on.
    fn tell(&self, running: &mut HashMap<String, Running>, hook: Arc<Hook>) {
        if !hook.record.enabled || hook.record.kind != HookKind::Events {
            return;
        }
        let id = hook.record.id.clone();
        let told = Told {
            im: Arc::clone(&self.im),
            client: self.client.clone(),
            limits: self.limits.clone(),
            name: consumer_name(&id),
            wanted: Wanted::new(&hook.record.settings.events),
            late: Late::default(),
            hook,
        };
        if let Some(started) = self.consumers.start(Arc::new(told)) {
            running.insert(id, started);
        }
    }

    /// After a change: who is asked, and whether anybody wants to know who comes and goes.
    fn look_around(&self) {
        let known = self.known.read();
        let on = known.values().filter(|hook| hook.record.enabled);
        let asked = on
            .clone()
            .filter(|hook| hook.record.kind == HookKind::BeforeSend);
        self.before.set(asked.clone().cloned());
        let screen = asked.count() > 0;
        self.im
            .set_screen(screen.then(|| Arc::clone(&self.before) as _));
        let wants_comings = |hook: &&Arc<Hook>| {
            let comings = [
                "session.opened",
                "session.closed",
                "user.online",
                "user.offline",
            ];
            hook.record.kind == HookKind::Events
                && Wanted::new(&hook.record.settings.events).has_any(&comings)
        };
        self.im
            .record_comings(on.clone().any(|hook| wants_comings(&hook)));
    }

    pub(super) fn random<const N: usize>(&self) -> String {
        let mut random = [0; N];
        self.im.clock().fill_random(&mut random);
        URL_SAFE_NO_PAD.encode(random)
    }
}
