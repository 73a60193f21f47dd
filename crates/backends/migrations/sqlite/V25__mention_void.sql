-- A mention in a message that is gone stays, so that devices that ask by version learn that it
-- is over. Above all ids of messages that were there then; NULL = the message is there.
ALTER TABLE mention ADD COLUMN void INTEGER;
