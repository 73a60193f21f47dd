//! What is known of files: whose they are, which bytes they are made of, which messages show
//! them; and which keys of the blob store are garbage.

use async_trait::async_trait;
use crosstalk_core::file::{
    FileId, FileRecord, Files, KeepOutcome, NewFile, NewThumbnail, Swept, Thumbnail,
};
use crosstalk_core::id::{MessageId, Realm, UserNum};
use crosstalk_core::log::Append;
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Sqlite;
use super::error::{DbError, DbResult};
use super::names;
use super::rows::REVOKED;
use super::work::Tx;

const DAY_MS: i64 = 24 * 3600 * 1000;
/// Of so many messages that show a file it is asked who may see them; a file that is shown
/// everywhere is asked for by many who may not.
const MAX_LOOKED_AT: i64 = 10_000;
/// Dropped messages that one sweep forgets.
const MAX_DROPPED: i64 = 5_000;

#[async_trait]
impl Files for Sqlite {
    async fn note_key(&self, key: &str) -> StoreResult<()> {
        let key = key.to_owned();
        self.write(move |tx| discard(tx, &key)).await
    }

    async fn keep(&self, file: &NewFile) -> StoreResult<KeepOutcome> {
        let file = file.clone();
        self.write(move |tx| keep(tx, &file)).await
    }

    async fn file(&self, id: FileId) -> StoreResult<Option<FileRecord>> {
        self.read(move |conn, _| one(conn, id)).await
    }

    async fn same(
        &self,
        realm: &Realm,
        owner: Option<UserNum>,
        sha256: &[u8; 32],
    ) -> StoreResult<Option<FileRecord>> {
        let (realm, sha256) = (realm.clone(), *sha256);
        self.read(move |conn, _| {
            let sql = select("f.sha256 = ?1 AND f.realm = ?2 AND f.owner IS ?3 LIMIT 1");
            let of = params![sha256, realm.as_str(), owner.map(|it| it.0)];
            first(conn, &sql, of)
        })
        .await
    }

    async fn delete(&self, id: FileId) -> StoreResult<bool> {
        self.write(move |tx| delete(tx, id)).await
    }

    async fn named_by(&self, id: FileId, user: UserNum, limit: u32) -> StoreResult<Vec<MessageId>> {
        self.read(move |conn, _| {
            let sql = "SELECT r.message FROM (SELECT message, channel FROM file_ref \
                       WHERE file = ?1 ORDER BY message DESC LIMIT ?4) r WHERE (\
                       EXISTS (SELECT 1 FROM member m \
                               WHERE m.channel = r.channel AND m.user = ?2) OR \
                       EXISTS (SELECT 1 FROM conversation c \
                               WHERE c.user = ?2 AND c.channel = r.channel)) \
                       ORDER BY r.message DESC LIMIT ?3";
            let mut find = conn.prepare_cached(sql)?;
            let of = params![id.to_string(), user.0, limit, MAX_LOOKED_AT];
            let messages = find.query_map(of, |row| Ok(MessageId(row.get(0)?)))?;
            Ok(messages.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn is_shown_by(&self, id: FileId, message: MessageId) -> StoreResult<bool> {
        self.read(move |conn, _| {
            let sql = "SELECT 1 FROM file_ref WHERE file = ?1 AND message = ?2";
            let mut find = conn.prepare_cached(sql)?;
            Ok(find.exists(params![id.to_string(), message.0])?)
        })
        .await
    }

    async fn show(&self, message: MessageId, files: &[FileId]) -> StoreResult<()> {
        let files = files.to_vec();
        self.write(move |tx| show(tx.conn, message, &files)).await
    }

    async fn thumbnail(&self, of: &str, side: u32) -> StoreResult<Option<Thumbnail>> {
        let of = of.to_owned();
        self.read(move |conn, _| thumbnail(conn, &of, side)).await
    }

    async fn keep_thumbnail(&self, thumbnail: &NewThumbnail) -> StoreResult<Option<Thumbnail>> {
        let thumbnail = thumbnail.clone();
        self.write(move |tx| keep_thumbnail(tx, &thumbnail)).await
    }

    async fn sweep(&self, before_ms: i64, limit: u32) -> StoreResult<Swept> {
        // Looked for beside the writer: there may be very many that are still shown.
        let dropped = self.read(|conn, _| dropped(conn)).await?;
        self.write(move |tx| {
            for message in &dropped {
                unnote(tx.conn, *message)?;
            }
            sweep(tx, before_ms, limit)
        })
        .await
    }

    async fn forget_garbage(&self, keys: &[String]) -> StoreResult<()> {
        let keys = keys.to_vec();
        self.write(move |tx| keys.iter().try_for_each(|key| treasure(tx.conn, key)))
            .await
    }
}

fn select(condition: &str) -> String {
    format!(
        "SELECT f.id, f.realm, f.owner, f.name, f.media_type, f.size, f.sha256, b.key, f.width, \
         f.height, f.public, f.created_at FROM file f JOIN blob b ON b.sha256 = f.sha256 \
         WHERE {condition}"
    )
}

fn first(conn: &Connection, sql: &str, of: impl rusqlite::Params) -> DbResult<Option<FileRecord>> {
    let mut find = conn.prepare_cached(sql)?;
    let mut rows = find.query(of)?;
    rows.next()?.map(record).transpose()
}

fn one(conn: &Connection, id: FileId) -> DbResult<Option<FileRecord>> {
    first(conn, &select("f.id = ?1"), [id.to_string()])
}

fn record(row: &Row<'_>) -> DbResult<FileRecord> {
    Ok(FileRecord {
        id: file_id(row, 0)?,
        realm: names::realm(row, 1)?,
        owner: row.get::<_, Option<i64>>(2)?.map(UserNum),
        name: row.get(3)?,
        media_type: row.get(4)?,
        size: row.get::<_, i64>(5)?.unsigned_abs(),
        sha256: row.get(6)?,
        blob: row.get(7)?,
        width: row.get(8)?,
        height: row.get(9)?,
        public: row.get(10)?,
        created_at_ms: row.get(11)?,
    })
}

/// The id of a file in a column.
pub(super) fn file_id(row: &Row<'_>, at: usize) -> DbResult<FileId> {
    let text: String = row.get(at)?;
    FileId::parse(&text).ok_or_else(|| DbError::Corrupt(format!("a file's id: {text}")))
}

/// A length in bytes as it is stored.
pub(super) fn bytes(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// Notes a key as garbage.
fn discard(tx: &Tx<'_>, key: &str) -> DbResult<()> {
    let sql = "INSERT INTO file_garbage (key, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    tx.conn
        .prepare_cached(sql)?
        .execute(params![key, tx.now_ms])?;
    Ok(())
}

/// A key is garbage no more.
fn treasure(conn: &Connection, key: &str) -> DbResult<()> {
    let sql = "DELETE FROM file_garbage WHERE key = ?1";
    conn.prepare_cached(sql)?.execute([key])?;
    Ok(())
}

fn keep(tx: &Tx<'_>, new: &NewFile) -> DbResult<KeepOutcome> {
    let (conn, file) = (tx.conn, &new.file);
    let owner = file.owner.map(|owner| owner.0);
    if new.max_bytes_per_day > 0 {
        let sql = "SELECT coalesce(sum(size), 0) FROM file \
                   WHERE realm = ?1 AND owner IS ?2 AND created_at > ?3";
        let since = params![file.realm.as_str(), owner, tx.now_ms - DAY_MS];
        let given: i64 = conn
            .prepare_cached(sql)?
            .query_row(since, |row| row.get(0))?;
        if given.unsigned_abs().saturating_add(file.size) > new.max_bytes_per_day {
            return Ok(KeepOutcome::TooMuch);
        }
    }
    let sql = "UPDATE blob SET unused_since = NULL WHERE sha256 = ?1";
    let known = conn.prepare_cached(sql)?.execute([file.sha256])? > 0;
    if !known {
        if file.blob.is_empty() {
            return Ok(KeepOutcome::NoBlob);
        }
        let sql = "INSERT INTO blob (sha256, key) VALUES (?1, ?2)";
        conn.prepare_cached(sql)?
            .execute(params![file.sha256, file.blob])?;
        treasure(conn, &file.blob)?;
    }
    let sql = "INSERT INTO file (id, realm, owner, name, media_type, size, sha256, width, \
               height, public, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    conn.prepare_cached(sql)?.execute(params![
        file.id.to_string(),
        file.realm.as_str(),
        owner,
        file.name,
        file.media_type,
        bytes(file.size),
        file.sha256,
        file.width,
        file.height,
        file.public,
        file.created_at_ms,
    ])?;
    let kept = one(conn, file.id)?;
    let kept = kept.ok_or_else(|| DbError::Corrupt(format!("file {} is not there", file.id)))?;
    Ok(KeepOutcome::Kept(kept))
}

fn delete(tx: &Tx<'_>, id: FileId) -> DbResult<bool> {
    let (conn, id) = (tx.conn, id.to_string());
    let sql = "DELETE FROM file WHERE id = ?1 RETURNING sha256";
    let sha256: Option<[u8; 32]> = conn
        .prepare_cached(sql)?
        .query_row([&id], |row| row.get(0))
        .optional()?;
    let Some(sha256) = sha256 else {
        return Ok(false);
    };
    let sql = "DELETE FROM file_ref WHERE file = ?1";
    conn.prepare_cached(sql)?.execute([&id])?;
    let sql = "UPDATE blob SET unused_since = ?2 WHERE sha256 = ?1 \
               AND NOT EXISTS (SELECT 1 FROM file f WHERE f.sha256 = ?1)";
    conn.prepare_cached(sql)?
        .execute(params![sha256, tx.now_ms])?;
    Ok(true)
}

/// Notes which files a message of the running transaction shows.
pub(super) fn note(conn: &Connection, item: &Append, message: MessageId) -> DbResult<()> {
    if item.files.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO file_ref (file, message, channel) VALUES (?1, ?2, ?3) \
               ON CONFLICT DO NOTHING";
    let mut insert = conn.prepare_cached(sql)?;
    for file in &item.files {
        insert.execute(params![file.to_string(), message.0, item.channel.num.0])?;
    }
    Ok(())
}

/// A message that was not erased shows these files and no others.
fn show(conn: &Connection, message: MessageId, files: &[FileId]) -> DbResult<()> {
    unnote(conn, message)?;
    let sql = "INSERT INTO file_ref (file, message, channel) \
               SELECT ?1, id, channel FROM message WHERE id = ?2 AND flags & ?3 = 0 \
               ON CONFLICT DO NOTHING";
    let mut insert = conn.prepare_cached(sql)?;
    for file in files {
        insert.execute(params![file.to_string(), message.0, REVOKED])?;
    }
    Ok(())
}

/// A message shows no file any more.
pub(super) fn unnote(conn: &Connection, message: MessageId) -> DbResult<()> {
    let sql = "DELETE FROM file_ref WHERE message = ?1";
    conn.prepare_cached(sql)?.execute([message.0])?;
    Ok(())
}

fn thumbnail(conn: &Connection, of: &str, side: u32) -> DbResult<Option<Thumbnail>> {
    let sql = "SELECT key, media_type, size FROM file_thumbnail WHERE blob = ?1 AND side = ?2";
    let mut find = conn.prepare_cached(sql)?;
    let thumbnail = |row: &Row<'_>| {
        Ok(Thumbnail {
            key: row.get(0)?,
            media_type: row.get(1)?,
            size: row.get::<_, i64>(2)?.unsigned_abs(),
        })
    };
    Ok(find.query_row(params![of, side], thumbnail).optional()?)
}

fn keep_thumbnail(tx: &Tx<'_>, new: &NewThumbnail) -> DbResult<Option<Thumbnail>> {
    let conn = tx.conn;
    if let Some(first) = thumbnail(conn, &new.of, new.side)? {
        return Ok(Some(first));
    }
    let sql = "INSERT INTO file_thumbnail (blob, side, key, media_type, size) \
               SELECT key, ?2, ?3, ?4, ?5 FROM blob WHERE key = ?1";
    let small = &new.thumbnail;
    let row = params![
        new.of,
        new.side,
        small.key,
        small.media_type,
        bytes(small.size)
    ];
    if conn.prepare_cached(sql)?.execute(row)? == 0 {
        return Ok(None);
    }
    treasure(conn, &small.key)?;
    Ok(Some(small.clone()))
}

fn sweep(tx: &Tx<'_>, before_ms: i64, limit: u32) -> DbResult<Swept> {
    let conn = tx.conn;
    let sql = "SELECT key FROM file_garbage WHERE at < ?1 ORDER BY at LIMIT ?2";
    let mut garbage = keys(conn, sql, before_ms, limit)?;
    let sql = "SELECT key FROM blob WHERE unused_since < ?1 LIMIT ?2";
    let unused = keys(conn, sql, before_ms, limit)?;
    for key in &unused {
        discard(tx, key)?;
        let sql = "INSERT INTO file_garbage (key, at) \
                   SELECT key, ?2 FROM file_thumbnail WHERE blob = ?1 ON CONFLICT DO NOTHING";
        conn.prepare_cached(sql)?.execute(params![key, tx.now_ms])?;
        conn.prepare_cached("DELETE FROM file_thumbnail WHERE blob = ?1")?
            .execute([key])?;
        conn.prepare_cached("DELETE FROM blob WHERE key = ?1")?
            .execute([key])?;
    }
    // Whoever still reads one of these had all the time since it was given up.
    garbage.extend(unused);
    Ok(Swept { garbage })
}

/// Messages that retention has dropped, which show nothing any more.
fn dropped(conn: &Connection) -> DbResult<Vec<MessageId>> {
    let sql = "SELECT DISTINCT r.message FROM file_ref r \
               WHERE r.message <= (SELECT dropped_through FROM meta) \
               AND NOT EXISTS (SELECT 1 FROM message m WHERE m.id = r.message) LIMIT ?1";
    let mut find = conn.prepare_cached(sql)?;
    let found = find.query_map([MAX_DROPPED], |row| Ok(MessageId(row.get(0)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn keys(conn: &Connection, sql: &str, before_ms: i64, limit: u32) -> DbResult<Vec<String>> {
    let mut find = conn.prepare_cached(sql)?;
    let keys = find.query_map(params![before_ms, limit], |row| row.get(0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}
