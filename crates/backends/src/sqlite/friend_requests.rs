//! Requests to be friends. Of each pair and direction the last one is kept; one that waited for
//! too long has expired, whether or not its row says so.

use crosstalk_core::directory::{FriendPolicy, Privacy};
use crosstalk_core::id::UserNum;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::relation::friend::{
    Answer, Asked, Asking, FriendChange, FriendRequest, MAX_CLOSED, MAX_OPEN_INCOMING,
    MAX_OPEN_OUTGOING, NewRequest, REQUEST_MS, RequestQuery, RequestStatus, Sides,
};
use rusqlite::{Connection, Row, params};

use super::error::DbResult;
use super::friend_groups;
use super::friends::{self, Counts};
use super::names::Names;
use super::work::Tx;

/// The bit of somebody who is blocked.
const BLOCKED: i64 = 1;
const COLUMNS: &str = "id, sender, receiver, message, status, created, decided, remark, grp, \
                       asked, asked_since";

/// A row, with how the sender would keep the other.
struct Stored {
    request: FriendRequest,
    keep: FriendChange,
    asking: Asking,
}

fn stored(
    conn: &Connection,
    names: &Names,
    row: &Row<'_>,
    now_ms: i64,
) -> DbResult<Option<Stored>> {
    let from = names.user(conn, UserNum(row.get(1)?))?;
    let to = names.user(conn, UserNum(row.get(2)?))?;
    let (Some(from), Some(to)) = (from, to) else {
        return Ok(None);
    };
    let created_at_ms: i64 = row.get(5)?;
    let mut status = RequestStatus::from_bits(row.get(4)?);
    let mut decided_at_ms = row.get(6)?;
    let end_ms = created_at_ms.saturating_add(REQUEST_MS);
    if status == RequestStatus::Pending && end_ms <= now_ms {
        status = RequestStatus::Expired;
        decided_at_ms = end_ms;
    }
    Ok(Some(Stored {
        request: FriendRequest {
            id: row.get(0)?,
            from,
            to,
            message: row.get(3)?,
            status,
            created_at_ms,
            decided_at_ms,
        },
        keep: FriendChange {
            remark: Some(row.get(7)?),
            group: Some(row.get(8)?),
        },
        asking: Asking {
            count: row.get(9)?,
            since_ms: row.get(10)?,
        },
    }))
}

fn of_pair(
    conn: &Connection,
    names: &Names,
    from: UserNum,
    to: UserNum,
    now_ms: i64,
) -> DbResult<Option<Stored>> {
    let sql = format!("SELECT {COLUMNS} FROM friend_request WHERE sender = ?1 AND receiver = ?2");
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query([from.0, to.0])?;
    match rows.next()? {
        Some(row) => stored(conn, names, row, now_ms),
        None => Ok(None),
    }
}

fn decide(conn: &Connection, id: i64, status: RequestStatus, now_ms: i64) -> DbResult<()> {
    let sql = "UPDATE friend_request SET status = ?2, decided = ?3 WHERE id = ?1";
    conn.prepare_cached(sql)?
        .execute([id, status.bits(), now_ms])?;
    Ok(())
}

fn is_pending(stored: &Stored) -> bool {
    stored.request.status == RequestStatus::Pending
}

/// How many requests wait.
fn open(conn: &Connection, column: &str, user: UserNum, now_ms: i64) -> DbResult<u32> {
    let sql = format!(
        "SELECT count(*) FROM friend_request WHERE {column} = ?1 AND status = 0 AND created > ?2"
    );
    let mut count = conn.prepare_cached(&sql)?;
    Ok(
        count.query_row([user.0, now_ms.saturating_sub(REQUEST_MS)], |row| {
            row.get(0)
        })?,
    )
}

/// Asks.
pub(super) fn ask(tx: &Tx<'_>, ask: &NewRequest) -> DbResult<Result<Asked, Refusal>> {
    let (conn, names, now_ms) = (tx.conn, &tx.shared.names, ask.now_ms);
    let (from, to) = (ask.from, ask.to);
    if friends::state(conn, to, from)? & BLOCKED != 0 {
        return Ok(Err(Refusal::Forbidden));
    }
    if friends::state(conn, from, to)? & BLOCKED != 0 {
        return Ok(Err(Refusal::WrongState));
    }
    if !friend_groups::exists(conn, from, ask.keep.group.unwrap_or(0))? {
        return Ok(Err(Refusal::NotFound));
    }
    let theirs = friends::is_friend(conn, to, from)?;
    if theirs && friends::is_friend(conn, from, to)? {
        return Ok(Err(Refusal::AlreadyExists));
    }
    let crossing = of_pair(conn, names, to, from, now_ms)?.filter(is_pending);
    let last = of_pair(conn, names, from, to, now_ms)?;
    let asking = last
        .as_ref()
        .map_or_else(Asking::default, |last| last.asking);
    let wait_ms = wait_ms(last.as_ref(), now_ms);
    let before = last.filter(is_pending);
    let policy = policy(conn, to)?;
    // Whoever is still kept as a friend, or was asked, too, does not have to be asked.
    let at_once = crossing.is_some() || theirs || policy == FriendPolicy::Free;
    if !at_once && policy == FriendPolicy::Nobody {
        return Ok(Err(Refusal::Forbidden));
    }
    if !at_once {
        if let Some(before) = before {
            return Ok(Ok(Asked {
                request: before.request,
                is_new: false,
                closed: Vec::new(),
            }));
        }
        if wait_ms > 0 {
            return Ok(Err(Refusal::RateLimited));
        }
        if open(conn, "sender", from, now_ms)? >= MAX_OPEN_OUTGOING
            || open(conn, "receiver", to, now_ms)? >= MAX_OPEN_INCOMING
        {
            return Ok(Err(Refusal::TooMany));
        }
    }
    if at_once {
        let made = friends::befriend(tx, &mut Counts::default(), from, to, Sides::Both, now_ms)?;
        if let Err(why) = made {
            return Ok(Err(why));
        }
        friends::keep(tx, from, to, &ask.keep)?;
    }
    let mut closed = Vec::new();
    let request = if let Some(crossing) = crossing {
        keep_as_asked(tx, to, from, crossing.keep)?;
        // `befriend` has settled what waited between the two.
        if let Some(before) = before {
            closed.push(accepted(before.request, now_ms));
        }
        accepted(crossing.request, now_ms)
    } else {
        insert(conn, ask, at_once, asking.once_more(now_ms))?;
        match of_pair(conn, names, from, to, now_ms)? {
            Some(made) => made.request,
            None => return Ok(Err(Refusal::Internal)),
        }
    };
    Ok(Ok(Asked {
        request,
        is_new: true,
        closed,
    }))
}

fn wait_ms(last: Option<&Stored>, now_ms: i64) -> i64 {
    last.map_or(0, |last| last.asking.wait_ms(&last.request, now_ms))
}

/// How long somebody waits until they may ask the same person again, ms.
pub(super) fn wait_to_ask_ms(
    conn: &Connection,
    names: &Names,
    from: UserNum,
    to: UserNum,
    now_ms: i64,
) -> DbResult<i64> {
    let last = of_pair(conn, names, from, to, now_ms)?;
    Ok(wait_ms(last.as_ref(), now_ms))
}

fn accepted(request: FriendRequest, now_ms: i64) -> FriendRequest {
    FriendRequest {
        status: RequestStatus::Accepted,
        decided_at_ms: now_ms,
        ..request
    }
}

fn policy(conn: &Connection, user: UserNum) -> DbResult<FriendPolicy> {
    let mut find = conn.prepare_cached("SELECT privacy FROM user WHERE num = ?1")?;
    let bits: i64 = find.query_row([user.0], |row| row.get(0))?;
    Ok(Privacy::from_bits(bits).friend_requests)
}

/// Writes a request down, in place of the last one of the pair.
fn insert(conn: &Connection, ask: &NewRequest, accepted: bool, asking: Asking) -> DbResult<()> {
    let (status, decided) = if accepted {
        (RequestStatus::Accepted, ask.now_ms)
    } else {
        (RequestStatus::Pending, 0)
    };
    let sql = format!(
        "INSERT OR REPLACE INTO friend_request ({COLUMNS}) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    );
    conn.prepare_cached(&sql)?.execute(params![
        ask.id,
        ask.from.0,
        ask.to.0,
        ask.message,
        status.bits(),
        ask.now_ms,
        decided,
        ask.keep.remark.as_deref().unwrap_or_default(),
        ask.keep.group.unwrap_or(0),
        asking.count,
        asking.since_ms,
    ])?;
    // Of those that do not wait any more only the newest are remembered.
    let sql = "DELETE FROM friend_request WHERE sender = ?1 \
               AND id <= (SELECT id FROM friend_request WHERE sender = ?1 ORDER BY id DESC \
                          LIMIT 1 OFFSET ?2) \
               AND (status <> 0 OR created <= ?3)";
    conn.prepare_cached(sql)?.execute([
        ask.from.0,
        i64::from(MAX_CLOSED + MAX_OPEN_OUTGOING),
        ask.now_ms.saturating_sub(REQUEST_MS),
    ])?;
    Ok(())
}

/// Accepts what waits between two who are friends now.
pub(super) fn settle(conn: &Connection, one: UserNum, other: UserNum, now_ms: i64) -> DbResult<()> {
    let sql = "UPDATE friend_request SET status = 1, decided = ?3 \
               WHERE sender = ?1 AND receiver = ?2 AND status = 0 AND created > ?4";
    let mut update = conn.prepare_cached(sql)?;
    for (from, to) in [(one, other), (other, one)] {
        update.execute([from.0, to.0, now_ms, now_ms.saturating_sub(REQUEST_MS)])?;
    }
    Ok(())
}

/// Answers a request, or takes it back.
pub(super) fn answer(
    tx: &Tx<'_>,
    id: i64,
    by: UserNum,
    answer: &Answer,
    now_ms: i64,
) -> DbResult<Result<(FriendRequest, bool), Refusal>> {
    let (conn, names) = (tx.conn, &tx.shared.names);
    let Some(Stored { request, keep, .. }) = by_id(conn, names, id, now_ms)? else {
        return Ok(Err(Refusal::NoSuchRequest));
    };
    let decides = match answer {
        Answer::Accept(_) | Answer::Reject => request.to.num,
        Answer::Cancel => request.from.num,
    };
    if decides != by {
        return Ok(Err(Refusal::NoSuchRequest));
    }
    let (from, to) = (request.from.num, request.to.num);
    if request.status == answer.status() {
        return Ok(Ok((request, false)));
    }
    if request.status != RequestStatus::Pending {
        return Ok(Err(Refusal::WrongState));
    }
    if let Answer::Accept(mine) = answer {
        // One of them may have blocked the other since.
        if friends::state(conn, from, to)? & BLOCKED != 0 {
            return Ok(Err(Refusal::Forbidden));
        }
        if friends::state(conn, to, from)? & BLOCKED != 0 {
            return Ok(Err(Refusal::WrongState));
        }
        if !friend_groups::exists(conn, to, mine.group.unwrap_or(0))? {
            return Ok(Err(Refusal::NotFound));
        }
        let made = friends::befriend(tx, &mut Counts::default(), to, from, Sides::Both, now_ms)?;
        if let Err(why) = made {
            return Ok(Err(why));
        }
        friends::keep(tx, to, from, mine)?;
        keep_as_asked(tx, from, to, keep)?;
    }
    decide(conn, id, answer.status(), now_ms)?;
    let request = FriendRequest {
        status: answer.status(),
        decided_at_ms: now_ms,
        ..request
    };
    Ok(Ok((request, true)))
}

/// Keeps a friend as it was wished when they were asked; the group may have been deleted
/// meanwhile.
fn keep_as_asked(tx: &Tx<'_>, user: UserNum, other: UserNum, keep: FriendChange) -> DbResult<()> {
    let group = keep.group.unwrap_or(0);
    let is_there = friend_groups::exists(tx.conn, user, group)?;
    let keep = FriendChange {
        group: is_there.then_some(group),
        ..keep
    };
    friends::keep(tx, user, other, &keep)
}

fn by_id(conn: &Connection, names: &Names, id: i64, now_ms: i64) -> DbResult<Option<Stored>> {
    let sql = format!("SELECT {COLUMNS} FROM friend_request WHERE id = ?1");
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query([id])?;
    match rows.next()? {
        Some(row) => stored(conn, names, row, now_ms),
        None => Ok(None),
    }
}

/// Requests to a user or of one, the newest first.
pub(super) fn list(
    conn: &Connection,
    names: &Names,
    query: &RequestQuery,
) -> DbResult<Vec<FriendRequest>> {
    let (column, index) = if query.incoming {
        ("receiver", "friend_request_got")
    } else {
        ("sender", "friend_request_sent")
    };
    // An expired one may still stand as pending.
    let sql = format!(
        "SELECT {COLUMNS} FROM friend_request INDEXED BY {index} WHERE {column} = ?1 AND id < ?2 \
         AND (?3 IS NULL OR ?3 = iif(status = 0 AND created <= ?4, 3, status)) \
         ORDER BY id DESC LIMIT ?5"
    );
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query(params![
        query.user.0,
        query.before,
        query.status.map(RequestStatus::bits),
        query.now_ms.saturating_sub(REQUEST_MS),
        query.limit,
    ])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.extend(stored(conn, names, row, query.now_ms)?.map(|stored| stored.request));
    }
    Ok(found)
}
