//! Events, and where consumers are.

use async_trait::async_trait;
use bytes::Bytes;
use crosstalk_core::id::{ChannelNum, MessageId};
use crosstalk_core::outbox::{Event, NewEvent, Outbox, Place};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Sqlite;
use super::error::DbResult;
use super::names;

#[async_trait]
impl Outbox for Sqlite {
    async fn append_events(&self, events: &[NewEvent]) -> StoreResult<()> {
        if events.is_empty() {
            return Ok(());
        }
        let events = events.to_vec();
        self.write(move |tx| append(tx.conn, &events)).await
    }

    async fn events(&self, after: i64, limit: u32) -> StoreResult<Vec<Event>> {
        self.read(move |conn, _| {
            let sql = "SELECT pos, realm, kind, channel, at, body FROM event \
                       WHERE pos > ?1 ORDER BY pos LIMIT ?2";
            let mut find = conn.prepare_cached(sql)?;
            let mut rows = find.query(params![after, limit])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(event(row)?);
            }
            Ok(found)
        })
        .await
    }

    async fn last_event(&self) -> StoreResult<i64> {
        self.read(|conn, _| {
            let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'event'";
            let mut find = conn.prepare_cached(sql)?;
            let last: Option<i64> = find.query_row([], |row| row.get(0)).optional()?;
            Ok(last.unwrap_or(0))
        })
        .await
    }

    async fn drop_events(&self, up_to: i64, limit: u32) -> StoreResult<u64> {
        self.write(move |tx| {
            let sql = "DELETE FROM event WHERE pos IN \
                       (SELECT pos FROM event WHERE pos <= ?1 ORDER BY pos LIMIT ?2)";
            let dropped = tx
                .conn
                .prepare_cached(sql)?
                .execute(params![up_to, limit])?;
            Ok(dropped as u64)
        })
        .await
    }

    async fn place(&self, consumer: &str) -> StoreResult<Option<Place>> {
        let consumer = consumer.to_owned();
        self.read(move |conn, _| {
            let sql = "SELECT message_pos, event_pos FROM consumer WHERE name = ?1";
            let mut find = conn.prepare_cached(sql)?;
            let place = |row: &Row<'_>| {
                Ok(Place {
                    message: MessageId(row.get(0)?),
                    event: row.get(1)?,
                })
            };
            Ok(find.query_row([&consumer], place).optional()?)
        })
        .await
    }

    async fn put_place(&self, consumer: &str, place: Place) -> StoreResult<()> {
        let consumer = consumer.to_owned();
        self.write(move |tx| {
            let sql = "INSERT OR REPLACE INTO consumer (name, message_pos, event_pos) \
                       VALUES (?1, ?2, ?3)";
            let row = params![consumer, place.message.0, place.event];
            tx.conn.prepare_cached(sql)?.execute(row)?;
            Ok(())
        })
        .await
    }

    async fn forget_place(&self, consumer: &str) -> StoreResult<()> {
        let consumer = consumer.to_owned();
        self.write(move |tx| {
            let sql = "DELETE FROM consumer WHERE name = ?1";
            tx.conn.prepare_cached(sql)?.execute([&consumer])?;
            Ok(())
        })
        .await
    }
}

fn append(conn: &Connection, events: &[NewEvent]) -> DbResult<()> {
    let sql = "INSERT INTO event (realm, kind, channel, at, body) VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut insert = conn.prepare_cached(sql)?;
    for event in events {
        insert.execute(params![
            event.realm.as_str(),
            &*event.kind,
            event.channel.map(|channel| channel.0),
            event.at_ms,
            &event.body[..],
        ])?;
    }
    Ok(())
}

fn event(row: &Row<'_>) -> DbResult<Event> {
    Ok(Event {
        pos: row.get(0)?,
        what: NewEvent {
            realm: names::realm(row, 1)?,
            kind: row.get::<_, String>(2)?.into(),
            channel: row.get::<_, Option<i64>>(3)?.map(ChannelNum),
            at_ms: row.get(4)?,
            body: Bytes::from(row.get::<_, Vec<u8>>(5)?),
        },
    })
}
