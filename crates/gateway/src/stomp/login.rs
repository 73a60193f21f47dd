//! Logging in: what CONNECT and the handshake show, as a request for a session
//! (stomp.md Q2-1, Q2-2, Q2-30).

use crosstalk_core::im::{Credential, LoginRequest, LoginScope, OpenSession};
use crosstalk_core::session::foreign::ForeignHeaders;
use crosstalk_core::session::{Beginning, Delivery, Echo, Offline};
use crosstalk_wire::stomp::Connect;
use crosstalk_wire::stomp::im::query_token;

use super::render::ORIGIN;
use super::settings::StompSettings;
use crate::protocol::{Arrival, Seed};
use crate::registry::Dialect;

/// Sessions of one user (stomp.md Q2-30).
const MAX_SESSIONS: usize = 10;

/// The longest name of a device, bytes.
const MAX_DEVICE_BYTES: usize = 128;

/// The session that a CONNECT asks for.
pub(super) fn request(
    connect: &Connect,
    arrival: &Arrival,
    settings: &StompSettings,
    seed: &Seed,
) -> OpenSession {
    let device = device(connect);
    let stable_device = device.is_some();
    OpenSession {
        credential: Credential::Login(Box::new(login(connect, arrival, settings))),
        origin: ORIGIN,
        // One without a name is like no other.
        device_id: device.unwrap_or_else(|| anonymous(seed)).into(),
        device_flag: 0,
        delivery: Delivery {
            stable_device,
            acks: true,
            offline: Offline::Pull,
            begins: Beginning::Newest,
            echo: Echo::Always,
            receipts: true,
            presence: true,
        },
        sync_own: true,
        max_sessions: MAX_SESSIONS,
        peer: arrival.client,
    }
}

fn login(connect: &Connect, arrival: &Arrival, settings: &StompSettings) -> LoginRequest {
    let scope = LoginScope::Token(settings.realm.clone());
    let mut request =
        LoginRequest::new(scope, Dialect::Stomp.name(), &arrival.path, arrival.client);
    let bearer = arrival.authorization.as_deref().and_then(bearer);
    let shown = connect.tokens().map(str::to_owned);
    let of_handshake = [query_token(&arrival.query), bearer, arrival.token.clone()];
    for text in shown.chain(of_handshake.into_iter().flatten()) {
        if !request.credentials.contains(&text) {
            request.credentials.push(text);
        }
    }
    let header = |name| connect.headers.get_ignoring_case(name).map(str::to_owned);
    request.headers = ForeignHeaders {
        token: header("token").or_else(|| arrival.token.clone()),
        authorization: header("authorization").or_else(|| arrival.authorization.clone()),
        cookie: arrival.cookie.clone(),
    };
    request.query.clone_from(&arrival.query);
    request
}

fn bearer(authorization: &str) -> Option<String> {
    let (scheme, token) = authorization.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim().to_owned())
}

/// The device that the client names.
fn device(connect: &Connect) -> Option<String> {
    let named = connect.headers.get_ignoring_case("deviceId")?.trim();
    let is_name = !named.is_empty()
        && named.len() <= MAX_DEVICE_BYTES
        && !named.chars().any(char::is_control);
    is_name.then(|| named.to_owned())
}

fn anonymous(seed: &Seed) -> String {
    use std::fmt::Write as _;
    let mut name = String::from("anonymous-");
    for byte in &seed[..16] {
        // A string takes any text.
        let _ = write!(name, "{byte:02x}");
    }
    name
}
