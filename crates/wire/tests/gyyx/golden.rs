//! The frames of the transcripts, byte for byte, in the order of fields that
//! the document's table has.

use crosstalk_wire::gyyx::{
    Base, Chat, Codes, Enter, Fill, Form, Friend, History, MsgType, Outgoing, Recall, Receipt,
    Room, RoomEntry, RoomStatus, Signal, Style, ToClient, ToServer, Unique, Waiting, Zone, list,
    with_room_key,
};
use crosstalk_wire::lenient::Json;

use crate::{OWN, PROSE, TABLE, asked, json, received, to_client, to_server};

const NOW: i64 = 1_708_742_800_011;

/// The common part as transcripts abbreviate it, for a frame of the client.
fn request(msg_type: &str, unique: &str, rest: &str) -> String {
    format!(
        "{{\"appId\":\"1477358668\",\"deviceId\":\"d-1\",\"mark\":null,\"msgType\":{msg_type},\
         \"timestamp\":1708742800000,\"unique\":\"{unique}\",\"userId\":\"48057\",\
         \"version\":\"1.10\"{rest}}}"
    )
}

/// An answer to such a frame.
fn answer(unique: &str, body: ToClient) -> Outgoing {
    Outgoing {
        base: received(&request("20", unique, "")).base.answer(OWN, NOW),
        body,
    }
}

fn send() -> Chat {
    Chat {
        receive_user_id: "48058".into(),
        message: Json::string("你好"),
        ..Chat::default()
    }
}

/// What a receiver of [`send`] sees.
fn pushed() -> Chat {
    Chat {
        message_id: "741200000000000001".into(),
        receive_sign: "1708743400.9c".into(),
        ..Chat {
            receive_user_id: "48058".into(),
            message: Json::string("你好"),
            ..Chat::at(NOW, Zone::SHANGHAI)
        }
    }
}

#[test]
fn connected() {
    let frame = Outgoing {
        base: Base::unasked(OWN, "7412", 1_708_742_795_000),
        body: ToClient::Online(Chat {
            message: Json::string("1"),
            receive_user_id: "48057".into(),
            ..Chat::at(1_708_742_795_000, Zone::SHANGHAI)
        }),
    };
    assert_eq!(
        to_client(&frame, TABLE),
        r#"{"appId":"1477358668","contentType":1,"deviceId":"","mark":null,"message":"1","messageId":"","msgType":101,"receiveSign":"","receiveUserId":"48057","sendTime":1708742795000,"sendTimeDate":"2024-02-24 10:46:35","timestamp":1708742795000,"unique":"7412","userId":"48057","version":"1.10"}"#
    );
}

#[test]
fn a_heartbeat_is_answered_with_its_base() {
    let incoming = received(
        r#"{"appId":"1477358668","deviceId":"d-1","mark":{"k":1},"msgType":20,"timestamp":1708742800000,"unique":"h1","userId":"48057","version":"1.10"}"#,
    );
    assert_eq!(incoming.body, Ok(ToServer::Heartbeat(Chat::default())));
    let answer = Outgoing {
        base: incoming.base.answer(OWN, NOW),
        body: ToClient::HeartbeatAnswer(Chat::at(NOW, Zone::SHANGHAI)),
    };
    let text = r#"{"appId":"1477358668","contentType":1,"deviceId":"d-1","mark":{"k":1},"message":"","messageId":"","msgType":21,"receiveSign":"","receiveUserId":"","sendTime":1708742800011,"sendTimeDate":"2024-02-24 10:46:40","timestamp":1708742800011,"unique":"h1","userId":"48057","version":"1.10"}"#;
    assert_eq!(to_client(&answer, TABLE), text);

    // A client that writes strings is answered with strings.
    let text_form = Style {
        form: Form::Text,
        ..TABLE
    };
    let text = text.replace("\"msgType\":21", "\"msgType\":\"21\"");
    assert_eq!(to_client(&answer, text_form), text);
}

#[test]
fn a_message_goes_from_one_to_another() {
    let rest = r#","receiveUserId":"48058","receiveSign":"1708743400.9c","contentType":1,"message":"你好""#;
    let expected = Chat {
        receive_sign: "1708743400.9c".into(),
        ..send()
    };
    for msg_type in ["130", "30"] {
        let incoming = received(&request(msg_type, "s1", rest));
        assert_eq!(incoming.body, Ok(ToServer::Send(expected.clone())));
        assert_eq!(
            to_client(&incoming.received(OWN, NOW), TABLE),
            format!(
                "{{\"appId\":\"1477358668\",\"deviceId\":\"d-1\",\"mark\":null,\"msgType\":30,\
                 \"receiveMsgType\":{msg_type},\"timestamp\":1708742800011,\"unique\":\"s1\",\
                 \"userId\":\"48057\",\"version\":\"1.10\"}}"
            )
        );
    }
    let sent = |number: i64| {
        format!(
            "{{\"appId\":\"1477358668\",\"contentType\":1,\"deviceId\":\"d-1\",\"mark\":null,\
             \"message\":\"你好\",\"messageId\":\"741200000000000001\",\"msgType\":{number},\
             \"receiveSign\":\"\",\"receiveUserId\":\"48058\",\"sendTime\":1708742800011,\
             \"sendTimeDate\":\"2024-02-24 10:46:40\",\"timestamp\":1708742800011,\
             \"unique\":\"s1\",\"userId\":\"48057\",\"version\":\"1.10\"}}"
        )
    };
    for (body, table, prose) in [
        (ToClient::Sent(pushed()), 131, 131),
        (ToClient::SignExpired(pushed()), 132, 132),
        (ToClient::Sensitive(pushed()), 133, 133),
        (ToClient::Push(pushed()), 140, 40),
        (ToClient::HistoryMessage(pushed()), 162, 162),
        (ToClient::FirstMessage(pushed()), 1170, 1170),
        (ToClient::Recalled(pushed()), 191, 191),
        (ToClient::RecalledByPeer(pushed()), 192, 192),
        (ToClient::ReadDone(pushed()), 199, 199),
        (ToClient::LoggedOut(pushed()), 252, 252),
        (ToClient::Shutdown(pushed()), 99, 99),
        (ToClient::UnreadTotal(pushed()), 180, 180),
    ] {
        let frame = answer("s1", body);
        assert_eq!(to_client(&frame, TABLE), sent(table));
        assert_eq!(to_client(&frame, PROSE), sent(prose));
    }
    let confirmed = asked(&request(
        "141",
        "s1",
        ",\"messageId\":\"741200000000000001\"",
    ));
    let with_id = |message_id: &str| Chat {
        message_id: message_id.into(),
        ..Chat::default()
    };
    assert_eq!(confirmed, ToServer::Pushed(with_id("741200000000000001")));
}

#[test]
fn a_refusal_is_the_base_alone() {
    let incoming = received(&request("130", "s1", ",\"message\":\"你好\""));
    assert!(incoming.body.is_err());
    let text = r#"{"appId":"1477358668","deviceId":"d-1","mark":null,"msgType":10,"timestamp":1708742800011,"unique":"s1","userId":"48057","version":"1.10"}"#;
    assert_eq!(
        to_client(&incoming.base.refusal(OWN, NOW, None), TABLE),
        text
    );
    let detail = incoming.body.expect_err("no receiver").to_string();
    assert_eq!(
        to_client(&incoming.base.refusal(OWN, NOW, Some(detail)), PROSE),
        text.replace(
            "\"msgType\"",
            "\"message\":\"receiveUserId is missing\",\"msgType\""
        )
    );
}

#[test]
fn lists_history_totals() {
    let empty = Chat::default;
    let peer = Chat {
        receive_user_id: "48057".into(),
        ..Chat::default()
    };
    for (text, expected) in [
        (request("102", "q1", ""), ToServer::Unread(empty())),
        (request("180", "q2", ""), ToServer::UnreadTotal(empty())),
        (
            request("160", "q3", ",\"receiveUserId\":\"48057\""),
            ToServer::View(peer.clone()),
        ),
        (
            request(
                "161",
                "q4",
                ",\"pageIndex\":1,\"pageSize\":20,\"sender\":\"48057\"",
            ),
            ToServer::History(History {
                page_index: 1,
                page_size: 20,
                sender: "48057".into(),
            }),
        ),
    ] {
        assert_eq!(asked(&text), expected);
    }
}

#[test]
fn recall_and_read() {
    let rest = r#","messageId":"741201","receiveUserId":"48058","retractTime":1708742900000"#;
    let recall = Recall {
        message_id: "741201".into(),
        receive_user_id: "48058".into(),
        retract_time_ms: 1_708_742_900_000,
    };
    assert_eq!(asked(&request("190", "r1", rest)), ToServer::Recall(recall));
    let rest = r#","messageId":"741201","receiveUserId":"48057""#;
    let read = Chat {
        message_id: "741201".into(),
        receive_user_id: "48057".into(),
        ..Chat::default()
    };
    assert_eq!(asked(&request("198", "d1", rest)), ToServer::Read(read));
    assert_eq!(
        asked(&request("31", "d1", ",\"receiveMsgType\":199")),
        ToServer::Received(Receipt {
            receive_msg_type: 199
        })
    );
}

#[test]
fn friends_come_and_go() {
    let frame = |is_online| {
        let friend = Friend {
            friend_user_id: "48058".into(),
            is_online,
        };
        Outgoing {
            base: Base::unasked(OWN, "1", 2),
            body: match is_online {
                true => ToClient::FriendOnline(friend),
                false => ToClient::FriendOffline(friend),
            },
        }
    };
    let text = |number, flag| {
        format!(
            "{{\"appId\":\"1477358668\",\"deviceId\":\"\",\"friendUserId\":\"48058\",\
             \"isOnline\":{flag},\"mark\":null,\"msgType\":{number},\"timestamp\":2,\
             \"unique\":\"1\",\"userId\":\"48057\",\"version\":\"1.10\"}}"
        )
    };
    assert_eq!(to_client(&frame(true), TABLE), text(200, true));
    assert_eq!(to_client(&frame(false), TABLE), text(210, false));
}

#[test]
fn queue_and_room_requests() {
    let enter = |role: &str, sign: &str| Enter {
        role: role.into(),
        room_id: String::new(),
        sign: sign.into(),
    };
    assert_eq!(
        asked(&request(
            "400",
            "w1",
            r#","role":1,"roomId":"","sign":"ab""#
        )),
        ToServer::QueueEnter(enter("1", "ab"))
    );
    assert_eq!(
        asked(&request("401", "w2", r#","role":"客服","roomId":"""#)),
        ToServer::QueueClaim(enter("客服", ""))
    );
    for (number, body) in [
        ("430", ToServer::QueueQuery),
        ("420", ToServer::Leave),
        ("403", ToServer::Leave),
        ("540", ToServer::RoomsQuery),
        ("550", ToServer::RoomQuery(Room::default())),
    ] {
        assert_eq!(asked(&request(number, "w3", "")), body);
    }
}

/// A frame that answers nothing.
fn unasked(body: ToClient) -> String {
    unasked_in(body, TABLE)
}

fn unasked_in(body: ToClient, style: Style) -> String {
    let base = Base::unasked(OWN, "1", 2);
    to_client(&Outgoing { base, body }, style)
}

/// Such a frame with its own fields before and after the code.
fn text(number: i64, before: &str, after: &str) -> String {
    format!(
        "{{\"appId\":\"1477358668\",{before}\"mark\":null,\"msgType\":{number},{after}\
         \"unique\":\"1\",\"userId\":\"48057\",\"version\":\"1.10\""
    )
}

#[test]
fn queue_states() {
    let waiting = Waiting {
        wait_index: 2,
        wait_total: 3,
    };
    let queue = |number| {
        let base = text(number, "\"deviceId\":\"\",", "\"timestamp\":2,");
        format!("{base},\"waitIndex\":2,\"waitTotal\":3}}")
    };
    assert_eq!(unasked(ToClient::QueueState(waiting)), queue(410));
    assert_eq!(unasked_in(ToClient::QueueState(waiting), PROSE), queue(401));
    assert_eq!(
        unasked_in(ToClient::QueueAnswer(waiting), PROSE),
        queue(431)
    );
    let left = text(421, "\"deviceId\":\"\",", "\"timestamp\":2,") + "}";
    assert_eq!(unasked(ToClient::Left), left);
}

#[test]
fn rooms() {
    let room = Room {
        creator: "K".into(),
        info: with_room_key(&Json::EMPTY, "x9"),
        room_id: "r-77".into(),
    };
    let shown = |number| {
        let before = r#""creator":"K","deviceId":"","info":"{\"roomKey\":\"x9\"}","#;
        text(number, before, "\"roomId\":\"r-77\",\"timestamp\":2,") + "}"
    };
    let state = ToClient::RoomState(room.clone());
    assert_eq!(unasked(state.clone()), shown(551));
    assert_eq!(unasked_in(state, PROSE), shown(406));
    let asked_for = ToClient::RoomAnswer(room.clone());
    assert_eq!(unasked_in(asked_for, PROSE), shown(551));

    let entry = |status| RoomEntry {
        room: room.clone(),
        members: vec!["K".into(), "48057".into()],
        created_ms: 5,
        status,
    };
    let rooms = ToClient::RoomsAnswer(vec![entry(RoomStatus::Waiting), entry(RoomStatus::Active)]);
    let one = |status: &str| {
        format!(
            r#"{{"roomId":"r-77","creator":"K","info":"{{\"roomKey\":\"x9\"}}","members":["K","48057"],"createTime":5,"status":"{status}"}}"#
        )
    };
    let after = format!(
        "\"roomInfoMsgs\":[{},{}],\"timestamp\":2,\"total\":2,",
        one("waiting"),
        one("active")
    );
    assert_eq!(
        unasked(rooms),
        text(541, "\"deviceId\":\"\",", &after) + "}"
    );
}

#[test]
fn calls() {
    let sdp = r#"{\"sdp\":\"v=0\\r\\n\"}"#;
    let rest = format!(r#","message":"{sdp}","requestUserId":"48057""#);
    let signal = Signal {
        message: json(&format!("\"{sdp}\"")),
        request_user_id: "48057".into(),
    };
    for (number, body) in [
        ("300", ToServer::CallRequest(signal.clone())),
        ("310", ToServer::CallAccept(signal.clone())),
        ("301", ToServer::CallAccept(signal.clone())),
        ("320", ToServer::CallRefuse(signal.clone())),
        ("330", ToServer::CallEnd(signal.clone())),
        ("302", ToServer::CallEnd(signal.clone())),
    ] {
        assert_eq!(asked(&request(number, "v1", &rest)), body);
    }
    let text = |number: i64| {
        format!(
            "{{\"appId\":\"1477358668\",\"deviceId\":\"d-1\",\"mark\":null,\"message\":\"{sdp}\",\
             \"msgType\":{number},\"requestUserId\":\"48057\",\"timestamp\":1708742800011,\
             \"unique\":\"v1\",\"userId\":\"48057\",\"version\":\"1.10\"}}"
        )
    };
    for (body, table, prose) in [
        (ToClient::CallRequested(signal.clone()), 301, 300),
        (ToClient::CallAccepted(signal.clone()), 311, 301),
        (ToClient::CallEnded(signal), 321, 302),
    ] {
        assert_eq!(to_client(&answer("v1", body.clone()), TABLE), text(table));
        assert_eq!(to_client(&answer("v1", body), PROSE), text(prose));
    }
}

/// What a client of ours writes.
#[test]
fn a_client_writes_all_fields_of_the_set() {
    let base = Base {
        timestamp_ms: 2,
        unique: Unique::from("s1"),
        ..Base::unasked(OWN, "", 0)
    };
    let text = r#"{"appId":"1477358668","contentType":1,"deviceId":"","mark":null,"message":"你好","messageId":"","msgType":130,"receiveSign":"","receiveUserId":"48058","sendTime":0,"sendTimeDate":"","timestamp":2,"unique":"s1","userId":"48057","version":"1.10"}"#;
    let body = ToServer::Send(send());
    assert_eq!(to_server(&base, &body, TABLE), text);
    let style = Style {
        codes: Codes::Prose,
        form: Form::Text,
    };
    assert_eq!(
        to_server(&base, &body, style),
        text.replace("130", "\"30\"")
    );
    assert_eq!(
        received(text).msg_type,
        Some(MsgType {
            number: 130,
            form: Form::Number
        })
    );
}

/// The signature that a client gives goes to the server; nobody else sees it.
#[test]
fn a_chat_signature_is_not_passed_on() {
    let chat = Chat {
        receive_sign: "secret".into(),
        ..send()
    };
    let base = Base::default();
    assert!(to_server(&base, &ToServer::Send(chat.clone()), TABLE).contains("secret"));
    let frame = answer("s1", ToClient::Push(chat));
    assert!(!to_client(&frame, TABLE).contains("secret"));
    let shared = crosstalk_wire::gyyx::Shared::new(&frame, Default::default());
    let mut out = bytes::BytesMut::new();
    shared.put(&Fill::default(), &mut out);
    assert_eq!(out, to_client(&frame, TABLE));
}

#[test]
fn a_list_can_be_one_message() {
    let frames = [
        answer("q1", ToClient::Left),
        answer("q1", ToClient::ParameterError { detail: None }),
    ];
    let array = list(&frames, TABLE);
    let expected = format!(
        "[{},{}]",
        to_client(&frames[0], TABLE),
        to_client(&frames[1], TABLE)
    );
    assert_eq!(array.as_bytes(), expected.as_bytes());
    let frame = answer(
        "q1",
        ToClient::Push(Chat {
            message: array,
            ..Chat::default()
        }),
    );
    let value: serde_json::Value =
        serde_json::from_str(&to_client(&frame, TABLE)).expect("a frame is JSON");
    assert_eq!(value["message"], expected);
    assert_eq!(list(&[], TABLE).as_bytes(), b"[]");
}
