//! `/api/im/admin/…` beside userSigs: users, messages, broadcasts, logs and sensitive words
//! (stomp.md D.b.2), for administrator accounts, app secrets and the admin key.

mod messages;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::routing::{delete, get, put};
use crosstalk_core::admin::{AuditQuery, Chore, ChoreKind, Person, PersonFilter, WordAction};
use crosstalk_core::directory::{Profile, ProfileChange, UserChange};
use crosstalk_core::id::{Realm, Uid, UserNum};
use crosstalk_core::im::admin::{Audience, Broadcast, ImportUser, Imported, MAX_NAMED};
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::stomp_failure;
use crosstalk_wire::stomp::im::{Outcomes, Page};
use serde_json::{Value, json};

use super::admin::{Administrator, administrating};
use super::answer::{Done, Failure};
use super::input::Input;
use super::no_route;
use crate::http::edge::Edge;

/// Users or words in one request.
const AT_ONCE: usize = 1000;
/// The longest text, bytes.
const TEXT_BYTES: usize = 32 << 10;

/// The calls, below `/api/im/admin`.
pub(super) fn routes() -> Router<Edge> {
    let base = "/api/im/admin";
    Router::new()
        .route(
            &format!("{base}/users"),
            get(list_users).post(import_users).fallback(no_route),
        )
        .route(
            &format!("{base}/users/{{user_id}}"),
            delete(erase_user).fallback(no_route),
        )
        .route(
            &format!("{base}/users/{{user_id}}/admin"),
            put(flag_user).post(flag_user).fallback(no_route),
        )
        .merge(messages::routes(base))
        .route(
            &format!("{base}/broadcast"),
            get(list_broadcasts).post(broadcast).fallback(no_route),
        )
        .route(
            &format!("{base}/broadcast/{{id}}"),
            get(get_broadcast)
                .delete(cancel_broadcast)
                .fallback(no_route),
        )
        .route(&format!("{base}/logs"), get(logs).fallback(no_route))
        .route(
            &format!("{base}/sensitive-words"),
            get(list_words)
                .post(add_words)
                .delete(remove_words)
                .fallback(no_route),
        )
}

/// Reads a request of an administrator.
async fn asked(edge: &Edge, request: Request) -> Result<(Input, Administrator), Failure> {
    let input = Input::read(request).await?;
    let by = administrating(edge, &input).await?;
    Ok((input, by))
}

/// How much is wanted, and after which place.
fn stretch(input: &Input) -> Result<(u32, Option<i64>), Failure> {
    Ok((input.limit()?, input.number("cursor")?))
}

fn uid(name: &str, text: &str) -> Result<Uid, Failure> {
    Uid::parse(text).map_err(|_| Failure::field(name, "is invalid"))
}

fn number(name: &str, text: &str) -> Result<i64, Failure> {
    text.parse().map_err(|_| Failure::field(name, "is invalid"))
}

/// `GET /admin/users?keyword&tag&limit&cursor`.
async fn list_users(
    State(edge): State<Edge>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (input, by) = asked(&edge, request).await?;
    let (limit, after) = stretch(&input)?;
    let filter = PersonFilter {
        prefix: input.get("keyword").map(str::to_owned),
        tag: input.get("tag").map(str::to_owned),
        ..PersonFilter::default()
    };
    let after = UserNum(after.unwrap_or(0));
    let found = edge.im.population(by.realm(), &filter, after, limit + 1);
    let place = |person: &Person| person.record.user.num.0.to_string();
    Ok(Done(Page::of(found.await?, limit, place, |person| {
        let profile = Profile::of(person.record.profile.as_deref());
        json!({
            "userId": person.record.user.uid.as_str(),
            "nickname": profile.name,
            "avatar": profile.avatar,
            "tags": person.tags,
            "admin": person.record.flags.staff,
            "banned": person.record.flags.ban,
        })
    })))
}

/// `POST /admin/users {userId, nickname?, avatar?}` or `{users: [{…}, …]}`.
async fn import_users(
    State(edge): State<Edge>,
    request: Request,
) -> Result<Done<Outcomes<String>>, Failure> {
    let (input, by) = asked(&edge, request).await?;
    let single;
    let users = match input.member("users") {
        Some(Value::Array(users)) if (1..=AT_ONCE).contains(&users.len()) => users,
        Some(_) => return Err(Failure::field("users", "must be a list of 1 to 1000")),
        None => {
            single = vec![json!({
                "userId": input.need("userId")?,
                "nickname": input.get("nickname"),
                "avatar": input.get("avatar"),
            })];
            &single
        }
    };
    let mut outcomes = Outcomes::default();
    for user in users {
        let id = user["userId"].as_str().unwrap_or_default().to_owned();
        let imported = import(&edge, by.realm(), &id, user).await;
        let imported = imported.map(|_| id.clone()).map_err(stomp_failure);
        outcomes.put(&id, imported);
    }
    Ok(Done(outcomes))
}

async fn import(edge: &Edge, realm: &Realm, id: &str, user: &Value) -> Result<Imported, Refusal> {
    let text = |member: &str| user[member].as_str().map(|text| Some(text.to_owned()));
    let members = ProfileChange {
        name: text("nickname"),
        avatar: text("avatar"),
        ..ProfileChange::default()
    };
    members.check().map_err(|_| Refusal::InvalidArgument)?;
    let user = ImportUser {
        uid: Uid::parse(id).map_err(|_| Refusal::InvalidUid)?,
        change: UserChange {
            members,
            ..UserChange::default()
        },
        tags: None,
    };
    edge.im.import_user(realm, user).await
}

/// `DELETE /admin/users/{userId}`: with all data.
async fn erase_user(
    State(edge): State<Edge>,
    Path(user): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (_, by) = asked(&edge, request).await?;
    let uid = uid("userId", &user)?;
    let chore = edge.im.erase_user(by.realm(), &uid, &by.actor).await?;
    Ok(Done(work(&chore)))
}

/// `PUT /admin/users/{userId}/admin {admin}`: makes an account an administrator's, or not.
async fn flag_user(
    State(edge): State<Edge>,
    Path(user): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, by) = asked(&edge, request).await?;
    let uid = uid("userId", &user)?;
    let admin = input.flag("admin")?;
    let admin = admin.ok_or_else(|| Failure::field("admin", "is missing"))?;
    edge.im.user(by.realm(), &uid).await?;
    let change = UserChange {
        staff: Some(admin),
        ..UserChange::default()
    };
    edge.im.put_user(by.realm(), &uid, &change).await?;
    Ok(Done(json!({"userId": user, "admin": admin})))
}

/// The content of what an administrator says: a text.
fn content(input: &Input) -> Result<String, Failure> {
    let text = input.need("content")?;
    if text.len() > TEXT_BYTES {
        return Err(Refusal::TooLarge.into());
    }
    Ok(json!({"type": "text", "text": text}).to_string())
}

/// Who says it: `fromId`, also called `from`, or the system.
async fn author(edge: &Edge, realm: &Realm, input: &Input) -> Result<Uid, Failure> {
    match input.get("fromId").or_else(|| input.get("from")) {
        None | Some("SYSTEM") => Ok(Uid::system()),
        Some(from) => {
            let from = uid("fromId", from)?;
            edge.im.user(realm, &from).await?;
            Ok(from)
        }
    }
}

/// How far work is.
fn work(chore: &Chore) -> Value {
    json!({
        "id": chore.num.to_string(),
        "state": chore.state.name(),
        "done": chore.done,
        "failed": chore.failed,
        "total": chore.chore.total,
        "note": chore.note,
        "createdAt": chore.created_at_ms,
        "updatedAt": chore.updated_at_ms,
    })
}

/// `POST /admin/broadcast {content, fromId?, tag? | userIds?}`: to everybody, unless it says to
/// whom.
async fn broadcast(State(edge): State<Edge>, request: Request) -> Result<Done<Value>, Failure> {
    let (input, by) = asked(&edge, request).await?;
    let realm = by.realm();
    let named = input.member("userIds").is_some() || input.get("userIds").is_some();
    let to = match (input.get("tag"), named) {
        (Some(tag), false) => Audience::Tag(tag.to_owned()),
        (None, true) => {
            let mut uids = input.list("userIds", MAX_NAMED)?;
            uids.sort_unstable();
            uids.dedup();
            for id in &uids {
                uid("userIds", id)?;
            }
            Audience::Uids(uids)
        }
        (None, false) => Audience::All,
        (Some(_), true) => return Err(Failure::field("tag", "or userIds, not both")),
    };
    let said = Broadcast {
        to,
        from: author(&edge, realm, &input).await?.as_str().to_owned(),
        payload: content(&input)?,
    };
    let chore = edge.im.broadcast(realm, &said, &by.actor).await?;
    Ok(Done(work(&chore)))
}

/// `GET /admin/broadcast?limit&cursor`, the newest first.
async fn list_broadcasts(
    State(edge): State<Edge>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (input, by) = asked(&edge, request).await?;
    let (limit, before) = stretch(&input)?;
    let kind = ChoreKind::Broadcast;
    let found = edge.im.chores(by.realm(), kind, before, limit + 1).await?;
    let place = |chore: &Chore| chore.num.to_string();
    Ok(Done(Page::of(found, limit, place, |chore| work(&chore))))
}

/// `GET /admin/broadcast/{id}`.
async fn get_broadcast(
    State(edge): State<Edge>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (_, by) = asked(&edge, request).await?;
    let num = number("id", &id)?;
    let found = edge.im.chore(by.realm(), ChoreKind::Broadcast, num).await?;
    Ok(Done(work(&found)))
}

/// `DELETE /admin/broadcast/{id}`.
async fn cancel_broadcast(
    State(edge): State<Edge>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (_, by) = asked(&edge, request).await?;
    let num = number("id", &id)?;
    let found = edge.im.cancel_chore(by.realm(), ChoreKind::Broadcast, num);
    Ok(Done(work(&found.await?)))
}

/// `GET /admin/logs?actor&action&target&since&until&limit&cursor`, the newest first.
async fn logs(State(edge): State<Edge>, request: Request) -> Result<Done<Page<Value>>, Failure> {
    let (input, by) = asked(&edge, request).await?;
    let (limit, before) = stretch(&input)?;
    let text = |name: &str| input.get(name).map(str::to_owned);
    let query = AuditQuery {
        realm: Some(by.realm().clone()),
        actor: text("actor"),
        action: text("action"),
        target: text("target"),
        since_ms: input.number("since")?,
        until_ms: input.number("until")?,
        before,
        limit: limit + 1,
    };
    let found = edge.im.audit().acts(&query).await.map_err(Refusal::from)?;
    Ok(Done(Page::of(
        found,
        limit,
        |act| act.num.to_string(),
        |act| {
            let entry = act.entry;
            json!({
                "id": act.num.to_string(),
                "timestamp": act.at_ms,
                "operator": entry.actor,
                "action": entry.action,
                "target": entry.target,
                "outcome": entry.outcome,
                "address": entry.address,
                "note": entry.note,
                "subjects": entry.subjects,
                "asked": serde_json::from_str::<Value>(&entry.asked).ok(),
            })
        },
    )))
}

fn action(input: &Input) -> Result<Option<WordAction>, Failure> {
    let parse = |text: &str| {
        let name = text.to_ascii_lowercase();
        WordAction::parse(&name).ok_or_else(|| Failure::field("action", "is invalid"))
    };
    input.get("action").map(parse).transpose()
}

/// `GET /admin/sensitive-words?action&limit&cursor`.
async fn list_words(
    State(edge): State<Edge>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (input, by) = asked(&edge, request).await?;
    let (limit, after) = stretch(&input)?;
    let after = after.unwrap_or(0);
    let action = action(&input)?;
    let found = edge
        .im
        .listed_words(by.realm(), action, after, limit + 1)
        .await?;
    Ok(Done(Page::of(
        found,
        limit,
        |word| word.num.to_string(),
        |word| {
            json!({
                "word": word.word,
                "action": word.action.name(),
                "createdAt": word.added_at_ms,
            })
        },
    )))
}

/// `POST /admin/sensitive-words {words, action?}`.
async fn add_words(State(edge): State<Edge>, request: Request) -> Result<Done<Value>, Failure> {
    let (input, by) = asked(&edge, request).await?;
    let action = action(&input)?.unwrap_or(WordAction::Reject);
    let words = input.list("words", AT_ONCE)?;
    let words: Vec<_> = words.into_iter().map(|word| (word, action)).collect();
    let changed = edge.im.add_words(by.realm(), &words).await?;
    Ok(Done(json!({"changed": changed})))
}

/// `DELETE /admin/sensitive-words {words}`.
async fn remove_words(State(edge): State<Edge>, request: Request) -> Result<Done<Value>, Failure> {
    let (input, by) = asked(&edge, request).await?;
    let words = input.list("words", AT_ONCE)?;
    let changed = edge.im.remove_words(by.realm(), &words).await?;
    Ok(Done(json!({"changed": changed})))
}
