//! The hook.

use axum::http::StatusCode;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::foreign::{ForeignHeaders, ForeignLogin};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;

use super::host::App;
use super::{Bed, NOW_MS, claiming, login};
use crate::config::AppAuth;

const SECRET: &str = "the hook's secret";

pub(super) fn settings(url: &str) -> AppAuth {
    let table = json!({"hook": {"url": url, "secret": SECRET}});
    serde_json::from_value(table).expect("settings")
}

fn bed(app: &App) -> Bed {
    Bed::new(settings(&app.url()))
}

#[tokio::test]
async fn the_app_is_told_everything_and_can_tell_who_asks() {
    let app = App::saying(r#"{"uid":"alice","roles":["vip"],"expires_at":1700000600000}"#).await;
    let bed = bed(&app);
    let all = ForeignLogin {
        headers: ForeignHeaders {
            token: None,
            authorization: Some("Bearer x".to_owned()),
            cookie: Some("sid=1".to_owned()),
        },
        credentials: vec!["from the query".to_owned()],
        ..claiming("", "alice")
    };
    let identity = bed.identify(&all).await.expect("accepted");
    assert_eq!(identity.uid.as_str(), "alice");
    assert_eq!(identity.roles, ["vip"]);
    assert_eq!(identity.issued_at_ms, NOW_MS);
    assert_eq!(identity.expires_at_ms, Some(NOW_MS + 600_000));
    let asked = app.asked().remove(0);
    let body: Value = serde_json::from_slice(&asked.body).expect("JSON");
    let expected = json!({
        "dialect": "dialect", "app_id": "a", "route": "/login",
        "headers": {"token": "from the query", "authorization": "Bearer x", "cookie": "sid=1"},
        "query": "q=1", "claimed_uid": "alice", "ip": "203.0.113.9",
    });
    assert_eq!(body, expected);
    let header = |name: &str| asked.headers[name].to_str().expect("a text").to_owned();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("x-crosstalk-timestamp"), (NOW_MS / 1000).to_string());
    let mut keyed = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
    keyed.update(format!("{}.", NOW_MS / 1000).as_bytes());
    keyed.update(&asked.body);
    let signature = hex::encode(keyed.finalize().into_bytes());
    assert_eq!(
        header("x-crosstalk-signature"),
        format!("sha256={signature}")
    );
}

#[tokio::test]
async fn what_the_app_does_not_accept_is_refused() {
    let app = App::saying("{}").await;
    let bed = bed(&app);
    let refused = [
        (StatusCode::OK, r#"{"uid":null}"#),
        (StatusCode::OK, r#"{"uid":""}"#),
        (StatusCode::OK, r#"{"uid":"a@b"}"#),
        (StatusCode::OK, r#"{"uid":"____system"}"#),
        (StatusCode::OK, "{}"),
        (StatusCode::OK, "no JSON"),
        (StatusCode::UNAUTHORIZED, r#"{"uid":"alice"}"#),
        (StatusCode::FORBIDDEN, ""),
        (StatusCode::NOT_FOUND, ""),
    ];
    for (status, text) in refused {
        app.now_says(status, text);
        let why = bed.uid(&login("t")).await;
        assert_eq!(why, Err(Refusal::NotAuthenticated), "{status} {text}");
    }
    // Redirects are not followed: what was sent is for the app alone.
    for status in [
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::TEMPORARY_REDIRECT,
    ] {
        app.now_says(status, r#"{"uid":"alice"}"#);
        let why = bed.uid(&login("t")).await;
        assert_eq!(why, Err(Refusal::Unavailable), "{status}");
    }
    app.now_says(StatusCode::OK, r#"{"uid":48057}"#);
    assert_eq!(bed.uid(&login("t")).await.as_deref(), Ok("48057"));
}

#[tokio::test]
async fn nobody_gets_in_as_somebody_else() {
    let app = App::saying(r#"{"uid":"alice","ttl_secs":60}"#).await;
    let bed = bed(&app);
    for _ in 0..2 {
        let why = bed.uid(&claiming("t", "bob")).await;
        assert_eq!(why, Err(Refusal::NotAuthenticated));
    }
    assert_eq!(
        bed.uid(&claiming("t", "alice")).await.as_deref(),
        Ok("alice")
    );
}

#[tokio::test(start_paused = true)]
async fn an_app_that_does_not_answer_lets_nobody_in() {
    // Time is held, and moves on only when nothing else can happen.
    let silent = App::start(|_| None).await;
    let why = bed(&silent).uid(&login("t")).await;
    assert_eq!(why, Err(Refusal::Unavailable));
}

#[tokio::test]
async fn an_app_that_is_down_lets_nobody_in() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let bed = Bed::new(settings(&format!("http://{address}/")));
    assert_eq!(bed.uid(&login("t")).await, Err(Refusal::Unavailable));
}

#[tokio::test]
async fn an_endless_answer_is_not_read() {
    let app = App::start(|_| Some((StatusCode::OK, " ".repeat(1 << 20)))).await;
    assert_eq!(bed(&app).uid(&login("t")).await, Err(Refusal::Unavailable));
}

#[tokio::test]
async fn answers_hold_for_as_long_as_they_say() {
    let app = App::saying(r#"{"uid":"alice","ttl_secs":60}"#).await;
    let bed = bed(&app);
    for _ in 0..3 {
        bed.uid(&login("t")).await.expect("accepted");
    }
    assert_eq!(app.asked().len(), 1);
    let others = [
        login("u"),
        claiming("t", "alice"),
        ForeignLogin {
            ip: [203, 0, 113, 10].into(),
            ..login("t")
        },
        ForeignLogin {
            is_fresh: true,
            ..login("t")
        },
    ];
    for (before, other) in others.iter().enumerate() {
        bed.uid(other).await.expect("accepted");
        assert_eq!(app.asked().len(), before + 2, "another question is asked");
    }
    app.now_says(StatusCode::UNAUTHORIZED, "");
    bed.clock.advance_ms(59_999);
    bed.uid(&login("t")).await.expect("still known");
    bed.clock.advance_ms(1);
    assert!(bed.uid(&login("t")).await.is_err());
    app.now_says(StatusCode::OK, r#"{"uid":"alice"}"#);
    let before = app.asked().len();
    for _ in 0..2 {
        bed.uid(&login("t")).await.expect("accepted");
    }
    assert_eq!(
        app.asked().len(),
        before + 2,
        "without a time it is not kept"
    );
}

#[tokio::test]
async fn an_answer_holds_for_its_credential_wherever_that_stood() {
    let app = App::saying(r#"{"uid":"alice","ttl_secs":60}"#).await;
    let bed = bed(&app);
    let with_password = |password: &str| ForeignLogin {
        headers: ForeignHeaders::default(),
        credentials: vec![password.to_owned()],
        query: String::new(),
        ..claiming("", "alice")
    };
    bed.uid(&with_password("right")).await.expect("accepted");
    app.now_says(StatusCode::UNAUTHORIZED, "");
    bed.uid(&with_password("right")).await.expect("still known");
    let why = bed.uid(&with_password("wrong")).await;
    assert_eq!(why, Err(Refusal::NotAuthenticated));
}

#[tokio::test]
async fn a_login_that_has_ended_is_asked_for_again() {
    let saying = |expires_at: i64| {
        let said = json!({"uid": "alice", "ttl_secs": 3600, "expires_at": expires_at});
        said.to_string()
    };
    let app = App::saying(&saying(NOW_MS + 1000)).await;
    let bed = bed(&app);
    bed.uid(&login("t")).await.expect("accepted");
    app.now_says(StatusCode::OK, &saying(NOW_MS + 9000));
    bed.clock.advance_ms(999);
    bed.uid(&login("t")).await.expect("still known");
    assert_eq!(app.asked().len(), 1);
    bed.clock.advance_ms(1);
    let renewed = bed.identify(&login("t")).await.expect("accepted");
    assert_eq!(renewed.expires_at_ms, Some(NOW_MS + 9000));
}

#[tokio::test]
async fn no_answer_is_kept_for_ever() {
    let app = App::saying(r#"{"uid":"alice","ttl_secs":99999999999}"#).await;
    let bed = bed(&app);
    bed.uid(&login("t")).await.expect("accepted");
    bed.clock.advance_ms(3_600_000);
    bed.uid(&login("t")).await.expect("accepted");
    assert_eq!(app.asked().len(), 2);
}
