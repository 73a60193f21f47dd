//! When messages end.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use crosstalk_core::expiry::{Due, Expiry};
use crosstalk_core::id::{ChannelNum, MessageId, UserNum};
use crosstalk_core::store::StoreResult;

use super::Sqlite;
use super::error::DbResult;
use super::rows::{self, MESSAGE_COLUMNS, MessageRow, is_revoked};
use super::work::Tx;

/// The statement of what is due. The condition is that of the index, to the letter.
pub(super) const DUE: &str = "SELECT expires_at, id FROM message \
     WHERE expires_at IS NOT NULL AND (flags & 65536) = 0 AND expires_at <= ?1 \
     AND (expires_at, id) > (?2, ?3) ORDER BY expires_at, id LIMIT ?4";

/// The statement of what burns once it is read.
pub(super) const BURNING: &str = "SELECT message, seq, after_ms FROM burn \
     WHERE channel = ?1 AND seq BETWEEN ?2 AND ?3 AND sender <> ?4";

#[async_trait]
impl Expiry for Sqlite {
    async fn due(&self, now_ms: i64, after: Option<Due>, limit: u32) -> StoreResult<Vec<Due>> {
        let after = after.map_or((i64::MIN, i64::MIN), |due| (due.at_ms, due.id.0));
        self.read(move |conn, _| {
            let mut find = conn.prepare_cached(DUE)?;
            let bounds = [now_ms, after.0, after.1, i64::from(limit)];
            let due = find.query_map(bounds, |row| {
                Ok(Due {
                    at_ms: row.get(0)?,
                    id: MessageId(row.get(1)?),
                })
            })?;
            Ok(due.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn burn(
        &self,
        channel: ChannelNum,
        reader: UserNum,
        seqs: RangeInclusive<u64>,
        now_ms: i64,
    ) -> StoreResult<u64> {
        let (from, to) = (rows::seq(*seqs.start()), rows::seq(*seqs.end()));
        let place = [channel.0, from, to, reader.0];
        // A reader looks, so that reading where nothing burns costs the writer nothing.
        let burns = self.read(move |conn, _| {
            let mut find = conn.prepare_cached(BURNING)?;
            Ok(find.exists(place)?)
        });
        if !burns.await? {
            return Ok(0);
        }
        self.write(move |tx| light(tx, place, now_ms)).await
    }
}

/// Has messages end.
fn light(tx: &Tx<'_>, place: [i64; 4], now_ms: i64) -> DbResult<u64> {
    let mut find = tx.conn.prepare_cached(BURNING)?;
    let burning = find.query_map(place, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let burning = burning.collect::<Result<Vec<(i64, i64, i64)>, _>>()?;
    let sql = format!("SELECT {MESSAGE_COLUMNS} FROM message WHERE id = ?1");
    let mut find = tx.conn.prepare_cached(&sql)?;
    let mut forget = tx
        .conn
        .prepare_cached("DELETE FROM burn WHERE channel = ?1 AND seq = ?2")?;
    let mut lit = 0;
    for (message, seq, after_ms) in burning {
        forget.execute([place[0], seq])?;
        let at_ms = now_ms.saturating_add(after_ms);
        let mut found = find.query([message])?;
        // The sum of a damaged message must stay wrong.
        if let Some(row) = found.next()?.and_then(MessageRow::sound)
            && !is_revoked(row.flags)
            && row.expires_at.is_none_or(|ends| ends > at_ms)
        {
            row.end_at(tx.conn, at_ms)?;
            lit += 1;
        }
    }
    Ok(lit)
}
