//! Revoking: a message's content goes, its place stays.
//!
//! The key of its client number may still wait in memory, and after a crash it would be worked
//! out from a content that is no more. So it is written down in the transaction that erases:
//! a retry is told from a new message for as long as it would have been.

use crosstalk_core::channel::LogKind;
use crosstalk_core::id::{ChannelNum, MessageId, UserRef};
use crosstalk_core::log::RevokeOutcome;
use crosstalk_core::message::{Flags, Revocation, client_key, digest};
use rusqlite::Connection;

use super::error::{DbResult, unless_damaged};
use super::rows::{self, MESSAGE_COLUMNS, MessageRow};
use super::work::Tx;
use super::{Shared, dedup, directed, receipts};

fn find_sql() -> String {
    format!("SELECT {MESSAGE_COLUMNS} FROM message WHERE id = ?1")
}

/// Whether there is such a message and it is what was written. A reader looks: once SQLite
/// has met damage in a transaction, it writes nothing more in it.
///
/// The sum of a damaged message must stay wrong, or the damage would pass for what was
/// written. What is left of it is shown to nobody anyway.
pub(super) fn can_be_revoked(conn: &Connection, shared: &Shared, id: MessageId) -> DbResult<bool> {
    let look = || -> DbResult<Option<bool>> {
        let mut find = conn.prepare_cached(&find_sql())?;
        let mut found = find.query([id.0])?;
        Ok(found.next()?.map(|row| MessageRow::sound(row).is_some()))
    };
    let is_sound = unless_damaged(look())?.unwrap_or(Some(false));
    if is_sound == Some(false) {
        rows::report(shared, id.0, "a damaged message cannot be revoked");
    }
    Ok(is_sound == Some(true))
}

/// Erases a message and notes who revoked it, unless that was done before.
pub(super) fn revoke(tx: &Tx<'_>, id: MessageId, by: Option<&UserRef>) -> DbResult<RevokeOutcome> {
    let mut find = tx.conn.prepare_cached(&find_sql())?;
    let mut found = find.query([id.0])?;
    let Some(message) = found.next()?.and_then(MessageRow::sound) else {
        return Ok(RevokeOutcome::NoMessage);
    };
    if rows::is_revoked(message.flags) {
        let before = rows::revocation(tx.shared, tx.conn, id.0)?;
        return Ok(RevokeOutcome::Before(before));
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
    note(tx, &message, by, counted)?;
    erase(tx.conn, message)?;
    Ok(RevokeOutcome::Revoked(Revocation {
        by: by.cloned(),
        at_ms: tx.now_ms,
    }))
}

/// Erases the content from the file too, and not only from the row.
fn erase(conn: &Connection, message: MessageRow<'_>) -> DbResult<()> {
    conn.pragma_update(None, "secure_delete", true)?;
    let erased = message.erase(conn);
    conn.pragma_update(None, "secure_delete", false)?;
    erased
}

fn note(
    tx: &Tx<'_>,
    message: &MessageRow<'_>,
    by: Option<&UserRef>,
    uncounted: bool,
) -> DbResult<()> {
    let newest = receipts::newest_version(tx.conn, message.channel)?;
    let sql = "INSERT INTO message_state \
               (id, channel, seq, version, uncounted, revoked_by, revoked_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
               ON CONFLICT DO UPDATE SET channel = ?2, seq = ?3, version = ?4, \
               uncounted = ?5, revoked_by = ?6, revoked_at = ?7";
    let mut put = tx.conn.prepare_cached(sql)?;
    put.execute(rusqlite::params![
        message.id,
        message.channel,
        message.seq,
        tx.version(newest),
        uncounted,
        by.map(|user| user.num.0),
        tx.now_ms,
    ])?;
    Ok(())
}
