//! Fuzzing of the decoders of the JSON dialects, gyyx and wg.
//!
//! Runs for about a second per target under `cargo test`; `BOLERO_RANDOM_TEST_TIME_MS`
//! or a fuzzing engine makes it longer. Whatever comes in, nothing panics, and
//! what was decoded survives being encoded and decoded again.

use bytes::{Bytes, BytesMut};
use crosstalk_wire::lenient::Json;
use crosstalk_wire::{gyyx, wg};

/// JSON as it comes back after it was passed on as a string.
fn passed_on(json: &mut Json) {
    if !json.is_string() {
        *json = Json::string(&json.text());
    }
}

mod gyyx_target {
    use super::*;
    use gyyx::{Codes, Form, Incoming, Outgoing, Shared, Style, ToClient, ToServer};

    fn passed_on_to_server(mut body: ToServer) -> ToServer {
        match &mut body {
            ToServer::Heartbeat(chat)
            | ToServer::Unread(chat)
            | ToServer::Send(chat)
            | ToServer::Pushed(chat)
            | ToServer::View(chat)
            | ToServer::UnreadTotal(chat)
            | ToServer::Read(chat)
            | ToServer::Logout(chat) => passed_on(&mut chat.message),
            ToServer::CallRequest(signal)
            | ToServer::CallAccept(signal)
            | ToServer::CallRefuse(signal)
            | ToServer::CallEnd(signal) => passed_on(&mut signal.message),
            ToServer::RoomQuery(room) => passed_on(&mut room.info),
            _ => {}
        }
        body
    }

    fn passed_on_to_client(mut body: ToClient) -> ToClient {
        match &mut body {
            ToClient::HeartbeatAnswer(chat)
            | ToClient::Shutdown(chat)
            | ToClient::Online(chat)
            | ToClient::Sent(chat)
            | ToClient::SignExpired(chat)
            | ToClient::Sensitive(chat)
            | ToClient::Push(chat)
            | ToClient::HistoryMessage(chat)
            | ToClient::FirstMessage(chat)
            | ToClient::UnreadTotal(chat)
            | ToClient::Recalled(chat)
            | ToClient::RecalledByPeer(chat)
            | ToClient::ReadDone(chat)
            | ToClient::LoggedOut(chat) => {
                passed_on(&mut chat.message);
                chat.receive_sign.clear();
            }
            ToClient::CallRequested(signal)
            | ToClient::CallAccepted(signal)
            | ToClient::CallEnded(signal) => passed_on(&mut signal.message),
            ToClient::RoomState(room) | ToClient::RoomAnswer(room) => passed_on(&mut room.info),
            ToClient::RoomsAnswer(rooms) => {
                for entry in rooms {
                    passed_on(&mut entry.room.info);
                }
            }
            _ => {}
        }
        body
    }

    /// Passing on may lengthen what is close to a limit.
    const FREE: gyyx::Limits = gyyx::Limits {
        frame_bytes: usize::MAX,
        message_bytes: usize::MAX,
        signal_bytes: usize::MAX,
    };

    pub(super) fn check(input: &[u8]) {
        let input = Bytes::copy_from_slice(input);
        let incoming = gyyx::decode_to_server(&input, &FREE);
        refuse(&incoming);
        if let Incoming {
            base,
            msg_type: Some(msg_type),
            body: Ok(body),
        } = incoming
        {
            let style = Style {
                codes: Codes::Table,
                form: msg_type.form,
            };
            let mut out = BytesMut::new();
            gyyx::encode_to_server(&base, &body, style, &mut out);
            let again = gyyx::decode_to_server(&out.freeze(), &FREE);
            assert_eq!(again.base, base);
            assert_eq!(again.msg_type.map(|it| it.form), Some(msg_type.form));
            assert_eq!(again.body, Ok(passed_on_to_server(body)));
        }
        if let Ok(frame) = gyyx::decode_to_client(&input, Codes::Table, &FREE) {
            check_outgoing(&frame);
        }
    }

    /// Whatever came, it can be refused, and the refusal is well-formed.
    fn refuse(incoming: &Incoming) {
        let frame = incoming.base.refusal(gyyx::Own::default(), 1, None);
        let decoded = check_outgoing(&frame);
        assert_eq!(decoded.base.unique, incoming.base.unique);
        assert_eq!(decoded.base.mark, incoming.base.mark);
    }

    fn check_outgoing(frame: &Outgoing) -> Outgoing {
        let style = Style::default();
        let mut out = BytesMut::new();
        gyyx::encode_to_client(frame, style, &mut out);
        let out = out.freeze();
        let again = gyyx::decode_to_client(&out, style.codes, &FREE).expect("well-formed");
        assert_eq!(again.base, frame.base);
        let asked_for = match passed_on_to_client(frame.body.clone()) {
            // One code for both.
            ToClient::RoomState(room) => ToClient::RoomAnswer(room),
            body => body,
        };
        assert_eq!(again.body, asked_for);

        let shared = Shared::new(frame, gyyx::FieldSet::default());
        for form in [Form::Number, Form::Text] {
            let style = Style { form, ..style };
            let (mut one, mut many) = (BytesMut::new(), BytesMut::new());
            gyyx::encode_to_client(frame, style, &mut one);
            let fill = gyyx::Fill {
                style,
                ..gyyx::Fill::default()
            };
            shared.put(&fill, &mut many);
            assert_eq!(one, many);
        }
        again
    }
}

mod wg_target {
    use super::*;
    use wg::{Content, Envelope, Incoming, Message, ToServer};

    const FREE: wg::Limits = wg::Limits {
        frame_bytes: usize::MAX,
        body_bytes: usize::MAX,
    };

    pub(super) fn check(input: &[u8]) {
        let input = Bytes::copy_from_slice(input);
        match wg::decode_to_server(&input, &FREE) {
            Ok(Incoming::Ping) => assert_eq!(input, wg::PING),
            Ok(Incoming::Message(envelope)) => {
                for fault in [
                    envelope.check_sender("u1").err(),
                    envelope.check_addressed().err(),
                    envelope.recipients().map(|_| ()).err(),
                ] {
                    fault.inspect(answer);
                }
                match envelope.content() {
                    Ok(content) => check_content(envelope, content),
                    Err(fault) => answer(&fault),
                }
            }
            Err(fault) => answer(&fault),
        }
        if let Ok(message) = wg::decode_to_client(&input, &FREE) {
            again(&message);
        }
    }

    fn check_content(envelope: Envelope, content: ToServer) {
        let message = Message {
            id: envelope.id,
            is_system: envelope.is_system,
            from: envelope.from.unwrap_or_default(),
            to: envelope.to.unwrap_or_default(),
            timestamp_ms: envelope.timestamp_ms,
            content,
        };
        let mut out = BytesMut::new();
        wg::encode(&message, &mut out);
        let Ok(Incoming::Message(envelope)) = wg::decode_to_server(&out.freeze(), &FREE) else {
            panic!("what was decoded can be encoded");
        };
        assert_eq!(envelope.id, message.id);
        assert_eq!(envelope.from, Some(message.from));
        assert_eq!(envelope.to, Some(message.to));
        let again = envelope.content().expect("the same body");
        assert_eq!(again.kind(), message.content.kind());
        let mut body = message.content.body();
        passed_on(&mut body);
        assert_eq!(again.body(), body);
    }

    fn answer(fault: &wg::Fault) {
        again(&fault.answer("1", &fault.claimed_from, 2));
    }

    fn again(message: &Message<wg::ToClient>) {
        let mut out = BytesMut::new();
        wg::encode(message, &mut out);
        let again = wg::decode_to_client(&out.freeze(), &FREE).expect("well-formed");
        let mut body = message.content.body();
        passed_on(&mut body);
        assert_eq!((&again.id, &again.to), (&message.id, &message.to));
        assert_eq!(again.content.kind(), message.content.kind());
        assert_eq!(again.content.body(), body);
    }
}

#[test]
fn arbitrary_bytes() {
    bolero::check!().for_each(|input: &[u8]| {
        gyyx_target::check(input);
        wg_target::check(input);
    });
}

/// Bytes seldom look like a message by chance; here the members have the
/// right names, and values that are JSON.
#[test]
fn arbitrary_members() {
    const NAMES: [&str; 16] = [
        "msgType",
        "type",
        "unique",
        "id",
        "mark",
        "message",
        "body",
        "receiveUserId",
        "to",
        "from",
        "isSystem",
        "messageId",
        "role",
        "pageSize",
        "roomInfoMsgs",
        "contentType",
    ];
    const VALUES: [&str; 24] = [
        "20",
        "130",
        "\"30\"",
        "141",
        "161",
        "300",
        "400",
        "541",
        "550",
        "1000",
        "2001",
        "3001",
        "9101",
        "4001",
        "null",
        "true",
        "\"a\"",
        "\"\\ud800\"",
        "1.0",
        "1e999",
        "{}",
        "[{}]",
        "{\"code\":200,\"status\":\"success\",\"msg\":\"m\",\"sessionId\":1,\"title\":\"t\"}",
        "\"{\\\"code\\\":200,\\\"status\\\":400,\\\"msg\\\":\\\"m\\\",\\\"title\\\":\\\"t\\\"}\"",
    ];
    bolero::check!()
        .with_type::<Vec<(u8, u8, bool)>>()
        .for_each(|members| {
            let mut text = String::from("{");
            for (name, value, comma) in members {
                let name = NAMES[usize::from(*name) % NAMES.len()];
                let value = VALUES[usize::from(*value) % VALUES.len()];
                let is_separated = text.len() == 1 || text.ends_with(',');
                let separator = if is_separated { "" } else { "," };
                text.push_str(&format!("{separator}\"{name}\":{value}"));
                // At the end it is one too many.
                if *comma {
                    text.push(',');
                }
            }
            text.push('}');
            gyyx_target::check(text.as_bytes());
            wg_target::check(text.as_bytes());
        });
}

/// Valid messages with some bytes changed.
#[test]
fn damaged_messages() {
    const MESSAGES: [&[u8]; 5] = [
        br#"{"appId":"1","deviceId":"d","mark":{"k":[1]},"msgType":130,"timestamp":1,"unique":"s","userId":"7","version":"1.10","contentType":1,"message":"\u4f60\n","receiveUserId":"8",}"#,
        br#"{"msgType":"541","roomInfoMsgs":[{"roomId":"r","creator":"K","info":"{}","members":["K"],"createTime":5,"status":"active"}],"total":1}"#,
        br#"{"msgType":401,"role":2,"roomId":"","sign":"","unique":17,"mark":null}"#,
        br#"{"id":"c","type":3003,"isSystem":false,"from":"u1","to":"u2,u3","body":"{\"title\":\"t\",\"msg\":\"m\"}","timestamp":1}"#,
        br#"{"id":"c","type":9101,"isSystem":"0","from":"u2","to":"u1","body":{"code":200,"status":"SUCCESS","msg":"\ud83d"}}"#,
    ];
    for message in MESSAGES {
        gyyx_target::check(message);
        wg_target::check(message);
    }
    bolero::check!()
        .with_type::<(u8, [(u8, u8); 3])>()
        .for_each(|(which, changes)| {
            let mut message = MESSAGES[usize::from(*which) % MESSAGES.len()].to_vec();
            for (position, byte) in changes {
                let position = usize::from(*position) % message.len();
                message[position] = *byte;
            }
            gyyx_target::check(&message);
            wg_target::check(&message);
        });
}

#[test]
fn arbitrary_queries_and_signatures() {
    let key = gyyx::Key {
        method: gyyx::SignMethod::Hmac,
        secret: b"secret",
    };
    bolero::check!().for_each(|input: &[u8]| {
        let text = String::from_utf8_lossy(input);
        let full = format!("appId=a&msgType=10&version=1&userId=u&sign=s&txNo=1&{text}");
        for query in [&*text, &full] {
            if let Ok(parsed) = gyyx::ConnectQuery::parse(query) {
                let url = parsed.url("");
                assert_eq!(gyyx::ConnectQuery::parse(&url[1..]), Ok(parsed.clone()));
                // Nobody guesses a signature.
                assert!(!parsed.is_signed_by(key));
            }
            let _ = wg::OnlineQuery::parse(query);
        }
        let right = gyyx::ChatRight {
            app_id: "a",
            user_id: "b",
            receive_user_id: "c",
        };
        assert!(right.check(b"secret", &text, 0).is_err());
        let _ = wg::login_path(&format!("/app/websocket/client/login/{text}"));
        let _ = wg::recipients(&text);
        let info = Json::string(&text);
        assert_eq!(info.text(), text);
        assert!(gyyx::with_room_key(&info, &text).is_object());
    });
}
