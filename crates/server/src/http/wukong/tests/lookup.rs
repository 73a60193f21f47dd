//! Single messages, the last one, lists of channels, system accounts, disbanding.

use crosstalk_core::channel::{ChannelKey, ChannelKind};
use crosstalk_core::refusal::Refusal;

use super::*;

async fn with_messages(count: usize) -> (Api, Vec<Value>) {
    let api = Api::start().await;
    let new = json!({"channel_id": "g1", "channel_type": 2, "subscribers": ["u1", "u2"]});
    api.done("/channel", new).await;
    let mut sent = Vec::new();
    for _ in 0..count {
        sent.push(api.say("u2", 2, "g1").await);
    }
    (api, sent)
}

#[tokio::test]
async fn messages_are_found_by_seq_id_and_number_in_this_order() {
    let (api, sent) = with_messages(6).await;
    let elsewhere = api.say("u1", 1, "u2").await;
    let asked = json!({
        "login_uid": "u1", "channel_id": "g1", "channel_type": 2,
        "message_seqs": [5, 4, 99, 0, -1],
        "message_ids": [sent[1]["message_id"], elsewhere["message_id"], 7],
        "client_msg_nos": [sent[0]["client_msg_no"], elsewhere["client_msg_no"], "none"],
    });
    let page = api.post("/messages", asked).await;
    assert_eq!(seqs(&page["messages"]), [5, 4, 2, 1]);
    for zero in ["start_message_seq", "end_message_seq", "more"] {
        assert_eq!(page[zero], 0, "{zero}");
    }
    let nothing = json!({"channel_id": "g9", "channel_type": 2, "message_seqs": [1]});
    assert_eq!(api.post("/messages", nothing).await["messages"], json!([]));
    let many: Vec<u32> = (1..=1001).collect();
    let many = json!({"channel_id": "g1", "channel_type": 2, "message_seqs": many});
    api.refused("/messages", many).await;
    api.refused("/messages", json!({"channel_type": 2})).await;
}

#[tokio::test]
async fn one_message_is_bare_or_404_in_a_200() {
    let (api, sent) = with_messages(2).await;
    let at = |members: Value| {
        let mut body = json!({"login_uid": "u1", "channel_id": "g1", "channel_type": 2});
        for (name, value) in members.as_object().expect("an object") {
            body[name] = value.clone();
        }
        body
    };
    let whole = api
        .post("/channel/messagesync", at(json!({"limit": 10})))
        .await;
    let second = &whole["messages"][1];
    for name in [
        json!({"message_id": sent[1]["message_id"]}),
        json!({"message_id": sent[1]["message_idstr"]}),
        json!({"client_msg_no": sent[1]["client_msg_no"]}),
    ] {
        assert_eq!(
            &api.post("/message", at(name.clone())).await,
            second,
            "{name}"
        );
    }
    let missing = json!({"status": 404});
    assert_eq!(
        api.post("/message", at(json!({"message_id": 7}))).await,
        missing
    );
    let unknown = at(json!({"client_msg_no": "none"}));
    assert_eq!(api.post("/message", unknown).await, missing);
    api.refused("/message", at(json!({}))).await;

    let number = sent[1]["client_msg_no"].as_str().expect("a number");
    let by = |query: &str| format!("/message/byclientmsgno?{query}");
    let found = by(&format!(
        "channel_id=g1&channel_type=2&client_msg_no={number}"
    ));
    assert_eq!(&api.get(&found).await, second);
    let none = by("channel_id=g1&channel_type=2&client_msg_no=none");
    assert_eq!(api.get(&none).await, missing);
    let personal = api.say("u1", 1, "u2").await;
    let number = personal["client_msg_no"].as_str().expect("a number");
    let internal = by(&format!(
        "channel_id=u2%40u1&channel_type=1&client_msg_no={number}"
    ));
    assert_eq!(
        api.get(&internal).await["message_idstr"],
        personal["message_idstr"]
    );
    let peer = by(&format!(
        "channel_id=u2&channel_type=1&client_msg_no={number}"
    ));
    assert_eq!(api.call("GET", &peer, Value::Null).await.status, 400);
}

#[tokio::test]
async fn the_last_message_is_the_newest_that_is_shown() {
    let (api, sent) = with_messages(3).await;
    let last = "/channel/last_message?login_uid=u1&channel_id=g1&channel_type=2";
    assert_eq!(
        api.get(last).await["message_idstr"],
        sent[2]["message_idstr"]
    );
    let key = ChannelKey {
        realm: Realm::default(),
        kind: ChannelKind::GROUP,
        id: "g1".into(),
    };
    let id = sent[2]["message_id"].as_i64().expect("an id");
    let operator = crosstalk_core::deliver::Operator::Application;
    let gone = api
        .im
        .delete(&key.realm, crosstalk_core::id::MessageId(id), operator);
    gone.await.expect("deleted");
    assert_eq!(api.get(last).await["message_seq"], 2);
    let missing = json!({"status": 404});
    let nothing = "/channel/last_message?login_uid=u1&channel_id=g9&channel_type=2";
    assert_eq!(api.get(nothing).await, missing);
    let personal = "/channel/last_message?login_uid=u1&channel_id=u2&channel_type=1";
    assert_eq!(api.get(personal).await, missing);
    api.say("u2", 1, "u1").await;
    assert_eq!(api.get(personal).await["message_seq"], 1);
}

#[tokio::test]
async fn conversations_by_channel() {
    let (api, _) = with_messages(20).await;
    api.say("u1", 1, "u2").await;
    let channels = api
        .post("/conversation/channels", json!({"uid": "u1"}))
        .await;
    assert_eq!(
        channels,
        json!([{"channel_id": "u2@u1", "channel_type": 1},
               {"channel_id": "g1", "channel_type": 2}])
    );
    let nobody = api
        .post("/conversation/channels", json!({"uid": "u9"}))
        .await;
    assert_eq!(nobody, json!([]));

    let asked = |channels: Value, count: Value| json!({"uid": "u1", "channels": channels, "msg_count": count});
    let path = "/conversation/syncByChannels";
    let group = json!([{"channel_id": "g1", "channel_type": 2},
                       {"channel_id": "g9", "channel_type": 2}]);
    let mut body = asked(group, Value::Null);
    body.as_object_mut().expect("an object").remove("msg_count");
    let found = api.post(path, body).await;
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    let newest: Vec<u64> = (6..=20).rev().collect();
    assert_eq!(
        (&found[0]["channel_id"], seqs(&found[0]["recents"])),
        (&json!("g1"), newest)
    );
    assert_eq!(found[0]["unread"], 20);
    for name in ["u2", "u2@u1"] {
        let personal = json!([{"channel_id": name, "channel_type": 1}]);
        let found = api.post(path, asked(personal, json!(5))).await;
        assert_eq!(found[0]["channel_id"], "u2", "{name}");
    }
    assert_eq!(api.post(path, asked(json!([]), json!(5))).await, json!([]));
    let wrong = json!([{"channel_id": "g1", "channel_type": 77}]);
    api.refused(path, asked(wrong, json!(5))).await;
}

#[tokio::test]
async fn system_accounts_are_listed_and_pass_all_checks() {
    let (api, _) = with_messages(0).await;
    assert_eq!(api.get("/user/systemuids").await, json!([]));
    let bots = json!({"uids": ["bot1", "bot2"]});
    api.done("/user/systemuids_add", bots.clone()).await;
    api.done("/user/systemuids_add", bots).await;
    assert_eq!(api.get("/user/systemuids").await, json!(["bot1", "bot2"]));
    let uid = Uid::parse("bot1").expect("a uid");
    let bot = api.im.user(&Realm::default(), &uid).await.expect("a user");
    assert!(bot.record.flags.system);
    let one = json!({"uids": ["bot1", "never-seen"]});
    api.done("/user/systemuids_remove", one).await;
    assert_eq!(api.get("/user/systemuids").await, json!(["bot2"]));
    assert!(!api.is_known("never-seen").await);
    for uids in [json!([]), json!(["a@b"]), json!(["____system"])] {
        api.refused("/user/systemuids_add", json!({"uids": uids}))
            .await;
    }
}

#[tokio::test]
async fn a_disbanded_channel_has_nobody_and_takes_nothing() {
    let (api, _) = with_messages(2).await;
    let session = api.session("u1").await;
    let deny = json!({"channel_id": "g1", "channel_type": 2, "uids": ["u7"]});
    api.done("/channel/blacklist_add", deny).await;
    let delete = json!({"channel_id": "g1", "channel_type": 2});
    api.done("/channel/delete", delete.clone()).await;
    let told = received(&session);
    let told: Vec<Value> = told
        .iter()
        .map(|it| crosstalk_gateway::wukong_payload(it, "u1").into_owned())
        .map(|payload| serde_json::from_slice(&payload).expect("JSON"))
        .collect();
    let disband = json!({"type": 99, "cmd": "channelUpdate",
        "param": {"channel_id": "g1", "channel_type": 2, "disband": true}});
    assert!(told.contains(&disband), "{told:?}");
    assert_eq!(
        api.post("/conversation/channels", json!({"uid": "u1"}))
            .await,
        json!([])
    );
    let message = json!({
        "from_uid": "u1", "channel_id": "g1", "channel_type": 2, "payload": PAYLOAD,
    });
    let why = api.refused("/message/send", message).await;
    assert_eq!(why, "channel disbanded");
    let key = ChannelKey {
        realm: Realm::default(),
        kind: ChannelKind::GROUP,
        id: "g1".into(),
    };
    assert_eq!(
        api.im.channel(&key).await.expect("a channel").member_count,
        0
    );
    api.done("/channel/delete", delete).await;
    api.done(
        "/channel/delete",
        json!({"channel_id": "g9", "channel_type": 2}),
    )
    .await;
    let unknown = ChannelKey {
        id: "g9".into(),
        ..key
    };
    assert_eq!(
        api.im.channel(&unknown).await.err(),
        Some(Refusal::NoSuchChannel)
    );
    let personal = json!({"channel_id": "u1", "channel_type": 1});
    api.refused("/channel/delete", personal).await;

    // Made anew it begins with those who are named.
    let new = json!({"channel_id": "g1", "channel_type": 2, "subscribers": ["u7"]});
    api.done("/channel", new).await;
    api.say("u7", 2, "g1").await;
}
