//! Sending.

use crosstalk_core::refusal::Refusal;

use super::*;

#[tokio::test]
async fn a_message_is_stored_delivered_and_answered() {
    let api = Api::start().await;
    let u2 = api.session("u2").await;
    let message = json!({
        "header": {"no_persist": 0, "red_dot": 1, "sync_once": 0},
        "client_msg_no": "m-1", "from_uid": "u1", "channel_id": "u2", "channel_type": 1,
        "expire": 60, "payload": PAYLOAD,
    });
    let sent = api.post("/message/send", message.clone()).await;
    let data = &sent["data"];
    assert_eq!(sent["status"], 200);
    assert_eq!(data["message_idstr"], data["message_id"].to_string());
    assert_eq!(data["message_seq"], 1);
    assert_eq!(data["client_msg_no"], "m-1");
    let received = received(&u2);
    assert_eq!(received.len(), 1);
    let message_in = &received[0];
    assert_eq!(message_in.id.0, data["message_id"].as_i64().expect("an id"));
    assert_eq!(
        message_in.body.payload,
        STANDARD.decode(PAYLOAD).expect("base64")
    );
    assert_eq!(
        (message_in.body.expire_secs, message_in.body.flags.counts),
        (60, true)
    );
    assert_eq!(api.post("/message/send", message).await, sent, "a retry");
}

#[tokio::test]
async fn a_blank_sender_is_the_system_and_blank_numbers_are_made_up() {
    let api = Api::start().await;
    let u1 = api.session("u1").await;
    let mut numbers = Vec::new();
    for from_uid in [json!(""), json!("____system"), Value::Null] {
        let message = json!({
            "from_uid": from_uid, "channel_id": "u1", "channel_type": 1, "payload": PAYLOAD,
        });
        let sent = api.post("/message/send", message).await;
        let number = sent["data"]["client_msg_no"]
            .as_str()
            .expect("a number")
            .to_owned();
        assert_eq!((number.len(), number.ends_with('0')), (33, true));
        assert!(!numbers.contains(&number));
        numbers.push(number);
    }
    let received = received(&u1);
    assert_eq!(received.len(), 3);
    assert!(
        received
            .iter()
            .all(|message| message.sender.uid.is_system())
    );
}

#[tokio::test]
async fn only_bans_of_the_channel_hold() {
    let api = Api::start().await;
    let new = json!({"channel_id": "g1", "channel_type": 2, "subscribers": ["u1"]});
    api.done("/channel", new).await;
    let to_g1 = json!({
        "from_uid": "stranger", "channel_id": "g1", "channel_type": 2, "payload": PAYLOAD,
    });
    assert_eq!(
        api.post("/message/send", to_g1.clone()).await["status"],
        200
    );
    api.done(
        "/channel/info",
        json!({"channel_id": "g1", "channel_type": 2, "ban": 1}),
    )
    .await;
    assert_eq!(
        api.refused("/message/send", to_g1.clone()).await,
        "channel banned"
    );
    api.done(
        "/channel/info",
        json!({"channel_id": "g1", "channel_type": 2, "disband": 1}),
    )
    .await;
    assert_eq!(
        api.refused("/message/send", to_g1).await,
        "channel disbanded"
    );
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused() {
    let api = Api::start().await;
    for changes in [
        json!({"payload": ""}),
        json!({"payload": "###"}),
        json!({"payload": null}),
        json!({"channel_id": ""}),
        json!({"channel_id": "a@b"}),
        json!({"channel_type": 0}),
        json!({"channel_type": 77}),
        json!({"channel_type": "group"}),
        json!({"from_uid": "a#b"}),
        json!({"from_uid": "____manager"}),
        json!({"expire": 4_294_967_296_i64}),
        json!({"subscribers": ["u1"]}),
        json!({"channel_id": "", "subscribers": ["u1"]}),
        json!({"channel_id": "", "subscribers": ["a@b"], "header": {"sync_once": 1}}),
    ] {
        let mut message = json!({"channel_id": "g1", "channel_type": 2, "payload": PAYLOAD});
        for (name, value) in changes.as_object().expect("an object") {
            message[name] = value.clone();
        }
        api.refused("/message/send", message).await;
    }
    for (length, status) in [(512, 200), (513, 400)] {
        let number = "n".repeat(length);
        let message = json!({
            "channel_id": "g1", "channel_type": 2, "payload": PAYLOAD, "client_msg_no": number,
        });
        let answer = api.call("POST", "/message/send", message).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
}

#[tokio::test]
async fn commands_go_to_the_command_log() {
    let api = Api::start().await;
    let u1 = api.session("u1").await;
    let new = json!({"channel_id": "g1", "channel_type": 2, "subscribers": ["u1"]});
    api.done("/channel", new).await;
    let command = json!({
        "header": {"sync_once": 1}, "channel_id": "g1", "channel_type": 2, "payload": PAYLOAD,
    });
    // How the channel came to be stands there, too.
    let first = api.post("/message/send", command.clone()).await;
    let before = first["data"]["message_seq"].as_u64().expect("a seq");
    let sent = api.post("/message/send", command).await;
    assert_eq!(sent["data"]["message_seq"], before + 1);
    assert_eq!(
        api.say("", 2, "g1").await["message_seq"],
        1,
        "logs have seqs of their own"
    );
    let received = received(&u1);
    let said = |m: &&Arc<Message>| m.body.origin == WUKONG_ORIGIN;
    assert_eq!(
        received
            .iter()
            .filter(said)
            .map(|m| m.body.flags.command)
            .collect::<Vec<_>>(),
        [true, true, false]
    );
    let history = json!({"login_uid": "u1", "channel_id": "g1", "channel_type": 2});
    let page = api.post("/channel/messagesync", history).await;
    assert_eq!(page["messages"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn commands_to_a_list_reach_exactly_that_list() {
    let api = Api::start().await;
    let (u1, u2, u3) = (
        api.session("u1").await,
        api.session("u2").await,
        api.session("u3").await,
    );
    for (no_persist, list) in [(0, ["u1", "u2"]), (1, ["u2", "u1"]), (0, ["u1", "u2"])] {
        let command = json!({
            "header": {"sync_once": 1, "no_persist": no_persist},
            "subscribers": list, "payload": PAYLOAD,
        });
        api.done("/message/send", command).await;
        for session in [&u1, &u2] {
            let received = received(session);
            assert_eq!(received.len(), 1);
            assert_eq!(received[0].channel.key.kind.0, 8);
            assert_eq!(received[0].seq == 0, no_persist == 1);
        }
        assert!(received(&u3).is_empty());
    }
    let conversations = api.post("/conversation/sync", json!({"uid": "u1"})).await;
    assert_eq!(conversations, json!([]));
}

#[tokio::test]
async fn commands_that_are_not_stored_go_to_whoever_is_online_and_leave_nothing() {
    let api = Api::start().await;
    let (u1, u2) = (api.session("u1").await, api.session("u2").await);
    let command = json!({
        "header": {"sync_once": 1, "no_persist": 1}, "from_uid": "u1",
        "subscribers": ["u2", "nobody"], "payload": PAYLOAD,
    });
    api.done("/message/send", command.clone()).await;
    assert!(received(&u1).is_empty(), "not on the list");
    let received = received(&u2);
    assert_eq!(received.len(), 1);
    let message = &received[0];
    assert_eq!(message.sender.uid.as_str(), "u1");
    assert_eq!(
        (message.channel.key.kind.0, &*message.channel.key.id),
        (8, "systemcmdonline")
    );
    assert!(message.body.flags.command && message.body.flags.no_persist);
    assert_eq!(message.seq, 0);
    assert_eq!(
        message.body.payload,
        STANDARD.decode(PAYLOAD).expect("base64")
    );
    let made = api.im.channel(&message.channel.key).await;
    assert_eq!(made.err(), Some(Refusal::NoSuchChannel));
    assert!(!api.is_known("nobody").await);
    let mut long = command.clone();
    long["client_msg_no"] = json!("n".repeat(513));
    let why = api.refused("/message/send", long).await;
    assert!(why.starts_with("client_msg_no"), "{why}");
    let mut huge = command;
    huge["payload"] = json!(STANDARD.encode(vec![b'x'; (1 << 20) + 1]));
    assert_eq!(api.refused("/message/send", huge).await, "too large");
}

#[tokio::test]
async fn a_batch_goes_to_each_and_tells_whom_it_missed() {
    let api = Api::start().await;
    let (u1, u2) = (api.session("u1").await, api.session("u2").await);
    api.done(
        "/channel/info",
        json!({"channel_id": "u3", "channel_type": 1, "ban": 1}),
    )
    .await;
    let batch = json!({
        "header": {"red_dot": 1}, "from_uid": "u9", "payload": PAYLOAD,
        "subscribers": ["u1", "a@b", "u2", "u3"],
    });
    let outcome = api.post("/message/sendbatch", batch.clone()).await;
    assert_eq!(outcome["fail_uids"], json!(["a@b", "u3"]));
    assert_eq!(outcome["reason"][1], "channel banned");
    for session in [&u1, &u2] {
        assert_eq!(received(session).len(), 1);
    }
    for missing in ["from_uid", "subscribers", "payload"] {
        let mut body = batch.clone();
        body[missing] = Value::Null;
        api.refused("/message/sendbatch", body).await;
    }
}
