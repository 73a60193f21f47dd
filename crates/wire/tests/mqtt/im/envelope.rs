//! The envelope: reading in every form, writing in one.

use bytes::{Bytes, BytesMut};
use crosstalk_wire::mqtt::im::{
    Envelope, EnvelopeError, EnvelopeFault, MsgType, Outbound, TypeForm, TypeTable, TypeValue,
    json_string,
};
use crosstalk_wire::mqtt::{Delivery, Encoder, MessageProperties, PublishCopy, SharedPublish};
use proptest::prelude::*;

use crate::{id, topic};

fn read(json: &str) -> Result<Envelope<'_>, EnvelopeError> {
    Envelope::read(json.as_bytes(), &TypeTable::default())
}

#[track_caller]
fn fault(json: &str) -> (EnvelopeFault, String) {
    let error = read(json).expect_err("it is refused");
    (error.fault, error.id)
}

/// What the sender published and what the receiver gets, from E.c.
#[test]
fn a_message_from_one_to_one() {
    let sent = r#"{"id":"839201","from":"a7k2m9q0x4tzp","to":"b1","tenantNo":"T001","target":"","type":0,"content":{"text":"你好"},"timestamp":1675416709033,"isBackground":false}"#;
    let envelope = read(sent).expect("an envelope");
    let wanted = Envelope {
        id: "839201".into(),
        from: "a7k2m9q0x4tzp".into(),
        to: "b1".into(),
        tenant_no: "T001".into(),
        target: String::new(),
        kind: MsgType::Text.into(),
        form: TypeForm::Code,
        content: r#"{"text":"你好"}"#,
        client_time_ms: Some(1_675_416_709_033),
        is_background: false,
    };
    assert_eq!(envelope, wanted);

    let mut out = BytesMut::new();
    let outbound = Outbound {
        id: &envelope.id,
        from: &envelope.from,
        to: "b1",
        tenant_no: &envelope.tenant_no,
        target: "",
        kind: &envelope.kind,
        form: TypeForm::Code,
        content: envelope.content,
        timestamp_ms: 1_675_416_709_120,
        is_background: false,
    };
    outbound.write(&TypeTable::default(), &mut out);
    let received = r#"{"id":"839201","from":"a7k2m9q0x4tzp","to":"b1","tenantNo":"T001","target":"","type":0,"content":{"text":"你好"},"timestamp":1675416709120,"isBackground":false}"#;
    assert_eq!(out, received);
}

/// The rewriting of a group message from E.c, as packets: one text, two
/// receivers.
#[test]
fn a_message_to_a_group() {
    let kind = TypeValue::from(MsgType::Text);
    let outbound = Outbound {
        id: "839202",
        from: "g1",
        to: "",
        tenant_no: "T001",
        target: "a7k2m9q0x4tzp",
        kind: &kind,
        form: TypeForm::Code,
        content: r#"{"text":"开会"}"#,
        timestamp_ms: 1_675_416_709_120,
        is_background: false,
    };
    let (before, after) = outbound.around_to(&TypeTable::default());
    let shared = SharedPublish::with_hole(&MessageProperties::default(), before, after);
    let shared = shared.expect("it encodes");
    for (number, account) in [(1, "b1"), (2, "c1")] {
        let name = topic(account);
        let delivery = Delivery::AtLeastOnce {
            id: id(number),
            dup: false,
        };
        let to = json_string(account);
        let mut copy = PublishCopy::new(&name, delivery);
        copy.fill = to.as_bytes();
        let mut out = BytesMut::new();
        let encoder = Encoder::new(crosstalk_wire::mqtt::Version::V311);
        encoder
            .encode_copy(&shared, &copy, &mut out)
            .expect("it encodes");
        let payload = format!(
            r#"{{"id":"839202","from":"g1","to":"{account}","tenantNo":"T001","target":"a7k2m9q0x4tzp","type":0,"content":{{"text":"开会"}},"timestamp":1675416709120,"isBackground":false}}"#
        );
        let head = [0, 2, account.as_bytes()[0], b'1', 0, number as u8];
        assert_eq!(&out[..1], b"\x32");
        assert_eq!(&out[3..9], head);
        assert_eq!(&out[9..], payload.as_bytes());
    }
}

#[test]
fn every_scalar_is_read_in_each_of_its_forms() {
    let wanted = read(
        r#"{"id":"7","from":"1","to":"2","tenantNo":"3","target":"4","type":1,"content":{},"timestamp":5,"isBackground":true}"#,
    )
    .expect("an envelope");
    for json in [
        r#"{"id":7,"from":1,"to":2,"tenantNo":3,"target":4,"type":1.0,"content":{},"timestamp":"5","isBackground":"true"}"#,
        r#"{"id":"7","from":"1","to":"2","tenantNo":"3","target":"4","type":1,"content":{},"timestamp":5.0,"isBackground":1}"#,
        r#" { "isBackground" : "1" , "timestamp":5,"content":{},"type":1,"target":4,"tenantNo":3,"to":2,"from":1,"\u0069d":"\u0037" } "#,
        // Of members that come twice the last one counts; others do not.
        r#"{"id":8,"to":[],"content":0,"extra":{"id":9},"id":7,"from":1,"to":2,"tenantNo":3,"target":4,"type":1,"content":{},"timestamp":5,"isBackground":true}"#,
    ] {
        assert_eq!(read(json).as_ref(), Ok(&wanted), "{json}");
    }
    for (form, type_form) in [(r#""1""#, TypeForm::String), (r#""image""#, TypeForm::Name)] {
        let json = format!(r#"{{"id":7,"to":2,"type":{form},"content":{{}}}}"#);
        let envelope = read(&json).expect("an envelope");
        assert_eq!(
            (envelope.kind, envelope.form),
            (MsgType::Image.into(), type_form)
        );
    }
}

/// A number keeps all of its digits.
#[test]
fn long_numbers_stay_whole() {
    let json =
        r#"{"id":123456789012345678901234567890,"to":9007199254740993,"type":0,"content":{}}"#;
    let envelope = read(json).expect("an envelope");
    assert_eq!(envelope.id, "123456789012345678901234567890");
    assert_eq!(envelope.to, "9007199254740993");
}

#[test]
fn what_may_be_left_out() {
    for json in [
        r#"{"id":"1","to":"b","type":0,"content":{}}"#,
        r#"{"id":"1","to":"b","type":0,"content":{},"from":null,"tenantNo":null,"target":null,"timestamp":null,"isBackground":null}"#,
        r#"{"id":"1","to":"b","type":0,"content":{},"from":"","timestamp":"","isBackground":""}"#,
    ] {
        let envelope = read(json).expect("an envelope");
        assert_eq!(
            (envelope.from.as_str(), envelope.tenant_no.as_str()),
            ("", "")
        );
        assert_eq!(
            (envelope.client_time_ms, envelope.is_background),
            (None, false)
        );
    }
}

/// The refusals of T3-21, with the id for the answer where there is one.
#[test]
fn what_is_refused() {
    for json in [
        "",
        "x",
        "[]",
        "1",
        "{",
        r#"{"id":"1"} x"#,
        "\u{feff}{}",
        r#"{"id":}"#,
    ] {
        assert_eq!(
            fault(json),
            (EnvelopeFault::NotJson, String::new()),
            "{json}"
        );
    }
    for (json, member, id) in [
        (r#"{"to":"b","type":0,"content":{}}"#, "id", ""),
        (r#"{"id":"","to":"b","type":0,"content":{}}"#, "id", ""),
        (r#"{"id":null,"to":"b","type":0,"content":{}}"#, "id", ""),
        (r#"{"id":7,"type":0,"content":{}}"#, "to", "7"),
        (r#"{"id":7,"to":"","type":0,"content":{}}"#, "to", "7"),
        (r#"{"id":7,"to":"b","content":{}}"#, "type", "7"),
        (r#"{"id":7,"to":"b","type":null,"content":{}}"#, "type", "7"),
        (r#"{"id":7,"to":"b","type":"","content":{}}"#, "type", "7"),
        (r#"{"id":7,"to":"b","type":0}"#, "content", "7"),
        (
            r#"{"id":7,"to":"b","type":0,"content":null}"#,
            "content",
            "7",
        ),
    ] {
        let wanted = (EnvelopeFault::Missing(member), id.to_owned());
        assert_eq!(fault(json), wanted, "{json}");
    }
}

#[test]
fn values_that_are_refused() {
    for (json, member, id) in [
        (r#"{"id":{},"to":"b","type":0,"content":{}}"#, "id", ""),
        (r#"{"id":7,"to":["b"],"type":0,"content":{}}"#, "to", "7"),
        (r#"{"id":7,"to":"b","type":[],"content":{}}"#, "type", "7"),
        (r#"{"id":7,"to":"b","type":0.5,"content":{}}"#, "type", "7"),
        (r#"{"id":7,"to":"b","type":true,"content":{}}"#, "type", "7"),
        (
            r#"{"id":7,"to":"b","type":0,"content":"{}"}"#,
            "content",
            "7",
        ),
        (
            r#"{"id":7,"to":"b","type":0,"content":[{}]}"#,
            "content",
            "7",
        ),
        (
            r#"{"id":7,"to":"b","type":0,"content":{},"from":{}}"#,
            "from",
            "7",
        ),
        (
            r#"{"id":7,"to":"b","type":0,"content":{},"tenantNo":false}"#,
            "tenantNo",
            "7",
        ),
        (
            r#"{"id":7,"to":"b","type":0,"content":{},"target":[]}"#,
            "target",
            "7",
        ),
        (
            r#"{"id":7,"to":"b","type":0,"content":{},"timestamp":"soon"}"#,
            "timestamp",
            "7",
        ),
        (
            r#"{"id":7,"to":"b","type":0,"content":{},"isBackground":2}"#,
            "isBackground",
            "7",
        ),
    ] {
        let wanted = (EnvelopeFault::Wrong(member), id.to_owned());
        assert_eq!(fault(json), wanted, "{json}");
    }
    let bytes = b"{\"id\":7,\"to\":\"b\",\"type\":0,\"content\":{\"text\":\"\xff\"}}";
    let error = Envelope::read(bytes, &TypeTable::default()).expect_err("no UTF-8");
    assert_eq!(error.fault, EnvelopeFault::NotJson);
}

/// Nested far deeper than a parser with a stack of its own likes.
#[test]
fn deep_contents_are_carried() {
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let json = format!(r#"{{"id":7,"to":"b","type":10,"content":{{"x":{deep}}},"y":{deep}}}"#);
    let envelope = read(&json).expect("an envelope");
    assert_eq!(envelope.content.len(), deep.len() + 6);
}

/// Q3-2, Q3-3, T3-14, T3-23.
#[test]
fn types_are_written_in_the_receivers_form() {
    let table = TypeTable::default();
    let forms = [TypeForm::Code, TypeForm::String, TypeForm::Name];
    let written = |value: TypeValue| forms.map(|form| value.to_json(form, &table).to_string());
    assert_eq!(written(MsgType::Text.into()), ["0", r#""0""#, r#""TEXT""#]);
    assert_eq!(
        written(MsgType::Unknown.into()),
        ["-1", r#""-1""#, r#""UNKNOWN""#]
    );
    assert_eq!(written(TypeValue::Code(55)), ["55", r#""55""#, "55"]);
    let name = TypeValue::Name("STICKER".into());
    assert_eq!(written(name), [r#""STICKER""#; 3]);

    for (json, value) in [
        ("55", TypeValue::Code(55)),
        (r#""55""#, TypeValue::Code(55)),
        (r#""Sticker""#, TypeValue::Name("Sticker".into())),
        (r#""TeXt""#, MsgType::Text.into()),
        ("-1", MsgType::Unknown.into()),
    ] {
        let json = format!(r#"{{"id":7,"to":"b","type":{json},"content":{{}}}}"#);
        assert_eq!(read(&json).expect("an envelope").kind, value);
    }
    for foreign in [
        TypeValue::Code(55),
        TypeValue::Name("x".into()),
        MsgType::Unknown.into(),
    ] {
        assert_eq!(foreign.meaning(), MsgType::Custom);
    }
    assert_eq!(TypeValue::from(MsgType::Call).meaning(), MsgType::Call);
}

#[test]
fn a_tenants_own_numbers() {
    let table = TypeTable::with_codes(&[(MsgType::Image, 101)]).expect("no number twice");
    let json = br#"{"id":7,"to":"b","type":101,"content":{}}"#;
    let envelope = Envelope::read(json, &table).expect("an envelope");
    assert_eq!(envelope.kind, MsgType::Image.into());
    assert_eq!(
        envelope.kind.to_json(TypeForm::Code, &table).to_string(),
        "101"
    );
    // Ours has no meaning there, and is relayed.
    let json = br#"{"id":7,"to":"b","type":1,"content":{}}"#;
    let envelope = Envelope::read(json, &table).expect("an envelope");
    assert_eq!(envelope.kind, TypeValue::Code(1));
}

proptest! {
    /// What is written is read as it was, whatever the texts are, and the text
    /// with a hole is the same text.
    #[test]
    fn written_envelopes_are_read(
        texts in proptest::collection::vec(".{1,12}", 5),
        code in -3..60_i64,
        form in prop::sample::select(&[TypeForm::Code, TypeForm::String, TypeForm::Name][..]),
        timestamp_ms in any::<i64>(),
        is_background in any::<bool>(),
    ) {
        let table = TypeTable::default();
        let kind = table.type_of(code).map_or(TypeValue::Code(code), TypeValue::Known);
        let content = format!("{{ \"text\" :{}}}", json_string(&texts[0]));
        let outbound = Outbound {
            id: &texts[0],
            from: &texts[1],
            to: &texts[2],
            tenant_no: &texts[3],
            target: &texts[4],
            kind: &kind,
            form,
            content: &content,
            timestamp_ms,
            is_background,
        };
        let mut out = BytesMut::new();
        outbound.write(&table, &mut out);
        let envelope = Envelope::read(&out, &table).expect("an envelope");
        prop_assert_eq!(&envelope.id, &texts[0]);
        prop_assert_eq!(&envelope.from, &texts[1]);
        prop_assert_eq!(&envelope.to, &texts[2]);
        prop_assert_eq!(&envelope.tenant_no, &texts[3]);
        prop_assert_eq!(&envelope.target, &texts[4]);
        prop_assert_eq!(&envelope.kind, &kind);
        prop_assert_eq!(envelope.content, &content);
        prop_assert_eq!(envelope.client_time_ms, Some(timestamp_ms));
        prop_assert_eq!(envelope.is_background, is_background);
        // A number without a name is a number to everybody.
        let named = form == TypeForm::Name && matches!(kind, TypeValue::Code(_));
        prop_assert_eq!(envelope.form, if named { TypeForm::Code } else { form });

        let (before, after): (Bytes, Bytes) = outbound.around_to(&table);
        let to = json_string(&texts[2]);
        prop_assert_eq!([&before[..], to.as_bytes(), &after[..]].concat(), out.to_vec());
    }
}
