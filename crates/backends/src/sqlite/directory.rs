//! Users and the tokens of their device flags.

use async_trait::async_trait;
use crosstalk_core::directory::{
    Alias, Aliases, Directory, FlagToken, Privacy, UserChange, UserFlags, UserRecord,
};
use crosstalk_core::id::{Realm, Uid, UserNum, UserRef};
use crosstalk_core::session::DeviceLevel;
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, OptionalExtension, Row};

use super::Sqlite;
use super::error::{DbError, DbResult};
use super::names;
use super::people;
use super::work::Tx;

#[async_trait]
impl Directory for Sqlite {
    async fn user(&self, realm: &Realm, uid: &Uid) -> StoreResult<Option<UserRecord>> {
        let (realm, uid) = (realm.clone(), uid.clone());
        self.read(move |conn, _| find(conn, &realm, &uid)).await
    }

    async fn intern(&self, realm: &Realm, uids: &[Uid]) -> StoreResult<Vec<UserRecord>> {
        let (wanted, names) = (realm.clone(), uids.to_vec());
        let found = self
            .read(move |conn, _| find_all(conn, &wanted, &names))
            .await?;
        if let Some(found) = found {
            return Ok(found);
        }
        let (wanted, names) = (realm.clone(), uids.to_vec());
        self.write(move |tx| {
            names
                .iter()
                .map(|uid| find_or_add(tx, &wanted, uid))
                .collect()
        })
        .await
    }

    async fn by_alias(&self, realm: &Realm, alias: &Alias) -> StoreResult<Option<UserRecord>> {
        let (realm, alias) = (realm.clone(), alias.clone());
        self.read(move |conn, _| by_alias(conn, &realm, &alias))
            .await
    }

    fn aliases(&self) -> &Aliases {
        &self.shared.aliases
    }

    async fn user_by_num(&self, num: UserNum) -> StoreResult<Option<UserRecord>> {
        self.read(move |conn, _| by_num(conn, num)).await
    }

    async fn put_user(
        &self,
        realm: &Realm,
        uid: &Uid,
        change: &UserChange,
    ) -> StoreResult<UserRecord> {
        let (realm, uid, change) = (realm.clone(), uid.clone(), change.clone());
        self.write(move |tx| put(tx, &realm, &uid, &change)).await
    }

    async fn flag_token(&self, user: UserNum, flag: u8) -> StoreResult<Option<FlagToken>> {
        self.read(move |conn, _| flag_token(conn, user, flag)).await
    }

    async fn by_flag_token(
        &self,
        realm: &Realm,
        hash: &[u8; 32],
        limit: u32,
    ) -> StoreResult<Vec<UserNum>> {
        let (realm, hash) = (realm.clone(), *hash);
        self.read(move |conn, _| {
            let mut find = conn.prepare_cached(BY_FLAG_TOKEN)?;
            let values = rusqlite::params![&hash[..], realm.as_str(), limit];
            let found = find.query_map(values, |row| row.get(0).map(UserNum))?;
            Ok(found.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn set_flag_token(&self, user: UserNum, flag: u8, token: &FlagToken) -> StoreResult<()> {
        let token = token.clone();
        self.write(move |tx| set_flag_token(tx.conn, user, flag, &token))
            .await
    }
}

/// The columns of [`record`].
pub(super) const COLUMNS: &str =
    "num, realm, uid, flags, tokens_after_ms, profile, privacy, status";

/// A user in a row of [`COLUMNS`].
pub(super) fn record(row: &Row<'_>) -> DbResult<UserRecord> {
    let uid = row
        .get_ref(2)?
        .as_str()
        .map_err(|error| DbError::Corrupt(error.to_string()))?;
    Ok(UserRecord {
        user: UserRef {
            num: UserNum(row.get(0)?),
            uid: Uid::from_store(uid),
        },
        realm: names::realm(row, 1)?,
        flags: UserFlags::from_bits(row.get(3)?),
        tokens_after_ms: row.get(4)?,
        profile: row.get(5)?,
        privacy: Privacy::from_bits(row.get(6)?),
        status: row.get(7)?,
    })
}

fn find(conn: &Connection, realm: &Realm, uid: &Uid) -> DbResult<Option<UserRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM user WHERE realm = ?1 AND uid = ?2");
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query([realm.as_str(), uid.as_str()])?;
    rows.next()?.map(record).transpose()
}

/// All of these users, or `None` if one of them is not known.
fn find_all(conn: &Connection, realm: &Realm, uids: &[Uid]) -> DbResult<Option<Vec<UserRecord>>> {
    uids.iter().map(|uid| find(conn, realm, uid)).collect()
}

fn by_alias(conn: &Connection, realm: &Realm, alias: &Alias) -> DbResult<Option<UserRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM user WHERE realm = ?1 AND alias = ?2");
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query([realm.as_str(), alias.as_str()])?;
    rows.next()?.map(record).transpose()
}

fn by_num(conn: &Connection, num: UserNum) -> DbResult<Option<UserRecord>> {
    let mut find = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM user WHERE num = ?1"))?;
    let mut rows = find.query([num.0])?;
    rows.next()?.map(record).transpose()
}

fn find_or_add(tx: &Tx<'_>, realm: &Realm, uid: &Uid) -> DbResult<UserRecord> {
    if let Some(found) = find(tx.conn, realm, uid)? {
        return Ok(found);
    }
    let sql = "INSERT INTO user (realm, uid, flags, tokens_after_ms, profile, version, alias) \
               VALUES (?1, ?2, 0, 0, NULL, ?3, ?4)";
    let mut insert = tx.conn.prepare_cached(sql)?;
    let alias = tx.shared.aliases.of(realm, uid);
    insert.execute(rusqlite::params![
        realm.as_str(),
        uid.as_str(),
        tx.now_ms,
        alias.as_str()
    ])?;
    Ok(UserRecord {
        user: UserRef {
            num: UserNum(tx.conn.last_insert_rowid()),
            uid: uid.clone(),
        },
        realm: realm.clone(),
        flags: UserFlags::default(),
        tokens_after_ms: 0,
        profile: None,
        privacy: Privacy::default(),
        status: None,
    })
}

fn put(tx: &Tx<'_>, realm: &Realm, uid: &Uid, change: &UserChange) -> DbResult<UserRecord> {
    let mut user = find_or_add(tx, realm, uid)?;
    let shown = user.profile.clone();
    change.apply(&mut user);
    if user.profile != shown {
        people::put_card(tx.conn, &user)?;
    }
    let sql = "UPDATE user SET flags = ?2, tokens_after_ms = ?3, profile = ?4, \
               version = max(version + 1, ?5), privacy = ?6, status = ?7 WHERE num = ?1";
    let mut update = tx.conn.prepare_cached(sql)?;
    update.execute(rusqlite::params![
        user.user.num.0,
        user.flags.bits(),
        user.tokens_after_ms,
        user.profile,
        tx.now_ms,
        user.privacy.bits(),
        user.status,
    ])?;
    Ok(user)
}

/// The users of a realm with a token of this hash.
pub(super) const BY_FLAG_TOKEN: &str = "SELECT DISTINCT t.user FROM flag_token t \
     JOIN user u ON u.num = t.user WHERE t.hash = ?1 AND u.realm = ?2 LIMIT ?3";

fn flag_token(conn: &Connection, user: UserNum, flag: u8) -> DbResult<Option<FlagToken>> {
    let sql = "SELECT hash, level FROM flag_token WHERE user = ?1 AND flag = ?2";
    let mut find = conn.prepare_cached(sql)?;
    let token = |row: &Row<'_>| {
        let master = row.get::<_, i64>(1)? == DeviceLevel::Master as i64;
        let level = if master {
            DeviceLevel::Master
        } else {
            DeviceLevel::Slave
        };
        Ok(FlagToken {
            hash: row.get(0)?,
            level,
        })
    };
    Ok(find.query_row((user.0, flag), token).optional()?)
}

fn set_flag_token(conn: &Connection, user: UserNum, flag: u8, token: &FlagToken) -> DbResult<()> {
    let sql = "INSERT INTO flag_token (user, flag, hash, level) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT DO UPDATE SET hash = ?3, level = ?4";
    let hash = token.hash.as_ref().map(|hash| &hash[..]);
    conn.prepare_cached(sql)?
        .execute(rusqlite::params![user.0, flag, hash, token.level as i64])?;
    Ok(())
}

/// Rows that get their alias in one transaction.
const BATCH: usize = 5000;

/// Gives an alias to users who have none, because an older version made them.
///
/// # Errors
/// `Corrupt` when the file's aliases were made with another key, or when the file fails.
pub(super) fn name_unnamed(conn: &mut Connection, aliases: &Aliases) -> DbResult<()> {
    check_key(conn, aliases)?;
    loop {
        let tx = conn.transaction()?;
        let unnamed = {
            let sql = "SELECT num, realm, uid FROM user INDEXED BY user_unnamed \
                       WHERE alias IS NULL ORDER BY num LIMIT ?1";
            let mut find = tx.prepare_cached(sql)?;
            let mut rows = find.query([i64::try_from(BATCH).unwrap_or(i64::MAX)])?;
            let mut unnamed = Vec::new();
            while let Some(row) = rows.next()? {
                unnamed.push((row.get::<_, i64>(0)?, alias(row, 1, aliases)?));
            }
            unnamed
        };
        {
            let mut update = tx.prepare_cached("UPDATE user SET alias = ?2 WHERE num = ?1")?;
            for (num, alias) in &unnamed {
                update.execute(rusqlite::params![num, alias.as_str()])?;
            }
        }
        tx.commit()?;
        if unnamed.len() < BATCH {
            return Ok(());
        }
        tracing::info!(users = unnamed.len(), "older users have got their aliases");
    }
}

/// The alias of the user whose realm and uid stand in two columns from `at` on.
fn alias(row: &Row<'_>, at: usize, aliases: &Aliases) -> DbResult<Alias> {
    let uid: String = row.get(at + 1)?;
    Ok(aliases.of(&names::realm(row, at)?, &Uid::from_store(&uid)))
}

/// An alias is for ever: a file must not be used with another key than the one it began with.
fn check_key(conn: &Connection, aliases: &Aliases) -> DbResult<()> {
    let sql = "SELECT alias, realm, uid FROM user WHERE alias IS NOT NULL ORDER BY num LIMIT 1";
    let mut find = conn.prepare(sql)?;
    let mut rows = find.query([])?;
    let Some(row) = rows.next()? else {
        return Ok(());
    };
    let stored: String = row.get(0)?;
    if stored == alias(row, 1, aliases)?.as_str() {
        return Ok(());
    }
    let why = "the server key is not the one that this database was made with";
    Err(DbError::Corrupt(why.to_owned()))
}
