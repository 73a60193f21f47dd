//! Pulling history and what was missed (mqtt.md Q3-29), revoking, reading.

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use crosstalk_core::channel::ChannelKey;
use crosstalk_core::deliver::Operator;
use crosstalk_core::id::MessageId;
use crosstalk_core::im::{Fetch, Fetched, Login};
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::{Dialect, MqttReader, mqtt_envelope, signed_for};
use crosstalk_wire::mqtt::im::background::{Read, Revoke};
use crosstalk_wire::mqtt::im::pull::{MAX_PULL, Pull, PullDelivery, Pulled};
use crosstalk_wire::mqtt::im::read as read_json;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::MqttState;
use super::answer::{Done, Failure};
use super::caller::{Proof, UserCaller};

/// Messages that may be named in one request.
const MAX_READ: usize = 500;

type Pairs = Query<Vec<(String, String)>>;

/// `GET /im/v1/messages/history`
pub(super) async fn history(
    State(state): State<MqttState>,
    proof: Proof,
    Query(query): Pairs,
) -> Result<Done<Pulled>, Failure> {
    let caller = proof.user(&state).await?;
    let pull = pull_of(&query)?;
    let fetch = fetch_of(&state, &caller.login, &pull).await?;
    let user = &caller.login.user;
    let fetched = state.edge.im.fetch_history(user, &fetch).await?;
    if pull.deliver == PullDelivery::Mqtt {
        let session = caller.session(&state).await?.ok_or_else(not_connected)?;
        state.edge.im.hand_history(&session, &fetched)?;
    }
    Ok(Done(pulled(&state, &caller, &pull, &fetched)))
}

/// `GET /im/v1/messages/offline`
pub(super) async fn offline(
    State(state): State<MqttState>,
    proof: Proof,
    Query(query): Pairs,
) -> Result<Done<Pulled>, Failure> {
    let caller = proof.user(&state).await?;
    let pull = pull_of(&query)?;
    let fetch = fetch_of(&state, &caller.login, &pull).await?;
    let session = caller.session(&state).await?.ok_or_else(not_connected)?;
    let im = &state.edge.im;
    let fetched = im.fetch_missed(&session, &fetch).await?;
    match pull.deliver {
        PullDelivery::Mqtt => im.hand(&session, &fetched),
        // The answer is the delivery.
        PullDelivery::Http => im.received(&session, &fetched.messages).await,
    }
    Ok(Done(pulled(&state, &caller, &pull, &fetched)))
}

/// What is said to the client stands on its connection.
fn not_connected() -> Failure {
    Failure::new(StatusCode::CONFLICT, "this device is not connected")
}

fn pull_of(query: &[(String, String)]) -> Result<Pull, Failure> {
    let pairs = query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    Pull::from_query(pairs).map_err(|error| Failure::bad(error.to_string()))
}

async fn fetch_of(state: &MqttState, login: &Login, pull: &Pull) -> Result<Fetch, Failure> {
    let of = match pull.target.as_str() {
        "" => None,
        name => {
            let address = state.edge.im.resolve(&login.realm, name).await?;
            Some(address.key(&login.realm, &login.user.uid)?)
        }
    };
    let cursor = pull.cursor.as_deref().filter(|cursor| !cursor.is_empty());
    let after = cursor.map(|cursor| {
        let id = cursor.parse().map(MessageId);
        id.map_err(|_| Failure::bad("cursor is none of ours"))
    });
    Ok(Fetch {
        of,
        from_ms: pull.start_time_ms,
        before_ms: pull.end_time_ms,
        after: after.transpose()?,
        limit: pull.limit.unwrap_or(MAX_PULL),
    })
}

fn pulled(state: &MqttState, caller: &UserCaller, pull: &Pull, fetched: &Fetched) -> Pulled {
    let login = &caller.login;
    let mut reader = MqttReader::new(
        &state.settings,
        &login.realm,
        &login.user,
        login.app.as_ref(),
    );
    if let Some(registration) = &caller.registration {
        reader.remember(&registration.habit);
    }
    let envelopes = || {
        let all = fetched.messages.iter();
        let shown = all.filter_map(|message| {
            let message = signed_for(&state.edge.im, Dialect::Mqtt.origin(), message);
            mqtt_envelope(&message, &reader)
        });
        let raw = shown.filter_map(|json| {
            let text = String::from_utf8(json.into()).ok()?;
            RawValue::from_string(text).ok()
        });
        raw.collect()
    };
    let cursor = fetched.through.filter(|_| fetched.more);
    Pulled {
        count: i64::try_from(fetched.messages.len()).unwrap_or(i64::MAX),
        more: fetched.more,
        cursor: cursor.map(|id| id.to_string()).unwrap_or_default(),
        messages: (pull.deliver == PullDelivery::Http).then(envelopes),
    }
}

/// `POST /im/v1/messages/revoke`
pub(super) async fn revoke(
    State(state): State<MqttState>,
    proof: Proof,
    body: Bytes,
) -> Result<Done<Map<String, Value>>, Failure> {
    let UserCaller { login, .. } = proof.user(&state).await?;
    let revoke: Revoke = read_json(&body).map_err(|error| Failure::bad(error.to_string()))?;
    if revoke.id.is_empty() {
        return Err(Failure::missing("id"));
    }
    let im = &state.edge.im;
    let within = within(&state, &login, &body).await;
    let found = im.find(&login.realm, &login.user, &revoke.id, within.as_ref());
    let id = found.await?.id;
    im.revoke(&login.realm, id, Operator::User(login.user.clone()))
        .await?;
    Ok(Done(Map::new()))
}

/// `POST /im/v1/messages/read`
pub(super) async fn read(
    State(state): State<MqttState>,
    proof: Proof,
    body: Bytes,
) -> Result<Done<Map<String, Value>>, Failure> {
    let UserCaller { login, .. } = proof.user(&state).await?;
    let read: Read = read_json(&body).map_err(|error| Failure::bad(error.to_string()))?;
    let names: Vec<&str> = read.all().take(MAX_READ).collect();
    if names.is_empty() {
        return Err(Failure::missing("id"));
    }
    let im = &state.edge.im;
    let within = within(&state, &login, &body).await;
    for name in names {
        let found = im.find(&login.realm, &login.user, name, within.as_ref());
        let message = found.await?;
        let key = &message.channel.key;
        im.read(&login.user, key, Some(message.seq)).await?;
    }
    Ok(Done(Map::new()))
}

/// The conversation that `to` in a body names, if it names one.
async fn within(state: &MqttState, login: &Login, body: &Bytes) -> Option<ChannelKey> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let to = body.get("to")?.as_str().filter(|to| !to.is_empty())?;
    let address = state.edge.im.resolve(&login.realm, to).await.ok()?;
    let key: Result<_, Refusal> = address.key(&login.realm, &login.user.uid);
    key.ok()
}
