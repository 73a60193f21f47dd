//! Finding messages by what they say, and a little of everything by a word.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::id::{Realm, UserNum, UserRef};
use crosstalk_core::im::{SearchQuery, Viewer};
use crosstalk_core::message::{Message, Origin};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::relation::friend::WhichFriends;
use crosstalk_core::search::{Term, highlights, terms};
use crosstalk_gateway::{searchable, signed_for};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::auth::Caller;
use super::channels::seen_by;
use super::friends::FriendView;
use super::input::{self, Params};
use super::openapi::{Conflict, Denials, Missing, Throttled};
use super::page::{self, Page};
use super::problem::Problem;
use super::users::UserView;
use super::view::{ChannelName, MessageView};
use crate::consumers::search::SearchStatus;
use crate::http::state::ApiState;

/// The longest question, in characters.
const MAX_QUESTION_CHARS: usize = 200;
/// What is shown of each kind where all kinds are looked for, if the caller does not say.
const FEW: u32 = 5;
/// Pages of users that are gone through: most of those on a page may not let themselves be
/// found.
const MAX_PAGES: usize = 10;
/// The same at most.
const MAX_FEW: u32 = 20;

/// Which messages are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// What they say: words, all of which must be there; the last may be the beginning of one.
    /// At most 200 characters. May be absent if `from` or `type` is given.
    q: Option<String>,
    /// Who looks; with a user token the user. Absent: the application, which sees all of its
    /// realm.
    user: Option<String>,
    /// Only what this user has sent.
    from: Option<String>,
    /// Only in channels of one kind; with `id` in this one.
    kind: Option<String>,
    /// Only in this channel; of a direct one the peer's uid, seen by `user`.
    id: Option<String>,
    /// Only content of this type: `text`, `file`, `link`, …
    #[serde(rename = "type")]
    #[param(rename = "type")]
    of_type: Option<String>,
    /// Only from this time on, ms since 1970.
    since: Option<i64>,
    /// Only before this time, ms since 1970.
    until: Option<i64>,
    /// At most this many items.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A stretch of a text.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HighlightView {
    /// Its first character.
    start: usize,
    /// How many.
    len: usize,
}

/// A message that was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "message": {
        "id": "741200000000000001",
        "to": {"kind": "group", "id": "team"},
        "seq": 1,
        "from": "alice",
        "sent_at": 1_715_000_001_234_i64,
        "content": {"type": "text", "text": "see you at noon"},
        "state": "sent",
        "client_no": null,
    },
    "text": "see you at noon",
    "highlights": [{"start": 11, "len": 4}],
}))]
pub(super) struct FoundMessage {
    /// The message.
    message: MessageView,
    /// What of it is looked at.
    text: String,
    /// What of that is asked for, in characters.
    highlights: Vec<HighlightView>,
}

impl FoundMessage {
    fn of(now_ms: i64, message: &Message, terms: &[Term]) -> Self {
        let text = searchable(message).map(|it| it.text).unwrap_or_default();
        let found = highlights(&text, terms);
        let view = |it: &crosstalk_core::search::Highlight| HighlightView {
            start: it.start,
            len: it.len,
        };
        Self {
            message: MessageView::at(now_ms, message),
            highlights: found.iter().map(view).collect(),
            text,
        }
    }
}

/// The words of a question.
fn question(q: Option<&str>, may_be_absent: bool) -> Result<Vec<Term>, Problem> {
    let Some(q) = q.filter(|q| !q.trim().is_empty()) else {
        return if may_be_absent {
            Ok(Vec::new())
        } else {
            Err(Problem::field("q", "is missing; say what to look for"))
        };
    };
    if q.chars().count() > MAX_QUESTION_CHARS {
        let wrong = format_args!("has at most {MAX_QUESTION_CHARS} characters");
        return Err(Problem::field("q", wrong));
    }
    let terms = terms(q);
    if terms.is_empty() {
        return Err(Problem::field("q", "has no letter and no digit"));
    }
    Ok(terms)
}

/// Whose eyes a question is asked with.
async fn viewer(
    api: &ApiState,
    caller: &Caller,
    realm: &Realm,
    user: Option<&str>,
) -> Result<Viewer, Problem> {
    match (caller, user) {
        (Caller::User(identity), user) => {
            caller.reaches(user.unwrap_or(identity.user.uid.as_str()))?;
            // Looking costs as much as sending.
            api.im.spend(identity.user.num)?;
            Ok(Viewer::User(identity.user.clone()))
        }
        (_, Some(user)) => {
            let uid = input::uid("user", user)?;
            let state = api.im.user(realm, &uid).await?;
            Ok(Viewer::User(state.record.user.clone()))
        }
        (_, None) => Ok(Viewer::Application),
    }
}

/// Search messages
///
/// Newest first, and only what the viewer may see: in channels they belong to, since their
/// history begins there, and not what they have deleted. A message can be found a moment after
/// it was sent. A page may have fewer items than were asked for and yet a `next_cursor`.
#[utoipa::path(
    get, path = "/v1/search/messages", tag = "search",
    params(Wanted),
    responses(
        (status = 200, description = "Messages", body = Page<FoundMessage>),
        Denials, Missing, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn search_messages(
    State(api): State<ApiState>,
    caller: Caller,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Page<FoundMessage>>, Problem> {
    let realm = caller.realm()?;
    let limit = page::limit(wanted.limit)?;
    let place = wanted.cursor.as_deref().map(|cursor| {
        let place = api.im.open_place(cursor);
        place.ok_or_else(|| Problem::field("cursor", "is not one that this list gave"))
    });
    let before = place.transpose()?;
    let others = wanted.from.is_some() || wanted.of_type.is_some();
    let terms = question(wanted.q.as_deref(), others)?;
    let viewer = viewer(&api, &caller, realm, wanted.user.as_deref()).await?;
    let uid = match &viewer {
        Viewer::User(user) => Some(&user.uid),
        Viewer::Application => None,
    };
    let of = match (wanted.kind.as_deref(), wanted.id.as_deref()) {
        (Some(kind), Some(id)) => Some(seen_by(realm, uid, kind, id)?),
        (None, None) => None,
        (Some(_), None) => return Err(Problem::field("id", "is missing beside kind")),
        (None, Some(_)) => return Err(Problem::field("kind", "is missing beside id")),
    };
    let from = wanted.from.as_deref().map(|from| input::uid("from", from));
    let query = SearchQuery {
        terms,
        from: from.transpose()?,
        of,
        kind: wanted.of_type,
        since_ms: wanted.since,
        until_ms: wanted.until,
        before,
        limit,
    };
    let terms = query.terms.clone();
    let found = api.im.search(realm, &viewer, query).await?;
    let now_ms = api.im.clock().now_ms();
    let items = found.messages.iter();
    Ok(Json(Page {
        items: items
            .map(|it| FoundMessage::of(now_ms, &signed_for(&api.im, Origin::REST, it), &terms))
            .collect(),
        next_cursor: found.next.map(|id| api.im.seal_place(id)),
    }))
}

/// What is looked for everywhere.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Anything {
    /// A word, a name or the beginning of an id; at most 200 characters.
    q: String,
    /// Who looks; with a user token the user. Absent: the application.
    user: Option<String>,
    /// At most so many of each.
    #[param(minimum = 1, maximum = 20, default = 5)]
    limit: Option<u32>,
}

/// A group that was found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FoundGroup {
    #[serde(flatten)]
    channel: ChannelName,
    /// What people call it.
    name: Option<String>,
}

/// A few of each.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Anywhere {
    /// Users who let themselves be found.
    users: Vec<UserView>,
    /// The user's friends.
    friends: Vec<FriendView>,
    /// The user's groups, by name or id.
    groups: Vec<FoundGroup>,
    /// Messages, newest first.
    messages: Vec<FoundMessage>,
}

/// Search everything
///
/// A few of each kind: users, and of the user who looks friends, groups and messages. Without a
/// user: users and messages of the realm.
#[utoipa::path(
    get, path = "/v1/search", tag = "search",
    params(Anything),
    responses((status = 200, description = "A few of each", body = Anywhere), Denials, Missing, Throttled),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn search_anything(
    State(api): State<ApiState>,
    caller: Caller,
    Params(wanted): Params<Anything>,
) -> Result<Json<Anywhere>, Problem> {
    let realm = caller.realm()?;
    let limit = wanted.limit.unwrap_or(FEW);
    if !(1..=MAX_FEW).contains(&limit) {
        let wrong = format_args!("must be between 1 and {MAX_FEW}");
        return Err(Problem::field("limit", wrong));
    }
    let terms = question(Some(&wanted.q), false)?;
    let viewer = viewer(&api, &caller, realm, wanted.user.as_deref()).await?;
    let query = SearchQuery {
        terms,
        from: None,
        of: None,
        kind: None,
        since_ms: None,
        until_ms: None,
        before: None,
        limit,
    };
    let terms = query.terms.clone();
    let found = api.im.search(realm, &viewer, query).await?;
    let now_ms = api.im.clock().now_ms();
    let few = limit as usize;
    let mut anywhere = Anywhere {
        users: users(&api, &caller, realm, &wanted).await?,
        friends: Vec::new(),
        groups: Vec::new(),
        messages: found
            .messages
            .iter()
            .map(|it| FoundMessage::of(now_ms, it, &terms))
            .collect(),
    };
    if let Viewer::User(user) = &viewer {
        let groups = api.im.find_groups(user, &wanted.q, few).await?;
        for key in &groups {
            anywhere.groups.push(FoundGroup {
                channel: ChannelName::seen_by(user.uid.as_str(), key),
                name: api.im.channel(key).await?.settings.name,
            });
        }
        anywhere.friends = friends(&api, realm, user, &wanted.q, limit).await?;
    }
    Ok(Json(anywhere))
}

/// Users by the word, as far as they may be found by it.
async fn users(
    api: &ApiState,
    caller: &Caller,
    realm: &Realm,
    wanted: &Anything,
) -> Result<Vec<UserView>, Problem> {
    let limit = wanted.limit.unwrap_or(FEW) as usize;
    let all = caller.as_user().is_none() && wanted.user.is_none();
    let (mut users, mut after) = (Vec::new(), None);
    for _ in 0..MAX_PAGES {
        let more = u32::try_from(limit - users.len()).unwrap_or(1);
        let found = api.im.find_users(realm, &wanted.q, all, after, more).await;
        let found = match found {
            Ok(found) => found,
            // What is too long for a name is nobody's.
            Err(Refusal::InvalidArgument) => break,
            Err(why) => return Err(why.into()),
        };
        users.extend(found.users.iter().map(|user| UserView::to(caller, user)));
        after = found.next;
        if after.is_none() || users.len() >= limit {
            break;
        }
    }
    Ok(users)
}

/// Friends by the word.
async fn friends(
    api: &ApiState,
    realm: &Realm,
    user: &UserRef,
    q: &str,
    limit: u32,
) -> Result<Vec<FriendView>, Problem> {
    let which = WhichFriends::Now {
        after: UserNum(i64::MIN),
        keyword: q.trim().to_owned(),
        group: None,
    };
    let found = api.im.friends(realm, &user.uid, which, limit).await?;
    Ok(found.iter().map(FriendView::from).collect())
}

/// Rebuild the index of messages
///
/// It is forgotten and filled again from the oldest message on, in the background; what is
/// found grows with it.
#[utoipa::path(
    post, path = "/v1/search/rebuild", tag = "search",
    responses(
        (status = 202, description = "It has begun", body = SearchStatus),
        Denials, Conflict
    ),
    security(("admin_key" = []))
)]
pub(super) async fn rebuild_search(
    State(api): State<ApiState>,
    caller: Caller,
) -> Result<(StatusCode, Json<SearchStatus>), Problem> {
    caller.admin()?;
    api.search.rebuild().await?;
    Ok((StatusCode::ACCEPTED, Json(api.search.status().await?)))
}

/// How far the index of messages is
#[utoipa::path(
    get, path = "/v1/search/status", tag = "search",
    responses((status = 200, description = "How far it is", body = SearchStatus), Denials),
    security(("admin_key" = []))
)]
pub(super) async fn search_status(
    State(api): State<ApiState>,
    caller: Caller,
) -> Result<Json<SearchStatus>, Problem> {
    caller.admin()?;
    Ok(Json(api.search.status().await?))
}
