//! Tests of STOMP through its public surface.
//!
//! `golden` pins the traffic of real clients and servers, `typed` what each
//! command requires, `cutting` how a stream comes apart, `malformed` the
//! errors and limits, `roundtrip` all frames by property, `shared_message`
//! the message with holes, `allocation` the memory promises, `differential`
//! what another codec makes of the same bytes. `dialect`, `events`,
//! `requests` and `user_sig` are about the JSON on top.

mod allocation;
mod arbitrary;
mod cutting;
mod dialect;
mod differential;
mod events;
mod golden;
mod malformed;
mod requests;
mod roundtrip;
mod shared_message;
mod typed;
mod user_sig;

use bytes::BytesMut;
use crosstalk_wire::stomp::{Decoder, Escaping, Frame, FrameError, Side, Version, encode};

/// A decoder of what clients of `version` send.
fn decoder(version: Version) -> Decoder {
    let mut decoder = Decoder::new(Side::Client);
    decoder.set_version(version);
    decoder
}

/// The frames of `bytes`, how it ended, and what is left of the bytes.
fn drain(decoder: &mut Decoder, bytes: &[u8]) -> (Vec<Frame>, Option<FrameError>, BytesMut) {
    let mut buf = BytesMut::from(bytes);
    let mut frames = Vec::new();
    loop {
        match decoder.decode(&mut buf) {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return (frames, None, buf),
            Err(error) => return (frames, Some(error), buf),
        }
    }
}

/// The frames of `bytes`, which must be whole ones of a client's.
fn decode_all(bytes: &[u8], version: Version) -> Vec<Frame> {
    let (frames, error, rest) = drain(&mut decoder(version), bytes);
    assert_eq!(error, None);
    assert!(rest.is_empty(), "{rest:?} is left over");
    frames
}

/// The one frame of `bytes`, from a client.
fn decode_one(bytes: &[u8], version: Version) -> Frame {
    let mut frames = decode_all(bytes, version);
    assert_eq!(frames.len(), 1);
    frames.remove(0)
}

/// The one frame of `bytes`, from a server.
fn decode_server(bytes: &[u8]) -> Frame {
    let (mut frames, error, rest) = drain(&mut Decoder::new(Side::Server), bytes);
    assert_eq!((frames.len(), error, rest.len()), (1, None, 0));
    frames.remove(0)
}

fn encode_one(frame: &Frame, escaping: Escaping) -> Vec<u8> {
    let mut out = BytesMut::new();
    encode(frame, escaping, &mut out).expect("the frame encodes");
    out.to_vec()
}
