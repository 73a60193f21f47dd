//! Apps and the admin key.

use crosstalk_core::clock::Clock as _;

use super::*;
use crate::compose::sweeps::sweep;

#[tokio::test]
async fn apps_are_made_listed_and_given_new_secrets() {
    let rest = Rest::start().await;
    let new = json!({"app_id": "shop", "realm": "mall", "name": "The shop"});
    let made = rest.call(ADMIN, "POST", "/v1/apps", new).await;
    assert_eq!(made.status, 201);
    let first = made.body["app_secret"]
        .as_str()
        .expect("a secret")
        .to_owned();
    assert_eq!(
        (&made.body["app_id"], &made.body["realm"]),
        (&json!("shop"), &json!("mall"))
    );
    let listed = rest.call(ADMIN, "GET", "/v1/apps", Value::Null).await.ok();
    assert_eq!(each(&listed["items"], "/app_id"), ["default", "shop"]);
    assert!(!listed.to_string().contains("app_secret"));

    let user = rest.call(&first, "PUT", "/v1/users/alice", json!({})).await;
    assert_eq!(user.status, 200);
    let rotated = rest
        .call(ADMIN, "POST", "/v1/apps/shop/secret", Value::Null)
        .await
        .ok();
    assert_ne!(rotated["app_secret"], first);
    assert_eq!(rotated["realm"], "mall");
    assert_eq!(
        rest.call(&first, "GET", "/v1/users/alice", Value::Null)
            .await
            .status,
        401
    );
    let second = rotated["app_secret"].as_str().expect("a secret");
    assert_eq!(
        rest.call(second, "GET", "/v1/users/alice", Value::Null)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn an_app_shows_what_it_may() {
    let rest = Rest::start().await;
    let new = json!({"app_id": "shop", "name": "The shop"});
    rest.call(ADMIN, "POST", "/v1/apps", new).await;
    let shown = async || {
        let shown = rest.call(ADMIN, "GET", "/v1/apps/shop", Value::Null).await;
        shown.ok()
    };
    let fresh = json!({
        "app_id": "shop", "realm": "default", "name": "The shop", "disabled": false,
        "limits": null, "old_secret_until_at": null,
    });
    assert_eq!(shown().await, fresh);
    let off = json!({"disabled": true});
    rest.call(ADMIN, "PATCH", "/v1/apps/shop", off).await.ok();
    let limits = json!({"send_rate": 5, "send_burst": 9});
    rest.call(ADMIN, "PATCH", "/v1/apps/shop/limits", limits.clone())
        .await
        .ok();
    let grace = json!({"grace_secs": 60});
    rest.call(ADMIN, "POST", "/v1/apps/shop/rotate", grace)
        .await
        .ok();
    let now = shown().await;
    assert_eq!((&now["disabled"], &now["limits"]), (&json!(true), &limits));
    assert_eq!(now["old_secret_until_at"], rest.clock_ms() + 60_000);
    let listed = rest.call(ADMIN, "GET", "/v1/apps", Value::Null).await.ok();
    assert_eq!(listed["items"][1], now);
    let nobody = rest
        .call(ADMIN, "GET", "/v1/apps/nobody", Value::Null)
        .await;
    assert_eq!(nobody.problem(), (404, "no_such_app".to_owned()));
}

#[tokio::test]
async fn what_cannot_be_an_app_is_refused() {
    let rest = Rest::start().await;
    let cases = [
        (json!({"app_id": "default"}), (409, "already_exists")),
        (json!({"app_id": "a b"}), (422, "invalid_argument")),
        (
            json!({"app_id": "x", "realm": "a/b"}),
            (422, "invalid_argument"),
        ),
        (
            json!({"app_id": "x", "name": "n".repeat(201)}),
            (422, "invalid_argument"),
        ),
        (
            json!({"app_id": "x", "name": "a\u{85}b"}),
            (422, "invalid_argument"),
        ),
        (json!({"app_id": 7}), (422, "invalid_argument")),
        (json!(["x", "default", "name"]), (422, "invalid_argument")),
    ];
    for (body, (status, code)) in cases {
        let answer = rest.call(ADMIN, "POST", "/v1/apps", body.clone()).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{body}");
    }
    let answer = rest
        .call(ADMIN, "POST", "/v1/apps/nobody/secret", Value::Null)
        .await;
    assert_eq!(answer.problem(), (404, "no_such_app".to_owned()));
    let made_up = rest.call(ADMIN, "POST", "/v1/apps", json!({})).await.ok();
    assert!(
        made_up["app_id"]
            .as_str()
            .is_some_and(|id| id.starts_with("app-"))
    );
    assert_eq!(made_up["realm"], "default");
}

#[tokio::test]
async fn the_admin_key_speaks_for_the_app_it_names() {
    let rest = Rest::start().await;
    let new = json!({"app_id": "shop", "realm": "mall"});
    rest.call(ADMIN, "POST", "/v1/apps", new).await.ok();
    let ask = async |app: &str| {
        let request = Request::builder()
            .uri("/v1/users/alice")
            .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"))
            .header("X-App-Id", app)
            .body(Body::empty());
        rest.send(request.expect("a request")).await.status
    };
    rest.user("alice").await;
    assert_eq!(ask("default").await, 200);
    assert_eq!(ask("shop").await, 404, "alice lives in another realm");
    assert_eq!(ask("nobody").await, 404);
    assert_eq!(ask("a b").await, 422);
    assert_eq!(
        rest.call(ADMIN, "GET", "/v1/users/alice", Value::Null)
            .await
            .status,
        200
    );
}

/// An app that is made after the messenger has begun is limited as the configuration says, and
/// each pays for itself.
#[tokio::test]
async fn apps_are_limited_from_the_first_and_each_by_its_own() {
    let mut policy = Policy::default();
    policy.send.app = crosstalk_core::send::rates::Rate {
        per_sec: 1,
        burst: 2,
    };
    let rest = Rest::with_policy(policy).await;
    let first = rest.user("alice").await;
    let new = json!({"app_id": "second"});
    let second = rest.call(ADMIN, "POST", "/v1/apps", new).await.ok();
    let secret = second["app_secret"].as_str().expect("a secret");
    let token = rest
        .call(secret, "POST", "/v1/users/bob/tokens", Value::Null)
        .await
        .ok();
    let token = token["token"].as_str().expect("a token");
    let say = async |bearer: &str, from: &str| {
        let message = json!({
            "from": from,
            "to": {"kind": "direct", "id": "alice"},
            "content": {"type": "text", "text": "x"},
        });
        rest.call(bearer, "POST", "/v1/messages", message)
            .await
            .status
    };
    let own = [
        say(&first, "alice").await,
        say(&first, "alice").await,
        say(&first, "alice").await,
    ];
    assert_eq!(own, [200, 200, 429]);
    let other = [
        say(token, "bob").await,
        say(secret, "bob").await,
        say(secret, "bob").await,
    ];
    assert_eq!(other, [200, 200, 429], "by token and by secret");
}

/// Also what it sends later.
#[tokio::test]
async fn scheduled_messages_are_paid_for_by_the_app_that_scheduled_them() {
    let mut policy = Policy::default();
    policy.send.app = crosstalk_core::send::rates::Rate {
        per_sec: 1,
        burst: 2,
    };
    let rest = Rest::with_policy(policy).await;
    rest.user("alice").await;
    rest.user("bob").await;
    let new = json!({"app_id": "second"});
    let second = rest.call(ADMIN, "POST", "/v1/apps", new).await.ok();
    let secret = second["app_secret"].as_str().expect("a secret");
    let later = |from: &str, to: &str| {
        json!({
            "from": from,
            "to": {"kind": "direct", "id": to},
            "content": {"type": "text", "text": "x"},
            "send_at": rest.clock.now_ms() + 1,
        })
    };
    let path = "/v1/scheduled-messages";
    for _ in 0..2 {
        let body = later("alice", "bob");
        rest.call(secret, "POST", path, body).await.ok();
    }
    for _ in 0..2 {
        rest.post(path, later("bob", "alice")).await;
    }
    rest.clock.advance_ms(1);
    sweep(&rest.im).await.expect("swept");
    let left = rest.get(path).await;
    assert_eq!(left["items"], json!([]), "each had enough");
}
