//! Conversation lists and unread counts, by WuKongIM's HTTP API.

use crosstalk_tests::Server;
use crosstalk_tests::wukong::{Outgoing, WukongClient};
use serde_json::{Value, json};

/// The rows that `/conversation/sync` gives, by channel id.
async fn sync(server: &Server, uid: &str, last_msg_seqs: &str, only_unread: u8) -> Vec<Value> {
    let ask = json!({
        "uid": uid, "version": 0, "last_msg_seqs": last_msg_seqs, "msg_count": 20,
        "only_unread": only_unread,
    });
    let answer = server
        .wukong_api()
        .post("/conversation/sync", ask)
        .await
        .ok();
    let mut rows = answer.as_array().expect("a bare array").clone();
    rows.sort_by_key(|row| row["channel_id"].as_str().map(str::to_owned));
    rows
}

/// The unread count of the only conversation.
async fn unread(server: &Server, uid: &str) -> Value {
    let rows = sync(server, uid, "", 0).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows[0]["unread"].clone()
}

async fn say(client: &mut WukongClient, to: &str, count: usize) {
    for at in 0..count {
        client
            .accepted(&Outgoing::direct(to, &format!("{at}")))
            .await;
    }
}

fn names(rows: &[Value]) -> Vec<&str> {
    rows.iter()
        .filter_map(|row| row["channel_id"].as_str())
        .collect()
}

#[tokio::test]
async fn who_was_away_gets_ten_conversations_with_the_newest_twenty_messages() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    let mut expected = Vec::new();
    let mut last_nos = Vec::new();
    for at in 0..5 {
        let mut peer = server.client(&format!("peer{at}")).await;
        let group = format!("group{at}");
        server.group(&group, &["alice", &format!("peer{at}")]).await;
        for message in 1..=30 {
            let text = format!("第{message}条");
            let direct = Outgoing::direct("alice", &text);
            let in_group = Outgoing::group(&group, &text);
            peer.accepted(&direct).await;
            peer.accepted(&in_group).await;
            if message == 30 {
                last_nos.push((format!("peer{at}"), direct.client_msg_no));
                last_nos.push((group.clone(), in_group.client_msg_no));
            }
        }
        expected.push(format!("peer{at}"));
        expected.push(group);
    }
    expected.sort();
    last_nos.sort();

    let rows = sync(&server, "alice", "", 0).await;
    assert_eq!(names(&rows), expected);
    for (row, (name, last_no)) in rows.iter().zip(&last_nos) {
        assert_eq!(
            (&row["unread"], &row["last_msg_seq"]),
            (&json!(30), &json!(30)),
            "{name}"
        );
        assert_eq!(row["last_client_msg_no"], *last_no, "{name}");
        let recents = row["recents"].as_array().expect("recents");
        let seqs: Vec<_> = recents
            .iter()
            .filter_map(|it| it["message_seq"].as_u64())
            .collect();
        assert_eq!(
            seqs,
            (11..=30).rev().collect::<Vec<_>>(),
            "{name}: newest first"
        );
        assert!(
            row["timestamp"]
                .as_u64()
                .is_some_and(|it| it.to_string().len() == 10),
            "{row}"
        );
        assert!(row["version"].as_u64().is_some_and(|it| it > 0), "{row}");
    }
}

#[tokio::test]
async fn a_client_that_names_its_seqs_gets_only_what_is_new() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    server.group("g1", &["alice", "bob"]).await;
    let mut bob = server.client("bob").await;
    say(&mut bob, "alice", 5).await;
    bob.accepted(&Outgoing::group("g1", "first")).await;
    let rows = sync(&server, "alice", "bob:1:5|g1:2:1", 0).await;
    assert_eq!(rows, Vec::<Value>::new(), "nothing is new");

    say(&mut bob, "alice", 2).await;
    let rows = sync(&server, "alice", "bob:1:5|g1:2:1", 0).await;
    assert_eq!(names(&rows), ["bob"]);
    let recents = rows[0]["recents"].as_array().expect("recents");
    let seqs: Vec<_> = recents
        .iter()
        .filter_map(|it| it["message_seq"].as_u64())
        .collect();
    assert_eq!(seqs, [7, 6]);
    assert_eq!(
        rows[0]["unread"], 7,
        "what is unread does not depend on what is new"
    );
}

#[tokio::test]
async fn cleared_unread_counts_again_from_the_next_message() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    let mut bob = server.client("bob").await;
    say(&mut bob, "alice", 10).await;
    assert_eq!(unread(&server, "alice").await, 10);
    let clear = json!({"uid": "alice", "channel_id": "bob", "channel_type": 1});
    server.wukong_ok("/conversations/clearUnread", clear).await;
    assert_eq!(unread(&server, "alice").await, 0);
    assert_eq!(
        sync(&server, "alice", "", 1).await,
        Vec::<Value>::new(),
        "only unread ones"
    );
    say(&mut bob, "alice", 1).await;
    assert_eq!(unread(&server, "alice").await, 1);
    assert_eq!(sync(&server, "alice", "", 1).await.len(), 1);
}

#[tokio::test]
async fn unread_is_set_down_and_up() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    let mut bob = server.client("bob").await;
    say(&mut bob, "alice", 10).await;
    for wanted in [3, 8, 0, 10, 1] {
        let set = json!({"uid": "alice", "channel_id": "bob", "channel_type": 1, "unread": wanted});
        server.wukong_ok("/conversations/setUnread", set).await;
        assert_eq!(unread(&server, "alice").await, wanted);
    }
    say(&mut bob, "alice", 2).await;
    assert_eq!(unread(&server, "alice").await, 3);
}

#[tokio::test]
async fn unread_survives_a_kill() {
    let mut server = Server::start().await;
    server.register("alice", 0, 0).await;
    let mut bob = server.client("bob").await;
    say(&mut bob, "alice", 7).await;
    let set = json!({"uid": "alice", "channel_id": "bob", "channel_type": 1, "unread": 2});
    server.wukong_ok("/conversations/setUnread", set).await;
    say(&mut bob, "alice", 1).await;
    server.kill().await;
    server.start_again().await;
    assert_eq!(unread(&server, "alice").await, 3);
}

#[tokio::test]
async fn own_messages_are_never_unread() {
    let server = Server::start().await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    say(&mut bob, "alice", 4).await;
    say(&mut alice, "bob", 3).await;
    assert_eq!(
        unread(&server, "alice").await,
        0,
        "an answer means that all was read"
    );
    assert_eq!(unread(&server, "bob").await, 3);
    say(&mut bob, "alice", 2).await;
    assert_eq!(unread(&server, "alice").await, 2);
    assert_eq!(unread(&server, "bob").await, 0);
}

#[tokio::test]
async fn messages_without_a_red_dot_are_not_unread() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    let mut bob = server.client("bob").await;
    say(&mut bob, "alice", 2).await;
    for _ in 0..3 {
        bob.accepted(&Outgoing::direct("alice", "quiet").no_red_dot())
            .await;
    }
    assert_eq!(unread(&server, "alice").await, 2);
    say(&mut bob, "alice", 1).await;
    assert_eq!(unread(&server, "alice").await, 3);
    let rows = sync(&server, "alice", "", 0).await;
    assert_eq!(rows[0]["last_msg_seq"], 6);
}

#[tokio::test]
async fn a_message_that_is_not_stored_changes_no_conversation() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    let mut bob = server.client("bob").await;
    bob.accepted(&Outgoing::direct("alice", "gone").no_persist())
        .await;
    assert_eq!(sync(&server, "alice", "", 0).await, Vec::<Value>::new());
    say(&mut bob, "alice", 1).await;
    bob.accepted(&Outgoing::direct("alice", "gone").no_persist())
        .await;
    assert_eq!(unread(&server, "alice").await, 1);
}

#[tokio::test]
async fn a_deleted_conversation_comes_back_with_what_is_new() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    let mut bob = server.client("bob").await;
    say(&mut bob, "alice", 5).await;
    let delete = json!({"uid": "alice", "channel_id": "bob", "channel_type": 1});
    server.wukong_ok("/conversations/delete", delete).await;
    assert_eq!(sync(&server, "alice", "", 0).await, Vec::<Value>::new());
    say(&mut bob, "alice", 2).await;
    let rows = sync(&server, "alice", "", 0).await;
    assert_eq!(names(&rows), ["bob"]);
    let recents = rows[0]["recents"].as_array().expect("recents");
    let seqs: Vec<_> = recents
        .iter()
        .filter_map(|it| it["message_seq"].as_u64())
        .collect();
    assert_eq!(seqs, [7, 6], "what was deleted stays away");
}

#[tokio::test]
async fn what_was_said_before_joining_is_not_unread() {
    let server = Server::start().await;
    server.group("g1", &["bob"]).await;
    server.register("alice", 0, 0).await;
    let mut bob = server.client("bob").await;
    for _ in 0..4 {
        bob.accepted(&Outgoing::group("g1", "before")).await;
    }
    let add = json!({"channel_id": "g1", "channel_type": 2, "subscribers": ["alice"]});
    server.wukong_ok("/channel/subscriber_add", add).await;
    bob.accepted(&Outgoing::group("g1", "after")).await;
    assert_eq!(unread(&server, "alice").await, 1);
}

#[tokio::test]
async fn who_leaves_a_group_has_no_conversation_with_it() {
    let server = Server::start().await;
    server.group("g1", &["alice", "bob"]).await;
    server.register("alice", 0, 0).await;
    let mut bob = server.client("bob").await;
    bob.accepted(&Outgoing::group("g1", "all here")).await;
    assert_eq!(unread(&server, "alice").await, 1);
    let gone = json!({"channel_id": "g1", "channel_type": 2, "subscribers": ["alice"]});
    server.wukong_ok("/channel/subscriber_remove", gone).await;
    assert_eq!(sync(&server, "alice", "", 0).await, Vec::<Value>::new());
}

/// Both views and REST agree, and REST can read what the other one shows as unread.
#[tokio::test]
async fn rest_shows_and_reads_the_same_conversations() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    let mut bob = server.client("bob").await;
    say(&mut bob, "alice", 6).await;
    let listed = server
        .admin()
        .get("/v1/users/alice/conversations")
        .await
        .ok();
    let item = &listed["items"][0];
    assert_eq!(item["unread"], 6, "{listed}");
    let read = "/v1/users/alice/conversations/direct/bob/read";
    server.admin().post(read, json!({})).await.ok();
    assert_eq!(unread(&server, "alice").await, 0);
    let listed = server
        .admin()
        .get("/v1/users/alice/conversations")
        .await
        .ok();
    let item = &listed["items"][0];
    assert_eq!(
        (&item["unread"], &item["read_seq"]),
        (&json!(0), &json!(6)),
        "{listed}"
    );
}
