//! Registration: a device says what it is and gets an account and a token (mqtt.md S3-48 to
//! S3-52, Q3-7, Q3-8).

use std::net::{IpAddr, SocketAddr};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};
use crosstalk_core::id::Uid;
use crosstalk_core::im::RegisterDevice;
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::{Dialect, mqtt_habit};
use crosstalk_wire::mqtt::im::read;
use crosstalk_wire::mqtt::im::register::{OsType, Register, Registered, ServerAddress};

use super::MqttState;
use super::answer::{Done, Failure};
use super::caller::Proof;

/// The keep alive that clients are told to ask for, seconds.
const KEEP_ALIVE_SECS: u16 = 60;
const DAY_SECS: i64 = 24 * 3600;

/// `POST /im/v1/register`
pub(super) async fn register(
    State(state): State<MqttState>,
    headers: HeaderMap,
    proof: Proof,
    body: Bytes,
) -> Result<Done<Registered>, Failure> {
    let request: Register = read(&body).map_err(|error| Failure::bad(error.to_string()))?;
    if let Some(member) = request.missing() {
        return Err(Failure::missing(member));
    }
    let uid = Uid::parse(&request.user_id).map_err(|_| Failure::bad("userId is no user id"))?;
    let im = &state.edge.im;
    let (app, user) = match proof.tenant(&state, &request.tenant_no)? {
        Some(app) => {
            let user = im.ensure_user(&app.realm, &uid).await?;
            (app, user)
        }
        None => {
            let login = proof.login(&state, &request.tenant_no, Some(uid)).await?;
            let app = login.app.ok_or(Refusal::NotAuthenticated)?;
            let app = im.apps().get(&app).ok_or(Refusal::NotAuthenticated)?;
            (app, login.user)
        }
    };
    let habit = request.type_form().map(mqtt_habit);
    let details = serde_json::to_string(&request.device).unwrap_or_default();
    let device = RegisterDevice {
        origin: Dialect::Mqtt.origin(),
        device_id: request.device_id,
        os: os_code(request.os),
        details,
        vendor: request.vendor,
        push_token: Some(request.push_token),
        habit,
        ttl_secs: i64::from(state.edge.config.mqtt.token_days) * DAY_SECS,
    };
    let registered = im.register_device(&app, &user, device).await?;
    let account = im.aliases().of(&app.realm, &user.uid);
    Ok(Done(Registered {
        account: account.as_str().to_owned(),
        token: registered.token,
        expires_at_ms: registered.registration.expires_at_ms,
        server: server(&state, &headers),
        topic: account.as_str().to_owned(),
    }))
}

pub(super) fn os_code(os: OsType) -> i8 {
    i8::try_from(os.code()).unwrap_or(-1)
}

/// Where the service is: what the operator says, or what is bound.
fn server(state: &MqttState, headers: &HeaderMap) -> ServerAddress {
    let mqtt = &state.edge.config.mqtt;
    let bound = &state.edge.bound;
    let (tcp, http) = (bound.get("mqtt_tcp"), bound.get("http"));
    let port = |said: u16, bound: Option<SocketAddr>| match said {
        0 => bound.map(|at| at.port()),
        said => Some(said),
    };
    let longest = mqtt.max_keep_alive_secs;
    let keep_alive = match longest {
        0 => KEEP_ALIVE_SECS,
        longest => longest.min(KEEP_ALIVE_SECS),
    };
    ServerAddress {
        host: host(&mqtt.host, tcp.or(http), headers),
        port: port(mqtt.port, tcp),
        tls_port: port(mqtt.tls_port, None),
        ws_port: port(mqtt.ws_port, http),
        ws_path: "/mqtt".to_owned(),
        keep_alive_secs: i64::from(keep_alive),
    }
}

/// Where all of this machine's addresses are bound, the one that the client has called.
fn host(said: &str, bound: Option<SocketAddr>, headers: &HeaderMap) -> String {
    if !said.is_empty() {
        return said.to_owned();
    }
    match bound.map(|at| at.ip()).filter(|ip| !ip.is_unspecified()) {
        Some(IpAddr::V4(ip)) => ip.to_string(),
        Some(IpAddr::V6(ip)) => ip.to_string(),
        None => {
            let called = headers.get(header::HOST);
            let called = called.and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
            called.map_or_else(|| "127.0.0.1".to_owned(), |it| it.host().to_owned())
        }
    }
}
