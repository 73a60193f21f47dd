-- Moderation and administration: word lists, what waits for a moderator, bans, reports, the
-- audit log, tags, and work that is done in the background.

CREATE TABLE word (
    num      INTEGER PRIMARY KEY AUTOINCREMENT,
    realm    TEXT    NOT NULL,
    word     TEXT    NOT NULL,
    -- 0 = reject, 1 = mask, 2 = review.
    action   INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    UNIQUE (realm, word)
) STRICT;

-- Messages that were delivered and wait for a moderator (bit 12 of the flags).
CREATE INDEX message_review ON message (id) WHERE (flags & 4096) <> 0;
-- How far they have been put into the queue.
ALTER TABLE meta ADD COLUMN reviewed_through INTEGER NOT NULL DEFAULT 0;

CREATE TABLE review (
    num        INTEGER PRIMARY KEY AUTOINCREMENT,
    realm      TEXT    NOT NULL,
    -- 0 = pending, 1 = approved, 2 = rejected.
    state      INTEGER NOT NULL,
    -- A message that was delivered; NULL = one that is held, which stands in what follows.
    message    INTEGER UNIQUE,
    sender     INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    channel_id TEXT    NOT NULL,
    client_no  TEXT    NOT NULL,
    -- JSON of what else the body has.
    body       TEXT,
    payload    BLOB,
    extra      BLOB,
    created_at INTEGER NOT NULL,
    settled_by TEXT,
    note       TEXT,
    settled_at INTEGER
) STRICT;
CREATE INDEX review_state ON review (realm, state, num);
-- A retry is not held twice.
CREATE UNIQUE INDEX review_held ON review (sender, kind, channel_id, client_no)
    WHERE message IS NULL AND state = 0 AND client_no <> '';

CREATE TABLE ban (
    num        INTEGER PRIMARY KEY AUTOINCREMENT,
    realm      TEXT    NOT NULL,
    -- 0 = user, 1 = device.
    kind       INTEGER NOT NULL,
    target     TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    -- NULL = for ever.
    until      INTEGER,
    by         TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (realm, kind, target)
) STRICT;

CREATE TABLE user_report (
    num         INTEGER PRIMARY KEY AUTOINCREMENT,
    realm       TEXT    NOT NULL,
    -- 0 = open, 1 = resolved.
    state       INTEGER NOT NULL,
    reporter    INTEGER NOT NULL,
    -- 0 = message, 1 = user, 2 = channel.
    kind        INTEGER NOT NULL,
    target      TEXT    NOT NULL,
    -- Whom it is about, if it is about somebody.
    about       INTEGER,
    reason      TEXT    NOT NULL,
    text        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    -- 0 = none, 1 = delete_message, 2 = ban_user, 3 = warn.
    action      INTEGER,
    note        TEXT,
    resolved_by TEXT,
    resolved_at INTEGER
) STRICT;
CREATE INDEX user_report_state ON user_report (realm, state, num);
CREATE INDEX user_report_day ON user_report (reporter, created_at);

CREATE TABLE audit (
    num     INTEGER PRIMARY KEY AUTOINCREMENT,
    -- NULL = the server as a whole.
    realm   TEXT,
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    target  TEXT    NOT NULL,
    outcome INTEGER NOT NULL,
    address TEXT    NOT NULL,
    note    TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_realm ON audit (realm, num);

CREATE TABLE user_tag (
    realm TEXT    NOT NULL,
    tag   TEXT    NOT NULL,
    user  INTEGER NOT NULL,
    PRIMARY KEY (realm, tag, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_tag_of ON user_tag (user);

CREATE TABLE chore (
    num        INTEGER PRIMARY KEY AUTOINCREMENT,
    realm      TEXT    NOT NULL,
    -- 0 = broadcast, 1 = erase, 2 = export.
    kind       INTEGER NOT NULL,
    -- The user it is about; of a broadcast NULL.
    user       INTEGER,
    -- JSON.
    spec       TEXT    NOT NULL,
    -- 0 = queued, 1 = running, 2 = done, 3 = failed, 4 = cancelled.
    state      INTEGER NOT NULL,
    done       INTEGER NOT NULL,
    failed     INTEGER NOT NULL,
    total      INTEGER NOT NULL,
    -- JSON: where to go on.
    place      TEXT    NOT NULL,
    note       TEXT    NOT NULL,
    by         TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX chore_open ON chore (num) WHERE state < 2;
CREATE INDEX chore_user ON chore (user, kind, num) WHERE user IS NOT NULL;
CREATE INDEX chore_realm ON chore (realm, kind, num);

-- What an export has written so far.
CREATE TABLE chore_output (
    chore INTEGER NOT NULL,
    n     INTEGER NOT NULL,
    data  BLOB    NOT NULL,
    PRIMARY KEY (chore, n)
) STRICT;

-- Messages accepted per day, counted as far as counted_through says.
CREATE TABLE stat_day (
    realm    TEXT    NOT NULL,
    day      INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (realm, day)
) STRICT, WITHOUT ROWID;
ALTER TABLE meta ADD COLUMN counted_through INTEGER NOT NULL DEFAULT 0;

-- A secret that was replaced holds for a while; an app may be switched off or limited.
ALTER TABLE app ADD COLUMN old_secret_enc BLOB;
ALTER TABLE app ADD COLUMN old_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE app ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE app ADD COLUMN send_rate INTEGER;
ALTER TABLE app ADD COLUMN send_burst INTEGER;
