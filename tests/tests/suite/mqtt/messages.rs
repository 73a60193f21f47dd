//! Messages between users and in groups: T3-12 to T3-25, T3-31, T3-32, T3-36.

use crosstalk_tests::Server;
use crosstalk_tests::mqtt::{MqttClient, MqttDevice, envelope, register, register_with, text};
use crosstalk_tests::wukong::Outgoing;
use crosstalk_wire::mqtt::{Ack, Delivery, Packet, Qos, ReasonCode};
use serde_json::{Value, json};

/// Two users with a device and an open connection each.
async fn pair(server: &Server) -> (MqttDevice, MqttClient, MqttDevice, MqttClient) {
    let ann = register(server, "ann", "d1").await;
    let bob = register(server, "bob", "d2").await;
    let from = ann.open(server, true).await;
    let to = bob.open(server, true).await;
    (ann, from, bob, to)
}

async fn group(server: &Server, id: &str, members: &[&str]) {
    let body = json!({"groupId": id, "name": "一组", "members": members});
    let answer = server.admin().post("/im/v1/app/groups", body).await.ok();
    assert_eq!(answer["data"]["memberCount"], members.len(), "{answer}");
}

#[tokio::test]
async fn a_text_arrives_with_nine_members() {
    let server = Server::start().await;
    let (ann, mut from, bob, mut to) = pair(&server).await;
    let mut sent = text("839201", &bob.account, "你好");
    sent["timestamp"] = 1_675_416_709_033_i64.into();
    assert_eq!(from.send(&sent).await, ReasonCode::Success);
    let heard = to.message().await;
    let at = heard["timestamp"].as_i64().expect("a time");
    assert!(at > 1_700_000_000_000, "the server's time: {at}");
    let expected = json!({
        "id": "839201", "from": ann.account, "to": bob.account, "tenantNo": "default",
        "target": "", "type": 0, "content": {"text": "你好"}, "timestamp": at,
        "isBackground": false,
    });
    assert_eq!(heard, expected);
    assert_eq!(
        from.told("received").await,
        json!({"id": "839201", "reader": bob.account})
    );
}

#[tokio::test]
async fn the_topic_is_a_hint_and_the_receiver_has_several_names() {
    let server = Server::start().await;
    let (ann, mut from, bob, mut to) = pair(&server).await;
    let own = format!("{}/send", ann.account);
    let cases = [
        (bob.account.clone(), bob.account.clone()),
        (own, bob.account.clone()),
        ("im/send".to_owned(), "bob".to_owned()),
        (bob.account.clone(), "bob".to_owned()),
    ];
    for (at, (topic, name)) in cases.into_iter().enumerate() {
        let id = format!("m{at}");
        let payload = text(&id, &name, "hi").to_string();
        let reason = from.publish(&topic, payload.as_bytes()).await;
        assert_eq!(reason, ReasonCode::Success, "{topic}");
        assert_eq!(to.message().await["id"], id);
    }
    let elsewhere = text("m9", &ann.account, "hi").to_string();
    from.publish(&bob.account, elsewhere.as_bytes()).await;
    assert_eq!(from.told("error").await["code"], 400);
}

#[tokio::test]
async fn types_are_read_in_every_form_and_written_in_the_receivers() {
    let server = Server::start().await;
    let (_, mut from, bob, mut to) = pair(&server).await;
    for (at, kind) in [json!("TEXT"), json!("0"), json!(0)]
        .into_iter()
        .enumerate()
    {
        let id = format!("m{at}");
        let message = envelope(&id, &bob.account, kind, json!({"text": "x"}));
        assert_eq!(from.send(&message).await, ReasonCode::Success);
        assert_eq!(to.message().await["type"], 0, "a number before its first");
    }
    let named = register_with(&server, "carol", "d3", json!({"typeFormat": "name"})).await;
    let mut carol = named.open(&server, true).await;
    from.send(&text("m5", "carol", "x")).await;
    assert_eq!(carol.message().await["type"], "TEXT");
    // Who writes names is written names, on later connections, too.
    to.send(&envelope("b1", "carol", "TEXT", json!({"text": "y"})))
        .await;
    from.send(&text("m6", "bob", "x")).await;
    assert_eq!(to.message().await["type"], "TEXT");
    drop(to);
    let mut to = bob.open(&server, true).await;
    from.send(&text("m7", "bob", "x")).await;
    assert_eq!(to.message().await["type"], "TEXT");
}

#[tokio::test]
async fn the_same_id_and_content_comes_once() {
    let server = Server::start().await;
    let (_, mut from, bob, mut to) = pair(&server).await;
    for _ in 0..2 {
        assert_eq!(
            from.send(&text("m1", &bob.account, "once")).await,
            ReasonCode::Success
        );
    }
    from.send(&text("m2", &bob.account, "next")).await;
    assert_eq!(to.message().await["id"], "m1");
    assert_eq!(to.message().await["id"], "m2");
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let mut server = Server::start().await;
    let (ann, mut from, bob, _) = pair(&server).await;
    assert_eq!(
        from.send(&text("m1", &bob.account, "kept")).await,
        ReasonCode::Success
    );
    server.kill().await;
    server.start_again().await;
    let path = format!(
        "/im/v1/messages/history?target={}&deliver=http",
        bob.account
    );
    let kept = ann.http(&server).get(&path).await.ok();
    assert_eq!(
        kept["data"]["messages"][0]["content"]["text"], "kept",
        "{kept}"
    );
}

#[tokio::test]
async fn a_group_message_is_rewritten_for_each_member() {
    let server = Server::start().await;
    let (ann, mut from, bob, mut to) = pair(&server).await;
    let carol = register(&server, "carol", "d3").await;
    let tablet = register(&server, "ann", "d4").await;
    let mut third = carol.open(&server, true).await;
    let mut own = tablet.open(&server, true).await;
    group(&server, "g1", &["ann", "bob", &carol.account]).await;
    assert_eq!(
        from.send(&text("839202", "g1", "开会")).await,
        ReasonCode::Success
    );
    for (client, account) in [(&mut to, &bob.account), (&mut third, &carol.account)] {
        let heard = client.message().await;
        let rewritten = (&heard["from"], &heard["to"], &heard["target"], &heard["id"]);
        let expected = (
            json!("g1"),
            json!(account),
            json!(ann.account),
            json!("839202"),
        );
        assert_eq!(
            rewritten,
            (&expected.0, &expected.1, &expected.2, &expected.3)
        );
        assert_eq!(heard["content"], json!({"text": "开会"}));
    }
    let copy = own.message().await;
    assert_eq!(
        (&copy["from"], &copy["to"]),
        (&json!("g1"), &json!(ann.account))
    );
    assert_eq!(copy["target"], ann.account, "marks one's own");
    // The publishing connection gets nothing of it: what comes next is the next.
    to.send(&text("b1", "group:g1", "ok")).await;
    assert_eq!(from.message().await["id"], "b1");
    // Of a message to one user, the other device has it as it was sent.
    from.send(&text("m1", &bob.account, "hi")).await;
    assert_eq!(own.message().await["id"], "b1");
    let copy = own.message().await;
    assert_eq!(
        (&copy["from"], &copy["to"]),
        (&json!(ann.account), &json!(bob.account))
    );
}

#[tokio::test]
async fn a_target_names_some_of_a_group() {
    let server = Server::start().await;
    let (ann, mut from, bob, mut to) = pair(&server).await;
    let carol = register(&server, "carol", "d3").await;
    let mut third = carol.open(&server, true).await;
    group(&server, "g1", &["ann", "bob", "carol"]).await;
    let with = |id: &str, target: &str| {
        let mut message = text(id, "g1", "x");
        message["target"] = target.into();
        message
    };
    assert_eq!(
        from.send(&with("m1", &bob.account)).await,
        ReasonCode::Success
    );
    for (at, all) in ["all", "g1", "group:g1", &ann.account]
        .into_iter()
        .enumerate()
    {
        from.send(&with(&format!("a{at}"), all)).await;
    }
    assert_eq!(to.message().await["id"], "m1");
    for at in 0..4 {
        assert_eq!(
            third.message().await["id"],
            format!("a{at}"),
            "and not m1 before"
        );
        assert_eq!(to.message().await["id"], format!("a{at}"));
    }
    let both = format!("{},{}", bob.account, carol.account);
    from.send(&with("m2", &both)).await;
    assert_eq!(to.message().await["id"], "m2");
    assert_eq!(third.message().await["id"], "m2");
    register(&server, "dave", "d5").await;
    for (id, stranger) in [("m3", "dave"), ("m4", "nobody")] {
        from.send(&with(id, stranger)).await;
        assert_eq!(
            from.told("error").await,
            json!({"id": id, "code": 404, "msg": "no such user"})
        );
    }
}

#[tokio::test]
async fn refusals_are_told_to_the_publishing_connection() {
    let server = Server::start().await;
    let (ann, mut from, bob, _) = pair(&server).await;
    let (mut five, _) = MqttClient::connect(&server, &{
        let mut hello = bob.connect_v5(true, 0);
        hello.client_id = "five".into();
        hello.username = Some("carol".into());
        hello.password = Some(server.user_token("carol").await.into());
        hello
    })
    .await;
    let account = register(&server, "carol", "d9").await.account;
    five.subscribe(&account, Qos::AtLeastOnce).await;
    group(&server, "g1", &["bob"]).await;
    let change = |member: &str, value: Value| {
        let mut message = text("x1", &bob.account, "x");
        match value {
            Value::Null => drop(message.as_object_mut().expect("an object").remove(member)),
            value => message[member] = value,
        }
        message.to_string()
    };
    let cases = [
        (change("to", json!("g1")), 403, ReasonCode::NotAuthorized),
        (
            change("to", json!("nobody")),
            404,
            ReasonCode::UnspecifiedError,
        ),
        (
            change("from", json!(bob.account)),
            403,
            ReasonCode::NotAuthorized,
        ),
        (
            change("tenantNo", json!("other")),
            403,
            ReasonCode::NotAuthorized,
        ),
        (
            change("id", Value::Null),
            400,
            ReasonCode::PayloadFormatInvalid,
        ),
        (
            change("to", Value::Null),
            400,
            ReasonCode::PayloadFormatInvalid,
        ),
        (
            change("type", Value::Null),
            400,
            ReasonCode::PayloadFormatInvalid,
        ),
        (
            change("content", json!("text")),
            400,
            ReasonCode::PayloadFormatInvalid,
        ),
        ("not json".to_owned(), 400, ReasonCode::PayloadFormatInvalid),
    ];
    for (payload, code, reason) in &cases {
        assert_eq!(
            five.publish("im/send", payload.as_bytes()).await,
            *reason,
            "{payload}"
        );
        assert_eq!(five.told("error").await["code"], *code, "{payload}");
        // 3.1.1 has no refusing PUBACK.
        let puback = from.publish("im/send", payload.as_bytes()).await;
        assert_eq!(puback, ReasonCode::Success);
        let error = from.envelope(|it| it["content"]["type"] == "error").await;
        assert_eq!(error["content"]["content"]["code"], *code, "{payload}");
        assert_eq!(
            (&error["from"], &error["type"]),
            (&json!("SYSTEM"), &json!(7))
        );
        assert_eq!(error["to"], ann.account);
    }
}

#[tokio::test]
async fn own_names_are_as_good_as_none() {
    let server = Server::start().await;
    let (ann, mut from, bob, mut to) = pair(&server).await;
    for (at, name) in ["ann", &ann.account, ""].into_iter().enumerate() {
        let mut message = text(&format!("ok{at}"), &bob.account, "x");
        message["from"] = name.into();
        message["tenantNo"] = "default".into();
        assert_eq!(from.send(&message).await, ReasonCode::Success);
        assert_eq!(to.message().await["from"], ann.account);
    }
}

#[tokio::test]
async fn every_content_comes_as_it_was_sent() {
    let server = Server::start().await;
    let (_, mut from, bob, mut to) = pair(&server).await;
    let bodies = [
        (
            1,
            json!({"storageId": "f-1", "thumbnail": "f-1t", "thumbnailWidth": 100, "thumbnailHeight": 100}),
        ),
        (2, json!({"storageId": "f-2", "duration": 152})),
        (
            3,
            json!({"storageId": "f-3", "fileName": "v", "fileSize": "1024", "duration": 100, "thumbnail": "t", "thumbnailWidth": 1, "thumbnailHeight": 2}),
        ),
        (
            4,
            json!({"storageId": "f-4", "fileName": "f", "fileSize": "7", "duration": 0}),
        ),
        (
            5,
            json!({"latitude": 1.5, "longitude": 2.25, "title": "t", "address": "a"}),
        ),
        (
            6,
            json!({"title": "t", "content": "c", "action": "", "appid": "", "appName": "", "appLogo": "", "url": ""}),
        ),
        (7, json!({"type": "org", "content": {"a": [1, 2]}})),
        (
            8,
            json!({"status": "invite", "avType": "video", "uid": "ann", "roomId": "r9", "timestamp": 1, "useTime": 0, "agoraKey": "006"}),
        ),
        (
            9,
            json!({"title": "处方单", "content": "…", "action": "open", "appid": "rx", "appName": "处方", "appLogo": "l", "url": "https://x"}),
        ),
        (10, json!({"z": 1, "a": {"nested": [null, true]}})),
        (55, json!({"what": "ever"})),
    ];
    for (kind, content) in bodies {
        let id = format!("m{kind}");
        let sent = envelope(&id, &bob.account, kind, content.clone());
        assert_eq!(from.send(&sent).await, ReasonCode::Success);
        let heard = to.message().await;
        assert_eq!((&heard["id"], &heard["type"]), (&json!(id), &json!(kind)));
        assert_eq!(heard["content"], content);
        assert_eq!(heard["isBackground"], kind == 7, "{kind}");
    }
}

#[tokio::test]
async fn every_guarantee_archives_once() {
    let server = Server::start().await;
    let (ann, mut from, bob, mut to) = pair(&server).await;
    let payload = text("q0", &bob.account, "x").to_string();
    let zero = MqttClient::publish_packet("im/send", Delivery::AtMostOnce, payload.as_bytes());
    from.say(&Packet::Publish(zero)).await;
    let id = from.id();
    let payload = text("q2", &bob.account, "x").to_string();
    for dup in [false, true] {
        let delivery = Delivery::ExactlyOnce { id, dup };
        let two = MqttClient::publish_packet("im/send", delivery, payload.as_bytes());
        from.say(&Packet::Publish(two)).await;
        from.hears(|it| matches!(it, Packet::Pubrec(ack) if ack.packet_id == id).then_some(()))
            .await;
    }
    from.say(&Packet::Pubrel(Ack::new(id, ReasonCode::Success)))
        .await;
    from.hears(|it| matches!(it, Packet::Pubcomp(ack) if ack.packet_id == id).then_some(()))
        .await;
    assert_eq!(to.message().await["id"], "q0");
    assert_eq!(to.message().await["id"], "q2");
    let path = "/im/v1/messages/history?deliver=http";
    let all = ann.http(&server).get(path).await.ok();
    assert_eq!(all["data"]["count"], 2, "{all}");
}

#[tokio::test]
async fn a_message_is_taken_back_by_its_sender_in_time() {
    let server = Server::start_with(&["im.revoke_window_secs=2"]).await;
    let (ann, mut from, bob, mut to) = pair(&server).await;
    from.send(&text("839201", &bob.account, "oops")).await;
    to.message().await;
    let revoke = |id: &str, to: &str, which: &str| {
        envelope(
            id,
            to,
            7,
            json!({"type": "revoke", "content": {"id": which}}),
        )
    };
    to.send(&revoke("k0", &ann.account, "839201")).await;
    assert_eq!(to.told("error").await["code"], 403, "by another");
    assert_eq!(
        from.send(&revoke("k1", &bob.account, "839201")).await,
        ReasonCode::Success
    );
    let heard = to.message().await;
    let event = json!({"type": "revoke", "content": {"id": "839201", "operator": ann.account}});
    assert_eq!((&heard["type"], &heard["content"]), (&json!(7), &event));
    assert_eq!(
        (&heard["from"], &heard["to"]),
        (&json!(ann.account), &json!(bob.account))
    );
    assert_ne!(heard["id"], "839201", "an id of its own");
    let path = "/im/v1/messages/history?deliver=http";
    let all = bob.http(&server).get(path).await.ok();
    let shown = &all["data"]["messages"][0]["content"];
    assert_eq!(*shown, event, "a tombstone: {all}");
    assert!(!all.to_string().contains("oops"));
    // Later it is too late.
    from.send(&text("839202", &bob.account, "stays")).await;
    let at = to.message().await["timestamp"].as_i64().expect("a time");
    let mut ticks = 0;
    let window = crosstalk_tests::eventually("the end of the window", async || {
        ticks += 1;
        let id = format!("tick{ticks}");
        from.send(&text(&id, &bob.account, "tick")).await;
        let now = to.message().await["timestamp"].as_i64();
        (now? > at + 2_500).then_some(())
    });
    window.await;
    from.send(&revoke("k3", &bob.account, "839202")).await;
    assert_eq!(
        from.told("error").await,
        json!({"id": "k3", "code": 409, "msg": "too late"})
    );
}

#[tokio::test]
async fn the_sender_is_told_once_that_it_was_read() {
    let server = Server::start().await;
    let (ann, mut from, bob, mut to) = pair(&server).await;
    for id in ["m1", "m2"] {
        from.send(&text(id, &bob.account, id)).await;
        to.message().await;
    }
    let read = |id: &str, which: Value| {
        envelope(
            id,
            &ann.account,
            7,
            json!({"type": "read", "content": which}),
        )
    };
    for (id, which) in [
        ("k1", json!({"ids": ["m1"]})),
        ("k2", json!({"id": "m1"})),
        ("k3", json!({"ids": ["m1", "m2"]})),
    ] {
        assert_eq!(to.send(&read(id, which)).await, ReasonCode::Success);
    }
    for id in ["m1", "m2"] {
        let told = from.told("read").await;
        assert_eq!(
            (&told["ids"], &told["reader"]),
            (&json!([id]), &json!(bob.account))
        );
        assert!(told["time"].as_i64().expect("a time") > 1_700_000_000_000);
    }
    to.send(&text("b1", &ann.account, "after")).await;
    assert_eq!(from.message().await["id"], "b1", "and not read again");
    to.send(&read("k4", json!({"ids": ["nothing"]}))).await;
    assert_eq!(to.told("error").await["code"], 404);
}

#[tokio::test]
async fn presence_is_told_to_those_who_talk() {
    let server = Server::start().await;
    let (_, mut from, bob, mut to) = pair(&server).await;
    from.send(&text("m1", &bob.account, "hi")).await;
    to.message().await;
    to.say(&Packet::Disconnect(
        crosstalk_wire::mqtt::Disconnect::default(),
    ))
    .await;
    to.closed().await;
    let gone = from
        .envelope(|it| it["content"]["content"]["online"] == false)
        .await;
    assert_eq!(gone["content"]["content"]["account"], bob.account);
}

#[tokio::test]
async fn messages_cross_to_and_from_wukong() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let mut from = ann.open(&server, true).await;
    let mut wukong = server.client("wu").await;
    group(&server, "g1", &["ann", "wu"]).await;
    wukong.accepted(&Outgoing::group("g1", "从五空来 🎉")).await;
    let heard = from.message().await;
    assert_eq!(
        (&heard["from"], &heard["to"]),
        (&json!("g1"), &json!(ann.account))
    );
    let wu = register(&server, "wu", "x").await;
    assert_eq!(heard["target"], wu.account);
    assert_eq!(
        (&heard["type"], &heard["content"]),
        (&json!(0), &json!({"text": "从五空来 🎉"}))
    );
    assert!(
        heard["id"]
            .as_str()
            .is_some_and(|id| id.parse::<i64>().is_ok())
    );
    let image =
        json!({"storageId": "f-1", "thumbnail": "", "thumbnailWidth": 3, "thumbnailHeight": 4});
    from.send(&envelope("i1", "wu", 1, image)).await;
    let packet = wukong.message().await;
    assert_eq!(packet.json()["type"], 2);
    assert!(
        packet.json()["url"]
            .as_str()
            .is_some_and(|url| url.ends_with("/im/v1/files/f-1"))
    );
}

/// Clients of this dialect know users by their accounts, all others by their uids
/// (interop.md G.2).
#[tokio::test]
async fn contents_name_users_as_their_readers_know_them() {
    let server = Server::start().await;
    let (ann, mut from, bob, mut to) = pair(&server).await;
    let content = json!({"text": "@", "ext": {"mention": {"uids": [bob.account, "ann"]}}});
    let sent = envelope("m1", &bob.account, 0, content.clone());
    assert_eq!(from.send(&sent).await, ReasonCode::Success);
    assert_eq!(to.message().await["content"], content, "as it was written");
    let call = json!({"status": "invite", "avType": "video", "uid": ann.account, "roomId": "r"});
    from.send(&envelope("c1", "bob", 8, call)).await;
    assert_eq!(to.message().await["content"]["uid"], ann.account);
    let token = server.user_token("bob").await;
    let history = server.rest().bearer(&token);
    let history = history.get("/v1/channels/direct/ann/messages").await.ok();
    let items = history["items"].as_array().expect("messages");
    assert_eq!(
        items[0]["content"]["mentions"],
        json!(["bob", "ann"]),
        "{history}"
    );
    assert_eq!(items[1]["content"]["caller"], "ann", "{history}");

    let said = [
        json!({"type": "text", "text": "@", "mentions": ["ann"]}),
        json!({"type": "card", "uid": "ann", "name": "Ann"}),
        json!({"type": "call", "action": "invite", "caller": "ann", "room": "r"}),
    ];
    for content in said {
        let mut body = json!({
            "from": "ann", "to": {"kind": "direct", "id": "bob"}, "content": content,
        });
        if content["type"] == "text" {
            body["reply_to"] = items[0]["id"].clone();
        }
        server.admin().post("/v1/messages", body).await.ok();
    }
    let text = to.message().await;
    assert_eq!(
        text["content"]["ext"]["mention"]["uids"],
        json!([ann.account])
    );
    assert_eq!(text["content"]["ext"]["reply"]["from"], ann.account);
    assert_eq!(to.message().await["content"]["appid"], ann.account);
    assert_eq!(to.message().await["content"]["uid"], ann.account);
}
