//! A run from the options to the report: look at the machine, set up, connect,
//! let messages flow or wait, settle.

mod chores;
mod course;
mod idle;
mod interrupt;
mod load;
mod mixed;
mod spent;
mod storm;
mod sync;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail};

use crate::clock::{Clock, SECOND_NS};
use crate::connect::{Connected, Connector, allow_files};
use crate::dialect::{self, Dialect, Login};
use crate::measure::{MachineReport, Probe, machine};
use crate::options::{Scenario, ServerOptions};
use crate::progress::Progress;
use crate::report::{FORMAT, Findings, Report};
use crate::scenario::{self, Names};
use crate::target::Target;
use interrupt::Interrupt;
use spent::Spent;

/// The most threads that are taken without being asked for.
const MOST_DEFAULT_THREADS: usize = 8;
/// How long nothing may move before what is under way counts as lost.
const PATIENCE_NS: u64 = 5 * SECOND_NS;

/// Runs a scenario and writes the JSON report, if that is asked for. Blocks
/// until all is over.
///
/// # Errors
/// When the server cannot be reached or set up, or a file cannot be written.
/// A server that behaves badly under load is no error; the report says so.
pub fn run(scenario: &Scenario, server: &ServerOptions) -> Result<Report> {
    let threads = server.threads.map_or_else(default_threads, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .context("no runtime")?;
    let report = runtime.block_on(async {
        let clock = Clock::start();
        let progress = Progress::on_terminal(clock);
        let target = Target::read(server, progress.clone())?;
        let bench = Bench {
            scenario,
            server,
            threads,
            patience_ns: PATIENCE_NS,
            clock,
            progress,
            target: Arc::new(target),
            interrupt: Interrupt::listen()?,
            dialect: dialect::of(server),
        };
        bench.run().await
    });
    // Not waiting for what may still be blocked.
    runtime.shutdown_background();
    let report = report?;
    if let Some(path) = &server.json {
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
    scenario: &'a Scenario,
    server: &'a ServerOptions,
    threads: usize,
    patience_ns: u64,
    clock: Clock,
    progress: Progress,
    target: Arc<Target>,
    interrupt: Interrupt,
    dialect: Arc<dyn Dialect>,
}

/// What a scenario found.
struct Outcome {
    findings: Findings,
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
        let outcome = match self.scenario {
            Scenario::Direct(it) => {
                let plan = scenario::direct(it, &names);
                self.load(plan, &it.load, &names).await?
            }
            Scenario::Group(it) => {
                let plan = scenario::group(it, &names);
                self.load(plan, &it.load, &names).await?
            }
            Scenario::Fanout(it) => {
                let plan = scenario::fanout(it, &names);
                self.load(plan, &it.load, &names).await?
            }
            Scenario::Idle(it) => self.idle(it, &names).await?,
            Scenario::Sync(it) => self.sync(it, &names).await?,
            Scenario::Mixed(it) => self.mixed(it, &names).await?,
            Scenario::Storm(it) => self.storm(it, &names).await?,
        };
        let mut hints = outcome.hints;
        hints.extend(outcome.spent.hints());
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Ok(Report {
            format: FORMAT,
            ended_at_secs: now.unwrap_or_default().as_secs(),
            scenario: self.scenario.name(),
            dialect: self.dialect.name(),
            transport: self.server.transport().name(),
            settings: self.scenario.settings(),
            is_interrupted: self.interrupt.has_come(),
            faults: outcome.findings.faults(),
            findings: outcome.findings,
            server: outcome.spent.server,
            generator: outcome.spent.generator,
            others_cores_busy: outcome.spent.others_cores_busy,
            machine,
            hints,
        })
    }

    async fn machine(&self) -> Result<MachineReport> {
        let folder = self.target.folder().to_owned();
        let measures = !self.server.skip_machine;
        let measuring = tokio::task::spawn_blocking(move || machine(&folder, measures));
        self.unless_interrupted(async { measuring.await.context("measuring broke down")? })
            .await
    }

    /// Makes users and groups; connecting is the scenario's own.
    async fn set_up(&self, plan: &mut scenario::Plan) -> Result<()> {
        allow_files(plan.logins.len() as u64)?;
        plan.enrol();
        self.unless_interrupted(async {
            self.dialect
                .make_users(&self.target, &mut plan.logins)
                .await?;
            self.dialect.make_groups(&self.target, &plan.groups).await
        })
        .await
    }

    fn connector(&self, clients: usize, chunk: usize) -> Result<Connector> {
        Ok(Connector {
            dialect: Arc::clone(&self.dialect),
            endpoint: self
                .dialect
                .endpoint(&self.target, self.server.transport())?,
            clients: clients as u32,
            chunk,
            clock: self.clock,
        })
    }

    /// Logs all of them in; an error if one of them could not.
    async fn connect(&self, connector: &Connector, logins: &[Login]) -> Result<Connected> {
        let connecting = async { Ok(connector.connect_all(logins, &self.progress).await) };
        let mut connected = self.unless_interrupted(connecting).await?;
        if let Some(error) = connected.first_failure.take() {
            let (failures, all) = (connected.failures, logins.len());
            return Err(error.context(format!("{failures} of {all} clients could not log in")));
        }
        Ok(connected)
    }

    /// A step before there is anything to report.
    async fn unless_interrupted<T>(&self, step: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            outcome = step => outcome,
            () = self.interrupt.comes() => bail!("interrupted before there was anything to report"),
        }
    }

    /// Waits, but not on after an interrupt.
    async fn pause(&self, time: std::time::Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.interrupt.comes() => {}
        }
    }

    fn probe(&self) -> Result<Option<Probe>> {
        self.server.server_pid.map(Probe::new).transpose()
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no random bytes: {error}"))?;
    Ok(bytes)
}
