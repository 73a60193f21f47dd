//! Walls between crates, read from the `Cargo.toml` files.
//!
//! `wire ← gateway → core ← backends`, `server → all`, `client, bench → wire`; `tests` and
//! `xtask` are free. Development dependencies follow the same direction, with two freedoms:
//! gateway's tests may run on real backends, and those of client and bench on a real server.
//! core and backends get none: core's tests use its in-memory ports, and the contract suites that
//! core exports run from backends.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::Finding;
use crate::tree::Tree;

/// What one crate of `crates/` may depend on.
struct Wall {
    crate_name: &'static str,
    normal: &'static [&'static str],
    /// More that its development dependencies may name.
    tests: &'static [&'static str],
}

const ALL: &[&str] = &[
    "wire", "core", "backends", "gateway", "client", "server", "bench",
];

const WALLS: [Wall; 7] = [
    Wall {
        crate_name: "wire",
        normal: &[],
        tests: &[],
    },
    Wall {
        crate_name: "core",
        normal: &[],
        tests: &[],
    },
    Wall {
        crate_name: "backends",
        normal: &["core"],
        tests: &[],
    },
    Wall {
        crate_name: "gateway",
        normal: &["wire", "core"],
        tests: &["backends"],
    },
    Wall {
        crate_name: "client",
        normal: &["wire"],
        tests: ALL,
    },
    Wall {
        crate_name: "bench",
        normal: &["wire", "client"],
        tests: ALL,
    },
    Wall {
        crate_name: "server",
        normal: ALL,
        tests: ALL,
    },
];

/// Packages from outside that only some crates may use at all, and why.
const OUTSIDE: [(&[&str], &[&str], &str); 3] = [
    (
        &["rusqlite", "tokio-postgres", "refinery"],
        &["backends"],
        "SQL lives in crates/backends only",
    ),
    (
        &["anyhow"],
        &["server", "bench"],
        "a library's errors are enums its callers can decide on; anyhow is for server, bench, \
         xtask and tests",
    ),
    (
        &["tokio", "axum", "tokio-tungstenite"],
        &["core", "backends", "gateway", "client", "server", "bench"],
        "wire is bytes and types: no I/O and no runtime",
    ),
];

/// Checks every manifest below `crates/`.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let manifests = Manifests::read(tree, &mut findings);
    for (folder, (path, table)) in &manifests.crates {
        let Some(wall) = WALLS.iter().find(|wall| wall.crate_name == folder) else {
            let why = format!(
                "crate `{folder}` has no place in the dependency direction; give it one in \
                 xtask/src/tidy/manifests.rs, with a decision record"
            );
            findings.push(Finding::new(path, 1, "crate-direction", why));
            continue;
        };
        for dependency in dependencies(table) {
            let line = line_of(tree.text(path).unwrap_or_default(), &dependency);
            if let Some((rule, why)) = manifests.objection(wall, &dependency) {
                findings.push(Finding::new(path, line, rule, why));
            }
        }
    }
    findings
}

/// All manifests, and what their dependency keys stand for.
struct Manifests {
    /// Folder below `crates/` → manifest path and content.
    crates: BTreeMap<String, (String, Table)>,
    /// Package name → folder below `crates/`.
    folders: BTreeMap<String, String>,
    /// Key in `[workspace.dependencies]` → package name, where they differ.
    renamed: BTreeMap<String, String>,
}

impl Manifests {
    fn read(tree: &Tree, findings: &mut Vec<Finding>) -> Self {
        let mut manifests = Self {
            crates: BTreeMap::new(),
            folders: BTreeMap::new(),
            renamed: BTreeMap::new(),
        };
        for (path, text) in tree
            .texts()
            .iter()
            .filter(|(path, _)| path.ends_with("Cargo.toml"))
        {
            let table: Table = match text.parse() {
                Ok(table) => table,
                Err(error) => {
                    findings.push(Finding::new(path, 1, "crate-direction", error.to_string()));
                    continue;
                }
            };
            if path == "Cargo.toml" {
                let root = table.get("workspace").and_then(|it| it.get("dependencies"));
                for (key, value) in root.and_then(Value::as_table).into_iter().flatten() {
                    if let Some(package) = value.get("package").and_then(Value::as_str) {
                        manifests.renamed.insert(key.clone(), package.to_owned());
                    }
                }
            }
            let Some(folder) = path
                .strip_prefix("crates/")
                .and_then(|it| it.strip_suffix("/Cargo.toml"))
            else {
                continue;
            };
            let name = table
                .get("package")
                .and_then(|it| it.get("name"))
                .and_then(Value::as_str);
            manifests
                .folders
                .insert(name.unwrap_or(folder).to_owned(), folder.to_owned());
            manifests
                .crates
                .insert(folder.to_owned(), (path.clone(), table));
        }
        manifests
    }

    /// The rule that this dependency breaks, and why.
    fn objection(&self, wall: &Wall, dependency: &Dependency) -> Option<(&'static str, String)> {
        let package = dependency
            .package
            .as_deref()
            .or(self.renamed.get(&dependency.key).map(String::as_str))
            .unwrap_or(&dependency.key);
        if let Some(folder) = self.folders.get(package) {
            let folder = folder.as_str();
            let allowed = wall.normal.contains(&folder)
                || (dependency.is_dev && wall.tests.contains(&folder))
                || (dependency.is_dev && folder == wall.crate_name);
            let may = match wall.normal {
                [] => "no crate of the workspace".to_owned(),
                crates => crates.join(", "),
            };
            let why = format!(
                "{} must not depend on {folder}{}; it may see {may}",
                wall.crate_name,
                if dependency.is_dev {
                    ", not even in tests"
                } else {
                    ""
                },
            );
            return (!allowed).then_some(("crate-direction", why));
        }
        let is_free = |crates: &[&str]| crates.contains(&wall.crate_name);
        OUTSIDE
            .iter()
            .filter(|(packages, _, _)| packages.contains(&package))
            .find(|(_, crates, _)| !is_free(crates))
            .map(|(_, _, why)| ("package-wall", format!("`{package}` here: {why}")))
    }
}

/// One dependency entry of a manifest.
struct Dependency {
    key: String,
    package: Option<String>,
    is_dev: bool,
    section: &'static str,
}

fn dependencies(manifest: &Table) -> Vec<Dependency> {
    let targets = manifest
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flatten();
    let tables = targets
        .filter_map(|(_, target)| target.as_table())
        .chain([manifest]);
    let mut dependencies = Vec::new();
    for table in tables {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let entries = table
                .get(section)
                .and_then(Value::as_table)
                .into_iter()
                .flatten();
            dependencies.extend(entries.map(|(key, value)| {
                Dependency {
                    key: key.clone(),
                    package: value
                        .get("package")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                    is_dev: section == "dev-dependencies",
                    section,
                }
            }));
        }
    }
    dependencies
}

/// The line of the dependency's key below a header of its section; 1 if it cannot be told.
fn line_of(text: &str, dependency: &Dependency) -> usize {
    let mut in_section = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            in_section = header.rsplit('.').next() == Some(dependency.section);
            if header.ends_with(&format!("{}.{}", dependency.section, dependency.key)) {
                return index + 1;
            }
        } else if in_section {
            let rest = line
                .trim_start_matches('"')
                .strip_prefix(dependency.key.as_str());
            if rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=', '"'])) {
                return index + 1;
            }
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::super::found;

    /// The rule's findings in a workspace where `name` has this manifest tail.
    fn in_crate(rule: &str, name: &str, tail: &str) -> Vec<String> {
        let names = ["wire", "core", "backends", "gateway", "client", "bench"];
        let mut files: Vec<_> = names
            .iter()
            .map(|it| {
                let tail = if *it == name { tail } else { "" };
                let text = format!("[package]\nname = \"crosstalk-{it}\"\n{tail}");
                (format!("crates/{it}/Cargo.toml"), text)
            })
            .collect();
        let tail = if name == "server" { tail } else { "" };
        let server = format!("[package]\nname = \"crosstalk\"\n{tail}");
        files.push(("crates/server/Cargo.toml".to_owned(), server));
        let root = "[workspace.dependencies]\nother = { package = \"crosstalk-core\" }";
        files.push(("Cargo.toml".to_owned(), root.to_owned()));
        let files: Vec<_> = files
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        found(rule, &files)
    }

    fn may(name: &str, tail: &str) -> bool {
        in_crate("crate-direction", name, tail).is_empty()
    }

    #[test]
    fn the_direction_is_never_reversed() {
        assert_eq!(
            in_crate(
                "crate-direction",
                "wire",
                "[dependencies]\ncrosstalk-core.workspace = true"
            ),
            ["crates/wire/Cargo.toml:4"]
        );
        for (from, to, allowed) in [
            ("core", "wire", false),
            ("core", "backends", false),
            ("backends", "core", true),
            ("backends", "gateway", false),
            ("gateway", "core", true),
            ("gateway", "backends", false),
            ("bench", "wire", true),
            ("bench", "client", true),
            ("bench", "core", false),
            ("client", "core", false),
            ("server", "backends", true),
        ] {
            let tail = format!("[dependencies]\ncrosstalk-{to} = {{ workspace = true }}");
            assert_eq!(may(from, &tail), allowed, "{from} -> {to}");
        }
        assert!(!may("core", "[dependencies]\ncrosstalk.workspace = true"));
    }

    #[test]
    fn tests_are_freer_but_not_core_and_backends() {
        for (from, to, allowed) in [
            ("core", "backends", false),
            ("backends", "gateway", false),
            ("wire", "core", false),
            ("gateway", "backends", true),
            ("core", "core", true),
        ] {
            let tail = format!("[dev-dependencies]\ncrosstalk-{to}.workspace = true");
            assert_eq!(may(from, &tail), allowed, "{from} -> {to}");
        }
        assert!(may(
            "bench",
            "[dev-dependencies]\ncrosstalk.workspace = true"
        ));
        assert!(!may(
            "gateway",
            "[dev-dependencies]\ncrosstalk.workspace = true"
        ));
    }

    #[test]
    fn a_rename_or_another_table_hides_nothing() {
        assert!(!may("wire", "[dependencies]\nother.workspace = true"));
        assert!(!may(
            "wire",
            "[dependencies]\nx = { package = \"crosstalk-core\", path = \"y\" }"
        ));
        assert!(!may(
            "wire",
            "[build-dependencies]\ncrosstalk-core.workspace = true"
        ));
        assert_eq!(
            in_crate(
                "crate-direction",
                "wire",
                "[target.'cfg(unix)'.dependencies.crosstalk-core]\nworkspace = true"
            ),
            ["crates/wire/Cargo.toml:3"]
        );
    }

    #[test]
    fn a_new_crate_needs_a_place() {
        let files = [("crates/plugins/Cargo.toml", "[package]\nname = \"plugins\"")];
        assert_eq!(
            found("crate-direction", &files),
            ["crates/plugins/Cargo.toml:1"]
        );
    }

    #[test]
    fn packages_from_outside_have_walls_too() {
        for (name, package, allowed) in [
            ("server", "rusqlite", false),
            ("core", "tokio-postgres", false),
            ("backends", "rusqlite", true),
            ("core", "anyhow", false),
            ("bench", "anyhow", true),
            ("wire", "tokio", false),
            ("core", "tokio", true),
        ] {
            let tail = format!("[dependencies]\n{package}.workspace = true");
            assert_eq!(
                in_crate("package-wall", name, &tail).is_empty(),
                allowed,
                "{name} {package}"
            );
        }
    }
}
