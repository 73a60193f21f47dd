//! T0-1 to T0-5: the login that gives a session id.

use crosstalk_tests::Http;
use crosstalk_tests::wg::{WgClient, api, body, login};
use reqwest::header::ALLOW;
use serde_json::json;

use super::server;

const WEB: &str = "/app/websocket/client/login/web";

#[tokio::test]
async fn both_routes_give_session_ids_in_the_form_of_the_document() {
    let server = server(&[]).await;
    let u1 = api(&server, "u1").await;
    let mut ids = Vec::new();
    for side in ["app", "api"] {
        let path = format!("/{side}/websocket/client/login/a1");
        let answer = u1.get(&path).await.ok();
        assert_eq!(answer["code"], 200);
        assert_eq!(answer["data"], answer["sessionId"]);
        assert_eq!(answer["expiresIn"], 1800);
        let url = format!("ws://{}/websocket", server.listeners().wg);
        assert_eq!(answer["url"], url);
        let id = answer["data"].as_str().expect("a string").to_owned();
        assert!(!id.is_empty());
        ids.push(id);
        // One slash more is no other path.
        u1.get(&format!("{path}/")).await.ok();
        assert_eq!(u1.get(&format!("{path}/more")).await.status, 404);
    }
    assert_ne!(ids[0], ids[1]);
    // On listen.http just the same.
    let token = server.user_token("u1").await;
    let http = server.rest().header("token", &token);
    assert_eq!(http.get(WEB).await.ok()["code"], 200);
}

#[tokio::test]
async fn the_account_is_proven_in_each_of_three_ways_or_not_at_all() {
    let server = server(&[]).await;
    let token = server.user_token("u1").await;
    let nobody = Http::at(&server.listeners().wg);
    nobody.clone().bearer(&token).get(WEB).await.ok();
    nobody.get(&format!("{WEB}?token={token}")).await.ok();
    let wrong = nobody.clone().header("token", "wrong");
    for refused in [nobody.get(WEB).await, wrong.get(WEB).await] {
        assert_eq!(refused.status, 401);
        assert_eq!(refused.json(), json!({"code": 401, "msg": "未登录"}));
    }
    server
        .admin()
        .post("/v1/users/u1/tokens/revoke", json!({}))
        .await
        .ok();
    assert_eq!(nobody.bearer(&token).get(WEB).await.status, 401);
}

#[tokio::test]
async fn names_and_methods_are_checked() {
    let server = server(&[]).await;
    let u1 = api(&server, "u1").await;
    let long = "a".repeat(65);
    for name in ["%E7%BD%91%E9%A1%B5", "a%20b", "a@b", &long] {
        let refused = u1.get(&format!("/app/websocket/client/login/{name}")).await;
        assert_eq!(refused.status, 400, "{name}");
        assert_eq!(
            refused.json(),
            json!({"code": 400, "msg": "客户端名称格式错误"})
        );
    }
    u1.get(&format!("/app/websocket/client/login/{}", "a".repeat(64)))
        .await
        .ok();
    for refused in [u1.post(WEB, json!({})).await, u1.put(WEB, json!({})).await] {
        assert_eq!(refused.status, 405);
        assert_eq!(refused.headers[ALLOW], "GET");
        assert_eq!(refused.json()["code"], 405);
    }
}

#[tokio::test]
async fn data_may_be_an_object() {
    let server = server(&[
        "wg.login_data=object",
        "wg.url=im.example.org",
        "wg.port=443",
    ])
    .await;
    let answer = api(&server, "u1").await.get(WEB).await.ok();
    assert_eq!(answer["data"]["sessionId"], answer["sessionId"]);
    assert_eq!(answer["data"]["url"], "ws://im.example.org:443/websocket");
    assert_eq!(answer["data"]["expiresIn"], 1800);
}

/// T0-36, the second half.
#[tokio::test]
async fn logging_out_ends_the_session_id_and_its_channel() {
    let server = server(&[]).await;
    let session_id = login(&server, "u1", "web").await;
    let mut web = WgClient::registered_with(&server, "u1", &session_id).await;
    let mut app = WgClient::registered(&server, "u1", "app").await;
    let u1 = api(&server, "u1").await;
    let path = "/api/websocket/client/login/web";
    assert_eq!(
        Http::at(&server.listeners().wg).delete(path).await.status,
        401
    );
    assert_eq!(u1.delete(path).await.ok()["code"], 200);
    assert_eq!(body(&web.status().await)["code"], 402);
    assert_eq!(web.closed().await, 4002);
    let mut again = WgClient::open(&server, "u1").await;
    assert_eq!(body(&again.register(&session_id).await)["code"], 402);
    app.heard_before_pong().await;
}

/// T0-36: so does the account's logout, which is a revocation.
#[tokio::test]
async fn revoking_tokens_ends_session_ids() {
    let server = server(&[]).await;
    let session_id = login(&server, "u1", "web").await;
    let mut web = WgClient::registered_with(&server, "u1", &session_id).await;
    server
        .admin()
        .post("/v1/users/u1/tokens/revoke", json!({}))
        .await
        .ok();
    assert_eq!(web.closed().await, 4002);
    let mut again = WgClient::open(&server, "u1").await;
    assert_eq!(body(&again.register(&session_id).await)["code"], 402);
}
