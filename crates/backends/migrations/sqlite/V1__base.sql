-- What the first ports need. Integers that name users and channels are surrogates that carry
-- their realm. Partitions of client numbers (client_key_<week>) are made when a week begins.

CREATE TABLE meta (
    one             INTEGER PRIMARY KEY CHECK (one = 1),
    -- Own sends of messages up to this id are in their senders' conversations.
    flushed_through INTEGER NOT NULL
) STRICT;
INSERT INTO meta (one, flushed_through) VALUES (1, 0);

CREATE TABLE user (
    num             INTEGER PRIMARY KEY,
    realm           TEXT    NOT NULL,
    uid             TEXT    NOT NULL,
    flags           INTEGER NOT NULL,
    tokens_after_ms INTEGER NOT NULL,
    profile         TEXT,
    version         INTEGER NOT NULL,
    UNIQUE (realm, uid)
) STRICT;

CREATE TABLE app (
    app_id     TEXT PRIMARY KEY,
    realm      TEXT NOT NULL,
    name       TEXT NOT NULL,
    secret_enc BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE flag_token (
    user  INTEGER NOT NULL,
    flag  INTEGER NOT NULL,
    hash  BLOB,
    level INTEGER NOT NULL,
    PRIMARY KEY (user, flag)
) STRICT, WITHOUT ROWID;

-- One row per log of a channel. Settings, members and lists belong to the chat log's row.
CREATE TABLE channel (
    num          INTEGER PRIMARY KEY,
    realm        TEXT    NOT NULL,
    kind         INTEGER NOT NULL,
    id           TEXT    NOT NULL,
    log          INTEGER NOT NULL,
    -- What queries need of the settings: bit 0 = history since the join only.
    flags        INTEGER NOT NULL,
    settings     TEXT    NOT NULL,
    member_count INTEGER NOT NULL,
    first_seq    INTEGER NOT NULL,
    UNIQUE (realm, kind, id, log)
) STRICT;

-- Appended in id order, so that a commit writes the table's last page and not one per channel.
CREATE TABLE message (
    id         INTEGER PRIMARY KEY,
    channel    INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    ordinal    INTEGER NOT NULL,
    sender     INTEGER NOT NULL,
    origin     INTEGER NOT NULL,
    tag        TEXT    NOT NULL,
    flags      INTEGER NOT NULL,
    sent_at    INTEGER NOT NULL,
    expires_at INTEGER,
    client_no  TEXT    NOT NULL,
    payload    BLOB    NOT NULL,
    extra      BLOB,
    crc        INTEGER NOT NULL
) STRICT;
-- Narrow and covering: pages, heads and the ordinal at a seq come from here.
CREATE UNIQUE INDEX message_place ON message (channel, seq, ordinal);

CREATE TABLE member (
    channel      INTEGER NOT NULL,
    user         INTEGER NOT NULL,
    state        INTEGER NOT NULL,
    role         INTEGER NOT NULL,
    muted_until  INTEGER NOT NULL,
    join_seq     INTEGER NOT NULL,
    join_ordinal INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    PRIMARY KEY (channel, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_of ON member (user, channel, state);
-- At most one owner (role 2); whoever leaves loses the role.
CREATE UNIQUE INDEX member_owner ON member (channel) WHERE role = 2;

CREATE TABLE access_list (
    channel INTEGER NOT NULL,
    list    INTEGER NOT NULL,
    user    INTEGER NOT NULL,
    PRIMARY KEY (channel, list, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE relation (
    user  INTEGER NOT NULL,
    other INTEGER NOT NULL,
    state INTEGER NOT NULL,
    PRIMARY KEY (user, other)
) STRICT, WITHOUT ROWID;

-- Made lazily; for a direct channel both rows at first contact.
CREATE TABLE conversation (
    user          INTEGER NOT NULL,
    channel       INTEGER NOT NULL,
    read_seq      INTEGER NOT NULL,
    badge_seq     INTEGER NOT NULL,
    badge_ordinal INTEGER NOT NULL,
    cleared_seq   INTEGER NOT NULL,
    hidden_seq    INTEGER NOT NULL,
    pinned_at     INTEGER NOT NULL,
    muted         INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    PRIMARY KEY (user, channel)
) STRICT, WITHOUT ROWID;
