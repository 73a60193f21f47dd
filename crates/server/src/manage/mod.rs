//! Administration from the command line: it asks the running server over HTTP, at the address
//! that is in the data folder, with the admin key that is there as well.

mod broadcast;
mod progress;
mod remote;
mod search;
mod users;
mod words;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use serde_json::json;

pub(crate) use self::remote::Remote;
pub(crate) use self::search::{SearchCommand, run as search};
use crate::cli::SourceArgs;
use crate::say::say;

/// Which server, and in the name of which app.
#[derive(Debug, Clone, Args)]
pub(crate) struct Where {
    /// The app whose realm is meant
    #[arg(long, value_name = "APP")]
    app: Option<String>,
    #[command(flatten)]
    sources: SourceArgs,
}

impl Where {
    fn remote(self) -> Result<Remote> {
        let Self { app, sources } = self;
        let remote = Remote::open(&sources.sources())?;
        Ok(match app {
            Some(app) => remote.of_app(app),
            None => remote,
        })
    }
}

/// `crosstalk user …`
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// List users
    List {
        /// Only those whose id begins so
        #[arg(long)]
        prefix: Option<String>,
        /// Only those with this tag
        #[arg(long)]
        tag: Option<String>,
        /// Only banned ones
        #[arg(long)]
        banned: bool,
        /// At most this many
        #[arg(long, default_value_t = 1000)]
        limit: usize,
        #[command(flatten)]
        at: Where,
    },
    /// Import users from a file: a JSON object per line, as POST /v1/users/import has them
    Import {
        /// The file; - reads standard input
        file: String,
        #[command(flatten)]
        at: Where,
    },
    /// Ban a user and end their sessions
    Ban {
        /// The user's id
        uid: String,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
        /// For how long: a number with s, m, h or d [default: for ever]
        #[arg(long = "for", value_name = "TIME", value_parser = crate::cli::parse_ttl)]
        secs: Option<i64>,
        #[command(flatten)]
        at: Where,
    },
    /// Lift a user's ban
    Unban {
        /// The user's id
        uid: String,
        #[command(flatten)]
        at: Where,
    },
    /// Erase a user with all their data; the name is never given again
    Erase {
        /// The user's id
        uid: String,
        /// Do it without being asked
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        at: Where,
    },
    /// Write everything of a user into a file, a JSON object per line
    Export {
        /// The user's id
        uid: String,
        /// The file [default: export-<uid>.jsonl]
        #[arg(long)]
        out: Option<std::path::PathBuf>,
        #[command(flatten)]
        at: Where,
    },
}

/// `crosstalk broadcast`
#[derive(Debug, Args)]
pub(crate) struct BroadcastArgs {
    /// To whom: all, tag:NAME or uids:A,B,…
    #[arg(long)]
    to: String,
    /// What, as a text
    #[arg(long, conflicts_with = "content")]
    text: Option<String>,
    /// What, as the JSON of a content
    #[arg(long)]
    content: Option<String>,
    /// Who says it [default: the application itself]
    #[arg(long)]
    from: Option<String>,
    #[command(flatten)]
    at: Where,
}

/// `crosstalk words …`
#[derive(Debug, Subcommand)]
pub(crate) enum WordsCommand {
    /// Add words
    Add {
        /// The words
        #[arg(required = true)]
        words: Vec<String>,
        /// What becomes of texts with them: reject, mask or review
        #[arg(long, default_value = "reject")]
        action: String,
        #[command(flatten)]
        at: Where,
    },
    /// List words
    List {
        #[command(flatten)]
        at: Where,
    },
    /// Remove words
    Remove {
        /// The words
        #[arg(required = true)]
        words: Vec<String>,
        #[command(flatten)]
        at: Where,
    },
}

/// `crosstalk kick`
#[derive(Debug, Args)]
pub(crate) struct KickArgs {
    /// The user's id
    uid: String,
    /// Only this session
    #[arg(long)]
    session: Option<u64>,
    /// Why; it stands in the audit log
    #[arg(long, default_value = "")]
    reason: String,
    #[command(flatten)]
    at: Where,
}

/// Does what concerns users.
pub(crate) async fn user(command: UserCommand) -> Result<()> {
    users::run(command).await
}

/// Says something to many.
pub(crate) async fn broadcast(args: BroadcastArgs) -> Result<()> {
    broadcast::run(args).await
}

/// Does what concerns word lists.
pub(crate) async fn words(command: WordsCommand) -> Result<()> {
    words::run(command).await
}

/// Shows how much there is.
pub(crate) async fn stats(at: Where) -> Result<()> {
    let found = at.remote()?.get("/v1/stats").await?;
    say!("{}", serde_json::to_string_pretty(&found)?);
    Ok(())
}

/// Ends a user's sessions.
pub(crate) async fn kick(args: KickArgs) -> Result<()> {
    let remote = args.at.remote()?;
    let path = match args.session {
        Some(session) => format!("/v1/users/{}/sessions/{session}", segment(&args.uid)?),
        None => format!("/v1/users/{}/sessions", segment(&args.uid)?),
    };
    let ended = remote.call("DELETE", &path, Some(json!({"reason": args.reason})));
    say!("{} sessions ended", ended.await?["ended"]);
    Ok(())
}

/// Gives an app a new secret on the server that runs.
pub(crate) async fn rotate(remote: Remote, app_id: &str, grace_secs: i64) -> Result<()> {
    let path = format!("/v1/apps/{}/rotate", segment(app_id)?);
    let body = json!({"grace_secs": grace_secs});
    let app = remote.call("POST", &path, Some(body)).await?;
    for member in ["app_id", "realm", "app_secret"] {
        say!("{member:<12}{}", app[member].as_str().unwrap_or_default());
    }
    Ok(())
}

/// A part of a path.
fn segment(text: &str) -> Result<String> {
    ensure!(!text.is_empty(), "an id is empty");
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-=".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_path_is_one_part() {
        assert_eq!(segment("a_b.c-d=").expect("a part"), "a_b.c-d=");
        assert_eq!(segment("a/../b?c").expect("a part"), "a%2F..%2Fb%3Fc");
        assert_eq!(segment("名").expect("a part"), "%E5%90%8D");
        assert!(segment("").is_err());
    }
}
