//! Sessions: live connections of users, their mailboxes, and who gives way to whom.

pub mod device;
pub mod hub;
pub mod mailbox;
pub mod throttle;
pub mod token;

use std::net::IpAddr;

pub use device::{Device, DeviceLevel, Displacement};
pub use hub::Hub;
pub use mailbox::{Drained, Ending, Event, Mailbox, MailboxLimits, Push, Refused, SendReply, Ticket};

use crate::id::{Realm, SessionId, UserRef};
use crate::message::Origin;

/// One live connection of a user.
pub struct Session {
    /// Unique in this process.
    pub id: SessionId,
    /// Whose it is; the only source of a sender's identity.
    pub user: UserRef,
    /// The realm it is in.
    pub realm: Realm,
    /// The dialect it speaks, as the registry numbers them.
    pub origin: Origin,
    /// The device it runs on.
    pub device: Device,
    /// Whether it gets copies of what the user sends elsewhere (protocols/README.md A15).
    pub sync_own: bool,
    /// Where it comes from.
    pub peer: IpAddr,
    /// When it was opened, ms since 1970.
    pub opened_at_ms: i64,
    /// What waits for it.
    pub mailbox: Mailbox,
    /// Tokens left in this user's send budget; shared by the user's sessions.
    pub(crate) budget: std::sync::Arc<crate::send::limits::Budget>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "session {} of {}", self.id, self.user.uid)
    }
}
