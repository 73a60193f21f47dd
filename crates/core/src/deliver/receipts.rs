//! Telling senders that what they sent has arrived: to those of their sessions that want to
//! know and are there, once for each receiver, from direct channels, and from small ones where
//! the message asked for it (architecture.md §3, step 8).

use std::sync::Arc;

use quick_cache::sync::Cache;

use crate::channel::ChannelKind;
use crate::id::{MessageId, UserNum};
use crate::message::{Message, Origin};
use crate::session::{Event, Hub, Notice, Session};

/// Members up to which a channel's messages have delivered receipts.
pub(crate) const MAX_MEMBERS: u32 = 200;
/// Receipts that are remembered as told; the least used are forgotten first.
const REMEMBERED: usize = 100_000;

/// What was told already.
pub(crate) struct Told(Cache<(MessageId, UserNum), ()>);

impl Default for Told {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl Told {
    /// False if it was told before.
    fn is_new(&self, message: MessageId, by: UserNum) -> bool {
        let mut is_new = false;
        let told = self.0.get_or_insert_with(&(message, by), || {
            is_new = true;
            Ok::<(), std::convert::Infallible>(())
        });
        let Ok(()) = told;
        is_new
    }
}

/// Whether a receiver's having a message may be told to its sender at all.
pub(crate) fn is_told(message: &Message, by: &Session) -> bool {
    message.sender.num != by.user.num
        && message.body.origin != Origin::CHANGE
        && (message.channel.key.kind == ChannelKind::DIRECT || message.body.flags.receipt)
}

/// The sessions of a message's sender that want to know what became of it.
pub(crate) fn listeners(hub: &Hub, message: &Message) -> Vec<Arc<Session>> {
    let mut listeners = Vec::new();
    hub.each_of(message.sender.num, |session| {
        if session.delivery.receipts && session.realm == message.channel.key.realm {
            listeners.push(Arc::clone(session));
        }
    });
    listeners
}

/// Tells that a receiver has a message.
pub(crate) fn delivered(
    told: &Told,
    listeners: &[Arc<Session>],
    message: &Arc<Message>,
    by: &Session,
    at_ms: i64,
) {
    if listeners.is_empty() || !told.is_new(message.id, by.user.num) {
        return;
    }
    let notice = Arc::new(Notice::Delivered {
        message: Arc::clone(message),
        by: by.user.clone(),
        at_ms,
    });
    tell(listeners, &notice);
}

/// Gives a notice to sessions.
pub(crate) fn tell(listeners: &[Arc<Session>], notice: &Arc<Notice>) {
    for session in listeners {
        session.mailbox.push(Event::Notice(Arc::clone(notice)));
    }
}
