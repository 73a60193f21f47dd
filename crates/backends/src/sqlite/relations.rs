//! What users have decided about each other. A user about whom nothing is decided has no row.

use async_trait::async_trait;
use crosstalk_core::id::UserNum;
use crosstalk_core::relation::{Relation, RelationChange, Relations};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, Row};

use super::Sqlite;
use super::error::DbResult;

#[async_trait]
impl Relations for Sqlite {
    async fn of(&self, user: UserNum) -> StoreResult<Vec<(UserNum, Relation)>> {
        self.read(move |conn, _| of(conn, user)).await
    }

    async fn relate(&self, user: UserNum, others: &[(UserNum, RelationChange)]) -> StoreResult<()> {
        let others = others.to_vec();
        self.write(move |tx| relate(tx.conn, user, &others)).await
    }
}

fn of(conn: &Connection, user: UserNum) -> DbResult<Vec<(UserNum, Relation)>> {
    let sql = "SELECT other, state FROM relation WHERE user = ?1 AND state & 7 ORDER BY other";
    let mut find = conn.prepare_cached(sql)?;
    let entry = |row: &Row<'_>| Ok((UserNum(row.get(0)?), Relation::from_bits(row.get(1)?)));
    Ok(find.query_map([user.0], entry)?.collect::<Result<_, _>>()?)
}

/// Bits are changed where they are stored: what was read before may be old.
fn relate(conn: &Connection, user: UserNum, others: &[(UserNum, RelationChange)]) -> DbResult<()> {
    let sql = "INSERT INTO relation (user, other, state) VALUES (?1, ?2, ?3) \
               ON CONFLICT DO UPDATE SET state = (state & ~?4) | ?3";
    let mut put = conn.prepare_cached(sql)?;
    let sql = "DELETE FROM relation WHERE user = ?1 AND other = ?2 AND state = 0";
    let mut remove = conn.prepare_cached(sql)?;
    for (other, change) in others {
        put.execute([user.0, other.0, change.set_bits(), change.clear_bits()])?;
        remove.execute([user.0, other.0])?;
    }
    Ok(())
}
