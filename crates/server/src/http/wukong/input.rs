//! Bodies and queries. The media type is not looked at, unknown members are ignored, and of
//! members that come twice the last one counts (protocols/README.md A11).

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::Failure;
use super::lenient;

/// A JSON object as body.
pub(super) struct Body<T>(pub(super) T);

impl<S, T> FromRequest<S> for Body<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        object(&json(request, state).await?).map(Self)
    }
}

/// A JSON object as body; if there is none, what the query says.
pub(super) struct OptionalBody<T>(pub(super) T);

impl<S, T> FromRequest<S> for OptionalBody<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let uri = request.uri().clone();
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|why| Failure::new(why.body_text()))?;
        if bytes.trim_ascii().is_empty() {
            return Query::try_from_uri(&uri)
                .map(|Query(params)| Self(params))
                .map_err(|why| Failure::new(why.body_text()));
        }
        object(&parse(&bytes)?).map(Self)
    }
}

/// A bare JSON list of texts or ids as body.
pub(super) struct BareList(pub(super) Vec<String>);

#[derive(Deserialize)]
#[serde(transparent)]
struct Texts(#[serde(deserialize_with = "lenient::texts")] Vec<String>);

impl<S: Send + Sync> FromRequest<S> for BareList {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        read(&json(request, state).await?).map(|Texts(texts)| Self(texts))
    }
}

/// A JSON object as body, or a bare list of texts or ids.
pub(super) struct Either<T>(pub(super) Result<T, Vec<String>>);

impl<S, T> FromRequest<S> for Either<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let json = json(request, state).await?;
        if json.is_array() {
            return read(&json).map(|Texts(texts)| Self(Err(texts)));
        }
        if !json.is_object() {
            return Err(Failure::new("the body must be a JSON object or a list"));
        }
        read(&json).map(|object| Self(Ok(object)))
    }
}

async fn json<S: Send + Sync>(request: Request, state: &S) -> Result<Value, Failure> {
    let bytes = Bytes::from_request(request, state)
        .await
        .map_err(|why| Failure::new(why.body_text()))?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<Value, Failure> {
    let text = std::str::from_utf8(bytes)
        .map_err(|why| Failure::new(format!("the body is no UTF-8: {why}")))?;
    serde_json::from_str(text).map_err(|why| Failure::new(format!("the body is no JSON: {why}")))
}

/// What is derived would be read from a list, too.
fn object<T: DeserializeOwned>(json: &Value) -> Result<T, Failure> {
    if !json.is_object() {
        return Err(Failure::new("the body must be a JSON object"));
    }
    read(json)
}

fn read<T: DeserializeOwned>(json: &Value) -> Result<T, Failure> {
    T::deserialize(json).map_err(|why| named::<T>(json).unwrap_or(Failure::new(why.to_string())))
}

/// The failure to read a value, with the name of the member that is wrong.
fn named<T: DeserializeOwned>(json: &Value) -> Option<Failure> {
    const PREFIX: &str = "Failed to deserialize the JSON body into the target type: ";
    let bytes = serde_json::to_vec(json).ok()?;
    let why = Json::<T>::from_bytes(&bytes).err()?.body_text();
    // Line and column are those of another text.
    let why = why.split(" at line ").next()?;
    Some(Failure::new(why.strip_prefix(PREFIX)?))
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
