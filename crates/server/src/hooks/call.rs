//! One request to a hook.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::{Request, StatusCode, Uri, header};
use tokio::time::Instant;

use super::registry::Hook;
use super::sign;
use super::stats::short;
use crate::auth::client::{Client, NoAnswer};

/// How much of an answer is shown, bytes.
const SHOWN_BYTES: usize = 1000;

/// What is sent.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    /// The name of the event, or of the first.
    pub(super) event: String,
    /// Its id, or that of the first: the same at each try.
    pub(super) id: String,
    /// What is added to the address; empty = nothing.
    pub(super) query: String,
    /// The body.
    pub(super) body: Bytes,
    /// Parcels of the same lane are delivered one after the other.
    pub(super) lane: String,
}

/// What came back.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    /// The status.
    pub(super) status: StatusCode,
    /// The body.
    pub(super) body: Bytes,
    /// How long it took.
    pub(super) took: Duration,
}

impl Answered {
    /// The beginning of the body, as text.
    pub(super) fn head(&self) -> String {
        let end = self.body.len().min(SHOWN_BYTES);
        String::from_utf8_lossy(&self.body[..end]).into_owned()
    }
}

/// Sends a parcel once and counts what became of it. The error is why there is no answer.
pub(super) async fn call(
    client: &Client,
    hook: &Hook,
    parcel: &Parcel,
    tries: u32,
    now_ms: i64,
) -> Result<Answered, String> {
    let began = Instant::now();
    let request = request(hook, parcel, tries, now_ms)?;
    let within = Duration::from_millis(hook.record.settings.timeout_ms.into());
    let answer = client.ask_within(request, within).await;
    let took = began.elapsed();
    hook.stats.change(|stats| {
        stats.last_at_ms = now_ms;
        stats.last_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        stats.last_status = answer.as_ref().map_or(0, |(status, _)| status.as_u16());
    });
    match answer {
        Ok((status, body)) => Ok(Answered { status, body, took }),
        Err(error) => Err(why(&error)),
    }
}

/// The innermost cause says most: "connection refused" rather than "client error".
fn why(error: &NoAnswer) -> String {
    let mut why = error.to_string();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(inner) = cause {
        why = format!("{why}: {inner}");
        cause = inner.source();
    }
    short(&why)
}

fn request(hook: &Hook, parcel: &Parcel, tries: u32, now_ms: i64) -> Result<Request<Body>, String> {
    let settings = &hook.record.settings;
    let secret = hook.secret.as_deref().ok_or("its secret cannot be read")?;
    let mut request = Request::post(target(&settings.url, &parcel.query)?)
        .header(header::CONTENT_TYPE, "application/json")
        .header(
            header::USER_AGENT,
            concat!("crosstalk/", env!("CARGO_PKG_VERSION")),
        );
    for (name, value) in &settings.headers {
        request = request.header(name.as_str(), value.as_str());
    }
    let signature = sign::signature(secret, now_ms, &parcel.id, &parcel.body);
    request
        .header(sign::ID, &parcel.id)
        .header(sign::EVENT, &parcel.event)
        .header(sign::TRY, tries)
        .header(sign::SIGNATURE, signature)
        .body(Body::from(parcel.body.clone()))
        .map_err(|error| error.to_string())
}

/// The address with what is added to it.
fn target(url: &str, query: &str) -> Result<Uri, String> {
    let url = url.split('#').next().unwrap_or(url);
    let url = match (query.is_empty(), url.contains('?')) {
        (true, _) => url.to_owned(),
        (false, false) => format!("{url}?{query}"),
        (false, true) => format!("{url}&{query}"),
    };
    url.parse().map_err(|error| format!("{url}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_stands_behind_what_there_is() {
        let cases = [
            ("http://h/a", "", "http://h/a"),
            ("http://h/a", "event=x", "http://h/a?event=x"),
            ("http://h/a?k=v", "event=x", "http://h/a?k=v&event=x"),
            ("http://h/a#f", "event=x", "http://h/a?event=x"),
        ];
        for (url, query, expected) in cases {
            assert_eq!(
                target(url, query).map(|uri| uri.to_string()),
                Ok(expected.to_owned())
            );
        }
    }
}
