//! Messages that are to be sent later.
//!
//! One is sent in the name of whoever scheduled it, by the ordinary way, with all checks as
//! they are then, under a client number of its own: so a crash between sending and noting it
//! sends it once.

mod port;

use std::sync::Arc;

use bytes::Bytes;

pub use port::{Change, Closed, Schedule, ScheduledQuery};

use crate::carried::Carried;
use crate::channel::{Address, ChannelKind};
use crate::deliver::Sender;
use crate::directory::AppId;
use crate::id::{MessageId, Realm, UserRef};
use crate::message::{Body, Draft, Flags, OnReuse, Origin};
use crate::refusal::Refusal;

/// What a user may have open at once.
pub const MAX_OPEN: u64 = 1000;
/// What the application may have open at once, in one realm.
pub const MAX_OPEN_OF_APPLICATION: u64 = 100_000;
/// How far ahead a message may be scheduled, in ms: a year.
pub const MAX_AHEAD_MS: i64 = 365 * 24 * 3600 * 1000;
/// How long what is over is kept, in ms: 30 days.
pub const KEPT_MS: i64 = 30 * 24 * 3600 * 1000;

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It waits for its time.
    Open,
    /// It was sent as this message.
    Sent {
        /// Its id.
        message: MessageId,
        /// Its place in its channel.
        seq: u64,
    },
    /// It was refused when its time had come.
    Failed(Refusal),
    /// It was taken back.
    Cancelled,
}

/// What is to be said. Empty once it was sent, has failed, or was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saying {
    /// The payload, in REST's form.
    pub payload: Bytes,
    /// It does not count as unread if this is set.
    pub is_silent: bool,
    /// Its author wants to know who has read it.
    pub asks_receipt: bool,
    /// How long it lives once it is sent, in seconds; 0 = for ever.
    pub expire_secs: u32,
    /// What it carries.
    pub carried: Option<Arc<Carried>>,
}

/// A message that is to be sent later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// Its id; the message gets another.
    pub id: MessageId,
    /// Its realm.
    pub realm: Realm,
    /// In whose name.
    pub sender: UserRef,
    /// It is the application that speaks in that name.
    pub by_application: bool,
    /// The app from whose budget it is sent; `None` = nobody knows which of the realm.
    pub app: Option<AppId>,
    /// Where to, as the sender names it.
    pub kind: ChannelKind,
    /// See `kind`.
    pub to: Arc<str>,
    /// What.
    pub saying: Saying,
    /// When, ms since 1970.
    pub send_at_ms: i64,
    /// When it was scheduled, ms since 1970.
    pub created_at_ms: i64,
    /// What became of it.
    pub state: State,
    /// When that was, ms since 1970; 0 = it is open.
    pub done_at_ms: i64,
}

impl Scheduled {
    /// Who says it.
    #[must_use]
    pub fn speaker(&self) -> Sender {
        if self.by_application {
            Sender::Application(self.sender.clone())
        } else {
            Sender::User(self.sender.clone())
        }
    }

    /// The client number under which it is sent.
    #[must_use]
    pub fn client_no(&self) -> String {
        format!("scheduled-{}", self.id)
    }

    /// What is sent when its time has come.
    ///
    /// # Errors
    /// `InvalidChannelId` or `UnsupportedChannelKind` if it can be sent nowhere.
    pub fn draft(&self) -> Result<Draft, Refusal> {
        Ok(Draft {
            to: Address::parse(self.kind, &self.to)?,
            body: Body {
                client_no: self.client_no().into(),
                origin: Origin::REST,
                flags: Flags {
                    counts: !self.saying.is_silent,
                    receipt: self.saying.asks_receipt,
                    by_application: self.by_application,
                    ..Flags::default()
                },
                expire_secs: self.saying.expire_secs,
                payload: self.saying.payload.clone(),
                carried: self.saying.carried.clone(),
                ..Body::default()
            },
            // A number of the sender's own that happens to be the same hides nothing.
            on_reuse: OnReuse::Store,
            require_peer: true,
            fault: None,
        })
    }
}
