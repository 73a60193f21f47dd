//! Opening and closing sessions.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sha2::{Digest, Sha256};

use super::Im;
use crate::directory::UserState;
use crate::id::{Realm, Uid};
use crate::message::Origin;
use crate::refusal::Refusal;
use crate::session::{Delivery, Device, DeviceLevel, Ending, Mailbox, Session, token};

/// How a client proves who it is.
#[derive(Debug, Clone)]
pub enum Credential {
    /// The token registered for the user's device flag, or a user token.
    Token(String),
    /// Nothing is checked, because the operator has switched that off; names not known yet
    /// become users.
    Unchecked,
}

/// A request for a session.
#[derive(Debug, Clone)]
pub struct OpenSession {
    /// The realm of the listener.
    pub realm: Realm,
    /// Who it says it is.
    pub uid: Uid,
    /// How it proves that.
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
    /// Where it comes from.
    pub peer: IpAddr,
}

impl Im {
    /// Opens a session: checks the credential, ends the sessions that give way to it, and
    /// sees to it that whatever is sent from now on reaches it. The caller must close it. If
    /// the caller goes away before this returns, or it fails, there is no session.
    ///
    /// # Errors
    /// `LoginThrottled`, `NotAuthenticated`, `UserBanned`, or when the store fails.
    pub async fn open_session(&self, request: OpenSession) -> Result<Arc<Session>, Refusal> {
        if !self.throttle.allows(request.peer, &request.uid) {
            return Err(Refusal::LoginThrottled);
        }
        let authenticated = self.authenticate(&request).await;
        if authenticated.as_ref().err() == Some(&Refusal::NotAuthenticated) {
            self.throttle.failed(request.peer, &request.uid);
        }
        let (state, level) = authenticated?;
        if state.record.flags.ban {
            return Err(Refusal::UserBanned);
        }
        let user = state.record.user.clone();
        let again = request.clone();
        let delivery = request.delivery;
        let unwritten = self.ledger.unwritten();
        let opened_at_ms = self.parts.clock.now_ms();
        let limits = self.policy.mailbox;
        let budget = self.budgets.of(user.num);
        let (session, displaced) = self.parts.hub.open(user.num, |id| Session {
            id,
            user: user.clone(),
            realm: request.realm,
            origin: request.origin,
            device: Device {
                id: request.device_id,
                flag: request.device_flag,
                level,
            },
            delivery,
            sync_own: request.sync_own,
            peer: request.peer,
            opened_at_ms,
            mailbox: Mailbox::new(limits, delivery, unwritten),
            budget,
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
        self.confirm(session, &again).await?;
        // Likewise: a lane that builds its set now finds the session in the hub.
        let channels = self.stores.channels.of_user(user.num).await?;
        self.lanes.opened(session, channels).await;
        Ok(opening.done())
    }

    /// What was revoked while the session was being opened did not find it in the hub: the
    /// credential must hold still, and the server must not be stopping.
    async fn confirm(&self, session: &Session, request: &OpenSession) -> Result<(), Refusal> {
        if self.stopping.load(Ordering::SeqCst) {
            session.mailbox.end(Ending::ShuttingDown);
        }
        let (state, _) = self.authenticate(request).await?;
        if state.record.flags.ban {
            return Err(Refusal::UserBanned);
        }
        Ok(())
    }

    async fn authenticate(
        &self,
        request: &OpenSession,
    ) -> Result<(Arc<UserState>, DeviceLevel), Refusal> {
        let users = &self.parts.users;
        let text = match &request.credential {
            Credential::Unchecked => {
                let user = self.ensure_user(&request.realm, &request.uid).await?;
                return Ok((users.state(user.num).await?, DeviceLevel::Slave));
            }
            Credential::Token(text) if text.is_empty() => return Err(Refusal::NotAuthenticated),
            Credential::Token(text) => text,
        };
        if let Some(user) = users.find(&request.realm, &request.uid).await? {
            let offered: [u8; 32] = Sha256::digest(text.as_bytes()).into();
            let directory = &self.stores.directory;
            let registered = directory.flag_token(user.num, request.device_flag).await?;
            // Digests are compared, so the time this takes tells nothing of the token.
            if let Some(registered) = registered.filter(|r| r.hash == Some(offered)) {
                return Ok((users.state(user.num).await?, registered.level));
            }
        }
        let identity = self.verify_user_token(text).await?;
        if identity.realm == request.realm && identity.user.uid == request.uid {
            let state = users.state(identity.user.num).await?;
            Ok((state, DeviceLevel::Slave))
        } else {
            Err(Refusal::NotAuthenticated)
        }
    }

    /// Closes a session; what waits for it is dropped, and comes again where the dialect
    /// offers what a device was not given. Nothing is left undone if the caller goes away.
    pub async fn close_session(&self, session: &Session) {
        // First, so that a session that comes after it on the same device finds it.
        let unplaced = self.ledger.leaves(session);
        self.leave(session);
        if let Some(given) = unplaced {
            self.ledger.keep_later(given).await;
        }
    }

    /// Takes a session out of hub and lanes.
    fn leave(&self, session: &Session) {
        self.parts.hub.close(session);
        self.lanes.closed(session.id, &self.tasks);
        tracing::debug!(session = session.id.0, user = %session.user.uid, "session closed");
    }

    /// Who a user token speaks for.
    ///
    /// # Errors
    /// `NotAuthenticated` if it is wrong, expired, revoked, or its user does not exist.
    pub async fn verify_user_token(&self, text: &str) -> Result<super::Identity, Refusal> {
        let (app, claims) = token::verify(text, &self.apps, &*self.parts.clock)?;
        let uid = Uid::parse(&claims.sub).map_err(|_| Refusal::NotAuthenticated)?;
        // The business backend may sign with its own library: the user exists from the
        // first token that is seen.
        let user = self.ensure_user(&app.realm, &uid).await?;
        let state = self.parts.users.state(user.num).await?;
        let revoked_at_ms = state.record.tokens_after_ms;
        let is_revoked = revoked_at_ms > 0 && claims.issued_at_ms() <= revoked_at_ms;
        let now_ms = self.parts.clock.now_ms();
        if is_revoked || claims.is_from_the_future(now_ms, revoked_at_ms) {
            return Err(Refusal::NotAuthenticated);
        }
        // A revocation voids it, even if the clock steps back before.
        self.newest_token_ms
            .fetch_max(claims.issued_at_ms(), Ordering::SeqCst);
        Ok(super::Identity {
            realm: app.realm,
            user,
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
