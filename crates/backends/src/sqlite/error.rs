//! What can go wrong inside, and what it means to callers.

use crosstalk_core::store::{StoreError, StoreErrorKind};
use rusqlite::ErrorCode;

/// A failure inside the store. It becomes a [`StoreError`] at the border.
#[derive(Debug, thiserror::Error)]
pub(super) enum DbError {
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    #[error("{0}")]
    Corrupt(String),
    #[error("{0}")]
    TooNew(String),
    #[error("{0}")]
    Unavailable(String),
}

pub(super) type DbResult<T> = Result<T, DbError>;

impl DbError {
    pub(super) fn kind(&self) -> StoreErrorKind {
        match self {
            Self::Sql(error) => kind_of(error),
            Self::Corrupt(_) => StoreErrorKind::Corrupt,
            Self::TooNew(_) => StoreErrorKind::TooNew,
            Self::Unavailable(_) => StoreErrorKind::Unavailable,
        }
    }

    /// A row cannot be read, or holds what was never written. Others may be as they were.
    pub(super) fn is_damage(&self) -> bool {
        use rusqlite::Error as E;
        match self {
            Self::Sql(E::SqliteFailure(failure, _)) => failure.code == ErrorCode::DatabaseCorrupt,
            Self::Sql(error) => matches!(
                error,
                E::FromSqlConversionFailure(..)
                    | E::IntegralValueOutOfRange(..)
                    | E::InvalidColumnType(..)
                    | E::Utf8Error(..)
            ),
            _ => false,
        }
    }
}

/// What was read, unless it is so damaged that it cannot be: `None` then.
pub(super) fn unless_damaged<T>(read: DbResult<T>) -> DbResult<Option<T>> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_damage() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A full disk, an I/O error or a lock may pass; a broken file, a broken rule or a value of
/// the wrong type will not.
fn kind_of(error: &rusqlite::Error) -> StoreErrorKind {
    use rusqlite::Error as E;
    match error {
        E::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch => StoreErrorKind::Corrupt,
            _ => StoreErrorKind::Unavailable,
        },
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::InvalidColumnType(..)
        | E::Utf8Error(..)
        | E::QueryReturnedNoRows => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Unavailable,
    }
}

impl From<DbError> for StoreError {
    fn from(error: DbError) -> Self {
        Self::new(error.kind(), error)
    }
}

/// What callers get when the threads are gone.
pub(super) fn stopped() -> StoreError {
    StoreError::unavailable("the store has stopped")
}
