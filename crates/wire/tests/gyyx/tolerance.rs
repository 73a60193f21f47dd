//! The forms in which values may come (protocols/README.md A5, A11; gyyx.md
//! F.a.2, Q4-33).

use bytes::Bytes;
use crosstalk_wire::gyyx::{
    Base, Chat, Codes, ContentType, Form, History, Limits, MsgType, Outgoing, Role, Room,
    RoomEntry, RoomStatus, ToClient, ToServer, Waiting, decode_to_client, decode_to_server,
};
use crosstalk_wire::lenient::Json;

use crate::{OWN, TABLE, asked, json, received, to_client};

#[test]
fn the_form_of_a_code_is_remembered() {
    for (text, form) in [
        ("20", Form::Number),
        ("20.0", Form::Number),
        ("\"20\"", Form::Text),
        ("\" 20 \"", Form::Text),
    ] {
        let incoming = received(&format!("{{\"msgType\":{text}}}"));
        assert_eq!(incoming.msg_type, Some(MsgType { number: 20, form }));
        assert_eq!(incoming.body, Ok(ToServer::Heartbeat(Chat::default())));
    }
}

#[test]
fn ids_are_strings_or_numbers() {
    let strings = received(
        r#"{"msgType":141,"appId":"7","deviceId":"8","userId":"48057","version":"1","messageId":"12345678901234567890"}"#,
    );
    let numbers = received(
        r#"{"msgType":141,"appId":7,"deviceId":8,"userId":48057,"version":1,"messageId":12345678901234567890}"#,
    );
    assert!(strings.body.is_ok());
    assert_eq!(strings, numbers);
}

#[test]
fn what_is_absent_is_empty() {
    let expected = received("{\"msgType\":20}");
    assert_eq!(expected.base, Base::default());
    let nulls = r#"{"msgType":20,"appId":null,"deviceId":null,"mark":null,"timestamp":null,"unique":null,"userId":null,"version":null,"message":null,"contentType":null,"receiveUserId":null}"#;
    assert_eq!(received(nulls), expected);
    let times = r#"{"msgType":20,"timestamp":"时间戳","sendTime":{},"sendTimeDate":[]}"#;
    assert_eq!(received(times), expected, "nobody relies on these");
}

#[test]
fn unknown_members_are_ignored_and_the_last_of_a_name_wins() {
    let text =
        r#"{"x":[[[{}]]],"msgType":20,"unique":"a","Unique":"b","unique":"c","msgType":251}"#;
    let incoming = received(text);
    assert_eq!(incoming.base.unique.as_str(), "c");
    assert_eq!(incoming.body, Ok(ToServer::Logout(Chat::default())));
}

/// The client's own id and mark come back as they were, whatever they are.
#[test]
fn unique_and_mark_are_echoed() {
    for (unique, echoed) in [
        ("\"a\\u0062\"", "\"ab\""),
        ("17", "17"),
        ("17.0", "17"),
        ("-5", "-5"),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567890",
        ),
        ("null", "\"\""),
    ] {
        for mark in [
            "null",
            "1.50",
            "\"\\u0041\"",
            "{\"b\" : [1e999], \"a\":null}",
        ] {
            let text = format!("{{\"msgType\":20,\"unique\":{unique},\"mark\":{mark}}}");
            let answer = received(&text).base.refusal(OWN, 0, None);
            let written = to_client(&answer, TABLE);
            assert!(
                written.contains(&format!("\"unique\":{echoed},")),
                "{written}"
            );
            assert!(written.contains(&format!("\"mark\":{mark},")), "{written}");
        }
    }
    let number = received("{\"msgType\":20,\"unique\":17}").base.unique;
    assert_eq!(number.as_str(), "17");
}

#[test]
fn a_message_is_anything_and_goes_on_as_a_string() {
    for (message, written, text) in [
        (r#""a\u0062\/""#, r#""a\u0062\/""#, "ab/"),
        (
            r#"{"url":"x" }"#,
            r#""{\"url\":\"x\" }""#,
            r#"{"url":"x" }"#,
        ),
        ("[1]", "\"[1]\"", "[1]"),
        ("5.0", "\"5.0\"", "5.0"),
        ("true", "\"true\"", "true"),
        (r#""\ud800""#, r#""\ud800""#, "\u{fffd}"),
    ] {
        let frame =
            format!("{{\"msgType\":130,\"unique\":1,\"receiveUserId\":2,\"message\":{message}}}");
        let input = Bytes::from(frame);
        let incoming = decode_to_server(&input, &Limits::default());
        let Ok(ToServer::Send(chat)) = incoming.body else {
            panic!("not a message: {incoming:?}");
        };
        assert_eq!(chat.message.as_bytes(), message.as_bytes());
        assert_eq!(chat.message.text(), text);
        assert!(
            input
                .as_ptr_range()
                .contains(&chat.message.bytes().as_ptr()),
            "the message is a part of what came in"
        );
        let frame = Outgoing {
            base: Base::default(),
            body: ToClient::Push(chat),
        };
        assert!(to_client(&frame, TABLE).contains(&format!("\"message\":{written},")));
    }
}

#[test]
fn content_types_have_numbers_and_names() {
    for (given, expected) in [
        ("1", ContentType::TEXT),
        ("\"2\"", ContentType::IMAGE),
        ("\"Image\"", ContentType::IMAGE),
        ("\"语音\"", ContentType::AUDIO),
        ("\"video\"", ContentType::VIDEO),
        ("\"file\"", ContentType::FILE),
        ("\"location\"", ContentType::LOCATION),
        ("\"card\"", ContentType::LINK),
        ("\"notice\"", ContentType::NOTICE),
        ("\"call\"", ContentType::CALL),
        ("\"custom\"", ContentType::CUSTOM),
        ("77", ContentType(77)),
        ("\"\"", ContentType::TEXT),
        ("null", ContentType::TEXT),
    ] {
        let text = format!(
            "{{\"msgType\":130,\"unique\":1,\"receiveUserId\":2,\"message\":\"m\",\
             \"contentType\":{given}}}"
        );
        let ToServer::Send(chat) = asked(&text) else {
            panic!("not a message");
        };
        assert_eq!(chat.content_type, expected, "{given}");
    }
    // Where it says nothing, it is not looked at.
    let heartbeat = asked(r#"{"msgType":20,"contentType":"消息文本类型"}"#);
    assert_eq!(heartbeat, ToServer::Heartbeat(Chat::default()));
}

#[test]
fn pages_are_cut_to_what_there_is() {
    for (index, size, expected) in [
        ("1", "20", (1, 20)),
        ("\"2\"", "\"5\"", (2, 5)),
        ("0", "0", (1, 20)),
        ("-3", "-3", (1, 20)),
        ("null", "\"\"", (1, 20)),
        ("4294967296", "1000", (u32::MAX, 100)),
    ] {
        let history = asked(&format!(
            "{{\"msgType\":161,\"pageIndex\":{index},\"pageSize\":{size}}}"
        ));
        let (page_index, page_size) = expected;
        assert_eq!(
            history,
            ToServer::History(History {
                page_index,
                page_size,
                sender: String::new()
            })
        );
    }
    assert_eq!(
        asked("{\"msgType\":161}"),
        ToServer::History(History::default())
    );
}

#[test]
fn roles_have_numbers_and_names() {
    for (word, role) in [
        ("1", Some(Role::Customer)),
        ("user", Some(Role::Customer)),
        ("2", Some(Role::Staff)),
        ("Service", Some(Role::Staff)),
        ("kefu", Some(Role::Staff)),
        ("客服", Some(Role::Staff)),
        ("3", None),
        ("", None),
    ] {
        assert_eq!(Role::of(word), role, "{word}");
    }
}

#[test]
fn info_is_kept_as_it_is() {
    let room = asked(r#"{"msgType":550,"info":{"a":[1, 2]},"creator":{},"roomId":77}"#);
    let expected = Room {
        creator: String::new(),
        info: json(r#"{"a":[1, 2]}"#),
        room_id: "77".into(),
    };
    assert_eq!(room, ToServer::RoomQuery(expected));
}

#[test]
fn profiles_are_told_by_codes() {
    let told = |number: i64| received(&format!("{{\"msgType\":{number}}}")).codes();
    assert_eq!(told(30), Some(Codes::Prose));
    assert_eq!(told(130), Some(Codes::Table));
    assert_eq!(told(20), None);
    assert_eq!(received("{}").codes(), None);
}

#[test]
fn a_client_reads_both_profiles() {
    let read = |number: i64, codes| {
        let text = format!("{{\"msgType\":{number}}}");
        decode_to_client(&Bytes::from(text), codes, &Limits::default())
            .expect("a well-formed frame")
            .body
    };
    let signal = Default::default;
    for codes in [Codes::Table, Codes::Prose] {
        assert_eq!(read(40, codes), ToClient::Push(Chat::default()));
        assert_eq!(read(401, codes), ToClient::QueueState(Waiting::default()));
        assert_eq!(read(406, codes), ToClient::RoomState(Room::default()));
        assert_eq!(read(300, codes), ToClient::CallRequested(signal()));
        assert_eq!(read(302, codes), ToClient::CallEnded(signal()));
        assert_eq!(read(130, codes), ToClient::Unknown(130));
        assert_eq!(read(9999, codes), ToClient::Unknown(9999));
    }
    assert_eq!(read(301, Codes::Table), ToClient::CallRequested(signal()));
    assert_eq!(read(301, Codes::Prose), ToClient::CallAccepted(signal()));
}

#[test]
fn rooms_are_read() {
    let text = r#"{"msgType":541,"roomInfoMsgs":[{"roomId":7,"creator":"K","info":{"a":1},"members":["K",5],"createTime":"9","status":"active"},{}],"total":2}"#;
    let frame = decode_to_client(&Bytes::from(text), Codes::Table, &Limits::default());
    let full = RoomEntry {
        room: Room {
            creator: "K".into(),
            info: json("{\"a\":1}"),
            room_id: "7".into(),
        },
        members: vec!["K".into(), "5".into()],
        created_ms: 9,
        status: RoomStatus::Active,
    };
    let empty = RoomEntry {
        room: Room {
            info: Json::EMPTY,
            ..Room::default()
        },
        members: Vec::new(),
        created_ms: 0,
        status: RoomStatus::Waiting,
    };
    assert_eq!(
        frame.map(|frame| frame.body),
        Ok(ToClient::RoomsAnswer(vec![full, empty]))
    );
}

#[test]
fn a_list_of_rooms_has_a_bound() {
    let rooms = vec!["{}"; crosstalk_wire::gyyx::MAX_ROOMS + 1].join(",");
    let text = format!("{{\"msgType\":541,\"roomInfoMsgs\":[{rooms}]}}");
    let frame = decode_to_client(&Bytes::from(text), Codes::Table, &Limits::default());
    let Ok(ToClient::RoomsAnswer(rooms)) = frame.map(|frame| frame.body) else {
        panic!("not a list of rooms");
    };
    assert_eq!(rooms.len(), crosstalk_wire::gyyx::MAX_ROOMS);
}
