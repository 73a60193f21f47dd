//! Tests of the gyyx codec through its public surface.
//!
//! `table` pins codes and field sets to the document's own table, `golden` the
//! frames of the transcripts, `tolerance` the forms in which values may come,
//! `malformed` every refusal, `roundtrip` all values by property, `shared` the
//! frames for many, `signing` signatures and the URL, `http` the bodies.

mod arbitrary;
mod golden;
mod http;
mod malformed;
mod roundtrip;
mod shared;
mod signing;
mod table;
mod tolerance;

use bytes::{Bytes, BytesMut};
use crosstalk_wire::gyyx::{
    Base, Codes, Form, Incoming, Limits, Outgoing, Own, Style, ToServer, decode_to_server,
    encode_to_client, encode_to_server,
};
use crosstalk_wire::lenient::Json;

/// The connection of the transcripts.
const OWN: Own<'static> = Own {
    app_id: "1477358668",
    user_id: "48057",
    version: "1.10",
};

const TABLE: Style = Style {
    codes: Codes::Table,
    form: Form::Number,
};

const PROSE: Style = Style {
    codes: Codes::Prose,
    form: Form::Number,
};

fn json(text: &str) -> Json {
    Json::parse(&Bytes::copy_from_slice(text.as_bytes())).expect("valid JSON")
}

fn received(text: &str) -> Incoming {
    decode_to_server(&Bytes::copy_from_slice(text.as_bytes()), &Limits::default())
}

/// What a frame asks for; it must be well-formed.
#[track_caller]
fn asked(text: &str) -> ToServer {
    received(text).body.expect("a well-formed frame")
}

fn to_client(frame: &Outgoing, style: Style) -> String {
    let mut out = BytesMut::new();
    encode_to_client(frame, style, &mut out);
    String::from_utf8(out.to_vec()).expect("JSON is UTF-8")
}

fn to_server(base: &Base, body: &ToServer, style: Style) -> String {
    let mut out = BytesMut::new();
    encode_to_server(base, body, style, &mut out);
    String::from_utf8(out.to_vec()).expect("JSON is UTF-8")
}
