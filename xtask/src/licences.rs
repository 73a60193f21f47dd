//! `cargo xtask licences`: every dependency may be shipped with this project.
//!
//! Reads licence expressions from `cargo metadata` and needs no further tool. `deny.toml` has the
//! same list for cargo-deny; a test keeps the two equal.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Licences a dependency may have.
const ALLOWED: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// What the check found.
pub(crate) struct Report {
    /// Third-party packages looked at.
    pub(crate) packages: usize,
    /// One line for each package that may not be used.
    pub(crate) refused: Vec<String>,
}

/// Asks cargo for all packages of the lock file, for every platform.
pub(crate) fn metadata(root: &Path) -> Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--quiet", "--locked", "--format-version", "1"])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("running cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", output.status);
    }
    serde_json::from_slice(&output.stdout).context("reading cargo metadata")
}

/// Judges every package that does not belong to the workspace.
pub(crate) fn check(metadata: &Value) -> Result<Report> {
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    let third_party = packages
        .iter()
        .filter(|package| !package["source"].is_null());
    let mut report = Report {
        packages: 0,
        refused: Vec::new(),
    };
    for package in third_party {
        report.packages += 1;
        let complaint = match package["license"].as_str() {
            None => "names no licence expression".to_owned(),
            Some(expression) => match is_allowed(expression) {
                Some(true) => continue,
                Some(false) => format!("has the licence `{expression}`, which is not allowed"),
                None => format!("has the licence `{expression}`, which cannot be read"),
            },
        };
        let (name, version) = (&package["name"], &package["version"]);
        let (name, version) = (
            name.as_str().unwrap_or("?"),
            version.as_str().unwrap_or("?"),
        );
        report.refused.push(format!(
            "Cargo.lock:1: licence: {name} {version} {complaint}"
        ));
    }
    report.refused.sort();
    Ok(report)
}

/// Whether an SPDX expression can be met with allowed licences; nothing if it makes no sense.
fn is_allowed(expression: &str) -> Option<bool> {
    // Before SPDX expressions, `/` stood between alternatives.
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = &words[..];
    let allowed = any_of(&mut rest)?;
    rest.is_empty().then_some(allowed)
}

fn any_of(words: &mut &[&str]) -> Option<bool> {
    let mut allowed = all_of(words)?;
    while let ["OR", tail @ ..] = *words {
        *words = tail;
        allowed |= all_of(words)?;
    }
    Some(allowed)
}

fn all_of(words: &mut &[&str]) -> Option<bool> {
    let mut allowed = one(words)?;
    while let ["AND", tail @ ..] = *words {
        *words = tail;
        allowed &= one(words)?;
    }
    Some(allowed)
}

fn one(words: &mut &[&str]) -> Option<bool> {
    match *words {
        ["(", tail @ ..] => {
            *words = tail;
            let allowed = any_of(words)?;
            let [")", tail @ ..] = *words else {
                return None;
            };
            *words = tail;
            Some(allowed)
        }
        ["AND" | "OR" | "WITH" | ")", ..] | [] => None,
        [licence, "WITH", exception, tail @ ..] => {
            *words = tail;
            Some(ALLOWED.contains(&format!("{licence} WITH {exception}").as_str()))
        }
        [licence, tail @ ..] => {
            *words = tail;
            Some(ALLOWED.contains(licence))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_met_or_not() {
        for expression in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "Apache-2.0 AND ISC",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert_eq!(is_allowed(expression), Some(true), "{expression}");
        }
        for expression in [
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "MIT AND (GPL-3.0-only OR AGPL-3.0-only)",
            "GPL-3.0-only WITH Classpath-exception-2.0",
            "OpenSSL",
        ] {
            assert_eq!(is_allowed(expression), Some(false), "{expression}");
        }
        for expression in ["", "MIT OR", "(MIT", "MIT Apache-2.0", "AND"] {
            assert_eq!(is_allowed(expression), None, "{expression}");
        }
    }

    #[test]
    fn packages_without_a_fitting_licence_are_named() {
        let metadata = serde_json::json!({"packages": [
            {"name": "ours", "version": "0.1.0", "source": null, "license": null},
            {"name": "good", "version": "1.0.0", "source": "registry", "license": "MIT"},
            {"name": "bad", "version": "2.0.0", "source": "registry", "license": "GPL-3.0-only"},
            {"name": "mute", "version": "3.0.0", "source": "registry", "license": null},
        ]});
        let report = check(&metadata).unwrap();
        assert_eq!(report.packages, 3);
        assert_eq!(
            report.refused,
            [
                "Cargo.lock:1: licence: bad 2.0.0 has the licence `GPL-3.0-only`, which is not allowed",
                "Cargo.lock:1: licence: mute 3.0.0 names no licence expression",
            ]
        );
        assert!(check(&serde_json::json!({})).is_err());
    }

    #[test]
    fn deny_toml_has_the_same_list() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deny.toml");
        let deny: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
        let listed = deny["licenses"]["allow"].as_array().unwrap();
        let listed: Vec<_> = listed
            .iter()
            .map(|licence| licence.as_str().unwrap())
            .collect();
        assert_eq!(listed, ALLOWED);
    }
}
