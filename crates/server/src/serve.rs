//! `crosstalk serve`: runs a server until it is told to stop.
//!
//! SIGTERM and SIGINT stop it in order; a second one stops it at once, with exit code 1. SIGHUP
//! reads the configuration again, takes over what can change while it runs (the log level), and
//! says what cannot.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::banner::Banner;
use crate::compose::Server;
use crate::config::{Config, Loaded, Sources, changed_keys, load};
use crate::data_dir::DataDir;
use crate::keys::ADMIN_KEY_VARIABLE;
use crate::log::{self, LogLevel};
use crate::say::say;

/// Settings that a running server takes over.
const RELOADED: [&str; 1] = ["log.level"];

/// Runs a server.
///
/// # Errors
/// When it cannot start; [`Problems`](crate::config::Problems) when the configuration is why.
pub async fn serve(sources: Sources) -> Result<ExitCode> {
    let Loaded {
        mut config,
        warnings,
        ..
    } = load(&sources)?;
    let level = log::start(&config.log)?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    raise_file_limit();
    let mut signals = Signals::listen().context("signals")?;
    let data_dir = DataDir::take_for_server(Path::new(&config.server.data_dir))?;
    let from_env = sources
        .env
        .iter()
        .find(|(name, _)| name == ADMIN_KEY_VARIABLE);
    let admin_key = from_env.map(|(_, key)| key.as_str());
    let server = Server::start(&config, data_dir, admin_key).await?;
    let banner = Banner {
        bound: server.bound(),
        public_url: &config.server.public.http,
        data_dir: server.data_dir(),
        is_key_from_env: server.admin_key().is_from_env,
        dialects: &config.dialects,
        wg_context: &config.wg.context,
    };
    say!("{}", banner.text());
    tracing::info!(data_dir = %server.data_dir().display(), "ready");
    loop {
        match signals.next().await {
            Told::Reload => reload(&sources, &mut config, &level),
            Told::Stop(name) => {
                tracing::info!("{name}: stopping; once more stops at once");
                break;
            }
        }
    }
    tokio::spawn(async move {
        loop {
            if let Told::Stop(name) = signals.next().await {
                tracing::warn!("{name} again: stopping at once");
                std::process::exit(1);
            }
        }
    });
    server.stop().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// What a signal asks for.
enum Told {
    Stop(&'static str),
    Reload,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Told::Stop("SIGINT"),
            _ = self.hang_up.recv() => Told::Reload,
        }
    }
}

/// Takes over what can change; the rest keeps its old value until the next start.
fn reload(sources: &Sources, config: &mut Config, level: &LogLevel) {
    let loaded = match load(sources) {
        Ok(loaded) => loaded,
        Err(problems) => {
            tracing::error!(
                "SIGHUP: nothing is reloaded, the configuration is not valid:\n{problems}"
            );
            return;
        }
    };
    let changed = changed_keys(config, &loaded.config);
    let (now, later): (Vec<_>, Vec<_>) = changed
        .iter()
        .map(String::as_str)
        .partition(|key| RELOADED.contains(key));
    if now.contains(&"log.level") {
        if let Err(error) = level.change(&loaded.config.log.level) {
            tracing::error!("SIGHUP: {error:#}");
            return;
        }
        tracing::info!(
            from = config.log.level,
            to = loaded.config.log.level,
            "log.level reloaded"
        );
        config.log.level = loaded.config.log.level;
    }
    if !later.is_empty() {
        tracing::warn!("SIGHUP: these changes need a restart: {}", later.join(", "));
    } else if now.is_empty() {
        tracing::info!("SIGHUP: nothing has changed");
    }
}

/// Each connection is an open file; the usual soft limit of 1024 is none for a server.
fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
}
