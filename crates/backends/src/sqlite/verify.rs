//! Reading every stored message: what an examination of the store asks.

use crosstalk_core::id::MessageId;
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, OptionalExtension};

use super::Sqlite;
use super::error::{DbResult, unless_damaged};
use super::rows::{MESSAGE_COLUMNS, MessageRow};

/// Messages read under one snapshot.
const CHUNK: usize = 1000;
/// Damaged messages that are named; further ones are counted.
const NAMED: usize = 100;

/// A message that is not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DamagedMessage {
    /// Its id.
    pub id: MessageId,
    /// The number of its log.
    pub channel: i64,
    /// Its seq.
    pub seq: i64,
}

/// What reading all messages has shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Messages read.
    pub read: u64,
    /// How many of them are damaged.
    pub damaged: u64,
    /// The first 100 of those.
    pub named: Vec<DamagedMessage>,
    /// What SQLite's own check of the file says, unless it is content.
    pub file: Option<String>,
}

impl Sqlite {
    /// Reads every message and compares it with its checksum, then has SQLite check the file.
    /// What it finds is told, not set right.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be read; `Corrupt` when not even the index of
    /// messages can be.
    pub async fn verify(&self) -> StoreResult<Verified> {
        let mut verified = Verified::default();
        let mut after = Some((i64::MIN, i64::MIN));
        while let Some(from) = after {
            let chunk = self.read(move |conn, _| chunk(conn, from)).await?;
            verified.read += chunk.read;
            verified.damaged += chunk.damaged.len() as u64;
            let room = NAMED - verified.named.len();
            verified.named.extend(chunk.damaged.into_iter().take(room));
            after = chunk.last;
        }
        let said = self.read(|conn, _| {
            let sql = "PRAGMA quick_check(1)";
            Ok(conn.query_row(sql, [], |row| row.get::<_, String>(0))?)
        });
        verified.file = match said.await {
            Ok(said) => Some(said).filter(|said| said != "ok"),
            Err(error) => Some(error.to_string()),
        };
        Ok(verified)
    }
}

#[derive(Default)]
struct Chunk {
    read: u64,
    damaged: Vec<DamagedMessage>,
    /// The place of the last one; `None` = there are no more.
    last: Option<(i64, i64)>,
}

/// Reads the messages whose places, by channel and seq, come after one. The index says which
/// there are.
fn chunk(conn: &Connection, after: (i64, i64)) -> DbResult<Chunk> {
    let sql = "SELECT id, channel, seq FROM message INDEXED BY message_place \
               WHERE (channel, seq) > (?1, ?2) ORDER BY channel, seq LIMIT ?3";
    let mut find = conn.prepare_cached(sql)?;
    let bounds = (after.0, after.1, CHUNK as i64);
    let places = find.query_map(bounds, |row| {
        Ok(DamagedMessage {
            id: MessageId(row.get(0)?),
            channel: row.get(1)?,
            seq: row.get(2)?,
        })
    })?;
    let mut chunk = Chunk::default();
    for place in places {
        let place = place?;
        chunk.read += 1;
        chunk.last = Some((place.channel, place.seq));
        if unless_damaged(is_sound(conn, place))? != Some(true) {
            chunk.damaged.push(place);
        }
    }
    Ok(chunk)
}

fn is_sound(conn: &Connection, place: DamagedMessage) -> DbResult<bool> {
    let sql = format!("SELECT {MESSAGE_COLUMNS} FROM message WHERE id = ?1");
    let mut find = conn.prepare_cached(&sql)?;
    let found = find.query_row([place.id.0], |row| {
        let found = MessageRow::sound(row);
        Ok(found.is_some_and(|row| (row.channel, row.seq) == (place.channel, place.seq)))
    });
    Ok(found.optional()?.unwrap_or(false))
}
