//! One MESSAGE for many receivers.

use bytes::BytesMut;
use crosstalk_wire::stomp::{
    Command, EncodeError, Escaping, Message, Receiver, ServerFrame, SharedMessage, Version,
    wants_binary,
};
use proptest::prelude::*;

use crate::{decode_server, encode_one};

const SPRING: Escaping = Escaping::SPRING;

fn shared(destination: &str, body: &[u8]) -> SharedMessage {
    SharedMessage::new(destination, Some("application/json"), body, SPRING)
        .expect("the message encodes")
}

fn encode_for(shared: &SharedMessage, receiver: &Receiver<'_>) -> Vec<u8> {
    let mut out = BytesMut::new();
    shared
        .encode_for(receiver, SPRING, &mut out)
        .expect("the receiver encodes");
    out.to_vec()
}

#[test]
fn receivers_differ_in_the_hole_only() {
    let shared = shared("/topic/group/g_100", br#"{"id":"m-002"}"#);
    let first = Receiver {
        subscription: Some("sub-2"),
        message_id: "s1-7",
        ack: None,
    };
    let second = Receiver {
        subscription: Some("a:b"),
        message_id: "s2-1",
        ack: Some("s2-1"),
    };
    assert_eq!(
        encode_for(&shared, &first),
        b"MESSAGE\ndestination:/topic/group/g_100\nsubscription:sub-2\nmessage-id:s1-7\n\
        content-type:application/json\ncontent-length:14\n\n{\"id\":\"m-002\"}\0"
    );
    assert_eq!(
        encode_for(&shared, &second),
        b"MESSAGE\ndestination:/topic/group/g_100\nsubscription:a\\cb\nmessage-id:s2-1\n\
        ack:s2-1\ncontent-type:application/json\ncontent-length:14\n\n{\"id\":\"m-002\"}\0"
    );
}

#[test]
fn another_destination_shares_the_body() {
    let topic = shared("/topic/group/g_100", b"body");
    let queue = topic
        .at("/user/queue/messages", SPRING)
        .expect("the destination encodes");
    assert_eq!(queue.tail().as_ptr(), topic.tail().as_ptr());
    assert_eq!(
        &queue.head()[..],
        b"MESSAGE\ndestination:/user/queue/messages\n"
    );
    assert_eq!(queue, shared("/user/queue/messages", b"body"));
}

#[test]
fn an_old_client_may_have_no_subscription() {
    let shared = SharedMessage::new("/topic/a", None, b"", SPRING).expect("it encodes");
    let receiver = Receiver {
        subscription: None,
        message_id: "1",
        ack: None,
    };
    let bytes = encode_for(&shared, &receiver);
    assert_eq!(
        bytes,
        b"MESSAGE\ndestination:/topic/a\nmessage-id:1\ncontent-length:0\n\n\0"
    );
}

#[test]
fn what_cannot_be_encoded_writes_nothing() {
    let shared = shared("/topic/a", b"");
    let receiver = Receiver {
        subscription: Some("a\nb"),
        message_id: "1",
        ack: None,
    };
    let mut out = BytesMut::from(&b"before"[..]);
    let error = Err(EncodeError::Value(Command::Message));
    assert_eq!(
        shared.encode_for(&receiver, Escaping::Literal, &mut out),
        error
    );
    assert_eq!(receiver.encode(Escaping::Literal, &mut out), error);
    assert_eq!(&out[..], b"before");
    assert!(SharedMessage::new("a\0", None, b"", SPRING).is_err());
}

#[test]
fn only_bytes_go_in_binary_messages() {
    let cases = [
        (Some("application/octet-stream"), &b"x"[..], true),
        (Some("Application/Octet-Stream; a=b"), b"x", true),
        (Some("application/octet-stream"), b"", false),
        (Some("application/json"), b"x", false),
        (Some("image/png"), b"x", false),
        (None, b"x", false),
    ];
    for (content_type, body, is_binary) in cases {
        assert_eq!(
            wants_binary(content_type, body),
            is_binary,
            "{content_type:?}"
        );
    }
}

proptest! {
    /// The parts come to what the whole frame would be.
    #[test]
    fn the_parts_make_the_whole(
        destination in "[a-z/:\\\\\r\n中]{1,20}",
        subscription in "[a-z:\\\\\r\n中]{0,10}",
        ack in proptest::option::of("[a-z:]{0,10}"),
        content_type in proptest::option::of("[a-z/;=]{0,20}"),
        body in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let shared = SharedMessage::new(&destination, content_type.as_deref(), &body, SPRING)
            .expect("it encodes");
        let receiver = Receiver {
            subscription: Some(&subscription),
            message_id: "s-1",
            ack: ack.as_deref(),
        };
        let bytes = encode_for(&shared, &receiver);
        let message = ServerFrame::Message(Message {
            destination,
            subscription: Some(subscription.clone()),
            message_id: "s-1".into(),
            ack: ack.clone(),
            content_type,
            body: body.into(),
        });
        prop_assert_eq!(&bytes, &encode_one(&message.to_frame(), SPRING));
        prop_assert_eq!(ServerFrame::read(decode_server(&bytes), Version::V1_2), Ok(message));

        let mut parts = BytesMut::new();
        parts.extend_from_slice(shared.head());
        receiver.encode(SPRING, &mut parts).expect("it encodes");
        parts.extend_from_slice(shared.tail());
        prop_assert_eq!(&parts[..], &bytes[..]);
    }
}
