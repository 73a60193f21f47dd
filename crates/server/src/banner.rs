//! What a person sees when the server is ready: where it listens, where the key lies, and a
//! first exchange to paste into a shell.

use std::fmt::Write;
use std::path::Path;

use crate::compose::Bound;
use crate::config::{Dialects, Switch};
use crate::keys::{ADMIN_KEY_FILE, ADMIN_KEY_VARIABLE};

/// One request of the first exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// JSON; empty = no body.
    pub(crate) body: &'static str,
}

/// Two users, a message, and its way into the history.
pub(crate) const FIRST_EXCHANGE: [Step; 5] = [
    Step {
        method: "PUT",
        path: "/v1/users/alice",
        body: r#"{"name":"Alice"}"#,
    },
    Step {
        method: "PUT",
        path: "/v1/users/bob",
        body: r#"{"name":"Bob"}"#,
    },
    Step {
        method: "POST",
        path: "/v1/messages",
        body: r#"{"from":"alice","to":{"kind":"direct","id":"bob"},"content":{"type":"text","text":"hello"}}"#,
    },
    Step {
        method: "GET",
        path: "/v1/channels/direct/alice/messages?user=bob",
        body: "",
    },
    Step {
        method: "POST",
        path: "/v1/users/bob/tokens",
        body: "{}",
    },
];

/// What the banner says.
pub(crate) struct Banner<'a> {
    pub(crate) bound: &'a Bound,
    pub(crate) public_url: &'a str,
    pub(crate) data_dir: &'a Path,
    pub(crate) is_key_from_env: bool,
    /// Which dialects are switched on.
    pub(crate) dialects: &'a Dialects,
    /// The path of wg's WebSocket.
    pub(crate) wg_context: &'a str,
}

impl Banner<'_> {
    pub(crate) fn text(&self) -> String {
        let mut text = format!("\ncrosstalk {} is ready\n\n", env!("CARGO_PKG_VERSION"));
        let key_file = self.data_dir.join(ADMIN_KEY_FILE).display().to_string();
        let at = |listener, scheme: &str| {
            self.bound
                .local(listener)
                .map(|address| format!("{scheme}{address}"))
        };
        let web = |switch: &Switch, path: &str| {
            let url = at("http", "ws://").filter(|_| switch.enabled);
            url.map(|url| format!("{url}{path}"))
        };
        let http = at("http", "http://");
        let public = Some(self.public_url.trim_end_matches('/')).filter(|url| !url.is_empty());
        let docs = public.or(http.as_deref()).map(|url| format!("{url}/docs"));
        let key = if self.is_key_from_env {
            format!("${ADMIN_KEY_VARIABLE}")
        } else {
            key_file
        };
        let lines = [
            ("wukong over TCP", at("wukong_tcp", "")),
            ("wukong over WebSocket", at("wukong_ws", "ws://")),
            ("wukong HTTP API", at("wukong_api", "http://")),
            ("stomp", web(&self.dialects.stomp, "/ws/im")),
            ("mqtt over TCP", at("mqtt_tcp", "")),
            ("mqtt over WebSocket", web(&self.dialects.mqtt, "/mqtt")),
            ("gyyx", web(&self.dialects.gyyx, "/ws")),
            (
                "wg",
                at("wg", "ws://").map(|at| format!("{at}/{}", self.wg_context)),
            ),
            ("gyyx alone", at("gyyx", "ws://")),
            ("REST", http.as_ref().map(|url| format!("{url}/v1"))),
            ("API docs", docs),
            ("admin key", Some(key)),
        ];
        for (what, place) in lines {
            if let Some(place) = place {
                let _ = writeln!(text, "  {what:<22} {place}");
            }
        }
        if let Some(http) = http {
            text.push_str("\nTry it:\n\n");
            text.push_str(&self.exchange(&http));
        }
        text
    }

    fn exchange(&self, http: &str) -> String {
        let key = if self.is_key_from_env {
            format!("${ADMIN_KEY_VARIABLE}")
        } else {
            format!("$(cat {})", quoted(&self.data_dir.join(ADMIN_KEY_FILE)))
        };
        let mut text = format!("  KEY=\"Authorization: Bearer {key}\"\n");
        text.push_str("  JSON='Content-Type: application/json'\n");
        for Step { method, path, body } in FIRST_EXCHANGE {
            let _ = write!(
                text,
                "  curl -sS -w '\\n' -X {method} '{http}{path}' -H \"$KEY\""
            );
            if !body.is_empty() {
                let _ = write!(text, " -H \"$JSON\" -d '{body}'");
            }
            text.push('\n');
        }
        text
    }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound() -> Bound {
        let mut bound = Bound::default();
        bound.add("http", "0.0.0.0:4321".parse().expect("an address"));
        bound.add("wukong_tcp", "127.0.0.1:5100".parse().expect("an address"));
        bound
    }

    fn text(bound: &Bound, data_dir: &str, is_key_from_env: bool) -> String {
        let data_dir = Path::new(data_dir);
        let mut off = Dialects::default();
        for switch in [&mut off.stomp, &mut off.mqtt, &mut off.gyyx] {
            switch.enabled = false;
        }
        Banner {
            bound,
            public_url: "",
            data_dir,
            is_key_from_env,
            dialects: &off,
            wg_context: "websocket",
        }
        .text()
    }

    #[test]
    fn it_says_where_everything_is() {
        let text = text(&bound(), "./data", false);
        for part in [
            "wukong over TCP        127.0.0.1:5100\n",
            "API docs               http://127.0.0.1:4321/docs\n",
            "admin key              ./data/admin.key\n",
            "KEY=\"Authorization: Bearer $(cat ./data/admin.key)\"\n",
            "curl -sS -w '\\n' -X PUT 'http://127.0.0.1:4321/v1/users/alice' -H \"$KEY\"",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains("WebSocket"), "what is off is not named");
    }

    #[test]
    fn it_survives_odd_folders_and_keys_from_elsewhere() {
        assert!(text(&bound(), "my data", false).contains("$(cat 'my data/admin.key')"));
        assert!(text(&bound(), "it's", false).contains(r"$(cat 'it'\''s/admin.key')"));
        assert!(text(&bound(), ".", true).contains("Bearer $CROSSTALK_ADMIN_KEY\""));
        assert!(!text(&Bound::default(), ".", false).contains("curl"));
    }
}
