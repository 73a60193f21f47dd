//! The client's protocol against the codec, without a socket.

use crosstalk_wire::stomp::im::{FailedSend, ImMessage, Submitted};
use crosstalk_wire::stomp::{Connected, ErrorFrame, HeartBeat, Receipt, ServerFrame};

use super::*;

const UID: &str = "b0-1";

fn peer() -> Box<dyn Peer> {
    let login = Login {
        uid: UID.to_owned(),
        token: "tok".to_owned(),
        groups: vec!["g".to_owned()],
        ..Login::default()
    };
    Stomp::new(true).peer(&login, 1).expect("a peer")
}

fn frames(out: &mut Outbox) -> Vec<ClientFrame> {
    let mut decoder = Decoder::new(Side::Client);
    let mut frames = Vec::new();
    while let Some(mut message) = out.take_message() {
        let frame = decoder.decode(&mut message).expect("a frame");
        let frame = frame.expect("a whole one");
        assert!(message.is_empty());
        frames.push(ClientFrame::read(frame, Version::V1_2).expect("a good one"));
    }
    frames
}

fn give(peer: &mut dyn Peer, frame: &Frame, out: &mut Outbox) -> Result<Vec<String>> {
    let mut input = BytesMut::new();
    encode(frame, Escaping::V1_2, &mut input).expect("an encoding");
    let mut told = Vec::new();
    peer.receive(&mut input, out, &mut |event| {
        told.push(format!("{event:?}"));
    })?;
    assert!(input.is_empty());
    Ok(told)
}

fn connected() -> Frame {
    let connected = ServerFrame::Connected(Connected {
        version: Version::V1_2,
        heart_beat: HeartBeat::default(),
        user_name: Some(UID.to_owned()),
        server: None,
        session: None,
    });
    connected.to_frame()
}

fn message(message: &ImMessage<'_>) -> Frame {
    Frame::new(Command::Message)
        .with("destination", "/user/queue/messages")
        .with("subscription", "sub-1")
        .with("message-id", "1")
        .with_body(message.to_json())
}

fn sent<'a>(id: &'a str, from: &'a str) -> ImMessage<'a> {
    ImMessage {
        from_id: from.into(),
        to_id: "b0-2".into(),
        chat_type: "SINGLE".into(),
        msg_type: "TEXT".into(),
        content: "hi \"you\"".into(),
        seq: Some(3),
        ..ImMessage::new(id, Status::Sent, 1)
    }
}

/// Logs in.
fn log_in(peer: &mut dyn Peer) {
    let mut out = Outbox::default();
    peer.open(&mut out).expect("a hello");
    let [ClientFrame::Connect(connect)] = &frames(&mut out)[..] else {
        panic!("no CONNECT")
    };
    assert_eq!(connect.tokens().collect::<Vec<_>>(), ["tok"]);
    assert_eq!(connect.version(), Some(Version::V1_2));

    assert!(give(peer, &connected(), &mut out).expect("good").is_empty());
    let wanted = frames(&mut out);
    let [ClientFrame::Subscribe(queue), ClientFrame::Subscribe(topic)] = &wanted[..] else {
        panic!("{wanted:?}")
    };
    assert_eq!(queue.destination, "/user/queue/messages");
    assert_eq!(topic.destination, "/topic/group/g");
    assert_ne!(queue.id, topic.id);
    assert_eq!(queue.receipt, None);
    let receipt = ServerFrame::Receipt(Receipt {
        receipt_id: topic.receipt.clone().expect("a receipt"),
    });
    let told = give(peer, &receipt.to_frame(), &mut out).expect("good");
    assert_eq!(told, ["Open"]);
}

#[test]
fn a_message_is_sent_and_accepted_by_its_echo() {
    let mut peer = peer();
    log_in(&mut *peer);
    let mut out = Outbox::default();
    peer.send(&Address::Group("g".to_owned()), 4, b"hi", &mut out)
        .expect("sent");
    let all = frames(&mut out);
    let [ClientFrame::Send(send)] = &all[..] else {
        panic!("{all:?}")
    };
    assert_eq!(send.destination, "/app/chat.send");
    let body = ChatSend::read(&send.body).expect("a message");
    assert_eq!(
        (body.to_id.as_str(), body.chat_type, body.content.as_str()),
        ("g", ChatType::Group, "hi")
    );
    let id = body.client_id().expect("an id").to_owned();
    let told = give(&mut *peer, &message(&sent(&id, UID)), &mut out).expect("an echo");
    assert_eq!(told, ["Accepted { tag: 4 }"]);
}

#[test]
fn a_refused_message_is_named_with_its_code() {
    let mut peer = peer();
    log_in(&mut *peer);
    let failed = FailedSend {
        submitted: &Submitted::id(&Numbers::of(UID).number(9)),
        app_id: APP,
        from_id: UID,
        at_ms: 1,
        code: Code::TooManyRequests,
        reason: "Too many requests",
    };
    let mut out = Outbox::default();
    let told = give(&mut *peer, &message(&failed.message()), &mut out).expect("an answer");
    assert_eq!(told, ["Refused { tag: 9, code: 429 }"]);
    assert!(Stomp::new(false).is_rate_limit(429));
}

#[test]
fn what_comes_is_told_with_its_channel_and_place() {
    let mut peer = peer();
    log_in(&mut *peer);
    let mut out = Outbox::default();
    let direct = sent("m", "b0-2");
    let told = give(&mut *peer, &message(&direct), &mut out).expect("a message");
    let content = format!("{:?}", b"hi \"you\"");
    let expected = format!(
        "Received(Message {{ channel: \"b0-2\", is_group: false, place: Some(3), content: \
         {content}, proof: Good }})"
    );
    assert_eq!(told, [expected]);
    let group = ImMessage {
        group_id: Some("g".into()),
        ..sent("m", "b0-2")
    };
    let told = give(&mut *peer, &message(&group), &mut out).expect("a message");
    assert!(
        told[0].contains("channel: \"g\", is_group: true"),
        "{told:?}"
    );
    assert!(out.is_empty(), "ack:auto has no ACK");
}

#[test]
fn a_refused_login_and_a_fault_are_errors() {
    let error = |message: &str| {
        let error = ServerFrame::Error(ErrorFrame {
            message: message.to_owned(),
            receipt_id: None,
            version: None,
            content_type: None,
            body: message.to_owned().into(),
        });
        error.to_frame()
    };
    let mut out = Outbox::default();
    let refused = give(&mut *peer(), &error("Unauthorized"), &mut out).expect_err("refused");
    let refused = refused.downcast_ref::<LoginRefused>().expect("a refusal");
    assert_eq!(refused.code, 401);

    let mut peer = peer();
    log_in(&mut *peer);
    let fault = give(&mut *peer, &error("Illegal frame"), &mut out).expect_err("a fault");
    assert!(fault.to_string().contains("Illegal frame"), "{fault}");
}
