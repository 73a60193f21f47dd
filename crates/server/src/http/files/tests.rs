//! The dialects' own routes for files.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::MockConnectInfo;
use axum::http::{HeaderMap, Request, header};
use crosstalk_backends::blob::Blobs;
use crosstalk_core::directory::AppId;
use crosstalk_core::file::BlobStore;
use crosstalk_core::id::Uid;
use crosstalk_core::im::Im;
use crosstalk_gateway::{Dialect, Gateway, GatewaySettings};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::config::Config;
use crate::http::edge::{self, Edge};
use crate::http::v1::tests::im;

/// The routes with their messenger.
struct Bed {
    routes: Router,
    im: Arc<Im>,
    _staging: TempDir,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }
}

impl Bed {
    async fn start() -> Self {
        Self::over(Arc::new(Blobs::memory())).await
    }

    /// With bytes kept there.
    async fn over(blobs: Arc<dyn BlobStore>) -> Self {
        let (im, _, _) = im::start_with_store().await;
        let config = Config::default();
        let stomp = crate::http::stomp::settings(&config.stomp).expect("settings");
        let mqtt = crate::http::mqtt::settings(&config.mqtt, &im).expect("settings");
        let settings = GatewaySettings::default()
            .with(Dialect::Stomp, stomp)
            .with(Dialect::Mqtt, mqtt);
        let gateway = Gateway::new(Arc::clone(&im), settings);
        let edge = Edge {
            im: Arc::clone(&im),
            gateway,
            admin_key: "admin".into(),
            config: Arc::new(config),
            bound: Arc::default(),
        };
        let settings = crate::files::FileSettings::default();
        let (files, staging) = crate::files::tests::service_over(&im, settings, blobs);
        let client = SocketAddr::from(([203, 0, 113, 7], 1234));
        let routes = edge::bringing(&edge)
            .merge(super::guard(crate::http::gyyx::bringing(&edge)))
            .layer(axum::Extension(files))
            .layer(MockConnectInfo(client));
        Self {
            routes,
            im,
            _staging: staging,
        }
    }

    async fn token(&self, uid: &str) -> String {
        let app = self.im.apps().get(&AppId::default()).expect("the app");
        let uid = Uid::parse(uid).expect("a uid");
        let issued = self.im.issue_token(&app, &uid, 3600, None).await;
        issued.expect("a token").token
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let answer = self.routes.clone().oneshot(request).await;
        let (parts, body) = answer.expect("an answer").into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body");
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            bytes: bytes.to_vec(),
        }
    }

    async fn give(&self, bearer: &str, path: &str, bytes: &str, more: &str) -> Answer {
        let body = format!(
            "{more}--B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
             \r\n{bytes}\r\n--B--\r\n"
        );
        let request = Request::builder()
            .method("POST")
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {bearer}"))
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=B")
            .body(Body::from(body));
        self.ask(request.expect("a request")).await
    }

    async fn get(&self, bearer: &str, path: &str) -> Answer {
        let mut request = Request::builder().uri(path);
        if !bearer.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        self.ask(request.body(Body::empty()).expect("a request"))
            .await
    }
}

fn local(data: &Value) -> &str {
    let url = data["url"].as_str().expect("an address");
    url.strip_prefix("http://im.example")
        .expect("the public address")
}

#[tokio::test]
async fn stomp_clients_give_and_read_files() {
    let bed = Bed::start().await;
    let (alice, bob) = (bed.token("alice").await, bed.token("bob").await);
    let given = bed.give(&alice, "/api/file/upload", "hello", "").await;
    let answer = given.json();
    assert_eq!(
        (given.status, &answer["status"]),
        (200, &"0".into()),
        "{answer}"
    );
    let data = &answer["data"];
    assert_eq!(
        (&data["name"], &data["mimeType"]),
        (&"a.txt".into(), &"text/plain".into())
    );
    let id = data["fileId"].as_str().expect("an id");
    assert_eq!(local(data), format!("/api/file/{id}"));
    assert_eq!(bed.get(&alice, local(data)).await.bytes, b"hello");
    // The token may stand in the address, where an image's has to.
    let path = format!("{}?token={alice}", local(data));
    assert_eq!(bed.get("", &path).await.bytes, b"hello");
    for (who, path, expected) in [
        (&bob, local(data), 404),
        (&String::new(), local(data), 401),
        (&alice, "/api/file/nothing", 404),
        (&alice, &format!("{}/thumbnail", local(data)), 404),
    ] {
        let answer = bed.get(who, path).await;
        assert_eq!(answer.status, expected, "{path}");
        assert_eq!(answer.json()["code"], expected);
        assert_eq!(answer.json()["status"], "1");
    }
    let nobody = bed.give("", "/api/file/upload", "hello", "").await;
    assert_eq!((nobody.status, &nobody.json()["code"]), (401, &401.into()));
}

#[tokio::test]
async fn mqtt_clients_give_and_read_what_is_stored() {
    let bed = Bed::start().await;
    let (alice, bob) = (bed.token("alice").await, bed.token("bob").await);
    let given = bed.give(&alice, "/im/v1/files", "hello", "").await;
    let answer = given.json();
    assert_eq!(
        (given.status, &answer["code"]),
        (200, &200.into()),
        "{answer}"
    );
    let data = &answer["data"];
    assert_eq!(data["fileSize"], "5", "a text, as in messages");
    let id = data["storageId"].as_str().expect("an id");
    let path = format!("/im/v1/files/{id}");
    assert_eq!(local(data), path);
    assert_eq!(bed.get(&alice, &path).await.bytes, b"hello");
    assert_eq!(bed.get(&bob, &path).await.status, 404);
    assert_eq!(bed.get("", &path).await.status, 401);
    let secret = bed
        .im
        .apps()
        .get(&AppId::default())
        .expect("the app")
        .secret;
    assert_eq!(bed.get(&secret, &path).await.bytes, b"hello");
    // What is elsewhere is said to be there, to those who have logged in.
    let foreign = "x100680ad546ce6a5-aHR0cHM6Ly94L3k";
    let wrong = bed.get(&alice, &format!("/im/v1/files/{foreign}")).await;
    assert_eq!(wrong.status, 404, "its digest is another's");
    let nobody = bed.get("", &format!("/im/v1/files/{foreign}")).await;
    assert_eq!(
        (nobody.status, nobody.headers.get(header::LOCATION)),
        (401, None)
    );
}

/// Each dialect says in its own words that it cannot be done now.
#[tokio::test]
async fn what_the_store_does_not_take_is_said_in_each_dialects_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = Blobs::local(folder.path()).expect("a store");
    std::fs::write(folder.path().join("blobs"), b"x").expect("a file");
    let bed = Bed::over(Arc::new(blobs)).await;
    let alice = bed.token("alice").await;
    let room = "--B\r\ncontent-disposition: form-data; name=\"roomId\"\r\n\r\nr-1\r\n";
    for (path, status) in [
        ("/api/file/upload", 500),
        ("/im/v1/files", 503),
        ("/im/video/upload", 503),
    ] {
        let failed = bed.give(&alice, path, "hello", room).await;
        let answer = failed.json();
        assert_eq!(failed.status, status, "{path}: {answer}");
        assert_eq!(answer["code"], status, "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_recording_of_a_call_comes_with_its_room() {
    let bed = Bed::start().await;
    let alice = bed.token("alice").await;
    let room = "--B\r\ncontent-disposition: form-data; name=\"roomId\"\r\n\r\nr-1\r\n";
    let given = bed.give(&alice, "/im/video/upload", "film", room).await;
    let answer = given.json();
    assert_eq!(given.status, 200, "{answer}");
    let id = answer["data"]["fileId"].as_str().expect("an id");
    let id = crosstalk_core::file::FileId::parse(id).expect("an id");
    let file = bed
        .im
        .files()
        .file(id)
        .await
        .expect("an answer")
        .expect("a file");
    assert_eq!(
        (file.name.as_str(), file.owner.is_some()),
        ("r-1-a.txt", true)
    );
    let secret = bed
        .im
        .apps()
        .get(&AppId::default())
        .expect("the app")
        .secret;
    let by_app = bed.give(&secret, "/im/video/upload", "film", room).await;
    assert_eq!(by_app.status, 200);
    let without = bed.give(&alice, "/im/video/upload", "film", "").await;
    assert_eq!(
        (without.status, &without.json()["code"]),
        (400, &400.into())
    );
    assert_eq!(
        bed.give("x", "/im/video/upload", "film", room).await.status,
        401
    );
}
