//! The signed URL, and how connections begin and end (T4-1 to T4-4, T4-7, T4-44, T4-45).

use crosstalk_tests::Server;
use crosstalk_tests::gyyx::{GyyxClient, code, frame};
use serde_json::json;

/// The URL with another value of a parameter; `None` takes it out.
fn with(url: &str, name: &str, value: Option<&str>) -> String {
    let (root, query) = url.split_once('?').expect("a query");
    let parts = query.split('&').filter_map(|part| {
        let (key, _) = part.split_once('=')?;
        if key != name {
            return Some(part.to_owned());
        }
        value.map(|value| format!("{key}={value}"))
    });
    format!("{root}?{}", parts.collect::<Vec<_>>().join("&"))
}

fn parameter<'a>(url: &'a str, name: &str) -> &'a str {
    let (_, query) = url.split_once('?').expect("a query");
    let mut parts = query.split('&').filter_map(|part| part.split_once('='));
    let found = parts.find(|(key, _)| *key == name);
    found.expect("the parameter").1
}

/// A connection that must be refused, and its close code.
async fn refused(url: &str) -> Option<u16> {
    let (frames, close) = GyyxClient::open(url).await.closed().await;
    assert_eq!(frames.iter().map(code).collect::<Vec<_>>(), [10], "{url}");
    assert_eq!(frames[0]["unique"], "");
    close
}

/// T4-1, T4-2.
#[tokio::test]
async fn a_login_gets_a_url_with_the_six_parameters_that_connects() {
    let server = Server::start().await;
    let url = server.gyyx_url("48057").await;
    let (_, query) = url.split_once('?').expect("a query");
    let names: Vec<&str> = query
        .split('&')
        .filter_map(|part| Some(part.split_once('=')?.0))
        .collect();
    assert_eq!(
        names,
        ["appId", "msgType", "version", "userId", "sign", "txNo"]
    );
    assert_eq!(
        (parameter(&url, "msgType"), parameter(&url, "version")),
        ("10", "1.10")
    );
    let sign = parameter(&url, "sign");
    assert_eq!(sign.len(), 32);
    assert!(
        sign.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    );
    assert_eq!(parameter(&url, "txNo").len(), 13);
    let online = GyyxClient::open(&url).await.any().await;
    assert_eq!((code(&online), &online["userId"]), (101, &json!("48057")));
    assert_eq!(
        (&online["message"], &online["receiveUserId"]),
        (&json!("1"), &json!("48057"))
    );
    let answer = server
        .rest()
        .get("/im/sign?appId=default&userId=48057")
        .await;
    assert_eq!(
        (answer.status, answer.json()["code"].clone()),
        (401, json!(401))
    );
}

/// T4-3.
#[tokio::test]
async fn urls_that_do_not_count_get_10_and_a_close_code_of_their_own() {
    let server = Server::start().await;
    let url = server.gyyx_url("48057").await;
    let sign = parameter(&url, "sign").to_owned();
    let flipped = sign.replacen(
        |_: char| true,
        if sign.starts_with('0') { "1" } else { "0" },
        1,
    );
    for (name, value) in [
        ("sign", flipped.as_str()),
        ("sign", "short"),
        ("userId", "48058"),
        ("version", "1.11"),
        ("txNo", "1708742794846"),
        ("txNo", "soon"),
        ("appId", "nowhere"),
        ("msgType", "11"),
    ] {
        let changed = with(&url, name, Some(value));
        assert_eq!(refused(&changed).await, Some(4401), "{name}={value}");
    }
    for name in ["appId", "msgType", "version", "userId", "sign", "txNo"] {
        assert_eq!(refused(&with(&url, name, None)).await, Some(4400), "{name}");
        assert_eq!(
            refused(&with(&url, name, Some(""))).await,
            Some(4400),
            "{name}"
        );
    }
    let again = GyyxClient::open(&url).await.any().await;
    assert_eq!(code(&again), 101, "the same user may use it again");
}

/// T4-3: one that has expired, though it was good.
#[tokio::test]
async fn a_url_expires() {
    let server = Server::start_with(&["gyyx.url_ttl_secs=1"]).await;
    let url = server.gyyx_url("48057").await;
    let signed_ms: i64 = parameter(&url, "txNo").parse().expect("a time");
    let mut other = server.gyyx("48058").await;
    crosstalk_tests::eventually("a second to pass", async || {
        let now_ms = super::server_ms(&mut other).await;
        (now_ms > signed_ms + 1_000).then_some(())
    })
    .await;
    assert_eq!(refused(&url).await, Some(4401));
}

/// T4-3.
#[tokio::test]
async fn where_urls_are_good_for_once_they_are() {
    let server = Server::start_with(&["gyyx.sign_once=true"]).await;
    let url = server.gyyx_url("48057").await;
    let mut first = GyyxClient::open(&url).await;
    assert_eq!(code(&first.any().await), 101);
    assert_eq!(refused(&url).await, Some(4401));
    assert_eq!(
        first.so_far().await,
        [json!(null); 0],
        "the first one stays"
    );
}

/// Revoking a user's tokens voids the URLs that were signed before.
#[tokio::test]
async fn revoked_logins_end_and_their_urls_are_void() {
    let server = Server::start().await;
    let url = server.gyyx_url("48057").await;
    let mut client = GyyxClient::open(&url).await;
    assert_eq!(code(&client.any().await), 101);
    let path = "/v1/users/48057/tokens/revoke";
    server.admin().post(path, json!({})).await.ok();
    let (frames, close) = client.closed().await;
    assert_eq!(
        (frames.iter().map(code).collect::<Vec<_>>(), close),
        (vec![10], Some(4401))
    );
    assert_eq!(refused(&url).await, Some(4401));
    server.gyyx("48057").await;
}

/// T4-4.
#[tokio::test]
async fn every_path_connects() {
    let server = Server::start().await;
    let url = server.gyyx_url("48057").await;
    let (_, query) = url.split_once('?').expect("a query");
    let listeners = server.listeners();
    for (at, path) in [
        (&listeners.http, "/ws"),
        (&listeners.http, "/"),
        (&listeners.gyyx, "/ws"),
        (&listeners.gyyx, "/"),
        (&listeners.gyyx, ""),
    ] {
        let url = format!("ws://{at}{path}?{query}");
        assert_eq!(
            code(&GyyxClient::open(&url).await.any().await),
            101,
            "{url}"
        );
    }
    let token = server.user_token("48057").await;
    let alone = crosstalk_tests::Http::at(&listeners.gyyx).header("token", &token);
    let answer = alone.get("/im/sign?appId=default&userId=48057").await.ok();
    let own = answer["data"].as_str().expect("a URL").to_owned();
    assert!(
        own.starts_with(&format!("ws://{}?", listeners.gyyx)),
        "{own}"
    );
}

/// T4-7.
#[tokio::test]
async fn who_says_nothing_for_three_heartbeats_is_closed_with_4408() {
    let server = Server::start_with(&["gyyx.heartbeat_secs=1"]).await;
    let (frames, close) = server.gyyx("48057").await.closed().await;
    assert_eq!((frames.len(), close), (0, Some(4408)));
}

/// T4-44.
#[tokio::test]
async fn logging_out_is_252_and_the_end() {
    let server = Server::start().await;
    let mut client = server.gyyx("48057").await;
    client.say(&frame(251, "bye", json!({"mark": "m"}))).await;
    let (frames, close) = client.closed().await;
    assert_eq!(frames.iter().map(code).collect::<Vec<_>>(), [252]);
    assert_eq!(
        (&frames[0]["unique"], &frames[0]["mark"]),
        (&json!("bye"), &json!("m"))
    );
    assert_eq!(close, Some(1000));
}

/// T4-45.
#[tokio::test]
async fn a_server_that_stops_tells_everybody() {
    let server = Server::start().await;
    let (mut one, mut other) = super::two(&server).await;
    server.send_sigterm().await;
    for client in [&mut one, &mut other] {
        let (frames, close) = client.closed().await;
        // One of them may have seen the other go.
        let told: Vec<_> = frames.iter().filter(|frame| code(frame) == 99).collect();
        assert_eq!(told.len(), 1, "{frames:?}");
        assert_eq!(told[0]["message"], "服务维护");
        assert_eq!(close, Some(1001));
    }
}

/// Q4-29.
#[tokio::test]
async fn a_device_has_one_connection_and_a_user_ten() {
    let server = Server::start().await;
    let mut old = server.gyyx("48057").await;
    old.ask(20, json!({"deviceId": "d-1"})).await;
    old.hear(21).await;
    let mut new = server.gyyx("48057").await;
    new.ask(20, json!({"deviceId": "d-1"})).await;
    let (frames, close) = old.closed().await;
    assert_eq!(frames.iter().map(code).collect::<Vec<_>>(), [99]);
    assert_eq!(
        (&frames[0]["message"], close),
        (&json!("replaced"), Some(4002))
    );
    new.hear(21).await;
    let url = server.gyyx_url("48057").await;
    let mut others = Vec::new();
    for _ in 0..10 {
        let mut client = GyyxClient::open(&url).await;
        assert_eq!(code(&client.any().await), 101);
        others.push(client);
    }
    assert_eq!(new.closed().await.1, Some(4002), "the oldest of eleven");
    for client in &mut others {
        client.so_far().await;
    }
}
