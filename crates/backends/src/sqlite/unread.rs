//! What still counts as unread: the messages that ordinals count, less those that were
//! revoked since (`message_state.uncounted`) or that the user has hidden (`hidden`), and those for the user alone (`directed`).

use crosstalk_core::conversation::ConversationRow;
use crosstalk_core::id::{ChannelNum, UserNum};
use rusqlite::Connection;

use super::advance::Place;
use super::error::DbResult;
use super::rows::{self, count};
use super::{directed, heads, hidden};

/// How many counting messages above `after` and up to `to` no longer count for a user.
pub(super) fn uncounted(
    conn: &Connection,
    user: UserNum,
    channel: ChannelNum,
    after: u64,
    to: u64,
) -> DbResult<u64> {
    let sql = "SELECT count(*) FROM message_state \
               WHERE channel = ?1 AND uncounted = 1 AND seq > ?2 AND seq <= ?3";
    let mut find = conn.prepare_cached(sql)?;
    let bounds = [channel.0, rows::seq(after), rows::seq(to)];
    let gone = find.query_row(bounds, |row| count(row, 0))?;
    Ok(gone + hidden::counting(conn, user, channel, after, to)?)
}

/// How many messages above a place and up to another count for a user, beside what the
/// ordinals say: those for them alone, less those that no longer count.
fn beside(
    conn: &Connection,
    (user, channel): (UserNum, ChannelNum),
    after: u64,
    to: u64,
) -> DbResult<i64> {
    let uncounted = uncounted(conn, user, channel, after, to)?.cast_signed();
    let directed = directed::counting(conn, user, channel, after, to)?.cast_signed();
    Ok(directed - uncounted)
}

/// The last place after which `unread` messages still count, or all that the user can read
/// if those are fewer. That number falls with the seq and seqs have no gaps, so the place is
/// found by halving: a scan could be as long as the log.
pub(super) fn place_before(
    conn: &Connection,
    user: UserNum,
    view: &ConversationRow,
    unread: u64,
) -> DbResult<Place> {
    let channel = view.channel.num;
    let whose = (user, channel);
    let (mut low, mut high) = (view.begins_after, view.head_seq);
    // What counts above `high` beside what the ordinals say.
    let mut above = 0_i64;
    let still_counts = |seq: u64, beside: i64| -> DbResult<u64> {
        let counted = view
            .head_ordinal
            .saturating_sub(ordinal(conn, channel, seq)?);
        Ok(counted.saturating_add_signed(beside))
    };
    let all = still_counts(low, beside(conn, whose, low, high)?)?;
    let wanted = unread.min(all);
    // After `low` at least `wanted` still count, after anything above `high` fewer.
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let between = beside(conn, whose, middle, high)?;
        if still_counts(middle, above + between)? >= wanted {
            low = middle;
        } else {
            above += beside(conn, whose, middle - 1, high)?;
            high = middle - 1;
        }
    }
    Ok(Place {
        seq: low,
        ordinal: ordinal(conn, channel, low)?,
    })
}

/// The ordinal at a seq; what is not there was dropped from the front.
fn ordinal(conn: &Connection, channel: ChannelNum, seq: u64) -> DbResult<u64> {
    match heads::ordinal_at(conn, channel, seq)? {
        Some(ordinal) => Ok(ordinal),
        None => Ok(heads::dropped(conn, channel)?.ordinal),
    }
}
