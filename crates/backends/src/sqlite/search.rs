//! Finding messages by what they say: a full-text index in the same file, filled after the
//! fact in small batches between other writes.

use async_trait::async_trait;
use crosstalk_core::id::{ChannelNum, MessageId, Realm, UserNum};
use crosstalk_core::search::{DocChange, Found, IndexQuery, SearchDoc, SearchIndex, Term, Within};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, OptionalExtension};

use super::Sqlite;
use super::error::DbResult;
use super::rows::{self, count};
use super::work::Tx;

/// Changes that share a piece of the writer's time.
const SLICE: usize = 64;

#[async_trait]
impl SearchIndex for Sqlite {
    async fn apply(&self, changes: Vec<DocChange>) -> StoreResult<()> {
        let mut rest = changes.into_iter().peekable();
        while rest.peek().is_some() {
            let slice: Vec<_> = rest.by_ref().take(SLICE).collect();
            self.write(move |tx| slice.iter().try_for_each(|change| apply(tx, change)))
                .await?;
        }
        Ok(())
    }

    async fn find(&self, query: IndexQuery) -> StoreResult<Vec<Found>> {
        self.read(move |conn, _| find(conn, &query)).await
    }

    async fn clear(&self) -> StoreResult<()> {
        self.write(|tx| {
            let sql = "INSERT INTO search_index (search_index) VALUES ('delete-all')";
            tx.conn.execute(sql, [])?;
            Ok(())
        })
        .await
    }
}

fn apply(tx: &Tx<'_>, change: &DocChange) -> DbResult<()> {
    match change {
        DocChange::Remove(id) => remove(tx.conn, *id),
        DocChange::Put(doc) if is_there(tx.conn, doc.id)? => put(tx.conn, doc),
        DocChange::Put(doc) => remove(tx.conn, doc.id),
    }
}

/// Whether a message is there and still says something.
fn is_there(conn: &Connection, id: MessageId) -> DbResult<bool> {
    let sql = "SELECT flags FROM message WHERE id = ?1";
    let mut find = conn.prepare_cached(sql)?;
    let flags: Option<i64> = find.query_row([id.0], |row| row.get(0)).optional()?;
    Ok(flags.is_some_and(|flags| !rows::is_revoked(flags)))
}

fn put(conn: &Connection, doc: &SearchDoc) -> DbResult<()> {
    let place = [
        of_realm(&doc.realm),
        of_channel(doc.channel),
        of_sender(doc.sender),
        of_kind(&doc.kind),
    ];
    let sql = "INSERT OR REPLACE INTO search_index (rowid, words, place) VALUES (?1, ?2, ?3)";
    let mut put = conn.prepare_cached(sql)?;
    put.execute((doc.id.0, doc.words.join(" "), place.join(" ")))?;
    Ok(())
}

/// Nothing is found of a message any more.
pub(super) fn remove(conn: &Connection, id: MessageId) -> DbResult<()> {
    let mut remove = conn.prepare_cached("DELETE FROM search_index WHERE rowid = ?1")?;
    remove.execute([id.0])?;
    Ok(())
}

fn of_realm(realm: &Realm) -> String {
    let hex = realm.as_str().bytes().map(|byte| format!("{byte:02x}"));
    format!("r{}", hex.collect::<String>())
}

fn of_channel(channel: ChannelNum) -> String {
    format!("c{}", channel.0)
}

fn of_sender(sender: UserNum) -> String {
    format!("u{}", sender.0)
}

fn of_kind(kind: &str) -> String {
    let letters = kind.chars().filter(char::is_ascii_alphanumeric);
    format!("t{}", letters.collect::<String>())
}

/// A word as the index's language has it. Words have no quotes, and yet.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn of_term(term: &Term) -> String {
    let goes_on = if term.is_prefix { " *" } else { "" };
    format!("{}{goes_on}", quoted(&term.words.join(" ")))
}

/// The question in the index's language.
fn question(query: &IndexQuery) -> String {
    let mut parts = Vec::new();
    if !query.terms.is_empty() {
        let terms: Vec<_> = query.terms.iter().map(of_term).collect();
        parts.push(format!("words : ({})", terms.join(" AND ")));
    }
    let places: Vec<_> = match &query.within {
        Within::Realm(realm) => vec![quoted(&of_realm(realm))],
        Within::Channels(channels) => {
            let names = channels.iter().map(|channel| quoted(&of_channel(*channel)));
            names.collect()
        }
    };
    parts.push(format!("place : ({})", places.join(" OR ")));
    let sender = query.sender.map(of_sender);
    let kind = query.kind.as_deref().map(of_kind);
    let also = [sender, kind].into_iter().flatten();
    parts.extend(also.map(|name| format!("place : {}", quoted(&name))));
    parts.join(" AND ")
}

fn find(conn: &Connection, query: &IndexQuery) -> DbResult<Vec<Found>> {
    if query.within == Within::Channels(Vec::new()) {
        return Ok(Vec::new());
    }
    let sql = "SELECT f.rowid, m.channel, m.seq FROM search_index f \
               CROSS JOIN message m ON m.id = f.rowid \
               WHERE search_index MATCH ?1 AND f.rowid >= ?2 AND f.rowid < ?3 \
               ORDER BY f.rowid DESC LIMIT ?4";
    let mut find = conn.prepare_cached(sql)?;
    let bounds = (
        question(query),
        query.from.0,
        query.before.0,
        i64::from(query.limit),
    );
    let found = find.query_map(bounds, |row| {
        Ok(Found {
            id: MessageId(row.get(0)?),
            channel: ChannelNum(row.get(1)?),
            seq: count(row, 2)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_quoted() {
        let query = IndexQuery {
            within: Within::Channels(vec![ChannelNum(3), ChannelNum(12)]),
            terms: vec![
                Term {
                    words: vec!["你好".to_owned(), "好吗".to_owned()],
                    is_prefix: false,
                },
                Term {
                    words: vec!["a\" OR b".to_owned()],
                    is_prefix: true,
                },
            ],
            sender: Some(UserNum(7)),
            kind: Some("customer_x".to_owned()),
            from: MessageId(0),
            before: MessageId(i64::MAX),
            limit: 1,
        };
        assert_eq!(
            question(&query),
            "words : (\"你好 好吗\" AND \"a\"\" OR b\" *) AND place : (\"c3\" OR \"c12\") \
             AND place : \"u7\" AND place : \"tcustomerx\""
        );
    }
}
