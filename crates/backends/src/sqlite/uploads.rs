//! Uploads that come in parts.

use async_trait::async_trait;
use crosstalk_core::file::{FileId, MAX_OPEN_UPLOADS, Upload, UploadBegun, Uploads};
use crosstalk_core::id::UserNum;
use crosstalk_core::store::StoreResult;
use rusqlite::{Row, params};

use super::Sqlite;
use super::error::DbResult;
use super::files::{bytes, file_id};
use super::names;
use super::work::Tx;

#[async_trait]
impl Uploads for Sqlite {
    async fn begin_upload(&self, upload: &Upload) -> StoreResult<UploadBegun> {
        let upload = upload.clone();
        self.write(move |tx| begin(tx, &upload)).await
    }

    async fn upload(&self, id: FileId) -> StoreResult<Option<Upload>> {
        self.read(move |conn, _| {
            let sql = "SELECT id, realm, owner, name, size, sha256, public, expires_at \
                       FROM file_upload WHERE id = ?1";
            let mut find = conn.prepare_cached(sql)?;
            let mut rows = find.query([id.to_string()])?;
            rows.next()?.map(record).transpose()
        })
        .await
    }

    async fn end_upload(&self, id: FileId) -> StoreResult<bool> {
        self.write(move |tx| {
            let sql = "DELETE FROM file_upload WHERE id = ?1";
            Ok(tx.conn.prepare_cached(sql)?.execute([id.to_string()])? > 0)
        })
        .await
    }

    async fn expired_uploads(&self, now_ms: i64, limit: u32) -> StoreResult<Vec<FileId>> {
        self.read(move |conn, _| {
            let sql = "SELECT id FROM file_upload WHERE expires_at <= ?1 LIMIT ?2";
            let mut find = conn.prepare_cached(sql)?;
            let mut rows = find.query(params![now_ms, limit])?;
            let mut expired = Vec::new();
            while let Some(row) = rows.next()? {
                expired.push(file_id(row, 0)?);
            }
            Ok(expired)
        })
        .await
    }
}

fn begin(tx: &Tx<'_>, upload: &Upload) -> DbResult<UploadBegun> {
    let owner = upload.owner.map(|owner| owner.0);
    let sql = "SELECT count(*) FROM file_upload \
               WHERE realm = ?1 AND owner IS ?2 AND expires_at > ?3";
    let of = params![upload.realm.as_str(), owner, tx.now_ms];
    let open: u32 = tx
        .conn
        .prepare_cached(sql)?
        .query_row(of, |row| row.get(0))?;
    if open >= MAX_OPEN_UPLOADS {
        return Ok(UploadBegun::TooMany);
    }
    let sql = "INSERT INTO file_upload (id, realm, owner, name, size, sha256, public, \
               expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    tx.conn.prepare_cached(sql)?.execute(params![
        upload.id.to_string(),
        upload.realm.as_str(),
        owner,
        upload.name,
        bytes(upload.size),
        upload.sha256,
        upload.public,
        upload.expires_at_ms,
    ])?;
    Ok(UploadBegun::Begun)
}

fn record(row: &Row<'_>) -> DbResult<Upload> {
    Ok(Upload {
        id: file_id(row, 0)?,
        realm: names::realm(row, 1)?,
        owner: row.get::<_, Option<i64>>(2)?.map(UserNum),
        name: row.get(3)?,
        size: row.get::<_, i64>(4)?.unsigned_abs(),
        sha256: row.get(5)?,
        public: row.get(6)?,
        expires_at_ms: row.get(7)?,
    })
}
