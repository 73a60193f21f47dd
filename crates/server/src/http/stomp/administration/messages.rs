//! `/api/im/admin/messages`: what is said in the realm, read, said and taken away by
//! administrators.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::routing::{delete, get};
use crosstalk_core::channel::{Address, ChannelKey};
use crosstalk_core::deliver::{Operator, Sender};
use crosstalk_core::id::{MessageId, Realm, Uid};
use crosstalk_core::im::{HistoryQuery, SearchPage, SearchQuery, Viewer};
use crosstalk_core::message::{Body, Draft, Flags, Message, OnReuse, Origin};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::search::terms;
use crosstalk_gateway::{Dialect, signed_for, stomp_message};
use crosstalk_wire::stomp::im::Page;
use serde_json::{Value, json};

use super::super::admin::Administrator;
use super::{asked, author, content, number, uid};
use crate::http::edge::Edge;
use crate::http::stomp::answer::{Done, Failure};
use crate::http::stomp::input::Input;
use crate::http::stomp::{groups, no_route};

/// The longest keyword, characters.
const MAX_KEYWORD_CHARS: usize = 200;
/// Messages of a conversation that are read at once…
const STRETCH: u32 = 500;
/// … and how often for one answer: whoever asks may go on from there.
const MAX_STRETCHES: usize = 10;

/// The calls, below `/api/im/admin`.
pub(super) fn routes(base: &str) -> Router<Edge> {
    Router::new()
        .route(
            &format!("{base}/messages"),
            get(list).post(send).fallback(no_route),
        )
        .route(
            &format!("{base}/messages/{{message_id}}"),
            delete(take_away).fallback(no_route),
        )
}

/// To whom something is or was said: `groupId`, or `toId` with the `chatType` GROUP, or a user.
enum To<'a> {
    Group(ChannelKey),
    User(&'a str),
    Nobody,
}

impl<'a> To<'a> {
    fn of(realm: &Realm, input: &Input, to: Option<&'a str>) -> Result<Self, Failure> {
        let is_group = match input.get("chatType") {
            None | Some("SINGLE") => false,
            Some("GROUP") => true,
            Some(_) => return Err(Failure::field("chatType", "must be SINGLE or GROUP")),
        };
        match (input.get("groupId"), to) {
            (Some(_), Some(_)) => Err(Failure::field("toId", "or groupId, not both")),
            (Some(group), None) => groups::key(realm, "groupId", group).map(Self::Group),
            (None, Some(to)) if is_group => groups::key(realm, "toId", to).map(Self::Group),
            (None, Some(to)) => Ok(Self::User(to)),
            (None, None) => Ok(Self::Nobody),
        }
    }
}

/// What of a conversation, or of the whole realm, is wanted.
struct Wanted {
    /// Only what this user has said.
    from: Option<Uid>,
    /// Only what was said here.
    of: Option<ChannelKey>,
    /// Only from this time on, ms since 1970.
    since_ms: Option<i64>,
    /// Only before this time, ms since 1970.
    until_ms: Option<i64>,
    limit: u32,
}

impl Wanted {
    fn read(realm: &Realm, input: &Input) -> Result<Self, Failure> {
        let from = input.get("fromId").map(|from| uid("fromId", from));
        let from = from.transpose()?;
        let (of, from) = match (To::of(realm, input, input.get("toId"))?, from) {
            (To::Group(key), from) => (Some(key), from),
            (To::Nobody, from) => (None, from),
            (To::User(_), None) => {
                return Err(Failure::field("toId", "of a user needs fromId beside it"));
            }
            (To::User(to), Some(from)) => {
                let key = ChannelKey::direct(realm, &from, &uid("toId", to)?);
                let both = input.flag("both")?.unwrap_or(false);
                (Some(key), Some(from).filter(|_| !both))
            }
        };
        Ok(Self {
            from,
            of,
            since_ms: input.number("from")?,
            until_ms: input.number("to")?,
            limit: input.limit()?,
        })
    }

    fn is_wanted(&self, message: &Message) -> bool {
        let is_before = self.until_ms.is_none_or(|ms| message.sent_at_ms < ms);
        let is_theirs = self
            .from
            .as_ref()
            .is_none_or(|it| *it == message.sender.uid);
        is_before && is_theirs
    }
}

/// `GET /admin/messages?fromId&toId&groupId&chatType&both&keyword&msgType&from&to&limit&cursor`,
/// the newest first. `from` and `to` are times in ms; `fromId` and `toId` are what one user has
/// said to another, with `both` what the two have said.
async fn list(State(edge): State<Edge>, request: Request) -> Result<Done<Page<Value>>, Failure> {
    let (input, by) = asked(&edge, request).await?;
    let wanted = Wanted::read(by.realm(), &input)?;
    let is_searched = input.get("keyword").is_some() || input.get("msgType").is_some();
    let page = match &wanted.of {
        Some(key) if !is_searched => said(&edge, key, &wanted, &input).await?,
        None if !is_searched && wanted.from.is_none() => {
            let why = "fromId, toId, groupId, keyword or msgType is needed";
            return Err(Failure::because(why));
        }
        _ => found(&edge, &by, wanted, &input).await?,
    };
    let Page {
        list,
        has_more,
        cursor,
    } = page;
    let app = by.app.id.as_str();
    let shown = list.iter().map(|message| {
        let message = signed_for(&edge.im, Dialect::Stomp.origin(), message);
        // A number that JSON does not have is the only way to fail.
        serde_json::to_value(stomp_message(&message, app)).unwrap_or_default()
    });
    Ok(Done(Page {
        list: shown.collect(),
        has_more,
        cursor,
    }))
}

/// What was said in one conversation. The cursor is a seq.
async fn said(
    edge: &Edge,
    key: &ChannelKey,
    wanted: &Wanted,
    input: &Input,
) -> Result<Page<Message>, Failure> {
    let limit = wanted.limit as usize;
    let before = input.number::<u64>("cursor")?;
    let mut to = before.map_or(i64::MAX.unsigned_abs(), |before| before.saturating_sub(1));
    let mut list: Vec<Message> = Vec::new();
    for _ in 0..MAX_STRETCHES {
        let query = HistoryQuery {
            from: 1,
            to,
            limit: STRETCH,
            newest: true,
        };
        let viewer = Viewer::Application;
        let stretch = edge.im.history(key, &viewer, query).await?;
        let is_last = stretch.is_empty();
        to = stretch.first().map_or(0, |first| first.seq - 1);
        for message in stretch.into_iter().rev() {
            if wanted.since_ms.is_some_and(|ms| message.sent_at_ms < ms) {
                return Ok(Page::whole(list));
            }
            if !wanted.is_wanted(&message) {
                continue;
            }
            if list.len() == limit {
                let cursor = list.last().map(|last| last.seq.to_string());
                return Ok(Page {
                    list,
                    has_more: true,
                    cursor,
                });
            }
            list.push(message);
        }
        if is_last {
            return Ok(Page::whole(list));
        }
    }
    Ok(Page {
        list,
        has_more: true,
        cursor: Some((to + 1).to_string()),
    })
}

/// What is found by words, type or author. The cursor is a sealed place.
async fn found(
    edge: &Edge,
    by: &Administrator,
    wanted: Wanted,
    input: &Input,
) -> Result<Page<Message>, Failure> {
    let keyword = input.get("keyword").unwrap_or_default();
    if keyword.chars().count() > MAX_KEYWORD_CHARS {
        return Err(Failure::field("keyword", "is too long"));
    }
    let terms = terms(keyword);
    if terms.is_empty() && !keyword.is_empty() {
        return Err(Failure::field("keyword", "has no letter and no digit"));
    }
    let before = input.get("cursor").map(|cursor| {
        let place = edge.im.open_place(cursor);
        place.ok_or_else(|| Failure::field("cursor", "is invalid"))
    });
    let query = SearchQuery {
        terms,
        from: wanted.from,
        of: wanted.of,
        kind: input.get("msgType").map(str::to_ascii_lowercase),
        since_ms: wanted.since_ms,
        until_ms: wanted.until_ms,
        before: before.transpose()?,
        limit: wanted.limit,
    };
    let found = edge.im.search(by.realm(), &Viewer::Application, query);
    let found = match found.await {
        Err(Refusal::NoSuchChannel) => SearchPage::default(),
        found => found?,
    };
    let cursor = found.next.map(|next| edge.im.seal_place(next));
    Ok(Page {
        list: found.messages,
        has_more: cursor.is_some(),
        cursor,
    })
}

/// `POST /admin/messages {toId | groupId, content, fromId?, messageId?}`: says something as the
/// application. `to` and `from` are other names of `toId` and `fromId`.
async fn send(State(edge): State<Edge>, request: Request) -> Result<Done<Value>, Failure> {
    let (input, by) = asked(&edge, request).await?;
    let realm = by.realm();
    let payload = content(&input)?;
    let to = input.get("toId").or_else(|| input.get("to"));
    let to = match To::of(realm, &input, to)? {
        To::Group(key) => Address {
            kind: key.kind,
            id: key.id,
        },
        To::User(to) => {
            let to = uid("toId", to)?;
            edge.im.user(realm, &to).await?;
            Address::direct(&to)
        }
        To::Nobody => return Err(Failure::field("toId", "or groupId is missing")),
    };
    let from = author(&edge, realm, &input).await?;
    let from = edge.im.user_ref(realm, &from).await?;
    let draft = Draft {
        to,
        body: Body {
            client_no: input.get("messageId").unwrap_or_default().into(),
            origin: Origin::REST,
            flags: Flags {
                counts: true,
                ..Flags::default()
            },
            payload: payload.into(),
            ..Body::default()
        },
        on_reuse: OnReuse::Refuse,
        require_peer: true,
        fault: None,
    };
    let sent = edge.im.send_as(realm, Sender::Application(from), draft);
    let sent = sent.await.map_err(|refused| refused.why)?;
    Ok(Done(json!({
        "messageId": sent.id.to_string(),
        "seq": sent.seq,
        "timestamp": sent.sent_at_ms,
    })))
}

/// `DELETE /admin/messages/{messageId}`: for everybody.
async fn take_away(
    State(edge): State<Edge>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<()>, Failure> {
    let (_, by) = asked(&edge, request).await?;
    let id = MessageId(number("messageId", &id)?);
    edge.im
        .delete(by.realm(), id, Operator::Application)
        .await?;
    Ok(Done(()))
}
