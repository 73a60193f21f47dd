//! The message log's port.

use std::sync::Arc;

use async_trait::async_trait;
use crosstalk_core::channel::ChannelRef;
use crosstalk_core::id::{ChannelNum, MessageId, UserRef};
use crosstalk_core::log::{
    Append, Called, Head, Log, Page, PendingAppend, Retained, RevokeOutcome,
};
use crosstalk_core::message::{Gone, Message};
use crosstalk_core::store::StoreResult;
use futures_util::FutureExt;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::error::{DbResult, stopped, unless_damaged};
use super::rows::{self, MESSAGE_COLUMNS};
use super::start::ROOM_KIB;
use super::stats::add;
use super::work::{AppendWork, Work, weight};
use super::{Shared, Sqlite, heads, scan};

#[async_trait]
impl Log for Sqlite {
    async fn append(&self, batch: Vec<Append>) -> StoreResult<PendingAppend> {
        let count = batch.len();
        let (done, answer) = oneshot::channel();
        // A batch larger than all the room there is goes alone.
        let bytes: usize = batch.iter().map(weight).sum();
        let share = u32::try_from((bytes >> 10).clamp(1, ROOM_KIB)).unwrap_or(1);
        let room = Arc::clone(&self.room).acquire_many_owned(share).await;
        let room = room.map_err(|_| stopped())?;
        let outcomes = Vec::with_capacity(count);
        let work = AppendWork {
            items: batch,
            outcomes,
            done,
            _room: room,
        };
        let writes = self.writes.as_ref().ok_or_else(stopped)?;
        writes
            .send(Work::Append(work))
            .await
            .map_err(|_| stopped())?;
        let gone = move || (0..count).map(|_| Err(stopped())).collect();
        Ok(async move { answer.await.unwrap_or_else(|_| gone()) }.boxed())
    }

    async fn heads(&self, channels: &[ChannelNum]) -> StoreResult<Vec<Head>> {
        let channels = channels.to_vec();
        self.read(move |conn, _| channels.iter().map(|num| heads::read(conn, *num)).collect())
            .await
    }

    async fn page(&self, channel: &Arc<ChannelRef>, page: Page) -> StoreResult<Vec<Message>> {
        let channel = Arc::clone(channel);
        self.read(move |conn, shared| stretch(conn, shared, &channel, page))
            .await
    }

    async fn by_id(&self, id: MessageId) -> StoreResult<Option<Message>> {
        self.read(move |conn, shared| one(conn, shared, id)).await
    }

    async fn by_number(&self, called: &Called, limit: u32) -> StoreResult<Vec<Message>> {
        self.called(called, limit).await
    }

    async fn newest(
        &self,
        logs: &[(Arc<ChannelRef>, u64)],
        limit: u32,
    ) -> StoreResult<Vec<Vec<Message>>> {
        let logs = logs.to_vec();
        self.read(move |conn, shared| newest(conn, shared, &logs, limit))
            .await
    }

    async fn scan(&self, after: MessageId, limit: u32) -> StoreResult<Vec<Message>> {
        self.read(move |conn, shared| scan::messages(conn, shared, after, limit))
            .await
    }

    async fn last_id(&self) -> StoreResult<MessageId> {
        self.read(|conn, _| scan::last_id(conn)).await
    }

    async fn erase(
        &self,
        id: MessageId,
        by: Option<&UserRef>,
        how: Gone,
    ) -> StoreResult<RevokeOutcome> {
        self.erase_message(id, by, how).await
    }

    async fn retain(
        &self,
        from: MessageId,
        before: MessageId,
        limit: u32,
    ) -> StoreResult<Retained> {
        self.retain_step(from, before, limit).await
    }
}

fn stretch(
    conn: &Connection,
    shared: &Shared,
    channel: &Arc<ChannelRef>,
    page: Page,
) -> DbResult<Vec<Message>> {
    let at_once = unless_damaged(rows_at_once(conn, shared, channel, page))?;
    let mut messages = match at_once {
        Some(messages) => messages,
        None => rows_one_by_one(conn, shared, channel, page)?,
    };
    if page.newest {
        messages.reverse();
    }
    Ok(messages)
}

/// The statement for some columns of a page's rows, in the order in which they are wanted.
fn stretch_sql(columns: &str, newest: bool) -> String {
    let order = if newest { "DESC" } else { "ASC" };
    format!(
        "SELECT {columns} FROM message \
         WHERE channel = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq {order} LIMIT ?4"
    )
}

fn bounds(channel: &ChannelRef, page: Page) -> [i64; 4] {
    let (from, to) = (rows::seq(page.from), rows::seq(page.to));
    [channel.num.0, from, to, i64::from(page.limit)]
}

fn rows_at_once(
    conn: &Connection,
    shared: &Shared,
    channel: &Arc<ChannelRef>,
    page: Page,
) -> DbResult<Vec<Message>> {
    let mut find = conn.prepare_cached(&stretch_sql(MESSAGE_COLUMNS, page.newest))?;
    let mut found = find.query(bounds(channel, page))?;
    let mut messages = Vec::new();
    while let Some(row) = found.next()? {
        messages.extend(rows::read(shared, conn, channel, row)?);
    }
    Ok(messages)
}

/// Where a row cannot be read at all: the index says which there are, and each is read by
/// itself.
fn rows_one_by_one(
    conn: &Connection,
    shared: &Shared,
    channel: &Arc<ChannelRef>,
    page: Page,
) -> DbResult<Vec<Message>> {
    let mut find = conn.prepare_cached(&stretch_sql("id, seq", page.newest))?;
    let places = find.query_map(bounds(channel, page), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let places = places.collect::<Result<Vec<(i64, i64)>, _>>()?;
    let mut messages = Vec::new();
    for (id, seq) in places {
        if let Some(found) = unless_damaged(read_one(conn, shared, MessageId(id)))? {
            messages.extend(found);
        } else {
            let channel = channel.num.0;
            tracing::error!(id, seq, channel, "a stored message is damaged");
            add(&shared.counters.damaged, 1);
        }
    }
    Ok(messages)
}

/// Logs whose newest messages are read under one snapshot: a short one does not hold up the
/// checkpoint, and one for each would cost as much as the reading.
const LOGS_PER_SNAPSHOT: usize = 256;

fn newest(
    conn: &Connection,
    shared: &Shared,
    logs: &[(Arc<ChannelRef>, u64)],
    limit: u32,
) -> DbResult<Vec<Vec<Message>>> {
    let mut all = Vec::with_capacity(logs.len());
    for some in logs.chunks(LOGS_PER_SNAPSHOT) {
        let snapshot = conn.unchecked_transaction()?;
        for (channel, from) in some {
            let page = Page {
                from: *from,
                to: u64::MAX,
                limit,
                newest: true,
            };
            all.push(stretch(conn, shared, channel, page)?);
        }
        snapshot.finish()?;
    }
    Ok(all)
}

/// The message with an id; one that cannot be read is reported and passed over.
fn one(conn: &Connection, shared: &Shared, id: MessageId) -> DbResult<Option<Message>> {
    let found = unless_damaged(read_one(conn, shared, id))?;
    if found.is_none() {
        rows::report(shared, id.0, "a stored message cannot be read");
    }
    Ok(found.flatten())
}

pub(super) fn read_one(
    conn: &Connection,
    shared: &Shared,
    id: MessageId,
) -> DbResult<Option<Message>> {
    let sql = format!("SELECT {MESSAGE_COLUMNS} FROM message WHERE id = ?1");
    let mut find = conn.prepare_cached(&sql)?;
    let mut found = find.query([id.0])?;
    let Some(row) = found.next()? else {
        return Ok(None);
    };
    let num = ChannelNum(row.get(1)?);
    let Some(channel) = shared.names.channel(conn, num)? else {
        return Ok(None);
    };
    rows::read(shared, conn, &channel, row)
}
