//! What a PUBLISH costs: reading one, writing one, writing one of many copies,
//! and reading the envelope inside.

#![allow(clippy::unwrap_used, reason = "a bench that fails has nobody to tell")]

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{Criterion, Throughput};
use crosstalk_wire::mqtt::im::{
    Envelope, MsgType, Outbound, TypeForm, TypeTable, TypeValue, json_string,
};
use crosstalk_wire::mqtt::{
    Decoder, Delivery, Encoder, MessageProperties, Packet, PacketId, Publish, PublishCopy,
    SharedPublish, TopicName, UserProperties, Version,
};

const DELIVERY: Delivery = Delivery::AtLeastOnce {
    id: PacketId::new(10).expect("not 0"),
    dup: false,
};

/// A message to `im/send` as `mqtt.md` E.c has it.
const ENVELOPE: &str = r#"{"id":"839201","from":"a7k2m9q0x4tzp","to":"b1","tenantNo":"T001","target":"","type":0,"content":{"text":"你好"},"timestamp":1675416709033,"isBackground":false}"#;

fn publish(properties: MessageProperties) -> Packet {
    Packet::Publish(Publish {
        delivery: DELIVERY,
        retain: false,
        topic: Some(TopicName::new("im/send").unwrap()),
        topic_alias: None,
        subscription_ids: Vec::new(),
        properties,
        payload: Bytes::from_static(ENVELOPE.as_bytes()),
    })
}

fn properties() -> MessageProperties {
    let mut user_properties = UserProperties::new();
    user_properties.push("trace", "0123456789").unwrap();
    MessageProperties {
        payload_is_utf8: Some(true),
        expiry_secs: Some(60),
        content_type: Some("application/json".into()),
        user_properties,
        ..MessageProperties::default()
    }
}

fn packets(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("publish");
    group.throughput(Throughput::Elements(1));
    for (name, version, packet) in [
        (
            "3.1.1",
            Version::V311,
            publish(MessageProperties::default()),
        ),
        ("5.0 with 4 properties", Version::V5, publish(properties())),
    ] {
        let encoder = Encoder::new(version);
        let mut bytes = BytesMut::new();
        encoder.encode(&packet, &mut bytes).unwrap();
        group.bench_function(format!("decode {name}"), |bencher| {
            let mut decoder = Decoder::of_server(version);
            let mut buf = BytesMut::new();
            bencher.iter(|| {
                buf.extend_from_slice(&bytes);
                decoder.decode(black_box(&mut buf)).unwrap()
            });
        });
        group.bench_function(format!("encode {name}"), |bencher| {
            let mut out = BytesMut::new();
            bencher.iter(|| {
                out.clear();
                encoder.encode(black_box(&packet), &mut out).unwrap();
            });
        });
    }
    group.finish();
}

fn copies(criterion: &mut Criterion) {
    let table = TypeTable::default();
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
    let mut group = criterion.benchmark_group("group message");
    group.throughput(Throughput::Elements(1));
    group.bench_function("prepare for all", |bencher| {
        bencher.iter(|| {
            let (before, after) = black_box(&outbound).around_to(&table);
            SharedPublish::with_hole(&MessageProperties::default(), before, after).unwrap()
        });
    });
    let (before, after) = outbound.around_to(&table);
    let shared = SharedPublish::with_hole(&MessageProperties::default(), before, after).unwrap();
    let name = TopicName::new("a7k2m9q0x4tzp").unwrap();
    let to = json_string(name.as_str());
    for (label, version) in [("3.1.1", Version::V311), ("5.0", Version::V5)] {
        let encoder = Encoder::new(version);
        let mut copy = PublishCopy::new(&name, DELIVERY);
        copy.fill = to.as_bytes();
        group.bench_function(format!("copy {label}"), |bencher| {
            let mut out = BytesMut::new();
            bencher.iter(|| {
                out.clear();
                let copy = black_box(&copy);
                encoder.encode_copy(&shared, copy, &mut out).unwrap();
            });
        });
    }
    group.bench_function("read envelope", |bencher| {
        bencher.iter(|| Envelope::read(black_box(ENVELOPE.as_bytes()), &table).unwrap());
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    packets(&mut criterion);
    copies(&mut criterion);
    criterion.final_summary();
}
