//! Who has read a message, and what became of messages by version.

use axum::Json;
use axum::extract::State;
use crosstalk_core::channel::ChannelKind;
use crosstalk_core::id::UserNum;
use crosstalk_core::im::{Changed, ReadersQuery};
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::auth::Caller;
use super::input::{self, Params, Segments};
use super::looking;
use super::openapi::{Conflict, Denials, Missing};
use super::page::{self, Paging};
use super::problem::Problem;
use super::view::{KindName, MessageState, MessageView};
use crate::http::state::ApiState;

/// What cursors of readers begin with.
const READERS: &str = "rd";
/// Changes in an answer, if the caller does not say.
const DEFAULT_CHANGES: u32 = 100;
/// Changes in an answer at most.
const MAX_CHANGES: u32 = 1000;

/// Who is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reading {
    /// Those who have read it.
    #[default]
    Read,
    /// Those who could and have not.
    Unread,
}

/// Which readers are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// `read` (the default) or `unread`.
    #[param(inline)]
    #[serde(default)]
    state: Reading,
    /// Whose view is meant, with an app secret or the admin key; absent: everything.
    user: Option<String>,
}

/// One reader.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reader)]
pub(super) struct ReaderView {
    /// Who.
    user: String,
    /// When they have read it, ms since 1970; null = not, or it is not known when.
    read_at: Option<i64>,
}

/// Who has read a message, or has not.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Receipts)]
pub(super) struct ReceiptsView {
    /// How many have read it.
    read_count: u64,
    /// How many could, and have not.
    unread_count: u64,
    /// False: the channel has more than 500 members now, and who reads the message from now on
    /// is not counted any more.
    counting: bool,
    /// Those wanted.
    items: Vec<ReaderView>,
    /// Give this as `cursor` to get the next page; null when this is the last one.
    next_cursor: Option<String>,
}

/// Who has read a message
///
/// Its author may ask, and who moderates the channel. Of direct channels it is always known,
/// of others where the message asks for receipts and the channel had at most 500 members when
/// it was sent; elsewhere the answer is `wrong_state`.
#[utoipa::path(
    get, path = "/v1/messages/{id}/receipts", tag = "messages",
    params(("id" = String, Path, description = "The message's id"), Wanted, Paging),
    responses((status = 200, description = "Readers", body = ReceiptsView), Denials, Missing, Conflict),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_receipts(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
    Params(wanted): Params<Wanted>,
    Params(paging): Params<Paging>,
) -> Result<Json<ReceiptsView>, Problem> {
    let realm = caller.realm()?;
    let id = input::message_id(&id)?;
    let viewer = looking::viewer(&api, &caller, wanted.user.as_deref()).await?;
    let limit = paging.limit()?;
    let after = paging.after::<1>(READERS)?.map(|[num]| UserNum(num));
    let is_read = wanted.state == Reading::Read;
    let query = ReadersQuery {
        is_read,
        after,
        limit,
    };
    let readers = api.im.readers(realm, id, &viewer, query).await?;
    let message = api.im.message(id).await?;
    if message.channel.key.kind != ChannelKind::DIRECT && !message.body.flags.receipt {
        let why = "when the message was sent, receipts were not asked for, or the channel had more \
                   than 500 members";
        return Err(Problem::new(Refusal::WrongState, why));
    }
    let last = readers.users.last().filter(|_| readers.more);
    let next_cursor = last.map(|(user, _)| page::encode(READERS, [user.num.0]));
    let items = readers.users.into_iter().map(|(user, at_ms)| ReaderView {
        user: user.uid.as_str().to_owned(),
        read_at: (at_ms > 0).then_some(at_ms),
    });
    Ok(Json(ReceiptsView {
        read_count: readers.read_count,
        unread_count: readers.unread_count,
        counting: !readers.is_closed,
        items: items.collect(),
        next_cursor,
    }))
}

/// From where changes are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Since {
    /// Only what has changed after this version; 0 = everything that ever has.
    #[serde(default)]
    after_version: i64,
    /// At most this many items.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// Whose view is meant, with an app secret or the admin key; absent: everything.
    user: Option<String>,
}

/// What a message says since it was edited.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EditOfMessage)]
pub(super) struct EditView {
    /// How often it was edited.
    n: u32,
    /// When that was last, ms since 1970.
    at: i64,
    /// What it says now.
    #[schema(value_type = Object)]
    content: Value,
}

/// A reaction that was put to a message, or taken away.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReactionChange)]
pub(super) struct ReactionChangeView {
    emoji: String,
    user: String,
    removed: bool,
    at: i64,
}

/// What became of a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageChange)]
pub(super) struct ChangeView {
    /// Its id, a decimal number.
    id: String,
    /// Its place in the channel.
    seq: u64,
    /// The sender's own number for it, if there is one.
    client_no: Option<String>,
    /// Grows with each change of any message of the channel.
    version: i64,
    /// What it is now.
    state: MessageState,
    /// Who took it back or deleted it; null = the application, or nobody.
    by: Option<String>,
    /// When its content went, ms since 1970.
    gone_at: Option<i64>,
    /// The viewer has deleted it for themselves.
    hidden: bool,
    /// What it says since it was edited.
    edit: Option<EditView>,
    /// It is pinned.
    pinned: bool,
    /// How many have read it, if it asks for receipts.
    read_count: u64,
    /// How many could, and have not, if it asks for receipts.
    unread_count: u64,
    /// Reactions that were put there or taken away since.
    reactions: Vec<ReactionChangeView>,
}

impl ChangeView {
    fn at(now_ms: i64, changed: Changed) -> Self {
        let Changed {
            message,
            state,
            reactions,
            is_hidden,
            readers,
            ..
        } = changed;
        let revocation = state.revoked.as_ref();
        let asked = message.body.flags.receipt;
        let edit = message.edited.as_deref().map(|edit| EditView {
            n: edit.n,
            at: edit.at_ms,
            content: crosstalk_gateway::content_of(&message),
        });
        let client_no = &message.body.client_no;
        Self {
            id: message.id.to_string(),
            seq: message.seq,
            client_no: (!client_no.is_empty()).then(|| client_no.to_string()),
            version: state.version,
            state: MessageView::state_of(now_ms, &message),
            by: revocation
                .and_then(|it| it.by.as_ref())
                .map(|user| user.uid.as_str().to_owned()),
            gone_at: revocation.map(|it| it.at_ms),
            hidden: is_hidden,
            edit,
            pinned: state.pinned_at_ms > 0,
            read_count: state.read_count,
            unread_count: if asked {
                readers.saturating_sub(state.read_count)
            } else {
                0
            },
            reactions: reactions
                .into_iter()
                .map(|reaction| ReactionChangeView {
                    emoji: reaction.emoji.to_string(),
                    user: reaction.user.uid.as_str().to_owned(),
                    removed: reaction.removed,
                    at: reaction.at_ms,
                })
                .collect(),
        }
    }
}

/// Changes of a channel's messages.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageChanges)]
pub(super) struct Changes {
    /// Ascending by version.
    items: Vec<ChangeView>,
    /// Give this as `after_version` the next time; the one given if nothing has changed.
    version: i64,
    /// There may be more already: ask again with this `version`.
    more: bool,
}

/// What became of a channel's messages
///
/// Everything that has changed after a version: revoked, deleted, edited, pinned, read,
/// reactions. For devices that were away.
#[utoipa::path(
    get, path = "/v1/channels/{kind}/{id}/changes", tag = "messages",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id; of a direct one the peer's uid"),
        Since,
    ),
    responses((status = 200, description = "Changes", body = Changes), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_changes(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Params(since): Params<Since>,
) -> Result<Json<Changes>, Problem> {
    let limit = since.limit.unwrap_or(DEFAULT_CHANGES);
    if !(1..=MAX_CHANGES).contains(&limit) {
        let wrong = format_args!("must be between 1 and {MAX_CHANGES}");
        return Err(Problem::field("limit", wrong));
    }
    let viewer = looking::viewer(&api, &caller, since.user.as_deref()).await?;
    let key = looking::channel(&caller, &viewer, &kind, &id)?;
    let changed = api.im.changed(&viewer, &key, since.after_version, limit);
    let changed = changed.await?;
    let version = changed
        .last()
        .map_or(since.after_version, |it| it.state.version);
    let more = !changed.is_empty();
    let now_ms = api.im.clock().now_ms();
    let items = changed.into_iter().map(|it| ChangeView::at(now_ms, it));
    Ok(Json(Changes {
        items: items.collect(),
        version,
        more,
    }))
}
