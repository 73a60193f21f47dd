//! Conversations as the SDKs' data sources ask for them.

use super::*;

async fn with_method(api: &Api, method: &str, token: &str, path: &str, body: &Value) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("token", token)
        .body(Body::from(body.to_string()));
    api.send(request.expect("a request")).await
}

async fn ok(api: &Api, method: &str, path: &str, mut body: Value) -> Value {
    body["login_uid"] = "u2".into();
    let answer = with_method(api, method, "t-u2", path, &body).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

/// The one conversation of u2.
async fn conversation(api: &Api) -> Value {
    let list = ok(api, "POST", "/v1/conversation/sync", json!({"version": 0})).await;
    assert_eq!((&list["uid"], &list["cmds"]), (&json!("u2"), &json!([])));
    assert_eq!(
        list["conversations"].as_array().map(Vec::len),
        Some(1),
        "{list}"
    );
    list["conversations"][0].clone()
}

#[tokio::test]
async fn the_list_has_payloads_as_objects_and_what_is_kept() {
    let (api, _) = with_message().await;
    let shown = conversation(&api).await;
    assert_eq!(
        (&shown["channel_id"], &shown["unread"]),
        (&json!("g1"), &json!(1))
    );
    let message = &shown["recents"][0];
    assert_eq!(message["payload"], json!({"type": 2, "url": "u"}));
    assert_eq!(
        (&message["is_deleted"], &message["reactions"]),
        (&json!(0), &json!([]))
    );
    assert_eq!((&shown["stick"], &shown["mute"]), (&json!(0), &json!(0)));
    let setting = at("", &json!({"top": 1, "mute": 1}));
    ok(&api, "PUT", "/v1/conversation/setting", setting).await;
    let shown = conversation(&api).await;
    assert_eq!((&shown["stick"], &shown["mute"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn drafts_and_screens_are_synchronised_by_version() {
    let (api, _) = with_message().await;
    let sync = async |version: i64| {
        let asked = json!({"login_uid": "u2", "version": version});
        ok(&api, "POST", "/v1/conversation/extra/sync", asked).await
    };
    assert_eq!(sync(0).await, json!([]));
    let draft = json!({
        "draft": "half a", "browse_to": 1, "keep_message_seq": 1, "keep_offset_y": 20,
    });
    let put = ok(&api, "POST", "/v1/conversations/g1/2/extra", draft).await;
    let version = put["version"].as_i64().expect("a version");
    let rows = sync(0).await;
    let row = &rows[0];
    let seconds = row["draft_updated_at"].as_i64().expect("a time");
    assert_eq!(
        *row,
        json!({
            "channel_id": "g1", "channel_type": 2, "browse_to": 1, "keep_message_seq": 1,
            "keep_offset_y": 20, "draft": "half a", "draft_updated_at": seconds,
            "version": version, "top": 0, "marked": 0,
        })
    );
    assert!(seconds > 0);
    assert_eq!(sync(version).await, json!([]));
    let only = json!({"draft": ""});
    ok(&api, "POST", "/v1/conversations/g1/2/extra", only).await;
    let rows = sync(version).await;
    assert_eq!(
        (&rows[0]["draft"], &rows[0]["browse_to"]),
        (&json!(""), &json!(1))
    );
    let long = json!({"login_uid": "u2", "draft": "x".repeat(4097)});
    let refused = with_method(&api, "POST", "t-u2", "/v1/conversations/g1/2/extra", &long).await;
    assert_eq!(refused.status, 400);
    let foreign = json!({"login_uid": "u2", "draft": "x"});
    for (token, status) in [("t-u1", 403), ("", 401), ("x", 401)] {
        let path = "/v1/conversations/g1/2/extra";
        let refused = with_method(&api, "POST", token, path, &foreign).await;
        assert_eq!(refused.status, status, "{token}");
    }
}

#[tokio::test]
async fn unread_is_cleared_and_history_goes_for_oneself() {
    let (api, _) = with_message().await;
    let channel = at("u2", &json!({}));
    let stretch = async |uid: &str| {
        let asked = at(uid, &json!({"limit": 20}));
        let token = format!("t-{uid}");
        let path = "/v1/message/channel/sync";
        with_method(&api, "POST", &token, path, &asked).await.body
    };
    assert_eq!(stretch("u2").await["messages"][0]["payload"]["url"], "u");
    ok(&api, "PUT", "/v1/conversation/clearUnread", channel.clone()).await;
    assert_eq!(conversation(&api).await["unread"], 0);
    let offset = at("u2", &json!({"message_seq": 1}));
    ok(&api, "POST", "/v1/message/offset", offset).await;
    assert_eq!(stretch("u2").await["messages"], json!([]));
    assert_eq!(
        stretch("u1").await["messages"].as_array().map(Vec::len),
        Some(1)
    );
    let asked = at("u4", &json!({}));
    let foreign = with_method(&api, "POST", "t-u4", "/v1/message/channel/sync", &asked).await;
    assert_eq!(foreign.status, 403, "no member");
    let path = "/v1/conversations/g1/2";
    let deleted = with_method(&api, "DELETE", "t-u1", path, &json!({"login_uid": "u1"})).await;
    assert_eq!(deleted.status, 200, "{}", deleted.body);
    let list = with_method(
        &api,
        "POST",
        "t-u1",
        "/v1/conversation/sync",
        &json!({"login_uid": "u1"}),
    )
    .await;
    assert_eq!(list.body["conversations"], json!([]));
}
