//! Revoking, deleting, expiring: a message's content goes, its place stays.
//!
//! The key of its client number may still wait in memory, and after a crash it would be worked
//! out from a content that is no more. So it is written down in the transaction that erases:
//! a retry is told from a new message for as long as it would have been.
//!
//! What the command log says of a message's edits is found by the numbers of those entries, by
//! the writer where keys wait and by a reader in the tables, and emptied in the transaction
//! that erases the message.

use crosstalk_core::change::{Change, EditedBody};
use crosstalk_core::channel::LogKind;
use crosstalk_core::deliver::{edit_number, entry_number};
use crosstalk_core::id::{ChannelNum, MessageId, UserRef};
use crosstalk_core::log::RevokeOutcome;
use crosstalk_core::message::{Flags, Gone, Revocation, client_key, digest};
use crosstalk_core::store::StoreResult;
use rusqlite::Connection;

use super::admin::evidence;
use super::error::{DbResult, unless_damaged};
use super::rows::{self, MESSAGE_COLUMNS, MessageRow};
use super::work::Tx;
use super::{Shared, Sqlite, carried, dedup, directed, edits, hidden, receipts};

/// Keys that one number may lead to; more are of other messages.
const MAX_KEYS: u32 = 64;
/// How often it is looked again because an edit came between.
const TRIES: usize = 3;

/// What there was to a message when it was looked at.
#[derive(Debug, Clone, Default)]
struct Known {
    edits: u32,
    /// Messages of the command log that may tell of its edits.
    entries: Vec<i64>,
}

impl Sqlite {
    /// Erases a message.
    pub(super) async fn erase_message(
        &self,
        id: MessageId,
        by: Option<&UserRef>,
        how: Gone,
    ) -> StoreResult<RevokeOutcome> {
        if !self.is_sound(id).await? {
            return Ok(RevokeOutcome::NoMessage);
        }
        for _ in 0..TRIES {
            let known = self.known_of(id).await?;
            let by = by.cloned();
            let done = self
                .write(move |tx| erase_known(tx, id, by.as_ref(), how, &known))
                .await?;
            if let Some(outcome) = done {
                return Ok(outcome);
            }
        }
        let why = "a message is edited again and again while it is erased";
        Err(super::error::DbError::Unavailable(why.to_owned()).into())
    }

    /// What the command log says of a message's edits; nothing is read but a number if it has
    /// none.
    async fn known_of(&self, id: MessageId) -> StoreResult<Known> {
        let found = self
            .read(move |conn, shared| {
                let edits = edits::count(conn, id.0)?;
                let mut keys = Vec::new();
                if edits > 0
                    && let Some(realm) = realm_of(conn, shared, id)?
                {
                    for n in 1..=edits {
                        let number = edit_number(id, n);
                        keys.extend(client_key(&realm, &number).map(|key| (key, number)));
                    }
                }
                Ok((edits, keys))
            })
            .await?;
        let (edits, keys) = found;
        let mut known = Known {
            edits,
            entries: Vec::new(),
        };
        if keys.is_empty() {
            return Ok(known);
        }
        let wanted: Vec<i64> = keys.iter().map(|(key, _)| *key).collect();
        known.entries = self.entries_of(wanted).await?;
        // Where an edit was told to some only, there may be more entries of it.
        let directed = self.are_directed(known.entries.clone()).await?;
        let realm = self
            .read(move |conn, shared| realm_of(conn, shared, id))
            .await?;
        let mut n = 1;
        while directed && n < MAX_KEYS as usize {
            let next = keys.iter().filter_map(|(_, number)| {
                let realm = realm.as_ref()?;
                client_key(realm, &entry_number(number, n))
            });
            let more = self.entries_of(next.collect()).await?;
            if more.is_empty() {
                break;
            }
            known.entries.extend(more);
            n += 1;
        }
        Ok(known)
    }

    /// The messages that keys lead to.
    async fn entries_of(&self, keys: Vec<i64>) -> StoreResult<Vec<i64>> {
        let wanted = keys.clone();
        let look = move |tx: &Tx<'_>| {
            let of = |key: &i64| tx.dedup.waiting_of(*key, MAX_KEYS as usize);
            Ok(wanted.iter().flat_map(of).collect::<Vec<i64>>())
        };
        let mut entries = self.write(look).await?;
        let written = self
            .read(move |conn, _| {
                let mut written = Vec::new();
                for key in keys {
                    written.extend(dedup::written_of(conn, key, MAX_KEYS)?);
                }
                Ok(written)
            })
            .await?;
        entries.extend(written);
        entries.sort_unstable();
        entries.dedup();
        Ok(entries)
    }

    async fn are_directed(&self, entries: Vec<i64>) -> StoreResult<bool> {
        self.read(move |conn, _| {
            let sql = "SELECT 1 FROM message WHERE id = ?1 AND audience IS NOT NULL";
            let mut find = conn.prepare_cached(sql)?;
            for id in entries {
                if find.exists([id])? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
        .await
    }
}

fn realm_of(
    conn: &Connection,
    shared: &Shared,
    id: MessageId,
) -> DbResult<Option<crosstalk_core::id::Realm>> {
    let sql = "SELECT channel FROM message WHERE id = ?1";
    let Some(num) = super::marks::number(conn, sql, id.0)? else {
        return Ok(None);
    };
    let channel = shared.names.channel(conn, ChannelNum(num))?;
    Ok(channel.map(|channel| channel.key.realm.clone()))
}

/// The statement that finds a message.
pub(super) fn find_sql() -> String {
    format!("SELECT {MESSAGE_COLUMNS} FROM message WHERE id = ?1")
}

/// Whether there is such a message and it is what was written. A reader looks: once SQLite
/// has met damage in a transaction, it writes nothing more in it.
///
/// The sum of a damaged message must stay wrong, or the damage would pass for what was
/// written. What is left of it is shown to nobody anyway.
pub(super) fn is_sound(conn: &Connection, shared: &Shared, id: MessageId) -> DbResult<bool> {
    let look = || -> DbResult<Option<bool>> {
        let mut find = conn.prepare_cached(&find_sql())?;
        let mut found = find.query([id.0])?;
        Ok(found.next()?.map(|row| MessageRow::sound(row).is_some()))
    };
    let is_sound = unless_damaged(look())?.unwrap_or(Some(false));
    if is_sound == Some(false) {
        rows::report(shared, id.0, "a damaged message cannot be changed");
    }
    Ok(is_sound == Some(true))
}

/// Erases a message and notes who did it, unless that was done before. `None` if it was edited
/// since it was looked at.
fn erase_known(
    tx: &Tx<'_>,
    id: MessageId,
    by: Option<&UserRef>,
    how: Gone,
    known: &Known,
) -> DbResult<Option<RevokeOutcome>> {
    if edits::count(tx.conn, id.0)? != known.edits {
        return Ok(None);
    }
    let outcome = erase(tx, id, by, how)?;
    if matches!(outcome, RevokeOutcome::Revoked(_)) && known.edits > 0 {
        secretly(tx.conn, |conn| {
            for entry in &known.entries {
                silence(tx, id, *entry)?;
            }
            let sql = "DELETE FROM message_version WHERE message = ?1";
            conn.prepare_cached(sql)?.execute([id.0])?;
            Ok(())
        })?;
    }
    Ok(Some(outcome))
}

/// Erases a message and notes who did it, unless that was done before.
fn erase(tx: &Tx<'_>, id: MessageId, by: Option<&UserRef>, how: Gone) -> DbResult<RevokeOutcome> {
    let mut find = tx.conn.prepare_cached(&find_sql())?;
    let mut found = find.query([id.0])?;
    let Some(message) = found.next()?.and_then(MessageRow::sound) else {
        return Ok(RevokeOutcome::NoMessage);
    };
    let now = Revocation {
        by: by.cloned(),
        at_ms: tx.now_ms,
        how,
    };
    if rows::is_revoked(message.flags) {
        let before = rows::revocation(tx.shared, tx.conn, id.0)?;
        if before.how == how || how != Gone::Deleted {
            return Ok(RevokeOutcome::Before(before));
        }
        // What was revoked can still be deleted.
        note(tx, &message, by, how, None)?;
        return Ok(RevokeOutcome::Revoked(now));
    }
    let channel = ChannelNum(message.channel);
    let Some(channel) = tx.shared.names.channel(tx.conn, channel)? else {
        rows::report(tx.shared, id.0, "a message of no channel cannot be revoked");
        return Ok(RevokeOutcome::NoMessage);
    };
    let called = [Some(message.client_no), message.name];
    for called in called.into_iter().flatten() {
        if let Some(key) = client_key(&channel.key.realm, called) {
            let digest = digest(rows::origin(message.origin), message.tag, message.payload);
            dedup::write_now(tx.conn, (key, id.0), digest, message.sent_at)?;
        }
    }
    let mut counted = channel.log == LogKind::Chat && Flags::from_bits(message.flags).counts;
    if let Some(audience) = message.audience() {
        directed::uncount(tx.conn, message.channel, message.seq, &audience)?;
        // It has no ordinal.
        counted = false;
    }
    if counted {
        hidden::uncount(tx.conn, message.channel, message.seq)?;
    }
    note(tx, &message, by, how, Some(counted))?;
    if Flags::from_bits(message.flags).review {
        // Moderators are to see it all the same.
        evidence::keep_sent(tx.conn, id.0, id.0)?;
    }
    if message.carried.is_some() {
        carried::end(tx, message.channel, message.seq)?;
    }
    secretly(tx.conn, |conn| {
        let sql = "DELETE FROM reaction WHERE message = ?1";
        conn.prepare_cached(sql)?.execute([id.0])?;
        message.erase(conn)
    })?;
    Ok(RevokeOutcome::Revoked(now))
}

/// Erases content from the file too, and not only from rows.
pub(super) fn secretly<T>(
    conn: &Connection,
    erase: impl FnOnce(&Connection) -> DbResult<T>,
) -> DbResult<T> {
    conn.pragma_update(None, "secure_delete", true)?;
    let erased = erase(conn);
    conn.pragma_update(None, "secure_delete", false)?;
    erased
}

/// Takes out of an entry of the command log what an edit of a message said. Entries of other
/// things stay as they are.
fn silence(tx: &Tx<'_>, id: MessageId, entry: i64) -> DbResult<()> {
    let sql = find_sql();
    let mut find = tx.conn.prepare_cached(&sql)?;
    let mut found = find.query([entry])?;
    let Some(row) = found.next()?.and_then(MessageRow::sound) else {
        return Ok(());
    };
    let of = serde_json::from_slice::<Change>(row.payload);
    let Ok(Change::Edited {
        message,
        by,
        n,
        body,
        at_ms,
    }) = of
    else {
        return Ok(());
    };
    if message.id != id {
        return Ok(());
    }
    let silent = Change::Edited {
        message,
        by,
        n,
        body: EditedBody {
            origin: body.origin,
            ..EditedBody::default()
        },
        at_ms,
    };
    let payload = serde_json::to_vec(&silent).unwrap_or_default();
    row.rewrite(tx.conn, &payload)
}

/// Notes how the content went. `counted`: whether it is in the ordinals; `None` = as noted.
fn note(
    tx: &Tx<'_>,
    message: &MessageRow<'_>,
    by: Option<&UserRef>,
    how: Gone,
    counted: Option<bool>,
) -> DbResult<()> {
    let newest = receipts::newest_version(tx.conn, message.channel)?;
    let sql = "INSERT INTO message_state \
               (id, channel, seq, version, uncounted, revoked_by, revoked_at, gone) \
               VALUES (?1, ?2, ?3, ?4, ifnull(?5, 0), ?6, ?7, ?8) \
               ON CONFLICT DO UPDATE SET channel = ?2, seq = ?3, version = ?4, \
               uncounted = ifnull(?5, uncounted), revoked_by = ?6, revoked_at = ?7, gone = ?8, \
               edit_n = 0, edited_at = NULL, pinned_at = NULL, pinned_by = NULL";
    let mut put = tx.conn.prepare_cached(sql)?;
    put.execute(rusqlite::params![
        message.id,
        message.channel,
        message.seq,
        tx.version(newest),
        counted,
        by.map(|user| user.num.0),
        tx.now_ms,
        how.number(),
    ])?;
    Ok(())
}
