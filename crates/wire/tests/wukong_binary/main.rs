//! Tests of the WuKongIM binary codec through its public surface.
//!
//! `golden` pins real traffic, `layout` pins every field of every version with
//! bytes written by hand, `roundtrip` covers all values by property,
//! `malformed` the errors and limits, `allocation` the memory promises.

mod allocation;
mod arbitrary;
mod golden;
mod layout;
mod malformed;
mod roundtrip;
mod wire_form;

use bytes::BytesMut;
use crosstalk_wire::wukong::binary::{DecodeError, Decoder, Packet, encode};

/// All packets in `bytes`, which must be whole frames.
fn decode_all(bytes: &[u8], version: u8) -> Result<Vec<Packet>, DecodeError> {
    let mut decoder = Decoder::new(version);
    let mut buf = BytesMut::from(bytes);
    let mut packets = Vec::new();
    while let Some(packet) = decoder.decode(&mut buf)? {
        packets.push(packet);
    }
    assert!(buf.is_empty(), "{} bytes are left over", buf.len());
    Ok(packets)
}

/// The one packet in `bytes`.
fn decode_one(bytes: &[u8], version: u8) -> Packet {
    let mut packets = decode_all(bytes, version).expect("the frame decodes");
    assert_eq!(packets.len(), 1);
    packets.remove(0)
}

fn encode_one(packet: &Packet, version: u8) -> Vec<u8> {
    let mut out = BytesMut::new();
    encode(packet, version, &mut out).expect("the packet encodes");
    out.to_vec()
}
