//! Fuzzing of the WuKongIM binary decoder.
//!
//! Runs for about a second per target under `cargo test`; `BOLERO_RANDOM_TEST_TIME_MS`
//! or a fuzzing engine makes it longer. Whatever comes in, nothing panics, the
//! cut of the input does not matter, and what was decoded survives being
//! encoded and decoded again.

#[path = "wukong_binary/wire_form.rs"]
mod wire_form;

use bytes::BytesMut;
use crosstalk_wire::wukong::binary::crypto::{Cipher, KeyPair};
use crosstalk_wire::wukong::binary::{DecodeError, Decoder, Packet, encode};

use wire_form::wire_form;

/// Feeds `input` in pieces of `piece` bytes; the packets and how it ended.
fn decode(input: &[u8], version: u8, piece: usize) -> (Vec<Packet>, Option<DecodeError>) {
    let mut decoder = Decoder::new(version);
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
                    return (packets, Some(error));
                }
            }
        }
    }
    (packets, None)
}

fn check(input: &[u8], version: u8, piece: usize) {
    let whole = decode(input, version, usize::MAX);
    assert_eq!(decode(input, version, piece), whole);

    for packet in whole.0 {
        let mut bytes = BytesMut::new();
        encode(&packet, version, &mut bytes).expect("what was decoded can be encoded");
        let again = decode(&bytes, version, usize::MAX);
        assert_eq!(again, (vec![wire_form(packet, version)], None));
    }
}

#[test]
fn arbitrary_bytes() {
    bolero::check!().for_each(|input: &[u8]| {
        let [version, piece, stream @ ..] = input else {
            return;
        };
        check(stream, version % 8, usize::from(*piece));
    });
}

/// Bytes seldom look like a frame by chance; here the header and length are
/// right and the strings short, so that most bodies get far.
#[test]
fn arbitrary_bodies() {
    bolero::check!()
        .with_type::<(u8, u8, Vec<(u8, Vec<Vec<u8>>)>)>()
        .for_each(|(version, piece, frames)| {
            let mut stream = Vec::new();
            for (header, strings) in frames {
                let mut body = Vec::new();
                for (index, string) in strings.iter().enumerate() {
                    // Numbers and strings in turn.
                    if index % 2 == 1 {
                        let len = string.len() as u16;
                        body.extend_from_slice(&len.to_be_bytes());
                    }
                    body.extend_from_slice(string);
                }
                body.truncate(0x3fff);
                stream.push(*header);
                let len = body.len();
                stream.extend([0x80 | (len & 0x7f) as u8, (len >> 7) as u8]);
                stream.extend(body);
            }
            check(&stream, version % 8, usize::from(*piece));
        });
}

/// A valid stream with one byte changed.
#[test]
fn damaged_frames() {
    const STREAM: &[u8] = b"\
        \x10\x27\x05\x01\0\x03dev\0\x03uid\0\x03tok\0\0\0\0\0\0\0\x01\0\x0cclient_key==\
        \x3a\x20\x0a\0\0\0\x01\0\x02no\0\x02ch\x01\0\0\0\0\0\x03key\0\x05topicab\
        \x62\x0c\0\0\0\0\0\0\0\x01\0\0\0\x02\
        \x70\
        \x42\x11\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\x02\x01\
        \x90\x05\x0c\0\x02by";
    let (packets, error) = decode(STREAM, 5, usize::MAX);
    assert_eq!((packets.len(), error), (6, None), "{packets:?}");

    bolero::check!().with_type::<(u8, u8, u8, u8)>().for_each(
        |&(version, piece, position, byte)| {
            let mut stream = STREAM.to_vec();
            let position = usize::from(position) % stream.len();
            stream[position] = byte;
            check(&stream, version % 8, usize::from(piece));
        },
    );
}

#[test]
fn arbitrary_ciphertexts_and_keys() {
    let cipher = Cipher::from_key_iv(b"0123456789abcdef", b"AbCdEfGh12345678");
    let pair = KeyPair::from_secret([7; 32]);
    bolero::check!().for_each(|input: &[u8]| {
        // Opening any bytes may fail but not panic.
        let _ = cipher.decrypt(input);
        let _ = pair.agree(&String::from_utf8_lossy(input));
        let mut text = Vec::new();
        cipher.encrypt_into(input, &mut text);
        assert_eq!(cipher.decrypt(&text).as_deref(), Ok(input));
    });
}
