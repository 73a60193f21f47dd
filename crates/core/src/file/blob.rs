//! Where bytes are kept: a folder, or an object store.

use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

/// A failed operation of a blob store.
#[derive(Debug, Clone)]
pub struct BlobError(Arc<dyn Error + Send + Sync>);

impl BlobError {
    /// Wraps a backend's error.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(source.into()))
    }
}

impl fmt::Display for BlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blob store: {}", self.0)
    }
}

impl Error for BlobError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// The result of an operation of a blob store.
pub type BlobResult<T> = Result<T, BlobError>;

/// Bytes as they come.
pub type BlobStream = BoxStream<'static, BlobResult<Bytes>>;

/// Keeps bytes under keys. A key is made of letters, digits and `/ _ -`, is written once and
/// never again; what it holds is there whole or not at all.
#[async_trait]
pub trait BlobStore: Send + Sync + 'static {
    /// Keeps the bytes of a file of this machine, never all in memory.
    async fn put_file(&self, key: &str, path: &Path) -> BlobResult<()>;

    /// Keeps some bytes.
    async fn put(&self, key: &str, bytes: Bytes) -> BlobResult<()>;

    /// A stretch of the bytes under a key; `None` = nothing is there. The stretch lies within
    /// what is there.
    async fn get(&self, key: &str, range: Range<u64>) -> BlobResult<Option<BlobStream>>;

    /// Forgets what is under a key; nothing there is a success.
    async fn delete(&self, key: &str) -> BlobResult<()>;
}
