//! Whole servers on free ports: what they say of themselves, and what is left when they stop.

use std::net::SocketAddr;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::banner::{FIRST_EXCHANGE, Step};
use crate::config::{Config, Listener, Problems};
use crate::data_dir::{DataDir, LISTENERS_FILE, STORE_FILE};
use crate::keys::SERVER_KEY_FILE;

fn config() -> Config {
    let mut config = Config::default();
    let listen = &mut config.listen;
    for listener in [
        &mut listen.http,
        &mut listen.wukong_tcp,
        &mut listen.wukong_ws,
        &mut listen.wukong_api,
        &mut listen.mqtt_tcp,
        &mut listen.wg,
        &mut listen.gyyx,
    ] {
        *listener = Listener::loopback(0);
    }
    config
}

fn take(folder: &TempDir) -> DataDir {
    DataDir::take_for_server(folder.path()).expect("a free folder")
}

async fn start(config: &Config, folder: &TempDir) -> Server {
    Server::start(config, take(folder), None)
        .await
        .expect("a server")
}

fn http(server: &Server) -> SocketAddr {
    server.bound().get("http").expect("an address")
}

/// Sends one request and returns the whole answer.
async fn ask(address: SocketAddr, key: &str, step: Step) -> String {
    let Step { method, path, body } = step;
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    answer
}

async fn get(address: SocketAddr, path: &'static str) -> String {
    ask(
        address,
        "",
        Step {
            method: "GET",
            path,
            body: "",
        },
    )
    .await
}

#[tokio::test]
async fn the_first_exchange_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(&config(), &folder).await;
    for step in FIRST_EXCHANGE {
        let answer = ask(http(&server), &server.admin_key().key, step).await;
        assert!(answer.starts_with("HTTP/1.1 20"), "{step:?}\n{answer}");
        let tells = match (step.method, step.path) {
            ("GET", _) => "hello",
            (_, "/v1/users/bob/tokens") => "\"token\":\"ey",
            _ => "",
        };
        assert!(answer.contains(tells), "{step:?}\n{answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn listeners_are_named_as_long_as_they_are_bound() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(LISTENERS_FILE);
    std::fs::write(&file, "left over").expect("a file");
    let server = start(&config(), &folder).await;
    let text = std::fs::read_to_string(&file).expect("a file");
    let named: Value = serde_json::from_str(&text).expect("JSON");
    let all = [
        "http",
        "wukong_tcp",
        "wukong_ws",
        "wukong_api",
        "mqtt_tcp",
        "wg",
        "gyyx",
    ];
    for name in all {
        let address: SocketAddr = named[name]
            .as_str()
            .and_then(|it| it.parse().ok())
            .expect(name);
        assert_eq!(Some(address), server.bound().get(name));
        TcpStream::connect(address).await.expect(name);
    }
    assert_eq!(named.as_object().map(serde_json::Map::len), Some(all.len()));
    let address = http(&server);
    server.stop().await;
    assert!(!file.exists());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn what_is_stored_is_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = start(&config(), &folder).await;
    for step in &FIRST_EXCHANGE[..3] {
        ask(http(&first), &first.admin_key().key, *step).await;
    }
    first.stop().await;
    let second = start(&config(), &folder).await;
    let history = ask(http(&second), &second.admin_key().key, FIRST_EXCHANGE[3]).await;
    assert!(history.contains("hello"), "{history}");
    second.stop().await;
}

#[tokio::test]
async fn switched_off_listeners_are_not_bound() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config();
    let dialects = &mut config.dialects;
    for switch in [
        &mut dialects.wukong,
        &mut dialects.stomp,
        &mut dialects.mqtt,
        &mut dialects.gyyx,
        &mut dialects.wg,
    ] {
        switch.enabled = false;
    }
    let server = start(&config, &folder).await;
    assert_eq!(
        server.bound().to_json(),
        format!("{{\"http\":\"{}\"}}\n", http(&server))
    );
    for path in ["/wk", "/ws/im", "/ws", "/websocket", "/mqtt", "/"] {
        let answer = get(http(&server), path).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    server.stop().await;
    config.listen.http = Listener::Off;
    let server = start(&config, &folder).await;
    assert_eq!(server.bound().to_json(), "{}\n");
    server.stop().await;
}

#[tokio::test]
async fn it_says_how_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(&config(), &folder).await;
    for (path, tells) in [
        ("/healthz", "{\"status\":\"ok\"}"),
        ("/readyz", "{\"status\":\"ready\"}"),
        ("/openapi.json", "\"/v1/messages\""),
        ("/metrics", "crosstalk_store_commits_total"),
        ("/metrics", "crosstalk_users_online 0"),
        ("/metrics", "crosstalk_connections_accepted_total 0"),
    ] {
        let answer = get(http(&server), path).await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains(tells),
            "{path}\n{answer}"
        );
    }
    let unready = server.readiness();
    unready.stop();
    let answer = get(http(&server), "/readyz").await;
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("shutting down"),
        "{answer}"
    );
    server.stop().await;
}

#[tokio::test]
async fn web_sockets_are_handed_to_the_gateway_and_ended_at_shutdown() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(&config(), &folder).await;
    let mut stream = TcpStream::connect(http(&server))
        .await
        .expect("a connection");
    let request = "GET /wk HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.expect("an answer");
    assert_eq!(&head, b"HTTP/1.1 101");
    let (stopped, rest) = tokio::join!(server.stop(), async {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.map(|_| rest)
    });
    let () = stopped;
    let rest = rest.expect("closed in order");
    assert!(String::from_utf8_lossy(&rest).contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

#[tokio::test]
async fn a_taken_port_names_its_setting_and_leaves_the_folder_free() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = tempfile::tempdir().expect("a folder");
    let server = start(&config(), &folder).await;
    let mut config = config();
    config.listen.http = Listener::At(http(&server));
    let Err(error) = Server::start(&config, take(&other), None).await else {
        panic!("two servers on one port")
    };
    let text = format!("{error:#}");
    assert!(
        text.contains("set listen.http to another address"),
        "{text}"
    );
    drop(take(&other));
    server.stop().await;
}

#[tokio::test]
async fn a_short_admin_key_is_for_loopback_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config();
    let server = Server::start(&config, take(&folder), Some("short"))
        .await
        .expect("a server");
    assert_eq!(&*server.admin_key().key, "short");
    server.stop().await;
    config.listen.http = "0.0.0.0:0".parse().expect("a listener");
    let Err(error) = Server::start(&config, take(&folder), Some("short")).await else {
        panic!("a short key in the open")
    };
    assert!(error.is::<Problems>(), "{error:#}");
    assert!(
        error
            .to_string()
            .starts_with("CROSSTALK_ADMIN_KEY: has fewer"),
        "{error:#}"
    );
}

#[tokio::test]
async fn a_store_without_its_key_is_not_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    start(&config(), &folder).await.stop().await;
    assert!(folder.path().join(STORE_FILE).exists());
    std::fs::remove_file(folder.path().join(SERVER_KEY_FILE)).expect("a file");
    let Err(error) = Server::start(&config(), take(&folder), None).await else {
        panic!("a server without its key")
    };
    assert!(
        error.to_string().contains("server.key is missing"),
        "{error:#}"
    );
    assert!(!folder.path().join(SERVER_KEY_FILE).exists());
}
