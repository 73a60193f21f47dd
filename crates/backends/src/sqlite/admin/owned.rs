//! Where the store keeps something of a user beside messages: what an export shows, and what
//! goes when the user is erased. A test fails for a table that is not named here.

/// What becomes of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sqlite) enum Fate {
    /// They go.
    Deleted,
    /// They go, and are not shown: they are another's as well, or only a place.
    Quietly,
    /// They stay without what they say of the user.
    Blanked(&'static str),
    /// They stay, and no longer say that it was the user; only rows for which this holds have
    /// to be looked at.
    Unnamed(&'static str),
    /// They stay, because they say nothing of the user beside a number that nobody can resolve
    /// any more, or because something else sees to them.
    Stays,
}

/// A table, the column with the user, and the fate of the rows.
pub(in crate::sqlite) type Owned = (&'static str, &'static str, Fate);

/// All of them.
pub(in crate::sqlite) const OWNED: &[Owned] = &[
    ("conversation", "user", Fate::Deleted),
    ("relation", "user", Fate::Deleted),
    ("relation", "other", Fate::Quietly),
    ("friend_group", "user", Fate::Deleted),
    ("friend_request", "sender", Fate::Deleted),
    ("friend_request", "receiver", Fate::Deleted),
    ("user_card", "user", Fate::Deleted),
    ("member", "user", Fate::Blanked("nick = ''")),
    ("access_list", "user", Fate::Deleted),
    ("join_request", "user", Fate::Deleted),
    (
        "join_request",
        "decided_by",
        Fate::Unnamed("decided_by IS NOT NULL"),
    ),
    // Worth nothing without its maker's rights.
    ("invite_link", "made_by", Fate::Quietly),
    ("flag_token", "user", Fate::Deleted),
    ("device", "user", Fate::Deleted),
    ("registration", "user", Fate::Deleted),
    ("device_report", "user", Fate::Deleted),
    ("subscriber", "user", Fate::Deleted),
    ("receipt", "user", Fate::Deleted),
    ("directed", "user", Fate::Quietly),
    ("hidden_message", "user", Fate::Quietly),
    ("reaction", "user", Fate::Deleted),
    ("mention", "user", Fate::Quietly),
    ("mention_done", "user", Fate::Quietly),
    ("scheduled", "sender", Fate::Deleted),
    ("burn", "sender", Fate::Quietly),
    (
        "message_state",
        "pinned_by",
        Fate::Unnamed("pinned_at IS NOT NULL"),
    ),
    // Who changed or took back a message, also that of another, is part of what became of it.
    ("message_state", "revoked_by", Fate::Stays),
    ("message_version", "by", Fate::Stays),
    ("user_tag", "user", Fate::Deleted),
    ("user_report", "reporter", Fate::Blanked("text = ''")),
    // Moderators decide about these; what was said in them goes.
    ("review", "sender", Fate::Quietly),
    ("evidence", "author", Fate::Quietly),
    // What the user was answered for a day.
    ("answered", "user", Fate::Quietly),
    // That a user was erased has to be known.
    ("chore", "user", Fate::Stays),
    // What was said is taken back, message by message.
    ("message", "sender", Fate::Stays),
    // Files go one by one before.
    ("file", "owner", Fate::Stays),
    ("file_upload", "owner", Fate::Quietly),
    ("user", "num", Fate::Stays),
];

/// Columns that hold secrets, which no export shows.
pub(super) const SECRET: &[&str] = &["hash", "token_hash", "push_token"];
