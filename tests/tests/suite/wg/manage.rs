//! T0-29, T0-38: the channel manager over HTTP.

use crosstalk_tests::Http;
use crosstalk_tests::wg::{WgClient, body, login};
use serde_json::json;

use super::{manager, online, server};

#[tokio::test]
async fn it_finds_who_is_online() {
    let server = server(&[]).await;
    let session_id = login(&server, "u2", "web").await;
    let _web = WgClient::registered_with(&server, "u2", &session_id).await;
    let _app = WgClient::registered(&server, "u2", "app").await;
    let _u1 = WgClient::registered(&server, "u1", "web").await;
    let one = online(&server, "userId=u2&clientName=web").await;
    assert_eq!(one.len(), 1);
    assert_eq!(
        (&one[0]["userId"], &one[0]["clientName"]),
        (&json!("u2"), &json!("web"))
    );
    assert_eq!(
        one[0]["connectedAt"]
            .as_i64()
            .map(|ms| ms.to_string().len()),
        Some(13)
    );
    let masked = one[0]["sessionId"].as_str().expect("a string");
    assert!(masked.starts_with(&session_id[..4]) && !masked.contains(&session_id));
    let channel_id = one[0]["channelId"].as_str().expect("a string");
    for (query, count) in [
        ("userId=u2", 2),
        ("userIds=u1,u2", 3),
        ("userIds=u1,u2&clientName=web", 2),
        ("userId=u3", 0),
        ("", 3),
        (&*format!("sessionId={session_id}"), 1),
        (&*format!("channelId={channel_id}"), 1),
        ("sessionId=zzz", 0),
    ] {
        assert_eq!(online(&server, query).await.len(), count, "{query}");
    }
}

/// T0-38.
#[tokio::test]
async fn it_sends_to_channels_and_to_nobody_else() {
    let server = server(&[]).await;
    let mut web = WgClient::registered(&server, "u2", "web").await;
    let mut app = WgClient::registered(&server, "u2", "app").await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let channel = async |query: &str| online(&server, query).await[0]["channelId"].clone();
    let web_id = channel("userId=u2&clientName=web").await;
    let u1_id = channel("userId=u1").await;
    let notice = json!({"title": "维护", "msg": "今晚 22:00", "target": null, "serviceId": null});
    let message = |id: &str| {
        json!({
            "id": id, "type": 3001, "isSystem": true, "from": "SYSTEM", "to": "",
            "body": notice.to_string(),
        })
    };
    let send = async |request| manager(&server).post("/api/websocket/send", request).await;
    let one = json!({"channelIds": [web_id], "message": message("s1")});
    assert_eq!(send(one).await.ok()["data"], 1);
    let shown = web.message().await;
    assert_eq!((&shown["id"], &shown["type"]), (&json!("s1"), &json!(3001)));
    assert_eq!(
        (&shown["from"], &shown["isSystem"]),
        (&json!("SYSTEM"), &json!(true))
    );
    assert_eq!(shown["to"], "u2");
    assert_eq!(body(&shown), notice);
    let two = json!({"channelIds": [web_id, u1_id, "0"], "message": message("s2")});
    assert_eq!(send(two).await.ok()["data"], 2);
    assert_eq!(web.message().await["id"], "s2");
    assert_eq!(u1.message().await["id"], "s2");
    let named = json!({"userIds": ["u2"], "clientName": "app", "message": message("s3")});
    assert_eq!(send(named).await.ok()["data"], 1);
    assert_eq!(app.message().await["id"], "s3", "and neither of the others");
    let mut unnamed = message("");
    unnamed.as_object_mut().expect("an object").remove("id");
    send(json!({"userIds": ["u2", "u3"], "message": unnamed}))
        .await
        .ok();
    for client in [&mut web, &mut app] {
        let id = client.message().await["id"].clone();
        let id = id.as_str().expect("a string");
        assert!(id.parse::<i64>().is_ok_and(|id| id > 0), "{id}");
    }
    // It may be acknowledged as everything else.
    web.receipt("s2", "SYSTEM", 200, "已接收").await;
    assert!(web.heard_before_pong().await.is_empty());
    for client in [&mut u1, &mut app] {
        assert!(client.heard_before_pong().await.is_empty());
    }
}

#[tokio::test]
async fn it_is_for_the_admin_key_only() {
    let server = server(&[]).await;
    let token = server.user_token("u1").await;
    let nobody = Http::at(&server.listeners().wg);
    for caller in [
        nobody.clone(),
        nobody.clone().bearer(&token),
        nobody.bearer(""),
    ] {
        let online = caller.get("/api/websocket/online").await;
        let sent = caller.post("/api/websocket/send", json!({})).await;
        for refused in [online, sent] {
            assert_eq!(refused.status, 401);
            assert_eq!(refused.json()["code"], 401);
        }
    }
}

#[tokio::test]
async fn it_says_what_it_does_not_understand() {
    let server = server(&[]).await;
    let admin = manager(&server);
    let good = json!({"type": 2001, "body": "x"});
    for request in [
        json!({}),
        json!([]),
        json!({"message": good}),
        json!({"channelIds": [], "message": good}),
        json!({"channelIds": ["1"]}),
        json!({"channelIds": ["1"], "message": {"type": 3001, "body": "{}"}}),
        json!({"channelIds": ["1"], "message": {"type": 1000, "body": "{}"}}),
    ] {
        let refused = admin.post("/api/websocket/send", request.clone()).await;
        assert_eq!(refused.status, 400, "{request}");
        assert_eq!(refused.json()["code"], 400, "{request}");
    }
    assert_eq!(admin.get("/api/websocket/send").await.status, 405);
    assert_eq!(
        admin.post("/api/websocket/online", json!({})).await.status,
        405
    );
}
