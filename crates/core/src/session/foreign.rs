//! Logins with credentials that are not ours: the port behind which a host application, or a
//! rule that checks its tokens, says who somebody is (protocols/README.md A14).

use std::net::IpAddr;

use async_trait::async_trait;

use crate::directory::AppId;
use crate::id::Uid;
use crate::refusal::Refusal;

/// The headers of a login request that may carry a credential.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct ForeignHeaders {
    /// The header `token`, or what the dialect has in its place.
    pub token: Option<String>,
    /// The header `Authorization`, with its scheme.
    pub authorization: Option<String>,
    /// The header `Cookie`. The edge hands it on only where the request's origin allows that
    /// (contract.md §3).
    pub cookie: Option<String>,
}

impl ForeignHeaders {
    /// True if none is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let parts = [&self.token, &self.authorization, &self.cookie];
        parts.into_iter().flatten().all(String::is_empty)
    }
}

// Credentials do not belong into a log.
impl std::fmt::Debug for ForeignHeaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ForeignHeaders")
            .field("token", &self.token.is_some())
            .field("authorization", &self.authorization.is_some())
            .field("cookie", &self.cookie.is_some())
            .finish()
    }
}

/// A login with a credential that is not ours.
#[derive(Clone)]
pub struct ForeignLogin {
    /// What the edge calls the dialect; a label for the host application.
    pub dialect: &'static str,
    /// The app that decides.
    pub app_id: AppId,
    /// The path or verb that was called.
    pub route: String,
    /// Headers that may carry a credential.
    pub headers: ForeignHeaders,
    /// The query string as it came, without `?`.
    pub query: String,
    /// All texts that may be a token, wherever they stood.
    pub credentials: Vec<String>,
    /// Who the client says it is.
    pub claimed_uid: Option<Uid>,
    /// Where it comes from.
    pub ip: IpAddr,
    /// What is remembered of earlier answers must not be used.
    pub is_fresh: bool,
}

/// Who a foreign credential speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignIdentity {
    /// The user, of the app's realm.
    pub uid: Uid,
    /// When the credential was issued or vouched for, ms since 1970; 0 if nobody knows.
    /// A revocation of the user's tokens voids what is not younger.
    pub issued_at_ms: i64,
    /// Until when it holds, ms since 1970; `None` = it does not say.
    pub expires_at_ms: Option<i64>,
    /// What the host application calls the user; nothing here depends on it.
    pub roles: Vec<String>,
}

/// Who decides on foreign credentials.
#[async_trait]
pub trait ForeignLogins: Send + Sync + 'static {
    /// True if this app decides on credentials of its own.
    fn serves(&self, app: &AppId) -> bool;

    /// Who the credential speaks for.
    ///
    /// # Errors
    /// `NotAuthenticated` if the app does not know it, or knows it as somebody else's than
    /// the one claimed; `Unavailable` if nobody could say.
    async fn identify(&self, login: &ForeignLogin) -> Result<ForeignIdentity, Refusal>;
}
