//! Frames to the client, in each transport.

use bytes::BytesMut;
use crosstalk_wire::sockjs::{
    BadFrame, Callback, Frame, Framing, Received, STREAM_BYTES, Transport,
};
use proptest::prelude::*;

fn callback() -> Callback {
    Callback::from_query("c=callback").expect("a name")
}

fn all() -> [Framing; 6] {
    [
        Framing::WebSocket,
        Framing::Xhr,
        Framing::XhrStreaming,
        Framing::EventSource,
        Framing::HtmlFile(callback()),
        Framing::Jsonp(callback()),
    ]
}

fn write(framing: &Framing, frame: &Frame<'_>) -> String {
    let mut out = BytesMut::from(&b"before"[..]);
    framing.write(frame, &mut out);
    let text = std::str::from_utf8(&out).expect("frames are text");
    text.strip_prefix("before").expect("it appends").to_owned()
}

fn prelude(framing: &Framing) -> String {
    let mut out = BytesMut::new();
    framing.prelude(&mut out);
    String::from_utf8(out.to_vec()).expect("preludes are text")
}

#[test]
fn each_frame() {
    let close = Frame::Close {
        code: 3000,
        reason: "Go away!",
    };
    let cases = [
        (Frame::Open, "o"),
        (Frame::HeartBeat, "h"),
        (Frame::Messages(&[]), "a[]"),
        (Frame::Messages(&["x"]), r#"a["x"]"#),
        (Frame::Messages(&["\n", "b\0"]), r#"a["\n","b\u0000"]"#),
        (close, r#"c[3000,"Go away!"]"#),
        (
            Frame::ANOTHER_CONNECTION,
            r#"c[2010,"Another connection still open"]"#,
        ),
        (Frame::INTERRUPTED, r#"c[1002,"Connection interrupted"]"#),
    ];
    for (frame, text) in cases {
        assert_eq!(write(&Framing::WebSocket, &frame), text);
    }
}

/// The strings that the suite compares.
#[test]
fn each_transport() {
    let message = Frame::Messages(&["x"]);
    let cases = [
        ["o", r#"a["x"]"#],
        ["o\n", "a[\"x\"]\n"],
        ["o\n", "a[\"x\"]\n"],
        ["data: o\r\n\r\n", "data: a[\"x\"]\r\n\r\n"],
        [
            "<script>\np(\"o\");\n</script>\r\n",
            "<script>\np(\"a[\\\"x\\\"]\");\n</script>\r\n",
        ],
        [
            "/**/callback(\"o\");\r\n",
            "/**/callback(\"a[\\\"x\\\"]\");\r\n",
        ],
    ];
    for (framing, [open, one]) in all().iter().zip(cases) {
        assert_eq!(write(framing, &Frame::Open), open);
        assert_eq!(write(framing, &message), one);
    }
    let close = Frame::Close {
        code: 3000,
        reason: "Go away!",
    };
    assert_eq!(
        write(&Framing::Jsonp(callback()), &close),
        "/**/callback(\"c[3000,\\\"Go away!\\\"]\");\r\n"
    );
    let special = Frame::Messages(&["  \0\n\r "]);
    assert_eq!(
        write(&Framing::EventSource, &special),
        "data: a[\"  \\u0000\\n\\r \"]\r\n\r\n"
    );
    // No message may end the script that it is in.
    let script = write(
        &Framing::HtmlFile(callback()),
        &Frame::Messages(&["</script>"]),
    );
    assert_eq!(script.matches("</script>").count(), 1);
}

/// The suite's string of all that a server must escape, compared as text.
#[test]
fn the_characters_of_the_suite() {
    let must = [
        0x200c..=0x200f,
        0x2028..=0x202f,
        0x2060..=0x206f,
        0xfff0..=0xffff,
    ];
    let codes: Vec<u32> = must.into_iter().flatten().collect();
    let text: String = codes.iter().filter_map(|it| char::from_u32(*it)).collect();
    let escaped: String = codes.iter().map(|it| format!("\\u{it:04x}")).collect();
    assert_eq!(text.chars().count(), codes.len());
    assert_eq!(
        write(&Framing::Xhr, &Frame::Messages(&[&text])),
        format!("a[\"{escaped}\"]\n")
    );
}

#[test]
fn preludes() {
    assert_eq!(prelude(&Framing::WebSocket), "");
    assert_eq!(prelude(&Framing::Xhr), "");
    assert_eq!(prelude(&Framing::Jsonp(callback())), "");
    let h = "h".repeat(2048);
    assert_eq!(prelude(&Framing::XhrStreaming), format!("{h}\n"));
    assert_eq!(prelude(&Framing::EventSource), "\r\n");
    let page = prelude(&Framing::HtmlFile(callback()));
    assert_eq!(
        page.trim(),
        r#"<!doctype html>
<html><head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
</head><body><h2>Don't panic!</h2>
  <script>
    document.domain = document.domain;
    var c = parent.callback;
    c.start();
    function p(d) {c.message(d);};
    window.onload = function() {c.stop();};
  </script>"#
    );
    assert!(page.len() > 1024);
    // It is padded wherever it is written to.
    let mut out = BytesMut::from(&[b'x'; 2000][..]);
    Framing::HtmlFile(callback()).prelude(&mut out);
    assert_eq!(&out[2000..], page.as_bytes());
}

#[test]
fn responses_end_when_they_have_carried_enough() {
    for framing in all() {
        let mut budget = framing.budget(4096);
        let is_one = matches!(framing.transport(), Transport::Xhr | Transport::Jsonp);
        assert_eq!(budget.spend(2), is_one, "{framing:?}");
        if is_one {
            continue;
        }
        // As the suite does: 31 messages of 134 bytes after the open frame.
        for message in 1..=31 {
            let ends = message == 31 && framing != Framing::WebSocket;
            assert_eq!(budget.spend(134), ends, "{framing:?} {message}");
        }
    }
    let mut budget = Framing::EventSource.budget(STREAM_BYTES);
    assert!(!budget.spend(128 * 1024 - 1));
    assert!(budget.spend(usize::MAX));
    let mut endless = Framing::WebSocket.budget(1);
    assert!(!endless.spend(usize::MAX) && !endless.spend(usize::MAX));
}

#[test]
fn clients_read_frames() {
    let close = Received::Close {
        code: 3000,
        reason: "Go away!".into(),
    };
    let cases = [
        ("o", Ok(Received::Open)),
        ("h", Ok(Received::HeartBeat)),
        (
            r#"a["x",""]"#,
            Ok(Received::Messages(vec!["x".into(), String::new()])),
        ),
        ("a[]", Ok(Received::Messages(vec![]))),
        (r#"m"x""#, Ok(Received::Messages(vec!["x".into()]))),
        (r#"c[3000,"Go away!"]"#, Ok(close)),
        ("", Err(BadFrame)),
        ("x", Err(BadFrame)),
        ("oo", Err(BadFrame)),
        ("h[]", Err(BadFrame)),
        ("a[1]", Err(BadFrame)),
        ("a", Err(BadFrame)),
        ("c[1]", Err(BadFrame)),
        (r#"c[70000,"x"]"#, Err(BadFrame)),
        ("中", Err(BadFrame)),
    ];
    for (text, frame) in cases {
        assert_eq!(Received::parse(text), frame, "{text}");
    }
}

proptest! {
    /// Whatever the messages are, the client reads them and no transport is
    /// broken by them.
    #[test]
    fn any_messages_come_through(texts in proptest::collection::vec(any::<String>(), 0..5)) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let frame = Frame::Messages(&texts);
        let plain = write(&Framing::WebSocket, &frame);
        let expected = texts.iter().map(|it| (*it).to_owned()).collect();
        prop_assert_eq!(Received::parse(&plain), Ok(Received::Messages(expected)));
        prop_assert!(!plain.contains(|c: char| c < ' '));

        let event = write(&Framing::EventSource, &frame);
        prop_assert_eq!(event, format!("data: {plain}\r\n\r\n"));
        let script = write(&Framing::Jsonp(callback()), &frame);
        let json = script
            .strip_prefix("/**/callback(")
            .and_then(|it| it.strip_suffix(");\r\n"))
            .expect("it calls");
        prop_assert_eq!(serde_json::from_str::<String>(json).ok(), Some(plain));
        prop_assert!(!json.contains('<'));
    }
}
