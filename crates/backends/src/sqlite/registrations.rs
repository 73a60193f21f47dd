//! Registered devices and their reports.

use async_trait::async_trait;
use crosstalk_core::directory::registration::MAX_REGISTRATIONS;
use crosstalk_core::directory::{
    AppId, DeviceReport, MAX_REPORTS, Registration, RegistrationChange, RegistrationKey,
    Registrations,
};
use crosstalk_core::id::UserNum;
use crosstalk_core::message::Origin;
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, Params, Row, params};

use super::Sqlite;
use super::error::{DbError, DbResult};
use super::names;

#[async_trait]
impl Registrations for Sqlite {
    async fn register(&self, registration: &Registration) -> StoreResult<Vec<RegistrationKey>> {
        let registration = registration.clone();
        self.write(move |tx| register(tx.conn, &registration)).await
    }

    async fn registration(&self, key: &RegistrationKey) -> StoreResult<Option<Registration>> {
        let key = key.clone();
        self.read(move |conn, _| one(conn, &key)).await
    }

    async fn by_token(&self, hash: &[u8; 32]) -> StoreResult<Option<Registration>> {
        let hash = *hash;
        self.read(move |conn, _| {
            let found = select(conn, "token_hash = ?1 ORDER BY active DESC", params![hash])?;
            Ok(found.into_iter().next())
        })
        .await
    }

    async fn registrations(&self, user: UserNum, origin: Origin) -> StoreResult<Vec<Registration>> {
        self.read(move |conn, _| {
            let of = params![user.0, origin.0];
            select(conn, "user = ?1 AND dialect = ?2 ORDER BY issued_at", of)
        })
        .await
    }

    async fn change_registration(
        &self,
        key: &RegistrationKey,
        change: &RegistrationChange,
    ) -> StoreResult<Option<Registration>> {
        let (key, change) = (key.clone(), change.clone());
        self.write(move |tx| {
            let sql = "UPDATE registration SET push_on = coalesce(?4, push_on), \
                       push_token = iif(?5, NULL, push_token), active = iif(?6, 0, active), \
                       habit = coalesce(?7, habit) \
                       WHERE user = ?1 AND dialect = ?2 AND device_id = ?3";
            tx.conn.prepare_cached(sql)?.execute(params![
                key.user.0,
                key.origin.0,
                key.device_id,
                change.push_on,
                change.forget_push_token,
                change.log_out,
                change.habit,
            ])?;
            one(tx.conn, &key)
        })
        .await
    }

    async fn report(&self, of: &RegistrationKey, report: &DeviceReport) -> StoreResult<()> {
        let (of, report) = (of.clone(), report.clone());
        self.write(move |tx| keep_report(tx.conn, &of, &report))
            .await
    }

    async fn reports(&self, of: &RegistrationKey, limit: u32) -> StoreResult<Vec<DeviceReport>> {
        let of = of.clone();
        self.read(move |conn, _| {
            let sql = "SELECT at, text FROM device_report \
                       WHERE user = ?1 AND dialect = ?2 AND device_id = ?3 \
                       ORDER BY n DESC LIMIT ?4";
            let mut find = conn.prepare_cached(sql)?;
            let report = |row: &Row<'_>| {
                Ok(DeviceReport {
                    at_ms: row.get(0)?,
                    text: row.get(1)?,
                })
            };
            let of = params![of.user.0, of.origin.0, of.device_id, limit];
            Ok(find.query_map(of, report)?.collect::<Result<_, _>>()?)
        })
        .await
    }
}

const COLUMNS: &str = "user, realm, dialect, device_id, app_id, os, details, vendor, push_token, \
                       push_on, active, token_hash, issued_at, expires_at, habit";

fn record(row: &Row<'_>) -> DbResult<Registration> {
    let app = AppId::parse(&row.get::<_, String>(4)?);
    Ok(Registration {
        user: UserNum(row.get(0)?),
        realm: names::realm(row, 1)?,
        origin: Origin(row.get(2)?),
        device_id: row.get(3)?,
        app: app.map_err(|error| DbError::Corrupt(format!("a registration's app: {error}")))?,
        os: row.get(5)?,
        details: row.get(6)?,
        vendor: row.get(7)?,
        push_token: row.get(8)?,
        push_on: row.get(9)?,
        active: row.get(10)?,
        token_hash: row.get(11)?,
        issued_at_ms: row.get(12)?,
        expires_at_ms: row.get(13)?,
        habit: row.get(14)?,
    })
}

fn select(conn: &Connection, rule: &str, of: impl Params) -> DbResult<Vec<Registration>> {
    let sql = format!("SELECT {COLUMNS} FROM registration WHERE {rule}");
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query(of)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(record(row)?);
    }
    Ok(found)
}

fn one(conn: &Connection, key: &RegistrationKey) -> DbResult<Option<Registration>> {
    let rule = "user = ?1 AND dialect = ?2 AND device_id = ?3";
    let found = select(conn, rule, params![key.user.0, key.origin.0, key.device_id])?;
    Ok(found.into_iter().next())
}

fn register(conn: &Connection, new: &Registration) -> DbResult<Vec<RegistrationKey>> {
    let rule = "realm = ?1 AND dialect = ?2 AND device_id = ?3 AND active = 1 AND user <> ?4";
    let of = params![new.realm.as_str(), new.origin.0, new.device_id, new.user.0];
    let ended: Vec<_> = select(conn, rule, of)?
        .iter()
        .map(Registration::key)
        .collect();
    let sql = "UPDATE registration SET active = 0, push_token = NULL WHERE realm = ?1 \
               AND dialect = ?2 AND device_id = ?3 AND active = 1 AND user <> ?4";
    conn.prepare_cached(sql)?.execute(of)?;
    if let Some(token) = &new.push_token {
        let sql = "UPDATE registration SET push_token = NULL WHERE realm = ?1 AND push_token = ?2";
        conn.prepare_cached(sql)?
            .execute(params![new.realm.as_str(), token])?;
    }
    let sql = format!(
        "INSERT OR REPLACE INTO registration ({COLUMNS}) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
    );
    conn.prepare_cached(&sql)?.execute(params![
        new.user.0,
        new.realm.as_str(),
        new.origin.0,
        new.device_id,
        new.app.as_str(),
        new.os,
        new.details,
        new.vendor,
        new.push_token,
        new.push_on,
        new.active,
        new.token_hash,
        new.issued_at_ms,
        new.expires_at_ms,
        new.habit,
    ])?;
    forget_oldest(conn, new)?;
    Ok(ended)
}

/// Keeps what one user has registered bounded: logged out devices go first.
fn forget_oldest(conn: &Connection, new: &Registration) -> DbResult<()> {
    let sql = "DELETE FROM registration WHERE user = ?1 AND dialect = ?2 AND device_id IN \
               (SELECT device_id FROM registration WHERE user = ?1 AND dialect = ?2 \
                AND device_id <> ?3 ORDER BY active DESC, issued_at DESC LIMIT -1 OFFSET ?4)";
    let others = MAX_REGISTRATIONS - 1;
    let of = params![new.user.0, new.origin.0, new.device_id, others];
    conn.prepare_cached(sql)?.execute(of)?;
    let sql = "DELETE FROM device_report WHERE user = ?1 AND dialect = ?2 AND NOT EXISTS \
               (SELECT 1 FROM registration r WHERE r.user = ?1 AND r.dialect = ?2 \
                AND r.device_id = device_report.device_id)";
    conn.prepare_cached(sql)?
        .execute(params![new.user.0, new.origin.0])?;
    Ok(())
}

fn keep_report(conn: &Connection, of: &RegistrationKey, report: &DeviceReport) -> DbResult<()> {
    // What is not registered, or not any more, has nobody who would look at it.
    if one(conn, of)?.is_none() {
        return Ok(());
    }
    let sql = "INSERT INTO device_report (user, dialect, device_id, n, at, text) \
               VALUES (?1, ?2, ?3, 1 + (SELECT coalesce(max(n), 0) FROM device_report \
                WHERE user = ?1 AND dialect = ?2 AND device_id = ?3), ?4, ?5)";
    let (user, dialect, device) = (of.user.0, of.origin.0, &of.device_id);
    let row = params![user, dialect, device, report.at_ms, report.text];
    conn.prepare_cached(sql)?.execute(row)?;
    let sql = "DELETE FROM device_report WHERE user = ?1 AND dialect = ?2 AND device_id = ?3 \
               AND n <= (SELECT max(n) FROM device_report \
                WHERE user = ?1 AND dialect = ?2 AND device_id = ?3) - ?4";
    conn.prepare_cached(sql)?
        .execute(params![user, dialect, device, MAX_REPORTS])?;
    Ok(())
}
