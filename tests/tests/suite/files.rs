//! Files, against the whole server: over restarts, between dialects, and in an S3-compatible
//! store.

use std::path::Path;
use std::process::Stdio;

use crosstalk_tests::{Http, Server, http_client};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const BYTES: &str = "what is in it";

/// Gives a file, in two parts, and returns its id.
async fn give(server: &Server, token: &str) -> String {
    let base = format!("http://{}", server.listeners().http);
    let rest = server.rest().bearer(token);
    let new = json!({"name": "a.txt", "size": BYTES.len()});
    let begun = rest.post("/v1/uploads", new).await.ok();
    let id = begun["id"].as_str().expect("an id").to_owned();
    let (one, two) = BYTES.split_at(4);
    for (at, part) in [(0, one), (one.len(), two)] {
        let request = http_client()
            .patch(format!("{base}/v1/uploads/{id}"))
            .bearer_auth(token)
            .header("Upload-Offset", at.to_string())
            .body(part.to_owned());
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
    }
    id
}

async fn read(url: &str) -> (u16, String) {
    let answer = reqwest::get(url).await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.text().await.expect("a body"))
}

async fn address(rest: &Http, id: &str) -> String {
    let made = rest
        .post(&format!("/v1/files/{id}/url"), json!({}))
        .await
        .ok();
    made["url"].as_str().expect("an address").to_owned()
}

fn file(id: &str) -> Value {
    json!({"type": "file", "url": format!("/v1/files/{id}"), "name": "a.txt"})
}

#[tokio::test]
async fn files_and_who_may_read_them_are_found_again_after_a_restart() {
    let mut server = Server::start().await;
    let (alice, bob) = (
        server.user_token("alice").await,
        server.user_token("bob").await,
    );
    let id = give(&server, &alice).await;
    let to_bob = json!({"to": {"kind": "direct", "id": "bob"}, "content": file(&id)});
    let rest = server.rest().bearer(&alice);
    rest.post("/v1/messages", to_bob).await.ok();
    let waiting = json!({"name": "b.txt", "size": 9});
    let waiting = rest.post("/v1/uploads", waiting).await.ok();
    server.restart().await;
    for token in [&alice, &bob] {
        let rest = server.rest().bearer(token);
        let meta = rest.get(&format!("/v1/files/{id}/meta")).await.ok();
        assert_eq!(meta["size"], BYTES.len());
        let (status, text) = read(&address(&rest, &id).await).await;
        assert_eq!((status, text.as_str()), (200, BYTES));
    }
    let carol = server.rest().bearer(&server.user_token("carol").await);
    let denied = carol.get(&format!("/v1/files/{id}/meta")).await;
    denied.problem(404, "no_such_file");
    let upload = format!("/v1/uploads/{}", waiting["id"].as_str().expect("an id"));
    let rest = server.rest().bearer(&alice);
    assert_eq!(rest.send("HEAD", &upload, None).await.status, 200);
}

#[tokio::test]
async fn a_file_that_crosses_to_another_dialect_has_an_address_that_needs_no_login() {
    let server = Server::start().await;
    let alice = server.user_token("alice").await;
    let mut bob = server.client("bob").await;
    let id = give(&server, &alice).await;
    let message = json!({"to": {"kind": "direct", "id": "bob"}, "content": file(&id)});
    let rest = server.rest().bearer(&alice);
    rest.post("/v1/messages", message).await.ok();
    let heard = bob.message().await.json();
    assert_eq!(heard["type"], 8, "{heard}");
    let url = heard["url"].as_str().expect("an address");
    let (status, text) = read(url).await;
    assert_eq!((status, text.as_str()), (200, BYTES), "{url}");
    let (status, _) = read(&url.replace("s=", "s=A")).await;
    assert_eq!(status, 403);
}

/// An S3-compatible server (moto) on a free port; it ends with the second.
async fn moto() -> (String, Child) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/moto");
    let program = folder.join(".venv/bin/moto_server");
    assert!(program.exists(), "no moto: `make test` installs it");
    let mut process = Command::new(program)
        .args(["-H", "127.0.0.1", "-p", "0"])
        .env("PYTHONUNBUFFERED", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let mut said = BufReader::new(process.stderr.take().expect("what it says")).lines();
    let endpoint = loop {
        let line = said
            .next_line()
            .await
            .expect("a line")
            .expect("it says where");
        if let Some((_, at)) = line.split_once("Running on ") {
            break at.trim().to_owned();
        }
    };
    // What else it says has to go somewhere.
    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
    (endpoint, process)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_kept_in_an_s3_compatible_store() {
    let (endpoint, _moto) = moto().await;
    let bucket = http_client().put(format!("{endpoint}/files"));
    let made = bucket.send().await.expect("an answer");
    assert!(made.status().is_success());
    let settings = [
        "files.store=s3".to_owned(),
        format!("files.s3.endpoint={endpoint}"),
        "files.s3.bucket=files".to_owned(),
        "files.s3.access_key=key".to_owned(),
        "files.s3.secret_key=secret".to_owned(),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let mut server = Server::start_with(&settings).await;
    let alice = server.user_token("alice").await;
    let id = give(&server, &alice).await;
    assert!(!server.data_file("files").exists(), "nothing is kept here");
    server.restart().await;
    let rest = server.rest().bearer(&alice);
    let (status, text) = read(&address(&rest, &id).await).await;
    assert_eq!((status, text.as_str()), (200, BYTES));
}
