-- What users put on messages: edits, reactions, pins, and what they do not want to see.

-- How the content has gone, if it has: 0 = revoked, 1 = deleted, 2 = expired.
ALTER TABLE message_state ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
-- How often it was edited, and when last. What it says then stands in message_version.
ALTER TABLE message_state ADD COLUMN edit_n INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message_state ADD COLUMN edited_at INTEGER;
-- NULL = it is not pinned.
ALTER TABLE message_state ADD COLUMN pinned_at INTEGER;
-- NULL = by the application.
ALTER TABLE message_state ADD COLUMN pinned_by INTEGER;
CREATE INDEX message_state_pinned ON message_state (channel, pinned_at)
    WHERE pinned_at IS NOT NULL;

-- Every edit; the last one is what the message says. As it was sent stands in message.
CREATE TABLE message_version (
    message INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    -- NULL = the application.
    by      INTEGER,
    at      INTEGER NOT NULL,
    origin  INTEGER NOT NULL,
    tag     TEXT    NOT NULL,
    payload BLOB    NOT NULL,
    PRIMARY KEY (message, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE reaction (
    message INTEGER NOT NULL,
    emoji   TEXT    NOT NULL,
    user    INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    -- That of the message's state when it was put there or taken away.
    version INTEGER NOT NULL,
    -- 1 = it was taken away.
    deleted INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (message, emoji, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX reaction_version ON reaction (channel, version);

CREATE TABLE hidden_message (
    user    INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    -- 1 = it is in the ordinals of its channel and counts for the user no longer.
    counts  INTEGER NOT NULL,
    PRIMARY KEY (user, channel, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX hidden_message_place ON hidden_message (channel, seq);
