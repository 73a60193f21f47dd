//! Paths, methods and headers.

use super::*;

#[tokio::test(start_paused = true)]
async fn the_greeting_and_what_is_not_there() {
    let bed = Bed::new();
    for line in ["GET /", "HEAD /"] {
        let greeting = bed.answer(line, "").await;
        assert_eq!(
            (greeting.status, &*greeting.body),
            (200, "Welcome to SockJS!\n")
        );
        assert_eq!(greeting.header("content-type"), "text/plain;charset=UTF-8");
        assert_eq!(greeting.header("set-cookie"), "");
    }
    let nowhere = [
        "/a",
        "/a.html",
        "//",
        "///",
        "/a/a",
        "/a/a/",
        "/a/",
        "///xhr",
        "/a./a/xhr",
        "/a/a./xhr",
        "/a/a/xhr/",
        "/iframe.htm",
        "/iframe",
        "/IFRAME.HTML",
        "/iframe-/.html",
    ];
    for path in nowhere {
        for method in ["GET", "POST"] {
            let line = format!("{method} {path}");
            assert_eq!(bed.answer(&line, "").await.status, 404, "{line}");
        }
    }
    assert_eq!(bed.endpoint.sessions().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn info_says_what_there_is() {
    let bed = Bed::new();
    let info = bed.answer("GET /info?t=1\norigin: http://a", "").await;
    let first: serde_json::Value = serde_json::from_str(&info.body).expect("JSON");
    assert_eq!(first["websocket"], true);
    assert_eq!(first["cookie_needed"], false);
    assert_eq!(first["origins"], serde_json::json!(["*:*"]));
    assert_eq!(
        info.header("content-type"),
        "application/json;charset=UTF-8"
    );
    assert_eq!(
        info.header("cache-control"),
        "no-store, no-cache, no-transform, must-revalidate, max-age=0"
    );
    assert_eq!(info.header("expires"), "");
    assert_eq!(info.header("access-control-allow-origin"), "http://a");
    assert_eq!(info.header("access-control-allow-credentials"), "true");
    let second = bed.answer("GET /info", "").await;
    assert_eq!(second.header("access-control-allow-origin"), "*");
    assert_eq!(second.header("access-control-allow-credentials"), "");
    let second: serde_json::Value = serde_json::from_str(&second.body).expect("JSON");
    assert_ne!(first["entropy"], second["entropy"]);
}

#[tokio::test(start_paused = true)]
async fn browsers_may_ask_first_and_remember_for_a_year() {
    let bed = Bed::new();
    let cases = [
        ("/info", "OPTIONS, GET"),
        ("/abc/abc/xhr", "OPTIONS, POST"),
        ("/abc/abc/xhr_send", "OPTIONS, POST"),
        ("/abc/abc/xhr_streaming", "OPTIONS, POST"),
    ];
    for (path, methods) in cases {
        for origin in ["test", "null"] {
            let line = format!(
                "OPTIONS {path}\norigin: {origin}\naccess-control-request-headers: a, b, c"
            );
            let answer = bed.answer(&line, "").await;
            assert_eq!((answer.status, &*answer.body), (204, ""));
            assert_eq!(answer.header("cache-control"), "public, max-age=31536000");
            assert_eq!(answer.header("expires"), "Thu, 14 Oct 2027 17:46:40 GMT");
            assert_eq!(answer.header("access-control-max-age"), "31536000");
            assert_eq!(answer.header("access-control-allow-methods"), methods);
            assert_eq!(answer.header("access-control-allow-headers"), "a, b, c");
            assert_eq!(answer.header("access-control-allow-origin"), origin);
            assert_eq!(answer.header("access-control-allow-credentials"), "true");
        }
        for wanted in ["", "\naccess-control-request-headers:"] {
            let answer = bed.answer(&format!("OPTIONS {path}{wanted}"), "").await;
            assert!(!answer.headers.contains_key("access-control-allow-headers"));
        }
    }
    assert_eq!(bed.endpoint.sessions().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_iframe_page_is_kept_and_only_for_all() {
    let mut bed = Bed::new();
    for path in ["/iframe.html", "/iframe-0.1.2abc-dirty.2144.html?t=1"] {
        let page = bed.answer(&format!("GET {path}"), "").await;
        assert_eq!(page.status, 200);
        assert!(page.body.starts_with("<!DOCTYPE html>"), "{}", page.body);
        assert_eq!(page.header("content-type"), "text/html;charset=UTF-8");
        assert_eq!(page.header("cache-control"), "public, max-age=31536000");
        assert!(page.headers.contains_key("expires"));
        let etag = page.header("etag");
        let line = format!("GET {path}\nif-none-match: {etag}");
        let again = bed.answer(&line, "").await;
        assert_eq!((again.status, &*again.body), (304, ""));
        assert_eq!(again.header("content-type"), "");
        assert_eq!(again.header("etag"), etag);
    }
    bed.is_for_all = false;
    for line in [
        "GET /iframe.html",
        "GET /0/0/jsonp?c=x",
        "POST /0/0/jsonp_send",
    ] {
        assert_eq!(bed.answer(line, "").await.status, 404, "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_methods_are_told_the_right_ones() {
    let bed = Bed::new();
    let cases = [
        ("POST /", "GET"),
        ("POST /info", "OPTIONS, GET"),
        ("POST /iframe.html", "GET"),
        ("POST /websocket", "GET"),
        ("POST /0/0/websocket", "GET"),
        ("GET /0/0/xhr", "OPTIONS, POST"),
        ("GET /0/0/xhr_send", "OPTIONS, POST"),
        ("PUT /0/0/xhr_streaming", "OPTIONS, POST"),
        ("POST /0/0/eventsource", "GET"),
        ("OPTIONS /0/0/eventsource", "GET"),
        ("POST /0/0/jsonp?c=x", "GET"),
        ("GET /0/0/jsonp_send", "POST"),
    ];
    for (line, allow) in cases {
        let answer = bed.answer(line, "").await;
        assert_eq!((answer.status, &*answer.body), (405, ""), "{line}");
        assert_eq!(answer.header("allow"), allow, "{line}");
        assert_eq!(answer.header("content-type"), "");
    }
}

#[tokio::test(start_paused = true)]
async fn websockets_are_told_apart() {
    let bed = Bed::new();
    let asks = "\nupgrade: WebSocket\nconnection: keep-alive, Upgrade";
    for (path, kind) in [
        ("/", "raw"),
        ("/websocket", "raw"),
        ("/0/0/websocket", "framed"),
    ] {
        let answer = bed.answer(&format!("GET {path}{asks}"), "").await;
        assert_eq!((answer.status, &*answer.body), (101, kind), "{path}");
    }
    for path in ["/websocket", "/0/0/websocket"] {
        let answer = bed.answer(&format!("GET {path}"), "").await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.body, "Can \"Upgrade\" only to \"WebSocket\".");
        let line = format!("GET {path}\nupgrade: websocket\nconnection: close");
        let answer = bed.answer(&line, "").await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.body, "\"Connection\" must be \"Upgrade\".");
    }
}

#[tokio::test(start_paused = true)]
async fn callbacks_are_names_only() {
    let bed = Bed::new();
    for transport in ["htmlfile", "jsonp"] {
        let answer = bed.answer(&format!("GET /0/0/{transport}"), "").await;
        assert_eq!(answer.status, 500);
        assert_eq!(answer.body, "\"callback\" parameter required");
        for callback in ["%20", "*", "abc(", "abc%28"] {
            let line = format!("GET /0/0/{transport}?c={callback}");
            let answer = bed.answer(&line, "").await;
            assert_eq!(
                (answer.status, &*answer.body),
                (500, "invalid \"callback\" parameter")
            );
        }
    }
    assert_eq!(bed.endpoint.sessions().count(), 0, "none has begun");
}

#[tokio::test(start_paused = true)]
async fn connections_beyond_the_limit_are_refused() {
    let bed = Bed::with_limit(1);
    assert_eq!(bed.text("POST /0/one/xhr").await, "o\n");
    assert_eq!(bed.answer("POST /0/two/xhr", "").await.status, 503);
    assert_eq!(bed.send("one", r#"["a;"]"#).await, 204);
    assert_eq!(
        bed.text("POST /0/one/xhr").await,
        "a[\"a\"]\n",
        "it goes on"
    );
    assert_eq!(bed.counters.read().connections, 1);
}
