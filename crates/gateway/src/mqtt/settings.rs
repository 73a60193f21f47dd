//! How the dialect behaves.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use crosstalk_core::directory::{Aliases, AppId};
use crosstalk_core::id::Realm;
use crosstalk_core::im::Im;
use crosstalk_wire::mqtt::MAX_PACKET_BYTES;
use crosstalk_wire::mqtt::im::TypeTable;

use super::machine::Machine;
use super::under_way::UnderWay;
use crate::protocol::{Arrival, Now, Plug, Protocol, Seed};

/// The bounds of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MqttLimits {
    /// The largest packet that is read, bytes.
    pub max_packet_bytes: usize,
    /// The largest payload that is a message, bytes.
    pub max_payload_bytes: usize,
    /// Publications with a guarantee that a client may have unacknowledged, 1 to 1,000.
    pub receive_maximum: u16,
    /// The longest keep alive, seconds; 0 = any, and none.
    pub max_keep_alive_secs: u16,
    /// For how long a session may outlive its connection, seconds; `u32::MAX` = for ever.
    pub max_session_secs: u32,
}

impl Default for MqttLimits {
    fn default() -> Self {
        Self {
            max_packet_bytes: MAX_PACKET_BYTES,
            max_payload_bytes: 256 << 10,
            receive_maximum: 256,
            max_keep_alive_secs: 600,
            max_session_secs: 30 * 24 * 3600,
        }
    }
}

/// Settings of the mqtt dialect.
#[derive(Clone)]
pub struct MqttSettings {
    /// The messenger, for what a client asks beside messages.
    pub im: Weak<Im>,
    /// What computes accounts.
    pub aliases: Aliases,
    /// The realm of clients that name no app and whose credential is not ours.
    pub realm: Realm,
    /// Whether clients get back what they send.
    pub echo_sender: bool,
    /// The bounds of a connection.
    pub limits: MqttLimits,
    /// The numbers of message types, for apps that have their own.
    pub types: Arc<HashMap<AppId, TypeTable>>,
    /// Origins whose pages may connect; `*` = all.
    pub allowed_origins: Arc<[String]>,
    under_way: Arc<UnderWay>,
}

impl MqttSettings {
    /// Settings with our numbers of message types and the usual bounds.
    #[must_use]
    pub fn new(im: Weak<Im>, aliases: Aliases, realm: Realm) -> Self {
        Self {
            im,
            aliases,
            realm,
            echo_sender: false,
            limits: MqttLimits::default(),
            types: Arc::default(),
            allowed_origins: Arc::new(["*".to_owned()]),
            under_way: Arc::default(),
        }
    }

    /// What was under way to sessions whose connections are gone.
    pub(super) fn under_way(&self) -> &UnderWay {
        &self.under_way
    }

    /// The numbers of message types of an app.
    #[must_use]
    pub fn table(&self, app: Option<&AppId>) -> TypeTable {
        let own = app.and_then(|app| self.types.get(app));
        own.cloned().unwrap_or_default()
    }
}

impl Plug for MqttSettings {
    fn allowed_origins(&self) -> &[String] {
        &self.allowed_origins
    }

    fn machine(&self, arrival: Arrival, seed: &Seed, now: Now) -> Box<dyn Protocol> {
        Box::new(Machine::new(self.clone(), arrival, seed, now))
    }
}
