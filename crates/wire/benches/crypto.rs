//! What sealing and signing cost: per message of a connection, and per login.

#![allow(clippy::unwrap_used, reason = "a bench that fails has nobody to tell")]

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use crosstalk_wire::wukong::binary::crypto::{Cipher, KeyPair, RecvSealer};
use crosstalk_wire::wukong::binary::{Flags, RecvParts, Setting};

const CLIENT_NO: &str = "f3c1b1de-7f1e-4a4b-9f10-7a4f5a3c9d11";

fn cipher() -> Cipher {
    Cipher::from_key_iv(b"0123456789abcdef", b"AbCdEfGh12345678")
}

fn messages(criterion: &mut Criterion) {
    let cipher = cipher();
    for size in [100, 1024] {
        let mut group = criterion.benchmark_group(format!("{size} B"));
        group.throughput(Throughput::Bytes(size as u64));
        let plain = vec![b'x'; size];
        let mut sealed = Vec::new();
        group.bench_function("encrypt", |bench| {
            bench.iter(|| cipher.encrypt_into(black_box(&plain), &mut sealed));
        });
        group.bench_function("decrypt", |bench| {
            bench.iter(|| black_box(cipher.decrypt(black_box(&sealed)).unwrap()));
        });
        group.bench_function("msg_key of a RECV", |bench| {
            bench.iter(|| {
                let id = 1_234_567_890_123_456_789;
                let (secs, sealed) = (1_700_000_000, black_box(&sealed[..]));
                cipher.recv_msg_key(id, 77, CLIENT_NO, secs, "user-1", "group-1", 2, sealed)
            });
        });
        group.bench_function("msg_key of a SEND", |bench| {
            bench.iter(|| cipher.send_msg_key(77, CLIENT_NO, "group-1", 2, black_box(&sealed)));
        });
        let mut sealer = RecvSealer::default();
        for count in 1..=RecvSealer::LANES {
            let recv = RecvParts {
                flags: Flags::default(),
                setting: Setting(0),
                msg_key: "",
                from_uid: "user-1",
                channel_id: "group-1",
                channel_type: 2,
                expire_secs: 0,
                client_msg_no: CLIENT_NO,
                message_id: 1_234_567_890_123_456_789,
                message_seq: 77,
                timestamp_secs: 1_700_000_000,
                topic: "",
                payload: &plain,
            };
            group.throughput(Throughput::Elements(count as u64));
            group.bench_function(format!("seal {count} RECVs"), |bench| {
                bench.iter(|| sealer.seal(&cipher, std::iter::repeat_n(black_box(recv), count)));
            });
        }
        group.finish();
    }
}

fn logins(criterion: &mut Criterion) {
    let client = KeyPair::from_secret([1; 32]).public_base64();
    criterion.bench_function("key exchange of a login", |bench| {
        bench.iter(|| {
            let pair = KeyPair::from_secret(black_box([2; 32]));
            let shared = pair.agree(&client).unwrap();
            let cipher = Cipher::new(&shared, "AbCdEfGh12345678").unwrap();
            black_box((pair.public_base64(), cipher))
        });
    });
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    messages(&mut criterion);
    logins(&mut criterion);
    criterion.final_summary();
}
