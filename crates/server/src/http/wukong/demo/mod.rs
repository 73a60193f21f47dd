//! The routes of WuKongIM's demo business backend below `/v1` that its client SDKs call for
//! what the IM server itself leaves to a backend: taking back, receipts, and the extras that
//! tell of both (protocols/wukong-client.md Q1-2 … Q1-5, Q1-14).

mod auth;
mod channels;
mod conversations;
mod extras;
mod friends;
mod groups;
mod marks;
mod members;
mod messages;
mod reactions;
mod reminders;
mod rows;
mod users;

use axum::Router;
use axum::routing::{delete, get, post, put};

pub(super) use extras::ExtraRow;

use crate::http::state::WukongApiState;

/// The routes, below `/v1`.
pub(super) fn router() -> Router<WukongApiState> {
    Router::new()
        .merge(channels::routes())
        .merge(groups::routes())
        .merge(friends::routes())
        .merge(users::routes())
        .route("/v1/message/revoke", post(messages::revoke))
        .route("/v1/message/readed", post(messages::readed))
        .route("/v1/message/extra/sync", post(extras::sync))
        // The state of messages.
        .route("/v1/message/edit", post(marks::edit))
        .route("/v1/message/delete", post(marks::delete))
        .route("/v1/reactions", post(marks::react))
        .route("/v1/reaction/sync", post(marks::sync_reactions))
        .route("/v1/reactions/sync", post(marks::sync_reactions))
        .route("/v1/message/pinned", post(marks::pin))
        .route("/v1/message/pinned/sync", post(marks::sync_pins))
        .route("/v1/message/pinned/clear", post(marks::clear_pins))
        .route("/v1/message/{id}/receipt", get(marks::receipt))
        // Reminders.
        .route("/v1/message/reminder/sync", post(reminders::sync))
        .route("/v1/message/reminder/done", post(reminders::done))
        // Conversations.
        .route("/v1/conversation/sync", post(conversations::sync))
        .route(
            "/v1/conversation/extra/sync",
            post(conversations::sync_extras),
        )
        .route(
            "/v1/conversation/clearUnread",
            put(conversations::clear_unread),
        )
        .route("/v1/conversation/setting", put(conversations::put_setting))
        .route(
            "/v1/conversations/{channel_id}/{channel_type}",
            delete(conversations::delete),
        )
        .route(
            "/v1/conversations/{channel_id}/{channel_type}/extra",
            post(conversations::put_extra).put(conversations::put_extra),
        )
        .route("/v1/message/offset", post(conversations::offset))
        .route("/v1/message/channel/sync", post(rows::sync_channel))
}
