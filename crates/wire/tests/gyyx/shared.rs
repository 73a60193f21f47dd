//! A frame for many is the same as one made for each.

use bytes::BytesMut;
use crosstalk_wire::gyyx::{
    Base, Codes, Field, FieldSet, Fill, Form, Outgoing, Shared, Style, ToClient, Unique, Waiting,
};
use proptest::prelude::*;

use crate::arbitrary::outgoing;
use crate::{PROSE, TABLE, to_client};

fn put(shared: &Shared, fill: &Fill<'_>) -> String {
    let mut out = BytesMut::from(&b"before"[..]);
    shared.put(fill, &mut out);
    assert_eq!(&out[..6], b"before");
    String::from_utf8(out[6..].to_vec()).expect("JSON is UTF-8")
}

#[test]
fn a_queue_tells_each_its_own_place() {
    let frame = |user_id: &str, unique: &str, wait_index| Outgoing {
        base: Base {
            user_id: user_id.into(),
            unique: Unique::from(unique),
            ..Base::default()
        },
        body: ToClient::QueueState(Waiting {
            wait_index,
            wait_total: 9,
        }),
    };
    let holes = FieldSet::of(&[Field::UserId, Field::Unique, Field::WaitIndex]);
    let shared = Shared::new(&frame("nobody", "none", 77), holes);
    for (user_id, unique, wait_index, style) in [
        ("u1", "1", 1, TABLE),
        ("u\"2", "\u{1}", 2, PROSE),
        (
            "",
            "",
            0,
            Style {
                form: Form::Text,
                ..PROSE
            },
        ),
    ] {
        let fill = Fill {
            style,
            user_id,
            unique,
            wait_index,
            ..Fill::default()
        };
        let expected = to_client(&frame(user_id, unique, wait_index), style);
        assert_eq!(put(&shared, &fill), expected);
    }
}

#[test]
fn what_cannot_be_a_hole_keeps_its_value() {
    let frame = Outgoing {
        base: Base {
            device_id: "d-1".into(),
            ..Base::default()
        },
        body: ToClient::Left,
    };
    let all = FieldSet::of(&Field::ALL);
    let expected = to_client(&frame, TABLE);
    assert_eq!(put(&Shared::new(&frame, all), &Fill::default()), expected);
    assert!(expected.contains("\"deviceId\":\"d-1\""));
}

fn fields() -> impl Strategy<Value = FieldSet> {
    proptest::collection::vec(proptest::sample::select(&Field::ALL[..]), 0..8)
        .prop_map(|fields| FieldSet::of(&fields))
}

proptest! {
    /// Filled with what was left out, any frame is what it was.
    #[test]
    fn any_frame(
        frame in outgoing(),
        holes in fields(),
        is_prose in any::<bool>(),
        is_text in any::<bool>(),
    ) {
        let style = Style {
            codes: if is_prose { Codes::Prose } else { Codes::Table },
            form: if is_text { Form::Text } else { Form::Number },
        };
        let (receive_user_id, wait_index) = match &frame.body {
            ToClient::Push(chat)
            | ToClient::HeartbeatAnswer(chat)
            | ToClient::Shutdown(chat)
            | ToClient::Online(chat)
            | ToClient::Sent(chat)
            | ToClient::SignExpired(chat)
            | ToClient::Sensitive(chat)
            | ToClient::HistoryMessage(chat)
            | ToClient::FirstMessage(chat)
            | ToClient::UnreadTotal(chat)
            | ToClient::Recalled(chat)
            | ToClient::RecalledByPeer(chat)
            | ToClient::ReadDone(chat)
            | ToClient::LoggedOut(chat) => (chat.receive_user_id.as_str(), 0),
            ToClient::QueueState(waiting) | ToClient::QueueAnswer(waiting) => {
                ("", waiting.wait_index)
            }
            _ => ("", 0),
        };
        let base = &frame.base;
        let fill = Fill {
            style,
            app_id: &base.app_id,
            receive_user_id,
            unique: base.unique.as_str(),
            user_id: &base.user_id,
            version: &base.version,
            wait_index,
        };
        prop_assert_eq!(put(&Shared::new(&frame, holes), &fill), to_client(&frame, style));
    }
}
