//! Files and uploads.

use super::*;
use axum::http::HeaderValue;
use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::clock::Clock;
use crosstalk_core::deliver::Sender;
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::message::{Body as Said, Draft, OnReuse};
use crosstalk_gateway::WUKONG_ORIGIN;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use sha2::{Digest, Sha256};

/// A request whose answer's bytes count.
struct Given {
    status: u16,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Given {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers
            .get(name)
            .map_or("", |it| it.to_str().expect("text"))
    }
}

async fn raw(rest: &Rest, request: Request<Body>) -> Given {
    let response = rest
        .routes
        .clone()
        .oneshot(request)
        .await
        .expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
    Given {
        status: parts.status.as_u16(),
        headers: parts.headers,
        bytes,
    }
}

async fn get(rest: &Rest, bearer: &str, path: &str, more: &[(&str, &str)]) -> Given {
    let mut request = Request::builder().uri(path);
    if !bearer.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
    }
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    raw(rest, request.body(Body::empty()).expect("a request")).await
}

async fn give(
    rest: &Rest,
    bearer: &str,
    name: &str,
    bytes: &[u8],
    texts: &[(&str, &str)],
) -> Answer {
    let mut body = Vec::new();
    for (field, text) in texts {
        let part =
            format!("--B\r\ncontent-disposition: form-data; name=\"{field}\"\r\n\r\n{text}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let part = format!(
        "--B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         content-type: image/png\r\n\r\n"
    );
    body.extend_from_slice(part.as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--B--\r\n");
    let request = Request::builder()
        .method("POST")
        .uri("/v1/files")
        .header(header::AUTHORIZATION, format!("Bearer {bearer}"))
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=B")
        .body(Body::from(body));
    rest.send(request.expect("a request")).await
}

fn id(file: &Value) -> &str {
    file["id"].as_str().expect("an id")
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let image = DynamicImage::ImageRgb8(RgbImage::from_pixel(width, height, Rgb([1, 2, 3])));
    let mut out = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut out, ImageFormat::Png)
        .expect("an image");
    out.into_inner()
}

#[tokio::test]
async fn a_file_comes_back_as_it_was_given() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    let bytes = png(400, 300);
    let file = give(&rest, &alice, "cat.png", &bytes, &[]).await;
    assert_eq!(file.status, 201);
    let file = file.ok();
    assert_eq!(file["name"], "cat.png");
    assert_eq!(file["type"], "image/png");
    assert_eq!(file["size"], bytes.len());
    assert_eq!(
        (&file["width"], &file["height"]),
        (&json!(400), &json!(300))
    );
    assert_eq!(file["sha256"], hex::encode(Sha256::digest(&bytes)));
    assert_eq!(
        (&file["owner"], &file["public"]),
        (&json!("alice"), &json!(false))
    );
    let path = format!("/v1/files/{}", id(&file));
    assert_eq!(file["url"], format!("http://im.example{path}"));
    let given = get(&rest, &alice, &path, &[]).await;
    assert_eq!((given.status, &given.bytes), (200, &bytes));
    assert_eq!(given.header(header::CONTENT_TYPE), "image/png");
    assert!(
        given
            .header(header::CONTENT_DISPOSITION)
            .starts_with("inline; filename=\"cat.png\"")
    );
    assert_eq!(given.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    let meta = rest
        .call(&alice, "GET", &format!("{path}/meta"), Value::Null)
        .await;
    assert_eq!(meta.ok(), file);
    // A stretch, and nothing if it is known.
    let part = get(&rest, &alice, &path, &[("range", "bytes=1-3")]).await;
    assert_eq!((part.status, &part.bytes[..]), (206, &b"PNG"[..]));
    let range = format!("bytes 1-3/{}", bytes.len());
    assert_eq!(part.header(header::CONTENT_RANGE), range);
    let beyond = get(&rest, &alice, &path, &[("range", "bytes=999999-")]).await;
    assert_eq!(beyond.status, 416);
    let tag = given.header(header::ETAG).to_owned();
    let known = get(&rest, &alice, &path, &[("if-none-match", &tag)]).await;
    assert_eq!((known.status, known.bytes.len()), (304, 0));
    // A small picture.
    let small = get(&rest, &alice, &format!("{path}/thumbnail?size=100"), &[]).await;
    assert_eq!(
        (small.status, small.header(header::CONTENT_TYPE)),
        (200, "image/jpeg")
    );
    let small = image::load_from_memory(&small.bytes).expect("an image");
    assert_eq!((small.width(), small.height()), (128, 96));
    let gone = rest.call(&alice, "DELETE", &path, Value::Null).await;
    assert_eq!(gone.status, 204);
    let gone = rest.call(&alice, "DELETE", &path, Value::Null).await;
    assert_eq!(gone.problem(), (404, "no_such_file".to_owned()));
}

#[tokio::test]
async fn what_could_run_is_never_shown_whatever_its_name_says() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    let page = b"<!DOCTYPE html><script>alert(1)</script>";
    let file = give(&rest, &alice, "cat.png", page, &[]).await.ok();
    assert_eq!(file["type"], "text/html");
    let given = get(&rest, &alice, &format!("/v1/files/{}", id(&file)), &[]).await;
    assert!(
        given
            .header(header::CONTENT_DISPOSITION)
            .starts_with("attachment")
    );
    assert!(
        given
            .header(header::CONTENT_SECURITY_POLICY)
            .contains("sandbox")
    );
    let path = format!("/v1/files/{}/thumbnail", id(&file));
    let small = rest.call(&alice, "GET", &path, Value::Null).await;
    assert_eq!(small.problem(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn who_may_see_a_message_may_read_its_file() {
    let rest = Rest::start().await;
    let (alice, bob, carol) = (
        rest.user("alice").await,
        rest.user("bob").await,
        rest.user("carol").await,
    );
    let file = give(&rest, &alice, "a.txt", b"hello", &[]).await.ok();
    let path = format!("/v1/files/{}", id(&file));
    let status = async |bearer: &str| get(&rest, bearer, &path, &[]).await.status;
    assert_eq!((status(&alice).await, status(&bob).await), (200, 404));
    let say = async |from: &str, to: &str| {
        let content = json!({"type": "file", "url": file["url"], "name": "a.txt"});
        let message = json!({"to": {"kind": "direct", "id": to}, "content": content});
        rest.call(from, "POST", "/v1/messages", message).await.ok()
    };
    // Who knows no more than the id gains nothing by saying it.
    say(&carol, "carol").await;
    say(&bob, "carol").await;
    assert_eq!((status(&bob).await, status(&carol).await), (404, 404));
    let sent = say(&alice, "bob").await;
    assert_eq!((status(&bob).await, status(&carol).await), (200, 404));
    let delete = rest.call(&bob, "DELETE", &path, Value::Null).await;
    assert_eq!(delete.problem(), (403, "forbidden".to_owned()));
    // Who may read it may pass it on.
    say(&bob, "carol").await;
    assert_eq!(status(&carol).await, 200);
    let revoke = format!("/v1/messages/{}/revoke", id(&sent));
    rest.call(&alice, "POST", &revoke, json!({})).await.ok();
    assert_eq!(
        status(&bob).await,
        200,
        "bob's own message to carol names it"
    );
    assert_eq!(status(rest.app.secret.as_ref()).await, 200);
    // Another realm has nothing of it.
    let other = json!({"app_id": "elsewhere", "realm": "other"});
    let other = rest.call(ADMIN, "POST", "/v1/apps", other).await.ok();
    assert_eq!(
        status(other["app_secret"].as_str().expect("a secret")).await,
        404
    );
}

/// Says something as a client of another dialect; the message's id.
async fn say_as(rest: &Rest, from: &str, to: &str, payload: &Value) -> String {
    let (realm, from) = (Realm::default(), Uid::parse(from).expect("a uid"));
    let from = rest.im.user(&realm, &from).await.expect("a user");
    let draft = Draft {
        to: Address::parse(ChannelKind::DIRECT, to).expect("an address"),
        body: Said {
            origin: WUKONG_ORIGIN,
            payload: payload.to_string().into(),
            ..Said::default()
        },
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    let sender = Sender::User(from.record.user.clone());
    let sent = rest.im.send_as(&realm, sender, draft).await;
    sent.expect("sent").id.to_string()
}

/// The address in what a reader is shown of a message that was written in another dialect.
async fn shown_address(rest: &Rest, reader: &str, channel: &str) -> Option<String> {
    let path = format!("/v1/channels/{channel}/messages");
    let page = rest.call(reader, "GET", &path, Value::Null).await.ok();
    let shown = page["items"].as_array()?.last()?.to_string();
    let (_, local) = shown.split_once("http://im.example")?;
    local.split('"').next().map(str::to_owned)
}

#[tokio::test]
async fn an_address_in_a_message_opens_what_the_message_shows_and_while_it_does() {
    let rest = Rest::start().await;
    let (alice, bob, carol) = (
        rest.user("alice").await,
        rest.user("bob").await,
        rest.user("carol").await,
    );
    let file = give(&rest, &alice, "a.txt", b"hello", &[]).await.ok();
    // As a client of another dialect says it: its own route, which nobody else may use.
    let say = async |from: &str, to: &str| {
        let url = format!("/api/file/{}", id(&file));
        let payload = json!({"type": 8, "url": url, "name": "a.txt", "size": 5});
        say_as(&rest, from, to, &payload).await
    };
    say("carol", "carol").await;
    let address = shown_address(&rest, &carol, "direct/carol").await;
    let address = address.expect("an address");
    let opened = async |address: &str| get(&rest, "", address, &[]).await.status;
    assert_eq!(
        opened(&address).await,
        403,
        "carol knows no more than the id"
    );
    let sent = say("alice", "bob").await;
    let address = shown_address(&rest, &bob, "direct/alice").await;
    let address = address.expect("an address");
    assert_eq!(opened(&address).await, 200);
    let revoke = format!("/v1/messages/{sent}/revoke");
    rest.call(&alice, "POST", &revoke, json!({})).await.ok();
    assert_eq!(opened(&address).await, 403);
}

#[tokio::test]
async fn an_edit_shows_its_files_and_those_of_before_no_more() {
    let rest = Rest::start().await;
    let (alice, bob) = (rest.user("alice").await, rest.user("bob").await);
    let (one, two) = (
        give(&rest, &alice, "1.txt", b"one", &[]).await.ok(),
        give(&rest, &alice, "2.txt", b"two", &[]).await.ok(),
    );
    let seen = async || {
        let mut seen = Vec::new();
        for file in [&one, &two] {
            let path = format!("/v1/files/{}", id(file));
            seen.push(get(&rest, &bob, &path, &[]).await.status);
        }
        seen
    };
    let text = format!("see {}", id(&one));
    let sent = rest.text("alice", "direct", "bob", &text).await;
    assert_eq!(seen().await, [200, 404]);
    let edit = format!("/v1/messages/{}", id(&sent));
    for (text, expected) in [
        (format!("no, {}", id(&two)), [404, 200]),
        ("nothing".to_owned(), [404, 404]),
    ] {
        let content = json!({"content": {"type": "text", "text": text}});
        rest.call(&alice, "PATCH", &edit, content).await.ok();
        assert_eq!(seen().await, expected, "{text}");
    }
}

#[tokio::test]
async fn a_message_taken_back_shows_its_file_no_more() {
    let rest = Rest::start().await;
    let (alice, bob) = (rest.user("alice").await, rest.user("bob").await);
    let file = give(&rest, &alice, "a.txt", b"hello", &[]).await.ok();
    let path = format!("/v1/files/{}", id(&file));
    let text = format!("see {}", id(&file));
    let sent = rest.text("alice", "direct", "bob", &text).await;
    assert_eq!(get(&rest, &bob, &path, &[]).await.status, 200);
    let revoke = format!("/v1/messages/{}/revoke", id(&sent));
    rest.call(&alice, "POST", &revoke, json!({})).await.ok();
    assert_eq!(get(&rest, &bob, &path, &[]).await.status, 404);
    // Those who left a group, too.
    let team = json!({"owner": "alice", "members": ["alice", "bob"]});
    rest.put("/v1/channels/group/team", team).await;
    rest.text("alice", "group", "team", &text).await;
    assert_eq!(get(&rest, &bob, &path, &[]).await.status, 200);
    let left = "/v1/channels/group/team/members/bob";
    rest.app("DELETE", left, Value::Null).await.ok();
    assert_eq!(get(&rest, &bob, &path, &[]).await.status, 404);
}

#[tokio::test]
async fn addresses_hold_for_a_while_without_a_login() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    let file = give(&rest, &alice, "cat.png", &png(300, 300), &[])
        .await
        .ok();
    let path = format!("/v1/files/{}/url", id(&file));
    let address = rest
        .call(&alice, "POST", &path, json!({"ttl_secs": 60}))
        .await
        .ok();
    assert_eq!(address["expires_at"], im::START_MS + 60_000);
    let url = address["url"].as_str().expect("an address");
    let local = url
        .strip_prefix("http://im.example")
        .expect("the public address");
    assert_eq!(get(&rest, "", local, &[]).await.status, 200);
    let forged = local.replace("s=", "s=A");
    let longer = local.replace("e=1", "e=2");
    let smaller = format!("{local}&t=128");
    let bare = local.split('?').next().expect("a path");
    for wrong in [&forged, &longer, &smaller, bare] {
        assert_eq!(get(&rest, "", wrong, &[]).await.status, 403, "{wrong}");
    }
    let small = rest
        .call(&alice, "POST", &path, json!({"thumbnail": 128}))
        .await
        .ok();
    let small = small["url"].as_str().expect("an address");
    let small = get(
        &rest,
        "",
        small.strip_prefix("http://im.example").expect("it"),
        &[],
    )
    .await;
    assert_eq!(
        (small.status, small.header(header::CONTENT_TYPE)),
        (200, "image/jpeg")
    );
    rest.clock.advance_ms(60_000);
    assert_eq!(get(&rest, "", local, &[]).await.status, 403);
    for ttl in [0, 31 * 24 * 3600] {
        let wrong = rest
            .call(&alice, "POST", &path, json!({"ttl_secs": ttl}))
            .await;
        assert!(wrong.detail("invalid_argument").starts_with("ttl_secs:"));
    }
    // A public one is everybody's.
    let avatar = give(&rest, &alice, "a.png", &png(9, 9), &[("public", "true")])
        .await
        .ok();
    let local = format!("/f/{}", id(&avatar));
    assert_eq!(avatar["url"], format!("http://im.example{local}"));
    assert_eq!(get(&rest, "", &local, &[]).await.status, 200);
}

#[tokio::test]
async fn forms_without_a_file_or_with_wrong_texts_are_refused() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    let wrong = give(&rest, &alice, "a", b"x", &[("public", "maybe")]).await;
    assert!(wrong.detail("invalid_argument").starts_with("public:"));
    let long = "n".repeat(201);
    let wrong = give(&rest, &alice, "a", b"x", &[("name", &long)]).await;
    assert!(wrong.detail("invalid_argument").starts_with("name:"));
    let other = give(&rest, &alice, "a", b"x", &[("owner", "bob")]).await;
    assert_eq!(other.problem(), (403, "forbidden".to_owned()));
    let none = rest.call(&alice, "POST", "/v1/files", json!({})).await;
    assert_eq!(none.problem(), (400, "undecodable_content".to_owned()));
    let secret = rest.app.secret.to_string();
    let named = give(&rest, &secret, "a", b"x", &[("owner", "alice")])
        .await
        .ok();
    assert_eq!(named["owner"], "alice");
    let own = give(&rest, &secret, "a", b"x", &[]).await.ok();
    assert_eq!(own["owner"], Value::Null);
    let path = format!("/v1/files/{}", id(&own));
    assert_eq!(get(&rest, &alice, &path, &[]).await.status, 404);
}

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
