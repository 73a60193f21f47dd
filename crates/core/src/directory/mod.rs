//! Users and apps: who exists, what they may, how they prove it.

pub mod alias;
pub mod app_keys;
pub mod apps;
pub mod people;
pub mod port;
pub mod privacy;
pub mod profile;
pub mod registration;
pub mod user;
pub mod users;

pub use alias::{Alias, Aliases};
pub use app_keys::{App, AppChange, AppKeys, Seal};
pub use apps::{AppId, AppRecord, Apps};
pub use people::{FindUsers, FoundPlace, FoundUsers, People};
pub use port::{Directory, FlagToken};
pub use privacy::{
    FriendPolicy, GroupPolicy, Privacy, PrivacyChange, Searchable, SeenBy, Strangers,
};
pub use profile::{BadProfile, Profile, ProfileChange};
pub use registration::{
    DeviceReport, MAX_REPORTS, REGISTRATION_TOKEN_PREFIX, Registration, RegistrationChange,
    RegistrationKey, Registrations,
};
pub use user::{UserChange, UserFlags, UserRecord};
pub use users::{UserState, Users};
