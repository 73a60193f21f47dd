-- A second name of each user, which tells nothing of the first. Rows made before this have
-- none until the store is opened: it takes a key to compute them.
ALTER TABLE user ADD COLUMN alias TEXT;
CREATE UNIQUE INDEX user_alias ON user (realm, alias);
-- Finds those rows without looking at all others; empty afterwards.
CREATE INDEX user_unnamed ON user (num) WHERE alias IS NULL;
