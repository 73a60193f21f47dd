//! Apps: credentials that belong to a realm.

use std::fmt;

use async_trait::async_trait;

use crate::id::{InvalidId, Realm, check_alphabet};
use crate::send::rates::Rate;
use crate::store::StoreResult;

/// An app's id, of the id alphabet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AppId(String);

impl AppId {
    /// Builds an app id.
    ///
    /// # Errors
    /// `InvalidId` outside the id alphabet.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        check_alphabet(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for AppId {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An app as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRecord {
    /// Its id.
    pub id: AppId,
    /// The realm its users live in.
    pub realm: Realm,
    /// What people call it.
    pub name: String,
    /// The secret, sealed under the server's key; only the composition root can open it.
    pub sealed_secret: Vec<u8>,
    /// The secret before it, sealed, and until when it holds, ms since 1970.
    pub sealed_old_secret: Option<(Vec<u8>, i64)>,
    /// Switched off: nobody may call or log in with it.
    pub disabled: bool,
    /// How fast its users may send together; `None` = as the configuration says.
    pub rate: Option<Rate>,
}

/// The store of apps.
#[async_trait]
pub trait Apps: Send + Sync + 'static {
    /// One app.
    async fn app(&self, id: &AppId) -> StoreResult<Option<AppRecord>>;
    /// Creates or replaces an app; durable when it returns.
    async fn put_app(&self, app: &AppRecord) -> StoreResult<()>;
    /// All apps by id.
    async fn apps(&self) -> StoreResult<Vec<AppRecord>>;
}
