//! How a session that was too slow catches up: what it missed is read back from the store,
//! channel by channel and in order, as its mailbox drains. It is shown no more than the
//! user's conversation shows at that moment. One that was away first gets what was sent
//! before it came (`delivered::catch_up`).

use crate::channel::LogKind;
use crate::delivered::{Ledger, catch_up};
use crate::im::Stores;
use crate::log::Page;
use crate::message::Message;
use crate::session::Session;
use crate::session::mailbox::Gap;
use crate::store::StoreResult;

/// Reads back one stretch of what a session missed, if it has room for it. True if there was
/// something to do; the session is woken when it has something new to drain.
///
/// # Errors
/// When the store fails; the gap stays.
pub(crate) async fn resync(
    session: &Session,
    stores: &Stores,
    ledger: &Ledger,
) -> StoreResult<bool> {
    if catch_up(session, ledger).await? {
        return Ok(true);
    }
    let Some(gap) = session.mailbox.next_gap() else {
        return Ok(false);
    };
    let Some(from) = readable_from(session, &gap, stores).await? else {
        session.mailbox.forget_gap(gap.channel.num);
        return Ok(true);
    };
    let page = Page {
        from: from.max(gap.next),
        to: gap.last,
        limit: gap.page,
        newest: false,
    };
    let mut messages = stores.log.page(&gap.channel, page).await?;
    // Rows that retention or damage took away are not waited for.
    let next = messages.last().map_or(gap.last, |last| last.seq) + 1;
    let hidden = hidden(session, &gap, stores, &messages).await?;
    messages.retain(|message| {
        session.is_for(message)
            && message.is_for(session.user.num)
            && !message.is_unlisted()
            && hidden.binary_search(&message.seq).is_err()
    });
    session.mailbox.fill_gap(&gap, messages, next);
    Ok(true)
}

/// Seqs of these messages that the session's user has deleted for themselves.
async fn hidden(
    session: &Session,
    gap: &Gap,
    stores: &Stores,
    messages: &[Message],
) -> StoreResult<Vec<u64>> {
    let (Some(first), Some(last), LogKind::Chat) =
        (messages.first(), messages.last(), gap.channel.log)
    else {
        return Ok(Vec::new());
    };
    let stretch = [(gap.channel.num, first.seq..=last.seq)];
    let hidden = stores.marks.hidden(session.user.num, &stretch).await?;
    Ok(hidden.into_iter().next().unwrap_or_default())
}

/// The first seq of a log that the session's user may read; `None` = none of it.
async fn readable_from(session: &Session, gap: &Gap, stores: &Stores) -> StoreResult<Option<u64>> {
    let key = &gap.channel.key;
    let uid = session.user.uid.as_str();
    let direct = key
        .pair()
        .is_some_and(|(low, high)| low == uid || high == uid);
    if direct && gap.channel.log == LogKind::Command {
        return Ok(Some(1));
    }
    let chat = match gap.channel.log {
        LogKind::Chat => Some(gap.channel.num),
        // Members belong to the chat log.
        LogKind::Command => {
            let open = stores.channels.open(key, LogKind::Chat, false).await?;
            open.map(|channel| channel.num)
        }
    };
    let Some(chat) = chat else {
        return Ok(None);
    };
    let row = stores.inbox.conversation(session.user.num, chat).await?;
    Ok(row.map(|row| match gap.channel.log {
        LogKind::Chat => row.begins_after + 1,
        LogKind::Command => 1,
    }))
}
