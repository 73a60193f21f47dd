//! What is said to programs, and what only the application says.

use super::*;

const COMMANDS: &str = "/v1/messages";

fn command(cmd: &str) -> Value {
    json!({
        "to": {"kind": "direct", "id": "bob"},
        "content": {"type": "command", "cmd": cmd, "param": {"id": "7"}},
    })
}

fn tip() -> Value {
    json!({"to": {"kind": "direct", "id": "bob"}, "content": {"type": "tip", "text": "hi"}})
}

async fn two() -> (Rest, String) {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    rest.user("bob").await;
    (rest, alice)
}

#[tokio::test]
async fn a_command_is_no_message_of_the_chat() {
    let (rest, alice) = two().await;
    let said = rest.text("alice", "direct", "bob", "x").await;
    assert_eq!(said["seq"], 1);
    let mut asking = command("reload");
    asking["receipt"] = true.into();
    let sent = rest.call(&alice, "POST", COMMANDS, asking).await.ok();
    let id = sent["id"].as_str().expect("an id");
    let path = format!("/v1/messages/{id}");
    let shown = rest.app("GET", &path, Value::Null);
    assert_eq!(shown.await.problem().1, "no_such_message");
    let next = rest.text("alice", "direct", "bob", "y").await;
    assert_eq!(next["seq"], 2, "it takes no place in the chat");
    let conversations = rest.get("/v1/users/bob/conversations").await;
    let bob = &conversations["items"][0];
    assert_eq!(
        (&bob["unread"], &bob["last_message"]["seq"]),
        (&json!(2), &json!(2))
    );
}

#[tokio::test]
async fn a_command_carries_nothing_and_does_not_wait() {
    let (rest, alice) = two().await;
    let more = [
        ("mentions", json!({"users": ["bob"]})),
        ("reply_to", json!("1")),
        ("burn_after_ms", json!(5000)),
    ];
    for (name, value) in more {
        let mut wrong = command("reload");
        wrong[name] = value;
        let refused = rest.call(&alice, "POST", COMMANDS, wrong).await;
        let detail = refused.detail("invalid_argument");
        assert!(detail.starts_with("content.type"), "{name}: {detail}");
    }
    let mut later = command("reload");
    later["send_at"] = (rest.clock_ms() + 60_000).into();
    let refused = rest.call(&alice, "POST", "/v1/scheduled-messages", later);
    let detail = refused.await.detail("invalid_argument");
    assert!(detail.starts_with("content.type"), "{detail}");
}

#[tokio::test]
async fn users_do_not_say_what_the_server_tells() {
    let (rest, alice) = two().await;
    for cmd in [
        "revoke",
        "edit",
        "GROUP_DISSOLVED",
        "messageRevoke",
        "typing",
    ] {
        let refused = rest.call(&alice, "POST", COMMANDS, command(cmd)).await;
        assert!(refused.detail("forbidden").starts_with("content"), "{cmd}");
        let mut many = command(cmd);
        many["to"] = json!([many["to"]]);
        let many = rest
            .call(&alice, "POST", "/v1/messages/batch", many)
            .await
            .ok();
        assert_eq!(many["items"][0]["error"]["code"], "forbidden", "{cmd}");
        for from in ["alice", "____system"] {
            let mut allowed = command(cmd);
            allowed["from"] = from.into();
            rest.post(COMMANDS, allowed).await;
        }
    }
    let refused = rest.call(&alice, "POST", COMMANDS, tip()).await;
    assert!(refused.detail("forbidden").starts_with("content"));
}

#[tokio::test]
async fn nothing_becomes_a_command_by_an_edit() {
    let (rest, alice) = two().await;
    let said = rest.text("alice", "direct", "bob", "x").await;
    let path = format!("/v1/messages/{}", said["id"].as_str().expect("an id"));
    for content in [
        &command("reload")["content"],
        &command("edit")["content"],
        &tip()["content"],
    ] {
        let edit = json!({"content": content});
        let refused = rest.call(&alice, "PATCH", &path, edit).await;
        assert_eq!(refused.problem().1, "invalid_argument", "{content}");
    }
}

#[tokio::test]
async fn a_tip_of_the_application_is_not_counted() {
    let (rest, _) = two().await;
    rest.post(COMMANDS, tip()).await;
    let mut as_alice = tip();
    as_alice["from"] = "alice".into();
    rest.post(COMMANDS, as_alice).await;
    let conversations = rest.get("/v1/users/bob/conversations").await;
    let items = conversations["items"].as_array().expect("a list");
    assert_eq!(items.len(), 2);
    assert!(
        items.iter().all(|item| item["unread"] == 0),
        "{conversations}"
    );
}
