//! Frames that real clients and servers exchanged (wukong.md §1.7), decoded
//! and encoded back to the same bytes.

use bytes::Bytes;
use crosstalk_wire::wukong::binary::crypto::{Cipher, msg_key_matches, msg_key_text};
use crosstalk_wire::wukong::binary::{
    Connack, Connect, Disconnect, Event, Flags, Packet, Recv, Recvack, Send, Sendack, Setting,
};

use crate::{decode_one, encode_one};

const RED_DOT: Flags = Flags {
    no_persist: false,
    red_dot: true,
    sync_once: false,
    dup: false,
};

const MESSAGE_ID: i64 = 1_234_567_890_123_456_789;

/// Both directions of one frame.
#[track_caller]
fn check(hex_text: &str, version: u8, packet: &Packet) {
    let bytes = hex::decode(hex_text).expect("vectors are hex");
    assert_eq!(&decode_one(&bytes, version), packet);
    assert_eq!(hex::encode(encode_one(packet, version)), hex_text);
}

/// The cipher of examples (d) and (f).
fn cipher() -> Cipher {
    Cipher::from_key_iv(b"f5492521d6b86edd", b"AbCdEfGh12345678")
}

/// Both directions of one payload.
#[track_caller]
fn check_payload(plain: &str, sealed: &str) {
    assert_eq!(
        cipher().decrypt(sealed.as_bytes()),
        Ok(plain.as_bytes().to_vec())
    );
    let mut text = Vec::new();
    cipher().encrypt_into(plain.as_bytes(), &mut text);
    assert_eq!(text, sealed.as_bytes());
}

#[test]
fn a_connect() {
    let packet = Packet::Connect(Connect {
        version: 5,
        device_flag: 1,
        device_id: "b89945ab75060106f4e0af173a71e7caW".into(),
        uid: "alice".into(),
        token: "tok".into(),
        client_timestamp_ms: 0x0000_01a1_fc84_95f1,
        client_key: "0KqX1DFFdsLNI5bCd7ieJdn3HI5RCwgRKDVMVW4eA0A=".into(),
    });
    // The version that the codec was given does not matter to CONNECT.
    for version in 0..=6 {
        check(
            "106705010021623839393435616237353036303130366634653061663137336137316537636157000561\
             6c6963650003746f6b000001a1fc8495f1002c304b71583144464664734c4e49356243643769654a646e\
             3348493552437767524b44564d565734654130413d",
            version,
            &packet,
        );
    }
}

#[test]
fn b_connack_with_version_and_node() {
    let packet = Packet::Connack(Connack {
        server_version: Some(5),
        time_diff_ms: 5,
        reason: 1,
        server_key: "atSX6LrZJq7w3twxjZxb3qNlPa4F87BQC8cRyEVovyo=".into(),
        salt: "AbCdEfGh12345678".into(),
        node_id: Some(1001),
    });
    check(
        "215205000000000000000501002c61745358364c725a4a713777337477786a5a786233714e6c50613446\
         38374251433863527945566f76796f3d00104162436445664768313233343536373800000000000003e9",
        5,
        &packet,
    );
}

#[test]
fn c_connack_of_version_2() {
    let packet = Packet::Connack(Connack {
        server_version: None,
        time_diff_ms: 5,
        reason: 1,
        server_key: "WDiepoH5W9jZsLRDsbwJZDwJu0AZX9I401pzvWAMiSA=".into(),
        salt: "AbCdEfGh12345678".into(),
        node_id: None,
    });
    check(
        "2049000000000000000501002c57446965706f483557396a5a734c52447362774a5a44774a7530415a58\
         3949343031707a7657414d6953413d001041624364456647683132333435363738",
        2,
        &packet,
    );
}

#[test]
fn d_send() {
    let sealed = "LDvXfANV9byB4v6AemrH0Msg8/dUlya/PrVafn1qYtsS74TlMZL+q26wdSbqJ0WC";
    let msg_key = "7aa172451c88058eb45f073044058fcd";
    let client_msg_no = "bedff456fa38a2f6bbe0214993e55d22_0_3";
    let packet = Packet::Send(Send {
        flags: RED_DOT,
        setting: Setting(0),
        client_seq: 1,
        client_msg_no: client_msg_no.into(),
        stream_no: String::new(),
        channel_id: "bob".into(),
        channel_type: 1,
        expire_secs: 0,
        msg_key: msg_key.into(),
        topic: String::new(),
        payload: Bytes::from_static(sealed.as_bytes()),
    });
    check(
        "329701000000000100246265646666343536666133386132663662626530323134393933653535643232\
         5f305f330003626f62010000000000203761613137323435316338383035386562343566303733303434\
         3035386663644c44765866414e563962794234763641656d7248304d7367382f64556c79612f50725661\
         666e3171597473533734546c4d5a4c2b71323677645362714a305743",
        5,
        &packet,
    );
    check_payload(r#"{"content":"hello 世界","type":1}"#, sealed);
    let key = cipher().send_msg_key(1, client_msg_no, "bob", 1, sealed.as_bytes());
    assert_eq!(msg_key_text(&key), msg_key);
    assert!(msg_key_matches(&key, msg_key));
}

#[test]
fn e_sendack() {
    let packet = Packet::Sendack(Sendack {
        flags: RED_DOT,
        message_id: MESSAGE_ID,
        client_seq: 1,
        message_seq: 7,
        reason: 1,
    });
    check("4211112210f47de98115000000010000000701", 5, &packet);
}

#[test]
fn f_recv() {
    let sealed = "K36Zoysj9O87yRLXmL8AK5wn8tVa1defqB+WoT7mj4dvZZKej9l+qgLsYu6Qz3OT";
    let msg_key = "1e019f33ac5a6e4d532f46c518d8ef31";
    let packet = Packet::Recv(Recv {
        flags: RED_DOT,
        setting: Setting(0),
        msg_key: msg_key.into(),
        from_uid: "bob".into(),
        channel_id: "bob".into(),
        channel_type: 1,
        expire_secs: 0,
        client_msg_no: "c0ffee".into(),
        stream: None,
        message_id: MESSAGE_ID,
        message_seq: 8,
        timestamp_secs: 1_700_000_000,
        topic: String::new(),
        payload: Bytes::from_static(sealed.as_bytes()),
    });
    check(
        "528a0100002031653031396633336163356136653464353332663436633531386438656633310003626f\
         620003626f6201000000000006633066666565112210f47de98115000000086553f1004b33365a6f7973\
         6a394f383779524c586d4c38414b35776e387456613164656671422b576f54376d6a3464765a5a4b656a\
         396c2b71674c73597536517a334f54",
        5,
        &packet,
    );
    check_payload(r#"{"type":1,"content":"你好 from server"}"#, sealed);
    let key = cipher().recv_msg_key(
        MESSAGE_ID,
        8,
        "c0ffee",
        1_700_000_000,
        "bob",
        "bob",
        1,
        sealed.as_bytes(),
    );
    assert_eq!(msg_key_text(&key), msg_key);
    assert!(msg_key_matches(&key, msg_key));
}

#[test]
fn g_recvack() {
    let packet = Packet::Recvack(Recvack {
        flags: RED_DOT,
        message_id: MESSAGE_ID,
        message_seq: 8,
    });
    check("620c112210f47de9811500000008", 5, &packet);
}

#[test]
fn h_ping_and_pong() {
    check("70", 5, &Packet::Ping);
    check("80", 5, &Packet::Pong);
}

#[test]
fn i_disconnect() {
    let packet = Packet::Disconnect(Disconnect {
        reason: 12,
        text: "login in other device".into(),
    });
    check(
        "90180c00156c6f67696e20696e206f7468657220646576696365",
        5,
        &packet,
    );
}

#[test]
fn j_event() {
    let packet = Packet::Event(Event {
        id: "ev1".into(),
        event_type: "stream.delta".into(),
        timestamp_ms: 1_700_000_000_123,
        data: Bytes::from_static(br#"{"a":1}"#),
    });
    check(
        "c0220003657631000c73747265616d2e64656c74610000018bcfe5687b7b2261223a317d",
        5,
        &packet,
    );
}
