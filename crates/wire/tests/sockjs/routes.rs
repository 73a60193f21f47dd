//! Paths, methods, and the answers that do not belong to a session.

use crosstalk_wire::sockjs::{
    AllowOrigin, Callback, CallbackError, GREETING, HTML, IframePage, Info, JAVASCRIPT, NOT_CACHED,
    Route, SessionPath, TEXT, Transport, allow_origin,
};

#[test]
fn the_paths_of_the_suite() {
    let session = |server, session, transport| {
        Some(Route::Session(SessionPath {
            server,
            session,
            transport,
        }))
    };
    let cases = [
        ("", Some(Route::Greeting)),
        ("/", Some(Route::Greeting)),
        ("/info", Some(Route::Info)),
        ("/websocket", Some(Route::RawWebSocket)),
        ("/iframe.html", Some(Route::Iframe)),
        ("/iframe-a.html", Some(Route::Iframe)),
        ("/iframe-.html", Some(Route::Iframe)),
        ("/iframe-0.1.2.html", Some(Route::Iframe)),
        ("/iframe-0.1.2abc-dirty.2144.html", Some(Route::Iframe)),
        ("/a/b/xhr", session("a", "b", Transport::Xhr)),
        ("/_/_/xhr_send", session("_", "_", Transport::XhrSend)),
        ("/1/1/websocket", session("1", "1", Transport::WebSocket)),
        (
            "/abcdefgh_i-j%20/abcdefg_i-j%20/xhr_streaming",
            session("abcdefgh_i-j%20", "abcdefg_i-j%20", Transport::XhrStreaming),
        ),
        // Not found.
        ("/a", None),
        ("/a.html", None),
        ("//", None),
        ("///", None),
        ("/a/a", None),
        ("/a/a/", None),
        ("/a/", None),
        ("///xhr", None),
        ("/a//xhr", None),
        ("//a/xhr", None),
        ("/a./a/xhr", None),
        ("/a/a./xhr", None),
        ("/./././xhr", None),
        ("/././xhr", None),
        ("/a/xhr", None),
        ("/a/a/xhr/", None),
        ("/a/a/a/xhr", None),
        ("/a/a/XHR", None),
        ("/a/a/nope", None),
        ("/iframe.htm", None),
        ("/iframe", None),
        ("/IFRAME.HTML", None),
        ("/IFRAME", None),
        ("/iframe.HTML", None),
        ("/iframe.xml", None),
        ("/iframe-/.html", None),
        ("info", None),
        ("/info/", None),
    ];
    for (path, route) in cases {
        assert_eq!(Route::parse(path), route, "{path}");
    }
}

#[test]
fn ids_are_bounded() {
    let path = |bytes: usize| format!("/000/{}/xhr", "x".repeat(bytes));
    assert!(Route::parse(&path(128)).is_some());
    assert!(Route::parse(&path(129)).is_none());
}

#[test]
fn every_transport_has_its_path_and_method() {
    use Transport as T;
    let cases = [
        (T::WebSocket, "GET", "GET", None),
        (T::Xhr, "POST", "OPTIONS, POST", Some(JAVASCRIPT)),
        (T::XhrSend, "POST", "OPTIONS, POST", Some(TEXT)),
        (T::XhrStreaming, "POST", "OPTIONS, POST", Some(JAVASCRIPT)),
        (T::EventSource, "GET", "GET", Some("text/event-stream")),
        (T::HtmlFile, "GET", "GET", Some(HTML)),
        (T::Jsonp, "GET", "GET", Some(JAVASCRIPT)),
        (T::JsonpSend, "POST", "POST", Some(TEXT)),
    ];
    assert_eq!(cases.map(|it| it.0), T::ALL);
    for (transport, method, allow, content_type) in cases {
        let path = format!("/000/abc/{}", transport.as_str());
        let Some(Route::Session(session)) = Route::parse(&path) else {
            panic!("{path}");
        };
        assert_eq!(session.transport, transport);
        assert_eq!(transport.method(), method);
        assert_eq!(transport.allow(), allow);
        assert_eq!(transport.has_options(), allow.contains("OPTIONS"));
        assert_eq!(transport.content_type(), content_type);
        assert_eq!(transport.is_send(), path.ends_with("_send"));
    }
    assert_eq!(T::XhrSend.sent(), (204, ""));
    assert_eq!(T::JsonpSend.sent(), (200, "ok"));
}

#[test]
fn the_info_answer() {
    assert_eq!(
        Info::new(u32::MAX).to_json(),
        r#"{"websocket":true,"origins":["*:*"],"cookie_needed":false,"entropy":4294967295}"#
    );
    let mut elsewhere = Info::new(0);
    elsewhere.websocket = false;
    elsewhere.cookie_needed = true;
    elsewhere.base_url = Some("https://b/ws/im");
    assert_eq!(
        elsewhere.to_json(),
        r#"{"websocket":false,"origins":["*:*"],"cookie_needed":true,"entropy":0,"base_url":"https://b/ws/im"}"#
    );
}

/// The suite compares the page with this text.
#[test]
fn the_iframe_page() {
    let page = IframePage::new("/sockjs.js");
    assert_eq!(
        page.html(),
        r#"<!DOCTYPE html>
<html>
<head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
  <script src="/sockjs.js"></script>
  <script>
    document.domain = document.domain;
    SockJS.bootstrap_iframe();
  </script>
</head>
<body>
  <h2>Don't panic!</h2>
  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>
</body>
</html>"#
    );
    assert_eq!(page, IframePage::new("/sockjs.js"));
    assert_ne!(page.etag(), IframePage::new("/other.js").etag());
    assert!(page.etag().len() == 18 && page.etag().starts_with('"'));
    let odd = IframePage::new("/a\"><script>b&c");
    assert!(odd.html().contains(r#"src="/a&quot;>&lt;script>b&amp;c""#));
}

#[test]
fn what_http_answers_have_in_common() {
    assert_eq!(GREETING.len(), 19);
    assert_eq!(
        NOT_CACHED,
        "no-store, no-cache, no-transform, must-revalidate, max-age=0"
    );
    let allow = |origin, credentials| AllowOrigin {
        origin,
        credentials,
    };
    assert_eq!(allow_origin(None), allow("*", false));
    assert_eq!(allow_origin(Some("null")), allow("null", true));
    assert_eq!(allow_origin(Some("https://a")), allow("https://a", true));
}

#[test]
fn callbacks_are_names() {
    let name = |query: &str| Callback::from_query(query).map(|it| it.as_str().to_owned());
    let (missing, invalid) = (Err(CallbackError::Missing), Err(CallbackError::Invalid));
    let cases = [
        ("c=%63allback", Ok("callback")),
        ("t=1&c=_jp.a-b_1", Ok("_jp.a-b_1")),
        ("callback=x", Ok("x")),
        ("c=x&callback=y", Ok("x")),
        ("callback=y&c=x", Ok("x")),
        ("", missing),
        ("c", missing),
        ("c=", missing),
        ("d=x", missing),
        ("c=%20", invalid),
        ("c=*", invalid),
        ("c=abc(", invalid),
        ("c=abc%28", invalid),
        ("c=a+b", invalid),
        ("c=%zz", invalid),
        ("c=%e4%b8%ad", invalid),
        ("c=%ff", invalid),
        ("c=</script>", invalid),
        ("c=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", invalid),
    ];
    for (query, callback) in cases {
        assert_eq!(name(query), callback.map(str::to_owned), "{query}");
    }
    assert_eq!(
        CallbackError::Missing.to_string(),
        "\"callback\" parameter required"
    );
    assert_eq!(
        CallbackError::Invalid.to_string(),
        "invalid \"callback\" parameter"
    );
}
