//! Sending the same to many.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use crosstalk_core::message::Accepted;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::Caller;
use super::drafts::{self, Saying};
use super::input::Body;
use super::messages::{address, client_no, sender};
use super::openapi::{Conflict, Denials, Missing, Oversize, Throttled};
use super::outcome::OutcomeError;
use super::problem::Problem;
use super::view::ChannelName;
use crate::http::state::ApiState;

/// Receivers of one request.
const MAX_RECEIVERS: usize = 100;

/// A message for many.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "from": "alice",
    "to": [{"kind": "direct", "id": "bob"}, {"kind": "group", "id": "team"}],
    "content": {"type": "text", "text": "你好"},
}))]
pub(super) struct NewMessages {
    /// As with a single message.
    from: Option<String>,
    /// Where to: 1 to 100 channels.
    #[schema(min_items = 1, max_items = 100)]
    to: Vec<ChannelName>,
    #[serde(flatten)]
    saying: Saying,
    /// Its author wants to know who has read it (`GET /v1/messages/{id}/receipts`). Of direct
    /// channels that is known anyway.
    #[serde(default)]
    receipt: bool,
    /// The sender's own number, the same in each channel.
    #[schema(min_length = 1, max_length = 128)]
    client_no: Option<String>,
}

/// What became of one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SendOutcome)]
pub(super) struct Outcome {
    /// Where to.
    pub(super) to: ChannelName,
    /// The message that was forwarded there, if that is what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    /// The new message's id; null if it was refused.
    pub(super) id: Option<String>,
    /// Its place in the channel.
    pub(super) seq: Option<u64>,
    /// When it was accepted, ms since 1970.
    pub(super) sent_at: Option<i64>,
    /// Why it was refused; null if it was not.
    pub(super) error: Option<OutcomeError>,
}

impl Outcome {
    /// What a sender is told of one.
    pub(super) fn of(
        to: ChannelName,
        source: Option<String>,
        sent: Result<Accepted, Problem>,
    ) -> Self {
        match sent {
            Ok(accepted) => Self {
                to,
                source,
                id: Some(accepted.id.to_string()),
                seq: Some(accepted.seq),
                sent_at: Some(accepted.sent_at_ms),
                error: None,
            },
            Err(problem) => Self {
                to,
                source,
                id: None,
                seq: None,
                sent_at: None,
                error: Some(problem.into()),
            },
        }
    }
}

/// What became of each.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SendOutcomes)]
pub(super) struct Outcomes {
    /// In the order in which they were asked for.
    pub(super) items: Vec<Outcome>,
}

/// Send a message to many
///
/// Each receiver gets a message of its own, and the answer says for each what became of it: one
/// that is refused does not hold up the others.
#[utoipa::path(
    post, path = "/v1/messages/batch", tag = "messages", request_body = NewMessages,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same as `client_no`"),
    ),
    responses(
        (status = 200, description = "What became of each", body = Outcomes),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn send_messages(
    State(api): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
    Body(new): Body<NewMessages>,
) -> Result<Json<Outcomes>, Problem> {
    let realm = caller.realm()?;
    let sender = sender(&api, &caller, new.from.as_deref()).await?;
    let client_no = client_no(&headers, new.client_no)?;
    check_receivers(&new.to, MAX_RECEIVERS)?;
    super::content::payload(&new.saying.content)?;
    let mut items = Vec::with_capacity(new.to.len());
    for to in new.to {
        let sent = async {
            let address = address(&api, realm, &to).await?;
            let spoken = new.saying.spoken(&api, &caller, &sender, &address).await?;
            let draft = spoken.draft(address, client_no.as_deref(), new.receipt);
            let sent = drafts::send(&api, &caller, realm, &sender, draft).await;
            sent.map_err(|refused| drafts::refused(refused.why))
        };
        let sent = sent.await;
        items.push(Outcome::of(to, None, sent));
    }
    Ok(Json(Outcomes { items }))
}

/// Checks how many receivers there are.
pub(super) fn check_receivers(to: &[ChannelName], max: usize) -> Result<(), Problem> {
    if (1..=max).contains(&to.len()) {
        Ok(())
    } else {
        Err(Problem::field(
            "to",
            format_args!("has 1 to {max} channels"),
        ))
    }
}
