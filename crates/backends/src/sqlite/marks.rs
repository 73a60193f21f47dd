//! What users put on messages: the port. Each kind has its file: `edits`, `reactions`, `pins`,
//! `hidden`.

use std::ops::RangeInclusive;
use std::sync::Arc;

use async_trait::async_trait;
use crosstalk_core::channel::LogKind;
use crosstalk_core::id::{ChannelNum, MessageId, UserNum, UserRef};
use crosstalk_core::mark::{Edit, EditOutcome, MarkOutcome, Marks, Pin, Reaction, Tally, Version};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, OptionalExtension};

use super::error::DbResult;
use super::rows::{self, MessageRow};
use super::work::Tx;
use super::{Shared, Sqlite, edits, hidden, pins, reactions, receipts, revoke};

/// Only what is sound and still says something is marked.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) id: i64,
    pub(super) channel: i64,
    pub(super) seq: i64,
    pub(super) flags: i64,
}

#[async_trait]
impl Marks for Sqlite {
    async fn edit(&self, id: MessageId, edit: &Edit) -> StoreResult<EditOutcome> {
        if !self.is_sound(id).await? {
            return Ok(EditOutcome::Gone);
        }
        let edit = edit.clone();
        self.write(move |tx| edits::edit(tx, id, &edit)).await
    }

    async fn versions(&self, id: MessageId, after: u32, limit: u32) -> StoreResult<Vec<Version>> {
        self.read(move |conn, shared| edits::versions(conn, shared, id, after, limit))
            .await
    }

    async fn react(
        &self,
        id: MessageId,
        user: &UserRef,
        emoji: &str,
        removed: bool,
    ) -> StoreResult<MarkOutcome> {
        if !self.is_sound(id).await? {
            return Ok(MarkOutcome::Gone);
        }
        let (user, emoji) = (user.num, emoji.to_owned());
        self.write(move |tx| reactions::react(tx, id, user, &emoji, removed))
            .await
    }

    async fn reactions(
        &self,
        id: MessageId,
        after: Option<(Arc<str>, UserNum)>,
        limit: u32,
    ) -> StoreResult<Vec<Reaction>> {
        self.read(move |conn, shared| reactions::of(conn, shared, id, after.as_ref(), limit))
            .await
    }

    async fn reactions_to(&self, ids: &[MessageId], limit: u32) -> StoreResult<Vec<Vec<Reaction>>> {
        let ids = ids.to_vec();
        self.read(move |conn, shared| {
            let each = ids.iter();
            each.map(|id| reactions::of(conn, shared, *id, None, limit))
                .collect()
        })
        .await
    }

    async fn reactions_since(
        &self,
        channel: ChannelNum,
        version: i64,
        limit: u32,
    ) -> StoreResult<Vec<Reaction>> {
        self.read(move |conn, shared| reactions::since(conn, shared, channel, version, limit))
            .await
    }

    async fn tallies(
        &self,
        ids: &[MessageId],
        viewer: Option<UserNum>,
    ) -> StoreResult<Vec<Vec<Tally>>> {
        let ids = ids.to_vec();
        self.read(move |conn, _| reactions::tallies(conn, &ids, viewer))
            .await
    }

    async fn pin(
        &self,
        id: MessageId,
        by: Option<&UserRef>,
        pinned: bool,
    ) -> StoreResult<MarkOutcome> {
        if !self.is_sound(id).await? {
            return Ok(MarkOutcome::Gone);
        }
        let by = by.map(|user| user.num);
        self.write(move |tx| pins::pin(tx, id, by, pinned)).await
    }

    async fn pins(&self, channel: ChannelNum, limit: u32) -> StoreResult<Vec<Pin>> {
        self.read(move |conn, shared| pins::list(conn, shared, channel, limit))
            .await
    }

    async fn hide(
        &self,
        user: UserNum,
        channel: ChannelNum,
        seqs: &[u64],
    ) -> StoreResult<Vec<u64>> {
        let seqs = seqs.to_vec();
        self.write(move |tx| hidden::hide(tx, user, channel, &seqs))
            .await
    }

    async fn hidden(
        &self,
        user: UserNum,
        stretches: &[(ChannelNum, RangeInclusive<u64>)],
    ) -> StoreResult<Vec<Vec<u64>>> {
        let stretches = stretches.to_vec();
        self.read(move |conn, _| hidden::of(conn, user, &stretches))
            .await
    }
}

impl Sqlite {
    /// Whether there is such a message and it is what was written. Asked of a reader: once
    /// SQLite has met damage in a transaction, it writes nothing more in it.
    pub(super) async fn is_sound(&self, id: MessageId) -> StoreResult<bool> {
        let look = move |conn: &Connection, shared: &Shared| revoke::is_sound(conn, shared, id);
        self.read(look).await
    }
}

/// The place of a message of a chat log that still says something.
pub(super) fn place(tx: &Tx<'_>, id: MessageId) -> DbResult<Option<Place>> {
    let sql = revoke::find_sql();
    let mut find = tx.conn.prepare_cached(&sql)?;
    let mut found = find.query([id.0])?;
    let Some(message) = found.next()?.and_then(MessageRow::sound) else {
        return Ok(None);
    };
    let num = ChannelNum(message.channel);
    let channel = tx.shared.names.channel(tx.conn, num)?;
    let is_said = channel.is_some_and(|channel| channel.log == LogKind::Chat);
    let place = Place {
        id: message.id,
        channel: message.channel,
        seq: message.seq,
        flags: message.flags,
    };
    Ok(Some(place).filter(|_| is_said && !rows::is_revoked(message.flags)))
}

/// Gives a message's state, made if there is none, its next version.
pub(super) fn next_version(tx: &Tx<'_>, place: Place) -> DbResult<i64> {
    let newest = receipts::newest_version(tx.conn, place.channel)?;
    let version = tx.version(newest);
    let sql = "INSERT INTO message_state (id, channel, seq, version, uncounted) \
               VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT DO UPDATE SET version = ?4";
    let mut put = tx.conn.prepare_cached(sql)?;
    put.execute([place.id, place.channel, place.seq, version])?;
    Ok(version)
}

/// One number of a row, if there is such a row.
pub(super) fn number(conn: &Connection, sql: &str, id: i64) -> DbResult<Option<i64>> {
    let mut find = conn.prepare_cached(sql)?;
    let found = find.query_row([id], |row| row.get::<_, Option<i64>>(0));
    Ok(found.optional()?.flatten())
}
