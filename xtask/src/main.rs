//! `cargo xtask`: the repository's own checks, run by `make test` and `make check`.
//!
//! - `tidy` reads the sources and reports what breaks the architecture's walls;
//! - `licences` reads `cargo metadata` and reports dependencies whose licence is not allowed.
//!
//! It knows the layout of the repository and nothing of the product: it depends on no crate of
//! the workspace, so that it runs (and fails) in seconds even when nothing else builds.

mod licences;
mod scan;
mod source;
mod tidy;
mod tree;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::tree::Tree;

const USAGE: &str = "usage: cargo xtask <command>

commands:
  tidy       check the layer walls, forbidden words, file sizes and document links
  licences   check that every dependency's licence is on the allow list";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => tidy(),
        ["licences"] => licences(),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints every finding and returns how many there are.
fn tidy() -> Result<usize> {
    let root = root()?;
    let tree = Tree::load(&root).with_context(|| format!("reading {}", root.display()))?;
    let findings = tidy::check(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => println!("tidy: ok, {} files read", tree.texts().len()),
        count => println!("tidy: {count} to fix, {} files read", tree.texts().len()),
    }
    Ok(findings.len())
}

/// Prints every refused package and returns how many there are.
fn licences() -> Result<usize> {
    let report = licences::check(&licences::metadata(&root()?)?)?;
    for line in &report.refused {
        println!("{line}");
    }
    match report.refused.len() {
        0 => println!("licences: ok, {} packages", report.packages),
        count => println!("licences: {count} of {} packages refused", report.packages),
    }
    Ok(report.refused.len())
}

/// The repository root: the folder above this package, wherever the clone lies now.
fn root() -> Result<PathBuf> {
    let package = std::env::var("CARGO_MANIFEST_DIR")
        .unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let root = PathBuf::from(package).join("..");
    root.canonicalize()
        .with_context(|| format!("no repository at {}", root.display()))
}
