//! Connections: which file, which pragmas, and that nobody else writes it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::error::{DbError, DbResult};
use super::migrate;
use super::options::{Durability, SqliteOptions};

/// Bytes per page. Most pages that a commit touches are touched for one entry of some 20
/// bytes (an index leaf per channel, a key leaf per client number), so small pages write
/// less.
pub(super) const PAGE_BYTES: u64 = 4096;

/// How long a statement waits for a lock that somebody else holds, such as a backup tool.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// Statements kept prepared per connection: more than there are.
const STATEMENTS: usize = 128;

/// Page caches, in KiB. What is not here is read from the system's file cache. Memory maps
/// are not used: an I/O error there kills the process instead of failing a statement.
const WRITER_CACHE_KIB: i64 = 32 << 10;
const READER_CACHE_KIB: i64 = 16 << 10;

/// Where a database lives, and what keeps it ours.
pub(super) struct Place {
    pub(super) path: PathBuf,
    durability: &'static str,
    /// Held for as long as the store is open. The database file itself must not be opened
    /// besides: closing any handle of it would drop SQLite's own locks.
    _lock: File,
    _temporary: Option<TempDir>,
}

impl Place {
    /// Finds the file and locks it.
    ///
    /// # Errors
    /// `Unavailable` when another store has it open or it cannot be reached.
    pub(super) fn take(options: &SqliteOptions) -> DbResult<Self> {
        let (path, temporary) = match &options.path {
            Some(path) => (path.clone(), None),
            None => {
                let dir = tempfile::Builder::new().prefix("crosstalk-").tempdir();
                let dir = dir.map_err(|error| io("no temporary directory", &error))?;
                (dir.path().join("crosstalk.db"), Some(dir))
            }
        };
        let durability = match (temporary.is_some(), options.durability) {
            (true, _) => "OFF",
            (false, Durability::Full) => "FULL",
            (false, Durability::Relaxed) => "NORMAL",
        };
        let lock = lock(&path)?;
        write_log_again(&path).map_err(|error| io("the log cannot be written", &error))?;
        Ok(Self {
            _lock: lock,
            path,
            durability,
            _temporary: temporary,
        })
    }

    /// Opens the connection that writes: checks the file, then brings it up to date.
    ///
    /// # Errors
    /// `Corrupt` for a foreign or broken file, `TooNew` for one of a later version.
    pub(super) fn writer(&self) -> DbResult<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut conn = self.connect(flags)?;
        migrate::inspect(&conn)?;
        self.ends_with_a_page(&conn)?;
        conn.pragma_update(None, "page_size", PAGE_BYTES.cast_signed())?;
        let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            let why = format!("no write-ahead log is possible here (journal mode {mode})");
            return Err(DbError::Unavailable(why));
        }
        configure(&conn, WRITER_CACHE_KIB)?;
        conn.pragma_update(None, "synchronous", self.durability)?;
        migrate::migrate(&mut conn)?;
        Ok(conn)
    }

    /// SQLite counts a page that is cut short as one, and reads what it lacks as zeros. Only
    /// while there is a log may the file end so: the log has the page as well.
    fn ends_with_a_page(&self, conn: &Connection) -> DbResult<()> {
        let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let mut log = self.path.as_os_str().to_owned();
        log.push("-wal");
        let page: u32 = conn.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let over = bytes(&self.path) % u64::from(page.max(1));
        if over == 0 || bytes(Path::new(&log)) > 0 {
            return Ok(());
        }
        let why = format!("the database is malformed: its last page has only {over} bytes");
        Err(DbError::Corrupt(why))
    }

    fn connect(&self, flags: OpenFlags) -> DbResult<Connection> {
        let conn = Connection::open_with_flags(&self.path, flags)?;
        conn.busy_timeout(BUSY)?;
        // Closing must not move the log into the file in passing: not into one that is
        // refused, and not where the writer would have to wait for it.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(conn)
    }

    /// Opens a connection that can only read.
    pub(super) fn reader(&self) -> DbResult<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = self.connect(flags)?;
        configure(&conn, READER_CACHE_KIB)?;
        conn.pragma_update(None, "query_only", true)?;
        Ok(conn)
    }
}

fn configure(conn: &Connection, cache_kib: i64) -> DbResult<()> {
    // The writer moves the log by itself.
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    // A plan depends on the statement alone. Otherwise some are planned anew for each value
    // that is bound to them.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "foreign_keys", false)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "cache_size", -cache_kib)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Two writers would give the same seqs: the second is refused.
fn lock(path: &Path) -> DbResult<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let options = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(name);
    let file = options.map_err(|error| io("the lock file cannot be opened", &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DbError::Unavailable(
            "the database is in use by another server".to_owned(),
        )),
        Err(TryLockError::Error(error)) => Err(io("the lock file cannot be locked", &error)),
    }
}

/// Writes the log over itself and syncs it. After a sync that failed the system takes the
/// pages for clean and still shows them: a later process would read commits that were refused
/// and are not on the disk, and build upon them, and the next loss of power would take
/// everything that followed. Written again, they are synced for good, or this fails.
fn write_log_again(path: &Path) -> io::Result<()> {
    const PIECE: usize = 1 << 20;
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    let log = match OpenOptions::new().read(true).write(true).open(name) {
        Ok(log) => log,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut piece = vec![0; PIECE];
    let mut at = 0;
    loop {
        let count = log.read_at(&mut piece, at)?;
        if count == 0 {
            break;
        }
        log.write_all_at(&piece[..count], at)?;
        at += count as u64;
    }
    log.sync_all()
}

fn io(what: &str, error: &io::Error) -> DbError {
    DbError::Unavailable(format!("{what}: {error}"))
}
