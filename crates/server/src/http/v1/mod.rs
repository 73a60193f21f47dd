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
mod dead_letters;
mod drafts;
mod forwarding;
mod editing;
mod friend_groups;
mod friend_requests;
mod friends;
mod files;
mod page;
mod hooks;
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
        // The state of messages.
        .routes(routes!(editing::edit_message, editing::delete_message))
        .routes(routes!(editing::list_versions))
        .routes(routes!(editing::revoke_messages))
        .routes(routes!(editing::delete_messages))
        .routes(routes!(marks::put_reaction, marks::delete_reaction))
        .routes(routes!(marks::list_reactions))
        .routes(routes!(marks::pin_message, marks::unpin_message))
        .routes(routes!(marks::list_pins))
        .routes(routes!(receipts::list_receipts))
        .routes(routes!(receipts::list_changes))
        // Hooks.
        .routes(routes!(hooks::list_hooks, hooks::create_hook))
        .routes(routes!(
            hooks::get_hook,
            hooks::patch_hook,
            hooks::delete_hook
        ))
        .routes(routes!(hooks::rotate_hook_secret))
        .routes(routes!(hooks::test_hook))
        .routes(routes!(hooks::replay_hook))
        .routes(routes!(
            dead_letters::list_dead_letters,
            dead_letters::drop_dead_letters
        ))
        .routes(routes!(dead_letters::drop_dead_letter))
        .routes(routes!(dead_letters::retry_dead_letter))
        // Files.
        .routes(routes!(files::read_file, files::delete_file))
        .routes(routes!(files::read_thumbnail))
        .routes(routes!(files::look_at_file))
        .routes(routes!(files::make_address))
        .routes(routes!(uploads::begin_upload))
        .routes(routes!(uploads::look_at_upload, uploads::give_up_upload))

/// A message as this interface shows it.
pub(crate) fn message_json(now_ms: i64, message: &crosstalk_core::message::Message) -> serde_json::Value {
    let view = view::MessageView::at(now_ms, message);
    serde_json::to_value(view).unwrap_or_default()
}

/// The payload for a content in this interface's form. The error says why it is none.
pub(crate) fn content_payload(content: &serde_json::Value) -> Result<bytes::Bytes, String> {
    content::payload(content).map_err(|problem| problem.why())
}
