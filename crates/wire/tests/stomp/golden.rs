//! Frames that real clients and servers exchanged (stomp-sockjs-wire.md
//! §1.1 to §1.10) and the transcripts of the dialect (stomp.md D.c).

use crosstalk_wire::stomp::{
    Ack, AckKey, AckMode, ClientFrame, Connected, ErrorFrame, Escaping, Fault, Frame, FrameError,
    HeartBeat, Message, Receipt, Send, ServerFrame, Subscribe, Transaction, Unsubscribe, Version,
};

use crate::{decode_all, decode_one, decode_server, encode_one};

const V12: Version = Version::V1_2;

fn read(bytes: &[u8]) -> ClientFrame {
    ClientFrame::read(decode_one(bytes, V12), V12).expect("the frame is whole")
}

/// Both directions of a server's frame.
#[track_caller]
fn check(bytes: &[u8], frame: &ServerFrame) {
    let read = ServerFrame::read(decode_server(bytes), V12).expect("the frame is whole");
    assert_eq!(&read, frame);
    let written = encode_one(&frame.to_frame(), Escaping::SPRING);
    assert_eq!(
        String::from_utf8_lossy(&written),
        String::from_utf8_lossy(bytes)
    );
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn connected_of_spring() {
    check(
        b"CONNECTED\nversion:1.2\nheart-beat:0,0\nuser-name:alice\n\n\0",
        &ServerFrame::Connected(Connected {
            version: V12,
            heart_beat: HeartBeat::default(),
            user_name: some("alice"),
            server: None,
            session: None,
        }),
    );
}

#[test]
fn connected_of_rabbitmq_and_of_spring_without_a_version() {
    let bytes = b"CONNECTED\nserver:RabbitMQ/3.12\nsession:session-x\n\
        heart-beat:10000,10000\nversion:1.2\n\n\0\n";
    let Ok(ServerFrame::Connected(connected)) = ServerFrame::read(decode_server(bytes), V12) else {
        panic!("not a CONNECTED");
    };
    assert_eq!(connected.version, V12);
    assert_eq!(connected.server, some("RabbitMQ/3.12"));
    assert_eq!(connected.heart_beat.to_string(), "10000,10000");

    let old = ServerFrame::read(decode_server(b"CONNECTED\nheart-beat:0,0\n\n\0"), V12);
    let Ok(ServerFrame::Connected(connected)) = old else {
        panic!("not a CONNECTED");
    };
    assert_eq!(connected.version, Version::V1_0);
}

#[test]
fn a_message_of_spring() {
    let bytes = b"MESSAGE\ndestination:/topic/all\ncontent-type:text/plain;charset=UTF-8\n\
        subscription:s2\nmessage-id:1-3\ncontent-length:9\n\nall:hello\0";
    let frame = decode_server(bytes);
    assert_eq!(&frame.body[..], b"all:hello");
    assert_eq!(encode_one(&frame, Escaping::SPRING), bytes);
    let Ok(ServerFrame::Message(message)) = ServerFrame::read(frame, V12) else {
        panic!("not a MESSAGE");
    };
    assert_eq!(message.destination, "/topic/all");
    assert_eq!(message.subscription, some("s2"));
    assert_eq!(message.message_id, "1-3");
    assert_eq!(message.ack, None);
}

#[test]
fn errors_of_spring_and_rabbitmq() {
    let bytes = b"ERROR\nmessage:Illegal escape sequence at index 3\\c a\\\\tb\n\
        content-length:0\n\n\0";
    let frame = decode_server(bytes);
    assert_eq!(encode_one(&frame, Escaping::SPRING), bytes);
    let Ok(ServerFrame::Error(error)) = ServerFrame::read(frame, V12) else {
        panic!("not an ERROR");
    };
    assert_eq!(error.message, "Illegal escape sequence at index 3: a\\tb");

    check(
        b"ERROR\nmessage:Bad CONNECT\nversion:1.0,1.1,1.2\ncontent-type:text/plain\n\
        content-length:13\n\nAccess denied\0",
        &ServerFrame::Error(ErrorFrame {
            version: some("1.0,1.1,1.2"),
            ..ErrorFrame::new("Bad CONNECT", "Access denied")
        }),
    );
}

/// The frames that stompjs 7 sends in a session with all features.
#[test]
fn a_session_of_stompjs() {
    let connect = b"CONNECT\nlogin:alice\npasscode:s3cret\nhost:/\n\
        accept-version:1.2,1.1,1.0\nheart-beat:10000,10000\n\n\0";
    let ClientFrame::Connect(connect) = read(connect) else {
        panic!("not a CONNECT");
    };
    assert_eq!(connect.version(), Some(V12));
    assert_eq!(connect.login(), Some("alice"));
    assert_eq!(connect.host.as_deref(), Some("/"));
    assert_eq!(connect.tokens().collect::<Vec<_>>(), ["s3cret"]);
    assert_eq!(connect.heart_beat.to_string(), "10000,10000");

    let session = b"SUBSCRIBE\nack:client-individual\nreceipt:sub-r\nid:sub-0\n\
        destination:/queue/a\n\n\0\
        SEND\ndestination:/queue/a\ncontent-length:5\n\nhello\0\
        BEGIN\ntransaction:tx-0\n\n\0\
        SEND\ntransaction:tx-0\ndestination:/queue/a\ncontent-length:2\n\nin\0\
        COMMIT\ntransaction:tx-0\n\n\0\
        \n\
        ACK\nsubscription:sub-0\nid:T_1\n\n\0\
        UNSUBSCRIBE\nid:sub-0\n\n\0\
        DISCONNECT\nreceipt:close-1\n\n\0";
    let frames: Vec<_> = decode_all(session, V12)
        .into_iter()
        .map(|frame| ClientFrame::read(frame, V12).expect("stompjs sends whole frames"))
        .collect();
    let send = |transaction, body: &'static [u8]| {
        ClientFrame::Send(Send {
            destination: "/queue/a".into(),
            content_type: None,
            transaction,
            receipt: None,
            body: body.into(),
        })
    };
    let transaction = Transaction {
        id: "tx-0".into(),
        receipt: None,
    };
    assert_eq!(
        frames,
        [
            ClientFrame::Subscribe(Subscribe {
                id: some("sub-0"),
                destination: "/queue/a".into(),
                ack: AckMode::ClientIndividual,
                receipt: some("sub-r"),
            }),
            send(None, b"hello"),
            ClientFrame::Begin(transaction.clone()),
            send(some("tx-0"), b"in"),
            ClientFrame::Commit(transaction),
            ClientFrame::Ack(Ack {
                key: AckKey::Ack("T_1".into()),
                transaction: None,
                receipt: None,
            }),
            ClientFrame::Unsubscribe(Unsubscribe {
                id: some("sub-0"),
                destination: None,
                receipt: None,
            }),
            ClientFrame::Disconnect {
                receipt: some("close-1")
            },
        ]
    );
    assert_eq!(frames[0].receipt(), Some("sub-r"));
    assert_eq!(frames[7].receipt(), Some("close-1"));
}

/// stompjs escapes values and not names: the name ends at the first colon.
#[test]
fn a_header_name_that_stompjs_does_not_escape() {
    let frame = decode_one(b"SEND\ndestination:/a\nx-col:on:a\\cb\n\n\0", V12);
    assert_eq!(frame.header("x-col"), Some("on:a:b"));
}

/// stomp.py says STOMP instead of CONNECT, and blanks round nothing.
#[test]
fn a_login_of_stomp_py() {
    let bytes = b"STOMP\naccept-version:1.1\nheart-beat:4000,4000\nhost:/\n\
        login:alice\npasscode:s3cret\n\n\0";
    let ClientFrame::Connect(connect) = read(bytes) else {
        panic!("not a CONNECT");
    };
    assert_eq!(connect.version(), Some(Version::V1_1));
    assert_eq!(connect.heart_beat.to_string(), "4000,4000");
}

/// The CONNECT of the dialect's own document, which lost its empty line: the
/// frame ends with the NUL on a line of its own.
#[test]
fn the_document_with_and_without_its_empty_lines() {
    let head = "CONNECT\naccept-version:1.2\nheart-beat:0,0\nhost:dev.xuqinmin.com\n\
        Authorization:Bearer abc.def.ghi\n";
    for end in ["\n\0", "\0", "\0\n"] {
        let ClientFrame::Connect(connect) = read(format!("{head}{end}").as_bytes()) else {
            panic!("not a CONNECT");
        };
        assert_eq!(connect.tokens().collect::<Vec<_>>(), ["abc.def.ghi"]);
    }
    let bytes = b"SUBSCRIBE\nid:sub-1\ndestination:/user/queue/messages\n\0";
    let ClientFrame::Subscribe(subscribe) = read(bytes) else {
        panic!("not a SUBSCRIBE");
    };
    assert_eq!(subscribe.destination, "/user/queue/messages");
    assert_eq!(subscribe.ack, AckMode::Auto);
}

#[test]
fn sends_of_the_document() {
    let json = r#"{"appId":"ak_demo_chat","messageId":"m-001","toId":"user_002","chatType":"SINGLE","msgType":"TEXT","content":"Hello"}"#;
    let head = "SEND\ndestination:/app/chat.send\ncontent-type:application/json\nreceipt:r-1\n\n";
    // The document has a line end behind the JSON.
    for (body, end) in [(json.to_owned(), ""), (format!("{json}\n"), "\n\n")] {
        let bytes = format!("{head}{body}\0{end}");
        let ClientFrame::Send(send) = read(bytes.as_bytes()) else {
            panic!("not a SEND");
        };
        assert_eq!(send.destination, "/app/chat.send");
        assert_eq!(send.content_type, some("application/json"));
        assert_eq!(send.receipt, some("r-1"));
        assert_eq!(send.body, body);
    }
}

#[test]
fn answers_of_the_dialect() {
    check(
        b"RECEIPT\nreceipt-id:r-1\n\n\0",
        &ServerFrame::Receipt(Receipt {
            receipt_id: "r-1".into(),
        }),
    );
    check(
        b"MESSAGE\ndestination:/user/queue/messages\nsubscription:sub-1\nmessage-id:s1-1\n\
        content-type:application/json\ncontent-length:2\n\n{}\0",
        &ServerFrame::Message(Message {
            destination: "/user/queue/messages".into(),
            subscription: some("sub-1"),
            message_id: "s1-1".into(),
            ack: None,
            content_type: some("application/json"),
            body: "{}".into(),
        }),
    );
    check(
        b"ERROR\nmessage:Unauthorized\ncontent-type:text/plain\ncontent-length:12\n\n\
        Unauthorized\0",
        &ServerFrame::Error(Fault::Unauthorized.into()),
    );
    check(
        b"ERROR\nmessage:Unsupported version\nversion:1.0,1.1,1.2\n\
        content-type:text/plain\ncontent-length:34\n\nSupported versions are 1.0,1.1,1.2\0",
        &ServerFrame::Error(Fault::UnsupportedVersion.into()),
    );
    let garbage = ErrorFrame::from(FrameError::IllegalFrame);
    assert_eq!(garbage.message, "Illegal frame");
    assert_eq!(FrameError::IllegalFrame.close_code(), 1002);
    assert_eq!(Fault::Unauthorized.close_code(), 1008);
}

/// Whatever a fault says, its ERROR says something and can be read.
#[test]
fn every_fault_has_an_error() {
    for fault in Fault::ALL {
        let frame = ErrorFrame::from(fault).about(Some("r:1")).to_frame();
        let bytes = encode_one(&frame, Escaping::SPRING);
        let Ok(ServerFrame::Error(read)) = ServerFrame::read(decode_server(&bytes), V12) else {
            panic!("not an ERROR");
        };
        assert_eq!(read.message, fault.message());
        assert_eq!(read.receipt_id, some("r:1"));
        assert!(!read.body.is_empty());
        assert!([1002, 1008, 1011].contains(&fault.close_code()));
    }
}

/// A heart-beat is a line end.
#[test]
fn a_heart_beat() {
    let mut out = bytes::BytesMut::new();
    crosstalk_wire::stomp::encode_heart_beat(&mut out);
    assert_eq!(&out[..], b"\n");
    assert_eq!(decode_all(&out, V12), [] as [Frame; 0]);
}
