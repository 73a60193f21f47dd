//! Settings of the wg dialect.

use std::ops::RangeInclusive;

use crosstalk_core::id::Realm;
use serde::{Deserialize, Serialize};

use super::auth;
use super::check::Findings;
use super::values::Secret;

/// `[wg]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wg {
    /// The realm of its users.
    pub realm: String,
    /// The host announced at login; empty = what is bound.
    pub url: String,
    /// The port announced at login; 0 = what is bound.
    pub port: u16,
    /// The path of its WebSocket, without slashes around it.
    pub context: String,
    /// What `data` is in the answer to a login.
    pub login_data: LoginData,
    /// What becomes of a user's clients of the same name.
    pub same_name: SameName,
    /// What receivers of a message to a list see in `to`.
    pub list_to: ListTo,
    /// Message types that applications handle.
    pub custom: Vec<Custom>,
    /// What signs the questions to those applications.
    pub custom_secret: Secret,
    /// Web origins whose pages may connect.
    pub allowed_origins: Vec<String>,
}

impl Default for Wg {
    fn default() -> Self {
        Self {
            realm: "default".to_owned(),
            url: String::new(),
            port: 0,
            context: "websocket".to_owned(),
            login_data: LoginData::default(),
            same_name: SameName::default(),
            list_to: ListTo::default(),
            custom: Vec::new(),
            custom_secret: Secret::default(),
            allowed_origins: vec!["*".to_owned()],
        }
    }
}

/// What `data` is in the answer to a login.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoginData {
    /// The session id.
    #[default]
    Text,
    /// An object with it.
    Object,
}

/// What becomes of a user's clients of the same name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SameName {
    /// The newer one takes the place of the older one.
    #[default]
    Replace,
    /// There may be several.
    Coexist,
}

/// What receivers of a message to a list see in `to`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListTo {
    /// Their own id.
    #[default]
    Own,
    /// The list.
    AsSent,
}

/// `[[wg.custom]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custom {
    /// The types: a number, or the first and the last with `-` between them.
    pub types: String,
    /// Where their messages are posted.
    pub url: String,
}

impl Custom {
    /// The types, if they are written as they should.
    #[must_use]
    pub fn range(&self) -> Option<RangeInclusive<i64>> {
        let number = |text: &str| text.trim().parse::<u32>().ok().map(i64::from);
        let (first, last) = self
            .types
            .split_once('-')
            .unwrap_or((&self.types, &self.types));
        let (first, last) = (number(first)?, number(last)?);
        (first <= last).then_some(first..=last)
    }
}

/// Checks what the types cannot say.
pub(super) fn check(wg: &Wg, findings: &mut Findings) {
    if let Err(error) = Realm::parse(&wg.realm) {
        findings.problem("wg.realm", error.to_string());
    }
    let is_part = |part: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        !part.is_empty() && part.bytes().all(fits)
    };
    let first = wg.context.split('/').next().unwrap_or_default();
    if !wg.context.split('/').all(is_part) || ["api", "app"].contains(&first) {
        let why = "must be a path like websocket or im/ws, and not below api or app";
        findings.problem("wg.context", why);
    }
    let host = wg.url.split_once("://").map_or(&*wg.url, |(_, host)| host);
    if host.contains('/') || wg.url.contains(char::is_whitespace) {
        findings.problem("wg.url", "write the host alone, as im.example.org");
    }
    for origin in &wg.allowed_origins {
        let is_origin = origin
            .split_once("://")
            .is_some_and(|(_, host)| !host.is_empty() && !host.contains('/'));
        if origin != "*" && !is_origin {
            let why = format!("`{origin}` is no origin; write https://host, or \"*\" for all");
            findings.problem("wg.allowed_origins", why);
        }
    }
    for custom in &wg.custom {
        if custom.range().is_none() {
            let why = format!("`{}` are no types; write \"4000-4999\"", custom.types);
            findings.problem("wg.custom", why);
        }
        auth::url(&custom.url, "wg.custom".to_owned(), findings);
    }
}
