//! What the word lists look at beside the text of a message.

use super::*;

const WORDS: &str = "/v1/moderation/words";

/// A messenger in which `evil` is refused and `damn` covered.
async fn worded(policy: Policy) -> Rest {
    let rest = Rest::with_policy(policy).await;
    rest.post(WORDS, json!({"words": ["evil"]})).await;
    rest.post(WORDS, json!({"words": ["damn"], "action": "mask"}))
        .await;
    rest
}

#[tokio::test]
async fn what_a_reply_quotes_is_looked_at() {
    let rest = Rest::start().await;
    let (alice, _bob) = (rest.user("alice").await, rest.user("bob").await);
    let mut before = Vec::new();
    for text in ["so EVIL", "damn it"] {
        let sent = rest.text("bob", "direct", "alice", text).await;
        before.push(sent["id"].clone());
    }
    rest.post(WORDS, json!({"words": ["evil"]})).await;
    rest.post(WORDS, json!({"words": ["damn"], "action": "mask"}))
        .await;
    let send = async |content: Value, reply_to: &Value| {
        let to = json!({"kind": "direct", "id": "bob"});
        let message = json!({"to": to, "content": content, "reply_to": reply_to});
        rest.call(&alice, "POST", "/v1/messages", message).await
    };
    let text = json!({"type": "text", "text": "x"});
    let refused = send(text.clone(), &before[0]).await;
    assert_eq!(refused.problem(), (403, "sensitive_word".into()));
    let sent = send(text, &before[1]).await.ok();
    let path = format!("/v1/messages/{}", sent["id"].as_str().expect("an id"));
    let shown = rest.get(&path).await;
    assert_eq!(shown["content"]["reply"]["text"], "**** it");
    // What has a name is called that for those who see no more of it.
    let named = json!({"type": "video", "url": "u", "name": "evil.mp4"});
    let refused = send(named, &Value::Null).await;
    assert_eq!(refused.problem().1, "sensitive_word");
}

#[tokio::test]
async fn what_could_not_be_said_now_is_not_scheduled() {
    let rest = worded(Policy::default()).await;
    let (alice, _bob) = (rest.user("alice").await, rest.user("bob").await);
    let schedule = async |by: &str, text: &str| {
        let message = json!({
            "to": {"kind": "direct", "id": "bob"},
            "content": {"type": "text", "text": text},
            "send_at": rest.clock_ms() + 60_000,
        });
        let path = "/v1/scheduled-messages";
        rest.call(by, "POST", path, message).await
    };
    let refused = schedule(&alice, "evil").await;
    assert_eq!(refused.problem(), (403, "sensitive_word".into()));
    schedule(ADMIN, "evil").await.ok();
    let noted = schedule(&alice, "fine").await.ok();
    let path = format!(
        "/v1/scheduled-messages/{}",
        noted["id"].as_str().expect("an id")
    );
    let worse = json!({"content": {"type": "text", "text": "evil"}});
    let refused = rest.call(&alice, "PATCH", &path, worse).await;
    assert_eq!(refused.problem(), (403, "sensitive_word".into()));
    let better = json!({"content": {"type": "text", "text": "finer"}});
    rest.call(&alice, "PATCH", &path, better).await.ok();
}

#[tokio::test]
async fn what_applications_keep_in_a_profile_is_looked_at() {
    let rest = worded(Policy::default()).await;
    let alice = rest.user("alice").await;
    let put = |custom: Value| {
        let profile = json!({"custom": custom});
        rest.call(&alice, "PATCH", "/v1/users/me/profile", profile)
    };
    let refused = put(json!({"motto": {"text": ["evil"]}})).await;
    assert_eq!(refused.problem(), (403, "sensitive_word".into()));
    let kept = put(json!({"motto": {"text": ["damn it"]}})).await.ok();
    assert_eq!(kept["custom"]["motto"]["text"][0], "**** it");
}

#[tokio::test]
async fn another_action_is_a_change() {
    let rest = worded(Policy::default()).await;
    let words = json!({"words": ["EVIL", "damn", "odd"], "action": "mask"});
    assert_eq!(rest.post(WORDS, words.clone()).await["changed"], 2);
    assert_eq!(rest.post(WORDS, words).await["changed"], 0);
}
