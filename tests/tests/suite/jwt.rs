//! User tokens that a business backend signs by itself, with any JWT library: here, by hand.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use crosstalk_tests::{Http, Server};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

fn now_secs() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970")
        .as_secs()
}

/// A JWT of a header and claims, signed with HS256 whatever the header says.
fn sign(header: &Value, claims: &Value, secret: &str) -> String {
    let [header, claims] =
        [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
    let text = format!("{header}.{claims}");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("keys of any length");
    mac.update(text.as_bytes());
    format!(
        "{text}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    )
}

fn claims(uid: &str) -> Value {
    json!({"sub": uid, "appId": "own", "iat": now_secs(), "exp": now_secs() + 3600})
}

fn hs256() -> Value {
    json!({"alg": "HS256", "typ": "JWT"})
}

/// A server with an app in the realm of its listeners, and the app's secret.
async fn with_app() -> (Server, String) {
    let server = Server::start().await;
    let app = json!({"app_id": "own", "realm": "default"});
    let app = server.admin().post("/v1/apps", app).await.ok();
    let secret = app["app_secret"].as_str().expect("a secret").to_owned();
    (server, secret)
}

fn me(server: &Server, token: &str) -> Http {
    server.rest().bearer(token)
}

#[tokio::test]
async fn a_token_of_ones_own_making_opens_rest_and_wukong() {
    let (server, secret) = with_app().await;
    let token = sign(&hs256(), &claims("zoe"), &secret);
    assert_eq!(
        me(&server, &token).get("/v1/users/me").await.ok()["uid"],
        "zoe"
    );
    server
        .login("zoe")
        .token(&token)
        .connect()
        .await
        .ping()
        .await;
}

/// Nobody has told the server of this user before.
#[tokio::test]
async fn a_user_exists_from_the_first_token() {
    let (server, secret) = with_app().await;
    let token = sign(&hs256(), &claims("zoe"), &secret);
    server
        .login("zoe")
        .token(&token)
        .connect()
        .await
        .ping()
        .await;
    server.admin().get("/v1/users/zoe").await.ok();
}

#[tokio::test]
async fn a_token_need_not_say_when_it_was_made() {
    let (server, secret) = with_app().await;
    let bare = json!({"sub": "zoe", "appId": "own", "exp": now_secs() + 3600});
    let token = sign(&hs256(), &bare, &secret);
    me(&server, &token).get("/v1/users/me").await.ok();
    // It may have been made before any revocation, so the first one ends it.
    server
        .admin()
        .post("/v1/users/zoe/tokens/revoke", json!({}))
        .await
        .ok();
    me(&server, &token)
        .get("/v1/users/me")
        .await
        .problem(401, "not_authenticated");
}

#[tokio::test]
async fn tokens_that_are_not_quite_right_open_nothing() {
    let (server, secret) = with_app().await;
    let change = |name: &str, value: Value| {
        let mut claims = claims("zoe");
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = claims("zoe");
        claims.as_object_mut().expect("an object").remove(name);
        claims
    };
    let good = sign(&hs256(), &claims("zoe"), &secret);
    let unsigned = sign(&json!({"alg": "none"}), &claims("zoe"), &secret);
    let unsigned = format!("{}.", unsigned.rsplit_once('.').expect("three parts").0);
    let other = sign(&hs256(), &claims("carol"), &secret);
    let (head, _) = good.rsplit_once('.').expect("three parts");
    let (_, others_signature) = other.rsplit_once('.').expect("three parts");
    let wrong = [
        (
            "another secret",
            sign(&hs256(), &claims("zoe"), "another secret"),
        ),
        ("no signature", unsigned),
        ("another's signature", format!("{head}.{others_signature}")),
        ("a cut signature", good[..good.len() - 2].to_owned()),
        (
            "alg none, signed",
            sign(&json!({"alg": "none"}), &claims("zoe"), &secret),
        ),
        (
            "alg HS512",
            sign(&json!({"alg": "HS512"}), &claims("zoe"), &secret),
        ),
        (
            "alg RS256",
            sign(&json!({"alg": "RS256"}), &claims("zoe"), &secret),
        ),
        (
            "expired",
            sign(&hs256(), &change("exp", json!(now_secs() - 3600)), &secret),
        ),
        (
            "another app",
            sign(&hs256(), &change("appId", json!("default")), &secret),
        ),
        (
            "an unknown app",
            sign(&hs256(), &change("appId", json!("nowhere")), &secret),
        ),
        (
            "an impossible uid",
            sign(&hs256(), &change("sub", json!("a@b")), &secret),
        ),
        ("no sub", sign(&hs256(), &without("sub"), &secret)),
        ("no appId", sign(&hs256(), &without("appId"), &secret)),
        ("no exp", sign(&hs256(), &without("exp"), &secret)),
        ("no token at all", "a.b.c".to_owned()),
    ];
    server.register("zoe", 0, 0).await;
    for (what, token) in wrong {
        let answer = me(&server, &token).get("/v1/users/me").await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.text());
        let refused = server.login("zoe").token(&token).refused().await;
        assert_eq!(refused.map(|connack| connack.reason), Some(2), "{what}");
    }
    me(&server, &good).get("/v1/users/me").await.ok();
}

/// The secret that signs tokens is itself a key to the app.
#[tokio::test]
async fn a_user_token_is_no_app_secret() {
    let (server, secret) = with_app().await;
    server
        .rest()
        .bearer(&secret)
        .put("/v1/users/amy", json!({}))
        .await
        .ok();
    let token = sign(&hs256(), &claims("zoe"), &secret);
    me(&server, &token)
        .put("/v1/users/bob", json!({}))
        .await
        .problem(403, "forbidden");
}

/// Such a token would outlive every revocation until its time comes.
#[tokio::test]
async fn a_token_from_the_future_is_refused() {
    let (server, secret) = with_app().await;
    for member in ["iat", "nbf"] {
        let mut claims = claims("zoe");
        claims[member] = json!(now_secs() + 3600);
        let token = sign(&hs256(), &claims, &secret);
        let answer = me(&server, &token).get("/v1/users/me").await;
        assert_eq!(answer.status, 401, "{member}");
    }
}
