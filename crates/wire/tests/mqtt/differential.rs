//! Ours against an independent codec, for packets that both can carry: each
//! reads what the other wrote, and means the same by it.
//!
//! Where the other one differs, and why ours is right:
//!
//! - It has no DISCONNECT with 0x8C, which table 2-6 of 5.0 lists.
//! - It holds one subscription id per PUBLISH and refuses a second one, which a
//!   server needs for overlapping filters (§3.3.4).
//! - It takes a PUBLISH without topic and without alias, topic alias 0,
//!   subscription id 0 and DUP with QoS 0, which §3.3.2.1, §3.3.2.3.4,
//!   §3.8.2.1.2 and §3.3.1.1 forbid.
//! - It takes U+0000 outside of topics (§1.5.4), `+` with more behind it in its
//!   level (§4.7.1), and bytes after the last field (§4.13).
//! - It writes the failure of a 3.1.1 SUBACK as 3, which is reserved; §3.9.3
//!   says 0x80.
//! - It refuses a payload that says it is UTF-8 and is not. The receiver may do
//!   so (§3.3.2.3.2); our codec leaves that to who answers with 0x99.
//!
//! `differences` pins these, so that the list stays true.

use bytes::BytesMut;
use crosstalk_wire::mqtt::{MessageProperties, Packet, ReasonCode, Side, Version};
use proptest::prelude::*;

use crate::arbitrary::packet;
use crate::oracle::through;
use crate::wire_form::wire_form;
use crate::{decode_one, decoder_for, encode_one, open_decoder};

/// Whether the other codec can hold the packet.
fn is_common(packet: &Packet, version: Version) -> bool {
    match packet {
        Packet::Suback(suback) => {
            version == Version::V5 || !suback.reasons.iter().any(|code| code.is_error())
        }
        Packet::Publish(publish) => {
            publish.subscription_ids.len() <= 1
                && is_as_announced(&publish.properties, &publish.payload)
        }
        Packet::Connect(connect) => connect
            .will
            .as_ref()
            .is_none_or(|will| is_as_announced(&will.properties, &will.payload)),
        Packet::Disconnect(packet) => packet.reason != ReasonCode::BadAuthenticationMethod,
        _ => true,
    }
}

fn is_as_announced(properties: &MessageProperties, payload: &[u8]) -> bool {
    properties.payload_is_utf8 != Some(true) || std::str::from_utf8(payload).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn both_read_what_the_other_writes((version, side, packet) in packet()) {
        prop_assume!(is_common(&packet, version));
        let ours = encode_one(&packet, version);
        let wanted = wire_form(packet.clone(), version);
        let (theirs, again) = through(&ours, version).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&theirs, &wanted);

        let mut buf = BytesMut::from(&again[..]);
        let decoded = decoder_for(&packet, version, side).decode(&mut buf);
        prop_assert_eq!(decoded, Ok(Some(wanted)));
        prop_assert!(buf.is_empty());
    }

    /// What we take from noise that looks like a packet, the other takes, too,
    /// and means the same.
    #[test]
    fn what_we_accept_the_other_accepts(
        (version, side, packet) in packet(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = encode_one(&packet, version);
        // The length stays, so that there is one packet.
        let length_bytes = bytes[1..].iter().position(|byte| byte & 0x80 == 0);
        let length_bytes = 1 + length_bytes.expect("it ends");
        let at = at.index(bytes.len() - length_bytes);
        bytes[if at == 0 { 0 } else { at + length_bytes }] = byte;
        let is_connect = bytes[0] >> 4 == 1;
        let was_connect = matches!(packet, Packet::Connect(_));
        prop_assume!(is_connect == was_connect);
        let mut decoder = decoder_for(&packet, version, side);
        let Ok(Some(ours)) = decoder.decode(&mut bytes.clone()) else {
            return Ok(());
        };
        // The damage may have made it another version.
        let version = decoder.version().expect("decoded");
        prop_assume!(is_common(&ours, version) && is_plain(&ours, version));
        let (theirs, _) = through(&bytes, version).map_err(TestCaseError::fail)?;
        prop_assert_eq!(theirs, ours);
    }
}

/// Whether the packet has nothing that the other one does not know: the habits
/// of 3.1 (DUP, a missing user name, an unused byte), and in 3.1.1 a filter that
/// is `$share/` and more, which is one like any other.
fn is_plain(packet: &Packet, version: Version) -> bool {
    let is_v31 = version == Version::V31;
    match packet {
        Packet::Connect(_) | Packet::Connack(_) | Packet::Pubrel(_) => !is_v31,
        Packet::Subscribe(packet) => {
            let mut filters = packet.subscriptions.iter();
            !is_v31 && filters.all(|it| it.filter.shared().is_ok())
        }
        Packet::Unsubscribe(packet) => {
            let mut filters = packet.filters.iter();
            !is_v31 && filters.all(|it| it.shared().is_ok())
        }
        _ => true,
    }
}

#[test]
fn differences() {
    // 0x8C, two subscription ids, text that is none: ours alone.
    for (bytes, side) in [
        (&b"\xe0\x01\x8c"[..], Side::Server),
        (b"\x30\x08\0\x01t\x04\x0b\x01\x0b\x02", Side::Server),
        (b"\x30\x07\0\x01t\x02\x01\x01\xff", Side::Client),
    ] {
        assert!(decode_one(bytes, Version::V5, side).is_ok());
        assert!(through(bytes, Version::V5).is_err(), "{bytes:x?}");
    }
    // A failure of 3.1.1.
    let suback = b"\x90\x03\0\x01\x80";
    let (_, again) = through(suback, Version::V311).expect("it is read");
    assert_eq!(again, b"\x90\x03\0\x01\x03");
    // Let through there, refused here.
    for bytes in [
        &b"\x30\x03\0\0\0"[..],
        b"\x38\x04\0\x01t\0",
        b"\x30\x07\0\x01t\x03\x23\0\0",
        b"\x82\x09\0\x01\x02\x0b\0\0\x01a\0",
        b"\x40\x08\0\x01\0\x04\x1f\0\x01\0",
        b"\xa2\x09\0\x01\0\0\x04b/+P",
        b"\xe0\x03\0\0x",
    ] {
        let mut decoder = open_decoder(Version::V5, Side::Client);
        assert!(decoder.decode(&mut BytesMut::from(bytes)).is_err());
        let theirs = mqtt_proto::v5::Packet::decode(bytes);
        assert!(matches!(theirs, Ok(Some(_))), "{bytes:x?}: {theirs:?}");
    }
}
