//! The demo backend's groups.

use super::*;

const MANAGER: &str = "a long manager token";

async fn call(api: &Api, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("token", MANAGER);
    let request = request.body(Body::from(body.to_string()));
    let answer = api.send(request.expect("a request")).await;
    (answer.status, answer.body)
}

async fn ok(api: &Api, method: &str, path: &str, body: Value) -> Value {
    let (status, body) = call(api, method, path, body).await;
    assert_eq!(status, 200, "{method} {path}: {body}");
    body
}

#[tokio::test]
async fn a_group_and_its_members_by_version() {
    let api = Api::with_token(Some(MANAGER)).await;
    for uid in ["u1", "u2", "u3"] {
        let token = json!({"uid": uid, "token": format!("t-{uid}"), "device_flag": 1});
        ok(&api, "POST", "/user/token", token).await;
    }
    let new = json!({"login_uid": "u1", "group_no": "g1", "name": "Team", "members": ["u2"]});
    let group = ok(&api, "POST", "/v1/group/create", new).await;
    assert_eq!(
        (&group["creator"], &group["role"]),
        (&json!("u1"), &json!(1))
    );
    let sync = |version: i64| format!("/v1/groups/g1/membersync?login_uid=u2&version={version}");
    let all = ok(&api, "GET", &sync(0), Value::Null).await;
    assert_eq!(all.as_array().map(Vec::len), Some(2));
    let version = all[1]["version"].as_i64().expect("a version");
    let outside = call(&api, "GET", "/v1/groups/g1?login_uid=u3", Value::Null).await;
    assert_eq!(outside.0, 403);
    let add = json!({"login_uid": "u1", "members": ["u3"]});
    ok(&api, "POST", "/v1/groups/g1/members", add).await;
    let remove = json!({"login_uid": "u1", "members": ["u3"]});
    ok(&api, "DELETE", "/v1/groups/g1/members", remove).await;
    let since = ok(&api, "GET", &sync(version), Value::Null).await;
    assert_eq!(since.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&since[0]["uid"], &since[0]["is_deleted"]),
        (&json!("u3"), &json!(1))
    );
    let rename = json!({"login_uid": "u2", "name": "Other"});
    assert_eq!(call(&api, "PUT", "/v1/groups/g1", rename).await.0, 403);
    let rename = json!({"login_uid": "u1", "name": "Other", "notice": "Lunch", "invite": 1});
    ok(&api, "PUT", "/v1/groups/g1", rename).await;
    let seen = ok(&api, "GET", "/v1/groups/g1?login_uid=u2", Value::Null).await;
    assert_eq!(
        (&seen["name"], &seen["notice"], &seen["invite"]),
        (&json!("Other"), &json!("Lunch"), &json!(1))
    );
    let mine = ok(&api, "GET", "/v1/group/my?login_uid=u2", Value::Null).await;
    assert_eq!(mine[0]["group_no"], "g1");
    ok(
        &api,
        "POST",
        "/v1/groups/g1/managers",
        json!({"login_uid": "u1", "members": ["u2"]}),
    )
    .await;
    ok(
        &api,
        "POST",
        "/v1/groups/g1/transfer/u2",
        json!({"login_uid": "u1"}),
    )
    .await;
    ok(
        &api,
        "POST",
        "/v1/groups/g1/exit",
        json!({"login_uid": "u1"}),
    )
    .await;
    let last = ok(&api, "GET", &sync(0), Value::Null).await;
    let roles: Vec<_> = last
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| {
            (
                row["uid"].clone(),
                row["role"].clone(),
                row["is_deleted"].clone(),
            )
        })
        .collect();
    assert!(
        roles.contains(&(json!("u2"), json!(1), json!(0))),
        "{roles:?}"
    );
}

/// g1 of u1's, with u2 and u3.
async fn with_group() -> Api {
    let api = Api::with_token(Some(MANAGER)).await;
    for uid in ["u1", "u2", "u3"] {
        let token = json!({"uid": uid, "token": format!("t-{uid}"), "device_flag": 1});
        ok(&api, "POST", "/user/token", token).await;
    }
    let new = json!({"login_uid": "u1", "group_no": "g1", "members": ["u2", "u3"]});
    ok(&api, "POST", "/v1/group/create", new).await;
    api
}

/// A request without any body.
async fn bare(api: &Api, method: &str, path: &str) -> (u16, Value) {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("token", MANAGER).body(Body::empty());
    let answer = api.send(request.expect("a request")).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn what_needs_no_body_needs_none() {
    let api = with_group().await;
    let seen = "/v1/groups/g1?login_uid=u2";
    for (path, forbidden) in [("forbidden/1", 1), ("forbidden/0", 0)] {
        let path = format!("/v1/groups/g1/{path}?login_uid=u1");
        let (status, body) = bare(&api, "POST", &path).await;
        assert_eq!(status, 200, "{path}: {body}");
        let group = ok(&api, "GET", seen, Value::Null).await;
        assert_eq!(group["forbidden"], forbidden, "{path}");
    }
    for (method, path) in [
        ("POST", "/v1/groups/g1/transfer/u2?login_uid=u1"),
        ("POST", "/v1/groups/g1/exit?login_uid=u1"),
        ("DELETE", "/v1/conversations/g1/2?login_uid=u2"),
    ] {
        let (status, body) = bare(&api, method, path).await;
        assert_eq!(status, 200, "{path}: {body}");
    }
    let group = ok(&api, "GET", seen, Value::Null).await;
    assert_eq!(
        (&group["creator"], &group["member_count"]),
        (&json!("u2"), &json!(2))
    );
    let (status, _) = bare(&api, "PUT", "/v1/groups/g1?login_uid=u2").await;
    assert_eq!(status, 400, "a change says what is to be changed");
}

#[tokio::test]
async fn odd_flags_and_empty_lists_are_refused() {
    let api = with_group().await;
    for on in ["2", "-1", "on", "01"] {
        let path = format!("/v1/groups/g1/forbidden/{on}");
        let answer = call(&api, "POST", &path, json!({"login_uid": "u1"})).await;
        assert_eq!(answer.0, 400, "{on}");
    }
    let group = ok(&api, "GET", "/v1/groups/g1?login_uid=u1", Value::Null).await;
    assert_eq!(group["forbidden"], 0);
    for (method, list) in [
        ("POST", "members"),
        ("DELETE", "members"),
        ("POST", "managers"),
        ("DELETE", "managers"),
    ] {
        let path = format!("/v1/groups/g1/{list}");
        let none = json!({"login_uid": "u1", "members": []});
        let answer = call(&api, method, &path, none).await;
        assert_eq!(answer.0, 400, "{method} {list}: {}", answer.1);
    }
}

#[tokio::test]
async fn members_are_found_by_a_keyword() {
    let api = with_group().await;
    let profile = crosstalk_core::directory::UserChange {
        profile: Some(json!({"name": "Ada L."}).to_string()),
        ..Default::default()
    };
    let uid = Uid::parse("u3").expect("a uid");
    let put = api.im.put_user(&Realm::default(), &uid, &profile).await;
    put.expect("a profile");
    let found = async |keyword: &str, limit: u32| {
        let path = format!("/v1/groups/g1/members?login_uid=u1&keyword={keyword}&limit={limit}");
        let rows = ok(&api, "GET", &path, Value::Null).await;
        let rows = rows.as_array().expect("a list").iter();
        let uids = rows.map(|row| row["uid"].as_str().expect("a uid").to_owned());
        uids.collect::<Vec<_>>()
    };
    // It is looked for on all pages, not only on the first.
    for limit in [1, 100] {
        assert_eq!(found("aDa", limit).await, ["u3"], "{limit}");
    }
    assert_eq!(found("U2", 100).await, ["u2"]);
    assert_eq!(found("u", 100).await.len(), 3);
    assert!(found("nobody", 1).await.is_empty());
}
