//! Files: giving and reading them.

use super::*;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use sha2::{Digest, Sha256};

/// A request whose answer's bytes count.
pub(super) struct Given {
    pub(super) status: u16,
    headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
}

impl Given {
    pub(super) fn header(&self, name: header::HeaderName) -> &str {
        self.headers
            .get(name)
            .map_or("", |it| it.to_str().expect("text"))
    }
}

pub(super) async fn raw(rest: &Rest, request: Request<Body>) -> Given {
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

pub(super) async fn get(rest: &Rest, bearer: &str, path: &str, more: &[(&str, &str)]) -> Given {
    let mut request = Request::builder().uri(path);
    if !bearer.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
    }
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    raw(rest, request.body(Body::empty()).expect("a request")).await
}

pub(super) async fn give(
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

pub(super) fn id(file: &Value) -> &str {
    file["id"].as_str().expect("an id")
}

pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
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
