-- By which app a message was scheduled, whose budget it takes from when it is sent; NULL = not
-- known. And whether it asks for receipts.
ALTER TABLE scheduled ADD COLUMN app TEXT;
ALTER TABLE scheduled ADD COLUMN receipt INTEGER NOT NULL DEFAULT 0;
