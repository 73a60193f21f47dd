//! Logins: who a set of credentials speaks for, whichever of them is ours and whichever a
//! host application's (contract.md §4, protocols/README.md A14).

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Im;
use crate::directory::{Alias, App, AppId, UserState};
use crate::id::{Realm, Uid, UserRef};
use crate::refusal::Refusal;
use crate::session::foreign::{ForeignHeaders, ForeignIdentity, ForeignLogin, ForeignLogins};
use crate::session::token;

/// Texts of one request that are tried as tokens; more are not looked at.
const MAX_CREDENTIALS: usize = 4;

/// Where a login wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginScope {
    /// To the realm of an app; that app decides on foreign credentials.
    App(AppId),
    /// To a realm; its apps decide on foreign credentials, in the order of their ids.
    Realm(Realm),
    /// To wherever its user token belongs; with a foreign credential to this realm.
    Token(Realm),
}

/// What somebody shows who wants to log in.
#[derive(Clone)]
pub struct LoginRequest {
    /// Where to.
    pub scope: LoginScope,
    /// Who it says it is: uid or alias. `None` = whoever the credential says.
    pub claimed_uid: Option<Uid>,
    /// Texts that may be a token, best first: header, bearer, query, password. Empty ones
    /// are passed over.
    pub credentials: Vec<String>,
    /// What the edge calls the dialect; a label for host applications.
    pub dialect: &'static str,
    /// The path or verb that was called, for host applications.
    pub route: String,
    /// Headers that may carry a foreign credential.
    pub headers: ForeignHeaders,
    /// The query string as it came, without `?`.
    pub query: String,
    /// Where it comes from.
    pub peer: IpAddr,
}

impl LoginRequest {
    /// A request that shows nothing yet.
    #[must_use]
    pub fn new(scope: LoginScope, dialect: &'static str, route: &str, peer: IpAddr) -> Self {
        Self {
            scope,
            claimed_uid: None,
            credentials: Vec::new(),
            dialect,
            route: route.to_owned(),
            headers: ForeignHeaders::default(),
            query: String::new(),
            peer,
        }
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let all = self.credentials.iter().map(String::as_str);
        all.filter(|text| !text.is_empty()).take(MAX_CREDENTIALS)
    }

    fn has_foreign(&self) -> bool {
        !self.headers.is_empty() || !self.query.is_empty() || self.texts().next().is_some()
    }
}

// Credentials do not belong into a log.
impl std::fmt::Debug for LoginRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginRequest")
            .field("scope", &self.scope)
            .field("claimed_uid", &self.claimed_uid)
            .field("dialect", &self.dialect)
            .field("route", &self.route)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// A login that was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The realm.
    pub realm: Realm,
    /// The app that the credential is of.
    pub app: Option<AppId>,
    /// The user, who exists.
    pub user: UserRef,
    /// Until when the credential holds, ms since 1970; `None` = it does not say.
    pub expires_at_ms: Option<i64>,
    /// From when the credential is, ms since 1970; 0 = it does not say. What is built on the
    /// login (a session id, a signed address) is void like the credential itself once the
    /// user's tokens are revoked later than this.
    pub proven_at_ms: i64,
    /// What a host application calls the user.
    pub roles: Vec<String>,
}

/// A credential that holds.
pub(super) struct Proof {
    pub(super) login: Login,
    pub(super) state: Arc<UserState>,
}

impl Im {
    /// Sets who decides on credentials that are not ours. The first call counts.
    pub fn set_foreign_logins(&self, logins: Arc<dyn ForeignLogins>) {
        if self.foreign.set(logins).is_err() {
            tracing::warn!("who decides on foreign logins is set already");
        }
    }

    /// Finds out who somebody is. A user token of ours is tried first, then the host
    /// application is asked. The user exists afterwards.
    ///
    /// # Errors
    /// `LoginThrottled`, `NotAuthenticated` (also for an app that does not exist, and if the
    /// credential is somebody else's than the one claimed), `UserBanned`, `Unavailable` if
    /// the host application cannot be asked, or when the store fails.
    pub async fn login(&self, request: &LoginRequest) -> Result<Login, Refusal> {
        Ok(self.prove_login(request).await?.login)
    }

    pub(super) async fn prove_login(&self, request: &LoginRequest) -> Result<Proof, Refusal> {
        let claimed = request.claimed_uid.as_ref();
        if !self.throttle.allows(request.peer, claimed) {
            return Err(Refusal::LoginThrottled);
        }
        let proof = self.identify(request).await;
        if proof.as_ref().err() == Some(&Refusal::NotAuthenticated) {
            self.throttle.failed(request.peer, claimed);
        }
        let proof = proof?;
        if proof.state.record.flags.ban {
            return Err(Refusal::UserBanned);
        }
        Ok(proof)
    }

    pub(super) async fn identify(&self, request: &LoginRequest) -> Result<Proof, Refusal> {
        let app = match &request.scope {
            LoginScope::App(id) => Some(self.apps.get(id).ok_or(Refusal::NotAuthenticated)?),
            LoginScope::Realm(_) | LoginScope::Token(_) => None,
        };
        let realm = match (&request.scope, &app) {
            (LoginScope::Realm(realm), _) => Some(realm),
            (_, app) => app.as_ref().map(|app| &app.realm),
        };
        let mut proven: Option<Proof> = None;
        let mut is_ours = false;
        for text in request.texts() {
            let proof = match self.prove_token(text).await {
                Ok(proof) => proof,
                Err(Refusal::NotAuthenticated) => {
                    is_ours |= token::is_signed_by_us(text, &self.apps);
                    continue;
                }
                Err(why) => return Err(why),
            };
            // One is enough, but two must agree.
            let agrees = proven.as_ref().is_none_or(|it| {
                let (one, other) = (&it.login, &proof.login);
                one.realm == other.realm && one.user == other.user
            });
            if !agrees || realm.is_some_and(|realm| *realm != proof.login.realm) {
                return Err(Refusal::NotAuthenticated);
            }
            let later = |it: &Proof| it.login.expires_at_ms < proof.login.expires_at_ms;
            if proven.as_ref().is_none_or(later) {
                proven = Some(proof);
            }
        }
        if let Some(proof) = proven {
            self.check_claim(request, &proof.login)?;
            return Ok(proof);
        }
        // What we have signed is ours to refuse: no other may let it pass.
        if is_ours || !request.has_foreign() {
            return Err(Refusal::NotAuthenticated);
        }
        self.ask_apps(request, app).await
    }

    /// The claim must name the user, by uid or alias.
    fn check_claim(&self, request: &LoginRequest, login: &Login) -> Result<(), Refusal> {
        let Some(claimed) = &request.claimed_uid else {
            return Ok(());
        };
        let (realm, uid) = (&login.realm, &login.user.uid);
        if claimed == uid || claimed.as_str() == self.aliases().of(realm, uid).as_str() {
            Ok(())
        } else {
            Err(Refusal::NotAuthenticated)
        }
    }

    /// Has the app decide, or those of the realm until one knows the credential: they share
    /// their users, so each of them may.
    async fn ask_apps(&self, request: &LoginRequest, app: Option<App>) -> Result<Proof, Refusal> {
        let foreign = self.foreign.get().ok_or(Refusal::NotAuthenticated)?;
        let apps = match (app, &request.scope) {
            (Some(app), _) => vec![app],
            (None, LoginScope::Realm(realm) | LoginScope::Token(realm)) => {
                let mut apps = self.apps.all();
                apps.retain(|app| app.realm == *realm && !app.disabled);
                apps
            }
            (None, LoginScope::App(_)) => Vec::new(),
        };
        let mut refusal = Refusal::NotAuthenticated;
        for app in apps.iter().filter(|app| foreign.serves(&app.id)) {
            match self.ask_app(request, app, &**foreign).await {
                Ok(proof) => return Ok(proof),
                Err(Refusal::NotAuthenticated) => {}
                Err(why) => refusal = why,
            }
        }
        Err(refusal)
    }

    async fn ask_app(
        &self,
        request: &LoginRequest,
        app: &App,
        foreign: &dyn ForeignLogins,
    ) -> Result<Proof, Refusal> {
        let claimed_uid = match &request.claimed_uid {
            // The host application knows no aliases.
            Some(claimed) => match Alias::parse(claimed.as_str()) {
                Some(alias) => {
                    let user = self.parts.users.by_alias(&app.realm, &alias).await?;
                    Some(user.map_or_else(|| claimed.clone(), |user| user.uid))
                }
                None => Some(claimed.clone()),
            },
            None => None,
        };
        let mut login = ForeignLogin {
            dialect: request.dialect,
            app_id: app.id.clone(),
            route: request.route.clone(),
            headers: request.headers.clone(),
            query: request.query.clone(),
            credentials: request.texts().map(str::to_owned).collect(),
            claimed_uid,
            ip: request.peer,
            is_fresh: false,
        };
        let identity = foreign.identify(&login).await?;
        if let Some(proof) = self.admit_foreign(&login, app, identity).await? {
            return Ok(proof);
        }
        // Revoked since: what the app said before that no longer counts.
        login.is_fresh = true;
        let identity = foreign.identify(&login).await?;
        let admitted = self.admit_foreign(&login, app, identity).await?;
        admitted.ok_or(Refusal::NotAuthenticated)
    }

    /// The login that an app has granted; `None` if it is older than a revocation.
    async fn admit_foreign(
        &self,
        login: &ForeignLogin,
        app: &App,
        identity: ForeignIdentity,
    ) -> Result<Option<Proof>, Refusal> {
        let now_ms = self.parts.clock.now_ms();
        let is_expired = identity.expires_at_ms.is_some_and(|at_ms| at_ms <= now_ms);
        let is_other = login
            .claimed_uid
            .as_ref()
            .is_some_and(|uid| *uid != identity.uid);
        if is_expired || is_other {
            return Err(Refusal::NotAuthenticated);
        }
        let user = self.ensure_user(&app.realm, &identity.uid).await?;
        let state = self.parts.users.state(user.num).await?;
        if self.is_revoked(&state, identity.issued_at_ms) {
            return Ok(None);
        }
        self.seen(identity.issued_at_ms);
        let login = Login {
            realm: app.realm.clone(),
            app: Some(app.id.clone()),
            user,
            expires_at_ms: identity.expires_at_ms,
            proven_at_ms: identity.issued_at_ms,
            roles: identity.roles,
        };
        Ok(Some(Proof { login, state }))
    }

    /// Who a user token speaks for, and until when.
    pub(super) async fn prove_token(&self, text: &str) -> Result<Proof, Refusal> {
        let (app, claims) = token::verify(text, &self.apps, &*self.parts.clock)?;
        let uid = Uid::parse(&claims.sub).map_err(|_| Refusal::NotAuthenticated)?;
        // The business backend may sign with its own library: the user exists from the
        // first token that is seen.
        let user = self.ensure_user(&app.realm, &uid).await?;
        let state = self.parts.users.state(user.num).await?;
        let now_ms = self.parts.clock.now_ms();
        let issued_at_ms = claims.issued_at_ms();
        if self.is_revoked(&state, issued_at_ms)
            || claims.is_from_the_future(now_ms, state.record.tokens_after_ms)
        {
            return Err(Refusal::NotAuthenticated);
        }
        self.seen(issued_at_ms);
        let login = Login {
            realm: app.realm,
            app: Some(app.id),
            user,
            expires_at_ms: Some(claims.exp.saturating_mul(1000)),
            proven_at_ms: issued_at_ms,
            roles: Vec::new(),
        };
        Ok(Proof { login, state })
    }

    /// True if what was issued then was revoked since.
    pub(super) fn is_revoked(&self, state: &UserState, issued_at_ms: i64) -> bool {
        let revoked_at_ms = state.record.tokens_after_ms;
        revoked_at_ms > 0 && issued_at_ms <= revoked_at_ms
    }

    /// A credential of that time has been seen: later revocations void it, even if the clock
    /// steps back before.
    fn seen(&self, issued_at_ms: i64) {
        self.newest_token_ms
            .fetch_max(issued_at_ms, Ordering::SeqCst);
    }
}
