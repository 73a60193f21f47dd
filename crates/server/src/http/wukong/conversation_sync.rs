//! `/conversation/sync`: a user's conversations with news for the client (protocols/wukong.md
//! §4.6). What the client has is told per channel (`last_msg_seqs`) and as a whole (`version`,
//! the time of the newest message it knows, in ns); unread is the messenger's
//! (data-model.md §2), so own messages and those without a red dot do not count.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use crosstalk_core::channel::ChannelKind;
use crosstalk_core::conversation::ConversationRow;
use crosstalk_core::id::{Uid, UserRef};
use crosstalk_core::im::Viewer;
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::{WUKONG_ORIGIN, sign_all};
use serde::{Deserialize, Serialize};

use super::answer::Failure;
use super::input::Body;
use super::known_seqs::KnownSeqs;
use super::message::MessageObject;
use super::{lenient, names};
use crate::http::state::WukongApiState;

/// Messages per conversation, if the caller does not say.
const DEFAULT_COUNT: u32 = 20;
/// The same where channels are named.
const DEFAULT_BY_CHANNELS: u32 = 15;
/// Messages per conversation at most.
const MAX_COUNT: u32 = 200;
/// Conversations that are looked at without paging.
const MAX_UNPAGED: usize = 1000;
/// Conversations in a page, if the caller does not say.
const DEFAULT_PAGE: usize = 100;
/// Conversations in a page at most.
const MAX_PAGE: usize = 500;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SyncRequest {
    #[serde(deserialize_with = "lenient::text")]
    uid: String,
    #[serde(deserialize_with = "lenient::int")]
    version: i64,
    #[serde(deserialize_with = "lenient::text")]
    last_msg_seqs: String,
    #[serde(deserialize_with = "lenient::optional_int")]
    msg_count: Option<i64>,
    #[serde(deserialize_with = "lenient::flag")]
    only_unread: bool,
    #[serde(deserialize_with = "lenient::ints")]
    exclude_channel_types: Vec<i64>,
    #[serde(deserialize_with = "lenient::count")]
    page: u64,
    #[serde(deserialize_with = "lenient::count")]
    page_size: u64,
}

/// A conversation with its newest messages, the newest first.
#[derive(Debug, Serialize)]
pub(super) struct Conversation {
    channel_id: String,
    channel_type: u8,
    unread: u64,
    timestamp: i64,
    last_msg_seq: u64,
    last_client_msg_no: String,
    offset_msg_seq: u64,
    readed_to_msg_seq: u64,
    version: i64,
    recents: Vec<MessageObject>,
}

/// A channel as the user names it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ByChannelsRequest {
    #[serde(deserialize_with = "lenient::text")]
    uid: String,
    channels: Vec<Named>,
    #[serde(deserialize_with = "lenient::optional_int")]
    msg_count: Option<i64>,
}

/// What the client has and wants.
#[derive(Default)]
struct Client {
    known: KnownSeqs,
    version: i64,
    only_unread: bool,
    excluded: Vec<i64>,
}

impl Client {
    /// From which seq a conversation has news for this client; `None` = it has none.
    fn news_from(&self, row: &ConversationRow, uid: &str) -> Option<u64> {
        let key = &row.channel.key;
        let known = self.known.of(key.kind, key.id_for(uid));
        let is_excluded = self.excluded.contains(&i64::from(key.kind.0));
        if known.is_none() && is_excluded || self.only_unread && row.unread() == 0 {
            return None;
        }
        if key.kind == ChannelKind::DIRECT && key.peer_of(uid) == Some(Uid::SYSTEM) {
            return None;
        }
        let head_at_ns = row.head.map_or(0, |(_, at_ms)| nanoseconds(at_ms));
        let is_newer = self.version > 0 && head_at_ns > self.version;
        let seen = match known {
            Some(seq) => seq,
            // A client that knows others but not this one is told what is new or not seen.
            None if (self.version > 0 || self.only_unread) && !is_newer => {
                row.read_seq.min(row.badge_seq)
            }
            None => 0,
        };
        // What was put away or cleared does not come back with what is new.
        let seen = seen.max(row.hidden_seq.unwrap_or(0)).max(row.begins_after);
        (row.head_seq > seen).then(|| seen + 1)
    }
}

fn nanoseconds(ms: i64) -> i64 {
    ms.saturating_mul(1_000_000)
}

pub(super) async fn sync(
    State(api): State<WukongApiState>,
    Body(request): Body<SyncRequest>,
) -> Result<Json<Vec<Conversation>>, Failure> {
    let uid = names::uid("uid", &request.uid)?;
    let Some(user) = api.im.find_user(&api.realm, &uid).await? else {
        return Ok(Json(Vec::new()));
    };
    let news = news(&api, &user, request).await?;
    Ok(Json(news.into_iter().map(|(_, shown)| shown).collect()))
}

/// These conversations of a user, with their newest messages.
pub(super) async fn sync_by_channels(
    State(api): State<WukongApiState>,
    Body(request): Body<ByChannelsRequest>,
) -> Result<Json<Vec<Conversation>>, Failure> {
    let uid = names::uid("uid", &request.uid)?;
    if request.channels.len() > MAX_UNPAGED {
        return Err(Failure::new(format!("channels: at most {MAX_UNPAGED}")));
    }
    let mut wanted = HashSet::with_capacity(request.channels.len());
    for named in &request.channels {
        let kind = names::kind(named.channel_type)?;
        let key = names::seen_by(&api.realm, uid.as_str(), kind, &named.channel_id)?;
        wanted.insert(key);
    }
    let count = match request.msg_count.map(u32::try_from) {
        None => DEFAULT_BY_CHANNELS,
        Some(Ok(0) | Err(_)) => return Ok(Json(Vec::new())),
        Some(Ok(count)) => count.min(MAX_COUNT),
    };
    let Some(user) = api.im.find_user(&api.realm, &uid).await? else {
        return Ok(Json(Vec::new()));
    };
    let rows = api.im.conversations(&user).await?.into_iter();
    let rows = rows.filter(|row| wanted.contains(&row.channel.key));
    let found = newest(&api, &user, &Client::default(), rows, count).await?;
    Ok(Json(found.into_iter().map(|(_, shown)| shown).collect()))
}

/// The conversations of a user with news for the client, and what is shown of them.
pub(super) async fn news(
    api: &WukongApiState,
    user: &UserRef,
    request: SyncRequest,
) -> Result<Vec<(ConversationRow, Conversation)>, Refusal> {
    let count = match request.msg_count.map(u32::try_from) {
        None => DEFAULT_COUNT,
        Some(Ok(0) | Err(_)) => return Ok(Vec::new()),
        Some(Ok(count)) => count.min(MAX_COUNT),
    };
    let client = Client {
        known: KnownSeqs::parse(&request.last_msg_seqs),
        version: request.version,
        only_unread: request.only_unread,
        excluded: request.exclude_channel_types,
    };
    let rows = api.im.conversations(user).await?;
    let (skip, take) = window(request.page, request.page_size);
    let looked_at = rows.into_iter().skip(skip).take(take);
    newest(api, user, &client, looked_at, count).await
}

/// Of some conversations those with news, and what is shown of them.
async fn newest(
    api: &WukongApiState,
    user: &UserRef,
    client: &Client,
    looked_at: impl Iterator<Item = ConversationRow>,
    count: u32,
) -> Result<Vec<(ConversationRow, Conversation)>, Refusal> {
    let uid = user.uid.as_str();
    let (news, logs): (Vec<_>, Vec<_>) = looked_at
        .filter_map(|row| {
            let from = client.news_from(&row, uid)?;
            let log = (Arc::clone(&row.channel), from);
            Some((row, log))
        })
        .unzip();
    let viewer = Viewer::User(user.clone());
    let mut messages = api.im.newest(&viewer, &logs, count).await?;
    for messages in &mut messages {
        sign_all(&api.im, WUKONG_ORIGIN, messages);
    }
    let shown = news.into_iter().zip(&messages);
    let shown = shown.filter_map(|(row, messages)| {
        let shown = conversation(&row, uid, messages)?;
        Some((row, shown))
    });
    Ok(shown.collect())
}

/// How many conversations to pass over, and how many to look at.
fn window(page: u64, page_size: u64) -> (usize, usize) {
    let Ok(before) = usize::try_from(page.saturating_sub(1)) else {
        return (usize::MAX, 0);
    };
    let size = match usize::try_from(page_size) {
        Ok(0) => DEFAULT_PAGE,
        Ok(size) => size.min(MAX_PAGE),
        Err(_) => MAX_PAGE,
    };
    if page == 0 {
        (0, MAX_UNPAGED)
    } else {
        (before.saturating_mul(size), size)
    }
}

/// `None` if there is nothing to show.
fn conversation(row: &ConversationRow, uid: &str, messages: &[Message]) -> Option<Conversation> {
    let newest = messages.last()?;
    let key = &row.channel.key;
    Some(Conversation {
        channel_id: key.id_for(uid).to_owned(),
        channel_type: key.kind.0,
        unread: row.unread(),
        timestamp: newest.sent_at_ms.div_euclid(1000),
        last_msg_seq: newest.seq,
        last_client_msg_no: crosstalk_gateway::wukong_client_no(newest).into_owned(),
        offset_msg_seq: 0,
        readed_to_msg_seq: row.read_seq,
        version: nanoseconds(newest.sent_at_ms),
        recents: messages.iter().rev().map(MessageObject::from).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosstalk_core::channel::{ChannelKey, ChannelRef, LogKind};
    use crosstalk_core::conversation::Kept;
    use crosstalk_core::id::{ChannelNum, MessageId, Realm};

    const NOW_MS: i64 = 1_700_000_000_000;

    fn row(kind: ChannelKind, id: &str, head_seq: u64, read_seq: u64) -> ConversationRow {
        let key = ChannelKey {
            realm: Realm::default(),
            kind,
            id: id.into(),
        };
        let channel = ChannelRef {
            num: ChannelNum(1),
            key,
            log: LogKind::Chat,
        };
        ConversationRow {
            channel: Arc::new(channel),
            head_seq,
            head_ordinal: head_seq,
            head: (head_seq > 0).then_some((MessageId(9), NOW_MS)),
            read_seq,
            badge_seq: read_seq,
            badge_ordinal: read_seq,
            uncounted: 0,
            directed: 0,
            begins_after: 0,
            hidden_seq: None,
            pinned_at_ms: 0,
            kept: Kept::default(),
            version: 1,
        }
    }

    fn client(version: i64, known: &str, only_unread: bool) -> Client {
        let known = KnownSeqs::parse(known);
        Client {
            known,
            version,
            only_unread,
            excluded: Vec::new(),
        }
    }

    fn group(head: u64, read: u64) -> ConversationRow {
        row(ChannelKind::GROUP, "g1", head, read)
    }

    #[test]
    fn the_table_of_news() {
        let newer = nanoseconds(NOW_MS);
        let older = nanoseconds(NOW_MS - 1);
        let cases = [
            (
                "a fresh client is told everything",
                client(0, "", false),
                group(10, 10),
                Some(1),
            ),
            (
                "an empty channel has no news",
                client(0, "", false),
                group(0, 0),
                None,
            ),
            (
                "after what it has",
                client(0, "g1:2:7", false),
                group(10, 0),
                Some(8),
            ),
            (
                "nothing after what it has",
                client(0, "g1:2:10", false),
                group(10, 0),
                None,
            ),
            (
                "what it has is more than there is",
                client(0, "g1:2:99", false),
                group(10, 0),
                None,
            ),
            (
                "unknown, read, not newer",
                client(newer, "", false),
                group(10, 10),
                None,
            ),
            (
                "unknown, read, but newer",
                client(older, "", false),
                group(10, 10),
                Some(1),
            ),
            (
                "unknown and not read",
                client(newer, "", false),
                group(10, 4),
                Some(5),
            ),
            (
                "known counts before version",
                client(older, "g1:2:9", false),
                group(10, 10),
                Some(10),
            ),
            (
                "only unread, and there is some",
                client(0, "", true),
                group(10, 4),
                Some(5),
            ),
            (
                "only unread, and there is none",
                client(0, "", true),
                group(10, 10),
                None,
            ),
            (
                "none unread, though not known",
                client(0, "g1:2:3", true),
                group(10, 10),
                None,
            ),
        ];
        for (why, client, row, expected) in cases {
            assert_eq!(client.news_from(&row, "alice"), expected, "{why}");
        }
    }

    #[test]
    fn a_raised_badge_shows_what_is_unread() {
        let mut row = group(10, 10);
        (row.badge_seq, row.badge_ordinal) = (7, 7);
        assert_eq!(row.unread(), 3);
        assert_eq!(client(0, "", true).news_from(&row, "alice"), Some(8));
        assert_eq!(
            client(nanoseconds(NOW_MS), "", false).news_from(&row, "alice"),
            Some(8)
        );
    }

    #[test]
    fn what_was_put_away_or_cleared_stays_away() {
        let mut hidden = group(10, 0);
        hidden.hidden_seq = Some(8);
        assert_eq!(client(0, "", false).news_from(&hidden, "alice"), Some(9));
        assert_eq!(
            client(0, "g1:2:3", false).news_from(&hidden, "alice"),
            Some(9)
        );
        let mut cleared = group(10, 0);
        cleared.begins_after = 10;
        assert_eq!(client(0, "", false).news_from(&cleared, "alice"), None);
    }

    #[test]
    fn excluded_kinds_are_told_only_if_asked_by_name() {
        let row = group(10, 0);
        let mut client = client(0, "", false);
        client.excluded = vec![2];
        assert_eq!(client.news_from(&row, "alice"), None);
        client.known = KnownSeqs::parse("g1:2:4");
        assert_eq!(client.news_from(&row, "alice"), Some(5));
    }

    #[test]
    fn personal_channels_are_named_by_the_peer_and_the_system_is_no_peer() {
        let row_of = |id| row(ChannelKind::DIRECT, id, 10, 0);
        let known = client(0, "bob:1:4", false);
        assert_eq!(known.news_from(&row_of("alice|bob"), "alice"), Some(5));
        let fresh = client(0, "", false);
        assert_eq!(fresh.news_from(&row_of("____system|alice"), "alice"), None);
    }

    #[test]
    fn pages_count_from_one() {
        assert_eq!(window(0, 10), (0, MAX_UNPAGED));
        assert_eq!(window(1, 0), (0, 100));
        assert_eq!(window(3, 10), (20, 10));
        assert_eq!(window(2, 9999), (500, 500));
        assert_eq!(window(u64::MAX, u64::MAX).1, 500);
    }
}
