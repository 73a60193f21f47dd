-- What messages carry beside their content: mentions, replies, and when they end; and what is
-- to be sent later.

-- JSON; NULL = nothing, as with nearly all.
ALTER TABLE message ADD COLUMN carried TEXT;

-- What ends and is not erased yet.
CREATE INDEX message_expires ON message (expires_at)
    WHERE expires_at IS NOT NULL AND (flags & 65536) = 0;

-- Written with the message. User 0 = everybody in the channel: no row for each of them.
CREATE TABLE mention (
    user    INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    message INTEGER NOT NULL,
    PRIMARY KEY (user, channel, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX mention_place ON mention (channel, seq);

-- Mentions that a user has done with without reading on.
CREATE TABLE mention_done (
    user    INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    -- Above all ids of messages that were there then.
    version INTEGER NOT NULL,
    PRIMARY KEY (user, channel, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX mention_done_place ON mention_done (channel, seq);

-- Messages that burn once their receiver reads them, and were not read yet.
CREATE TABLE burn (
    channel  INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    message  INTEGER NOT NULL,
    sender   INTEGER NOT NULL,
    after_ms INTEGER NOT NULL,
    PRIMARY KEY (channel, seq)
) STRICT, WITHOUT ROWID;

-- What is to be sent later.
CREATE TABLE scheduled (
    id             INTEGER PRIMARY KEY,
    realm          TEXT    NOT NULL,
    sender         INTEGER NOT NULL,
    by_application INTEGER NOT NULL,
    kind           INTEGER NOT NULL,
    to_id          TEXT    NOT NULL,
    payload        BLOB    NOT NULL,
    silent         INTEGER NOT NULL,
    expire_secs    INTEGER NOT NULL,
    carried        TEXT,
    send_at        INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    -- 0 = it waits, 1 = it was sent, 2 = it has failed, 3 = it was taken back.
    state          INTEGER NOT NULL,
    -- Since when it waits no more; 0 = it waits.
    done_at        INTEGER NOT NULL,
    -- What it was sent as.
    message        INTEGER,
    seq            INTEGER,
    -- Why it has failed.
    reason         TEXT
) STRICT;
CREATE INDEX scheduled_due ON scheduled (send_at, id) WHERE state = 0;
CREATE INDEX scheduled_of ON scheduled (realm, sender, id);
CREATE INDEX scheduled_open ON scheduled (sender, by_application) WHERE state = 0;
CREATE INDEX scheduled_over ON scheduled (done_at) WHERE state <> 0;
