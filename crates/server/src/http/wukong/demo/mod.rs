//! The routes of WuKongIM's demo business backend below `/v1` that its client SDKs call for
//! what the IM server itself leaves to a backend: taking back, receipts, and the extras that
//! tell of both (protocols/wukong-client.md Q1-2 … Q1-5, Q1-14).

mod auth;
mod extras;
mod messages;

use axum::Router;
use axum::routing::post;

pub(super) use extras::ExtraRow;

use crate::http::state::WukongApiState;

/// The routes, below `/v1`.
pub(super) fn router() -> Router<WukongApiState> {
    Router::new()
        .route("/v1/message/revoke", post(messages::revoke))
        .route("/v1/message/readed", post(messages::readed))
        .route("/v1/message/extra/sync", post(extras::sync))
}
