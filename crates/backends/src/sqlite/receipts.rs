//! Read receipts, and the states of messages in the order of their versions.
//!
//! What asks for a receipt is found by a reader, through an index that has nothing else, so
//! that reading where nobody asks costs the writer nothing. The writer then looks again at
//! what may have changed since: whether the message is still there, and unread.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use crosstalk_core::id::{ChannelNum, MessageId, UserNum};
use crosstalk_core::message::{Flags, Gone, Revocation};
use crosstalk_core::receipt::{MessageState, NewlyRead, Receipts};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, OptionalExtension, Row};

use super::error::{DbResult, unless_damaged};
use super::rows::{self, MESSAGE_COLUMNS, MessageRow, REVOKED, count};
use super::work::Tx;
use super::{Shared, Sqlite};

/// Who has read a message.
pub(super) const READERS: &str =
    "SELECT user, at FROM receipt WHERE message = ?1 AND user > ?2 ORDER BY user LIMIT ?3";

const STATE_COLUMNS: &str = "id, seq, version, revoked_by, revoked_at, asked, read_count, \
     gone, edit_n, edited_at, pinned_at";

/// The statement of what has changed in a log.
pub(super) fn changed_sql() -> String {
    format!(
        "SELECT {STATE_COLUMNS} FROM message_state \
         WHERE channel = ?1 AND version > ?2 ORDER BY version LIMIT ?3"
    )
}

/// The statement of what in a stretch asks a user for a receipt. The condition on the flags
/// is that of the index, to the letter.
pub(super) fn asking_sql() -> String {
    format!(
        "SELECT {MESSAGE_COLUMNS} FROM message AS m \
         WHERE channel = ?1 AND seq BETWEEN ?2 AND ?3 AND (flags & 8) <> 0 \
         AND (flags & {REVOKED}) = 0 AND sender <> ?4 AND NOT EXISTS \
         (SELECT 1 FROM receipt WHERE message = m.id AND user = ?4) \
         ORDER BY seq DESC"
    )
}

#[async_trait]
impl Receipts for Sqlite {
    async fn read(
        &self,
        channel: ChannelNum,
        reader: UserNum,
        seqs: RangeInclusive<u64>,
        at_ms: i64,
        limit: u32,
    ) -> StoreResult<Vec<NewlyRead>> {
        let (from, to) = (rows::seq(*seqs.start()), rows::seq(*seqs.end()));
        let stretch = [channel.0, from, to, reader.0];
        let asking = self
            .read(move |conn, shared| {
                let asking = unless_damaged(asking(conn, shared, stretch, limit))?;
                // A row that cannot be read: at worst nobody learns that these were read.
                Ok(asking.unwrap_or_default())
            })
            .await?;
        if asking.is_empty() {
            return Ok(Vec::new());
        }
        self.write(move |tx| note(tx, channel, reader, at_ms, &asking))
            .await
    }

    async fn of(
        &self,
        message: MessageId,
        after: Option<UserNum>,
        limit: u32,
    ) -> StoreResult<Vec<(UserNum, i64)>> {
        let after = after.map_or(i64::MIN, |user| user.0);
        self.read(move |conn, _| {
            let mut find = conn.prepare_cached(READERS)?;
            let bounds = [message.0, after, i64::from(limit)];
            let readers = find.query_map(bounds, |row| Ok((UserNum(row.get(0)?), row.get(1)?)))?;
            Ok(readers.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn changed_since(
        &self,
        channel: ChannelNum,
        version: i64,
        limit: u32,
    ) -> StoreResult<Vec<MessageState>> {
        self.read(move |conn, shared| {
            let mut find = conn.prepare_cached(&changed_sql())?;
            let mut found = find.query([channel.0, version, i64::from(limit)])?;
            let mut states = Vec::new();
            while let Some(row) = found.next()? {
                states.push(state(conn, shared, row)?);
            }
            Ok(states)
        })
        .await
    }

    async fn states(&self, ids: &[MessageId]) -> StoreResult<Vec<MessageState>> {
        let ids = ids.to_vec();
        self.read(move |conn, shared| {
            let sql = format!("SELECT {STATE_COLUMNS} FROM message_state WHERE id = ?1");
            let mut find = conn.prepare_cached(&sql)?;
            let mut states = Vec::new();
            for id in ids {
                let mut found = find.query([id.0])?;
                if let Some(row) = found.next()? {
                    states.push(state(conn, shared, row)?);
                }
            }
            Ok(states)
        })
        .await
    }
}

/// The newest version of a log's states.
pub(super) fn newest_version(conn: &Connection, channel: i64) -> DbResult<i64> {
    let sql = "SELECT ifnull(max(version), 0) FROM message_state WHERE channel = ?1";
    let mut newest = conn.prepare_cached(sql)?;
    Ok(newest.query_row([channel], |row| row.get(0))?)
}

/// What asks the reader for a receipt, newest first.
fn asking(
    conn: &Connection,
    shared: &Shared,
    stretch: [i64; 4],
    limit: u32,
) -> DbResult<Vec<NewlyRead>> {
    let reader = UserNum(stretch[3]);
    let mut find = conn.prepare_cached(&asking_sql())?;
    let mut found = find.query(stretch)?;
    let mut asking = Vec::new();
    while asking.len() < limit as usize
        && let Some(row) = found.next()?
    {
        let Some(message) = MessageRow::sound(row) else {
            continue;
        };
        let audience = message.audience();
        if audience.is_some_and(|audience| !audience.contains(&reader)) {
            continue;
        }
        let Some(sender) = shared.names.user(conn, UserNum(message.sender))? else {
            continue;
        };
        asking.push(NewlyRead {
            id: MessageId(message.id),
            seq: message.seq.cast_unsigned(),
            sender,
            client_no: message.client_no.into(),
            name: message.name.map(Into::into),
            origin: rows::origin(message.origin),
            flags: Flags::from_bits(message.flags),
            read_count: 0,
        });
    }
    Ok(asking)
}

/// Writes the receipts that are still wanted, and returns those.
fn note(
    tx: &Tx<'_>,
    channel: ChannelNum,
    reader: UserNum,
    at_ms: i64,
    asking: &[NewlyRead],
) -> DbResult<Vec<NewlyRead>> {
    let sql = format!(
        "INSERT INTO receipt (message, user, at) SELECT id, ?2, ?3 FROM message \
         WHERE id = ?1 AND (flags & {REVOKED}) = 0 ON CONFLICT DO NOTHING"
    );
    let mut receipt = tx.conn.prepare_cached(&sql)?;
    let sql = "INSERT INTO message_state \
               (id, channel, seq, version, uncounted, asked, read_count) \
               VALUES (?1, ?2, ?3, ?4, 0, 1, 1) ON CONFLICT DO UPDATE SET \
               version = ?4, asked = 1, read_count = read_count + 1 RETURNING read_count";
    let mut state = tx.conn.prepare_cached(sql)?;
    let mut version = newest_version(tx.conn, channel.0)?;
    let mut read = Vec::new();
    for message in asking {
        if receipt.execute([message.id.0, reader.0, at_ms])? == 0 {
            continue;
        }
        version = tx.version(version);
        let place = [message.id.0, channel.0, rows::seq(message.seq), version];
        let read_count = state.query_row(place, |row| count(row, 0)).optional()?;
        read.push(NewlyRead {
            read_count: read_count.unwrap_or(0),
            ..message.clone()
        });
    }
    Ok(read)
}

fn state(conn: &Connection, shared: &Shared, row: &Row<'_>) -> DbResult<MessageState> {
    let by: Option<i64> = row.get(3)?;
    let revoked = match row.get(4)? {
        None => None,
        Some(at_ms) => {
            let by = by.map(|num| shared.names.user(conn, UserNum(num)));
            Some(Revocation {
                by: by.transpose()?.flatten(),
                at_ms,
                how: Gone::from_number(row.get(7)?),
            })
        }
    };
    Ok(MessageState {
        id: MessageId(row.get(0)?),
        seq: count(row, 1)?,
        version: row.get(2)?,
        revoked,
        asked: row.get(5)?,
        read_count: count(row, 6)?,
        edits: row.get(8)?,
        edited_at_ms: row.get::<_, Option<i64>>(9)?.unwrap_or(0),
        pinned_at_ms: row.get::<_, Option<i64>>(10)?.unwrap_or(0),
    })
}
