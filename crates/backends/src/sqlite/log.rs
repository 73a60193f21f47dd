//! The message log's port.

use std::sync::Arc;

use async_trait::async_trait;
use crosstalk_core::channel::ChannelRef;
use crosstalk_core::id::{ChannelNum, MessageId};
use crosstalk_core::log::{Append, Head, Log, Page, PendingAppend};
use crosstalk_core::message::Message;
use crosstalk_core::store::StoreResult;
use futures_util::FutureExt;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::error::{DbResult, stopped};
use super::rows::{self, MESSAGE_COLUMNS};
use super::start::ROOM_KIB;
use super::work::{AppendWork, Work, weight};
use super::{Shared, Sqlite, heads};

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
}

fn stretch(
    conn: &Connection,
    shared: &Shared,
    channel: &Arc<ChannelRef>,
    page: Page,
) -> DbResult<Vec<Message>> {
    let order = if page.newest { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT {MESSAGE_COLUMNS} FROM message \
         WHERE channel = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq {order} LIMIT ?4"
    );
    let mut find = conn.prepare_cached(&sql)?;
    let bounds = [
        channel.num.0,
        rows::seq(page.from),
        rows::seq(page.to),
        i64::from(page.limit),
    ];
    let mut found = find.query(bounds)?;
    let mut messages = Vec::new();
    while let Some(row) = found.next()? {
        messages.extend(rows::read(shared, conn, channel, row)?);
    }
    if page.newest {
        messages.reverse();
    }
    Ok(messages)
}

fn one(conn: &Connection, shared: &Shared, id: MessageId) -> DbResult<Option<Message>> {
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
