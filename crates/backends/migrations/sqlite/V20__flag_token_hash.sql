-- A registered token says whose it is.
CREATE INDEX flag_token_hash ON flag_token (hash) WHERE hash IS NOT NULL;
