//! `Idempotency-Key`, on the routes as they are.

use super::*;
use crate::hooks::tests::Receiver;
use crate::http::v1::idempotency::APART;

const DAY_MS: i64 = 24 * 3600 * 1000;

impl Rest {
    /// A request of POST with a key.
    async fn keyed(&self, bearer: &str, path: &str, key: &str, body: Value) -> Answer {
        let request = Request::builder()
            .method("POST")
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {bearer}"))
            .header("Idempotency-Key", key);
        let body = Body::from(body.to_string());
        self.send(request.body(body).expect("a request")).await
    }

    fn secret(&self) -> String {
        self.app.secret.to_string()
    }
}

impl Answer {
    fn is_repeated(&self) -> bool {
        let says = self.headers.get("idempotency-replayed");
        says.is_some_and(|says| says == "true")
    }
}

fn room() -> Value {
    json!({"kind": "group", "members": []})
}

#[tokio::test]
async fn the_same_request_is_done_once() {
    let rest = Rest::start().await;
    let secret = rest.secret();
    let receiver = Receiver::answering(202, "").await;
    let hook = json!({"url": receiver.url(), "events": ["message.stored"]});
    let first = rest.keyed(&secret, "/v1/hooks", "k", hook.clone()).await;
    assert_eq!((first.status, first.is_repeated()), (201, false));
    let second = rest.keyed(&secret, "/v1/hooks", "k", hook.clone()).await;
    assert_eq!((second.status, second.is_repeated()), (201, true));
    assert_eq!(second.headers[header::CONTENT_TYPE], "application/json");
    assert!(second.body["secret"].is_string());
    assert_eq!(second.body, first.body);
    let hooks = rest.get("/v1/hooks").await;
    assert_eq!(each(&hooks["items"], "/id").len(), 1);
    let acts = rest.get("/v1/audit?action=POST%20/v1/hooks").await;
    assert_eq!(each(&acts["items"], "/id").len(), 1, "it was done once");
    let other = rest.keyed(&secret, "/v1/hooks", "k2", hook).await;
    assert!(!other.is_repeated());
    assert_ne!(other.body["id"], first.body["id"]);
}

#[tokio::test]
async fn a_key_stands_for_one_request() {
    let rest = Rest::start().await;
    let secret = rest.secret();
    let first = rest.keyed(&secret, "/v1/channels", "k", room()).await.ok();
    let path = format!("/v1/channels/group/{}/join", first["id"].as_str().unwrap());
    for (path, body) in [
        ("/v1/channels", json!({"kind": "group", "name": "other"})),
        ("/v1/channels?x=1", room()),
        (&*path, room()),
    ] {
        let other = rest.keyed(&secret, path, "k", body).await;
        let expected = (409, "idempotency_conflict".to_owned());
        assert_eq!(other.problem(), expected, "{path}");
    }
    let again = rest.keyed(&secret, "/v1/channels", "k", room()).await;
    assert_eq!(again.body, first, "the first answer stays");
}

#[tokio::test]
async fn each_caller_has_keys_of_their_own() {
    let rest = Rest::start().await;
    let (alice, bob) = (rest.user("alice").await, rest.user("bob").await);
    let callers = [&*rest.secret(), ADMIN, &alice, &bob];
    let mut ids = std::collections::HashSet::new();
    for caller in callers {
        let made = rest.keyed(caller, "/v1/channels", "k", room()).await;
        assert!(!made.is_repeated());
        ids.insert(made.ok()["id"].to_string());
    }
    assert_eq!(ids.len(), callers.len());
    rest.post("/v1/users/bob/tokens/revoke", Value::Null).await;
    let void = rest.keyed(&bob, "/v1/channels", "k", room()).await;
    assert_eq!(void.problem(), (401, "not_authenticated".to_owned()));
    let nobody = rest.keyed("nobody", "/v1/channels", "k", room()).await;
    assert_eq!(nobody.problem().0, 401);
}

#[tokio::test]
async fn what_was_refused_may_be_asked_again() {
    let rest = Rest::start().await;
    let (secret, alice) = (rest.secret(), rest.user("alice").await);
    let ban = json!({"user": "bob"});
    let missing = rest.keyed(&secret, "/v1/bans", "k", ban.clone()).await;
    assert_eq!(missing.status, 404);
    rest.user("bob").await;
    for is_repeated in [false, true] {
        let again = rest.keyed(&secret, "/v1/bans", "k", ban.clone()).await;
        assert_eq!((again.status, again.is_repeated()), (201, is_repeated));
    }
    for _ in 0..2 {
        let denied = rest.keyed(&alice, "/v1/bans", "k", ban.clone()).await;
        assert!(!denied.is_repeated());
        assert_eq!(denied.problem().0, 403);
    }
}

#[tokio::test]
async fn a_day_later_the_key_is_free() {
    let rest = Rest::start().await;
    let secret = rest.secret();
    let first = rest.keyed(&secret, "/v1/channels", "k", room()).await;
    rest.clock.advance_ms(DAY_MS);
    let again = rest.keyed(&secret, "/v1/channels", "k", room()).await;
    assert_eq!(again.body, first.body);
    assert_eq!(rest.im.forget_answers().await, Ok(false));
    rest.clock.advance_ms(1);
    let later = rest.keyed(&secret, "/v1/channels", "k", json!({})).await;
    assert!(!later.is_repeated(), "{}", later.body);
}

#[tokio::test]
async fn a_key_is_a_short_line_of_visible_characters() {
    let rest = Rest::start().await;
    let secret = rest.secret();
    let long = "x".repeat(256);
    for key in ["", " ", "a b", "\u{e9}", &long] {
        let bad = rest.keyed(&secret, "/v1/channels", key, room()).await;
        let detail = bad.detail("invalid_argument");
        assert!(detail.starts_with("Idempotency-Key: "), "{detail}");
        let nobody = rest.keyed("nobody", "/v1/channels", key, room()).await;
        assert_eq!(nobody.problem().0, 401, "{key:?}");
    }
    let made = rest.keyed(&secret, "/v1/channels", &long[1..], room());
    made.await.ok();
    let twice = Request::post("/v1/channels")
        .header(header::AUTHORIZATION, format!("Bearer {secret}"))
        .header("Idempotency-Key", "a")
        .header("Idempotency-Key", "b");
    let twice = twice.body(Body::empty()).expect("a request");
    assert_eq!(rest.send(twice).await.problem().0, 422);
    let long = json!("x".repeat(8 << 20));
    let long = rest.keyed(&secret, "/v1/channels", "long", long).await;
    assert_eq!(long.problem(), (413, "too_large".to_owned()));
}

#[tokio::test]
async fn some_routes_are_left_alone() {
    let rest = Rest::start().await;
    let secret = rest.secret();
    let path = "/v1/users/alice/tokens";
    for ttl_secs in [60, 120] {
        let token = rest.keyed(&secret, path, "k", json!({"ttl_secs": ttl_secs}));
        assert!(!token.await.is_repeated());
    }
    rest.user("bob").await;
    let text = |text: &str| {
        json!({
            "from": "alice", "to": {"kind": "direct", "id": "bob"},
            "content": {"type": "text", "text": text},
        })
    };
    // The client number stands for a message, whatever else was asked with it.
    let first = rest.keyed(&secret, "/v1/messages", "k", text("1")).await;
    let again = rest.keyed(&secret, "/v1/messages", "k", text("1")).await;
    assert!(!again.is_repeated());
    assert_eq!(again.ok()["id"], first.ok()["id"]);
}

#[tokio::test]
async fn the_document_tells_of_keys() {
    let rest = Rest::start().await;
    let paths = rest.document["paths"].as_object().expect("paths");
    for route in APART {
        assert!(paths[*route]["post"].is_object(), "there is no {route}");
    }
    let mut keyed = 0;
    for (route, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            let parameters = operation["parameters"].as_array();
            let mut parameters = parameters.into_iter().flatten();
            let told = parameters.any(|it| it["name"] == "Idempotency-Key" && it["in"] == "header");
            let is_message = route.starts_with("/v1/messages") && APART.contains(&&**route);
            let expected = method == "post" && (is_message || !APART.contains(&&**route));
            assert_eq!(told, expected, "{method} {route}");
            if told {
                assert!(operation["responses"]["409"].is_object(), "{route}");
                keyed += 1;
            }
        }
    }
    assert!(keyed > 40, "{keyed} routes");
}
