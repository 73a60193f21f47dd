//! Work in the background.

use async_trait::async_trait;
use crosstalk_core::admin::chores::MAX_OPEN;
use crosstalk_core::admin::{Chore, ChoreKind, ChoreState, Chores, NewChore};
use crosstalk_core::id::{Realm, UserNum};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, Params, Row, params};

use crate::sqlite::error::{DbError, DbResult};
use crate::sqlite::work::Tx;
use crate::sqlite::{Shared, Sqlite, names};

#[async_trait]
impl Chores for Sqlite {
    async fn add_chore(&self, chore: &NewChore) -> StoreResult<Option<Chore>> {
        let chore = chore.clone();
        self.write(move |tx| add(tx, &chore)).await
    }

    async fn chore(&self, num: i64) -> StoreResult<Option<Chore>> {
        self.read(move |conn, shared| {
            let found = select(conn, shared, "num = ?1", [num])?;
            Ok(found.into_iter().next())
        })
        .await
    }

    async fn chore_about(&self, kind: ChoreKind, user: UserNum) -> StoreResult<Option<Chore>> {
        self.read(move |conn, shared| {
            let rule = "user = ?1 AND kind = ?2 ORDER BY num DESC LIMIT 1";
            let found = select(conn, shared, rule, params![user.0, kind as i64])?;
            Ok(found.into_iter().next())
        })
        .await
    }

    async fn chores(
        &self,
        realm: &Realm,
        kind: ChoreKind,
        before: Option<i64>,
        limit: u32,
    ) -> StoreResult<Vec<Chore>> {
        let realm = realm.clone();
        self.read(move |conn, shared| {
            let rule = "realm = ?1 AND kind = ?2 AND num < ?3 ORDER BY num DESC LIMIT ?4";
            let before = before.unwrap_or(i64::MAX);
            let of = params![realm.as_str(), kind as i64, before, limit];
            select(conn, shared, rule, of)
        })
        .await
    }

    async fn open_chores(&self, kind: ChoreKind, limit: u32) -> StoreResult<Vec<Chore>> {
        self.read(move |conn, shared| {
            let rule = "state < 2 AND kind = ?1 \
                        ORDER BY row_number() OVER (PARTITION BY realm ORDER BY num), num LIMIT ?2";
            select(conn, shared, rule, params![kind as i64, limit])
        })
        .await
    }

    async fn save_chore(&self, chore: &Chore, output: Option<(u32, Vec<u8>)>) -> StoreResult<bool> {
        let chore = chore.clone();
        self.write(move |tx| {
            let sql = "UPDATE chore SET state = ?2, done = ?3, failed = ?4, total = ?5, \
                       place = ?6, note = ?7, updated_at = ?8 WHERE num = ?1 AND state < 2";
            let saved = tx.conn.prepare_cached(sql)?.execute(params![
                chore.num,
                chore.state as i64,
                count(chore.done),
                count(chore.failed),
                count(chore.chore.total),
                chore.place,
                chore.note,
                chore.updated_at_ms,
            ])?;
            if saved > 0
                && let Some((n, data)) = &output
            {
                let sql = "INSERT OR REPLACE INTO chore_output (chore, n, data) \
                           VALUES (?1, ?2, ?3)";
                let row = params![chore.num, n, data];
                tx.conn.prepare_cached(sql)?.execute(row)?;
            }
            Ok(saved > 0)
        })
        .await
    }

    async fn cancel_chore(&self, num: i64) -> StoreResult<bool> {
        self.write(move |tx| {
            let sql = "UPDATE chore SET state = 4, updated_at = ?2 WHERE num = ?1 AND state < 2";
            let cancelled = tx.conn.prepare_cached(sql)?.execute((num, tx.now_ms))?;
            Ok(cancelled > 0)
        })
        .await
    }

    async fn output(&self, chore: i64, n: u32) -> StoreResult<Option<Vec<u8>>> {
        self.read(move |conn, _| {
            let sql = "SELECT data FROM chore_output WHERE chore = ?1 AND n = ?2";
            let mut find = conn.prepare_cached(sql)?;
            let mut rows = find.query((chore, n))?;
            Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
        })
        .await
    }

    async fn drop_output(&self, before_ms: i64) -> StoreResult<()> {
        let old = "SELECT 1 FROM chore c JOIN chore_output o ON o.chore = c.num \
                   WHERE c.state >= 2 AND c.updated_at < ?1";
        let is_any = self
            .read(move |conn, _| Ok(conn.prepare_cached(old)?.exists([before_ms])?))
            .await?;
        if !is_any {
            return Ok(());
        }
        self.write(move |tx| {
            let sql = "DELETE FROM chore_output WHERE chore IN \
                       (SELECT num FROM chore WHERE state >= 2 AND updated_at < ?1)";
            tx.conn.prepare_cached(sql)?.execute([before_ms])?;
            Ok(())
        })
        .await
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn add(tx: &Tx<'_>, chore: &NewChore) -> DbResult<Option<Chore>> {
    let realm = chore.realm.as_str();
    let kind = chore.kind as i64;
    if let Some(user) = &chore.user {
        let rule = "realm = ?1 AND kind = ?2 AND user = ?3 AND state < 2";
        let open = select(tx.conn, tx.shared, rule, params![realm, kind, user.num.0])?;
        if let Some(open) = open.into_iter().next() {
            return Ok(Some(open));
        }
    }
    let sql = "SELECT count(*) FROM chore WHERE realm = ?1 AND kind = ?2 AND state < 2";
    let mut open = tx.conn.prepare_cached(sql)?;
    if open.query_row(params![realm, kind], |row| row.get::<_, u32>(0))? >= MAX_OPEN {
        return Ok(None);
    }
    let sql = "INSERT INTO chore (realm, kind, user, spec, state, done, failed, total, place, \
               note, by, created_at, updated_at) \
               VALUES (?1, ?2, ?3, ?4, 0, 0, 0, ?5, '', '', ?6, ?7, ?7)";
    tx.conn.prepare_cached(sql)?.execute(params![
        realm,
        kind,
        chore.user.as_ref().map(|user| user.num.0),
        chore.spec,
        count(chore.total),
        chore.by,
        tx.now_ms,
    ])?;
    let num = tx.conn.last_insert_rowid();
    let added = select(tx.conn, tx.shared, "num = ?1", [num])?;
    Ok(added.into_iter().next())
}

fn select(conn: &Connection, shared: &Shared, rule: &str, of: impl Params) -> DbResult<Vec<Chore>> {
    let sql = format!(
        "SELECT num, realm, kind, user, spec, state, done, failed, total, place, note, by, \
         created_at, updated_at FROM chore WHERE {rule}"
    );
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query(of)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(record(conn, shared, row)?);
    }
    Ok(found)
}

fn record(conn: &Connection, shared: &Shared, row: &Row<'_>) -> DbResult<Chore> {
    let number = |at: usize| Ok::<_, DbError>(row.get::<_, i64>(at)?.unsigned_abs());
    let kind = ChoreKind::from_number(row.get(2)?);
    let user = match row.get::<_, Option<i64>>(3)? {
        Some(num) => shared.names.user(conn, UserNum(num))?,
        None => None,
    };
    Ok(Chore {
        num: row.get(0)?,
        chore: NewChore {
            realm: names::realm(row, 1)?,
            kind: kind.ok_or_else(|| DbError::Corrupt("a kind of work".to_owned()))?,
            user,
            spec: row.get(4)?,
            total: number(8)?,
            by: row.get(11)?,
        },
        state: ChoreState::from_number(row.get(5)?),
        done: number(6)?,
        failed: number(7)?,
        place: row.get(9)?,
        note: row.get(10)?,
        created_at_ms: row.get(12)?,
        updated_at_ms: row.get(13)?,
    })
}
