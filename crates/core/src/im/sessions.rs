//! Opening and closing sessions.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sha2::{Digest, Sha256};

use super::Im;
use crate::deliver::resync::resync;
use crate::directory::UserState;
use crate::id::{Realm, Uid};
use crate::message::Origin;
use crate::refusal::Refusal;
use crate::session::{Device, DeviceLevel, Ending, Mailbox, Session, token};

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
    /// Whether it gets copies of what the user sends elsewhere.
    pub sync_own: bool,
    /// Where it comes from.
    pub peer: IpAddr,
}

impl Im {
    /// Opens a session: checks the credential, ends the sessions that give way to it, and
    /// sees to it that whatever is sent from now on reaches it. The caller must close it.
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
            sync_own: request.sync_own,
            peer: request.peer,
            opened_at_ms,
            mailbox: Mailbox::new(limits),
            budget,
        });
        tracing::debug!(session = session.id.0, user = %user.uid, displaced, "session opened");
        if let Err(why) = self.confirm(&session, &again).await {
            self.close_session(&session).await;
            return Err(why);
        }
        // After the hub knows the session: a lane that builds its set now finds it there.
        match self.stores.channels.of_user(user.num).await {
            Ok(channels) => self.lanes.opened(&session, channels).await,
            Err(error) => {
                self.close_session(&session).await;
                return Err(error.into());
            }
        }
        Ok(session)
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

    /// Closes a session; what waits for it is dropped.
    pub async fn close_session(&self, session: &Session) {
        self.parts.hub.close(session);
        self.lanes.closed(session.id).await;
        tracing::debug!(session = session.id.0, user = %session.user.uid, "session closed");
    }

    /// Reads back some of what a session missed because it was too slow. To be called when
    /// a drained mailbox says that it is behind.
    ///
    /// # Errors
    /// When the store fails; nothing is lost.
    pub async fn resync(&self, session: &Session) -> Result<bool, Refusal> {
        Ok(resync(session, &self.stores).await?)
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
        if revoked_at_ms > 0 && claims.issued_at_ms() <= revoked_at_ms {
            return Err(Refusal::NotAuthenticated);
        }
        Ok(super::Identity {
            realm: app.realm,
            user,
        })
    }
}
