//! Bringing a file's schema up to date. Migrations are numbered, embedded and checksummed;
//! what was released is never edited. All pending ones run in one transaction.

use rusqlite::{Connection, OptionalExtension};

use super::error::{DbError, DbResult};

mod embedded {
    #![allow(missing_docs, unreachable_pub)]
    refinery::embed_migrations!("migrations/sqlite");
}

/// "CrTk": says that a SQLite file is one of ours.
pub(super) const APPLICATION_ID: i64 = 0x4372_546b;

const HISTORY: &str = "refinery_schema_history";

/// Looks at a file without changing it.
///
/// # Errors
/// `Corrupt` for a file that is not ours, `TooNew` for one of a later version.
pub(super) fn inspect(conn: &Connection) -> DbResult<()> {
    let application: i64 = conn.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (application != 0 || tables > 0) {
        let why = "this is a database of another program; it was left as it is";
        return Err(DbError::Corrupt(why.to_owned()));
    }
    let known = known_version();
    match stored_version(conn)? {
        Some(stored) if stored > known => Err(DbError::TooNew(format!(
            "the database has schema version {stored} and this program knows only up to \
             {known}: start the newer version again; the file was left as it is"
        ))),
        _ => Ok(()),
    }
}

/// Marks the file as ours and runs what it lacks.
///
/// # Errors
/// When a migration fails (none of the pending ones is applied then), or `Corrupt` if one
/// that was applied is not the one this program knows.
pub(super) fn migrate(conn: &mut Connection) -> DbResult<()> {
    conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    let runner = embedded::migrations::runner();
    let runner = runner
        .set_grouped(true)
        .set_abort_divergent(true)
        .set_abort_missing(true);
    runner.run(conn).map(|_| ()).map_err(|error| failed(&error))
}

/// Makes a file as an older version of the program left it.
#[cfg(test)]
pub(super) fn migrate_to(conn: &mut Connection, version: i32) {
    conn.pragma_update(None, "application_id", APPLICATION_ID)
        .expect("a new file");
    let runner = embedded::migrations::runner().set_grouped(true);
    let runner = runner.set_target(refinery::Target::Version(version));
    runner.run(conn).expect("migrated");
}

fn failed(error: &refinery::Error) -> DbError {
    use refinery::error::Kind;
    match error.kind() {
        Kind::Connection(..) => DbError::Unavailable(format!("migrating: {error}")),
        _ => DbError::Corrupt(format!("migrating: {error}")),
    }
}

fn known_version() -> i64 {
    let all = embedded::migrations::runner();
    all.get_migrations()
        .iter()
        .map(|migration| i64::from(migration.version()))
        .max()
        .unwrap_or(0)
}

fn stored_version(conn: &Connection) -> DbResult<Option<i64>> {
    let sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1";
    let there: Option<i64> = conn
        .query_row(sql, [HISTORY], |row| row.get(0))
        .optional()?;
    if there.is_none() {
        return Ok(None);
    }
    let sql = format!("SELECT max(version) FROM {HISTORY}");
    Ok(conn.query_row(&sql, [], |row| row.get(0))?)
}
