//! How users keep their conversations: what `inbox` has, beside what is read.

use std::sync::Arc;

use crosstalk_core::conversation::{ConversationRow, Keep, KeepOutcome, Kept, Screen};
use crosstalk_core::id::{ChannelNum, UserNum};
use rusqlite::{Connection, Row};

use super::error::DbResult;
use super::rows::{self, count};
use super::work::Tx;
use super::{Shared, heads, inbox};

/// Stands for a conversation that was put away before anything was said there.
const BLANK: i64 = -1;

/// Of a row of `inbox::views_sql`.
pub(super) fn kept(row: &Row<'_>) -> DbResult<Kept> {
    let int = |at: usize| row.get::<_, Option<i64>>(at).map(Option::unwrap_or_default);
    let version = int(31)?;
    if version == 0 {
        return Ok(Kept::default());
    }
    Ok(Kept {
        muted_until_ms: int(17)?,
        marked: int(25)? != 0,
        draft: row.get::<_, Option<Arc<str>>>(26)?.unwrap_or_default(),
        draft_at_ms: int(27)?,
        screen: Screen {
            browsed_to: count(row, 28)?,
            top_seq: count(row, 29)?,
            top_offset: int(30)?,
        },
        version,
    })
}

/// Where a conversation was put away, of a row of `inbox::views_sql`.
pub(super) fn hidden_seq(row: &Row<'_>) -> DbResult<Option<u64>> {
    Ok(match row.get::<_, Option<i64>>(15)?.unwrap_or(0) {
        0 => None,
        BLANK => Some(0),
        seq => Some(seq.cast_unsigned()),
    })
}

/// [`hidden_seq`] as it is stored: 0 has always stood for what is not put away.
pub(super) fn stored(hidden_seq: Option<u64>) -> i64 {
    match hidden_seq {
        None => 0,
        Some(0) => BLANK,
        Some(seq) => rows::seq(seq),
    }
}

/// Does what is wished of a conversation; nothing is written if it is like that already.
pub(super) fn keep(
    tx: &Tx<'_>,
    (user, channel): (UserNum, ChannelNum),
    wish: &Keep,
    make: bool,
) -> DbResult<Option<KeepOutcome>> {
    let find = || inbox::views(tx.conn, tx.shared, user, Some(channel));
    let mut found = find()?.pop();
    if found.is_none() && make {
        let sql = "INSERT INTO conversation (user, channel, read_seq, badge_seq, badge_ordinal, \
                   cleared_seq, hidden_seq, pinned_at, muted, version) \
                   VALUES (?1, ?2, 0, 0, 0, 0, 0, 0, 0, ?3) ON CONFLICT DO NOTHING";
        tx.conn
            .prepare_cached(sql)?
            .execute([user.0, channel.0, tx.now_ms])?;
        found = find()?.pop();
    }
    let Some(before) = found else {
        return Ok(None);
    };
    let mut row = before.clone();
    let cleared_seq = change(tx, &mut row, wish)?;
    let is_changed = row != before;
    if is_changed {
        inbox::recount(tx.conn, user, &mut row)?;
        row.version = tx.version(row.version);
        row.kept.version = next_version(tx, user)?;
        write(tx, user, &row, cleared_seq)?;
    }
    Ok(Some(KeepOutcome { row, is_changed }))
}

/// Changes the view of a conversation, and returns up to where the history was cleared.
fn change(tx: &Tx<'_>, row: &mut ConversationRow, wish: &Keep) -> DbResult<u64> {
    match wish.pinned {
        Some(true) if row.pinned_at_ms == 0 => row.pinned_at_ms = tx.now_ms.max(1),
        Some(false) => row.pinned_at_ms = 0,
        Some(true) | None => {}
    }
    let kept = &mut row.kept;
    kept.muted_until_ms = wish.muted_until_ms.unwrap_or(kept.muted_until_ms);
    kept.screen = wish.screen.unwrap_or(kept.screen);
    if let Some(draft) = wish.draft.as_ref().filter(|draft| **draft != kept.draft) {
        kept.draft = Arc::clone(draft);
        kept.draft_at_ms = tx.now_ms;
    }
    let cleared_seq = wish.cleared_to.unwrap_or(0).min(row.head_seq);
    row.begins_after = row.begins_after.max(cleared_seq);
    let read_to = if wish.read { row.head_seq } else { cleared_seq };
    if read_to > 0 {
        inbox::read(tx.conn, row, Some(read_to))?;
        if read_to >= row.head_seq && row.badge_seq < row.head_seq {
            // The newest may have no row any more, and yet all is read.
            let head = heads::read(tx.conn, row.channel.num)?;
            (row.badge_seq, row.badge_ordinal) = (head.seq, head.ordinal);
        }
        if wish.read {
            row.kept.marked = false;
        }
    }
    row.kept.marked = wish.marked.unwrap_or(row.kept.marked);
    match wish.hidden {
        Some(true) => row.hidden_seq = Some(row.head_seq),
        Some(false) => row.hidden_seq = None,
        None => {}
    }
    Ok(cleared_seq)
}

/// Above those of all conversations of the user, and near the time of the change.
fn next_version(tx: &Tx<'_>, user: UserNum) -> DbResult<i64> {
    let sql = "SELECT max(kept_version) FROM conversation WHERE user = ?1 AND kept_version > 0";
    let mut find = tx.conn.prepare_cached(sql)?;
    let last: Option<i64> = find.query_row([user.0], |row| row.get(0))?;
    Ok(tx.version(last.unwrap_or(0)))
}

fn write(tx: &Tx<'_>, user: UserNum, row: &ConversationRow, cleared_seq: u64) -> DbResult<()> {
    // Own advances that are not written down yet are in the view, and so in the row.
    let sql = "INSERT INTO conversation (user, channel, read_seq, badge_seq, badge_ordinal, \
               cleared_seq, hidden_seq, pinned_at, muted, version, muted_until, marked, draft, \
               draft_at, browsed_to, top_seq, top_offset, kept_version) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?10, ?11, ?12, ?13, ?14, ?15, \
               ?16, ?17) \
               ON CONFLICT DO UPDATE SET read_seq = ?3, badge_seq = ?4, badge_ordinal = ?5, \
               cleared_seq = max(cleared_seq, ?6), hidden_seq = ?7, pinned_at = ?8, \
               version = ?9, muted_until = ?10, marked = ?11, draft = ?12, draft_at = ?13, \
               browsed_to = ?14, top_seq = ?15, top_offset = ?16, kept_version = ?17";
    let (kept, screen) = (&row.kept, &row.kept.screen);
    tx.conn.prepare_cached(sql)?.execute(rusqlite::params![
        user.0,
        row.channel.num.0,
        rows::seq(row.read_seq),
        rows::seq(row.badge_seq),
        rows::seq(row.badge_ordinal),
        rows::seq(cleared_seq),
        stored(row.hidden_seq),
        row.pinned_at_ms,
        row.version,
        kept.muted_until_ms,
        kept.marked,
        &*kept.draft,
        kept.draft_at_ms,
        rows::seq(screen.browsed_to),
        rows::seq(screen.top_seq),
        screen.top_offset,
        kept.version,
    ])?;
    Ok(())
}

/// Whoever reads a conversation takes away their mark of it.
pub(super) fn unmark(tx: &Tx<'_>, user: UserNum, row: &mut ConversationRow) -> DbResult<()> {
    if !row.kept.marked {
        return Ok(());
    }
    row.kept.marked = false;
    row.kept.version = next_version(tx, user)?;
    let sql = "UPDATE conversation SET marked = 0, kept_version = ?3 \
               WHERE user = ?1 AND channel = ?2";
    let values = [user.0, row.channel.num.0, row.kept.version];
    tx.conn.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// The conversations that are kept otherwise since a version. What the user has nothing to do
/// with any more is passed over.
pub(super) fn kept_since(
    conn: &Connection,
    shared: &Shared,
    user: UserNum,
    after_version: i64,
    limit: u32,
) -> DbResult<Vec<ConversationRow>> {
    let sql = "SELECT channel FROM conversation \
               WHERE user = ?1 AND kept_version > 0 AND kept_version > ?2 \
               ORDER BY kept_version LIMIT ?3";
    let mut find = conn.prepare_cached(sql)?;
    let found = find.query_map([user.0, after_version, i64::from(limit)], |row| row.get(0))?;
    let channels = found.collect::<Result<Vec<i64>, _>>()?;
    let mut views = Vec::with_capacity(channels.len());
    for channel in channels {
        views.extend(inbox::views(conn, shared, user, Some(ChannelNum(channel)))?);
    }
    Ok(views)
}
