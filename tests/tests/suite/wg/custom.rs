//! T0-39: message types of an application's own, by HTTP callback.

use crosstalk_tests::Server;
use crosstalk_tests::wg::{WgClient, body, envelope};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::super::wg_app::App;
use super::server;

async fn with(app: &App, more: &[&str]) -> Server {
    let url = app.url();
    let custom = format!("wg.custom=[{{types=\"4000-4001\", url=\"{url}\"}}]");
    let mut settings = vec![custom.as_str()];
    settings.extend(more);
    server(&settings).await
}

#[tokio::test]
async fn a_handler_gets_channel_and_message_and_its_replies_arrive() {
    let mut app = App::start(|_| {
        (
            200,
            json!({
                "msg": "done",
                "messages": [
                    {"id": "back", "type": 4001, "isSystem": true, "from": "SYSTEM", "body": "{}"},
                    {"id": "there", "type": 2001, "from": "u1", "to": "u2", "body": "hi"},
                ],
            }),
        )
    })
    .await;
    let server = with(&app, &["wg.custom_secret=a secret"]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    let status = u1.ask(envelope("x", 4001, "u1", "u1", "{\"a\":1}")).await;
    assert_eq!(
        body(&status),
        json!({"code": 200, "status": "SUCCESS", "msg": "done"})
    );
    let back = u1.message().await;
    assert_eq!((&back["id"], &back["type"]), (&json!("back"), &json!(4001)));
    assert_eq!(back["isSystem"], true);
    let there = u2.message().await;
    assert_eq!(
        (&there["id"], &there["from"]),
        (&json!("there"), &json!("u1"))
    );
    assert_eq!(there["isSystem"], false);

    let asked = app.asked().await;
    let question: Value = serde_json::from_slice(&asked.body).expect("JSON");
    assert_eq!(question["channel"]["userId"], "u1");
    assert_eq!(question["channel"]["clientName"], "web");
    assert!(question["channel"]["channelId"].is_string());
    assert_eq!(question["message"]["id"], "x");
    assert_eq!(question["message"]["type"], 4001);
    assert_eq!(question["message"]["body"], "{\"a\":1}");
    let timestamp = asked.header("x-crosstalk-timestamp");
    let mut keyed = Hmac::<Sha256>::new_from_slice(b"a secret").expect("a key");
    keyed.update(format!("{timestamp}.").as_bytes());
    keyed.update(&asked.body);
    let mut signature = String::from("sha256=");
    for byte in keyed.finalize().into_bytes() {
        signature.push_str(&format!("{byte:02x}"));
    }
    assert_eq!(asked.header("x-crosstalk-signature"), signature);
}

#[tokio::test]
async fn what_nobody_claims_or_can_handle_is_said() {
    let app = App::start(|question| {
        if question["message"]["body"] == "fail" {
            (500, json!({}))
        } else {
            (200, json!({"code": 404, "msg": "not like this"}))
        }
    })
    .await;
    let server = with(&app, &[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    assert_eq!(u1.code(envelope("a", 4002, "u1", "u1", "{}")).await, 403);
    assert_eq!(
        u1.code(envelope("b", 4000, "u1", "u1", json!(5))).await,
        404
    );
    assert_eq!(u1.code(envelope("c", 4000, "u1", "u1", "fail")).await, 400);
    let status = u1.ask(envelope("d", 4000, "u1", "u1", "{}")).await;
    assert_eq!(
        body(&status),
        json!({"code": 404, "status": "BODY_ERROR", "msg": "not like this"})
    );
    drop(app);
    assert_eq!(u1.code(envelope("e", 4000, "u1", "u1", "{}")).await, 400);
}
