-- Names are found by any part of them. Each name is there as all parts of one, two and three
-- characters, and a word for the realm; the program makes them. The row is the user's number;
-- what is taken out leaves nothing behind.
CREATE VIRTUAL TABLE user_names USING fts5(
    parts,
    content = '',
    detail = none,
    columnsize = 0,
    tokenize = 'ascii'
);
INSERT INTO user_names (user_names, rank) VALUES ('secure-delete', 1);
-- Cards that an older version wrote, until the program has brought their names to the form in
-- which they are looked for.
CREATE TABLE user_card_old (num INTEGER PRIMARY KEY) STRICT;
INSERT INTO user_card_old SELECT user FROM user_card;
