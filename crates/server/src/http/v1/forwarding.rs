//! Forwarding messages: each as it is, or all together as one.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use crosstalk_core::content::{Content, MAX_MERGED_DEPTH, MAX_MERGED_ITEMS, MergedItem};
use crosstalk_core::deliver::Sender;
use crosstalk_core::id::{MessageId, Realm};
use crosstalk_core::im::Viewer;
use crosstalk_core::message::{Body as MessageBody, Flags, Message, Origin};
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::{forwarded, meaning_of};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::auth::Caller;
use super::batch::{Outcome, Outcomes, check_receivers};
use super::input::{self, Body};
use super::messages::{address, client_no, sender};
use super::openapi::{Conflict, Denials, Missing, Oversize, Throttled};
use super::problem::Problem;
use super::view::ChannelName;
use super::{content, drafts};
use crate::http::state::ApiState;

/// Messages of one request.
const MAX_MESSAGES: usize = 100;
/// Receivers of one request.
const MAX_RECEIVERS: usize = 20;
/// The longest title, characters.
const TITLE_CHARS: usize = 200;
/// The longest client number of a forward: those of its messages are made of it.
const CLIENT_NO_BYTES: usize = 100;

/// How messages are forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ForwardMode)]
pub(super) enum Mode {
    /// Each as a message of its own, as its author wrote it.
    #[default]
    Each,
    /// All in one message with content of type `merged`.
    Merged,
}

/// Messages to be forwarded.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "from": "alice",
    "ids": ["741200000000000001", "741200000000000002"],
    "to": [{"kind": "group", "id": "team"}],
    "mode": "merged",
    "title": "Alice and Bob",
}))]
pub(super) struct Forward {
    /// Who forwards: as with a message. Only what they may read is forwarded.
    from: Option<String>,
    /// Which: 1 to 100 messages, in this order.
    #[schema(min_items = 1, max_items = 100)]
    ids: Vec<String>,
    /// Where to: 1 to 20 channels.
    #[schema(min_items = 1, max_items = 20)]
    to: Vec<ChannelName>,
    /// How.
    #[serde(default)]
    mode: Mode,
    /// What merged ones are; at most 200 characters.
    #[schema(max_length = 200)]
    title: Option<String>,
    /// The sender's own number. Messages that are forwarded each get it with their place behind.
    #[schema(min_length = 1, max_length = 100)]
    client_no: Option<String>,
}

/// Forward messages
///
/// Only what the caller may read, and only what somebody has said: what is revoked, deleted or
/// expired, what is to expire or to burn, calls and tips are refused, and then nothing is
/// forwarded. Content is copied as its
/// author wrote it; mentions and what it replied to do not go with it. The answer says for each receiver and message
/// what became of it.
#[utoipa::path(
    post, path = "/v1/messages/forward", tag = "messages", request_body = Forward,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same as `client_no`"),
    ),
    responses(
        (status = 200, description = "What became of each", body = Outcomes),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn forward_messages(
    State(api): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
    Body(forward): Body<Forward>,
) -> Result<Json<Outcomes>, Problem> {
    let realm = caller.realm()?;
    let sender = sender(&api, &caller, forward.from.as_deref()).await?;
    let client_no = client_no(&headers, forward.client_no)?;
    if client_no
        .as_ref()
        .is_some_and(|number| number.len() > CLIENT_NO_BYTES)
    {
        let wrong = format_args!("has 1 to {CLIENT_NO_BYTES} bytes");
        return Err(Problem::field("client_no", wrong));
    }
    check_receivers(&forward.to, MAX_RECEIVERS)?;
    let title = forward.title.unwrap_or_default();
    input::check_name("title", &title, TITLE_CHARS)?;
    let messages = readable(&api, realm, &sender, &forward.ids).await?;
    let bodies = match forward.mode {
        Mode::Each => each(&messages)?,
        Mode::Merged => vec![(None, merged(&api, realm, title, &messages).await?)],
    };
    let mut items = Vec::with_capacity(bodies.len() * forward.to.len());
    for to in forward.to {
        let address = address(&api, realm, &to).await;
        for (at, (source, body)) in bodies.iter().enumerate() {
            let mut body = body.clone();
            if let Some(number) = &client_no {
                body.client_no = match forward.mode {
                    Mode::Each => format!("{number}-{at}").into(),
                    Mode::Merged => number.as_str().into(),
                };
            }
            let to = ChannelName {
                kind: to.kind,
                id: to.id.clone(),
            };
            let sent = match &address {
                Ok(address) => {
                    let draft = drafts::draft(address.clone(), body);
                    let sent = drafts::pass_on(&api, &caller, realm, &sender, draft).await;
                    sent.map_err(|refused| drafts::refused(refused.why))
                }
                Err(problem) => Err(problem.clone()),
            };
            items.push(Outcome::of(
                to,
                source.map(|id: MessageId| id.to_string()),
                sent,
            ));
        }
    }
    Ok(Json(Outcomes { items }))
}

/// The messages, as far as whoever forwards them may read them.
async fn readable(
    api: &ApiState,
    realm: &Realm,
    sender: &Sender,
    ids: &[String],
) -> Result<Vec<Message>, Problem> {
    if !(1..=MAX_MESSAGES).contains(&ids.len()) {
        let wrong = format_args!("has 1 to {MAX_MESSAGES} messages");
        return Err(Problem::field("ids", wrong));
    }
    let viewer = match sender {
        Sender::Application(_) => Viewer::Application,
        other => Viewer::User(other.user().clone()),
    };
    let mut messages = Vec::with_capacity(ids.len());
    for (at, text) in ids.iter().enumerate() {
        let id = text.parse().ok().filter(|id: &i64| *id > 0);
        let name = format!("ids[{at}]");
        let wrong = || Problem::field(&name, "a message id is a decimal number");
        let id = MessageId(id.ok_or_else(wrong)?);
        match api.im.message_for(realm, &viewer, id).await {
            Err(Refusal::NoSuchMessage) => {
                let why = format!("{name}: there is no message {id}");
                return Err(Problem::new(Refusal::NoSuchMessage, why));
            }
            found => messages.push(found?),
        }
    }
    Ok(messages)
}

/// What of a message goes with it. What is to end would not end in a copy.
fn copy(message: &Message) -> Result<MessageBody, Problem> {
    if !drafts::lasts(message) {
        let why = format!(
            "ids: message {} does not last, and so is not copied",
            message.id
        );
        return Err(Problem::new(Refusal::WrongState, why));
    }
    forwarded(message).ok_or_else(|| not_forwarded(message.id))
}

/// What is no message of somebody goes nowhere.
fn not_forwarded(id: MessageId) -> Problem {
    let why = format!("ids: message {id} is none that can be forwarded");
    Problem::new(Refusal::WrongState, why)
}

fn each(messages: &[Message]) -> Result<Vec<(Option<MessageId>, MessageBody)>, Problem> {
    let bodies = messages
        .iter()
        .map(|message| Ok((Some(message.id), copy(message)?)));
    bodies.collect()
}

/// One message of all.
async fn merged(
    api: &ApiState,
    realm: &Realm,
    title: String,
    messages: &[Message],
) -> Result<MessageBody, Problem> {
    let mut items = Vec::with_capacity(messages.len());
    for message in messages {
        copy(message)?;
        let uid = &message.sender.uid;
        let user = api.im.user(realm, uid).await;
        let profile = user.ok().and_then(|user| user.record.profile.clone());
        let profile: Value = profile
            .and_then(|profile| serde_json::from_str(&profile).ok())
            .unwrap_or_default();
        items.push(MergedItem {
            from: uid.as_str().to_owned(),
            name: profile["name"].as_str().unwrap_or_default().to_owned(),
            sent_at: message.sent_at_ms,
            content: plain(meaning_of(message)),
        });
    }
    let merged = Content::Merged { title, items };
    if !merged.is_bounded() {
        let why = format!(
            "ids: forwards stand at most {MAX_MERGED_DEPTH} deep in one another, and have at most \
             {MAX_MERGED_ITEMS} messages"
        );
        return Err(Problem::new(Refusal::WrongState, why));
    }
    let json = serde_json::to_value(&merged).map_err(|_| Refusal::Internal)?;
    Ok(MessageBody {
        origin: Origin::REST,
        flags: Flags {
            counts: true,
            ..Flags::default()
        },
        payload: content::payload(&json)?,
        ..MessageBody::default()
    })
}

/// What is said, without whom it was said to.
fn plain(content: Content) -> Content {
    match content {
        Content::Text { text, .. } => Content::text(text),
        Content::Merged { title, mut items } => {
            for item in &mut items {
                let said = std::mem::replace(&mut item.content, Content::text(""));
                item.content = plain(said);
            }
            Content::Merged { title, items }
        }
        other => other,
    }
}
