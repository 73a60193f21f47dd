//! Users and apps: who exists, what they may, how they prove it.

pub mod alias;
pub mod app_keys;
pub mod apps;
pub mod port;
pub mod user;
pub mod users;

pub use alias::{Alias, Aliases};
pub use app_keys::{App, AppKeys, Seal};
pub use apps::{AppId, AppRecord, Apps};
pub use port::{Directory, FlagToken};
pub use user::{UserChange, UserFlags, UserRecord};
pub use users::{UserState, Users};
