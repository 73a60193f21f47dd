//! Walls inside and between crates, read from the code: dialects, SQL, sockets.
//!
//! Comments never count; strings count only where a rule says so.

use super::{Finding, is_below};
use crate::scan::Kind;
use crate::source::Source;

/// The dialects' folder names in `gateway` and `wire`.
const DIALECTS: [&str; 5] = ["wukong", "stomp", "mqtt", "wg", "gyyx"];
/// A further sibling in `wire`; in `gateway` it is a transport.
const WIRE_SIBLING: &str = "sockjs";

/// Where sockets are opened; everything else gets streams, or bytes.
const SOCKET_HOMES: [&str; 14] = [
    "crates/gateway/src/net/",
    "crates/gateway/src/net.rs",
    "crates/server/src/main.rs",
    "crates/server/src/lib.rs",
    "crates/server/src/compose",
    "crates/server/src/doctor",
    "crates/server/src/listen",
    "crates/server/src/serve",
    "crates/server/src/http/listen",
    "crates/server/src/http/mod.rs",
    "crates/bench/",
    "crates/client/src/transport",
    "tests/",
    "xtask/",
];

/// Runs the rules on one file.
pub(super) fn check(source: &Source<'_>, findings: &mut Vec<Finding>) {
    siblings(source, findings);
    dialect_in_core(source, findings);
    sql(source, findings);
    sockets(source, findings);
}

/// A dialect's folder names no other dialect's module.
fn siblings(source: &Source<'_>, findings: &mut Vec<Finding>) {
    let in_wire = source.crate_name() == "wire";
    let siblings = DIALECTS.into_iter().chain(in_wire.then_some(WIRE_SIBLING));
    let own = ["crates/wire/src/", "crates/gateway/src/"]
        .iter()
        .find_map(|root| source.path.strip_prefix(root))
        .map(|rest| rest.split(['/', '.']).next().unwrap_or_default());
    let Some(own) = own.filter(|own| siblings.clone().any(|it| it == *own)) else {
        return;
    };
    let mut in_use = false;
    for (at, token) in source.tokens.iter().enumerate() {
        if token.is("use") {
            in_use = true;
        } else if token.is(";") {
            in_use = false;
        }
        let in_path = in_use || source.before(at, 1, "::") || source.after(at, 1, "::");
        let named = siblings.clone().find(|it| token.is(it) && *it != own);
        if let Some(sibling) = named.filter(|_| in_path) {
            let why = format!(
                "{own} reaches into its sibling {sibling}; what two dialects need gets a home of \
                 its own outside both"
            );
            findings.push(Finding::new(
                source.path,
                token.line,
                "sibling-dialect",
                why,
            ));
        }
    }
}

/// core's own code knows no dialect, neither as an identifier nor as a string.
fn dialect_in_core(source: &Source<'_>, findings: &mut Vec<Finding>) {
    if !source.path.starts_with("crates/core/src/") || source.is_test {
        return;
    }
    let why = |name: &str| format!("core knows no dialect, but `{name}` does; map it in gateway");
    let in_path = source.path.split(['/', '.']).any(is_dialect_shaped);
    if in_path {
        findings.push(Finding::new(
            source.path,
            1,
            "dialect-in-core",
            why(source.path),
        ));
    }
    for token in source.tokens.iter().filter(|token| !token.in_test) {
        let is_hit = match token.kind {
            Kind::Ident => is_dialect_shaped(token.text),
            Kind::Str => DIALECTS.contains(&token.text),
            Kind::Punct | Kind::Other => false,
        };
        if is_hit {
            findings.push(Finding::new(
                source.path,
                token.line,
                "dialect-in-core",
                why(token.text),
            ));
        }
    }
}

/// `wukong_flag`, `MqttTopic`, `WuKong`, `wg`; not `owg` or `drawGrid`.
fn is_dialect_shaped(identifier: &str) -> bool {
    let lower = identifier.to_lowercase();
    let long = DIALECTS
        .iter()
        .any(|dialect| dialect.len() > 2 && lower.contains(dialect));
    let short = lower.split('_').any(|word| word == "wg") || words(identifier).any(|w| w == "Wg");
    long || short
}

/// The humps of a camel-case identifier.
fn words(identifier: &str) -> impl Iterator<Item = &str> {
    let mut rest = identifier;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut chars = rest.char_indices().skip(1);
        let end = chars
            .find(|(_, c)| c.is_uppercase() || *c == '_')
            .map_or(rest.len(), |it| it.0);
        let (word, tail) = rest.split_at(end);
        rest = tail;
        Some(word.trim_matches('_'))
    })
}

/// SQL and its libraries are used in backends only.
fn sql(source: &Source<'_>, findings: &mut Vec<Finding>) {
    if is_below(source, &["crates/backends/", "xtask/"]) {
        return;
    }
    for token in &source.tokens {
        let is_hit = match token.kind {
            Kind::Ident => ["rusqlite", "tokio_postgres", "refinery"].contains(&token.text),
            Kind::Str => is_sql(token.text),
            Kind::Punct | Kind::Other => false,
        };
        if is_hit {
            let why = "SQL lives in crates/backends only; ask a port of core instead";
            findings.push(Finding::new(
                source.path,
                token.line,
                "sql-outside-backends",
                why,
            ));
        }
    }
}

/// Whether a string begins as a statement does, and is no HTTP method or sentence.
fn is_sql(string: &str) -> bool {
    let string = string.trim_start_matches(|c: char| c.is_whitespace() || c == '\\');
    let lower = string.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    match words[..] {
        ["select", _, ..] => string.starts_with("SELECT") || words.contains(&"from"),
        ["insert", "into" | "or", ..] | ["delete", "from", ..] => true,
        ["update", _, "set", ..] | ["update", "or", ..] => true,
        [
            "create",
            "table" | "index" | "unique" | "virtual" | "trigger" | "view",
            ..,
        ] => string.starts_with("CREATE") || words.len() > 2,
        _ => false,
    }
}

/// Sockets are opened where connections are kept, and in code that tests it.
fn sockets(source: &Source<'_>, findings: &mut Vec<Finding>) {
    let may_test = ["gateway", "server", "client"].contains(&source.crate_name());
    if is_below(source, &SOCKET_HOMES) {
        return;
    }
    for token in &source.tokens {
        let is_socket = [
            "TcpListener",
            "TcpStream",
            "UdpSocket",
            "UnixListener",
            "UnixStream",
        ]
        .iter()
        .any(|name| token.is(name));
        if is_socket && !(may_test && token.in_test) {
            let why = format!(
                "`{}` belongs in gateway/src/net, client/src/transport, bench, tests or the \
                 server's composition and listeners",
                token.text
            );
            findings.push(Finding::new(
                source.path,
                token.line,
                "socket-outside-net",
                why,
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::is_dialect_shaped;

    fn lines(rule: &str, path: &str, text: &str) -> Vec<String> {
        found(rule, &[(path, text)])
            .iter()
            .map(|place| place.rsplit(':').next().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_dialect_names_no_sibling() {
        let text = "use crate::stomp::Frame;\nuse crate::{\n  conn,\n  wg,\n};\nfn a() { super::gyyx::b() }\n\
                    // crate::stomp is a sibling\nuse crate::mqtt::Packet;\nlet wg = 1;";
        let rule = "sibling-dialect";
        assert_eq!(
            lines(rule, "crates/gateway/src/mqtt/map.rs", text),
            ["1", "4", "6"]
        );
        assert_eq!(
            lines(rule, "crates/wire/src/mqtt.rs", text),
            ["1", "4", "6"]
        );
        assert!(lines(rule, "crates/gateway/src/registry.rs", text).is_empty());
    }

    #[test]
    fn sockjs_is_a_sibling_in_wire_only() {
        let text = "use crate::sockjs::Frame;";
        assert_eq!(
            lines("sibling-dialect", "crates/wire/src/stomp/mod.rs", text),
            ["1"]
        );
        assert!(lines("sibling-dialect", "crates/gateway/src/stomp/mod.rs", text).is_empty());
        let text = "use crate::stomp::Frame;";
        assert_eq!(
            lines("sibling-dialect", "crates/wire/src/sockjs/mod.rs", text),
            ["1"]
        );
    }

    #[test]
    fn core_knows_no_dialect() {
        let text = "// wukong §3\nfn mqtt_topic() {}\nstruct WgFrame;\nlet a = \"gyyx\";\n\
                    let b = \"about mqtt\";\n#[cfg(test)]\nmod tests { fn stomp() {} }";
        let rule = "dialect-in-core";
        assert_eq!(lines(rule, "crates/core/src/id.rs", text), ["2", "3", "4"]);
        assert!(lines(rule, "crates/core/src/id/tests.rs", text).is_empty());
        assert!(lines(rule, "crates/gateway/src/id.rs", text).is_empty());
        assert_eq!(lines(rule, "crates/core/src/wg/mod.rs", ""), ["1"]);
    }

    #[test]
    fn dialect_names_are_whole_words() {
        for name in [
            "wg",
            "wg_ack",
            "ack_wg",
            "Wg",
            "MyWgAck",
            "WUKONG",
            "WuKongFlag",
            "mqtt5",
        ] {
            assert!(is_dialect_shaped(name), "{name}");
        }
        for name in ["owg", "swg_x", "DrawGrid", "dawg", "message", "WGS84"] {
            assert!(!is_dialect_shaped(name), "{name}");
        }
    }

    #[test]
    fn sql_stays_in_backends() {
        let text = "use rusqlite::Connection;\nlet a = \"SELECT 1\";\nlet b = r#\"\n  insert into t\"#;\n\
                    let c = \"DELETE\";\nlet d = \"DELETE /v1/users\";\nlet e = \"Select a user\";\n\
                    // SELECT x\nlet f = \"\\\n UPDATE t SET x = 1\";\nlet g = \"CREATE TABLE t(x)\";";
        let rule = "sql-outside-backends";
        assert_eq!(
            lines(rule, "crates/server/src/a.rs", text),
            ["1", "2", "3", "9", "11"]
        );
        assert_eq!(lines(rule, "tests/src/a.rs", text).len(), 5);
        assert!(lines(rule, "crates/backends/src/a.rs", text).is_empty());
    }

    #[test]
    fn sockets_stay_at_the_edge() {
        let text = "use tokio::net::TcpStream;\n#[cfg(test)]\nuse std::net::TcpListener;";
        let rule = "socket-outside-net";
        assert_eq!(lines(rule, "crates/core/src/a.rs", text), ["1", "3"]);
        assert_eq!(
            lines(rule, "crates/gateway/src/conn/driver.rs", text),
            ["1"]
        );
        assert_eq!(lines(rule, "crates/server/src/http/users.rs", text), ["1"]);
        for home in [
            "gateway/src/net/tcp.rs",
            "server/src/main.rs",
            "bench/src/a.rs",
        ] {
            assert!(
                lines(rule, &format!("crates/{home}"), text).is_empty(),
                "{home}"
            );
        }
        assert!(lines(rule, "tests/src/harness.rs", text).is_empty());
    }
}
