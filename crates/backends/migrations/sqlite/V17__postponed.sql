-- Deliveries to hooks that were not taken yet, and those behind them.
CREATE TABLE postponed (
    n         INTEGER PRIMARY KEY AUTOINCREMENT,
    hook      TEXT    NOT NULL,
    -- Those of the same are delivered in order.
    lane      TEXT    NOT NULL,
    event     TEXT    NOT NULL,
    event_id  TEXT    NOT NULL,
    query     TEXT    NOT NULL,
    body      BLOB    NOT NULL,
    -- 0 = waits for those before it.
    tries     INTEGER NOT NULL,
    -- For how long, ms.
    tried_for INTEGER NOT NULL,
    UNIQUE (hook, event_id)
) STRICT;
CREATE INDEX postponed_of ON postponed (hook, lane, n);
