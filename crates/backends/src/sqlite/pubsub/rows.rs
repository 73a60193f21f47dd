//! How what belongs to topics stands in columns.

use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::id::Realm;
use crosstalk_core::pubsub::{
    Filter, Qos, RetainHandling, Stage, SubscriptionOptions, Topic, TopicMessage,
};
use rusqlite::Row;

use crate::sqlite::error::{DbError, DbResult};

fn corrupt(what: &str, value: impl std::fmt::Display) -> DbError {
    DbError::Corrupt(format!("{what}: {value}"))
}

fn text<'r>(row: &'r Row<'_>, at: usize) -> DbResult<&'r str> {
    let text = row.get_ref(at)?.as_str();
    text.map_err(|error| DbError::Corrupt(error.to_string()))
}

pub(super) fn bytes(row: &Row<'_>, at: usize) -> DbResult<Bytes> {
    Ok(Bytes::from(row.get::<_, Vec<u8>>(at)?))
}

pub(super) fn topic(row: &Row<'_>, at: usize) -> DbResult<Topic> {
    Topic::parse(text(row, at)?).map_err(|error| corrupt("a topic", error))
}

pub(super) fn filter(row: &Row<'_>, at: usize) -> DbResult<Filter> {
    Filter::parse(text(row, at)?).map_err(|error| corrupt("a filter", error))
}

pub(super) fn qos(row: &Row<'_>, at: usize) -> DbResult<Qos> {
    let level: u8 = row.get(at)?;
    Qos::from_level(level).ok_or_else(|| corrupt("a guarantee", level))
}

pub(super) fn stage_number(stage: Stage) -> i64 {
    match stage {
        Stage::Queued => 0,
        Stage::Sent => 1,
        Stage::Received => 2,
    }
}

pub(super) fn stage(row: &Row<'_>, at: usize) -> DbResult<Stage> {
    match row.get(at)? {
        0_i64 => Ok(Stage::Queued),
        1 => Ok(Stage::Sent),
        2 => Ok(Stage::Received),
        other => Err(corrupt("a stage", other)),
    }
}

pub(super) fn options_bits(options: &SubscriptionOptions) -> i64 {
    let handling = match options.retain_handling {
        RetainHandling::Send => 0,
        RetainHandling::SendIfNew => 1,
        RetainHandling::DoNotSend => 2,
    };
    i64::from(options.max_qos.level())
        | i64::from(options.no_local) << 2
        | i64::from(options.retain_as_published) << 3
        | handling << 4
}

/// The options in one column and the subscription's number in the next.
pub(super) fn options(row: &Row<'_>, at: usize) -> DbResult<SubscriptionOptions> {
    let bits: u8 = row.get(at)?;
    let retain_handling = match bits >> 4 {
        0 => RetainHandling::Send,
        1 => RetainHandling::SendIfNew,
        2 => RetainHandling::DoNotSend,
        _ => return Err(corrupt("options", bits)),
    };
    Ok(SubscriptionOptions {
        max_qos: Qos::from_level(bits & 3).ok_or_else(|| corrupt("options", bits))?,
        no_local: bits & 4 != 0,
        retain_as_published: bits & 8 != 0,
        retain_handling,
        subscription_id: row.get(at + 1)?,
    })
}

pub(super) fn ids_bytes(ids: &[u32]) -> Vec<u8> {
    ids.iter().flat_map(|id| id.to_le_bytes()).collect()
}

pub(super) fn ids(row: &Row<'_>, at: usize) -> DbResult<Arc<[u32]>> {
    let bytes: Vec<u8> = row.get(at)?;
    let (ids, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(corrupt("numbers of subscriptions", bytes.len()));
    }
    Ok(ids.iter().map(|id| u32::from_le_bytes(*id)).collect())
}

/// A message whose columns `topic, payload, properties, qos, retain, expires_at` begin at `at`.
pub(super) fn message(row: &Row<'_>, at: usize, realm: Realm) -> DbResult<TopicMessage> {
    Ok(TopicMessage {
        realm,
        topic: topic(row, at)?,
        payload: bytes(row, at + 1)?,
        properties: bytes(row, at + 2)?,
        qos: qos(row, at + 3)?,
        retain: row.get(at + 4)?,
        expires_at_ms: row.get(at + 5)?,
    })
}
