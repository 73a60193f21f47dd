//! Apps: credentials that belong to a realm. Secrets come and go sealed.

use async_trait::async_trait;
use crosstalk_core::directory::{AppId, AppRecord, Apps};
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

fn record(row: &Row<'_>) -> DbResult<AppRecord> {
    let id = AppId::parse(&row.get::<_, String>(0)?);
    Ok(AppRecord {
        id: id.map_err(|error| DbError::Corrupt(format!("an app's id: {error}")))?,
        realm: names::realm(row, 1)?,
        name: row.get(2)?,
        sealed_secret: row.get(3)?,
    })
}

fn app(conn: &Connection, id: &AppId) -> DbResult<Option<AppRecord>> {
    let sql = "SELECT app_id, realm, name, secret_enc FROM app WHERE app_id = ?1";
    let mut find = conn.prepare_cached(sql)?;
    let mut rows = find.query([id.as_str()])?;
    rows.next()?.map(record).transpose()
}

fn all(conn: &Connection) -> DbResult<Vec<AppRecord>> {
    let sql = "SELECT app_id, realm, name, secret_enc FROM app ORDER BY app_id";
    let mut find = conn.prepare_cached(sql)?;
    let mut rows = find.query([])?;
    let mut apps = Vec::new();
    while let Some(row) = rows.next()? {
        apps.push(record(row)?);
    }
    Ok(apps)
}

fn put(conn: &Connection, app: &AppRecord) -> DbResult<()> {
    let sql = "INSERT INTO app (app_id, realm, name, secret_enc) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT DO UPDATE SET realm = ?2, name = ?3, secret_enc = ?4";
    conn.prepare_cached(sql)?.execute(rusqlite::params![
        app.id.as_str(),
        app.realm.as_str(),
        app.name,
        app.sealed_secret,
    ])?;
    Ok(())
}
