//! What the disk really has, beside what the system shows of it; `tests/faults/disk.c` keeps it.
//!
//! For each file of the data folder the platter has a file named by the inode: its content as of
//! the last successful sync. `names` lists the folder as of its last sync, and `held-…` are the
//! files whose names went away since.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::ops::AddAssign;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::seed::Seed;

/// What a disk writes as a whole or not at all.
const SECTOR_BYTES: usize = 512;

/// What a power cut has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cut {
    /// Sectors that were written and not synced, and are gone.
    pub lost: usize,
    /// Sectors that were written and not synced, and have reached the disk all the same.
    pub reached: usize,
}

impl AddAssign for Cut {
    fn add_assign(&mut self, other: Cut) {
        self.lost += other.lost;
        self.reached += other.reached;
    }
}

pub(super) struct Platter {
    data: PathBuf,
    path: PathBuf,
}

/// A file as the system shows it.
struct Shown {
    content: Vec<u8>,
    permissions: Permissions,
}

/// Locks and shared memory are no data; nor is what a server says of itself while it runs,
/// which tests remove.
fn is_data(name: &str) -> bool {
    !name.ends_with(".lock") && !name.ends_with("-shm") && name != "listeners.json"
}

impl Platter {
    /// An empty one for the files in `data`.
    pub(super) fn new(data: &Path, path: &Path) -> Platter {
        fs::create_dir(path).expect("a folder for the platter");
        Platter {
            data: data.to_owned(),
            path: path.to_owned(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the data by what a power cut leaves.
    pub(super) fn cut(&self, mut seed: Option<&mut Seed>) -> Cut {
        let mut cut = Cut::default();
        let there = self.names_shown();
        // Changes of names reach the disk in their order: here all of them, or none.
        let is_renamed = seed.as_mut().is_some_and(|seed| seed.within(0..2) == 0);
        let names = if is_renamed {
            there.clone()
        } else {
            self.names_synced()
        };
        let mut left = Vec::new();
        for (name, inode) in names {
            let shown = self.shown(&there, inode);
            let disk = fs::read(self.path.join(inode.to_string())).unwrap_or_default();
            let content = match &mut seed {
                Some(seed) => torn(disk, &shown.content, seed, &mut cut),
                None => synced(disk, &shown.content, &mut cut),
            };
            left.push((name, content, shown.permissions));
        }
        self.replace(left);
        cut
    }

    /// The folder's files as the system shows them, with their inodes; without locks and shared
    /// memory, which are no data.
    fn names_shown(&self) -> BTreeMap<String, u64> {
        let Ok(entries) = fs::read_dir(&self.data) else {
            return BTreeMap::new();
        };
        let mut names = BTreeMap::new();
        for entry in entries {
            let entry = entry.expect("a readable folder");
            let name = entry.file_name().into_string().expect("a name in UTF-8");
            let metadata = entry.metadata().expect("a file");
            if is_data(&name) && metadata.is_file() {
                names.insert(name, metadata.ino());
            }
        }
        names
    }

    fn names_synced(&self) -> BTreeMap<String, u64> {
        let list = fs::read_to_string(self.path.join("names")).unwrap_or_default();
        let names = list.lines().map(|line| {
            let (inode, name) = line.split_once(' ').expect("an inode and a name");
            (name.to_owned(), inode.parse().expect("a number"))
        });
        names.filter(|(name, _)| is_data(name)).collect()
    }

    fn shown(&self, there: &BTreeMap<String, u64>, inode: u64) -> Shown {
        let name = there.iter().find(|(_, other)| **other == inode);
        let path = match name {
            Some((name, _)) => self.data.join(name),
            None => self.path.join(format!("held-{inode}")),
        };
        Shown {
            content: fs::read(&path).unwrap_or_else(|error| {
                let synced = self.names_synced();
                panic!(
                    "{} is neither there nor held: {error}; there {there:?}, synced {synced:?}",
                    path.display()
                )
            }),
            permissions: fs::metadata(&path).expect("its metadata").permissions(),
        }
    }

    /// Makes the data these files, all of them as if they had been synced.
    fn replace(&self, files: Vec<(String, Vec<u8>, Permissions)>) {
        for name in self.names_shown().keys() {
            fs::remove_file(self.data.join(name)).expect("a file that can go");
        }
        // Shared memory is no disk: a restart finds none.
        let _ = fs::remove_file(self.data.join("crosstalk.db-shm"));
        fs::remove_dir_all(&self.path).expect("a platter that can go");
        fs::create_dir(&self.path).expect("a new platter");
        let mut names = String::new();
        for (name, content, permissions) in files {
            let path = self.data.join(&name);
            fs::write(&path, &content).expect("a file of the data");
            let mode = permissions.mode();
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("its mode");
            let inode = fs::metadata(&path).expect("a new file").ino();
            fs::write(self.path.join(inode.to_string()), content).expect("its place on disk");
            names += &format!("{inode} {name}\n");
        }
        fs::write(self.path.join("names"), names).expect("a list of names");
    }
}

/// What was synced.
fn synced(disk: Vec<u8>, shown: &[u8], cut: &mut Cut) -> Vec<u8> {
    cut.lost += (0..shown.len().max(disk.len()))
        .step_by(SECTOR_BYTES)
        .filter(|at| sector(&disk, *at) != sector(shown, *at))
        .count();
    disk
}

/// What was synced, and some of the sectors that were not: none, all, or any share of them.
fn torn(mut disk: Vec<u8>, shown: &[u8], seed: &mut Seed, cut: &mut Cut) -> Vec<u8> {
    let share = [0, 100, seed.within(1..100)][seed.within(0..3)];
    if disk.len() != shown.len() && seed.within(0..2) == 0 {
        // The new length has reached the disk; what lies beyond the old one is empty at first.
        disk.resize(shown.len(), 0);
    }
    for at in (0..shown.len()).step_by(SECTOR_BYTES) {
        let new = sector(shown, at);
        if new == sector(&disk, at) {
            continue;
        }
        let end = at + new.len();
        if end <= disk.len() && seed.within(0..100) < share {
            disk[at..end].copy_from_slice(new);
            cut.reached += 1;
        } else {
            cut.lost += 1;
        }
    }
    disk
}

/// The sector from a place on, as far as there is one.
fn sector(bytes: &[u8], at: usize) -> &[u8] {
    let end = bytes.len().min(at + SECTOR_BYTES);
    bytes.get(at..end).unwrap_or_default()
}
