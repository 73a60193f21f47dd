//! What can be asked for on the command line: a scenario against a server, or a
//! comparison of reports.
//!
//! Every number has an upper bound, so that no slip of a finger makes a run
//! that never ends or takes the machine down.

mod dialects;
mod scenarios;
mod settings;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};

use crate::stamp::MIN_CONTENT_BYTES;

pub(crate) use dialects::DialectName;
pub(crate) use scenarios::{
    DirectOptions, FanoutOptions, GroupOptions, IdleOptions, MixedOptions, StormOptions, SyncApi,
    SyncOptions,
};

/// The longest measurement in seconds.
const MAX_SECONDS: u64 = 3_600;
/// The longest warm-up in seconds.
const MAX_WARMUP_SECONDS: u64 = 600;
/// The most clients that one process makes.
const MAX_CLIENTS: u64 = 500_000;
/// The largest content: what a SEND of an SDK may carry.
const MAX_CONTENT_BYTES: u64 = 16 << 10;

/// Puts load on a running Crosstalk server and reports what its clients saw.
///
/// The server's default limit is 200 messages per second and user: start it with
/// `--set limits.send_rate=0` unless the limit is what you want to see. Exit codes: 0 all was
/// well, 1 something failed or the server did what it must not, 2 bad usage.
#[derive(Debug, Clone, Parser)]
#[command(name = "crosstalk-bench", disable_version_flag = true)]
pub struct Options {
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
    /// Where the server is and how to look at it.
    #[command(flatten)]
    pub server: ServerOptions,
}

/// What is to be done.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// A scenario.
    #[command(flatten)]
    Run(Scenario),
    /// Medians of reports, and how two builds differ; needs no server.
    Compare(CompareOptions),
}

/// What the clients do.
#[derive(Debug, Clone, Subcommand)]
pub enum Scenario {
    /// Pairs of users; one of each pair writes to the other.
    Direct(DirectOptions),
    /// Groups whose members receive what some of them write.
    Group(GroupOptions),
    /// One group of any size, of whom some are online; what does a message cost?
    Fanout(FanoutOptions),
    /// Connections that do nothing; what does the server spend on one?
    ///
    /// Memory counts from before the first of them, so use a server that has just started: one
    /// that was busy before has memory left over to give them.
    Idle(IdleOptions),
    /// Users with many conversations ask for all of them, as a new device does.
    Sync(SyncOptions),
    /// Messages, reads, conversation lists, history and reconnects at once, by the clock.
    ///
    /// The numbers after --direct to --reconnects are proportions of --rate.
    Mixed(MixedOptions),
    /// All clients lose their connection at once, come back and ask for what they missed.
    Storm(StormOptions),
}

/// Options of every scenario.
#[derive(Debug, Clone, Args)]
pub struct ServerOptions {
    /// The file in which the server says where it listens; its folder is also
    /// where the speed of fsync is measured.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "data/listeners.json"
    )]
    pub listeners: PathBuf,
    /// The admin key's file; by default `admin.key` beside --listeners.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "admin_key")]
    pub admin_key_file: Option<PathBuf>,
    /// The admin key itself. Other users of the machine can see it while this runs.
    #[arg(long, global = true, value_name = "KEY")]
    pub admin_key: Option<String>,
    /// The manager token of the WuKongIM API, if the server has one.
    #[arg(long, global = true, value_name = "TOKEN")]
    pub manager_token: Option<String>,
    /// The protocol of the clients.
    #[arg(long, global = true, value_enum, default_value_t = DialectName::Wukong)]
    pub dialect: DialectName,
    /// What carries the protocol; by default TCP where the dialect has it, else WebSocket.
    #[arg(long, global = true, value_enum)]
    pub transport: Option<Transport>,
    /// The version that clients of wukong (1 to 6) and mqtt (3, 4 for 3.1.1, or 5) ask for; by
    /// default 5.
    #[arg(long, global = true, value_name = "N", value_parser = value_parser!(u8).range(1..=6))]
    pub version: Option<u8>,
    /// Check the signature and every byte of all messages, not of one in 64.
    #[arg(long, global = true)]
    pub verify: bool,
    /// The server's process, to report its CPU time, memory and writes.
    #[arg(long, global = true, value_name = "PID")]
    pub server_pid: Option<u32>,
    /// Write the report to this file, too, as JSON (crates/bench/REPORT.md has the keys).
    #[arg(long, global = true, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Threads of the load generator; by default half of the machine's cores.
    #[arg(long, global = true, value_name = "N", value_parser = value_parser!(u16).range(1..=64))]
    pub threads: Option<u16>,
    /// Do not measure the machine's fsync and loopback first.
    #[arg(long, global = true)]
    pub skip_machine: bool,
}

/// How much is sent, and how fast.
#[derive(Debug, Clone, Args)]
pub struct LoadOptions {
    /// How many unacknowledged messages each sender keeps under way.
    #[arg(long, value_name = "N", default_value_t = 16,
          value_parser = value_parser!(u32).range(1..=10_000))]
    pub window: u32,
    /// Messages per second of all senders together, whether or not the server keeps up;
    /// latencies count from when a message was due. Replaces the window.
    #[arg(long, value_name = "PER_SECOND", conflicts_with = "window",
          value_parser = value_parser!(u64).range(1..=10_000_000))]
    pub rate: Option<u64>,
    /// Bytes of a message's content.
    #[arg(long, value_name = "BYTES", default_value_t = 100,
          value_parser = value_parser!(u32).range(MIN_CONTENT_BYTES as i64..=MAX_CONTENT_BYTES as i64))]
    pub payload: u32,
    /// How long to measure. With --count the longest that may last.
    #[arg(long, value_parser = value_parser!(u64).range(1..=MAX_SECONDS))]
    pub seconds: Option<u64>,
    /// Stop after this many measured messages.
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=1_000_000_000))]
    pub count: Option<u64>,
    /// How long to send before measuring.
    #[arg(long, value_name = "SECONDS", default_value_t = 2,
          value_parser = value_parser!(u64).range(0..=MAX_WARMUP_SECONDS))]
    pub warmup: u64,
}

impl LoadOptions {
    /// How long to measure at most.
    #[must_use]
    pub fn measured_seconds(&self) -> u64 {
        let default = if self.count.is_some() { 600 } else { 10 };
        self.seconds.unwrap_or(default)
    }
}

/// `compare`
#[derive(Debug, Clone, Args)]
pub struct CompareOptions {
    /// Reports of one build, as --json wrote them.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub a: Vec<PathBuf>,
    /// Reports of another build; without them only medians are shown.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub b: Vec<PathBuf>,
}

/// What carries a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// A TCP connection.
    Tcp,
    /// A WebSocket connection.
    Ws,
}

impl Transport {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Ws => "ws",
        }
    }
}

impl Options {
    /// What clap cannot check: options that contradict each other.
    ///
    /// # Errors
    /// What is wrong, for the person who typed it.
    pub fn check(&self) -> Result<(), String> {
        match &self.command {
            Command::Run(scenario) => {
                self.server.check(scenario)?;
                scenario.check()
            }
            Command::Compare(_) => Ok(()),
        }
    }
}
