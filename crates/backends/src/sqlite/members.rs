//! Who belongs to a channel. A channel has at most one owner: whoever joins as owner makes
//! the old one an administrator, and leaving gives the role up.

use crosstalk_core::channel::{Member, MemberChange, MemberRole, MemberState, MembersChanged};
use crosstalk_core::id::{ChannelNum, Uid, UserNum, UserRef};
use rusqlite::{Connection, OptionalExtension, Row};
use rustc_hash::FxHashSet;

use super::error::{DbError, DbResult};
use super::rows::{self, count};
use super::work::Tx;
use super::{Shared, heads};

const ACTIVE: i64 = MemberState::Active as i64;
const LEFT: i64 = MemberState::Left as i64;

/// Active members after a user number.
pub(super) fn page(
    conn: &Connection,
    shared: &Shared,
    channel: ChannelNum,
    after: Option<UserNum>,
    limit: u32,
) -> DbResult<Vec<Member>> {
    let sql = "SELECT m.user, m.role, m.join_seq, m.muted_until FROM member m \
               WHERE m.channel = ?1 AND m.user > ?2 AND m.state = 1 ORDER BY m.user LIMIT ?3";
    let after = after.map_or(i64::MIN, |user| user.0);
    let mut find = conn.prepare_cached(sql)?;
    let mut rows = find.query([channel.0, after, i64::from(limit)])?;
    let mut members = Vec::new();
    while let Some(row) = rows.next()? {
        let num = UserNum(row.get(0)?);
        let user = shared.names.user(conn, num)?;
        let user = user.ok_or_else(|| DbError::Corrupt(format!("no user has the number {num}")))?;
        members.push(member(row, user)?);
    }
    Ok(members)
}

fn member(row: &Row<'_>, user: UserRef) -> DbResult<Member> {
    Ok(Member {
        user,
        role: MemberRole::from_number(row.get(1)?),
        join_seq: count(row, 2)?,
        muted_until_ms: row.get(3)?,
    })
}

/// Changes members in one transaction.
pub(super) fn change(
    tx: &Tx<'_>,
    channel: ChannelNum,
    changes: &[MemberChange],
) -> DbResult<MembersChanged> {
    let head = heads::read(tx.conn, channel)?;
    let place = (rows::seq(head.seq), rows::seq(head.ordinal));
    let mut delta = 0;
    for change in changes {
        delta += match change {
            MemberChange::Enter(user) => join(tx, channel, user.num, None, place)?,
            MemberChange::Join(user, role) => join(tx, channel, user.num, Some(*role), place)?,
            MemberChange::Leave(user) => leave(tx, channel, user.num)?,
        };
    }
    let sql = "UPDATE channel SET member_count = member_count + ?2 WHERE num = ?1 \
               RETURNING member_count";
    let mut update = tx.conn.prepare_cached(sql)?;
    let member_count = update
        .query_row([channel.0, delta], |row| row.get(0))
        .optional()?;
    let member_count = member_count
        .ok_or_else(|| DbError::Corrupt(format!("no channel has the number {channel}")))?;
    Ok(MembersChanged {
        joined: joined(tx.conn, channel, changes)?,
        member_count,
    })
}

/// Puts a user among the active members. Without a role, one who is there stays what they
/// are and one who is new is an ordinary member. Returns by how much their number grew.
fn join(
    tx: &Tx<'_>,
    channel: ChannelNum,
    user: UserNum,
    role: Option<MemberRole>,
    place: (i64, i64),
) -> DbResult<i64> {
    let ids = (channel.0, user.0);
    let sql = "SELECT state, role, version FROM member WHERE channel = ?1 AND user = ?2";
    let mut find = tx.conn.prepare_cached(sql)?;
    let found = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get(2)?));
    let old: Option<(i64, i64, i64)> = find.query_row(ids, found).optional()?;
    let stays = |had: i64| role.is_none_or(|role| had == role as i64);
    if old.is_some_and(|(state, had, _)| state == ACTIVE && stays(had)) {
        return Ok(0);
    }
    let role = role.unwrap_or_default();
    if role == MemberRole::Owner {
        let sql = "UPDATE member SET role = 1, version = max(version + 1, ?3) \
                   WHERE channel = ?1 AND role = 2 AND user <> ?2";
        tx.conn
            .prepare_cached(sql)?
            .execute([channel.0, user.0, tx.now_ms])?;
    }
    let version = tx.version(old.map_or(0, |(_, _, version)| version));
    let role = role as i64;
    match old {
        Some((ACTIVE, ..)) => {
            let sql = "UPDATE member SET role = ?3, version = ?4 WHERE channel = ?1 AND user = ?2";
            tx.conn
                .prepare_cached(sql)?
                .execute([channel.0, user.0, role, version])?;
            Ok(0)
        }
        Some(_) => {
            let sql = "UPDATE member SET state = 1, role = ?3, muted_until = 0, join_seq = ?5, \
                       join_ordinal = ?6, version = ?4 WHERE channel = ?1 AND user = ?2";
            let values = [channel.0, user.0, role, version, place.0, place.1];
            tx.conn.prepare_cached(sql)?.execute(values)?;
            move_badge(tx, channel, user, place)?;
            Ok(1)
        }
        None => {
            let sql = "INSERT INTO member (channel, user, state, role, muted_until, join_seq, \
                       join_ordinal, version) VALUES (?1, ?2, 1, ?3, 0, ?5, ?6, ?4)";
            let values = [channel.0, user.0, role, version, place.0, place.1];
            tx.conn.prepare_cached(sql)?.execute(values)?;
            Ok(1)
        }
    }
}

/// Whoever comes back finds nothing unread. Somebody new has no conversation row and begins
/// at the join anyway.
fn move_badge(
    tx: &Tx<'_>,
    channel: ChannelNum,
    user: UserNum,
    (seq, ordinal): (i64, i64),
) -> DbResult<()> {
    let sql = "UPDATE conversation SET read_seq = max(read_seq, ?3), badge_seq = ?3, \
               badge_ordinal = ?4, version = max(version + 1, ?5) WHERE user = ?1 AND channel = ?2";
    tx.conn
        .prepare_cached(sql)?
        .execute([user.0, channel.0, seq, ordinal, tx.now_ms])?;
    Ok(())
}

fn leave(tx: &Tx<'_>, channel: ChannelNum, user: UserNum) -> DbResult<i64> {
    let sql = "UPDATE member SET state = ?3, role = 0, version = max(version + 1, ?4) \
               WHERE channel = ?1 AND user = ?2 AND state = 1";
    let gone = tx
        .conn
        .prepare_cached(sql)?
        .execute([channel.0, user.0, LEFT, tx.now_ms])?;
    Ok(if gone > 0 { -1 } else { 0 })
}

/// Those whom the changes named to join and who are members now, each once.
fn joined(
    conn: &Connection,
    channel: ChannelNum,
    changes: &[MemberChange],
) -> DbResult<Vec<Member>> {
    let sql = "SELECT user, role, join_seq, muted_until FROM member \
               WHERE channel = ?1 AND user = ?2 AND state = 1";
    let mut find = conn.prepare_cached(sql)?;
    let mut seen = FxHashSet::default();
    let mut joined = Vec::new();
    for change in changes {
        let (MemberChange::Enter(user) | MemberChange::Join(user, _)) = change else {
            continue;
        };
        if !seen.insert(user.num) {
            continue;
        }
        let mut rows = find.query((channel.0, user.num.0))?;
        if let Some(row) = rows.next()? {
            let user = UserRef {
                num: user.num,
                uid: Uid::clone(&user.uid),
            };
            joined.push(member(row, user)?);
        }
    }
    Ok(joined)
}
