-- What became of messages after they were sent, and what retention has dropped.

-- channel.first_seq is the seq of the first message that retention has left, or would have
-- left: the one before it, first_seq - 1, is the last that was dropped. This is the ordinal
-- there; 0 = nothing that counts was dropped. Together they are the head of a log that has
-- lost everything.
ALTER TABLE channel ADD COLUMN first_ordinal INTEGER NOT NULL DEFAULT 0;

-- The newest message that retention dropped: no id may be given again.
ALTER TABLE meta ADD COLUMN dropped_through INTEGER NOT NULL DEFAULT 0;

-- A row for each message that was changed; most have none. Whether a message has one stands
-- in its own flags, so that reading a page does not look here.
CREATE TABLE message_state (
    id         INTEGER PRIMARY KEY,
    channel    INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    -- Grows with each change in the channel.
    version    INTEGER NOT NULL,
    -- 1 = it is in the ordinals of its channel and counts no longer.
    uncounted  INTEGER NOT NULL,
    -- NULL = the application.
    revoked_by INTEGER,
    revoked_at INTEGER NOT NULL
) STRICT;
CREATE INDEX message_state_version ON message_state (channel, version);
CREATE INDEX message_state_uncounted ON message_state (channel, seq) WHERE uncounted = 1;
