//! The server's log: lines on standard error, with a level that can change while it runs.

use std::io;

use anyhow::{Context, Result};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::config::{Log, LogFormat};

/// Parts that say more at their usual level than an operator needs; a level named for them in
/// the configuration goes before.
const QUIET: &str = "refinery_core=warn";

/// Changes the level of the log.
pub struct LogLevel {
    handle: reload::Handle<EnvFilter, Registry>,
}

/// Starts the log of this process.
///
/// # Errors
/// When the level is not valid, or there is a log already.
pub fn start(log: &Log) -> Result<LogLevel> {
    let (filter, handle) = reload::Layer::new(filter(&log.level)?);
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .log_internal_errors(false);
    let lines = match log.format {
        LogFormat::Text => lines
            .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
            .boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init()?;
    Ok(LogLevel { handle })
}

impl LogLevel {
    /// Logs at another level from now on.
    ///
    /// # Errors
    /// When the level is not valid.
    pub fn change(&self, level: &str) -> Result<()> {
        Ok(self.handle.reload(filter(level)?)?)
    }
}

fn filter(level: &str) -> Result<EnvFilter> {
    let directives = format!("{QUIET},{level}");
    EnvFilter::builder()
        .parse(directives)
        .with_context(|| format!("log.level {level:?} is not valid"))
}
