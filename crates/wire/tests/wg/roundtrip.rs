//! What is encoded decodes to itself, for all values.

use bytes::{Bytes, BytesMut};
use crosstalk_wire::lenient::Json;
use crosstalk_wire::wg::{
    Kind, Limits, Message, NoticeBody, RegisterBody, Shared, Status, StatusBody, ToClient,
    ToServer, Written, decode_to_client,
};
use proptest::option;
use proptest::prelude::*;

use crate::{encoded, envelope, json};

fn text() -> BoxedStrategy<String> {
    prop_oneof!["[a-z0-9,: ]{0,20}", "\\PC{0,10}", ".{0,5}"].boxed()
}

fn some_text() -> BoxedStrategy<String> {
    "[a-z0-9\"\\\\张😀]{1,10}".boxed()
}

fn content() -> BoxedStrategy<Json> {
    prop_oneof![
        some_text().prop_map(|text| Json::string(&text)),
        Just(json(r#""\u0041\ud83d\ude00\/""#)),
    ]
    .boxed()
}

fn status() -> BoxedStrategy<StatusBody> {
    let status = proptest::sample::select(&Status::ALL[..]);
    (any::<i64>(), status, text())
        .prop_map(|(code, status, msg)| StatusBody {
            code,
            status,
            msg: msg.into(),
        })
        .boxed()
}

fn notice() -> BoxedStrategy<Written<NoticeBody>> {
    (text(), text(), option::of(text()), option::of(text()))
        .prop_map(|(title, msg, target, service_id)| {
            Written::new(NoticeBody {
                title,
                msg,
                target,
                service_id,
            })
        })
        .boxed()
}

/// A code that is none of the document's.
fn custom() -> impl Strategy<Value = i64> {
    any::<i64>().prop_filter("an application's own", |code| {
        Kind::of(*code).name().is_none()
    })
}

fn to_server() -> BoxedStrategy<ToServer> {
    prop_oneof![
        text().prop_map(|session_id| ToServer::Register(RegisterBody { session_id })),
        content().prop_map(ToServer::Text),
        notice().prop_map(ToServer::Notice),
        notice().prop_map(ToServer::TargetNotice),
        status().prop_map(|body| ToServer::ReceiveStatus(Written::new(body))),
        (custom(), content()).prop_map(|(code, body)| ToServer::Custom(code, body)),
    ]
    .boxed()
}

fn to_client() -> BoxedStrategy<ToClient> {
    prop_oneof![
        content().prop_map(ToClient::Text),
        notice().prop_map(ToClient::Notice),
        notice().prop_map(ToClient::TargetNotice),
        status().prop_map(ToClient::SendStatus),
        status().prop_map(|body| ToClient::ReceiveStatus(Written::new(body))),
        (custom(), content()).prop_map(|(code, body)| ToClient::Custom(code, body)),
    ]
    .boxed()
}

fn message<C: std::fmt::Debug + 'static>(
    content: BoxedStrategy<C>,
) -> impl Strategy<Value = Message<C>> {
    let envelope = (some_text(), any::<bool>(), text(), text());
    (envelope, option::of(any::<i64>()), content).prop_map(|(envelope, timestamp_ms, content)| {
        let (id, is_system, from, to) = envelope;
        Message {
            id,
            is_system,
            from,
            to,
            timestamp_ms,
            content,
        }
    })
}

proptest! {
    #[test]
    fn messages_for_the_server(message in message(to_server())) {
        let decoded = envelope(&encoded(&message));
        prop_assert_eq!(&decoded.id, &message.id);
        prop_assert_eq!(decoded.is_system, message.is_system);
        prop_assert_eq!(decoded.from.as_ref(), Some(&message.from));
        prop_assert_eq!(decoded.to.as_ref(), Some(&message.to));
        prop_assert_eq!(decoded.timestamp_ms, message.timestamp_ms);
        prop_assert_eq!(decoded.content(), Ok(message.content));
    }

    #[test]
    fn messages_for_clients(message in message(to_client())) {
        let text = encoded(&message);
        let decoded = decode_to_client(&Bytes::from(text.clone()), &Limits::default());
        prop_assert_eq!(decoded, Ok(message.clone()));

        let mut out = BytesMut::new();
        Shared::new(&message).put(&message.to, &mut out);
        prop_assert_eq!(out, text.as_bytes());

        let members: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&text).expect("any parser reads it");
        let names: Vec<&str> = members.keys().map(String::as_str).collect();
        prop_assert_eq!(names, ["body", "from", "id", "isSystem", "timestamp", "to", "type"]);
        prop_assert!(members["body"].is_string() && members["type"].is_i64());
        prop_assert!(members["isSystem"].is_boolean());
    }
}
