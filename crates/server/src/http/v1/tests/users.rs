//! Users, tokens, sessions, block lists.

use std::net::IpAddr;

use crosstalk_core::im::{Credential, OpenSession};
use crosstalk_core::relation::RelationChange;
use crosstalk_core::session::{Delivery, Offline};
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
        json!({"name": "a\0b"}),
        json!({"avatar": "a\nb"}),
        json!({"ban": "yes"}),
        json!({"custom": []}),
        json!([1]),
        json!(["Alice", null, null, null, null, null, null]),
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
    for bytes in [&b"{"[..], b"{} {}", b"\xef\xbb\xbf{}", b"{\"x\":\"\xff\"}"] {
        let broken = Request::builder()
            .method("PUT")
            .uri("/v1/users/alice")
            .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"))
            .body(Body::from(bytes));
        let broken = rest.send(broken.expect("a request")).await;
        let expected = (400, "undecodable_content".to_owned());
        assert_eq!(broken.problem(), expected, "{}", bytes.escape_ascii());
    }
    let echo = json!({"ban": "y".repeat(1 << 20)});
    let echo = rest.app("PUT", "/v1/users/alice", echo).await;
    assert!(echo.detail("invalid_argument").chars().count() <= 1001);
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
        json!({"device": "\0"}),
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
        credential: Credential::Token {
            realm: Realm::default(),
            uid: Uid::parse(uid).expect("a uid"),
            token: token.to_owned(),
            dialect: "test",
        },
        origin: WUKONG_ORIGIN,
        device_id: "d1".into(),
        device_flag: 1,
        delivery: Delivery::plain(Offline::Sync, true),
        sync_own: true,
        max_sessions: 0,
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

#[tokio::test]
async fn who_is_blocked_is_listed_in_pages() {
    let rest = Rest::start().await;
    let list = "/v1/users/alice/blacklist";
    let alice = rest.user("alice").await;
    assert_eq!(rest.get(list).await["items"], json!([]));
    for uid in ["dave", "bob", "carol", "erin"] {
        rest.user(uid).await;
        rest.put(&format!("{list}/{uid}"), Value::Null).await;
    }
    rest.app("DELETE", &format!("{list}/carol"), Value::Null)
        .await
        .ok();
    let own = rest
        .call(&alice, "GET", "/v1/users/me/blacklist", Value::Null)
        .await
        .ok();
    let expected = json!([{"uid": "dave"}, {"uid": "bob"}, {"uid": "erin"}]);
    assert_eq!(own, json!({"items": expected, "next_cursor": null}));
    let first = rest.get(&format!("{list}?limit=2")).await;
    assert_eq!(each(&first["items"], "/uid"), ["dave", "bob"]);
    let cursor = first["next_cursor"].as_str().expect("another page");
    let second = rest.get(&format!("{list}?limit=2&cursor={cursor}")).await;
    assert_eq!(each(&second["items"], "/uid"), ["erin"]);
    assert_eq!(second["next_cursor"], Value::Null);
    for query in ["limit=0", "cursor=x"] {
        let answer = rest
            .app("GET", &format!("{list}?{query}"), Value::Null)
            .await;
        let field = query.split('=').next().unwrap_or_default();
        assert!(answer.detail("invalid_argument").starts_with(field));
    }
    let unknown = rest
        .app("GET", "/v1/users/nobody/blacklist", Value::Null)
        .await;
    assert_eq!(unknown.problem(), (404, "no_such_user".to_owned()));
}

/// A decision made in another way than REST.
async fn relate(rest: &Rest, uid: &str, other: &str, change: RelationChange) {
    let uid = Uid::parse(uid).expect("a uid");
    let other = Uid::parse(other).expect("a uid");
    let realm = Realm::default();
    let related = rest.im.relate(&realm, &uid, &other, change).await;
    related.expect("a relation");
}

#[tokio::test]
async fn whoever_is_allowed_is_not_blocked() {
    let rest = Rest::start().await;
    rest.user("alice").await;
    let allow = RelationChange {
        allowed: Some(true),
        ..RelationChange::default()
    };
    relate(&rest, "alice", "bob", allow).await;
    let listed = rest.get("/v1/users/alice/blacklist").await;
    assert_eq!(listed["items"], json!([]));
}

#[tokio::test]
async fn a_name_that_never_became_a_user_can_be_unblocked() {
    let rest = Rest::start().await;
    rest.user("alice").await;
    let block = RelationChange {
        blocked: Some(true),
        ..RelationChange::default()
    };
    relate(&rest, "alice", "ghost", block).await;
    let list = "/v1/users/alice/blacklist";
    assert_eq!(each(&rest.get(list).await["items"], "/uid"), ["ghost"]);
    for uid in ["ghost", "ghost", "nobody"] {
        let gone = rest
            .app("DELETE", &format!("{list}/{uid}"), Value::Null)
            .await;
        assert_eq!(gone.status, 204, "{uid}");
    }
    assert_eq!(rest.get(list).await["items"], json!([]));
    assert!(!rest.is_known("nobody").await);
}
