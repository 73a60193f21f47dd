//! What the log has of somebody who is to be forgotten. The whole log is gone through, a
//! stretch at a time, by ids; contents are read only where they may be about the user.

use crosstalk_core::admin::{Forgotten, Traces};
use crosstalk_core::change::Change;
use crosstalk_core::channel::{ChannelKey, LogKind};
use crosstalk_core::id::{MessageId, Uid};
use crosstalk_core::message::Origin;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use crate::sqlite::error::{DbResult, unless_damaged};
use crate::sqlite::rows::is_revoked;

/// Messages that one look goes through.
const STRETCH: u32 = 5000;
/// What one look finds at most.
const FOUND: usize = 200;

/// A message as far as it can be told from others without its content.
struct Place {
    id: i64,
    channel: i64,
    sender: i64,
    is_change: bool,
    may_tell: bool,
    is_command: bool,
    is_here: bool,
}

/// See [`Census::traces_of`](crosstalk_core::admin::Census::traces_of).
pub(super) fn traces_of(
    conn: &Connection,
    whose: &Forgotten,
    after: MessageId,
) -> DbResult<Traces> {
    let realm = whose.realm.as_str();
    let own = own_log(conn, whose)?;
    let sql = "SELECT num FROM user WHERE realm = ?1 AND uid = ?2";
    let mut system = conn.prepare_cached(sql)?;
    let system: Option<i64> = system
        .query_row((realm, Uid::SYSTEM), |row| row.get(0))
        .optional()?;
    let sql = "SELECT m.id, m.channel, m.sender, m.flags, m.origin, m.tag, c.log, c.realm = ?3 \
               FROM message m JOIN channel c ON c.num = m.channel \
               WHERE m.id > ?1 ORDER BY m.id LIMIT ?2";
    let mut find = conn.prepare_cached(sql)?;
    let mut rows = find.query(params![after.0, STRETCH, realm])?;
    let mut payload = conn.prepare_cached("SELECT payload FROM message WHERE id = ?1")?;
    let mut traces = Traces::none_after(after);
    let mut looked_at = 0;
    let mut found = 0;
    while let Some(row) = rows.next()? {
        looked_at += 1;
        let is_change = row.get::<_, i64>(4)? == i64::from(Origin::CHANGE.0);
        let tag = row.get_ref(5)?.as_str().unwrap_or_default();
        let place = Place {
            id: row.get(0)?,
            channel: row.get(1)?,
            sender: row.get(2)?,
            is_change,
            may_tell: is_change && Change::PERSONAL.contains(&tag),
            is_command: row.get::<_, i64>(6)? == LogKind::Command as i64,
            is_here: row.get(7)?,
        };
        traces.last = MessageId(place.id);
        if is_revoked(row.get(3)?) || !place.is_here {
            continue;
        }
        let is_theirs = place.sender == whose.user.num.0;
        let list = if place.is_command {
            let is_own = own == Some(place.channel) || is_theirs && !place.is_change;
            let is_about = is_own || place.may_tell && tells(&mut payload, &place, whose)?;
            if !is_about {
                continue;
            }
            &mut traces.told
        } else if is_theirs {
            &mut traces.said
        } else if Some(place.sender) == system && names(&mut payload, &place, whose)? {
            &mut traces.named
        } else {
            continue;
        };
        list.push(traces.last);
        found += 1;
        if found == FOUND {
            break;
        }
    }
    traces.is_more = looked_at == STRETCH || found == FOUND;
    Ok(traces)
}

/// The number of the user's own command log, if there is one.
fn own_log(conn: &Connection, whose: &Forgotten) -> DbResult<Option<i64>> {
    let own = ChannelKey::direct(&whose.realm, &whose.user.uid, &whose.user.uid);
    let sql = "SELECT num FROM channel WHERE realm = ?1 AND kind = ?2 AND id = ?3 AND log = ?4";
    let mut find = conn.prepare_cached(sql)?;
    let of = params![
        own.realm.as_str(),
        own.kind.0,
        &*own.id,
        LogKind::Command as i64
    ];
    Ok(find.query_row(of, |row| row.get(0)).optional()?)
}

/// The content of a message; nothing of one that is damaged, which nobody is shown.
fn content(payload: &mut CachedStatement<'_>, place: &Place) -> DbResult<Vec<u8>> {
    let read = payload.query_row([place.id], |row| row.get(0)).optional();
    Ok(unless_damaged(read.map_err(Into::into))?
        .flatten()
        .unwrap_or_default())
}

fn tells(payload: &mut CachedStatement<'_>, place: &Place, whose: &Forgotten) -> DbResult<bool> {
    let content = content(payload, place)?;
    let change = serde_json::from_slice::<Change>(&content).ok();
    Ok(change.is_some_and(|change| change.tells_of(whose.user.uid.as_str())))
}

fn names(payload: &mut CachedStatement<'_>, place: &Place, whose: &Forgotten) -> DbResult<bool> {
    Ok(whose.is_named_in(&content(payload, place)?))
}
