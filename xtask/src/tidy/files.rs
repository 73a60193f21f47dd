//! Files a reader can hold in mind: a doc at the top, and a bounded length.
//!
//! Code outside tests counts by lines that hold code, so that prose costs nothing; the hard limit
//! counts every line.

use std::collections::BTreeSet;

use super::Finding;
use crate::source::Source;

/// Lines of code, without those that only tests compile.
const CODE_LINES: usize = 500;
/// All lines of a file, tests and comments included; the only limit of a test file.
const ALL_LINES: usize = 800;

/// Runs the rules on one file.
pub(super) fn check(source: &Source<'_>, findings: &mut Vec<Finding>) {
    if !source.text.trim_start().starts_with("//!") {
        let why = "a file begins with a `//!` doc: what it is, what it guarantees, what it does \
                   not know";
        findings.push(Finding::new(source.path, 1, "module-doc", why));
    }
    let all = source.text.lines().count();
    let code = code_lines(source);
    let why = if code > CODE_LINES {
        format!("{code} lines of code without tests, {CODE_LINES} at most; split it by its ideas")
    } else if all > ALL_LINES {
        format!("{all} lines in all, {ALL_LINES} at most; move the tests or an idea beside it")
    } else {
        return;
    };
    findings.push(Finding::new(source.path, 1, "file-size", why));
}

fn code_lines(source: &Source<'_>) -> usize {
    let tokens = source.tokens.iter().filter(|token| !token.in_test);
    tokens
        .flat_map(|token| token.line..=token.last_line)
        .collect::<BTreeSet<_>>()
        .len()
}

#[cfg(test)]
mod tests {
    use super::super::{check, found};
    use crate::tree::Tree;

    fn size(path: &str, text: &str) -> Vec<String> {
        let findings = check(&Tree::of(&[(path, text)]));
        let sizes = findings
            .into_iter()
            .filter(|finding| finding.rule == "file-size");
        sizes
            .map(|finding| finding.why.split(',').next().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn every_file_says_what_it_is() {
        for (text, is_found) in [
            ("//! A doc.\nfn a() {}", false),
            ("#![allow(x)]\n//! A doc.", true),
            ("// A comment.\n", true),
            ("", true),
        ] {
            let places = found("module-doc", &[("crates/core/src/a.rs", text)]);
            assert_eq!(!places.is_empty(), is_found, "{text}");
        }
    }

    #[test]
    fn prose_and_tests_do_not_count_as_code() {
        let code = "let a = 1;\n".repeat(500);
        let prose = "// why\n\n".repeat(100);
        let tests = format!(
            "#[cfg(test)]\nmod tests {{\n{}}}\n",
            "let b = 1;\n".repeat(90)
        );
        let path = "crates/core/src/a.rs";
        assert!(size(path, &format!("{code}{prose}{tests}")).is_empty());
        assert_eq!(
            size(path, &format!("{code}let c = 2;\n")),
            ["501 lines of code without tests"]
        );
        assert_eq!(
            size(path, &format!("{code}{tests}{prose}{prose}")),
            ["993 lines in all"]
        );
    }

    #[test]
    fn test_files_have_only_the_hard_limit() {
        let code = "let a = 1;\n".repeat(800);
        for path in ["crates/core/src/send/tests.rs", "tests/src/e2e.rs"] {
            assert!(size(path, &code).is_empty());
            assert_eq!(size(path, &format!("{code}b")), ["801 lines in all"]);
        }
    }
}
