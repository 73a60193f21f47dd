//! A user's devices: push on and off, logging out (mqtt.md Q3-31, Q3-32), and what their
//! tenant sees of them.

use axum::body::Bytes;
use axum::extract::{Query, State};
use crosstalk_core::directory::{RegistrationChange, RegistrationKey};
use crosstalk_core::id::Uid;
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::Dialect;
use crosstalk_wire::mqtt::im::background::Logout;
use crosstalk_wire::mqtt::im::read;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::MqttState;
use super::answer::{Done, Failure};
use super::caller::{Proof, UserCaller};

/// Reports that are shown at once.
const MAX_REPORTS: u32 = 1_000;

/// What a query may say.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Parameters {
    tenant_no: String,
    user_id: String,
    device_id: String,
    delete_token: String,
}

/// What a tenant sees of a device.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceView {
    device_id: String,
    os: i8,
    device: Value,
    vendor: String,
    push_token: Option<String>,
    push: bool,
    state: &'static str,
    registered_at: i64,
    expires_at: i64,
}

/// A report of a device.
#[derive(Debug, Serialize)]
pub(super) struct ReportView {
    time: i64,
    report: Value,
}

/// `GET /im/v1/devices?userId=`: for the tenant.
pub(super) async fn list(
    State(state): State<MqttState>,
    proof: Proof,
    Query(query): Query<Parameters>,
) -> Result<Done<Vec<DeviceView>>, Failure> {
    let app = proof.require_tenant(&state, &query.tenant_no)?;
    let uid = user_id(&query)?;
    let im = &state.edge.im;
    let Some(user) = im.find_user(&app.realm, &uid).await? else {
        return Ok(Done(Vec::new()));
    };
    let registrations = im.registrations(&user, Dialect::Mqtt.origin()).await?;
    let view = |registration: crosstalk_core::directory::Registration| DeviceView {
        device_id: registration.device_id,
        os: registration.os,
        device: serde_json::from_str(&registration.details).unwrap_or_default(),
        vendor: registration.vendor,
        push_token: registration.push_token,
        push: registration.push_on,
        state: if registration.active {
            "active"
        } else {
            "logged_out"
        },
        registered_at: registration.issued_at_ms,
        expires_at: registration.expires_at_ms,
    };
    Ok(Done(registrations.into_iter().map(view).collect()))
}

/// `GET /im/v1/diagnostics?userId=&deviceId=`: for the tenant.
pub(super) async fn diagnostics(
    State(state): State<MqttState>,
    proof: Proof,
    Query(query): Query<Parameters>,
) -> Result<Done<Vec<ReportView>>, Failure> {
    let app = proof.require_tenant(&state, &query.tenant_no)?;
    let uid = user_id(&query)?;
    if query.device_id.is_empty() {
        return Err(Failure::missing("deviceId"));
    }
    let im = &state.edge.im;
    let Some(user) = im.find_user(&app.realm, &uid).await? else {
        return Ok(Done(Vec::new()));
    };
    let key = RegistrationKey {
        user: user.num,
        origin: Dialect::Mqtt.origin(),
        device_id: query.device_id,
    };
    let reports = im.reports(&key, MAX_REPORTS).await?;
    let view = |report: crosstalk_core::directory::DeviceReport| ReportView {
        time: report.at_ms,
        report: serde_json::from_str(&report.text).unwrap_or_default(),
    };
    Ok(Done(reports.into_iter().map(view).collect()))
}

fn user_id(query: &Parameters) -> Result<Uid, Failure> {
    if query.user_id.is_empty() {
        return Err(Failure::missing("userId"));
    }
    Uid::parse(&query.user_id).map_err(|_| Failure::bad("userId is no user id"))
}

/// `POST /im/v1/push/on`
pub(super) async fn push_on(
    State(state): State<MqttState>,
    proof: Proof,
    body: Bytes,
) -> Result<Done<Map<String, Value>>, Failure> {
    let change = RegistrationChange {
        push_on: Some(true),
        ..RegistrationChange::default()
    };
    change_device(&state, &proof, &body, &change).await
}

/// `POST /im/v1/push/off`
pub(super) async fn push_off(
    State(state): State<MqttState>,
    proof: Proof,
    Query(query): Query<Parameters>,
    body: Bytes,
) -> Result<Done<Map<String, Value>>, Failure> {
    let change = RegistrationChange {
        push_on: Some(false),
        forget_push_token: matches!(query.delete_token.as_str(), "true" | "1"),
        ..RegistrationChange::default()
    };
    change_device(&state, &proof, &body, &change).await
}

/// `POST /im/v1/logout`
pub(super) async fn log_out(
    State(state): State<MqttState>,
    proof: Proof,
    body: Bytes,
) -> Result<Done<Map<String, Value>>, Failure> {
    let change = RegistrationChange {
        log_out: true,
        ..RegistrationChange::default()
    };
    change_device(&state, &proof, &body, &change).await
}

/// Changes the device that the body names, or the caller's own.
async fn change_device(
    state: &MqttState,
    proof: &Proof,
    body: &Bytes,
    change: &RegistrationChange,
) -> Result<Done<Map<String, Value>>, Failure> {
    let UserCaller {
        login,
        registration,
    } = proof.user(state).await?;
    let named = if body.iter().all(u8::is_ascii_whitespace) {
        String::new()
    } else {
        let named: Logout = read(body).map_err(|error| Failure::bad(error.to_string()))?;
        named.device_id
    };
    let device_id = match (named, registration) {
        (named, Some(own)) if named.is_empty() => own.device_id,
        (named, None) if named.is_empty() => return Err(Failure::missing("deviceId")),
        (named, _) => named,
    };
    let key = RegistrationKey {
        user: login.user.num,
        origin: Dialect::Mqtt.origin(),
        device_id,
    };
    match state.edge.im.change_registration(&key, change).await {
        Ok(_) => Ok(Done(Map::new())),
        Err(Refusal::NotAuthenticated) => Err(Failure::new(
            axum::http::StatusCode::NOT_FOUND,
            "no such device",
        )),
        Err(why) => Err(why.into()),
    }
}
