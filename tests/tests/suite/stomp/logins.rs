//! T2-3, T2-5, T2-40, T2-43: logins by HTTP, and the end of tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crosstalk_tests::stomp::{EVENTS, StompClient};
use crosstalk_tests::{Http, Server};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

/// The secret of an app that is made for it.
async fn app(server: &Server, id: &str) -> String {
    let answer = server
        .admin()
        .post("/v1/apps", json!({"app_id": id, "name": id}))
        .await
        .ok();
    answer["app_secret"]
        .as_str()
        .unwrap_or_else(|| panic!("no secret: {answer}"))
        .to_owned()
}

/// A userSig as an app's backend makes it.
fn user_sig(claims: &Value, secret: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let head = format!(
        "{}.{}",
        encode(r#"{"alg":"HS256","typ":"JWT"}"#),
        encode(&claims.to_string())
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(head.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{head}.{signature}")
}

fn now_secs() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.expect("after 1970").as_secs()).expect("a time")
}

/// A session by a token in the query; `None` if it is Unauthorized.
async fn session(server: &Server, token: &str) -> Option<StompClient> {
    let mut client = StompClient::open(server, &format!("?token={token}")).await;
    client.say("CONNECT\naccept-version:1.2\n\n\0").await;
    let frame = client.frame().await;
    match frame.header("message") {
        None => Some(client),
        Some(message) => {
            assert_eq!(message, "Unauthorized");
            None
        }
    }
}

#[tokio::test]
async fn a_user_sig_and_the_token_got_for_it_are_both_accepted() {
    let server = Server::start().await;
    let secret = app(&server, "ak_demo_chat").await;
    let claims = json!({"sub": "user_001", "appId": "ak_demo_chat", "exp": now_secs() + 600});
    let sig = user_sig(&claims, &secret);
    assert!(session(&server, &sig).await.is_some());
    let body = json!({"appId": "ak_demo_chat", "userId": "user_001", "userSig": sig});
    let answer = server.rest().post("/api/im/auth/login", body).await.ok();
    assert_eq!(
        (&answer["code"], &answer["status"]),
        (&json!(200), &json!("0"))
    );
    let data = &answer["data"];
    assert_eq!(data["userId"], "user_001");
    assert!(
        data["wsUrl"]
            .as_str()
            .is_some_and(|url| url.ends_with("/ws/im"))
    );
    let token = data["token"].as_str().expect("a token");
    let mut client = session(&server, token).await.expect("a session");
    client.subscribe_all().await;
    client.text("m-1", "user_001", "note").await;
    assert_eq!(client.body("messages").await["appId"], "ak_demo_chat");
}

#[tokio::test]
async fn tokens_that_are_wrong_in_any_way_open_nothing() {
    let server = Server::start().await;
    let secret = app(&server, "one").await;
    let other = app(&server, "two").await;
    let claims = |exp: i64| json!({"sub": "zoe", "appId": "one", "exp": exp});
    let good = claims(now_secs() + 600);
    assert!(session(&server, &user_sig(&good, &secret)).await.is_some());
    let wrong = [
        user_sig(&claims(now_secs() - 3600), &secret),
        user_sig(&good, &other),
        user_sig(&good, "guess"),
        user_sig(&json!({"sub": "zoe", "exp": now_secs() + 600}), &secret),
        user_sig(&json!({"sub": "zoe", "appId": "one"}), &secret),
        user_sig(
            &json!({"sub": "zoe", "appId": "three", "exp": now_secs() + 600}),
            &secret,
        ),
        "nonsense".to_owned(),
    ];
    for token in wrong {
        assert!(session(&server, &token).await.is_none(), "{token}");
    }
}

#[tokio::test]
async fn a_session_is_told_before_its_token_ends_and_ends_with_it() {
    let server = Server::start().await;
    let secret = app(&server, "one").await;
    let ends = now_secs() + 4;
    let sig = user_sig(&json!({"sub": "zoe", "appId": "one", "exp": ends}), &secret);
    let mut client = session(&server, &sig).await.expect("a session");
    client.subscribe("events", EVENTS).await;
    let event = client.body("events").await;
    assert_eq!(event["event"], "TOKEN_EXPIRING");
    assert_eq!(event["expiresAt"], ends * 1000);
    let (error, code) = client.error().await;
    assert_eq!(error.header("message"), Some("Token expired"));
    assert_eq!(code, Some(1008));
    assert!(session(&server, &sig).await.is_none());
}

#[tokio::test]
async fn sessions_may_outlive_their_tokens_if_the_operator_says_so() {
    let server = Server::start_with(&["stomp.close_on_expiry=false"]).await;
    let secret = app(&server, "one").await;
    let ends = now_secs() + 2;
    let sig = user_sig(&json!({"sub": "zoe", "appId": "one", "exp": ends}), &secret);
    let mut client = session(&server, &sig).await.expect("a session");
    client.subscribe_all().await;
    crosstalk_tests::eventually("the token's end", async || {
        (now_secs() > ends + 1).then_some(())
    })
    .await;
    client.text("m-1", "zoe", "still here").await;
    assert!(session(&server, &sig).await.is_none());
}

#[tokio::test]
async fn administrators_make_user_sigs_and_users_do_not() {
    let server = Server::start().await;
    let path = "/api/im/admin/users/user_007/usersig";
    let answer = server.admin().post(path, json!({})).await.ok();
    let sig = answer["data"]["userSig"].as_str().expect("a userSig");
    assert!(session(&server, sig).await.is_some());
    let failed = |reply: crosstalk_tests::Reply| {
        let body = reply.json();
        assert_eq!(body["code"], reply.status);
        assert_eq!(body["status"], "1");
        assert!(body["data"].is_null() && body["message"].is_string());
        reply.status
    };
    let user: Http = server.rest().bearer(sig);
    assert_eq!(failed(user.post(path, json!({})).await), 403);
    assert_eq!(failed(server.rest().post(path, json!({})).await), 401);
    assert_eq!(failed(user.get("/api/im/nope").await), 404);
}

#[tokio::test]
async fn a_logout_ends_the_session() {
    let server = Server::start().await;
    let token = server.user_token("zoe").await;
    let mut client = session(&server, &token).await.expect("a session");
    let answer = server
        .rest()
        .bearer(&token)
        .post("/api/im/auth/logout", json!({}))
        .await;
    assert_eq!(answer.ok()["status"], "0");
    let (error, _) = client.error().await;
    assert_eq!(error.header("message"), Some("Unauthorized"));
}
