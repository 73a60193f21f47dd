//! Registered devices: what a client says of the device that it runs on, before it opens a
//! session there, and the token by which it is known from then on.

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::AppId;
use crate::id::{Realm, UserNum};
use crate::message::Origin;
use crate::store::StoreResult;

/// What the token of a registration begins with.
pub const REGISTRATION_TOKEN_PREFIX: &str = "imr_";

/// Devices that one user may have registered in one dialect; for a further one that of the
/// oldest registration is forgotten.
pub const MAX_REGISTRATIONS: u32 = 100;

/// Reports of one device that are kept, the newest.
pub const MAX_REPORTS: u32 = 1_000;

/// A registered device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Whose it is.
    pub user: UserNum,
    /// Where that user is.
    pub realm: Realm,
    /// The dialect that it speaks.
    pub origin: Origin,
    /// Its id, which at one time belongs to one user of realm and dialect.
    pub device_id: String,
    /// The app under which it was registered.
    pub app: AppId,
    /// Its operating system, as the dialect numbers them.
    pub os: i8,
    /// What else was said of it: JSON.
    pub details: String,
    /// Whose push service reaches it; empty = none.
    pub vendor: String,
    /// Its address there. No two devices of a realm have the same.
    pub push_token: Option<String>,
    /// Whether it is to be pushed to.
    pub push_on: bool,
    /// False once it was logged out, or its id has become another user's.
    pub active: bool,
    /// The digest of its token ([`token_digest`]).
    pub token_hash: [u8; 32],
    /// When it was given the token, ms since 1970.
    pub issued_at_ms: i64,
    /// Until when the token holds, ms since 1970.
    pub expires_at_ms: i64,
    /// What the dialect remembers of the device, in its own form.
    pub habit: String,
}

impl Registration {
    /// Its name.
    #[must_use]
    pub fn key(&self) -> RegistrationKey {
        RegistrationKey {
            user: self.user,
            origin: self.origin,
            device_id: self.device_id.clone(),
        }
    }
}

/// The digest under which a registration's token is kept.
#[must_use]
pub fn token_digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The name of a registration.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RegistrationKey {
    /// Whose.
    pub user: UserNum,
    /// The dialect.
    pub origin: Origin,
    /// The device.
    pub device_id: String,
}

/// A change of a registration: what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistrationChange {
    /// Whether it is to be pushed to.
    pub push_on: Option<bool>,
    /// Forget its address at the push service.
    pub forget_push_token: bool,
    /// Log it out.
    pub log_out: bool,
    /// What the dialect remembers.
    pub habit: Option<String>,
}

/// Something that a device has reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceReport {
    /// When, ms since 1970.
    pub at_ms: i64,
    /// What, in the dialect's own form.
    pub text: String,
}

/// The store of registrations.
#[async_trait]
pub trait Registrations: Send + Sync + 'static {
    /// Registers a device, in place of what was registered of it before. What is active under
    /// its id for other users of realm and dialect is active no more, and loses its push
    /// address; so does every other device of the realm with the same push address. Durable
    /// when it returns. What has ended that way.
    async fn register(&self, registration: &Registration) -> StoreResult<Vec<RegistrationKey>>;

    /// One registration, active or not.
    async fn registration(&self, key: &RegistrationKey) -> StoreResult<Option<Registration>>;

    /// The registration with a token, active or not.
    async fn by_token(&self, hash: &[u8; 32]) -> StoreResult<Option<Registration>>;

    /// A user's registrations in a dialect, oldest first.
    async fn registrations(&self, user: UserNum, origin: Origin) -> StoreResult<Vec<Registration>>;

    /// Changes a registration; durable when it returns. What it is now; `None` if there is
    /// none.
    async fn change_registration(
        &self,
        key: &RegistrationKey,
        change: &RegistrationChange,
    ) -> StoreResult<Option<Registration>>;

    /// Keeps a report of a device, and the newest [`MAX_REPORTS`] of it.
    async fn report(&self, of: &RegistrationKey, report: &DeviceReport) -> StoreResult<()>;

    /// The newest reports of a device, newest first.
    async fn reports(&self, of: &RegistrationKey, limit: u32) -> StoreResult<Vec<DeviceReport>>;
}
