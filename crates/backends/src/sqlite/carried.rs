//! Rows beside a message for what it carries: whom it mentions, and that it is to burn.

use crosstalk_core::channel::LogKind;
use crosstalk_core::id::{MessageId, UserNum};
use crosstalk_core::log::Append;
use rusqlite::Connection;

use super::error::DbResult;
use super::rows;
use super::work::Tx;

/// Stands for everybody in a channel.
pub(super) const EVERYBODY: i64 = 0;

/// Notes what a message of the running transaction carries.
pub(super) fn note(conn: &Connection, item: &Append, id: MessageId, seq: u64) -> DbResult<()> {
    let Some(carried) = &item.body.carried else {
        return Ok(());
    };
    if item.channel.log != LogKind::Chat {
        return Ok(());
    }
    let (channel, sender, seq) = (item.channel.num.0, item.sender.num, rows::seq(seq));
    if carried.has_mentions() {
        let sql = "INSERT INTO mention (user, channel, seq, message) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT DO NOTHING";
        let mut insert = conn.prepare_cached(sql)?;
        let mut mention = |user: UserNum| insert.execute([user.0, channel, seq, id.0]);
        for user in carried.mentions.iter().filter(|user| user.num != sender) {
            mention(user.num)?;
        }
        match (&item.body.audience, carried.mention_all) {
            (_, false) => {}
            (None, true) => drop(mention(UserNum(EVERYBODY))?),
            // Everybody who may see it.
            (Some(audience), true) => {
                for user in audience.iter().filter(|user| **user != sender) {
                    mention(*user)?;
                }
            }
        }
    }
    if carried.burn_after_ms > 0 {
        let after_ms = i64::try_from(carried.burn_after_ms).unwrap_or(i64::MAX);
        let sql = "INSERT INTO burn (channel, seq, message, sender, after_ms) \
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut insert = conn.prepare_cached(sql)?;
        insert.execute([channel, seq, id.0, sender.0, after_ms])?;
    }
    Ok(())
}

/// The message's content is gone: its mentions are over, as those learn who ask by version.
pub(super) fn end(tx: &Tx<'_>, channel: i64, seq: i64) -> DbResult<()> {
    let version = tx.shared.ids.next().0;
    let sql = "UPDATE mention SET void = ?3 WHERE channel = ?1 AND seq = ?2";
    let mut over = tx.conn.prepare_cached(sql)?;
    over.execute([channel, seq, version])?;
    for sql in [
        "DELETE FROM mention_done WHERE channel = ?1 AND seq = ?2",
        "DELETE FROM burn WHERE channel = ?1 AND seq = ?2",
    ] {
        tx.conn.prepare_cached(sql)?.execute([channel, seq])?;
    }
    Ok(())
}

/// The message was dropped.
pub(super) fn forget(conn: &Connection, channel: i64, seq: i64) -> DbResult<()> {
    for sql in [
        "DELETE FROM mention WHERE channel = ?1 AND seq = ?2",
        "DELETE FROM mention_done WHERE channel = ?1 AND seq = ?2",
        "DELETE FROM burn WHERE channel = ?1 AND seq = ?2",
    ] {
        conn.prepare_cached(sql)?.execute([channel, seq])?;
    }
    Ok(())
}
