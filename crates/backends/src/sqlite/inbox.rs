//! Conversations: a user's view of the channels they have to do with.
//!
//! A user has to do with a channel whose active member they are, and with one in which they
//! have a conversation row without ever having been a member (the two of a direct channel).
//! Who has left a channel sees nothing of it. A row may be missing, and what it says may be
//! overtaken by the join or by own sends that are not written down yet (`advance`): both move
//! the read position and the badge forward under the same rule.

use async_trait::async_trait;
use crosstalk_core::conversation::{ConversationChange, ConversationRow, Inbox};
use crosstalk_core::id::{ChannelNum, MessageId, UserNum};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, Row};

use super::advance::Place;
use super::channels::SINCE_JOIN;
use super::error::DbResult;
use super::rows::{self, count};
use super::work::Tx;
use super::{Shared, Sqlite, heads};

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
}

/// The statement of [`views`].
pub(super) fn views_sql(of_one: bool) -> String {
    let one = if of_one { "AND channel = ?2" } else { "" };
    format!(
        "WITH mine (channel, join_seq, join_ordinal, version) AS (
            SELECT channel, join_seq, join_ordinal, version FROM member
            WHERE user = ?1 AND state = 1 {one}
            UNION ALL
            SELECT channel, NULL, NULL, NULL FROM conversation AS own
            WHERE user = ?1 {one} AND NOT EXISTS
                (SELECT 1 FROM member WHERE channel = own.channel AND user = ?1)
        )
        SELECT c.num, c.realm, c.kind, c.id, c.log, c.flags, c.first_seq,
            m.join_seq, m.join_ordinal, m.version,
            v.read_seq, v.badge_seq, v.badge_ordinal, v.cleared_seq, v.hidden_seq,
            v.pinned_at, v.muted, v.version,
            h.id, h.seq, h.ordinal, h.sent_at
        FROM mine m
        CROSS JOIN channel c ON c.num = m.channel
        LEFT JOIN conversation v ON v.user = ?1 AND v.channel = m.channel
        LEFT JOIN message h ON h.id =
            (SELECT id FROM message WHERE channel = m.channel ORDER BY seq DESC LIMIT 1)"
    )
}

/// All conversations of a user, or the one with a channel. One statement, so one snapshot.
fn views(
    conn: &Connection,
    shared: &Shared,
    user: UserNum,
    only: Option<ChannelNum>,
) -> DbResult<Vec<ConversationRow>> {
    let sql = views_sql(only.is_some());
    let mut find = conn.prepare_cached(&sql)?;
    let mut found = match only {
        Some(channel) => find.query([user.0, channel.0])?,
        None => find.query([user.0])?,
    };
    let mut views = Vec::new();
    while let Some(row) = found.next()? {
        views.push(view(shared, user, row)?);
    }
    Ok(views)
}

fn view(shared: &Shared, user: UserNum, row: &Row<'_>) -> DbResult<ConversationRow> {
    let channel = shared.names.channel_from(row)?;
    let join = Place {
        seq: count(row, 7)?,
        ordinal: count(row, 8)?,
    };
    let id: Option<i64> = row.get(18)?;
    let head = id
        .map(|id| Ok::<_, rusqlite::Error>((MessageId(id), row.get(21)?)))
        .transpose()?;
    let since_join = row.get::<_, i64>(5)? & SINCE_JOIN != 0;
    let joined_at = if since_join { join.seq } else { 0 };
    let begins_after = count(row, 13)?
        .max(count(row, 6)?.saturating_sub(1))
        .max(joined_at);
    let version = match row.get::<_, Option<i64>>(17)? {
        Some(version) => version,
        None => row.get::<_, Option<i64>>(9)?.unwrap_or(0),
    };
    let mut view = ConversationRow {
        head_seq: count(row, 19)?,
        head_ordinal: count(row, 20)?,
        head,
        read_seq: count(row, 10)?,
        badge_seq: count(row, 11)?,
        badge_ordinal: count(row, 12)?,
        uncounted: 0,
        directed: 0,
        begins_after,
        hidden_seq: count(row, 14)?,
        pinned_at_ms: row.get::<_, Option<i64>>(15)?.unwrap_or(0),
        muted: count(row, 16)? != 0,
        version,
        channel,
    };
    advance(&mut view, join);
    let key = (user, view.channel.num);
    let head = Place {
        seq: view.head_seq,
        ordinal: view.head_ordinal,
    };
    if let Some(sent) = shared.advances.at(key, head) {
        advance(&mut view, sent);
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
    match change {
        ConversationChange::Read(to) => read(tx.conn, &mut view, to)?,
        ConversationChange::SetUnread(n) => set_unread(tx.conn, &mut view, n)?,
        ConversationChange::Hide => view.hidden_seq = view.head_seq,
    }
    view.version = tx.version(view.version);
    // Own advances that are not written down yet are in the view, and so in the row.
    let sql = "INSERT INTO conversation (user, channel, read_seq, badge_seq, badge_ordinal, \
               cleared_seq, hidden_seq, pinned_at, muted, version) \
               VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, 0, 0, ?7) \
               ON CONFLICT DO UPDATE SET read_seq = ?3, badge_seq = ?4, badge_ordinal = ?5, \
               hidden_seq = ?6, version = ?7";
    tx.conn.prepare_cached(sql)?.execute([
        user.0,
        channel.0,
        rows::seq(view.read_seq),
        rows::seq(view.badge_seq),
        rows::seq(view.badge_ordinal),
        rows::seq(view.hidden_seq),
        view.version,
    ])?;
    Ok(Some(view))
}

fn read(conn: &Connection, view: &mut ConversationRow, to: Option<u64>) -> DbResult<()> {
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

fn set_unread(conn: &Connection, view: &mut ConversationRow, unread: u64) -> DbResult<()> {
    let ordinal = view.head_ordinal - unread.min(view.head_ordinal);
    view.badge_ordinal = ordinal;
    view.badge_seq = last_seq_of(conn, view, ordinal)?;
    view.read_seq = view.read_seq.max(view.badge_seq);
    Ok(())
}

/// The largest seq whose ordinal is at most this. Ordinals rise with seqs, which have no
/// gaps, so it is found by halving: a scan could be as long as the log.
fn last_seq_of(conn: &Connection, view: &ConversationRow, ordinal: u64) -> DbResult<u64> {
    let (mut low, mut high) = (0, view.head_seq);
    // Everything up to `low` is within, everything above `high` is not.
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let within = match heads::ordinal_at(conn, view.channel.num, middle)? {
            Some(at) => at <= ordinal,
            // Dropped from the front by retention: older than anything that is there.
            None => true,
        };
        if within {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(low)
}
