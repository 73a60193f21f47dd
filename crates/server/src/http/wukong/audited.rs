//! What the business backend changes through this API goes into the audit log.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::http::audit::Act;
use crate::http::state::WukongApiState;
use crate::http::v1::to_its_end;

/// Who calls, as the audit log names them: this API knows nobody by name.
const ACTOR: &str = "wukong_api";
/// What passes every day in users' names, or only asks.
const ORDINARY: [&str; 15] = [
    "/user/onlinestatus",
    "/message/send",
    "/message/sendbatch",
    "/channel/messagesync",
    "/messages",
    "/message",
    "/message/sync",
    "/message/syncack",
    "/conversation/sync",
    "/conversation/syncByChannels",
    "/conversation/channels",
    "/conversations/clearUnread",
    "/conversations/setUnread",
    "/conversations/delete",
    "/route/batch",
];

/// Writes down what was changed before it is answered.
pub(super) async fn watch(
    State(api): State<WukongApiState>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    if route.is_none_or(|route| ORDINARY.contains(&route.as_str())) {
        return next.run(request).await;
    }
    to_its_end(async move {
        let (act, request) = Act::begin(request).await;
        let response = next.run(request).await;
        let Some(act) = act else { return response };
        let realm = Some(api.realm.clone());
        act.end(&api.im, realm, ACTOR.to_owned(), response).await
    })
    .await
}
