//! How a user keeps their conversations: pinned, muted, marked, with a draft, put away, cleared;
//! one by one and many at once.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use crosstalk_core::channel::ChannelKey;
use crosstalk_core::conversation::{Keep, MAX_DRAFT_BYTES};
use crosstalk_core::id::UserRef;
use crosstalk_core::im::{ConversationWish, MAX_AT_ONCE};
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::acting;
use super::auth::Caller;
use super::channels::seen_by;
use super::conversations::{ConversationView, ReadUpTo, views};
use super::input::{Body, Params, Segments};
use super::openapi::{Denials, Missing, Oversize};
use super::outcome::OutcomeError;
use super::problem::Problem;
use super::view::{ChannelName, KindName};
use crate::http::state::ApiState;

/// What is to change. What is absent stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(example = json!({"pinned": true, "muted_until_at": 1_915_000_000_000_i64}))]
pub(super) struct ConversationPatch {
    /// Kept on top of the list.
    pinned: Option<bool>,
    /// No notifications; `true` without `muted_until_at`: for good.
    muted: Option<bool>,
    /// No notifications until then, ms since 1970.
    muted_until_at: Option<i64>,
    /// A mark of the user's own, for example as unread. Reading takes it away.
    marked: Option<bool>,
    /// What was begun to be written there; at most 4,096 bytes; empty: nothing.
    draft: Option<String>,
    /// Left out of the list until a newer message comes, or shown again.
    hidden: Option<bool>,
}

impl ConversationPatch {
    fn wish(self) -> Result<Keep, Problem> {
        Ok(Keep {
            pinned: self.pinned,
            muted_until_ms: acting::muted_until(self.muted, self.muted_until_at)?,
            marked: self.marked,
            draft: self
                .draft
                .map(|draft| draft_of("draft", draft))
                .transpose()?,
            hidden: self.hidden,
            ..Keep::default()
        })
    }
}

fn draft_of(name: &str, draft: String) -> Result<Arc<str>, Problem> {
    if draft.len() > MAX_DRAFT_BYTES {
        let wrong = format_args!("has at most {MAX_DRAFT_BYTES} bytes");
        return Err(Problem::field(name, wrong));
    }
    Ok(draft.into())
}

/// How much is to go.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Deletion {
    /// The history goes, too, for this user; the others keep theirs.
    #[serde(default)]
    clear: bool,
}

/// The user whom a path names, and a channel as this user names it.
async fn whose(
    api: &ApiState,
    caller: &Caller,
    (uid, kind, id): &(String, String, String),
) -> Result<(UserRef, ChannelKey), Problem> {
    let (realm, uid) = caller.reaches(uid)?;
    let key = seen_by(realm, Some(&uid), kind, id)?;
    let user = api.im.user(realm, &uid).await?.record.user.clone();
    Ok((user, key))
}

async fn kept(
    api: &ApiState,
    (user, key): (UserRef, ChannelKey),
    wish: Keep,
) -> Result<Json<ConversationView>, Problem> {
    let row = api.im.keep_conversation(&user, &key, wish).await?;
    let mut view = views(api, &user, &[row]).await?;
    Ok(Json(view.pop().ok_or(Refusal::Internal)?))
}

/// A conversation
///
/// Hidden ones are found, too.
#[utoipa::path(
    get, path = "/v1/users/{uid}/conversations/{kind}/{id}", tag = "conversations",
    params(
        ("uid" = String, Path, description = "The user's id; `me` with a user token"),
        ("kind" = KindName, Path, description = "The kind of channel, by name or number"),
        ("id" = String, Path, description = "The channel's id; of a direct one the peer's uid"),
    ),
    responses(
        (status = 200, description = "The conversation", body = ConversationView),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn get_conversation(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(path): Segments<(String, String, String)>,
) -> Result<Json<ConversationView>, Problem> {
    let (user, key) = whose(&api, &caller, &path).await?;
    let row = api.im.conversation(&user, &key).await?;
    let mut view = views(&api, &user, &[row]).await?;
    Ok(Json(view.pop().ok_or(Refusal::Internal)?))
}

/// Keep a conversation otherwise
///
/// All devices of the user are told. A direct conversation in which nothing was said yet begins
/// with what is pinned or begun to be written there.
#[utoipa::path(
    patch, path = "/v1/users/{uid}/conversations/{kind}/{id}", tag = "conversations",
    request_body = ConversationPatch,
    params(
        ("uid" = String, Path, description = "The user's id; `me` with a user token"),
        ("kind" = KindName, Path, description = "The kind of channel, by name or number"),
        ("id" = String, Path, description = "The channel's id; of a direct one the peer's uid"),
    ),
    responses(
        (status = 200, description = "The conversation", body = ConversationView),
        Denials, Missing, Oversize
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn patch_conversation(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(path): Segments<(String, String, String)>,
    Body(patch): Body<ConversationPatch>,
) -> Result<Json<ConversationView>, Problem> {
    let of = whose(&api, &caller, &path).await?;
    kept(&api, of, patch.wish()?).await
}

/// Delete a conversation
///
/// It is left out of the list until a newer message comes, and its draft and mark are gone.
#[utoipa::path(
    delete, path = "/v1/users/{uid}/conversations/{kind}/{id}", tag = "conversations",
    params(
        ("uid" = String, Path, description = "The user's id; `me` with a user token"),
        ("kind" = KindName, Path, description = "The kind of channel, by name or number"),
        ("id" = String, Path, description = "The channel's id; of a direct one the peer's uid"),
        Deletion,
    ),
    responses(
        (status = 200, description = "The conversation", body = ConversationView),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn delete_conversation(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(path): Segments<(String, String, String)>,
    Params(deletion): Params<Deletion>,
) -> Result<Json<ConversationView>, Problem> {
    let of = whose(&api, &caller, &path).await?;
    kept(&api, of, Keep::delete(deletion.clear)).await
}

/// Clear a conversation's history
///
/// For this user alone. Up to there all is read.
#[utoipa::path(
    post, path = "/v1/users/{uid}/conversations/{kind}/{id}/clear", tag = "conversations",
    request_body = ReadUpTo,
    params(
        ("uid" = String, Path, description = "The user's id; `me` with a user token"),
        ("kind" = KindName, Path, description = "The kind of channel, by name or number"),
        ("id" = String, Path, description = "The channel's id; of a direct one the peer's uid"),
    ),
    responses(
        (status = 200, description = "The conversation", body = ConversationView),
        Denials, Missing, Oversize
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn clear_conversation(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(path): Segments<(String, String, String)>,
    Body(up_to): Body<ReadUpTo>,
) -> Result<Json<ConversationView>, Problem> {
    let of = whose(&api, &caller, &path).await?;
    let wish = Keep {
        cleared_to: Some(up_to.seq.unwrap_or(u64::MAX)),
        ..Keep::default()
    };
    kept(&api, of, wish).await
}

/// What a user has not seen, over all conversations.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"unread": 3, "with_muted": 7, "mentions": 1, "conversations": 2, "marked": 0}))]
pub(super) struct UnreadView {
    /// Messages in conversations that are not muted.
    unread: u64,
    /// Messages in all conversations.
    with_muted: u64,
    /// Unread messages that mention the user, in muted conversations too.
    mentions: u64,
    /// Conversations with unread messages, muted ones too.
    conversations: u64,
    /// Conversations that the user has marked.
    marked: u64,
}

/// Unread totals
///
/// Hidden conversations do not count.
#[utoipa::path(
    get, path = "/v1/users/{uid}/unread", tag = "conversations",
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses(
        (status = 200, description = "How much is unread", body = UnreadView),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn get_unread(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
) -> Result<Json<UnreadView>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let user = api.im.user(realm, &uid).await?.record.user.clone();
    let totals = api.im.unread_totals(&user).await?;
    Ok(Json(UnreadView {
        unread: totals.unread,
        with_muted: totals.with_muted,
        mentions: totals.mentions,
        conversations: totals.conversations,
        marked: totals.marked,
    }))
}

/// What can be done to several conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum BatchOp {
    /// Keep on top.
    Pin,
    /// No longer on top.
    Unpin,
    /// No notifications, until `muted_until_at` or for good.
    Mute,
    /// Notifications again.
    Unmute,
    /// Read everything.
    Read,
    /// Mark.
    Mark,
    /// Take the mark away.
    Unmark,
    /// Leave out of the list until a newer message comes.
    Hide,
    /// Show again.
    Show,
    /// As `DELETE` of one.
    Delete,
    /// Clear the history.
    Clear,
    /// Keep the drafts that stand beside the channels.
    Draft,
}

/// A channel and, for `draft`, what was begun to be written there.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct BatchChannel {
    /// The channel, as the user names it.
    #[serde(flatten)]
    channel: ChannelName,
    /// For `draft`: at most 4,096 bytes; absent: nothing.
    #[serde(default)]
    draft: String,
}

/// The same for several conversations.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"op": "pin", "channels": [{"kind": "group", "id": "team"}]}))]
pub(super) struct Batch {
    /// What to do.
    op: BatchOp,
    /// To which; 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    channels: Vec<BatchChannel>,
    /// For `mute`: until when, ms since 1970.
    muted_until_at: Option<i64>,
}

/// What became of one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"channel": {"kind": "group", "id": "team"}, "error": null}))]
pub(super) struct Outcome {
    /// Which.
    channel: ChannelName,
    /// Why it was refused; null if it was not.
    error: Option<OutcomeError>,
}

/// What became of each, in their order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Outcomes {
    /// One for each channel.
    items: Vec<Outcome>,
}

impl Batch {
    fn wish(&self, draft: Arc<str>) -> Result<ConversationWish, Problem> {
        let keep = Keep::default();
        let wish = match self.op {
            BatchOp::Pin | BatchOp::Unpin => Keep {
                pinned: Some(self.op == BatchOp::Pin),
                ..keep
            },
            BatchOp::Mute => Keep {
                muted_until_ms: acting::muted_until(Some(true), self.muted_until_at)?,
                ..keep
            },
            BatchOp::Unmute => Keep {
                muted_until_ms: Some(0),
                ..keep
            },
            BatchOp::Mark | BatchOp::Unmark => Keep {
                marked: Some(self.op == BatchOp::Mark),
                ..keep
            },
            BatchOp::Hide | BatchOp::Show => Keep {
                hidden: Some(self.op == BatchOp::Hide),
                ..keep
            },
            BatchOp::Delete => Keep::delete(false),
            BatchOp::Clear => Keep {
                cleared_to: Some(u64::MAX),
                ..keep
            },
            BatchOp::Draft => Keep {
                draft: Some(draft),
                ..keep
            },
            BatchOp::Read => return Ok(ConversationWish::Read),
        };
        Ok(ConversationWish::Keep(wish))
    }
}

/// Change several conversations
///
/// Each by itself: some may be done and others not.
#[utoipa::path(
    post, path = "/v1/users/{uid}/conversations/batch", tag = "conversations",
    request_body = Batch,
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses(
        (status = 200, description = "What became of each", body = Outcomes),
        Denials, Missing, Oversize
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn change_conversations(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(batch): Body<Batch>,
) -> Result<Json<Outcomes>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    if !(1..=MAX_AT_ONCE).contains(&batch.channels.len()) {
        let wrong = format_args!("must be 1 to {MAX_AT_ONCE}");
        return Err(Problem::field("channels", wrong));
    }
    let mut wishes = Vec::with_capacity(batch.channels.len());
    for (at, item) in batch.channels.iter().enumerate() {
        let draft = draft_of(&format!("channels[{at}].draft"), item.draft.clone())?;
        let kind = item.channel.kind.name();
        let key = seen_by(realm, Some(&uid), kind, &item.channel.id);
        let key =
            key.map_err(|why| Problem::new(why.refusal, format!("channels[{at}]: no such name")))?;
        wishes.push((key, batch.wish(draft)?));
    }
    let user = api.im.user(realm, &uid).await?.record.user.clone();
    let done = api.im.change_conversations(&user, wishes).await;
    let each = batch.channels.into_iter().zip(done);
    let items = each.map(|(item, done)| Outcome {
        channel: item.channel,
        error: done.err().map(OutcomeError::from),
    });
    Ok(Json(Outcomes {
        items: items.collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn muting_has_an_end_or_none() {
        let cases = [
            ((None, None), Ok(None)),
            ((Some(true), None), Ok(Some(i64::MAX))),
            ((Some(false), None), Ok(Some(0))),
            ((None, Some(7)), Ok(Some(7))),
            ((Some(true), Some(7)), Ok(Some(7))),
        ];
        for ((muted, until), expected) in cases {
            assert_eq!(
                acting::muted_until(muted, until),
                expected,
                "{muted:?} {until:?}"
            );
        }
        for (muted, until) in [(Some(false), 7), (None, 0), (Some(true), -1)] {
            assert!(
                acting::muted_until(muted, Some(until)).is_err(),
                "{muted:?} {until}"
            );
        }
    }

    #[test]
    fn drafts_have_an_end() {
        assert!(draft_of("draft", "x".repeat(MAX_DRAFT_BYTES)).is_ok());
        let long = draft_of("draft", "é".repeat(MAX_DRAFT_BYTES / 2 + 1));
        assert_eq!(
            long.map_err(|why| why.refusal),
            Err(Refusal::InvalidArgument)
        );
    }
}
