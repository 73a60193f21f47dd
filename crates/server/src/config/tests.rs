//! Precedence, messages, and that the example is what the code does.

use std::fs;

use tempfile::TempDir;

use super::load::flatten;
use super::*;

fn folder(text: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("crosstalk.toml"), text).expect("a file");
    folder
}

fn sources(folder: &TempDir, env: &[(&str, &str)], sets: &[&str]) -> Sources {
    let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    Sources {
        folder: folder.path().to_owned(),
        env: env.iter().map(own).collect(),
        sets: sets.iter().map(|set| (*set).to_owned()).collect(),
        ..Sources::default()
    }
}

fn valid(text: &str, env: &[(&str, &str)], sets: &[&str]) -> Loaded {
    load(&sources(&folder(text), env, sets)).expect("a valid configuration")
}

fn problems(text: &str, env: &[(&str, &str)], sets: &[&str]) -> Vec<String> {
    match load(&sources(&folder(text), env, sets)) {
        Ok(_) => Vec::new(),
        Err(Problems(problems)) => problems.iter().map(ToString::to_string).collect(),
    }
}

fn listener(text: &str) -> Listener {
    text.parse().expect("a listener")
}

#[test]
fn the_example_is_complete_and_equals_the_defaults() {
    let loaded = valid(EXAMPLE, &[], &[]);
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.warnings, Vec::<String>::new());
    let named: Vec<&String> = loaded.places.keys().collect();
    let known = flatten(&Config::default());
    assert_eq!(named, known.keys().collect::<Vec<_>>());
}

#[test]
fn every_setting_of_the_example_is_explained() {
    let mut is_explained = false;
    for line in EXAMPLE.lines() {
        if let Some((name, _)) = line.split_once(" = ") {
            assert!(is_explained, "{name}");
        } else {
            is_explained = line.starts_with('#');
        }
    }
}

#[test]
fn flags_go_before_environment_before_file_before_defaults() {
    let file =
        "[listen]\nhttp = \"127.0.0.1:1\"\nwukong_tcp = \"127.0.0.1:1\"\nwukong_ws = \"off\"\n";
    let env = [
        ("CROSSTALK_LISTEN__HTTP", "127.0.0.1:2"),
        ("CROSSTALK_LISTEN__WUKONG_TCP", "off"),
    ];
    let loaded = valid(file, &env, &["listen.http=127.0.0.1:3"]);
    let listen = &loaded.config.listen;
    assert_eq!(listen.http, listener("127.0.0.1:3"));
    assert_eq!(listen.wukong_tcp, Listener::Off);
    assert_eq!(listen.wukong_ws, Listener::Off);
    assert_eq!(listen.wukong_api, listener("127.0.0.1:5001"));
    let place = |key: &str| loaded.places.get(key).map(ToString::to_string);
    assert_eq!(place("listen.http").as_deref(), Some("--set listen.http"));
    assert_eq!(
        place("listen.wukong_tcp").as_deref(),
        Some("CROSSTALK_LISTEN__WUKONG_TCP")
    );
    assert_eq!(
        place("listen.wukong_ws").as_deref(),
        Some("crosstalk.toml:4")
    );
    assert_eq!(place("listen.wukong_api"), None);
}

#[test]
fn texts_take_the_type_of_their_setting() {
    let env = [
        ("CROSSTALK_SERVER__PUBLIC__TCP", "im.example.org:5100"),
        ("CROSSTALK_DIALECTS__WUKONG__ENABLED", "false"),
        ("CROSSTALK_WUKONG__REALM", "5"),
    ];
    let sets = [
        "wukong.allowed_origins=https://a.example,https://b.example",
        "net.trusted_proxies=[\"10.0.0.0/8\"]",
        "limits.send_rate=7",
        "log.level=warn,crosstalk::http=debug",
        "store.durability=relaxed",
    ];
    let config = valid("", &env, &sets).config;
    assert_eq!(config.server.public.tcp, "im.example.org:5100");
    assert!(!config.dialects.wukong.enabled);
    assert_eq!(config.wukong.realm, "5");
    assert_eq!(
        config.wukong.allowed_origins,
        ["https://a.example", "https://b.example"]
    );
    assert_eq!(config.net.trusted_proxies, ["10.0.0.0/8"]);
    assert_eq!(config.limits.send_rate, 7);
    assert_eq!(config.store.durability, Durability::Relaxed);
}

#[test]
fn the_data_folder_has_a_flag_of_its_own() {
    let folder = folder("[server]\ndata_dir = \"a\"\n");
    let sources = Sources {
        data_dir: Some("b".to_owned()),
        ..sources(&folder, &[], &[])
    };
    assert_eq!(load(&sources).expect("valid").config.server.data_dir, "b");
}

#[test]
fn unknown_settings_name_line_and_nearest() {
    let file = "# a comment\n[server]\nnode_id = 2\n\n[listen]\nhtpp = \"off\"\n[limit]\na = 1\n";
    let found = problems(file, &[], &[]);
    assert_eq!(
        found,
        [
            "crosstalk.toml:6: listen.htpp: unknown setting; did you mean listen.http?",
            "crosstalk.toml:7: limit: unknown section; did you mean [limits]?",
        ]
    );
}

#[test]
fn settings_in_the_wrong_section_are_found() {
    let found = problems(
        "[server]\nsend_rate = 1\n",
        &[],
        &["durability=full", "log=x"],
    );
    assert_eq!(
        found,
        [
            "crosstalk.toml:2: server.send_rate: unknown setting; did you mean limits.send_rate?",
            "--set durability: unknown setting; did you mean store.durability?",
            "--set log: this is a section; its settings are log.format, log.level",
        ]
    );
}

#[test]
fn wrong_types_name_key_and_line() {
    let file = "[server]\nnode_id = \"two\"\nshutdown_grace_secs = -1\n[listen]\nhttp = 8080\n\
                [wukong]\nallowed_origins = [1]\n[store]\ndurability = \"none\"\n";
    let found = problems(file, &[], &[]);
    let starts = [
        "crosstalk.toml:2: server.node_id: invalid type: string \"two\", expected u16",
        "crosstalk.toml:3: server.shutdown_grace_secs: invalid value: integer `-1`",
        "crosstalk.toml:5: listen.http: invalid type: integer `8080`, expected a string",
        "crosstalk.toml:7: wukong.allowed_origins: invalid type: integer `1`",
        "crosstalk.toml:9: store.durability: unknown variant `none`, expected `full` or `relaxed`",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(start), "{found}");
    }
}

#[test]
fn texts_that_do_not_fit_are_refused() {
    let cases = [
        (
            "limits.send_rate=fast",
            "--set limits.send_rate: `fast` is no whole number",
        ),
        (
            "im.friends_only=yes",
            "--set im.friends_only: `yes` is no true or false",
        ),
        (
            "listen.http=8080",
            "--set listen.http: `8080` is no address; write one like",
        ),
        (
            "listen",
            "--set listen: write it as --set section.key=value",
        ),
        (
            "net.trusted_proxies=[x",
            "--set net.trusted_proxies: `[x` is no list",
        ),
        (
            "net.trusted_proxies=x",
            "--set net.trusted_proxies: \"x\" is neither",
        ),
        (
            "server.node_id=1024",
            "--set server.node_id: must be 0 to 1023",
        ),
        ("im.lanes=0", "--set im.lanes: must be 1 to 1024"),
        (
            "retention.days=36501",
            "--set retention.days: must be at most 36500",
        ),
        ("log.level=a=b=c", "--set log.level: "),
        (
            "log.level=infoo",
            "--set log.level: `infoo` is no level; write",
        ),
        ("log.level=", "--set log.level: `` is no level; write"),
        (
            "wukong.realm=a b",
            "--set wukong.realm: an id has only letters",
        ),
        (
            "server.public.ws=im.example.org",
            "--set server.public.ws: write it as ws://",
        ),
        (
            "wukong.allowed_origins=a.example",
            "--set wukong.allowed_origins: `a.example` is no",
        ),
    ];
    for (set, start) in cases {
        let found = problems("", &[], &[set]);
        assert!(
            found.len() == 1 && found[0].starts_with(start),
            "{set}: {found:?}"
        );
    }
}

#[test]
fn broken_files_name_the_line() {
    let found = problems("[server]\nnode_id = \n", &[], &[]);
    assert!(
        found.len() == 1 && found[0].starts_with("crosstalk.toml:2: "),
        "{found:?}"
    );
    let missing = Sources {
        file: Some("gone.toml".into()),
        ..Sources::default()
    };
    let found = load(&missing).expect_err("no such file").to_string();
    assert!(found.starts_with("gone.toml:1: cannot be read"), "{found}");
}

#[test]
fn other_variables_are_left_alone() {
    let env = [
        ("CROSSTALK_ADMIN_KEY", "x"),
        ("PATH", "x"),
        ("CROSSTALKER__X", "x"),
    ];
    assert_eq!(valid("", &env, &[]).config, Config::default());
    let found = problems("", &[("CROSSTALK_LISTEN__HTPP", "off")], &[]);
    assert_eq!(
        found,
        ["CROSSTALK_LISTEN__HTPP: listen.htpp: unknown setting; did you mean listen.http?"]
    );
}

#[test]
fn an_api_that_others_reach_needs_a_manager_token() {
    let open = "listen.wukong_api=0.0.0.0:5001";
    let found = problems("", &[], &[open]);
    assert!(
        found.len() == 1 && found[0].contains("wukong.manager_token: is not set"),
        "{found:?}"
    );
    let found = problems("", &[], &[open, "wukong.manager_token=ChangeMe"]);
    assert!(
        found.len() == 1 && found[0].contains("is a sample"),
        "{found:?}"
    );
    let open_v6 = "listen.wukong_api=[::]:5001";
    assert_eq!(problems("", &[], &[open_v6]).len(), 1);
    for others in [
        ["wukong.manager_token=8vJc0mW2", open],
        ["dialects.wukong.enabled=false", open],
    ] {
        assert_eq!(problems("", &[], &others), Vec::<String>::new());
    }
    assert_eq!(
        problems("", &[], &["listen.wukong_api=127.9.9.9:1"]),
        Vec::<String>::new()
    );
}

#[test]
fn printing_names_places_and_hides_secrets() {
    let loaded = valid(
        "[log]\nlevel = \"debug\"\n",
        &[],
        &["wukong.manager_token=hidden-thing"],
    );
    let text = print(&loaded);
    assert!(
        text.contains("level = \"debug\"  # crosstalk.toml:2"),
        "{text}"
    );
    assert!(
        text.contains("manager_token = \"***\"  # --set wukong.manager_token"),
        "{text}"
    );
    assert!(!text.contains("hidden-thing"));
    assert!(!format!("{:?}", loaded.config).contains("hidden-thing"));
    let again = valid(&text, &[], &[]);
    assert_eq!(
        changed_keys(&loaded.config, &again.config),
        ["wukong.manager_token"]
    );
}

#[test]
fn a_switched_off_token_check_is_worth_a_word() {
    let loaded = valid("", &[], &["wukong.token_auth=false"]);
    assert_eq!(loaded.warnings.len(), 1);
}

#[test]
fn addresses_that_no_other_machine_reaches_are_worth_a_word() {
    for (listen, public, expected) in [
        ("0.0.0.0:8080", "", 1),
        ("[::]:8080", "", 1),
        ("0.0.0.0:8080", "https://im.example", 0),
        ("192.0.2.7:8080", "", 0),
        ("127.0.0.1:8080", "", 0),
        ("off", "", 0),
    ] {
        let sets = [
            format!("listen.http={listen}"),
            format!("server.public.http={public}"),
        ];
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        let warnings = valid("", &[], &sets).warnings;
        assert_eq!(warnings.len(), expected, "{sets:?}: {warnings:?}");
        assert!(
            warnings
                .iter()
                .all(|it| it.starts_with("server.public.http"))
        );
    }
}

/// The example with its commented sections in force.
fn example_with_auth() -> String {
    let lines = EXAMPLE.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|first: char| !first.is_whitespace()) => rest,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_auth_sections_of_the_example_are_complete() {
    let loaded = valid(&example_with_auth(), &[], &[]);
    let apps: Vec<&String> = loaded.config.auth.keys().collect();
    assert_eq!(apps, ["default", "other"]);
    let other = &loaded.config.auth["other"].jwt;
    let defaults = Jwt {
        algorithm: other.algorithm.clone(),
        key: other.key.clone(),
        ..Jwt::default()
    };
    assert_eq!(*other, defaults);
    for key in flatten(&loaded.config).keys() {
        let is_of = |part: &str| key.starts_with(part);
        if is_of("auth.default.hook.") || is_of("auth.other.jwt.") {
            assert!(
                loaded.places.contains_key(key),
                "{key} is not in the example"
            );
        }
    }
}

#[test]
fn auth_sections_come_from_everywhere_and_hide_their_secrets() {
    let file = "[auth.\"a.b\".jwt]\nalgorithm = \"HS256\"\nkey = \"hidden-key\"\n";
    let env = [
        ("CROSSTALK_AUTH__DEFAULT__HOOK__URL", "http://127.0.0.1:1/x"),
        ("CROSSTALK_AUTH__DEFAULT__HOOK__SECRET", "hidden-secret"),
    ];
    let loaded = valid(file, &env, &["auth.a.b.jwt.issuer=me"]);
    let auth = &loaded.config.auth;
    assert_eq!(auth["default"].hook.url, "http://127.0.0.1:1/x");
    assert_eq!(auth["a.b"].jwt.key.get(), Some("hidden-key"));
    assert_eq!(auth["a.b"].jwt.issuer, "me");
    let text = print(&loaded);
    assert!(
        text.contains("issuer = \"me\"  # --set auth.a.b.jwt.issuer"),
        "{text}"
    );
    assert!(!text.contains("hidden-"), "{text}");
    let again = valid(&text, &[], &[]);
    assert_eq!(again.config.auth["a.b"].jwt.issuer, "me");
    assert!(!format!("{:?}", loaded.config).contains("hidden-"));
}

#[test]
fn auth_sections_that_cannot_work_are_refused() {
    let unknown = problems("[auth.x.hook]\nurll = \"https://a/b\"\n", &[], &[]);
    assert!(
        unknown[0].starts_with("crosstalk.toml:2: auth.x.hook.urll: unknown setting; did you mean"),
        "{unknown:?}"
    );
    let hook = "auth.x.hook.url=https://a.example/b";
    let rule = "auth.x.jwt.algorithm=HS256";
    let key = "auth.x.jwt.key=k";
    let cases: [(&[&str], &str); 9] = [
        (&[hook], "auth.x.hook.secret: is not set"),
        (
            &[hook, "auth.x.hook.secret=s", rule, key],
            "exclude each other",
        ),
        (&[rule], "auth.x.jwt.key: set it, or jwks_url"),
        (&["auth.x.jwt.algorithm=none", key], "write HS256"),
        (&["auth.x.jwt.algorithm=RS256", key], "is no key in PEM"),
        (
            &[rule, "auth.x.jwt.jwks_url=https://a/b"],
            "are not published",
        ),
        (&[rule, key, "auth.x.jwt.uid_claim="], "must not be empty"),
        (&["auth.x.jwt.issuer=me"], "set hook.url or jwt.algorithm"),
        (
            &["auth.x.hook.url=a.example", "auth.x.hook.secret=s"],
            "is no address",
        ),
    ];
    for (sets, why) in cases {
        let found = problems("", &[], sets);
        assert!(
            found.len() == 1 && found[0].contains(why),
            "{sets:?}: {found:?}"
        );
    }
    let open = ["auth.x.hook.url=http://a.example/b", "auth.x.hook.secret=s"];
    let warnings = valid("", &[], &open).warnings;
    assert!(
        warnings.len() == 1 && warnings[0].contains("not https"),
        "{warnings:?}"
    );
}
