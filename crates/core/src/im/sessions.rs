//! Opening and closing sessions.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

use super::{Im, Login, LoginRequest, LoginScope};
use crate::delivered::{self, DeviceKey, Given, MAX_DEVICE_ID_BYTES};
use crate::directory::{AppId, Registration, UserState};
use crate::id::{Realm, Uid, UserRef};
use crate::message::Origin;
use crate::refusal::Refusal;
use crate::session::presence::Turned;
use crate::session::{Delivery, Device, DeviceLevel, Ending, Mailbox, Session};

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

/// A request for a session.
#[derive(Debug, Clone)]
pub struct OpenSession {
    /// Who the client is.
    pub credential: Credential,
    /// The dialect.
    pub origin: Origin,
    /// The client's own id of its device.
    pub device_id: Arc<str>,
    /// The kind of device.
    pub device_flag: u8,
    /// How it is given messages.
    pub delivery: Delivery,
    /// Whether it gets copies of what the user sends elsewhere.
    pub sync_own: bool,
    /// How many sessions of the user and dialect there may be, with this one: the oldest of
    /// more give way; 0 = any number.
    pub max_sessions: usize,
    /// Where it comes from.
    pub peer: IpAddr,
}

/// What a credential has proven.
struct Proven {
    realm: Realm,
    app: Option<AppId>,
    state: Arc<UserState>,
    level: DeviceLevel,
    /// When, if that is how revocations are judged.
    proven_at_ms: Option<i64>,
    expires_at_ms: Option<i64>,
    registration: Option<Arc<Registration>>,
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
    /// Opens a session: checks the credential, ends the sessions that give way to it, and
    /// sees to it that whatever is sent from now on reaches it. The caller must close it. If
    /// the caller goes away before this returns, or it fails, there is no session.
    ///
    /// # Errors
    /// `LoginThrottled`, `NotAuthenticated`, `UserBanned`, or when the store fails.
    pub async fn open_session(&self, request: OpenSession) -> Result<Arc<Session>, Refusal> {
        let proven = self.prove(&request).await?;
        if proven.state.record.flags.ban {
            return Err(Refusal::UserBanned);
        }
        let user = proven.state.record.user.clone();
        let again = request.credential.clone();
        let delivery = request.delivery;
        let unwritten = self.ledger.unwritten();
        let opened_at_ms = self.parts.clock.now_ms();
        let limits = self.policy.mailbox;
        let budget = self.budgets.of(user.num);
        let max = request.max_sessions;
        let registration = proven.registration;
        let device_id = match &registration {
            Some(registration) => registration.device_id.as_str().into(),
            None => request.device_id,
        };
        self.check_device(&proven.realm, &device_id)?;
        self.check_app(proven.app.as_ref())?;
        let (session, displaced, is_first) = self.parts.hub.open(user.num, max, |id| Session {
            id,
            user: user.clone(),
            realm: proven.realm.clone(),
            origin: request.origin,
            device: Device {
                id: device_id,
                flag: request.device_flag,
                level: proven.level,
            },
            delivery,
            sync_own: request.sync_own,
            met: OnceLock::new(),
            registration: registration.clone(),
            peer: request.peer,
            opened_at_ms,
            app: proven.app.clone(),
            expires_at_ms: proven.expires_at_ms,
            mailbox: Mailbox::new(limits, delivery, unwritten),
            receipts: self.parts.hub.receipts(),
            budget,
            screened: OnceLock::new(),
        });
        let opening = Opening {
            im: self,
            session,
            is_open: false,
        };
        let session = &opening.session;
        // After the hub knows the session: whoever looks from now on finds it there.
        session.mailbox.begin(self.parts.positions.head());
        tracing::debug!(session = session.id.0, user = %user.uid, displaced, "session opened");
        self.confirm(session, &again, request.device_flag, proven.proven_at_ms)
            .await?;
        // Likewise: a lane that builds its set now finds the session in the hub.
        let channels = self.stores.channels.of_user(user.num).await?;
        self.lanes.opened(session, channels).await;
        delivered::begin(session, &self.ledger).await?;
        if is_first {
            self.turned(session, true);
        }
        self.comings.opened(session, is_first);
        Ok(opening.done())
    }

    /// What was revoked while the session was being opened did not find it in the hub: the
    /// credential must hold still, and the server must not be stopping.
    async fn confirm(
        &self,
        session: &Session,
        credential: &Credential,
        flag: u8,
        proven_at_ms: Option<i64>,
    ) -> Result<(), Refusal> {
        if self.stopping.load(Ordering::SeqCst) {
            session.mailbox.end(Ending::ShuttingDown);
        }
        let state = match proven_at_ms {
            Some(proven_at_ms) => {
                let state = self.parts.users.state(session.user.num).await?;
                if self.is_revoked(&state, proven_at_ms) {
                    return Err(Refusal::NotAuthenticated);
                }
                state
            }
            None => self.authenticate(credential, flag).await?.state,
        };
        if state.record.flags.ban {
            return Err(Refusal::UserBanned);
        }
        // They may have been banned and switched off meanwhile.
        self.check_device(&session.realm, &session.device.id)?;
        self.check_app(session.app.as_ref())?;
        if let Credential::Registered { token, .. } = credential {
            self.registered(token).await?;
        }
        Ok(())
    }

    /// Checks a credential, as often as the throttle lets it.
    async fn prove(&self, request: &OpenSession) -> Result<Proven, Refusal> {
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

    async fn authenticate(&self, credential: &Credential, flag: u8) -> Result<Proven, Refusal> {
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

    /// Closes a session; what waits for it is dropped, and comes again where the dialect
    /// offers what a device was not given. Nothing is left undone if the caller goes away.
    pub async fn close_session(&self, session: &Session) {
        session.mailbox.settle();
        // First, so that a session that comes after it on the same device finds it.
        let unplaced = self.ledger.leaves(session);
        self.leave(session);
        if let Some(given) = unplaced {
            self.ledger.keep_later(given).await;
        }
    }

    /// Reports that a user has come or gone.
    fn turned(&self, session: &Session, is_online: bool) {
        self.reports.report(Turned {
            realm: session.realm.clone(),
            user: session.user.clone(),
            is_online,
        });
    }

    /// A session's client has said on which device it runs, where the dialect says that only
    /// after the session was opened. Older sessions of the user and dialect on that device
    /// give way. True if the device was never seen.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn meet_device(&self, session: &Session, device: &str) -> Result<bool, Refusal> {
        let id: Arc<str> = device.into();
        self.parts.hub.met(session, &id);
        if self.check_device(&session.realm, device).is_err() {
            session.mailbox.end(Ending::Kicked);
        }
        if !(1..=MAX_DEVICE_ID_BYTES).contains(&id.len()) {
            return Ok(false);
        }
        let key = DeviceKey {
            user: session.user.num,
            origin: session.origin,
            id,
        };
        let is_new = self.stores.devices.given(&key).await?.is_none();
        if is_new {
            let seen = vec![(key, Given::default())];
            self.stores.devices.absorb(seen).await?;
        }
        Ok(is_new)
    }

    /// Takes a session out of hub and lanes.
    fn leave(&self, session: &Session) {
        let is_last = self.parts.hub.close(session);
        if is_last {
            self.turned(session, false);
        }
        self.comings.closed(session, is_last);
        self.lanes.closed(session.id, &self.tasks);
        tracing::debug!(session = session.id.0, user = %session.user.uid, "session closed");
    }

    /// Who a user token speaks for.
    ///
    /// # Errors
    /// `NotAuthenticated` if it is wrong, expired, revoked, or its user does not exist.
    pub async fn verify_user_token(&self, text: &str) -> Result<super::Identity, Refusal> {
        let login = self.prove_token(text).await?.login;
        Ok(super::Identity {
            realm: login.realm,
            user: login.user,
        })
    }
}

/// A session on its way: unless it comes to its end, nothing of it stays.
struct Opening<'a> {
    im: &'a Im,
    session: Arc<Session>,
    is_open: bool,
}

impl Opening<'_> {
    fn done(mut self) -> Arc<Session> {
        self.is_open = true;
        Arc::clone(&self.session)
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        if !self.is_open {
            self.im.leave(&self.session);
        }
    }
}
