-- Finds messages by what they say. Words are made by the core, in ASCII or beyond it, and are
-- told apart by spaces: the tokeniser only has to leave them as they are. `place` has a word
-- for the realm, the channel, the sender and the type of content. The row is the message's id;
-- the texts themselves are not kept again.
CREATE VIRTUAL TABLE search_index USING fts5 (
    words,
    place,
    content = '',
    contentless_delete = 1,
    tokenize = 'ascii'
);
