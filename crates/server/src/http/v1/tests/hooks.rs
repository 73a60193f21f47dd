//! Hooks over REST.

use super::*;
use crate::hooks::tests::Receiver;

fn new(url: &str) -> Value {
    json!({"url": url, "events": ["message.stored"], "headers": {"x-key": "k"}, "note": "n"})
}

#[tokio::test]
async fn a_hook_is_made_changed_and_deleted() {
    let rest = Rest::start().await;
    let receiver = Receiver::answering(202, "thank you").await;
    let made = rest.app("POST", "/v1/hooks", new(&receiver.url())).await;
    assert_eq!(made.status, 201);
    let hook = made.body;
    let secret = hook["secret"].as_str().expect("a secret").to_owned();
    assert!(secret.starts_with("whsec_"));
    let path = format!("/v1/hooks/{}", hook["id"].as_str().expect("an id"));
    let shown = rest.get(&path).await;
    assert!(shown.get("secret").is_none(), "shown once");
    let expected = [
        ("kind", json!("events")),
        ("format", json!("crosstalk")),
        ("events", json!(["message.stored"])),
        ("headers", json!({"x-key": "k"})),
        ("max_batch", json!(1)),
        ("timeout_ms", json!(5000)),
        ("retry_for_secs", json!(3600)),
        ("on_failure", json!("open")),
        ("enabled", json!(true)),
        ("app_id", json!("default")),
        ("note", json!("n")),
    ];
    for (member, value) in expected {
        assert_eq!(shown[member], value, "{member}");
    }
    assert_eq!(shown["stats"]["delivered"], 0);
    assert_eq!(
        each(&rest.get("/v1/hooks").await["items"], "/id"),
        [&path[10..]]
    );

    let tested = rest.post(&format!("{path}/test"), Value::Null).await;
    assert_eq!(
        (&tested["status"], &tested["body"]),
        (&json!(202), &json!("thank you"))
    );
    let call = receiver.after(1).await.remove(0);
    assert!(call.is_signed_with(&secret));
    assert_eq!(
        (call.header("x-key"), &call.json["event"]),
        ("k", &json!("hook.test"))
    );

    let change = json!({"events": ["*"], "enabled": false, "max_batch": 9});
    let changed = rest.app("PATCH", &path, change).await.ok();
    assert_eq!(changed["events"], json!(["*"]));
    assert_eq!(
        (&changed["enabled"], &changed["max_batch"]),
        (&json!(false), &json!(9))
    );
    assert_eq!(changed["note"], "n", "what is absent stays");
    let rotated = rest.post(&format!("{path}/secret"), Value::Null).await;
    assert_ne!(rotated["secret"], secret.as_str());

    assert_eq!(rest.app("DELETE", &path, Value::Null).await.status, 204);
    for (method, path) in [
        ("GET", path.clone()),
        ("PATCH", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/secret")),
        ("POST", format!("{path}/test")),
        ("GET", format!("{path}/dead-letters")),
        ("DELETE", format!("{path}/dead-letters")),
    ] {
        let gone = rest.app(method, &path, Value::Null).await;
        assert_eq!(
            gone.problem(),
            (404, "not_found".to_owned()),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn the_table_of_what_cannot_be_set() {
    let rest = Rest::start().await;
    let with = |member: &str, value: Value| {
        let mut hook = new("http://127.0.0.1:1/x");
        hook[member] = value;
        hook
    };
    let long = "x".repeat(3000);
    let headers = |name: &str, value: &str| json!({ name: value });
    let cases = [
        ("url", json!("ftp://x/y")),
        ("url", json!("/relative")),
        ("url", json!("http://user:pass@host/")),
        ("url", json!(format!("http://h/{long}"))),
        ("url", Value::Null),
        ("events", json!(["message.nothing"])),
        ("events", json!(vec!["*"; 101])),
        ("headers", headers("host", "x")),
        ("headers", headers("Crosstalk-Signature", "x")),
        ("headers", headers("x y", "x")),
        ("headers", headers("x", "a\nb")),
        ("headers", headers("x", &long)),
        ("max_batch", json!(0)),
        ("max_batch", json!(1001)),
        ("timeout_ms", json!(1)),
        ("timeout_ms", json!(60_000)),
        ("retry_for_secs", json!(604_801)),
        ("note", json!("a\nb")),
        ("kind", json!("nothing")),
        ("format", json!("nothing")),
        ("on_failure", json!("nothing")),
    ];
    for (member, value) in cases {
        let answer = rest
            .app("POST", "/v1/hooks", with(member, value.clone()))
            .await;
        assert_eq!(answer.status, 422, "{member} {value}");
    }
    let asked = json!({"kind": "before_send", "url": "http://h/", "events": ["*"]});
    let answer = rest.app("POST", "/v1/hooks", asked).await;
    assert!(answer.detail("invalid_argument").starts_with("events"));
    assert_eq!(rest.get("/v1/hooks").await["items"], json!([]));
}

#[tokio::test]
async fn dead_letters_are_listed_tried_and_dropped() {
    let rest = Rest::start().await;
    let receiver = Receiver::answering(500, "broken").await;
    let mut hook = new(&receiver.url());
    hook["retry_for_secs"] = json!(0);
    let hook = rest.post("/v1/hooks", hook).await;
    let path = format!("/v1/hooks/{}", hook["id"].as_str().expect("an id"));
    let letters = format!("{path}/dead-letters");
    rest.user("alice").await;
    rest.user("bob").await;
    for n in 0..3 {
        rest.text("alice", "direct", "bob", &n.to_string()).await;
    }
    receiver.after(3).await;
    let mut page = rest.get(&format!("{letters}?limit=2")).await;
    while page["next_cursor"].is_null() {
        // wait: for the last one to be laid aside
        tokio::task::yield_now().await;
        page = rest.get(&format!("{letters}?limit=2")).await;
    }
    let mut all = page["items"].as_array().cloned().expect("items");
    let cursor = page["next_cursor"].as_str().expect("a cursor").to_owned();
    while all.len() < 3 {
        let rest_of = rest
            .get(&format!("{letters}?limit=2&cursor={cursor}"))
            .await;
        all.extend(rest_of["items"].as_array().cloned().expect("items"));
    }
    let texts = all
        .iter()
        .map(|letter| letter["body"]["data"]["content"]["text"].clone());
    assert_eq!(texts.collect::<Vec<_>>(), ["0", "1", "2"]);
    assert_eq!(all[0]["reason"], "500 Internal Server Error: broken");
    assert_eq!(rest.get(&path).await["stats"]["dead_letters"], 3);

    let first = format!("{letters}/{}", all[0]["n"]);
    let retried = rest.post(&format!("{first}/retry"), Value::Null).await;
    assert_eq!(retried["delivered"], false);
    receiver.now(200, "");
    let retried = rest.post(&format!("{first}/retry"), Value::Null).await;
    assert_eq!(retried, json!({"delivered": true, "error": null}));
    let again = rest
        .app("POST", &format!("{first}/retry"), Value::Null)
        .await;
    assert_eq!(again.status, 404);
    let second = format!("{letters}/{}", all[1]["n"]);
    assert_eq!(rest.app("DELETE", &second, Value::Null).await.status, 204);
    assert_eq!(rest.app("DELETE", &second, Value::Null).await.status, 404);
    let dropped = rest.app("DELETE", &letters, Value::Null).await.ok();
    assert_eq!(dropped, json!({"dropped": 1}));
}

#[tokio::test]
async fn a_replay_has_exactly_one_beginning() {
    let rest = Rest::start().await;
    let receiver = Receiver::taking().await;
    let hook = rest.post("/v1/hooks", new(&receiver.url())).await;
    let path = format!("/v1/hooks/{}/replay", hook["id"].as_str().expect("an id"));
    for wrong in [
        json!({}),
        json!({"from_id": "x"}),
        json!({"from_id": "1", "since_at": 1}),
        json!({"skip": true, "since_at": 1}),
    ] {
        let answer = rest.app("POST", &path, wrong.clone()).await;
        assert_eq!(answer.status, 422, "{wrong}");
    }
    rest.user("alice").await;
    rest.user("bob").await;
    let sent = rest.text("alice", "direct", "bob", "x").await;
    receiver.after(1).await;
    for from in [json!({"from_id": sent["id"]}), json!({"since_at": 0})] {
        assert_eq!(rest.app("POST", &path, from).await.status, 204);
        receiver.after(1).await;
    }
    let ids: Vec<_> = receiver
        .calls()
        .iter()
        .map(|call| call.json["id"].clone())
        .collect();
    assert_eq!(ids, vec![sent["id"].clone(); 3]);
    assert_eq!(
        rest.app("POST", &path, json!({"skip": true})).await.status,
        204
    );
}

#[tokio::test]
async fn a_refusing_hook_refuses_users_and_not_the_application() {
    let rest = Rest::start().await;
    let receiver = Receiver::answering(200, r#"{"action":"deny","reason":"no"}"#).await;
    let hook = json!({"kind": "before_send", "url": receiver.url()});
    rest.post("/v1/hooks", hook.clone()).await;
    let second = rest.app("POST", "/v1/hooks", hook).await;
    assert_eq!(second.problem().1, "already_exists");
    let alice = rest.user("alice").await;
    rest.user("bob").await;
    let message = json!({
        "to": {"kind": "direct", "id": "bob"},
        "content": {"type": "text", "text": "x"},
    });
    let refused = rest
        .call(&alice, "POST", "/v1/messages", message.clone())
        .await;
    assert_eq!(refused.problem().1, "hook_refused");
    rest.post("/v1/messages", message).await;
    assert_eq!(receiver.calls().len(), 1);
}

#[tokio::test]
async fn hooks_of_another_realm_are_not_there() {
    let rest = Rest::start().await;
    let receiver = Receiver::taking().await;
    let hook = rest.post("/v1/hooks", new(&receiver.url())).await;
    let path = format!("/v1/hooks/{}", hook["id"].as_str().expect("an id"));
    let other = json!({"app_id": "other", "realm": "elsewhere"});
    let other = rest.call(ADMIN, "POST", "/v1/apps", other).await.ok();
    let secret = other["app_secret"].as_str().expect("a secret");
    for (method, path) in [
        ("GET", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/test")),
    ] {
        let answer = rest.call(secret, method, &path, Value::Null).await;
        assert_eq!(answer.status, 404, "{method} {path}");
    }
    let none = rest
        .call(secret, "GET", "/v1/hooks", Value::Null)
        .await
        .ok();
    assert_eq!(none["items"], json!([]));
    let user = rest.user("alice").await;
    assert_eq!(
        rest.call(&user, "GET", "/v1/hooks", Value::Null)
            .await
            .status,
        403
    );
}
