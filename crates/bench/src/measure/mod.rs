//! What is measured beside the messages: processes, what the server counts
//! itself, and the machine.

mod counters;
mod echo;
mod machine;
mod process;

pub(crate) use counters::{Counters, PATH as COUNTERS_PATH};
#[cfg(test)]
pub(crate) use echo::EchoReport;
pub(crate) use machine::{MachineReport, machine};
pub(crate) use process::{Probe, Sample, machine_busy_secs};
