//! The client's protocol against the codec, without a socket.

use super::*;

const SALT: &str = "AbCdEfGh12345678";

fn peer(verify: bool) -> Box<dyn Peer> {
    let login = Login {
        uid: "b0-1".to_owned(),
        token: "tok".to_owned(),
        ..Login::default()
    };
    Wukong::new(5, verify).peer(&login, 1).expect("a peer")
}

fn packets(out: &mut Outbox) -> Vec<Packet> {
    let mut decoder = Decoder::new(5);
    let mut packets = Vec::new();
    while let Some(mut message) = out.take_message() {
        packets.push(
            decoder
                .decode(&mut message)
                .expect("a packet")
                .expect("a whole one"),
        );
        assert!(message.is_empty());
    }
    packets
}

fn give(peer: &mut dyn Peer, packet: &Packet, out: &mut Outbox) -> Result<Vec<String>> {
    let mut input = BytesMut::new();
    encode(packet, 5, &mut input).expect("an encoding");
    let mut told = Vec::new();
    peer.receive(&mut input, out, &mut |event| {
        told.push(format!("{event:?}"));
    })?;
    Ok(told)
}

/// Logs in; the server's cipher.
fn log_in(peer: &mut dyn Peer) -> Cipher {
    let mut out = Outbox::default();
    peer.open(&mut out).expect("a hello");
    let packets = packets(&mut out);
    let [Packet::Connect(connect)] = &packets[..] else {
        panic!("{packets:?}")
    };
    assert_eq!(
        (
            connect.uid.as_str(),
            connect.token.as_str(),
            connect.version
        ),
        ("b0-1", "tok", 5)
    );
    let keys = KeyPair::from_secret([9; 32]);
    let told = give(peer, &Packet::Connack(connack(1, &keys)), &mut out).expect("accepted");
    assert_eq!(told, ["Open"]);
    let shared = keys.agree(&connect.client_key).expect("a good key");
    Cipher::new(&shared, SALT).expect("a good salt")
}

fn connack(reason: u8, keys: &KeyPair) -> Connack {
    Connack {
        server_version: Some(5),
        time_diff_ms: 0,
        reason,
        server_key: keys.public_base64(),
        salt: SALT.to_owned(),
        node_id: Some(1),
    }
}

fn recv(cipher: &Cipher, content: &[u8]) -> Recv {
    let mut payload = Vec::new();
    cipher.encrypt_into(content, &mut payload);
    let key = cipher.recv_msg_key(7, 3, "no", 1, "a", "a", PERSONAL, &payload);
    Recv {
        flags: Flags {
            red_dot: true,
            ..Flags::default()
        },
        setting: Setting::default(),
        msg_key: msg_key_text(&key).to_owned(),
        from_uid: "a".to_owned(),
        channel_id: "a".to_owned(),
        channel_type: PERSONAL,
        expire_secs: 0,
        client_msg_no: "no".to_owned(),
        stream: None,
        message_id: 7,
        message_seq: 3,
        timestamp_secs: 1,
        topic: String::new(),
        payload: payload.into(),
    }
}

#[test]
fn messages_are_sealed_and_signed_as_the_server_wants_them() {
    let mut peer = peer(false);
    let cipher = log_in(&mut *peer);
    let mut out = Outbox::default();
    peer.send(&Address::Group("g".to_owned()), 4, b"hello", &mut out)
        .expect("sent");
    let packets = packets(&mut out);
    let [Packet::Send(send)] = &packets[..] else {
        panic!("{packets:?}")
    };
    assert_eq!(
        (send.client_seq, send.channel_id.as_str(), send.channel_type),
        (5, "g", GROUP)
    );
    assert_eq!(send.client_msg_no.len(), 32);
    let key = cipher.send_msg_key(5, &send.client_msg_no, "g", GROUP, &send.payload);
    assert!(msg_key_matches(&key, &send.msg_key));
    assert_eq!(cipher.decrypt(&send.payload).expect("opened"), b"hello");
}

#[test]
fn answers_name_the_message_by_its_tag() {
    let mut peer = peer(false);
    log_in(&mut *peer);
    let mut out = Outbox::default();
    for (reason, expected) in [
        (1, "Accepted { tag: 4 }"),
        (22, "Refused { tag: 4, code: 22 }"),
    ] {
        let ack = crosstalk_wire::wukong::binary::Sendack {
            flags: Flags::default(),
            message_id: 1,
            client_seq: 5,
            message_seq: 1,
            reason,
        };
        let told = give(&mut *peer, &Packet::Sendack(ack), &mut out).expect("an answer");
        assert_eq!(told, [expected]);
    }
}

#[test]
fn what_comes_is_opened_acknowledged_and_checked_when_asked() {
    for (verify, is_forged, proof) in [
        (false, true, "NotChecked"),
        (true, false, "Good"),
        (true, true, "Bad"),
    ] {
        let mut peer = peer(verify);
        let cipher = log_in(&mut *peer);
        let mut recv = recv(&cipher, b"hi");
        if is_forged {
            recv.msg_key = "0".repeat(32);
        }
        let mut out = Outbox::default();
        let told = give(&mut *peer, &Packet::Recv(recv), &mut out).expect("a message");
        assert_eq!(told.len(), 1);
        assert!(
            told[0].contains("place: Some(3), content: [104, 105]"),
            "{}",
            told[0]
        );
        assert!(told[0].contains(&format!("proof: {proof}")), "{}", told[0]);
        let acks = packets(&mut out);
        let [Packet::Recvack(ack)] = &acks[..] else {
            panic!("{acks:?}")
        };
        assert_eq!(
            (ack.message_id, ack.message_seq, ack.flags.red_dot),
            (7, 3, true)
        );
    }
}

#[test]
fn a_refused_login_and_a_kick_are_errors() {
    let mut out = Outbox::default();
    let keys = KeyPair::from_secret([9; 32]);
    let refused = give(
        &mut *peer(false),
        &Packet::Connack(connack(2, &keys)),
        &mut out,
    );
    assert_eq!(
        refused.expect_err("refused").to_string(),
        "login of b0-1 refused: 2 AuthFail"
    );

    let mut peer = peer(false);
    log_in(&mut *peer);
    let kick = crosstalk_wire::wukong::binary::Disconnect {
        reason: 12,
        text: "x".to_owned(),
    };
    let kicked = give(&mut *peer, &Packet::Disconnect(kick), &mut out).expect_err("kicked");
    assert_eq!(
        kicked.to_string(),
        "the server disconnected: 12 ConnectKick \"x\""
    );
}
