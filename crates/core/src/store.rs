//! What every store port has in common: its error and result.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

/// What a storage failure means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// The store cannot serve now (stopping, I/O error, no space): the caller may try later.
    Unavailable,
    /// What is stored does not make sense; nothing was changed.
    Corrupt,
    /// The file was written by a newer version of the program.
    TooNew,
}

/// A failed store operation. Nothing of it was made durable.
#[derive(Debug, Clone)]
pub struct StoreError {
    /// What it means for the caller.
    pub kind: StoreErrorKind,
    source: Arc<dyn Error + Send + Sync>,
}

impl StoreError {
    /// Wraps a backend's error.
    pub fn new(kind: StoreErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            source: Arc::from(source.into()),
        }
    }

    /// The store is not there (any more).
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(StoreErrorKind::Unavailable, source)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "store {:?}: {}", self.kind, self.source)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// A store that can be asked how it is.
#[async_trait]
pub trait Probe: Send + Sync + 'static {
    /// Reads something small; after a write has failed also writes something small, until
    /// that succeeds.
    ///
    /// # Errors
    /// Why the store does not serve.
    async fn probe(&self) -> StoreResult<()>;
}

/// The result of a store operation.
pub type StoreResult<T> = Result<T, StoreError>;
