//! A user's view of one channel (protocols/wukong.md §4.6). A channel that the user has nothing
//! to do with has no view to change: that is done, too.

use axum::Json;
use axum::extract::State;
use crosstalk_core::conversation::Keep;
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};

use super::answer::{Done, Failure};
use super::input::Body;
use super::{lenient, names};
use crate::http::state::WukongApiState;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ConversationRequest {
    #[serde(deserialize_with = "lenient::text")]
    uid: String,
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
    #[serde(deserialize_with = "lenient::count")]
    unread: u64,
}

/// Everything is read.
pub(super) async fn clear_unread(
    State(api): State<WukongApiState>,
    Body(request): Body<ConversationRequest>,
) -> Result<Done, Failure> {
    change(&api, &request, Change::Read).await
}

/// So many are unread, be it more or fewer than before.
pub(super) async fn set_unread(
    State(api): State<WukongApiState>,
    Body(request): Body<ConversationRequest>,
) -> Result<Done, Failure> {
    change(&api, &request, Change::SetUnread(request.unread)).await
}

/// Puts the conversation away until somebody says something; what was unread counts no more.
pub(super) async fn delete(
    State(api): State<WukongApiState>,
    Body(request): Body<ConversationRequest>,
) -> Result<Done, Failure> {
    change(&api, &request, Change::SetUnread(0)).await?;
    change(&api, &request, Change::Hide).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ChannelsRequest {
    #[serde(deserialize_with = "lenient::text")]
    uid: String,
}

/// A channel by its internal id.
#[derive(Debug, Serialize)]
pub(super) struct InternalChannel {
    channel_id: String,
    channel_type: u8,
}

/// The channels of a user's conversations.
pub(super) async fn channels(
    State(api): State<WukongApiState>,
    Body(request): Body<ChannelsRequest>,
) -> Result<Json<Vec<InternalChannel>>, Failure> {
    let uid = names::uid("uid", &request.uid)?;
    let Some(user) = api.im.find_user(&api.realm, &uid).await? else {
        return Ok(Json(Vec::new()));
    };
    let rows = api.im.conversations(&user).await?;
    let channels = rows.iter().map(|row| InternalChannel {
        channel_id: names::internal(&row.channel.key),
        channel_type: row.channel.key.kind.0,
    });
    Ok(Json(channels.collect()))
}

/// What is asked of a conversation.
enum Change {
    Read,
    SetUnread(u64),
    Hide,
}

async fn change(
    api: &WukongApiState,
    request: &ConversationRequest,
    change: Change,
) -> Result<Done, Failure> {
    let uid = names::uid("uid", &request.uid)?;
    let kind = names::kind(request.channel_type)?;
    let key = names::seen_by(&api.realm, uid.as_str(), kind, &request.channel_id)?;
    let Some(user) = api.im.find_user(&api.realm, &uid).await? else {
        return Ok(Done);
    };
    let changed = match change {
        Change::Read => api.im.read(&user, &key, None).await,
        Change::SetUnread(unread) => api.im.set_unread(&user, &key, unread).await,
        Change::Hide => {
            let wish = Keep {
                hidden: Some(true),
                ..Keep::default()
            };
            api.im.keep_conversation(&user, &key, wish).await
        }
    };
    match changed {
        Ok(_) | Err(Refusal::NoSuchChannel | Refusal::NotAMember) => Ok(Done),
        Err(why) => Err(why.into()),
    }
}
