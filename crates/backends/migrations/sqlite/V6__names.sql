-- Names that authors give their messages, messages for some users only, and who has read what.

-- NULL = it has none; unique in the realm as far back as retries are known (client_key_<week>).
ALTER TABLE message ADD COLUMN name TEXT;
-- Who may see it beside its sender: user numbers of 8 bytes, little endian. NULL = everybody.
ALTER TABLE message ADD COLUMN audience BLOB;
-- Those that ask for a receipt (bit 3 of the flags).
CREATE INDEX message_asked ON message (channel, seq) WHERE (flags & 8) <> 0;

-- Messages of chat logs for some users only, for each of them but the sender: they take no
-- ordinal, so what of them is unread is counted here. counts = 0 also once it was revoked.
CREATE TABLE directed (
    user    INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    counts  INTEGER NOT NULL,
    PRIMARY KEY (user, channel, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipt (
    message INTEGER NOT NULL,
    user    INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (message, user)
) STRICT, WITHOUT ROWID;

-- A message may have a state now without being revoked.
CREATE TABLE message_state_new (
    id         INTEGER PRIMARY KEY,
    channel    INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    -- Grows with each change in the channel.
    version    INTEGER NOT NULL,
    -- 1 = it is in the ordinals of its channel and counts no longer.
    uncounted  INTEGER NOT NULL,
    -- NULL = the application.
    revoked_by INTEGER,
    -- NULL = it is not revoked.
    revoked_at INTEGER,
    -- 1 = it asked for receipts and has one.
    asked      INTEGER NOT NULL DEFAULT 0,
    read_count INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO message_state_new (id, channel, seq, version, uncounted, revoked_by, revoked_at)
    SELECT id, channel, seq, version, uncounted, revoked_by, revoked_at FROM message_state;
DROP TABLE message_state;
ALTER TABLE message_state_new RENAME TO message_state;
CREATE INDEX message_state_version ON message_state (channel, version);
CREATE INDEX message_state_uncounted ON message_state (channel, seq) WHERE uncounted = 1;
