//! CONNECT: who the client is, and what is agreed on with it (mqtt.md Q3-4, contract.md §4).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crosstalk_core::directory::{AppId, REGISTRATION_TOKEN_PREFIX};
use crosstalk_core::id::Uid;
use crosstalk_core::im::{Credential, LoginRequest, LoginScope, OpenSession};
use crosstalk_core::pubsub;
use crosstalk_core::session::foreign::ForeignHeaders;
use crosstalk_core::session::{Beginning, Delivery, Echo, Offline};
use crosstalk_wire::mqtt::{ConnackProperties, Connect, Version, Will};

use super::plain;
use super::settings::MqttSettings;
use super::topics;
use crate::protocol::{Arrival, Seed, TopicSession};
use crate::registry::Dialect;

/// The longest client id, bytes.
const MAX_CLIENT_ID_BYTES: usize = 256;
/// The highest topic alias that a client may use.
pub(super) const TOPIC_ALIASES: u16 = 32;
/// Of a session that 3.1.1 keeps, how long it may be away, unless the setting is less.
const NEVER: u32 = u32::MAX;

/// Why a CONNECT is refused without asking anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The client id is too long.
    ClientId,
    /// It wants an authentication that is not spoken here.
    AuthenticationMethod,
    /// It says who it is in no way that somebody can be called.
    Username,
    /// It shows nothing.
    Password,
}

/// What CONNECT and CONNACK agree on.
pub(super) struct Agreement {
    pub(super) version: Version,
    pub(super) client_id: String,
    /// It was given its id by the server.
    is_assigned: bool,
    clean_start: bool,
    /// Seconds; 0 = none.
    pub(super) keep_alive_secs: u16,
    is_keep_alive_ours: bool,
    /// How long the session outlives the connection, seconds.
    pub(super) expiry_secs: u32,
    is_expiry_ours: bool,
    pub(super) receive_maximum: u16,
    pub(super) max_packet_bytes: Option<u32>,
    /// The highest topic alias that the client takes.
    pub(super) topic_alias_maximum: u16,
    pub(super) problem_information: bool,
    /// A will for the messenger.
    pub(super) im_will: Option<Will>,
    topic_will: Option<pubsub::Will>,
}

impl Agreement {
    /// What is agreed on, if the client may connect as whom it says.
    pub(super) fn new(
        mut connect: Connect,
        settings: &MqttSettings,
        seed: &Seed,
    ) -> Result<Self, Wrong> {
        let properties = &connect.properties;
        if properties.authentication.is_some() {
            return Err(Wrong::AuthenticationMethod);
        }
        if connect.client_id.len() > MAX_CLIENT_ID_BYTES {
            return Err(Wrong::ClientId);
        }
        let is_assigned = connect.client_id.is_empty();
        let client_id = if is_assigned {
            format!("auto-{}", URL_SAFE_NO_PAD.encode(&seed[..16]))
        } else {
            std::mem::take(&mut connect.client_id)
        };
        let limits = &settings.limits;
        let longest = limits.max_keep_alive_secs;
        let asked = connect.keep_alive_secs;
        let is_longer = longest > 0 && (asked == 0 || asked > longest);
        // Before 5.0 a client cannot be told; it does what it said.
        let is_keep_alive_ours = is_longer && connect.version.is_v5();
        let wanted_secs = match connect.version {
            Version::V5 => properties.session_expiry_secs.unwrap_or(0),
            Version::V31 | Version::V311 if connect.clean_start => 0,
            Version::V31 | Version::V311 => NEVER,
        };
        let expiry_secs = wanted_secs.min(limits.max_session_secs);
        let (im_will, topic_will) = match connect.will.take() {
            None => (None, None),
            Some(will) if topics::is_plain(will.topic.as_str()) => (None, plain::will(will)),
            Some(will) => (Some(will), None),
        };
        Ok(Self {
            version: connect.version,
            client_id,
            is_assigned,
            clean_start: connect.clean_start,
            keep_alive_secs: if is_keep_alive_ours { longest } else { asked },
            is_keep_alive_ours,
            expiry_secs,
            is_expiry_ours: expiry_secs != wanted_secs,
            receive_maximum: properties.receive_maximum.map_or(u16::MAX, Into::into),
            max_packet_bytes: properties.max_packet_bytes.map(Into::into),
            topic_alias_maximum: properties.topic_alias_maximum.unwrap_or(0),
            problem_information: properties.request_problem_information.unwrap_or(true),
            im_will,
            topic_will,
        })
    }

    /// The session over topics that belongs to it.
    pub(super) fn topic_session(&mut self) -> TopicSession {
        TopicSession {
            client_id: self.client_id.clone(),
            clean: self.clean_start,
            expiry_secs: self.expiry_secs,
            will: self.topic_will.take(),
        }
    }

    /// What 5.0 is told beside success.
    pub(super) fn properties(&self, settings: &MqttSettings) -> ConnackProperties {
        let limits = &settings.limits;
        ConnackProperties {
            session_expiry_secs: self.is_expiry_ours.then_some(self.expiry_secs),
            receive_maximum: limits.receive_maximum.try_into().ok(),
            max_packet_bytes: u32::try_from(limits.max_packet_bytes)
                .ok()
                .and_then(|bytes| bytes.try_into().ok()),
            assigned_client_id: self.is_assigned.then(|| self.client_id.clone()),
            topic_alias_maximum: Some(TOPIC_ALIASES),
            server_keep_alive_secs: self.is_keep_alive_ours.then_some(self.keep_alive_secs),
            ..ConnackProperties::default()
        }
    }

    /// The request for a session.
    pub(super) fn open(
        &self,
        credential: Credential,
        settings: &MqttSettings,
        arrival: &Arrival,
    ) -> OpenSession {
        let is_persistent = self.expiry_secs > 0;
        // A client id without a registration is a device's only if it is to be known again.
        let is_registered = matches!(credential, Credential::Registered { .. });
        OpenSession {
            credential,
            origin: Dialect::Mqtt.origin(),
            device_id: self.client_id.as_str().into(),
            device_flag: 0,
            delivery: Delivery {
                stable_device: is_registered || is_persistent,
                acks: true,
                offline: if is_persistent {
                    Offline::Push
                } else {
                    Offline::Pull
                },
                begins: Beginning::Opening,
                echo: if settings.echo_sender {
                    Echo::Always
                } else {
                    Echo::Never
                },
                receipts: true,
                presence: true,
            },
            sync_own: true,
            max_sessions: 0,
            peer: arrival.client,
        }
    }
}

/// What proves who the client is: the token of a registration, a user token, or a credential
/// of the host application's.
pub(super) fn credential(
    connect: &mut Connect,
    settings: &MqttSettings,
    arrival: &Arrival,
) -> Result<Credential, Wrong> {
    let username = connect.username.take().unwrap_or_default();
    let (app, name) = match username.split_once('/') {
        Some((app, name)) => (Some(app), name),
        None => (None, username.as_str()),
    };
    let claimed_uid = match name {
        "" => None,
        name => Some(Uid::parse(name).map_err(|_| Wrong::Username)?),
    };
    let scope = match app {
        Some(app) => LoginScope::App(AppId::parse(app).map_err(|_| Wrong::Username)?),
        None => LoginScope::Token(settings.realm.clone()),
    };
    let password = connect.password.take().unwrap_or_default();
    let password = String::from_utf8(password.into()).map_err(|_| Wrong::Password)?;
    if password.starts_with(REGISTRATION_TOKEN_PREFIX) {
        return Ok(Credential::Registered {
            claimed_uid,
            token: password,
        });
    }
    let headers = ForeignHeaders {
        token: arrival.token.clone(),
        authorization: arrival.authorization.clone(),
        cookie: arrival.cookie.clone(),
    };
    if password.is_empty() && headers.is_empty() && arrival.query.is_empty() {
        return Err(Wrong::Password);
    }
    let mut login = LoginRequest::new(scope, Dialect::Mqtt.name(), "CONNECT", arrival.client);
    login.claimed_uid = claimed_uid;
    login.credentials = vec![password];
    login.headers = headers;
    login.query.clone_from(&arrival.query);
    Ok(Credential::Login(Box::new(login)))
}
