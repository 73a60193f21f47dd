//! What is encoded decodes to itself, for all values.

use bytes::{Bytes, BytesMut};
use crosstalk_wire::gyyx::{
    Codes, Form, Limits, MsgType, Style, ToClient, ToServer, decode_to_client, encode_to_client,
};
use proptest::prelude::*;

use crate::arbitrary::{client_base, outgoing, to_server};
use crate::received;

fn style() -> impl Strategy<Value = Style> {
    any::<(bool, bool)>().prop_map(|(is_prose, is_text)| Style {
        codes: if is_prose { Codes::Prose } else { Codes::Table },
        form: if is_text { Form::Text } else { Form::Number },
    })
}

/// What cannot be told by the code alone.
fn as_decoded_by_server(body: ToServer, codes: Codes) -> ToServer {
    match body {
        // In the prose the role tells, and what a role means the app knows.
        ToServer::QueueClaim(enter) if codes == Codes::Prose => ToServer::QueueEnter(enter),
        other => other,
    }
}

fn as_decoded_by_client(body: ToClient, codes: Codes) -> ToClient {
    match body {
        // In the table there is one code for both.
        ToClient::RoomState(room) if codes == Codes::Table => ToClient::RoomAnswer(room),
        other => other,
    }
}

proptest! {
    #[test]
    fn frames_for_the_server(base in client_base(), body in to_server(), style in style()) {
        let incoming = received(&crate::to_server(&base, &body, style));
        prop_assert_eq!(incoming.base, base);
        let form = incoming.msg_type.map(|MsgType { form, .. }| form);
        prop_assert_eq!(form, Some(style.form));
        prop_assert_eq!(incoming.body, Ok(as_decoded_by_server(body, style.codes)));
    }

    #[test]
    fn frames_for_clients(frame in outgoing(), style in style()) {
        let mut out = BytesMut::from(&b"before"[..]);
        encode_to_client(&frame, style, &mut out);
        prop_assert_eq!(&out[..6], b"before");
        let text = Bytes::copy_from_slice(&out[6..]);
        let decoded = decode_to_client(&text, style.codes, &Limits::default())
            .expect("what was encoded is well-formed");
        prop_assert_eq!(decoded.base, frame.base);
        prop_assert_eq!(decoded.body, as_decoded_by_client(frame.body, style.codes));
        serde_json::from_slice::<serde_json::Map<_, _>>(&text).expect("any parser reads it");
    }
}
