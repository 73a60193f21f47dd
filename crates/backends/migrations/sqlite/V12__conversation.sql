-- How users keep their conversations. `muted`, which nothing has ever set, gives way to
-- muted_until: ms since 1970, 0 = not muted, the largest number = for good.
ALTER TABLE conversation ADD COLUMN muted_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN marked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN draft TEXT NOT NULL DEFAULT '';
-- When the draft was last changed, ms since 1970; 0 = never.
ALTER TABLE conversation ADD COLUMN draft_at INTEGER NOT NULL DEFAULT 0;
-- Where the user's screen stood: seen up to, the message at its top, how far below its edge.
ALTER TABLE conversation ADD COLUMN browsed_to INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN top_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN top_offset INTEGER NOT NULL DEFAULT 0;
-- Grows over all conversations of a user with each change of how one is kept; 0 = none yet.
ALTER TABLE conversation ADD COLUMN kept_version INTEGER NOT NULL DEFAULT 0;
CREATE INDEX conversation_kept ON conversation (user, kept_version) WHERE kept_version > 0;
