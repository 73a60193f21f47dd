//! History and what was missed, by asking: T3-27, T3-28.

use crosstalk_tests::Server;
use crosstalk_tests::mqtt::{MqttClient, MqttDevice, envelope, register, text};
use crosstalk_wire::mqtt::{Packet, ReasonCode};
use serde_json::{Value, json};

/// Bob, who was connected with a clean session once, and messages that he missed since: ten
/// of ann's and five of carol's. The connection that he has now, and when ann's sixth was
/// sent.
async fn missed(server: &Server) -> (MqttDevice, MqttDevice, MqttClient, i64) {
    let ann = register(server, "ann", "d1").await;
    let bob = register(server, "bob", "d2").await;
    let carol = register(server, "carol", "d3").await;
    drop(bob.open(server, true).await);
    let mut from = ann.open(server, true).await;
    for at in 0..10 {
        let sent = text(&format!("a{at}"), &bob.account, "x");
        assert_eq!(from.send(&sent).await, ReasonCode::Success);
        // wait: times must differ by more than a millisecond to be told apart
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let mut from = carol.open(server, true).await;
    for at in 0..5 {
        from.send(&text(&format!("c{at}"), &bob.account, "x")).await;
    }
    let history = format!(
        "/im/v1/messages/history?target={}&deliver=http",
        ann.account
    );
    let all = bob.http(server).get(&history).await.ok();
    let sixth = &all["data"]["messages"][5];
    assert_eq!(sixth["id"], "a5", "{all}");
    let at = sixth["timestamp"].as_i64().expect("a time");
    let to = bob.open(server, true).await;
    (ann, bob, to, at)
}

/// The ids of all messages before the next `sync`, and what it says.
async fn until_sync(client: &mut MqttClient) -> (Vec<String>, Value) {
    let mut ids = Vec::new();
    loop {
        let next = client
            .envelope(|it| {
                let kind = it["content"]["type"].as_str().unwrap_or_default();
                !matches!(kind, "presence" | "received")
            })
            .await;
        if next["content"]["type"] == "sync" {
            return (ids, next["content"]["content"].clone());
        }
        ids.push(next["id"].as_str().expect("an id").to_owned());
    }
}

fn numbered(who: char, range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("{who}{n}")).collect()
}

#[tokio::test]
async fn a_clean_session_is_given_what_it_missed_when_it_asks() {
    let server = Server::start().await;
    let (ann, bob, mut to, _) = missed(&server).await;
    // Nothing comes by itself.
    let mut from = ann.open(&server, true).await;
    from.send(&text("live", &bob.account, "x")).await;
    assert_eq!(to.message().await["id"], "live");
    let answer = bob.http(&server).get("/im/v1/messages/offline").await.ok();
    assert_eq!(
        (&answer["data"]["count"], &answer["data"]["more"]),
        (&json!(15), &json!(false))
    );
    let (ids, sync) = until_sync(&mut to).await;
    assert_eq!(ids, [numbered('a', 0..10), numbered('c', 0..5)].concat());
    assert_eq!(sync, json!({"count": 15, "more": false}));
    // Nothing twice, now or on a later connection.
    let again = bob.http(&server).get("/im/v1/messages/offline").await.ok();
    assert_eq!(again["data"]["count"], 0);
    until_sync(&mut to).await;
    to.say(&Packet::Disconnect(
        crosstalk_wire::mqtt::Disconnect::default(),
    ))
    .await;
    to.closed().await;
    let mut to = bob.open(&server, true).await;
    bob.http(&server).get("/im/v1/messages/offline").await.ok();
    assert_eq!(until_sync(&mut to).await.0, Vec::<String>::new());
}

#[tokio::test]
async fn what_was_missed_is_asked_for_by_time_and_by_person() {
    let server = Server::start().await;
    let (ann, bob, mut to, sixth_at) = missed(&server).await;
    let newer = format!(
        "/im/v1/messages/offline?startTime={sixth_at}&target={}",
        ann.account
    );
    bob.http(&server).get(&newer).await.ok();
    assert_eq!(until_sync(&mut to).await.0, numbered('a', 5..10));
    let one = format!("/im/v1/messages/offline?target={}", ann.account);
    bob.http(&server).get(&one).await.ok();
    assert_eq!(until_sync(&mut to).await.0, numbered('a', 0..5));
    // Over MQTT, some at a time.
    let pull = json!({"type": "pull", "content": {"mode": "offline", "limit": 3}});
    to.send(&envelope("k1", "SYSTEM", 7, pull.clone())).await;
    let (ids, sync) = until_sync(&mut to).await;
    assert_eq!((ids, &sync["more"]), (numbered('c', 0..3), &json!(true)));
    to.send(&envelope("k2", "SYSTEM", 7, pull)).await;
    assert_eq!(until_sync(&mut to).await.0, numbered('c', 3..5));
}

#[tokio::test]
async fn history_pages_without_gap_or_double() {
    let server = Server::start().await;
    let (ann, bob, mut to, sixth_at) = missed(&server).await;
    let http = bob.http(&server);
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/im/v1/messages/history?limit=4&deliver=http&cursor={cursor}");
        let page = http.get(&path).await.ok()["data"].clone();
        let messages = page["messages"].as_array().expect("messages").clone();
        assert_eq!(page["count"], messages.len());
        seen.extend(
            messages
                .iter()
                .map(|it| it["id"].as_str().expect("an id").to_owned()),
        );
        if page["more"] == false {
            break;
        }
        assert_eq!(messages.len(), 4);
        page["cursor"]
            .as_str()
            .expect("a cursor")
            .clone_into(&mut cursor);
    }
    assert_eq!(seen, [numbered('a', 0..10), numbered('c', 0..5)].concat());
    let path = format!(
        "/im/v1/messages/history?target={}&endTime={sixth_at}",
        ann.account
    );
    let answer = http.get(&path).await.ok();
    assert_eq!(answer["data"]["count"], 5);
    assert_eq!(
        until_sync(&mut to).await.0,
        numbered('a', 0..5),
        "over MQTT"
    );
    let pull =
        json!({"type": "pull", "content": {"mode": "history", "target": "carol", "limit": 2}});
    to.send(&envelope("k1", "SYSTEM", 7, pull)).await;
    let (ids, sync) = until_sync(&mut to).await;
    assert_eq!((ids, &sync["more"]), (numbered('c', 0..2), &json!(true)));
    assert!(
        sync["cursor"]
            .as_str()
            .is_some_and(|cursor| !cursor.is_empty())
    );
    let open = server.rest().get("/im/v1/messages/history").await;
    assert_eq!(open.status, 401);
    drop(to);
    let gone = crosstalk_tests::eventually("the end of the connection", async || {
        let reply = http.get("/im/v1/messages/offline").await;
        (reply.status == 409).then_some(reply)
    });
    assert_eq!(gone.await.json()["code"], 409);
}
