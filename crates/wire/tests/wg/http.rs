//! Login and channel manager over HTTP.

use bytes::Bytes;
use crosstalk_wire::wg::{
    BadClientName, ClientName, HttpError, Limits, Login, LoginShape, LoginSide, MAX_IDS,
    OnlineClient, OnlineQuery, SendRequest, SendRequestError, SendTo, done, login_path, masked,
    online_answer, token_of_query,
};

#[test]
fn login_paths() {
    for (path, side, name) in [
        (
            "/app/websocket/client/login/android-app",
            LoginSide::App,
            Ok("android-app"),
        ),
        ("/api/websocket/client/login/web", LoginSide::Api, Ok("web")),
        (
            "/api/websocket/client/login/web/",
            LoginSide::Api,
            Ok("web"),
        ),
        (
            "/api/websocket/client/login/%77eb",
            LoginSide::Api,
            Ok("web"),
        ),
        (
            "/app/websocket/client/login/%E7%BD%91%E9%A1%B5",
            LoginSide::App,
            Err(BadClientName),
        ),
        (
            "/app/websocket/client/login/网页",
            LoginSide::App,
            Err(BadClientName),
        ),
        (
            "/app/websocket/client/login/a%2Fb",
            LoginSide::App,
            Err(BadClientName),
        ),
        (
            "/app/websocket/client/login/a+b",
            LoginSide::App,
            Err(BadClientName),
        ),
    ] {
        let expected = name.map(str::to_owned);
        let found =
            login_path(path).map(|(side, name)| (side, name.map(|name| name.as_str().to_owned())));
        assert_eq!(found, Some((side, expected)), "{path}");
    }
    for path in [
        "",
        "/",
        "/app/websocket/client/login",
        "/app/websocket/client/login/",
        "/app/websocket/client/login//",
        "/app/websocket/client/login/a/b",
        "/App/websocket/client/login/a",
        "/x/app/websocket/client/login/a",
        "app/websocket/client/login/a",
    ] {
        assert_eq!(login_path(path), None, "{path}");
    }
}

#[test]
fn client_names() {
    for name in ["a", "A_b.c-9", &"x".repeat(64)] {
        assert_eq!(
            ClientName::parse(name).map(|name| name.as_str().len()),
            Ok(name.len())
        );
    }
    for name in ["", " ", "a b", "网页", "a/b", "a:b", "é", &"x".repeat(65)] {
        assert_eq!(ClientName::parse(name), Err(BadClientName), "{name}");
    }
}

#[test]
fn the_answer_has_two_shapes() {
    let login = Login {
        session_id: "9f2c7e5a1b",
        url: "ws://127.0.0.1:8081/websocket",
        expires_in_secs: 1800,
    };
    assert_eq!(
        login.answer(LoginShape::Text),
        r#"{"code":200,"msg":"成功","data":"9f2c7e5a1b","sessionId":"9f2c7e5a1b","url":"ws://127.0.0.1:8081/websocket","expiresIn":1800}"#
    );
    let object =
        r#"{"sessionId":"9f2c7e5a1b","url":"ws://127.0.0.1:8081/websocket","expiresIn":1800}"#;
    assert_eq!(
        login.answer(LoginShape::Object),
        format!(
            r#"{{"code":200,"msg":"成功","data":{object},{}"#,
            &object[1..]
        )
    );
    assert_eq!(done(), r#"{"code":200,"msg":"成功"}"#);
}

#[test]
fn refusals_have_a_code() {
    for (error, text) in [
        (HttpError::NotLoggedIn, r#"{"code":401,"msg":"未登录"}"#),
        (
            HttpError::BadClientName,
            r#"{"code":400,"msg":"客户端名称格式错误"}"#,
        ),
        (HttpError::BadRequest, r#"{"code":400,"msg":"参数错误"}"#),
        (
            HttpError::MethodNotAllowed,
            r#"{"code":405,"msg":"请求方式错误"}"#,
        ),
    ] {
        assert_eq!(error.body(), text);
    }
}

#[test]
fn a_token_can_stand_in_the_query() {
    assert_eq!(token_of_query("a=b&token=x%2By").as_deref(), Some("x+y"));
    assert_eq!(token_of_query("tokens=x"), None);
}

#[test]
fn who_is_online() {
    assert_eq!(OnlineQuery::parse(""), Some(OnlineQuery::default()));
    let query = OnlineQuery::parse(
        "userId=u1&userIds=u2,%20u3,,&clientName=web&sessionId=&channelId=c1&x=y",
    );
    assert_eq!(
        query,
        Some(OnlineQuery {
            user_ids: vec!["u1".into(), "u2".into(), "u3".into()],
            client_name: Some("web".into()),
            session_id: None,
            channel_id: Some("c1".into()),
        })
    );
    let ids = |count: usize| format!("userIds={}", vec!["u"; count].join(","));
    assert_eq!(
        OnlineQuery::parse(&ids(MAX_IDS)).map(|query| query.user_ids.len()),
        Some(MAX_IDS)
    );
    assert_eq!(OnlineQuery::parse(&ids(MAX_IDS + 1)), None);

    let row = OnlineClient {
        user_id: "u1".into(),
        client_name: "web".into(),
        channel_id: "c1".into(),
        session_id: masked("9f2c7e5a1b"),
        connected_at_ms: 7,
    };
    assert_eq!(
        online_answer(&[row]),
        r#"{"rows":[{"userId":"u1","clientName":"web","channelId":"c1","sessionId":"9f2c****","connectedAt":7}],"total":1}"#
    );
    assert_eq!(online_answer(&[]), r#"{"rows":[],"total":0}"#);
}

#[test]
fn applications_send() {
    let message = r#"{"id":"1","type":3001,"isSystem":true,"from":"SYSTEM","to":"u2","body":"{\"title\":\"t\",\"msg\":\"m\"}"}"#;
    let read = |text: String| SendRequest::read(&Bytes::from(text), &Limits::default());
    let request = read(format!(r#"{{"channelIds":["c1",2],"message":{message}}}"#));
    let request = request.expect("a request");
    assert_eq!(request.to, SendTo::Channels(vec!["c1".into(), "2".into()]));
    assert!(request.message.is_system);
    assert!(request.message.content().is_ok());
    let request = read(format!(
        r#"{{"userIds":["u2"],"clientName":"web","message":{message}}}"#
    ));
    assert_eq!(
        request.map(|request| request.to),
        Ok(SendTo::Users {
            user_ids: vec!["u2".into()],
            client_name: Some("web".into()),
        })
    );

    let many = |count: usize| format!("[{}]", vec!["\"u\""; count].join(","));
    let to_many = |count| {
        read(format!(
            r#"{{"userIds":{},"message":{message}}}"#,
            many(count)
        ))
    };
    assert!(to_many(MAX_IDS).is_ok());
    for (text, error) in [
        ("[]".to_owned(), SendRequestError::NotJson),
        ("abc".to_owned(), SendRequestError::NotJson),
        (
            format!(r#"{{"message":{message}}}"#),
            SendRequestError::NoReceivers,
        ),
        (
            format!(r#"{{"userIds":[],"message":{message}}}"#),
            SendRequestError::NoReceivers,
        ),
        (
            format!(r#"{{"userIds":"u","message":{message}}}"#),
            SendRequestError::NoReceivers,
        ),
        (
            format!(r#"{{"userIds":[{{}}],"message":{message}}}"#),
            SendRequestError::NoReceivers,
        ),
        (
            r#"{"userIds":["u"]}"#.to_owned(),
            SendRequestError::BadMessage,
        ),
        (
            r#"{"userIds":["u"],"message":{"id":"s"}}"#.to_owned(),
            SendRequestError::BadMessage,
        ),
    ] {
        assert_eq!(read(text.clone()), Err(error), "{text}");
    }
    assert_eq!(to_many(MAX_IDS + 1), Err(SendRequestError::NoReceivers));
    // The server has ids of its own.
    let unnamed = read(r#"{"userIds":["u"],"message":{"type":3001}}"#.to_owned());
    assert_eq!(unnamed.map(|request| request.message.id), Ok(String::new()));
}
