//! Custom types by HTTP (wg.md Q0-27): their messages are posted to an application, whose
//! answer may list messages to send. docs/dialects/wg.md has both forms.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::body::Body;
use bytes::Bytes;
use crosstalk_core::clock::Clock;
use crosstalk_core::im::Im;
use crosstalk_gateway::{WgHandler, WgManager};
use crosstalk_wire::wg::{Envelope, Limits, OnlineClient, SendRequest, Status, StatusBody};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use hyper::{Request, StatusCode, Uri, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::auth::client::{Client, address};

/// Posts that one application is sent at the same time; more wait, for a while.
const AT_ONCE: usize = 64;
/// How long they wait.
const PATIENCE: Duration = Duration::from_secs(2);
/// Messages that one answer may list; more are not sent.
const MAX_MESSAGES: usize = 100;

/// Where the messages of some types are posted.
pub(super) struct Callback(Arc<Asker>);

struct Asker {
    url: Uri,
    keyed: Option<Hmac<Sha256>>,
    client: Client,
    clock: Arc<dyn Clock>,
    manager: WgManager,
    room: Semaphore,
}

/// What is posted.
#[derive(Serialize)]
struct Question<'a> {
    channel: &'a OnlineClient,
    message: Asked<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Asked<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: i64,
    is_system: bool,
    from: Option<&'a str>,
    to: Option<&'a str>,
    body: Option<String>,
    #[serde(rename = "timestamp")]
    timestamp_ms: Option<i64>,
}

/// What is answered.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    code: Option<i64>,
    msg: Option<String>,
    messages: Vec<Value>,
}

impl Callback {
    pub(super) fn new(
        url: &str,
        secret: Option<&str>,
        client: Client,
        im: &Arc<Im>,
        manager: WgManager,
    ) -> Result<Self> {
        let keyed = secret.map(|secret| Hmac::new_from_slice(secret.as_bytes()));
        Ok(Self(Arc::new(Asker {
            url: address(url)?,
            keyed: keyed.transpose()?,
            client,
            clock: Arc::clone(im.clock()),
            manager,
            room: Semaphore::new(AT_ONCE),
        })))
    }
}

impl WgHandler for Callback {
    fn handle(&self, channel: OnlineClient, message: Envelope) -> BoxFuture<'static, StatusBody> {
        let asker = Arc::clone(&self.0);
        async move {
            let handled = asker.ask(&channel, &message).await;
            handled.unwrap_or_else(|msg| StatusBody::new(Status::Failed, msg))
        }
        .boxed()
    }
}

impl Asker {
    /// Posts a message and does what the answer says; the error is what the client is told.
    async fn ask(
        &self,
        channel: &OnlineClient,
        message: &Envelope,
    ) -> Result<StatusBody, &'static str> {
        let room = timeout(PATIENCE, self.room.acquire()).await;
        let Ok(Ok(_room)) = room else {
            return Err("处理繁忙");
        };
        let answer = self.client.ask(self.request(channel, message)).await;
        let (status, body) = answer.map_err(|error| {
            tracing::warn!(url = %self.url, %error, "a handler of custom types did not answer");
            "处理失败"
        })?;
        if !status.is_success() {
            tracing::warn!(url = %self.url, %status, "a handler of custom types failed");
            return Err("处理失败");
        }
        let said = read(status, &body).map_err(|error| {
            tracing::warn!(url = %self.url, %error, "a handler's answer is not understood");
            "处理失败"
        })?;
        for message in said.messages.iter().take(MAX_MESSAGES) {
            self.send(channel, message).await;
        }
        let status = said.code.map_or(Some(Status::Success), Status::of_code);
        let status = status.unwrap_or(Status::Failed);
        let msg = said.msg.unwrap_or_else(|| status.text().to_owned());
        Ok(StatusBody::new(status, msg))
    }

    fn request(&self, channel: &OnlineClient, message: &Envelope) -> Request<Body> {
        let question = Question {
            channel,
            message: Asked {
                id: &message.id,
                kind: message.kind.code(),
                is_system: message.is_system,
                from: message.from.as_deref(),
                to: message.to.as_deref(),
                body: message.body.as_ref().map(|body| body.text().into_owned()),
                timestamp_ms: message.timestamp_ms,
            },
        };
        let body = serde_json::to_vec(&question).expect("texts are JSON");
        let mut request =
            Request::post(self.url.clone()).header(header::CONTENT_TYPE, "application/json");
        if let Some(keyed) = &self.keyed {
            let timestamp = (self.clock.now_ms() / 1000).to_string();
            let mut keyed = keyed.clone();
            keyed.update(timestamp.as_bytes());
            keyed.update(b".");
            keyed.update(&body);
            let signature = format!("sha256={}", hex::encode(keyed.finalize().into_bytes()));
            request = request
                .header("x-crosstalk-timestamp", timestamp)
                .header("x-crosstalk-signature", signature);
        }
        request
            .body(Body::from(body))
            .expect("digits and hex are header values")
    }

    /// Sends one message of an answer: an envelope, or an envelope in `message` beside the
    /// channels or users that it is for.
    async fn send(&self, channel: &OnlineClient, said: &Value) {
        let request = request_of(channel, said);
        let request = serde_json::to_vec(&request).expect("a value is JSON");
        let sent = match SendRequest::read(&Bytes::from(request), &Limits::default()) {
            Ok(SendRequest { to, message }) => {
                let sent = self.manager.send(&to, &message).await;
                sent.map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = sent {
            tracing::warn!(url = %self.url, error, "a handler's message was not sent");
        }
    }
}

fn read(status: StatusCode, body: &Bytes) -> Result<Said, serde_json::Error> {
    if body.is_empty() || status == StatusCode::NO_CONTENT {
        return Ok(Said::default());
    }
    serde_json::from_slice(body)
}

/// An envelope goes to the online clients of those in `to`; without any, or to the author of
/// what was handled, to that very channel.
fn request_of(channel: &OnlineClient, said: &Value) -> Value {
    if said.get("message").is_some() {
        return said.clone();
    }
    let to = said.get("to").and_then(Value::as_str).unwrap_or_default();
    let users: Vec<&str> = to
        .split(',')
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect();
    if users.is_empty() || users == [channel.user_id.as_str()] {
        serde_json::json!({"channelIds": [channel.channel_id], "message": said})
    } else {
        serde_json::json!({"userIds": users, "message": said})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn channel() -> OnlineClient {
        OnlineClient {
            user_id: "u1".to_owned(),
            client_name: "web".to_owned(),
            channel_id: "7".to_owned(),
            session_id: "9f2c****".to_owned(),
            connected_at_ms: 1,
        }
    }

    #[test]
    fn messages_of_an_answer_go_back_or_to_whom_they_name() {
        for (said, to) in [
            (json!({"type": 2001}), json!({"channelIds": ["7"]})),
            (json!({"to": ""}), json!({"channelIds": ["7"]})),
            (json!({"to": "u1"}), json!({"channelIds": ["7"]})),
            (json!({"to": "u2"}), json!({"userIds": ["u2"]})),
            (json!({"to": "u1, u2,"}), json!({"userIds": ["u1", "u2"]})),
        ] {
            let mut expected = to;
            expected["message"] = said.clone();
            assert_eq!(request_of(&channel(), &said), expected);
        }
        let full = json!({"channelIds": ["1", "2"], "message": {"type": 2001}});
        assert_eq!(request_of(&channel(), &full), full);
    }

    #[test]
    fn an_answer_may_say_nothing() {
        for body in ["", "{}", "{\"extra\":1}"] {
            let said = read(StatusCode::OK, &Bytes::from(body)).expect("an answer");
            assert!(said.code.is_none() && said.messages.is_empty(), "{body}");
        }
        assert!(read(StatusCode::OK, &Bytes::from("<html>")).is_err());
    }
}
