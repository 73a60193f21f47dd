//! Bodies and queries. The media type is not looked at, unknown members are ignored, and of
//! members that come twice the last one counts (protocols/README.md A11).

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::Failure;

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<S, T> FromRequest<S> for Body<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|why| Failure::new(why.body_text()))?;
        let json: Value = serde_json::from_slice(&bytes)
            .map_err(|why| Failure::new(format!("the body is no JSON: {why}")))?;
        serde_json::from_value(json)
            .map(Self)
            .map_err(|why| Failure::new(why.to_string()))
    }
}

/// The query string.
pub(super) struct Params<T>(pub(super) T);

impl<S, T> FromRequestParts<S> for Params<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let params = Query::from_request_parts(parts, state).await;
        params
            .map(|Query(params)| Self(params))
            .map_err(|why| Failure::new(why.body_text()))
    }
}
