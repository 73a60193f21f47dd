//! Every field of every version against bytes written by hand from
//! wukong.md §1.3, so that a mistake made on both sides of the codec does not
//! cancel out.

use bytes::Bytes;
use crosstalk_wire::wukong::binary::{
    Connack, EncodeError, Flags, Packet, Recv, Recvack, Send, Sendack, Setting, StreamPart, Sub,
    Suback, encode,
};

use crate::{decode_one, encode_one};

const VERSIONS: [u8; 6] = [1, 2, 3, 4, 5, 6];

/// Fields of a body, to be joined.
type Fields = Vec<(bool, Vec<u8>)>;

fn always(bytes: &[u8]) -> (bool, Vec<u8>) {
    (true, bytes.to_vec())
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = vec![0, u8::try_from(text.len()).expect("short")];
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// A frame with a body below 128 bytes.
fn frame(header: u8, fields: Fields) -> Vec<u8> {
    let body: Vec<u8> = fields
        .into_iter()
        .filter(|(present, _)| *present)
        .flat_map(|(_, bytes)| bytes)
        .collect();
    let len = u8::try_from(body.len()).expect("short");
    assert!(len < 0x80);
    let mut bytes = vec![header, len];
    bytes.extend(body);
    bytes
}

fn seq_field(version: u8) -> (bool, Vec<u8>) {
    if version >= 6 {
        always(&[0, 0, 0, 0, 0, 0, 0, 9])
    } else {
        always(&[0, 0, 0, 9])
    }
}

fn send(setting: u8) -> Send {
    Send {
        flags: Flags::from_bits(0b1101),
        setting: Setting(setting),
        client_seq: 0x0102_0304,
        client_msg_no: "no".into(),
        stream_no: String::new(),
        channel_id: "群".into(),
        channel_type: 2,
        expire_secs: 0,
        msg_key: "key".into(),
        topic: String::new(),
        payload: Bytes::from_static(b"\xff\x00"),
    }
}

#[test]
fn send_of_every_version_and_setting() {
    for version in VERSIONS {
        for setting in [0, 0x02, 0x08, 0x0a, 0xff] {
            let streamed = (2..=4).contains(&version) && setting & 0x02 != 0;
            let with_topic = setting & 0x08 != 0;
            let bytes = frame(
                0x3d,
                vec![
                    always(&[setting, 1, 2, 3, 4]),
                    always(&string("no")),
                    (streamed, string("stream")),
                    always(&string("群")),
                    always(&[2]),
                    (version >= 3, vec![0, 0, 0x0e, 0x10]),
                    always(&string("key")),
                    (with_topic, string("topic")),
                    always(b"\xff\x00"),
                ],
            );
            let mut packet = send(setting);
            if streamed {
                packet.stream_no = "stream".into();
            }
            if with_topic {
                packet.topic = "topic".into();
            }
            if version >= 3 {
                packet.expire_secs = 3600;
            }
            let packet = Packet::Send(packet);
            assert_eq!(
                decode_one(&bytes, version),
                packet,
                "v{version} {setting:#x}"
            );
            assert_eq!(
                encode_one(&packet, version),
                bytes,
                "v{version} {setting:#x}"
            );
        }
    }
}

#[test]
fn a_send_without_payload() {
    let mut packet = send(0);
    packet.payload = Bytes::new();
    let packet = Packet::Send(packet);
    assert_eq!(decode_one(&encode_one(&packet, 5), 5), packet);
}

fn recv_bytes(version: u8, setting: u8, stream: bool) -> Vec<u8> {
    let mut stream_fields = vec![1];
    stream_fields.extend(string("stream"));
    stream_fields.extend([0, 0, 0, 0, 0, 0, 1, 0]);
    frame(
        0x52,
        vec![
            always(&[setting]),
            always(&string("key")),
            always(&string("")),
            always(&string("peer")),
            always(&[1]),
            (version >= 3, vec![0, 0, 0, 60]),
            always(&string("no")),
            (stream, stream_fields),
            always(&[0xff; 8]),
            seq_field(version),
            always(&[0x80, 0, 0, 0]),
            (setting & 0x08 != 0, string("topic")),
            always(b"data"),
        ],
    )
}

fn recv(version: u8, setting: u8) -> Recv {
    Recv {
        flags: Flags::from_bits(0b0010),
        setting: Setting(setting),
        msg_key: "key".into(),
        from_uid: String::new(),
        channel_id: "peer".into(),
        channel_type: 1,
        expire_secs: if version >= 3 { 60 } else { 0 },
        client_msg_no: "no".into(),
        stream: None,
        message_id: -1,
        message_seq: 9,
        timestamp_secs: i32::MIN,
        topic: if setting & 0x08 != 0 { "topic" } else { "" }.into(),
        payload: Bytes::from_static(b"data"),
    }
}

#[test]
fn recv_of_every_version() {
    for version in VERSIONS {
        for setting in [0, 0x08, 0xb8] {
            let bytes = recv_bytes(version, setting, false);
            let packet = Packet::Recv(recv(version, setting));
            assert_eq!(
                decode_one(&bytes, version),
                packet,
                "v{version} {setting:#x}"
            );
            assert_eq!(
                encode_one(&packet, version),
                bytes,
                "v{version} {setting:#x}"
            );
        }
    }
}

#[test]
fn recv_never_carries_stream_fields_and_tells_old_clients_nothing_of_streams() {
    for version in VERSIONS {
        let mut packet = recv(version, 0xff);
        packet.stream = Some(StreamPart {
            flag: 1,
            stream_no: "stream".into(),
            stream_id: 256,
        });
        let expected = if version < 5 { 0xf9 } else { 0xff };
        assert_eq!(
            encode_one(&Packet::Recv(packet), version),
            recv_bytes(version, expected, false),
            "v{version}"
        );
    }
}

#[test]
fn recv_stream_fields_are_read_in_the_order_of_the_server() {
    for version in VERSIONS {
        let streamed = (2..=4).contains(&version);
        let bytes = recv_bytes(version, 0x02, streamed);
        let mut expected = recv(version, 0x02);
        expected.stream = streamed.then(|| StreamPart {
            flag: 1,
            stream_no: "stream".into(),
            stream_id: 256,
        });
        assert_eq!(
            decode_one(&bytes, version),
            Packet::Recv(expected),
            "v{version}"
        );
    }
}

#[test]
fn acks_of_every_version() {
    for version in VERSIONS {
        let bytes = frame(
            0x4f,
            vec![
                always(&[0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 3]),
                seq_field(version),
                always(&[13]),
            ],
        );
        let packet = Packet::Sendack(Sendack {
            flags: Flags::from_bits(0x0f),
            message_id: 5,
            client_seq: 3,
            message_seq: 9,
            reason: 13,
        });
        assert_eq!(decode_one(&bytes, version), packet, "v{version}");
        assert_eq!(encode_one(&packet, version), bytes, "v{version}");

        let bytes = frame(
            0x61,
            vec![always(&[0, 0, 0, 0, 0, 0, 0, 5]), seq_field(version)],
        );
        let packet = Packet::Recvack(Recvack {
            flags: Flags::from_bits(0x01),
            message_id: 5,
            message_seq: 9,
        });
        assert_eq!(decode_one(&bytes, version), packet, "v{version}");
        assert_eq!(encode_one(&packet, version), bytes, "v{version}");
    }
}

#[test]
fn a_sequence_of_more_than_32_bits_needs_version_6() {
    let seq = u64::from(u32::MAX) + 1;
    let ack = Packet::Recvack(Recvack {
        flags: Flags::default(),
        message_id: 0,
        message_seq: seq,
    });
    let mut message = recv(5, 0);
    message.message_seq = seq;
    for packet in [ack, Packet::Recv(message)] {
        for version in 1..=5 {
            let mut out = bytes::BytesMut::from(&b"before"[..]);
            assert_eq!(
                encode(&packet, version, &mut out),
                Err(EncodeError::SeqTooLarge { seq })
            );
            assert_eq!(&out[..], b"before");
        }
        assert_eq!(decode_one(&encode_one(&packet, 6), 6), packet);
    }
}

fn connack(server_version: Option<u8>, node_id: Option<u64>) -> Connack {
    Connack {
        server_version,
        time_diff_ms: -2,
        reason: 2,
        server_key: String::new(),
        salt: "salt".into(),
        node_id,
    }
}

fn connack_bytes(server_version: Option<u8>, node_id: Option<u8>) -> Vec<u8> {
    frame(
        0x20 | u8::from(server_version.is_some()),
        vec![
            (
                server_version.is_some(),
                server_version.into_iter().collect(),
            ),
            always(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 2]),
            always(&string("")),
            always(&string("salt")),
            (
                node_id.is_some(),
                vec![0, 0, 0, 0, 0, 0, 0, node_id.unwrap_or(0)],
            ),
        ],
    )
}

#[test]
fn connack_node_id_follows_the_version_byte_and_else_the_codec() {
    // Version byte, the codec's version, whether a node id is on the wire.
    let cases = [
        (None, 1, false),
        (None, 3, false),
        (None, 4, true),
        (None, 5, true),
        (Some(3), 5, false),
        (Some(4), 1, true),
        (Some(5), 5, true),
        (Some(6), 6, true),
    ];
    for (byte, version, with_node) in cases {
        let packet = Packet::Connack(connack(byte, with_node.then_some(7)));
        let bytes = connack_bytes(byte, with_node.then_some(7));
        assert_eq!(decode_one(&bytes, version), packet, "{byte:?} v{version}");
        assert_eq!(encode_one(&packet, version), bytes, "{byte:?} v{version}");

        // A missing node id is written as 0, a needless one is left out.
        let other = Packet::Connack(connack(byte, (!with_node).then_some(7)));
        let bytes = connack_bytes(byte, with_node.then_some(0));
        assert_eq!(encode_one(&other, version), bytes, "{byte:?} v{version}");
    }
}

#[test]
fn sub_and_suback() {
    let packet = Packet::Sub(Sub {
        setting: Setting(0x80),
        sub_no: "s1".into(),
        channel_id: "ch".into(),
        channel_type: 7,
        action: 1,
        param: "p".into(),
    });
    let bytes = frame(
        0xa0,
        vec![
            always(&[0x80]),
            always(&string("s1")),
            always(&string("ch")),
            always(&[7, 1]),
            always(&string("p")),
        ],
    );
    assert_eq!(decode_one(&bytes, 5), packet);
    assert_eq!(encode_one(&packet, 5), bytes);

    let packet = Packet::Suback(Suback {
        sub_no: "s1".into(),
        channel_id: "ch".into(),
        channel_type: 7,
        action: 1,
        reason: 23,
    });
    let bytes = frame(
        0xb0,
        vec![
            always(&string("s1")),
            always(&string("ch")),
            always(&[7, 1, 23]),
        ],
    );
    assert_eq!(decode_one(&bytes, 5), packet);
    assert_eq!(encode_one(&packet, 5), bytes);
}

#[test]
fn flags_and_settings_are_the_documented_bits() {
    for bits in 0..16 {
        assert_eq!(Flags::from_bits(bits).bits(), bits);
        assert_eq!(Flags::from_bits(bits | 0xf0).bits(), bits);
    }
    assert!(Flags::from_bits(0x01).no_persist);
    assert!(Flags::from_bits(0x02).red_dot);
    assert!(Flags::from_bits(0x04).sync_once);
    assert!(Flags::from_bits(0x08).dup);

    type Has = fn(Setting) -> bool;
    let named: [(u8, Has); 5] = [
        (0x80, Setting::has_receipt),
        (0x20, Setting::has_signal),
        (0x10, Setting::has_no_encrypt),
        (0x08, Setting::has_topic),
        (0x02, Setting::has_stream),
    ];
    for (bit, has) in named {
        assert!(has(Setting(bit)));
        assert!(!has(Setting(!bit)));
    }
}
