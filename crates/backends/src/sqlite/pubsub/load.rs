//! Reading what is stored.

use std::sync::Arc;

use crosstalk_core::id::UserNum;
use crosstalk_core::pubsub::{
    QueueHead, QueuePage, QueuedMessage, StoredSubscriber, StoredTopics, SubscriberNum,
    SubscriberRecord, Subscription, TopicMessage, Will,
};
use rusqlite::{Connection, Row};
use rustc_hash::FxHashMap;

use super::rows;
use crate::sqlite::error::{DbError, DbResult};
use crate::sqlite::names;
use crate::sqlite::rows::count;

/// All but the messages in queues.
pub(super) fn everything(conn: &Connection) -> DbResult<StoredTopics> {
    let mut stored = StoredTopics {
        subscribers: each(conn, SUBSCRIBERS, subscriber)?,
        retained: each(conn, RETAINED, retained)?,
        last_subscriber: highest(conn, "SELECT ifnull(max(num), 0) FROM subscriber")?,
        last_message: highest(conn, "SELECT ifnull(max(num), 0) FROM topic_message")?,
    };
    let by_num: FxHashMap<i64, usize> = (0..)
        .zip(&stored.subscribers)
        .map(|(at, subscriber)| (subscriber.record.num.0, at))
        .collect();
    let find = |row: &Row<'_>| -> DbResult<usize> {
        let num: i64 = row.get(0)?;
        let at = by_num.get(&num).copied();
        at.ok_or_else(|| DbError::Corrupt(format!("there is no subscriber {num}")))
    };
    for (at, subscription) in each(conn, SUBSCRIPTIONS, |row| {
        Ok((find(row)?, subscription(row)?))
    })? {
        stored.subscribers[at].subscriptions.push(subscription);
    }
    for (at, pid) in each(conn, NOTED, |row| Ok((find(row)?, row.get(1)?)))? {
        stored.subscribers[at].received.push(pid);
    }
    for (at, head) in each(conn, HEADS, |row| Ok((find(row)?, head(row)?)))? {
        stored.subscribers[at].queue = head;
    }
    Ok(stored)
}

const SUBSCRIBERS: &str = "SELECT num, realm, user, client_id, expiry_secs, detached_at, \
     will_due, will_topic, will_payload, will_properties, will_qos, will_retain, will_expiry, \
     will_delay FROM subscriber ORDER BY num";
const SUBSCRIPTIONS: &str =
    "SELECT subscriber, filter, options, id FROM subscription ORDER BY subscriber, filter";
const NOTED: &str = "SELECT subscriber, pid FROM qos2_in ORDER BY subscriber, pid";
const HEADS: &str = "SELECT subscriber, min(n), max(n), count(*), sum(bytes) FROM topic_queue \
     GROUP BY subscriber";
const RETAINED: &str = "SELECT realm, topic, payload, properties, qos, 1, expires_at \
     FROM retained ORDER BY realm, topic";

/// A part of a queue.
pub(in crate::sqlite) const QUEUED: &str = "SELECT q.n, q.qos, q.retain, q.ids, q.stage, q.bytes, \
     m.realm, m.topic, m.payload, m.properties, m.qos, m.retain, m.expires_at \
     FROM topic_queue q JOIN topic_message m ON m.num = q.message \
     WHERE q.subscriber = ?1 AND q.n > ?2 ORDER BY q.n";
/// What expired in queues of those who are away.
pub(in crate::sqlite) const EXPIRED: &str = "SELECT q.subscriber, q.n, q.bytes \
     FROM topic_message m JOIN topic_queue q ON q.message = m.num \
     JOIN subscriber s ON s.num = q.subscriber \
     WHERE m.expires_at <= ?1 AND q.stage = 0 AND s.detached_at IS NOT NULL \
     ORDER BY m.expires_at LIMIT ?2";

fn each<T>(
    conn: &Connection,
    sql: &str,
    read: impl Fn(&Row<'_>) -> DbResult<T>,
) -> DbResult<Vec<T>> {
    let mut find = conn.prepare_cached(sql)?;
    let mut rows = find.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

fn highest(conn: &Connection, sql: &str) -> DbResult<i64> {
    Ok(conn.query_row(sql, [], |row| row.get(0))?)
}

fn subscriber(row: &Row<'_>) -> DbResult<StoredSubscriber> {
    let has_will = row.get_ref(7)? != rusqlite::types::ValueRef::Null;
    let will = if has_will {
        Some(Will {
            topic: rows::topic(row, 7)?,
            payload: rows::bytes(row, 8)?,
            properties: rows::bytes(row, 9)?,
            qos: rows::qos(row, 10)?,
            retain: row.get(11)?,
            expiry_secs: row.get(12)?,
            delay_secs: row.get(13)?,
        })
    } else {
        None
    };
    let client_id: String = row.get(3)?;
    Ok(StoredSubscriber {
        record: SubscriberRecord {
            num: SubscriberNum(row.get(0)?),
            realm: names::realm(row, 1)?,
            user: UserNum(row.get(2)?),
            client_id: client_id.into(),
            expiry_secs: row.get(4)?,
            detached_at_ms: row.get(5)?,
            will,
            will_due_ms: row.get(6)?,
        },
        subscriptions: Vec::new(),
        received: Vec::new(),
        queue: QueueHead::default(),
    })
}

fn subscription(row: &Row<'_>) -> DbResult<Subscription> {
    Ok(Subscription {
        filter: rows::filter(row, 1)?,
        options: rows::options(row, 2)?,
    })
}

fn head(row: &Row<'_>) -> DbResult<QueueHead> {
    Ok(QueueHead {
        first: count(row, 1)?,
        last: count(row, 2)?,
        items: row.get(3)?,
        bytes: count(row, 4)?,
    })
}

fn retained(row: &Row<'_>) -> DbResult<Arc<TopicMessage>> {
    let message = rows::message(row, 1, names::realm(row, 0)?)?;
    Ok(Arc::new(message))
}

/// A part of a queue, and whether more follows.
pub(super) fn queued(
    conn: &Connection,
    subscriber: SubscriberNum,
    page: QueuePage,
) -> DbResult<(Vec<QueuedMessage>, bool)> {
    let mut find = conn.prepare_cached(QUEUED)?;
    let after = i64::try_from(page.after).unwrap_or(i64::MAX);
    let mut rows = find.query((subscriber.0, after))?;
    let most = usize::try_from(page.items.max(1)).unwrap_or(usize::MAX);
    let mut messages = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let weight = usize::try_from(count(row, 5)?).unwrap_or(usize::MAX);
        if messages.len() >= most || (bytes + weight > page.bytes && !messages.is_empty()) {
            return Ok((messages, true));
        }
        bytes += weight;
        messages.push(QueuedMessage {
            n: count(row, 0)?,
            message: Arc::new(rows::message(row, 7, names::realm(row, 6)?)?),
            qos: rows::qos(row, 1)?,
            retain: row.get(2)?,
            subscription_ids: rows::ids(row, 3)?,
            stage: rows::stage(row, 4)?,
        });
    }
    Ok((messages, false))
}

/// Places of messages that expired before they were sent.
pub(super) fn expired(
    conn: &Connection,
    now_ms: i64,
    limit: u32,
) -> DbResult<Vec<(SubscriberNum, u64, usize)>> {
    let mut find = conn.prepare_cached(EXPIRED)?;
    let place = |row: &Row<'_>| {
        let weight = usize::try_from(count(row, 2)?).unwrap_or(usize::MAX);
        Ok((SubscriberNum(row.get(0)?), count(row, 1)?, weight))
    };
    let found = find.query_map((now_ms, limit), place)?;
    Ok(found.collect::<Result<_, _>>()?)
}
