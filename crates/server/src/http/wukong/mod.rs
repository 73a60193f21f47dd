//! WuKongIM's HTTP API (protocols/wukong.md §4), by which a business backend manages users and
//! channels, sends, and reads on behalf of its users. It works in one realm, the listener's.
//!
//! Beside it stand, below `/v1`, routes of the business backend that its SDKs expect (`demo`).
//!
//! It keeps that API's conventions: `{"status":200}` for done, 400 with `msg` for refused, 0 and
//! 1 for flags, payloads in base64; and it reads numbers and flags in whatever form they come
//! (protocols/README.md A5). What it must not know: storage, and how messages are mapped.

mod access_lists;
mod answer;
mod audited;
mod channels;
mod command_list;
mod command_sync;
mod conversation_sync;
mod conversations;
mod demo;
mod guard;
mod history;
mod input;
mod known_seqs;
mod lenient;
mod lookup;
mod message;
mod names;
mod range;
mod routes;
mod send;
mod subscribers;
mod system_users;
mod users;

#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tower_http::cors::CorsLayer;

pub use command_sync::HandedOut;

use super::state::WukongApiState;

/// The largest body that is read: lists of subscribers are the longest things that come.
const BODY_BYTES: usize = 8 << 20;

/// All routes of this API.
pub fn router(state: WukongApiState) -> Router {
    let cors = state.manager_token.is_some().then(CorsLayer::permissive);
    let routes = Router::new()
        .route("/user/token", post(users::register_token))
        .route("/user/onlinestatus", post(users::online_status))
        .route("/user/device_quit", post(users::quit_device))
        .route("/user/systemuids", get(system_users::list))
        .route("/user/systemuids_add", post(system_users::add))
        .route("/user/systemuids_remove", post(system_users::remove))
        .route("/channel", post(channels::create))
        .route("/channel/info", post(channels::set_info))
        .route("/channel/delete", post(channels::delete))
        .route("/channel/subscriber_add", post(subscribers::add))
        .route("/channel/subscriber_remove", post(subscribers::remove))
        .route(
            "/channel/subscriber_remove_all",
            post(subscribers::remove_all),
        )
        .route("/channel/blacklist_add", post(access_lists::blacklist_add))
        .route("/channel/blacklist_set", post(access_lists::blacklist_set))
        .route(
            "/channel/blacklist_remove",
            post(access_lists::blacklist_remove),
        )
        .route(
            "/channel/blacklist_remove_all",
            post(access_lists::blacklist_remove_all),
        )
        .route("/channel/whitelist_add", post(access_lists::whitelist_add))
        .route("/channel/whitelist_set", post(access_lists::whitelist_set))
        .route(
            "/channel/whitelist_remove",
            post(access_lists::whitelist_remove),
        )
        .route(
            "/channel/whitelist_remove_all",
            post(access_lists::whitelist_remove_all),
        )
        .route("/channel/whitelist", get(access_lists::whitelist))
        .route("/message/send", post(send::send))
        .route("/message/sendbatch", post(send::send_batch))
        .route("/channel/messagesync", post(history::sync))
        .route("/channel/max_message_seq", get(history::max_message_seq))
        .route("/channel/last_message", get(lookup::last))
        .route("/messages", post(lookup::several))
        .route("/message", post(lookup::one))
        .route("/message/byclientmsgno", get(lookup::by_number))
        .route("/message/sync", post(command_sync::sync))
        .route("/message/syncack", post(command_sync::acknowledge))
        .route("/conversation/sync", post(conversation_sync::sync))
        .route(
            "/conversation/syncByChannels",
            post(conversation_sync::sync_by_channels),
        )
        .route("/conversation/channels", post(conversations::channels))
        .route(
            "/conversations/clearUnread",
            post(conversations::clear_unread),
        )
        .route("/conversations/setUnread", post(conversations::set_unread))
        .route("/conversations/delete", post(conversations::delete))
        .route("/route", get(routes::route))
        .route("/route/batch", post(routes::batch))
        .route("/health", get(routes::health))
        .layer(from_fn_with_state(state.clone(), audited::watch))
        .merge(demo::router())
        .layer(from_fn_with_state(state.clone(), guard::guard))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(state);
    match cors {
        Some(cors) => routes.layer(cors),
        None => routes,
    }
}

/// A message as every route shows it.
pub(super) fn message_json(message: &crosstalk_core::message::Message) -> serde_json::Value {
    serde_json::to_value(message::MessageObject::from(message)).unwrap_or_default()
}
