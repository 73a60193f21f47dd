//! The memory promises, checked by counting what this thread allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::BytesMut;
use crosstalk_wire::sockjs::Messages;
use crosstalk_wire::stomp::im::{ChatSend, Members};
use crosstalk_wire::stomp::{
    Command, Decoder, Escaping, Frame, FrameError, Receiver, SharedMessage, Side, encode,
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

/// A body that is announced costs nothing until it comes.
#[test]
fn an_announced_body_reserves_nothing() {
    let mut decoder = Decoder::new(Side::Client);
    let mut buf = BytesMut::from(&b"SEND\ncontent-length:1000000\n\nx"[..]);
    let (bytes, result) = allocated(|| decoder.decode(&mut buf));
    assert_eq!(result, Ok(None));
    assert!(bytes < 256, "{bytes}");
    assert!(buf.capacity() < 256);
}

#[test]
fn heart_beats_and_commands_allocate_nothing() {
    let mut decoder = Decoder::new(Side::Client);
    let mut buf = BytesMut::from(&[b'\n'; 10_000][..]);
    let (bytes, result) = allocated(|| decoder.decode(&mut buf));
    assert_eq!((bytes, result), (0, Ok(None)));
    let mut buf = BytesMut::from(&b"SUBSCRIBE\n"[..]);
    let (bytes, result) = allocated(|| decoder.decode(&mut buf));
    assert_eq!((bytes, result), (0, Ok(None)));
}

#[test]
fn a_refused_frame_allocates_nothing() {
    let cases: [&[u8]; 4] = [
        b"nonsense",
        b"UNSUBSCRIBEUNSUBSCRIBE",
        b"SEND\nno colon\n\n\0",
        b"CONNECT\n\nbody\0",
    ];
    for bytes in cases {
        let mut decoder = Decoder::new(Side::Client);
        let mut buf = BytesMut::from(bytes);
        let (bytes, result) = allocated(|| decoder.decode(&mut buf));
        assert!(result.is_err());
        assert_eq!(bytes, 0);
    }
}

/// The worst head that the limits let through costs a few times its bytes;
/// the same holds for one that is refused.
#[test]
fn headers_cost_a_small_multiple_of_their_bytes() {
    let mut head = String::from("SEND\n");
    for _ in 0..10_000 {
        head.push_str("a:\n");
    }
    let mut decoder = Decoder::new(Side::Client);
    let mut buf = BytesMut::from(head.as_bytes());
    let (bytes, result) = allocated(|| decoder.decode(&mut buf));
    assert_eq!(result, Err(FrameError::TooManyHeaders { limit: 64 }));
    assert!(bytes < 8 * 1024, "{bytes}");

    let line = format!("a:{}\n", "x".repeat(8_000));
    let head = format!("SEND\n{}\n\0", line.repeat(8));
    let mut decoder = Decoder::new(Side::Client);
    let mut buf = BytesMut::from(head.as_bytes());
    let (bytes, result) = allocated(|| decoder.decode(&mut buf));
    assert!(result.expect("within the limits").is_some());
    assert!(bytes < 4 * head.len(), "{bytes}");
}

#[test]
fn a_body_is_a_slice_of_the_input() {
    let frame = Frame::new(Command::Send).with_body(vec![7; 100_000]);
    let mut buf = BytesMut::new();
    encode(&frame, Escaping::SPRING, &mut buf).expect("encodes");
    let input = buf.as_ptr_range();
    let mut decoder = Decoder::new(Side::Client);
    let (bytes, decoded) = allocated(|| decoder.decode(&mut buf));
    let decoded = decoded.expect("decodes").expect("whole");
    assert_eq!(decoded.body, frame.body);
    assert!(input.contains(&decoded.body.as_ptr()));
    assert!(bytes < 256, "{bytes}");
}

/// A frame without a body does not hold on to the input: its buffer is free
/// for what comes next.
#[test]
fn an_empty_body_keeps_nothing_alive() {
    let mut buf = BytesMut::with_capacity(4096);
    buf.extend_from_slice(b"SEND\n\n\0");
    let frame = Decoder::new(Side::Client).decode(&mut buf);
    assert!(frame.is_ok_and(|frame| {
        let (bytes, ()) = allocated(|| buf.reserve(4096));
        assert_eq!(bytes, 0);
        frame.is_some()
    }));
}

/// A byte at a time costs no more than the whole at once.
#[test]
fn single_bytes_cost_nothing_more() {
    let bytes = b"SEND\ndestination:/app/chat.send\nreceipt:1\n\nHello\0";
    let mut decoder = Decoder::new(Side::Client);
    let mut buf = BytesMut::from(&bytes[..]);
    let (whole, _) = allocated(|| decoder.decode(&mut buf).expect("decodes"));
    let mut buf = BytesMut::with_capacity(1024);
    let (single, frame) = allocated(|| {
        let mut frame = None;
        for byte in bytes {
            buf.extend_from_slice(&[*byte]);
            frame = decoder.decode(&mut buf).expect("decodes");
        }
        frame
    });
    assert!(frame.is_some());
    // The slice of a shared buffer has a count of its owners.
    assert!(single <= whole + 64, "{single} {whole}");
}

#[test]
fn a_receiver_costs_only_the_growth_of_the_output() {
    let shared =
        SharedMessage::new("/topic/a", None, &[b'x'; 1000], Escaping::SPRING).expect("it encodes");
    let receiver = Receiver {
        subscription: Some("sub-1"),
        message_id: "s1-1",
        ack: Some("s1-1"),
    };
    let mut out = BytesMut::with_capacity(4096);
    let (bytes, result) = allocated(|| shared.encode_for(&receiver, Escaping::SPRING, &mut out));
    assert_eq!((bytes, result), (0, Ok(())));
    let mut out = BytesMut::new();
    let (bytes, result) = allocated(|| shared.encode_for(&receiver, Escaping::SPRING, &mut out));
    assert_eq!(result, Ok(()));
    assert!(bytes <= out.len() + 64, "{bytes}");
}

/// JSON made to blow up in memory does not.
#[test]
fn hostile_json_costs_no_more_than_its_bytes() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let wide = format!("{{\"a\":[{}0]}}", "[],".repeat(30_000));
    let names: String = (0..10_000).map(|n| format!("\"n{n}\":0,")).collect();
    let many = format!("{{{names}\"a\":1}}");
    for json in [deep, wide, many] {
        let (bytes, _) = allocated(|| Members::read(json.as_bytes(), &["a"]).is_ok());
        assert!(bytes <= 2 * json.len(), "{bytes} for {}", json.len());
        let (bytes, _) = allocated(|| ChatSend::read(json.as_bytes()).is_err());
        assert!(bytes <= 2 * json.len(), "{bytes} for {}", json.len());
    }
    let mentions = format!("{{\"mentionedUserIds\":[{}0]}}", "0,".repeat(30_000));
    let (bytes, _) = allocated(|| ChatSend::read(mentions.as_bytes()).is_err());
    assert!(bytes <= 2 * mentions.len(), "{bytes}");
    let empties = format!("[{}\"\"]", "\"\",".repeat(100_000));
    let (bytes, messages) = allocated(|| Messages::from_websocket(&empties));
    assert_eq!(messages.map(|it| it.len()), Ok(100_001));
    assert!(bytes <= 8 * empties.len(), "{bytes}");
}
