//! Hooks and their dead letters.

use async_trait::async_trait;
use bytes::Bytes;
use crosstalk_core::directory::AppId;
use crosstalk_core::hook::{
    DeadLetter, HookKind, HookRecord, Hooks, NewDeadLetter, NewPostponed, Postponed,
};
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Sqlite;
use super::error::{DbError, DbResult};
use super::names;
use super::revoke::secretly;

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
            delete("DELETE FROM postponed WHERE hook = ?1")?;
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

    async fn postpone(&self, hook: &str, delivery: &NewPostponed) -> StoreResult<bool> {
        let (hook, delivery) = (hook.to_owned(), delivery.clone());
        self.write(move |tx| postpone(tx.conn, &hook, &delivery))
            .await
    }

    async fn postponed_lanes(&self, hook: &str) -> StoreResult<Vec<(String, u64)>> {
        let hook = hook.to_owned();
        self.read(move |conn, _| {
            let sql = "SELECT lane, count(*) FROM postponed WHERE hook = ?1 GROUP BY lane";
            let mut find = conn.prepare_cached(sql)?;
            let lane = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()));
            let found = find.query_map([&hook], lane)?;
            Ok(found.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn next_postponed(&self, hook: &str, lane: &str) -> StoreResult<Option<Postponed>> {
        let (hook, lane) = (hook.to_owned(), lane.to_owned());
        self.read(move |conn, _| {
            let sql = "SELECT n, lane, event, event_id, query, body, tries, tried_for \
                       FROM postponed WHERE hook = ?1 AND lane = ?2 ORDER BY n LIMIT 1";
            let mut find = conn.prepare_cached(sql)?;
            Ok(find.query_row([&hook, &lane], postponed).optional()?)
        })
        .await
    }

    async fn tried_again(&self, n: i64, tries: u32, tried_for_ms: u64) -> StoreResult<()> {
        self.write(move |tx| {
            let sql = "UPDATE postponed SET tries = ?2, tried_for = ?3 WHERE n = ?1";
            let row = params![n, tries, tried_for_ms.cast_signed()];
            tx.conn.prepare_cached(sql)?.execute(row)?;
            Ok(())
        })
        .await
    }

    async fn end_postponed(
        &self,
        hook: &str,
        n: i64,
        dead: Option<&NewDeadLetter>,
        keep: u32,
    ) -> StoreResult<()> {
        let (hook, dead) = (hook.to_owned(), dead.cloned());
        self.write(move |tx| {
            let sql = "DELETE FROM postponed WHERE hook = ?1 AND n = ?2 RETURNING length(body)";
            let mut end = tx.conn.prepare_cached(sql)?;
            let left: Option<i64> = end
                .query_row(params![hook, n], |row| row.get(0))
                .optional()?;
            match &dead {
                // What was forgotten while it was tried is not kept after all.
                Some(letter) if left.is_some_and(|bytes| bytes > 0) => {
                    bury(tx.conn, &hook, letter, keep)
                }
                _ => Ok(()),
            }
        })
        .await
    }

    async fn drop_postponed(&self, hook: &str) -> StoreResult<u64> {
        let hook = hook.to_owned();
        self.write(move |tx| {
            let sql = "DELETE FROM postponed WHERE hook = ?1";
            Ok(tx.conn.prepare_cached(sql)?.execute([&hook])? as u64)
        })
        .await
    }

    async fn forget_user(&self, realm: &Realm, uid: &Uid) -> StoreResult<u64> {
        let mut forgotten = 0;
        for (table, forget) in [
            ("dead_letter", FORGET_LETTERS),
            ("postponed", FORGET_POSTPONED),
        ] {
            let mut after = Some(0);
            while let Some(from) = after {
                let (realm, uid) = (realm.clone(), uid.clone());
                let stretch = self
                    .write(move |tx| forget_some(tx.conn, (table, forget), (&realm, &uid), from));
                let (rows, next) = stretch.await?;
                forgotten += rows;
                after = next;
            }
        }
        Ok(forgotten)
    }
}

/// Rows that are looked at in one transaction.
const STRETCH: u32 = 500;
/// All that name the user, as JSON has it; not where a word of ours is what the user is called.
const FORGET_LETTERS: &str = "DELETE FROM dead_letter WHERE n > ?1 AND n <= ?2 \
    AND hook IN (SELECT id FROM hook WHERE realm = ?3) AND instr(CAST(body AS TEXT), json_quote(?4)) > 0 \
    AND CASE WHEN json_valid(CAST(body AS TEXT)) THEN EXISTS ( \
        SELECT 1 FROM json_tree(CAST(body AS TEXT)) WHERE atom = ?4 \
        AND coalesce(key, '') NOT IN ('type', 'kind', 'event', 'app', 'app_id', 'realm', 'state', \
                                      'status', 'role', 'reason', 'format')) ELSE 1 END";
/// Those of events that tell what somebody wrote, where that is the user.
const FORGET_POSTPONED: &str = "UPDATE postponed SET body = x'' WHERE n > ?1 AND n <= ?2 \
    AND hook IN (SELECT id FROM hook WHERE realm = ?3) AND instr(CAST(body AS TEXT), json_quote(?4)) > 0 \
    AND event IN ('message.stored', 'message.edited', 'message.offline', 'friend.updated', \
                  'friend_request.created', 'friend_request.answered', 'join_request.created', \
                  'join_request.answered', 'member.changed', 'conversation.updated', \
                  'user.profile') \
    AND CASE WHEN json_valid(CAST(body AS TEXT)) THEN ?4 IN ( \
        coalesce(json_extract(CAST(body AS TEXT), '$.data.from'), ''), \
        coalesce(json_extract(CAST(body AS TEXT), '$.data.user'), ''), \
        coalesce(json_extract(CAST(body AS TEXT), '$.data.message.from'), ''), \
        coalesce(json_extract(CAST(body AS TEXT), '$.data.request.from'), ''), \
        coalesce(json_extract(CAST(body AS TEXT), '$.data.request.user'), ''), \
        coalesce(json_extract(CAST(body AS TEXT), '$.data.request.inviter'), '')) END";

/// Goes through a stretch of a table after a row: how many rows it was about, and where to go
/// on.
fn forget_some(
    conn: &Connection,
    (table, forget): (&str, &str),
    (realm, uid): (&Realm, &Uid),
    after: i64,
) -> DbResult<(u64, Option<i64>)> {
    let sql =
        format!("SELECT max(n) FROM (SELECT n FROM {table} WHERE n > ?1 ORDER BY n LIMIT ?2)");
    let last: Option<i64> = conn.query_row(&sql, (after, STRETCH), |row| row.get(0))?;
    let Some(last) = last else {
        return Ok((0, None));
    };
    let row = params![after, last, realm.as_str(), uid.as_str()];
    let rows = secretly(conn, |conn| Ok(conn.execute(forget, row)?))?;
    Ok((rows as u64, Some(last)))
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

fn postpone(conn: &Connection, hook: &str, delivery: &NewPostponed) -> DbResult<bool> {
    let sql = "INSERT OR IGNORE INTO postponed \
               (hook, lane, event, event_id, query, body, tries, tried_for) \
               SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 \
               WHERE EXISTS (SELECT 1 FROM hook WHERE id = ?1)";
    let kept = conn.prepare_cached(sql)?.execute(params![
        hook,
        delivery.lane,
        delivery.event,
        delivery.event_id,
        delivery.query,
        &delivery.body[..],
        delivery.tries,
        delivery.tried_for_ms.cast_signed(),
    ])?;
    Ok(kept > 0)
}

fn postponed(row: &Row<'_>) -> rusqlite::Result<Postponed> {
    Ok(Postponed {
        n: row.get(0)?,
        delivery: NewPostponed {
            lane: row.get(1)?,
            event: row.get(2)?,
            event_id: row.get(3)?,
            query: row.get(4)?,
            body: Bytes::from(row.get::<_, Vec<u8>>(5)?),
            tries: row.get(6)?,
            tried_for_ms: row.get::<_, i64>(7)?.cast_unsigned(),
        },
    })
}
