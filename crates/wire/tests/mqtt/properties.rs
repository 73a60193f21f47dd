//! Properties that may not be as they are: unknown, misplaced, repeated, out of
//! range, from the wrong side, or missing.

use crosstalk_wire::mqtt::{DecodeError, PropertyFault, PropertyId, Side, Version};

use crate::malformed::{connect, error_of, from_client, from_server, publish_with};
use crate::open_decoder;

const V5: Version = Version::V5;

/// What is wrong with a 5.0 CONNECT with these properties.
#[track_caller]
fn connect_with(properties: &[u8]) -> DecodeError {
    let len = u8::try_from(properties.len()).expect("short");
    let body = [
        b"\0\x04MQTT\x05\x02\0\0",
        &[len][..],
        properties,
        b"\0\x01c",
    ];
    connect(&body.concat())
}

fn property(id: PropertyId, fault: PropertyFault) -> DecodeError {
    DecodeError::Property { id, fault }
}

#[test]
fn properties_are_known_and_in_their_place() {
    for unknown in [0x00, 0x04, 0x2b, 0x7f, 0x80, 0xff] {
        let error = DecodeError::UnknownProperty(unknown);
        assert_eq!(connect_with(&[unknown, 0]), error);
    }
    let foreign = |id| property(id, PropertyFault::NotInThisPacket);
    let alias = PropertyId::TopicAlias;
    assert_eq!(connect_with(b"\x23\0\x01"), foreign(alias));
    let delay = PropertyId::WillDelayInterval;
    assert_eq!(
        publish_with(Side::Client, b"\x18\0\0\0\x01"),
        foreign(delay)
    );
    // One that each other packet does not have.
    for (bytes, side) in [
        (&b"\x20\x06\0\0\x03\x23\0\x01"[..], Side::Server),
        (b"\x40\x07\0\x01\0\x03\x23\0\x01", Side::Client),
        (b"\x82\x0a\0\x01\x03\x23\0\x01\0\x01a\0", Side::Client),
        (b"\xa2\x09\0\x01\x03\x23\0\x01\0\x01a", Side::Client),
        (b"\x90\x07\0\x01\x03\x23\0\x01\0", Side::Server),
        (b"\xb0\x07\0\x01\x03\x23\0\x01\0", Side::Server),
        (b"\xe0\x05\0\x03\x23\0\x01", Side::Client),
        (b"\xf0\x05\x18\x03\x23\0\x01", Side::Client),
    ] {
        assert_eq!(error_of(bytes, open_decoder(V5, side)), foreign(alias));
    }
    // A will has none of CONNECT's.
    let body = b"\0\x04MQTT\x05\x06\0\0\0\0\x01c\x05\x11\0\0\0\x01\0\x01w\0\0";
    assert_eq!(connect(body), foreign(PropertyId::SessionExpiryInterval));
}

#[test]
fn properties_come_once_but_for_two() {
    let twice = |id| property(id, PropertyFault::Duplicate);
    for (properties, id) in [
        (
            &b"\x11\0\0\0\x01\x11\0\0\0\x01"[..],
            PropertyId::SessionExpiryInterval,
        ),
        (b"\x21\0\x01\x21\0\x02", PropertyId::ReceiveMaximum),
        (
            b"\x27\0\0\0\x01\x27\0\0\0\x01",
            PropertyId::MaximumPacketSize,
        ),
        (b"\x22\0\0\x22\0\0", PropertyId::TopicAliasMaximum),
        (b"\x19\0\x19\0", PropertyId::RequestResponseInformation),
        (b"\x17\x01\x17\x01", PropertyId::RequestProblemInformation),
        (b"\x15\0\0\x15\0\0", PropertyId::AuthenticationMethod),
        (b"\x15\0\0\x16\0\0\x16\0\0", PropertyId::AuthenticationData),
    ] {
        assert_eq!(connect_with(properties), twice(id));
    }
    for (properties, id) in [
        (&b"\x01\0\x01\0"[..], PropertyId::PayloadFormatIndicator),
        (
            b"\x02\0\0\0\0\x02\0\0\0\0",
            PropertyId::MessageExpiryInterval,
        ),
        (b"\x03\0\0\x03\0\0", PropertyId::ContentType),
        (b"\x08\0\x01r\x08\0\x01r", PropertyId::ResponseTopic),
        (b"\x09\0\0\x09\0\0", PropertyId::CorrelationData),
        (b"\x23\0\x01\x23\0\x01", PropertyId::TopicAlias),
    ] {
        assert_eq!(publish_with(Side::Client, properties), twice(id));
    }
    let subscribe = b"\x82\x0b\0\x01\x04\x0b\x01\x0b\x01\0\x01a\0";
    let id = PropertyId::SubscriptionIdentifier;
    assert_eq!(from_client(V5, subscribe), twice(id));
    let puback = b"\x40\x0a\0\x01\0\x06\x1f\0\0\x1f\0\0";
    assert_eq!(from_client(V5, puback), twice(PropertyId::ReasonString));
}

#[test]
fn properties_have_their_ranges() {
    let range = |id| property(id, PropertyFault::OutOfRange);
    for (properties, id) in [
        (&b"\x21\0\0"[..], PropertyId::ReceiveMaximum),
        (b"\x27\0\0\0\0", PropertyId::MaximumPacketSize),
        (b"\x19\x02", PropertyId::RequestResponseInformation),
        (b"\x17\xff", PropertyId::RequestProblemInformation),
    ] {
        assert_eq!(connect_with(properties), range(id));
    }
    let format = PropertyId::PayloadFormatIndicator;
    assert_eq!(publish_with(Side::Client, b"\x01\x02"), range(format));
    assert_eq!(
        publish_with(Side::Client, b"\x23\0\0"),
        DecodeError::TopicAliasZero
    );
    let id = PropertyId::SubscriptionIdentifier;
    assert_eq!(publish_with(Side::Server, b"\x0b\0"), range(id));
    assert_eq!(
        from_client(V5, b"\x82\x09\0\x01\x02\x0b\0\0\x01a\0"),
        range(id)
    );
    for (properties, id) in [
        (b"\x24\x02", PropertyId::MaximumQos),
        (b"\x25\x02", PropertyId::RetainAvailable),
        (b"\x28\x02", PropertyId::WildcardSubscriptionAvailable),
        (b"\x29\x02", PropertyId::SubscriptionIdentifierAvailable),
        (b"\x2a\x02", PropertyId::SharedSubscriptionAvailable),
    ] {
        let bytes = [b"\x20\x05\0\0\x02", &properties[..]].concat();
        assert_eq!(from_server(V5, &bytes), range(id));
    }
}

#[test]
fn properties_come_from_their_side() {
    let wrong = |id| property(id, PropertyFault::NotFromThisSide);
    let id = PropertyId::SubscriptionIdentifier;
    assert_eq!(publish_with(Side::Client, b"\x0b\x01"), wrong(id));
    let expiry = b"\xe0\x07\0\x05\x11\0\0\0\x01";
    let id = PropertyId::SessionExpiryInterval;
    assert_eq!(from_server(V5, expiry), wrong(id));
    let reference = b"\xe0\x06\0\x04\x1c\0\x01s";
    let id = PropertyId::ServerReference;
    assert_eq!(from_client(V5, reference), wrong(id));
}

#[test]
fn authentication_needs_its_method() {
    let missing = property(PropertyId::AuthenticationMethod, PropertyFault::Missing);
    assert_eq!(connect_with(b"\x16\0\x01d"), missing);
    assert_eq!(from_client(V5, b"\xf0\x02\x18\0"), missing);
    assert_eq!(from_server(V5, b"\xf0\0"), missing);
}

#[test]
fn user_properties_are_strings() {
    for (pair, error) in [
        (&b"\x26\0\x01\xff\0\0"[..], DecodeError::NotUtf8),
        (b"\x26\0\0\0\x01\xff", DecodeError::NotUtf8),
        (b"\x26\0\x01\0\0\0", DecodeError::NulInString),
        (b"\x26\0\0\0\x01\0", DecodeError::NulInString),
    ] {
        assert_eq!(connect_with(pair), error);
        assert_eq!(publish_with(Side::Client, pair), error);
    }
}
