//! Users, tokens, sessions, block lists.

use std::net::IpAddr;

use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::im::{Credential, OpenSession};
use crosstalk_gateway::WUKONG_ORIGIN;

use super::*;

#[tokio::test]
async fn a_profile_is_changed_member_by_member() {
    let rest = Rest::start().await;
    assert_eq!(
        rest.app("GET", "/v1/users/alice", Value::Null).await.status,
        404
    );
    let made = rest
        .put(
            "/v1/users/alice",
            json!({"name": "Alice", "custom": {"n": 1}}),
        )
        .await;
    let expected = json!({
        "uid": "alice", "name": "Alice", "avatar": null, "custom": {"n": 1},
        "ban": false, "send_ban": false, "allow_stranger": false, "system": false,
    });
    assert_eq!(made, expected);
    rest.put(
        "/v1/users/alice",
        json!({"avatar": "a.png", "send_ban": true}),
    )
    .await;
    let kept = rest.put("/v1/users/alice", json!({"custom": null})).await;
    assert_eq!(kept["name"], "Alice");
    assert_eq!(kept["avatar"], "a.png");
    assert_eq!(kept["custom"], Value::Null);
    assert_eq!(kept["send_ban"], true);
    assert_eq!(rest.get("/v1/users/alice").await, kept);
}

#[tokio::test]
async fn what_cannot_be_a_user_is_refused() {
    let rest = Rest::start().await;
    for uid in ["a%20b", "a@b", "____system", "SYSTEM", &"x".repeat(65)] {
        let answer = rest
            .app("PUT", &format!("/v1/users/{uid}"), json!({}))
            .await;
        assert_eq!(answer.problem(), (422, "invalid_uid".to_owned()), "{uid}");
    }
    for body in [
        json!({"name": 1}),
        json!({"ban": "yes"}),
        json!({"custom": []}),
        json!([1]),
    ] {
        let answer = rest.app("PUT", "/v1/users/alice", body.clone()).await;
        assert_eq!(
            answer.problem(),
            (422, "invalid_argument".to_owned()),
            "{body}"
        );
    }
    let named = rest
        .app("PUT", "/v1/users/alice", json!({"ban": "yes"}))
        .await;
    assert!(named.detail("invalid_argument").starts_with("ban"));
    let broken = Request::builder()
        .method("PUT")
        .uri("/v1/users/alice")
        .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"))
        .body(Body::from("{"));
    let broken = rest.send(broken.expect("a request")).await;
    assert_eq!(broken.problem(), (400, "undecodable_content".to_owned()));
    let large = json!({"custom": {"x": "y".repeat(20_000)}});
    let large = rest.app("PUT", "/v1/users/alice", large).await;
    assert_eq!(large.problem(), (413, "too_large".to_owned()));
    assert_eq!(
        rest.app("GET", "/v1/users/%FF", Value::Null)
            .await
            .problem()
            .0,
        400
    );
}

#[tokio::test]
async fn tokens_have_bounds() {
    let rest = Rest::start().await;
    let issued = rest.post("/v1/users/alice/tokens", Value::Null).await;
    let month = im::START_MS / 1000 + 30 * 86_400;
    assert_eq!(issued["expires_at"], month * 1000);
    for body in [
        json!({"ttl_secs": 0}),
        json!({"ttl_secs": -1}),
        json!({"ttl_secs": 400 * 86_400 + 1}),
        json!({"ttl_secs": "1"}),
        json!({"device": "d".repeat(129)}),
    ] {
        let answer = rest
            .app("POST", "/v1/users/alice/tokens", body.clone())
            .await;
        assert_eq!(
            answer.problem(),
            (422, "invalid_argument".to_owned()),
            "{body}"
        );
    }
    let longest = json!({"ttl_secs": 400 * 86_400, "device": "phone"});
    rest.post("/v1/users/alice/tokens", longest).await;
    let unknown = rest
        .app("POST", "/v1/users/nobody/tokens/revoke", Value::Null)
        .await;
    assert_eq!(unknown.problem(), (404, "no_such_user".to_owned()));
}

async fn open(rest: &Rest, uid: &str, token: &str) -> Arc<crosstalk_core::session::Session> {
    let request = OpenSession {
        realm: Realm::default(),
        uid: Uid::parse(uid).expect("a uid"),
        credential: Credential::Token(token.to_owned()),
        origin: WUKONG_ORIGIN,
        device_id: "d1".into(),
        device_flag: 1,
        sync_own: true,
        peer: IpAddr::from([203, 0, 113, 9]),
    };
    rest.im.open_session(request).await.expect("a session")
}

#[tokio::test]
async fn sessions_are_shown_and_end_with_their_tokens() {
    let rest = Rest::start().await;
    let token = rest.user("alice").await;
    assert_eq!(
        rest.get("/v1/users/alice/sessions").await["items"],
        json!([])
    );
    let session = open(&rest, "alice", &token).await;
    let listed = rest
        .call(&token, "GET", "/v1/users/me/sessions", Value::Null)
        .await
        .ok();
    let expected = json!([{
        "id": session.id.to_string(),
        "dialect": "wukong",
        "device": {"id": "d1", "flag": 1, "level": "slave"},
        "address": "203.0.113.9",
        "opened_at": im::START_MS,
    }]);
    assert_eq!(listed, json!({"items": expected, "next_cursor": null}));
    rest.app("POST", "/v1/users/alice/tokens/revoke", Value::Null)
        .await
        .ok();
    assert!(session.mailbox.drain(false).ending.is_some());
}

#[tokio::test]
async fn who_is_blocked_cannot_write() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    rest.user("bob").await;
    let blocked = "/v1/users/alice/blacklist/bob";
    rest.call(&alice, "PUT", "/v1/users/me/blacklist/bob", Value::Null)
        .await
        .ok();
    let message = json!({
        "from": "bob", "to": {"kind": "direct", "id": "alice"},
        "content": {"type": "text", "text": "x"},
    });
    let refused = rest.app("POST", "/v1/messages", message.clone()).await;
    assert_eq!(refused.problem(), (403, "blocked".to_owned()));
    rest.app("DELETE", blocked, Value::Null).await.ok();
    rest.post("/v1/messages", message).await;

    let unknown = rest
        .app("PUT", "/v1/users/alice/blacklist/nobody", Value::Null)
        .await;
    assert!(unknown.detail("no_such_user").starts_with("other"));
    let oneself = rest
        .app("PUT", "/v1/users/alice/blacklist/alice", Value::Null)
        .await;
    assert_eq!(oneself.problem(), (422, "invalid_argument".to_owned()));
}
