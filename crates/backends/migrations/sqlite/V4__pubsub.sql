-- Publish and subscribe over plain topics: subscribers whose sessions outlive connections,
-- what waits for them, and retained messages.

CREATE TABLE subscriber (
    -- Given by the core, never twice.
    num             INTEGER PRIMARY KEY,
    realm           TEXT    NOT NULL,
    user            INTEGER NOT NULL,
    client_id       TEXT    NOT NULL,
    expiry_secs     INTEGER NOT NULL,
    -- NULL = connected.
    detached_at     INTEGER,
    will_topic      TEXT,
    will_payload    BLOB,
    will_properties BLOB,
    will_qos        INTEGER,
    will_retain     INTEGER,
    will_expiry     INTEGER,
    will_delay      INTEGER,
    will_due        INTEGER,
    UNIQUE (user, client_id)
) STRICT;

CREATE TABLE subscription (
    subscriber INTEGER NOT NULL,
    filter     TEXT    NOT NULL,
    -- Bits 0-1 = guarantee, 2 = no local, 3 = retain as published, 4-5 = retain handling.
    options    INTEGER NOT NULL,
    id         INTEGER,
    PRIMARY KEY (subscriber, filter)
) STRICT, WITHOUT ROWID;

-- A message once, in however many queues it waits.
CREATE TABLE topic_message (
    num        INTEGER PRIMARY KEY,
    realm      TEXT    NOT NULL,
    topic      TEXT    NOT NULL,
    payload    BLOB    NOT NULL,
    properties BLOB    NOT NULL,
    qos        INTEGER NOT NULL,
    retain     INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;
CREATE INDEX topic_message_expiry ON topic_message (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE topic_queue (
    subscriber INTEGER NOT NULL,
    -- The place; the delivery's number follows from it.
    n          INTEGER NOT NULL,
    message    INTEGER NOT NULL,
    -- 0 = queued, 1 = sent, 2 = received.
    stage      INTEGER NOT NULL,
    qos        INTEGER NOT NULL,
    retain     INTEGER NOT NULL,
    -- 4 bytes each, little endian.
    ids        BLOB    NOT NULL,
    bytes      INTEGER NOT NULL,
    PRIMARY KEY (subscriber, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX topic_queue_message ON topic_queue (message);

-- Numbers of publications that were received and must count once.
CREATE TABLE qos2_in (
    subscriber INTEGER NOT NULL,
    pid        INTEGER NOT NULL,
    PRIMARY KEY (subscriber, pid)
) STRICT, WITHOUT ROWID;

CREATE TABLE retained (
    realm      TEXT    NOT NULL,
    topic      TEXT    NOT NULL,
    payload    BLOB    NOT NULL,
    properties BLOB    NOT NULL,
    qos        INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (realm, topic)
) STRICT;
