//! Reactions to messages, and messages that are pinned in their channels.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::id::UserNum;
use crosstalk_core::mark::{MAX_REACTION_BYTES, Tally};
use serde::Serialize;
use utoipa::ToSchema;

use super::acting::{self, Acting};
use super::auth::Caller;
use super::input::{self, Params, Segments};
use super::looking::{self, Whose};
use super::openapi::{Conflict, Denials, Missing, Throttled};
use super::page::{self, Page, Paging};
use super::problem::Problem;
use super::view::{KindName, MessageView};
use crate::http::state::ApiState;

/// What cursors of reactions begin with.
const REACTIONS: &str = "re";
/// A cursor has the text of a reaction as numbers.
const WORDS: usize = MAX_REACTION_BYTES / 8;

/// How often a reaction was put to a message.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReactionCount, example = json!({"emoji": "👍", "count": 2, "mine": false}))]
pub(super) struct TallyView {
    /// Which.
    emoji: String,
    /// By how many.
    count: u64,
    /// The viewer is one of them.
    mine: bool,
}

impl From<Tally> for TallyView {
    fn from(tally: Tally) -> Self {
        Self {
            emoji: tally.emoji.to_string(),
            count: tally.count,
            mine: tally.mine,
        }
    }
}

/// One user's reaction to a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reaction)]
pub(super) struct ReactionView {
    /// Which.
    pub(super) emoji: String,
    /// Who.
    pub(super) user: String,
    /// When, ms since 1970.
    pub(super) at: i64,
}

/// The reactions to a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reactions)]
pub(super) struct Reactions {
    /// How often which was put there, the most frequent first.
    summary: Vec<TallyView>,
    /// Who has put which there, by reaction.
    items: Vec<ReactionView>,
    /// Give this as `cursor` to get the next page; null when this is the last one.
    next_cursor: Option<String>,
}

/// The place of a reaction in the list, as numbers.
fn place(emoji: &str, user: UserNum) -> [i64; WORDS + 2] {
    let mut place = [0; WORDS + 2];
    for (word, bytes) in place.iter_mut().zip(emoji.as_bytes().chunks(8)) {
        let mut full = [0; 8];
        full[..bytes.len()].copy_from_slice(bytes);
        *word = i64::from_be_bytes(full);
    }
    place[WORDS] = i64::try_from(emoji.len()).unwrap_or(i64::MAX);
    place[WORDS + 1] = user.0;
    place
}

fn read_place(place: [i64; WORDS + 2]) -> Option<(Arc<str>, UserNum)> {
    let bytes: Vec<u8> = place[..WORDS]
        .iter()
        .flat_map(|word| word.to_be_bytes())
        .collect();
    let length = usize::try_from(place[WORDS]).ok()?;
    let emoji = std::str::from_utf8(bytes.get(..length)?).ok()?;
    Some((emoji.into(), UserNum(place[WORDS + 1])))
}

/// React to a message
///
/// Any short text (1 to 32 bytes) is a reaction; a user has at most 20 on a message. Putting
/// the same one there again changes nothing. Everybody is told in their dialect's way.
#[utoipa::path(
    put, path = "/v1/messages/{id}/reactions/{emoji}", tag = "messages",
    params(
        ("id" = String, Path, description = "The message's id"),
        ("emoji" = String, Path, description = "The reaction"),
        Whose,
    ),
    responses((status = 204, description = "It is there"), Denials, Missing, Conflict, Throttled),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn put_reaction(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((id, emoji)): Segments<(String, String)>,
    Params(whose): Params<Whose>,
) -> Result<StatusCode, Problem> {
    react(&api, &caller, (&id, &emoji), whose.user.as_deref(), false).await
}

/// Take a reaction away
///
/// One that is not there any more changes nothing.
#[utoipa::path(
    delete, path = "/v1/messages/{id}/reactions/{emoji}", tag = "messages",
    params(
        ("id" = String, Path, description = "The message's id"),
        ("emoji" = String, Path, description = "The reaction"),
        Whose,
    ),
    responses((status = 204, description = "It is gone"), Denials, Missing, Conflict, Throttled),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn delete_reaction(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((id, emoji)): Segments<(String, String)>,
    Params(whose): Params<Whose>,
) -> Result<StatusCode, Problem> {
    react(&api, &caller, (&id, &emoji), whose.user.as_deref(), true).await
}

async fn react(
    api: &ApiState,
    caller: &Caller,
    (id, emoji): (&str, &str),
    user: Option<&str>,
    removed: bool,
) -> Result<StatusCode, Problem> {
    let realm = caller.realm()?;
    let id = input::message_id(id)?;
    if emoji.trim().is_empty() || emoji.len() > MAX_REACTION_BYTES {
        let wrong = format_args!("has 1 to {MAX_REACTION_BYTES} bytes, and is not blank");
        return Err(Problem::field("emoji", wrong));
    }
    input::check_line("emoji", emoji)?;
    let user = acting::acting_user(api, caller, "user", user).await?;
    api.im.react(realm, id, &user, emoji, removed).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The reactions to a message
#[utoipa::path(
    get, path = "/v1/messages/{id}/reactions", tag = "messages",
    params(("id" = String, Path, description = "The message's id"), Whose, Paging),
    responses((status = 200, description = "Reactions", body = Reactions), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_reactions(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
    Params(whose): Params<Whose>,
    Params(paging): Params<Paging>,
) -> Result<Json<Reactions>, Problem> {
    let realm = caller.realm()?;
    let id = input::message_id(&id)?;
    let viewer = looking::viewer(&api, &caller, whose.user.as_deref()).await?;
    let limit = paging.limit()?;
    let after = match paging.after(REACTIONS)? {
        None => None,
        Some(place) => Some(
            read_place(place)
                .ok_or_else(|| Problem::field("cursor", "is not one that this list gave"))?,
        ),
    };
    let reactions = api.im.reactions(realm, id, &viewer, after, limit + 1);
    let mut reactions = reactions.await?;
    let more = reactions.len() > limit as usize;
    reactions.truncate(limit as usize);
    let last = reactions.last().filter(|_| more);
    let next_cursor = last.map(|last| page::encode(REACTIONS, place(&last.emoji, last.user.num)));
    let summary = api.im.tallies(&viewer, &[id]).await?.into_iter().flatten();
    let items = reactions.into_iter().map(|reaction| ReactionView {
        emoji: reaction.emoji.to_string(),
        user: reaction.user.uid.as_str().to_owned(),
        at: reaction.at_ms,
    });
    Ok(Json(Reactions {
        summary: summary.map(TallyView::from).collect(),
        items: items.collect(),
        next_cursor,
    }))
}

/// Pin a message
///
/// In its channel, for everybody; at most 100 are pinned there. Both of a direct channel may,
/// in others owner and administrators, and members if the channel's `pin_by` or the setting
/// `im.members_pin` says so.
#[utoipa::path(
    put, path = "/v1/messages/{id}/pin", tag = "messages",
    params(("id" = String, Path, description = "The message's id"), Acting),
    responses((status = 204, description = "It is pinned"), Denials, Missing, Conflict, Throttled),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn pin_message(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
    Params(by): Params<Acting>,
) -> Result<StatusCode, Problem> {
    pin(&api, &caller, &id, by, true).await
}

/// Unpin a message
#[utoipa::path(
    delete, path = "/v1/messages/{id}/pin", tag = "messages",
    params(("id" = String, Path, description = "The message's id"), Acting),
    responses(
        (status = 204, description = "It is not pinned"),
        Denials, Missing, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn unpin_message(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
    Params(by): Params<Acting>,
) -> Result<StatusCode, Problem> {
    pin(&api, &caller, &id, by, false).await
}

async fn pin(
    api: &ApiState,
    caller: &Caller,
    id: &str,
    by: Acting,
    pinned: bool,
) -> Result<StatusCode, Problem> {
    let realm = caller.realm()?;
    let id = input::message_id(id)?;
    let by = acting::operator(api, caller, by.operator.as_deref()).await?;
    api.im.pin(realm, id, by, pinned).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A pinned message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pin)]
pub(super) struct PinView {
    /// Who pinned it; null = the application.
    by: Option<String>,
    /// When, ms since 1970.
    pinned_at: i64,
    /// The message.
    message: MessageView,
}

/// A channel's pinned messages
///
/// The one pinned last first; all of them.
#[utoipa::path(
    get, path = "/v1/channels/{kind}/{id}/pins", tag = "messages",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id; of a direct one the peer's uid"),
        Whose,
    ),
    responses(
        (status = 200, description = "Pinned messages", body = Page<PinView>),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_pins(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Params(whose): Params<Whose>,
) -> Result<Json<Page<PinView>>, Problem> {
    let viewer = looking::viewer(&api, &caller, whose.user.as_deref()).await?;
    let key = looking::channel(&caller, &viewer, &kind, &id)?;
    let (pins, messages): (Vec<_>, Vec<_>) = api.im.pins(&key, &viewer).await?.into_iter().unzip();
    let views = MessageView::all(&api, &viewer, &messages).await?;
    let items = pins.into_iter().zip(views).map(|(pin, message)| PinView {
        by: pin.by.map(|user| user.uid.as_str().to_owned()),
        pinned_at: pin.at_ms,
        message,
    });
    Ok(Json(Page::whole(items.collect())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_cursor() {
        for emoji in ["👍", "x", "exactly-thirty-two-bytes-long-ok", "日本"] {
            let numbers = place(emoji, UserNum(7));
            assert_eq!(read_place(numbers), Some((emoji.into(), UserNum(7))));
            let cursor = page::encode(REACTIONS, numbers);
            assert_eq!(page::decode(REACTIONS, &cursor), Some(numbers));
        }
        let mut wrong = place("x", UserNum(7));
        wrong[WORDS] = 33;
        assert_eq!(read_place(wrong), None);
    }
}
