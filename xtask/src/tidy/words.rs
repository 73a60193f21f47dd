//! Words that have a place, and words that have none: clock and randomness, `anyhow`, unbounded
//! queues, sleeping tests, unfinished code.

use super::{Finding, is_below};
use crate::scan::Kind;
use crate::source::Source;

/// Calls that read the machine's clock or randomness.
const AMBIENT: [&str; 7] = [
    "SystemTime::now",
    "Instant::now",
    "thread_rng",
    "rand::",
    "getrandom",
    "OsRng",
    "fastrand::",
];

/// Runs the rules on one file.
pub(super) fn check(source: &Source<'_>, findings: &mut Vec<Finding>) {
    ambient_clock(source, findings);
    anyhow(source, findings);
    unbounded_queues(source, findings);
    sleeping_tests(source, findings);
    unfinished(source, findings);
}

/// Time and randomness come in through core's clock module, so that a seed replays a run.
fn ambient_clock(source: &Source<'_>, findings: &mut Vec<Finding>) {
    let free = match source.crate_name() {
        "core" => is_below(
            source,
            &["crates/core/src/clock.rs", "crates/core/src/clock/"],
        ),
        "gateway" => is_below(
            source,
            &["crates/gateway/src/conn", "crates/gateway/src/net"],
        ),
        "backends" => source.is_test,
        "wire" => false,
        _ => true,
    };
    if free || source.is_bench() {
        return;
    }
    let tests_free = source.crate_name() == "backends";
    for word in AMBIENT {
        for token in source
            .find(word)
            .iter()
            .filter(|token| !(tests_free && token.in_test))
        {
            let why = format!("`{word}` here: time and randomness come through core's clock");
            findings.push(Finding::new(source.path, token.line, "ambient-clock", why));
        }
    }
}

/// Libraries return errors a caller can decide on.
fn anyhow(source: &Source<'_>, findings: &mut Vec<Finding>) {
    if is_below(
        source,
        &["crates/server/", "crates/bench/", "xtask/", "tests/"],
    ) {
        return;
    }
    for token in source.find("anyhow") {
        let why = "`anyhow` is for server, bench, xtask and tests; a library has error enums";
        findings.push(Finding::new(
            source.path,
            token.line,
            "anyhow-in-library",
            why,
        ));
    }
}

/// Every queue is bounded, and says beside it what happens when it is full.
fn unbounded_queues(source: &Source<'_>, findings: &mut Vec<Finding>) {
    let imports_std = !source.find("std::sync::mpsc").is_empty();
    for (at, token) in source.tokens.iter().enumerate() {
        if token.in_test || token.kind != Kind::Ident {
            continue;
        }
        let is_method = source.before(at, 1, ".") || source.before(at, 1, "fn");
        let is_hit = match token.text {
            "unbounded_channel" | "UnboundedSender" | "UnboundedReceiver" => true,
            "unbounded" => !is_method && is_empty_call(source, at + 1),
            "channel" => {
                let std = source.before(at, 2, "mpsc") || (imports_std && !is_method);
                std && is_empty_call(source, at + 1)
            }
            _ => false,
        };
        if is_hit {
            let why = "a queue without a bound; use a bounded one and write its overflow beside it";
            findings.push(Finding::new(
                source.path,
                token.line,
                "unbounded-queue",
                why,
            ));
        }
    }
}

/// Whether `()` or `::<…>()` stands at this index.
fn is_empty_call(source: &Source<'_>, mut at: usize) -> bool {
    if source.after(at, 0, "::") && source.after(at, 1, "<") {
        let mut depth = 0_usize;
        while at < source.tokens.len() {
            if source.tokens[at].is("<") {
                depth += 1;
            } else if source.tokens[at].is(">") {
                depth -= 1;
            }
            at += 1;
            if depth == 0 && source.before(at, 1, ">") {
                break;
            }
        }
    }
    source.after(at, 0, "(") && source.after(at, 1, ")")
}

/// A test waits for what it needs; it does not hope that a pause was long enough.
fn sleeping_tests(source: &Source<'_>, findings: &mut Vec<Finding>) {
    for (at, token) in source.tokens.iter().enumerate() {
        let is_sleep = token.is("sleep") || token.is("sleep_until") || token.is("sleep_ms");
        let is_method = source.before(at, 1, ".") || source.before(at, 1, "fn");
        if !token.in_test || !is_sleep || is_method || !source.after(at, 1, "(") {
            continue;
        }
        if !has_reason(source, token.line) {
            let why = "tests wait for an event, not for time; where time itself is the subject, \
                       say so in a comment `// wait: …` on this line or just above";
            findings.push(Finding::new(source.path, token.line, "test-sleep", why));
        }
    }
}

/// Whether this line, or the comment that ends just above it, has `// wait:` and a reason.
fn has_reason(source: &Source<'_>, line: usize) -> bool {
    let reason = |line: usize| {
        source.comments.iter().any(|comment| {
            let text = comment.text.strip_prefix("// wait:").map(str::trim);
            comment.line == line && text.is_some_and(|text| !text.is_empty())
        })
    };
    let is_comment = |line: usize| {
        source
            .comments
            .iter()
            .any(|comment| comment.line <= line && line <= comment.last_line)
            && !source
                .tokens
                .iter()
                .any(|token| token.line <= line && line <= token.last_line)
    };
    if reason(line) {
        return true;
    }
    let mut above = line - 1;
    while above > 0 && is_comment(above) {
        if reason(above) {
            return true;
        }
        above -= 1;
    }
    false
}

/// What is in the repository is finished, and every test runs.
fn unfinished(source: &Source<'_>, findings: &mut Vec<Finding>) {
    for word in ["todo!", "unimplemented!", "dbg!"] {
        for token in source.find(word) {
            let why = format!("`{word}` does not belong in the repository");
            findings.push(Finding::new(source.path, token.line, "unfinished", why));
        }
    }
    for (at, token) in source.tokens.iter().enumerate() {
        let is_attribute = source.before(at, 1, "[") && source.before(at, 2, "#");
        let is_conditional = source.before(at, 1, ",") && source.after(at, 1, ")");
        let is_cfg_attr = is_conditional && (3..24).any(|back| source.before(at, back, "cfg_attr"));
        if token.is("ignore") && (is_attribute || is_cfg_attr) {
            let why = "every test runs; put one that needs more behind a feature, or delete it";
            findings.push(Finding::new(source.path, token.line, "ignored-test", why));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::found;

    fn lines(rule: &str, path: &str, text: &str) -> Vec<String> {
        found(rule, &[(path, text)])
            .iter()
            .map(|place| place.rsplit(':').next().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn clock_and_randomness_have_one_door() {
        let text = "let a = SystemTime::now();\nlet b = std::time::Instant::now();\nrand::random();\n\
                    getrandom::fill(x);\nlet operand = 1;\n// Instant::now\n#[cfg(test)]\nfn t() {\n\
                    thread_rng();\n}";
        let rule = "ambient-clock";
        let all = ["1", "2", "3", "4", "9"];
        for path in [
            "core/src/send/limits.rs",
            "wire/src/mqtt/mod.rs",
            "gateway/src/mqtt/mod.rs",
        ] {
            assert_eq!(lines(rule, &format!("crates/{path}"), text), all, "{path}");
        }
        assert_eq!(lines(rule, "crates/backends/src/log.rs", text), all[..4]);
        for path in [
            "crates/core/src/clock.rs",
            "crates/gateway/src/conn/driver.rs",
            "crates/gateway/src/net/listen.rs",
            "crates/backends/benches/log.rs",
            "crates/backends/tests/log.rs",
            "crates/server/src/main.rs",
            "tests/src/lib.rs",
        ] {
            assert!(lines(rule, path, text).is_empty(), "{path}");
        }
    }

    #[test]
    fn anyhow_is_for_programs() {
        let text = "//! anyhow\nuse anyhow::Result;";
        assert_eq!(
            lines("anyhow-in-library", "crates/core/src/a.rs", text),
            ["2"]
        );
        assert_eq!(
            lines("anyhow-in-library", "crates/gateway/tests/a.rs", text),
            ["2"]
        );
        for path in [
            "crates/server/src/a.rs",
            "crates/bench/src/a.rs",
            "tests/a.rs",
            "xtask/a.rs",
        ] {
            assert!(lines("anyhow-in-library", path, text).is_empty(), "{path}");
        }
    }

    #[test]
    fn queues_have_bounds() {
        let text = "let (a, b) = tokio::sync::mpsc::unbounded_channel();\nmpsc::channel();\n\
                    mpsc::channel::<Vec<u8>>();\nmpsc::channel(10);\nself.channel();\n\
                    flume::unbounded();\n#[test]\nfn t() { mpsc::channel(); }\n";
        assert_eq!(
            lines("unbounded-queue", "crates/core/src/a.rs", text),
            ["1", "2", "3", "6"]
        );
        let text = "use std::sync::mpsc::channel;\nlet a = channel();\nmessage.channel();";
        assert_eq!(
            lines("unbounded-queue", "crates/core/src/a.rs", text),
            ["2"]
        );
        assert!(lines("unbounded-queue", "crates/core/tests/a.rs", text).is_empty());
    }

    #[test]
    fn tests_do_not_sleep_without_a_reason() {
        let text = "fn a() { thread::sleep(x); }\n#[cfg(test)]\nmod tests {\n\
                    tokio::time::sleep(x).await;\n// wait: the lease ends after 50 ms\n\
                    thread::sleep(x);\nsleep(x); // wait: as above\n// wait:\nsleep(x);\n\
                    // wait: the reason is long,\n// so it takes two lines\nsleep(x);\n\
                    clock.sleep(x);\n}";
        assert_eq!(
            lines("test-sleep", "crates/core/src/a.rs", text),
            ["4", "9"]
        );
        assert_eq!(lines("test-sleep", "tests/src/a.rs", text), ["1", "4", "9"]);
    }

    #[test]
    fn nothing_unfinished_and_nothing_ignored() {
        let text = "fn a() { todo!() }\n// todo!\ndbg!(x);\nunimplemented!();\n#[ignore = \"slow\"]\n\
                    fn b() {}\n#[cfg_attr(not(unix), ignore)]\nfn c() { let ignore = 1; }";
        assert_eq!(
            lines("unfinished", "crates/core/src/a.rs", text),
            ["1", "3", "4"]
        );
        assert_eq!(
            lines("ignored-test", "crates/core/src/a.rs", text),
            ["5", "7"]
        );
    }
}
