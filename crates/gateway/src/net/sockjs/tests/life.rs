//! How sessions end.

use ::http::Method;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::sleep;

use super::*;

const INTERRUPTED: &str = "c[1002,\"Connection interrupted\"]\n";

/// The server has nothing left of any session.
fn is_empty(bed: &Bed) -> bool {
    let left = [
        bed.endpoint.sessions().count(),
        bed.counters.read().connections,
    ];
    left == [0, 0] && bed.tasks.is_empty()
}

#[tokio::test(start_paused = true)]
async fn the_server_s_close_is_told_until_the_session_is_forgotten() {
    let bed = Bed::new();
    let mut body = stream(&bed, "s").await;
    assert_eq!(bed.send("s", r#"["a;close;"]"#).await, 204);
    assert_eq!(piece(&mut body).await.as_deref(), Some("a[\"a\"]\n"));
    let goodbye = "c[3000,\"Closed\"]\n";
    // wait: the clock goes on once the service has closed
    sleep(Duration::from_millis(1)).await;
    // That request is still there, but another is not told that it is.
    assert_eq!(bed.text("POST /0/s/xhr").await, goodbye);
    assert_eq!(piece(&mut body).await.as_deref(), Some(goodbye));
    assert_eq!(piece(&mut body).await, None);
    assert_eq!(bed.text("POST /0/s/xhr").await, goodbye);
    assert_eq!(bed.send("s", r#"["a;"]"#).await, 404);
    assert!(!is_empty(&bed), "it is remembered");
    // wait: the stopped clock goes on
    sleep(Duration::from_millis(5_001)).await;
    assert!(is_empty(&bed));
    assert_eq!(bed.text("POST /0/s/xhr").await, "o\n", "a new one");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_poll_for_five_seconds_is_gone() {
    let bed = Bed::new();
    assert_eq!(bed.text("POST /0/s/xhr").await, "o\n");
    // wait: the stopped clock goes on
    sleep(Duration::from_millis(4_900)).await;
    assert_eq!(
        bed.send("s", r#"["a;"]"#).await,
        204,
        "sending is no receiving"
    );
    assert_eq!(bed.text("POST /0/s/xhr").await, "a[\"a\"]\n");
    // wait: the stopped clock goes on
    sleep(Duration::from_millis(4_900)).await;
    assert_eq!(bed.endpoint.sessions().count(), 1, "since the last one");
    // wait: the stopped clock goes on
    sleep(Duration::from_millis(101)).await;
    assert!(is_empty(&bed));
    assert_eq!(bed.send("s", r#"["a;"]"#).await, 404);
    assert_eq!(bed.text("POST /0/s/xhr").await, "o\n", "a new one");
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_given_signs_of_life() {
    let bed = Bed::new();
    let mut body = stream(&bed, "s").await;
    let begin = Instant::now();
    for beat in 1..4 {
        assert_eq!(piece(&mut body).await.as_deref(), Some("h\n"));
        assert_eq!(begin.elapsed(), super::super::HEARTBEAT * beat);
    }
    assert_eq!(bed.text("POST /0/p/xhr").await, "o\n");
    assert_eq!(
        bed.text("POST /0/p/xhr").await,
        "h\n",
        "polling ends with it"
    );
    assert_eq!(bed.endpoint.sessions().count(), 2);
    // wait: the stopped clock goes on
    sleep(Duration::from_millis(5_001)).await;
    assert_eq!(
        bed.endpoint.sessions().count(),
        1,
        "the poller did not come back"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_breaks_off_ends_its_session() {
    let bed = Bed::new();
    assert_eq!(bed.text("POST /0/s/xhr").await, "o\n");
    let poll = bed.ask("POST /0/s/xhr", "").await;
    drop(poll);
    assert_eq!(bed.text("POST /0/s/xhr").await, INTERRUPTED);
    assert_eq!(bed.send("s", r#"["a;"]"#).await, 404);
    // wait: the stopped clock goes on
    sleep(Duration::from_millis(5_001)).await;
    assert!(is_empty(&bed));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_tells_who_waits_and_waits_for_nobody_else() {
    let bed = Bed::new();
    let mut waiting = stream(&bed, "waiting").await;
    assert_eq!(bed.text("POST /0/away/xhr").await, "o\n");
    assert_eq!(bed.text("POST /0/told/xhr").await, "o\n");
    for session in ["waiting", "away", "told"] {
        // As the dialects do when the server stops.
        assert_eq!(bed.send(session, r#"["close;"]"#).await, 204);
    }
    bed.stop.cancel();
    let goodbye = "c[3000,\"Closed\"]\n";
    assert_eq!(piece(&mut waiting).await.as_deref(), Some(goodbye));
    bed.tasks.close();
    let begin = Instant::now();
    timeout(PATIENCE, bed.tasks.wait()).await.expect("in time");
    assert_eq!(begin.elapsed(), Duration::ZERO, "nobody is waited for");
    assert!(is_empty(&bed));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_has_asked_for_keeps_no_server_from_stopping() {
    let bed = Bed::new();
    assert_eq!(bed.text("POST /0/s/xhr").await, "o\n");
    // The service waits for a poll.
    assert_eq!(bed.send("s", r#"["a;"]"#).await, 204);
    // wait: the stopped clock goes on
    sleep(Duration::from_millis(1)).await;
    bed.stop.cancel();
    bed.tasks.close();
    let begin = Instant::now();
    timeout(PATIENCE, bed.tasks.wait()).await.expect("in time");
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert!(is_empty(&bed));
}

#[tokio::test(start_paused = true)]
async fn cutting_off_forgets_everything() {
    let bed = Bed::new();
    let mut body = stream(&bed, "s").await;
    assert_eq!(bed.send("s", r#"["close;"]"#).await, 204);
    bed.abort.order();
    bed.tasks.close();
    timeout(PATIENCE, bed.tasks.wait()).await.expect("in time");
    assert_eq!(bed.endpoint.sessions().count(), 0);
    assert_eq!(
        piece(&mut body).await.as_deref(),
        Some("c[3000,\"Closed\"]\n")
    );
}

/// A connection over which hyper serves the endpoint.
fn connect(bed: &Bed) -> tokio::io::DuplexStream {
    let (client, server) = duplex(1 << 16);
    let bed = bed.clone();
    tokio::spawn(async move {
        let service = service_fn(|request| {
            let bed = bed.clone();
            async move { Ok::<_, std::convert::Infallible>(bed.serve(request).await) }
        });
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(server), service)
            .await;
    });
    client
}

async fn write(client: &mut tokio::io::DuplexStream, method: &Method, path: &str, body: &str) {
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
    let request = head + body;
    client.write_all(request.as_bytes()).await.expect("written");
}

/// Reads until it ends so.
async fn read_until(client: &mut tokio::io::DuplexStream, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        let read = timeout(PATIENCE, client.read_buf(&mut text)).await;
        let shown = String::from_utf8_lossy(&text);
        assert_ne!(read.expect("in time").expect("read"), 0, "{shown}");
    }
    String::from_utf8(text).expect("text")
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_up_is_noticed_while_it_is_told_nothing() {
    let bed = Bed::new();
    let mut client = connect(&bed);
    write(&mut client, &Method::POST, "/0/s/xhr_streaming", "").await;
    let head = read_until(&mut client, "\r\n2\r\no\n\r\n").await;
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    drop(client);
    let noticed = async {
        let busy = "c[2010,\"Another connection still open\"]\n";
        loop {
            let told = bed.text("POST /0/s/xhr").await;
            if told != busy {
                return told;
            }
            tokio::task::yield_now().await;
        }
    };
    let told = timeout(PATIENCE, noticed).await.expect("in time");
    assert_eq!(told, INTERRUPTED);
}

#[tokio::test(start_paused = true)]
async fn one_connection_polls_and_sends_in_turn() {
    let bed = Bed::new();
    let mut client = connect(&bed);
    write(&mut client, &Method::POST, "/0/s/xhr", "").await;
    read_until(&mut client, "2\r\no\n\r\n0\r\n\r\n").await;
    for word in ["a", "b", "c"] {
        let body = format!("[\"{word};\"]");
        write(&mut client, &Method::POST, "/0/s/xhr_send", &body).await;
        let sent = read_until(&mut client, "\r\n\r\n").await;
        assert!(sent.starts_with("HTTP/1.1 204"), "{sent}");
        write(&mut client, &Method::POST, "/0/s/xhr", "").await;
        let end = format!("a[\"{word}\"]\n\r\n0\r\n\r\n");
        read_until(&mut client, &end).await;
    }
}
