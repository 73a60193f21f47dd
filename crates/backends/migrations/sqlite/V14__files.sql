-- Files. Bytes are in a blob store; here is what is known of them.

-- Bytes that are kept once, whoever gave them.
CREATE TABLE blob (
    sha256       BLOB PRIMARY KEY,
    -- Where they are in the blob store.
    key          TEXT    NOT NULL,
    -- Since when no file is made of it; NULL = one is.
    unused_since INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX blob_key ON blob (key);
CREATE INDEX blob_unused ON blob (unused_since) WHERE unused_since IS NOT NULL;

CREATE TABLE file (
    id         TEXT PRIMARY KEY,
    realm      TEXT    NOT NULL,
    -- NULL = the application.
    owner      INTEGER,
    name       TEXT    NOT NULL,
    media_type TEXT    NOT NULL,
    size       INTEGER NOT NULL,
    sha256     BLOB    NOT NULL,
    width      INTEGER NOT NULL,
    height     INTEGER NOT NULL,
    public     INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX file_blob ON file (sha256);
CREATE INDEX file_owner ON file (realm, owner, created_at, size);

-- Which messages were sent with a file.
CREATE TABLE file_ref (
    file    TEXT    NOT NULL,
    message INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    PRIMARY KEY (file, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_ref_message ON file_ref (message);

CREATE TABLE file_thumbnail (
    blob       TEXT    NOT NULL,
    side       INTEGER NOT NULL,
    key        TEXT    NOT NULL,
    media_type TEXT    NOT NULL,
    size       INTEGER NOT NULL,
    PRIMARY KEY (blob, side)
) STRICT, WITHOUT ROWID;

-- Keys in the blob store that nothing needs, or that are just being put there.
CREATE TABLE file_garbage (
    key TEXT PRIMARY KEY,
    at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX file_garbage_at ON file_garbage (at);

-- Uploads that come in parts.
CREATE TABLE file_upload (
    id         TEXT PRIMARY KEY,
    realm      TEXT    NOT NULL,
    owner      INTEGER,
    name       TEXT    NOT NULL,
    size       INTEGER NOT NULL,
    sha256     BLOB,
    public     INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX file_upload_expires ON file_upload (expires_at);
CREATE INDEX file_upload_owner ON file_upload (realm, owner);
