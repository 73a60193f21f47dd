//! `/api/im/messages/…`.

use super::*;

const BASE: &str = "/api/im/messages";

impl Api {
    async fn request(&self, method: &str, path: &str, bearer: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {bearer}");
        let headers = [
            ("authorization", &*bearer),
            ("content-type", "application/json"),
        ];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.ask(method, path, &headers, &body).await
    }

    async fn send(&self, bearer: &str, id: &str, to: &str, text: &str) {
        let body = json!({
            "appId": "default", "messageId": id, "toId": to, "chatType": "SINGLE",
            "msgType": "TEXT", "content": text,
        });
        self.post(&format!("{BASE}/send"), bearer, &body)
            .await
            .data();
    }

    async fn history(&self, bearer: &str, peer: &str, more: &str) -> Value {
        let path = format!("{BASE}/history?chatType=SINGLE&targetId={peer}{more}");
        self.request("GET", &path, bearer, &Value::Null)
            .await
            .data()
            .clone()
    }
}

fn ids(list: &Value) -> Vec<String> {
    let items = list["list"].as_array().expect("a list");
    items
        .iter()
        .map(|it| it["id"].as_str().unwrap_or_default().to_owned())
        .collect()
}

async fn alice_and_bob() -> (Api, String, String) {
    let api = Api::start().await;
    let (alice, bob) = (api.login("alice").await, api.login("bob").await);
    for n in 1..=3 {
        api.send(&alice, &format!("m-{n}"), "bob", &n.to_string())
            .await;
    }
    (api, alice, bob)
}

#[tokio::test]
async fn history_goes_back_page_by_page() {
    let (api, alice, bob) = alice_and_bob().await;
    let first = api.history(&bob, "alice", "&limit=2").await;
    assert_eq!(ids(&first), ["m-3", "m-2"]);
    assert_eq!(first["hasMore"], true);
    let cursor = first["cursor"].as_str().expect("a cursor");
    for before in [cursor, "m-2"] {
        let rest = api
            .history(&bob, "alice", &format!("&before={before}"))
            .await;
        assert_eq!(
            (ids(&rest), &rest["hasMore"]),
            (vec!["m-1".to_owned()], &json!(false))
        );
    }
    let offline = format!("{BASE}/offline");
    let waiting = api.request("GET", &offline, &bob, &Value::Null).await;
    assert_eq!(ids(waiting.data()), ["m-1", "m-2", "m-3"]);
    api.post(&format!("{BASE}/read"), &bob, &json!({"messageId": "m-2"}))
        .await
        .data();
    let waiting = api.request("GET", &offline, &bob, &Value::Null).await;
    assert_eq!(ids(waiting.data()), ["m-3"]);
    let receipts = format!("{BASE}/m-2/receipts");
    let read = api.request("GET", &receipts, &alice, &Value::Null).await;
    // Nobody has noted when: m-2 did not ask for it.
    assert_eq!(read.data()["list"], json!([{"userId": "bob"}]));
    let read = api.request("GET", &receipts, &bob, &Value::Null).await;
    assert_eq!(read.failed().0, 403);
    let asking = json!({"messageId": "m-4", "toId": "bob", "chatType": "SINGLE",
        "msgType": "TEXT", "content": "?", "extra": {"readReceipt": true}});
    api.post(&format!("{BASE}/send"), &alice, &asking)
        .await
        .data();
    api.clock.advance_ms(5000);
    let now_ms = api.im.clock().now_ms();
    api.post(&format!("{BASE}/read"), &bob, &json!({"messageId": "m-4"}))
        .await
        .data();
    let receipts = format!("{BASE}/m-4/receipts");
    let read = api.request("GET", &receipts, &alice, &Value::Null).await;
    let expected = json!([{"userId": "bob", "readAt": now_ms}]);
    assert_eq!(read.data()["list"], expected);
}

#[tokio::test]
async fn what_was_said_is_edited_deleted_and_taken_back() {
    let (api, alice, bob) = alice_and_bob().await;
    let path = format!("{BASE}/m-1");
    let new = json!({"content": "new"});
    let other = api.request("PUT", &path, &bob, &new).await;
    assert_eq!(other.failed().0, 403);
    let edited = api.request("PUT", &path, &alice, &new).await;
    assert_eq!(edited.data()["content"], "new");
    assert!(edited.data()["editedAt"].is_number());
    let history = api.history(&bob, "alice", "").await;
    assert_eq!(history["list"][2], *edited.data());

    api.request("DELETE", &path, &bob, &Value::Null)
        .await
        .data();
    assert_eq!(ids(&api.history(&bob, "alice", "").await), ["m-3", "m-2"]);
    assert_eq!(ids(&api.history(&alice, "bob", "").await).len(), 3);

    let revoked = api
        .post(&format!("{path}/revoke"), &alice, &json!({}))
        .await;
    assert_eq!(revoked.data()["status"], "REVOKED");
    let several = json!({"messageIds": ["m-2", "m-9"]});
    let outcomes = api
        .post(&format!("{BASE}/batch/revoke"), &alice, &several)
        .await;
    assert_eq!(outcomes.data()["succeeded"], json!(["m-2"]));
    assert_eq!(outcomes.data()["failed"][0]["code"], 404);
    let all = json!({"messageIds": ["m-3"], "scope": "all"});
    api.post(&format!("{BASE}/batch/delete"), &alice, &all)
        .await
        .data();
    assert_eq!(ids(&api.history(&bob, "alice", "").await), ["m-2"]);
}

#[tokio::test]
async fn reactions_are_counted() {
    let (api, alice, bob) = alice_and_bob().await;
    let carol = api.login("carol").await;
    let path = format!("{BASE}/m-1/reactions");
    let like = json!({"emoji": "👍"});
    let stranger = api.post(&path, &carol, &like).await;
    assert_eq!(stranger.failed().0, 404);
    api.post(&path, &bob, &like).await.data();
    let found = api.request("GET", &path, &alice, &Value::Null).await;
    let expected = json!([{"emoji": "👍", "count": 1, "mine": false}]);
    assert_eq!(found.data()["list"], expected);
    api.request("DELETE", &path, &bob, &like).await.data();
    let found = api.request("GET", &path, &alice, &Value::Null).await;
    assert_eq!(found.data()["list"], json!([]));
}
