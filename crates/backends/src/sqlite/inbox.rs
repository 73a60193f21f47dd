//! Conversations: a user's view of the channels they have to do with.
//!
//! A user has to do with a channel whose active member they are, and with one in which they
//! have a conversation row without ever having been a member (the two of a direct channel).
//! Who has left a channel sees nothing of it. A row may be missing, and what it says may be
//! overtaken by the join or by own sends that are not written down yet (`advance`): both move
//! the read position and the badge forward under the same rule. What retention has dropped,
//! and what was said before the join where that may not be read, moves the badge alone.

use async_trait::async_trait;
use crosstalk_core::conversation::{ConversationChange, ConversationRow, Inbox, Keep, KeepOutcome};
use crosstalk_core::id::{ChannelNum, MessageId, UserNum};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, Row};

use super::advance::Place;
use super::channels::SINCE_JOIN;
use super::error::{DbResult, unless_damaged};
use super::rows::{self, count};
use super::stats::add;
use super::work::Tx;
use super::{Shared, Sqlite, directed, heads, keep, unread};

#[async_trait]
impl Inbox for Sqlite {
    async fn conversations(&self, user: UserNum) -> StoreResult<Vec<ConversationRow>> {
        self.read(move |conn, shared| {
            shared
                .advances
                .consistent(|| views(conn, shared, user, None))
        })
        .await
    }

    async fn conversation(
        &self,
        user: UserNum,
        channel: ChannelNum,
    ) -> StoreResult<Option<ConversationRow>> {
        self.read(move |conn, shared| {
            shared
                .advances
                .consistent(|| Ok(views(conn, shared, user, Some(channel))?.pop()))
        })
        .await
    }

    async fn change(
        &self,
        user: UserNum,
        channel: ChannelNum,
        change: ConversationChange,
    ) -> StoreResult<Option<ConversationRow>> {
        self.write(move |tx| apply(tx, user, channel, change)).await
    }

    async fn keep(
        &self,
        user: UserNum,
        channel: ChannelNum,
        wish: Keep,
        make: bool,
    ) -> StoreResult<Option<KeepOutcome>> {
        self.write(move |tx| keep::keep(tx, (user, channel), &wish, make))
            .await
    }

    async fn kept_since(
        &self,
        user: UserNum,
        after_version: i64,
        limit: u32,
    ) -> StoreResult<Vec<ConversationRow>> {
        self.read(move |conn, shared| {
            shared
                .advances
                .consistent(|| keep::kept_since(conn, shared, user, after_version, limit))
        })
        .await
    }
}

/// The statement of [`views`]. What no longer counts is counted from where the badge stands
/// in all but rare cases ([`counted_after`]).
///
/// Without `rows` it does not read the newest messages but only their places, from the index.
pub(super) fn views_sql(of_one: bool, rows: bool) -> String {
    let one = if of_one { "AND channel = ?2" } else { "" };
    let (sent_at, head) = if rows {
        let newest = "SELECT id FROM message WHERE channel = m.channel ORDER BY seq DESC LIMIT 1";
        ("h.sent_at", format!("h.id = ({newest})"))
    } else {
        let newest = "SELECT max(seq) FROM message WHERE channel = m.channel";
        (
            "NULL",
            format!("h.channel = m.channel AND h.seq = ({newest})"),
        )
    };
    format!(
        "WITH mine (channel, join_seq, join_ordinal, version) AS (
            SELECT channel, join_seq, join_ordinal, version FROM member
            WHERE user = ?1 AND state = 1 {one}
            UNION ALL
            SELECT channel, NULL, NULL, NULL FROM conversation AS own
            WHERE user = ?1 {one} AND NOT EXISTS
                (SELECT 1 FROM member WHERE channel = own.channel AND user = ?1)
        )
        SELECT c.num, c.realm, c.kind, c.id, c.log, c.flags, c.first_seq, c.first_ordinal,
            m.join_seq, m.join_ordinal, m.version,
            v.read_seq, v.badge_seq, v.badge_ordinal, v.cleared_seq, v.hidden_seq,
            v.pinned_at, v.muted_until, v.version,
            h.id, h.seq, h.ordinal, {sent_at},
            (SELECT count(*) FROM message_state s
                WHERE s.channel = m.channel AND s.uncounted = 1 AND s.seq >
                    max(coalesce(v.badge_seq, m.join_seq, 0), c.first_seq - 1))
            + (SELECT count(*) FROM hidden_message x
                WHERE x.user = ?1 AND x.channel = m.channel AND x.counts = 1 AND x.seq >
                    max(coalesce(v.badge_seq, m.join_seq, 0), c.first_seq - 1)),
            (SELECT count(*) FROM directed d
                WHERE d.user = ?1 AND d.channel = m.channel AND d.counts = 1 AND d.seq >
                    max(coalesce(v.badge_seq, m.join_seq, 0), c.first_seq - 1)),
            v.marked, v.draft, v.draft_at, v.browsed_to, v.top_seq, v.top_offset, v.kept_version
        FROM mine m
        CROSS JOIN channel c ON c.num = m.channel
        LEFT JOIN conversation v ON v.user = ?1 AND v.channel = m.channel
        LEFT JOIN message h ON {head}"
    )
}

/// All conversations of a user, or the one with a channel. One snapshot, and one statement
/// but for those whose badge stands elsewhere than their row says.
pub(super) fn views(
    conn: &Connection,
    shared: &Shared,
    user: UserNum,
    only: Option<ChannelNum>,
) -> DbResult<Vec<ConversationRow>> {
    let whole = unless_damaged(read_views(conn, shared, user, only, true))?;
    if let Some(views) = whole {
        return Ok(views);
    }
    // One of the newest messages is not to stand before all conversations.
    tracing::error!(user = user.0, "a newest message cannot be read");
    add(&shared.counters.damaged, 1);
    read_views(conn, shared, user, only, false)
}

fn read_views(
    conn: &Connection,
    shared: &Shared,
    user: UserNum,
    only: Option<ChannelNum>,
    rows: bool,
) -> DbResult<Vec<ConversationRow>> {
    let sql = views_sql(only.is_some(), rows);
    let mut find = conn.prepare_cached(&sql)?;
    let mut found = match only {
        Some(channel) => find.query([user.0, channel.0])?,
        None => find.query([user.0])?,
    };
    let mut views = Vec::new();
    while let Some(row) = found.next()? {
        let mut view = view(shared, user, row)?;
        let counted_after = counted_after(row)?;
        let any = view.uncounted > 0 || view.directed > 0;
        if view.badge_seq < counted_after || any && view.badge_seq > counted_after {
            recount(conn, user, &mut view)?;
        }
        views.push(view);
    }
    Ok(views)
}

/// From where the statement has counted what no longer counts.
fn counted_after(row: &Row<'_>) -> DbResult<u64> {
    let badge: Option<u64> = row.get::<_, Option<i64>>(12)?.map(i64::cast_unsigned);
    let badge = match badge {
        Some(badge) => badge,
        None => count(row, 8)?,
    };
    Ok(badge.max(dropped(row)?.seq))
}

/// The last place that retention has dropped.
fn dropped(row: &Row<'_>) -> DbResult<Place> {
    Ok(Place {
        seq: count(row, 6)?.saturating_sub(1),
        ordinal: count(row, 7)?,
    })
}

/// Counts again, from where the badge stands, what the ordinals do not say.
pub(super) fn recount(
    conn: &Connection,
    user: UserNum,
    view: &mut ConversationRow,
) -> DbResult<()> {
    let (channel, badge, head) = (view.channel.num, view.badge_seq, view.head_seq);
    view.uncounted = unread::uncounted(conn, user, channel, badge, head)?;
    view.directed = directed::counting(conn, user, channel, badge, head)?;
    Ok(())
}

fn view(shared: &Shared, user: UserNum, row: &Row<'_>) -> DbResult<ConversationRow> {
    let channel = shared.names.channel_from(row)?;
    let (dropped, join) = (
        dropped(row)?,
        Place {
            seq: count(row, 8)?,
            ordinal: count(row, 9)?,
        },
    );
    let since_join = row.get::<_, i64>(5)? & SINCE_JOIN != 0;
    // Nothing up to here can be read by this user, so nothing of it is unread.
    let closed = if since_join && join.seq > dropped.seq {
        join
    } else {
        dropped
    };
    let id: Option<i64> = row.get(19)?;
    let (head, place) = match id.map(MessageId) {
        Some(id) => (
            // A row that cannot be read leaves its id, which has nearly the same time.
            Some((id, row.get::<_, Option<_>>(22)?.unwrap_or(id.given_at_ms()))),
            Place {
                seq: count(row, 20)?,
                ordinal: count(row, 21)?,
            },
        ),
        None => (None, dropped),
    };
    let version = match row.get::<_, Option<i64>>(18)? {
        Some(version) => version,
        None => row.get::<_, Option<i64>>(10)?.unwrap_or(0),
    };
    let mut view = ConversationRow {
        head_seq: place.seq,
        head_ordinal: place.ordinal,
        head,
        read_seq: count(row, 11)?,
        badge_seq: count(row, 12)?,
        badge_ordinal: count(row, 13)?,
        uncounted: count(row, 23)?,
        directed: count(row, 24)?,
        begins_after: count(row, 14)?.max(closed.seq),
        hidden_seq: keep::hidden_seq(row)?,
        pinned_at_ms: row.get::<_, Option<i64>>(16)?.unwrap_or(0),
        kept: keep::kept(row)?,
        version,
        channel,
    };
    advance(&mut view, join);
    if let Some(sent) = shared.advances.at((user, view.channel.num), place) {
        advance(&mut view, sent);
    }
    if view.badge_seq < closed.seq {
        (view.badge_seq, view.badge_ordinal) = (closed.seq, closed.ordinal);
    }
    Ok(view)
}

/// The rule of `advance`: only a place above the read position counts.
fn advance(view: &mut ConversationRow, to: Place) {
    if to.seq > view.read_seq {
        view.read_seq = to.seq;
        view.badge_seq = to.seq;
        view.badge_ordinal = to.ordinal;
    }
}

fn apply(
    tx: &Tx<'_>,
    user: UserNum,
    channel: ChannelNum,
    change: ConversationChange,
) -> DbResult<Option<ConversationRow>> {
    let Some(mut view) = views(tx.conn, tx.shared, user, Some(channel))?.pop() else {
        return Ok(None);
    };
    let mut cleared_seq = 0;
    match change {
        ConversationChange::Read(to) => {
            read(tx.conn, &mut view, to)?;
            keep::unmark(tx, user, &mut view)?;
        }
        ConversationChange::SetUnread(n) => set_unread(tx.conn, user, &mut view, n)?,
        ConversationChange::Hide => view.hidden_seq = Some(view.head_seq),
        ConversationChange::Clear => {
            cleared_seq = view.head_seq;
            view.begins_after = view.head_seq;
            view.read_seq = view.head_seq;
            (view.badge_seq, view.badge_ordinal) = (view.head_seq, view.head_ordinal);
        }
    }
    recount(tx.conn, user, &mut view)?;
    view.version = tx.version(view.version);
    // Own advances that are not written down yet are in the view, and so in the row.
    let sql = "INSERT INTO conversation (user, channel, read_seq, badge_seq, badge_ordinal, \
               cleared_seq, hidden_seq, pinned_at, muted, version) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, ?8) \
               ON CONFLICT DO UPDATE SET read_seq = ?3, badge_seq = ?4, badge_ordinal = ?5, \
               cleared_seq = max(cleared_seq, ?6), hidden_seq = ?7, version = ?8";
    tx.conn.prepare_cached(sql)?.execute([
        user.0,
        channel.0,
        rows::seq(view.read_seq),
        rows::seq(view.badge_seq),
        rows::seq(view.badge_ordinal),
        rows::seq(cleared_seq),
        keep::stored(view.hidden_seq),
        view.version,
    ])?;
    Ok(Some(view))
}

pub(super) fn read(conn: &Connection, view: &mut ConversationRow, to: Option<u64>) -> DbResult<()> {
    let to = to.unwrap_or(u64::MAX).min(view.head_seq);
    view.read_seq = view.read_seq.max(to);
    if to > view.badge_seq
        && let Some(ordinal) = heads::ordinal_at(conn, view.channel.num, to)?
    {
        view.badge_seq = to;
        view.badge_ordinal = ordinal;
    }
    Ok(())
}

fn set_unread(
    conn: &Connection,
    user: UserNum,
    view: &mut ConversationRow,
    unread: u64,
) -> DbResult<()> {
    let place = unread::place_before(conn, user, view, unread)?;
    (view.badge_seq, view.badge_ordinal) = (place.seq, place.ordinal);
    view.read_seq = view.read_seq.max(view.badge_seq);
    Ok(())
}
