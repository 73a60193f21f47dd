//! `/api/im/conversations…`: a user's conversations, how they are kept, and what is unread
//! (stomp.md D.b.2, Q2-31).

use std::cmp::Reverse;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::routing::{get, post, put};
use crosstalk_core::channel::{ChannelKey, ChannelKind};
use crosstalk_core::conversation::{ConversationRow, Keep, MAX_DRAFT_BYTES};
use crosstalk_core::id::Uid;
use crosstalk_core::im::{ConversationWish, Login, MAX_AT_ONCE, Viewer};
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::{Dialect, sign_all, stomp_conversation, stomp_failure, stomp_message};
use crosstalk_wire::stomp::im::{ChatType, Code, Conversation, ConversationId, Outcomes, Page};
use serde_json::{Value, json};

use super::answer::{Done, Failure};
use super::auth::asked;
use super::input::Input;
use super::{groups, no_route};
use crate::http::edge::Edge;

/// Who speaks for the system.
const SYSTEM: &str = "SYSTEM";

/// The calls, below `/api/im`.
pub(super) fn routes() -> Router<Edge> {
    let base = "/api/im/conversations";
    Router::new()
        .route(base, get(list).fallback(no_route))
        .route(&format!("{base}/unread"), get(unread).fallback(no_route))
        .route(
            &format!("{base}/batch/{{op}}"),
            post(batch).fallback(no_route),
        )
        .route(
            &format!("{base}/{{id}}"),
            put(change).delete(delete).get(one).fallback(no_route),
        )
        .route(
            &format!("{base}/{{id}}/read"),
            post(read).fallback(no_route),
        )
        .route(
            &format!("{base}/{{id}}/clear"),
            post(clear).fallback(no_route),
        )
}

/// The channel of a conversation's id.
fn channel(login: &Login, id: &str) -> Result<ChannelKey, Failure> {
    let id = ConversationId::parse(id);
    let id = id.ok_or_else(|| Failure::field("conversationId", "is invalid"))?;
    channel_of(login, &id, "conversationId")
}

/// The channel of a user's conversation, named by this field.
pub(super) fn channel_of(
    login: &Login,
    id: &ConversationId,
    field: &str,
) -> Result<ChannelKey, Failure> {
    let realm = &login.realm;
    if id.chat_type == ChatType::Group {
        return groups::key(realm, field, &id.target_id);
    }
    let peer = if id.target_id == SYSTEM {
        Uid::system()
    } else {
        Uid::parse(&id.target_id).map_err(|_| Failure::field(field, "is invalid"))?
    };
    Ok(ChannelKey::direct(realm, &login.user.uid, &peer))
}

fn shown(
    login: &Login,
    row: &ConversationRow,
    mentions: u64,
    newest: Option<&Message>,
    now_ms: i64,
) -> Value {
    let id = stomp_conversation(&row.channel.key, &login.user.uid);
    let app = login.app.as_ref().map_or("", |app| app.as_str());
    let target = id.target_id.clone();
    let conversation = Conversation {
        chat_type: id.chat_type,
        target_id: &target,
        id,
        unread: row.unread(),
        mentions: Some(mentions),
        pinned: row.pinned_at_ms > 0,
        muted: row.kept.is_muted(now_ms),
        muted_until: Some(row.kept.muted_until_ms)
            .filter(|until| *until > now_ms && *until < i64::MAX),
        marked: row.kept.marked,
        hidden: row.is_hidden(),
        deleted: false,
        draft: Some(&*row.kept.draft).filter(|draft| !draft.is_empty()),
        read_seq: row.read_seq,
        last_message: newest.map(|message| stomp_message(message, app)),
        updated_at: row.updated_at_ms(),
    };
    // A number that JSON does not have is the only way to fail.
    serde_json::to_value(conversation).unwrap_or_default()
}

/// Conversations with their newest messages.
async fn views(
    edge: &Edge,
    login: &Login,
    rows: &[ConversationRow],
) -> Result<Vec<Value>, Failure> {
    let from = |row: &ConversationRow| (Arc::clone(&row.channel), row.begins_after + 1);
    let logs: Vec<_> = rows.iter().map(from).collect();
    let viewer = Viewer::User(login.user.clone());
    let mut newest = edge.im.newest(&viewer, &logs, 1).await?;
    for newest in &mut newest {
        sign_all(&edge.im, Dialect::Stomp.origin(), newest);
    }
    let now_ms = edge.im.clock().now_ms();
    let mentions = edge.im.mention_counts(&login.user, rows).await?;
    let each = rows.iter().zip(&mentions).zip(&newest);
    let each = each
        .map(|((row, mentions), newest)| shown(login, row, mentions.count, newest.last(), now_ms));
    Ok(each.collect())
}

async fn view(edge: &Edge, login: &Login, row: ConversationRow) -> Result<Value, Failure> {
    let mut views = views(edge, login, &[row]).await?;
    Ok(views.pop().unwrap_or_default())
}

/// Where a row stands in the list: pinned ones first, then by the newest message.
fn place(row: &ConversationRow) -> [i64; 3] {
    let newest = row.head.map_or(0, |(id, _)| id.0);
    [row.pinned_at_ms, newest, row.channel.num.0]
}

fn after(input: &Input) -> Result<Option<[i64; 3]>, Failure> {
    let Some(cursor) = input.get("cursor") else {
        return Ok(None);
    };
    let numbers: Result<Vec<i64>, _> = cursor.split('_').map(str::parse).collect();
    let place = numbers.ok().and_then(|numbers| numbers.try_into().ok());
    let wrong = || Failure::field("cursor", "is invalid");
    place.map(Some).ok_or_else(wrong)
}

/// `GET /conversations?limit&cursor`.
async fn list(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let limit = input.limit()? as usize;
    let after = after(&input)?;
    let mut rows = edge.im.conversations(&login.user).await?;
    // Kinds that the dialect has no name for are not its conversations.
    rows.retain(|row| [ChannelKind::DIRECT, ChannelKind::GROUP].contains(&row.channel.key.kind));
    rows.sort_by_key(|row| Reverse(place(row)));
    let begin = after.map_or(0, |after| rows.partition_point(|row| place(row) >= after));
    let rest = &rows[begin..];
    let page = &rest[..limit.min(rest.len())];
    let has_more = rest.len() > limit;
    let last = page.last().filter(|_| has_more);
    Ok(Done(Page {
        list: views(&edge, &login, page).await?,
        has_more,
        cursor: last.map(|row| place(row).map(|number| number.to_string()).join("_")),
    }))
}

/// `GET /conversations/{id}`.
async fn one(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (_, login) = asked(&edge, client, request).await?;
    let key = channel(&login, &id)?;
    let row = edge.im.conversation(&login.user, &key).await;
    let row = row.map_err(refused(&key))?;
    Ok(Done(view(&edge, &login, row).await?))
}

/// `GET /conversations/unread`.
async fn unread(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (_, login) = asked(&edge, client, request).await?;
    let totals = edge.im.unread_totals(&login.user).await?;
    Ok(Done(json!({
        "unread": totals.unread,
        "total": totals.with_muted,
        "mentions": totals.mentions,
        "conversations": totals.conversations,
    })))
}

/// `PUT /conversations/{id} {pinned, muted, mutedUntil, draft}`.
async fn change(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let key = channel(&login, &id)?;
    let draft = input.raw("draft");
    if draft.is_some_and(|draft| draft.len() > MAX_DRAFT_BYTES) {
        return Err(Failure::field("draft", "is too long"));
    }
    let muted = input
        .flag("muted")?
        .map(|muted| if muted { i64::MAX } else { 0 });
    let until = input.number::<i64>("mutedUntil")?;
    if until.is_some_and(|until| until < 0) {
        return Err(Failure::field("mutedUntil", "is invalid"));
    }
    let wish = Keep {
        pinned: input.flag("pinned")?,
        muted_until_ms: until.filter(|_| muted != Some(0)).or(muted),
        draft: draft.map(Arc::from),
        marked: input.flag("marked")?,
        hidden: input.flag("hidden")?,
        ..Keep::default()
    };
    kept(&edge, &login, &key, wish).await
}

/// Why nothing was done with a conversation. With a user it is none as long as nothing was said.
fn why(key: &ChannelKey, refusal: Refusal) -> (Code, &'static str) {
    match refusal {
        Refusal::NoSuchChannel | Refusal::NotAMember if key.kind == ChannelKind::DIRECT => {
            (Code::NotFound, "Conversation not found")
        }
        refusal => stomp_failure(refusal),
    }
}

fn refused(key: &ChannelKey) -> impl Fn(Refusal) -> Failure + '_ {
    |refusal| why(key, refusal).into()
}

async fn kept(
    edge: &Edge,
    login: &Login,
    key: &ChannelKey,
    wish: Keep,
) -> Result<Done<Value>, Failure> {
    let row = edge.im.keep_conversation(&login.user, key, wish).await;
    let row = row.map_err(refused(key))?;
    Ok(Done(view(edge, login, row).await?))
}

/// `DELETE /conversations/{id}?clear`.
async fn delete(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let key = channel(&login, &id)?;
    let clear = input.flag("clear")?.unwrap_or(false);
    kept(&edge, &login, &key, Keep::delete(clear)).await
}

/// `POST /conversations/{id}/clear {seq?}`: the history goes, for this user.
async fn clear(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let key = channel(&login, &id)?;
    let wish = Keep {
        cleared_to: Some(input.number("seq")?.unwrap_or(u64::MAX)),
        ..Keep::default()
    };
    kept(&edge, &login, &key, wish).await
}

/// `POST /conversations/{id}/read {seq?}`.
async fn read(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let key = channel(&login, &id)?;
    let row = edge.im.read(&login.user, &key, input.number("seq")?).await;
    let row = row.map_err(refused(&key))?;
    Ok(Done(view(&edge, &login, row).await?))
}

/// `POST /conversations/batch/{pin,mute,read,delete} {conversationIds, pinned?, muted?}`.
async fn batch(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(op): Path<String>,
    request: Request,
) -> Result<Done<Outcomes<String>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let wish = match op.as_str() {
        "pin" => ConversationWish::Keep(Keep {
            pinned: Some(input.flag("pinned")?.unwrap_or(true)),
            ..Keep::default()
        }),
        "mute" => {
            let muted = input.flag("muted")?.unwrap_or(true);
            ConversationWish::Keep(Keep {
                muted_until_ms: Some(if muted { i64::MAX } else { 0 }),
                ..Keep::default()
            })
        }
        "delete" => ConversationWish::Keep(Keep::delete(input.flag("clear")?.unwrap_or(false))),
        "read" => ConversationWish::Read,
        _ => return Err(Failure::no_route()),
    };
    let ids = input.list("conversationIds", MAX_AT_ONCE)?;
    let mut outcomes = Outcomes::default();
    let (mut named, mut wishes) = (Vec::new(), Vec::new());
    for id in ids {
        match channel(&login, &id) {
            Ok(key) => {
                wishes.push((key.clone(), wish.clone()));
                named.push((id, key));
            }
            Err(_) => outcomes.put(&id, Err(stomp_failure(Refusal::InvalidArgument))),
        }
    }
    let done = edge.im.change_conversations(&login.user, wishes).await;
    for ((id, key), done) in named.into_iter().zip(done) {
        let done = done.map(|_| id.clone());
        let done = done.map_err(|refusal| why(&key, refusal));
        outcomes.put(&id, done);
    }
    Ok(Done(outcomes))
}
