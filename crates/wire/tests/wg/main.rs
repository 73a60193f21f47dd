//! Tests of the wg codec through its public surface.
//!
//! `golden` pins the messages of the transcripts, `checks` every refusal and
//! the order of the checks, `bodies` what is inside of bodies, `roundtrip` all
//! values by property, `http` login and channel manager.

mod bodies;
mod checks;
mod golden;
mod http;
mod roundtrip;

use bytes::{Bytes, BytesMut};
use crosstalk_wire::lenient::Json;
use crosstalk_wire::wg::{
    Content, Envelope, Fault, Incoming, Limits, Message, decode_to_server, encode,
};

fn json(text: &str) -> Json {
    Json::parse(&Bytes::copy_from_slice(text.as_bytes())).expect("valid JSON")
}

fn read(text: &str) -> Result<Incoming, Fault> {
    decode_to_server(&Bytes::copy_from_slice(text.as_bytes()), &Limits::default())
}

/// A message that can be read at all.
#[track_caller]
fn envelope(text: &str) -> Envelope {
    match read(text) {
        Ok(Incoming::Message(envelope)) => envelope,
        other => panic!("no message: {other:?}"),
    }
}

fn encoded(message: &Message<impl Content>) -> String {
    let mut out = BytesMut::from(&b"before"[..]);
    encode(message, &mut out);
    assert_eq!(&out[..6], b"before");
    String::from_utf8(out[6..].to_vec()).expect("JSON is UTF-8")
}
