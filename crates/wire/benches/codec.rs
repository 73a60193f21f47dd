//! What it costs to cut frames out of bytes and to write them, without cryptography.

#![allow(clippy::unwrap_used, reason = "a bench that fails has nobody to tell")]

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, Criterion};
use crosstalk_wire::wukong::binary::{
    Decoder, Flags, LATEST_VERSION, Packet, Recv, Recvack, Send, Sendack, Setting, encode,
    encode_recv,
};

/// Base64 of a sealed payload of 100 bytes.
const SEALED_BYTES: usize = 152;
/// Acknowledgements that come in one read of a busy client.
const ACKS: i64 = 16;

fn flags() -> Flags {
    Flags {
        red_dot: true,
        ..Flags::default()
    }
}

fn send() -> Packet {
    Packet::Send(Send {
        flags: flags(),
        setting: Setting(0),
        client_seq: 77,
        client_msg_no: "f3c1b1de-7f1e-4a4b-9f10-7a4f5a3c9d11".into(),
        stream_no: String::new(),
        channel_id: "group-1".into(),
        channel_type: 2,
        expire_secs: 0,
        msg_key: "0123456789abcdef0123456789abcdef".into(),
        topic: String::new(),
        payload: Bytes::from(vec![b'x'; SEALED_BYTES]),
    })
}

fn recv() -> Recv {
    Recv {
        flags: flags(),
        setting: Setting(0),
        msg_key: "0123456789abcdef0123456789abcdef".into(),
        from_uid: "user-1".into(),
        channel_id: "group-1".into(),
        channel_type: 2,
        expire_secs: 0,
        client_msg_no: "f3c1b1de-7f1e-4a4b-9f10-7a4f5a3c9d11".into(),
        stream: None,
        message_id: 1_234_567_890_123_456_789,
        message_seq: 77,
        timestamp_secs: 1_700_000_000,
        topic: String::new(),
        payload: Bytes::from(vec![b'x'; SEALED_BYTES]),
    }
}

fn recvack(id: i64) -> Packet {
    Packet::Recvack(Recvack {
        flags: flags(),
        message_id: id,
        message_seq: 77,
    })
}

fn wire(packets: impl IntoIterator<Item = Packet>) -> BytesMut {
    let mut bytes = BytesMut::new();
    for packet in packets {
        encode(&packet, LATEST_VERSION, &mut bytes).unwrap();
    }
    bytes
}

fn decoding(criterion: &mut Criterion) {
    let cases = [
        ("decode SEND", wire([send()])),
        ("decode 16 RECVACKs", wire((0..ACKS).map(recvack))),
    ];
    for (name, bytes) in cases {
        criterion.bench_function(name, |bench| {
            let decode = |mut input: BytesMut| {
                let mut decoder = Decoder::new(LATEST_VERSION);
                while let Some(packet) = decoder.decode(&mut input).unwrap() {
                    black_box(packet);
                }
                input
            };
            bench.iter_batched(|| bytes.clone(), decode, BatchSize::SmallInput);
        });
    }
}

fn encoding(criterion: &mut Criterion) {
    let mut out = BytesMut::with_capacity(4096);
    let recv = recv();
    criterion.bench_function("encode RECV", |bench| {
        bench.iter(|| {
            out.clear();
            encode_recv(&black_box(recv.parts()), LATEST_VERSION, &mut out).unwrap();
        });
    });
    let sendack = Packet::Sendack(Sendack {
        flags: flags(),
        message_id: 1_234_567_890_123_456_789,
        client_seq: 77,
        message_seq: 77,
        reason: 1,
    });
    criterion.bench_function("encode SENDACK", |bench| {
        bench.iter(|| {
            out.clear();
            encode(black_box(&sendack), LATEST_VERSION, &mut out).unwrap();
        });
    });
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    decoding(&mut criterion);
    encoding(&mut criterion);
    criterion.final_summary();
}
