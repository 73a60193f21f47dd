//! Groups, as the demo backend has them (wukong-client.md Q1-2): made, shown, renamed, their
//! members and what has changed of these by version.

use std::net::SocketAddr;

use axum::Json;
use axum::Router;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use crosstalk_core::channel::settings::{MAX_ANNOUNCEMENT_CHARS, MAX_AVATAR_CHARS, MAX_NAME_CHARS};
use crosstalk_core::channel::{
    Announcement, ChannelChange, ChannelKey, ChannelKind, Circle, JoinMode, MemberRole, Right,
};
use crosstalk_core::deliver::{GroupVerb, Operator};
use crosstalk_core::id::UserRef;
use crosstalk_core::refusal::Refusal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::{Done, Failure};
use super::super::input::{Body, OptionalBody, Params};
use super::super::{lenient, names};
use super::auth::{Refused, caller};
use super::members;
use crate::http::state::WukongApiState;

/// Random bytes in a group's number that is made here.
const NUMBER_BYTES: usize = 16;
/// Users who are named at once.
const MAX_NAMED: usize = 1000;

pub(super) fn routes() -> Router<WukongApiState> {
    Router::new()
        .route("/v1/group/create", post(create))
        .route("/v1/group/my", get(mine))
        .route("/v1/groups/{no}", get(show).put(change).delete(dissolve))
        .route("/v1/groups/{no}/membersync", get(members::sync))
        .route(
            "/v1/groups/{no}/members",
            get(members::sync).post(add).delete(remove),
        )
        .route("/v1/groups/{no}/exit", post(leave))
        .route("/v1/groups/{no}/transfer/{to}", post(transfer))
        .route("/v1/groups/{no}/managers", post(promote).delete(demote))
        .route("/v1/groups/{no}/forbidden/{on}", post(forbid))
        .route("/v1/groups/{no}/scanjoin", post(join))
}

/// In whose name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Who {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) login_uid: String,
}

/// Members, and in whose name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::texts")]
    members: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NewGroup {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::text")]
    group_no: String,
    #[serde(deserialize_with = "lenient::text")]
    name: String,
    #[serde(deserialize_with = "lenient::texts")]
    members: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Changes {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    name: Option<String>,
    notice: Option<String>,
    avatar: Option<String>,
    /// 1 = one joins by approval or invitation.
    #[serde(deserialize_with = "lenient::optional_int")]
    invite: Option<i64>,
    /// 1 = all but owner and managers are muted.
    #[serde(deserialize_with = "lenient::optional_int")]
    forbidden: Option<i64>,
}

/// A group and the user who asks for it.
pub(super) struct Scene {
    pub(super) user: UserRef,
    pub(super) key: ChannelKey,
}

impl Scene {
    pub(super) async fn of(
        api: &WukongApiState,
        headers: &HeaderMap,
        login_uid: &str,
        client: SocketAddr,
        no: &str,
    ) -> Result<Self, Refused> {
        let user = caller(api, headers, login_uid, client.ip()).await?;
        let key = names::shared(&api.realm, ChannelKind::GROUP, no)?;
        Ok(Self { user, key })
    }

    pub(super) fn operator(&self) -> Operator {
        Operator::User(self.user.clone())
    }

    async fn act(&self, api: &WukongApiState, verb: GroupVerb) -> Result<(), Refused> {
        api.im.group(&self.key, self.operator(), verb).await?;
        Ok(())
    }

    /// A group as the demo backend shows it.
    pub(super) async fn shown(&self, api: &WukongApiState) -> Result<Json<Value>, Refused> {
        let by = self.operator();
        let record = api.im.require(&self.key, &by, Right::See).await?;
        let member = api.im.member(&self.key, &self.user).await?;
        let owner = api.im.owner(&self.key).await?;
        let settings = record.settings;
        let forbidden = settings.muted_until_ms > api.im.clock().now_ms()
            || settings.send_ban
            || settings.speak == Circle::Administrators;
        let avatar = if settings.avatar.is_empty() {
            format!("groups/{}/avatar", self.key.id)
        } else {
            settings.avatar
        };
        let name = settings.name.unwrap_or_default();
        Ok(Json(json!({
            "group_no": &*self.key.id,
            "name": name,
            "remark": "",
            "notice": settings.announcement.text,
            "avatar": avatar,
            "creator": owner.map(|owner| owner.uid.as_str().to_owned()),
            "status": if settings.disband { 2 } else { i32::from(!settings.ban) },
            "forbidden": i32::from(forbidden),
            "invite": i32::from(settings.join_mode != JoinMode::Free),
            "role": role_number(member.role),
            "forbidden_expir_time": member.muted_until_ms.min(SECONDS_MAX_MS) / 1000,
            "member_count": record.member_count,
            "created_at": settings.created_at_ms / 1000,
        })))
    }
}

/// Clients keep seconds in a number that floating point holds.
pub(super) const SECONDS_MAX_MS: i64 = 253_402_300_799_000;

/// The demo backend's number of a role.
pub(super) fn role_number(role: MemberRole) -> i32 {
    match role {
        MemberRole::Member => 0,
        MemberRole::Owner => 1,
        MemberRole::Administrator => 2,
    }
}

fn checked(field: &str, text: Option<String>, max: usize) -> Result<Option<String>, Failure> {
    let Some(text) = text else {
        return Ok(None);
    };
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t' && c != '\r';
    if text.chars().count() > max || text.chars().any(odd) {
        return Err(Failure::new(format!(
            "{field}: at most {max} characters, none of them a control character"
        )));
    }
    Ok(Some(text))
}

/// Users by their uids, all of whom are there.
async fn users(api: &WukongApiState, uids: &[String]) -> Result<Vec<UserRef>, Refused> {
    if uids.len() > MAX_NAMED {
        return Err(Failure::new(format!("members: at most {MAX_NAMED} users")).into());
    }
    let mut users = Vec::with_capacity(uids.len());
    for uid in names::uids("members", uids)? {
        let state = api.im.user(&api.realm, &uid).await?;
        users.push(state.record.user.clone());
    }
    Ok(users)
}

/// [`users`], of whom there is one at least.
async fn some_users(api: &WukongApiState, uids: &[String]) -> Result<Vec<UserRef>, Refused> {
    if uids.is_empty() {
        return Err(Failure::new("members must not be empty").into());
    }
    users(api, uids).await
}

async fn create(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(new): Body<NewGroup>,
) -> Result<Json<Value>, Refused> {
    let mut no = new.group_no;
    if no.is_empty() {
        let mut bytes = [0; NUMBER_BYTES];
        api.im.clock().fill_random(&mut bytes);
        no = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    }
    let scene = Scene::of(&api, &headers, &new.login_uid, client, &no).await?;
    let mut members = users(&api, &new.members).await?;
    members.retain(|member| *member != scene.user);
    let name = checked("name", Some(new.name), MAX_NAME_CHARS)?;
    let change = ChannelChange {
        name: name.filter(|name| !name.is_empty()),
        ..ChannelChange::default()
    };
    let verb = GroupVerb::Create {
        change: Box::new(change),
        owner: Some(scene.user.clone()),
        members,
    };
    scene.act(&api, verb).await?;
    scene.shown(&api).await
}

async fn mine(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Params(who): Params<Who>,
) -> Result<Json<Value>, Refused> {
    let user = caller(&api, &headers, &who.login_uid, client.ip()).await?;
    let channels = api.im.channels_of(&user).await?;
    let mut groups = Vec::new();
    let channels = channels.into_iter();
    let mine = channels.filter(|channel| channel.key.kind == ChannelKind::GROUP);
    for channel in mine.take(MAX_NAMED) {
        let scene = Scene {
            user: user.clone(),
            key: channel.key.clone(),
        };
        // Who leaves meanwhile does not see it any more.
        if let Ok(Json(group)) = scene.shown(&api).await {
            groups.push(group);
        }
    }
    Ok(Json(Value::Array(groups)))
}

async fn show(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(no): Path<String>,
    Params(who): Params<Who>,
) -> Result<Json<Value>, Refused> {
    let scene = Scene::of(&api, &headers, &who.login_uid, client, &no).await?;
    scene.shown(&api).await
}

async fn change(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(no): Path<String>,
    Body(changes): Body<Changes>,
) -> Result<Done, Refused> {
    let scene = Scene::of(&api, &headers, &changes.login_uid, client, &no).await?;
    let notice = checked("notice", changes.notice, MAX_ANNOUNCEMENT_CHARS)?;
    let change = ChannelChange {
        name: checked("name", changes.name, MAX_NAME_CHARS)?,
        avatar: checked("avatar", changes.avatar, MAX_AVATAR_CHARS)?,
        announcement: notice.map(|text| Announcement {
            text,
            ..Announcement::default()
        }),
        join_mode: changes.invite.map(|invite| match invite {
            0 => JoinMode::Free,
            _ => JoinMode::Approval,
        }),
        muted_until_ms: changes
            .forbidden
            .map(|on| if on == 0 { 0 } else { i64::MAX }),
        ..ChannelChange::default()
    };
    scene.act(&api, GroupVerb::Update(Box::new(change))).await?;
    Ok(Done)
}

async fn dissolve(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(no): Path<String>,
    Params(who): Params<Who>,
) -> Result<Done, Refused> {
    let scene = Scene::of(&api, &headers, &who.login_uid, client, &no).await?;
    scene.act(&api, GroupVerb::Dissolve).await?;
    Ok(Done)
}

async fn add(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(no): Path<String>,
    Body(named): Body<Named>,
) -> Result<Done, Refused> {
    let scene = Scene::of(&api, &headers, &named.login_uid, client, &no).await?;
    let users = some_users(&api, &named.members).await?;
    scene
        .act(&api, GroupVerb::Add(users, String::new()))
        .await?;
    Ok(Done)
}

async fn remove(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(no): Path<String>,
    Body(named): Body<Named>,
) -> Result<Done, Refused> {
    let scene = Scene::of(&api, &headers, &named.login_uid, client, &no).await?;
    let users = some_users(&api, &named.members).await?;
    scene.act(&api, GroupVerb::Remove(users)).await?;
    Ok(Done)
}

async fn leave(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(no): Path<String>,
    OptionalBody(who): OptionalBody<Who>,
) -> Result<Done, Refused> {
    let scene = Scene::of(&api, &headers, &who.login_uid, client, &no).await?;
    scene.act(&api, GroupVerb::Leave).await?;
    Ok(Done)
}

async fn transfer(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path((no, to)): Path<(String, String)>,
    OptionalBody(who): OptionalBody<Who>,
) -> Result<Done, Refused> {
    let scene = Scene::of(&api, &headers, &who.login_uid, client, &no).await?;
    let to = users(&api, &[to]).await?.pop().ok_or(Refusal::NoSuchUser)?;
    scene.act(&api, GroupVerb::Transfer(to)).await?;
    Ok(Done)
}

async fn promote(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(no): Path<String>,
    Body(named): Body<Named>,
) -> Result<Done, Refused> {
    let scene = Scene::of(&api, &headers, &named.login_uid, client, &no).await?;
    for user in some_users(&api, &named.members).await? {
        let verb = GroupVerb::Role(user, MemberRole::Administrator);
        scene.act(&api, verb).await?;
    }
    Ok(Done)
}

async fn demote(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(no): Path<String>,
    Body(named): Body<Named>,
) -> Result<Done, Refused> {
    let scene = Scene::of(&api, &headers, &named.login_uid, client, &no).await?;
    for user in some_users(&api, &named.members).await? {
        let verb = GroupVerb::Role(user, MemberRole::Member);
        scene.act(&api, verb).await?;
    }
    Ok(Done)
}

/// Mutes all (`on` = 1), or not any more (0).
async fn forbid(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path((no, on)): Path<(String, String)>,
    OptionalBody(who): OptionalBody<Who>,
) -> Result<Done, Refused> {
    let scene = Scene::of(&api, &headers, &who.login_uid, client, &no).await?;
    let until_ms = match on.as_str() {
        "0" => 0,
        "1" => i64::MAX,
        _ => return Err(Failure::new("forbidden must be 0 or 1").into()),
    };
    let change = ChannelChange {
        muted_until_ms: Some(until_ms),
        ..ChannelChange::default()
    };
    scene.act(&api, GroupVerb::Update(Box::new(change))).await?;
    Ok(Done)
}

/// Joins, or asks to.
async fn join(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(no): Path<String>,
    Params(who): Params<Who>,
) -> Result<Done, Refused> {
    let scene = Scene::of(&api, &headers, &who.login_uid, client, &no).await?;
    let verb = GroupVerb::Join {
        message: String::new(),
        link: None,
    };
    scene.act(&api, verb).await?;
    Ok(Done)
}
