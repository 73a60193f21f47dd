//! Who was mentioned: rows written with the messages (`carried`), and what users have done
//! with.

use std::cmp::Reverse;

use async_trait::async_trait;
use crosstalk_core::id::{ChannelNum, MessageId, UserNum};
use crosstalk_core::mention::{MentionCount, Mentions, Noted, NotedQuery};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, OptionalExtension};

use super::Sqlite;
use super::carried::EVERYBODY;
use super::error::DbResult;
use super::rows::{self, REVOKED, count};
use super::work::Tx;

/// Mentions of one log that are looked at, the newest.
const LOOKED_AT: u32 = 1000;
/// So many are gathered before those that are not wanted go.
const MAX_KEPT: usize = 10_000;

/// What mentions a user above a seq of a log and is there, or with `gone` was there: own
/// messages, and those that the user has deleted, do not.
fn found_sql(columns: &str, gone: bool) -> String {
    let gone = if gone { "x.void IS NOT NULL OR" } else { "" };
    format!(
        "SELECT {columns} FROM mention AS x CROSS JOIN message AS m ON m.id = x.message \
         LEFT JOIN mention_done AS d ON d.user = ?1 AND d.channel = x.channel AND d.seq = x.seq \
         WHERE x.user IN ({EVERYBODY}, ?1) AND x.channel = ?2 AND x.seq > ?3 AND m.sender <> ?1 \
         AND ({gone} (m.flags & {REVOKED}) = 0) AND NOT EXISTS (SELECT 1 FROM hidden_message AS h \
         WHERE h.user = ?1 AND h.channel = x.channel AND h.seq = x.seq)"
    )
}

/// The statement that counts. A message may mention everybody and somebody by name.
pub(super) fn count_sql() -> String {
    let found = found_sql("count(DISTINCT x.seq), min(x.seq)", false);
    format!("{found} AND d.seq IS NULL")
}

/// The statement that lists; `gone` = with those whose messages are gone.
pub(super) fn list_sql(open_only: bool, gone: bool) -> String {
    let found = found_sql("x.message, x.seq, x.user, ifnull(x.void, d.version)", gone);
    let open = if open_only { "AND d.seq IS NULL" } else { "" };
    format!("{found} {open} AND x.message < ?4 ORDER BY x.seq DESC LIMIT ?5")
}

#[async_trait]
impl Mentions for Sqlite {
    async fn counts(
        &self,
        user: UserNum,
        places: &[(ChannelNum, u64)],
    ) -> StoreResult<Vec<MentionCount>> {
        let places = places.to_vec();
        self.read(move |conn, _| {
            let mut find = conn.prepare_cached(&count_sql())?;
            let mut counts = Vec::with_capacity(places.len());
            for (channel, after) in places {
                let bounds = [user.0, channel.0, rows::seq(after)];
                counts.push(find.query_row(bounds, |row| {
                    Ok(MentionCount {
                        count: count(row, 0)?,
                        first_seq: count(row, 1)?,
                    })
                })?);
            }
            Ok(counts)
        })
        .await
    }

    async fn noted(&self, user: UserNum, query: NotedQuery) -> StoreResult<Vec<Noted>> {
        self.read(move |conn, _| noted(conn, user, &query)).await
    }

    async fn done(&self, user: UserNum, messages: &[MessageId]) -> StoreResult<u64> {
        if messages.is_empty() {
            return Ok(0);
        }
        let messages = messages.to_vec();
        self.write(move |tx| {
            let mut done = 0;
            for message in &messages {
                done += u64::from(finish(tx, user, *message)?);
            }
            Ok(done)
        })
        .await
    }
}

fn noted(conn: &Connection, user: UserNum, query: &NotedQuery) -> DbResult<Vec<Noted>> {
    let before = query.before.map_or(i64::MAX, |before| before.0);
    let mut find =
        conn.prepare_cached(&list_sql(query.open_only, query.after_version.is_some()))?;
    // A message by name and one of everybody may be the same. What has changed last may be old.
    let looked_at = match query.after_version {
        None => LOOKED_AT.min(query.limit.saturating_mul(2)),
        Some(_) => LOOKED_AT,
    };
    let mut all: Vec<Noted> = Vec::new();
    for (channel, after) in &query.places {
        let limit = i64::from(looked_at);
        let mut found = find.query([user.0, channel.0, rows::seq(*after), before, limit])?;
        while let Some(row) = found.next()? {
            let message: i64 = row.get(0)?;
            let done: Option<i64> = row.get(3)?;
            let next = Noted {
                message: MessageId(message),
                channel: *channel,
                seq: count(row, 1)?,
                is_all: row.get::<_, i64>(2)? == EVERYBODY,
                is_done: done.is_some(),
                version: done.unwrap_or(message),
            };
            match all.last_mut() {
                // By name goes before everybody.
                Some(last) if last.message == next.message => last.is_all &= next.is_all,
                _ => all.push(next),
            }
        }
        if all.len() >= MAX_KEPT {
            wanted(&mut all, query);
        }
    }
    wanted(&mut all, query);
    Ok(all)
}

/// Of what was found leaves those that are wanted, in their order.
fn wanted(all: &mut Vec<Noted>, query: &NotedQuery) {
    if let Some(version) = query.after_version {
        all.retain(|noted| noted.version > version);
        all.sort_unstable_by_key(|noted| noted.version);
    } else {
        all.sort_unstable_by_key(|noted| Reverse(noted.message));
    }
    all.truncate(query.limit as usize);
}

/// Whether it is newly done.
fn finish(tx: &Tx<'_>, user: UserNum, message: MessageId) -> DbResult<bool> {
    let sql = "SELECT channel, seq FROM message WHERE id = ?1";
    let mut place = tx.conn.prepare_cached(sql)?;
    let place = place.query_row([message.0], |row| Ok((row.get(0)?, row.get(1)?)));
    let Some((channel, seq)): Option<(i64, i64)> = place.optional()? else {
        return Ok(false);
    };
    let sql = "INSERT INTO mention_done (user, channel, seq, version) \
               SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM mention \
               WHERE user IN (0, ?1) AND channel = ?2 AND seq = ?3) ON CONFLICT DO NOTHING";
    let version = tx.shared.ids.next().0;
    let mut insert = tx.conn.prepare_cached(sql)?;
    Ok(insert.execute([user.0, channel, seq, version])? > 0)
}
