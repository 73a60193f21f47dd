-- Devices that clients have registered, and what they have reported.

CREATE TABLE registration (
    user       INTEGER NOT NULL,
    dialect    INTEGER NOT NULL,
    device_id  TEXT    NOT NULL,
    realm      TEXT    NOT NULL,
    app_id     TEXT    NOT NULL,
    os         INTEGER NOT NULL,
    -- JSON.
    details    TEXT    NOT NULL,
    vendor     TEXT    NOT NULL,
    push_token TEXT,
    push_on    INTEGER NOT NULL,
    -- 0 = logged out.
    active     INTEGER NOT NULL,
    token_hash BLOB    NOT NULL,
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    habit      TEXT    NOT NULL,
    PRIMARY KEY (user, dialect, device_id)
) STRICT;
-- An id belongs to one user at a time.
CREATE UNIQUE INDEX registration_active ON registration (realm, dialect, device_id)
    WHERE active = 1;
CREATE INDEX registration_token ON registration (token_hash);
CREATE INDEX registration_push ON registration (realm, push_token) WHERE push_token IS NOT NULL;

CREATE TABLE device_report (
    user      INTEGER NOT NULL,
    dialect   INTEGER NOT NULL,
    device_id TEXT    NOT NULL,
    n         INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    text      TEXT    NOT NULL,
    PRIMARY KEY (user, dialect, device_id, n)
) STRICT;
