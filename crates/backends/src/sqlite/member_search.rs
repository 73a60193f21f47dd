//! Finding members by role and by what they are called. Members are looked at in stretches:
//! other reads pass between two of them.

use crosstalk_core::channel::{FoundMembers, MemberQuery, MemberRole};
use crosstalk_core::form::folded;
use crosstalk_core::id::{ChannelNum, UserNum};
use rusqlite::{Connection, params};

use super::Shared;
use super::error::DbResult;
use super::members::{COLUMNS, versioned};

/// Members that are looked at for a keyword in one read.
const STRETCH: usize = 10_000;

/// Active members of a role, with a keyword in what they are called.
pub(super) fn find(
    conn: &Connection,
    shared: &Shared,
    channel: ChannelNum,
    query: &MemberQuery,
) -> DbResult<FoundMembers> {
    if query.keyword.is_empty() {
        return of_role(conn, shared, channel, query);
    }
    // The index alone tells what is a member; of each then one row of users and cards.
    let sql = format!(
        "SELECT {COLUMNS}, m.state, m.version, u.uid, c.name \
         FROM member m CROSS JOIN user u ON u.num = m.user \
         LEFT JOIN user_card c ON c.realm = u.realm AND c.user = m.user \
         WHERE m.channel = ?1 AND m.user > ?2 AND m.state = 1 ORDER BY m.user"
    );
    let keyword = folded(&query.keyword);
    let has = |text: &str| text.contains(&keyword);
    let has_folded = |text: &str| !text.is_empty() && has(&folded(text));
    let limit = query.limit as usize;
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query([channel.0, after(query)])?;
    let mut found = FoundMembers::default();
    let mut looked_at = 0;
    while found.rows.len() < limit
        && let Some(row) = rows.next()?
    {
        looked_at += 1;
        let is_wanted = row.get::<_, i64>(1)? >= query.at_least as i64
            && (row
                .get_ref(9)?
                .as_str_or_null()
                .ok()
                .flatten()
                .is_some_and(has)
                || has_folded(row.get_ref(8)?.as_str().unwrap_or_default())
                || has_folded(row.get_ref(4)?.as_str().unwrap_or_default()));
        if is_wanted {
            found.rows.push(versioned(conn, shared, row)?);
        } else if looked_at >= STRETCH {
            found.next = Some(UserNum(row.get(0)?));
            break;
        }
    }
    Ok(found)
}

fn after(query: &MemberQuery) -> i64 {
    query.after.map_or(i64::MIN, |user| user.0)
}

fn of_role(
    conn: &Connection,
    shared: &Shared,
    channel: ChannelNum,
    query: &MemberQuery,
) -> DbResult<FoundMembers> {
    // There is an index of owners.
    let is_owner = if query.at_least == MemberRole::Owner {
        "AND m.role = 2"
    } else {
        ""
    };
    let sql = format!(
        "SELECT {COLUMNS}, m.state, m.version FROM member m WHERE m.channel = ?1 \
         AND m.user > ?2 AND m.state = 1 {is_owner} AND m.role >= ?3 ORDER BY m.user LIMIT ?4"
    );
    let (role, limit) = (query.at_least as i64, query.limit);
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query(params![channel.0, after(query), role, limit])?;
    let mut found = FoundMembers::default();
    while let Some(row) = rows.next()? {
        found.rows.push(versioned(conn, shared, row)?);
    }
    Ok(found)
}
