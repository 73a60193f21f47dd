//! How a session that was too slow catches up: what it missed is read back from the store,
//! channel by channel and in order, as its mailbox drains.

use std::sync::Arc;

use crate::log::{Log, Page};
use crate::session::Session;
use crate::store::StoreResult;

/// Messages read back at once.
const PAGE: u32 = 128;

/// Reads back one stretch of what a session missed, if it has room for it. True if there was
/// something to do; the session is woken when it has something new to drain.
///
/// # Errors
/// When the store fails; the gap stays.
pub async fn resync(session: &Session, log: &Arc<dyn Log>) -> StoreResult<bool> {
    let Some(gap) = session.mailbox.next_gap() else {
        return Ok(false);
    };
    let page = Page {
        from: gap.next,
        to: gap.last,
        limit: PAGE,
        newest: false,
    };
    let messages = log.page(&gap.channel, page).await?;
    // Rows that retention or damage took away are not waited for.
    let next = messages.last().map_or(gap.last, |last| last.seq) + 1;
    session.mailbox.fill_gap(gap.channel.num, messages, next);
    Ok(true)
}
