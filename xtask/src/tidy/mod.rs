//! `cargo xtask tidy`: what the compiler does not check.
//!
//! A rule is a function from the tree to findings. To add one: write it in the file of its kind,
//! call it in [`check`], and show in a test a small tree on which it fails.

mod files;
mod links;
mod manifests;
mod walls;
mod words;

use std::fmt;

use crate::source::{self, Source};
use crate::tree::Tree;

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    rule: &'static str,
    why: String,
}

impl Finding {
    fn new(path: &str, line: usize, rule: &'static str, why: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            rule,
            why: why.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}",
            self.path, self.line, self.rule, self.why
        )
    }
}

/// Runs every rule; findings come in path order, each place once per rule.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = manifests::check(tree);
    for source in &source::sources(tree) {
        walls::check(source, &mut findings);
        words::check(source, &mut findings);
        files::check(source, &mut findings);
    }
    findings.extend(links::check(tree));
    findings.sort();
    findings.dedup_by(|next, kept| {
        (&next.path, next.line, next.rule) == (&kept.path, kept.line, kept.rule)
    });
    findings
}

/// Whether `path` begins with one of the prefixes.
fn is_below(source: &Source<'_>, prefixes: &[&str]) -> bool {
    prefixes
        .iter()
        .any(|prefix| source.path.starts_with(prefix))
}

/// What a rule says about a tree, as `path:line rule`; files without module docs get one.
#[cfg(test)]
fn found(rule: &str, files: &[(&str, &str)]) -> Vec<String> {
    check(&Tree::of(files))
        .iter()
        .filter(|finding| finding.rule == rule)
        .map(|finding| format!("{}:{}", finding.path, finding.line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_place_rule_and_reason() {
        let findings = check(&Tree::of(&[("crates/core/src/a.rs", "fn a() { todo!() }")]));
        let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "crates/core/src/a.rs:1: module-doc: a file begins with a `//!` doc: what it is, what \
             it guarantees, what it does not know",
                "crates/core/src/a.rs:1: unfinished: `todo!` does not belong in the repository",
            ]
        );
    }

    #[test]
    fn a_clean_tree_has_no_findings() {
        let tree = Tree::of(&[
            (
                "Cargo.toml",
                "[workspace.dependencies]\ncrosstalk-core = { path = \"crates/core\" }",
            ),
            (
                "crates/core/Cargo.toml",
                "[package]\nname = \"crosstalk-core\"",
            ),
            (
                "crates/core/src/lib.rs",
                "//! The messenger; see wukong §3.\n\nfn a() {}\n",
            ),
            ("README.md", "[core](crates/core/src/lib.rs)"),
        ]);
        assert_eq!(check(&tree), []);
    }
}
