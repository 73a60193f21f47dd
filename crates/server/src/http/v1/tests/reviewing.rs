//! What moderators decide about, and what they are shown.

use crosstalk_core::send::words::Words;

use super::*;

const REVIEWS: &str = "/v1/moderation/reviews";

/// A messenger in which `odd` is held until a moderator has looked.
async fn holding() -> Rest {
    let words = Words::default().reviewing(&["odd".to_owned()], true);
    Rest::with_policy(Policy {
        words: Arc::new(words.expect("lists")),
        ..Policy::default()
    })
    .await
}

async fn pending(rest: &Rest) -> Value {
    rest.get(REVIEWS).await["items"].clone()
}

fn at(entry: &Value, what: &str) -> String {
    format!("{REVIEWS}/{}{what}", entry["id"].as_str().expect("an id"))
}

async fn say(rest: &Rest, token: &str, kind: &str, id: &str, text: &str, no: &str) -> Answer {
    let message = json!({
        "to": {"kind": kind, "id": id},
        "content": {"type": "text", "text": text},
        "client_no": no,
    });
    rest.call(token, "POST", "/v1/messages", message).await
}

#[tokio::test]
async fn who_may_not_send_any_more_is_not_sent_for() {
    let rest = holding().await;
    let (_ann, bob) = (rest.user("ann").await, rest.user("bob").await);
    rest.put(
        "/v1/channels/group/team",
        json!({"members": ["ann", "bob"]}),
    )
    .await;
    let held = say(&rest, &bob, "group", "team", "odd", "n1").await;
    assert_eq!(held.problem().1, "held_for_review");
    rest.app("DELETE", "/v1/channels/group/team/members/bob", Value::Null)
        .await
        .ok();
    let entry = pending(&rest).await[0].clone();
    let refused = rest.app("POST", &at(&entry, "/approve"), json!({})).await;
    assert_eq!(refused.problem(), (403, "not_a_member".into()));
    assert_eq!(pending(&rest).await[0], entry, "it waits on");
    // To somebody who has blocked its author meanwhile.
    let held = say(&rest, &bob, "direct", "ann", "odd", "n2").await;
    assert_eq!(held.problem().1, "held_for_review");
    rest.put("/v1/users/ann/blacklist/bob", json!({})).await;
    let second = pending(&rest).await[1].clone();
    let refused = rest.app("POST", &at(&second, "/approve"), json!({})).await;
    assert_eq!(refused.problem().0, 403);
    rest.post(&at(&second, "/reject"), json!({})).await;
}

#[tokio::test]
async fn a_retry_is_told_what_was_decided() {
    let rest = holding().await;
    let (_ann, bob) = (rest.user("ann").await, rest.user("bob").await);
    let send = |text: &'static str, no: &'static str| say(&rest, &bob, "direct", "ann", text, no);
    for no in ["n1", "n2", "n1"] {
        let held = send("odd", no).await;
        assert_eq!(held.problem().1, "held_for_review");
    }
    let queue = pending(&rest).await;
    assert_eq!(queue.as_array().map(Vec::len), Some(2));
    let approved = rest.post(&at(&queue[0], "/approve"), json!({})).await;
    let shown = rest.get(&at(&queue[0], "")).await;
    assert!(shown["message"].is_string());
    assert_eq!(shown["message"], approved["message"], "also later");
    let again = send("odd", "n1").await.ok();
    assert_eq!(again["id"], approved["message"]);
    rest.post(&at(&queue[1], "/reject"), json!({})).await;
    assert_eq!(send("odd", "n2").await.problem().1, "sensitive_word");
    // Something else under the number is something else.
    assert_eq!(send("odd, too", "n2").await.problem().1, "held_for_review");
}

#[tokio::test]
async fn what_is_taken_back_stays_known_to_moderators() {
    let rest = Rest::with_policy(Policy {
        edit_window_ms: 5000,
        ..Policy::default()
    })
    .await;
    let (ann, bob) = (rest.user("ann").await, rest.user("bob").await);
    let words = json!({"words": ["odd"], "action": "review"});
    rest.post("/v1/moderation/words", words).await;
    let sent = say(&rest, &bob, "direct", "ann", "so odd", "n1").await.ok();
    let path = format!("/v1/messages/{}", sent["id"].as_str().expect("an id"));
    let report = json!({"message": sent["id"], "reason": "abuse"});
    let filed = rest.call(&ann, "POST", "/v1/reports", report).await.ok();
    assert_eq!(filed["content"], Value::Null, "users are not told");
    let better = json!({"content": {"type": "text", "text": "fine"}});
    rest.call(&bob, "PATCH", &path, better).await.ok();
    rest.call(&bob, "POST", &format!("{path}/revoke"), Value::Null)
        .await
        .ok();
    assert_eq!(pending(&rest).await[0]["content"]["text"], "so odd");
    let report = format!("/v1/reports/{}", filed["id"].as_str().expect("an id"));
    assert_eq!(rest.get(&report).await["content"]["text"], "so odd");
    let listed = rest.get("/v1/reports").await;
    assert_eq!(listed["items"][0]["content"]["text"], "so odd");
}
