//! Tests of the MQTT codec and of the dialect's JSON through their public
//! surface.
//!
//! `golden` has the specifications' own examples and `layout` every field with
//! bytes written by hand; `roundtrip` covers all values by property,
//! `differential` compares with an independent codec, `malformed`, `properties`
//! and `answers` hold the refusals, `limits` and `allocation` the promises about size and
//! memory, `shared` the copies of one message, `topics` the matching. `im` is
//! the JSON.

mod allocation;
mod answers;
mod arbitrary;
mod differential;
mod golden;
mod im;
mod layout;
mod limits;
mod malformed;
mod oracle;
mod properties;
mod roundtrip;
mod shared;
mod topics;
mod wire_form;

use bytes::BytesMut;
use crosstalk_wire::mqtt::{
    Connect, ConnectProperties, DecodeError, Decoder, Encoder, Packet, PacketId, Side, TopicFilter,
    TopicName, Version,
};

/// The least CONNECT of a version.
fn connect(version: Version) -> Connect {
    Connect {
        version,
        clean_start: true,
        keep_alive_secs: 0,
        client_id: "c".into(),
        will: None,
        username: None,
        password: None,
        properties: ConnectProperties::default(),
    }
}

/// A decoder of what `side` sends once the connection is open.
fn open_decoder(version: Version, side: Side) -> Decoder {
    match side {
        Side::Server => Decoder::of_server(version),
        Side::Client => {
            let mut decoder = Decoder::of_client();
            let mut buf = encode_one(&Packet::Connect(connect(version).into()), version);
            let packet = decoder.decode(&mut buf).expect("CONNECT decodes");
            assert!(matches!(packet, Some(Packet::Connect(_))));
            decoder
        }
    }
}

/// A decoder that takes `packet` as its next one.
fn decoder_for(packet: &Packet, version: Version, side: Side) -> Decoder {
    match packet {
        Packet::Connect(_) => Decoder::of_client(),
        _ => open_decoder(version, side),
    }
}

fn encode_one(packet: &Packet, version: Version) -> BytesMut {
    let mut out = BytesMut::new();
    Encoder::new(version)
        .encode(packet, &mut out)
        .expect("the packet encodes");
    out
}

/// The one packet in `bytes`, which `side` sends on an open connection.
fn decode_one(bytes: &[u8], version: Version, side: Side) -> Result<Packet, DecodeError> {
    let is_connect = bytes.first().is_some_and(|byte| byte >> 4 == 1);
    let mut decoder = if is_connect {
        Decoder::of_client()
    } else {
        open_decoder(version, side)
    };
    let mut buf = BytesMut::from(bytes);
    let packet = decoder.decode(&mut buf)?.expect("the packet is whole");
    assert!(buf.is_empty(), "{} bytes are left over", buf.len());
    Ok(packet)
}

fn id(number: u16) -> PacketId {
    PacketId::new(number).expect("not 0")
}

fn topic(name: &str) -> TopicName {
    TopicName::new(name).expect("a topic")
}

fn filter(text: &str) -> TopicFilter {
    TopicFilter::new(text).expect("a filter")
}
