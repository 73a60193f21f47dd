//! Who belongs to a channel. A channel has at most one owner: whoever joins as owner makes
//! the old one an administrator, and leaving gives the role up.

use crosstalk_core::channel::{
    Member, MemberChange, MemberRole, MemberRow, MemberState, MembersChanged,
};
use crosstalk_core::id::{ChannelNum, Uid, UserNum, UserRef};
use rusqlite::{Connection, OptionalExtension, Row, Rows};
use rustc_hash::FxHashSet;

use super::error::{DbError, DbResult};
use super::rows::{self, count};
use super::work::Tx;
use super::{Shared, heads};

const ACTIVE: i64 = MemberState::Active as i64;
const LEFT: i64 = MemberState::Left as i64;

/// The columns of [`member`], behind the user's number.
pub(super) const COLUMNS: &str = "m.user, m.role, m.join_seq, m.muted_until, m.nick, m.joined_at";

/// Active members after a user number.
pub(super) fn page(
    conn: &Connection,
    shared: &Shared,
    channel: ChannelNum,
    after: Option<UserNum>,
    limit: u32,
) -> DbResult<Vec<Member>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM member m \
         WHERE m.channel = ?1 AND m.user > ?2 AND m.state = 1 ORDER BY m.user LIMIT ?3"
    );
    let after = after.map_or(i64::MIN, |user| user.0);
    let mut find = conn.prepare_cached(&sql)?;
    let rows = find.query([channel.0, after, i64::from(limit)])?;
    collect(conn, shared, rows)
}

/// An active member.
pub(super) fn one(
    conn: &Connection,
    shared: &Shared,
    channel: ChannelNum,
    user: UserNum,
) -> DbResult<Option<Member>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM member m WHERE m.channel = ?1 AND m.user = ?2 AND m.state = 1"
    );
    let mut find = conn.prepare_cached(&sql)?;
    let rows = find.query([channel.0, user.0])?;
    Ok(collect(conn, shared, rows)?.pop())
}

/// Members and former members by version. Rows of one version, which versions before this one
/// may have written, stay together.
pub(super) fn since(
    conn: &Connection,
    shared: &Shared,
    channel: ChannelNum,
    after_version: i64,
    limit: u32,
) -> DbResult<Vec<MemberRow>> {
    let sql = format!(
        "SELECT {COLUMNS}, m.state, m.version FROM member m \
         WHERE m.channel = ?1 AND m.version > ?2 AND m.version <= coalesce( \
            (SELECT l.version FROM member l WHERE l.channel = ?1 AND l.version > ?2 \
             ORDER BY l.version LIMIT 1 OFFSET ?3), ?4) \
         ORDER BY m.version, m.user"
    );
    let last = i64::from(limit.max(1)) - 1;
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query([channel.0, after_version, last, i64::MAX])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(versioned(conn, shared, row)?);
    }
    Ok(found)
}

/// [`COLUMNS`], state and version.
pub(super) fn versioned(conn: &Connection, shared: &Shared, row: &Row<'_>) -> DbResult<MemberRow> {
    let is_there = row.get::<_, i64>(6)? == ACTIVE;
    Ok(MemberRow {
        member: named(conn, shared, row)?,
        state: if is_there {
            MemberState::Active
        } else {
            MemberState::Left
        },
        version: row.get(7)?,
    })
}

fn collect(conn: &Connection, shared: &Shared, mut rows: Rows<'_>) -> DbResult<Vec<Member>> {
    let mut members = Vec::new();
    while let Some(row) = rows.next()? {
        members.push(named(conn, shared, row)?);
    }
    Ok(members)
}

fn named(conn: &Connection, shared: &Shared, row: &Row<'_>) -> DbResult<Member> {
    let num = UserNum(row.get(0)?);
    let user = shared.names.user(conn, num)?;
    let user = user.ok_or_else(|| DbError::Corrupt(format!("no user has the number {num}")))?;
    member(row, user)
}

fn member(row: &Row<'_>, user: UserRef) -> DbResult<Member> {
    Ok(Member {
        user,
        role: MemberRole::from_number(row.get(1)?),
        join_seq: count(row, 2)?,
        muted_until_ms: row.get(3)?,
        nick: row.get(4)?,
        joined_at_ms: row.get(5)?,
    })
}

/// The versions that rows of a channel get: each a new one, near the time of the change.
struct Versions {
    last: i64,
    now_ms: i64,
}

impl Versions {
    fn read(tx: &Tx<'_>, channel: ChannelNum) -> DbResult<Self> {
        let sql = "SELECT member_version FROM channel WHERE num = ?1";
        let mut find = tx.conn.prepare_cached(sql)?;
        let last = find.query_row([channel.0], |row| row.get(0)).optional()?;
        let last =
            last.ok_or_else(|| DbError::Corrupt(format!("no channel has the number {channel}")))?;
        Ok(Self {
            last,
            now_ms: tx.now_ms,
        })
    }

    fn next(&mut self) -> i64 {
        self.last = self.last.saturating_add(1).max(self.now_ms);
        self.last
    }
}

/// Changes members in one transaction.
pub(super) fn change(
    tx: &Tx<'_>,
    channel: ChannelNum,
    changes: &[MemberChange],
) -> DbResult<MembersChanged> {
    let head = heads::read(tx.conn, channel)?;
    let place = (rows::seq(head.seq), rows::seq(head.ordinal));
    let mut versions = Versions::read(tx, channel)?;
    let mut delta = 0;
    for change in changes {
        let of = |user: &UserRef| Place {
            channel,
            user: user.num,
            head: place,
        };
        delta += match change {
            MemberChange::Enter(user) => join(tx, of(user), None, &mut versions)?,
            MemberChange::Join(user, role) => join(tx, of(user), Some(*role), &mut versions)?,
            MemberChange::Leave(user) => leave(tx, channel, user.num, &mut versions)?,
            MemberChange::Nick(user, nick) => {
                let sql = "UPDATE member SET nick = ?3, version = ?4 \
                           WHERE channel = ?1 AND user = ?2 AND state = 1 AND nick <> ?3";
                let values = rusqlite::params![channel.0, user.num.0, nick, versions.next()];
                tx.conn.prepare_cached(sql)?.execute(values)?;
                0
            }
            MemberChange::Mute(user, until_ms) => {
                let sql = "UPDATE member SET muted_until = ?3, version = ?4 \
                           WHERE channel = ?1 AND user = ?2 AND state = 1 AND muted_until <> ?3";
                let values = [channel.0, user.num.0, *until_ms, versions.next()];
                tx.conn.prepare_cached(sql)?.execute(values)?;
                0
            }
        };
    }
    let sql = "UPDATE channel SET member_count = member_count + ?2, member_version = ?3 \
               WHERE num = ?1 RETURNING member_count";
    let mut update = tx.conn.prepare_cached(sql)?;
    let member_count = update
        .query_row([channel.0, delta, versions.last], |row| row.get(0))
        .optional()?;
    let member_count = member_count
        .ok_or_else(|| DbError::Corrupt(format!("no channel has the number {channel}")))?;
    Ok(MembersChanged {
        joined: joined(tx.conn, channel, changes)?,
        member_count,
    })
}

/// Which row, and where whoever joins begins.
#[derive(Clone, Copy)]
struct Place {
    channel: ChannelNum,
    user: UserNum,
    head: (i64, i64),
}

/// Puts a user among the active members. Without a role, one who is there stays what they
/// are and one who is new is an ordinary member. Returns by how much their number grew.
fn join(
    tx: &Tx<'_>,
    at: Place,
    role: Option<MemberRole>,
    versions: &mut Versions,
) -> DbResult<i64> {
    let (channel, user) = (at.channel, at.user);
    let sql = "SELECT state, role FROM member WHERE channel = ?1 AND user = ?2";
    let mut find = tx.conn.prepare_cached(sql)?;
    let found = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    let old: Option<(i64, i64)> = find.query_row((channel.0, user.0), found).optional()?;
    let stays = |had: i64| role.is_none_or(|role| had == role as i64);
    if old.is_some_and(|(state, had)| state == ACTIVE && stays(had)) {
        return Ok(0);
    }
    let role = role.unwrap_or_default();
    if role == MemberRole::Owner {
        let sql = "UPDATE member SET role = 1, version = ?3 \
                   WHERE channel = ?1 AND role = 2 AND user <> ?2";
        tx.conn
            .prepare_cached(sql)?
            .execute([channel.0, user.0, versions.next()])?;
    }
    let version = versions.next();
    let role = role as i64;
    match old {
        Some((ACTIVE, _)) => {
            let sql = "UPDATE member SET role = ?3, version = ?4 WHERE channel = ?1 AND user = ?2";
            tx.conn
                .prepare_cached(sql)?
                .execute([channel.0, user.0, role, version])?;
            Ok(0)
        }
        Some(_) => {
            // A muting goes on: nobody ends their own by going out and coming in.
            let sql = "UPDATE member SET state = 1, role = ?3, \
                       muted_until = iif(muted_until > ?7, muted_until, 0), join_seq = ?5, \
                       join_ordinal = ?6, version = ?4, nick = '', joined_at = ?7 \
                       WHERE channel = ?1 AND user = ?2";
            let (seq, ordinal) = at.head;
            let values = [channel.0, user.0, role, version, seq, ordinal, tx.now_ms];
            tx.conn.prepare_cached(sql)?.execute(values)?;
            move_badge(tx, channel, user, at.head)?;
            Ok(1)
        }
        None => {
            let sql = "INSERT INTO member (channel, user, state, role, muted_until, join_seq, \
                       join_ordinal, version, joined_at) \
                       VALUES (?1, ?2, 1, ?3, 0, ?5, ?6, ?4, ?7)";
            let (seq, ordinal) = at.head;
            let values = [channel.0, user.0, role, version, seq, ordinal, tx.now_ms];
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

fn leave(
    tx: &Tx<'_>,
    channel: ChannelNum,
    user: UserNum,
    versions: &mut Versions,
) -> DbResult<i64> {
    let sql = "UPDATE member SET state = ?3, role = 0, version = ?4 \
               WHERE channel = ?1 AND user = ?2 AND state = 1";
    let gone = tx
        .conn
        .prepare_cached(sql)?
        .execute([channel.0, user.0, LEFT, versions.next()])?;
    Ok(if gone > 0 { -1 } else { 0 })
}

/// Those whom the changes named to join and who are members now, each once.
fn joined(
    conn: &Connection,
    channel: ChannelNum,
    changes: &[MemberChange],
) -> DbResult<Vec<Member>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM member m WHERE m.channel = ?1 AND m.user = ?2 AND m.state = 1"
    );
    let mut find = conn.prepare_cached(&sql)?;
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
