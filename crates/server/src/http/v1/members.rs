//! Who belongs to a channel.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::channel::member::MAX_NICK_CHARS;
use crosstalk_core::channel::{
    Member, MemberChange, MemberQuery, MemberRole, MemberRow, MemberState,
};
use crosstalk_core::deliver::{GroupVerb, Operator};
use crosstalk_core::id::UserNum;
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::acting::{
    Acting, OperatorBody, acting_user, existing, muted_until, muting, named_users, not_brought,
    operator,
};
use super::auth::Caller;
use super::channels::{must_belong, with_members};
use super::input::{self, Body, Params, Segments};
use super::joining::RequestView;
use super::openapi::{Conflict, Denials, Missing, Oversize, Throttled};
use super::page::{self, Page, Paging};
use super::problem::Problem;
use super::view::KindName;
use crate::http::state::ApiState;

/// What cursors of this list begin with.
const LIST: &str = "m";
/// Users whom a user may name at once.
pub(super) const MOST_USERS: usize = 1000;
/// The longest keyword, characters.
const KEYWORD_CHARS: usize = 64;

/// A member.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
#[schema(example = json!({
    "uid": "alice",
    "role": "owner",
    "nick": "",
    "join_seq": 0,
    "joined_at": 1_715_000_001_234_i64,
    "muted": false,
    "muted_until_at": null,
}))]
pub(super) struct MemberView {
    /// Who.
    uid: String,
    /// `member`, `administrator` or `owner`.
    role: &'static str,
    /// What they are called there; empty = nothing of their own.
    nick: String,
    /// The channel's last seq when they joined.
    join_seq: u64,
    /// When they joined, ms since 1970; null = not known.
    joined_at: Option<i64>,
    /// They may not send now.
    muted: bool,
    /// Until when, ms since 1970; null = for good, or not at all.
    muted_until_at: Option<i64>,
}

impl MemberView {
    fn new(member: &Member, now_ms: i64) -> Self {
        let (muted, muted_until_at) = muting(member.muted_until_ms, now_ms);
        Self {
            uid: member.user.uid.as_str().to_owned(),
            role: member.role.name(),
            nick: member.nick.clone(),
            join_seq: member.join_seq,
            joined_at: (member.joined_at_ms > 0).then_some(member.joined_at_ms),
            muted,
            muted_until_at,
        }
    }
}

/// Which members are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Those with this role or a higher one: `member`, `administrator`, `owner`.
    role: Option<String>,
    /// Those whose name there, uid, or name everywhere has this in it.
    keyword: Option<String>,
    /// At most this many items.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Users to be made members.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"members": ["carol", "dave"]}))]
pub(super) struct NewMembers {
    /// Their ids. Who is a member already keeps their role.
    members: Vec<String>,
    /// The user in whose name it is done, with the user's rights. Absent: the application
    /// itself; with a user token the user.
    operator: Option<String>,
    /// What is said with it, where those who moderate decide.
    #[schema(max_length = 500)]
    message: Option<String>,
}

/// What adding members has led to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"member_count": 4, "requests": []}))]
pub(super) struct Added {
    /// Members after the change.
    member_count: u32,
    /// Those for whom those who moderate have to decide first.
    requests: Vec<RequestView>,
}

/// A channel's members
///
/// In the order in which the server first heard of the users. With a keyword it costs a user
/// as much as sending, and one search of a user goes on at a time.
#[utoipa::path(
    get, path = "/v1/channels/{kind}/{id}/members", tag = "channels",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        Wanted,
    ),
    responses(
        (status = 200, description = "Members", body = Page<MemberView>),
        Denials, Missing, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_members(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Page<MemberView>>, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let paging = Paging {
        limit: wanted.limit,
        cursor: wanted.cursor,
    };
    let limit = paging.limit()?;
    let after = paging.after(LIST)?.map(|[num]| UserNum(num));
    let at_least = wanted.role.as_deref().map(role).transpose()?;
    let keyword = wanted.keyword.unwrap_or_default();
    input::check_name("keyword", &keyword, KEYWORD_CHARS)?;
    must_belong(&api, &caller, &key).await?;
    let query = MemberQuery {
        at_least: at_least.unwrap_or_default(),
        keyword,
        after,
        limit: limit + 1,
    };
    let by = caller.as_user();
    let mut members = api.im.search_members(&key, by, &query).await?;
    let is_more = members.len() > limit as usize;
    members.truncate(limit as usize);
    let last = members.last().filter(|_| is_more);
    let now_ms = api.im.clock().now_ms();
    let show = |row: &MemberRow| MemberView::new(&row.member, now_ms);
    Ok(Json(Page {
        items: members.iter().map(show).collect(),
        next_cursor: last.map(|last| page::encode(LIST, [last.member.user.num.0])),
    }))
}

fn role(name: &str) -> Result<MemberRole, Problem> {
    let all = [
        MemberRole::Member,
        MemberRole::Administrator,
        MemberRole::Owner,
    ];
    let found = all.into_iter().find(|role| role.name() == name);
    found.ok_or_else(|| Problem::field("role", "is `member`, `administrator` or `owner`"))
}

/// From where changes of members are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Since {
    /// The highest version that the caller has; 0 = all members.
    after_version: Option<i64>,
    /// At most this many items.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// A member or former member with the version of the last change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChangedMember)]
pub(super) struct ChangedMember {
    #[serde(flatten)]
    member: MemberView,
    /// Belongs to it no more.
    left: bool,
    /// Grows with each change in the channel.
    version: i64,
}

/// Members and former members that have changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberChanges {
    /// Ascending by version.
    items: Vec<ChangedMember>,
    /// Give this as `after_version` the next time; the one given if nothing has changed.
    version: i64,
    /// There may be more already: ask again with this `version`.
    more: bool,
}

/// Changes of a channel's members
///
/// Members and former members whose version is above `after_version`, in its order.
#[utoipa::path(
    get, path = "/v1/channels/{kind}/{id}/member-changes", tag = "channels",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        Since,
    ),
    responses(
        (status = 200, description = "Changes", body = MemberChanges), Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_member_changes(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Params(since): Params<Since>,
) -> Result<Json<MemberChanges>, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let limit = page::limit(since.limit)?;
    must_belong(&api, &caller, &key).await?;
    let after = since.after_version.unwrap_or(0);
    let rows = api.im.members_since(&key, after, limit).await?;
    let now_ms = api.im.clock().now_ms();
    let show = |row: MemberRow| ChangedMember {
        member: MemberView::new(&row.member, now_ms),
        left: row.state == MemberState::Left,
        version: row.version,
    };
    Ok(Json(MemberChanges {
        version: rows.last().map_or(after, |row| row.version),
        more: rows.len() == limit as usize,
        items: rows.into_iter().map(show).collect(),
    }))
}

/// Add members
///
/// Users may as `invite_by` says; where one joins by approval, those whom ordinary members
/// add have to be let in by those who moderate.
#[utoipa::path(
    post, path = "/v1/channels/{kind}/{id}/members", tag = "channels", request_body = NewMembers,
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
    ),
    responses(
        (status = 200, description = "Done", body = Added),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn add_members(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Body(new): Body<NewMembers>,
) -> Result<Json<Added>, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let by = operator(&api, &caller, new.operator.as_deref()).await?;
    let message = super::joining::message(new.message)?;
    // Before anybody is given a number.
    let record = api.im.channel(&key).await?;
    let users = named_users(&api, &caller, &by, "members", &new.members, MOST_USERS).await?;
    let limit = record.settings.max_members;
    // Where there is a limit, few are counted where they enter, and many beforehand: those
    // enter in parts.
    if by == Operator::Application && (limit == 0 || users.len() > MOST_USERS) {
        let least = u32::try_from(users.len()).unwrap_or(u32::MAX);
        if limit > 0 && least.saturating_add(record.member_count) > limit {
            return Err(Problem::new(
                Refusal::TooMany,
                format!("members: the channel has room for {limit} members"),
            ));
        }
        let enter = users.into_iter().map(MemberChange::Enter).collect();
        let member_count = api.im.change_members(&key, enter).await?;
        return Ok(Json(Added {
            member_count,
            requests: Vec::new(),
        }));
    }
    let (user, named) = (by.user().cloned(), users.clone());
    let verb = GroupVerb::Add(users, message);
    let changed = match api.im.group(&key, by, verb).await {
        Ok(changed) => changed,
        Err(why) => return Err(not_brought(&api, &key, user.as_ref(), &named, why).await),
    };
    let now_ms = api.im.clock().now_ms();
    let requests = changed.requests.iter();
    Ok(Json(Added {
        member_count: changed.members,
        requests: requests
            .map(|request| RequestView::new(request, now_ms))
            .collect(),
    }))
}

/// Remove a member
///
/// Removing who is no member changes nothing.
#[utoipa::path(
    delete, path = "/v1/channels/{kind}/{id}/members/{uid}", tag = "channels",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        ("uid" = String, Path, description = "Who is removed"),
        Acting,
    ),
    responses((status = 204, description = "Done"), Denials, Missing, Conflict, Throttled),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn remove_member(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id, uid)): Segments<(String, String, String)>,
    Params(acting): Params<Acting>,
) -> Result<StatusCode, Problem> {
    let realm = caller.realm()?;
    let key = with_members(realm, &kind, &id)?;
    let uid = input::uid("uid", &uid)?;
    let by = operator(&api, &caller, acting.operator.as_deref()).await?;
    api.im.channel(&key).await?;
    let user = api.im.find_user(realm, &uid).await?;
    let users = user.into_iter().collect();
    api.im.group(&key, by, GroupVerb::Remove(users)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A change of a member. What is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = MemberPatch, example = json!({"role": "administrator", "operator": "alice"}))]
pub(super) struct PatchMember {
    /// `administrator` or `member`. The owner names at most 50 administrators.
    role: Option<String>,
    /// What they are called there; empty = nothing of their own. Members name themselves.
    #[schema(max_length = 64)]
    nick: Option<String>,
    /// They may not send; `true` without `muted_until_at`: for good.
    muted: Option<bool>,
    /// They may not send until then, ms since 1970.
    muted_until_at: Option<i64>,
    /// The user in whose name it is done, with the user's rights. Absent: the application
    /// itself; with a user token the user.
    operator: Option<String>,
}

/// A member
#[utoipa::path(
    get, path = "/v1/channels/{kind}/{id}/members/{uid}", tag = "channels",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        ("uid" = String, Path, description = "Who; with a user token also `me`"),
    ),
    responses((status = 200, description = "The member", body = MemberView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn get_member(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id, uid)): Segments<(String, String, String)>,
) -> Result<Json<MemberView>, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    must_belong(&api, &caller, &key).await?;
    let user = member_named(&api, &caller, &uid).await?;
    let member = api.im.member(&key, &user).await?;
    Ok(Json(MemberView::new(&member, api.im.clock().now_ms())))
}

/// Change a member's role, name there, or muting
///
/// All of it is judged one by one, in this order; what comes before what is refused is done.
#[utoipa::path(
    patch, path = "/v1/channels/{kind}/{id}/members/{uid}", tag = "channels",
    request_body = PatchMember,
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        ("uid" = String, Path, description = "Who; with a user token also `me`"),
    ),
    responses(
        (status = 200, description = "The member", body = MemberView),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn patch_member(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id, uid)): Segments<(String, String, String)>,
    Body(patch): Body<PatchMember>,
) -> Result<Json<MemberView>, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let by = operator(&api, &caller, patch.operator.as_deref()).await?;
    let user = member_named(&api, &caller, &uid).await?;
    let mut verbs = Vec::new();
    if let Some(name) = &patch.role {
        let role = role(name)?;
        if role == MemberRole::Owner {
            return Err(Problem::field("role", "becomes `owner` by a transfer"));
        }
        verbs.push(GroupVerb::Role(user.clone(), role));
    }
    if let Some(nick) = patch.nick {
        input::check_name("nick", &nick, MAX_NICK_CHARS)?;
        verbs.push(GroupVerb::Nick(user.clone(), nick));
    }
    if let Some(until_ms) = muted_until(patch.muted, patch.muted_until_at)? {
        verbs.push(GroupVerb::Mute(user.clone(), until_ms));
    }
    if verbs.is_empty() {
        return Err(Problem::field("role", "or another field says what changes"));
    }
    for verb in verbs {
        api.im.group(&key, by.clone(), verb).await?;
    }
    let member = api.im.member(&key, &user).await?;
    Ok(Json(MemberView::new(&member, api.im.clock().now_ms())))
}

/// The user whom a path names among members.
async fn member_named(
    api: &ApiState,
    caller: &Caller,
    named: &str,
) -> Result<crosstalk_core::id::UserRef, Problem> {
    if let (Caller::User(identity), "me") = (caller, named) {
        return Ok(identity.user.clone());
    }
    existing(api, caller, "uid", named).await
}

/// Who becomes the owner.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"to": "bob", "operator": "alice"}))]
pub(super) struct Transfer {
    /// The new owner, a member.
    to: String,
    /// The user in whose name it is done, with the user's rights. Absent: the application
    /// itself; with a user token the user.
    operator: Option<String>,
}

/// Make another the owner
///
/// The former owner becomes an administrator, or an ordinary member where there are 50
/// administrators already.
#[utoipa::path(
    post, path = "/v1/channels/{kind}/{id}/transfer", tag = "channels", request_body = Transfer,
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
    ),
    responses((status = 204, description = "Done"), Denials, Missing, Oversize, Throttled),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn transfer_channel(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Body(transfer): Body<Transfer>,
) -> Result<StatusCode, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let by = operator(&api, &caller, transfer.operator.as_deref()).await?;
    let to = existing(&api, &caller, "to", &transfer.to).await?;
    api.im.group(&key, by, GroupVerb::Transfer(to)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Leave a channel
///
/// The owner makes another the owner first, or dissolves it.
#[utoipa::path(
    post, path = "/v1/channels/{kind}/{id}/leave", tag = "channels", request_body = OperatorBody,
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
    ),
    responses(
        (status = 204, description = "Done"), Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn leave_channel(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Body(body): Body<OperatorBody>,
) -> Result<StatusCode, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let user = acting_user(&api, &caller, "operator", body.operator.as_deref()).await?;
    let by = Operator::User(user);
    api.im.group(&key, by, GroupVerb::Leave).await?;
    Ok(StatusCode::NO_CONTENT)
}
