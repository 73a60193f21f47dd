//! Reading a channel (protocols/wukong.md §4.5). Whether a user may read is for the business
//! backend to check: who does not belong to a channel is shown all of it,
//! but for messages that are for others by name.

use axum::Json;
use axum::extract::State;
use crosstalk_core::channel::ChannelKey;
use crosstalk_core::id::{Uid, UserRef};
use crosstalk_core::im::{HistoryQuery, Viewer};
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::{WUKONG_ORIGIN, sign_all};
use serde::{Deserialize, Serialize};

use super::answer::Failure;
use super::input::{Body, Params};
use super::message::MessageObject;
use super::range::Range;
use super::{lenient, names, subscribers};
use crate::http::state::WukongApiState;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SyncRequest {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
    #[serde(deserialize_with = "lenient::count")]
    start_message_seq: u64,
    #[serde(deserialize_with = "lenient::count")]
    end_message_seq: u64,
    #[serde(deserialize_with = "lenient::count")]
    limit: u64,
    #[serde(deserialize_with = "lenient::int")]
    pull_mode: i64,
}

/// A stretch of a channel, ascending by seq.
#[derive(Debug, Default, Serialize)]
pub(super) struct SyncAnswer {
    start_message_seq: u64,
    end_message_seq: u64,
    more: u8,
    messages: Vec<MessageObject>,
}

impl SyncAnswer {
    /// Messages that are no stretch.
    pub(super) fn of(messages: Vec<MessageObject>) -> Self {
        Self {
            messages,
            ..Self::default()
        }
    }
}

pub(super) async fn sync(
    State(api): State<WukongApiState>,
    Body(request): Body<SyncRequest>,
) -> Result<Json<SyncAnswer>, Failure> {
    let is_up = match request.pull_mode {
        0 => false,
        1 => true,
        _ => return Err(Failure::new("pull_mode must be 0 or 1")),
    };
    let kind = names::kind(request.channel_type)?;
    let viewer = names::user_or_system("login_uid", &request.login_uid)?;
    let key = names::seen_by(&api.realm, viewer.as_str(), kind, &request.channel_id)?;
    let (start, end) = (request.start_message_seq, request.end_message_seq);
    let range = Range::new(start, end, request.limit, is_up);
    let messages = match range.query() {
        Some(query) => {
            Reader::of(&api, viewer)
                .await?
                .read(&api, &key, query)
                .await?
        }
        None => Vec::new(),
    };
    if messages.is_empty() && !subscribers::exists(&api, &key).await? {
        return Ok(Json(SyncAnswer::default()));
    }
    let seqs: Vec<u64> = messages.iter().map(|message| message.seq).collect();
    Ok(Json(SyncAnswer {
        start_message_seq: start,
        end_message_seq: end,
        more: range.has_more(&seqs).into(),
        messages: messages.iter().map(MessageObject::from).collect(),
    }))
}

/// A stretch of a channel that a user may read, and the seqs of what they have deleted of it for
/// themselves, ascending.
pub(super) async fn stretch(
    api: &WukongApiState,
    user: &UserRef,
    key: &ChannelKey,
    request: &SyncRequest,
) -> Result<(SyncAnswer, Vec<u64>), Refusal> {
    let (start, end) = (request.start_message_seq, request.end_message_seq);
    let range = Range::new(start, end, request.limit, request.pull_mode == 1);
    let (messages, hidden) = match range.query() {
        Some(query) => {
            let viewer = Viewer::User(user.clone());
            let (mut messages, hidden) = api.im.all_places(key, &viewer, query).await?;
            sign_all(&api.im, WUKONG_ORIGIN, &mut messages);
            (messages, hidden)
        }
        None => Default::default(),
    };
    let seqs: Vec<u64> = messages.iter().map(|message| message.seq).collect();
    let answer = SyncAnswer {
        start_message_seq: start,
        end_message_seq: end,
        more: range.has_more(&seqs).into(),
        messages: messages.iter().map(MessageObject::from).collect(),
    };
    Ok((answer, hidden))
}

/// In whose place a channel is read.
pub(super) struct Reader {
    /// The user, if the name is known.
    user: Option<UserRef>,
    /// Messages that are for others by name are shown, too.
    sees_all: bool,
}

impl Reader {
    /// The application itself.
    pub(super) const APPLICATION: Self = Self {
        user: None,
        sees_all: true,
    };

    /// Somebody who may be a user; the system sees everything.
    pub(super) async fn of(api: &WukongApiState, viewer: Uid) -> Result<Self, Refusal> {
        Ok(Self {
            user: api.im.find_user(&api.realm, &viewer).await?,
            sees_all: viewer.is_system(),
        })
    }

    /// What the user's conversation shows of a stretch, or everything if there is none.
    pub(super) async fn read(
        &self,
        api: &WukongApiState,
        key: &ChannelKey,
        query: HistoryQuery,
    ) -> Result<Vec<Message>, Refusal> {
        let viewer = self.user.clone();
        let viewer = viewer.map_or(Viewer::Application, Viewer::User);
        let found = match api.im.places(key, &viewer, query).await {
            Err(Refusal::NotAMember) => api.im.places(key, &Viewer::Application, query).await?,
            found => found?,
        };
        let shown = |message: Message| match &self.user {
            Some(user) => message.seen_by(user.num),
            None if self.sees_all || message.body.audience.is_none() => message,
            None => message.concealed(),
        };
        let mut shown: Vec<_> = found.into_iter().map(shown).collect();
        sign_all(&api.im, WUKONG_ORIGIN, &mut shown);
        Ok(shown)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct HeadRequest {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
}

/// A channel's newest seq.
#[derive(Debug, Serialize)]
pub(super) struct HeadAnswer {
    message_seq: u64,
}

pub(super) async fn max_message_seq(
    State(api): State<WukongApiState>,
    Params(request): Params<HeadRequest>,
) -> Result<Json<HeadAnswer>, Failure> {
    let kind = names::kind(request.channel_type)?;
    let key = names::seen_by(&api.realm, &request.login_uid, kind, &request.channel_id)?;
    let message_seq = match api.im.channel(&key).await {
        Ok(record) => {
            let heads = api.im.heads(&[record.channel.num]).await?;
            heads.first().map_or(0, |head| head.seq)
        }
        Err(Refusal::NoSuchChannel) => 0,
        Err(why) => return Err(why.into()),
    };
    Ok(Json(HeadAnswer { message_seq }))
}
