//! Whatever the business backend changes stands in the audit log.

use crosstalk_core::admin::{AuditEntry, AuditQuery};

use super::*;

async fn acts(api: &Api, target: Option<&str>) -> Vec<AuditEntry> {
    let query = AuditQuery {
        target: target.map(str::to_owned),
        limit: 99,
        ..AuditQuery::default()
    };
    let found = api.im.audit().acts(&query).await.expect("acts");
    found.into_iter().map(|act| act.entry).collect()
}

#[tokio::test]
async fn each_change_says_who_and_whom() {
    let api = Api::start().await;
    let group = json!({"channel_id": "g1", "channel_type": 2});
    let with = |more: Value| {
        let mut body = group.clone();
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        body
    };
    let uids = with(json!({"uids": ["eve"]}));
    let cases = [
        (
            "/user/token",
            json!({"uid": "eve", "token": "hush", "device_flag": 0}),
        ),
        ("/channel", with(json!({"subscribers": ["eve"]}))),
        ("/channel/info", with(json!({"ban": 1}))),
        (
            "/channel/subscriber_add",
            with(json!({"reset": 1, "subscribers": ["eve"]})),
        ),
        (
            "/channel/subscriber_remove",
            with(json!({"subscribers": ["eve"]})),
        ),
        ("/channel/subscriber_remove_all", group.clone()),
        ("/channel/blacklist_add", uids.clone()),
        ("/channel/blacklist_set", uids.clone()),
        ("/channel/blacklist_remove", uids.clone()),
        ("/channel/blacklist_remove_all", group.clone()),
        ("/channel/whitelist_add", uids.clone()),
        ("/channel/whitelist_set", uids.clone()),
        ("/channel/whitelist_remove", uids.clone()),
        ("/channel/whitelist_remove_all", group.clone()),
        ("/user/systemuids_add", json!({"uids": ["eve"]})),
        ("/user/systemuids_remove", json!({"uids": ["eve"]})),
        (
            "/user/device_quit",
            json!({"uid": "eve", "device_flag": -1}),
        ),
        ("/channel/delete", group.clone()),
    ];
    for (at, (path, body)) in cases.iter().enumerate() {
        let answer = api.call("POST", path, body.clone()).await;
        let all = acts(&api, None).await;
        assert_eq!(all.len(), at + 1, "{path}");
        let act = &all[0];
        assert_eq!(act.action, format!("POST {path}"));
        assert_eq!((&*act.actor, act.outcome), ("wukong_api", answer.status));
        assert_eq!(act.address, "203.0.113.9");
        let whom = body.get("channel_id").or(body.get("uid"));
        let whom = whom.and_then(Value::as_str).unwrap_or("eve");
        assert!(act.subjects.iter().any(|it| it == whom), "{act:?}");
        assert!(!act.asked.contains("hush"), "no secrets");
        let found = acts(&api, Some(whom)).await;
        assert_eq!(found.first(), Some(act), "{path}");
    }
    let reset = &acts(&api, None).await[cases.len() - 4];
    let asked: Value = serde_json::from_str(&reset.asked).expect("JSON");
    assert_eq!(
        (&asked["reset"], &asked["subscribers"]),
        (&json!(1), &json!(["eve"]))
    );
    // What is said every day is none of it.
    let message =
        json!({"from_uid": "a", "channel_id": "b", "channel_type": 1, "payload": PAYLOAD});
    api.call("POST", "/message/send", message).await;
    assert_eq!(acts(&api, None).await.len(), cases.len());
}
