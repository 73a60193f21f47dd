//! The memory promises, checked by counting what this thread allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::{Bytes, BytesMut};
use crosstalk_wire::wukong::binary::crypto::{Cipher, RecvSealer};
use crosstalk_wire::wukong::binary::{
    Decoder, Flags, Packet, RecvParts, Send, Setting, encode, encode_recv,
};

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
fn an_incomplete_frame_allocates_nothing() {
    // A SEND that announces 1 MiB, and ten bytes of it.
    let mut buf = BytesMut::with_capacity(64);
    buf.extend_from_slice(&[0x30, 0x80, 0x80, 0x40]);
    buf.extend_from_slice(&[0; 10]);
    let capacity = buf.capacity();
    let (bytes, result) = allocated(|| Decoder::new(5).decode(&mut buf));
    assert_eq!(result, Ok(None));
    assert_eq!(bytes, 0);
    assert_eq!(buf.capacity(), capacity);
}

#[test]
fn a_refused_frame_allocates_nothing() {
    let mut buf = BytesMut::from(&[0x30, 0xff, 0xff, 0xff, 0x7f][..]);
    let (bytes, result) = allocated(|| Decoder::new(5).decode(&mut buf));
    assert!(result.is_err());
    assert_eq!(bytes, 0);
}

/// A string that announces more than the body holds costs nothing either.
#[test]
fn a_lying_string_allocates_nothing() {
    let mut buf = BytesMut::from(&[0x90, 0x03, 0, 0x7f, 0xff][..]);
    let (bytes, result) = allocated(|| Decoder::new(5).decode(&mut buf));
    assert!(result.is_err());
    assert_eq!(bytes, 0);
}

#[test]
fn a_payload_is_a_slice_of_the_input() {
    let payload = vec![7; 100_000];
    let send = Packet::Send(Send {
        flags: Flags::default(),
        setting: Setting(0),
        client_seq: 1,
        client_msg_no: "no".into(),
        stream_no: String::new(),
        channel_id: "bob".into(),
        channel_type: 1,
        expire_secs: 0,
        msg_key: String::new(),
        topic: String::new(),
        payload: Bytes::from(payload.clone()),
    });
    let mut buf = BytesMut::new();
    encode(&send, 5, &mut buf).expect("encodes");
    let input = buf.as_ptr_range();

    let (bytes, packet) = allocated(|| Decoder::new(5).decode(&mut buf));
    let Ok(Some(Packet::Send(send))) = packet else {
        panic!("not a SEND");
    };
    assert_eq!(send.payload, payload);
    assert!(input.contains(&send.payload.as_ptr()));
    // Two short strings and the shared state of the split buffer.
    assert!(bytes < 200, "{bytes} bytes");
}

/// Deliveries of a fan-out: seal, sign, encode.
#[test]
fn a_fan_out_allocates_nothing_once_its_buffers_have_grown() {
    let cipher = Cipher::from_key_iv(b"0123456789abcdef", b"AbCdEfGh12345678");
    let payload = vec![b'x'; 3000];
    let plain = RecvParts {
        flags: Flags::default(),
        setting: Setting(Setting::TOPIC),
        msg_key: "",
        from_uid: "alice",
        channel_id: "bob",
        channel_type: 1,
        expire_secs: 0,
        client_msg_no: "no",
        message_id: 7,
        message_seq: 8,
        timestamp_secs: 9,
        topic: "topic",
        payload: &payload,
    };
    let deliver = |count: usize, sealer: &mut RecvSealer, out: &mut BytesMut| {
        sealer.seal(&cipher, std::iter::repeat_n(plain, count));
        sealer.shrink();
        out.clear();
        for lane in 0..count {
            encode_recv(&sealer.sealed(lane, plain), 5, out).expect("encodes");
        }
    };
    for count in [1, RecvSealer::LANES] {
        let (mut sealer, mut out) = (RecvSealer::default(), BytesMut::new());
        deliver(count, &mut sealer, &mut out);
        let (bytes, ()) = allocated(|| deliver(count, &mut sealer, &mut out));
        assert_eq!(bytes, 0, "{count} at once");
    }
}
