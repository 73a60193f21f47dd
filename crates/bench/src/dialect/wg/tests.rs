//! The client's protocol against the codec, without a socket.

use bytes::Bytes;
use crosstalk_wire::wg::{Envelope, Incoming, Kind, decode_to_server};

use super::*;

const UID: &str = "b0-1";

fn peer() -> Box<dyn Peer> {
    let login = Login {
        uid: UID.to_owned(),
        token: "session".to_owned(),
        ..Login::default()
    };
    Wg::new(true).peer(&login, 1).expect("a peer")
}

fn envelopes(out: &mut Outbox) -> Vec<Envelope> {
    std::iter::from_fn(|| out.take_message())
        .map(|message| {
            match decode_to_server(&message.freeze(), &Limits::default()).expect("good") {
                Incoming::Message(envelope) => envelope,
                Incoming::Ping => panic!("a ping"),
            }
        })
        .collect()
}

fn give(
    peer: &mut dyn Peer,
    message: &WgMessage<ToClient>,
    out: &mut Outbox,
) -> Result<Vec<String>> {
    let mut input = BytesMut::new();
    encode(message, &mut input);
    let mut told = Vec::new();
    peer.receive(&mut input, out, &mut |event| {
        told.push(format!("{event:?}"));
    })?;
    assert!(input.is_empty());
    Ok(told)
}

fn status(id: &str, status: Status) -> WgMessage<ToClient> {
    WgMessage::status(id, UID, StatusBody::new(status, "words"), 1)
}

fn text(from: &str, to: &str) -> WgMessage<ToClient> {
    WgMessage {
        id: "m-1".to_owned(),
        is_system: false,
        from: from.to_owned(),
        to: to.to_owned(),
        timestamp_ms: Some(1),
        content: ToClient::Text(Json::string("hi \"you\"")),
    }
}

#[test]
fn the_session_is_registered_and_refused() {
    let mut out = Outbox::default();
    let mut peer = peer();
    peer.open(&mut out).expect("a hello");
    let all = envelopes(&mut out);
    let [register] = &all[..] else {
        panic!("{all:?}")
    };
    let ToServer::Register(body) = register.content().expect("good") else {
        panic!("{register:?}")
    };
    assert_eq!(body.session_id, "session");
    assert_eq!(register.from.as_deref(), Some(UID));
    let refused = give(
        &mut *peer,
        &status(&register.id, Status::SessionError),
        &mut out,
    );
    let refused = refused.expect_err("refused");
    let refused = refused.downcast_ref::<LoginRefused>().expect("a refusal");
    assert_eq!(refused.code, 402);
    let told = give(&mut *peer, &status(&register.id, Status::Success), &mut out);
    assert_eq!(told.expect("good"), ["Open"]);
}

#[test]
fn answers_name_the_message_by_its_tag() {
    let (mut peer, mut out) = (peer(), Outbox::default());
    for (to, written) in [
        (Address::User("b0-2".to_owned()), "b0-2"),
        (Address::Group("g".to_owned()), "group:g"),
    ] {
        peer.send(&to, 4, b"hi", &mut out).expect("sent");
        let all = envelopes(&mut out);
        let [sent] = &all[..] else { panic!("{all:?}") };
        assert_eq!((sent.kind, sent.to.as_deref()), (Kind::Text, Some(written)));
        let ToServer::Text(body) = sent.content().expect("good") else {
            panic!("{sent:?}")
        };
        assert_eq!(body.text(), "hi");
        for (answer, expected) in [
            (Status::Success, "Accepted { tag: 4 }"),
            (Status::Failed, "Refused { tag: 4, code: 400 }"),
        ] {
            let told = give(&mut *peer, &status(&sent.id, answer), &mut out);
            assert_eq!(told.expect("an answer"), [expected]);
        }
    }
}

#[test]
fn what_comes_is_told_and_acknowledged() {
    let (mut peer, mut out) = (peer(), Outbox::default());
    for (to, channel) in [
        (UID, "channel: \"b0-2\", is_group: false"),
        ("group:g", "channel: \"g\", is_group: true"),
    ] {
        let told = give(&mut *peer, &text("b0-2", to), &mut out).expect("a message");
        assert!(told[0].contains(channel), "{told:?}");
        let content = format!("place: None, content: {:?}, proof: Good", b"hi \"you\"");
        assert!(told[0].contains(&content), "{told:?}");
        let all = envelopes(&mut out);
        let [ack] = &all[..] else { panic!("{all:?}") };
        assert_eq!((ack.id.as_str(), ack.to.as_deref()), ("m-1", Some("b0-2")));
        let ToServer::ReceiveStatus(body) = ack.content().expect("good") else {
            panic!("{ack:?}")
        };
        assert_eq!(body.body().code, 200);
    }
}

#[test]
fn receipts_and_pongs_are_no_news_and_a_kick_is_an_error() {
    let (mut peer, mut out) = (peer(), Outbox::default());
    let receipt = WgMessage {
        content: ToClient::ReceiveStatus(Written::new(StatusBody::new(Status::Success, "x"))),
        ..text("b0-2", UID)
    };
    assert!(
        give(&mut *peer, &receipt, &mut out)
            .expect("good")
            .is_empty()
    );
    peer.keep_alive(&mut out).expect("a ping");
    assert_eq!(out.take_message().as_deref(), Some(PING));
    let mut input = BytesMut::from(PONG);
    peer.receive(&mut input, &mut out, &mut |event| panic!("{event:?}"))
        .expect("a pong");
    assert!(out.is_empty());
    let kick = status("741", Status::SessionError);
    assert!(give(&mut *peer, &kick, &mut out).is_err());
    let mut garbage = BytesMut::from(&Bytes::from_static(b"{}")[..]);
    assert!(peer.receive(&mut garbage, &mut out, &mut |_| {}).is_err());
}
