//! What each command requires, in each version.

use crosstalk_wire::stomp::{
    AckKey, ClientFrame, Command, Connect, ErrorFrame, Frame, FrameError, HeartBeat, ServerFrame,
    Version,
};

use crate::decode_one;

const V10: Version = Version::V1_0;
const V11: Version = Version::V1_1;
const V12: Version = Version::V1_2;

fn read(head: &str, version: Version) -> Result<ClientFrame, FrameError> {
    let frame = decode_one(format!("{head}\n\n\0").as_bytes(), V12);
    ClientFrame::read(frame, version).map_err(|refused| refused.error)
}

fn connect(headers: &str) -> Connect {
    match read(&format!("CONNECT{headers}"), V12) {
        Ok(ClientFrame::Connect(connect)) => connect,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_command_requires_its_headers() {
    use Command as C;
    let cases = [
        ("SEND", V12, C::Send, "destination"),
        ("SEND\nid:1", V10, C::Send, "destination"),
        ("SUBSCRIBE\nid:1", V12, C::Subscribe, "destination"),
        ("SUBSCRIBE\ndestination:/a", V12, C::Subscribe, "id"),
        ("SUBSCRIBE\ndestination:/a", V11, C::Subscribe, "id"),
        ("UNSUBSCRIBE\ndestination:/a", V12, C::Unsubscribe, "id"),
        ("UNSUBSCRIBE", V10, C::Unsubscribe, "id"),
        ("ACK\nmessage-id:1", V12, C::Ack, "id"),
        ("NACK\nmessage-id:1", V11, C::Nack, "subscription"),
        ("NACK\nsubscription:1", V11, C::Nack, "message-id"),
        ("ACK\nid:1", V10, C::Ack, "message-id"),
        ("BEGIN", V12, C::Begin, "transaction"),
        ("COMMIT\nid:1", V12, C::Commit, "transaction"),
        ("ABORT", V10, C::Abort, "transaction"),
    ];
    for (head, version, command, header) in cases {
        let error = FrameError::MissingHeader { command, header };
        assert_eq!(read(head, version), Err(error), "{head:?} {version:?}");
        assert_eq!(error.message(), format!("Missing header {header}"));
    }
}

#[test]
fn the_first_version_requires_less() {
    let Ok(ClientFrame::Subscribe(subscribe)) = read("SUBSCRIBE\ndestination:/a", V10) else {
        panic!("not a SUBSCRIBE");
    };
    assert_eq!(subscribe.id, None);
    let Ok(ClientFrame::Unsubscribe(unsubscribe)) = read("UNSUBSCRIBE\ndestination:/a", V10) else {
        panic!("not an UNSUBSCRIBE");
    };
    assert_eq!(
        (unsubscribe.id, unsubscribe.destination),
        (None, Some("/a".into()))
    );
    let Ok(ClientFrame::Ack(ack)) = read("ACK\nmessage-id:1", V10) else {
        panic!("not an ACK");
    };
    assert_eq!((ack.key.id(), ack.key.subscription()), ("1", None));
}

#[test]
fn unusable_values_are_named() {
    let bad = |command, header| Err(FrameError::BadHeader { command, header });
    let subscribe = "SUBSCRIBE\nid:1\ndestination:/a\nack:sometimes";
    assert_eq!(read(subscribe, V12), bad(Command::Subscribe, "ack"));
    let connect = "CONNECT\nheart-beat:soon,later";
    assert_eq!(read(connect, V12), bad(Command::Connect, "heart-beat"));
    let stomp = "STOMP\nheart-beat:1";
    assert_eq!(read(stomp, V12), bad(Command::Stomp, "heart-beat"));
}

#[test]
fn a_refused_frame_names_its_receipt() {
    let frame = decode_one(b"SEND\nreceipt:r\\c1\n\n\0", V12);
    let refused = ClientFrame::read(frame, V12).expect_err("it has no destination");
    assert_eq!(refused.receipt.as_deref(), Some("r:1"));
    let error = ErrorFrame::from(&refused);
    assert_eq!(error.message, "Missing header destination");
    assert_eq!(error.receipt_id.as_deref(), Some("r:1"));
    assert_eq!(&error.body[..], b"SEND needs the header destination");
}

#[test]
fn a_server_frame_is_no_client_frame() {
    for command in Command::ALL {
        let read = ClientFrame::read(Frame::new(command), V12);
        let is_unknown = read.is_err_and(|it| it.error == FrameError::UnknownCommand);
        let is_server = !Command::ALL[..11].contains(&command);
        assert_eq!(is_unknown, is_server, "{command}");
        let read = ServerFrame::read(Frame::new(command), V12);
        let is_unknown = read.is_err_and(|it| it.error == FrameError::UnknownCommand);
        assert_eq!(is_unknown, !is_server, "{command}");
    }
}

#[test]
fn tokens_are_found_wherever_clients_put_them() {
    let cases: [(&str, &[&str]); 13] = [
        ("", &[]),
        ("\nAuthorization:Bearer abc", &["abc"]),
        ("\nAuthorization: Bearer abc", &["abc"]),
        ("\nauthorization:bearer  abc ", &["abc"]),
        ("\nAuthorization:abc", &["abc"]),
        ("\nAuthorization:Bearer", &[]),
        ("\nAuthorization:Bearer ", &[]),
        ("\nAuthorization:", &[]),
        ("\ntoken:abc", &["abc"]),
        ("\nX-Auth-Token:abc", &["abc"]),
        ("\nlogin:u\npasscode:abc", &["abc"]),
        (
            "\npasscode:p\nAuthorization:Bearer a\ntoken:t",
            &["a", "t", "p"],
        ),
        ("\nAuthorization:Bearer a\nAuthorization:Bearer b", &["a"]),
    ];
    for (headers, tokens) in cases {
        let connect = connect(headers);
        assert_eq!(connect.tokens().collect::<Vec<_>>(), tokens, "{headers:?}");
    }
}

#[test]
fn a_login_does_not_show_its_token() {
    let connect = connect("\nAuthorization:Bearer s3cret\npasscode:s3cret\nhost: x ");
    assert!(!format!("{connect:?}").contains("s3cret"));
    assert_eq!(connect.host.as_deref(), Some("x"));
    assert_eq!(connect.headers.get("host"), Some(" x "));
    assert_eq!(connect.heart_beat, HeartBeat::default());
}

#[test]
fn a_login_names_its_versions() {
    assert_eq!(connect("").version(), Some(V10));
    assert_eq!(connect("\naccept-version: 1.0,1.1 ").version(), Some(V11));
    assert_eq!(connect("\naccept-version:9.9").version(), None);
}

#[test]
fn messages_require_their_headers() {
    let read = |frame: Frame, version| {
        ServerFrame::read(frame, version)
            .map(|_| ())
            .map_err(|it| it.error)
    };
    let missing = |header| {
        Err(FrameError::MissingHeader {
            command: Command::Message,
            header,
        })
    };
    let message = || Frame::new(Command::Message);
    assert_eq!(read(message(), V12), missing("destination"));
    let at = || message().with("destination", "/a");
    assert_eq!(
        read(at().with("message-id", "1"), V12),
        missing("subscription")
    );
    assert_eq!(read(at().with("message-id", "1"), V10), Ok(()));
    assert_eq!(
        read(at().with("subscription", "1"), V11),
        missing("message-id")
    );
    assert_eq!(
        read(Frame::new(Command::Connected).with("version", "3.0"), V12),
        Err(FrameError::BadHeader {
            command: Command::Connected,
            header: "version"
        })
    );
    // An ERROR is one whatever it lacks.
    assert_eq!(read(Frame::new(Command::Error), V12), Ok(()));
}

/// A client acknowledges what it was given in each version's own way.
#[test]
fn a_message_is_acknowledged_by_its_key() {
    let message = Frame::new(Command::Message)
        .with("subscription", "s")
        .with("message-id", "m")
        .with("ack", "m");
    for version in Version::ALL {
        let key = AckKey::of_message(&message.headers, version).expect("it wants an ACK");
        assert_eq!(key.id(), "m");
        let ack = crosstalk_wire::stomp::Ack {
            key,
            transaction: None,
            receipt: None,
        };
        let frame = ClientFrame::Ack(ack.clone()).to_frame();
        assert_eq!(ClientFrame::read(frame, version), Ok(ClientFrame::Ack(ack)));
    }
}
