//! A whole server: the messenger, the gateway in front of it, HTTP, and the addresses they are
//! bound to.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use crosstalk_core::clock::SystemClock;
use crosstalk_core::file::FileUrls;
#[cfg(feature = "wukong")]
use crosstalk_core::id::Realm;
use crosstalk_gateway::net::TrustedProxies;
use crosstalk_gateway::{Dialect, Gateway, Listener};
use tokio::net::TcpListener;

use super::addresses::Bound;
use super::chores::Background;
use super::core::Core;
use super::dialects::{gateway_settings, is_on};
use super::readings::readings;
use super::retention::Retention;
use super::sweeps::Sweeps;
use crate::config::{self, Config, Place, Problem, Problems};
use crate::consumers::Consumers;
use crate::consumers::search::Search;
use crate::data_dir::{DataDir, LISTENERS_FILE, write_atomically};
use crate::files::{self, FileService, Sweeper};
use crate::hooks::{HookLimits, HookService};
use crate::http::edge::{self, Edge};
use crate::http::listen::{HttpListeners, bind};
use crate::http::metrics::Metrics;
use crate::http::state::{ApiState, Readiness};
use crate::http::{Site, guarded, site};
use crate::keys::{ADMIN_KEY_VARIABLE, AdminKey, admin_key, file_url_key};

/// Where files are staged that come, in the data folder.
const STAGING_FOLDER: &str = "staging";
/// The shortest admin key that other machines may try to guess.
const ADMIN_KEY_CHARS: usize = 16;
/// How long parts that were just started get to stop when another one could not start.
const FAILED_START_GRACE: Duration = Duration::from_secs(1);

/// A server that runs.
pub struct Server {
    core: Core,
    gateway: Arc<Gateway>,
    http: HttpListeners,
    retention: Retention,
    background: Background,
    sweeps: Sweeps,
    files: Arc<FileService>,
    sweeper: Sweeper,
    consumers: Arc<Consumers>,
    hooks: Arc<HookService>,
    search: Arc<Search>,
    ready: Readiness,
    bound: Bound,
    admin_key: AdminKey,
    grace: Duration,
    data_dir: DataDir,
}

impl Server {
    /// Starts everything; all listeners are bound and said to be when it returns.
    ///
    /// # Errors
    /// When the data folder, a key, the store or an address cannot be had.
    pub async fn start(
        config: &Config,
        data_dir: DataDir,
        admin_key_from_env: Option<&str>,
    ) -> Result<Self> {
        remove_listeners(&data_dir);
        let admin_key = admin_key(data_dir.path(), admin_key_from_env, &SystemClock::new())?;
        check_admin_key(&admin_key, config)?;
        let core = Core::open(config, &data_dir).await?;
        let trusted = TrustedProxies::parse(&config.net.trusted_proxies);
        let trusted = trusted
            .map_err(anyhow::Error::msg)
            .context("net.trusted_proxies")?;
        let gateway = Gateway::new(
            Arc::clone(&core.im),
            gateway_settings(config, &core.im, &trusted)?,
        );
        let blobs = files::blobs(&config.files, data_dir.path())?;
        let staging = data_dir.file(STAGING_FOLDER);
        let settings = files::settings(&config.files);
        let files = FileService::open(&core.im, blobs, settings, &staging);
        let files = files.with_context(|| staging.display().to_string())?;
        let consumers = Consumers::new(&core.im);
        let hooks = HookService::start(&core.im, &consumers, HookLimits::from(&config.hooks));
        let hooks = hooks.await.context("hooks")?;
        let search = if config.search.enabled {
            Search::start(&core.im, &consumers)
        } else {
            Search::off(&core.im)
        };
        let mut server = Self {
            consumers,
            hooks,
            search,
            sweeper: Sweeper::start(&files),
            files,
            ready: Readiness::new(Arc::clone(&core.store) as _),
            retention: Retention::start(&core.im, config.retention.days),
            background: Background::start(&core.im, config.retention.audit_days),
            sweeps: Sweeps::start(&core.im),
            core,
            gateway,
            http: HttpListeners::new(trusted, config.limits.http_connections),
            bound: Bound::default(),
            admin_key,
            grace: Duration::from_secs(config.server.shutdown_grace_secs),
            data_dir,
        };
        match server.listen(config).await {
            Ok(()) => Ok(server),
            Err(error) => {
                server.grace = FAILED_START_GRACE;
                server.stop().await;
                Err(error)
            }
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// The key that may do everything.
    #[must_use]
    pub fn admin_key(&self) -> &AdminKey {
        &self.admin_key
    }

    /// Whether it can serve; shared with what it answers to `/readyz`.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.ready.clone()
    }

    /// Where it keeps everything.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.data_dir.path()
    }

    async fn listen(&mut self, config: &Config) -> Result<()> {
        let listen = &config.listen;
        // All addresses first: what clients are told depends on them.
        let http = self.bind("http", listen.http.address())?;
        let wukong_api = self.bind_for(config, Dialect::Wukong, "wukong_api", listen.wukong_api)?;
        let alone = [
            (
                Dialect::Wg,
                self.bind_for(config, Dialect::Wg, "wg", listen.wg)?,
            ),
            (
                Dialect::Gyyx,
                self.bind_for(config, Dialect::Gyyx, "gyyx", listen.gyyx)?,
            ),
        ];
        let own = [
            (
                "wukong_tcp",
                Listener::Tcp(Dialect::Wukong),
                listen.wukong_tcp,
            ),
            (
                "wukong_ws",
                Listener::WebSocket(Dialect::Wukong),
                listen.wukong_ws,
            ),
            ("mqtt_tcp", Listener::Tcp(Dialect::Mqtt), listen.mqtt_tcp),
        ];
        for (name, what, place) in own {
            let (Listener::Tcp(dialect) | Listener::WebSocket(dialect)) = what;
            if self.gateway.speaks(dialect) {
                self.open(name, what, place.address()).await?;
            }
        }
        self.core.im.set_file_urls(self.file_urls(config)?);
        let metrics = Arc::new(Metrics::new(readings(
            &self.core,
            &self.gateway,
            &self.consumers,
        )));
        let edge = Edge {
            im: Arc::clone(&self.core.im),
            gateway: Arc::clone(&self.gateway),
            admin_key: Arc::clone(&self.admin_key.key),
            config: Arc::new(config.clone()),
            bound: Arc::new(self.bound.clone()),
        };
        for (dialect, listener) in alone {
            if let (Some(listener), Some(routes)) = (listener, edge::alone(dialect, &edge)) {
                let routes = guarded(routes, Arc::clone(&metrics));
                self.http.serve(dialect.name(), listener, routes);
            }
        }
        if let Some(listener) = http {
            let routes = site(Site {
                api: ApiState {
                    im: Arc::clone(&self.core.im),
                    admin_key: Arc::clone(&self.admin_key.key),
                    search: Arc::clone(&self.search),
                },
                ready: self.ready.clone(),
                metrics: Arc::clone(&metrics),
                edge,
                files: Arc::clone(&self.files),
                hooks: Arc::clone(&self.hooks),
                public_url: config.server.public.http.clone(),
            });
            self.http.serve("http", listener, routes);
        }
        if let Some(listener) = wukong_api {
            let routes = self.wukong_api(config, metrics)?;
            self.http.serve("wukong_api", listener, routes);
        }
        let file = self.data_dir.file(LISTENERS_FILE);
        write_atomically(&file, self.bound.to_json().as_bytes(), 0o644)
    }

    /// Under which addresses files are served.
    fn file_urls(&self, config: &Config) -> Result<FileUrls> {
        let public = &config.server.public.http;
        let bound = self.bound.local("http");
        let base = match (public.is_empty(), bound) {
            (false, _) => public.clone(),
            (true, Some(bound)) => format!("http://{bound}"),
            // Nobody can read files then.
            (true, None) => String::new(),
        };
        let key = file_url_key(self.data_dir.path(), &**self.core.im.clock())?;
        let ttl_ms = self.files.settings().url_ttl_ms;
        Ok(FileUrls::new(&key, &base, ttl_ms))
    }

    /// The routes of `listen.wukong_api`.
    #[cfg(feature = "wukong")]
    fn wukong_api(&self, config: &Config, metrics: Arc<Metrics>) -> Result<axum::Router> {
        let state = crate::http::state::WukongApiState {
            im: Arc::clone(&self.core.im),
            realm: Realm::parse(&config.wukong.realm).context("wukong.realm")?,
            manager_token: config.wukong.manager_token.get().map(Into::into),
            demo_open: config.wukong.demo_open,
            origin: crosstalk_gateway::WUKONG_ORIGIN,
            routes: super::route_addresses(&self.bound, &config.server.public),
            ready: self.ready.clone(),
            handed_out: crate::http::wukong::HandedOut::default(),
        };
        Ok(crate::http::wukong_site(state, metrics))
    }

    #[cfg(not(feature = "wukong"))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)] // as its twin
    fn wukong_api(&self, _: &Config, _: Arc<Metrics>) -> Result<axum::Router> {
        Ok(axum::Router::new())
    }

    /// Binds an address for a dialect, if that is spoken.
    fn bind_for(
        &mut self,
        config: &Config,
        dialect: Dialect,
        name: &'static str,
        place: config::Listener,
    ) -> Result<Option<TcpListener>> {
        self.bind(name, place.address().filter(|_| is_on(config, dialect)))
    }

    fn bind(
        &mut self,
        name: &'static str,
        address: Option<SocketAddr>,
    ) -> Result<Option<TcpListener>> {
        let Some(address) = address else {
            return Ok(None);
        };
        let listener = bind(address).with_context(|| cannot_listen(name, address))?;
        self.bound.add(name, listener.local_addr()?);
        Ok(Some(listener))
    }

    async fn open(
        &mut self,
        name: &'static str,
        what: Listener,
        address: Option<SocketAddr>,
    ) -> Result<()> {
        let Some(address) = address else {
            return Ok(());
        };
        let bound = self.gateway.listen(what, address).await;
        self.bound
            .add(name, bound.with_context(|| cannot_listen(name, address))?);
        Ok(())
    }

    /// Stops in order: no new connections, clients told, running requests finished, the
    /// messenger drained, the store closed.
    pub async fn stop(self) {
        let Self {
            core,
            gateway,
            http,
            retention,
            background,
            sweeps,
            files,
            sweeper,
            consumers,
            hooks,
            search,
            ready,
            grace,
            data_dir,
            ..
        } = self;
        ready.stop();
        remove_listeners(&data_dir);
        tokio::join!(gateway.shutdown(grace), http.shutdown(grace));
        hooks.stop().await;
        search.stop().await;
        drop((gateway, http, ready, files, hooks, search));
        consumers.stop().await;
        retention.stop().await;
        background.stop().await;
        sweeps.stop().await;
        sweeper.stop().await;
        core.close().await;
    }
}

fn remove_listeners(data_dir: &DataDir) {
    let file = data_dir.file(LISTENERS_FILE);
    match fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, "{} cannot be removed", file.display());
        }
        _ => {}
    }
}

fn cannot_listen(name: &str, address: SocketAddr) -> String {
    format!("cannot listen on {address}; set listen.{name} to another address, or to \"off\"")
}

fn check_admin_key(admin_key: &AdminKey, config: &Config) -> Result<()> {
    let is_short = admin_key.key.chars().count() < ADMIN_KEY_CHARS;
    if !admin_key.is_from_env || !is_short || !config.listen.http.is_exposed() {
        return Ok(());
    }
    Err(Problems(vec![Problem {
        place: Place::Env(ADMIN_KEY_VARIABLE.to_owned()),
        key: String::new(),
        why: format!(
            "has fewer than {ADMIN_KEY_CHARS} characters, but listen.http = {} can be reached \
             from other machines; set a long random one, or unset it to have one made",
            config.listen.http
        ),
    }])
    .into())
}
