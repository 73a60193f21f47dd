//! All users of a realm, and everything of one of them.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crosstalk_core::admin::{
    Census, ChoreKind, ChoreState, DayCount, Forgotten, Person, PersonFilter, Purged, Scan, Totals,
    Traces,
};
use crosstalk_core::file::FileId;
use crosstalk_core::id::{MessageId, Realm, UserNum};
use crosstalk_core::store::StoreResult;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};
use serde_json::{Map, Value};

use super::owned::{Fate, OWNED, SECRET};
use super::traces::traces_of;
use crate::sqlite::Sqlite;
use crate::sqlite::directory;
use crate::sqlite::error::DbResult;
use crate::sqlite::people;
use crate::sqlite::revoke::secretly;
use crate::sqlite::rows::is_revoked;
use crate::sqlite::work::Tx;

/// Messages that one look goes through.
const STRETCH: u32 = 5000;
/// Messages that one look finds at most.
const FOUND: u32 = 200;
/// Rows of one table that an export shows.
const ROWS: u32 = 100_000;
const DAY_MS: i64 = 24 * 3600 * 1000;

#[async_trait]
impl Census for Sqlite {
    async fn people(
        &self,
        realm: &Realm,
        filter: &PersonFilter,
        after: UserNum,
        limit: u32,
    ) -> StoreResult<Vec<Person>> {
        let (realm, filter) = (realm.clone(), filter.clone());
        self.read(move |conn, _| people(conn, &realm, &filter, after, limit))
            .await
    }

    async fn set_tags(&self, realm: &Realm, user: UserNum, tags: &[String]) -> StoreResult<()> {
        let (realm, tags) = (realm.clone(), tags.to_vec());
        self.write(move |tx| {
            tx.conn
                .prepare_cached("DELETE FROM user_tag WHERE user = ?1")?
                .execute([user.0])?;
            let sql = "INSERT OR IGNORE INTO user_tag (realm, tag, user) VALUES (?1, ?2, ?3)";
            let mut insert = tx.conn.prepare_cached(sql)?;
            for tag in &tags {
                insert.execute(params![realm.as_str(), tag, user.0])?;
            }
            Ok(())
        })
        .await
    }

    async fn tags(&self, user: UserNum) -> StoreResult<Vec<String>> {
        self.read(move |conn, _| tags(conn, user)).await
    }

    async fn sent_by(&self, user: UserNum, after: MessageId) -> StoreResult<Scan> {
        self.read(move |conn, _| sent_by(conn, user, after)).await
    }

    async fn traces_of(&self, whose: &Forgotten, after: MessageId) -> StoreResult<Traces> {
        let whose = whose.clone();
        self.read(move |conn, _| traces_of(conn, &whose, after))
            .await
    }

    async fn files_of(&self, realm: &Realm, user: UserNum) -> StoreResult<Vec<FileId>> {
        let realm = realm.clone();
        self.read(move |conn, _| {
            let sql = "SELECT id FROM file WHERE realm = ?1 AND owner = ?2 LIMIT ?3";
            let mut find = conn.prepare_cached(sql)?;
            let mut rows = find.query(params![realm.as_str(), user.0, FOUND])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.extend(FileId::parse(row.get_ref(0)?.as_str().unwrap_or_default()));
            }
            Ok(found)
        })
        .await
    }

    async fn purge(&self, user: UserNum) -> StoreResult<Purged> {
        let mut purged = Vec::new();
        for (table, column, fate) in OWNED {
            let sql = match fate {
                Fate::Stays => continue,
                Fate::Deleted | Fate::Quietly => {
                    format!("DELETE FROM {table} WHERE {column} = ?1")
                }
                Fate::Unnamed(of) => {
                    format!("UPDATE {table} SET {column} = NULL WHERE {column} = ?1 AND {of}")
                }
                Fate::Blanked(set) => {
                    format!("UPDATE {table} SET {set} WHERE {column} = ?1 AND NOT ({set})")
                }
            };
            // Each in a transaction of its own: some tables have to be read as a whole.
            let rows = self.write(move |tx| {
                match (*table, *column) {
                    ("device", _) => forget_devices(tx, user)?,
                    ("user_card", _) => people::forget_name(tx.conn, user)?,
                    ("join_request", "user") => forget_invitations(tx, user)?,
                    _ => {}
                }
                secretly(tx.conn, |conn| Ok(conn.execute(&sql, [user.0])? as u64))
            });
            let rows = rows.await?;
            if rows > 0 {
                purged.push(((*table).to_owned(), rows));
            }
        }
        self.write(move |tx| {
            forget_exports(tx, user)?;
            forget_broadcasts(tx, user)?;
            let sql = "UPDATE user SET profile = NULL, status = NULL, privacy = 0, \
                       last_seen = 0, version = max(version + 1, ?2) WHERE num = ?1";
            secretly(tx.conn, |conn| {
                conn.prepare_cached(sql)?.execute((user.0, tx.now_ms))?;
                Ok(())
            })
        })
        .await?;
        Ok(purged)
    }

    async fn rows_of(&self, user: UserNum) -> StoreResult<Vec<String>> {
        self.read(move |conn, _| rows_of(conn, user)).await
    }

    async fn count_people(&self, realm: &Realm, tag: Option<&str>) -> StoreResult<u64> {
        let (realm, tag) = (realm.clone(), tag.map(str::to_owned));
        self.read(move |conn, _| {
            let count: i64 = match &tag {
                None => conn
                    .prepare_cached("SELECT count(*) FROM user WHERE realm = ?1 AND flags & 1")?
                    .query_row([realm.as_str()], |row| row.get(0))?,
                Some(tag) => conn
                    .prepare_cached("SELECT count(*) FROM user_tag WHERE realm = ?1 AND tag = ?2")?
                    .query_row([realm.as_str(), tag], |row| row.get(0))?,
            };
            Ok(count.unsigned_abs())
        })
        .await
    }

    async fn count_messages(&self) -> StoreResult<bool> {
        let new = "SELECT EXISTS (SELECT 1 FROM message WHERE id > \
                   (SELECT counted_through FROM meta))";
        let is_any = self
            .read(move |conn, _| {
                let mut new = conn.prepare_cached(new)?;
                Ok(new.query_row([], |row| row.get::<_, bool>(0))?)
            })
            .await?;
        if !is_any {
            return Ok(true);
        }
        self.write(count_messages).await?;
        Ok(false)
    }

    async fn totals(&self, realm: &Realm, since_day: i64) -> StoreResult<Totals> {
        let realm = realm.clone();
        let wal_bytes = self.stats().wal_bytes;
        self.read(move |conn, _| {
            let mut totals = totals(conn, &realm, since_day)?;
            totals.store_bytes += wal_bytes;
            Ok(totals)
        })
        .await
    }
}

fn people(
    conn: &Connection,
    realm: &Realm,
    filter: &PersonFilter,
    after: UserNum,
    limit: u32,
) -> DbResult<Vec<Person>> {
    // bits 0 = exists, 1 = system, 2 = ban, 5 = staff.
    let from = if filter.tag.is_some() {
        "user_tag t JOIN user ON user.num = t.user AND t.realm = ?1 AND t.tag = ?6"
    } else {
        "user"
    };
    let sql = format!(
        "SELECT {columns} FROM {from} WHERE user.realm = ?1 AND user.num > ?2 \
         AND user.flags & 1 AND (?3 IS NULL OR substr(uid, 1, length(?3)) = ?3) \
         AND (?4 IS NULL OR (flags & 4 <> 0) = ?4) AND (?5 IS NULL OR (flags & 32 <> 0) = ?5) \
         AND (?6 IS NULL OR 1) AND (?8 IS NULL OR (flags & 2 <> 0) = ?8) \
         ORDER BY user.num LIMIT ?7",
        columns = directory::COLUMNS.replace("realm", "user.realm"),
    );
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query(params![
        realm.as_str(),
        after.0,
        filter.prefix,
        filter.ban,
        filter.staff,
        filter.tag,
        limit,
        filter.system,
    ])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let record = directory::record(row)?;
        let tags = tags(conn, record.user.num)?;
        found.push(Person { record, tags });
    }
    Ok(found)
}

fn tags(conn: &Connection, user: UserNum) -> DbResult<Vec<String>> {
    let mut find = conn.prepare_cached("SELECT tag FROM user_tag WHERE user = ?1 ORDER BY tag")?;
    let tags = find.query_map([user.0], |row| row.get(0))?;
    Ok(tags.collect::<Result<_, _>>()?)
}

fn sent_by(conn: &Connection, user: UserNum, after: MessageId) -> DbResult<Scan> {
    let sql = "SELECT m.id, m.sender, m.flags, c.log FROM message m \
               JOIN channel c ON c.num = m.channel WHERE m.id > ?1 ORDER BY m.id LIMIT ?2";
    let mut find = conn.prepare_cached(sql)?;
    let mut rows = find.query((after.0, STRETCH))?;
    let mut scan = Scan::default();
    let mut last = after;
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        seen += 1;
        last = MessageId(row.get(0)?);
        let (sender, flags, log): (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
        if sender == user.0 && log == 0 && !is_revoked(flags) {
            scan.found.push(last);
            if scan.found.len() == FOUND as usize {
                break;
            }
        }
    }
    let more = seen == STRETCH || scan.found.len() == FOUND as usize;
    scan.through = more.then_some(last);
    Ok(scan)
}

fn forget_devices(tx: &Tx<'_>, user: UserNum) -> DbResult<()> {
    for table in ["device_range", "device_unacked"] {
        let sql =
            format!("DELETE FROM {table} WHERE device IN (SELECT num FROM device WHERE user = ?1)");
        tx.conn.execute(&sql, [user.0])?;
    }
    Ok(())
}

/// What was written down of the user goes, and is not written any further.
fn forget_exports(tx: &Tx<'_>, user: UserNum) -> DbResult<()> {
    let sql = "DELETE FROM chore_output WHERE chore IN (SELECT num FROM chore WHERE user = ?1)";
    secretly(tx.conn, |conn| Ok(conn.execute(sql, [user.0])?))?;
    let (export, cancelled) = (ChoreKind::Export as i64, ChoreState::Cancelled as i64);
    let sql = "UPDATE chore SET state = ?3 WHERE user = ?1 AND kind = ?2 AND state < 2";
    tx.conn.execute(sql, (user.0, export, cancelled))?;
    Ok(())
}

/// What was said to many in the user's name goes; that something was stays.
fn forget_broadcasts(tx: &Tx<'_>, user: UserNum) -> DbResult<()> {
    let sql = "UPDATE chore SET spec = json_set(spec, '$.payload', '') \
               WHERE kind = ?2 AND realm = (SELECT realm FROM user WHERE num = ?1) \
               AND CASE WHEN json_valid(spec) THEN json_extract(spec, '$.from') END \
                   = (SELECT uid FROM user WHERE num = ?1)";
    let of = (user.0, ChoreKind::Broadcast as i64);
    secretly(tx.conn, |conn| Ok(conn.execute(sql, of)?))?;
    Ok(())
}

/// Those whom the user has invited and who have not answered are not invited any more; of the
/// others nobody knows by whom, nor with which words.
fn forget_invitations(tx: &Tx<'_>, user: UserNum) -> DbResult<()> {
    for sql in [
        "DELETE FROM join_request WHERE inviter = ?1 AND status = 0",
        "UPDATE join_request SET inviter = NULL, message = '' WHERE inviter = ?1",
    ] {
        secretly(tx.conn, |conn| Ok(conn.execute(sql, [user.0])?))?;
    }
    Ok(())
}

/// The rows of all tables that are a user's, as JSON objects with their table's name.
fn rows_of(conn: &Connection, user: UserNum) -> DbResult<Vec<String>> {
    let mut lines = Vec::new();
    let own = [
        ("user", "num", Fate::Deleted),
        ("file", "owner", Fate::Deleted),
    ];
    for (table, column, fate) in own.iter().chain(OWNED) {
        if !matches!(fate, Fate::Deleted | Fate::Blanked(_)) {
            continue;
        }
        let sql = format!("SELECT * FROM {table} WHERE {column} = ?1 LIMIT ?2");
        let mut find = conn.prepare(&sql)?;
        let names: Vec<String> = find.column_names().map(str::to_owned).collect();
        let mut rows = find.query((user.0, ROWS))?;
        while let Some(row) = rows.next()? {
            let mut object = Map::new();
            object.insert("kind".to_owned(), (*table).into());
            for (at, name) in names.iter().enumerate() {
                if !SECRET.contains(&name.as_str()) {
                    object.insert(member(name), json(row.get_ref(at)?));
                }
            }
            lines.push(Value::Object(object).to_string());
        }
    }
    Ok(lines)
}

/// A column's name in an export: `kind` says of what table a row is.
fn member(column: &str) -> String {
    if column == "kind" {
        "channel_kind".to_owned()
    } else {
        column.to_owned()
    }
}

fn json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => STANDARD.encode(bytes).into(),
    }
}

fn count_messages(tx: &Tx<'_>) -> DbResult<()> {
    let sql = "SELECT max(id) FROM (SELECT id FROM message WHERE id > \
               (SELECT counted_through FROM meta) ORDER BY id LIMIT ?1)";
    let mut last = tx.conn.prepare_cached(sql)?;
    let Some(last) = last.query_row([STRETCH], |row| row.get::<_, Option<i64>>(0))? else {
        return Ok(());
    };
    let sql = "INSERT INTO stat_day (realm, day, messages) \
               SELECT c.realm, m.sent_at / ?2, count(*) FROM message m \
               JOIN channel c ON c.num = m.channel AND c.log = 0 \
               WHERE m.id > (SELECT counted_through FROM meta) AND m.id <= ?1 \
               GROUP BY c.realm, m.sent_at / ?2 \
               ON CONFLICT DO UPDATE SET messages = messages + excluded.messages";
    tx.conn.prepare_cached(sql)?.execute((last, DAY_MS))?;
    tx.conn
        .prepare_cached("UPDATE meta SET counted_through = ?1")?
        .execute([last])?;
    Ok(())
}

fn totals(conn: &Connection, realm: &Realm, since_day: i64) -> DbResult<Totals> {
    let one = |sql: &str| -> DbResult<u64> {
        let mut find = conn.prepare_cached(sql)?;
        let count: Option<i64> = find.query_row([realm.as_str()], |row| row.get(0))?;
        Ok(count.unwrap_or(0).unsigned_abs())
    };
    let mut days = conn.prepare_cached(
        "SELECT day, messages FROM stat_day WHERE realm = ?1 AND day >= ?2 ORDER BY day DESC",
    )?;
    let days = days.query_map(params![realm.as_str(), since_day], |row| {
        Ok(DayCount {
            day: row.get(0)?,
            messages: row.get::<_, i64>(1)?.unsigned_abs(),
        })
    })?;
    let pragma = |name: &str| -> DbResult<u64> {
        let sql = format!("PRAGMA {name}");
        let value: i64 = conn.query_row(&sql, [], |row| row.get(0))?;
        Ok(value.unsigned_abs())
    };
    Ok(Totals {
        users: one("SELECT count(*) FROM user WHERE realm = ?1 AND flags & 1")?,
        banned: one("SELECT count(*) FROM user WHERE realm = ?1 AND flags & 1 AND flags & 4")?,
        channels: one("SELECT count(*) FROM channel WHERE realm = ?1 AND log = 0")?,
        days: days.collect::<Result<_, _>>()?,
        messages: one("SELECT sum(messages) FROM stat_day WHERE realm = ?1")?,
        store_bytes: pragma("page_count")? * pragma("page_size")?,
    })
}
