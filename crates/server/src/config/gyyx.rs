//! Settings of the gyyx dialect.

use crosstalk_core::directory::AppId;
use serde::{Deserialize, Serialize};

use super::check::Findings;

/// `[gyyx]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gyyx {
    /// Where clients are told to connect, `ws://` or `wss://` and a host; empty = where they
    /// ask for a signed URL.
    pub url: String,
    /// The form of the answer to `/im/sign`.
    pub sign_answer: SignAnswer,
    /// How URLs are signed.
    pub sign: Sign,
    /// For how long a signed URL holds, seconds.
    pub url_ttl_secs: u32,
    /// Whether a signed URL can be used once only.
    pub sign_once: bool,
    /// Whether messages need a chat signature.
    pub chat_sign: ChatSign,
    /// How often clients are told to send a heartbeat, seconds.
    pub heartbeat_secs: u32,
    /// The code profile.
    pub codes: CodeProfile,
    /// Which frames are answered with a 30.
    pub ack30: Ack30,
    /// How lists are written.
    pub list: ListForm,
    /// Whether a 160 is answered with the newest messages.
    pub view_reply: bool,
    /// Whether frames 10 say why.
    pub error_detail: bool,
    /// The zone of `sendTimeDate`, minutes east of UTC.
    pub utc_offset_minutes: i32,
    /// What is different for single apps.
    pub apps: Vec<GyyxAppSettings>,
    /// Web origins whose pages may connect.
    pub allowed_origins: Vec<String>,
}

impl Default for Gyyx {
    fn default() -> Self {
        Self {
            url: String::new(),
            sign_answer: SignAnswer::default(),
            sign: Sign::default(),
            url_ttl_secs: 86_400,
            sign_once: false,
            chat_sign: ChatSign::default(),
            heartbeat_secs: 30,
            codes: CodeProfile::default(),
            ack30: Ack30::default(),
            list: ListForm::default(),
            view_reply: true,
            error_detail: false,
            utc_offset_minutes: 480,
            apps: Vec::new(),
            allowed_origins: vec!["*".to_owned()],
        }
    }
}

/// `[[gyyx.apps]]`: what is not said is as in `[gyyx]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GyyxAppSettings {
    /// The app.
    pub id: String,
    /// How its URLs are signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<Sign>,
    /// Whether its messages need a chat signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_sign: Option<ChatSign>,
    /// How often its clients are told to send a heartbeat, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_secs: Option<u32>,
    /// Its code profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes: Option<CodeProfile>,
}

/// The form of the answer to `/im/sign`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignAnswer {
    /// `data` is the URL.
    #[default]
    Data,
    /// `data` is an object with the URL.
    Object,
    /// The body is the URL.
    Plain,
}

/// How URLs are signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sign {
    /// HMAC-SHA256, cut to 16 bytes.
    #[default]
    Hmac,
    /// MD5 of the parameters and the secret.
    Md5,
}

/// Whether messages need a chat signature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChatSign {
    /// It is not looked at.
    #[default]
    Off,
    /// They do.
    Required,
}

/// The code profile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodeProfile {
    /// What the URL says, or else the client's first code that tells.
    #[default]
    Auto,
    /// That of the protocol table.
    Table,
    /// That of the prose.
    Prose,
}

/// Which frames are answered with a 30.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ack30 {
    /// Those without an answer of their own, and 130, 190 and 198 before theirs.
    #[default]
    Always,
    /// Only those without an answer of their own.
    Minimal,
}

/// How lists are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListForm {
    /// A frame for each message.
    #[default]
    Frames,
    /// A frame with an array of messages.
    Array,
}

/// The longest life of a signed URL, seconds: a year.
const MAX_URL_TTL_SECS: u32 = 366 * 86_400;
/// The longest time between heartbeats, seconds: a day.
const MAX_HEARTBEAT_SECS: u32 = 86_400;
/// The zone that is farthest from UTC, minutes.
const MAX_OFFSET_MINUTES: i32 = 14 * 60;

/// Checks what the types cannot say.
pub(super) fn check(gyyx: &Gyyx, findings: &mut Findings) {
    let host = ["ws://", "wss://"]
        .iter()
        .find_map(|scheme| gyyx.url.strip_prefix(scheme));
    let is_host = host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#']));
    if !gyyx.url.is_empty() && !is_host {
        findings.problem("gyyx.url", "write ws://host or wss://host, without a path");
    }
    if !(1..=MAX_URL_TTL_SECS).contains(&gyyx.url_ttl_secs) {
        let why = format!("must be 1 to {MAX_URL_TTL_SECS}");
        findings.problem("gyyx.url_ttl_secs", why);
    }
    let is_heartbeat = |secs: u32| (1..=MAX_HEARTBEAT_SECS).contains(&secs);
    let heartbeats = format!("must be 1 to {MAX_HEARTBEAT_SECS}");
    if !is_heartbeat(gyyx.heartbeat_secs) {
        findings.problem("gyyx.heartbeat_secs", heartbeats.as_str());
    }
    if gyyx.utc_offset_minutes.abs() > MAX_OFFSET_MINUTES {
        findings.problem("gyyx.utc_offset_minutes", "must be -840 to 840");
    }
    for (at, app) in gyyx.apps.iter().enumerate() {
        let id = &app.id;
        if AppId::parse(id).is_err() {
            findings.problem("gyyx.apps", format!("`{id}` is no app id"));
        }
        if gyyx.apps[..at].iter().any(|other| other.id == *id) {
            findings.problem("gyyx.apps", format!("`{id}` is there twice"));
        }
        if app.heartbeat_secs.is_some_and(|secs| !is_heartbeat(secs)) {
            let why = format!("heartbeat_secs of `{id}` {heartbeats}");
            findings.problem("gyyx.apps", why);
        }
    }
    for origin in &gyyx.allowed_origins {
        let is_origin = origin
            .split_once("://")
            .is_some_and(|(_, host)| !host.is_empty() && !host.contains('/'));
        if origin != "*" && !is_origin {
            let why = format!("`{origin}` is no origin; write https://host, or \"*\" for all");
            findings.problem("gyyx.allowed_origins", why);
        }
    }
}
