//! What is inside of bodies.

use crosstalk_wire::wg::{BadBody, Body, NoticeBody, RegisterBody, Status, StatusBody, Written};

use crate::json;

#[test]
fn bodies_are_objects_with_the_members_of_the_document_in_order() {
    let register = RegisterBody {
        session_id: "s\"".into(),
    };
    assert_eq!(register.to_json(), r#"{"sessionId":"s\""}"#);
    let status = StatusBody::new(Status::Failed, "包含敏感词");
    assert_eq!(
        status.to_json(),
        r#"{"code":400,"status":"FAILED","msg":"包含敏感词"}"#
    );
    let notice = NoticeBody {
        title: "t".into(),
        msg: "m".into(),
        target: None,
        service_id: Some("7".into()),
    };
    assert_eq!(
        notice.to_json(),
        r#"{"title":"t","msg":"m","target":null,"serviceId":"7"}"#
    );
}

#[test]
fn bodies_are_read_from_strings_and_objects() {
    for text in [
        r#""{\"code\":\"200\",\"status\":\"Success\",\"msg\":\"m\",\"x\":[]}""#,
        r#"{"code":200.0,"status":"200","msg":"m"}"#,
        r#"{"msg":"x","status":200,"code":200,"msg":"m"}"#,
    ] {
        let expected = StatusBody::new(Status::Success, "m");
        assert_eq!(StatusBody::read(&json(text)), Ok(expected), "{text}");
    }
    for text in [
        "5",
        "null",
        "[]",
        r#""5""#,
        r#""""#,
        r#""null""#,
        r#""[1]""#,
        r#""\"{}\"""#,
    ] {
        assert_eq!(NoticeBody::read(&json(text)), Err(BadBody), "{text}");
    }
}

#[test]
fn a_body_that_was_written_by_others_is_kept() {
    let raw = json(r#""{\"msg\":\"m\",  \"title\":\"\\u0074\", \"extra\":1}""#);
    let notice = Written::<NoticeBody>::read(raw.clone()).expect("a notice");
    assert_eq!(notice.body().title, "t");
    assert_eq!(*notice.raw(), raw);
    let other = Written::<RegisterBody>::read(raw);
    assert_eq!(other, Err(BadBody));
}

/// Half of a surrogate pair, which some clients cut emojis into.
#[test]
fn half_a_character_does_not_refuse_a_body() {
    let raw = json(r#""{\"title\":\"\\ud83d\",\"msg\":\"\ud83d\"}""#);
    let notice = NoticeBody::read(&raw).expect("a notice");
    assert_eq!(
        (notice.title.as_str(), notice.msg.as_str()),
        ("\u{fffd}", "\u{fffd}")
    );
}
