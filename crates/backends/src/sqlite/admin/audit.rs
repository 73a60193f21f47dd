//! The audit log.

use async_trait::async_trait;
use crosstalk_core::admin::audit::MAX_SUBJECTS;
use crosstalk_core::admin::{Audit, AuditEntry, AuditQuery, AuditRecord};
use crosstalk_core::store::StoreResult;
use rusqlite::{Row, params};

use crate::sqlite::Sqlite;
use crate::sqlite::error::DbResult;
use crate::sqlite::names;

/// Acts that are dropped in one transaction.
const DROPPED: u32 = 5000;

#[async_trait]
impl Audit for Sqlite {
    async fn log_act(&self, entry: &AuditEntry) -> StoreResult<()> {
        let entry = entry.clone();
        self.write(move |tx| {
            let sql = "INSERT INTO audit (realm, at, actor, action, target, outcome, address, \
                       note, subjects, asked) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
            let subjects = &entry.subjects[..entry.subjects.len().min(MAX_SUBJECTS)];
            let listed = serde_json::to_string(subjects).unwrap_or_default();
            tx.conn.prepare_cached(sql)?.execute(params![
                entry.realm.as_ref().map(|realm| realm.as_str().to_owned()),
                tx.now_ms,
                entry.actor,
                entry.action,
                entry.target,
                entry.outcome,
                entry.address,
                entry.note,
                listed,
                entry.asked,
            ])?;
            let act = tx.conn.last_insert_rowid();
            let sql = "INSERT OR IGNORE INTO audit_subject (subject, act) VALUES (?1, ?2)";
            let mut name = tx.conn.prepare_cached(sql)?;
            for subject in subjects.iter().chain([&entry.target]) {
                name.execute((subject, act))?;
            }
            Ok(())
        })
        .await
    }

    async fn acts(&self, query: &AuditQuery) -> StoreResult<Vec<AuditRecord>> {
        let query = query.clone();
        self.read(move |conn, _| {
            // Rules that are not asked for are left out, so that an index can serve the rest.
            let mut rules = vec!["1"];
            let mut of: Vec<rusqlite::types::Value> = Vec::new();
            let mut rule = |sql: &'static str, value: Option<rusqlite::types::Value>| {
                rules.push(if value.is_some() { sql } else { "?" });
                of.push(value.unwrap_or(rusqlite::types::Value::Integer(1)));
            };
            let realm = query.realm.map(|realm| realm.as_str().to_owned());
            rule("realm = ?", realm.map(Into::into));
            rule("actor = ?", query.actor.map(Into::into));
            rule("action = ?", query.action.map(Into::into));
            let about = "num IN (SELECT act FROM audit_subject WHERE subject = ?)";
            rule(about, query.target.map(Into::into));
            rule("at >= ?", query.since_ms.map(Into::into));
            rule("at < ?", query.until_ms.map(Into::into));
            rule("num < ?", query.before.map(Into::into));
            of.push(i64::from(query.limit).into());
            let sql = format!(
                "SELECT num, realm, at, actor, action, target, outcome, address, note, \
                 subjects, asked FROM audit WHERE {} ORDER BY num DESC LIMIT ?",
                rules.join(" AND ")
            );
            let mut find = conn.prepare_cached(&sql)?;
            let mut rows = find.query(rusqlite::params_from_iter(of))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(record(row)?);
            }
            Ok(found)
        })
        .await
    }

    async fn drop_acts(&self, before_ms: i64) -> StoreResult<u32> {
        self.write(move |tx| {
            let old = "(SELECT num FROM audit WHERE at < ?1 ORDER BY at, num LIMIT ?2)";
            let sql = format!("DELETE FROM audit_subject WHERE act IN {old}");
            tx.conn
                .prepare_cached(&sql)?
                .execute((before_ms, DROPPED))?;
            let sql = &format!("DELETE FROM audit WHERE num IN {old}");
            let dropped = tx.conn.prepare_cached(sql)?.execute((before_ms, DROPPED))?;
            Ok(u32::try_from(dropped).unwrap_or(u32::MAX))
        })
        .await
    }
}

fn record(row: &Row<'_>) -> DbResult<AuditRecord> {
    let realm = match row.get_ref(1)? {
        rusqlite::types::ValueRef::Null => None,
        _ => Some(names::realm(row, 1)?),
    };
    Ok(AuditRecord {
        num: row.get(0)?,
        at_ms: row.get(2)?,
        entry: AuditEntry {
            realm,
            actor: row.get(3)?,
            action: row.get(4)?,
            target: row.get(5)?,
            outcome: row.get(6)?,
            address: row.get(7)?,
            note: row.get(8)?,
            subjects: serde_json::from_str(&row.get::<_, String>(9)?).unwrap_or_default(),
            asked: row.get(10)?,
        },
    })
}
