//! Who may log in, and how those who may not are told.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use crosstalk_tests::wukong::Transport::{Tcp, Ws};
use crosstalk_tests::wukong::{NO_KEY, Outgoing, random_keys};
use crosstalk_tests::{PATIENCE, Server};
use crosstalk_wire::wukong::binary::{Connack, Flags, Packet, Recvack};
use serde_json::json;

fn reason(connack: Option<Connack>) -> u8 {
    connack.expect("a CONNACK says why").reason
}

#[tokio::test]
async fn a_wrong_token_is_reason_2_and_closed() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    for over in [Tcp, Ws] {
        for token in ["wrong", "", "token-alice-0 ", "TOKEN-ALICE-0"] {
            let refused = server
                .login("alice")
                .over(over)
                .token(token)
                .refused()
                .await;
            assert_eq!(reason(refused), 2, "{token:?}");
        }
    }
    server.login("alice").connect().await.ping().await;
}

#[tokio::test]
async fn an_unknown_user_is_reason_2_and_closed() {
    let server = Server::start().await;
    assert_eq!(reason(server.login("nobody").refused().await), 2);
}

#[tokio::test]
async fn another_users_token_is_reason_2() {
    let server = Server::start().await;
    let token = server.register("alice", 0, 0).await;
    server.register("bob", 0, 0).await;
    assert_eq!(reason(server.login("bob").token(&token).refused().await), 2);
}

#[tokio::test]
async fn the_device_flag_must_be_the_registered_one() {
    let server = Server::start().await;
    let token = server.register("alice", 0, 0).await;
    for flag in [1, 2] {
        let refused = server
            .login("alice")
            .flag(flag)
            .token(&token)
            .refused()
            .await;
        assert_eq!(reason(refused), 2, "flag {flag}");
    }
}

#[tokio::test]
async fn a_new_token_replaces_the_one_of_its_flag() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    let web = server.register("alice", 1, 0).await;
    let body = json!({"uid": "alice", "token": "second", "device_flag": 0, "device_level": 0});
    server.wukong_ok("/user/token", body).await;
    assert_eq!(reason(server.login("alice").refused().await), 2);
    server
        .login("alice")
        .token("second")
        .connect()
        .await
        .ping()
        .await;
    server
        .login("alice")
        .flag(1)
        .token(&web)
        .connect()
        .await
        .ping()
        .await;
}

#[tokio::test]
async fn impossible_uids_are_closed() {
    let server = Server::start().await;
    let long = "u".repeat(65);
    for uid in ["", " ", "a@b", "a#b", "a&b", "____manager2", &long] {
        server.login(uid).token("any").refused().await;
    }
    server.client("alice").await.ping().await;
}

/// Besides empty and short ones: keys that would force a known secret.
#[tokio::test]
async fn impossible_client_keys_are_closed_and_crash_nothing() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    let encoded = [vec![1; 31], vec![1; 33], vec![0; 32], vec![1; 16]];
    let encoded = encoded.map(|bytes| BASE64_STANDARD.encode(bytes));
    let not_base64 = "?".repeat(44);
    let long = "A".repeat(30_000);
    let texts = [NO_KEY, "AAAA", "=", &not_base64, &long];
    for text in encoded.iter().map(String::as_str).chain(texts) {
        let refused = server.login("alice").client_key(text).refused().await;
        if let Some(connack) = refused {
            assert_eq!(connack.reason, 21, "{text:?}");
        }
    }
    server.login("alice").connect().await.ping().await;
}

#[tokio::test]
async fn a_banned_user_is_reason_19() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    let ban = json!({"channel_id": "alice", "channel_type": 1, "ban": 1});
    server.wukong_ok("/channel/info", ban).await;
    assert_eq!(reason(server.login("alice").refused().await), 19);
    let lift = json!({"channel_id": "alice", "channel_type": 1, "ban": 0});
    server.wukong_ok("/channel/info", lift).await;
    server.login("alice").connect().await.ping().await;
}

#[tokio::test]
async fn a_user_token_is_accepted_as_well() {
    let server = Server::start().await;
    let token = server.user_token("alice").await;
    for flag in [0, 1, 2] {
        server
            .login("alice")
            .flag(flag)
            .token(&token)
            .connect()
            .await
            .ping()
            .await;
    }
    server.register("bob", 0, 0).await;
    assert_eq!(reason(server.login("bob").token(&token).refused().await), 2);
}

#[tokio::test]
async fn revoked_user_tokens_open_nothing_and_their_sessions_end() {
    let server = Server::start().await;
    let token = server.user_token("alice").await;
    let mut alice = server.login("alice").token(&token).connect().await;
    let revoke = server
        .admin()
        .post("/v1/users/alice/tokens/revoke", json!({}))
        .await;
    revoke.ok();
    alice.closed().await;
    assert_eq!(
        reason(server.login("alice").token(&token).refused().await),
        2
    );
    let fresh = server.user_token("alice").await;
    server
        .login("alice")
        .token(&fresh)
        .connect()
        .await
        .ping()
        .await;
}

#[tokio::test]
async fn a_first_packet_that_is_no_connect_is_closed() {
    let server = Server::start().await;
    let recvack = Recvack {
        flags: Flags::default(),
        message_id: 1,
        message_seq: 1,
    };
    let mut sender = server.client("alice").await;
    let send = sender.seal(&Outgoing::direct("bob", "no login"));
    for over in [Tcp, Ws] {
        for packet in [
            Packet::Ping,
            Packet::Recvack(recvack),
            Packet::Send(send.clone()),
        ] {
            let mut link = server.login("bob").over(over).link().await;
            link.write(&packet).await;
            assert_eq!(link.closed().await, [], "{packet:?}");
        }
    }
}

#[tokio::test]
async fn silence_instead_of_a_login_is_closed() {
    let server = Server::start().await;
    for over in [Tcp, Ws] {
        let mut link = server.login("alice").over(over).link().await;
        assert_eq!(link.closed().await, []);
    }
}

#[tokio::test]
async fn half_a_login_is_closed() {
    let server = Server::start().await;
    for over in [Tcp, Ws] {
        let login = server.login("alice").over(over);
        let mut link = login.link().await;
        let bytes = link.encode(&login.packet(&random_keys()));
        link.write_bytes(&bytes[..bytes.len() / 2]).await;
        assert_eq!(link.closed().await, []);
    }
}

/// Bytes that trickle in must not keep a connection alive that never logs in.
#[tokio::test]
async fn a_login_that_trickles_in_for_ever_is_closed() {
    let server = Server::start().await;
    let login = server.login("alice");
    let mut link = login.link().await;
    let bytes = link.encode(&login.packet(&random_keys()));
    let mut link = tokio::time::timeout(PATIENCE, async {
        // A byte every 200 ms would take 20 s for the whole packet.
        for byte in &bytes {
            if !link.try_write_bytes(&[*byte]).await {
                break;
            }
            // wait: the trickle is what is tested
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        link
    })
    .await
    .expect("the server gives up");
    assert_eq!(link.closed().await, []);
}

#[tokio::test]
async fn a_device_that_is_quit_is_kicked_and_its_token_gone() {
    let server = Server::start().await;
    let mut phone = server.client("alice").await;
    server.register("alice", 1, 0).await;
    let mut web = server.login("alice").flag(1).connect().await;
    server
        .wukong_ok(
            "/user/device_quit",
            json!({"uid": "alice", "device_flag": 0}),
        )
        .await;
    assert_eq!(phone.disconnected().await.reason, 12);
    phone.closed().await;
    assert_eq!(reason(server.login("alice").refused().await), 2);
    web.ping().await;
}

#[tokio::test]
async fn a_master_registration_kicks_who_is_there() {
    let server = Server::start().await;
    let mut phone = server.client("alice").await;
    server.register("alice", 1, 0).await;
    let mut web = server.login("alice").flag(1).connect().await;
    server.register("alice", 0, 1).await;
    assert_eq!(phone.disconnected().await.reason, 12);
    phone.closed().await;
    web.ping().await;
}

#[tokio::test]
async fn a_master_login_kicks_other_devices_of_its_flag_only() {
    let server = Server::start().await;
    server.register("alice", 0, 1).await;
    server.register("alice", 1, 1).await;
    let mut old = server.login("alice").device("old").connect().await;
    let mut web = server.login("alice").flag(1).connect().await;
    let mut new = server.login("alice").device("new").connect().await;
    let disconnect = old.disconnected().await;
    assert_eq!(disconnect.reason, 12, "{disconnect:?}");
    old.closed().await;
    web.ping().await;
    new.ping().await;
}

/// DISCONNECT would make Flutter log out, and it is the same device that comes back.
#[tokio::test]
async fn the_same_device_replaces_itself_without_a_kick() {
    let server = Server::start().await;
    for level in [0, 1] {
        server.register("alice", 0, level).await;
        let mut before = server.login("alice").device("phone").connect().await;
        let mut after = server.login("alice").device("phone").connect().await;
        assert_eq!(before.closed().await, [], "level {level}");
        after.ping().await;
    }
}

#[tokio::test]
async fn slaves_of_one_flag_live_side_by_side() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    let mut first = server.login("alice").device("one").connect().await;
    let mut second = server.login("alice").device("two").connect().await;
    first.ping().await;
    second.ping().await;
}

#[tokio::test]
async fn who_is_online_is_told_per_connection() {
    let server = Server::start().await;
    let _phone = server.client("alice").await;
    server.register("alice", 1, 0).await;
    let _web = server.login("alice").flag(1).connect().await;
    server.register("bob", 0, 0).await;
    let answer = server
        .wukong_api()
        .post("/user/onlinestatus", json!(["alice", "bob"]))
        .await
        .ok();
    let mut rows: Vec<_> = answer.as_array().expect("a bare array").clone();
    rows.sort_by_key(|row| row["device_flag"].as_u64());
    assert_eq!(
        rows,
        [
            json!({"uid": "alice", "device_flag": 0, "online": 1}),
            json!({"uid": "alice", "device_flag": 1, "online": 1}),
        ]
    );
}

#[tokio::test]
async fn too_many_wrong_tokens_shut_out_even_the_right_one() {
    let server = Server::start_with(&["limits.login_failures_per_user=3"]).await;
    server.register("alice", 0, 0).await;
    server.register("bob", 0, 0).await;
    for _ in 0..3 {
        assert_eq!(
            reason(server.login("alice").token("guess").refused().await),
            2
        );
    }
    server.login("alice").refused().await;
    server.login("bob").connect().await.ping().await;
}
