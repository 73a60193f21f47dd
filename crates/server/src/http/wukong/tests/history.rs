//! Reading channels.

use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::deliver::Sender;
use crosstalk_core::message::{Body as MessageBody, Draft, Flags, OnReuse, Origin};

use super::*;

async fn sync(api: &Api, changes: Value) -> Value {
    let mut body = json!({"login_uid": "u1", "channel_id": "g1", "channel_type": 2, "limit": 20});
    for (name, value) in changes.as_object().expect("an object") {
        body[name] = value.clone();
    }
    api.post("/channel/messagesync", body).await
}

async fn with_messages(count: usize) -> Api {
    let api = Api::start().await;
    let new = json!({"channel_id": "g1", "channel_type": 2, "subscribers": ["u1", "u2"]});
    api.done("/channel", new).await;
    for _ in 0..count {
        api.say("u2", 2, "g1").await;
    }
    api
}

#[tokio::test]
async fn a_message_object_has_all_members() {
    let api = Api::start().await;
    let message = json!({
        "header": {"red_dot": 1}, "client_msg_no": "m-1", "from_uid": "u1",
        "channel_id": "u2", "channel_type": 1, "payload": PAYLOAD,
    });
    let id = api.post("/message/send", message).await["data"]["message_id"].clone();
    for (login_uid, channel_id) in [("u2", "u1"), ("u1", "u2")] {
        let asked = json!({
            "login_uid": login_uid, "channel_id": channel_id, "channel_type": 1,
            "start_message_seq": 0, "end_message_seq": 0, "limit": 20, "pull_mode": 0,
        });
        let expected = json!({
            "start_message_seq": 0, "end_message_seq": 0, "more": 0,
            "messages": [{
                "header": {"no_persist": 0, "red_dot": 1, "sync_once": 0},
                "setting": 0, "message_id": id, "message_idstr": id.to_string(),
                "client_msg_no": "m-1", "message_seq": 1, "from_uid": "u1", "channel_id": "u2",
                "channel_type": 1, "expire": 0, "timestamp": im::START_MS / 1000,
                "payload": PAYLOAD,
            }],
        });
        assert_eq!(api.post("/channel/messagesync", asked).await, expected);
    }
}

#[tokio::test]
async fn ranges_are_answered_ascending() {
    let api = with_messages(25).await;
    let upto = |from: u64, to: u64| (from..=to).collect::<Vec<_>>();
    let cases = [
        (json!({}), upto(6, 25), 1),
        (json!({"limit": 100}), upto(1, 25), 0),
        (json!({"limit": 0}), upto(1, 25), 0),
        (
            json!({"start_message_seq": 20, "end_message_seq": 10}),
            upto(11, 20),
            0,
        ),
        (
            json!({"start_message_seq": 20, "end_message_seq": 10, "limit": 5}),
            upto(16, 20),
            1,
        ),
        (
            json!({"start_message_seq": 10, "end_message_seq": 20}),
            vec![],
            0,
        ),
        (
            json!({"start_message_seq": 0, "end_message_seq": 20}),
            vec![],
            0,
        ),
        (
            json!({"pull_mode": 1, "start_message_seq": 10, "end_message_seq": 20}),
            upto(10, 19),
            0,
        ),
        (
            json!({"pull_mode": "1", "start_message_seq": 10, "limit": 5}),
            upto(10, 14),
            1,
        ),
        (
            json!({"pull_mode": 1, "start_message_seq": 24}),
            upto(24, 25),
            0,
        ),
        (json!({"pull_mode": 1}), upto(6, 25), 1),
    ];
    for (changes, expected, more) in cases {
        let page = sync(&api, changes.clone()).await;
        assert_eq!(seqs(&page["messages"]), expected, "{changes}");
        assert_eq!(page["more"], more, "{changes}");
        for bound in ["start_message_seq", "end_message_seq"] {
            let asked = changes.get(bound).cloned().unwrap_or_else(|| json!(0));
            assert_eq!(page[bound], asked, "{changes}");
        }
    }
}

#[tokio::test]
async fn an_unknown_channel_is_empty_and_a_stranger_reads() {
    let api = with_messages(3).await;
    let empty = json!({
        "start_message_seq": 0, "end_message_seq": 0, "more": 0, "messages": [],
    });
    let unknown = json!({"channel_id": "g9", "start_message_seq": 7});
    assert_eq!(sync(&api, unknown).await, empty);
    let stranger = sync(&api, json!({"login_uid": "stranger"})).await;
    assert_eq!(seqs(&stranger["messages"]), [1, 2, 3]);
    assert!(!api.is_known("stranger").await);
    for changes in [
        json!({"login_uid": ""}),
        json!({"channel_id": ""}),
        json!({"channel_type": 0}),
        json!({"channel_id": "a#b"}),
        json!({"pull_mode": 2}),
    ] {
        let mut body = json!({"login_uid": "u1", "channel_id": "g1", "channel_type": 2});
        for (name, value) in changes.as_object().expect("an object") {
            body[name] = value.clone();
        }
        api.refused("/channel/messagesync", body).await;
    }
}

#[tokio::test]
async fn a_message_for_somebody_is_shown_to_nobody_else() {
    let api = with_messages(0).await;
    let realm = Realm::default();
    let user = async |text| {
        let uid = Uid::parse(text).expect("a uid");
        api.im.ensure_user(&realm, &uid).await.expect("a user")
    };
    let draft = Draft {
        to: Address::parse(ChannelKind::GROUP, "g1").expect("an address"),
        body: MessageBody {
            origin: WUKONG_ORIGIN,
            payload: r#"{"type":1,"content":"hi"}"#.into(),
            audience: Some([user("u2").await.num].into()),
            ..Default::default()
        },
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    let sender = Sender::User(user("u1").await);
    api.im.send_as(&realm, sender, draft).await.expect("sent");
    user("known").await;
    for (login, is_shown) in [("u2", true), ("known", false), ("stranger", false)] {
        let page = sync(&api, json!({"login_uid": login})).await;
        assert_eq!(seqs(&page["messages"]), [1], "{login}");
        let payload = page["messages"][0]["payload"].as_str();
        assert_eq!(payload == Some(PAYLOAD), is_shown, "{login}");
    }
}

#[tokio::test]
async fn the_newest_seq_is_told() {
    let api = with_messages(3).await;
    api.say("u1", 1, "u2").await;
    for (query, seq) in [
        ("channel_id=g1&channel_type=2", 3),
        ("channel_id=g9&channel_type=2", 0),
        ("channel_id=u2&channel_type=1&login_uid=u1", 1),
        ("channel_id=u1&channel_type=1&login_uid=u2", 1),
        ("channel_id=u2%40u1&channel_type=1", 1),
        ("channel_id=u1%40u2&channel_type=1", 1),
    ] {
        let path = format!("/channel/max_message_seq?{query}");
        assert_eq!(api.get(&path).await, json!({"message_seq": seq}), "{query}");
    }
    let refused = api
        .call(
            "GET",
            "/channel/max_message_seq?channel_type=2",
            Value::Null,
        )
        .await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn messages_of_others_are_rendered_for_this_dialect() {
    let api = with_messages(0).await;
    let realm = Realm::default();
    let user = api
        .im
        .user_ref(&realm, &Uid::parse("u2").expect("a uid"))
        .await
        .expect("a user");
    let body = MessageBody {
        client_no: "r-1".into(),
        origin: Origin::REST,
        tag: "".into(),
        flags: Flags {
            counts: true,
            receipt: true,
            ..Flags::default()
        },
        expire_secs: 0,
        payload: r#"{"type":"text","text":"hi"}"#.into(),
        ..MessageBody::default()
    };
    let to = Address::parse(ChannelKind::GROUP, "g1").expect("an address");
    let draft = Draft {
        to,
        body,
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    let sent = api
        .im
        .send_as(&realm, Sender::User(user), draft)
        .await
        .expect("accepted");
    let message = &sync(&api, json!({})).await["messages"][0];
    let payload = STANDARD
        .decode(message["payload"].as_str().expect("base64"))
        .expect("base64");
    let payload: Value = serde_json::from_slice(&payload).expect("JSON");
    assert_eq!(payload, json!({"type": 1, "content": "hi"}));
    assert_eq!(message["client_msg_no"], format!("x-{}", sent.id));
    assert_eq!(message["setting"], 128);
}
