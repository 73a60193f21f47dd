//! The groups that users sort their friends into.

use crosstalk_core::id::UserNum;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::relation::friend::{Friend, FriendGroup, MAX_FRIEND_GROUPS};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::DbResult;
use super::friends;
use super::work::Tx;

/// A user's groups, in their order.
pub(super) fn list(conn: &Connection, user: UserNum) -> DbResult<Vec<FriendGroup>> {
    let sql = "SELECT g.id, g.name, g.position, (SELECT count(*) FROM relation r \
               WHERE r.user = g.user AND r.state & 4 AND r.grp = g.id) \
               FROM friend_group g WHERE g.user = ?1 ORDER BY g.position, g.id";
    let mut find = conn.prepare_cached(sql)?;
    let group = |row: &Row<'_>| {
        Ok(FriendGroup {
            id: row.get(0)?,
            name: row.get(1)?,
            position: row.get(2)?,
            members: row.get(3)?,
        })
    };
    Ok(find.query_map([user.0], group)?.collect::<Result<_, _>>()?)
}

/// Whether there is such a group; none at all is one, too.
pub(super) fn exists(conn: &Connection, user: UserNum, id: i64) -> DbResult<bool> {
    let sql = "SELECT 1 FROM friend_group WHERE user = ?1 AND id = ?2";
    let mut find = conn.prepare_cached(sql)?;
    Ok(id == 0 || find.exists([user.0, id])?)
}

fn one(conn: &Connection, user: UserNum, id: i64) -> DbResult<Result<FriendGroup, Refusal>> {
    let found = list(conn, user)?.into_iter().find(|group| group.id == id);
    Ok(found.ok_or(Refusal::NotFound))
}

/// Makes or renames a group.
pub(super) fn name(
    conn: &Connection,
    user: UserNum,
    id: i64,
    name: &str,
    is_new: bool,
) -> DbResult<Result<FriendGroup, Refusal>> {
    if !is_new && !exists(conn, user, id)? {
        return Ok(Err(Refusal::NotFound));
    }
    let sql = "SELECT id FROM friend_group WHERE user = ?1 AND name = ?2";
    let mut find = conn.prepare_cached(sql)?;
    let called: Option<i64> = find
        .query_row(params![user.0, name], |row| row.get(0))
        .optional()?;
    if called.is_some_and(|called| called != id) {
        return Ok(Err(Refusal::AlreadyExists));
    }
    if is_new {
        let sql = "SELECT count(*), coalesce(max(position), -1) + 1 FROM friend_group \
                   WHERE user = ?1";
        let mut count = conn.prepare_cached(sql)?;
        let (count, position): (u32, i64) =
            count.query_row([user.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if count >= MAX_FRIEND_GROUPS {
            return Ok(Err(Refusal::TooMany));
        }
        let sql = "INSERT INTO friend_group (user, id, name, position) VALUES (?1, ?2, ?3, ?4)";
        conn.prepare_cached(sql)?
            .execute(params![user.0, id, name, position])?;
    } else {
        let sql = "UPDATE friend_group SET name = ?3 WHERE user = ?1 AND id = ?2";
        conn.prepare_cached(sql)?
            .execute(params![user.0, id, name])?;
    }
    one(conn, user, id)
}

/// Deletes a group; its friends are in none then, and returned so.
pub(super) fn delete(
    tx: &Tx<'_>,
    user: UserNum,
    id: i64,
) -> DbResult<Result<Vec<Friend>, Refusal>> {
    let conn = tx.conn;
    if id == 0 || !exists(conn, user, id)? {
        return Ok(Err(Refusal::NotFound));
    }
    let mut left = friends::of_group(conn, &tx.shared.names, user, id)?;
    let sql = "UPDATE relation SET grp = 0, version = ?3 WHERE user = ?1 AND other = ?2";
    let mut update = conn.prepare_cached(sql)?;
    for friend in &mut left {
        friend.group = 0;
        friend.version = friends::next_version(tx, user)?;
        update.execute([user.0, friend.user.num.0, friend.version])?;
    }
    conn.prepare_cached("DELETE FROM friend_group WHERE user = ?1 AND id = ?2")?
        .execute([user.0, id])?;
    Ok(Ok(left))
}

/// Puts groups in an order; those not named come after, as they were.
pub(super) fn order(
    conn: &Connection,
    user: UserNum,
    ids: &[i64],
) -> DbResult<Result<Vec<FriendGroup>, Refusal>> {
    let now = list(conn, user)?;
    let is_known = |id: &i64| now.iter().any(|group| group.id == *id);
    if !ids.iter().all(is_known) {
        return Ok(Err(Refusal::NotFound));
    }
    let mut order: Vec<i64> = Vec::with_capacity(now.len());
    for id in ids.iter().chain(now.iter().map(|group| &group.id)) {
        if !order.contains(id) {
            order.push(*id);
        }
    }
    let sql = "UPDATE friend_group SET position = ?3 WHERE user = ?1 AND id = ?2";
    let mut update = conn.prepare_cached(sql)?;
    for (position, id) in order.iter().enumerate() {
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        update.execute([user.0, *id, position])?;
    }
    Ok(Ok(list(conn, user)?))
}
