//! Credentials of sessions, and what each of them proves.

use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Im, Login, LoginRequest, LoginScope, OpenSession};
use crate::directory::{AppId, Registration, UserState};
use crate::id::{Realm, Uid, UserNum, UserRef};
use crate::refusal::Refusal;
use crate::session::DeviceLevel;

/// The flags of devices: app, web, pc.
const FLAGS: [u8; 3] = [0, 1, 2];

/// Who a client is, and how it proves that.
#[derive(Clone)]
pub enum Credential {
    /// The token registered for the user's device flag, a user token, or one that a host
    /// application knows.
    Token {
        /// The realm of the listener.
        realm: Realm,
        /// Who it says it is.
        uid: Uid,
        /// The token.
        token: String,
        /// What the edge calls the dialect; a label for host applications.
        dialect: &'static str,
    },
    /// Nothing is checked, because the operator has switched that off; names not known yet
    /// become users.
    Unchecked {
        /// The realm of the listener.
        realm: Realm,
        /// Who it says it is.
        uid: Uid,
    },
    /// Whatever a login takes; realm and user are those that it says.
    Login(Box<LoginRequest>),
    /// The edge has had it proven by an earlier [`login`](Im::login), and knows the client
    /// by something of its own that nobody can guess.
    Proven(Box<Login>),
    /// The token of a registered device; the session runs on that device, whatever else is
    /// said of it.
    Registered {
        /// Who the client says it is: uid or alias; `None` = it does not say.
        claimed_uid: Option<Uid>,
        /// The token.
        token: String,
    },
    /// A holder of the app's secret says who the client is, and the edge has checked that it
    /// does: a signed address. A name not known yet becomes a user.
    Vouched {
        /// The app.
        app: AppId,
        /// Who the client is.
        uid: Uid,
        /// When that was said, as revocations count, ms since 1970.
        at_ms: i64,
    },
}

// Credentials do not belong into a log.
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token { uid, .. } => write!(f, "a token of {uid}"),
            Self::Unchecked { uid, .. } => write!(f, "{uid}, unchecked"),
            Self::Login(request) => request.fmt(f),
            Self::Registered { .. } => f.write_str("a token of a registered device"),
            Self::Proven(login) => write!(f, "{}, proven", login.user.uid),
            Self::Vouched { app, uid, .. } => write!(f, "{uid}, vouched for by {app}"),
        }
    }
}

/// What a credential has proven.
pub(super) struct Proven {
    pub(super) realm: Realm,
    pub(super) app: Option<AppId>,
    pub(super) state: Arc<UserState>,
    pub(super) level: DeviceLevel,
    /// When, if that is how revocations are judged.
    pub(super) proven_at_ms: Option<i64>,
    pub(super) expires_at_ms: Option<i64>,
    pub(super) registration: Option<Arc<Registration>>,
}

impl Proven {
    fn by_login(login: &Login, state: Arc<UserState>) -> Self {
        Self {
            realm: login.realm.clone(),
            app: login.app.clone(),
            state,
            level: DeviceLevel::Slave,
            proven_at_ms: Some(login.proven_at_ms),
            expires_at_ms: login.expires_at_ms,
            registration: None,
        }
    }
}

impl Im {
    /// Checks a credential, as often as the throttle lets it.
    pub(super) async fn prove(&self, request: &OpenSession) -> Result<Proven, Refusal> {
        let uid = match &request.credential {
            Credential::Token { uid, .. } | Credential::Unchecked { uid, .. } => Some(uid),
            Credential::Registered { claimed_uid, .. } => claimed_uid.as_ref(),
            _ => {
                return self
                    .authenticate(&request.credential, request.device_flag)
                    .await;
            }
        };
        if !self.throttle.allows(request.peer, uid) {
            return Err(Refusal::LoginThrottled);
        }
        let mut proven = self
            .authenticate(&request.credential, request.device_flag)
            .await;
        if proven.as_ref().err() == Some(&Refusal::NotAuthenticated) {
            proven = self.prove_elsewhere(request).await;
        }
        if proven.as_ref().err() == Some(&Refusal::NotAuthenticated) {
            self.throttle.failed(request.peer, uid);
        }
        proven
    }

    /// A token that is not ours may be the host application's.
    async fn prove_elsewhere(&self, request: &OpenSession) -> Result<Proven, Refusal> {
        let Credential::Token {
            realm,
            uid,
            token,
            dialect,
        } = &request.credential
        else {
            return Err(Refusal::NotAuthenticated);
        };
        let scope = LoginScope::Realm(realm.clone());
        let mut login = LoginRequest::new(scope, dialect, "CONNECT", request.peer);
        login.claimed_uid = Some(uid.clone());
        login.credentials.push(token.clone());
        let proof = self.identify(&login).await?;
        Ok(Proven::by_login(&proof.login, proof.state))
    }

    pub(super) async fn authenticate(
        &self,
        credential: &Credential,
        flag: u8,
    ) -> Result<Proven, Refusal> {
        let users = &self.parts.users;
        match credential {
            Credential::Token {
                realm, uid, token, ..
            } => self.authenticate_token(realm, uid, token, flag).await,
            Credential::Unchecked { realm, uid } => {
                let user = self.ensure_user(realm, uid).await?;
                Ok(Proven {
                    realm: realm.clone(),
                    app: None,
                    state: users.state(user.num).await?,
                    level: DeviceLevel::Slave,
                    proven_at_ms: None,
                    expires_at_ms: None,
                    registration: None,
                })
            }
            Credential::Login(request) => {
                let proof = self.prove_login(request).await?;
                Ok(Proven::by_login(&proof.login, proof.state))
            }
            Credential::Registered { claimed_uid, token } => {
                self.authenticate_registered(claimed_uid.as_ref(), token)
                    .await
            }
            Credential::Proven(login) => {
                let state = users.state(login.user.num).await?;
                let now_ms = self.parts.clock.now_ms();
                let is_expired = login.expires_at_ms.is_some_and(|at_ms| at_ms <= now_ms);
                if is_expired || self.is_revoked(&state, login.proven_at_ms) {
                    return Err(Refusal::NotAuthenticated);
                }
                Ok(Proven::by_login(login, state))
            }
            Credential::Vouched { app, uid, at_ms } => {
                let app = self.apps.get(app).ok_or(Refusal::NotAuthenticated)?;
                let user = self.ensure_user(&app.realm, uid).await?;
                let state = users.state(user.num).await?;
                if self.is_revoked(&state, *at_ms) {
                    return Err(Refusal::NotAuthenticated);
                }
                Ok(Proven {
                    realm: app.realm,
                    app: Some(app.id),
                    state,
                    level: DeviceLevel::Slave,
                    proven_at_ms: Some(*at_ms),
                    expires_at_ms: None,
                    registration: None,
                })
            }
        }
    }

    /// The user whom a token of any sort speaks for: one registered for one of the user's
    /// device flags, or a user token. A proof for one request, not for a session; failures
    /// count like those of logins.
    ///
    /// # Errors
    /// `LoginThrottled`, `NotAuthenticated`, `UserBanned`, or when the store fails.
    pub async fn check_token(
        &self,
        realm: &Realm,
        uid: &Uid,
        token: &str,
        peer: IpAddr,
    ) -> Result<UserRef, Refusal> {
        if !self.throttle.allows(peer, Some(uid)) {
            return Err(Refusal::LoginThrottled);
        }
        for flag in FLAGS {
            match self.authenticate_token(realm, uid, token, flag).await {
                Ok(proven) if proven.state.record.flags.ban => return Err(Refusal::UserBanned),
                Ok(proven) => return Ok(proven.state.record.user.clone()),
                Err(Refusal::NotAuthenticated) => {}
                Err(why) => return Err(why),
            }
        }
        self.throttle.failed(peer, Some(uid));
        Err(Refusal::NotAuthenticated)
    }

    /// The user of a realm whom a token of any sort speaks for, as with
    /// [`check_token`](Self::check_token), where it must say so by itself. A registered token
    /// that several users share says nothing.
    ///
    /// # Errors
    /// As with `check_token`.
    pub async fn token_user(
        &self,
        realm: &Realm,
        token: &str,
        peer: IpAddr,
    ) -> Result<UserRef, Refusal> {
        if !self.throttle.allows(peer, None) {
            return Err(Refusal::LoginThrottled);
        }
        let user = self.whose_token(realm, token).await;
        if user.as_ref().err() == Some(&Refusal::NotAuthenticated) {
            self.throttle.failed(peer, None);
        }
        let state = self.parts.users.state(user?).await?;
        if state.record.flags.ban {
            return Err(Refusal::UserBanned);
        }
        Ok(state.record.user.clone())
    }

    /// As [`token_user`](Self::token_user), for whoever counts failures themselves; the user may
    /// be banned.
    ///
    /// # Errors
    /// `NotAuthenticated`, or when the store fails.
    pub async fn whose_token(&self, realm: &Realm, token: &str) -> Result<UserNum, Refusal> {
        if token.is_empty() {
            return Err(Refusal::NotAuthenticated);
        }
        let offered: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let directory = &self.stores.directory;
        match directory.by_flag_token(realm, &offered, 2).await?[..] {
            [user] => return Ok(user),
            [] => {}
            _ => return Err(Refusal::NotAuthenticated),
        }
        let login = self.prove_token(token).await?.login;
        if login.realm == *realm {
            Ok(login.user.num)
        } else {
            Err(Refusal::NotAuthenticated)
        }
    }

    async fn authenticate_registered(
        &self,
        claimed: Option<&Uid>,
        token: &str,
    ) -> Result<Proven, Refusal> {
        let (login, registration) = self.registered(token).await?;
        let (realm, uid) = (&login.realm, &login.user.uid);
        let is_claimed = |claimed: &Uid| {
            claimed == uid || claimed.as_str() == self.aliases().of(realm, uid).as_str()
        };
        if !claimed.is_none_or(is_claimed) {
            return Err(Refusal::NotAuthenticated);
        }
        let state = self.parts.users.state(login.user.num).await?;
        let mut proven = Proven::by_login(&login, state);
        proven.registration = Some(Arc::new(registration));
        Ok(proven)
    }

    async fn authenticate_token(
        &self,
        realm: &Realm,
        uid: &Uid,
        token: &str,
        flag: u8,
    ) -> Result<Proven, Refusal> {
        if token.is_empty() {
            return Err(Refusal::NotAuthenticated);
        }
        let users = &self.parts.users;
        if let Some(user) = users.find(realm, uid).await? {
            let offered: [u8; 32] = Sha256::digest(token.as_bytes()).into();
            let registered = self.stores.directory.flag_token(user.num, flag).await?;
            // Digests are compared, so the time this takes tells nothing of the token.
            if let Some(registered) = registered.filter(|r| r.hash == Some(offered)) {
                return Ok(Proven {
                    realm: realm.clone(),
                    app: None,
                    state: users.state(user.num).await?,
                    level: registered.level,
                    proven_at_ms: None,
                    expires_at_ms: None,
                    registration: None,
                });
            }
        }
        let proof = self.prove_token(token).await?;
        let login = &proof.login;
        if login.realm != *realm || login.user.uid != *uid {
            return Err(Refusal::NotAuthenticated);
        }
        let mut proven = Proven::by_login(login, proof.state);
        // The token itself is looked at again.
        proven.proven_at_ms = None;
        Ok(proven)
    }
}
