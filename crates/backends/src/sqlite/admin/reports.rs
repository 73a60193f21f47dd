//! What users report.

use async_trait::async_trait;
use crosstalk_core::admin::{
    MAX_REPORTS_A_DAY, NewReport, Report, ReportKind, Reports, Resolution,
};
use crosstalk_core::id::{Realm, UserNum};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, Params, Row, params};

use super::evidence::{self, Of};
use crate::sqlite::error::{DbError, DbResult};
use crate::sqlite::{Shared, Sqlite, names};

const DAY_MS: i64 = 24 * 3600 * 1000;

#[async_trait]
impl Reports for Sqlite {
    async fn file_report(&self, report: &NewReport) -> StoreResult<Option<Report>> {
        let report = report.clone();
        self.write(move |tx| {
            let sql = "SELECT count(*) FROM user_report WHERE reporter = ?1 AND created_at > ?2";
            let mut count = tx.conn.prepare_cached(sql)?;
            let since = tx.now_ms - DAY_MS;
            let today: u32 = count.query_row((report.reporter.num.0, since), |row| row.get(0))?;
            if today >= MAX_REPORTS_A_DAY {
                return Ok(None);
            }
            let sql = "INSERT INTO user_report (realm, state, reporter, kind, target, about, \
                       reason, text, created_at) VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            tx.conn.prepare_cached(sql)?.execute(params![
                report.realm.as_str(),
                report.reporter.num.0,
                report.kind as i64,
                report.target,
                report.about.map(|user| user.0),
                report.reason,
                report.text,
                tx.now_ms,
            ])?;
            let num = tx.conn.last_insert_rowid();
            if let (Some(said), Some(author)) = (&report.said, report.about) {
                evidence::keep(tx.conn, Of::Report(num), author, said)?;
            }
            Ok(Some(Report {
                num,
                report: report.clone(),
                at_ms: tx.now_ms,
                action: None,
                note: None,
                resolved_by: None,
                resolved_at_ms: None,
            }))
        })
        .await
    }

    async fn list_reports(
        &self,
        realm: &Realm,
        is_open: bool,
        after: i64,
        limit: u32,
    ) -> StoreResult<Vec<Report>> {
        let realm = realm.clone();
        self.read(move |conn, shared| {
            let rule = "realm = ?1 AND state = ?2 AND user_report.num > ?3 \
                        ORDER BY user_report.num LIMIT ?4";
            let of = params![realm.as_str(), i64::from(!is_open), after, limit];
            select(conn, shared, rule, of)
        })
        .await
    }

    async fn get_report(&self, realm: &Realm, num: i64) -> StoreResult<Option<Report>> {
        let realm = realm.clone();
        self.read(move |conn, shared| {
            let rule = "realm = ?1 AND user_report.num = ?2";
            let found = select(conn, shared, rule, params![realm.as_str(), num])?;
            Ok(found.into_iter().next())
        })
        .await
    }

    async fn resolve_report(
        &self,
        num: i64,
        action: Resolution,
        by: &str,
        note: &str,
    ) -> StoreResult<bool> {
        let (by, note) = (by.to_owned(), note.to_owned());
        self.write(move |tx| {
            let sql = "UPDATE user_report SET state = 1, action = ?2, note = ?3, \
                       resolved_by = ?4, resolved_at = ?5 WHERE num = ?1 AND state = 0";
            let row = params![num, action as i64, note, by, tx.now_ms];
            Ok(tx.conn.prepare_cached(sql)?.execute(row)? > 0)
        })
        .await
    }
}

fn select(
    conn: &Connection,
    shared: &Shared,
    rule: &str,
    of: impl Params,
) -> DbResult<Vec<Report>> {
    let sql = format!(
        "SELECT user_report.num, realm, reporter, kind, target, about, reason, text, created_at, action, \
         note, resolved_by, resolved_at, e.origin, e.tag, e.payload, e.extra \
         FROM user_report LEFT JOIN evidence e ON e.of = 1 AND e.num = user_report.num \
         WHERE {rule}"
    );
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query(of)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(report(conn, shared, row)?);
    }
    Ok(found)
}

fn report(conn: &Connection, shared: &Shared, row: &Row<'_>) -> DbResult<Report> {
    let reporter = shared.names.user(conn, UserNum(row.get(2)?))?;
    let reporter = reporter.ok_or_else(|| DbError::Corrupt("a report's author".to_owned()))?;
    Ok(Report {
        num: row.get(0)?,
        report: NewReport {
            realm: names::realm(row, 1)?,
            reporter,
            kind: ReportKind::from_number(row.get(3)?),
            target: row.get(4)?,
            about: row.get::<_, Option<i64>>(5)?.map(UserNum),
            reason: row.get(6)?,
            text: row.get(7)?,
            said: evidence::read(row, 13)?,
        },
        at_ms: row.get(8)?,
        action: row.get::<_, Option<i64>>(9)?.map(Resolution::from_number),
        note: row.get(10)?,
        resolved_by: row.get(11)?,
        resolved_at_ms: row.get(12)?,
    })
}
