//! Who may call.

use axum::http::header;

use super::*;

async fn ask(api: &Api, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    api.send(request.body(Body::empty()).expect("a request"))
        .await
}

#[tokio::test]
async fn with_a_manager_token_every_call_needs_it() {
    let api = Api::with_token(Some("secret")).await;
    for (method, path) in [
        ("GET", "/route"),
        ("POST", "/user/token"),
        ("POST", "/message/send"),
    ] {
        for headers in [&[][..], &[("token", "wrong")], &[("token", "")]] {
            let answer = ask(&api, method, path, headers).await;
            assert_eq!((answer.status, answer.body), (401, Value::Null), "{path}");
        }
    }
    assert_eq!(
        ask(&api, "GET", "/route", &[("token", "secret")])
            .await
            .status,
        200
    );
    assert_eq!(
        ask(&api, "GET", "/health", &[]).await.body,
        json!({"status": "ok"})
    );
}

#[tokio::test]
async fn with_a_manager_token_web_pages_may_call() {
    let api = Api::with_token(Some("secret")).await;
    let page = ("origin", "https://example.org");
    let answer = ask(&api, "GET", "/route", &[page, ("token", "secret")]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let asked = ("access-control-request-method", "POST");
    let wanted = ("access-control-request-headers", "token,content-type");
    let preflight = ask(&api, "OPTIONS", "/message/send", &[page, asked, wanted]).await;
    assert_eq!(preflight.status, 200);
    assert!(
        preflight
            .headers
            .contains_key(header::ACCESS_CONTROL_ALLOW_HEADERS)
    );
}

#[tokio::test]
async fn without_a_manager_token_web_pages_may_not_call() {
    let api = Api::start().await;
    for path in ["/route", "/health"] {
        let answer = ask(&api, "GET", path, &[("origin", "http://localhost")]).await;
        assert_eq!((answer.status, &answer.body["status"]), (403, &json!(403)));
        assert!(
            !answer
                .headers
                .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
        );
    }
    let answer = ask(&api, "GET", "/route", &[]).await;
    assert_eq!(answer.status, 200);
    assert!(
        !answer
            .headers
            .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
    );
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused() {
    let api = Api::start().await;
    let latin1 = &b"{\"uid\":\"u1\",\"token\":\"t\",\"x\":\"\xff\"}"[..];
    for body in [
        &b""[..],
        b"{",
        b"[]",
        br#"["u1","t"]"#,
        b"null",
        b"\"x\"",
        br#"{"uid":{}}"#,
        latin1,
    ] {
        let request = Request::builder()
            .method("POST")
            .uri("/user/token")
            .body(Body::from(body));
        let answer = api.send(request.expect("a request")).await;
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (400, &json!(400)),
            "{}",
            body.escape_ascii()
        );
        assert!(answer.body["msg"].is_string());
    }
    for (path, body) in [
        ("/user/onlinestatus", json!({})),
        ("/route/batch", json!("u1")),
    ] {
        api.refused(path, body).await;
    }
    let twice = r#"{"uid":"a","token":"t","uid":"alice"}"#;
    let request = Request::builder()
        .method("POST")
        .uri("/user/token")
        .body(Body::from(twice));
    let answer = api.send(request.expect("a request")).await;
    assert_eq!(answer.status, 200, "the last one counts");
    assert!(
        api.try_session("alice", "t").await.is_none(),
        "registered for the app, not the web"
    );
}

#[tokio::test]
async fn a_refusal_names_the_member_and_quotes_little() {
    let api = Api::start().await;
    let flag = json!({"uid": "u1", "token": "t", "device_flag": "web"});
    let why = api.refused("/user/token", flag).await;
    assert_eq!(why, "device_flag: must be an integer");
    let long = json!({"channel_id": "x".repeat(1 << 20), "channel_type": 2});
    let why = api.refused("/channel/info", long).await;
    assert!(why.starts_with("channel_id"), "{why}");
    assert_eq!(why.chars().count(), 1001);
}

#[tokio::test]
async fn clients_are_told_where_to_connect() {
    let api = Api::start().await;
    let addresses = json!({
        "tcp_addr": "127.0.0.1:5100", "ws_addr": "ws://127.0.0.1:5200", "wss_addr": "",
    });
    assert_eq!(api.get("/route?uid=u1&intranet=1").await, addresses);
    let batch = api.post("/route/batch", json!(["u1", 2])).await;
    let mut expected = addresses;
    expected["uids"] = json!(["u1", "2"]);
    assert_eq!(batch, json!([expected]));
    assert_eq!(api.post("/route/batch", json!([])).await, json!([]));
}
