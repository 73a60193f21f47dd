-- Friends, requests to become one, and what is searched of users.

-- What others may do: two bits for each choice.
ALTER TABLE user ADD COLUMN privacy INTEGER NOT NULL DEFAULT 0;
ALTER TABLE user ADD COLUMN status TEXT;
-- When they were last there, ms since 1970; 0 = never since this is kept.
ALTER TABLE user ADD COLUMN last_seen INTEGER NOT NULL DEFAULT 0;

-- How a friend is kept. Bit 2 of the state: a friend; bit 3: was one. Versions are of those
-- alone, and grow by user.
ALTER TABLE relation ADD COLUMN remark TEXT NOT NULL DEFAULT '';
ALTER TABLE relation ADD COLUMN grp INTEGER NOT NULL DEFAULT 0;
ALTER TABLE relation ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE relation ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
CREATE INDEX relation_version ON relation (user, version) WHERE version > 0;
CREATE INDEX relation_friend ON relation (user, other) WHERE state & 4;

CREATE TABLE friend_group (
    user     INTEGER NOT NULL,
    id       INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (user, id),
    UNIQUE (user, name)
) STRICT, WITHOUT ROWID;

-- The last of each pair and direction.
CREATE TABLE friend_request (
    sender   INTEGER NOT NULL,
    receiver INTEGER NOT NULL,
    id       INTEGER NOT NULL UNIQUE,
    message  TEXT    NOT NULL,
    -- How the sender would keep the other.
    remark   TEXT    NOT NULL,
    grp      INTEGER NOT NULL,
    -- 0 pending, 1 accepted, 2 rejected, 3 expired, 4 cancelled; one that waits for too long
    -- is expired without being written so.
    status   INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    decided  INTEGER NOT NULL,
    PRIMARY KEY (sender, receiver)
) STRICT;
CREATE INDEX friend_request_sent ON friend_request (sender, id);
CREATE INDEX friend_request_got ON friend_request (receiver, id);
CREATE INDEX friend_request_sent_open ON friend_request (sender, created) WHERE status = 0;
CREATE INDEX friend_request_got_open ON friend_request (receiver, created) WHERE status = 0;

-- By what users are found beside their ids; the name in lower case.
CREATE TABLE user_card (
    realm TEXT    NOT NULL,
    user  INTEGER NOT NULL,
    name  TEXT    NOT NULL,
    phone TEXT,
    email TEXT,
    PRIMARY KEY (realm, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_card_phone ON user_card (realm, phone) WHERE phone IS NOT NULL;
CREATE INDEX user_card_email ON user_card (realm, email) WHERE email IS NOT NULL;

INSERT INTO user_card (realm, user, name)
SELECT realm, num, lower(json_extract(profile, '$.name')) FROM user
WHERE profile IS NOT NULL AND json_valid(profile) AND json_type(profile, '$.name') = 'text';
