//! What waits for a user: messages of the logs of their channels, found by position (id).
//!
//! Ids rise with the seqs of a log, so the place of a position in it is found by halving, on
//! the narrow index, which has the ids as well. The logs are then merged: their next ids
//! stand in a heap, and each message taken costs a look for the next one of its log. What a
//! page costs goes with the number of the user's logs and of the messages taken, not with
//! what was said.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crosstalk_core::channel::{ChannelRef, LogKind};
use crosstalk_core::delivered::{Stretch, Waiting, WaitingQuery};
use crosstalk_core::id::{ChannelNum, MessageId, UserNum};
use crosstalk_core::message::Message;
use rusqlite::{Connection, OptionalExtension, Row};
use rustc_hash::FxHashMap;

use super::error::DbResult;
use super::rows::{self, MESSAGE_COLUMNS, count};
use super::{Shared, hidden};

/// Messages that a page looks at most, so many and so many for each that is wanted: however
/// many are for others only, no page takes for ever.
const LOOKS: usize = 256;
const LOOKS_PER_MESSAGE: usize = 16;

/// A message's place: its seq in its log and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    seq: u64,
    id: MessageId,
}

/// A log, with what the user may read of it.
struct Readable {
    channel: Arc<ChannelRef>,
    /// Nothing up to this seq.
    after_seq: u64,
    /// Nothing up to this position.
    after: MessageId,
    head: Place,
}

/// The logs of a user's channels: the chat logs, each with the number of its command log.
pub(super) const CHAT_LOGS: &str = "WITH mine (channel, join_seq) AS (
        SELECT channel, join_seq FROM member WHERE user = ?1 AND state = 1
        UNION ALL
        SELECT channel, 0 FROM conversation AS own
        WHERE user = ?1 AND NOT EXISTS
            (SELECT 1 FROM member WHERE channel = own.channel AND user = ?1)
    )
    SELECT c.num, c.realm, c.kind, c.id, c.log,
        max(m.join_seq, coalesce(v.cleared_seq, 0), c.first_seq - 1), m.join_seq, q.num
    FROM mine m
    CROSS JOIN channel c ON c.num = m.channel
    LEFT JOIN conversation v ON v.user = ?1 AND v.channel = m.channel
    LEFT JOIN channel q
        ON q.realm = c.realm AND q.kind = c.kind AND q.id = c.id AND q.log = 1";
/// The newest message of a log.
pub(super) const HEAD: &str =
    "SELECT seq, id FROM message WHERE channel = ?1 ORDER BY seq DESC LIMIT 1";
/// The last one of a log up to a seq.
pub(super) const AT_OR_BEFORE: &str =
    "SELECT seq, id FROM message WHERE channel = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT 1";
/// The first one of a log after a seq.
pub(super) const AFTER: &str =
    "SELECT seq, id FROM message WHERE channel = ?1 AND seq > ?2 ORDER BY seq LIMIT 1";

/// The oldest messages at the positions asked for.
pub(super) fn oldest(
    conn: &Connection,
    shared: &Shared,
    user: UserNum,
    at: &[Stretch],
    query: WaitingQuery,
) -> DbResult<Waiting> {
    let mut page = Page {
        conn,
        shared,
        user,
        query,
        bytes: 0,
        looked_at: 0,
        hides: hidden::any(conn, user)?,
        messages: Vec::new(),
    };
    let Some(first) = at.first() else {
        return Ok(page.ends_at(MessageId(0)));
    };
    let logs = readable(conn, shared, user, first.lo, query.only)?;
    let by_num: FxHashMap<ChannelNum, usize> = logs
        .iter()
        .enumerate()
        .map(|(n, log)| (log.channel.num, n))
        .collect();
    let mut through = MessageId(first.lo.0 - 1);
    for stretch in at {
        if page.is_full() {
            return Ok(page.ends_at(through));
        }
        if stretch.lo == stretch.hi {
            page.take_single(&logs, &by_num, stretch.lo)?;
        } else if let Some(last) = page.take_stretch(&logs, *stretch)? {
            return Ok(page.ends_at(last));
        }
        through = stretch.hi;
    }
    Ok(page.ends_at(through))
}

/// The position above which at most `wanted` messages wait.
pub(super) fn newest(
    conn: &Connection,
    shared: &Shared,
    user: UserNum,
    after: MessageId,
    wanted: u32,
) -> DbResult<MessageId> {
    let logs = readable(conn, shared, user, after, None)?;
    let is_wanted = |log: &Readable, place: &Place| {
        place.id > after && place.id > log.after && place.seq > log.after_seq
    };
    let mut heads: BinaryHeap<(MessageId, u64, usize)> = BinaryHeap::new();
    for (n, log) in logs.iter().enumerate() {
        if is_wanted(log, &log.head) {
            heads.push((log.head.id, log.head.seq, n));
        }
    }
    let mut taken = 0;
    while let Some((id, seq, n)) = heads.pop() {
        if taken == wanted {
            return Ok(id);
        }
        taken += 1;
        let log = &logs[n];
        let before = place(conn, AT_OR_BEFORE, (log.channel.num.0, rows::seq(seq) - 1))?;
        if let Some(before) = before.filter(|before| is_wanted(log, before)) {
            heads.push((before.id, before.seq, n));
        }
    }
    Ok(after)
}

/// The user's logs, or only those of a kind, that have something at or above a position.
fn readable(
    conn: &Connection,
    shared: &Shared,
    user: UserNum,
    from: MessageId,
    only: Option<LogKind>,
) -> DbResult<Vec<Readable>> {
    let mut find = conn.prepare_cached(CHAT_LOGS)?;
    let mut found = find.query([user.0])?;
    let is_wanted = |log| only.is_none_or(|only| only == log);
    let mut logs = Vec::new();
    while let Some(row) = found.next()? {
        let chat = ChannelNum(row.get(0)?);
        if is_wanted(LogKind::Chat)
            && let Some(head) = head(conn, chat, from)?
        {
            logs.push(Readable {
                channel: shared.names.channel_from(row)?,
                after_seq: count(row, 5)?,
                after: MessageId(0),
                head,
            });
        }
        let command = row.get::<_, Option<i64>>(7)?.map(ChannelNum);
        let Some(command) = command.filter(|_| is_wanted(LogKind::Command)) else {
            continue;
        };
        if let Some(head) = head(conn, command, from)?
            && let Some(channel) = shared.names.channel(conn, command)?
        {
            logs.push(Readable {
                channel,
                after_seq: 0,
                after: joined_at(conn, chat, row.get(6)?)?,
                head,
            });
        }
    }
    Ok(logs)
}

/// A log's newest message, if it stands at or above a position.
fn head(conn: &Connection, channel: ChannelNum, from: MessageId) -> DbResult<Option<Place>> {
    let head = place(conn, HEAD, [channel.0])?;
    Ok(head.filter(|head| head.id >= from))
}

/// The position of a member's join, as it is known: that of the chat log's newest message
/// then.
fn joined_at(conn: &Connection, chat: ChannelNum, join_seq: i64) -> DbResult<MessageId> {
    if join_seq == 0 {
        return Ok(MessageId(0));
    }
    let before = place(conn, AT_OR_BEFORE, (chat.0, join_seq))?;
    Ok(before.map_or(MessageId(0), |before| before.id))
}

fn place(conn: &Connection, sql: &str, key: impl rusqlite::Params) -> DbResult<Option<Place>> {
    let mut find = conn.prepare_cached(sql)?;
    let place = |row: &Row<'_>| {
        Ok(Place {
            seq: count(row, 0)?,
            id: MessageId(row.get(1)?),
        })
    };
    Ok(find.query_row(key, place).optional()?)
}

/// The first message of a log above a seq and at or above a position, if there is one.
fn first_from(
    conn: &Connection,
    log: &Readable,
    after_seq: u64,
    from: MessageId,
) -> DbResult<Option<Place>> {
    if log.head.id < from || log.head.seq <= after_seq {
        return Ok(None);
    }
    // `high` is wanted, everything up to `low` is not. What waits is mostly near the end:
    // steps double from there.
    let (mut low, mut high) = (after_seq, log.head);
    let mut step = 1;
    while low + 1 < high.seq {
        let middle = low + (high.seq - low) / 2;
        let probe = high.seq.saturating_sub(step).max(middle);
        step *= 2;
        let found = place(conn, AT_OR_BEFORE, (log.channel.num.0, rows::seq(probe)))?;
        match found.filter(|found| found.seq > low) {
            Some(found) if found.id >= from => high = found,
            // Nothing at all stands between what was found, or `low`, and the probe.
            _ => low = probe,
        }
    }
    Ok(Some(high))
}

/// A page that is being filled.
struct Page<'a> {
    conn: &'a Connection,
    shared: &'a Shared,
    user: UserNum,
    query: WaitingQuery,
    bytes: usize,
    /// How many messages were looked at: some are not for the user.
    looked_at: usize,
    /// The user has hidden some messages; asked of each only then.
    hides: bool,
    messages: Vec<Message>,
}

impl Page<'_> {
    fn is_full(&self) -> bool {
        let wanted = self.query.messages as usize;
        self.messages.len() >= wanted
            || self.bytes >= self.query.bytes
            || self.looked_at >= LOOKS.saturating_add(wanted.saturating_mul(LOOKS_PER_MESSAGE))
    }

    fn ends_at(self, through: MessageId) -> Waiting {
        Waiting {
            messages: self.messages,
            through,
        }
    }

    /// Takes the message at a position, if it is one of the user's.
    fn take_single(
        &mut self,
        logs: &[Readable],
        by_num: &FxHashMap<ChannelNum, usize>,
        id: MessageId,
    ) -> DbResult<()> {
        let sql = format!("SELECT {MESSAGE_COLUMNS} FROM message WHERE id = ?1");
        let mut find = self.conn.prepare_cached(&sql)?;
        let mut found = find.query([id.0])?;
        let Some(row) = found.next()? else {
            return Ok(());
        };
        let (channel, seq) = (ChannelNum(row.get(1)?), count(row, 2)?);
        let log = by_num.get(&channel).map(|n| &logs[*n]);
        if let Some(log) = log.filter(|log| seq > log.after_seq && id > log.after) {
            self.take(log, row)?;
        }
        Ok(())
    }

    /// Takes messages of a stretch. If there are more than fit: the position of the last.
    fn take_stretch(&mut self, logs: &[Readable], at: Stretch) -> DbResult<Option<MessageId>> {
        let mut next: BinaryHeap<Reverse<(MessageId, u64, usize)>> = BinaryHeap::new();
        for (n, log) in logs.iter().enumerate() {
            let history = log.head.seq.saturating_sub(u64::from(self.query.per_log));
            let after_seq = log.after_seq.max(history);
            let from = MessageId(at.lo.0.max(log.after.0.saturating_add(1)));
            let first = first_from(self.conn, log, after_seq, from)?;
            if let Some(first) = first.filter(|first| first.id <= at.hi) {
                next.push(Reverse((first.id, first.seq, n)));
            }
        }
        let mut last = None;
        while let Some(Reverse((id, seq, n))) = next.pop() {
            if self.is_full() {
                return Ok(last.or(Some(MessageId(at.lo.0 - 1))));
            }
            let log = &logs[n];
            self.take_id(log, id)?;
            last = Some(id);
            let after = place(self.conn, AFTER, (log.channel.num.0, rows::seq(seq)))?;
            if let Some(after) = after.filter(|after| after.id <= at.hi) {
                next.push(Reverse((after.id, after.seq, n)));
            }
        }
        Ok(None)
    }

    fn take_id(&mut self, log: &Readable, id: MessageId) -> DbResult<()> {
        let sql = format!("SELECT {MESSAGE_COLUMNS} FROM message WHERE id = ?1");
        let mut find = self.conn.prepare_cached(&sql)?;
        let mut found = find.query([id.0])?;
        match found.next()? {
            Some(row) => self.take(log, row),
            None => Ok(()),
        }
    }

    fn is_hidden(&self, message: &Message) -> DbResult<bool> {
        if !self.hides {
            return Ok(false);
        }
        let (channel, seq) = (message.channel.num.0, rows::seq(message.seq));
        hidden::is(self.conn, self.user, channel, seq)
    }

    fn take(&mut self, log: &Readable, row: &Row<'_>) -> DbResult<()> {
        self.looked_at += 1;
        if let Some(message) = rows::read(self.shared, self.conn, &log.channel, row)?
            && message.is_for(self.user)
            && !message.is_unlisted()
            && !self.is_hidden(&message)?
        {
            self.bytes += message.weight();
            self.messages.push(message);
        }
        Ok(())
    }
}
