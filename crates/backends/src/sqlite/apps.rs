//! Apps: credentials that belong to a realm. Secrets come and go sealed.

use async_trait::async_trait;
use crosstalk_core::directory::{AppId, AppRecord, Apps};
use crosstalk_core::send::rates::Rate;
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, Row};

use super::Sqlite;
use super::error::{DbError, DbResult};
use super::names;

#[async_trait]
impl Apps for Sqlite {
    async fn app(&self, id: &AppId) -> StoreResult<Option<AppRecord>> {
        let id = id.clone();
        self.read(move |conn, _| app(conn, &id)).await
    }

    async fn put_app(&self, app: &AppRecord) -> StoreResult<()> {
        let app = app.clone();
        self.write(move |tx| put(tx.conn, &app)).await
    }

    async fn apps(&self) -> StoreResult<Vec<AppRecord>> {
        self.read(|conn, _| all(conn)).await
    }
}

const COLUMNS: &str = "app_id, realm, name, secret_enc, old_secret_enc, old_until, disabled, \
                       send_rate, send_burst";

fn record(row: &Row<'_>) -> DbResult<AppRecord> {
    let id = AppId::parse(&row.get::<_, String>(0)?);
    Ok(AppRecord {
        id: id.map_err(|error| DbError::Corrupt(format!("an app's id: {error}")))?,
        realm: names::realm(row, 1)?,
        name: row.get(2)?,
        sealed_secret: row.get(3)?,
        sealed_old_secret: row
            .get::<_, Option<Vec<u8>>>(4)?
            .map(|secret| Ok::<_, DbError>((secret, row.get(5)?)))
            .transpose()?,
        disabled: row.get(6)?,
        rate: row
            .get::<_, Option<u32>>(7)?
            .map(|per_sec| {
                let burst = row.get::<_, Option<u32>>(8)?.unwrap_or(0);
                Ok::<_, DbError>(Rate { per_sec, burst })
            })
            .transpose()?,
    })
}

fn app(conn: &Connection, id: &AppId) -> DbResult<Option<AppRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM app WHERE app_id = ?1");
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query([id.as_str()])?;
    rows.next()?.map(record).transpose()
}

fn all(conn: &Connection) -> DbResult<Vec<AppRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM app ORDER BY app_id");
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query([])?;
    let mut apps = Vec::new();
    while let Some(row) = rows.next()? {
        apps.push(record(row)?);
    }
    Ok(apps)
}

fn put(conn: &Connection, app: &AppRecord) -> DbResult<()> {
    let sql = format!(
        "INSERT OR REPLACE INTO app ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    );
    let old = app.sealed_old_secret.as_ref();
    conn.prepare_cached(&sql)?.execute(rusqlite::params![
        app.id.as_str(),
        app.realm.as_str(),
        app.name,
        app.sealed_secret,
        old.map(|(secret, _)| secret),
        old.map_or(0, |(_, until_ms)| *until_ms),
        app.disabled,
        app.rate.map(|rate| rate.per_sec),
        app.rate.map(|rate| rate.burst),
    ])?;
    Ok(())
}
