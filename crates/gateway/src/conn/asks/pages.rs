//! History by pages that are counted back from the newest message.

use crosstalk_core::im::HistoryQuery;
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;

use super::Asker;
use crate::protocol::{Scope, Target};

/// How far back pages over several conversations go, in messages.
const MAX_DEPTH: u64 = 2_000;

/// Above every seq.
const NEWEST: u64 = i64::MAX.cast_unsigned();

/// A page, newest first; empty beyond the end.
pub(super) async fn page(
    asker: &Asker,
    scope: &Scope,
    skip: u64,
    limit: u32,
) -> Result<Vec<Message>, Refusal> {
    match scope {
        Scope::Channel(target) => of_channel(asker, target, skip, limit).await,
        Scope::All => of_all(asker, skip, limit, |_| true).await,
        Scope::Own => {
            let own = asker.session.user.num;
            of_all(asker, skip, limit, |message| message.sender.num == own).await
        }
    }
}

/// Places count, whatever stands there: so no page overlaps another.
async fn of_channel(
    asker: &Asker,
    target: &Target,
    skip: u64,
    limit: u32,
) -> Result<Vec<Message>, Refusal> {
    let key = asker.channel(target).await?;
    let query = |to: u64, limit: u32| HistoryQuery {
        from: 1,
        to,
        limit,
        newest: true,
    };
    let newest = asker.history(&key, query(NEWEST, 1)).await?;
    let to = newest
        .first()
        .map_or(0, |newest| newest.seq.saturating_sub(skip));
    if to == 0 {
        return Ok(Vec::new());
    }
    let query = HistoryQuery {
        from: (to + 1).saturating_sub(u64::from(limit)).max(1),
        ..query(to, limit)
    };
    let mut page = asker.history(&key, query).await?;
    page.reverse();
    Ok(page)
}

/// Conversations are read newest first, and only as far as one of their messages can be on
/// the page.
async fn of_all(
    asker: &Asker,
    skip: u64,
    limit: u32,
    is_wanted: impl Fn(&Message) -> bool,
) -> Result<Vec<Message>, Refusal> {
    let depth = skip.saturating_add(u64::from(limit));
    if depth > MAX_DEPTH {
        return Ok(Vec::new());
    }
    let depth = usize::try_from(depth).unwrap_or(usize::MAX);
    let mut rows = asker.conversations(None).await?;
    rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.head));
    let mut found: Vec<Message> = Vec::new();
    for row in rows {
        let Some((head, _)) = row.head else { break };
        if found.len() == depth && found.last().is_some_and(|oldest| head < oldest.id) {
            break;
        }
        let query = HistoryQuery {
            from: 1,
            to: row.head_seq,
            limit: u32::try_from(MAX_DEPTH).unwrap_or(u32::MAX),
            newest: true,
        };
        let messages = asker.history(&row.channel.key, query).await?;
        found.extend(messages.into_iter().filter(&is_wanted));
        found.sort_unstable_by_key(|message| std::cmp::Reverse(message.id));
        found.truncate(depth);
    }
    Ok(found.split_off(found.len().min(usize::try_from(skip).unwrap_or(usize::MAX))))
}
