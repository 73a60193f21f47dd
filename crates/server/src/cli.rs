//! The command line. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand};
use rustix::fs::Mode;
use rustix::process::umask;

use crate::config::{self, Log, Problems, Sources};
use crate::manage::{
    self, BroadcastArgs, KickArgs, Remote, SearchCommand, UserCommand, Where, WordsCommand,
};
use crate::say::say;
use crate::{apps, doctor, log, serve};

/// Failed.
const FAILED: u8 = 1;
/// Wrong usage or configuration.
const MISUSED: u8 = 2;

/// Self-hosted instant messaging server.
#[derive(Debug, Parser)]
#[command(
    name = "crosstalk",
    version,
    arg_required_else_help = true,
    disable_version_flag = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(SourceArgs),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Manage apps: the credentials of business backends (the server must be stopped, but for rotate)
    #[command(subcommand)]
    App(AppCommand),
    /// Manage users of the running server
    #[command(subcommand)]
    User(UserCommand),
    /// Say something to many users of the running server
    Broadcast(BroadcastArgs),
    /// Manage the words that may not be said
    #[command(subcommand)]
    Words(WordsCommand),
    /// End a user's sessions
    Kick(KickArgs),
    /// Manage the index of messages
    #[command(subcommand)]
    Search(SearchCommand),
    /// Show how much there is: users, sessions, messages
    Stats(Where),
    /// Make a user token (the server must be stopped)
    Token(TokenArgs),
    /// Check this machine: limits, disk, ports, clock, store
    Doctor(SourceArgs),
    /// Print the version
    Version,
}

/// Where settings come from.
#[derive(Debug, Clone, Args)]
pub(crate) struct SourceArgs {
    /// Configuration file [default: ./crosstalk.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder that everything is kept in; the same as --set server.data_dir=DIR
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// Change one setting, as in --set listen.http=127.0.0.1:9000; may be repeated
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    sets: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say whether the configuration is valid
    Check(SourceArgs),
    /// Print the configuration in force and where each setting was made
    Print(SourceArgs),
    /// Print a complete configuration file with every default
    Example,
}

#[derive(Debug, Subcommand)]
enum AppCommand {
    /// Create an app and print its secret
    Create {
        /// The app's id
        app_id: String,
        /// The realm that its users live in
        #[arg(long, default_value = "default")]
        realm: String,
        /// What people call it
        #[arg(long, default_value = "")]
        name: String,
        #[command(flatten)]
        sources: SourceArgs,
    },
    /// List all apps
    List(SourceArgs),
    /// Give an app a new secret; its user tokens are void from then on
    Rotate {
        /// The app's id
        app_id: String,
        /// For how long the old secret holds as well (the server must run): a number with s, m,
        /// h or d
        #[arg(long, value_name = "TIME", value_parser = parse_ttl)]
        grace: Option<i64>,
        #[command(flatten)]
        sources: SourceArgs,
    },
}

#[derive(Debug, Args)]
struct TokenArgs {
    /// The app in whose name the token is made
    #[arg(long)]
    app: String,
    /// The user that it speaks for; created if need be
    #[arg(long)]
    user: String,
    /// How long it is valid: a number with s, m, h or d
    #[arg(long, default_value = "30d", value_parser = parse_ttl)]
    ttl: i64,
    #[command(flatten)]
    sources: SourceArgs,
}

impl SourceArgs {
    /// The sources as this process sees them.
    pub(crate) fn sources(self) -> Sources {
        let env = env::vars_os()
            .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
        let mut env: Vec<_> = env.collect();
        env.sort();
        Sources {
            file: self.config,
            folder: PathBuf::new(),
            env,
            data_dir: self.data_dir,
            sets: self.sets,
        }
    }
}

/// Runs the program with the arguments of this process.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { MISUSED } else { 0 });
        }
    };
    // Messages and keys are nobody else's: neither are the files they are in.
    umask(Mode::RWXG | Mode::RWXO);
    match execute(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("crosstalk: {error:#}");
            ExitCode::from(if error.is::<Problems>() {
                MISUSED
            } else {
                FAILED
            })
        }
    }
}

fn execute(command: Command) -> Result<ExitCode> {
    match command {
        Command::Serve(args) => return block_on(serve::serve(args.sources())),
        Command::Config(command) => inspect(command)?,
        Command::App(command) => {
            quiet_log()?;
            block_on(manage_apps(command))?;
        }
        Command::User(command) => remote(manage::user(command))?,
        Command::Broadcast(args) => remote(manage::broadcast(args))?,
        Command::Words(command) => remote(manage::words(command))?,
        Command::Kick(args) => remote(manage::kick(args))?,
        Command::Search(command) => remote(manage::search(command))?,
        Command::Stats(at) => remote(manage::stats(at))?,
        Command::Token(args) => {
            quiet_log()?;
            let request = apps::TokenRequest {
                app: args.app,
                user: args.user,
                ttl_secs: args.ttl,
            };
            say!(
                "{}",
                block_on(apps::token(&args.sources.sources(), &request))?
            );
        }
        Command::Doctor(args) => {
            quiet_log()?;
            let report = block_on(doctor::examine(&args.sources()))?;
            say!("{report}");
            return Ok(ExitCode::from(if report.is_healthy() { 0 } else { FAILED }));
        }
        Command::Version => say!("crosstalk {}", env!("CARGO_PKG_VERSION")),
    }
    Ok(ExitCode::SUCCESS)
}

fn inspect(command: ConfigCommand) -> Result<()> {
    match command {
        ConfigCommand::Check(args) => {
            let loaded = config::load(&args.sources())?;
            for warning in &loaded.warnings {
                say!("warning: {warning}");
            }
            match &loaded.file {
                Some(file) => say!("ok: {} is valid", file.display()),
                None => say!("ok: no configuration file, the settings are valid"),
            }
        }
        ConfigCommand::Print(args) => {
            say!("{}", config::print(&config::load(&args.sources())?));
        }
        ConfigCommand::Example => say!("{}", config::EXAMPLE.trim_end()),
    }
    Ok(())
}

/// Asks the running server.
fn remote(work: impl Future<Output = Result<()>>) -> Result<()> {
    quiet_log()?;
    block_on(work)
}

async fn manage_apps(command: AppCommand) -> Result<()> {
    match command {
        AppCommand::Create {
            app_id,
            realm,
            name,
            sources,
        } => {
            let app = apps::create(&sources.sources(), &app_id, &realm, &name).await?;
            print_secret(&app);
        }
        AppCommand::Rotate {
            app_id,
            grace,
            sources,
        } => {
            let sources = sources.sources();
            let folder = config::load(&sources)?.config.server.data_dir;
            match Remote::running(&sources, Path::new(&folder))? {
                Some(server) => manage::rotate(server, &app_id, grace.unwrap_or(0)).await?,
                None if grace.is_some() => bail!("no server runs; without one there is no --grace"),
                None => print_secret(&apps::rotate(&sources, &app_id).await?),
            }
        }
        AppCommand::List(sources) => {
            for app in apps::list(&sources.sources()).await? {
                say!("{}\t{}\t{}", app.id, app.realm, app.name);
            }
        }
    }
    Ok(())
}

fn print_secret(app: &crosstalk_core::directory::App) {
    say!("app_id      {}", app.id);
    say!("realm       {}", app.realm);
    say!("app_secret  {}", app.secret);
}

fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(work)
}

/// The log of commands that are over soon: only what went wrong.
fn quiet_log() -> Result<()> {
    log::start(&Log {
        level: "warn".to_owned(),
        ..Log::default()
    })
    .map(drop)
}

/// Seconds, from a number with a unit.
pub(crate) fn parse_ttl(text: &str) -> Result<i64, String> {
    const WRONG: &str = "write a number and s, m, h or d, as in 30d";
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(WRONG.to_owned()),
    };
    let count: i64 = digits.parse().map_err(|_| WRONG.to_owned())?;
    count
        .checked_mul(unit)
        .filter(|secs| *secs > 0)
        .ok_or_else(|| WRONG.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn ttls_have_units() {
        for (text, secs) in [
            ("90", 90),
            ("90s", 90),
            ("2m", 120),
            ("3h", 10_800),
            ("30d", 2_592_000),
        ] {
            assert_eq!(parse_ttl(text), Ok(secs), "{text}");
        }
        for text in [
            "",
            "d",
            "30 d",
            "1w",
            "-1d",
            "0",
            "9223372036854775807d",
            "1dd",
            "天",
        ] {
            assert!(parse_ttl(text).is_err(), "{text}");
        }
    }
}
