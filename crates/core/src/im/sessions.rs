//! Opening and closing sessions.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use super::{Credential, Im};
use crate::delivered::{self, DeviceKey, Given, MAX_DEVICE_ID_BYTES};
use crate::message::Origin;
use crate::refusal::Refusal;
use crate::session::presence::Turned;
use crate::session::{Delivery, Device, Ending, Mailbox, Session};

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
            device_flag: session.device.flag,
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
            app: login.app,
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
