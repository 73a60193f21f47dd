//! Registration and devices: T3-1 to T3-7, T3-24, T3-37.

use crosstalk_tests::Server;
use crosstalk_tests::mqtt::{MqttClient, envelope, register, register_with};
use crosstalk_wire::mqtt::{Packet, ReasonCode};
use serde_json::{Value, json};

async fn devices(server: &Server, uid: &str) -> Vec<Value> {
    let path = format!("/im/v1/devices?userId={uid}");
    let answer = server.admin().get(&path).await.ok();
    answer["data"].as_array().expect("devices").clone()
}

async fn device(server: &Server, uid: &str, id: &str) -> Value {
    let all = devices(server, uid).await;
    let found = all.iter().find(|device| device["deviceId"] == id);
    found.unwrap_or_else(|| panic!("no {id}: {all:?}")).clone()
}

#[tokio::test]
async fn a_device_is_registered_with_all_fields() {
    let server = Server::start().await;
    let body = json!({
        "tenantNo": "default", "userId": "u1", "deviceId": "8f0c", "os": 2,
        "device": {"brand": "Xiaomi", "model": "13", "osVersion": "14", "appVersion": "3.2.0"},
        "vendor": "xiaomi", "pushToken": "xm-abc", "typeFormat": "code",
    });
    let answer = server.admin().post("/im/v1/register", body).await.ok();
    assert_eq!(
        (&answer["code"], &answer["msg"]),
        (&json!(200), &json!("success"))
    );
    let data = &answer["data"];
    let account = data["account"].as_str().expect("an account");
    assert!(account.starts_with('a') && account.len() == 13, "{account}");
    assert_eq!(data["topic"], account);
    let (host, port) = server
        .listeners()
        .mqtt_tcp
        .rsplit_once(':')
        .expect("an address");
    assert_eq!(data["server"]["host"], host);
    assert_eq!(data["server"]["port"].to_string(), port);
    assert_eq!(data["server"]["wsPath"], "/mqtt");
    assert!(data["expiresAt"].as_i64().expect("a time") > 1_700_000_000_000);
    let stored = device(&server, "u1", "8f0c").await;
    assert_eq!(stored["device"]["brand"], "Xiaomi");
    assert_eq!(
        (&stored["pushToken"], &stored["push"]),
        (&json!("xm-abc"), &json!(true))
    );
}

#[tokio::test]
async fn what_is_missing_or_unknown_is_refused() {
    let server = Server::start().await;
    let cases = [
        (json!({"deviceId": "d"}), 400),
        (json!({"userId": "u1"}), 400),
        (json!({"userId": "u 1", "deviceId": "d"}), 400),
        (
            json!({"userId": "u1", "deviceId": "d", "tenantNo": "nobody"}),
            401,
        ),
    ];
    for (body, code) in cases {
        let asked = body.to_string();
        let reply = server.admin().post("/im/v1/register", body).await;
        assert_eq!(reply.status, code, "{asked}");
        assert_eq!(reply.json()["code"], code, "{asked}");
    }
    let missing = server.admin().post("/im/v1/register", json!({})).await;
    assert_eq!(missing.json()["msg"], "userId不能为空");
    let body = json!({"userId": "u1", "deviceId": "d"});
    let open = server.rest().post("/im/v1/register", body.clone()).await;
    assert_eq!(open.status, 401, "without any proof");
    let wrong = server.rest().header("x-tenant-token", "wrong");
    assert_eq!(
        wrong.post("/im/v1/register", body.clone()).await.status,
        401
    );
    // A user token registers its own user, and nobody else.
    let own = server.rest().bearer(&server.user_token("u1").await);
    assert_eq!(own.post("/im/v1/register", body).await.status, 200);
    let other = json!({"userId": "u2", "deviceId": "d2"});
    assert_eq!(own.post("/im/v1/register", other).await.status, 401);
}

#[tokio::test]
async fn a_device_has_one_record_and_one_push_token() {
    let server = Server::start().await;
    let first = register_with(&server, "u1", "d1", json!({"pushToken": "p1"})).await;
    let again = register_with(&server, "u1", "d1", json!({"pushToken": "p2"})).await;
    assert_eq!(first.account, again.account);
    assert_eq!(devices(&server, "u1").await.len(), 1);
    assert_eq!(device(&server, "u1", "d1").await["pushToken"], "p2");
    // The older token is gone, the newer one holds.
    let (_, refused) = MqttClient::connect(&server, &first.connect(true)).await;
    assert_eq!(refused.reason, ReasonCode::BadUserNameOrPassword);
    let (_, connack) = MqttClient::connect(&server, &again.connect(true)).await;
    assert_eq!(connack.reason, ReasonCode::Success);
    // The same push token on another device moves there.
    let other = register_with(&server, "u1", "d2", json!({"pushToken": "p2"})).await;
    assert_eq!(other.account, first.account, "one account for all devices");
    assert_eq!(device(&server, "u1", "d1").await["pushToken"], Value::Null);
    assert_eq!(device(&server, "u1", "d2").await["pushToken"], "p2");
}

#[tokio::test]
async fn a_device_that_changes_hands_is_logged_out_before() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let mut client = ann.open(&server, true).await;
    let bob = register(&server, "bob", "d1").await;
    assert_ne!(ann.account, bob.account);
    client.closed().await;
    assert_eq!(device(&server, "ann", "d1").await["state"], "logged_out");
    let (_, refused) = MqttClient::connect(&server, &ann.connect(true)).await;
    assert_eq!(refused.reason, ReasonCode::NotAuthorized, "5 of 3.1.1");
    bob.open(&server, true).await;
    // With 5.0 the one who gives way is told so.
    let (mut client, _) = MqttClient::connect(&server, &bob.connect_v5(true, 0)).await;
    register(&server, "carol", "d1").await;
    let said = client.closed().await;
    let reason = said.iter().find_map(|packet| match packet {
        Packet::Disconnect(disconnect) => Some(disconnect.reason),
        _ => None,
    });
    assert_eq!(reason, Some(ReasonCode::SessionTakenOver), "{said:?}");
}

#[tokio::test]
async fn systems_are_understood_in_every_form() {
    let server = Server::start().await;
    let forms = [
        (json!(1), 1),
        (json!(2), 2),
        (json!(3), 3),
        (json!(4), 4),
        (json!("ANDROID"), 2),
        (json!(77), -1),
    ];
    for (at, (os, expected)) in forms.into_iter().enumerate() {
        let id = format!("d{at}");
        register_with(&server, "u1", &id, json!({"os": os})).await;
        assert_eq!(device(&server, "u1", &id).await["os"], expected);
    }
}

#[tokio::test]
async fn push_is_switched_and_devices_log_out() {
    let server = Server::start().await;
    let one = register_with(&server, "u1", "d1", json!({"pushToken": "p1"})).await;
    let other = register_with(&server, "u1", "d2", json!({"pushToken": "p2"})).await;
    let http = one.http(&server);
    let state = async |id: &str| {
        let it = device(&server, "u1", id).await;
        (
            it["push"].as_bool(),
            it["pushToken"].as_str().map(str::to_owned),
        )
    };
    http.post("/im/v1/push/off", json!({})).await.ok();
    assert_eq!(state("d1").await, (Some(false), Some("p1".to_owned())));
    assert_eq!(state("d2").await, (Some(true), Some("p2".to_owned())));
    http.post("/im/v1/push/on", json!({})).await.ok();
    assert_eq!(state("d1").await, (Some(true), Some("p1".to_owned())));
    http.post("/im/v1/push/off?deleteToken=true", json!({}))
        .await
        .ok();
    assert_eq!(state("d1").await, (Some(false), None));
    let mut client = one.open(&server, true).await;
    let mut stays = other.open(&server, true).await;
    http.post("/im/v1/logout", json!({"deviceId": "d1"}))
        .await
        .ok();
    client.closed().await;
    let (_, refused) = MqttClient::connect(&server, &one.connect(true)).await;
    assert_eq!(refused.reason, ReasonCode::NotAuthorized);
    let (_, refused) = MqttClient::connect(&server, &one.connect_v5(true, 0)).await;
    assert_eq!(refused.reason, ReasonCode::NotAuthorized);
    assert_eq!(http.post("/im/v1/push/on", json!({})).await.status, 403);
    stays.say(&Packet::Pingreq).await;
    stays
        .hears(|it| (*it == Packet::Pingresp).then_some(()))
        .await;
    // The same over MQTT.
    let out = envelope("k9", "SYSTEM", 7, json!({"type": "logout", "content": {}}));
    let id = stays.id();
    let delivery = crosstalk_wire::mqtt::Delivery::AtLeastOnce { id, dup: false };
    let out = MqttClient::publish_packet("im/send", delivery, out.to_string().as_bytes());
    stays.say(&Packet::Publish(out)).await;
    stays.closed().await;
    assert_eq!(device(&server, "u1", "d2").await["state"], "logged_out");
}

#[tokio::test]
async fn a_report_is_kept_and_goes_to_nobody() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let bob = register(&server, "bob", "d2").await;
    let mut client = ann.open(&server, true).await;
    let mut other = bob.open(&server, true).await;
    let report = envelope("e1", &bob.account, 11, json!({"stack": "at main"}));
    assert_eq!(client.send(&report).await, ReasonCode::Success);
    let after = crosstalk_tests::mqtt::text("m1", &bob.account, "after");
    assert_eq!(client.send(&after).await, ReasonCode::Success);
    assert_eq!(
        other.message().await["id"],
        "m1",
        "the report was not delivered"
    );
    let path = "/im/v1/diagnostics?userId=ann&deviceId=d1";
    let kept = server.admin().get(path).await.ok();
    assert_eq!(
        kept["data"][0]["report"]["content"]["stack"], "at main",
        "{kept}"
    );
    assert_eq!(kept["data"].as_array().map(Vec::len), Some(1));
}
