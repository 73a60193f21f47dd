//! The demo backend's friends.

use super::users::ask;
use super::*;

async fn ok(api: &Api, method: &str, token: &str, path: &str, body: Value) -> Value {
    let (status, body) = ask(api, method, token, path, body).await;
    assert_eq!(status, 200, "{method} {path}: {body}");
    body
}

#[tokio::test]
async fn somebody_asks_and_is_a_friend() {
    let (api, _) = with_message().await;
    let u2 = api.try_session("u2", "t-u2").await.expect("a session");
    let apply = json!({"login_uid": "u1", "to_uid": "u2", "remark": "hi", "vercode": ""});
    ok(&api, "POST", "t-u1", "/v1/friend/apply", apply.clone()).await;
    let told = next(&u2).await;
    let told = crosstalk_gateway::wukong_payload(&told, "u2");
    let told: Value = serde_json::from_slice(&told).expect("JSON");
    assert_eq!(told["cmd"], "friendRequest");
    let path = "/v1/friend/apply?login_uid=u2&page_index=1&page_size=10";
    let rows = ok(&api, "GET", "t-u2", path, Value::Null).await;
    let token = told["param"]["request_id"].clone();
    let row = json!({
        "id": rows[0]["id"], "uid": "u2", "to_uid": "u1", "remark": "hi", "status": 0,
        "token": token, "created_at": im::START_MS / 1000,
    });
    assert_eq!(rows, json!([row]));
    let second = "/v1/friend/apply?login_uid=u2&page_index=2&page_size=10";
    assert_eq!(
        ok(&api, "GET", "t-u2", second, Value::Null).await,
        json!([])
    );
    // Only the one who was asked says yes.
    for (uid, asked) in [("u1", "t-u1"), ("u3", "t-u3")] {
        let sure = json!({"login_uid": uid, "token": token});
        let (status, _) = ask(&api, "POST", asked, "/v1/friend/sure", sure).await;
        assert_eq!(status, 400, "{uid}");
    }
    let sure = json!({"login_uid": "u2", "token": token});
    ok(&api, "POST", "t-u2", "/v1/friend/sure", sure).await;

    let sync = |uid: &str, version: i64| {
        format!("/v1/friend/sync?login_uid={uid}&version={version}&limit=100&api_version=1")
    };
    let friends = ok(&api, "GET", "t-u1", &sync("u1", 0), Value::Null).await;
    let friend = &friends[0];
    assert_eq!(
        (&friend["uid"], &friend["follow"], &friend["is_deleted"]),
        (&json!("u2"), &json!(1), &json!(0))
    );
    let version = friend["version"].as_i64().expect("a version");
    let later = ok(&api, "GET", "t-u1", &sync("u1", version), Value::Null).await;
    assert_eq!(later, json!([]));

    let remark = json!({"login_uid": "u1", "uid": "u2", "remark": "Bob"});
    ok(&api, "PUT", "t-u1", "/v1/friend/remark", remark).await;
    let later = ok(&api, "GET", "t-u1", &sync("u1", version), Value::Null).await;
    assert_eq!(later[0]["remark"], "Bob");
    let seen = ok(
        &api,
        "GET",
        "t-u1",
        "/v1/users/u2?login_uid=u1",
        Value::Null,
    )
    .await;
    assert_eq!(
        (&seen["remark"], &seen["follow"]),
        (&json!("Bob"), &json!(1))
    );

    ok(
        &api,
        "DELETE",
        "t-u2",
        "/v1/friends/u1?login_uid=u2",
        Value::Null,
    )
    .await;
    let later = ok(&api, "GET", "t-u1", &sync("u1", version), Value::Null).await;
    assert_eq!(
        (&later[0]["uid"], &later[0]["is_deleted"]),
        (&json!("u2"), &json!(1))
    );
    let seen = ok(
        &api,
        "GET",
        "t-u1",
        "/v1/users/u2?login_uid=u1",
        Value::Null,
    )
    .await;
    assert_eq!(seen["follow"], 0);
    let stranger = json!({"login_uid": "u1", "uid": "u2", "remark": "x"});
    assert_eq!(
        ask(&api, "PUT", "t-u1", "/v1/friend/remark", stranger)
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn a_request_is_refused_and_a_nuisance_blocked() {
    let (api, _) = with_message().await;
    let apply = json!({"login_uid": "u1", "to_uid": "u2", "remark": ""});
    ok(&api, "POST", "t-u1", "/v1/friend/apply", apply.clone()).await;
    let refuse = "/v1/friend/refuse/u1?login_uid=u2";
    ok(&api, "PUT", "t-u2", refuse, Value::Null).await;
    assert_eq!(
        ask(&api, "PUT", "t-u2", refuse, Value::Null).await.0,
        400,
        "none waits"
    );
    let list = "/v1/friend/apply?login_uid=u2";
    let rows = ok(&api, "GET", "t-u2", list, Value::Null).await;
    assert_eq!(rows[0]["status"], 2);

    let block = "/v1/user/blacklist/u1?login_uid=u2";
    ok(&api, "POST", "t-u2", block, Value::Null).await;
    let blocked = ok(
        &api,
        "GET",
        "t-u2",
        "/v1/user/blacklists?login_uid=u2",
        Value::Null,
    )
    .await;
    assert_eq!(blocked, json!([{"uid": "u1", "name": "u1"}]));
    let seen = ok(
        &api,
        "GET",
        "t-u2",
        "/v1/users/u1?login_uid=u2",
        Value::Null,
    )
    .await;
    assert_eq!(seen["status"], 2);
    let (status, _) = ask(&api, "POST", "t-u1", "/v1/friend/apply", apply).await;
    assert_eq!(status, 403);
    ok(&api, "DELETE", "t-u2", block, Value::Null).await;
    let blocked = ok(
        &api,
        "GET",
        "t-u2",
        "/v1/user/blacklists?login_uid=u2",
        Value::Null,
    )
    .await;
    assert_eq!(blocked, json!([]));
    for (method, token, path, expected) in [
        ("POST", "t-u2", "/v1/user/blacklist/u2?login_uid=u2", 400),
        ("POST", "", block, 401),
        ("GET", "t-u1", "/v1/user/blacklists?login_uid=u2", 403),
        ("GET", "", list, 401),
    ] {
        let (status, _) = ask(&api, method, token, path, Value::Null).await;
        assert_eq!(status, expected, "{method} {path}");
    }
    let oneself = json!({"login_uid": "u1", "to_uid": "u1"});
    assert_eq!(
        ask(&api, "POST", "t-u1", "/v1/friend/apply", oneself)
            .await
            .0,
        400
    );
}
