//! Word lists.

use async_trait::async_trait;
use crosstalk_core::admin::{MAX_WORDS, Word, WordAction, WordLists};
use crosstalk_core::id::Realm;
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::sqlite::Sqlite;
use crate::sqlite::error::DbResult;
use crate::sqlite::names;

#[async_trait]
impl WordLists for Sqlite {
    async fn worded_realms(&self) -> StoreResult<Vec<Realm>> {
        self.read(|conn, _| {
            let mut find = conn.prepare_cached("SELECT DISTINCT realm FROM word")?;
            let mut rows = find.query([])?;
            let mut realms = Vec::new();
            while let Some(row) = rows.next()? {
                realms.push(names::realm(row, 0)?);
            }
            Ok(realms)
        })
        .await
    }

    async fn all_words(&self, realm: &Realm) -> StoreResult<Vec<Word>> {
        self.words(realm, None, 0, u32::MAX).await
    }

    async fn words(
        &self,
        realm: &Realm,
        action: Option<WordAction>,
        after: i64,
        limit: u32,
    ) -> StoreResult<Vec<Word>> {
        let realm = realm.clone();
        self.read(move |conn, _| {
            let sql = "SELECT num, word, action, added_at FROM word WHERE realm = ?1 \
                       AND num > ?2 AND (?3 IS NULL OR action = ?3) ORDER BY num LIMIT ?4";
            let mut find = conn.prepare_cached(sql)?;
            let action = action.map(|action| action as i64);
            let of = params![realm.as_str(), after, action, limit];
            Ok(find.query_map(of, word)?.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn add_words(&self, realm: &Realm, words: &[Word]) -> StoreResult<Option<u32>> {
        let (realm, words) = (realm.clone(), words.to_vec());
        self.write(move |tx| {
            let before = count(tx.conn, &realm)?;
            let known = "SELECT action FROM word WHERE realm = ?1 AND word = ?2";
            let mut known = tx.conn.prepare_cached(known)?;
            let mut fresh = std::collections::HashSet::new();
            let mut changed = std::collections::HashSet::new();
            for word in &words {
                let of = [realm.as_str(), &word.word];
                let there: Option<i64> = known.query_row(of, |row| row.get(0)).optional()?;
                match there {
                    Some(action) if action == word.action as i64 => {}
                    Some(_) => drop(changed.insert(&word.word)),
                    None => drop(fresh.insert(&word.word)),
                }
            }
            let count_of = |words: usize| u32::try_from(words).unwrap_or(u32::MAX);
            if before.saturating_add(count_of(fresh.len())) > MAX_WORDS {
                return Ok(None);
            }
            let sql = "INSERT INTO word (realm, word, action, added_at) VALUES (?1, ?2, ?3, ?4) \
                       ON CONFLICT (realm, word) DO UPDATE SET action = ?3";
            let mut insert = tx.conn.prepare_cached(sql)?;
            for word in &words {
                let row = params![
                    realm.as_str(),
                    word.word,
                    word.action as i64,
                    word.added_at_ms
                ];
                insert.execute(row)?;
            }
            Ok(Some(count_of(fresh.len() + changed.len())))
        })
        .await
    }

    async fn remove_words(&self, realm: &Realm, words: &[String]) -> StoreResult<u32> {
        let (realm, words) = (realm.clone(), words.to_vec());
        self.write(move |tx| {
            let sql = "DELETE FROM word WHERE realm = ?1 AND word = ?2";
            let mut delete = tx.conn.prepare_cached(sql)?;
            let mut removed = 0;
            for word in &words {
                let rows = delete.execute([realm.as_str(), word])?;
                removed += u32::try_from(rows).unwrap_or(u32::MAX);
            }
            Ok(removed)
        })
        .await
    }
}

fn word(row: &Row<'_>) -> rusqlite::Result<Word> {
    Ok(Word {
        num: row.get(0)?,
        word: row.get(1)?,
        action: WordAction::from_number(row.get(2)?),
        added_at_ms: row.get(3)?,
    })
}

fn count(conn: &Connection, realm: &Realm) -> DbResult<u32> {
    let mut count = conn.prepare_cached("SELECT count(*) FROM word WHERE realm = ?1")?;
    Ok(count.query_row([realm.as_str()], |row| row.get(0))?)
}
