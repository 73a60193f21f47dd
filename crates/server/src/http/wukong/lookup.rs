//! Single messages of a channel, by seq, id or client number, and its last one (protocols/
//! wukong.md §4.5). What is shown is what `/channel/messagesync` shows: whether a user may read
//! the channel is for the business backend to check.

use std::collections::{BTreeSet, HashMap};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use crosstalk_core::channel::{ChannelKey, LogKind};
use crosstalk_core::id::MessageId;
use crosstalk_core::im::HistoryQuery;
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::wukong_client_no;
use serde::Deserialize;
use serde_json::json;

use super::answer::Failure;
use super::history::{Reader, SyncAnswer};
use super::input::{Body, Params};
use super::message::MessageObject;
use super::{lenient, names};
use crate::http::state::WukongApiState;

/// Messages that one request names at most.
const MAX_NAMED: usize = 1000;
/// Messages that are looked at for the last one that is shown, at once…
const PAGE_BACK: u32 = 100;
/// … and how often.
const MAX_PAGES_BACK: u32 = 10;
/// The client number of messages that have none of these clients': this and the id.
const NUMBERED: &str = "x-";

/// A channel, and who asks.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
}

impl Place {
    async fn find(&self, api: &WukongApiState) -> Result<(Reader, ChannelKey), Failure> {
        let kind = names::kind(self.channel_type)?;
        let key = names::seen_by(&api.realm, &self.login_uid, kind, &self.channel_id)?;
        let reader = if self.login_uid.is_empty() {
            Reader::APPLICATION
        } else {
            let viewer = names::user_or_system("login_uid", &self.login_uid)?;
            Reader::of(api, viewer).await?
        };
        Ok((reader, key))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SeveralRequest {
    #[serde(flatten)]
    place: Place,
    #[serde(deserialize_with = "lenient::ints")]
    message_seqs: Vec<i64>,
    #[serde(deserialize_with = "lenient::ints")]
    message_ids: Vec<i64>,
    #[serde(deserialize_with = "lenient::texts")]
    client_msg_nos: Vec<String>,
}

/// The messages of a channel with these seqs, ids and client numbers, in this order. Those
/// that are not there are left out.
pub(super) async fn several(
    State(api): State<WukongApiState>,
    Body(request): Body<SeveralRequest>,
) -> Result<Json<SyncAnswer>, Failure> {
    let SeveralRequest {
        place,
        message_seqs,
        message_ids,
        client_msg_nos,
    } = request;
    if message_seqs.len() + message_ids.len() + client_msg_nos.len() > MAX_NAMED {
        return Err(Failure::new(format!("at most {MAX_NAMED} messages")));
    }
    let (reader, key) = place.find(&api).await?;
    let seqs = message_seqs.into_iter();
    let mut seqs: Vec<u64> = seqs.filter_map(|seq| u64::try_from(seq).ok()).collect();
    for id in message_ids {
        seqs.extend(seq_of_id(&api, &key, id).await?);
    }
    for number in &client_msg_nos {
        seqs.extend(seq_of_number(&api, &key, number).await?);
    }
    let found = at(&api, &reader, &key, &seqs).await?;
    let shown = seqs.iter().filter_map(|seq| found.get(seq));
    Ok(Json(SyncAnswer::of(
        shown.map(MessageObject::from).collect(),
    )))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OneRequest {
    #[serde(flatten)]
    place: Place,
    #[serde(deserialize_with = "lenient::int")]
    message_id: i64,
    #[serde(deserialize_with = "lenient::text")]
    client_msg_no: String,
}

/// One message, by its id or its client number.
pub(super) async fn one(
    State(api): State<WukongApiState>,
    Body(request): Body<OneRequest>,
) -> Result<Response, Failure> {
    let OneRequest {
        place,
        message_id,
        client_msg_no,
    } = request;
    let (reader, key) = place.find(&api).await?;
    let seq = match (message_id, client_msg_no.as_str()) {
        (0, "") => return Err(Failure::new("message_id or client_msg_no is needed")),
        (0, number) => seq_of_number(&api, &key, number).await?,
        (id, _) => seq_of_id(&api, &key, id).await?,
    };
    let mut found = at(&api, &reader, &key, seq.as_slice()).await?;
    Ok(answer(seq.and_then(|seq| found.remove(&seq)).as_ref()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NumberRequest {
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
    #[serde(deserialize_with = "lenient::text")]
    client_msg_no: String,
}

/// One message by its client number; a personal channel is named by its internal id.
pub(super) async fn by_number(
    State(api): State<WukongApiState>,
    Params(request): Params<NumberRequest>,
) -> Result<Response, Failure> {
    if request.client_msg_no.is_empty() {
        return Err(Failure::new("client_msg_no must not be empty"));
    }
    let place = Place {
        login_uid: String::new(),
        channel_id: request.channel_id,
        channel_type: request.channel_type,
    };
    let (reader, key) = place.find(&api).await?;
    let seq = seq_of_number(&api, &key, &request.client_msg_no).await?;
    let mut found = at(&api, &reader, &key, seq.as_slice()).await?;
    Ok(answer(seq.and_then(|seq| found.remove(&seq)).as_ref()))
}

/// The last message of a channel that the caller is shown.
pub(super) async fn last(
    State(api): State<WukongApiState>,
    Params(place): Params<Place>,
) -> Result<Response, Failure> {
    let (reader, key) = place.find(&api).await?;
    let mut to = i64::MAX.unsigned_abs();
    for _ in 0..MAX_PAGES_BACK {
        let query = HistoryQuery {
            from: 1,
            to,
            limit: PAGE_BACK,
            newest: true,
        };
        let page = reader.read(&api, &key, query).await?;
        let is_shown = |message: &&Message| !message.is_unlisted() && !message.is_concealed;
        if let Some(last) = page.iter().rev().find(is_shown) {
            return Ok(answer(Some(last)));
        }
        match page.first() {
            Some(first) if first.seq > 1 => to = first.seq - 1,
            _ => break,
        }
    }
    Ok(answer(None))
}

/// A bare message, or that there is none, which is no failure here.
fn answer(found: Option<&Message>) -> Response {
    match found {
        Some(message) => Json(MessageObject::from(message)).into_response(),
        None => Json(json!({"status": 404})).into_response(),
    }
}

/// Where in a channel the message with an id stands.
async fn seq_of_id(
    api: &WukongApiState,
    key: &ChannelKey,
    id: i64,
) -> Result<Option<u64>, Refusal> {
    let message = match api.im.message(MessageId(id)).await {
        Err(Refusal::NoSuchMessage) => return Ok(None),
        found => found?,
    };
    let channel = &message.channel;
    let is_there = channel.key == *key && channel.log == LogKind::Chat;
    Ok(is_there.then_some(message.seq))
}

/// Where in a channel the newest message with a client number stands, as these clients number
/// messages.
async fn seq_of_number(
    api: &WukongApiState,
    key: &ChannelKey,
    number: &str,
) -> Result<Option<u64>, Refusal> {
    let found = api.im.numbered(key, number).await?;
    let mut found = found.iter().filter(|it| wukong_client_no(it) == number);
    if let Some(message) = found.next() {
        return Ok(Some(message.seq));
    }
    let id = number.strip_prefix(NUMBERED).and_then(|id| id.parse().ok());
    match id {
        Some(id) => seq_of_id(api, key, id).await,
        None => Ok(None),
    }
}

/// What a reader is shown of some places of a channel, each run of places read at once.
async fn at(
    api: &WukongApiState,
    reader: &Reader,
    key: &ChannelKey,
    seqs: &[u64],
) -> Result<HashMap<u64, Message>, Refusal> {
    let mut found = HashMap::new();
    for (from, to) in runs(seqs) {
        let query = HistoryQuery {
            from,
            to,
            limit: u32::try_from(to - from + 1).unwrap_or(u32::MAX),
            newest: false,
        };
        let messages = reader.read(api, key, query).await?;
        found.extend(messages.into_iter().map(|message| (message.seq, message)));
    }
    Ok(found)
}

/// Stretches without gaps, ascending.
fn runs(seqs: &[u64]) -> Vec<(u64, u64)> {
    let in_order: BTreeSet<u64> = seqs.iter().copied().filter(|seq| *seq > 0).collect();
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for seq in in_order {
        match runs.last_mut() {
            Some((_, to)) if *to + 1 == seq => *to = seq,
            _ => runs.push((seq, seq)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_have_no_gaps() {
        assert_eq!(runs(&[]), []);
        assert_eq!(runs(&[0]), []);
        assert_eq!(runs(&[5, 1, 2, 3, 2, 9]), [(1, 3), (5, 5), (9, 9)]);
    }
}
