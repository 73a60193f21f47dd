//! The hook: the host application says who its credential speaks for. What is sent and how it
//! is signed stands in docs/logins.md.

use std::sync::Arc;

use anyhow::{Result, ensure};
use axum::body::Body;
use bytes::Bytes;
use crosstalk_core::clock::Clock;
use crosstalk_core::id::Uid;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::foreign::{ForeignIdentity, ForeignLogin};
use hmac::{Hmac, KeyInit, Mac};
use hyper::{Request, StatusCode, Uri, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::answers::Answer;
use super::claims::{roles, text_of};
use super::client::{Client, TIMEOUT, address};
use crate::config::Hook as Settings;

/// The header that says when the question was asked, seconds since 1970.
const TIMESTAMP: &str = "x-crosstalk-timestamp";
/// The header that proves who asks: `sha256=` and the HMAC-SHA256 of timestamp, `.` and body
/// under the hook's secret, in hex.
const SIGNATURE: &str = "x-crosstalk-signature";

/// Questions that one app is asked at the same time; more wait, within the time there is.
const AT_ONCE: usize = 64;

/// What the hook is told (protocols/README.md A14).
#[derive(Serialize)]
struct Question<'a> {
    dialect: &'a str,
    app_id: &'a str,
    route: &'a str,
    headers: Headers<'a>,
    query: &'a str,
    claimed_uid: Option<&'a str>,
    ip: String,
}

#[derive(Serialize)]
struct Headers<'a> {
    token: Option<&'a str>,
    authorization: Option<&'a str>,
    cookie: Option<&'a str>,
}

/// What it answers.
#[derive(Deserialize)]
struct Said {
    uid: Value,
    #[serde(default)]
    ttl_secs: u64,
    /// When the login ends, ms since 1970.
    #[serde(default)]
    expires_at: Option<i64>,
    #[serde(default)]
    roles: Value,
}

/// The hook of one app.
pub(super) struct Hook {
    url: Uri,
    keyed: Hmac<Sha256>,
    client: Client,
    clock: Arc<dyn Clock>,
    room: Semaphore,
}

impl Hook {
    pub(super) fn new(settings: &Settings, client: Client, clock: Arc<dyn Clock>) -> Result<Self> {
        let secret = settings.secret.get().unwrap_or_default();
        ensure!(!secret.is_empty(), "it needs a secret");
        Ok(Self {
            url: address(&settings.url)?,
            keyed: Hmac::new_from_slice(secret.as_bytes())?,
            client,
            clock,
            room: Semaphore::new(AT_ONCE),
        })
    }

    /// Asks.
    pub(super) async fn ask(&self, login: &ForeignLogin) -> Result<Answer, Refusal> {
        let room = timeout(TIMEOUT, self.room.acquire()).await;
        let Ok(Ok(_room)) = room else {
            tracing::warn!(app = %login.app_id, "too many logins wait for the auth hook");
            return Err(Refusal::Unavailable);
        };
        let asked_at_ms = self.clock.now_ms();
        let answer = self.client.ask(self.request(login, asked_at_ms)).await;
        let (status, body) = answer.map_err(|error| {
            tracing::warn!(app = %login.app_id, %error, "the auth hook did not answer");
            Refusal::Unavailable
        })?;
        match status {
            StatusCode::OK => read(&body, asked_at_ms).map_err(|why| {
                if let Some(why) = why {
                    tracing::warn!(app = %login.app_id, why, "the auth hook's answer is not understood");
                }
                Refusal::NotAuthenticated
            }),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
                Err(Refusal::NotAuthenticated)
            }
            status => {
                tracing::warn!(app = %login.app_id, %status, "the auth hook failed");
                Err(Refusal::Unavailable)
            }
        }
    }

    fn request(&self, login: &ForeignLogin, asked_at_ms: i64) -> Request<Body> {
        let headers = &login.headers;
        let question = Question {
            dialect: login.dialect,
            app_id: login.app_id.as_str(),
            route: &login.route,
            headers: Headers {
                token: token_of(login),
                authorization: headers.authorization.as_deref(),
                cookie: headers.cookie.as_deref(),
            },
            query: &login.query,
            claimed_uid: login.claimed_uid.as_ref().map(Uid::as_str),
            ip: login.ip.to_string(),
        };
        let body = serde_json::to_vec(&question).expect("texts are JSON");
        let timestamp = (asked_at_ms / 1000).to_string();
        let mut keyed = self.keyed.clone();
        keyed.update(timestamp.as_bytes());
        keyed.update(b".");
        keyed.update(&body);
        let signature = format!("sha256={}", hex::encode(keyed.finalize().into_bytes()));
        Request::post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(TIMESTAMP, timestamp)
            .header(SIGNATURE, signature)
            .body(Body::from(body))
            .expect("digits and hex are header values")
    }
}

/// What the hook is told as the header `token`: where a dialect has another place for it, what
/// stands there.
pub(super) fn token_of(login: &ForeignLogin) -> Option<&str> {
    let first = || login.credentials.first().map(String::as_str);
    login.headers.token.as_deref().or_else(first)
}

/// Reads an answer with status 200: somebody, or with `uid` null nobody. The error says why it
/// is neither.
fn read(body: &Bytes, asked_at_ms: i64) -> Result<Answer, Option<String>> {
    let said: Said = serde_json::from_slice(body).map_err(|error| Some(error.to_string()))?;
    if said.uid.is_null() {
        return Err(None);
    }
    let uid = text_of(&said.uid).ok_or_else(|| Some("uid is no text".to_owned()))?;
    let uid = Uid::parse(&uid).map_err(|error| Some(format!("uid: {error}")))?;
    Ok(Answer {
        identity: ForeignIdentity {
            uid,
            issued_at_ms: asked_at_ms,
            expires_at_ms: said.expires_at,
            roles: roles(&said.roles),
        },
        ttl_secs: said.ttl_secs,
    })
}
