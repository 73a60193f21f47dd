//! What clients did with what they were given.

use std::sync::Arc;

use super::Im;
use crate::channel::ChannelKind;
use crate::deliver::receipts::{self, MAX_MEMBERS};
use crate::id::MessageId;
use crate::message::Message;
use crate::refusal::Refusal;
use crate::session::{Notice, Offline, Session};

impl Im {
    /// Notes that the client of a session has messages: it acknowledged them, or they were
    /// written to a client that does not acknowledge. Their senders are told where they want
    /// to know. As [`acknowledge`](Self::acknowledge) otherwise.
    pub async fn received(&self, session: &Session, messages: &[Arc<Message>]) {
        if session.delivery.offline != Offline::Sync {
            let stored = messages.iter().filter(|message| message.seq > 0);
            let ids: Vec<MessageId> = stored.map(|message| message.id).collect();
            self.acknowledge(session, &ids);
        }
        if !self.parts.hub.wants_receipts() {
            return;
        }
        let at_ms = self.parts.clock.now_ms();
        for message in messages {
            if !receipts::is_told(message, session) {
                continue;
            }
            let listeners = receipts::listeners(&self.parts.hub, message);
            if !listeners.is_empty() && self.is_small(message).await {
                receipts::delivered(&self.told, &listeners, message, session, at_ms);
            }
        }
    }

    /// Tells the sender of a message that a client of a receiver could do nothing with it.
    pub fn reject(&self, session: &Session, message: &Arc<Message>, why: &str) {
        if receipts::is_told(message, session) {
            let notice = Arc::new(Notice::Rejected {
                message: Arc::clone(message),
                by: session.user.clone(),
                why: why.into(),
            });
            let listeners = receipts::listeners(&self.parts.hub, message);
            receipts::tell(&listeners, &notice);
        }
    }

    /// Whether a channel is small enough for delivered receipts.
    async fn is_small(&self, message: &Message) -> bool {
        let key = &message.channel.key;
        if key.kind == ChannelKind::DIRECT {
            return true;
        }
        let found = self.stores.channels.record(key).await;
        let found: Result<_, Refusal> = found.map_err(Refusal::from);
        matches!(found, Ok(Some(record)) if record.member_count <= MAX_MEMBERS)
    }
}
