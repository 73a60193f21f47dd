//! What a request says: its fields, which may stand in JSON, a form or the query, and its
//! credentials.

use std::collections::HashMap;

use axum::Form;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Query, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use axum::http::{HeaderMap, HeaderName};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::foreign::ForeignHeaders;
use crosstalk_gateway::net::cookies_may_go;
use serde_json::Value;

use super::answer::Failure;

/// The largest body.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// A request, read to its end.
pub(super) struct Input {
    fields: HashMap<String, String>,
    pub(super) headers: HeaderMap,
    pub(super) path: String,
    pub(super) query: String,
}

impl Input {
    /// Reads a request. What stands in the body goes before what stands in the query.
    pub(super) async fn read(request: Request) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let query = Query::<HashMap<String, String>>::try_from_uri(&parts.uri);
        let mut fields = query.map(|Query(fields)| fields).unwrap_or_default();
        let body = to_bytes(body, MAX_BODY_BYTES)
            .await
            .map_err(|_| Refusal::TooLarge)?;
        let headers = parts.headers.clone();
        let path = parts.uri.path().to_owned();
        let query = parts.uri.query().unwrap_or_default().to_owned();
        if is_form(&headers) {
            let request = Request::from_parts(parts, Body::from(body));
            let form = Form::<HashMap<String, String>>::from_request(request, &());
            let Form(form) = form.await.map_err(|_| Failure::body())?;
            fields.extend(form);
        } else if !body.trim_ascii().is_empty() {
            let members: Option<HashMap<String, Value>> =
                serde_json::from_slice(&body).map_err(|_| Failure::body())?;
            let members = members.unwrap_or_default().into_iter();
            fields.extend(members.filter_map(|(name, value)| {
                let text = match value {
                    Value::String(text) => text,
                    Value::Number(number) => number.to_string(),
                    Value::Bool(flag) => flag.to_string(),
                    Value::Null | Value::Array(_) | Value::Object(_) => return None,
                };
                Some((name, text))
            }));
        }
        Ok(Self {
            fields,
            headers,
            path,
            query,
        })
    }

    /// A field that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let text = self.fields.get(name).map(|text| text.trim());
        text.filter(|text| !text.is_empty())
    }

    /// A field that must be there.
    pub(super) fn need(&self, name: &str) -> Result<&str, Failure> {
        self.get(name)
            .ok_or_else(|| Failure::field(name, "is missing"))
    }

    /// The app, by its later name or its earlier one (stomp.md Q2-25).
    pub(super) fn app_id(&self) -> Option<&str> {
        self.get("appId").or_else(|| self.get("appKey"))
    }

    /// What stands behind `Bearer` in the header `Authorization`.
    pub(super) fn bearer(&self) -> Option<&str> {
        let value = self.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.trim().split_once(' ')?;
        let token = token.trim();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
    }

    /// The headers that may carry a credential that is not ours.
    pub(super) fn foreign(&self, origins: &[String]) -> ForeignHeaders {
        let text = |name: HeaderName| Some(self.headers.get(name)?.to_str().ok()?.to_owned());
        ForeignHeaders {
            token: text(HeaderName::from_static("token")),
            authorization: text(AUTHORIZATION),
            cookie: text(COOKIE).filter(|_| cookies_may_go(&self.headers, origins)),
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(|kind| kind.as_bytes());
    kind.is_some_and(|kind| kind.starts_with(b"application/x-www-form-urlencoded"))
}
