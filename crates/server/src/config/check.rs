//! What a type cannot say about a setting: ranges, forms, and settings that need each other.

use std::borrow::Cow;

use crosstalk_core::id::Realm;
use crosstalk_core::send::limits::MAX_PAYLOAD_BYTES;
use crosstalk_gateway::net::TrustedProxies;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::auth;
use super::files;
use super::gyyx;
use super::hooks;
use super::mqtt;
use super::schema::Config;
use super::stomp;
use super::wg;

/// Manager tokens that stand in samples; as good as none.
const SAMPLES: [&str; 8] = [
    "changeme",
    "change-me",
    "admin",
    "password",
    "secret",
    "token",
    "test",
    "123456",
];
/// The longest retention; beyond it "for ever" is meant.
const MAX_DAYS: u32 = 36_500;
/// The largest number of a node.
const MAX_NODE: u16 = 1023;

/// What the checks found.
#[derive(Default)]
pub(super) struct Findings {
    /// Keys and what is wrong with them.
    pub(super) problems: Vec<(Cow<'static, str>, String)>,
    /// What is allowed but worth a word.
    pub(super) warnings: Vec<String>,
}

impl Findings {
    pub(super) fn problem(&mut self, key: impl Into<Cow<'static, str>>, why: impl Into<String>) {
        self.problems.push((key.into(), why.into()));
    }

    fn unless(&mut self, holds: bool, key: &'static str, why: &str) {
        if !holds {
            self.problem(key, why);
        }
    }
}

/// Checks everything.
pub(super) fn check(config: &Config, findings: &mut Findings) {
    server(config, findings);
    wukong(config, findings);
    realms(config, findings);
    numbers(config, findings);
    auth::check(&config.auth, findings);
    files::check(&config.files, findings);
    gyyx::check(&config.gyyx, findings);
    hooks::check(&config.hooks, findings);
    mqtt::check(&config.mqtt, findings);
    stomp::check(&config.stomp, findings);
    wg::check(&config.wg, findings);
    log_level(&config.log.level, findings);
    if let Err(why) = TrustedProxies::parse(&config.net.trusted_proxies) {
        findings.problem("net.trusted_proxies", why);
    }
}

fn log_level(text: &str, findings: &mut Findings) {
    const FORM: &str = "write error, warn, info, debug or trace, or a list with target=level";
    // The parser takes a word that is no level for a target, and would silence everything else.
    let is_level = |item: &str| !item.is_empty() && item.parse::<LevelFilter>().is_ok();
    let mut items = text.split(',').map(str::trim);
    let stray = items.find(|item| !item.contains('=') && !is_level(item));
    if let Some(stray) = stray {
        findings.problem("log.level", format!("`{stray}` is no level; {FORM}"));
    } else if let Err(error) = EnvFilter::builder().parse(text) {
        findings.problem("log.level", format!("{error}; {FORM}"));
    }
}

fn server(config: &Config, findings: &mut Findings) {
    let server = &config.server;
    findings.unless(
        !server.data_dir.is_empty(),
        "server.data_dir",
        "must not be empty",
    );
    findings.unless(
        server.node_id <= MAX_NODE,
        "server.node_id",
        "must be 0 to 1023",
    );
    let public = &server.public;
    let forms: [(&'static str, &str, &[&str]); 4] = [
        ("server.public.tcp", &public.tcp, &[]),
        ("server.public.ws", &public.ws, &["ws://"]),
        ("server.public.wss", &public.wss, &["wss://"]),
        ("server.public.http", &public.http, &["http://", "https://"]),
    ];
    for (key, text, schemes) in forms {
        let fits = if schemes.is_empty() {
            text.rsplit_once(':')
                .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
        } else {
            schemes
                .iter()
                .any(|scheme| text.len() > scheme.len() && text.starts_with(scheme))
        };
        if !text.is_empty() && !fits {
            let form = if schemes.is_empty() {
                "host:port"
            } else {
                schemes[0]
            };
            findings.problem(key, format!("write it as {form}…, or leave it empty"));
        }
    }
    let http = config.listen.http;
    let is_any = http.address().is_some_and(|it| it.ip().is_unspecified());
    if is_any && public.http.is_empty() {
        // Never taken from what a request calls us: addresses of files are signed.
        findings.warnings.push(format!(
            "server.public.http is not set, and listen.http = {http} names no host: addresses of \
             files, which messages carry, and others that clients are told point to this machine \
             alone; set it to what clients reach this server by, as in https://im.example.org"
        ));
    }
}

fn realms(config: &Config, findings: &mut Findings) {
    for realm in &config.im.friends_only_realms {
        if let Err(error) = Realm::parse(realm) {
            findings.problem("im.friends_only_realms", format!("`{realm}`: {error}"));
        }
    }
}

fn wukong(config: &Config, findings: &mut Findings) {
    let wukong = &config.wukong;
    if let Err(error) = Realm::parse(&wukong.realm) {
        findings.problem("wukong.realm", error.to_string());
    }
    for origin in &wukong.allowed_origins {
        let is_origin = origin
            .split_once("://")
            .is_some_and(|(_, host)| !host.is_empty() && !host.contains('/'));
        if origin != "*" && !is_origin {
            let why = format!("`{origin}` is no origin; write https://host, or \"*\" for all");
            findings.problem("wukong.allowed_origins", why);
        }
    }
    if !config.dialects.wukong.enabled {
        return;
    }
    if !wukong.token_auth {
        let why = "wukong.token_auth is off: anyone may connect in any user's name";
        findings.warnings.push(why.to_owned());
    }
    if !config.listen.wukong_api.is_exposed() {
        return;
    }
    if wukong.demo_open {
        let why =
            "needs listen.wukong_api to be on loopback: anyone who reaches it acts for anyone";
        findings.problem("wukong.demo_open", why);
    }
    let address = config.listen.wukong_api;
    let needed = |what: &str| {
        format!(
            "{what}, but listen.wukong_api = {address} can be reached from other machines; set \
             wukong.manager_token to a long random text, or let the API listen on 127.0.0.1"
        )
    };
    match wukong.manager_token.get() {
        None => findings.problem("wukong.manager_token", needed("is not set")),
        Some(token) if SAMPLES.contains(&token.to_lowercase().as_str()) => {
            findings.problem("wukong.manager_token", needed("is a sample"));
        }
        Some(_) => {}
    }
}

fn numbers(config: &Config, findings: &mut Findings) {
    let limits = &config.limits;
    let at_least_one = [
        ("limits.payload_bytes", limits.payload_bytes),
        ("limits.mailbox_items", limits.mailbox_items),
        ("limits.mailbox_bytes", limits.mailbox_bytes),
    ];
    for (key, value) in at_least_one {
        findings.unless(value > 0, key, "must be at least 1");
    }
    findings.unless(
        limits.payload_bytes <= MAX_PAYLOAD_BYTES,
        "limits.payload_bytes",
        &format!("must be at most {MAX_PAYLOAD_BYTES}: a larger message fits no frame"),
    );
    findings.unless(
        (1..=64).contains(&config.store.reader_threads),
        "store.reader_threads",
        "must be 1 to 64",
    );
    findings.unless(
        (1..=1024).contains(&config.im.lanes),
        "im.lanes",
        "must be 1 to 1024",
    );
    findings.unless(
        config.retention.days <= MAX_DAYS,
        "retention.days",
        "must be at most 36500; 0 keeps messages for ever",
    );
    findings.unless(
        config.retention.audit_days <= MAX_DAYS,
        "retention.audit_days",
        "must be at most 36500; 0 keeps acts for ever",
    );
}
