//! What clients say, whichever dialect they speak.

use serde_json::Value;

/// A conversation, as the peer sees it who writes to it or hears of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// With a user.
    Direct(String),
    /// In a group.
    Group(String),
}

impl Place {
    /// The other user, or the group.
    #[must_use]
    pub fn id(&self) -> &str {
        let (Place::Direct(id) | Place::Group(id)) = self;
        id
    }

    /// WuKongIM's number for this kind of channel.
    #[must_use]
    pub fn channel_type(&self) -> u8 {
        match self {
            Place::Direct(_) => 1,
            Place::Group(_) => 2,
        }
    }

    /// As wg and gyyx write it in their one address field.
    #[must_use]
    pub fn address(&self) -> String {
        match self {
            Place::Direct(uid) => uid.clone(),
            Place::Group(gid) => format!("group:{gid}"),
        }
    }
}

/// A message that has reached a peer.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Who wrote it, as a uid.
    pub from: String,
    /// Where.
    pub place: Place,
    /// What the reader's dialect calls it.
    pub id: String,
    /// The client id that the reader's dialect shows beside it, if it has one.
    pub client_id: Option<String>,
    /// When, in ms since 1970; of wukong, whole seconds.
    pub at_ms: i64,
    /// Its place in the conversation, where the dialect shows that.
    pub seq: Option<u64>,
    /// Kind and content as the reader's dialect writes them; see [`kinds`](crate::kinds).
    pub shown: Value,
}

/// How the server has answered what a peer sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is stored.
    Accepted {
        /// What the author's dialect calls it now, if it says so.
        id: Option<String>,
        /// Its time in ms, if the dialect says so.
        at_ms: Option<i64>,
    },
    /// It is refused, with the dialect's own code and words.
    Refused {
        /// The code.
        code: i64,
        /// The words, if the dialect has some.
        words: String,
    },
}

impl Answer {
    /// What an accepted message is called.
    ///
    /// # Panics
    /// When it was refused.
    #[must_use]
    pub fn accepted(&self) -> Option<&str> {
        match self {
            Answer::Accepted { id, .. } => id.as_deref(),
            Answer::Refused { code, words } => panic!("refused: {code} {words}"),
        }
    }
}

/// A message that a peer has written.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Where.
    pub place: Place,
    /// The author's id for it.
    pub client_id: String,
    /// The server's, if the author's dialect shows it.
    pub id: Option<String>,
}

/// Something that a client has said.
#[derive(Debug, Clone)]
pub enum Event {
    /// A message from somebody else.
    Heard(Heard),
    /// The answer to a message.
    Answered {
        /// What the client calls the message: the client id, but for wukong its sequence.
        key: String,
        /// The answer.
        answer: Answer,
    },
    /// A message was taken back.
    Revoked {
        /// What the reader's dialect calls it.
        id: String,
        /// Everything that was said of it.
        raw: Value,
    },
    /// Somebody has read what the peer wrote.
    Read {
        /// What the author's dialect calls it.
        id: String,
        /// Who, where the dialect says so.
        by: Option<String>,
    },
    /// What a test may want to wait for by itself.
    Other(Value),
}

/// The text of a member that must be one.
pub(crate) fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("{value} is no string"))
        .to_owned()
}
