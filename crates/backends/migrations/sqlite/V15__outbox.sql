-- What consumers work through beside the message log, and how far they are.

-- Positions are not given again: whoever has seen all of them misses none that come.
CREATE TABLE event (
    pos     INTEGER PRIMARY KEY AUTOINCREMENT,
    realm   TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    channel INTEGER,
    at      INTEGER NOT NULL,
    -- JSON.
    body    BLOB    NOT NULL
) STRICT;

CREATE TABLE consumer (
    name        TEXT PRIMARY KEY,
    message_pos INTEGER NOT NULL,
    event_pos   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Addresses of applications that want to know what happens, or to be asked.
CREATE TABLE hook (
    id         TEXT PRIMARY KEY,
    realm      TEXT    NOT NULL,
    app        TEXT    NOT NULL,
    -- 0 = events, 1 = before a message is accepted.
    kind       INTEGER NOT NULL,
    enabled    INTEGER NOT NULL,
    secret_enc BLOB    NOT NULL,
    -- JSON.
    settings   TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Requests to hooks that could not be delivered.
CREATE TABLE dead_letter (
    n        INTEGER PRIMARY KEY AUTOINCREMENT,
    hook     TEXT    NOT NULL,
    event    TEXT    NOT NULL,
    event_id TEXT    NOT NULL,
    query    TEXT    NOT NULL,
    body     BLOB    NOT NULL,
    tries    INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX dead_letter_of ON dead_letter (hook, n);
