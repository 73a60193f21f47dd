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
use crate::http::audit::asker::Asker;

/// Items in an answer, if the request does not say.
const DEFAULT_LIMIT: u32 = 50;
/// Items in an answer at most.
const MAX_LIMIT: u32 = 200;
/// The largest body.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// A request, read to its end.
pub(super) struct Input {
    fields: HashMap<String, String>,
    /// The members of a JSON body, as they stood there.
    members: HashMap<String, Value>,
    pub(super) headers: HeaderMap,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) asker: Asker,
}

impl Input {
    /// Reads a request. What stands in the body goes before what stands in the query.
    pub(super) async fn read(request: Request) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let asker = parts.extensions.get().cloned().unwrap_or_default();
        let query = Query::<HashMap<String, String>>::try_from_uri(&parts.uri);
        let mut fields = query.map(|Query(fields)| fields).unwrap_or_default();
        let body = to_bytes(body, MAX_BODY_BYTES)
            .await
            .map_err(|_| Refusal::TooLarge)?;
        let headers = parts.headers.clone();
        let path = parts.uri.path().to_owned();
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let mut members = HashMap::new();
        if is_form(&headers) {
            let request = Request::from_parts(parts, Body::from(body));
            let form = Form::<HashMap<String, String>>::from_request(request, &());
            let Form(form) = form.await.map_err(|_| Failure::body())?;
            fields.extend(form);
        } else if !body.trim_ascii().is_empty() {
            let object: Option<HashMap<String, Value>> =
                serde_json::from_slice(&body).map_err(|_| Failure::body())?;
            members = object.unwrap_or_default();
            fields.extend(members.iter().filter_map(|(name, value)| {
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    Value::Bool(flag) => flag.to_string(),
                    Value::Null | Value::Array(_) | Value::Object(_) => return None,
                };
                Some((name.clone(), text))
            }));
        }
        Ok(Self {
            fields,
            members,
            headers,
            path,
            query,
            asker,
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

    /// A field as it stands, empty or not; `None` if it is not there, or `null`.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// A member of a JSON body as it stands there.
    pub(super) fn member(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// A field that says yes or no.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(Failure::field(name, "must be true or false")),
        }
    }

    /// A field that is a number.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Failure> {
        let parse = |text: &str| {
            text.parse()
                .map_err(|_| Failure::field(name, "is no number, or out of range"))
        };
        self.get(name).map(parse).transpose()
    }

    /// How many items are wanted in the answer: `limit`, 50 if it does not say, 200 at most.
    pub(super) fn limit(&self) -> Result<u32, Failure> {
        match self.number("limit")?.unwrap_or(DEFAULT_LIMIT) {
            0 => Err(Failure::field("limit", "is out of range")),
            limit => Ok(limit.min(MAX_LIMIT)),
        }
    }

    /// A field that is a list of texts, of 1 to `max`: in JSON a list, elsewhere separated by
    /// commas.
    pub(super) fn list(&self, name: &str, max: usize) -> Result<Vec<String>, Failure> {
        let wrong = || Failure::field(name, &format!("must be a list of 1 to {max} texts"));
        let list: Vec<String> = match self.members.get(name) {
            Some(Value::Array(items)) => {
                let text = |item: &Value| item.as_str().map(str::to_owned).ok_or_else(wrong);
                items.iter().map(text).collect::<Result<_, _>>()?
            }
            _ => {
                let items = self.need(name)?.split(',').map(str::trim);
                items
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect()
            }
        };
        if list.is_empty() || list.len() > max {
            return Err(wrong());
        }
        Ok(list)
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
