//! Sessions: live connections of users, their mailboxes, and who gives way to whom.

pub mod comings;
mod delivery;
pub mod device;
pub mod foreign;
pub mod hub;
pub mod mailbox;
mod notice;
pub(crate) mod presence;
pub mod throttle;
pub mod token;

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

pub use delivery::{Beginning, Delivery, Echo, Offline};
pub use device::{Device, DeviceLevel, Displacement};
pub use hub::Hub;
pub use mailbox::{
    Drained, Ending, Event, Mailbox, MailboxLimits, Push, Refused, SendReply, Ticket,
};
pub use notice::Notice;

use crate::delivered::{DeviceKey, MAX_DEVICE_ID_BYTES};
use crate::directory::{AppId, Registration};
use crate::id::{Realm, SessionId, UserRef};
use crate::message::{Message, Origin};

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
    /// How it is given messages.
    pub delivery: Delivery,
    /// Whether it gets copies of what the user sends elsewhere (protocols/README.md A15).
    pub sync_own: bool,
    /// The device that it has said to run on after it was opened, where the dialect says
    /// that so late.
    pub(crate) met: OnceLock<Arc<str>>,
    /// The registration of that device, if its credential is one's token.
    pub registration: Option<Arc<Registration>>,
    /// Where it comes from.
    pub peer: IpAddr,
    /// When it was opened, ms since 1970.
    pub opened_at_ms: i64,
    /// The app that its credential is of, if the credential is an app's.
    pub app: Option<AppId>,
    /// Until when its credential holds, ms since 1970; `None` = it does not say. The dialect
    /// decides what becomes of the session then.
    pub expires_at_ms: Option<i64>,
    /// What waits for it.
    pub mailbox: Mailbox,
    /// Sessions of anybody that want delivered receipts.
    pub(crate) receipts: Arc<AtomicUsize>,
    /// Tokens left in this user's send budget; shared by the user's sessions.
    pub(crate) budget: Arc<crate::send::limits::Budget>,
    /// Where its sends wait for somebody's last look, once there is somebody.
    pub(crate) screened: OnceLock<crate::im::ScreenedSends>,
}

/// The id of the device that stands for all that have no stable id.
const SHARED_DEVICE: &str = "default";

impl Session {
    /// False for what the user sent elsewhere, if it is not wanted here. What has changed is
    /// told to everybody.
    pub(crate) fn is_for(&self, message: &Message) -> bool {
        self.sync_own
            || message.sender.num != self.user.num
            || message.body.origin == Origin::CHANGE
            || (self.delivery.echo != Echo::Never && message.channel.key.is_notes())
    }

    /// False while it is of no use to say what the client has acknowledged: nothing is kept of
    /// it, and nobody wants to know.
    #[must_use]
    pub fn acks_matter(&self) -> bool {
        self.delivery.offline != Offline::Sync || self.receipts.load(Ordering::Relaxed) > 0
    }

    /// Whether the session gets back what it has just sent.
    pub(crate) fn wants_back(&self, message: &Message) -> bool {
        match self.delivery.echo {
            Echo::Always => true,
            Echo::Notes => message.channel.key.is_notes(),
            Echo::Never => false,
        }
    }

    /// The device that is given what this session is given.
    #[must_use]
    pub fn device_key(&self) -> DeviceKey {
        let id = &self.device.id;
        let stable = self.delivery.stable_device && (1..=MAX_DEVICE_ID_BYTES).contains(&id.len());
        DeviceKey {
            user: self.user.num,
            origin: self.origin,
            id: if stable {
                Arc::clone(id)
            } else {
                SHARED_DEVICE.into()
            },
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "session {} of {}", self.id, self.user.uid)
    }
}

#[cfg(any(test, feature = "contract"))]
impl Session {
    /// A session that no hub knows, for tests of machines.
    #[must_use]
    pub fn detached(user: UserRef) -> Arc<Self> {
        let delivery = Delivery::plain(Offline::Sync, true);
        Arc::new(Self {
            id: SessionId(0),
            user,
            realm: Realm::default(),
            origin: Origin(u8::MAX),
            device: Device {
                id: "d".into(),
                flag: 0,
                level: DeviceLevel::Slave,
            },
            delivery,
            sync_own: true,
            met: OnceLock::new(),
            registration: None,
            peer: IpAddr::from([127, 0, 0, 1]),
            opened_at_ms: 0,
            app: None,
            expires_at_ms: None,
            mailbox: Mailbox::new(
                MailboxLimits::default(),
                delivery,
                mailbox::Unwritten::new(usize::MAX),
            ),
            receipts: Arc::default(),
            budget: Arc::new(crate::send::limits::Budget::new(
                &crate::send::limits::SendLimits::default(),
            )),
            screened: OnceLock::new(),
        })
    }
}
