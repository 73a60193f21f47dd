//! Fetching: what a client asks for of the messages that it was not given, or of all of them,
//! by time and conversation, page by page, and what comes of it into its session.

use std::sync::Arc;

use super::Im;
use crate::channel::{ChannelKey, LogKind};
use crate::delivered::{self, Stretch, WaitingQuery};
use crate::id::{MessageId, UserRef};
use crate::message::Message;
use crate::refusal::Refusal;
use crate::session::{Notice, Offline, Session};

/// Messages that are read at once.
const PAGE: u32 = 500;
/// Their bytes, and those of an answer, which may have one message more.
const PAGE_BYTES: usize = 4 << 20;
/// Pages that one question reads at most; it is answered with what was found by then.
const MAX_PAGES: usize = 32;

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Only of this conversation.
    pub of: Option<ChannelKey>,
    /// Only what was sent then or later, ms since 1970.
    pub from_ms: Option<i64>,
    /// Only what was sent before, ms since 1970.
    pub before_ms: Option<i64>,
    /// Only what comes after this message; of no account for what was missed.
    pub after: Option<MessageId>,
    /// At most this many.
    pub limit: u32,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fetched {
    /// Ascending by id.
    pub messages: Vec<Arc<Message>>,
    /// There is more: ask again, after `through`.
    pub more: bool,
    /// How far it was read.
    pub through: Option<MessageId>,
}

impl Fetch {
    fn takes(&self, message: &Message) -> bool {
        let is_of = |of: &ChannelKey| message.channel.key == *of;
        self.of.as_ref().is_none_or(is_of)
            && self.from_ms.is_none_or(|from| message.sent_at_ms >= from)
            && self.before_ms.is_none_or(|end| message.sent_at_ms < end)
    }
}

impl Im {
    /// What was said to a user, by others and by themselves, oldest first over all of their
    /// channels, as far as they may read it. Pages may hold less than was asked for.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn fetch_history(&self, user: &UserRef, fetch: &Fetch) -> Result<Fetched, Refusal> {
        let limit = fetch.limit.max(1) as usize;
        let head = self.parts.positions.head();
        let end = fetch
            .before_ms
            .map_or(head, |ms| head.min(MessageId::first_at_ms(ms)));
        let start = fetch.from_ms.map_or(MessageId(1), MessageId::first_at_ms);
        let after = fetch.after.map_or(MessageId(1), next);
        let mut lo = start.max(after);
        let mut found = Fetched::default();
        let mut bytes = 0;
        for _ in 0..MAX_PAGES {
            if lo > end {
                found.through = None;
                found.more = false;
                break;
            }
            let query = WaitingQuery {
                per_log: u32::MAX,
                messages: PAGE,
                bytes: PAGE_BYTES,
                only: None,
            };
            let at = vec![Stretch { lo, hi: end }];
            let page = self.stores.devices.waiting(user.num, at, query).await?;
            for message in page.messages {
                let is_said = message.channel.log == LogKind::Chat && message.is_for(user.num);
                if !is_said || !fetch.takes(&message) {
                    continue;
                }
                if found.messages.len() == limit || bytes > PAGE_BYTES {
                    found.through = found.messages.last().map(|last| last.id);
                    found.more = true;
                    return Ok(found);
                }
                bytes += message.weight();
                found.messages.push(Arc::new(message));
            }
            found.through = Some(page.through);
            found.more = page.through < end;
            lo = next(page.through);
        }
        if !found.more {
            found.through = None;
        }
        Ok(found)
    }

    /// Of what a session's device was not given while it was away: the oldest that is wanted.
    /// It counts as given, as with [`pull`](Self::pull). What is not wanted is kept for the
    /// session's next question, and, like what is not acknowledged, for the device's next
    /// session.
    ///
    /// # Errors
    /// `RateLimited` if the session has not taken what it was handed before, or when the store
    /// fails.
    pub async fn fetch_missed(&self, session: &Session, fetch: &Fetch) -> Result<Fetched, Refusal> {
        if session.delivery.offline != Offline::Pull {
            return Ok(Fetched::default());
        }
        if !session.mailbox.may_be_handed() {
            return Err(Refusal::RateLimited);
        }
        let limit = fetch.limit.max(1) as usize;
        let (kept, more) = session
            .mailbox
            .take_aside(limit, |message| fetch.takes(message));
        let mut found = Fetched {
            messages: kept,
            more,
            through: None,
        };
        for _ in 0..MAX_PAGES {
            let room = limit.saturating_sub(found.messages.len());
            if room == 0 || more {
                break;
            }
            let room = u32::try_from(room).unwrap_or(PAGE);
            let page = delivered::pull(session, &self.ledger, room).await?;
            let (wanted, other): (Vec<_>, Vec<_>) = page
                .messages
                .into_iter()
                .map(Arc::new)
                .partition(|message| fetch.takes(message));
            session.mailbox.set_aside(other);
            found.messages.extend(wanted);
            found.more = page.more;
            let bytes: usize = found.messages.iter().map(|it| it.weight()).sum();
            if !page.more || bytes > PAGE_BYTES {
                break;
            }
        }
        found.through = found.messages.last().map(|last| last.id);
        Ok(found)
    }

    /// Hands to a session what of history was fetched for it, and says then that this was it.
    ///
    /// # Errors
    /// `RateLimited` if it has not taken what it was handed before.
    pub fn hand_history(&self, session: &Session, fetched: &Fetched) -> Result<(), Refusal> {
        if !session.mailbox.may_be_handed() {
            return Err(Refusal::RateLimited);
        }
        self.hand(session, fetched);
        Ok(())
    }

    /// Hands to a session what it had missed, and says then that this was it.
    pub fn hand(&self, session: &Session, fetched: &Fetched) {
        let notice = Notice::Handed {
            count: fetched.messages.len(),
            more: fetched.more,
            through: fetched.through.filter(|_| fetched.more),
        };
        session.mailbox.hand(&fetched.messages, notice);
    }
}

fn next(id: MessageId) -> MessageId {
    MessageId(id.0.saturating_add(1))
}
