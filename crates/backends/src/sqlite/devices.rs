//! What devices were given. What waits for them is computed in `waiting`.

use std::collections::BTreeSet;

use async_trait::async_trait;
use crosstalk_core::delivered::{
    DeviceKey, Devices, Given, MAX_DEVICES, Stretch, Waiting, WaitingQuery,
};
use crosstalk_core::id::{MessageId, UserNum};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, OptionalExtension, Row};

use super::error::DbResult;
use super::{Sqlite, waiting};

#[async_trait]
impl Devices for Sqlite {
    async fn given(&self, device: &DeviceKey) -> StoreResult<Option<Given>> {
        let device = device.clone();
        self.read(move |conn, _| match find(conn, &device)? {
            Some(num) => Ok(Some(stored(conn, num)?)),
            None => Ok(None),
        })
        .await
    }

    async fn absorb(&self, batch: Vec<(DeviceKey, Given)>) -> StoreResult<()> {
        self.write(move |tx| {
            for (device, given) in &batch {
                absorb(tx.conn, device, given)?;
            }
            Ok(())
        })
        .await
    }

    async fn waiting(
        &self,
        user: UserNum,
        at: Vec<Stretch>,
        query: WaitingQuery,
    ) -> StoreResult<Waiting> {
        self.read(move |conn, shared| waiting::oldest(conn, shared, user, &at, query))
            .await
    }

    async fn newest(&self, user: UserNum, after: MessageId, count: u32) -> StoreResult<MessageId> {
        self.read(move |conn, shared| waiting::newest(conn, shared, user, after, count))
            .await
    }
}

fn find(conn: &Connection, device: &DeviceKey) -> DbResult<Option<i64>> {
    let sql = "SELECT num FROM device WHERE user = ?1 AND dialect = ?2 AND device_id = ?3";
    let mut find = conn.prepare_cached(sql)?;
    let key = (device.user.0, device.origin.0, &*device.id);
    Ok(find.query_row(key, |row| row.get(0)).optional()?)
}

fn stored(conn: &Connection, device: i64) -> DbResult<Given> {
    let sql = "SELECT lo, hi FROM device_range WHERE device = ?1";
    let mut find = conn.prepare_cached(sql)?;
    let stretch = |row: &Row<'_>| {
        Ok(Stretch {
            lo: MessageId(row.get(0)?),
            hi: MessageId(row.get(1)?),
        })
    };
    let ranges: Vec<_> = find
        .query_map([device], stretch)?
        .collect::<Result<_, _>>()?;
    let sql = "SELECT id FROM device_unacked WHERE device = ?1";
    let mut find = conn.prepare_cached(sql)?;
    let id = |row: &Row<'_>| Ok(MessageId(row.get(0)?));
    let unacked: Vec<_> = find.query_map([device], id)?.collect::<Result<_, _>>()?;
    Ok(Given::from_parts(ranges, unacked))
}

/// Adds what a device was given, and writes only what that changes.
fn absorb(conn: &Connection, device: &DeviceKey, given: &Given) -> DbResult<()> {
    let (num, before) = match find(conn, device)? {
        Some(num) => (num, stored(conn, num)?),
        None => (add(conn, device)?, Given::default()),
    };
    let mut after = before.clone();
    after.absorb(given);
    let (old, new) = (before.ranges(), after.ranges());
    for range in old {
        if new.binary_search_by_key(&range.lo, |r| r.lo).is_err() {
            let sql = "DELETE FROM device_range WHERE device = ?1 AND lo = ?2";
            conn.prepare_cached(sql)?.execute([num, range.lo.0])?;
        }
    }
    for range in new {
        if old.binary_search(range).is_err() {
            let sql = "INSERT INTO device_range (device, lo, hi) VALUES (?1, ?2, ?3) \
                       ON CONFLICT DO UPDATE SET hi = ?3";
            conn.prepare_cached(sql)?
                .execute([num, range.lo.0, range.hi.0])?;
        }
    }
    let old: BTreeSet<MessageId> = before.unacked().collect();
    let new: BTreeSet<MessageId> = after.unacked().collect();
    for id in old.difference(&new) {
        let sql = "DELETE FROM device_unacked WHERE device = ?1 AND id = ?2";
        conn.prepare_cached(sql)?.execute([num, id.0])?;
    }
    for id in new.difference(&old) {
        let sql = "INSERT INTO device_unacked (device, id) VALUES (?1, ?2)";
        conn.prepare_cached(sql)?.execute([num, id.0])?;
    }
    Ok(())
}

/// Gives a device a number. If its user has too many of its dialect, the one that was given
/// something longest ago is forgotten: clients may name a new one at each login.
fn add(conn: &Connection, device: &DeviceKey) -> DbResult<i64> {
    let of = (device.user.0, device.origin.0);
    let sql = "SELECT count(*) FROM device WHERE user = ?1 AND dialect = ?2";
    let there: u32 = conn.prepare_cached(sql)?.query_row(of, |row| row.get(0))?;
    if there >= MAX_DEVICES {
        let sql = "SELECT num FROM device WHERE user = ?1 AND dialect = ?2 ORDER BY \
                   (SELECT hi FROM device_range WHERE device = num ORDER BY lo DESC LIMIT 1), num \
                   LIMIT 1";
        let oldest: i64 = conn.prepare_cached(sql)?.query_row(of, |row| row.get(0))?;
        for sql in [
            "DELETE FROM device_range WHERE device = ?1",
            "DELETE FROM device_unacked WHERE device = ?1",
            "DELETE FROM device WHERE num = ?1",
        ] {
            conn.prepare_cached(sql)?.execute([oldest])?;
        }
    }
    let sql = "INSERT INTO device (user, dialect, device_id) VALUES (?1, ?2, ?3)";
    let key = (device.user.0, device.origin.0, &*device.id);
    conn.prepare_cached(sql)?.execute(key)?;
    Ok(conn.last_insert_rowid())
}
