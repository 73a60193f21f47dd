//! A channel's messages, page by page.

use axum::Json;
use axum::extract::State;
use crosstalk_core::channel::ChannelKey;
use crosstalk_core::im::{HistoryQuery, Viewer};
use serde::Deserialize;
use utoipa::IntoParams;

use super::auth::Caller;
use super::channels::seen_by;
use super::input::{self, Params, Segments};
use super::openapi::{Denials, Missing};
use super::page::{self, Page};
use super::problem::Problem;
use super::view::{KindName, MessageView};
use crate::http::state::ApiState;

/// What cursors that go towards older messages begin with.
const OLDER: &str = "ho";
/// What cursors that go towards newer messages begin with.
const NEWER: &str = "hn";
/// Above every seq.
const END: u64 = i64::MAX.unsigned_abs();

/// Which messages are wanted. Without any place: the newest.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Stretch {
    /// The newest messages below this seq.
    before_seq: Option<u64>,
    /// The oldest messages above this seq.
    after_seq: Option<u64>,
    /// Whose view is meant; needed for direct channels, with an app secret or the admin key.
    user: Option<String>,
    /// At most this many items.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before; instead of a seq.
    cursor: Option<String>,
}

/// A place in a channel and the direction in which to read from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before(u64),
    After(u64),
}

impl Stretch {
    fn place(&self) -> Result<Place, Problem> {
        let given = [
            self.before_seq.is_some(),
            self.after_seq.is_some(),
            self.cursor.is_some(),
        ];
        if given.into_iter().filter(|given| *given).count() > 1 {
            let wrong = "before_seq, after_seq and cursor exclude each other";
            return Err(Problem::field("before_seq", wrong));
        }
        if let Some(cursor) = &self.cursor {
            let seq =
                |tag| page::decode(tag, cursor).and_then(|[seq]: [i64; 1]| seq.try_into().ok());
            let older = seq(OLDER).map(Place::Before);
            return older
                .or_else(|| seq(NEWER).map(Place::After))
                .ok_or_else(|| Problem::field("cursor", "is not one that this list gave"));
        }
        Ok(match (self.before_seq, self.after_seq) {
            (_, Some(seq)) => Place::After(seq.min(END - 1)),
            (seq, None) => Place::Before(seq.unwrap_or(END).min(END)),
        })
    }
}

impl Place {
    /// Asks for one more than wanted, to know whether there is another page.
    fn query(self, limit: u32) -> HistoryQuery {
        match self {
            Self::Before(seq) => HistoryQuery {
                from: 1,
                to: seq.saturating_sub(1),
                limit: limit + 1,
                newest: true,
            },
            Self::After(seq) => HistoryQuery {
                from: seq + 1,
                to: END,
                limit: limit + 1,
                newest: false,
            },
        }
    }

    fn cursor(self, first: u64, last: u64) -> String {
        let (tag, seq) = match self {
            Self::Before(_) => (OLDER, first),
            Self::After(_) => (NEWER, last),
        };
        page::encode(tag, [seq.cast_signed()])
    }
}

/// A channel's messages
///
/// Ascending by seq within a page. `next_cursor` goes on in the direction that was asked for:
/// towards older messages, or with `after_seq` towards newer ones.
#[utoipa::path(
    get, path = "/v1/channels/{kind}/{id}/messages", tag = "messages",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id; of a direct one the peer's uid"),
        Stretch,
    ),
    responses((status = 200, description = "Messages", body = Page<MessageView>), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_messages(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Params(stretch): Params<Stretch>,
) -> Result<Json<Page<MessageView>>, Problem> {
    let limit = page::limit(stretch.limit)?;
    let place = stretch.place()?;
    let (key, viewer) = sight(&api, &caller, &kind, &id, stretch.user.as_deref()).await?;
    let mut messages = api.im.history(&key, &viewer, place.query(limit)).await?;
    let mut next_cursor = None;
    if messages.len() > limit as usize {
        match place {
            Place::Before(_) => drop(messages.remove(0)),
            Place::After(_) => messages.truncate(limit as usize),
        }
        if let (Some(first), Some(last)) = (messages.first(), messages.last()) {
            next_cursor = Some(place.cursor(first.seq, last.seq));
        }
    }
    let items = MessageView::all(&api, &viewer, &messages).await?;
    Ok(Json(Page { items, next_cursor }))
}

/// Which channel is meant, and who looks at it.
async fn sight(
    api: &ApiState,
    caller: &Caller,
    kind: &str,
    id: &str,
    user: Option<&str>,
) -> Result<(ChannelKey, Viewer), Problem> {
    let realm = caller.realm()?;
    if let Caller::User(identity) = caller {
        caller.reaches(user.unwrap_or(identity.user.uid.as_str()))?;
        let key = seen_by(realm, Some(&identity.user.uid), kind, id)?;
        return Ok((key, Viewer::User(identity.user.clone())));
    }
    match user {
        Some(user) => {
            let uid = input::uid("user", user)?;
            let key = seen_by(realm, Some(&uid), kind, id)?;
            let state = api.im.user(realm, &uid).await?;
            Ok((key, Viewer::User(state.record.user.clone())))
        }
        None => Ok((seen_by(realm, None, kind, id)?, Viewer::Application)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(before: Option<u64>, after: Option<u64>, cursor: Option<&str>) -> Stretch {
        let cursor = cursor.map(str::to_owned);
        Stretch {
            before_seq: before,
            after_seq: after,
            cursor,
            ..Stretch::default()
        }
    }

    #[test]
    fn at_most_one_place_may_be_given() {
        let place = |before, after, cursor| stretch(before, after, cursor).place().ok();
        assert_eq!(place(None, None, None), Some(Place::Before(END)));
        assert_eq!(place(Some(7), None, None), Some(Place::Before(7)));
        assert_eq!(place(None, Some(7), None), Some(Place::After(7)));
        assert_eq!(place(Some(u64::MAX), None, None), Some(Place::Before(END)));
        assert_eq!(place(Some(7), Some(9), None), None);
        let cursor = Place::After(0).cursor(3, 9);
        assert_eq!(place(None, None, Some(&cursor)), Some(Place::After(9)));
        let cursor = Place::Before(0).cursor(3, 9);
        assert_eq!(place(None, None, Some(&cursor)), Some(Place::Before(3)));
        assert_eq!(place(Some(1), None, Some(&cursor)), None);
        assert_eq!(place(None, None, Some("x")), None);
        let negative = page::encode(OLDER, [-1]);
        assert_eq!(place(None, None, Some(&negative)), None);
    }
}
