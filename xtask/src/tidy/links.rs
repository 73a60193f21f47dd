//! Documents whose relative links lead somewhere.
//!
//! Reads inline links and images, reference definitions and HTML `href`/`src`; leaves out code
//! blocks and code spans, addresses with a scheme and links within the page. Checks that the file
//! or folder exists, not that it has the anchor.

use super::Finding;
use crate::tree::Tree;

/// Documents at the root whose links are checked; those below `docs/` all are.
const DOCUMENTS: [&str; 6] = [
    "README.md",
    "README.zh-CN.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
];

/// Checks every document that exists.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        let is_doc = path.starts_with("docs/") && path.ends_with(".md");
        if !is_doc && !DOCUMENTS.contains(&path.as_str()) {
            continue;
        }
        for (line, target) in targets(text) {
            let Some(file) = file_of(&target) else {
                continue;
            };
            if !resolve(path, &file).is_some_and(|resolved| tree.exists(&resolved)) {
                let why = format!("`{target}` leads to no file of the repository");
                findings.push(Finding::new(path, line, "dead-link", why));
            }
        }
    }
    findings
}

/// Every link target with its line.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut targets = Vec::new();
    let mut fence: Option<&str> = None;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| trimmed.starts_with(mark));
        match (fence, mark) {
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, Some(mark)) => fence = Some(mark),
            (None, None) => {
                let line = without_code(line);
                targets.extend(line_targets(&line).into_iter().map(|it| (index + 1, it)));
            }
            _ => {}
        }
    }
    targets
}

/// The line with its code spans blanked; an unclosed backtick is text.
fn without_code(line: &str) -> String {
    let mut rest = line;
    let mut out = String::new();
    while let Some(start) = rest.find('`') {
        let ticks = rest[start..].bytes().take_while(|&b| b == b'`').count();
        let body = start + ticks;
        out.push_str(&rest[..start]);
        match rest[body..].find(&"`".repeat(ticks)) {
            Some(length) => rest = &rest[body + length + ticks..],
            None => {
                out.push_str(&rest[start..body]);
                rest = &rest[body..];
            }
        }
    }
    out + rest
}

fn line_targets(line: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for (at, _) in line.match_indices("](") {
        let rest = line[at + 2..].trim_start();
        let target = match rest.strip_prefix('<') {
            Some(rest) => rest.split('>').next(),
            None => rest.split([' ', ')', '\t']).next(),
        };
        targets.extend(target.map(str::to_owned));
    }
    if let Some((_, rest)) = line
        .trim_start()
        .strip_prefix('[')
        .and_then(|it| it.split_once("]:"))
    {
        let target = rest.split_whitespace().next();
        targets.extend(target.map(|it| it.trim_matches(['<', '>']).to_owned()));
    }
    for attribute in ["href=\"", "src=\""] {
        for (at, _) in line.match_indices(attribute) {
            let target = line[at + attribute.len()..].split('"').next();
            targets.extend(target.map(str::to_owned));
        }
    }
    targets
}

/// The file part of a relative link; nothing for other links.
fn file_of(target: &str) -> Option<String> {
    let scheme = target
        .split(['/', '#', '?'])
        .next()
        .is_some_and(|head| head.contains(':'));
    if scheme || target.starts_with("//") || target.starts_with('#') {
        return None;
    }
    let file = target.split(['#', '?']).next().unwrap_or_default();
    Some(file.replace("%20", " "))
}

/// The path from the root that `file` means in the document `from`; nothing outside the root.
fn resolve(from: &str, file: &str) -> Option<String> {
    let mut parts: Vec<&str> = match file.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => from.split('/').collect(),
    };
    parts.pop();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::super::found;

    fn dead(path: &str, text: &str) -> Vec<String> {
        let files = [
            (path, text),
            ("docs/adr/0001-a.md", ""),
            ("Makefile", ""),
            ("a b.png", ""),
        ];
        let places = found("dead-link", &files);
        places
            .iter()
            .map(|place| place.rsplit(':').next().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn relative_links_lead_somewhere() {
        let text = "[a](docs/adr/0001-a.md#why) [b](docs/gone.md)\n![c](<a b.png>) ![d](a%20b.png)\n\
                    [e](./Makefile \"title\") [f](docs/) [g](#here) [h](https://example.org/x)\n\
                    [i]: gone.md\n<img src=\"gone.png\">\n[j](../outside)\n[k](mailto:a@example.org)";
        assert_eq!(dead("README.md", text), ["1", "4", "5", "6"]);
    }

    #[test]
    fn links_start_at_their_document() {
        let text = "[a](adr/0001-a.md) [b](../Makefile) [c](/Makefile)\n[d](Makefile)";
        assert_eq!(dead("docs/guide.md", text), ["2"]);
        assert_eq!(
            dead(
                "docs/deep/er/guide.md",
                "[a](../../../Makefile)\n[b](../adr)"
            ),
            ["2"]
        );
    }

    #[test]
    fn code_and_other_documents_are_left_alone() {
        let text =
            "`[a](gone)` x\n```\n[b](gone)\n~~~\n[c](gone)\n```\n``[d](gone) ` ``\n[e](gone)";
        assert_eq!(dead("README.md", text), ["8"]);
        assert!(dead("crates/core/NOTES.md", text).is_empty());
    }
}
