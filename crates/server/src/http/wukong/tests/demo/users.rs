//! The demo backend's users and what clients show of channels.

use super::*;

pub(super) async fn ask(
    api: &Api,
    method: &str,
    token: &str,
    path: &str,
    body: Value,
) -> (u16, Value) {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header("token", token);
    }
    let request = request.body(Body::from(body.to_string()));
    let answer = api.send(request.expect("a request")).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_user_logs_in_with_their_token_and_the_manager_gives_one() {
    let (api, _) = with_message().await;
    let login = |uid: &str, token: &str| json!({"uid": uid, "token": token, "device_flag": 1, "device_level": 1});
    let path = "/v1/user/login";
    let (status, body) = ask(&api, "POST", MANAGER, path, login("u9", "new")).await;
    assert_eq!(
        (status, body),
        (200, json!({"uid": "u9", "name": "u9", "token": "new"}))
    );
    assert!(api.try_session("u9", "new").await.is_some());
    let (status, body) = ask(&api, "POST", "", path, login("u9", "new")).await;
    assert_eq!((status, &body["uid"]), (200, &json!("u9")));
    // Nobody makes a token valid by showing it.
    let (status, _) = ask(&api, "POST", "", path, login("u9", "made up")).await;
    assert_eq!(status, 401);
    let (status, _) = ask(&api, "POST", "t-u1", path, login("u9", "t-u1")).await;
    assert_eq!(status, 401);
    let (status, _) = ask(&api, "POST", "t-u1", path, login("u1", "other")).await;
    assert_eq!(status, 401);
    assert!(api.try_session("u9", "made up").await.is_none());
    for wrong in [login("", "t"), login("a@b", "t"), login("u9", "")] {
        assert_eq!(ask(&api, "POST", MANAGER, path, wrong).await.0, 400);
    }
}

#[tokio::test]
async fn users_see_each_other_and_the_way() {
    let (api, _) = with_message().await;
    let realm = Realm::default();
    let profile = json!({
        "name": "Anna", "gender": "male", "phone": "+8613800000000",
        "avatar": "https://example.org/a.png",
    });
    let change = UserChange {
        profile: Some(profile.to_string()),
        ..UserChange::default()
    };
    let uid = Uid::parse("u1").expect("a uid");
    api.im.put_user(&realm, &uid, &change).await.expect("put");
    let path = "/v1/users/u1?login_uid=u2";
    let (status, seen) = ask(&api, "GET", "t-u2", path, Value::Null).await;
    let expected = json!({
        "uid": "u1", "name": "Anna", "remark": "", "avatar": "https://example.org/a.png",
        "sex": 1, "mute": 0, "top": 0, "follow": 0, "be_deleted": 0, "status": 1,
        "online": 0, "last_offline": 0,
    });
    assert_eq!((status, seen), (200, expected));
    let own = ask(
        &api,
        "GET",
        "t-u1",
        "/v1/users/u1?login_uid=u1",
        Value::Null,
    )
    .await;
    assert_eq!(own.1["phone"], "+8613800000000");
    let top = json!({"login_uid": "u2", "channel_id": "u1", "channel_type": 1, "top": 1});
    let hello = json!({
        "from_uid": "u1", "channel_id": "u2", "channel_type": 1, "payload": PAYLOAD,
    });
    managed(&api, "/message/send", hello).await;
    let (status, _) = ask(&api, "PUT", "t-u2", "/v1/conversation/setting", top).await;
    assert_eq!(status, 200);
    let (_, seen) = ask(&api, "GET", "t-u2", path, Value::Null).await;
    assert_eq!(seen["top"], 1);
    for (token, path, expected) in [
        ("", "/v1/users/u1?login_uid=u2", 401),
        ("t-u2", "/v1/users/u1?login_uid=u1", 403),
        ("t-u2", "/v1/users/nobody?login_uid=u2", 400),
        ("t-u2", "/v1/users/u1/route", 403),
        (MANAGER, "/v1/users/u1/route", 200),
        ("t-u2", "/v1/users/u2/avatar?login_uid=u2", 404),
        ("t-u2", "/v1/users/u1/avatar?login_uid=u2", 302),
    ] {
        let (status, _) = ask(&api, "GET", token, path, Value::Null).await;
        assert_eq!(status, expected, "{path} with {token:?}");
    }
    let (_, route) = ask(&api, "GET", "t-u1", "/v1/users/u1/route", Value::Null).await;
    assert_eq!(
        route,
        json!({"tcp_addr": "127.0.0.1:5100", "ws_addr": "ws://127.0.0.1:5200", "wss_addr": ""})
    );
}

#[tokio::test]
async fn channels_are_shown_as_persons_or_groups() {
    let (api, _) = with_message().await;
    let person = "/v1/channels/u1/1?login_uid=u2";
    let (status, body) = ask(&api, "GET", "t-u2", person, Value::Null).await;
    let expected = json!({
        "channel": {"channel_id": "u1", "channel_type": 1}, "name": "u1",
        "logo": "users/u1/avatar", "remark": "", "status": 1, "online": 0, "last_offline": 0,
        "stick": 0, "mute": 0, "follow": 0, "be_deleted": 0,
    });
    assert_eq!((status, body), (200, expected));
    let new = json!({"login_uid": "u2", "group_no": "g2", "name": "Two", "members": ["u3"]});
    let made = ask(&api, "POST", "t-u2", "/v1/group/create", new).await;
    assert_eq!(made.0, 200, "{}", made.1);
    let mute = json!({"login_uid": "u2", "channel_id": "g2", "channel_type": 2, "mute": 1});
    ask(&api, "PUT", "t-u2", "/v1/conversation/setting", mute).await;
    let group = "/v1/channels/g2/2?login_uid=u2";
    let (status, body) = ask(&api, "GET", "t-u2", group, Value::Null).await;
    let expected = json!({
        "channel": {"channel_id": "g2", "channel_type": 2}, "name": "Two",
        "logo": "groups/g2/avatar", "remark": "", "status": 1, "stick": 0, "mute": 1,
        "notice": "", "forbidden": 0, "invite": 1,
    });
    assert_eq!((status, body), (200, expected));
    for (path, expected) in [
        ("/v1/channels/g2/2?login_uid=u4", 403),
        ("/v1/channels/g2/7?login_uid=u4", 400),
        ("/v1/groups/g2/avatar?login_uid=u4", 403),
    ] {
        let (status, _) = ask(&api, "GET", "t-u4", path, Value::Null).await;
        assert_eq!(status, expected, "{path}");
    }
    let path = "/v1/groups/g2/avatar?login_uid=u2";
    assert_eq!(ask(&api, "GET", "t-u2", path, Value::Null).await.0, 404);
    let avatar = json!({"login_uid": "u2", "avatar": "https://example.org/g.png"});
    ask(&api, "PUT", "t-u2", "/v1/groups/g2", avatar).await;
    assert_eq!(ask(&api, "GET", "t-u2", path, Value::Null).await.0, 302);
}
