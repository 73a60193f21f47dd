//! How files are kept, as the configuration has it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use crosstalk_backends::blob::Blobs;
use crosstalk_core::file::BlobStore;

use crate::config::{FileStore, Files};

/// How the service behaves.
#[derive(Debug, Clone)]
pub struct FileSettings {
    /// Whether files are taken at all.
    pub enabled: bool,
    /// The longest file, bytes.
    pub max_bytes: u64,
    /// How many bytes a user may give within 24 hours; 0 = any number.
    pub max_bytes_per_day: u64,
    /// How many bytes of all uploads in parts that are under way may be there or coming; 0 = any
    /// number.
    pub max_staged_bytes: u64,
    /// Media types that are taken; none = all.
    pub allowed_types: Vec<String>,
    /// How long addresses hold that need no login, ms, when nobody says otherwise.
    pub url_ttl_ms: i64,
    /// How long uploads in parts may take, ms.
    pub upload_ttl_ms: i64,
    /// The sides of the squares in which small pictures fit, pixels.
    pub thumbnail_sizes: Vec<u32>,
}

/// How the service behaves.
pub(crate) fn settings(files: &Files) -> FileSettings {
    let ms = |secs: u64| i64::try_from(secs).unwrap_or(i64::MAX).saturating_mul(1000);
    FileSettings {
        enabled: files.enabled,
        max_bytes: files.max_bytes,
        max_bytes_per_day: files.max_bytes_per_day,
        max_staged_bytes: files.max_staged_bytes,
        allowed_types: files.allowed_types.clone(),
        url_ttl_ms: ms(files.url_ttl_secs),
        upload_ttl_ms: ms(files.upload_ttl_secs),
        thumbnail_sizes: files.thumbnail_sizes.clone(),
    }
}

impl Default for FileSettings {
    fn default() -> Self {
        settings(&Files::default())
    }
}

/// Where bytes are kept.
///
/// # Errors
/// When the folder cannot be made, or the store's settings do not fit.
pub fn blobs(files: &Files, data_dir: &Path) -> Result<Arc<dyn BlobStore>> {
    match files.store {
        FileStore::Local => {
            let folder = if files.path.is_empty() {
                data_dir.join("files")
            } else {
                files.path.clone().into()
            };
            let blobs = Blobs::local(&folder).with_context(|| folder.display().to_string())?;
            Ok(Arc::new(blobs))
        }
        FileStore::S3 => s3(files),
    }
}

#[cfg(feature = "s3")]
fn s3(files: &Files) -> Result<Arc<dyn BlobStore>> {
    let s3 = &files.s3;
    let options = crosstalk_backends::blob::S3Options {
        endpoint: s3.endpoint.clone(),
        bucket: s3.bucket.clone(),
        region: s3.region.clone(),
        access_key: s3.access_key.clone(),
        secret_key: s3.secret_key.get().unwrap_or_default().to_owned(),
        path_style: s3.path_style,
        prefix: s3.prefix.clone(),
    };
    Ok(Arc::new(Blobs::s3(&options).context("files.s3")?))
}

#[cfg(not(feature = "s3"))]
fn s3(_: &Files) -> Result<Arc<dyn BlobStore>> {
    anyhow::bail!("files.store = \"s3\" needs a server that was built with the feature s3")
}
