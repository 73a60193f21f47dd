//! A scanned Rust file that knows which of its code only tests compile.
//!
//! Test code is: everything under a `tests` folder, files named `tests.rs`, items under
//! `#[cfg(test)]`, `#[test]` or a test attribute of a runtime, and files that another file
//! declares by `#[cfg(test)] mod name;`.

use std::collections::BTreeSet;

use crate::scan::{self, Comment, Kind, Token};
use crate::tree::Tree;

/// One Rust file of the repository.
pub(crate) struct Source<'a> {
    pub(crate) path: &'a str,
    pub(crate) text: &'a str,
    pub(crate) tokens: Vec<Token<'a>>,
    pub(crate) comments: Vec<Comment<'a>>,
    /// The whole file is test code.
    pub(crate) is_test: bool,
}

/// Scans every Rust file of the tree.
pub(crate) fn sources(tree: &Tree) -> Vec<Source<'_>> {
    let mut sources: Vec<_> = tree
        .texts()
        .iter()
        .filter(|(path, _)| path.ends_with(".rs"))
        .map(|(path, text)| Source::new(path, text))
        .collect();
    let declared: BTreeSet<String> = sources.iter().flat_map(Source::test_modules).collect();
    for source in &mut sources {
        let stem = source
            .path
            .strip_suffix("/mod.rs")
            .or(source.path.strip_suffix(".rs"));
        if stem.is_some_and(|stem| is_within(stem, &declared)) {
            source.is_test = true;
        }
        if source.is_test {
            source
                .tokens
                .iter_mut()
                .for_each(|token| token.in_test = true);
        }
    }
    sources
}

fn is_within(stem: &str, modules: &BTreeSet<String>) -> bool {
    let mut at = Some(stem);
    while let Some(path) = at {
        if modules.contains(path) {
            return true;
        }
        at = path.rsplit_once('/').map(|(folder, _)| folder);
    }
    false
}

impl<'a> Source<'a> {
    fn new(path: &'a str, text: &'a str) -> Self {
        let (mut tokens, comments) = scan::scan(text);
        let whole = mark_tests(&mut tokens);
        let in_folder = path
            .split('/')
            .rev()
            .skip(1)
            .any(|folder| folder == "tests");
        let is_test = whole || in_folder || path.rsplit('/').next() == Some("tests.rs");
        Self {
            path,
            text,
            tokens,
            comments,
            is_test,
        }
    }

    /// The crate folder's name: `core` for `crates/core/src/id.rs`, empty outside `crates`.
    pub(crate) fn crate_name(&self) -> &'a str {
        self.path
            .strip_prefix("crates/")
            .and_then(|rest| rest.split('/').next())
            .unwrap_or("")
    }

    /// Whether this is a benchmark or an example, beside the product's own code.
    pub(crate) fn is_bench(&self) -> bool {
        self.path
            .split('/')
            .rev()
            .skip(1)
            .any(|folder| folder == "benches" || folder == "examples")
    }

    /// Every place where the code has this sequence, for example `Instant::now`.
    pub(crate) fn find(&self, sequence: &str) -> Vec<Token<'a>> {
        let (wanted, _) = scan::scan(sequence);
        self.tokens
            .windows(wanted.len().max(1))
            .filter(|window| {
                window
                    .iter()
                    .zip(&wanted)
                    .all(|(token, want)| token.is(want.text))
            })
            .map(|window| window[0])
            .collect()
    }

    /// The token `back` places before index `at`, if it is the given text.
    pub(crate) fn before(&self, at: usize, back: usize, text: &str) -> bool {
        at.checked_sub(back)
            .is_some_and(|index| self.tokens[index].is(text))
    }

    /// The token `ahead` places after index `at`, if it is the given text.
    pub(crate) fn after(&self, at: usize, ahead: usize, text: &str) -> bool {
        self.tokens
            .get(at + ahead)
            .is_some_and(|token| token.is(text))
    }

    /// Module paths (without `.rs`) that this file declares for tests only.
    fn test_modules(&self) -> Vec<String> {
        let (folder, file) = self.path.rsplit_once('/').unwrap_or(("", self.path));
        let base = match file {
            "mod.rs" | "lib.rs" | "main.rs" => folder,
            _ => self.path.trim_end_matches(".rs"),
        };
        let mut modules = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            if token.in_test && token.is("mod") && self.after(at, 2, ";") {
                modules.push(format!("{base}/{}", self.tokens[at + 1].text));
            }
        }
        modules
    }
}

/// Marks the tokens of test items; true if the file as a whole is for tests.
fn mark_tests(tokens: &mut [Token<'_>]) -> bool {
    let mut at = 0;
    while at < tokens.len() {
        let inner = tokens[at].is("#") && tokens.get(at + 1).is_some_and(|next| next.is("!"));
        let open = at + 1 + usize::from(inner);
        if !tokens[at].is("#") || !tokens.get(open).is_some_and(|next| next.is("[")) {
            at += 1;
            continue;
        }
        let close = closing(tokens, open);
        let is_test = is_test_attribute(&tokens[open + 1..close.max(open + 1)]);
        if is_test && inner {
            return true;
        }
        let end = if is_test {
            item_end(tokens, close + 1)
        } else {
            close
        };
        let end = end.min(tokens.len() - 1);
        if is_test {
            tokens[at..=end]
                .iter_mut()
                .for_each(|token| token.in_test = true);
        }
        at = end + 1;
    }
    false
}

/// The index of the bracket that closes the one at `open`, or the last index.
fn closing(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.kind != Kind::Punct {
            continue;
        }
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    tokens.len() - 1
}

/// `test`, `tokio::test(…)`, `cfg(test)`, `cfg(any(test, …))`; not `cfg(not(test))`.
fn is_test_attribute(tokens: &[Token<'_>]) -> bool {
    let path: Vec<_> = tokens.iter().take_while(|token| !token.is("(")).collect();
    if path.last().is_some_and(|last| last.is("test")) {
        return true;
    }
    let is_cfg = tokens.first().is_some_and(|first| first.is("cfg"));
    is_cfg
        && tokens.iter().enumerate().any(|(at, token)| {
            let negated = at >= 2 && tokens[at - 1].is("(") && tokens[at - 2].is("not");
            token.is("test") && !negated
        })
}

/// The last index of the item, field or statement that starts at `start`.
fn item_end(tokens: &[Token<'_>], mut start: usize) -> usize {
    let is = |at: usize, text: &str| tokens.get(at).is_some_and(|token| token.is(text));
    while is(start, "#") && is(start + 1, "[") {
        start = closing(tokens, start + 1) + 1;
    }
    let mut head = start;
    if is(head, "pub") {
        head += 1;
        if is(head, "(") {
            head = closing(tokens, head) + 1;
        }
    }
    const ITEMS: [&str; 14] = [
        "fn", "mod", "use", "impl", "struct", "enum", "trait", "type", "const", "static", "async",
        "unsafe", "extern", "let",
    ];
    let is_item = ITEMS.iter().any(|keyword| is(head, keyword)) || is(head, "macro_rules");
    let mut at = start;
    while at < tokens.len() {
        if tokens[at].kind == Kind::Punct {
            match tokens[at].text {
                ";" => return at,
                "," if !is_item => return at,
                ")" | "]" | "}" => return at.saturating_sub(1),
                "(" | "[" => at = closing(tokens, at),
                "{" if is(head, "use") => at = closing(tokens, at),
                "{" => return closing(tokens, at),
                _ => {}
            }
        }
        at += 1;
    }
    tokens.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test_words(text: &str) -> Vec<&str> {
        let source = Source::new("crates/core/src/a.rs", text);
        source
            .tokens
            .iter()
            .filter(|token| token.in_test && token.text.len() == 1 && token.kind == Kind::Ident)
            .map(|token| token.text)
            .collect()
    }

    #[test]
    fn only_the_test_item_is_test_code() {
        let text = "use a; #[cfg(test)] use {b, c}; fn d() {} #[test] #[should_panic] fn e<T, U>() \
                    where T: X { f } fn g() {} #[tokio::test(flavor = \"x\")] async fn h() {} i";
        assert_eq!(
            test_words(text),
            ["b", "c", "e", "T", "U", "T", "X", "f", "h"]
        );
    }

    #[test]
    fn a_field_ends_at_its_comma_and_negations_are_not_tests() {
        let text = "struct A { #[cfg(test)] b: u8, c: u8, #[cfg(not(test))] d: u8 }";
        assert_eq!(test_words(text), ["b"]);
        assert_eq!(
            test_words("#[cfg(any(test, feature = \"x\"))] pub(crate) mod y { z }"),
            ["y", "z"]
        );
    }

    #[test]
    fn declared_modules_and_folders_are_tests() {
        let tree = Tree::of(&[
            (
                "crates/core/src/send/mod.rs",
                "#[cfg(test)] mod fakes; mod real;",
            ),
            ("crates/core/src/send/fakes/mod.rs", "fn a() {}"),
            ("crates/core/src/send/fakes/clock.rs", "fn a() {}"),
            ("crates/core/src/send/real.rs", "fn a() {}"),
            ("crates/core/src/send/tests.rs", "fn a() {}"),
            ("crates/core/tests/all.rs", "fn a() {}"),
            ("crates/core/src/whole.rs", "#![cfg(test)] fn a() {}"),
        ]);
        let tests: Vec<_> = sources(&tree)
            .iter()
            .filter(|s| s.is_test)
            .map(|s| s.path.to_owned())
            .collect();
        assert_eq!(
            tests,
            [
                "crates/core/src/send/fakes/clock.rs",
                "crates/core/src/send/fakes/mod.rs",
                "crates/core/src/send/tests.rs",
                "crates/core/src/whole.rs",
                "crates/core/tests/all.rs",
            ]
        );
    }

    #[test]
    fn sequences_are_found_across_lines() {
        let source = Source::new("a.rs", "let x =\n    Instant\n::now();");
        let found: Vec<_> = source
            .find("Instant::now")
            .iter()
            .map(|token| token.line)
            .collect();
        assert_eq!(found, [2]);
    }
}
