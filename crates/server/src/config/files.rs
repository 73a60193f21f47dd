//! `[files]`: what files are taken and where they are kept.

use serde::{Deserialize, Serialize};

use super::check::Findings;
use super::values::Secret;

/// The longest file that can be configured.
const MAX_BYTES: u64 = 64 << 30;
/// The longest time that can be configured for addresses and uploads.
const MAX_SECS: u64 = 365 * 24 * 3600;
/// The largest side of a small picture.
const MAX_SIDE: u32 = 2048;
/// How many sizes of small pictures there can be.
const MAX_SIZES: usize = 8;

/// Where bytes are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileStore {
    /// In a folder of this machine.
    #[default]
    Local,
    /// In an S3-compatible store.
    S3,
}

/// `[files]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// Whether files are taken at all.
    pub enabled: bool,
    /// The longest file.
    pub max_bytes: u64,
    /// How many bytes a user may give within 24 hours; 0 = any number.
    pub max_bytes_per_day: u64,
    /// How many bytes of all uploads in parts may be there or coming; 0 = any number.
    pub max_staged_bytes: u64,
    /// Media types that are taken; none = all.
    pub allowed_types: Vec<String>,
    /// How long addresses hold that need no login.
    pub url_ttl_secs: u64,
    /// How long an upload in parts may take.
    pub upload_ttl_secs: u64,
    /// The sides of the squares in which small pictures fit.
    pub thumbnail_sizes: Vec<u32>,
    /// Where bytes are kept.
    pub store: FileStore,
    /// The folder; empty = `files` in the data folder.
    pub path: String,
    /// The S3-compatible store.
    pub s3: S3,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            enabled: true,
            max_bytes: 100 << 20,
            max_bytes_per_day: 0,
            max_staged_bytes: 10 << 30,
            allowed_types: Vec::new(),
            url_ttl_secs: 7 * 24 * 3600,
            upload_ttl_secs: 24 * 3600,
            thumbnail_sizes: vec![128, 320, 640],
            store: FileStore::Local,
            path: String::new(),
            s3: S3::default(),
        }
    }
}

/// `[files.s3]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct S3 {
    /// Its address; empty = Amazon's, by region.
    pub endpoint: String,
    /// The bucket, which exists.
    pub bucket: String,
    /// The region.
    pub region: String,
    /// The access key's id.
    pub access_key: String,
    /// The access key's secret.
    pub secret_key: Secret,
    /// The bucket stands in the path instead of the host's name.
    pub path_style: bool,
    /// Before every key.
    pub prefix: String,
}

impl Default for S3 {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            bucket: String::new(),
            region: "us-east-1".to_owned(),
            access_key: String::new(),
            secret_key: Secret::default(),
            path_style: true,
            prefix: String::new(),
        }
    }
}

/// Ranges, and what needs each other.
pub(super) fn check(files: &Files, findings: &mut Findings) {
    if !(1..=MAX_BYTES).contains(&files.max_bytes) {
        findings.problem("files.max_bytes", format!("must be 1 to {MAX_BYTES}"));
    }
    if (1..files.max_bytes).contains(&files.max_staged_bytes) {
        findings.problem(
            "files.max_staged_bytes",
            "must be 0, or at least files.max_bytes",
        );
    }
    let times = [
        ("files.url_ttl_secs", files.url_ttl_secs),
        ("files.upload_ttl_secs", files.upload_ttl_secs),
    ];
    for (key, secs) in times {
        if !(60..=MAX_SECS).contains(&secs) {
            findings.problem(key, format!("must be 60 to {MAX_SECS}"));
        }
    }
    let sizes = &files.thumbnail_sizes;
    let fits = |size: &u32| (16..=MAX_SIDE).contains(size);
    if sizes.is_empty() || sizes.len() > MAX_SIZES || !sizes.iter().all(fits) {
        let why = format!("must be 1 to {MAX_SIZES} numbers from 16 to {MAX_SIDE}");
        findings.problem("files.thumbnail_sizes", why);
    }
    if files.allowed_types.iter().any(|kind| !kind.contains('/')) {
        findings.problem(
            "files.allowed_types",
            "takes types like image/* or video/mp4",
        );
    }
    if files.store == FileStore::S3 {
        let needed = [
            ("files.s3.bucket", files.s3.bucket.is_empty()),
            ("files.s3.region", files.s3.region.is_empty()),
            ("files.s3.access_key", files.s3.access_key.is_empty()),
            ("files.s3.secret_key", files.s3.secret_key.get().is_none()),
        ];
        for (key, is_missing) in needed {
            if is_missing {
                findings.problem(key, "must be set, as files.store is s3");
            }
        }
    }
}
