//! Our own REST interface, `/v1`. Each route reads its input, asks `auth` whether the caller may,
//! calls one verb of the messenger, and shows the outcome; nothing is decided here that another
//! way in would decide differently.
//!
//! What it must not know: dialects (content comes ready from the gateway) and storage.

mod apps;
mod auth;
mod blacklist;
mod channels;
mod content;
mod conversations;
mod history;
mod input;
mod members;
mod messages;
mod openapi;
mod page;
mod problem;
mod revoking;
mod sessions;
mod tokens;
mod users;
mod view;

#[cfg(test)]
pub(crate) mod tests;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::ApiState;

/// The largest body that is read: lists of members are the longest things that come.
const BODY_BYTES: usize = 8 << 20;

/// All routes below `/v1`, and their description.
pub fn router(state: ApiState) -> (Router, utoipa::openapi::OpenApi) {
    let (routes, document) = OpenApiRouter::with_openapi(openapi::Document::openapi())
        .routes(routes!(apps::list_apps, apps::create_app))
        .routes(routes!(apps::rotate_secret))
        .routes(routes!(users::get_user, users::put_user))
        .routes(routes!(tokens::issue_token))
        .routes(routes!(tokens::revoke_tokens))
        .routes(routes!(sessions::list_sessions))
        .routes(routes!(blacklist::list_blocked))
        .routes(routes!(blacklist::block_user, blacklist::unblock_user))
        .routes(routes!(conversations::list_conversations))
        .routes(routes!(conversations::read_conversation))
        .routes(routes!(channels::get_channel, channels::put_channel))
        .routes(routes!(members::list_members, members::add_members))
        .routes(routes!(members::remove_member))
        .routes(routes!(history::list_messages))
        .routes(routes!(messages::send_message))
        .routes(routes!(messages::get_message))
        .routes(routes!(revoking::revoke_message))
        .split_for_parts();
    (
        routes
            .layer(DefaultBodyLimit::max(BODY_BYTES))
            .with_state(state),
        document,
    )
}
