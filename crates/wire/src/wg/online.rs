//! The channel manager over HTTP, for applications in other languages
//! (wg.md S0-49 to S0-58, Q0-28).

use bytes::Bytes;
use serde::Serialize;

use crate::lenient::{self, each_element, members, query};

use super::{Envelope, Limits};

/// Ids in one request at most.
pub const MAX_IDS: usize = 1000;

/// `GET /api/websocket/online`: whose clients are asked for. What is not said
/// does not restrict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OnlineQuery {
    /// `userId` and `userIds`: these users. Empty = all.
    pub user_ids: Vec<String>,
    /// `clientName`: only clients of this name.
    pub client_name: Option<String>,
    /// `sessionId`: the client of this session.
    pub session_id: Option<String>,
    /// `channelId`: the client on this channel.
    pub channel_id: Option<String>,
}

impl OnlineQuery {
    /// Reads a query; nothing if it names more than [`MAX_IDS`] users.
    #[must_use]
    pub fn parse(query: &str) -> Option<OnlineQuery> {
        let one = |name| query::parameter(query, name).filter(|value| !value.is_empty());
        let listed = one("userIds").unwrap_or_default();
        let mut user_ids: Vec<String> = Vec::new();
        let ids = listed.split(',').map(str::trim).filter(|id| !id.is_empty());
        user_ids.extend(one("userId"));
        user_ids.extend(ids.take(MAX_IDS + 1).map(str::to_owned));
        (user_ids.len() <= MAX_IDS).then(|| OnlineQuery {
            user_ids,
            client_name: one("clientName"),
            session_id: one("sessionId"),
            channel_id: one("channelId"),
        })
    }
}

/// One client that is online.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OnlineClient {
    /// Its user.
    pub user_id: String,
    /// Its name.
    pub client_name: String,
    /// Its channel.
    pub channel_id: String,
    /// Its session, [`masked`]: whoever has the id can take the session.
    pub session_id: String,
    /// Since when, ms since 1970.
    #[serde(rename = "connectedAt")]
    pub connected_at_ms: i64,
}

/// A session id that can be recognised but not used.
#[must_use]
pub fn masked(session_id: &str) -> String {
    let shown: String = session_id.chars().take(4).collect();
    format!("{shown}****")
}

/// The answer to an [`OnlineQuery`], JSON.
#[must_use]
pub fn online_answer(rows: &[OnlineClient]) -> String {
    #[derive(Serialize)]
    struct Answer<'a> {
        rows: &'a [OnlineClient],
        total: usize,
    }
    let answer = Answer {
        rows,
        total: rows.len(),
    };
    serde_json::to_string(&answer).expect("strings and numbers are JSON")
}

/// `POST /api/websocket/send`: a message and whom it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendRequest {
    /// The channels.
    pub to: SendTo,
    /// The message; it may pose as the server. Without an id it gets the server's.
    pub message: Envelope,
}

/// Some channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendTo {
    /// By their ids.
    Channels(Vec<String>),
    /// Those of users.
    Users {
        /// The users.
        user_ids: Vec<String>,
        /// Only clients of this name.
        client_name: Option<String>,
    },
}

/// What is wrong with a [`SendRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendRequestError {
    /// Not a JSON object.
    #[error("not a JSON object")]
    NotJson,
    /// Neither `channelIds` nor `userIds` is a list of at most [`MAX_IDS`] ids.
    #[error("no list of receivers")]
    NoReceivers,
    /// `message` is missing or no message.
    #[error("message is missing or malformed")]
    BadMessage,
}

impl SendRequest {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// [`SendRequestError`] says what is wrong.
    pub fn read(body: &Bytes, limits: &Limits) -> Result<SendRequest, SendRequestError> {
        let text = std::str::from_utf8(body).map_err(|_| SendRequestError::NotJson)?;
        let names = ["channelIds", "userIds", "clientName", "message"];
        let [channel_ids, user_ids, client_name, message] =
            members(text, |name| names.iter().position(|it| *it == name))
                .map_err(|_| SendRequestError::NotJson)?;
        let to = match (channel_ids, user_ids) {
            (Some(raw), _) => ids(raw).map(SendTo::Channels),
            (None, Some(raw)) => ids(raw).map(|user_ids| SendTo::Users {
                user_ids,
                client_name: client_name
                    .and_then(|raw| lenient::string(raw).ok().flatten())
                    .map(std::borrow::Cow::into_owned),
            }),
            (None, None) => None,
        };
        let to = to.ok_or(SendRequestError::NoReceivers)?;
        let message = message.ok_or(SendRequestError::BadMessage)?;
        let message = Envelope::read_any_id(&body.slice_ref(message.as_bytes()), limits)
            .map_err(|_| SendRequestError::BadMessage)?;
        Ok(SendRequest { to, message })
    }
}

/// A list of ids; nothing if it is empty, too long or no list.
fn ids(raw: &str) -> Option<Vec<String>> {
    let mut list = Vec::new();
    let mut is_well_formed = true;
    each_element(raw, |element| {
        let id = lenient::text(element).ok().flatten();
        is_well_formed = id.is_some() && list.len() < MAX_IDS;
        list.extend(id.map(std::borrow::Cow::into_owned));
        is_well_formed
    })
    .ok()?;
    (is_well_formed && !list.is_empty()).then_some(list)
}
