//! Messages as rows, and the checksum that stands beside each.
//!
//! A revoked message is a row without content and with a flag; who revoked it and when stands
//! in `message_state`, where nobody looks for the rows without that flag.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::carried::Carried;
use crosstalk_core::channel::ChannelRef;
use crosstalk_core::id::{MessageId, UserNum};
use crosstalk_core::message::{
    Body, Flags, Gone, Message, Naming, Origin, Revocation, expires_at_ms,
};
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, Row};

use super::error::DbResult;
use super::stats::add;
use super::{Shared, directed, edits};

/// A message's columns in the order in which they are written, read and summed.
pub(super) struct MessageRow<'a> {
    pub(super) id: i64,
    pub(super) channel: i64,
    pub(super) seq: i64,
    pub(super) ordinal: i64,
    pub(super) sender: i64,
    pub(super) origin: i64,
    pub(super) tag: &'a str,
    pub(super) flags: i64,
    pub(super) sent_at: i64,
    pub(super) expires_at: Option<i64>,
    pub(super) client_no: &'a str,
    pub(super) payload: &'a [u8],
    pub(super) extra: Option<&'a [u8]>,
    pub(super) name: Option<&'a str>,
    pub(super) audience: Option<Cow<'a, [u8]>>,
    pub(super) carried: Option<Cow<'a, str>>,
}

/// The columns of [`read`].
pub(super) const MESSAGE_COLUMNS: &str = "id, channel, seq, ordinal, sender, origin, tag, flags, \
     sent_at, expires_at, client_no, payload, extra, crc, name, audience, carried";

/// Set in `message.flags` beside what the core keeps there.
pub(super) const REVOKED: i64 = 1 << 16;

/// Set in `message.flags` of a message that was edited.
pub(super) const EDITED: i64 = 1 << 17;

/// Whether a row with these flags was revoked.
pub(super) fn is_revoked(flags: i64) -> bool {
    flags & REVOKED != 0
}

/// The origin with a stored number.
pub(super) fn origin(number: i64) -> Origin {
    Origin(u8::try_from(number).unwrap_or(0))
}

const INSERT: &str = "INSERT INTO message (id, channel, seq, ordinal, sender, origin, tag, flags, \
     sent_at, expires_at, client_no, payload, extra, crc, name, audience, carried) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";

impl<'a> MessageRow<'a> {
    /// The row of a body at its place.
    pub(super) fn new(
        place: (i64, i64, i64, i64),
        sender: UserNum,
        sent_at: i64,
        body: &'a Body,
        naming: Naming,
    ) -> Self {
        let (id, channel, seq, ordinal) = place;
        let flags = Flags {
            number_taken: naming.number_taken,
            ..body.flags
        };
        let audience = body.audience.as_deref().map(directed::to_bytes);
        Self {
            id,
            channel,
            seq,
            ordinal,
            sender: sender.0,
            origin: i64::from(body.origin.0),
            tag: &body.tag,
            flags: flags.bits(),
            sent_at,
            expires_at: expires_at_ms(sent_at, body.expire_secs),
            client_no: &body.client_no,
            payload: &body.payload,
            extra: body.extra.as_deref(),
            name: body.name.as_deref().filter(|_| !naming.name_dropped),
            audience: audience.map(Cow::Owned),
            carried: body.carried.as_deref().and_then(carried).map(Cow::Owned),
        }
    }

    /// The row, if it is what was written.
    pub(super) fn sound(row: &'a Row<'_>) -> Option<Self> {
        let (found, crc) = Self::from_row(row).ok()?;
        (found.crc() == crc).then_some(found)
    }

    fn from_row(row: &'a Row<'_>) -> Result<(Self, i64), FromSqlError> {
        let column = |at: usize| {
            row.get_ref(at)
                .map_err(|error| FromSqlError::Other(error.into()))
        };
        let found = Self {
            id: column(0)?.as_i64()?,
            channel: column(1)?.as_i64()?,
            seq: column(2)?.as_i64()?,
            ordinal: column(3)?.as_i64()?,
            sender: column(4)?.as_i64()?,
            origin: column(5)?.as_i64()?,
            tag: column(6)?.as_str()?,
            flags: column(7)?.as_i64()?,
            sent_at: column(8)?.as_i64()?,
            expires_at: column(9)?.as_i64_or_null()?,
            client_no: column(10)?.as_str()?,
            payload: column(11)?.as_blob()?,
            extra: column(12)?.as_blob_or_null()?,
            name: column(14)?.as_str_or_null()?,
            audience: column(15)?.as_blob_or_null()?.map(Cow::Borrowed),
            carried: column(16)?.as_str_or_null()?.map(Cow::Borrowed),
        };
        Ok((found, column(13)?.as_i64()?))
    }

    /// The sum over everything in the row. Lengths stand before texts, so that bytes cannot
    /// move from one column to the next unseen.
    pub(super) fn crc(&self) -> i64 {
        let mut sum = crc32fast::Hasher::new();
        let mut numbers = [0_u8; 8 * 13];
        let expires_at = self.expires_at.unwrap_or(i64::MIN);
        let extra = self.extra.map_or(-1, length);
        let all = [
            self.id,
            self.channel,
            self.seq,
            self.ordinal,
            self.sender,
            self.origin,
            self.flags,
            self.sent_at,
            expires_at,
            length(self.tag.as_bytes()),
            length(self.client_no.as_bytes()),
            length(self.payload),
            extra,
        ];
        for (to, number) in numbers.chunks_exact_mut(8).zip(all) {
            to.copy_from_slice(&number.to_le_bytes());
        }
        sum.update(&numbers);
        sum.update(self.tag.as_bytes());
        sum.update(self.client_no.as_bytes());
        sum.update(self.payload);
        sum.update(self.extra.unwrap_or_default());
        if self.name.is_some() || self.audience.is_some() || self.carried.is_some() {
            // Rows without these have the sum that they had before there were any.
            let audience = self.audience.as_deref();
            for part in [self.name.map(str::as_bytes), audience] {
                sum.update(&part.map_or(-1, length).to_le_bytes());
                sum.update(part.unwrap_or_default());
            }
        }
        if let Some(carried) = self.carried.as_deref() {
            sum.update(&length(carried.as_bytes()).to_le_bytes());
            sum.update(carried.as_bytes());
        }
        i64::from(sum.finalize())
    }

    /// Writes the row.
    pub(super) fn insert(&self, conn: &Connection) -> DbResult<()> {
        let mut insert = conn.prepare_cached(INSERT)?;
        insert.execute(rusqlite::params![
            self.id,
            self.channel,
            self.seq,
            self.ordinal,
            self.sender,
            self.origin,
            self.tag,
            self.flags,
            self.sent_at,
            self.expires_at,
            self.client_no,
            self.payload,
            self.extra,
            self.crc(),
            self.name,
            self.audience.as_deref(),
            self.carried.as_deref(),
        ])?;
        Ok(())
    }

    /// Erases the row's content; its place and all else stays. What it carries is ended by
    /// [`carried::end`](super::carried::end).
    pub(super) fn erase(mut self, conn: &Connection) -> DbResult<()> {
        super::search::remove(conn, MessageId(self.id))?;
        super::files::unnote(conn, MessageId(self.id))?;
        (self.payload, self.extra, self.carried) = (&[], None, None);
        self.flags |= REVOKED;
        let sql = "UPDATE message SET flags = ?2, payload = X'', extra = NULL, carried = NULL, \
                   crc = ?3 WHERE id = ?1";
        let mut erase = conn.prepare_cached(sql)?;
        erase.execute([self.id, self.flags, self.crc()])?;
        Ok(())
    }

    /// Has its time end at a moment.
    pub(super) fn end_at(mut self, conn: &Connection, at_ms: i64) -> DbResult<()> {
        self.expires_at = Some(at_ms);
        let sql = "UPDATE message SET expires_at = ?2, crc = ?3 WHERE id = ?1";
        let mut end = conn.prepare_cached(sql)?;
        end.execute([self.id, at_ms, self.crc()])?;
        Ok(())
    }

    /// Whether its time was over at a moment.
    fn is_over(&self, shared: &Shared) -> bool {
        self.expires_at
            .is_some_and(|at| at <= shared.clock.now_ms())
    }

    /// Sets a flag that tells where more of the message stands.
    pub(super) fn mark(mut self, conn: &Connection, flag: i64) -> DbResult<()> {
        self.flags |= flag;
        let sql = "UPDATE message SET flags = ?2, crc = ?3 WHERE id = ?1";
        let mut mark = conn.prepare_cached(sql)?;
        mark.execute([self.id, self.flags, self.crc()])?;
        Ok(())
    }

    /// Replaces the row's payload; all else stays.
    pub(super) fn rewrite(self, conn: &Connection, payload: &[u8]) -> DbResult<()> {
        let row = MessageRow { payload, ..self };
        let sql = "UPDATE message SET payload = ?2, crc = ?3 WHERE id = ?1";
        let mut rewrite = conn.prepare_cached(sql)?;
        rewrite.execute(rusqlite::params![row.id, payload, row.crc()])?;
        Ok(())
    }

    /// Who may see it beside its sender; `None` = everybody.
    pub(super) fn audience(&self) -> Option<Arc<[UserNum]>> {
        self.audience.as_deref().map(directed::from_bytes)
    }

    fn body(&self) -> Body {
        let life = self.expires_at.map_or(0, |at| {
            at.saturating_sub(self.sent_at).saturating_add(999) / 1000
        });
        Body {
            client_no: self.client_no.into(),
            origin: origin(self.origin),
            tag: self.tag.into(),
            flags: Flags::from_bits(self.flags),
            expire_secs: u32::try_from(life).unwrap_or(0),
            payload: Bytes::copy_from_slice(self.payload),
            extra: self.extra.map(Bytes::copy_from_slice),
            name: self.name.map(Arc::from),
            audience: self.audience(),
            carried: self.carried.as_deref().and_then(read_carried),
        }
    }
}

/// The stored form of what a message carries.
pub(super) fn carried(carried: &Carried) -> Option<String> {
    serde_json::to_string(carried).ok()
}

/// From the stored form.
pub(super) fn read_carried(json: &str) -> Option<Arc<Carried>> {
    serde_json::from_str::<Carried>(json).ok()?.packed()
}

fn length(bytes: &[u8]) -> i64 {
    i64::try_from(bytes.len()).unwrap_or(i64::MAX)
}

/// The message in a row of [`MESSAGE_COLUMNS`]. A damaged one is reported and keeps its
/// place as a tombstone without content, so that a page stays whole: the server's own origin
/// (which nobody passes through unparsed) and no payload. `None` if not even its sender is
/// known.
pub(super) fn read(
    shared: &Shared,
    conn: &Connection,
    channel: &Arc<ChannelRef>,
    row: &Row<'_>,
) -> DbResult<Option<Message>> {
    if let Some(found) = MessageRow::sound(row)
        && found.channel == channel.num.0
        && let Some(sender) = shared.names.user(conn, UserNum(found.sender))?
    {
        // Not shown though it may not be erased yet.
        let is_over = found.is_over(shared);
        let is_edited = found.flags & (EDITED | REVOKED) == EDITED && !is_over;
        let edited = if is_edited {
            edits::last(conn, shared, found.id, &found.body())?
        } else {
            None
        };
        return Ok(Some(Message {
            id: MessageId(found.id),
            channel: Arc::clone(channel),
            seq: found.seq.cast_unsigned(),
            ordinal: found.ordinal.cast_unsigned(),
            sender,
            sent_at_ms: found.sent_at,
            body: Arc::new(if is_over {
                found.body().erased()
            } else {
                found.body()
            }),
            revoked: if is_revoked(found.flags) {
                Some(Box::new(revocation(shared, conn, found.id)?))
            } else if is_over {
                Some(Box::new(Revocation {
                    by: None,
                    at_ms: found.expires_at.unwrap_or(found.sent_at),
                    how: Gone::Expired,
                }))
            } else {
                None
            },
            edited,
            is_concealed: false,
        }));
    }
    tombstone(shared, conn, channel, row)
}

fn tombstone(
    shared: &Shared,
    conn: &Connection,
    channel: &Arc<ChannelRef>,
    row: &Row<'_>,
) -> DbResult<Option<Message>> {
    // The place stands in the index as well; the rest is taken as far as it can be read.
    let number = |at: usize| row.get::<_, i64>(at).unwrap_or(0);
    let (id, seq) = (number(0), number(2));
    tracing::error!(
        id,
        seq,
        channel = channel.num.0,
        "a stored message is damaged"
    );
    add(&shared.counters.damaged, 1);
    let Some(sender) = shared.names.user(conn, UserNum(number(4)))? else {
        return Ok(None);
    };
    Ok(Some(Message {
        id: MessageId(id),
        channel: Arc::clone(channel),
        seq: seq.cast_unsigned(),
        ordinal: number(3).cast_unsigned(),
        sender,
        sent_at_ms: number(8),
        body: Arc::new(Body {
            flags: Flags::from_bits(number(7)),
            ..Body::default()
        }),
        revoked: None,
        edited: None,
        is_concealed: false,
    }))
}

/// Who revoked a message and when. Without its state it stays revoked all the same.
pub(super) fn revocation(shared: &Shared, conn: &Connection, id: i64) -> DbResult<Revocation> {
    let sql = "SELECT revoked_by, revoked_at, gone FROM message_state WHERE id = ?1";
    let mut find = conn.prepare_cached(sql)?;
    let mut found = find.query([id])?;
    let Some(row) = found.next()? else {
        report(shared, id, "the state of a revoked message is gone");
        return Ok(Revocation::default());
    };
    let by: Option<i64> = row.get(0)?;
    let by = by.map(|num| shared.names.user(conn, UserNum(num)));
    Ok(Revocation {
        by: by.transpose()?.flatten(),
        at_ms: row.get::<_, Option<i64>>(1)?.unwrap_or(0),
        how: Gone::from_number(row.get(2)?),
    })
}

/// Counts and logs damage that was met at a message.
pub(super) fn report(shared: &Shared, id: i64, what: &str) {
    tracing::error!(id, "{what}");
    add(&shared.counters.damaged, 1);
}

/// A seq, ordinal or count in a column.
pub(super) fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(row
        .get::<_, Option<i64>>(at)?
        .unwrap_or(0)
        .max(0)
        .cast_unsigned())
}

/// A seq from outside as SQLite can compare it.
pub(super) fn seq(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
