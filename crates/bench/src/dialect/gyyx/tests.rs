//! The client's protocol against the codec, without a socket.

use crosstalk_wire::gyyx::{Incoming, Outgoing, Own, decode_to_server, encode_to_client};

use super::*;

const UID: &str = "b0-1";

fn peer() -> Box<dyn Peer> {
    let login = Login {
        uid: UID.to_owned(),
        ..Login::default()
    };
    Gyyx::new(true).peer(&login, 1).expect("a peer")
}

fn frames(out: &mut Outbox) -> Vec<(Base, ToServer)> {
    std::iter::from_fn(|| out.take_message())
        .map(|message| {
            let Incoming { base, body, .. } =
                decode_to_server(&message.freeze(), &Limits::default());
            (base, body.expect("a good frame"))
        })
        .collect()
}

fn give(
    peer: &mut dyn Peer,
    unique: &Unique,
    body: ToClient,
    out: &mut Outbox,
) -> Result<Vec<String>> {
    let own = Own {
        app_id: APP,
        user_id: if matches!(body, ToClient::Push(_)) {
            "b0-2"
        } else {
            UID
        },
        version: DEFAULT_VERSION,
    };
    let base = Base {
        unique: unique.clone(),
        ..Base::default()
    };
    let base = base.answer(own, 1);
    let mut input = BytesMut::new();
    encode_to_client(&Outgoing { base, body }, STYLE, &mut input);
    let mut told = Vec::new();
    peer.receive(&mut input, out, &mut |event| {
        told.push(format!("{event:?}"));
    })?;
    assert!(input.is_empty());
    Ok(told)
}

#[test]
fn a_client_is_there_when_its_heartbeat_is_answered() {
    let (mut peer, mut out) = (peer(), Outbox::default());
    peer.open(&mut out).expect("a hello");
    let all = frames(&mut out);
    let [(base, ToServer::Heartbeat(_))] = &all[..] else {
        panic!("{all:?}")
    };
    assert_eq!(
        (
            base.user_id.as_str(),
            base.app_id.as_str(),
            base.device_id.as_str()
        ),
        (UID, APP, "b0-1-web")
    );
    assert!(base.timestamp_ms > 0);
    let online = ToClient::Online(Chat::default());
    let told = give(&mut *peer, &"7".into(), online, &mut out).expect("good");
    assert!(told.is_empty());
    let all = frames(&mut out);
    let [(_, ToServer::Received(receipt))] = &all[..] else {
        panic!("{all:?}")
    };
    assert_eq!(receipt.receive_msg_type, 101);
    let answer = || ToClient::HeartbeatAnswer(Chat::default());
    let told = give(&mut *peer, &base.unique, answer(), &mut out).expect("good");
    assert_eq!(told, ["Open"]);
    let told = give(&mut *peer, &base.unique, answer(), &mut out).expect("good");
    assert!(told.is_empty() && out.is_empty());
}

#[test]
fn answers_name_the_message_by_its_tag() {
    let (mut peer, mut out) = (peer(), Outbox::default());
    for (to, written) in [
        (Address::User("b0-2".to_owned()), "b0-2"),
        (Address::Group("g".to_owned()), "group:g"),
    ] {
        peer.send(&to, 4, b"hi", &mut out).expect("sent");
        let all = frames(&mut out);
        let [(base, ToServer::Send(chat))] = &all[..] else {
            panic!("{all:?}")
        };
        assert_eq!(chat.receive_user_id, written);
        assert_eq!(chat.message.text(), "hi");
        let answers = [
            (ToClient::ServerReceived(Receipt::default()), None),
            (ToClient::Sent(chat.clone()), Some("Accepted { tag: 4 }")),
            (
                ToClient::Sensitive(chat.clone()),
                Some("Refused { tag: 4, code: 133 }"),
            ),
            (
                ToClient::ParameterError { detail: None },
                Some("Refused { tag: 4, code: 10 }"),
            ),
        ];
        for (answer, expected) in answers {
            let told = give(&mut *peer, &base.unique, answer, &mut out).expect("an answer");
            assert_eq!(told.first().map(String::as_str), expected);
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
        let push = ToClient::Push(Chat {
            message: Json::string("hi \"you\""),
            message_id: "741".to_owned(),
            receive_user_id: to.to_owned(),
            ..Chat::default()
        });
        let told = give(&mut *peer, &"s1".into(), push, &mut out).expect("a message");
        assert!(told[0].contains(channel), "{told:?}");
        let content = format!("place: None, content: {:?}, proof: Good", b"hi \"you\"");
        assert!(told[0].contains(&content), "{told:?}");
        let all = frames(&mut out);
        let [(base, ToServer::Pushed(chat))] = &all[..] else {
            panic!("{all:?}")
        };
        assert_eq!(
            (base.unique.as_str(), chat.message_id.as_str()),
            ("s1", "741")
        );
        assert_eq!(base.user_id, UID);
    }
}

#[test]
fn a_refused_login_and_an_end_are_errors() {
    let mut out = Outbox::default();
    let error = || ToClient::ParameterError { detail: None };
    let refused = give(&mut *peer(), &Unique::default(), error(), &mut out).expect_err("refused");
    let refused = refused.downcast_ref::<LoginRefused>().expect("a refusal");
    assert_eq!(refused.code, 10);
    let end = ToClient::Shutdown(Chat {
        message: Json::string("replaced"),
        ..Chat::default()
    });
    let end = give(&mut *peer(), &"7".into(), end, &mut out).expect_err("an end");
    assert_eq!(end.to_string(), "the server ends: replaced");
}

#[test]
fn a_signed_query_is_used_where_the_server_listens() {
    let path = path_of("ws://im.example.com:80?appId=1&sign=e3").expect("a path");
    assert_eq!(path, "/ws?appId=1&sign=e3");
    assert!(path_of("ws://im.example.com").is_err());
}
