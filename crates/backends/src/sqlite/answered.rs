//! Answers that are kept under keys.

use async_trait::async_trait;
use crosstalk_core::answered::{Answers, Asker, KeptAnswer};
use crosstalk_core::store::StoreResult;
use rusqlite::{OptionalExtension, Row, params};

use super::Sqlite;
use super::error::DbResult;
use super::work::Tx;

#[async_trait]
impl Answers for Sqlite {
    async fn keep_answer(
        &self,
        asker: &Asker,
        key: &str,
        answer: &KeptAnswer,
        room: u64,
    ) -> StoreResult<()> {
        let (asker, key, answer) = (asker.clone(), key.to_owned(), answer.clone());
        self.write(move |tx| keep(tx, &asker, &key, &answer, room))
            .await
    }

    async fn answer(&self, asker: &Asker, key: &str) -> StoreResult<Option<KeptAnswer>> {
        let (asker, key) = (asker.to_string(), key.to_owned());
        self.read(move |conn, _| {
            let sql = "SELECT fingerprint, at, status, media_type, body FROM answered \
                       WHERE asker = ?1 AND key = ?2";
            let mut find = conn.prepare_cached(sql)?;
            Ok(find.query_row([&asker, &key], answer_of).optional()?)
        })
        .await
    }

    async fn forget_answers(&self, before_ms: i64, limit: u32) -> StoreResult<u64> {
        self.write(move |tx| {
            let sql = "DELETE FROM answered WHERE num IN \
                       (SELECT num FROM answered WHERE at < ?1 ORDER BY at LIMIT ?2)";
            let mut forget = tx.conn.prepare_cached(sql)?;
            Ok(forget.execute((before_ms, limit))? as u64)
        })
        .await
    }
}

fn keep(tx: &Tx<'_>, asker: &Asker, key: &str, answer: &KeptAnswer, room: u64) -> DbResult<()> {
    let name = asker.to_string();
    let sql = "DELETE FROM answered WHERE asker = ?1 AND key = ?2";
    tx.conn.prepare_cached(sql)?.execute([&*name, key])?;
    let sql = "SELECT coalesce(max(place), 0) + 1 FROM answered WHERE asker = ?1";
    let mut next = tx.conn.prepare_cached(sql)?;
    let place: i64 = next.query_row([&name], |row| row.get(0))?;
    let sql = "INSERT INTO answered (asker, key, user, place, fingerprint, at, status, \
               media_type, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    tx.conn.prepare_cached(sql)?.execute(params![
        name,
        key,
        asker.user().map(|user| user.0),
        place,
        &answer.fingerprint[..],
        answer.at_ms,
        answer.status,
        answer.media_type,
        answer.sealed_body,
    ])?;
    // Places rise: so many below the newest there are at most.
    let last = place.saturating_sub(i64::try_from(room).unwrap_or(i64::MAX));
    let sql = "DELETE FROM answered WHERE asker = ?1 AND place <= ?2";
    tx.conn.prepare_cached(sql)?.execute((&name, last))?;
    Ok(())
}

fn answer_of(row: &Row<'_>) -> rusqlite::Result<KeptAnswer> {
    Ok(KeptAnswer {
        fingerprint: row.get(0)?,
        at_ms: row.get(1)?,
        status: row.get(2)?,
        media_type: row.get(3)?,
        sealed_body: row.get(4)?,
    })
}
