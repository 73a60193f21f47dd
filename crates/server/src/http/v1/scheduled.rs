//! Messages that are to be sent later.

use axum::Json;
use axum::extract::State;
use crosstalk_core::channel::Address;
use crosstalk_core::deliver::Sender;
use crosstalk_core::id::{MessageId, Realm, UserRef};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::schedule::{self, MAX_AHEAD_MS, Scheduled, ScheduledQuery, State as Fate};
use crosstalk_gateway::moderate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::auth::Caller;
use super::drafts::{Kind, Mentioned, Saying, Spoken, refused};
use super::input::{self, Body, Params, Segments};
use super::messages::{address, sender};
use super::openapi::{Conflict, Denials, Missing, Oversize, Throttled};
use super::page::{self, Page};
use super::problem::Problem;
use super::view::ChannelName;
use crate::http::state::ApiState;

/// What cursors of this list begin with.
const LIST: &str = "sc";

/// A message to be sent later.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "from": "alice",
    "to": {"kind": "direct", "id": "bob"},
    "content": {"type": "text", "text": "早上好"},
    "send_at": 1_715_040_000_000_i64,
}))]
pub(super) struct NewScheduled {
    /// As with a message.
    from: Option<String>,
    /// Where to.
    #[serde(deserialize_with = "input::object")]
    to: ChannelName,
    #[serde(flatten)]
    saying: Saying,
    /// As with a message.
    #[serde(default)]
    receipt: bool,
    /// When, ms since 1970: at most a year ahead.
    send_at: i64,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ScheduledState {
    /// It waits for its time.
    Open,
    /// It was sent.
    Sent,
    /// It was refused when its time had come.
    Failed,
    /// It was taken back.
    Cancelled,
}

/// A message that is to be sent later.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScheduledMessage)]
pub(super) struct ScheduledView {
    /// Its id; the message gets another.
    id: String,
    /// In whose name.
    from: String,
    /// Where to.
    to: ChannelName,
    /// What; null when it waits no more.
    #[schema(value_type = Option<Object>)]
    content: Option<Value>,
    /// Whom it mentions.
    #[serde(skip_serializing_if = "Option::is_none")]
    mentions: Option<Mentioned>,
    /// The id of the message to which it replies.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<String>,
    /// How long it lives once it is sent, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in_ms: Option<u64>,
    /// How long it stays after its receiver has read it, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    burn_after_ms: Option<u64>,
    /// Its author wants to know who has read it.
    receipt: bool,
    /// When it is to be sent, ms since 1970.
    send_at: i64,
    /// When it was scheduled, ms since 1970.
    created_at: i64,
    /// What became of it.
    state: ScheduledState,
    /// When that was, ms since 1970; null while it waits.
    done_at: Option<i64>,
    /// The id of the message that it was sent as.
    message_id: Option<String>,
    /// That message's place in its channel.
    seq: Option<u64>,
    /// Why it was refused: the code of a problem.
    reason: Option<&'static str>,
}

impl ScheduledView {
    fn of(item: &Scheduled) -> Self {
        let is_open = item.state == Fate::Open;
        let carried = item.saying.carried.as_deref();
        let mentions = carried
            .filter(|carried| carried.has_mentions())
            .map(|carried| {
                let uids = carried
                    .mentions
                    .iter()
                    .map(|user| user.uid.as_str().to_owned());
                Mentioned {
                    users: uids.collect(),
                    all: carried.mention_all,
                }
            });
        let (state, sent, reason) = match item.state {
            Fate::Open => (ScheduledState::Open, None, None),
            Fate::Sent { message, seq } => (ScheduledState::Sent, Some((message, seq)), None),
            Fate::Failed(why) => (ScheduledState::Failed, None, Some(why.code())),
            Fate::Cancelled => (ScheduledState::Cancelled, None, None),
        };
        let lives = u64::from(item.saying.expire_secs) * 1000;
        let burns = carried.map_or(0, |carried| carried.burn_after_ms);
        Self {
            id: item.id.to_string(),
            from: item.sender.uid.as_str().to_owned(),
            to: ChannelName {
                kind: item.kind,
                id: item.to.to_string(),
            },
            content: serde_json::from_slice(&item.saying.payload)
                .ok()
                .filter(|_| is_open),
            mentions,
            reply_to: carried
                .and_then(|carried| carried.reply_to)
                .map(|id| id.to_string()),
            expires_in_ms: Some(lives).filter(|ms| *ms > 0),
            burn_after_ms: Some(burns).filter(|ms| *ms > 0),
            receipt: item.saying.asks_receipt,
            send_at: item.send_at_ms,
            created_at: item.created_at_ms,
            state,
            done_at: (!is_open).then_some(item.done_at_ms),
            message_id: sent.map(|(message, _)| message.to_string()),
            seq: sent.map(|(_, seq)| seq),
            reason,
        }
    }
}

/// Schedule a message
///
/// What could not be sent now is refused. It is sent when its time comes, with the checks of an
/// ordinary send as they are then; if it is refused, that is noted with the reason. A sender may
/// have 1,000 waiting.
#[utoipa::path(
    post, path = "/v1/scheduled-messages", tag = "messages", request_body = NewScheduled,
    responses(
        (status = 200, description = "It is noted", body = ScheduledView),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn schedule_message(
    State(api): State<ApiState>,
    caller: Caller,
    Body(new): Body<NewScheduled>,
) -> Result<Json<ScheduledView>, Problem> {
    let realm = caller.realm()?;
    let sender = sender(&api, &caller, new.from.as_deref()).await?;
    check_time(&api, new.send_at)?;
    super::content::payload(&new.saying.content)?;
    let to = address(&api, realm, &new.to).await?;
    let spoken = new.saying.spoken(&api, &caller, &sender, &to).await?;
    let item = Scheduled {
        id: MessageId(0),
        realm: realm.clone(),
        by_application: matches!(sender, Sender::Application(_)),
        app: caller.app_id().cloned(),
        sender: sender.user().clone(),
        kind: new.to.kind,
        to: new.to.id.as_str().into(),
        saying: saying(spoken, new.receipt)?,
        send_at_ms: new.send_at,
        created_at_ms: 0,
        state: Fate::Open,
        done_at_ms: 0,
    };
    check_words(&api, &item)?;
    let noted = api.im.schedule(item).await.map_err(refused)?;
    Ok(Json(ScheduledView::of(&noted)))
}

fn saying(spoken: Spoken, asks_receipt: bool) -> Result<schedule::Saying, Problem> {
    if spoken.kind == Kind::Command {
        return Err(Problem::field("content.type", "a command is sent at once"));
    }
    Ok(schedule::Saying {
        payload: spoken.payload,
        is_silent: spoken.kind == Kind::Tip,
        asks_receipt,
        expire_secs: spoken.expire_secs,
        carried: spoken.carried,
    })
}

/// Refuses what the word lists would not let pass now. They are asked again when it is sent.
fn check_words(api: &ApiState, item: &Scheduled) -> Result<(), Problem> {
    let mut draft = item.draft()?;
    if !item.by_application {
        moderate(&api.im.words(&item.realm), &mut draft);
    }
    match draft.fault {
        // A moderator is asked when its time has come.
        None | Some(Refusal::HeldForReview) => Ok(()),
        Some(why) => Err(refused(why)),
    }
}

fn check_time(api: &ApiState, at_ms: i64) -> Result<(), Problem> {
    let now_ms = api.im.clock().now_ms();
    if (now_ms..=now_ms.saturating_add(MAX_AHEAD_MS)).contains(&at_ms) {
        Ok(())
    } else {
        Err(Problem::field("send_at", "must be within a year from now"))
    }
}

/// Which of them are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Which {
    /// Those that wait.
    #[default]
    Open,
    /// Those that were sent, have failed or were taken back, for 30 days.
    Done,
    /// All.
    All,
}

/// Which of them are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only in the name of this user; with a user token always the user's own.
    from: Option<String>,
    /// Which.
    #[param(inline)]
    #[serde(default)]
    state: Which,
    /// At most this many items.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Scheduled messages
///
/// In the order in which they were scheduled.
#[utoipa::path(
    get, path = "/v1/scheduled-messages", tag = "messages", params(Wanted),
    responses(
        (status = 200, description = "Scheduled messages", body = Page<ScheduledView>),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_scheduled(
    State(api): State<ApiState>,
    caller: Caller,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Page<ScheduledView>>, Problem> {
    let limit = page::limit(wanted.limit)?;
    let after = match &wanted.cursor {
        None => MessageId(0),
        Some(cursor) => {
            let place = page::decode(LIST, cursor).map(|[id]: [i64; 1]| MessageId(id));
            place.ok_or_else(|| Problem::field("cursor", "is not one that this list gave"))?
        }
    };
    let (realm, whose) = match (&caller, &wanted.from) {
        (Caller::User(identity), from) => {
            let own = identity.user.uid.as_str();
            let (realm, _) = caller.reaches(from.as_deref().unwrap_or(own))?;
            (realm, Some(identity.user.num))
        }
        (_, Some(from)) => {
            let realm = caller.realm()?;
            let uid = input::uid("from", from)?;
            (realm, Some(api.im.user(realm, &uid).await?.record.user.num))
        }
        (_, None) => (caller.realm()?, None),
    };
    let query = ScheduledQuery {
        realm: realm.clone(),
        sender: whose,
        open: match wanted.state {
            Which::Open => Some(true),
            Which::Done => Some(false),
            Which::All => None,
        },
        after,
        limit: limit + 1,
    };
    let mut found = api.im.scheduled_list(query).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let last = found.last().filter(|_| more);
    let next_cursor = last.map(|last| page::encode(LIST, [last.id.0]));
    let items = found.iter().map(ScheduledView::of).collect();
    Ok(Json(Page { items, next_cursor }))
}

/// Whose a caller may see.
fn whose(caller: &Caller) -> Result<(&Realm, Option<&UserRef>), Problem> {
    match caller {
        Caller::User(identity) => Ok((&identity.realm, Some(&identity.user))),
        Caller::Admin(_) | Caller::App(_) => Ok((caller.realm()?, None)),
    }
}

/// A scheduled message
#[utoipa::path(
    get, path = "/v1/scheduled-messages/{id}", tag = "messages",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "It", body = ScheduledView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn get_scheduled(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<ScheduledView>, Problem> {
    let (realm, whose) = whose(&caller)?;
    let item = api
        .im
        .scheduled(realm, whose, input::message_id(&id)?)
        .await?;
    Ok(Json(ScheduledView::of(&item)))
}

/// What is to be changed. What it carries is given anew with the content.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"send_at": 1_715_040_000_000_i64}))]
pub(super) struct ScheduledChange {
    /// When, ms since 1970.
    send_at: Option<i64>,
    /// What.
    #[schema(value_type = Option<Object>)]
    content: Option<Value>,
    /// Whom it mentions.
    mentions: Option<Mentioned>,
    /// The id of the message to which it replies.
    reply_to: Option<String>,
    /// How long it lives, ms.
    expires_in_ms: Option<u64>,
    /// How long it stays after its receiver has read it, ms.
    burn_after_ms: Option<u64>,
    /// Whether its author wants to know who has read it; absent: as it was.
    receipt: Option<bool>,
}

/// Change a scheduled message
///
/// Only while it waits.
#[utoipa::path(
    patch, path = "/v1/scheduled-messages/{id}", tag = "messages", request_body = ScheduledChange,
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 200, description = "It", body = ScheduledView),
        Denials, Missing, Oversize, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn change_scheduled(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
    Body(change): Body<ScheduledChange>,
) -> Result<Json<ScheduledView>, Problem> {
    let (realm, whose) = whose(&caller)?;
    let id = input::message_id(&id)?;
    let item = api.im.scheduled(realm, whose, id).await?;
    if let Some(at_ms) = change.send_at {
        check_time(&api, at_ms)?;
    }
    let new = match change.content {
        Some(content) => {
            let said = Saying {
                content,
                mentions: change.mentions,
                reply_to: change.reply_to,
                expires_in_ms: change.expires_in_ms,
                burn_after_ms: change.burn_after_ms,
            };
            let to = Address::parse(item.kind, &item.to)?;
            let spoken = said.spoken(&api, &caller, &item.speaker(), &to).await?;
            let receipt = change.receipt.unwrap_or(item.saying.asks_receipt);
            Some(saying(spoken, receipt)?)
        }
        None => {
            let carries = change.mentions.is_some()
                || change.reply_to.is_some()
                || change.expires_in_ms.is_some()
                || change.burn_after_ms.is_some()
                || change.receipt.is_some();
            if carries {
                return Err(Problem::field("content", "goes with what it carries"));
            }
            None
        }
    };
    if let Some(saying) = &new {
        let saying = saying.clone();
        check_words(&api, &Scheduled { saying, ..item })?;
    }
    let change = schedule::Change {
        send_at_ms: change.send_at,
        saying: new,
    };
    let changed = api.im.reschedule(realm, whose, id, change).await;
    Ok(Json(ScheduledView::of(&changed.map_err(over)?)))
}

fn over(why: Refusal) -> Problem {
    match why {
        Refusal::WrongState => Problem::new(why, "it waits no more"),
        why => refused(why),
    }
}

/// Take a scheduled message back
///
/// Only while it waits; taking it back again changes nothing.
#[utoipa::path(
    delete, path = "/v1/scheduled-messages/{id}", tag = "messages",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "It", body = ScheduledView), Denials, Missing, Conflict),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn cancel_scheduled(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<ScheduledView>, Problem> {
    let (realm, whose) = whose(&caller)?;
    let cancelled = api
        .im
        .cancel_scheduled(realm, whose, input::message_id(&id)?)
        .await;
    Ok(Json(ScheduledView::of(&cancelled.map_err(over)?)))
}
