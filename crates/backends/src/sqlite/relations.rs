//! What users have decided about each other. A user about whom nothing is decided has no row.

use async_trait::async_trait;
use crosstalk_core::id::UserNum;
use crosstalk_core::relation::{Relation, Relations};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, Row};

use super::Sqlite;
use super::error::DbResult;

#[async_trait]
impl Relations for Sqlite {
    async fn of(&self, user: UserNum) -> StoreResult<Vec<(UserNum, Relation)>> {
        self.read(move |conn, _| of(conn, user)).await
    }

    async fn set(&self, user: UserNum, others: &[(UserNum, Relation)]) -> StoreResult<()> {
        let others = others.to_vec();
        self.write(move |tx| set(tx.conn, user, &others)).await
    }
}

fn of(conn: &Connection, user: UserNum) -> DbResult<Vec<(UserNum, Relation)>> {
    let sql = "SELECT other, state FROM relation WHERE user = ?1 ORDER BY other";
    let mut find = conn.prepare_cached(sql)?;
    let entry = |row: &Row<'_>| Ok((UserNum(row.get(0)?), Relation::from_bits(row.get(1)?)));
    Ok(find.query_map([user.0], entry)?.collect::<Result<_, _>>()?)
}

fn set(conn: &Connection, user: UserNum, others: &[(UserNum, Relation)]) -> DbResult<()> {
    let sql = "INSERT INTO relation (user, other, state) VALUES (?1, ?2, ?3) \
               ON CONFLICT DO UPDATE SET state = ?3";
    let mut put = conn.prepare_cached(sql)?;
    let mut remove = conn.prepare_cached("DELETE FROM relation WHERE user = ?1 AND other = ?2")?;
    for (other, relation) in others {
        if *relation == Relation::default() {
            remove.execute([user.0, other.0])?;
        } else {
            put.execute([user.0, other.0, relation.bits()])?;
        }
    }
    Ok(())
}
