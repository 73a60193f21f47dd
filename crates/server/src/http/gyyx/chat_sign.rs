//! `/im/chat-sign`: the right of one user to write to another, as the business server grants
//! it (S4-15, gyyx.md Q4-11).

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use crosstalk_core::directory::AppId;
use crosstalk_core::id::Uid;
use crosstalk_wire::gyyx::{
    CHAT_SIGN_SECS, ChatRight, ChatSignRequest, HttpError, chat_sign_answer,
};

use super::answer::{Failure, answer};
use super::input::{app_by_secret, credentials, headers, parameters};
use crate::http::edge::Edge;

pub(super) async fn chat_sign(
    State(edge): State<Edge>,
    parts: Parts,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let body = body?;
    let request = ChatSignRequest::read(parameters(&parts.uri, &body)?)?;
    let app = AppId::parse(&request.app_id).map_err(|_| Failure(HttpError::NotLoggedIn))?;
    let credentials = credentials(&headers(&parts, &[]));
    let app = app_by_secret(&edge.im, &credentials, &app)?;
    let app = app.ok_or(Failure(HttpError::NotLoggedIn))?;
    Uid::parse(&request.user_id).map_err(|_| Failure(HttpError::BadRequest))?;
    let right = ChatRight {
        app_id: app.id.as_str(),
        user_id: &request.user_id,
        receive_user_id: &request.receive_user_id,
    };
    let expiry_secs = edge.im.clock().now_ms().div_euclid(1000) + CHAT_SIGN_SECS;
    let sign = right.sign(app.secret.as_bytes(), expiry_secs);
    let sign = sign.ok_or(Failure(HttpError::BadRequest))?;
    Ok(answer(StatusCode::OK, chat_sign_answer(&sign)))
}
