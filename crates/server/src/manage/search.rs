//! `crosstalk search`: asks the running server, or works on its folder where none runs.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use clap::Subcommand;
use indicatif::ProgressBar;
use serde_json::Value;
use tokio::time::sleep;

use super::progress::bar;
use super::remote::Remote;
use crate::apps::Offline;
use crate::cli::SourceArgs;
use crate::config::{Loaded, Sources, load};
use crate::consumers::search::{empty, fill};
use crate::say::say;

/// How often it is asked how far work is.
const EVERY: Duration = Duration::from_millis(300);
/// Steps of the bar.
const STEPS: u64 = 10_000;

/// `crosstalk search …`
#[derive(Debug, Subcommand)]
pub(crate) enum SearchCommand {
    /// Forget the index of messages and fill it again, on the running server or, if none runs,
    /// in its folder
    Rebuild(SourceArgs),
    /// Say how far the index of the running server is
    Status(SourceArgs),
}

/// Does what concerns the index of messages.
pub(crate) async fn run(command: SearchCommand) -> Result<()> {
    match command {
        SearchCommand::Rebuild(sources) => rebuild(&sources.sources()).await,
        SearchCommand::Status(sources) => {
            let remote = Remote::open(&sources.sources())?;
            let status = remote.get("/v1/search/status").await?;
            say!("{}", serde_json::to_string_pretty(&status)?);
            Ok(())
        }
    }
}

async fn rebuild(sources: &Sources) -> Result<()> {
    let Loaded { config, .. } = load(sources)?;
    let folder = Path::new(&config.server.data_dir);
    let bar = bar(STEPS);
    match Remote::running(sources, folder)? {
        Some(remote) => remotely(&remote, &bar).await?,
        None => offline(sources, &bar).await?,
    }
    bar.finish();
    say!("the index is complete");
    Ok(())
}

async fn remotely(remote: &Remote, bar: &ProgressBar) -> Result<()> {
    remote.call("POST", "/v1/search/rebuild", None).await?;
    loop {
        let status = remote.get("/v1/search/status").await?;
        bar.set_position(steps(status["progress"].as_f64().unwrap_or(0.0)));
        if status["complete"] == Value::Bool(true) {
            return Ok(());
        }
        sleep(EVERY).await;
    }
}

async fn offline(sources: &Sources, bar: &ProgressBar) -> Result<()> {
    let offline = Offline::open(sources, "POST /v1/search/rebuild").await?;
    let im = &offline.core.im;
    let filled = async {
        empty(im).await?;
        fill(im, |status| bar.set_position(steps(status.progress))).await?;
        Ok(())
    };
    let filled = filled.await;
    offline.close().await;
    filled
}

/// A share of the work as steps of the bar.
fn steps(share: f64) -> u64 {
    (0..=STEPS)
        .rev()
        .step_by(100)
        .find(|step| {
            let of_all = f64::from(u32::try_from(*step).unwrap_or(u32::MAX)) / 10_000.0;
            of_all <= share
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_steps() {
        for (share, expected) in [
            (0.0, 0),
            (0.005, 0),
            (0.25, 2500),
            (0.999, 9900),
            (1.0, STEPS),
        ] {
            assert_eq!(steps(share), expected, "{share}");
        }
        assert_eq!(steps(f64::NAN), 0);
    }
}
