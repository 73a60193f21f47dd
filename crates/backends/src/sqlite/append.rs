//! Appending one message inside the writer's transaction.

use crosstalk_core::channel::LogKind;
use crosstalk_core::log::{Append, AppendOutcome, Head};
use crosstalk_core::message::{Naming, OnReuse, client_key};
use rusqlite::{Connection, OptionalExtension};

use super::Shared;
use super::advance::{Key, Place};
use super::carried;
use super::dedup::{Claim, Dedup, Found};
use super::directed;
use super::error::DbResult;
use super::files;
use super::heads::Heads;
use super::rows::{self, MessageRow};

/// What appending needs of the writer for the length of a transaction.
pub(super) struct Appender<'a> {
    pub(super) conn: &'a Connection,
    pub(super) shared: &'a Shared,
    pub(super) heads: &'a mut Heads,
    pub(super) dedup: &'a mut Dedup,
    /// Own advances that the end of the transaction settles.
    pub(super) staged: &'a mut Vec<Key>,
    /// The newest id of the transaction.
    pub(super) last: &'a mut i64,
}

impl Appender<'_> {
    /// Appends a message, or finds that it was appended before. The outcome counts only when
    /// the transaction is committed.
    pub(super) fn append(&mut self, item: &Append) -> DbResult<AppendOutcome> {
        let body = &*item.body;
        let realm = &item.channel.key.realm;
        let key = body.client_key(realm);
        let claim = key.map(|key| Claim {
            key,
            digest: body.digest(),
            sender: item.sender.num,
            channel: item.channel.num,
            client_no: &body.client_no,
        });
        let mut naming = Naming::default();
        if let Some(claim) = &claim {
            match self.dedup.find(self.conn, &self.shared.counters, claim)? {
                Found::Same {
                    id,
                    seq,
                    sent_at_ms,
                } => {
                    return Ok(AppendOutcome::Duplicate {
                        id,
                        seq,
                        sent_at_ms,
                    });
                }
                Found::Other { .. } if item.on_reuse == OnReuse::Refuse => {
                    return Ok(AppendOutcome::Conflict);
                }
                Found::Other { number_taken } | Found::New { number_taken } => {
                    naming.number_taken = number_taken;
                }
            }
        }
        let name = body.name.as_deref();
        let mut named = name.and_then(|name| Some((client_key(realm, name)?, name)));
        if let Some((key, name)) = named {
            let dedup = &*self.dedup;
            if dedup.has_name(self.conn, &self.shared.counters, key, (realm, name))? {
                named = None;
            }
        }
        naming.name_dropped = name.is_some() && named.is_none();
        let keys = [key, named.map(|(key, _)| key)];
        self.store(item, keys, naming)
    }

    fn store(
        &mut self,
        item: &Append,
        keys: [Option<i64>; 2],
        naming: Naming,
    ) -> DbResult<AppendOutcome> {
        let (channel, sender) = (&item.channel, item.sender.num);
        let head = self.heads.get(self.conn, channel.num)?;
        let seq = head.seq + 1;
        let ordinal = head.ordinal + u64::from(item.body.takes_ordinal());
        let id = self.shared.ids.next();
        let sent_at_ms = self.shared.clock.now_ms();
        let place = (id.0, channel.num.0, rows::seq(seq), rows::seq(ordinal));
        MessageRow::new(place, sender, sent_at_ms, &item.body, naming).insert(self.conn)?;
        directed::note(self.conn, item, seq)?;
        if item.body.carried.is_some() {
            carried::note(self.conn, item, id, seq)?;
        }
        files::note(self.conn, item, id)?;
        if keys != [None; 2] {
            let digest = item.body.digest();
            for key in keys.into_iter().flatten() {
                self.dedup.stage((key, id.0), digest);
            }
        }
        self.heads.set(channel.num, Head { seq, ordinal });
        *self.last = id.0;
        if seq == 1 && !item.first_contact.is_empty() {
            self.first_contact(item, sent_at_ms)?;
        }
        // The command log has no conversations of its own: nothing in it is ever unread.
        if channel.log == LogKind::Chat {
            let key = (sender, channel.num);
            self.shared.advances.stage(key, Place { seq, ordinal });
            self.staged.push(key);
        }
        Ok(AppendOutcome::Stored {
            id,
            seq,
            ordinal,
            sent_at_ms,
            naming,
        })
    }

    /// Gives those who are to have it a view of the channel. One in which nothing was said,
    /// though something has changed, is not shown.
    fn first_contact(&self, item: &Append, now_ms: i64) -> DbResult<()> {
        let Some(chat) = self.chat_of(item)? else {
            return Ok(());
        };
        let sql = "INSERT INTO conversation (user, channel, read_seq, badge_seq, badge_ordinal, \
                   cleared_seq, hidden_seq, pinned_at, muted, version) \
                   VALUES (?1, ?2, 0, 0, 0, 0, 0, 0, 0, ?3) ON CONFLICT DO NOTHING";
        let mut insert = self.conn.prepare_cached(sql)?;
        for user in &*item.first_contact {
            insert.execute([user.0, chat, now_ms])?;
        }
        Ok(())
    }

    /// The chat log to whose channel the log of an append belongs.
    fn chat_of(&self, item: &Append) -> DbResult<Option<i64>> {
        let channel = &item.channel;
        if channel.log == LogKind::Chat {
            return Ok(Some(channel.num.0));
        }
        let key = &channel.key;
        let sql = "SELECT num FROM channel WHERE realm = ?1 AND kind = ?2 AND id = ?3 AND log = 0";
        let mut find = self.conn.prepare_cached(sql)?;
        let found = find.query_row((key.realm.as_str(), key.kind.0, &*key.id), |row| row.get(0));
        Ok(found.optional()?)
    }
}
