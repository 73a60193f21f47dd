//! That nothing of a user who was erased is told, said or brought back afterwards.

use super::administration::{quick, texts, work};
use super::*;
use crate::hooks::tests::Receiver;

/// Stands in whatever zed wrote.
const MARK: &str = "ZEDMARK";

async fn erase_zed(rest: &Rest) {
    let begun = rest.app("DELETE", "/v1/users/zed", Value::Null).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    work(rest).await;
    let done = rest.get("/v1/users/zed/erasure").await;
    assert_eq!(done["state"], "done", "{done}");
}

/// All entries of command logs for a user, as one text.
async fn told(rest: &Rest, uid: &str) -> String {
    let uid = Uid::parse(uid).expect("a uid");
    let user = rest.im.find_user(&Realm::default(), &uid).await;
    let reader = crosstalk_core::delivered::DeviceKey {
        user: user.expect("an answer").expect("known").num,
        origin: crosstalk_core::message::Origin::REST,
        id: "d".into(),
    };
    let commands = rest.im.commands(&reader, 1000, |_| true).await;
    let entries = commands.expect("commands").messages;
    let texts = entries
        .iter()
        .map(|entry| String::from_utf8_lossy(&entry.body.payload).into_owned());
    texts.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn nobody_is_told_any_more_what_an_erased_user_wrote() {
    let rest = Rest::start().await;
    for uid in ["zed", "bob", "carol"] {
        rest.user(uid).await;
    }
    rest.text("carol", "direct", "bob", "before").await;
    let mark = |what: &str| format!("{MARK} {what}");
    let profile =
        json!({"name": mark("name"), "phone": "ZEDMARK1", "custom": {"k": mark("custom")}});
    rest.put("/v1/users/zed", profile).await;
    rest.put("/v1/channels/group/g", json!({"members": ["zed", "bob"]}))
        .await;
    let nick = json!({"nick": mark("nick")});
    rest.app("PATCH", "/v1/channels/group/g/members/zed", nick)
        .await
        .ok();
    rest.text("zed", "direct", "bob", &mark("text")).await;
    let ask = json!({"to": "bob", "message": mark("please")});
    rest.post("/v1/users/zed/friend-requests", ask).await;
    let draft = json!({"draft": mark("draft")});
    rest.app("PATCH", "/v1/users/zed/conversations/direct/bob", draft)
        .await
        .ok();
    for message in rest.get("/v1/channels/group/g/messages").await["items"]
        .as_array()
        .expect("a list")
    {
        assert_ne!(message["content"]["type"], "text", "nothing was said");
    }
    assert!(told(&rest, "bob").await.contains(MARK), "it was told");
    erase_zed(&rest).await;
    let left = told(&rest, "bob").await;
    assert!(!left.contains(MARK), "{left}");
    assert!(left.contains("zed"), "that there was somebody may be known");
    assert_eq!(told(&rest, "zed").await, "", "nothing of the own log");

    let receiver = Receiver::taking().await;
    let hook = json!({"url": receiver.url(), "events": ["*"]});
    let hook = rest.post("/v1/hooks", hook).await;
    let replay = format!("/v1/hooks/{}/replay", hook["id"].as_str().expect("an id"));
    rest.post(&replay, json!({"since_at": im::START_MS - 1000}))
        .await;
    rest.text("carol", "direct", "bob", "after").await;
    let is_end = |call: &crate::hooks::tests::Call| call.json["data"]["content"]["text"] == "after";
    let mut calls = receiver.after(1).await;
    while !calls.iter().any(is_end) {
        calls = receiver.after(1).await;
    }
    let calls: Vec<String> = calls.iter().map(|call| call.json.to_string()).collect();
    assert!(calls.iter().any(|call| call.contains("before")), "replayed");
    assert!(!calls.iter().any(|call| call.contains(MARK)), "{calls:#?}");
}

#[tokio::test]
async fn the_chat_does_not_name_who_was_erased() {
    let rest = Rest::start().await;
    for uid in ["zed", "bob", "carol"] {
        rest.user(uid).await;
    }
    rest.put("/v1/users/zed", json!({"name": MARK})).await;
    rest.put("/v1/users/carol", json!({"name": "Carol"})).await;
    let group = json!({"owner": "bob", "tips": true});
    rest.put("/v1/channels/group/g", group).await;
    let members = "/v1/channels/group/g/members";
    for uid in ["zed", "carol"] {
        rest.post(members, json!({"members": [uid]})).await;
    }
    let history = async || rest.get("/v1/channels/group/g/messages").await.to_string();
    assert!(history().await.contains(MARK), "that zed has come");
    erase_zed(&rest).await;
    let left = history().await;
    assert!(!left.contains(MARK) && !left.contains("zed"), "{left}");
    assert!(left.contains("Carol"), "the others stay: {left}");
    rest.app("DELETE", &format!("{members}/carol"), Value::Null)
        .await;
    assert!(history().await.contains("被移出了群聊"), "they are told of");
}

#[tokio::test]
async fn who_was_erased_is_not_brought_back() {
    let rest = Rest::start().await;
    for uid in ["zed", "bob"] {
        rest.user(uid).await;
    }
    rest.put("/v1/channels/group/g", json!({"owner": "bob"}))
        .await;
    let later = json!({
        "from": "zed", "to": {"kind": "direct", "id": "bob"},
        "content": {"type": "text", "text": "later"},
        "send_at": rest.clock_ms() + 1000,
    });
    let scheduled = rest.post("/v1/scheduled-messages", later).await;
    assert_eq!(scheduled["state"], "open", "{scheduled}");
    erase_zed(&rest).await;
    let text = json!({"type": "text", "text": "x"});
    let group = "/v1/channels/group/g";
    for (method, path, body, refusal) in [
        (
            "POST",
            format!("{group}/members"),
            json!({"members": ["zed"]}),
            403,
        ),
        ("PUT", group.to_owned(), json!({"owner": "zed"}), 403),
        (
            "PUT",
            group.to_owned(),
            json!({"members": ["bob", "zed"]}),
            403,
        ),
        (
            "POST",
            "/v1/channels".to_owned(),
            json!({"members": ["zed"]}),
            403,
        ),
        (
            "POST",
            "/v1/channels".to_owned(),
            json!({"owner": "zed"}),
            404,
        ),
        (
            "POST",
            format!("{group}/invitations"),
            json!({"users": ["zed"]}),
            403,
        ),
        (
            "POST",
            format!("{group}/transfer"),
            json!({"to": "zed"}),
            404,
        ),
        (
            "POST",
            format!("{group}/join"),
            json!({"operator": "zed"}),
            404,
        ),
        ("PUT", "/v1/users/zed".to_owned(), json!({"name": "Z"}), 403),
        ("POST", "/v1/users/zed/tokens".to_owned(), json!({}), 403),
        (
            "POST",
            "/v1/users/bob/friend-requests".to_owned(),
            json!({"to": "zed"}),
            404,
        ),
        (
            "POST",
            "/v1/users/zed/friend-requests".to_owned(),
            json!({"to": "bob"}),
            404,
        ),
        (
            "PUT",
            "/v1/users/bob/blacklist/zed".to_owned(),
            Value::Null,
            404,
        ),
        (
            "POST",
            "/v1/messages".to_owned(),
            json!({"from": "zed", "to": {"kind": "direct", "id": "bob"}, "content": text}),
            404,
        ),
        (
            "POST",
            "/v1/messages".to_owned(),
            json!({"from": "bob", "to": {"kind": "direct", "id": "zed"}, "content": text}),
            404,
        ),
        (
            "POST",
            "/v1/broadcasts".to_owned(),
            json!({"from": "zed", "to": "all", "content": text}),
            404,
        ),
    ] {
        let answer = rest.app(method, &path, body.clone()).await;
        assert_eq!(
            answer.status, refusal,
            "{method} {path} {body}: {}",
            answer.body
        );
    }
    let imported = json!({"users": [{"uid": "zed", "name": "Z"}]});
    let imported = rest.post("/v1/users/import", imported).await;
    assert_eq!(imported["items"][0]["error"]["code"], "user_banned");
    let members = rest.get(&format!("{group}/members")).await;
    assert_eq!(each(&members["items"], "/uid"), ["bob"]);
    assert_eq!(rest.get(group).await["owner"], "bob");
    assert!(texts(&rest, "bob", "zed").await.is_empty());
}

/// A broadcast that was begun ends, and nothing of what it had said is left.
#[tokio::test]
async fn a_broadcast_of_who_was_erased_ends() {
    let rest = Rest::with_policy(quick()).await;
    for uid in ["zed", "bob"] {
        rest.user(uid).await;
    }
    let said = json!({
        "from": "zed", "to": {"uids": ["bob"]}, "content": {"type": "text", "text": MARK},
    });
    let begun = rest.post("/v1/broadcasts", said).await;
    let path = format!("/v1/broadcasts/{}", begun["id"].as_str().expect("an id"));
    let first = json!({
        "from": "zed", "to": {"kind": "direct", "id": "bob"},
        "content": {"type": "text", "text": MARK},
    });
    rest.post("/v1/messages", first).await;
    erase_zed(&rest).await;
    let ended = rest.get(&path).await;
    assert_eq!(ended["state"], "failed", "{ended}");
    assert_eq!(ended["note"], "its sender was erased", "{ended}");
    assert_eq!(ended["content"], Value::Null, "what it said is gone");
    let left = texts(&rest, "bob", "zed").await;
    assert!(!left.contains(&MARK.to_owned()), "{left:?}");
}
