//! The bodies that clients send, and how they are refused.

use crosstalk_wire::stomp::im::{
    BadMember, ChatEdit, ChatRead, ChatRevoke, ChatSend, ChatSync, ChatType, Code, ConversationId,
    FailedSend, MAX_MENTIONS, Problem, ReadTarget, RefusedRequest, RefusedSend, Submitted,
};
use serde_json::{Value, json};

fn send(body: &str) -> Result<ChatSend, RefusedSend> {
    ChatSend::read(body.as_bytes())
}

/// The documented body with one member replaced, or removed by `null`.
fn body_with(member: &str, value: Value) -> String {
    let mut body = json!({
        "appId": "ak_demo_chat", "messageId": "m-001", "toId": "user_002",
        "chatType": "SINGLE", "msgType": "TEXT", "content": "Hello",
    });
    body[member] = value;
    body.to_string()
}

fn bad(body: &str) -> (String, Submitted) {
    match send(body) {
        Err(refused @ RefusedSend::Member { .. }) => {
            let submitted = refused.submitted().expect("it names the message").clone();
            (refused.to_string(), submitted)
        }
        other => panic!("{other:?} for {body}"),
    }
}

#[test]
fn the_documented_send() {
    let body = r#"{"appId":"ak_demo_chat","messageId":"m-001","toId":"user_002","chatType":"SINGLE","msgType":"TEXT","content":"Hello"}"#;
    let sent = send(body).expect("a send");
    assert_eq!(sent.app_id.as_deref(), Some("ak_demo_chat"));
    assert_eq!(sent.client_id(), Some("m-001"));
    assert_eq!(sent.to_id, "user_002");
    assert_eq!(sent.chat_type, ChatType::Single);
    assert_eq!(sent.msg_type, "TEXT");
    assert_eq!(sent.content, "Hello");
    assert!(sent.mentioned_user_ids.is_empty() && sent.extra.is_none());
    // What a client writes is what the document says.
    assert_eq!(serde_json::to_string(&sent).expect("JSON"), body);
}

#[test]
fn sends_are_read_tolerantly() {
    let body = r#"{"appKey":7,"messageId":5,"toId":48057,"chatType":"group","msgType":"POKE",
        "content":{"a": 1},"fromId":"forged","mentionedUserIds":["u1",2],
        "extra":{"readReceipt":"1","quote":{"id":"m"}},"toId":48058}"#;
    let sent = send(body).expect("a send");
    assert_eq!(sent.app_id.as_deref(), Some("7"));
    assert_eq!(sent.client_id(), Some("5"));
    assert_eq!(sent.to_id, "48058", "the last of a name counts");
    assert_eq!(sent.chat_type, ChatType::Group);
    assert_eq!(sent.msg_type, "POKE");
    assert_eq!(sent.content, r#"{"a": 1}"#);
    assert_eq!(sent.mentioned_user_ids, ["u1", "2"]);
    let extra = sent.extra.as_deref().map(serde_json::value::RawValue::get);
    assert_eq!(extra, Some(r#"{"readReceipt":"1","quote":{"id":"m"}}"#));
    assert_eq!(sent.extra_flag("readReceipt"), Some(true));
    assert_eq!(sent.extra_flag("quote"), None);
    assert_eq!(sent.extra_flag("unread"), None);
}

#[test]
fn the_app_by_its_two_names() {
    let app = |body: &str| send(body).expect("a send").app_id;
    assert_eq!(app(&body_with("appId", Value::Null)), None);
    assert_eq!(
        app(&body_with("appKey", json!("other"))),
        Some("ak_demo_chat".into())
    );
}

#[test]
fn a_refused_send_names_the_member() {
    let cases = [
        ("toId", Value::Null, "Missing toId"),
        ("toId", json!(""), "Missing toId"),
        ("toId", json!(["u"]), "Invalid toId"),
        ("chatType", Value::Null, "Missing chatType"),
        ("chatType", json!("XXX"), "Invalid chatType"),
        ("chatType", json!(1), "Invalid chatType"),
        ("msgType", Value::Null, "Missing msgType"),
        ("msgType", json!(1), "Invalid msgType"),
        ("msgType", json!("REVOKED"), "Invalid msgType"),
        ("msgType", json!("A\nB"), "Invalid msgType"),
        ("msgType", json!("X".repeat(65)), "Invalid msgType"),
        ("content", Value::Null, "Missing content"),
        ("content", json!(5), "Invalid content"),
        ("content", json!([1]), "Invalid content"),
        ("content", json!(true), "Invalid content"),
        ("messageId", json!({}), "Invalid messageId"),
        ("appId", json!([]), "Invalid appId"),
        ("extra", json!("x"), "Invalid extra"),
        ("mentionedUserIds", json!("u"), "Invalid mentionedUserIds"),
        (
            "mentionedUserIds",
            json!(vec![1; MAX_MENTIONS + 1]),
            "Invalid mentionedUserIds",
        ),
    ];
    for (member, value, text) in cases {
        let body = body_with(member, value);
        let (why, submitted) = bad(&body);
        assert_eq!(why, text);
        let id = if member == "messageId" { "" } else { "m-001" };
        assert_eq!(submitted.message_id, id);
        let to_id = if member == "toId" { "" } else { "user_002" };
        assert_eq!(submitted.to_id, to_id);
    }
    // What is readable comes back as it was written.
    assert_eq!(bad(&body_with("chatType", json!("XXX"))).1.chat_type, "XXX");
}

#[test]
fn what_may_be_odd_and_is_no_error() {
    for (member, value) in [
        ("content", json!("")),
        ("messageId", json!("x".repeat(200))),
        ("messageId", Value::Null),
        ("unknown", json!({"a": [1]})),
        ("msgType", json!("自定义")),
    ] {
        assert!(send(&body_with(member, value.clone())).is_ok(), "{member}");
    }
    let long = send(&body_with("messageId", json!("x".repeat(200)))).expect("a send");
    assert_eq!(long.client_id(), None);
    assert_eq!(long.submitted().message_id.len(), 200);
}

#[test]
fn broken_json_keeps_a_message_id_that_was_whole() {
    for body in ["{", "", "null", "[]", "x", r#"{"toId":"u""#] {
        let refused = send(body).expect_err("no JSON");
        assert_eq!(
            refused,
            RefusedSend::InvalidJson { submitted: None },
            "{body}"
        );
        assert_eq!(refused.to_string(), "Invalid JSON");
    }
    let refused = send(r#"{"messageId":"m-5","toId":"u","content":"x"#).expect_err("no JSON");
    let submitted = refused.submitted().expect("the id was whole");
    assert_eq!(
        (&submitted.message_id[..], &submitted.to_id[..]),
        ("m-5", "u")
    );
    assert_eq!(submitted.content, "");
    assert_eq!(RefusedRequest::from(refused), RefusedRequest::InvalidJson);
}

/// "unknown user" of the transcripts: all eight documented members are there.
#[test]
fn a_refused_send_comes_back() {
    let sent = send(&body_with("toId", json!("nobody"))).expect("a send");
    let submitted = sent.submitted();
    let failed = FailedSend {
        submitted: &submitted,
        app_id: "ak_demo_chat",
        from_id: "user_001",
        at_ms: 1_715_000_000_000,
        code: Code::NotFound,
        reason: "User not found",
    };
    let read: Value = serde_json::from_slice(&failed.message().to_json()).expect("JSON");
    assert_eq!(
        read,
        json!({
            "id": "m-001", "messageId": "m-001", "appId": "ak_demo_chat",
            "fromId": "user_001", "toId": "nobody", "chatType": "SINGLE", "msgType": "TEXT",
            "content": "Hello", "status": "FAILED", "createdAt": 1_715_000_000_000_i64,
            "seq": null, "revoked": false, "editedAt": null, "mentionedUserIds": [],
            "extra": {}, "errorCode": 404, "errorMessage": "User not found",
        })
    );
    // Of a refused recall only the id is known.
    let submitted = Submitted::id("m-001");
    let failed = FailedSend {
        submitted: &submitted,
        code: Code::Conflict,
        reason: "Revoke window expired",
        ..failed
    };
    let read: Value = serde_json::from_slice(&failed.message().to_json()).expect("JSON");
    assert_eq!(
        (&read["id"], &read["errorCode"]),
        (&json!("m-001"), &json!(409))
    );
    assert_eq!((&read["toId"], &read["content"]), (&json!(""), &json!("")));
    // The group of a refused group message is named as in any other.
    let group = Submitted {
        chat_type: "GROUP".into(),
        to_id: "g_1".into(),
        ..Submitted::default()
    };
    let failed = FailedSend {
        submitted: &group,
        ..failed
    };
    assert_eq!(failed.message().group_id.as_deref(), Some("g_1"));
}

#[test]
fn revokes_and_edits() {
    let body = br#"{"appId":"ak_demo_chat","messageId":"m-001"}"#;
    let revoke = ChatRevoke::read(body).expect("a revoke");
    assert_eq!(revoke.message_id, "m-001");
    assert_eq!(serde_json::to_vec(&revoke).expect("JSON"), body);

    let missing = |member| {
        RefusedRequest::Member(BadMember {
            member,
            problem: Problem::Missing,
        })
    };
    assert_eq!(ChatRevoke::read(b"{}"), Err(missing("messageId")));
    let empty = br#"{"messageId":""}"#;
    assert_eq!(ChatRevoke::read(empty), Err(missing("messageId")));
    assert_eq!(ChatRevoke::read(b"{"), Err(RefusedRequest::InvalidJson));

    let edit = ChatEdit::read(br#"{"messageId":741,"content":"new"}"#).expect("an edit");
    assert_eq!((&edit.message_id[..], &edit.content[..]), ("741", "new"));
    let no_content = ChatEdit::read(br#"{"messageId":"m"}"#);
    assert_eq!(no_content, Err(missing("content")));
}

#[test]
fn reads_of_messages_and_conversations() {
    let read = |body: &str| ChatRead::read(body.as_bytes()).map(|it| it.target);
    let message = ReadTarget::Message("m-1".into());
    assert_eq!(
        read(r#"{"appId":"a","messageId":"m-1"}"#),
        Ok(message.clone())
    );
    let both = r#"{"messageId":"m-1","conversationId":"GROUP:g"}"#;
    assert_eq!(read(both), Ok(message));
    let group = ReadTarget::Conversation(ConversationId {
        chat_type: ChatType::Group,
        target_id: "g_1".into(),
    });
    assert_eq!(read(r#"{"conversationId":"GROUP:g_1"}"#), Ok(group.clone()));
    let refused = read("{}").expect_err("it names nothing");
    assert_eq!(refused.to_string(), "Missing messageId");
    let refused = read(r#"{"conversationId":"g_1"}"#).expect_err("it has no kind");
    assert_eq!(refused.to_string(), "Invalid conversationId");
    let written = serde_json::to_value(ChatRead {
        app_id: None,
        target: group,
    });
    let expected = json!({"conversationId": "GROUP:g_1"});
    assert_eq!(written.expect("JSON"), expected);
}

#[test]
fn syncs_and_their_limits() {
    let read = |body: &str| ChatSync::read(body.as_bytes());
    let all = ChatSync {
        app_id: None,
        since: None,
        cursor: None,
        limit: 200,
    };
    for body in ["", " \n", "{}", r#"{"cursor":"","since":null}"#] {
        assert_eq!(read(body), Ok(all.clone()), "{body:?}");
    }
    let body = r#"{"appId":"a","since":"1715000000000","cursor":741200000000000009,"limit":"50"}"#;
    assert_eq!(
        read(body),
        Ok(ChatSync {
            app_id: Some("a".into()),
            since: Some(1_715_000_000_000),
            cursor: Some("741200000000000009".into()),
            limit: 50,
        })
    );
    let limit = |body: &str| read(body).map(|it| it.limit);
    assert_eq!(limit(r#"{"limit":0}"#), Ok(1));
    assert_eq!(limit(r#"{"limit":1000000}"#), Ok(1_000));
    let refused = limit(r#"{"limit":-1}"#).expect_err("no limit");
    assert_eq!(refused.to_string(), "Invalid limit");
    assert_eq!(read("[]"), Err(RefusedRequest::InvalidJson));
}
