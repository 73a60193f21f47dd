//! What is measured beside the messages: processes, and the machine itself.

mod machine;
mod process;

pub(crate) use machine::{MachineReport, machine};
pub(crate) use process::{Probe, Sample, machine_busy_secs};
