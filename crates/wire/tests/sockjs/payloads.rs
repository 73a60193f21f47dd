//! What clients send.

use crosstalk_wire::sockjs::{Messages, PayloadError};
use proptest::prelude::*;

const EXPECTED: PayloadError = PayloadError::Expected;
const BROKEN: PayloadError = PayloadError::Broken;

type Read<'a> = Result<&'a [&'a str], PayloadError>;

#[track_caller]
fn check(read: &Result<Messages, PayloadError>, expected: Read<'_>, input: &str) {
    let texts = read.as_ref().map(|it| it.iter().collect::<Vec<_>>());
    match (texts, expected) {
        (Ok(texts), Ok(expected)) => assert_eq!(texts, expected, "{input}"),
        (read, expected) => assert_eq!(read.err(), expected.err().as_ref(), "{input}"),
    }
}

#[test]
fn websocket_messages() {
    let cases: [(&str, Read<'_>); 15] = [
        ("", Ok(&[])),
        ("[]", Ok(&[])),
        (r#"["a"]"#, Ok(&["a"])),
        (r#" [ "a" , "" , "b" ] "#, Ok(&["a", "", "b"])),
        (r#""a""#, Ok(&["a"])),
        (r#"["SEND\n\nx\u0000"]"#, Ok(&["SEND\n\nx\0"])),
        (r#"["\u4e2d\ud83d\ude00中"]"#, Ok(&["中😀中"])),
        (r#"["a"#, Err(BROKEN)),
        (r#"["a",]"#, Err(BROKEN)),
        (r#"["a"]x"#, Err(BROKEN)),
        (r#"["\ud800"]"#, Err(BROKEN)),
        ("[1]", Err(BROKEN)),
        (r#"[["a"]]"#, Err(BROKEN)),
        ("null", Err(BROKEN)),
        (" ", Err(BROKEN)),
    ];
    for (text, read) in cases {
        check(&Messages::from_websocket(text), read, text);
    }
}

#[test]
fn xhr_bodies() {
    let cases: [(&str, Read<'_>); 11] = [
        (r#"["x"]"#, Ok(&["x"])),
        (r#"["x","y"]"#, Ok(&["x", "y"])),
        ("[]", Ok(&[])),
        ("", Err(EXPECTED)),
        (" \n", Err(EXPECTED)),
        (r#""x""#, Err(EXPECTED)),
        ("{}", Err(EXPECTED)),
        ("5", Err(EXPECTED)),
        (r#"["x"#, Err(BROKEN)),
        ("x", Err(BROKEN)),
        (r#"[{"a":1}]"#, Err(BROKEN)),
    ];
    for (body, read) in cases {
        check(&Messages::from_xhr(body.as_bytes()), read, body);
    }
    assert_eq!(Messages::from_xhr(b"[\"\xff\"]").err(), Some(BROKEN));
    assert_eq!(EXPECTED.to_string(), "Payload expected.");
    assert_eq!(BROKEN.to_string(), "Broken JSON encoding.");
}

#[test]
fn jsonp_bodies() {
    let form = Some("application/x-www-form-urlencoded");
    let plain = Some("text/plain; charset=UTF-8");
    let cases: [(Option<&str>, &str, Read<'_>); 13] = [
        (form, "d=%5B%22x%22%5D", Ok(&["x"])),
        (None, "d=%5B%22x%22%5D", Ok(&["x"])),
        (form, "p=p&d=%5b%22a+b%2B%22%5d", Ok(&["a b+"])),
        (form, "d=%5B%5D", Ok(&[])),
        (form, "d=[\"%e4%b8%ad\"]", Ok(&["中"])),
        (form, "d=[\"100%\"]", Ok(&["100%"])),
        (plain, r#"["%61bc"]"#, Ok(&["%61bc"])),
        (form, "d=%5B%22x", Err(BROKEN)),
        (form, "", Err(EXPECTED)),
        (form, "d=", Err(EXPECTED)),
        (form, "p=p", Err(EXPECTED)),
        (form, "d=[\"%ff\"]", Err(BROKEN)),
        (plain, "", Err(EXPECTED)),
    ];
    for (content_type, body, read) in cases {
        let messages = Messages::from_jsonp(content_type, body.as_bytes());
        check(&messages, read, body);
    }
}

#[test]
fn messages_join_to_a_stream() {
    let messages = Messages::from_websocket(r#"["SEND\n","","\nx\u0000"]"#).expect("an array");
    assert_eq!(messages.joined(), "SEND\n\nx\0");
    assert_eq!((messages.len(), messages.is_empty()), (3, false));
    assert!(Messages::default().is_empty());
}

proptest! {
    #[test]
    fn any_messages_come_through(texts in proptest::collection::vec(any::<String>(), 0..6)) {
        let json = serde_json::to_string(&texts).expect("strings become JSON");
        for read in [Messages::from_websocket(&json), Messages::from_xhr(json.as_bytes())] {
            let messages = read.expect("an array");
            prop_assert_eq!(messages.iter().collect::<Vec<_>>(), texts.clone());
            prop_assert_eq!(messages.joined(), texts.concat());
        }
        let form: String = json.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let messages = Messages::from_jsonp(None, format!("d={form}").as_bytes()).ok();
        prop_assert_eq!(messages.map(|it| it.joined().to_owned()), Some(texts.concat()));
    }
}
