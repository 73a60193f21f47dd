//! Conversations.

use super::*;

const LIST: &str = "/v1/users/bob/conversations";

async fn started() -> Rest {
    let rest = Rest::start().await;
    for uid in ["alice", "bob", "carol"] {
        rest.user(uid).await;
    }
    rest
}

#[tokio::test]
async fn unread_grows_with_messages_and_falls_with_reading() {
    let rest = started().await;
    rest.text("alice", "direct", "bob", "1").await;
    let last = rest.text("alice", "direct", "bob", "2").await;
    let page = rest.get(LIST).await;
    let conversation = &page["items"][0];
    assert_eq!(
        conversation["channel"],
        json!({"kind": "direct", "id": "alice"})
    );
    assert_eq!(conversation["unread"], 2);
    assert_eq!(conversation["last_seq"], 2);
    assert_eq!(conversation["read_seq"], 0);
    assert_eq!(conversation["pinned"], false);
    assert_eq!(conversation["muted"], false);
    assert_eq!(conversation["last_message"]["id"], last["id"]);
    assert_eq!(
        conversation["last_message"]["content"],
        json!({"type": "text", "text": "2"})
    );

    let read = "/v1/users/bob/conversations/direct/alice/read";
    let one = rest.post(read, json!({"seq": 1})).await;
    assert_eq!((&one["unread"], &one["read_seq"]), (&json!(1), &json!(1)));
    let all = rest.post(read, Value::Null).await;
    assert_eq!((&all["unread"], &all["read_seq"]), (&json!(0), &json!(2)));
    let back = rest.post(read, json!({"seq": 1})).await;
    assert_eq!((&back["unread"], &back["read_seq"]), (&json!(0), &json!(2)));
    let own = rest.get("/v1/users/alice/conversations").await;
    assert_eq!(own["items"][0]["unread"], 0, "own messages are read");
}

#[tokio::test]
async fn conversations_come_newest_first_in_pages() {
    let rest = started().await;
    for n in 0..5 {
        let path = format!("/v1/channels/group/g{n}");
        rest.put(&path, json!({"members": ["alice", "bob"]})).await;
    }
    for n in [3, 1, 4, 0, 2] {
        rest.clock.advance_ms(1000);
        rest.text("alice", "group", &format!("g{n}"), "x").await;
    }
    let all = rest.get(LIST).await;
    let newest_first = ["g2", "g0", "g4", "g1", "g3"];
    assert_eq!(each(&all["items"], "/channel/id"), newest_first);
    let mut seen = Vec::new();
    let mut path = format!("{LIST}?limit=2");
    loop {
        let page = rest.get(&path).await;
        seen.extend(each(&page["items"], "/channel/id"));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("{LIST}?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, newest_first);
}

#[tokio::test]
async fn what_is_no_conversation_is_refused() {
    let rest = started().await;
    let read = async |path: &str, body: Value| {
        rest.app("POST", &format!("{LIST}/{path}/read"), body)
            .await
            .problem()
    };
    assert_eq!(
        read("group/none", Value::Null).await,
        (404, "no_such_channel".to_owned())
    );
    assert_eq!(
        read("direct/alice", Value::Null).await,
        (404, "no_such_channel".to_owned())
    );
    rest.put("/v1/channels/group/team", json!({"members": ["alice"]}))
        .await;
    assert_eq!(
        read("group/team", Value::Null).await,
        (403, "not_a_member".to_owned())
    );
    assert_eq!(read("group/team", json!({"seq": -1})).await.0, 422);
    let unknown = rest
        .app("GET", "/v1/users/nobody/conversations", Value::Null)
        .await;
    assert_eq!(unknown.problem(), (404, "no_such_user".to_owned()));
    let cursor = rest
        .app("GET", &format!("{LIST}?cursor=x"), Value::Null)
        .await;
    assert!(cursor.detail("invalid_argument").starts_with("cursor"));
}
