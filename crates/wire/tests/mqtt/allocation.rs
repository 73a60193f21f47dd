//! The memory promises, checked by counting what this thread allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::{Bytes, BytesMut};
use crosstalk_wire::mqtt::im::{Envelope, TypeTable};
use crosstalk_wire::mqtt::{
    Decoder, Delivery, Encoder, MessageProperties, Packet, Publish, PublishCopy, SharedPublish,
    Side, Version,
};

use crate::{encode_one, id, open_decoder, topic};

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, with a count of bytes per thread.
struct Counting;

fn count(bytes: usize) {
    // A thread that is ending has no count any more, and no test either.
    let _ = ALLOCATED.try_with(|total| total.set(total.get() + bytes));
}

// An allocator cannot be written without `unsafe`; both methods only count and
// pass their arguments on, so the system's allocator keeps the contract.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that `run` allocates.
fn allocated<T>(run: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATED.get();
    let result = run();
    (ALLOCATED.get() - before, result)
}

#[test]
fn the_count_counts() {
    let (bytes, _kept) = allocated(|| Vec::<u8>::with_capacity(100));
    assert_eq!(bytes, 100);
}

#[test]
fn an_incomplete_packet_allocates_nothing() {
    // A PUBLISH that announces almost 1 MiB, and ten bytes of it.
    let mut decoder = open_decoder(Version::V5, Side::Client);
    let mut buf = BytesMut::with_capacity(64);
    buf.extend_from_slice(&[0x30, 0xf0, 0xff, 0x3f]);
    buf.extend_from_slice(&[0; 10]);
    let capacity = buf.capacity();
    let (bytes, result) = allocated(|| decoder.decode(&mut buf));
    assert_eq!(result, Ok(None));
    assert_eq!(bytes, 0);
    assert_eq!(buf.capacity(), capacity);
}

/// A length inside a packet that announces more than there is costs nothing.
#[test]
fn a_lying_length_allocates_nothing() {
    let cases: [(&[u8], Side); 9] = [
        // The packet itself.
        (b"\x30\xff\xff\xff\x7f", Side::Client),
        // A topic, the properties, a user property's value.
        (b"\x30\x04\xff\xffab", Side::Client),
        (b"\x30\x07\0\x01t\xff\xff\xff\x7f", Side::Client),
        (b"\x30\x0b\0\x01t\x07\x26\0\x01a\xff\xffb", Side::Client),
        // A correlation, a reason string, a method.
        (b"\x30\x09\0\x01t\x05\x09\xff\xffab", Side::Client),
        (b"\x40\x08\0\x01\0\x04\x1f\xff\xffa", Side::Client),
        (b"\xf0\x06\x18\x04\x15\xff\xffa", Side::Server),
        // A filter, a reason code that is none.
        (b"\x82\x06\0\x01\0\xff\xffa", Side::Client),
        (b"\x20\x03\0\x7f\0", Side::Server),
    ];
    for (input, side) in cases {
        let mut decoder = open_decoder(Version::V5, side);
        let mut buf = BytesMut::from(input);
        let (bytes, result) = allocated(|| decoder.decode(&mut buf));
        assert!(result.is_err(), "{input:x?}");
        assert_eq!(bytes, 0, "{input:x?}");
    }
    let mut buf = BytesMut::from(&b"\x10\x10\0\x04MQTT\x05\x02\0\0\0\xff\xffabc"[..]);
    let (bytes, result) = allocated(|| Decoder::of_client().decode(&mut buf));
    assert!(result.is_err());
    assert_eq!(bytes, 0);
}

#[test]
fn a_payload_is_a_slice_of_the_input() {
    let payload = vec![7; 100_000];
    let packet = Packet::Publish(Publish {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: Some(topic("im/send")),
        topic_alias: None,
        subscription_ids: Vec::new(),
        properties: MessageProperties::default(),
        payload: Bytes::from(payload.clone()),
    });
    for version in Version::ALL {
        let mut decoder = open_decoder(version, Side::Client);
        let mut buf = encode_one(&packet, version);
        let input = buf.as_ptr_range();
        let (bytes, decoded) = allocated(|| decoder.decode(&mut buf));
        let Ok(Some(Packet::Publish(publish))) = decoded else {
            panic!("not a PUBLISH");
        };
        assert_eq!(publish.payload, payload);
        assert!(input.contains(&publish.payload.as_ptr()));
        // The topic and the shared state of the split buffer.
        assert!(bytes < 100, "{bytes} bytes");
    }
}

/// A packet full of the smallest user properties costs about its own size.
#[test]
fn small_properties_do_not_grow() {
    let pairs = b"\x26\0\0\0\0".repeat(3000);
    let mut input = b"\x30\x9d\x75\0\x01t\x98\x75".to_vec();
    input.extend_from_slice(&pairs);
    let mut decoder = open_decoder(Version::V5, Side::Client);
    let mut buf = BytesMut::from(&input[..]);
    let (bytes, decoded) = allocated(|| decoder.decode(&mut buf));
    let Ok(Some(Packet::Publish(publish))) = decoded else {
        panic!("not a PUBLISH: {decoded:?}");
    };
    assert_eq!(publish.properties.user_properties.iter().count(), 3000);
    // A buffer that doubles allocates less than four times its end in all.
    assert!(bytes < 4 * pairs.len(), "{bytes} bytes");
}

#[test]
fn a_fan_out_allocates_nothing_once_its_buffer_has_grown() {
    let before = Bytes::from_static(b"{\"to\":");
    let after = Bytes::from(vec![b'x'; 3000]);
    let properties = MessageProperties::default();
    let shared = SharedPublish::with_hole(&properties, before, after).expect("encodes");
    let encoder = Encoder::new(Version::V5);
    let name = topic("a7k2m9q0x4tzp");
    let mut out = BytesMut::new();
    let deliver = |number, out: &mut BytesMut| {
        out.clear();
        let delivery = Delivery::AtLeastOnce {
            id: id(number),
            dup: false,
        };
        let mut copy = PublishCopy::new(&name, delivery);
        copy.fill = b"\"a7k2m9q0x4tzp\"";
        encoder.encode_copy(&shared, &copy, out).expect("encodes");
    };
    deliver(1, &mut out);
    let (bytes, ()) = allocated(|| deliver(2, &mut out));
    assert_eq!(bytes, 0);
}

/// An envelope costs its short members, not its content, and nothing for what
/// is not ours.
#[test]
fn an_envelope_does_not_copy_its_content() {
    let table = TypeTable::default();
    let long = "x".repeat(100_000);
    let many = "\"z\":[],".repeat(10_000);
    let json = format!(
        r#"{{{many}"id":"1","to":"b1","type":0,"content":{{"text":"{long}"}},"other":"{long}"}}"#
    );
    let (bytes, envelope) = allocated(|| Envelope::read(json.as_bytes(), &table));
    let envelope = envelope.expect("an envelope");
    assert_eq!(envelope.content.len(), long.len() + 11);
    assert!(bytes < 1000, "{bytes} bytes");
}
