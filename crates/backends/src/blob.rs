//! Bytes of files: in a folder, or in an S3-compatible store.

use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::Arc;
#[cfg(feature = "s3")]
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use crosstalk_core::file::{BlobError, BlobResult, BlobStore, BlobStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Bytes that are read from a file at once.
const CHUNK_BYTES: usize = 256 << 10;
/// What is put at once; longer files go in parts of this many bytes.
const PART_BYTES: usize = 8 << 20;
/// Parts of one file that are under way at once.
const PARTS: usize = 2;

/// How often a store that cannot be reached is asked again: whoever gave the file waits.
#[cfg(feature = "s3")]
fn retries() -> object_store::RetryConfig {
    object_store::RetryConfig {
        backoff: object_store::BackoffConfig {
            max_backoff: Duration::from_secs(2),
            ..object_store::BackoffConfig::default()
        },
        max_retries: 5,
        retry_timeout: Duration::from_secs(20),
    }
}

/// Keeps bytes in whatever `object_store` reaches.
#[derive(Debug, Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    prefix: String,
}

/// Where an S3-compatible store is, and who we are there.
#[cfg(feature = "s3")]
#[derive(Clone)]
pub struct S3Options {
    /// Its address, `https://…`; empty = Amazon's, by region.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The region.
    pub region: String,
    /// The access key's id.
    pub access_key: String,
    /// The access key's secret.
    pub secret_key: String,
    /// The bucket stands in the path instead of the host's name.
    pub path_style: bool,
    /// Before every key.
    pub prefix: String,
}

impl Blobs {
    /// In a folder, which is made. What was put is on the disk when that returns.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn local(folder: &FilePath) -> BlobResult<Self> {
        std::fs::create_dir_all(folder).map_err(BlobError::new)?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(BlobError::new)?;
        Ok(Self::over(
            store.with_fsync(true).with_automatic_cleanup(true),
            "",
        ))
    }

    /// In memory, for tests.
    #[must_use]
    pub fn memory() -> Self {
        Self::over(InMemory::new(), "")
    }

    /// In an S3-compatible store.
    ///
    /// # Errors
    /// When the options do not fit together.
    #[cfg(feature = "s3")]
    pub fn s3(options: &S3Options) -> BlobResult<Self> {
        use object_store::aws::AmazonS3Builder;
        // Whoever was first to choose has chosen the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&options.bucket)
            .with_region(&options.region)
            .with_access_key_id(&options.access_key)
            .with_secret_access_key(&options.secret_key)
            .with_virtual_hosted_style_request(!options.path_style);
        if !options.endpoint.is_empty() {
            builder = builder
                .with_endpoint(&options.endpoint)
                .with_allow_http(options.endpoint.starts_with("http://"));
        }
        let store = builder.with_retry(retries()).build();
        let store = store.map_err(BlobError::new)?;
        Ok(Self::over(store, &options.prefix))
    }

    fn over(store: impl ObjectStore, prefix: &str) -> Self {
        Self {
            store: Arc::new(store),
            prefix: prefix.to_owned(),
        }
    }

    fn path(&self, key: &str) -> Path {
        Path::from(format!("{}{key}", self.prefix))
    }
}

#[async_trait]
impl BlobStore for Blobs {
    async fn put_file(&self, key: &str, path: &FilePath) -> BlobResult<()> {
        let mut file = File::open(path).await.map_err(BlobError::new)?;
        let store = Arc::clone(&self.store);
        let writer = BufWriter::with_capacity(store, self.path(key), PART_BYTES);
        let mut writer = writer.with_max_concurrency(PARTS);
        let mut chunk = vec![0; CHUNK_BYTES];
        let copied: std::io::Result<()> = async {
            loop {
                let read = file.read(&mut chunk).await?;
                if read == 0 {
                    return Ok(());
                }
                writer.write_all(&chunk[..read]).await?;
            }
        }
        .await;
        if copied.is_err() {
            // Parts that came already are of no use; if this fails, too, the store has them
            // until it tidies up itself.
            let _ = writer.abort().await;
        }
        copied.map_err(BlobError::new)?;
        // One that cannot be shut down gives up its parts by itself, and may not be asked to.
        writer.shutdown().await.map_err(BlobError::new)
    }

    async fn put(&self, key: &str, bytes: Bytes) -> BlobResult<()> {
        let put = self.store.put(&self.path(key), bytes.into()).await;
        put.map(drop).map_err(BlobError::new)
    }

    async fn get(&self, key: &str, range: Range<u64>) -> BlobResult<Option<BlobStream>> {
        let options = GetOptions {
            // A stretch of no bytes is none: there is nothing to ask for but whether it is there.
            range: (!range.is_empty()).then_some(GetRange::Bounded(range.clone())),
            head: range.is_empty(),
            ..GetOptions::default()
        };
        match self.store.get_opts(&self.path(key), options).await {
            Ok(_) if range.is_empty() => Ok(Some(futures_util::stream::empty().boxed())),
            Ok(found) => Ok(Some(found.into_stream().map_err(BlobError::new).boxed())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(BlobError::new(error)),
        }
    }

    async fn delete(&self, key: &str) -> BlobResult<()> {
        match self.store.delete(&self.path(key)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(BlobError::new(error)),
        }
    }
}

#[cfg(test)]
mod tests;
