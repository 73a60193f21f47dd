//! Hooks and their dead letters.

use async_trait::async_trait;
use bytes::Bytes;
use crosstalk_core::directory::AppId;
use crosstalk_core::hook::{DeadLetter, HookKind, HookRecord, Hooks, NewDeadLetter};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Sqlite;
use super::error::{DbError, DbResult};
use super::names;

#[async_trait]
impl Hooks for Sqlite {
    async fn hooks(&self) -> StoreResult<Vec<HookRecord>> {
        self.read(|conn, _| {
            let sql = "SELECT id, realm, app, kind, enabled, secret_enc, settings, created_at \
                       FROM hook ORDER BY created_at, id";
            let mut find = conn.prepare_cached(sql)?;
            let mut rows = find.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(hook(row)?);
            }
            Ok(found)
        })
        .await
    }

    async fn put_hook(&self, hook: &HookRecord, limit: u32) -> StoreResult<bool> {
        let hook = hook.clone();
        self.write(move |tx| put(tx.conn, &hook, limit)).await
    }

    async fn delete_hook(&self, id: &str) -> StoreResult<bool> {
        let id = id.to_owned();
        self.write(move |tx| {
            let delete = |sql| tx.conn.prepare_cached(sql)?.execute([&id]);
            delete("DELETE FROM dead_letter WHERE hook = ?1")?;
            Ok(delete("DELETE FROM hook WHERE id = ?1")? > 0)
        })
        .await
    }

    async fn bury(&self, hook: &str, letter: &NewDeadLetter, keep: u32) -> StoreResult<()> {
        let (hook, letter) = (hook.to_owned(), letter.clone());
        self.write(move |tx| bury(tx.conn, &hook, &letter, keep))
            .await
    }

    async fn dead_letters(
        &self,
        hook: &str,
        after: i64,
        limit: u32,
    ) -> StoreResult<Vec<DeadLetter>> {
        let hook = hook.to_owned();
        self.read(move |conn, _| {
            let sql = "SELECT n, event, event_id, query, body, tries, reason, at \
                       FROM dead_letter WHERE hook = ?1 AND n > ?2 ORDER BY n LIMIT ?3";
            let mut find = conn.prepare_cached(sql)?;
            let found = find.query_map(params![hook, after, limit], dead_letter)?;
            Ok(found.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn dead_letter(&self, hook: &str, n: i64) -> StoreResult<Option<DeadLetter>> {
        let hook = hook.to_owned();
        self.read(move |conn, _| {
            let sql = "SELECT n, event, event_id, query, body, tries, reason, at \
                       FROM dead_letter WHERE hook = ?1 AND n = ?2";
            let mut find = conn.prepare_cached(sql)?;
            Ok(find.query_row(params![hook, n], dead_letter).optional()?)
        })
        .await
    }

    async fn count_dead_letters(&self, hook: &str) -> StoreResult<u64> {
        let hook = hook.to_owned();
        self.read(move |conn, _| {
            let mut find =
                conn.prepare_cached("SELECT count(*) FROM dead_letter WHERE hook = ?1")?;
            let count: i64 = find.query_row([&hook], |row| row.get(0))?;
            Ok(count.cast_unsigned())
        })
        .await
    }

    async fn drop_dead_letters(&self, hook: &str, only: Option<i64>) -> StoreResult<u64> {
        let hook = hook.to_owned();
        self.write(move |tx| {
            let sql = "DELETE FROM dead_letter WHERE hook = ?1 AND (?2 IS NULL OR n = ?2)";
            let dropped = tx.conn.prepare_cached(sql)?.execute(params![hook, only])?;
            Ok(dropped as u64)
        })
        .await
    }
}

fn hook(row: &Row<'_>) -> DbResult<HookRecord> {
    let app = AppId::parse(&row.get::<_, String>(2)?);
    let settings: String = row.get(6)?;
    Ok(HookRecord {
        id: row.get(0)?,
        realm: names::realm(row, 1)?,
        app: app.map_err(|error| DbError::Corrupt(format!("a hook's app: {error}")))?,
        kind: if row.get::<_, i64>(3)? == BEFORE_SEND {
            HookKind::BeforeSend
        } else {
            HookKind::Events
        },
        enabled: row.get(4)?,
        sealed_secret: row.get(5)?,
        settings: serde_json::from_str(&settings)
            .map_err(|error| DbError::Corrupt(format!("a hook's settings: {error}")))?,
        created_at_ms: row.get(7)?,
    })
}

const BEFORE_SEND: i64 = 1;

fn put(conn: &Connection, hook: &HookRecord, limit: u32) -> DbResult<bool> {
    let sql = "SELECT count(*) FROM hook WHERE realm = ?1 AND id <> ?2";
    let mut count = conn.prepare_cached(sql)?;
    let others: i64 = count.query_row(params![hook.realm.as_str(), hook.id], |row| row.get(0))?;
    if others >= i64::from(limit) {
        return Ok(false);
    }
    let settings = serde_json::to_string(&hook.settings)
        .map_err(|error| DbError::Corrupt(format!("a hook's settings: {error}")))?;
    let sql = "INSERT OR REPLACE INTO hook \
               (id, realm, app, kind, enabled, secret_enc, settings, created_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    conn.prepare_cached(sql)?.execute(params![
        hook.id,
        hook.realm.as_str(),
        hook.app.as_str(),
        match hook.kind {
            HookKind::Events => 0,
            HookKind::BeforeSend => BEFORE_SEND,
        },
        hook.enabled,
        hook.sealed_secret,
        settings,
        hook.created_at_ms,
    ])?;
    Ok(true)
}

fn bury(conn: &Connection, hook: &str, letter: &NewDeadLetter, keep: u32) -> DbResult<()> {
    let sql = "INSERT INTO dead_letter (hook, event, event_id, query, body, tries, reason, at) \
               SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 \
               WHERE EXISTS (SELECT 1 FROM hook WHERE id = ?1)";
    conn.prepare_cached(sql)?.execute(params![
        hook,
        letter.event,
        letter.event_id,
        letter.query,
        &letter.body[..],
        letter.tries,
        letter.reason,
        letter.at_ms,
    ])?;
    let sql = "DELETE FROM dead_letter WHERE hook = ?1 AND n <= \
               (SELECT n FROM dead_letter WHERE hook = ?1 ORDER BY n DESC LIMIT 1 OFFSET ?2)";
    conn.prepare_cached(sql)?.execute(params![hook, keep])?;
    Ok(())
}

fn dead_letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        n: row.get(0)?,
        letter: NewDeadLetter {
            event: row.get(1)?,
            event_id: row.get(2)?,
            query: row.get(3)?,
            body: Bytes::from(row.get::<_, Vec<u8>>(4)?),
            tries: row.get(5)?,
            reason: row.get(6)?,
            at_ms: row.get(7)?,
        },
    })
}
