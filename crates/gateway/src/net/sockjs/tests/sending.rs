//! What the transports carry, both ways.

use crosstalk_wire::sockjs::Framing;

use super::super::session::{Session, SessionTransport};
use super::*;

#[tokio::test(start_paused = true)]
async fn polling_takes_one_frame_each_time() {
    let bed = Bed::new();
    let first = bed.answer("POST /000/s/xhr\norigin: test", "").await;
    assert_eq!((first.status, &*first.body), (200, "o\n"));
    assert_eq!(
        first.header("content-type"),
        "application/javascript;charset=UTF-8"
    );
    assert_eq!(first.header("access-control-allow-origin"), "test");
    assert!(first.header("cache-control").starts_with("no-store"));
    let sent = bed.answer("POST /000/s/xhr_send", r#"["x;","y;"]"#).await;
    assert_eq!((sent.status, &*sent.body), (204, ""));
    assert_eq!(sent.header("content-type"), "text/plain;charset=UTF-8");
    // By another server's number it is the same session.
    assert_eq!(bed.text("POST /999/s/xhr").await, "a[\"x\",\"y\"]\n");
    assert_eq!(bed.send("unknown", r#"["x;"]"#).await, 404);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_array_is_refused_and_changes_nothing() {
    let bed = Bed::new();
    bed.text("POST /0/s/xhr").await;
    let cases = [
        ("[\"x", "Broken JSON encoding."),
        ("[1]", "Broken JSON encoding."),
        ("", "Payload expected."),
    ];
    for (body, why) in cases {
        let answer = bed.answer("POST /0/s/xhr_send", body).await;
        assert_eq!((answer.status, &*answer.body), (500, why));
    }
    let large = format!("[\"{}\"]", "x".repeat(1 << 20));
    assert_eq!(bed.send("s", &large).await, 413);
    for body in ["[]", r#"["a"]"#, r#"["b","c"]"#, r#"[";"]"#] {
        let line = "POST /0/s/xhr_send\ncontent-type: T";
        assert_eq!(bed.answer(line, body).await.status, 204);
    }
    assert_eq!(bed.text("POST /0/s/xhr").await, "a[\"abc\"]\n");
}

#[tokio::test(start_paused = true)]
async fn streams_go_on_frame_by_frame() {
    let bed = Bed::new();
    let mut body = stream(&bed, "s").await;
    for word in ["x", "y"] {
        assert_eq!(bed.send("s", &format!("[\"{word};\"]")).await, 204);
        assert_eq!(piece(&mut body).await, Some(format!("a[\"{word}\"]\n")));
    }
    let line = "POST /0/s/xhr_streaming";
    let mut second = bed.ask(line, "").await.into_body();
    assert!(
        piece(&mut second)
            .await
            .is_some_and(|prelude| prelude.starts_with('h'))
    );
    let busy = "c[2010,\"Another connection still open\"]\n";
    assert_eq!(piece(&mut second).await.as_deref(), Some(busy));
    assert_eq!(piece(&mut second).await, None);
    drop(second);
    assert_eq!(bed.text("POST /0/s/xhr").await, busy);
    assert_eq!(bed.send("s", r#"["z;"]"#).await, 204);
    assert_eq!(
        piece(&mut body).await.as_deref(),
        Some("a[\"z\"]\n"),
        "the first stays"
    );
}

#[tokio::test(start_paused = true)]
async fn events_scripts_and_callbacks_carry_the_same() {
    let bed = Bed::new();
    let cases = [
        (
            "eventsource",
            "text/event-stream",
            "data: o\r\n\r\n",
            "data: a[\"  \\u0000\\n\\r \"]\r\n\r\n",
        ),
        (
            "htmlfile?c=%63allback",
            "text/html;charset=UTF-8",
            "<script>\np(\"o\");\n</script>\r\n",
            "<script>\np(\"a[\\\"  \\\\u0000\\\\n\\\\r \\\"]\");\n</script>\r\n",
        ),
    ];
    for (transport, content_type, open, message) in cases {
        let line = format!("GET /0/{}/{transport}", content_type.len());
        let response = bed.ask(&line, "").await;
        assert_eq!(response.headers()["content-type"], content_type);
        let mut body = response.into_body();
        let prelude = piece(&mut body).await.expect("a prelude");
        assert!(prelude == "\r\n" || prelude.len() > 1024);
        assert_eq!(piece(&mut body).await.as_deref(), Some(open));
        let session = content_type.len().to_string();
        assert_eq!(bed.send(&session, r#"["  \u0000\n\r ;"]"#).await, 204);
        assert_eq!(piece(&mut body).await.as_deref(), Some(message));
    }
    let poll = "GET /0/j/jsonp?c=%63allback";
    assert_eq!(bed.text(poll).await, "/**/callback(\"o\");\r\n");
    let send = "POST /0/j/jsonp_send\ncontent-type: application/x-www-form-urlencoded";
    let sent = bed.answer(send, "d=%5B%22x%3B%22%5D").await;
    assert_eq!((sent.status, &*sent.body), (200, "ok"));
    assert_eq!(sent.header("content-type"), "text/plain;charset=UTF-8");
    assert_eq!(bed.text(poll).await, "/**/callback(\"a[\\\"x\\\"]\");\r\n");
    for (body, why) in [
        ("d=%5B%22x", "Broken JSON encoding."),
        ("p=p", "Payload expected."),
    ] {
        let answer = bed.answer(send, body).await;
        assert_eq!((answer.status, &*answer.body), (500, why));
    }
    let plain = "POST /0/j/jsonp_send\ncontent-type: text/plain";
    assert_eq!(bed.answer(plain, "[\"%61bc;\"]").await.body, "ok");
    assert_eq!(
        bed.text(poll).await,
        "/**/callback(\"a[\\\"%61bc\\\"]\");\r\n"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_after_128_kib_and_the_next_goes_on() {
    let bed = Bed::new();
    let mut body = stream(&bed, "s").await;
    assert_eq!(bed.send("s", r#"["number;"]"#).await, 204);
    let mut heard = Vec::new();
    let mut bytes = "o\n".len();
    let mut streams = 1;
    while heard.len() < 100 {
        match piece(&mut body).await {
            Some(text) => {
                bytes += text.len();
                let json = text.strip_prefix('a').expect("messages");
                heard.extend(serde_json::from_str::<Vec<String>>(json).expect("JSON"));
            }
            None => {
                assert!(bytes >= 128 * 1024, "{bytes}");
                assert!(bytes < 3 * 128 * 1024, "{bytes}");
                bytes = 0;
                streams += 1;
                body = bed.ask("POST /0/s/xhr_streaming", "").await.into_body();
                piece(&mut body).await.expect("a prelude");
            }
        }
    }
    assert!(streams >= 3, "{streams}");
    let numbers: Vec<usize> = heard.iter().map(|it| it.parse().expect("one")).collect();
    let expected: Vec<usize> = (0..numbers.len()).collect();
    assert_eq!(numbers, expected, "in order, without a gap");
}

/// Time stands still until nobody has anything to do.
#[tokio::test(start_paused = true)]
async fn who_is_not_read_any_more_waits_and_loses_nothing() {
    let bed = Bed::new();
    let _body = stream(&bed, "s").await;
    let begin = Instant::now();
    // From now on the service writes, which nobody takes, and reads no more.
    assert_eq!(bed.send("s", r#"["number;"]"#).await, 204);
    // wait: the stopped clock goes on
    tokio::time::sleep(Duration::from_millis(1)).await;
    let half = format!("[\"{}\"]", "x".repeat(700_000));
    assert_eq!(bed.send("s", &half).await, 204, "there is room for it");
    let waiting = bed.clone();
    let second = tokio::spawn(async move { waiting.send("s", &half).await });
    // After the driver's time the session ends, and with it the wait.
    assert_eq!(second.await.expect("no panic"), 404);
    assert_eq!(begin.elapsed().as_secs(), 30);
}

/// The next answer to a poll of a session.
async fn poll(session: &Arc<Session>) -> String {
    let id = session.attach().expect("nobody else receives");
    let mut body = SockJsBody::received(Arc::clone(session), id, Framing::Xhr);
    let frame = piece(&mut body).await.expect("a frame");
    assert_eq!(piece(&mut body).await, None, "one frame each time");
    frame
}

/// The dialects take what was sent for received: what nobody has asked for must not be.
#[tokio::test(start_paused = true)]
async fn what_is_said_was_sent_when_it_was_taken() {
    let session = Arc::new(Session::new(clock()));
    let mut transport = SessionTransport(Arc::clone(&session));
    assert_eq!(poll(&session).await, "o\n");
    let mut out = Out::default();
    put(&mut out, b"x");
    put(&mut out, b"y");
    {
        let mut sending = std::pin::pin!(transport.send(&out));
        assert!(futures_util::poll!(sending.as_mut()).is_pending());
        assert_eq!(poll(&session).await, "a[\"x\",\"y\"]\n");
        sending.await.expect("it was taken");
    }
    let mut sending = std::pin::pin!(transport.send(&out));
    assert!(futures_util::poll!(sending.as_mut()).is_pending());
    let id = session.attach().expect("nobody else receives");
    session.detach(id, false);
    let failed = sending.await.expect_err("nobody has taken it");
    assert_eq!(failed.kind(), std::io::ErrorKind::BrokenPipe);
}
