//! Writing what changes. Each change can be applied again.

use crosstalk_core::pubsub::{
    Change, SubscriberNum, SubscriberRecord, Subscription, TopicMessage, TopicMessageNum,
};
use rusqlite::{Connection, Params, params};

use super::rows;
use crate::sqlite::error::DbResult;

/// Applies changes in their order.
pub(super) fn apply(conn: &Connection, changes: &[Change]) -> DbResult<()> {
    for change in changes {
        one(conn, change)?;
    }
    Ok(())
}

fn run(conn: &Connection, sql: &str, params: impl Params) -> DbResult<()> {
    conn.prepare_cached(sql)?.execute(params)?;
    Ok(())
}

fn place(n: u64) -> i64 {
    // Places are counted from 1 and do not get there.
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn one(conn: &Connection, change: &Change) -> DbResult<()> {
    match change {
        Change::PutSubscriber(record) => put_subscriber(conn, record),
        Change::EndSubscriber(num) => end_subscriber(conn, *num),
        Change::Subscribe(num, subscription) => subscribe(conn, *num, subscription),
        Change::Unsubscribe(num, filter) => {
            let sql = "DELETE FROM subscription WHERE subscriber = ?1 AND filter = ?2";
            run(conn, sql, (num.0, filter.as_str()))
        }
        Change::PutMessage(num, message) => put_message(conn, *num, message),
        Change::Enqueue { .. } => enqueue(conn, change),
        Change::Advance(num, n, stage) => {
            let sql = "UPDATE topic_queue SET stage = ?3 WHERE subscriber = ?1 AND n = ?2";
            run(conn, sql, (num.0, place(*n), rows::stage_number(*stage)))
        }
        Change::Dequeue(num, n) => dequeue(conn, *num, *n),
        Change::Note(num, id) => {
            let sql = "INSERT INTO qos2_in (subscriber, pid) SELECT num, ?2 FROM subscriber \
                       WHERE num = ?1 ON CONFLICT DO NOTHING";
            run(conn, sql, (num.0, id))
        }
        Change::Release(num, id) => {
            let sql = "DELETE FROM qos2_in WHERE subscriber = ?1 AND pid = ?2";
            run(conn, sql, (num.0, id))
        }
        Change::Retain(message) => retain(conn, message),
        Change::ClearRetained(realm, topic) => {
            let sql = "DELETE FROM retained WHERE realm = ?1 AND topic = ?2";
            run(conn, sql, (realm.as_str(), topic.as_str()))
        }
    }
}

fn put_subscriber(conn: &Connection, record: &SubscriberRecord) -> DbResult<()> {
    let sql = "INSERT INTO subscriber (num, realm, user, client_id, expiry_secs, detached_at, \
               will_topic, will_payload, will_properties, will_qos, will_retain, will_expiry, \
               will_delay, will_due) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
               ON CONFLICT (num) DO UPDATE SET realm = ?2, user = ?3, client_id = ?4, \
               expiry_secs = ?5, detached_at = ?6, will_topic = ?7, will_payload = ?8, \
               will_properties = ?9, will_qos = ?10, will_retain = ?11, will_expiry = ?12, \
               will_delay = ?13, will_due = ?14";
    let will = record.will.as_ref();
    let values = params![
        record.num.0,
        record.realm.as_str(),
        record.user.0,
        &*record.client_id,
        record.expiry_secs,
        record.detached_at_ms,
        will.map(|will| will.topic.as_str()),
        will.map(|will| &*will.payload),
        will.map(|will| &*will.properties),
        will.map(|will| will.qos.level()),
        will.map(|will| will.retain),
        will.and_then(|will| will.expiry_secs),
        will.map(|will| will.delay_secs),
        record.will_due_ms,
    ];
    run(conn, sql, values)
}

fn end_subscriber(conn: &Connection, num: SubscriberNum) -> DbResult<()> {
    let sql = "SELECT message FROM topic_queue WHERE subscriber = ?1";
    let mut find = conn.prepare_cached(sql)?;
    let messages: Vec<i64> = find
        .query_map([num.0], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for sql in [
        "DELETE FROM topic_queue WHERE subscriber = ?1",
        "DELETE FROM subscription WHERE subscriber = ?1",
        "DELETE FROM qos2_in WHERE subscriber = ?1",
        "DELETE FROM subscriber WHERE num = ?1",
    ] {
        run(conn, sql, [num.0])?;
    }
    for message in messages {
        drop_if_unused(conn, message)?;
    }
    Ok(())
}

fn subscribe(conn: &Connection, num: SubscriberNum, subscription: &Subscription) -> DbResult<()> {
    let sql = "INSERT INTO subscription (subscriber, filter, options, id) \
               SELECT num, ?2, ?3, ?4 FROM subscriber WHERE num = ?1 \
               ON CONFLICT DO UPDATE SET options = ?3, id = ?4";
    let options = &subscription.options;
    let values = params![
        num.0,
        subscription.filter.as_str(),
        rows::options_bits(options),
        options.subscription_id,
    ];
    run(conn, sql, values)
}

fn put_message(conn: &Connection, num: TopicMessageNum, message: &TopicMessage) -> DbResult<()> {
    let sql = "INSERT INTO topic_message (num, realm, topic, payload, properties, qos, retain, \
               expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
    let values = params![
        num.0,
        message.realm.as_str(),
        message.topic.as_str(),
        &*message.payload,
        &*message.properties,
        message.qos.level(),
        message.retain,
        message.expires_at_ms,
    ];
    run(conn, sql, values)
}

fn enqueue(conn: &Connection, change: &Change) -> DbResult<()> {
    let Change::Enqueue {
        subscriber,
        n,
        message,
        qos,
        retain,
        subscription_ids,
        bytes,
    } = change
    else {
        return Ok(());
    };
    let sql = "INSERT INTO topic_queue (subscriber, n, message, stage, qos, retain, ids, bytes) \
               SELECT num, ?2, ?3, 0, ?4, ?5, ?6, ?7 FROM subscriber WHERE num = ?1 \
               ON CONFLICT DO NOTHING";
    let values = params![
        subscriber.0,
        place(*n),
        message.0,
        qos.level(),
        retain,
        rows::ids_bytes(subscription_ids),
        i64::try_from(*bytes).unwrap_or(i64::MAX),
    ];
    run(conn, sql, values)
}

fn dequeue(conn: &Connection, num: SubscriberNum, n: u64) -> DbResult<()> {
    let sql = "DELETE FROM topic_queue WHERE subscriber = ?1 AND n = ?2 RETURNING message";
    let mut delete = conn.prepare_cached(sql)?;
    let messages: Vec<i64> = delete
        .query_map((num.0, place(n)), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for message in messages {
        drop_if_unused(conn, message)?;
    }
    Ok(())
}

pub(in crate::sqlite) const DROP_UNUSED: &str = "DELETE FROM topic_message WHERE num = ?1 \
     AND NOT EXISTS (SELECT 1 FROM topic_queue WHERE message = ?1)";

/// A message that waits in no queue any more is gone.
fn drop_if_unused(conn: &Connection, message: i64) -> DbResult<()> {
    run(conn, DROP_UNUSED, [message])
}

fn retain(conn: &Connection, message: &TopicMessage) -> DbResult<()> {
    let sql = "INSERT INTO retained (realm, topic, payload, properties, qos, expires_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET payload = ?3, \
               properties = ?4, qos = ?5, expires_at = ?6";
    let values = params![
        message.realm.as_str(),
        message.topic.as_str(),
        &*message.payload,
        &*message.properties,
        message.qos.level(),
        message.expires_at_ms,
    ];
    run(conn, sql, values)
}
