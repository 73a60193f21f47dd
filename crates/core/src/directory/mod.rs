//! Users and apps: who exists, what they may, how they prove it.

pub mod apps;
pub mod port;
pub mod user;

pub use apps::{AppId, AppRecord, Apps};
pub use port::{Directory, FlagToken};
pub use user::{UserChange, UserFlags, UserRecord};
