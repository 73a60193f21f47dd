//! `/api/im/groups…`: a user's groups, their members and settings, as the user may see and
//! change them (stomp.md D.b.2, Q2-31). What follows from `requests`, `invitations` and `links`
//! stands in `joining`.

mod joining;
mod members;
mod muting;

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::routing::{get, post, put};
use crosstalk_core::channel::settings::{MAX_ANNOUNCEMENT_CHARS, MAX_AVATAR_CHARS, MAX_NAME_CHARS};
use crosstalk_core::channel::{
    Address, Announcement, ChannelChange, ChannelKey, ChannelKind, Circle, JoinMode, Right,
};
use crosstalk_core::deliver::{Changed, GroupVerb, Operator};
use crosstalk_core::id::{Realm, UserRef};
use crosstalk_core::im::Login;
use crosstalk_core::refusal::Refusal;
use crosstalk_wire::stomp::im::Page;
use serde_json::{Value, json};

use super::answer::{Done, Failure};
use super::auth::asked;
use super::friends::user;
use super::input::Input;
use super::no_route;
use crate::http::edge::Edge;

/// Users who are named at once.
const MAX_NAMED: usize = 1000;
/// Random bytes in an id that is made here.
const ID_BYTES: usize = 12;

/// The calls, below `/api/im`.
pub(super) fn routes() -> Router<Edge> {
    let groups = "/api/im/groups";
    let group = "/api/im/groups/{gid}";
    Router::new()
        .route(groups, get(list).post(create).fallback(no_route))
        .route(
            group,
            get(one).put(change).delete(dissolve).fallback(no_route),
        )
        .route(
            &format!("{group}/permissions"),
            put(permissions).fallback(no_route),
        )
        .route(
            &format!("{group}/announcement"),
            get(announcement)
                .put(announce)
                .post(announce)
                .fallback(no_route),
        )
        .route(
            &format!("{group}/transfer"),
            post(transfer).fallback(no_route),
        )
        .route(&format!("{group}/leave"), post(leave).fallback(no_route))
        .merge(members::routes(group))
        .merge(joining::routes(group))
        .merge(muting::routes(group))
}

/// A request about a group: what it says, whose it is, and which group.
struct Asked {
    input: Input,
    login: Login,
    key: ChannelKey,
}

impl Asked {
    async fn read(
        edge: &Edge,
        client: SocketAddr,
        gid: &str,
        request: Request,
    ) -> Result<Self, Failure> {
        let (input, login) = asked(edge, client, request).await?;
        let key = key(&login.realm, "groupId", gid)?;
        Ok(Self { input, login, key })
    }

    fn operator(&self) -> Operator {
        Operator::User(self.login.user.clone())
    }

    /// Has the user do something with the group.
    async fn act(&self, edge: &Edge, verb: GroupVerb) -> Result<Changed, Failure> {
        Ok(edge.im.group(&self.key, self.operator(), verb).await?)
    }

    /// Refuses a user who does not belong to the group.
    async fn belongs(&self, edge: &Edge) -> Result<(), Failure> {
        edge.im
            .require(&self.key, &self.operator(), Right::See)
            .await?;
        Ok(())
    }

    /// A user who is there.
    async fn user(&self, edge: &Edge, field: &str, text: &str) -> Result<UserRef, Failure> {
        let uid = user(field, text)?;
        let state = edge.im.user(&self.login.realm, &uid).await?;
        Ok(state.record.user.clone())
    }

    /// The users in a list, all of whom are there.
    async fn users(&self, edge: &Edge, field: &str) -> Result<Vec<UserRef>, Failure> {
        named(edge, &self.login, &self.input, field).await
    }
}

/// The users whom a field lists, each once.
async fn named(
    edge: &Edge,
    login: &Login,
    input: &Input,
    field: &str,
) -> Result<Vec<UserRef>, Failure> {
    let mut users: Vec<UserRef> = Vec::new();
    for text in input.list(field, MAX_NAMED)? {
        let uid = user(field, &text)?;
        let state = edge.im.user(&login.realm, &uid).await?;
        let user = state.record.user.clone();
        if !users.contains(&user) {
            users.push(user);
        }
    }
    Ok(users)
}

/// The group that a field names, or the path.
pub(super) fn key(realm: &Realm, field: &str, gid: &str) -> Result<ChannelKey, Failure> {
    let address = Address::parse(ChannelKind::GROUP, gid);
    let address = address.map_err(|_| Failure::field(field, "is invalid"))?;
    Ok(ChannelKey {
        realm: realm.clone(),
        kind: address.kind,
        id: address.id,
    })
}

/// A text of a field, empty or not, of at most `max` characters.
fn text(input: &Input, field: &str, max: usize) -> Result<Option<String>, Failure> {
    let Some(text) = input.raw(field) else {
        return Ok(None);
    };
    let text = text.trim();
    if text.chars().count() > max {
        return Err(Failure::field(field, "is too long"));
    }
    if text
        .chars()
        .any(|c| c.is_control() && c != '\n' && c != '\t' && c != '\r')
    {
        return Err(Failure::field(field, "has a control character"));
    }
    Ok(Some(text.to_owned()))
}

/// A group as this interface shows it.
pub(super) async fn shown(edge: &Edge, key: &ChannelKey) -> Result<Value, Refusal> {
    let record = edge.im.channel(key).await?;
    let owner = edge.im.owner(key).await?;
    let settings = &record.settings;
    let now_ms = edge.im.clock().now_ms();
    let muted = settings.muted_until_ms > now_ms;
    let muted_until = Some(settings.muted_until_ms).filter(|at| muted && *at != i64::MAX);
    Ok(json!({
        "groupId": &*key.id,
        "name": settings.name.as_deref().unwrap_or_default(),
        "avatar": settings.avatar,
        "ownerId": owner.map(|owner| owner.uid.as_str().to_owned()),
        "memberCount": record.member_count,
        "announcement": settings.announcement.text,
        "joinMode": mode_name(settings.join_mode),
        "muted": muted,
        "mutedUntil": muted_until,
        "dissolved": settings.disband,
        "permissions": {
            "joinMode": mode_name(settings.join_mode),
            "inviteBy": circle_name(settings.invite_by),
            "editInfoBy": circle_name(settings.edit_by),
            "atAllBy": circle_name(settings.mention_all_by),
            "pinBy": circle_name(settings.pin_by),
            "speak": circle_name(settings.speak),
        },
        "createdAt": (settings.created_at_ms > 0).then_some(settings.created_at_ms),
    }))
}

fn mode_name(mode: JoinMode) -> &'static str {
    match mode {
        JoinMode::Free => "FREE",
        JoinMode::Approval => "APPROVE",
        JoinMode::Invite => "INVITE",
    }
}

fn circle_name(circle: Circle) -> &'static str {
    match circle {
        Circle::All => "ALL",
        Circle::Administrators => "ADMIN",
    }
}

fn mode(input: &Input) -> Result<Option<JoinMode>, Failure> {
    let mode = input.get("joinMode").map(str::to_ascii_uppercase);
    match mode.as_deref() {
        None => Ok(None),
        Some("FREE") => Ok(Some(JoinMode::Free)),
        Some("APPROVE" | "APPROVAL") => Ok(Some(JoinMode::Approval)),
        Some("INVITE") => Ok(Some(JoinMode::Invite)),
        Some(_) => Err(Failure::field("joinMode", "is FREE, APPROVE or INVITE")),
    }
}

fn circle(input: &Input, field: &str) -> Result<Option<Circle>, Failure> {
    let circle = input.get(field).map(str::to_ascii_uppercase);
    match circle.as_deref() {
        None => Ok(None),
        Some("ALL") => Ok(Some(Circle::All)),
        Some("ADMIN") => Ok(Some(Circle::Administrators)),
        Some(_) => Err(Failure::field(field, "is ALL or ADMIN")),
    }
}

/// The permissions that a request sets.
fn permissions_of(input: &Input) -> Result<ChannelChange, Failure> {
    Ok(ChannelChange {
        join_mode: mode(input)?,
        invite_by: circle(input, "inviteBy")?,
        edit_by: circle(input, "editInfoBy")?,
        mention_all_by: circle(input, "atAllBy")?,
        pin_by: circle(input, "pinBy")?,
        speak: circle(input, "speak")?,
        ..ChannelChange::default()
    })
}

/// What a request says that the group says of itself.
fn information_of(input: &Input) -> Result<ChannelChange, Failure> {
    let announcement = text(input, "announcement", MAX_ANNOUNCEMENT_CHARS)?;
    Ok(ChannelChange {
        name: text(input, "name", MAX_NAME_CHARS)?,
        avatar: text(input, "avatar", MAX_AVATAR_CHARS)?,
        announcement: announcement.map(|text| Announcement {
            text,
            ..Announcement::default()
        }),
        ..ChannelChange::default()
    })
}

async fn list(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let limit = input.limit()? as usize;
    let after: Option<i64> = input.number("cursor")?;
    let mut channels = edge.im.channels_of(&login.user).await?;
    channels.retain(|channel| {
        channel.key.kind == ChannelKind::GROUP && after.is_none_or(|after| channel.num.0 > after)
    });
    let has_more = channels.len() > limit;
    channels.truncate(limit);
    let last = channels.last().filter(|_| has_more);
    let cursor = last.map(|last| last.num.0.to_string());
    let mut list = Vec::with_capacity(channels.len());
    for channel in &channels {
        list.push(shown(&edge, &channel.key).await?);
    }
    Ok(Done(Page {
        list,
        has_more,
        cursor,
    }))
}

async fn create(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let made = {
        let mut bytes = [0; ID_BYTES];
        edge.im.clock().fill_random(&mut bytes);
        let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
        digits.collect::<String>()
    };
    let gid = input.get("groupId").unwrap_or(&made);
    let key = key(&login.realm, "groupId", gid)?;
    let rights = permissions_of(&input)?;
    let change = ChannelChange {
        join_mode: rights.join_mode,
        invite_by: rights.invite_by,
        edit_by: rights.edit_by,
        mention_all_by: rights.mention_all_by,
        pin_by: rights.pin_by,
        speak: rights.speak,
        ..information_of(&input)?
    };
    let has_members = match input.member("memberIds") {
        Some(Value::Array(items)) => !items.is_empty(),
        _ => input.get("memberIds").is_some(),
    };
    let mut members = if has_members {
        named(&edge, &login, &input, "memberIds").await?
    } else {
        Vec::new()
    };
    members.retain(|member| *member != login.user);
    let verb = GroupVerb::Create {
        change: Box::new(change),
        owner: Some(login.user.clone()),
        members,
    };
    let by = Operator::User(login.user.clone());
    edge.im.group(&key, by, verb).await?;
    Ok(Done(shown(&edge, &key).await?))
}

async fn one(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    asked.belongs(&edge).await?;
    Ok(Done(shown(&edge, &asked.key).await?))
}

async fn update(edge: &Edge, asked: &Asked, change: ChannelChange) -> Result<Done<Value>, Failure> {
    if change == ChannelChange::default() {
        return Err(Failure::because("Nothing to change"));
    }
    asked.act(edge, GroupVerb::Update(Box::new(change))).await?;
    Ok(Done(shown(edge, &asked.key).await?))
}

async fn change(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    let change = ChannelChange {
        join_mode: mode(&asked.input)?,
        tips: asked.input.flag("tips")?,
        ..information_of(&asked.input)?
    };
    update(&edge, &asked, change).await
}

async fn dissolve(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<()>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    asked.act(&edge, GroupVerb::Dissolve).await?;
    Ok(Done(()))
}

async fn permissions(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    let change = permissions_of(&asked.input)?;
    update(&edge, &asked, change).await
}

async fn announcement(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    asked.belongs(&edge).await?;
    let settings = edge.im.channel(&asked.key).await?.settings;
    let announcement = settings.announcement;
    let by = Some(announcement.by).filter(|by| !by.is_empty());
    Ok(Done(json!({
        "groupId": &*asked.key.id,
        "announcement": announcement.text,
        "operatorId": by,
        "updatedAt": (announcement.at_ms > 0).then_some(announcement.at_ms),
    })))
}

async fn announce(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    let field = ["announcement", "content"];
    let mut given = field
        .into_iter()
        .filter(|field| asked.input.raw(field).is_some());
    let field = given
        .next()
        .ok_or_else(|| Failure::field("announcement", "is missing"))?;
    let text = text(&asked.input, field, MAX_ANNOUNCEMENT_CHARS)?.unwrap_or_default();
    let change = ChannelChange {
        announcement: Some(Announcement {
            text,
            ..Announcement::default()
        }),
        ..ChannelChange::default()
    };
    update(&edge, &asked, change).await
}

async fn transfer(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    let field = ["newOwnerId", "ownerId", "userId"];
    let mut given = field
        .into_iter()
        .filter(|field| asked.input.get(field).is_some());
    let field = given.next().unwrap_or("newOwnerId");
    let to = asked.user(&edge, field, asked.input.need(field)?).await?;
    asked.act(&edge, GroupVerb::Transfer(to)).await?;
    Ok(Done(shown(&edge, &asked.key).await?))
}

async fn leave(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<()>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    asked.act(&edge, GroupVerb::Leave).await?;
    Ok(Done(()))
}
