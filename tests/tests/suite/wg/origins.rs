//! Pages of any origin reach the dialect by token, and never by a cookie (contract.md §3).

use crosstalk_tests::Http;
use crosstalk_tests::wg::{WgClient, body, login};
use reqwest::header::{ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN};
use serde_json::json;

use super::super::wg_app::App;
use super::server;

const FOREIGN: &str = "https://elsewhere.example";
const WEB: &str = "/app/websocket/client/login/web";

/// An application that knows one cookie.
async fn app() -> App {
    App::start(|question| {
        if question["headers"]["cookie"] == "sid=u1" {
            (200, json!({"uid": "u1", "ttl_secs": 60}))
        } else {
            (401, json!({}))
        }
    })
    .await
}

#[tokio::test]
async fn a_foreign_page_gets_in_by_token_and_never_by_cookie() {
    let app = app().await;
    let url = format!("auth.default.hook.url={}", app.url());
    let server = server(&[&url, "auth.default.hook.secret=s"]).await;
    let token = server.user_token("u1").await;
    let wg = server.listeners().wg.clone();
    let page = Http::at(&wg).header("origin", FOREIGN);

    let answer = page.clone().header("token", &token).get(WEB).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.headers[ACCESS_CONTROL_ALLOW_ORIGIN], FOREIGN);
    assert!(
        !answer
            .headers
            .contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS)
    );
    let session_id = answer.json()["data"].as_str().expect("a string").to_owned();
    let headers = [("origin", FOREIGN)];
    let mut u1 = WgClient::try_open(&wg, "/websocket", &headers, "u1")
        .await
        .expect("any origin may connect");
    assert_eq!(body(&u1.register(&session_id).await)["code"], 200);

    let cookie = |http: Http| http.header("cookie", "sid=u1");
    assert_eq!(cookie(page).get(WEB).await.status, 401, "a foreign page");
    assert_eq!(cookie(Http::at(&wg)).get(WEB).await.status, 200, "no page");
    let same = Http::at(&wg).header("origin", &format!("http://{wg}"));
    assert_eq!(
        cookie(same).get(WEB).await.status,
        200,
        "a page of this host"
    );
}

#[tokio::test]
async fn origins_can_be_listed() {
    let server = server(&["wg.allowed_origins=[\"https://ours.example\"]"]).await;
    let wg = server.listeners().wg.clone();
    let open = async |origin: &str| {
        WgClient::try_open(&wg, "/websocket", &[("origin", origin)], "u1")
            .await
            .err()
    };
    assert_eq!(open("https://ours.example").await, None);
    assert_eq!(open(FOREIGN).await, Some(403));
    assert!(
        WgClient::try_open(&wg, "/websocket", &[], "u1")
            .await
            .is_ok(),
        "no page at all"
    );
    let token = server.user_token("u1").await;
    for (origin, is_listed) in [("https://ours.example", true), (FOREIGN, false)] {
        let page = Http::at(&wg)
            .header("origin", origin)
            .header("token", &token);
        let headers = page.get(WEB).await.headers;
        assert_eq!(headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), is_listed);
        assert_eq!(
            headers.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS),
            is_listed
        );
    }
    let _ = login(&server, "u1", "web").await;
}
