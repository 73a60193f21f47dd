//! Rights to write, and words (T4-13, T4-14).

use crosstalk_tests::gyyx::{GyyxClient, code, frame};
use crosstalk_tests::{Http, Server};
use hmac::{Hmac, KeyInit, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

/// An app with its secret.
async fn app(server: &Server, id: &str) -> String {
    let answer = server
        .admin()
        .post("/v1/apps", json!({"app_id": id, "name": id}))
        .await
        .ok();
    answer["app_secret"].as_str().expect("a secret").to_owned()
}

/// A user of an app's, let in by its business server.
async fn connect(server: &Server, id: &str, secret: &str, uid: &str) -> GyyxClient {
    let path = format!("/im/sign?appId={id}&userId={uid}");
    let answer = server.rest().bearer(secret).get(&path).await.ok();
    let url = answer["data"].as_str().expect("a URL").to_owned();
    let mut client = GyyxClient::open(&url).await;
    assert_eq!(code(&client.any().await), 101);
    client
}

/// `receiveSign` as a business server computes it (Q4-11).
fn receive_sign(secret: &str, signed: [&str; 3], expiry_secs: i64) -> String {
    let text = format!("{}|{}|{}|{expiry_secs}", signed[0], signed[1], signed[2]);
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(text.as_bytes());
    let digest = mac.finalize().into_bytes();
    let hex: String = digest[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{expiry_secs}.{hex}")
}

async fn try_send(client: &mut GyyxClient, unique: &str, sign: &Value) -> Value {
    let more = json!({"receiveUserId": "b", "message": "hi", "receiveSign": sign});
    client.say(&frame(130, unique, more)).await;
    match client.any().await {
        received if code(&received) == 30 => client.any().await,
        refused => refused,
    }
}

/// T4-13.
#[tokio::test]
async fn where_chat_signatures_are_required_only_good_ones_count() {
    let settings = ["gyyx.apps=[{id=\"shop\", chat_sign=\"required\"}]"];
    let server = Server::start_with(&settings).await;
    let secret = app(&server, "shop").await;
    let mut a = connect(&server, "shop", &secret, "a").await;
    let mut b = connect(&server, "shop", &secret, "b").await;
    let now_secs = super::server_ms(&mut a).await / 1000;
    let own = receive_sign(&secret, ["shop", "a", "b"], now_secs + 60);
    assert_eq!(code(&try_send(&mut a, "s1", &json!(own)).await), 131);
    assert_eq!(b.any().await["message"], "hi");
    for bad in [
        receive_sign(&secret, ["shop", "a", "b"], now_secs - 60),
        receive_sign("wrong", ["shop", "a", "b"], now_secs + 60),
        receive_sign(&secret, ["shop", "a", "c"], now_secs + 60),
        String::new(),
    ] {
        let refused = try_send(&mut a, "s2", &json!(bad)).await;
        assert_eq!(
            (code(&refused), &refused["unique"]),
            (132, &json!("s2")),
            "{bad}"
        );
        assert_eq!(
            (&refused["message"], &refused["receiveUserId"]),
            (&json!("hi"), &json!("b"))
        );
    }
    let body = json!({"appId": "shop", "userId": "a", "receiveUserId": "b"});
    let business: Http = server.rest().bearer(&secret);
    let renewed = business.post("/im/chat-sign", body).await.ok();
    let renewed = &renewed["data"]["receiveSign"];
    assert_eq!(
        code(&try_send(&mut a, "s2", renewed).await),
        131,
        "the same unique"
    );
    assert_eq!(b.any().await["unique"], "s2");
    // Other apps do not ask for them.
    let mut c = server.gyyx("c").await;
    c.send("b", "no signature").await;
    assert_eq!(b.any().await["message"], "no signature");
}

/// T4-14.
#[tokio::test]
async fn messages_with_sensitive_words_are_a_133_and_nobody_hears_of_them() {
    let server = Server::start_with(&["moderation.reject=坏话", "moderation.mask=笨"]).await;
    let (mut alice, mut bob) = super::two(&server).await;
    let more = json!({"receiveUserId": "48058", "message": "说坏话"});
    alice.say(&frame(130, "w1", more)).await;
    let refused = alice.any().await;
    assert_eq!((code(&refused), &refused["unique"]), (133, &json!("w1")));
    assert_eq!(refused["message"], "说坏话");
    alice.send("48058", "你笨").await;
    assert_eq!(bob.any().await["message"], "你*");
    bob.ask(161, json!({"sender": "48057"})).await;
    assert_eq!(super::texts(&bob.list(161).await), ["你*"]);
}
