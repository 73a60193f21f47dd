//! What the server refuses, by the reason codes that SDKs show.

use crosstalk_tests::wukong::{Outgoing, WukongClient};
use crosstalk_tests::{Server, eventually};
use serde_json::{Value, json};

/// The texts of a channel as a user sees it, by WuKongIM's HTTP API.
async fn history(server: &Server, viewer: &str, channel: &str, channel_type: u8) -> Vec<Value> {
    let ask = json!({
        "login_uid": viewer, "channel_id": channel, "channel_type": channel_type,
        "start_message_seq": 0, "end_message_seq": 0, "limit": 1000, "pull_mode": 0,
    });
    let answer = server
        .wukong_api()
        .post("/channel/messagesync", ask)
        .await
        .ok();
    answer["messages"].as_array().expect("messages").clone()
}

async fn set_info(server: &Server, id: &str, channel_type: u8, flag: &str, value: u8) {
    let body = json!({"channel_id": id, "channel_type": channel_type, flag: value});
    server.wukong_ok("/channel/info", body).await;
}

async fn change_list(server: &Server, route: &str, id: &str, channel_type: u8, uids: &[&str]) {
    let body = json!({"channel_id": id, "channel_type": channel_type, "uids": uids});
    server.wukong_ok(route, body).await;
}

async fn group_of_two() -> (Server, WukongClient, WukongClient) {
    let server = Server::start().await;
    server.group("g1", &["alice", "bob"]).await;
    let alice = server.client("alice").await;
    let bob = server.client("bob").await;
    (server, alice, bob)
}

#[tokio::test]
async fn a_stranger_to_a_group_is_reason_3() {
    let (server, mut alice, mut bob) = group_of_two().await;
    let mut carol = server.client("carol").await;
    assert_eq!(carol.refused(&Outgoing::group("g1", "let me in")).await, 3);
    alice.accepted(&Outgoing::group("g1", "members only")).await;
    bob.hears("members only").await;
}

#[tokio::test]
async fn an_unknown_group_is_reason_3() {
    let server = Server::start().await;
    let mut alice = server.client("alice").await;
    assert_eq!(
        alice.refused(&Outgoing::group("nowhere", "hello?")).await,
        3
    );
}

#[tokio::test]
async fn who_is_removed_from_a_group_neither_sends_nor_hears() {
    let (server, mut alice, mut bob) = group_of_two().await;
    alice.accepted(&Outgoing::group("g1", "with bob")).await;
    bob.hears("with bob").await;
    let gone = json!({"channel_id": "g1", "channel_type": 2, "subscribers": ["bob"]});
    server.wukong_ok("/channel/subscriber_remove", gone).await;
    assert_eq!(bob.refused(&Outgoing::group("g1", "still?")).await, 3);
    alice.accepted(&Outgoing::group("g1", "without bob")).await;
    alice.accepted(&Outgoing::direct("bob", "sorry")).await;
    bob.hears("sorry").await;
}

#[tokio::test]
async fn who_is_added_to_a_group_sends_and_hears_at_once() {
    let (server, mut alice, _bob) = group_of_two().await;
    let mut carol = server.client("carol").await;
    assert_eq!(carol.refused(&Outgoing::group("g1", "knock")).await, 3);
    let add = json!({"channel_id": "g1", "channel_type": 2, "subscribers": ["carol"]});
    server.wukong_ok("/channel/subscriber_add", add).await;
    carol.accepted(&Outgoing::group("g1", "hello")).await;
    alice.hears("hello").await;
    alice.accepted(&Outgoing::group("g1", "welcome")).await;
    carol.hears("welcome").await;
}

#[tokio::test]
async fn a_blocked_sender_is_reason_4_and_nothing_is_stored() {
    let server = Server::start().await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    change_list(&server, "/channel/blacklist_add", "bob", 1, &["alice"]).await;
    assert_eq!(alice.refused(&Outgoing::direct("bob", "blocked")).await, 4);
    assert_eq!(
        history(&server, "bob", "alice", 1).await,
        Vec::<Value>::new()
    );
    // The other way is open.
    bob.accepted(&Outgoing::direct("alice", "i can")).await;
    alice.hears("i can").await;
    change_list(&server, "/channel/blacklist_remove", "bob", 1, &["alice"]).await;
    alice.accepted(&Outgoing::direct("bob", "me too")).await;
    bob.hears("me too").await;
}

#[tokio::test]
async fn a_sender_on_a_groups_blacklist_is_reason_4() {
    let (server, mut alice, _bob) = group_of_two().await;
    change_list(&server, "/channel/blacklist_set", "g1", 2, &["alice"]).await;
    assert_eq!(alice.refused(&Outgoing::group("g1", "blocked")).await, 4);
    change_list(&server, "/channel/blacklist_set", "g1", 2, &[]).await;
    alice.accepted(&Outgoing::group("g1", "open")).await;
}

#[tokio::test]
async fn who_is_not_on_a_groups_whitelist_is_reason_13() {
    let (server, mut alice, mut bob) = group_of_two().await;
    change_list(&server, "/channel/whitelist_add", "g1", 2, &["bob"]).await;
    assert_eq!(
        alice.refused(&Outgoing::group("g1", "not listed")).await,
        13
    );
    bob.accepted(&Outgoing::group("g1", "listed")).await;
    alice.hears("listed").await;
    change_list(&server, "/channel/whitelist_remove", "g1", 2, &["bob"]).await;
    alice
        .accepted(&Outgoing::group("g1", "an empty list is none"))
        .await;
}

#[tokio::test]
async fn banned_and_disbanded_groups_are_reasons_19_and_24() {
    let (server, mut alice, mut bob) = group_of_two().await;
    set_info(&server, "g1", 2, "ban", 1).await;
    assert_eq!(alice.refused(&Outgoing::group("g1", "banned")).await, 19);
    set_info(&server, "g1", 2, "ban", 0).await;
    alice.accepted(&Outgoing::group("g1", "allowed")).await;
    bob.hears("allowed").await;
    set_info(&server, "g1", 2, "disband", 1).await;
    assert_eq!(alice.refused(&Outgoing::group("g1", "disbanded")).await, 24);
}

#[tokio::test]
async fn a_sender_with_a_send_ban_is_reason_25_and_still_hears() {
    let (server, mut alice, mut bob) = group_of_two().await;
    set_info(&server, "alice", 1, "send_ban", 1).await;
    assert_eq!(alice.refused(&Outgoing::direct("bob", "banned")).await, 25);
    assert_eq!(alice.refused(&Outgoing::group("g1", "banned")).await, 25);
    bob.accepted(&Outgoing::direct("alice", "can you hear me?"))
        .await;
    alice.hears("can you hear me?").await;
    set_info(&server, "alice", 1, "send_ban", 0).await;
    alice.accepted(&Outgoing::direct("bob", "free")).await;
}

/// A ban is for login, sending and receiving; whoever is online is no exception.
#[tokio::test]
async fn a_banned_user_who_is_online_is_shut_out() {
    let (server, mut alice, mut bob) = group_of_two().await;
    set_info(&server, "alice", 1, "ban", 1).await;
    // Either the connection is closed or what it sends is refused.
    if alice
        .try_post(&Outgoing::direct("bob", "from a banned user"))
        .await
        .is_some()
        && let Some(ack) = alice.any_ack().await
    {
        assert_ne!(ack.reason, 1, "{ack:?}");
    }
    let mut carol = server.client("carol").await;
    carol
        .accepted(&Outgoing::direct("bob", "from another"))
        .await;
    bob.hears("from another").await;
}

#[tokio::test]
async fn an_unknown_channel_type_is_reason_23() {
    let server = Server::start().await;
    let mut alice = server.client("alice").await;
    for channel_type in [0, 13, 77, 255] {
        let message = Outgoing::text("bob", channel_type, "?");
        assert_eq!(alice.refused(&message).await, 23, "type {channel_type}");
    }
}

#[tokio::test]
async fn an_impossible_channel_id_is_reason_16() {
    let server = Server::start().await;
    let mut alice = server.client("alice").await;
    let long = "x".repeat(65);
    for channel_type in [1, 2] {
        for id in ["", "a@b", "a#b", "a&b", "a b", "a/b", "a\u{0}b", &long] {
            let message = Outgoing::text(id, channel_type, "?");
            assert_eq!(
                alice.refused(&message).await,
                16,
                "{id:?} of type {channel_type}"
            );
        }
    }
    alice.ping().await;
}

#[tokio::test]
async fn a_user_who_never_logged_in_finds_what_was_said() {
    let server = Server::start().await;
    let mut alice = server.client("alice").await;
    alice.accepted(&Outgoing::direct("dave", "for later")).await;
    let mut dave = server.client("dave").await;
    let found = history(&server, "dave", "alice", 1).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["from_uid"], "alice");
    dave.accepted(&Outgoing::direct("alice", "here now")).await;
    alice.hears("here now").await;
}

#[tokio::test]
async fn above_the_rate_is_reason_22_and_later_sends_succeed() {
    let server = Server::start_with(&["limits.send_rate=20", "limits.send_burst=20"]).await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    let mut posted = Vec::new();
    for at in 0..200 {
        posted.push(alice.post(&Outgoing::direct("bob", &at.to_string())).await);
    }
    let mut reasons = Vec::new();
    for client_seq in posted {
        reasons.push(alice.ack_of(client_seq).await.reason);
    }
    let accepted = reasons.iter().filter(|reason| **reason == 1).count();
    let limited = reasons.iter().filter(|reason| **reason == 22).count();
    assert_eq!(accepted + limited, 200, "{reasons:?}");
    assert!(
        reasons[..20].iter().all(|reason| *reason == 1),
        "the burst passes: {reasons:?}"
    );
    assert!(limited > 0, "{reasons:?}");
    eventually("a send within the rate", async || {
        (alice.send(&Outgoing::direct("bob", "later")).await.reason == 1).then_some(())
    })
    .await;
    for _ in 0..accepted {
        assert_ne!(bob.message().await.text(), "later");
    }
    bob.hears("later").await;
}

#[tokio::test]
async fn what_is_not_to_be_stored_is_heard_and_gone() {
    let (server, mut alice, mut bob) = group_of_two().await;
    let ack = alice
        .accepted(&Outgoing::direct("bob", "typing…").no_persist())
        .await;
    assert_eq!(ack.message_seq, 0);
    let heard = bob.hears("typing…").await.packet;
    assert_eq!((heard.message_id, heard.message_seq), (ack.message_id, 0));
    assert!(heard.flags.no_persist);
    alice
        .accepted(&Outgoing::group("g1", "in the group").no_persist())
        .await;
    bob.hears("in the group").await;
    assert_eq!(
        history(&server, "bob", "alice", 1).await,
        Vec::<Value>::new()
    );
    assert_eq!(history(&server, "bob", "g1", 2).await, Vec::<Value>::new());

    // It has taken no place either.
    let stored = alice.accepted(&Outgoing::direct("bob", "stored")).await;
    assert_eq!(stored.message_seq, 1);
    bob.hears("stored").await;
    assert_eq!(history(&server, "bob", "alice", 1).await.len(), 1);
}

/// Payloads belong to their authors: the server neither parses nor rewrites them.
#[tokio::test]
async fn payloads_arrive_byte_for_byte() {
    let (_server, mut alice, mut bob) = group_of_two().await;
    let payloads: [&[u8]; 5] = [
        br#"{ "type" : 1,"content":"\u4f60\u597d" , "from_uid":"carol","x":1e2 }"#,
        br#"{"type":2,"url":"u","localPath":"/tmp/x","width":1,"height":2}"#,
        b"not json \xff\xfe\x00 at all",
        b" ",
        b"{\"type\":1,\"content\":\"\xf0\x9f\x98\x80\"}",
    ];
    for (to, channel_type) in [("bob", 1), ("g1", 2)] {
        for payload in payloads {
            alice
                .accepted(&Outgoing::bytes(to, channel_type, payload))
                .await;
            let heard = bob.message().await;
            assert_eq!(heard.payload, payload);
            assert_eq!(heard.packet.from_uid, "alice", "whatever the payload says");
        }
    }
}

#[tokio::test]
async fn own_other_devices_get_a_copy_that_is_not_unread() {
    let (server, mut phone, mut bob) = group_of_two().await;
    server.register("alice", 1, 0).await;
    let mut web = server.login("alice").flag(1).connect().await;
    for message in [
        Outgoing::direct("bob", "from my phone"),
        Outgoing::group("g1", "to us all"),
    ] {
        let text = if message.channel_type == 1 {
            "from my phone"
        } else {
            "to us all"
        };
        let ack = phone.accepted(&message).await;
        let copy = web.hears(text).await.packet;
        assert_eq!(
            (copy.from_uid.as_str(), &copy.channel_id),
            ("alice", &message.channel_id)
        );
        assert_eq!(
            (copy.message_id, copy.message_seq),
            (ack.message_id, ack.message_seq)
        );
        assert!(!copy.flags.red_dot, "{copy:?}");
        assert!(bob.hears(text).await.packet.flags.red_dot);
    }
    // The sending device gets none: the next thing it hears is the answer.
    bob.accepted(&Outgoing::direct("alice", "got it")).await;
    phone.hears("got it").await;
    web.hears("got it").await;
}
