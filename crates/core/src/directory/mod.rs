//! Users and apps: who exists, what they may, how they prove it.

pub mod alias;
pub mod app_keys;
pub mod apps;
pub mod port;
pub mod registration;
pub mod user;
pub mod users;

pub use alias::{Alias, Aliases};
pub use app_keys::{App, AppKeys, Seal};
pub use apps::{AppId, AppRecord, Apps};
pub use port::{Directory, FlagToken};
pub use registration::{
    DeviceReport, MAX_REPORTS, REGISTRATION_TOKEN_PREFIX, Registration, RegistrationChange,
    RegistrationKey, Registrations,
};
pub use user::{UserChange, UserFlags, UserRecord};
pub use users::{UserState, Users};
