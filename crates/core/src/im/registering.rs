//! Registered devices: giving them tokens, knowing them by these, and logging them out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Im, Login};
use crate::delivered::{DeviceKey, Given, MAX_DEVICE_ID_BYTES, Stretch};
use crate::directory::registration::token_digest;
use crate::directory::{
    App, DeviceReport, REGISTRATION_TOKEN_PREFIX, Registration, RegistrationChange, RegistrationKey,
};
use crate::id::{MessageId, UserRef};
use crate::message::Origin;
use crate::refusal::Refusal;
use crate::session::{Displacement, Ending, Session};

/// What a client says of its device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterDevice {
    /// The dialect.
    pub origin: Origin,
    /// The device's id, 1 to 255 bytes.
    pub device_id: String,
    /// Its operating system, as the dialect numbers them.
    pub os: i8,
    /// What else is said of it: JSON.
    pub details: String,
    /// Whose push service reaches it; empty = none.
    pub vendor: String,
    /// Its address there.
    pub push_token: Option<String>,
    /// What the dialect is to remember of it; `None` = what it remembers already.
    pub habit: Option<String>,
    /// How long its token holds, seconds.
    pub ttl_secs: i64,
}

/// A device that was registered.
#[derive(Debug, Clone)]
pub struct RegisteredDevice {
    /// The registration.
    pub registration: Registration,
    /// Its token: told once, and kept as a digest only.
    pub token: String,
}

impl Im {
    /// Registers a device of a user, who exists from then on, and gives it a new token. If
    /// its id was another user's, that user's registration is logged out.
    ///
    /// # Errors
    /// `InvalidArgument` if the device's id is empty or too long, `UserBanned`, or when the
    /// store fails.
    pub async fn register_device(
        &self,
        app: &App,
        user: &UserRef,
        request: RegisterDevice,
    ) -> Result<RegisteredDevice, Refusal> {
        if !(1..=MAX_DEVICE_ID_BYTES).contains(&request.device_id.len()) {
            return Err(Refusal::InvalidArgument);
        }
        let state = self.parts.users.state(user.num).await?;
        if state.record.flags.ban {
            return Err(Refusal::UserBanned);
        }
        self.check_device(&app.realm, &request.device_id)?;
        let key = RegistrationKey {
            user: user.num,
            origin: request.origin,
            device_id: request.device_id.clone(),
        };
        let before = self.stores.registrations.registration(&key).await?;
        let before = before.filter(|before| before.active);
        let mut secret = [0; 32];
        self.parts.clock.fill_random(&mut secret);
        let token = format!(
            "{REGISTRATION_TOKEN_PREFIX}{}",
            URL_SAFE_NO_PAD.encode(secret)
        );
        // What is made in the very ms of a revocation would be void.
        let now_ms = self.parts.clock.now_ms();
        let issued_at_ms = now_ms.max(state.record.tokens_after_ms + 1);
        let habit = request
            .habit
            .or_else(|| before.as_ref().map(|before| before.habit.clone()));
        let registration = Registration {
            user: user.num,
            realm: app.realm.clone(),
            origin: request.origin,
            device_id: request.device_id,
            app: app.id.clone(),
            os: request.os,
            details: request.details,
            vendor: request.vendor,
            push_token: request.push_token.filter(|token| !token.is_empty()),
            push_on: before.is_none_or(|before| before.push_on),
            active: true,
            token_hash: token_digest(&token),
            issued_at_ms,
            expires_at_ms: issued_at_ms.saturating_add(request.ttl_secs.saturating_mul(1000)),
            habit: habit.unwrap_or_default(),
        };
        let ended = self.stores.registrations.register(&registration).await?;
        for other in ended {
            self.end_device(&other, Ending::Displaced(Displacement::Kicked))
                .await;
        }
        Ok(RegisteredDevice {
            registration,
            token,
        })
    }

    /// Whose a registration's token is.
    ///
    /// # Errors
    /// `NotAuthenticated` if there is no such token, or it expired or was revoked,
    /// `Forbidden` if the device was logged out, `UserBanned`, or when the store fails.
    pub async fn registered(&self, token: &str) -> Result<(Login, Registration), Refusal> {
        let hash = token_digest(token);
        let found = self.stores.registrations.by_token(&hash).await?;
        let found = found.ok_or(Refusal::NotAuthenticated)?;
        if !found.active {
            return Err(Refusal::Forbidden);
        }
        let state = self.parts.users.state(found.user).await?;
        if state.record.flags.ban {
            return Err(Refusal::UserBanned);
        }
        let now_ms = self.parts.clock.now_ms();
        self.check_app(Some(&found.app))?;
        if found.expires_at_ms <= now_ms || self.is_revoked(&state, found.issued_at_ms) {
            return Err(Refusal::NotAuthenticated);
        }
        let login = Login {
            realm: found.realm.clone(),
            app: Some(found.app.clone()),
            user: state.record.user.clone(),
            expires_at_ms: Some(found.expires_at_ms),
            proven_at_ms: found.issued_at_ms,
            roles: Vec::new(),
        };
        Ok((login, found))
    }

    /// Changes a registration. Logging it out ends its sessions and forgets what waits for
    /// the device.
    ///
    /// # Errors
    /// `NotAuthenticated` if there is no such registration, or when the store fails.
    pub async fn change_registration(
        &self,
        key: &RegistrationKey,
        change: &RegistrationChange,
    ) -> Result<Registration, Refusal> {
        let changed = self.stores.registrations.change_registration(key, change);
        let changed = changed.await?.ok_or(Refusal::NotAuthenticated)?;
        if change.log_out {
            self.end_device(key, Ending::Kicked).await;
        }
        Ok(changed)
    }

    /// A user's registrations in a dialect, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn registrations(
        &self,
        user: &UserRef,
        origin: Origin,
    ) -> Result<Vec<Registration>, Refusal> {
        Ok(self
            .stores
            .registrations
            .registrations(user.num, origin)
            .await?)
    }

    /// Keeps what a session's device has reported; of no account if it is not registered.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn report(&self, session: &Session, text: String) -> Result<(), Refusal> {
        let Some(registration) = &session.registration else {
            return Ok(());
        };
        let report = DeviceReport {
            at_ms: self.parts.clock.now_ms(),
            text,
        };
        let key = registration.key();
        Ok(self.stores.registrations.report(&key, &report).await?)
    }

    /// The newest reports of a device, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reports(
        &self,
        of: &RegistrationKey,
        limit: u32,
    ) -> Result<Vec<DeviceReport>, Refusal> {
        Ok(self.stores.registrations.reports(of, limit).await?)
    }

    /// Ends what a device has here: its sessions, its subscriptions, what waits for it. What
    /// fails of it was reported; the device cannot come back with what it had.
    async fn end_device(&self, key: &RegistrationKey, why: Ending) {
        let is_its = |session: &Session| {
            session.origin == key.origin && *session.device.id == *key.device_id
        };
        self.parts.hub.end_of(key.user, why, is_its);
        let ended = self.topics.end_sessions(key.user, Some(&key.device_id));
        if let Err(error) = ended.await {
            tracing::warn!(%error, user = %key.user.0, "a device's subscriptions stay");
        }
        let all = Stretch {
            lo: MessageId(1),
            hi: self.parts.positions.head(),
        };
        let device = DeviceKey {
            user: key.user,
            origin: key.origin,
            id: key.device_id.as_str().into(),
        };
        let given = Given::stretch(all, []);
        if let Err(error) = self.stores.devices.absorb(vec![(device, given)]).await {
            tracing::warn!(%error, user = %key.user.0, "what waits for a device stays");
        }
    }
}
