-- The message that was sent for a review that was approved: a retry is answered with it.
ALTER TABLE review ADD COLUMN sent INTEGER;
ALTER TABLE review ADD COLUMN sent_seq INTEGER;
ALTER TABLE review ADD COLUMN sent_at INTEGER;
CREATE INDEX review_numbered ON review (sender, kind, channel_id, client_no)
    WHERE message IS NULL AND client_no <> '';

-- What a message said when moderators were to look at it.
CREATE TABLE evidence (
    -- 0 = of the message num that came into the queue, 1 = of the report num.
    of      INTEGER NOT NULL,
    num     INTEGER NOT NULL,
    author  INTEGER NOT NULL,
    origin  INTEGER NOT NULL,
    tag     TEXT    NOT NULL,
    payload BLOB    NOT NULL,
    extra   BLOB,
    PRIMARY KEY (of, num)
) STRICT;
CREATE INDEX evidence_author ON evidence (author);

-- Whom and what an act concerned, and what was asked for: JSON.
ALTER TABLE audit ADD COLUMN subjects TEXT NOT NULL DEFAULT '[]';
ALTER TABLE audit ADD COLUMN asked TEXT NOT NULL DEFAULT '';
-- By what an act is found: its target and its subjects.
CREATE TABLE audit_subject (
    subject TEXT    NOT NULL,
    act     INTEGER NOT NULL,
    PRIMARY KEY (subject, act)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_subject_act ON audit_subject (act);
INSERT INTO audit_subject (subject, act) SELECT target, num FROM audit;
