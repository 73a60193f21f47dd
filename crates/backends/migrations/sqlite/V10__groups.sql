-- What members are called, when they joined, and in which order they changed; requests to
-- join, invitations and links.

ALTER TABLE member ADD COLUMN nick TEXT NOT NULL DEFAULT '';
ALTER TABLE member ADD COLUMN joined_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX member_version ON member (channel, version);

-- The highest version of a member row of the channel.
ALTER TABLE channel ADD COLUMN member_version INTEGER NOT NULL DEFAULT 0;
UPDATE channel SET member_version =
    coalesce((SELECT max(m.version) FROM member m WHERE m.channel = channel.num), 0);

CREATE TABLE join_request (
    id         INTEGER PRIMARY KEY,
    channel    INTEGER NOT NULL,
    user       INTEGER NOT NULL,
    inviter    INTEGER,
    -- 0 = those who moderate, 1 = the user.
    decider    INTEGER NOT NULL,
    message    TEXT    NOT NULL,
    -- 0 = waits, 1 = accepted, 2 = rejected, 3 = taken back.
    status     INTEGER NOT NULL,
    decided_by INTEGER,
    created_at INTEGER NOT NULL,
    decided_at INTEGER NOT NULL
) STRICT;
CREATE INDEX join_request_channel ON join_request (channel, id);
CREATE INDEX join_request_user ON join_request (user, id);
CREATE INDEX join_request_waits ON join_request (channel, user, decider) WHERE status = 0;

CREATE TABLE invite_link (
    token      TEXT    PRIMARY KEY,
    channel    INTEGER NOT NULL,
    made_by    INTEGER,
    max_uses   INTEGER NOT NULL,
    uses       INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX invite_link_channel ON invite_link (channel, created_at);
