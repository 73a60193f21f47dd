//! Our own REST interface, `/v1`. Each route reads its input, asks `auth` whether the caller may,
//! calls one verb of the messenger, and shows the outcome; nothing is decided here that another
//! way in would decide differently.
//!
//! What it must not know: dialects (content comes ready from the gateway) and storage.

mod acting;
pub(in crate::http) mod admin;
mod apps;
mod auth;
mod bans;
mod batch;
mod blacklist;
mod carried;
mod channel_settings;
mod channels;
mod content;
mod conversations;
mod dead_letters;
mod drafts;
mod editing;
mod files;
mod forwarding;
mod friend_batches;
mod friend_groups;
mod friend_requests;
mod friends;
mod history;
mod hooks;
mod idempotency;
mod input;
mod joining;
mod keeping;
mod links;
mod looking;
mod marks;
mod members;
mod messages;
mod openapi;
mod outcome;
mod page;
mod privacy;
mod problem;
mod profiles;
mod receipts;
mod reminders;
mod revoking;
mod scheduled;
mod search;
mod sessions;
mod tokens;
mod typing;
mod uploads;
mod users;
mod view;
mod wrong;

#[cfg(any(
    feature = "mqtt",
    feature = "stomp",
    feature = "wg",
    feature = "wukong"
))]
pub(in crate::http) use admin::audit::to_its_end;
pub(crate) use admin::erasing::line as export_line;
pub(in crate::http) use problem::ProblemBody;
pub(crate) use view::MessageView;

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
    let (routes, bringing, document) = routers(state);
    (routes.merge(bringing), document)
}

/// The same, apart from the routes that bring files: these take bodies of any length.
#[allow(clippy::too_many_lines, reason = "a table")]
pub fn routers(state: ApiState) -> (Router, Router, utoipa::openapi::OpenApi) {
    let (bringing, brought) = OpenApiRouter::new()
        .routes(routes!(files::give_file))
        .routes(routes!(uploads::add_to_upload))
        .split_for_parts();
    let (routes, mut document) = OpenApiRouter::with_openapi(openapi::Document::openapi())
        .routes(routes!(apps::list_apps, apps::create_app))
        .routes(routes!(apps::get_app))
        .routes(routes!(apps::rotate_secret))
        // Moderation and administration.
        .merge(admin::routes())
        .routes(routes!(users::get_user, users::put_user))
        .routes(routes!(tokens::issue_token))
        .routes(routes!(tokens::revoke_tokens))
        .routes(routes!(sessions::list_sessions))
        .routes(routes!(blacklist::list_blocked))
        .routes(routes!(blacklist::block_user, blacklist::unblock_user))
        .routes(routes!(blacklist::check_blocked))
        // Friends, profiles, presence, search of users.
        .routes(routes!(profiles::get_profile, profiles::patch_profile))
        .routes(routes!(profiles::get_users))
        .routes(routes!(profiles::find_users))
        .routes(routes!(privacy::get_privacy, privacy::patch_privacy))
        .routes(routes!(privacy::get_presence, privacy::put_presence))
        .routes(routes!(privacy::get_presences))
        .routes(routes!(
            friend_requests::ask_friend,
            friend_requests::list_requests
        ))
        .routes(routes!(friend_requests::accept_request))
        .routes(routes!(friend_requests::reject_request))
        .routes(routes!(friend_requests::cancel_request))
        .routes(routes!(
            friends::list_friends,
            friend_batches::add_friends,
            friend_batches::delete_friends
        ))
        .routes(routes!(
            friends::get_friend,
            friends::patch_friend,
            friends::delete_friend
        ))
        .routes(routes!(friend_batches::check_friends))
        .routes(routes!(friend_batches::import_friends))
        .routes(routes!(
            friend_groups::list_groups,
            friend_groups::create_group
        ))
        .routes(routes!(
            friend_groups::rename_group,
            friend_groups::delete_group
        ))
        .routes(routes!(friend_groups::order_groups))
        .routes(routes!(conversations::list_conversations))
        .routes(routes!(conversations::read_conversation))
        // How conversations are kept.
        .routes(routes!(
            keeping::get_conversation,
            keeping::patch_conversation,
            keeping::delete_conversation
        ))
        .routes(routes!(keeping::clear_conversation))
        .routes(routes!(keeping::change_conversations))
        .routes(routes!(keeping::get_unread))
        // Search.
        .routes(routes!(search::search_messages))
        .routes(routes!(search::search_anything))
        .routes(routes!(search::rebuild_search))
        .routes(routes!(search::search_status))
        // Channels, members, ways in.
        .routes(routes!(channels::create_channel))
        .routes(routes!(
            channels::get_channel,
            channels::put_channel,
            channels::patch_channel,
            channels::dissolve_channel
        ))
        .routes(routes!(channels::list_user_channels))
        .routes(routes!(members::list_members, members::add_members))
        .routes(routes!(members::list_member_changes))
        .routes(routes!(
            members::get_member,
            members::patch_member,
            members::remove_member
        ))
        .routes(routes!(members::transfer_channel))
        .routes(routes!(members::leave_channel))
        .routes(routes!(bans::list_channel_bans))
        .routes(routes!(bans::ban_from_channel, bans::unban_from_channel))
        .routes(routes!(joining::join_channel))
        .routes(routes!(joining::invite_users))
        .routes(routes!(joining::list_join_requests))
        .routes(routes!(joining::list_own_join_requests))
        .routes(routes!(joining::accept_join_request))
        .routes(routes!(joining::reject_join_request))
        .routes(routes!(joining::cancel_join_request))
        .routes(routes!(links::create_invite_link, links::list_invite_links))
        .routes(routes!(links::delete_invite_link))
        .routes(routes!(links::join_by_link))
        .routes(routes!(history::list_messages))
        // What a send can carry.
        .routes(routes!(batch::send_messages))
        .routes(routes!(forwarding::forward_messages))
        .routes(routes!(scheduled::schedule_message, scheduled::list_scheduled))
        .routes(routes!(
            scheduled::get_scheduled,
            scheduled::change_scheduled,
            scheduled::cancel_scheduled
        ))
        .routes(routes!(reminders::list_reminders))
        .routes(routes!(reminders::end_reminders))
        .routes(routes!(typing::say_typing))
        .routes(routes!(messages::send_message))
        .routes(routes!(messages::get_message))
        .routes(routes!(revoking::revoke_message))
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
        .split_for_parts();
    // Users may be called as other routes are.
    let routes = routes
        .route("/v1/users/batch", users::shown("batch"))
        .route("/v1/users/import", users::shown("import"))
        .route("/v1/users/search", users::called("search"));
    document.merge(brought);
    document.merge(super::files::described());
    crate::hooks::describe(&mut document);
    openapi::tell_of_keys(&mut document);
    let audited = axum::middleware::from_fn_with_state(state.clone(), admin::audit::watch);
    // What was answered before is no act, and what it reads is bounded as in the routes.
    let keys = idempotency::Keys::new(state.clone());
    let once = axum::middleware::from_fn_with_state(keys, idempotency::once);
    (
        routes
            .layer(audited.clone())
            .layer(once)
            .layer(DefaultBodyLimit::max(BODY_BYTES))
            .with_state(state.clone()),
        super::files::guard(bringing.layer(audited).with_state(state)),
        document,
    )
}

/// A message as this interface shows it.
pub(crate) fn message_view(now_ms: i64, message: &crosstalk_core::message::Message) -> MessageView {
    MessageView::at(now_ms, message)
}

/// The payload for a content in this interface's form. The error says why it is none.
pub(crate) fn content_payload(content: &serde_json::Value) -> Result<bytes::Bytes, String> {
    content::payload(content).map_err(|problem| problem.why())
}
