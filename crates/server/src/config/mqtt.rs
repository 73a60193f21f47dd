//! Settings of the mqtt dialect.

use std::collections::BTreeMap;

use crosstalk_core::directory::AppId;
use crosstalk_core::id::Realm;
use serde::{Deserialize, Serialize};

use super::check::Findings;

/// `[mqtt]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mqtt {
    /// The realm of clients that name no app and show a credential that is not ours.
    pub realm: String,
    /// The host that registrations announce; empty = what is bound.
    pub host: String,
    /// The port of MQTT over TCP that they announce; 0 = what is bound.
    pub port: u16,
    /// That of MQTT over TLS; 0 = none.
    pub tls_port: u16,
    /// That of MQTT over WebSocket; 0 = what is bound.
    pub ws_port: u16,
    /// Whether clients get back what they send.
    pub echo_sender: bool,
    /// For how long the token of a registration holds, days.
    pub token_days: u32,
    /// For how long a session may outlive its connection, days; 0 = for ever.
    pub session_days: u32,
    /// The longest keep alive, seconds; 0 = any, and none.
    pub max_keep_alive_secs: u16,
    /// Publications with a guarantee that a client may have unacknowledged.
    pub receive_maximum: u16,
    /// The largest packet, bytes.
    pub max_packet_bytes: usize,
    /// The largest payload that is a message, bytes.
    pub max_payload_bytes: usize,
    /// Web origins whose pages may connect.
    pub allowed_origins: Vec<String>,
    /// The numbers of message types, for tenants that have their own.
    pub types: Vec<TenantTypes>,
}

/// The numbers of message types of one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TenantTypes {
    /// The tenant: an app's id.
    pub tenant: String,
    /// The numbers, by the name of the type.
    pub codes: BTreeMap<String, i64>,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            realm: "default".to_owned(),
            host: String::new(),
            port: 0,
            tls_port: 0,
            ws_port: 0,
            echo_sender: false,
            token_days: 365,
            session_days: 30,
            max_keep_alive_secs: 600,
            receive_maximum: 256,
            max_packet_bytes: 1 << 20,
            max_payload_bytes: 256 << 10,
            allowed_origins: vec!["*".to_owned()],
            types: Vec::new(),
        }
    }
}

/// The most that a client may have unacknowledged.
const MAX_RECEIVE_MAXIMUM: u16 = 1_000;
/// The smallest packet that must fit, bytes.
const LEAST_PACKET_BYTES: usize = 1 << 10;
/// The largest that may be allowed.
const MOST_PACKET_BYTES: usize = 16 << 20;

/// Checks what the types cannot say.
pub(super) fn check(mqtt: &Mqtt, findings: &mut Findings) {
    if Realm::parse(&mqtt.realm).is_err() {
        findings.problem("mqtt.realm", "is no realm's name");
    }
    if !(1..=MAX_RECEIVE_MAXIMUM).contains(&mqtt.receive_maximum) {
        let why = format!("must be 1 to {MAX_RECEIVE_MAXIMUM}");
        findings.problem("mqtt.receive_maximum", why);
    }
    if !(LEAST_PACKET_BYTES..=MOST_PACKET_BYTES).contains(&mqtt.max_packet_bytes) {
        let why = format!("must be {LEAST_PACKET_BYTES} to {MOST_PACKET_BYTES}");
        findings.problem("mqtt.max_packet_bytes", why);
    }
    if mqtt.token_days == 0 {
        findings.problem("mqtt.token_days", "must be at least 1");
    }
    for TenantTypes { tenant, .. } in &mqtt.types {
        if AppId::parse(tenant).is_err() {
            findings.problem("mqtt.types", format!("`{tenant}` is no app id"));
        }
    }
}
