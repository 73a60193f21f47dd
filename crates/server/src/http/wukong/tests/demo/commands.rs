//! What was missed, as CMD messages.

use super::*;

async fn missed(api: &Api, uid: &str) -> Vec<Value> {
    let list = managed(api, "/message/sync", json!({"uid": uid})).await;
    list.as_array().expect("a list").clone()
}

async fn acknowledge(api: &Api, uid: &str, seq: &Value) {
    let ack = json!({"uid": uid, "last_message_seq": seq});
    let done = managed(api, "/message/syncack", ack).await;
    assert_eq!(done, json!({"status": 200}));
}

/// Nothing that has happened until now is missed any more.
async fn take_all(api: &Api, uid: &str) {
    if !missed(api, uid).await.is_empty() {
        acknowledge(api, uid, &json!(1)).await;
    }
    assert_eq!(missed(api, uid).await, [] as [Value; 0]);
}

fn said(command: &Value) -> Value {
    let payload = STANDARD.decode(command["payload"].as_str().expect("a text"));
    serde_json::from_slice(&payload.expect("base64")).expect("JSON")
}

#[tokio::test]
async fn whoever_was_away_gets_the_commands_of_those_who_were_there() {
    let (api, id) = with_message().await;
    for uid in ["u2", "u3", "u4"] {
        take_all(&api, uid).await;
    }
    let session = api.try_session("u2", "t-u2").await.expect("a session");
    let revoke = at("u1", &json!({"message_id": id}));
    call(&api, "t-u1", "/v1/message/revoke", &revoke).await;
    let live = next(&session).await;
    for uid in ["u2", "u3"] {
        let commands = missed(&api, uid).await;
        assert_eq!(commands.len(), 1, "{uid}");
        let command = &commands[0];
        let payload = crosstalk_gateway::wukong_payload(&live, uid);
        assert_eq!(command["payload"], STANDARD.encode(payload), "{uid}");
        assert_eq!(said(command)["cmd"], "messageRevoke");
        assert_eq!(
            command["header"],
            json!({"no_persist": 0, "red_dot": 0, "sync_once": 1})
        );
        assert_eq!(command["message_idstr"], live.id.to_string());
        assert_eq!(command["message_seq"], live.seq);
        assert_eq!(
            (&command["channel_id"], &command["channel_type"]),
            (&json!("g1"), &json!(2))
        );
    }
    assert_eq!(missed(&api, "u4").await, [] as [Value; 0], "no member");
    assert_eq!(missed(&api, "nobody").await, [] as [Value; 0]);
    assert!(!api.is_known("nobody").await);

    // Until it is acknowledged, and by each for themselves.
    let again = missed(&api, "u2").await;
    assert_eq!(again.len(), 1);
    acknowledge(&api, "u2", &again[0]["message_seq"]).await;
    assert_eq!(missed(&api, "u2").await, [] as [Value; 0]);
    assert_eq!(missed(&api, "u3").await.len(), 1);
}

#[tokio::test]
async fn only_what_was_handed_out_is_acknowledged() {
    let (api, _) = with_message().await;
    take_all(&api, "u2").await;
    let mut sent = Vec::new();
    for n in 0..5 {
        let command = json!({
            "header": {"sync_once": 1}, "client_msg_no": format!("c-{n}"), "from_uid": "u1",
            "channel_id": "g1", "channel_type": 2, "payload": PAYLOAD,
        });
        let done = managed(&api, "/message/send", command).await;
        sent.push(done["data"]["message_idstr"].clone());
    }
    // Nothing was handed out since.
    acknowledge(&api, "u2", &json!(9)).await;
    let mut found = Vec::new();
    for _ in 0..3 {
        let some = json!({"uid": "u2", "limit": 2});
        let some = managed(&api, "/message/sync", some).await;
        let some = some.as_array().expect("a list").clone();
        acknowledge(&api, "u2", &some.last().expect("a command")["message_seq"]).await;
        // A second acknowledgement takes nothing more.
        acknowledge(&api, "u2", &json!(99)).await;
        found.extend(some.iter().map(|it| it["message_idstr"].clone()));
    }
    assert_eq!(found, sent);
    assert_eq!(missed(&api, "u2").await, [] as [Value; 0]);
    for (path, body) in [
        ("/message/syncack", json!({"uid": "u2"})),
        (
            "/message/syncack",
            json!({"uid": "", "last_message_seq": 1}),
        ),
        ("/message/sync", json!({"uid": "a@b"})),
    ] {
        assert_eq!(call(&api, MANAGER, path, &body).await.status, 400, "{body}");
    }
}

#[tokio::test]
async fn each_side_of_a_personal_channel_knows_it_by_the_other() {
    let (api, _) = with_message().await;
    let sessions = [
        (
            "u1",
            api.try_session("u1", "t-u1").await.expect("a session"),
        ),
        (
            "u2",
            api.try_session("u2", "t-u2").await.expect("a session"),
        ),
    ];
    let message = json!({
        "header": {"red_dot": 1}, "from_uid": "u1", "channel_id": "u2", "channel_type": 1,
        "payload": PAYLOAD,
    });
    let sent = managed(&api, "/message/send", message).await;
    let id = &sent["data"]["message_idstr"];
    for (uid, session) in &sessions {
        next(session).await;
        take_all(&api, uid).await;
    }
    let revoke = json!({
        "login_uid": "u1", "channel_id": "u2", "channel_type": 1, "message_id": id,
    });
    let done = call(&api, "t-u1", "/v1/message/revoke", &revoke).await;
    assert_eq!(done.status, 200, "{}", done.body);
    for ((uid, session), peer) in sessions.iter().zip(["u2", "u1"]) {
        next(session).await;
        let commands = missed(&api, uid).await;
        let param = &said(&commands[0])["param"];
        assert_eq!(
            (commands.len(), &param["channel_id"], &param["message_id"]),
            (1, &json!(peer), id),
            "{uid}"
        );
    }
    assert_eq!(
        missed(&api, "u3")
            .await
            .iter()
            .filter(|it| { said(it)["cmd"] == "messageRevoke" })
            .count(),
        0
    );
}

#[tokio::test]
async fn what_concerns_one_user_stands_in_their_own_log() {
    let (api, _) = with_message().await;
    let session = api.try_session("u2", "t-u2").await.expect("a session");
    for uid in ["u1", "u2"] {
        take_all(&api, uid).await;
    }
    let clear = json!({"uid": "u2", "channel_id": "g1", "channel_type": 2});
    managed(&api, "/conversations/clearUnread", clear).await;
    next(&session).await;
    let commands = missed(&api, "u2").await;
    assert_eq!(commands.len(), 1);
    assert_eq!(
        said(&commands[0]),
        json!({"type": 99, "cmd": "unreadClear",
               "param": {"channel_id": "g1", "channel_type": 2, "unread": 0}})
    );
    // That is a receipt for the author, who has asked for one.
    let receipts = missed(&api, "u1").await;
    assert!(
        receipts
            .iter()
            .all(|it| said(it)["cmd"] == "syncMessageExtra"),
        "{receipts:?}"
    );
}

#[tokio::test]
async fn whoever_was_removed_learns_that_and_no_more_of_the_group() {
    let (api, _) = with_message().await;
    let session = api.try_session("u3", "t-u3").await.expect("a session");
    take_all(&api, "u3").await;
    let remove = json!({"channel_id": "g1", "channel_type": 2, "subscribers": ["u3"]});
    managed(&api, "/channel/subscriber_remove", remove).await;
    next(&session).await;
    let command = json!({
        "header": {"sync_once": 1}, "from_uid": "u1", "channel_id": "g1", "channel_type": 2,
        "payload": PAYLOAD,
    });
    managed(&api, "/message/send", command).await;
    let commands = missed(&api, "u3").await;
    assert_eq!(commands.len(), 1, "{commands:?}");
    assert_eq!(
        said(&commands[0]),
        json!({"type": 99, "cmd": "memberUpdate",
               "param": {"channel_id": "g1", "channel_type": 2, "uids": ["u3"]}})
    );
}
