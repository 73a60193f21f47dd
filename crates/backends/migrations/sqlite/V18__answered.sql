-- Answers to requests that carried a key of their caller's.
CREATE TABLE answered (
    num         INTEGER PRIMARY KEY,
    asker       TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    -- NULL = an application.
    user        INTEGER,
    -- Its place among the answers of the same asker, rising.
    place       INTEGER NOT NULL,
    fingerprint BLOB    NOT NULL,
    at          INTEGER NOT NULL,
    status      INTEGER NOT NULL,
    media_type  TEXT    NOT NULL,
    -- Sealed; NULL = it is not kept.
    body        BLOB,
    UNIQUE (asker, key),
    UNIQUE (asker, place)
) STRICT;
CREATE INDEX answered_at ON answered (at);
CREATE INDEX answered_user ON answered (user) WHERE user IS NOT NULL;
