//! `/api/im/profile`, `/api/im/users…`: what people see of each other, whether they are there,
//! and how they are found (stomp.md D.b.2, Q2-31).

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::routing::{get, post};
use crosstalk_core::directory::{FoundPlace, Profile, ProfileChange, UserChange, UserRecord};
use crosstalk_core::id::UserRef;
use crosstalk_core::im::{Presence, PresenceChange};
use crosstalk_core::refusal::Refusal;
use crosstalk_wire::stomp::im::Page;
use serde_json::{Map, Value, json};

use super::answer::{Done, Failure};
use super::auth::asked;
use super::friends::{MAX_USERS, user, users};
use super::input::Input;
use super::no_route;
use crate::http::edge::Edge;

/// The calls, below `/api/im`.
pub(super) fn routes() -> Router<Edge> {
    Router::new()
        .route("/api/im/profile", get(own).put(change).fallback(no_route))
        .route("/api/im/users/batch", post(batch).fallback(no_route))
        .route("/api/im/users/search", get(search).fallback(no_route))
        .route(
            "/api/im/users/status",
            get(statuses).put(set_status).fallback(no_route),
        )
        .route("/api/im/users/{uid}", get(one).fallback(no_route))
}

/// The members of a profile, by their names here and in the core.
const MEMBERS: [(&str, &str); 10] = [
    ("nickname", "name"),
    ("avatar", "avatar"),
    ("gender", "gender"),
    ("signature", "signature"),
    ("birthday", "birthday"),
    ("location", "location"),
    ("phone", "phone"),
    ("email", "email"),
    ("language", "language"),
    ("extra", "custom"),
];

fn view(viewer: &UserRef, record: &UserRecord) -> Value {
    let is_own = viewer.num == record.user.num;
    let profile = Profile::of(record.profile.as_deref());
    let profile = if is_own { profile } else { profile.public() };
    let mut view = json!({
        "userId": record.user.uid.as_str(),
        "nickname": profile.name,
        "avatar": profile.avatar,
        "gender": profile.gender,
        "signature": profile.signature,
        "birthday": profile.birthday,
        "location": profile.location,
        "language": profile.language,
        "extra": profile.custom,
    });
    if is_own && let Value::Object(members) = &mut view {
        members.insert("phone".to_owned(), json!(profile.phone));
        members.insert("email".to_owned(), json!(profile.email));
    }
    view
}

/// `GET /profile`.
async fn own(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (_, login) = asked(&edge, client, request).await?;
    let state = edge.im.user(&login.realm, &login.user.uid).await?;
    Ok(Done(view(&login.user, &state.record)))
}

/// What a request changes of a profile: members that are there; `null` empties one.
fn wish(input: &Input) -> Result<ProfileChange, Failure> {
    let mut wish = Map::new();
    for (here, there) in MEMBERS {
        let value = match input.member(here) {
            Some(value) => Some(value.clone()),
            None => input.raw(here).map(Value::from),
        };
        if let Some(value) = value {
            let right = match there {
                "custom" => value.is_object() || value.is_null(),
                _ => value.is_string() || value.is_null(),
            };
            if !right {
                return Err(Failure::field(here, "is invalid"));
            }
            wish.insert(there.to_owned(), value);
        }
    }
    let wish: ProfileChange =
        serde_json::from_value(Value::Object(wish)).map_err(|_| Refusal::InvalidArgument)?;
    wish.check().map_err(|bad| {
        let name = MEMBERS.iter().find(|(_, there)| *there == bad.field);
        let name = name.map_or(bad.field, |(here, _)| here);
        if bad.too_large {
            Refusal::TooLarge.into()
        } else {
            Failure::field(name, bad.why)
        }
    })?;
    Ok(wish)
}

/// `PUT /profile {nickname?, avatar?, gender?, signature?, …, extra?}`.
async fn change(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let change = UserChange {
        members: wish(&input)?,
        ..UserChange::default()
    };
    edge.im.spend(login.user.num)?;
    let (realm, uid) = (&login.realm, &login.user.uid);
    let record = edge.im.change_user(realm, uid, &change).await?;
    Ok(Done(view(&login.user, &record)))
}

/// `GET /users/{uid}`.
async fn one(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(named): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (_, login) = asked(&edge, client, request).await?;
    let state = edge.im.user(&login.realm, &user("userId", &named)?).await?;
    Ok(Done(view(&login.user, &state.record)))
}

/// `POST /users/batch {userIds}`.
async fn batch(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let found = edge.im.users(&login.realm, &users(&input)?).await?;
    let list = found.iter().map(|record| view(&login.user, record));
    Ok(Done(Page::whole(list.collect())))
}

/// `GET /users/search?keyword&limit&cursor`.
async fn search(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let keyword = input.need("keyword")?;
    let after = match input.get("cursor") {
        None => None,
        Some(text) => {
            let place = text.split_once('_').and_then(|(list, place)| {
                Some::<FoundPlace>([list.parse().ok()?, place.parse().ok()?])
            });
            Some(place.ok_or_else(|| Failure::field("cursor", "is invalid"))?)
        }
    };
    edge.im.spend(login.user.num)?;
    let limit = input.limit()?;
    let found = edge
        .im
        .find_users(&login.realm, keyword, false, after, limit);
    let found = found.await?;
    let list = found.users.iter().map(|record| view(&login.user, record));
    Ok(Done(Page {
        list: list.collect(),
        has_more: found.next.is_some(),
        cursor: found.next.map(|[list, place]| format!("{list}_{place}")),
    }))
}

fn status(presence: &Presence) -> Value {
    json!({
        "userId": presence.uid.as_str(),
        "online": presence.online,
        "status": presence.status,
        "lastSeenAt": Some(presence.last_seen_at_ms).filter(|at| *at > 0),
    })
}

/// `GET /users/status?ids=`.
async fn statuses(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let ids = input.list("ids", MAX_USERS)?;
    let uids = ids.iter().map(|id| user("ids", id));
    let uids = uids.collect::<Result<Vec<_>, _>>()?;
    let shown = edge.im.presence(&login.realm, Some(&login.user), &uids);
    Ok(Done(Page::whole(shown.await?.iter().map(status).collect())))
}

/// `PUT /users/status {status?, invisible?}`.
async fn set_status(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let change = PresenceChange {
        status: input.raw("status").map(str::to_owned),
        invisible: input.flag("invisible")?,
    };
    edge.im.spend(login.user.num)?;
    let (realm, uid) = (&login.realm, &login.user.uid);
    let shown = edge.im.change_presence(realm, uid, change).await?;
    Ok(Done(status(&shown)))
}
