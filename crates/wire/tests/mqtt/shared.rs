//! A copy of a shared message is, byte for byte, the PUBLISH that a receiver
//! would get on its own.

use std::num::NonZeroU16;

use bytes::{Bytes, BytesMut};
use crosstalk_wire::mqtt::{
    Delivery, EncodeError, Encoder, MessageProperties, Packet, Publish, PublishCopy, SharedPublish,
    Side, Version,
};
use proptest::prelude::*;

use crate::arbitrary::{publish, version};
use crate::{encode_one, id, topic};

fn copy_of(publish: &Publish) -> PublishCopy<'_> {
    PublishCopy {
        delivery: publish.delivery,
        retain: publish.retain,
        topic: publish.topic.as_ref(),
        topic_alias: publish.topic_alias,
        expiry_secs: publish.properties.expiry_secs,
        subscription_ids: &publish.subscription_ids,
        fill: &[],
    }
}

proptest! {
    #[test]
    fn a_copy_is_the_packet(
        (version, publish) in version().prop_flat_map(|v| (Just(v), publish(v, Side::Server))),
        cuts in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let whole = encode_one(&Packet::Publish(publish.clone()), version);
        let encoder = Encoder::new(version);

        let shared = SharedPublish::new(&publish.properties, publish.payload.clone());
        let shared = shared.expect("it encodes");
        let mut out = BytesMut::from(&b"before"[..]);
        encoder.encode_copy(&shared, &copy_of(&publish), &mut out).expect("it encodes");
        prop_assert_eq!(&out[..6], b"before");
        prop_assert_eq!(&out[6..], &whole[..]);

        // The same with a hole anywhere in the payload.
        let len = publish.payload.len() + 1;
        let (a, b) = (cuts.0.index(len), cuts.1.index(len));
        let (from, to) = (a.min(b), a.max(b));
        let shared = SharedPublish::with_hole(
            &publish.properties,
            publish.payload.slice(..from),
            publish.payload.slice(to..),
        )
        .expect("it encodes");
        let mut copy = copy_of(&publish);
        copy.fill = &publish.payload[from..to];
        let mut out = BytesMut::new();
        encoder.encode_copy(&shared, &copy, &mut out).expect("it encodes");
        prop_assert_eq!(&out[..], &whole[..]);

        // The head alone, and the payload as it is.
        let mut out = BytesMut::new();
        encoder.encode_copy_head(&shared, &copy, &mut out).expect("it encodes");
        for segment in shared.payload(&copy) {
            out.extend_from_slice(segment);
        }
        prop_assert_eq!(out, whole);
    }
}

#[test]
fn a_copy_that_is_too_large_is_not_written() {
    let payload = Bytes::from_static(b"0123456789");
    let shared = SharedPublish::new(&MessageProperties::default(), payload).expect("encodes");
    let name = topic("t");
    let mut copy = PublishCopy::new(&name, Delivery::AtMostOnce);
    copy.fill = b"ab";
    let mut encoder = Encoder::new(Version::V5);
    encoder.set_max_packet(18);
    let mut out = BytesMut::new();
    encoder
        .encode_copy(&shared, &copy, &mut out)
        .expect("it fits");
    assert_eq!(out.len(), 18);

    encoder.set_max_packet(17);
    let mut out = BytesMut::from(&b"before"[..]);
    let error = EncodeError::TooLarge { len: 18, limit: 17 };
    for written in [
        encoder.encode_copy(&shared, &copy, &mut out),
        encoder.encode_copy_head(&shared, &copy, &mut out),
    ] {
        assert_eq!(written, Err(error));
        assert_eq!(&out[..], b"before");
    }
}

#[test]
fn a_copy_needs_a_topic_or_an_alias() {
    let shared = SharedPublish::new(&MessageProperties::default(), Bytes::new()).expect("encodes");
    let name = topic("t");
    let delivery = Delivery::AtLeastOnce {
        id: id(1),
        dup: false,
    };
    let mut copy = PublishCopy::new(&name, delivery);
    copy.topic = None;
    let encoder = Encoder::new(Version::V5);
    let mut out = BytesMut::new();
    let result = encoder.encode_copy(&shared, &copy, &mut out);
    assert_eq!(result, Err(EncodeError::NoTopic));
    copy.topic_alias = NonZeroU16::new(7);
    encoder
        .encode_copy(&shared, &copy, &mut out)
        .expect("encodes");
    assert_eq!(&out[..], b"\x32\x08\0\0\0\x01\x03\x23\0\x07");
    let result = Encoder::new(Version::V311).encode_copy(&shared, &copy, &mut out);
    assert_eq!(result, Err(EncodeError::NoTopic));
}

#[test]
fn what_cannot_be_encoded_is_not_shared() {
    let properties = MessageProperties {
        content_type: Some("\0".into()),
        ..MessageProperties::default()
    };
    let error = SharedPublish::new(&properties, Bytes::new());
    assert_eq!(error, Err(EncodeError::String { len: 1 }));
}
