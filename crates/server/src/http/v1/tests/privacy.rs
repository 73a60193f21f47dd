//! Whom users let bring them into groups, and how often one asks the same user.

use super::*;

const CHANNELS: &str = "/v1/channels";
const REQUESTS: &str = "/v1/users/me/friend-requests";

async fn lets(rest: &Rest, who: &str, change: Value) {
    rest.call(who, "PATCH", "/v1/users/me/privacy", change)
        .await
        .ok();
}

/// In each way that there is to bring users into a group: what becomes of it.
async fn bring(rest: &Rest, by: &str, users: &[&str]) -> [Answer; 3] {
    let group = |path: &str| format!("{CHANNELS}/group/g{path}");
    [
        rest.call(by, "POST", CHANNELS, json!({"members": users}))
            .await,
        rest.call(by, "POST", &group("/members"), json!({"members": users}))
            .await,
        rest.call(
            by,
            "POST",
            &group("/invitations"),
            json!({"users": users, "message": "BUY"}),
        )
        .await,
    ]
}

async fn all_refused(rest: &Rest, by: &str, code: &str) {
    for answer in bring(rest, by, &["bob", "victim"]).await {
        assert_eq!(answer.body["users"], json!(["victim"]), "{}", answer.body);
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        assert!(detail.ends_with(": victim"), "{detail}");
        assert_eq!(answer.problem(), (403, code.to_owned()));
    }
    let members = format!("{CHANNELS}/group/g/members");
    let members = rest.call(by, "GET", &members, Value::Null).await.ok();
    assert_eq!(members["items"].as_array().map(Vec::len), Some(1));
}

async fn start(policy: Policy) -> (Rest, String, String) {
    let rest = Rest::with_policy(policy).await;
    let alice = rest.user("alice").await;
    rest.user("bob").await;
    let pairs = json!({"pairs": [["alice", "bob"]]});
    let befriend = rest.call(ADMIN, "POST", "/v1/friends/import", pairs).await;
    befriend.ok();
    let victim = rest.user("victim").await;
    let new = json!({"id": "g"});
    rest.call(&alice, "POST", CHANNELS, new).await.ok();
    (rest, alice, victim)
}

async fn befriend(rest: &Rest) {
    let pairs = json!({"pairs": [["alice", "victim"]]});
    rest.call(ADMIN, "POST", "/v1/friends/import", pairs)
        .await
        .ok();
}

#[tokio::test]
async fn a_stranger_who_may_not_write_brings_nobody_into_groups() {
    let (rest, alice, victim) = start(Policy::default()).await;
    lets(&rest, &victim, json!({"strangers": "deny"})).await;
    all_refused(&rest, &alice, "not_allow_listed").await;
    befriend(&rest).await;
    for answer in bring(&rest, &alice, &["bob", "victim"]).await {
        answer.ok();
    }
}

#[tokio::test]
async fn among_friends_only_only_friends_bring_each_other_into_groups() {
    let mut policy = Policy::default();
    policy.friends_only.everywhere = true;
    let (rest, alice, victim) = start(policy).await;
    all_refused(&rest, &alice, "not_allow_listed").await;
    // Who lets strangers write lets them do this, too.
    lets(&rest, &victim, json!({"strangers": "allow"})).await;
    for answer in bring(&rest, &alice, &["bob", "victim"]).await {
        answer.ok();
    }
}

#[tokio::test]
async fn users_say_who_brings_them_into_groups() {
    let (rest, alice, victim) = start(Policy::default()).await;
    let path = "/v1/users/me/privacy";
    let shown = rest.call(&victim, "GET", path, Value::Null).await.ok();
    assert_eq!(shown["groups"], "everyone");
    lets(&rest, &victim, json!({"groups": "friends"})).await;
    all_refused(&rest, &alice, "not_allow_listed").await;
    befriend(&rest).await;
    lets(&rest, &victim, json!({"groups": "nobody"})).await;
    let shown = rest.call(&victim, "GET", path, Value::Null).await.ok();
    assert_eq!(shown["groups"], "nobody");
    all_refused(&rest, &alice, "not_allow_listed").await;
    let block = "/v1/users/me/blacklist/alice";
    rest.call(&victim, "PUT", block, Value::Null).await.ok();
    all_refused(&rest, &alice, "blocked").await;
    // The application may bring in anybody, and whoever is there is in nobody's way.
    let members = format!("{CHANNELS}/group/g/members");
    let victims = json!({"members": ["victim"]});
    rest.call(ADMIN, "POST", &members, victims).await.ok();
    let both = json!({"members": ["bob", "victim"]});
    rest.call(&alice, "POST", &members, both).await.ok();
    let wrong = json!({"groups": "x"});
    let wrong = rest.call(&victim, "PATCH", path, wrong).await;
    assert_eq!(wrong.status, 422);
}

#[tokio::test]
async fn the_same_user_is_asked_again_after_a_while_and_so_often_a_day() {
    let (rest, alice, victim) = start(Policy::default()).await;
    let ask = json!({"to": "victim", "message": "BUY"});
    let ask = async || rest.call(&alice, "POST", REQUESTS, ask.clone()).await;
    let minutes = |count: i64| rest.clock.advance_ms(count * 60_000);
    for at in 0..5 {
        let asked = ask().await.ok();
        let (created, expires) = (asked["created_at"].as_i64(), asked["expires_at"].as_i64());
        assert_eq!(expires, created.map(|at| at + 30 * 24 * 3_600_000));
        let id = asked["id"].as_str().expect("an id");
        let (who, word) = match at % 2 {
            0 => (&alice, "cancel"),
            _ => (&victim, "reject"),
        };
        let path = format!("{REQUESTS}/{id}/{word}");
        rest.call(who, "POST", &path, Value::Null).await.ok();
        if at < 4 {
            minutes(9);
            let again = ask().await;
            assert_eq!(again.headers[header::RETRY_AFTER], "60");
            assert_eq!(again.problem(), (429, "rate_limited".to_owned()));
            minutes(1);
        }
    }
    minutes(60);
    let again = ask().await;
    let left = 24 * 3600 - 100 * 60;
    assert_eq!(again.headers[header::RETRY_AFTER], left.to_string());
    assert_eq!(again.problem(), (429, "rate_limited".to_owned()));
    // Another is asked all the same, and the victim may ask.
    rest.user("carol").await;
    let carol = json!({"to": "carol"});
    rest.call(&alice, "POST", REQUESTS, carol).await.ok();
    minutes(24 * 60 - 100);
    ask().await.ok();
    let back = json!({"to": "alice"});
    let back = rest.call(&victim, "POST", REQUESTS, back).await.ok();
    assert_eq!(back["state"], "accepted");
}
