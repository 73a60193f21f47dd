//! Fuzzing of the MQTT decoder and of the dialect's envelope.
//!
//! Runs for about a second per target under `cargo test`; `BOLERO_RANDOM_TEST_TIME_MS`
//! or a fuzzing engine makes it longer. Whatever comes in, nothing panics, the
//! cut of the input does not matter, every refusal has an answer, and what was
//! decoded survives being encoded and decoded again.

use bytes::BytesMut;
use crosstalk_wire::mqtt::im::background::Background;
use crosstalk_wire::mqtt::im::{Envelope, Outbound, TypeTable};
use crosstalk_wire::mqtt::{DecodeError, Decoder, Encoder, Packet, Version};

/// Who sends the input: a client from its first byte on, or a server.
fn decoder(choice: u8) -> Decoder {
    match choice % 4 {
        0 => Decoder::of_server(Version::V31),
        1 => Decoder::of_server(Version::V311),
        2 => Decoder::of_server(Version::V5),
        _ => Decoder::of_client(),
    }
}

/// A stream that a client may send, with a choice of version.
fn client_stream(choice: u8, rest: &[u8]) -> Vec<u8> {
    let connect: &[u8] = match choice % 3 {
        0 => b"\x10\x0f\0\x06MQIsdp\x03\x02\0\0\0\x01c",
        1 => b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01c",
        _ => b"\x10\x0e\0\x04MQTT\x05\x02\0\0\0\0\x01c",
    };
    [connect, rest].concat()
}

type Decoded = (Vec<Packet>, Option<DecodeError>, Decoder);

/// Feeds `input` in pieces of `piece` bytes; the packets and how it ended.
fn decode(input: &[u8], mut decoder: Decoder, piece: usize) -> Decoded {
    let mut buf = BytesMut::new();
    let mut packets = Vec::new();
    for bytes in input.chunks(piece.max(1)) {
        buf.extend_from_slice(bytes);
        loop {
            let before = buf.len();
            match decoder.decode(&mut buf) {
                Ok(Some(packet)) => {
                    assert!(buf.len() < before, "a packet takes bytes");
                    packets.push(packet);
                }
                Ok(None) => {
                    assert_eq!(buf.len(), before);
                    break;
                }
                Err(error) => {
                    assert_eq!(buf.len(), before);
                    assert_eq!(decoder.decode(&mut buf), Err(error), "errors are stable");
                    return (packets, Some(error), decoder);
                }
            }
        }
    }
    (packets, None, decoder)
}

fn check(input: &[u8], start: Decoder, piece: usize) {
    let (packets, error, end) = decode(input, start, usize::MAX);
    let in_pieces = decode(input, start, piece);
    assert_eq!((&in_pieces.0, in_pieces.1), (&packets, error));

    if let Some(error) = error {
        for accepted in [false, true] {
            let mut out = BytesMut::new();
            error.answer(end.version(), accepted).encode(&mut out);
            if !out.is_empty() {
                let version = if out.len() == 4 {
                    Version::V311
                } else {
                    Version::V5
                };
                let mut client = Decoder::of_server(version);
                assert!(matches!(client.decode(&mut out), Ok(Some(_))));
            }
        }
    }
    let Some(version) = end.version() else {
        return;
    };
    let encoder = Encoder::new(version);
    let mut bytes = BytesMut::new();
    for packet in &packets {
        encoder
            .encode(packet, &mut bytes)
            .expect("what was decoded can be encoded");
    }
    let (again, error, _) = decode(&bytes, start, usize::MAX);
    assert_eq!((again, error), (packets, None));
}

#[test]
fn arbitrary_bytes() {
    bolero::check!().for_each(|input: &[u8]| {
        let [choice, piece, stream @ ..] = input else {
            return;
        };
        check(stream, decoder(*choice), usize::from(*piece));
        let stream = client_stream(*choice, stream);
        check(&stream, Decoder::of_client(), usize::from(*piece));
    });
}

/// Bytes seldom look like a packet by chance; here type, flags and length are
/// right and the strings short, so that most bodies get far.
#[test]
fn arbitrary_bodies() {
    bolero::check!()
        .with_type::<(u8, u8, Vec<(u8, u8, Vec<Vec<u8>>)>)>()
        .for_each(|(choice, piece, packets)| {
            let mut stream = Vec::new();
            for (header, number, strings) in packets {
                let mut body = vec![0, *number];
                for (index, string) in strings.iter().enumerate() {
                    // Numbers and strings in turn.
                    if index % 2 == 1 {
                        let len = string.len() as u16;
                        body.extend_from_slice(&len.to_be_bytes());
                    }
                    body.extend_from_slice(string);
                }
                body.truncate(0x3fff);
                let flags = match header >> 4 {
                    3 => header & 0x07,
                    6 | 8 | 10 => 0x02,
                    _ => 0,
                };
                stream.push(header & 0xf0 | flags);
                let len = body.len();
                if len < 0x80 {
                    stream.push(len as u8);
                } else {
                    stream.extend([0x80 | (len & 0x7f) as u8, (len >> 7) as u8]);
                }
                stream.extend(body);
            }
            check(&stream, decoder(*choice), usize::from(*piece));
            let stream = client_stream(*choice, &stream);
            check(&stream, Decoder::of_client(), usize::from(*piece));
        });
}

/// A valid stream of either side with one byte changed.
#[test]
fn damaged_packets() {
    const CLIENT: &[u8] = b"\
        \x10\x3a\0\x04MQTT\x05\xce\0\x0a\x15\x11\0\0\0\x0a\x21\0\x05\x22\0\x03\x15\0\x01M\x16\0\x03abc\
        \0\x02id\x05\x18\0\0\0\x09\0\x01w\0\x03bye\0\x02me\0\x02pw\
        \x32\x1e\0\x03a/b\0\x0a\x11\x01\x01\x02\0\0\0\x07\x26\0\x01k\0\x01v\x23\0\x01hello\
        \x82\x13\0\x0b\x02\x0b\x05\0\x03a/+\x01\0\x05b/c/#\x2a\
        \xa2\x08\0\x0c\0\0\x03a/b\
        \x62\x03\0\x0d\x92\
        \xf0\x08\x18\x06\x15\0\x03SHA\
        \xc0\0\
        \xe0\x07\x04\x05\x11\0\0\0\x01";
    const SERVER: &[u8] = b"\
        \x20\x13\x01\0\x10\x11\0\0\0\x0a\x24\x01\x25\0\x12\0\x01i\x13\0\x3c\
        \x3b\x0f\0\x01t\0\x05\x04\x0b\x01\x0b\x02hello\
        \x90\x0a\0\x0b\x05\x1f\0\x02no\x01\x87\
        \xb0\x04\0\x0c\0\x11\
        \x40\x09\0\x01\x10\x05\x1f\0\x02ok\
        \xd0\0\
        \xe0\x07\x9d\x05\x1c\0\x02b:";
    for (stream, start, count) in [
        (CLIENT, Decoder::of_client(), 8),
        (SERVER, Decoder::of_server(Version::V5), 7),
    ] {
        let (packets, error, _) = decode(stream, start, usize::MAX);
        assert_eq!((packets.len(), error), (count, None), "{packets:?}");
    }

    bolero::check!().with_type::<(bool, u8, u8, u8)>().for_each(
        |&(is_client, piece, position, byte)| {
            let (stream, start) = if is_client {
                (CLIENT, Decoder::of_client())
            } else {
                (SERVER, Decoder::of_server(Version::V5))
            };
            let mut stream = stream.to_vec();
            let position = usize::from(position) % stream.len();
            stream[position] = byte;
            check(&stream, start, usize::from(piece));
        },
    );
}

/// An envelope that is read can be written, and is the same when read again.
fn check_envelope(payload: &[u8]) {
    let table = TypeTable::default();
    let Ok(envelope) = Envelope::read(payload, &table) else {
        return;
    };
    if let Ok(background) = Background::read(envelope.content) {
        let _ = background.request();
        let _ = background.as_call();
    }
    let mut out = BytesMut::new();
    let outbound = Outbound {
        id: &envelope.id,
        from: &envelope.from,
        to: &envelope.to,
        tenant_no: &envelope.tenant_no,
        target: &envelope.target,
        kind: &envelope.kind,
        form: envelope.form,
        content: envelope.content,
        timestamp_ms: envelope.client_time_ms.unwrap_or_default(),
        is_background: envelope.is_background,
    };
    outbound.write(&table, &mut out);
    let mut again = Envelope::read(&out, &table).expect("what was written can be read");
    if envelope.client_time_ms.is_none() {
        again.client_time_ms = None;
    }
    assert_eq!(again, envelope);
}

#[test]
fn arbitrary_payloads() {
    bolero::check!().for_each(check_envelope);
}

/// JSON seldom comes by chance; here only the values are arbitrary.
#[test]
fn arbitrary_members() {
    const VALUES: [&str; 14] = [
        "\"\"",
        "\"1\"",
        "1",
        "-1",
        "1e400",
        "0.0",
        "null",
        "true",
        "{}",
        "[]",
        "\"text\"",
        "{\"type\":\"read\",\"content\":{\"ids\":[1,\"2\"]}}",
        "{\"type\":\"call\",\"content\":{\"status\":[]}}",
        "99999999999999999999999",
    ];
    const NAMES: [&str; 10] = [
        "id",
        "from",
        "to",
        "tenantNo",
        "target",
        "type",
        "content",
        "timestamp",
        "isBackground",
        "other",
    ];
    bolero::check!()
        .with_type::<(u8, Vec<(u8, u8)>)>()
        .for_each(|(cut, members)| {
            let members = members.iter().map(|(name, value)| {
                let name = NAMES[usize::from(*name) % NAMES.len()];
                let value = VALUES[usize::from(*value) % VALUES.len()];
                format!("\"{name}\":{value}")
            });
            let basis = ["\"id\":\"1\",\"to\":\"b\",\"type\":0,\"content\":{}".to_owned()];
            let members: Vec<_> = basis.into_iter().chain(members).collect();
            let mut json = format!("{{{}}}", members.join(","));
            if *cut < 16 {
                json.truncate(usize::from(*cut));
            }
            check_envelope(json.as_bytes());
        });
}
