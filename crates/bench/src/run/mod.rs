//! A run from the options to the report: look at the machine, set up, connect,
//! let messages flow or wait, settle.

mod idle;
mod interrupt;
mod load;
mod spent;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, anyhow, bail};

use crate::clock::Clock;
use crate::connect::{Connector, allow_files};
use crate::dialect::{self, Dialect};
use crate::measure::{MachineReport, Probe, machine};
use crate::options::{Options, Scenario, ServerOptions};
use crate::progress::Progress;
use crate::report::{IdleReport, LoadReport, Report};
use crate::scenario::{self, Names};
use crate::target::Target;
use interrupt::Interrupt;
use spent::Spent;

/// The most threads that are taken without being asked for.
const MOST_DEFAULT_THREADS: usize = 8;

/// Runs a scenario and writes the JSON report, if that is asked for. Blocks
/// until all is over.
///
/// # Errors
/// When the server cannot be reached or set up, or a file cannot be written.
/// A server that behaves badly under load is no error; the report says so.
pub fn run(options: &Options) -> Result<Report> {
    let threads = options
        .server
        .threads
        .map_or_else(default_threads, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .context("no runtime")?;
    let report = runtime.block_on(async {
        let clock = Clock::start();
        let progress = Progress::on_terminal(clock);
        let target = Target::read(&options.server, progress.clone())?;
        let interrupt = Interrupt::listen()?;
        let dialect = dialect::of(&options.server);
        let bench = Bench {
            options,
            threads,
            clock,
            progress,
            target,
            interrupt,
            dialect,
        };
        bench.run().await
    });
    // Not waiting for what may still be blocked.
    runtime.shutdown_background();
    let report = report?;
    if let Some(path) = &options.server.json {
        let json = serde_json::to_vec_pretty(&report).context("the report has no JSON")?;
        fs::write(path, json).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(report)
}

/// Half of the machine: the server is likely to need the other half.
fn default_threads() -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    (cores / 2).clamp(1, MOST_DEFAULT_THREADS)
}

/// What all steps of a run need.
struct Bench<'a> {
    options: &'a Options,
    threads: usize,
    clock: Clock,
    progress: Progress,
    target: Target,
    interrupt: Interrupt,
    dialect: Arc<dyn Dialect>,
}

/// What a scenario found.
struct Outcome {
    load: Option<LoadReport>,
    idle: Option<IdleReport>,
    spent: Spent,
    hints: Vec<String>,
}

impl Bench<'_> {
    async fn run(&self) -> Result<Report> {
        let machine = self.machine().await?;
        let names = Names {
            run: u32::from_be_bytes(random()?),
            secret: hex::encode(random::<16>()?),
        };
        let (name, outcome) = match &self.options.scenario {
            Scenario::Direct(direct) => (
                "direct",
                self.load(scenario::direct(direct, &names), &direct.load, &names)
                    .await?,
            ),
            Scenario::Group(group) => (
                "group",
                self.load(scenario::group(group, &names), &group.load, &names)
                    .await?,
            ),
            Scenario::Idle(idle) => ("idle", self.idle(idle, &names).await?),
        };
        let mut faults = outcome
            .load
            .as_ref()
            .map(LoadReport::faults)
            .unwrap_or_default();
        faults.extend(
            outcome
                .idle
                .as_ref()
                .map(IdleReport::faults)
                .unwrap_or_default(),
        );
        let mut hints = outcome.hints;
        hints.extend(outcome.spent.hints());
        Ok(Report {
            scenario: name,
            dialect: self.dialect.name(),
            transport: self.server().transport.name(),
            settings: settings(&self.options.scenario),
            is_interrupted: self.interrupt.has_come(),
            load: outcome.load,
            idle: outcome.idle,
            server: outcome.spent.server,
            generator: outcome.spent.generator,
            others_cores_busy: outcome.spent.others_cores_busy,
            machine,
            faults,
            hints,
        })
    }

    fn server(&self) -> &ServerOptions {
        &self.options.server
    }

    async fn machine(&self) -> Result<MachineReport> {
        let folder = self.target.folder().to_owned();
        let measures = !self.server().skip_machine;
        let measuring = tokio::task::spawn_blocking(move || machine(&folder, measures));
        self.unless_interrupted(async { measuring.await.context("measuring broke down")? })
            .await
    }

    /// Makes users and groups; connecting is the scenario's own.
    async fn set_up(&self, plan: &scenario::Plan) -> Result<()> {
        allow_files(plan.logins.len() as u64)?;
        self.unless_interrupted(async {
            self.dialect.make_users(&self.target, &plan.logins).await?;
            self.dialect.make_groups(&self.target, &plan.groups).await
        })
        .await
    }

    fn connector(&self, chunk: usize) -> Result<Connector> {
        Ok(Connector {
            dialect: Arc::clone(&self.dialect),
            endpoint: self
                .dialect
                .endpoint(&self.target, self.server().transport)?,
            chunk,
            clock: self.clock,
        })
    }

    /// A step before there is anything to report.
    async fn unless_interrupted<T>(&self, step: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            outcome = step => outcome,
            () = self.interrupt.comes() => bail!("interrupted before messages flowed"),
        }
    }

    fn probe(&self) -> Result<Option<Probe>> {
        self.server().server_pid.map(Probe::new).transpose()
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no random bytes: {error}"))?;
    Ok(bytes)
}

/// The numbers that were asked for.
fn settings(scenario: &Scenario) -> BTreeMap<&'static str, u64> {
    let (mut settings, load) = match scenario {
        Scenario::Direct(direct) => {
            let settings = [
                ("pairs", direct.pairs.into()),
                ("duplex", direct.duplex.into()),
            ];
            (BTreeMap::from(settings), &direct.load)
        }
        Scenario::Group(group) => {
            let settings = [
                ("groups", group.groups.into()),
                ("members", group.members.into()),
                ("online", group.online.unwrap_or(group.members).into()),
                ("senders", group.senders.into()),
            ];
            (BTreeMap::from(settings), &group.load)
        }
        Scenario::Idle(idle) => {
            let settings = [
                ("connections", idle.connections.into()),
                ("seconds", idle.seconds),
            ];
            return BTreeMap::from(settings);
        }
    };
    settings.insert("payload", load.payload.into());
    settings.insert("warmup", load.warmup);
    settings.insert("seconds", load.measured_seconds());
    match load.rate {
        Some(rate) => settings.insert("rate", rate),
        None => settings.insert("window", load.window.into()),
    };
    if let Some(count) = load.count {
        settings.insert("count", count);
    }
    settings
}
