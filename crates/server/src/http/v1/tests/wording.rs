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

fn reply(quoted: &str) -> Value {
    let reply = json!({"from": "bob", "id": "1", "text": quoted});
    json!({"type": "text", "text": "x", "reply": reply})
}

#[tokio::test]
async fn what_a_reply_quotes_is_looked_at() {
    let rest = worded(Policy {
        edit_window_ms: 5000,
        ..Policy::default()
    })
    .await;
    let (alice, _bob) = (rest.user("alice").await, rest.user("bob").await);
    let send = async |content: Value| {
        let message = json!({"to": {"kind": "direct", "id": "bob"}, "content": content});
        rest.call(&alice, "POST", "/v1/messages", message).await
    };
    let refused = send(reply("so EVIL")).await;
    assert_eq!(refused.problem(), (403, "sensitive_word".into()));
    let sent = send(reply("fine")).await.ok();
    let path = format!("/v1/messages/{}", sent["id"].as_str().expect("an id"));
    let edit = |content: Value| rest.call(&alice, "PATCH", &path, json!({"content": content}));
    let refused = edit(reply("evil")).await;
    assert_eq!(refused.problem(), (403, "sensitive_word".into()));
    edit(reply("damn it")).await.ok();
    let shown = rest.get(&path).await;
    assert_eq!(shown["content"]["reply"]["text"], "**** it");
    // What has a name is called that for those who see no more of it.
    let named = json!({"type": "video", "url": "u", "name": "evil.mp4"});
    assert_eq!(send(named).await.problem().1, "sensitive_word");
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
