//! The index of users' names: which contain a text, in order of the users' numbers, however
//! many users there are.

use std::collections::BTreeSet;

use crosstalk_core::directory::Profile;
use crosstalk_core::form::folded;
use crosstalk_core::id::Realm;
use rusqlite::{Connection, OptionalExtension, params};

use super::error::DbResult;
use super::names;

/// The longest part of a name that is kept, in characters.
const MAX_PART: usize = 3;
/// Characters of a name or text that are looked at; what is found is compared as a whole.
const MAX_CHARS: usize = 128;
/// Stands for each character of ASCII at which the index would cut a part in two.
const OTHER: char = '\u{e000}';
/// Cards that are brought to their form in one transaction.
const BATCH: i64 = 5000;

/// Puts a name into the index, or takes it out; both want the name in its form.
pub(super) fn put(conn: &Connection, realm: &str, user: i64, name: &str) -> DbResult<()> {
    if !name.is_empty() {
        let sql = "INSERT INTO user_names (rowid, parts) VALUES (?1, ?2)";
        let mut put = conn.prepare_cached(sql)?;
        put.execute(params![user, entry(realm, name)])?;
    }
    Ok(())
}

/// See [`put`]; `name` must be the one that was put.
pub(super) fn remove(conn: &Connection, realm: &str, user: i64, name: &str) -> DbResult<()> {
    if !name.is_empty() {
        let sql = "INSERT INTO user_names (user_names, rowid, parts) VALUES ('delete', ?1, ?2)";
        let mut remove = conn.prepare_cached(sql)?;
        remove.execute(params![user, entry(realm, name)])?;
    }
    Ok(())
}

/// The name under which a user is in the index.
pub(super) fn indexed(conn: &Connection, realm: &str, user: i64) -> DbResult<Option<String>> {
    let sql = "SELECT name FROM user_card WHERE realm = ?1 AND user = ?2";
    let mut find = conn.prepare_cached(sql)?;
    Ok(find
        .query_row(params![realm, user], |row| row.get(0))
        .optional()?)
}

/// Finds users of a realm whose names may contain a text that is in its form.
pub(super) fn question(realm: &str, text: &str) -> String {
    let chars: Vec<char> = text.chars().take(MAX_CHARS).collect();
    let of = chars.len().min(MAX_PART);
    let mut words: BTreeSet<String> = chars.windows(of.max(1)).map(word).collect();
    words.insert(word_of(realm));
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    quoted.join(" AND ")
}

fn entry(realm: &str, name: &str) -> String {
    let chars: Vec<char> = name.chars().take(MAX_CHARS).collect();
    let parts = (1..=MAX_PART).flat_map(|of| chars.windows(of).map(word));
    let mut words: BTreeSet<String> = parts.collect();
    words.insert(word_of(realm));
    Vec::from_iter(words).join(" ")
}

fn word(part: &[char]) -> String {
    let is_cut = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric();
    let kept = part.iter().map(|c| if is_cut(*c) { OTHER } else { *c });
    kept.collect()
}

/// A word for a realm, longer than any part.
fn word_of(realm: &str) -> String {
    let hex = realm.bytes().map(|byte| format!("{byte:02x}"));
    format!("realm{}", hex.collect::<String>())
}

/// Brings what an older version has kept of names to their form.
///
/// # Errors
/// When the file fails.
pub(super) fn bring_up(conn: &mut Connection) -> DbResult<()> {
    loop {
        let tx = conn.transaction()?;
        let mut count = 0;
        {
            let sql = "SELECT o.num, u.realm, u.profile FROM user_card_old o \
                       JOIN user u ON u.num = o.num ORDER BY o.num LIMIT ?1";
            let mut old = tx.prepare_cached(sql)?;
            let sql = "UPDATE user_card SET name = ?3 WHERE realm = ?1 AND user = ?2";
            let mut update = tx.prepare_cached(sql)?;
            let mut done = tx.prepare_cached("DELETE FROM user_card_old WHERE num = ?1")?;
            let mut rows = old.query([BATCH])?;
            let mut cards = Vec::new();
            while let Some(row) = rows.next()? {
                let profile: Option<String> = row.get(2)?;
                let profile = Profile::of(profile.as_deref());
                let name = folded(&profile.name.unwrap_or_default());
                let realm: Realm = names::realm(row, 1)?;
                cards.push((row.get::<_, i64>(0)?, realm, name));
            }
            drop(rows);
            for (num, realm, name) in cards {
                update.execute(params![realm.as_str(), num, name])?;
                put(&tx, realm.as_str(), num, &name)?;
                done.execute([num])?;
                count += 1;
            }
        }
        tx.commit()?;
        if count < BATCH {
            return Ok(());
        }
        tracing::info!(users = count, "older users can be found by their names");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_words() {
        assert_eq!(
            entry("r", "a b"),
            "a a\u{e000} a\u{e000}b b realm72 \u{e000} \u{e000}b"
        );
        assert_eq!(question("r", "张"), "\"realm72\" AND \"张\"");
        assert_eq!(question("r", "abcd"), "\"abc\" AND \"bcd\" AND \"realm72\"");
        assert_eq!(
            question("r", "\"a"),
            "\"realm72\" AND \"\u{e000}a\"",
            "no quote ends a word"
        );
    }
}
