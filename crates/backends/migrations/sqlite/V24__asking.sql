-- How often somebody has asked the same person to be a friend, since when (ms since 1970).
ALTER TABLE friend_request ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE friend_request ADD COLUMN asked_since INTEGER NOT NULL DEFAULT 0;
