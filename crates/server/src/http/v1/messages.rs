//! Sending a message, and reading one.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use crosstalk_core::channel::{Address, ChannelKind, LogKind};
use crosstalk_core::deliver::Sender;
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::im::{HistoryQuery, Viewer};
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::Caller;
use super::content;
use super::drafts::{self, Saying};
use super::idempotency::KEY_HEADER;
use super::input::{self, Body, Segments};
use super::openapi::{Conflict, Denials, Missing, Oversize, Throttled};
use super::problem::Problem;
use super::view::{ChannelName, MessageView};
use crate::http::state::ApiState;

/// The longest client number, bytes.
const CLIENT_NO_BYTES: usize = 128;

/// A message to be sent.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "from": "alice",
    "to": {"kind": "direct", "id": "bob"},
    "content": {"type": "text", "text": "你好"},
    "client_no": "m-1",
}))]
pub(super) struct NewMessage {
    /// Who sends it, and what they may do holds. Absent: the application itself, which appears
    /// as `____system` and is bound by bans of the channel only; with a user token the user.
    from: Option<String>,
    /// Where to.
    #[serde(deserialize_with = "input::object")]
    to: ChannelName,
    #[serde(flatten)]
    saying: Saying,
    /// Its author wants to know who has read it (`GET /v1/messages/{id}/receipts`). Of direct
    /// channels that is known anyway; in channels with more than 500 members readers are not
    /// counted.
    #[serde(default)]
    receipt: bool,
    /// The sender's own number for it. The same number with the same content is the same
    /// message: it is answered like the first and delivered once.
    #[schema(min_length = 1, max_length = 128)]
    client_no: Option<String>,
}

/// What the sender of an accepted message is told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "741200000000000001",
    "seq": 1,
    "client_no": "m-1",
    "sent_at": 1_715_000_001_234_i64,
}))]
pub(super) struct Sent {
    /// The server's id, a decimal number.
    id: String,
    /// Its place in the channel.
    seq: u64,
    /// The sender's own number, if one was given.
    client_no: Option<String>,
    /// When the server accepted it, ms since 1970.
    sent_at: i64,
    /// If receipts were asked for: whether readers are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<bool>,
}

/// Send a message
///
/// The answer comes when the message is stored; delivery follows.
#[utoipa::path(
    post, path = "/v1/messages", tag = "messages", request_body = NewMessage,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same as `client_no`"),
    ),
    responses(
        (status = 200, description = "It is stored", body = Sent),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn send_message(
    State(api): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
    Body(new): Body<NewMessage>,
) -> Result<Json<Sent>, Problem> {
    let realm = caller.realm()?;
    let sender = sender(&api, &caller, new.from.as_deref()).await?;
    let client_no = client_no(&headers, new.client_no)?;
    // Before the directory is asked for names.
    content::payload(&new.saying.content)?;
    let to = address(&api, realm, &new.to).await?;
    let spoken = new.saying.spoken(&api, &caller, &sender, &to).await?;
    let draft = spoken.draft(to, client_no.as_deref(), new.receipt);
    let (asks, key) = (
        draft.body.flags.receipt,
        draft.to.key(realm, &sender.user().uid)?,
    );
    let sent = drafts::send(&api, &caller, realm, &sender, draft).await;
    let accepted = sent.map_err(|refused| drafts::refused(refused.why))?;
    let receipt = match new.receipt {
        true => Some(asks && api.im.counts_readers(&key).await?),
        false => None,
    };
    Ok(Json(Sent {
        id: accepted.id.to_string(),
        seq: accepted.seq,
        client_no,
        sent_at: accepted.sent_at_ms,
        receipt,
    }))
}

/// In whose name a caller may send.
pub(super) async fn sender(
    api: &ApiState,
    caller: &Caller,
    from: Option<&str>,
) -> Result<Sender, Problem> {
    if let Caller::User(identity) = caller {
        let own = identity.user.uid.as_str();
        caller.reaches(from.unwrap_or(own))?;
        return Ok(Sender::User(identity.user.clone()));
    }
    let realm = caller.realm()?;
    match from {
        None | Some(Uid::SYSTEM) => Ok(Sender::Application(
            api.im.user_ref(realm, &Uid::system()).await?,
        )),
        Some(from) => {
            let user = existing(api, realm, "from", from).await?;
            Ok(Sender::User(user))
        }
    }
}

async fn existing(
    api: &ApiState,
    realm: &Realm,
    field: &str,
    uid: &str,
) -> Result<crosstalk_core::id::UserRef, Problem> {
    match api.im.user(realm, &input::uid(field, uid)?).await {
        Ok(state) => Ok(state.record.user.clone()),
        Err(Refusal::NoSuchUser) => Err(Problem::new(
            Refusal::NoSuchUser,
            format!("{field}: there is no user {uid}"),
        )),
        Err(why) => Err(why.into()),
    }
}

/// Where a message goes. The peer of a direct one must exist, so that no caller can fill the
/// directory with names.
pub(super) async fn address(
    api: &ApiState,
    realm: &Realm,
    to: &ChannelName,
) -> Result<Address, Problem> {
    let kind = to.kind;
    let address = Address::parse(kind, &to.id)
        .map_err(|why| Problem::new(why, input::no_channel_of("to.id", kind, &to.id)))?;
    if kind == ChannelKind::DIRECT {
        existing(api, realm, "to.id", &to.id).await?;
    }
    Ok(address)
}

/// The client's number, out of the body or the header.
pub(super) fn client_no(
    headers: &HeaderMap,
    in_body: Option<String>,
) -> Result<Option<String>, Problem> {
    let in_header = match headers.get(KEY_HEADER).map(|value| value.to_str()) {
        Some(Ok(key)) => Some(key.to_owned()),
        Some(Err(_)) => return Err(Problem::field("Idempotency-Key", "must be ASCII")),
        None => None,
    };
    if let (Some(one), Some(other)) = (&in_header, &in_body)
        && one != other
    {
        return Err(Problem::field(
            "client_no",
            "differs from the header Idempotency-Key",
        ));
    }
    match in_body.as_ref().or(in_header.as_ref()) {
        Some(number) if number.is_empty() || number.len() > CLIENT_NO_BYTES => Err(Problem::field(
            "client_no",
            format_args!("has 1 to {CLIENT_NO_BYTES} bytes"),
        )),
        Some(number) => input::check_line("client_no", number).map(|()| in_body.or(in_header)),
        None => Ok(None),
    }
}

/// A message
///
/// With a user token only what the user's conversation shows.
#[utoipa::path(
    get, path = "/v1/messages/{id}", tag = "messages",
    params(("id" = String, Path, description = "The message's id")),
    responses((status = 200, description = "The message", body = MessageView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn get_message(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<MessageView>, Problem> {
    let realm = caller.realm()?;
    let mut message = api.im.message(input::message_id(&id)?).await?;
    let channel = &message.channel;
    if channel.key.realm != *realm || channel.log != LogKind::Chat {
        return Err(Refusal::NoSuchMessage.into());
    }
    if let Caller::User(identity) = &caller {
        let viewer = Viewer::User(identity.user.clone());
        let seq = message.seq;
        let only = HistoryQuery {
            from: seq,
            to: seq,
            limit: 1,
            newest: true,
        };
        // Who may not see a message does not learn that it exists.
        let seen = match api.im.history(&channel.key, &viewer, only).await {
            Err(Refusal::NotAMember) => None,
            seen => seen?.pop(),
        };
        // As they may see it: of what is for others there is a place and nothing else.
        message = seen.ok_or(Refusal::NoSuchMessage)?;
    }
    let viewer = caller.viewer();
    let views = MessageView::all(&api, &viewer, &[message]).await?.pop();
    Ok(Json(views.ok_or(Refusal::Internal)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_number_comes_from_body_or_header() {
        let mut headers = HeaderMap::new();
        assert_eq!(client_no(&headers, None), Ok(None));
        assert_eq!(client_no(&headers, Some("n".into())), Ok(Some("n".into())));
        assert!(client_no(&headers, Some(String::new())).is_err());
        assert!(client_no(&headers, Some("x".repeat(129))).is_err());
        assert!(client_no(&headers, Some("a\0b".into())).is_err());
        headers.insert(KEY_HEADER, "n".parse().expect("a header"));
        assert_eq!(client_no(&headers, None), Ok(Some("n".into())));
        assert_eq!(client_no(&headers, Some("n".into())), Ok(Some("n".into())));
        assert!(client_no(&headers, Some("m".into())).is_err());
    }
}
