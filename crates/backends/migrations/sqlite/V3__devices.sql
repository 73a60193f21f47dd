-- What devices were given: stretches of log positions (ids of messages), and what inside
-- them is not acknowledged.

CREATE TABLE device (
    num       INTEGER PRIMARY KEY,
    user      INTEGER NOT NULL,
    -- The number of the dialect, as in message.origin.
    dialect   INTEGER NOT NULL,
    device_id TEXT    NOT NULL,
    UNIQUE (user, dialect, device_id)
) STRICT;

CREATE TABLE device_range (
    device INTEGER NOT NULL,
    lo     INTEGER NOT NULL,
    hi     INTEGER NOT NULL,
    PRIMARY KEY (device, lo)
) STRICT, WITHOUT ROWID;

CREATE TABLE device_unacked (
    device INTEGER NOT NULL,
    id     INTEGER NOT NULL,
    PRIMARY KEY (device, id)
) STRICT, WITHOUT ROWID;
