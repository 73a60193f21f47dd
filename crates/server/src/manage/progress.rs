//! How far work is: a bar on a terminal, and nothing anywhere else.

use std::time::Duration;

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use tokio::time::sleep;

use super::remote::Remote;

/// How often it is asked how far work is.
const EVERY: Duration = Duration::from_millis(300);

/// A bar for so much work. indicatif draws it on standard error, if that is a terminal.
pub(super) fn bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let style = "{bar:40} {pos}/{len} {elapsed} {msg}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

/// Waits until work in the background is over and returns how it ended.
///
/// # Errors
/// When the server cannot be asked, or the work failed.
pub(super) async fn follow(remote: &Remote, path: &str) -> Result<Value> {
    let bar = bar(0);
    loop {
        let work = remote.get(path).await?;
        bar.set_length(work["total"].as_u64().unwrap_or(0));
        bar.set_position(work["done"].as_u64().unwrap_or(0));
        match work["state"].as_str() {
            Some("queued" | "running") => sleep(EVERY).await,
            Some("done") => {
                bar.finish();
                return Ok(work);
            }
            state => {
                bar.abandon();
                let note = work["note"].as_str().unwrap_or_default();
                bail!("it is {}: {note}", state.unwrap_or("in no state"));
            }
        }
    }
}
