//! What a device was not given yet: pushed to it when it comes back, or pulled by it.
//!
//! Both read the log in the order of ids over all of the user's channels, so that each page
//! extends the stretch that the device was given: one that goes away half-way goes on from
//! there. Positions that the device was given before are left out.

use std::sync::Arc;

use super::{Given, Ledger, Stretch, Waiting, WaitingQuery};
use crate::id::{MessageId, SNOWFLAKE_EPOCH_MS};
use crate::message::Message;
use crate::session::mailbox::{Backlog, Cursor};
use crate::session::{Beginning, Offline, Session};
use crate::store::StoreResult;

/// What is older is history and not offered.
pub(crate) const OFFERED_MS: i64 = 30 * 24 * 3_600_000;
/// Of each log only the newest messages of this number are offered.
pub(crate) const PER_LOG: u32 = 10_000;
/// A device that was never seen is pushed this many at most.
const TO_NEW_DEVICE: u32 = 1000;
/// What is pushed at once.
const PUSHED: WaitingQuery = WaitingQuery {
    per_log: PER_LOG,
    messages: 256,
    bytes: 512 << 10,
    only: None,
};
/// What is pulled at once at most.
const PULLED: WaitingQuery = WaitingQuery {
    per_log: PER_LOG,
    messages: 1000,
    bytes: 4 << 20,
    only: None,
};
/// The bits of a message's id below its time.
const BITS_BELOW_MS: u32 = 22;

/// One page of what waited for a device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pulled {
    /// Ascending by id, over all of the user's channels.
    pub messages: Vec<Message>,
    /// True if more waits: ask again.
    pub more: bool,
}

/// Where a device begins whose first session this is, if it begins with that: known before
/// anything is said to the client, since nothing that is sent from then on may be missed,
/// whether the client stays or the server does.
///
/// # Errors
/// When the store fails: the session must not be opened.
pub(crate) async fn begin(session: &Session, ledger: &Ledger) -> StoreResult<()> {
    if begins_with_session(session) {
        cursor(session, ledger).await?;
    }
    Ok(())
}

fn begins_with_session(session: &Session) -> bool {
    let delivery = &session.delivery;
    delivery.offline == Offline::Push && delivery.begins == Beginning::Opening
}

/// Reads some of what a session missed while it was away into its mailbox, if there is room.
/// True if there was something to do. What comes while its end is read follows it.
///
/// # Errors
/// When the store fails; nothing is lost.
pub(crate) async fn catch_up(session: &Session, ledger: &Ledger) -> StoreResult<bool> {
    if !session.mailbox.wants_page() {
        return Ok(false);
    }
    let Some(cursor) = cursor(session, ledger).await? else {
        return Ok(false);
    };
    // In this order: everything that is not queued from here on is at or below the head.
    let joined = session.mailbox.join();
    let head = ledger.positions().head();
    let read = page(session, ledger, &cursor, head, PUSHED).await;
    let page = read.inspect_err(|_| session.mailbox.hold())?;
    let moved = page.through > cursor.at;
    let end = (joined && page.through >= head).then_some(head);
    session.mailbox.push_page(&cursor, page, end);
    Ok(moved || end.is_some())
}

/// The next of what waits below a session's live messages; it counts as given from now on.
///
/// # Errors
/// When the store fails; nothing is lost.
pub(crate) async fn pull(session: &Session, ledger: &Ledger, limit: u32) -> StoreResult<Pulled> {
    let mailbox = &session.mailbox;
    mailbox.known_to_lanes().await;
    let query = WaitingQuery {
        messages: limit.clamp(1, PULLED.messages),
        ..PULLED
    };
    loop {
        let Some(live_from) = mailbox.live_from() else {
            return Ok(Pulled::default());
        };
        let Some(cursor) = cursor(session, ledger).await? else {
            return Ok(Pulled::default());
        };
        let end = MessageId(live_from.0 - 1);
        let page = page(session, ledger, &cursor, end, query).await?;
        let last = page.through >= end;
        // Another one may have asked beside this one: what it was given is not given twice.
        let is_taken = mailbox.pulled_page(&cursor, &page.messages, page.through, last);
        if is_taken && (last || !page.messages.is_empty()) {
            return Ok(Pulled {
                messages: page.messages,
                more: !last,
            });
        }
    }
}

/// Where a session goes on reading; `None` if it has read everything. A device that was
/// never seen begins where its dialect says, if what it missed is pushed to it.
async fn cursor(session: &Session, ledger: &Ledger) -> StoreResult<Option<Cursor>> {
    loop {
        match session.mailbox.backlog() {
            Backlog::Read => return Ok(None),
            Backlog::At(cursor) => return Ok(Some(cursor)),
            Backlog::Unread => {}
        }
        let found = ledger.given_before(session).await?;
        let floor = position_before(ledger.now_ms() - OFFERED_MS);
        let mut is_new = found.is_none();
        let at = if !is_new || session.delivery.offline != Offline::Push {
            floor
        } else if begins_with_session(session) {
            // One position at least, so that there is something to know the device by.
            let lo = MessageId(floor.0 + 1);
            let hi = session.mailbox.opened().max(lo);
            let begun = Given::stretch(Stretch { lo, hi }, []);
            ledger.remember(session, begun).await?;
            is_new = false;
            hi
        } else {
            ledger
                .newest(session.user.num, floor, TO_NEW_DEVICE)
                .await?
        };
        let given = Arc::new(found.unwrap_or_default());
        let cursor = Cursor { given, floor, at };
        session.mailbox.begin_backlog(cursor, is_new);
    }
}

async fn page(
    session: &Session,
    ledger: &Ledger,
    from: &Cursor,
    end: MessageId,
    query: WaitingQuery,
) -> StoreResult<Waiting> {
    let missing: Vec<Stretch> = from.given.missing(from.at, end);
    if missing.is_empty() {
        return Ok(Waiting {
            messages: Vec::new(),
            through: end.max(from.at),
        });
    }
    let last = missing.last().map_or(end, |last| last.hi);
    let mut page = ledger.waiting(session.user.num, missing, query).await?;
    page.messages.retain(|message| session.is_for(message));
    if page.through >= last {
        // What is above was given before.
        page.through = end;
    }
    Ok(page)
}

/// The last position before a time, ms since 1970.
pub(crate) fn position_before(ms: i64) -> MessageId {
    let since_epoch = (ms - SNOWFLAKE_EPOCH_MS).max(0);
    MessageId(((since_epoch << BITS_BELOW_MS) - 1).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::id::Snowflake;

    #[test]
    fn a_position_stands_before_the_ids_of_its_time() {
        let clock = Arc::new(ManualClock::at_ms(1_700_000_000_000));
        for node in [0, 1023] {
            let ids = Snowflake::new(clock.clone(), node);
            clock.set_ms(1_700_000_000_000);
            let earlier = ids.next();
            clock.advance_ms(1);
            let id = ids.next();
            let position = position_before(1_700_000_000_001);
            assert!(earlier <= position && position < id);
        }
        assert_eq!(position_before(0), MessageId(0));
    }
}
