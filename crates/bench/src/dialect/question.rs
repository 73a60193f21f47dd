//! What clients ask over HTTP, and what they are told.

use std::sync::Arc;

use reqwest::Method;

use super::Address;

/// Something that a client wants to know or to be noted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask<'a> {
    /// All conversations, as a client asks that has none: this many at a time,
    /// each with its newest messages.
    Conversations {
        uid: &'a str,
        size: u32,
        recents: u32,
        /// [`Page::next`] of the page before.
        after: Option<&'a str>,
    },
    /// Conversations with messages that are newer than those known.
    News {
        uid: &'a str,
        recents: u32,
        known: &'a [Known],
    },
    /// Messages of a channel from this place on, or the newest ones.
    History {
        uid: &'a str,
        channel: &'a Address,
        from: Option<u64>,
        limit: u32,
    },
    /// All of a channel is read.
    Read { uid: &'a str, channel: &'a Address },
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) method: Method,
    pub(crate) url: String,
    /// JSON.
    pub(crate) body: Option<String>,
    /// Whose request it is; the server's administrator's without.
    pub(crate) bearer: Option<String>,
}

impl Question {
    pub(crate) fn get(url: String) -> Self {
        Self {
            method: Method::GET,
            url,
            body: None,
            bearer: None,
        }
    }

    pub(crate) fn post(url: String, body: String) -> Self {
        Self {
            method: Method::POST,
            body: Some(body),
            ..Self::get(url)
        }
    }

    pub(crate) fn put(url: String, body: String) -> Self {
        Self {
            method: Method::PUT,
            ..Self::post(url, body)
        }
    }

    /// The same request of the user with this token.
    pub(crate) fn of_user(mut self, token: &str) -> Self {
        self.bearer = Some(token.to_owned());
        self
    }
}

/// The highest place that a client knows of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) channel: Address,
    pub(crate) place: u64,
}

/// Some conversations.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) conversations: Vec<Conversation>,
    /// What to ask next for; `None` if this was all.
    pub(crate) next: Option<String>,
}

/// A user's view of a channel.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Conversation {
    pub(crate) channel: Address,
    pub(crate) last_place: u64,
    pub(crate) unread: u64,
    /// The newest messages, the oldest first.
    pub(crate) recents: Vec<Line>,
}

/// A message as HTTP shows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) place: u64,
    pub(crate) content: Vec<u8>,
}

/// Messages that are written before anybody asks.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    pub(crate) from: String,
    pub(crate) to: Readers,
    /// How often.
    pub(crate) times: u32,
    pub(crate) content: Arc<[u8]>,
}

/// Who gets them.
#[derive(Debug, Clone)]
pub(crate) enum Readers {
    Group(String),
    /// Each by itself.
    Users(Arc<[String]>),
}
