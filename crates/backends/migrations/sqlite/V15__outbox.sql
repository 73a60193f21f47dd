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
