//! The review queue.

use std::sync::Arc;

use async_trait::async_trait;
use crosstalk_core::admin::reviews::MAX_HELD;
use crosstalk_core::admin::{Held, Review, ReviewState, Reviews};
use crosstalk_core::channel::{ChannelKey, ChannelKind};
use crosstalk_core::id::{MessageId, Realm, UserNum};
use crosstalk_core::message::{Accepted, Body, Flags, Origin};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::evidence::{self, Of};
use crate::sqlite::error::{DbError, DbResult};
use crate::sqlite::work::Tx;
use crate::sqlite::{Shared, Sqlite, names};

/// Messages that are put into the queue in one transaction.
const STRETCH: u32 = 1000;

/// What a body has beside its bytes and number.
#[derive(Serialize, Deserialize)]
struct Rest {
    origin: u8,
    tag: Arc<str>,
    flags: i64,
    expire_secs: u32,
    name: Option<Arc<str>>,
    audience: Option<Vec<i64>>,
    carried: Option<crosstalk_core::carried::Carried>,
}

#[async_trait]
impl Reviews for Sqlite {
    async fn hold(&self, held: &Held) -> StoreResult<bool> {
        let held = held.clone();
        self.write(move |tx| hold(tx, &held)).await
    }

    async fn reopen(&self, message: MessageId, says: &Body) -> StoreResult<()> {
        let says = says.clone();
        self.write(move |tx| reopen(tx, message, &says)).await
    }

    async fn decided(&self, held: &Held) -> StoreResult<Option<Review>> {
        let held = held.clone();
        self.read(move |conn, shared| {
            let rule = "sender = ?1 AND kind = ?2 AND channel_id = ?3 AND client_no = ?4 \
                        AND message IS NULL AND state <> 0 \
                        AND realm = ?5 ORDER BY review.num DESC LIMIT 1";
            let of = params![
                held.sender.num.0,
                held.key.kind.0,
                &*held.key.id,
                &*held.body.client_no,
                held.key.realm.as_str(),
            ];
            Ok(select(conn, shared, rule, of)?.into_iter().next())
        })
        .await
    }

    async fn reviews(
        &self,
        realm: &Realm,
        state: ReviewState,
        after: i64,
        limit: u32,
    ) -> StoreResult<Vec<Review>> {
        while self.read(|conn, _| has_new(conn)).await? {
            self.write(take_in).await?;
        }
        let realm = realm.clone();
        self.read(move |conn, shared| {
            let rule = "realm = ?1 AND state = ?2 AND review.num > ?3 \
                        ORDER BY review.num LIMIT ?4";
            let of = params![realm.as_str(), state as i64, after, limit];
            select(conn, shared, rule, of)
        })
        .await
    }

    async fn review(&self, realm: &Realm, num: i64) -> StoreResult<Option<Review>> {
        let realm = realm.clone();
        self.read(move |conn, shared| {
            let rule = "realm = ?1 AND review.num = ?2";
            let found = select(conn, shared, rule, params![realm.as_str(), num])?;
            Ok(found.into_iter().next())
        })
        .await
    }

    async fn settle_review(
        &self,
        num: i64,
        state: ReviewState,
        by: &str,
        note: &str,
        sent: Option<Accepted>,
    ) -> StoreResult<bool> {
        let (by, note) = (by.to_owned(), note.to_owned());
        self.write(move |tx| {
            let sql = "UPDATE review SET state = ?2, settled_by = ?3, note = ?4, \
                       settled_at = ?5, sent = ?6, sent_seq = ?7, sent_at = ?8 \
                       WHERE num = ?1 AND state = 0";
            let row = params![
                num,
                state as i64,
                by,
                note,
                tx.now_ms,
                sent.map(|sent| sent.id.0),
                sent.map(|sent| sent.seq.cast_signed()),
                sent.map(|sent| sent.sent_at_ms),
            ];
            Ok(tx.conn.prepare_cached(sql)?.execute(row)? > 0)
        })
        .await
    }
}

fn hold(tx: &Tx<'_>, held: &Held) -> DbResult<bool> {
    let sql = "SELECT count(*) FROM review WHERE realm = ?1 AND state = 0 AND message IS NULL";
    let mut count = tx.conn.prepare_cached(sql)?;
    let waiting: u32 = count.query_row([held.key.realm.as_str()], |row| row.get(0))?;
    if waiting >= MAX_HELD {
        return Ok(false);
    }
    let body = &held.body;
    let audience = body.audience.as_deref();
    let rest = Rest {
        origin: body.origin.0,
        tag: Arc::clone(&body.tag),
        flags: body.flags.bits(),
        expire_secs: body.expire_secs,
        name: body.name.clone(),
        audience: audience.map(|users| users.iter().map(|user| user.0).collect()),
        carried: body.carried.as_deref().cloned(),
    };
    let rest = serde_json::to_string(&rest).map_err(|e| DbError::Corrupt(e.to_string()))?;
    let sql = "INSERT OR IGNORE INTO review (realm, state, sender, kind, channel_id, client_no, \
               body, payload, extra, created_at) VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    tx.conn.prepare_cached(sql)?.execute(params![
        held.key.realm.as_str(),
        held.sender.num.0,
        held.key.kind.0,
        &*held.key.id,
        &*body.client_no,
        rest,
        &body.payload[..],
        body.extra.as_deref(),
        held.at_ms,
    ])?;
    Ok(true)
}

fn reopen(tx: &Tx<'_>, message: MessageId, says: &Body) -> DbResult<()> {
    let sql = "INSERT INTO review (realm, state, message, sender, kind, channel_id, client_no, \
               created_at) \
               SELECT c.realm, 0, m.id, m.sender, c.kind, c.id, m.client_no, m.sent_at \
               FROM message m JOIN channel c ON c.num = m.channel WHERE m.id = ?1 \
               ON CONFLICT (message) DO UPDATE SET state = 0, settled_by = NULL, note = NULL, \
               settled_at = NULL";
    tx.conn.prepare_cached(sql)?.execute([message.0])?;
    let sql = "SELECT sender FROM message WHERE id = ?1";
    let mut find = tx.conn.prepare_cached(sql)?;
    let author: Option<i64> = find.query_row([message.0], |row| row.get(0)).optional()?;
    if let Some(author) = author {
        evidence::keep(tx.conn, Of::Review(message), UserNum(author), says)?;
    }
    Ok(())
}

/// Whether messages wait that were delivered since the queue was last looked at.
fn has_new(conn: &Connection) -> DbResult<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM message INDEXED BY message_review \
               WHERE (flags & 4096) <> 0 AND id > (SELECT reviewed_through FROM meta))";
    Ok(conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

fn take_in(tx: &Tx<'_>) -> DbResult<()> {
    let sql = "SELECT min(id), max(id) FROM (SELECT id FROM message INDEXED BY message_review \
               WHERE (flags & 4096) <> 0 AND id > (SELECT reviewed_through FROM meta) \
               ORDER BY id LIMIT ?1)";
    let mut last = tx.conn.prepare_cached(sql)?;
    let ends = last.query_row([STRETCH], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(first), Some(last)) = ends else {
        return Ok(());
    };
    evidence::keep_sent(tx.conn, first, last)?;
    let sql = "INSERT OR IGNORE INTO review (realm, state, message, sender, kind, channel_id, \
               client_no, created_at) \
               SELECT c.realm, 0, m.id, m.sender, c.kind, c.id, m.client_no, m.sent_at \
               FROM message m INDEXED BY message_review JOIN channel c ON c.num = m.channel \
               WHERE (m.flags & 4096) <> 0 \
               AND m.id > (SELECT reviewed_through FROM meta) AND m.id <= ?1 ORDER BY m.id";
    tx.conn.prepare_cached(sql)?.execute([last])?;
    let sql = "UPDATE meta SET reviewed_through = ?1";
    tx.conn.prepare_cached(sql)?.execute([last])?;
    Ok(())
}

fn select(
    conn: &Connection,
    shared: &Shared,
    rule: &str,
    of: impl rusqlite::Params,
) -> DbResult<Vec<Review>> {
    let sql = format!(
        "SELECT review.num, realm, state, message, sender, kind, channel_id, client_no, body, \
         review.payload, review.extra, created_at, settled_by, note, settled_at, sent, sent_seq, \
         sent_at, e.origin, e.tag, e.payload, e.extra \
         FROM review LEFT JOIN evidence e ON e.of = 0 AND e.num = review.message WHERE {rule}"
    );
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query(of)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(review(conn, shared, row)?);
    }
    Ok(found)
}

fn review(conn: &Connection, shared: &Shared, row: &Row<'_>) -> DbResult<Review> {
    let sender = UserNum(row.get(4)?);
    let sender = shared.names.user(conn, sender)?;
    let sender = sender.ok_or_else(|| DbError::Corrupt("a review's sender".to_owned()))?;
    let key = ChannelKey {
        realm: names::realm(row, 1)?,
        kind: ChannelKind(row.get(5)?),
        id: row.get::<_, String>(6)?.into(),
    };
    Ok(Review {
        num: row.get(0)?,
        state: ReviewState::from_number(row.get(2)?),
        message: row.get::<_, Option<i64>>(3)?.map(MessageId),
        held: Held {
            sender,
            key,
            body: body(row)?,
            at_ms: row.get(11)?,
        },
        settled_by: row.get(12)?,
        note: row.get(13)?,
        settled_at_ms: row.get(14)?,
        sent: sent(row)?,
    })
}

fn sent(row: &Row<'_>) -> DbResult<Option<Accepted>> {
    let Some(id) = row.get::<_, Option<i64>>(15)? else {
        return Ok(None);
    };
    Ok(Some(Accepted {
        id: MessageId(id),
        seq: row.get::<_, i64>(16)?.cast_unsigned(),
        sent_at_ms: row.get(17)?,
        is_new: true,
    }))
}

fn body(row: &Row<'_>) -> DbResult<Body> {
    let client_no = row.get::<_, String>(7)?.into();
    let Some(rest) = row.get::<_, Option<String>>(8)? else {
        return Ok(Body {
            client_no,
            ..evidence::read(row, 18)?.unwrap_or_default()
        });
    };
    let rest: Rest = serde_json::from_str(&rest).map_err(|e| DbError::Corrupt(e.to_string()))?;
    let payload: Option<Vec<u8>> = row.get(9)?;
    let extra: Option<Vec<u8>> = row.get(10)?;
    let users = |users: Vec<i64>| users.into_iter().map(UserNum).collect();
    Ok(Body {
        client_no,
        origin: Origin(rest.origin),
        tag: rest.tag,
        flags: Flags::from_bits(rest.flags),
        expire_secs: rest.expire_secs,
        payload: payload.unwrap_or_default().into(),
        extra: extra.map(Into::into),
        name: rest.name,
        audience: rest.audience.map(users),
        carried: rest.carried.map(Arc::new),
    })
}
