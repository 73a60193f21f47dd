//! Finding users, and when they were last there.
//!
//! A search goes through three lists, one after the other: ids that begin with the keyword,
//! phone numbers and addresses of mail that are it, names that contain it. Whoever is on an
//! earlier list is left out of a later one.

use async_trait::async_trait;
use crosstalk_core::directory::{FindUsers, FoundPlace, FoundUsers, People, Profile, UserRecord};
use crosstalk_core::form::folded;
use crosstalk_core::id::UserNum;
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::directory::{COLUMNS, record};
use super::error::DbResult;
use super::{Sqlite, user_names};

/// Users who are looked at for one page, of those who are found by what is asked for: there
/// are more only where most of them do not let themselves be found.
const SPAN: i64 = 5_000;
/// Users with the same phone number or address of mail who are found.
const MAX_SAME: i64 = 50;

#[async_trait]
impl People for Sqlite {
    async fn find_users(&self, query: &FindUsers) -> StoreResult<FoundUsers> {
        let query = query.clone();
        self.read(move |conn, _| find(conn, &query)).await
    }

    async fn seen(&self, users: &[(UserNum, i64)]) -> StoreResult<()> {
        let users = users.to_vec();
        self.write(move |tx| {
            let sql = "UPDATE user SET last_seen = max(last_seen, ?2) WHERE num = ?1";
            let mut update = tx.conn.prepare_cached(sql)?;
            for (user, at_ms) in &users {
                update.execute([user.0, *at_ms])?;
            }
            Ok(())
        })
        .await
    }

    async fn last_seen(&self, users: &[UserNum]) -> StoreResult<Vec<i64>> {
        let users = users.to_vec();
        self.read(move |conn, _| {
            let mut find = conn.prepare_cached("SELECT last_seen FROM user WHERE num = ?1")?;
            let mut seen = Vec::with_capacity(users.len());
            for user in &users {
                let at_ms = find.query_row([user.0], |row| row.get(0)).optional()?;
                seen.push(at_ms.unwrap_or(0));
            }
            Ok(seen)
        })
        .await
    }
}

/// Keeps what is searched of a user beside the profile.
pub(super) fn put_card(conn: &Connection, user: &UserRecord) -> DbResult<()> {
    let profile = Profile::of(user.profile.as_deref());
    let (realm, num) = (user.realm.as_str(), user.user.num.0);
    let name = folded(&profile.name.unwrap_or_default());
    let before = user_names::indexed(conn, realm, num)?.unwrap_or_default();
    if name != before {
        user_names::remove(conn, realm, num, &before)?;
        user_names::put(conn, realm, num, &name)?;
    }
    let sql = "INSERT INTO user_card (realm, user, name, phone, email) \
               VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE \
               SET name = excluded.name, phone = excluded.phone, email = excluded.email";
    conn.prepare_cached(sql)?.execute(params![
        realm,
        num,
        name,
        profile.phone,
        profile.email.map(|email| email.to_lowercase()),
    ])?;
    Ok(())
}

/// Nobody is found by their name any more; the card goes after this.
pub(super) fn forget_name(conn: &Connection, user: UserNum) -> DbResult<()> {
    let sql = "SELECT realm FROM user WHERE num = ?1";
    let mut find = conn.prepare_cached(sql)?;
    let realm: Option<String> = find.query_row([user.0], |row| row.get(0)).optional()?;
    if let Some(realm) = realm
        && let Some(name) = user_names::indexed(conn, &realm, user.0)?
    {
        user_names::remove(conn, &realm, user.0, &name)?;
    }
    Ok(())
}

/// The lists, as they stand in a place.
const BY_ID: i64 = 0;
const BY_CONTACT: i64 = 1;
const BY_NAME: i64 = 2;

fn find(conn: &Connection, query: &FindUsers) -> DbResult<FoundUsers> {
    let limit = query.limit.max(1) as usize;
    let mut place = query.after.unwrap_or([BY_ID, 0]);
    let mut users = Vec::new();
    // Places come back from callers: of a list that there is not nothing is found.
    while (BY_ID..=BY_NAME).contains(&place[0]) {
        let (found, next) = match place[0] {
            BY_ID => by_id(conn, query, place[1], limit - users.len())?,
            BY_CONTACT => by_contact(conn, query, place[1], limit - users.len())?,
            _ => by_name(conn, query, place[1], limit - users.len())?,
        };
        users.extend(found);
        match next {
            // This list is at its end.
            None => place = [place[0] + 1, 0],
            Some(next) => {
                let next: FoundPlace = [place[0], next];
                return Ok(FoundUsers {
                    users,
                    next: Some(next),
                });
            }
        }
    }
    Ok(FoundUsers { users, next: None })
}

/// Some users, and after which number to go on.
type Part = (Vec<UserRecord>, Option<i64>);

/// Whether somebody may be found at all: they exist, are not banned, and let it be so; the
/// application finds everybody who exists.
fn may_be_found(user: &UserRecord, query: &FindUsers, by_contact: bool) -> bool {
    use crosstalk_core::directory::Searchable;
    let lets = match user.privacy.searchable {
        Searchable::All => true,
        Searchable::Name => !by_contact,
        Searchable::Nobody => false,
    };
    user.flags.exists && (query.all || (lets && !user.flags.ban))
}

/// Where the ids end that begin with a keyword.
fn end_of(keyword: &str) -> String {
    format!("{keyword}\u{10FFFF}")
}

fn by_id(conn: &Connection, query: &FindUsers, after: i64, limit: usize) -> DbResult<Part> {
    // The order is that of the ids; the place is the number of the last one.
    let keyword = query.keyword.as_str();
    let last = by_num(conn, after)?;
    let (above, from) = match &last {
        Some(last) => (">", last.user.uid.as_str()),
        None => (">=", keyword),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM user WHERE realm = ?1 AND uid {above} ?2 AND uid < ?3 \
         ORDER BY uid LIMIT ?4"
    );
    let mut select = conn.prepare_cached(&sql)?;
    let mut rows = select.query(params![query.realm.as_str(), from, end_of(keyword), SPAN])?;
    page(&mut rows, limit, |user| may_be_found(user, query, false))
}

/// Reads rows until there are enough, or as many were looked at as may be.
fn page(
    rows: &mut rusqlite::Rows<'_>,
    limit: usize,
    wanted: impl Fn(&UserRecord) -> bool,
) -> DbResult<Part> {
    let mut found = Vec::new();
    let mut looked_at = 0;
    while let Some(row) = rows.next()? {
        let user = record(row)?;
        looked_at += 1;
        let num = user.user.num.0;
        if wanted(&user) {
            found.push(user);
        }
        if found.len() >= limit || looked_at >= SPAN {
            return Ok((found, Some(num)));
        }
    }
    Ok((found, None))
}

fn by_contact(conn: &Connection, query: &FindUsers, after: i64, limit: usize) -> DbResult<Part> {
    let sql = "SELECT user FROM user_card WHERE realm = ?1 AND phone = ?2 AND user > ?4 \
               UNION SELECT user FROM user_card WHERE realm = ?1 AND email = ?3 AND user > ?4 \
               ORDER BY user LIMIT ?5";
    let mut select = conn.prepare_cached(sql)?;
    let nums = select.query_map(
        params![
            query.realm.as_str(),
            query.keyword,
            query.keyword.to_lowercase(),
            after,
            MAX_SAME
        ],
        |row| row.get::<_, i64>(0),
    )?;
    let mut found = Vec::new();
    for num in nums {
        let num = num?;
        if let Some(user) = by_num(conn, num)?
            && may_be_found(&user, query, true)
            && !user.user.uid.as_str().starts_with(&query.keyword)
        {
            found.push(user);
            if found.len() >= limit {
                return Ok((found, Some(num)));
            }
        }
    }
    Ok((found, None))
}

fn by_name(conn: &Connection, query: &FindUsers, after: i64, limit: usize) -> DbResult<Part> {
    let sql = "SELECT f.rowid, c.name FROM user_names f \
               CROSS JOIN user_card c ON c.realm = ?1 AND c.user = f.rowid \
               WHERE user_names MATCH ?2 AND f.rowid > ?3 ORDER BY f.rowid";
    let keyword = folded(&query.keyword);
    let question = user_names::question(query.realm.as_str(), &keyword);
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query(params![query.realm.as_str(), question, after])?;
    let (mut found, mut looked_at) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let num = row.get(0)?;
        looked_at += 1;
        if row
            .get_ref(1)?
            .as_str()
            .unwrap_or_default()
            .contains(&keyword)
            && let Some(user) = by_num(conn, num)?
            && may_be_found(&user, query, false)
            && !user.user.uid.as_str().starts_with(&query.keyword)
            && !is_contact(&user, query)
        {
            found.push(user);
        }
        if found.len() >= limit || looked_at >= SPAN {
            return Ok((found, Some(num)));
        }
    }
    Ok((found, None))
}

/// Whether the list of phone numbers and addresses has a user already.
fn is_contact(user: &UserRecord, query: &FindUsers) -> bool {
    let profile = Profile::of(user.profile.as_deref());
    let email = profile.email.map(|email| email.to_lowercase());
    let is_it = profile.phone.as_deref() == Some(&query.keyword)
        || email == Some(query.keyword.to_lowercase());
    is_it && may_be_found(user, query, true)
}

fn by_num(conn: &Connection, num: i64) -> DbResult<Option<UserRecord>> {
    let mut find = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM user WHERE num = ?1"))?;
    let mut rows = find.query([num])?;
    rows.next()?.map(|row: &Row<'_>| record(row)).transpose()
}
