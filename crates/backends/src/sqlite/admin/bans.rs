//! Bans.

use async_trait::async_trait;
use crosstalk_core::admin::{Ban, BanTarget, Bans, MAX_BANS, NewBan};
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, Params, Row, params};

use crate::sqlite::Sqlite;
use crate::sqlite::error::DbResult;
use crate::sqlite::names;

#[async_trait]
impl Bans for Sqlite {
    async fn put_ban(&self, ban: &NewBan) -> StoreResult<Option<Ban>> {
        let ban = ban.clone();
        self.write(move |tx| {
            let (realm, (kind, target)) = (ban.realm.as_str(), parts(&ban.target));
            let rule = "realm = ?1 AND kind = ?2 AND target = ?3";
            let is_new = select(tx.conn, rule, params![realm, kind, target])?.is_empty();
            let mut count = tx
                .conn
                .prepare_cached("SELECT count(*) FROM ban WHERE realm = ?1")?;
            let there: u32 = count.query_row([realm], |row| row.get(0))?;
            if is_new && there >= MAX_BANS {
                return Ok(None);
            }
            let sql = "INSERT INTO ban (realm, kind, target, reason, until, by, created_at) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (realm, kind, target) \
                       DO UPDATE SET reason = ?4, until = ?5, by = ?6, created_at = ?7";
            tx.conn.prepare_cached(sql)?.execute(params![
                realm,
                kind,
                target,
                ban.reason,
                ban.until_ms,
                ban.by,
                tx.now_ms,
            ])?;
            let put = select(tx.conn, rule, params![realm, kind, target])?;
            Ok(put.into_iter().next())
        })
        .await
    }

    async fn remove_ban(&self, realm: &Realm, target: &BanTarget) -> StoreResult<Option<Ban>> {
        let (realm, target) = (realm.clone(), target.clone());
        self.write(move |tx| {
            let (kind, target) = parts(&target);
            let rule = "realm = ?1 AND kind = ?2 AND target = ?3";
            let of = params![realm.as_str(), kind, target];
            let found = select(tx.conn, rule, of)?;
            let sql = format!("DELETE FROM ban WHERE {rule}");
            tx.conn.prepare_cached(&sql)?.execute(of)?;
            Ok(found.into_iter().next())
        })
        .await
    }

    async fn ban(&self, realm: &Realm, num: i64) -> StoreResult<Option<Ban>> {
        let realm = realm.clone();
        self.read(move |conn, _| {
            let found = select(
                conn,
                "realm = ?1 AND num = ?2",
                params![realm.as_str(), num],
            )?;
            Ok(found.into_iter().next())
        })
        .await
    }

    async fn bans(&self, realm: &Realm, after: i64, limit: u32) -> StoreResult<Vec<Ban>> {
        let realm = realm.clone();
        self.read(move |conn, _| {
            let rule = "realm = ?1 AND num > ?2 ORDER BY num LIMIT ?3";
            select(conn, rule, params![realm.as_str(), after, limit])
        })
        .await
    }

    async fn all_bans(&self) -> StoreResult<Vec<Ban>> {
        self.read(|conn, _| select(conn, "1 ORDER BY num", []))
            .await
    }
}

fn parts(target: &BanTarget) -> (i64, &str) {
    match target {
        BanTarget::User(uid) => (0, uid.as_str()),
        BanTarget::Device(id) => (1, id),
    }
}

fn select(conn: &Connection, rule: &str, of: impl Params) -> DbResult<Vec<Ban>> {
    let sql = format!(
        "SELECT num, realm, kind, target, reason, until, by, created_at FROM ban WHERE {rule}"
    );
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query(of)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(record(row)?);
    }
    Ok(found)
}

fn record(row: &Row<'_>) -> DbResult<Ban> {
    let target: String = row.get(3)?;
    let target = if row.get::<_, i64>(2)? == 0 {
        BanTarget::User(Uid::from_store(&target))
    } else {
        BanTarget::Device(target)
    };
    Ok(Ban {
        num: row.get(0)?,
        ban: NewBan {
            realm: names::realm(row, 1)?,
            target,
            reason: row.get(4)?,
            until_ms: row.get(5)?,
            by: row.get(6)?,
        },
        at_ms: row.get(7)?,
    })
}
