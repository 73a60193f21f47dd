//! `crosstalk-bench`: prints a report of what it saw.
//!
//! Exit codes: 0 all was well, 1 something failed or the server did what it
//! must not, 2 bad usage.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use crosstalk_bench::{Options, run};

fn main() -> ExitCode {
    let options = Options::parse();
    if let Err(why) = options.check() {
        <Options as clap::CommandFactory>::command()
            .error(ErrorKind::ValueValidation, why)
            .exit();
    }
    match run(&options) {
        Ok(report) => {
            // Whoever closes the pipe has seen enough.
            let _ = write!(std::io::stdout(), "{report}");
            if report.is_sound() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("crosstalk-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
