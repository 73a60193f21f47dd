//! Conversations.

use super::*;

async fn sync(api: &Api, changes: Value) -> Value {
    let mut body = json!({"uid": "u2"});
    for (name, value) in changes.as_object().expect("an object") {
        body[name] = value.clone();
    }
    api.post("/conversation/sync", body).await
}

fn ids(conversations: &Value) -> Vec<&str> {
    let all = conversations.as_array().expect("a list");
    all.iter()
        .map(|one| one["channel_id"].as_str().expect("an id"))
        .collect()
}

fn unread(conversations: &Value) -> Vec<u64> {
    let all = conversations.as_array().expect("a list");
    all.iter()
        .map(|one| one["unread"].as_u64().expect("a number"))
        .collect()
}

#[tokio::test]
async fn a_conversation_has_all_members() {
    let api = Api::start().await;
    let message = json!({
        "header": {"red_dot": 1}, "client_msg_no": "m-1", "from_uid": "u1",
        "channel_id": "u2", "channel_type": 1, "payload": PAYLOAD,
    });
    api.post("/message/send", message).await;
    let mut found = sync(
        &api,
        json!({"version": 0, "last_msg_seqs": "", "msg_count": 20}),
    )
    .await;
    let recents = found[0]["recents"].take();
    let expected = json!([{
        "channel_id": "u1", "channel_type": 1, "unread": 1, "timestamp": im::START_MS / 1000,
        "last_msg_seq": 1, "last_client_msg_no": "m-1", "offset_msg_seq": 0,
        "readed_to_msg_seq": 0, "version": im::START_MS * 1_000_000, "recents": null,
    }]);
    assert_eq!(found, expected);
    assert_eq!(recents.as_array().map(Vec::len), Some(1));
    assert_eq!(
        recents[0]["channel_id"], "u2",
        "the half that is not the sender"
    );
    let own = api.post("/conversation/sync", json!({"uid": "u1"})).await;
    assert_eq!((ids(&own), unread(&own)), (vec!["u2"], vec![0]));
    assert_eq!(own[0]["readed_to_msg_seq"], 1);
}

#[tokio::test]
async fn recents_come_newest_first_and_twenty_if_not_asked_otherwise() {
    let api = Api::start().await;
    for _ in 0..30 {
        api.say("u1", 1, "u2").await;
    }
    let down = |from: u64, to: u64| (to..=from).rev().collect::<Vec<_>>();
    for (changes, expected) in [
        (json!({}), down(30, 11)),
        (json!({"msg_count": 3}), down(30, 28)),
        (json!({"msg_count": "100"}), down(30, 1)),
        (json!({"last_msg_seqs": "u1:1:27"}), down(30, 28)),
        (
            json!({"last_msg_seqs": "u1:1:27", "msg_count": 1}),
            down(30, 30),
        ),
    ] {
        let found = sync(&api, changes.clone()).await;
        assert_eq!(seqs(&found[0]["recents"]), expected, "{changes}");
        assert_eq!(found[0]["last_msg_seq"], 30);
    }
    assert_eq!(sync(&api, json!({"msg_count": 0})).await, json!([]));
    assert_eq!(
        sync(&api, json!({"last_msg_seqs": "u1:1:30"})).await,
        json!([])
    );
}

#[tokio::test]
async fn only_what_is_news_is_told() {
    let api = Api::start().await;
    for id in ["g1", "g2", "g3"] {
        let new = json!({"channel_id": id, "channel_type": 2, "subscribers": ["u1", "u2"]});
        api.done("/channel", new).await;
    }
    api.clock.advance_ms(1000);
    api.say("u1", 2, "g1").await;
    api.clock.advance_ms(1000);
    api.say("u1", 2, "g2").await;
    let fresh = sync(&api, json!({})).await;
    assert_eq!(ids(&fresh), ["g2", "g1"], "g3 has no messages");
    let version = fresh[0]["version"].clone();
    let has_both = json!({"version": version, "last_msg_seqs": "g1:2:1|g2:2:1"});
    assert_eq!(sync(&api, has_both).await, json!([]));
    let has_one = json!({"version": version, "last_msg_seqs": "g2:2:1"});
    assert_eq!(
        ids(&sync(&api, has_one.clone()).await),
        ["g1"],
        "not known and not read"
    );
    let read = json!({"uid": "u2", "channel_id": "g1", "channel_type": 2});
    api.done("/conversations/clearUnread", read).await;
    assert_eq!(sync(&api, has_one).await, json!([]));
    assert_eq!(ids(&sync(&api, json!({"only_unread": 1})).await), ["g2"]);
    assert_eq!(
        ids(&sync(&api, json!({"exclude_channel_types": [1, "2"]})).await),
        [""; 0]
    );
    assert_eq!(
        ids(&sync(&api, json!({"page": 2, "page_size": 1})).await),
        ["g1"]
    );
    assert_eq!(
        ids(&sync(&api, json!({"page": 9, "page_size": 1})).await),
        [""; 0]
    );
}

#[tokio::test]
async fn unread_counts_red_dots_of_others() {
    let api = Api::start().await;
    api.say("u1", 1, "u2").await;
    let silent = json!({
        "from_uid": "u1", "channel_id": "u2", "channel_type": 1, "payload": PAYLOAD,
    });
    api.post("/message/send", silent).await;
    assert_eq!(
        unread(&sync(&api, json!({})).await),
        [1],
        "without a red dot it does not count"
    );
    api.say("u2", 1, "u1").await;
    assert_eq!(
        unread(&sync(&api, json!({})).await),
        [0],
        "whoever answers has read"
    );
}

#[tokio::test]
async fn unread_is_set_in_both_directions() {
    let api = Api::start().await;
    for _ in 0..5 {
        api.say("u1", 1, "u2").await;
    }
    let set = async |unread: Value| {
        let body = json!({"uid": "u2", "channel_id": "u1", "channel_type": 1, "unread": unread});
        api.done("/conversations/setUnread", body).await;
        sync(&api, json!({})).await[0]["unread"].clone()
    };
    assert_eq!(set(json!(2)).await, 2);
    assert_eq!(set(json!(4)).await, 4);
    assert_eq!(set(json!("0")).await, 0);
    assert_eq!(set(json!(3)).await, 3);
    let clear = json!({"uid": "u2", "channel_id": "u1", "channel_type": 1, "message_seq": 1});
    api.done("/conversations/clearUnread", clear).await;
    let found = sync(&api, json!({})).await;
    assert_eq!(
        (&found[0]["unread"], &found[0]["readed_to_msg_seq"]),
        (&json!(0), &json!(5))
    );
}

#[tokio::test]
async fn a_deleted_conversation_comes_back_with_what_is_new() {
    let api = Api::start().await;
    api.say("u1", 1, "u2").await;
    let it = json!({"uid": "u2", "channel_id": "u1", "channel_type": 1});
    api.done("/conversations/delete", it).await;
    assert_eq!(sync(&api, json!({})).await, json!([]));
    api.say("u1", 1, "u2").await;
    let found = sync(&api, json!({})).await;
    assert_eq!(seqs(&found[0]["recents"]), [2]);
}

#[tokio::test]
async fn what_is_not_there_is_no_error() {
    let api = Api::start().await;
    assert_eq!(sync(&api, json!({"uid": "nobody"})).await, json!([]));
    let none = json!({"uid": "nobody", "channel_id": "g9", "channel_type": 2, "unread": 3});
    let routes = [
        "/conversations/clearUnread",
        "/conversations/setUnread",
        "/conversations/delete",
    ];
    for route in routes {
        api.done(route, none.clone()).await;
        for body in [
            json!({"channel_id": "g1", "channel_type": 2}),
            json!({"uid": "u1", "channel_type": 2}),
            json!({"uid": "u1", "channel_id": "g1"}),
        ] {
            api.refused(route, body).await;
        }
    }
    assert!(!api.is_known("nobody").await);
    api.say("", 1, "u2").await;
    assert_eq!(
        sync(&api, json!({})).await,
        json!([]),
        "the system is no peer"
    );
    api.refused("/conversation/sync", json!({})).await;
}
