//! `[auth.<app_id>]`: who decides on credentials that are not ours. There is a section per app
//! that has one, so its keys are not among the fixed ones.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crosstalk_core::directory::AppId;
use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::check::Findings;
use super::values::Secret;

/// The section that all of these are in.
pub(super) const SECTION: &str = "auth";

/// Settings by app id.
pub type Auth = BTreeMap<String, AppAuth>;

/// `[auth.<app_id>]`: exactly one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppAuth {
    /// The app is asked.
    pub hook: Hook,
    /// Its tokens are checked here.
    pub jwt: Jwt,
}

/// `[auth.<app_id>.hook]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hook {
    /// Where questions go. Empty = there is no hook.
    pub url: String,
    /// What signs them.
    pub secret: Secret,
}

/// `[auth.<app_id>.jwt]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jwt {
    /// The only algorithm that is accepted. Empty = no tokens are checked.
    pub algorithm: String,
    /// The secret of HS…, the public key of the others in PEM.
    pub key: Secret,
    /// Where the keys are published.
    pub jwks_url: String,
    /// The claim with the user's id.
    pub uid_claim: String,
    /// The claim with the user's roles.
    pub roles_claim: String,
    /// What `iss` must be; empty = anything.
    pub issuer: String,
    /// What must be in `aud`; empty = anything.
    pub audience: String,
}

impl Default for Jwt {
    fn default() -> Self {
        Self {
            algorithm: String::new(),
            key: Secret::default(),
            jwks_url: String::new(),
            uid_claim: "sub".to_owned(),
            roles_claim: "roles".to_owned(),
            issuer: String::new(),
            audience: String::new(),
        }
    }
}

/// The settings of an app that says nothing.
pub(super) fn defaults() -> Table {
    Table::try_from(AppAuth::default()).expect("the configuration is made of what TOML has")
}

/// The app of a key below `auth`, if the key can be one of an app's: app ids may have dots, so
/// the setting is what stands at the end.
pub(super) fn app_of(key: &str) -> Option<&str> {
    let mut parts = key
        .strip_prefix(SECTION)?
        .strip_prefix('.')?
        .rsplitn(3, '.');
    let (_, _, app) = (parts.next()?, parts.next()?, parts.next()?);
    Some(app)
}

/// Sets a key of an app.
pub(super) fn set(table: &mut Table, app: &str, setting: &str, value: Value) {
    let apps = table
        .entry(SECTION)
        .or_insert_with(|| Value::Table(Table::new()));
    let Some(apps) = apps.as_table_mut() else {
        return;
    };
    let app = apps.entry(app).or_insert_with(|| Value::Table(defaults()));
    if let (Some(app), Some((section, name))) = (app.as_table_mut(), setting.split_once('.'))
        && let Some(Value::Table(section)) = app.get_mut(section)
    {
        section.insert(name.to_owned(), value);
    }
}

/// A section's name as a file has it: app ids with dots are quoted.
pub(super) fn title(section: &str) -> Cow<'_, str> {
    let parts = section
        .strip_prefix("auth.")
        .and_then(|rest| rest.rsplit_once('.'));
    match parts {
        Some((app, part)) if !app.bytes().all(is_bare) => {
            format!("{SECTION}.\"{app}\".{part}").into()
        }
        _ => section.into(),
    }
}

/// True for a character that a TOML key may have without quotes.
fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// True for a key whose value stays hidden.
pub(super) fn is_secret(key: &str) -> bool {
    app_of(key).is_some() && (key.ends_with(".hook.secret") || key.ends_with(".jwt.key"))
}

/// Checks the sections of all apps.
pub(super) fn check(auth: &Auth, findings: &mut Findings) {
    for (app, section) in auth {
        let key = |setting: &str| format!("{SECTION}.{app}.{setting}");
        if let Err(error) = AppId::parse(app) {
            findings.problem(key("hook.url"), format!("`{app}` is no app id: {error}"));
        }
        match (
            section.hook.url.is_empty(),
            section.jwt.algorithm.is_empty(),
        ) {
            (true, true) => {
                let why = "set hook.url or jwt.algorithm, or leave the section out";
                findings.problem(key("hook.url"), why);
            }
            (false, false) => {
                findings.problem(key("jwt.algorithm"), "hook and jwt exclude each other");
            }
            (false, true) => hook(&section.hook, &key, findings),
            (true, false) => jwt(&section.jwt, &key, findings),
        }
    }
}

fn hook(hook: &Hook, key: &impl Fn(&str) -> String, findings: &mut Findings) {
    url(&hook.url, key("hook.url"), findings);
    if hook.secret.get().is_none() {
        let why = "is not set; the app must be able to tell our questions from others'";
        findings.problem(key("hook.secret"), why);
    }
}

fn jwt(jwt: &Jwt, key: &impl Fn(&str) -> String, findings: &mut Findings) {
    let Ok(algorithm) = jwt.algorithm.parse::<Algorithm>() else {
        let why = "write HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, \
                   ES384 or EdDSA";
        return findings.problem(key("jwt.algorithm"), why);
    };
    let is_secret = matches!(
        algorithm,
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
    );
    match (jwt.key.get(), jwt.jwks_url.is_empty()) {
        (None, true) => findings.problem(key("jwt.key"), "set it, or jwks_url"),
        (Some(_), false) => {
            findings.problem(key("jwt.jwks_url"), "key and jwks_url exclude each other");
        }
        (None, false) if is_secret => {
            let why = "the secrets of HS… are not published; set key instead";
            findings.problem(key("jwt.jwks_url"), why);
        }
        (None, false) => url(&jwt.jwks_url, key("jwt.jwks_url"), findings),
        (Some(text), true) if !is_secret && !text.contains("-----BEGIN ") => {
            findings.problem(key("jwt.key"), "is no key in PEM");
        }
        (Some(_), true) => {}
    }
    if jwt.uid_claim.is_empty() {
        findings.problem(key("jwt.uid_claim"), "must not be empty");
    }
}

pub(super) fn url(text: &str, key: String, findings: &mut Findings) {
    let is_loopback = |rest: &str| {
        ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| {
            rest.strip_prefix(host)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        })
    };
    match text.split_once("://") {
        Some(("https", host)) if !host.is_empty() => {}
        Some(("http", host)) if is_loopback(host) => {}
        Some(("http", host)) if !host.is_empty() => {
            let why = format!("{key} is not https: credentials cross the network in the open");
            findings.warnings.push(why);
        }
        _ => findings.problem(
            key,
            format!("`{text}` is no address; write https://host/path"),
        ),
    }
}
