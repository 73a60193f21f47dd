//! Files that come in parts.

use super::files::{get, id};
use super::*;
use axum::http::HeaderValue;
use crosstalk_core::clock::Clock;
use sha2::{Digest, Sha256};

async fn patch(rest: &Rest, bearer: &str, path: &str, at: u64, bytes: &'static [u8]) -> Answer {
    let request = Request::builder()
        .method("PATCH")
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {bearer}"))
        .header("upload-offset", HeaderValue::from(at))
        .body(Body::from(bytes));
    rest.send(request.expect("a request")).await
}

#[tokio::test]
async fn an_upload_comes_in_parts() {
    let rest = Rest::start().await;
    let (alice, bob) = (rest.user("alice").await, rest.user("bob").await);
    let sha256 = hex::encode(Sha256::digest(b"hello world"));
    let new = json!({"name": "w.txt", "size": 11, "sha256": sha256});
    let begun = rest.call(&alice, "POST", "/v1/uploads", new.clone()).await;
    assert_eq!(begun.status, 201);
    let begun = begun.ok();
    assert_eq!(
        (&begun["offset"], &begun["file"]),
        (&json!(0), &Value::Null)
    );
    let path = format!("/v1/uploads/{}", id(&begun));
    let first = patch(&rest, &alice, &path, 0, b"hello").await.ok();
    assert_eq!(first["offset"], 5);
    let head = rest.call(&alice, "HEAD", &path, Value::Null).await;
    assert_eq!(head.headers["upload-offset"], "5");
    assert_eq!(head.headers["upload-length"], "11");
    for at in [0, 6] {
        let wrong = patch(&rest, &alice, &path, at, b"x").await;
        assert_eq!(wrong.headers["upload-offset"], "5");
        assert_eq!(wrong.problem(), (409, "wrong_state".to_owned()));
    }
    let stranger = patch(&rest, &bob, &path, 5, b"x").await;
    assert_eq!(stranger.problem(), (404, "not_found".to_owned()));
    let more = patch(&rest, &alice, &path, 5, b" world, and more").await;
    assert_eq!(more.problem(), (413, "too_large".to_owned()));
    let done = patch(&rest, &alice, &path, 5, b" world").await.ok();
    assert_eq!(done["file"]["type"], "text/plain");
    assert_eq!(id(&done["file"]), id(&begun));
    let given = get(&rest, &alice, &format!("/v1/files/{}", id(&begun)), &[]).await;
    assert_eq!(given.bytes, b"hello world");
    // The answer to the last part was lost: it is seen that it is done.
    let head = rest.call(&alice, "HEAD", &path, Value::Null).await;
    assert_eq!(
        (
            head.status,
            &head.headers["upload-offset"],
            &head.headers["upload-length"]
        ),
        (200, &HeaderValue::from(11), &HeaderValue::from(11))
    );
    for (at, bytes) in [(5, &b" world"[..]), (11, b"")] {
        let again = patch(&rest, &alice, &path, at, bytes).await.ok();
        assert_eq!(again, done, "the same answer");
    }
    for (at, bytes) in [(0, &b"hello"[..]), (5, b" world, and more"), (12, b"")] {
        let wrong = patch(&rest, &alice, &path, at, bytes).await;
        assert_eq!(wrong.headers["upload-offset"], "11", "from {at}");
        assert_eq!(wrong.problem(), (409, "wrong_state".to_owned()));
    }
    let secret = rest.app.secret.to_string();
    let apps = rest.call(&secret, "HEAD", &path, Value::Null).await;
    assert_eq!(apps.headers["upload-offset"], "11");
    let others = rest.call(&bob, "HEAD", &path, Value::Null).await;
    assert_eq!(others.status, 404);
    // What she has given before need not come again; bob has to show that he has it.
    let again = rest.call(&alice, "POST", "/v1/uploads", new.clone()).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.ok()["file"]["sha256"], sha256);
    let others = rest.call(&bob, "POST", "/v1/uploads", new).await;
    assert_eq!(others.status, 201);
    let path = format!("/v1/uploads/{}", id(&others.ok()));
    let gone = rest.call(&bob, "DELETE", &path, Value::Null).await;
    assert_eq!(gone.status, 204);
    let gone = rest.call(&bob, "DELETE", &path, Value::Null).await;
    assert_eq!(gone.problem(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn uploads_are_bounded() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    let large = json!({"size": 1_u64 << 40});
    let large = rest.call(&alice, "POST", "/v1/uploads", large).await;
    assert_eq!(large.problem(), (413, "too_large".to_owned()));
    let wrong = json!({"size": 1, "sha256": "xyz"});
    let wrong = rest.call(&alice, "POST", "/v1/uploads", wrong).await;
    assert!(wrong.detail("invalid_argument").starts_with("sha256:"));
    for _ in 0..16 {
        // The clock of tests repeats what it calls random; so its ids differ.
        rest.clock.fill_random(&mut [0]);
        rest.call(&alice, "POST", "/v1/uploads", json!({"size": 1}))
            .await
            .ok();
    }
    rest.clock.fill_random(&mut [0]);
    let many = rest
        .call(&alice, "POST", "/v1/uploads", json!({"size": 1}))
        .await;
    assert_eq!(many.problem(), (409, "too_many".to_owned()));
}
