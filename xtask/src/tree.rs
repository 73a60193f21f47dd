//! The repository as the checks see it: the text of what they read, and every path that exists.
//!
//! Loaded once from disk, or made in memory by tests. Paths are relative to the root, with `/`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

/// Folders that hold nothing of ours.
const SKIPPED: [&str; 6] = [
    ".git",
    "target",
    "node_modules",
    "data",
    ".venv",
    "__pycache__",
];

/// A snapshot of the repository.
#[derive(Default)]
pub(crate) struct Tree {
    texts: BTreeMap<String, String>,
    paths: BTreeSet<String>,
}

impl Tree {
    /// Reads the repository below `root`, leaving out build output and installed packages.
    pub(crate) fn load(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.load_folder(root, "")?;
        Ok(tree)
    }

    fn load_folder(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if SKIPPED.contains(&name.as_str()) {
                continue;
            }
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                self.load_folder(&entry.path(), &format!("{path}/"))?;
            } else if is_read(&name) {
                let text = std::fs::read(entry.path())?;
                self.texts
                    .insert(path.clone(), String::from_utf8_lossy(&text).into_owned());
            }
            self.paths.insert(path);
        }
        Ok(())
    }

    /// A tree of these files, for tests.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.texts.insert((*path).to_owned(), (*text).to_owned());
            let mut path = *path;
            tree.paths.insert(path.to_owned());
            while let Some((folder, _)) = path.rsplit_once('/') {
                tree.paths.insert(folder.to_owned());
                path = folder;
            }
        }
        tree
    }

    /// The files whose text the checks read, in path order.
    pub(crate) fn texts(&self) -> &BTreeMap<String, String> {
        &self.texts
    }

    /// The text of one file, if the checks read it.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Whether a file or folder exists at this path.
    pub(crate) fn exists(&self, path: &str) -> bool {
        path.is_empty() || self.paths.contains(path)
    }
}

fn is_read(name: &str) -> bool {
    name == "Cargo.toml" || name.ends_with(".rs") || name.ends_with(".md")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_in_memory_knows_its_folders() {
        let tree = Tree::of(&[("docs/adr/0001-x.md", "text")]);
        assert!(tree.exists("docs/adr/0001-x.md"));
        assert!(tree.exists("docs/adr"));
        assert!(tree.exists(""));
        assert!(!tree.exists("docs/adr/0002-y.md"));
        assert_eq!(tree.text("docs/adr/0001-x.md"), Some("text"));
    }
}
