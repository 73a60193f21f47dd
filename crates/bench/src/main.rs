//! `crosstalk-bench`: prints a report of what it saw.
//!
//! Exit codes: 0 all was well, 1 something failed or the server did what it
//! must not, 2 bad usage.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use crosstalk_bench::{Command, Options, compare, run};

fn main() -> ExitCode {
    let options = Options::parse();
    if let Err(why) = options.check() {
        <Options as clap::CommandFactory>::command()
            .error(ErrorKind::ValueValidation, why)
            .exit();
    }
    let shown = match &options.command {
        Command::Run(scenario) => {
            run(scenario, &options.server).map(|report| show(&report, report.is_sound()))
        }
        Command::Compare(files) => {
            let compared = compare(files, options.server.json.as_deref());
            compared.map(|comparison| show(&comparison, comparison.is_sound()))
        }
    };
    shown.unwrap_or_else(|error| {
        eprintln!("crosstalk-bench: {error:#}");
        ExitCode::FAILURE
    })
}

fn show(report: &impl Display, is_sound: bool) -> ExitCode {
    // Whoever closes the pipe has seen enough.
    let _ = write!(std::io::stdout(), "{report}");
    if is_sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
