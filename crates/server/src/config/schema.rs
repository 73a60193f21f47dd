//! Every setting with its type and default. `crosstalk.example.toml` says what each means; a
//! test keeps the two equal.

use crosstalk_core::send::limits::MAX_PAYLOAD_BYTES;
use serde::{Deserialize, Serialize};

use super::auth::Auth;
use super::files::Files;
use super::gyyx::Gyyx;
use super::hooks::Hooks;
use super::mqtt::Mqtt;
use super::stomp::Stomp;
use super::values::{Listener, Secret};
use super::wg::Wg;

/// The whole configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The server as a whole.
    pub server: Server,
    /// Addresses it listens on.
    pub listen: Listen,
    /// Which dialects it speaks.
    pub dialects: Dialects,
    /// The wukong dialect.
    pub wukong: Wukong,
    /// The stomp dialect.
    pub stomp: Stomp,
    /// The mqtt dialect.
    pub mqtt: Mqtt,
    /// The gyyx dialect.
    pub gyyx: Gyyx,
    /// The wg dialect.
    pub wg: Wg,
    /// The embedded store.
    pub store: Store,
    /// What files are taken and where they are kept.
    pub files: Files,
    /// Bounds on what one user, address or session may use.
    pub limits: Limits,
    /// How the messenger behaves.
    pub im: Im,
    /// What may not be said.
    pub moderation: Moderation,
    /// How long messages are kept.
    pub retention: Retention,
    /// How applications are told what happens, and asked.
    pub hooks: Hooks,
    /// Finding messages by what they say.
    pub search: Switch,
    /// The log.
    pub log: Log,
    /// The network around the server.
    pub net: Net,
    /// Who decides on credentials that are not ours, by app.
    pub auth: Auth,
}

/// `[server]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Where everything is kept.
    pub data_dir: String,
    /// The node's number in message ids.
    pub node_id: u16,
    /// How long clients and requests get to finish at shutdown.
    pub shutdown_grace_secs: u64,
    /// What clients are told instead of the addresses bound.
    pub public: Public,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            data_dir: "./data".to_owned(),
            node_id: 1,
            shutdown_grace_secs: 10,
            public: Public::default(),
        }
    }
}

/// `[server.public]`; an empty text means: what is bound.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Public {
    /// Binary over TCP, `host:port`.
    pub tcp: String,
    /// WebSocket, `ws://…`.
    pub ws: String,
    /// WebSocket behind TLS, `wss://…`.
    pub wss: String,
    /// The HTTP interface, `http://…` or `https://…`: what addresses of files begin with.
    pub http: String,
}

/// `[listen]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// REST, documentation, health, metrics, and what dialects serve over HTTP.
    pub http: Listener,
    /// WuKongIM's binary protocol over TCP.
    pub wukong_tcp: Listener,
    /// WuKongIM's protocols over WebSocket.
    pub wukong_ws: Listener,
    /// WuKongIM's HTTP API.
    pub wukong_api: Listener,
    /// MQTT over TCP.
    pub mqtt_tcp: Listener,
    /// wg alone: its WebSocket and its HTTP login.
    pub wg: Listener,
    /// gyyx alone: its WebSocket and its HTTP routes.
    pub gyyx: Listener,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            http: Listener::loopback(8080),
            wukong_tcp: Listener::loopback(5100),
            wukong_ws: Listener::loopback(5200),
            wukong_api: Listener::loopback(5001),
            mqtt_tcp: Listener::loopback(1883),
            wg: Listener::loopback(8081),
            gyyx: Listener::Off,
        }
    }
}

impl Listen {
    /// Every listener with its name.
    #[must_use]
    pub fn all(&self) -> [(&'static str, Listener); 7] {
        [
            ("http", self.http),
            ("wukong_tcp", self.wukong_tcp),
            ("wukong_ws", self.wukong_ws),
            ("wukong_api", self.wukong_api),
            ("mqtt_tcp", self.mqtt_tcp),
            ("wg", self.wg),
            ("gyyx", self.gyyx),
        ]
    }
}

/// `[dialects.*]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dialects {
    /// WuKongIM.
    pub wukong: Switch,
    /// XuqmGroup IM: STOMP over WebSocket and SockJS.
    pub stomp: Switch,
    /// An IM over MQTT.
    pub mqtt: Switch,
    /// A JSON WebSocket IM with video signalling and service queues.
    pub gyyx: Switch,
    /// wg-basic instant messages.
    pub wg: Switch,
}

/// `[dialects.<name>]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switch {
    /// Whether the dialect is spoken at all.
    pub enabled: bool,
}

impl Default for Switch {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// `[wukong]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wukong {
    /// The realm of its users.
    pub realm: String,
    /// Whether CONNECT needs a token.
    pub token_auth: bool,
    /// What its HTTP API wants to see in the header `token`.
    pub manager_token: Secret,
    /// Whether the routes of the demo backend below `/v1` need no token.
    pub demo_open: bool,
    /// Whether only users who exist already may be written to.
    pub strict_users: bool,
    /// Web origins whose pages may connect.
    pub allowed_origins: Vec<String>,
}

impl Default for Wukong {
    fn default() -> Self {
        Self {
            realm: "default".to_owned(),
            token_auth: true,
            manager_token: Secret::default(),
            demo_open: false,
            strict_users: false,
            allowed_origins: vec!["*".to_owned()],
        }
    }
}

/// When an acknowledged message survives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// A power cut.
    #[default]
    Full,
    /// A crash of the process, but perhaps no power cut.
    Relaxed,
}

/// `[store]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// When an acknowledged message survives.
    pub durability: Durability,
    /// Threads that read.
    pub reader_threads: usize,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            durability: Durability::Full,
            reader_threads: 2,
        }
    }
}

/// `[limits]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Messages per second and user.
    pub send_rate: u32,
    /// Messages that a user may send at once before the rate counts.
    pub send_burst: u32,
    /// Messages per second in one channel, by all together.
    pub channel_rate: u32,
    /// Messages in one channel at once before that counts.
    pub channel_burst: u32,
    /// Messages per second of all users of an app together.
    pub app_rate: u32,
    /// Messages of an app's users at once before that counts.
    pub app_burst: u32,
    /// Messages of broadcasts per second.
    pub broadcast_rate: u32,
    /// The largest payload, at most [`MAX_PAYLOAD_BYTES`].
    pub payload_bytes: usize,
    /// Failed logins per minute and address.
    pub login_failures_per_address: u32,
    /// Failed logins per minute, address and user.
    pub login_failures_per_user: u32,
    /// Events that may wait for one session.
    pub mailbox_items: usize,
    /// Bytes that may wait for one session.
    pub mailbox_bytes: usize,
    /// Client connections.
    pub connections: usize,
    /// Client connections of one address.
    pub connections_per_address: usize,
    /// HTTP connections of one listener.
    pub http_connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            send_rate: 200,
            send_burst: 1000,
            channel_rate: 0,
            channel_burst: 0,
            app_rate: 0,
            app_burst: 0,
            broadcast_rate: 500,
            payload_bytes: MAX_PAYLOAD_BYTES,
            login_failures_per_address: 300,
            login_failures_per_user: 20,
            mailbox_items: 1024,
            mailbox_bytes: 4 << 20,
            connections: 0,
            connections_per_address: 0,
            http_connections: 4096,
        }
    }
}

/// `[im]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Im {
    /// Strangers may not write to each other.
    pub friends_only: bool,
    /// The realms in which that is so where it is not so everywhere.
    pub friends_only_realms: Vec<String>,
    /// How many lanes order and deliver messages.
    pub lanes: usize,
    /// For how long authors may revoke what they sent.
    pub revoke_window_secs: u64,
    /// For how long authors may edit what they sent.
    pub edit_window_secs: u64,
    /// Members that do not moderate a channel may pin its messages, too.
    pub members_pin: bool,
}

impl Default for Im {
    fn default() -> Self {
        Self {
            friends_only: false,
            friends_only_realms: Vec::new(),
            lanes: 8,
            revoke_window_secs: 120,
            edit_window_secs: 0,
            members_pin: false,
        }
    }
}

/// When a moderator looks at a message with a word of the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReviewMode {
    /// After it was delivered.
    #[default]
    After,
    /// Before it is.
    Before,
}

/// `[moderation]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Moderation {
    /// Words with which nothing may be sent.
    pub reject: Vec<String>,
    /// Words of which nobody sees more than asterisks.
    pub mask: Vec<String>,
    /// A file with more words of the first sort, a line each.
    pub reject_file: String,
    /// A file with more words of the second sort, a line each.
    pub mask_file: String,
    /// Words at which a moderator looks.
    pub review: Vec<String>,
    /// A file with more of them, a line each.
    pub review_file: String,
    /// When they look.
    pub review_mode: ReviewMode,
}

/// `[retention]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// For how many days messages are kept; 0 = for ever.
    pub days: u32,
    /// For how many days the audit log is kept; 0 = for ever.
    pub audit_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            days: 0,
            audit_days: 365,
        }
    }
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// What is logged.
    pub level: String,
    /// How it is logged.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::Text,
        }
    }
}

/// `[net]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Net {
    /// Proxies that are believed when they say who the client is.
    pub trusted_proxies: Vec<String>,
}
