//! `/api/im/admin/…`: for administrator accounts only, and written down.

use super::*;

impl Api {
    async fn as_user(&self, method: &str, path: &str, bearer: &str, body: Value) -> Answer {
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
}

#[tokio::test]
#[allow(clippy::too_many_lines)] // one row for each call
async fn administrators_are_made_and_do_what_users_may_not() {
    let api = Api::start().await;
    let boss = api.login("boss").await;
    let calls = [
        ("GET", "/api/im/admin/users", Value::Null),
        ("POST", "/api/im/admin/users", json!({"userId": "x"})),
        ("DELETE", "/api/im/admin/users/boss", Value::Null),
        (
            "PUT",
            "/api/im/admin/users/boss/admin",
            json!({"admin": true}),
        ),
        (
            "POST",
            "/api/im/admin/messages",
            json!({"to": "boss", "content": "x"}),
        ),
        ("GET", "/api/im/admin/messages?groupId=g1", Value::Null),
        ("DELETE", "/api/im/admin/messages/1", Value::Null),
        ("GET", "/api/im/admin/broadcast", Value::Null),
        ("POST", "/api/im/admin/broadcast", json!({"content": "x"})),
        ("GET", "/api/im/admin/broadcast/1", Value::Null),
        ("DELETE", "/api/im/admin/broadcast/1", Value::Null),
        ("GET", "/api/im/admin/logs", Value::Null),
        ("GET", "/api/im/admin/sensitive-words", Value::Null),
        (
            "POST",
            "/api/im/admin/sensitive-words",
            json!({"words": ["x"]}),
        ),
        (
            "DELETE",
            "/api/im/admin/sensitive-words",
            json!({"words": ["x"]}),
        ),
    ];
    for (method, path, body) in calls {
        let refused = api.as_user(method, path, &boss, body).await;
        assert_eq!(refused.failed().0, 403, "{method} {path}");
    }
    let secret = api.app().secret.to_string();
    let flag = json!({"admin": true});
    let path = "/api/im/admin/users/boss/admin";
    let made = api.as_user("PUT", path, &secret, flag).await;
    assert_eq!(made.data()["admin"], true);
    let nobody = json!({"admin": true});
    let nobody = api
        .as_user("PUT", "/api/im/admin/users/nobody/admin", &secret, nobody)
        .await;
    assert_eq!(nobody.failed().0, 404);
    let users = json!({"users": [
        {"userId": "alice", "nickname": "Alice"}, {"userId": "____no"},
    ]});
    let imported = api
        .as_user("POST", "/api/im/admin/users", &boss, users)
        .await;
    assert_eq!(imported.data()["succeeded"], json!(["alice"]));
    assert_eq!(imported.data()["failed"][0]["id"], "____no");
    let listed = api
        .as_user("GET", "/api/im/admin/users?keyword=al", &boss, Value::Null)
        .await;
    assert_eq!(listed.data()["list"][0]["nickname"], "Alice");
    let words = json!({"words": ["spam"], "action": "MASK"});
    let path = "/api/im/admin/sensitive-words";
    let added = api.as_user("POST", path, &boss, words).await;
    assert_eq!(added.data()["changed"], 1);
    let listed = api.as_user("GET", path, &boss, Value::Null).await;
    assert_eq!(listed.data()["list"][0]["action"], "mask");
    let removed = api
        .as_user("DELETE", path, &boss, json!({"words": ["spam"]}))
        .await;
    assert_eq!(removed.data()["changed"], 1);
    let said = json!({"to": "alice", "content": "hello", "messageId": "m1"});
    let said = api
        .as_user("POST", "/api/im/admin/messages", &boss, said)
        .await;
    let id = said.data()["messageId"].as_str().expect("an id").to_owned();
    let path = format!("/api/im/admin/messages/{id}");
    api.as_user("DELETE", &path, &boss, Value::Null)
        .await
        .data();
    let begun = json!({"content": "all", "userIds": ["alice"]});
    let begun = api
        .as_user("POST", "/api/im/admin/broadcast", &boss, begun)
        .await;
    assert_eq!(begun.data()["total"], 1);
    let path = format!(
        "/api/im/admin/broadcast/{}",
        begun.data()["id"].as_str().expect("an id")
    );
    let off = api.as_user("DELETE", &path, &boss, Value::Null).await;
    assert_eq!(off.data()["state"], "cancelled");
    let erased = api
        .as_user("DELETE", "/api/im/admin/users/alice", &boss, Value::Null)
        .await;
    assert_eq!(erased.data()["state"], "queued");
    let logs = api
        .as_user("GET", "/api/im/admin/logs?limit=2", &boss, Value::Null)
        .await;
    let list = logs.data()["list"].as_array().expect("a list").clone();
    assert_eq!(list[0]["operator"], "user:boss");
    assert_eq!(list[0]["action"], "DELETE /api/im/admin/users/{user_id}");
    assert_eq!(list[0]["address"], "203.0.113.7");
    assert_eq!(logs.data()["hasMore"], true);
    let by_app = api.as_user(
        "GET",
        "/api/im/admin/logs?actor=app:default",
        &boss,
        Value::Null,
    );
    assert_eq!(
        by_app.await.data()["list"].as_array().map(Vec::len),
        Some(2)
    );
}

/// A token in another's name is an act like all others.
#[tokio::test]
async fn user_sigs_are_written_down_too() {
    let api = Api::start().await;
    let path = "/api/im/admin/users/carol/usersig";
    api.post(path, "admin", &json!({})).await.data();
    // In whose realm it was done counts, wherever that is said.
    let realm = Realm::parse("other").expect("a realm");
    let other = AppId::parse("other").expect("an id");
    let apps = api.im.apps();
    apps.put(&other, &realm, "other").await.expect("an app");
    let body = json!({"userId": "dora", "appId": "other"});
    api.post("/api/im/admin/users", "admin", &body).await.data();
    let there = api.as_user(
        "GET",
        "/api/im/admin/logs?appId=other",
        "admin",
        Value::Null,
    );
    let there = there.await;
    let there = there.data()["list"].as_array().expect("a list").clone();
    assert_eq!(there.len(), 1);
    assert_eq!(there[0]["action"], "POST /api/im/admin/users");
    let logs = api.as_user("GET", "/api/im/admin/logs", "admin", Value::Null);
    let logs = logs.await;
    let logs = logs.data();
    let logs = logs["list"].as_array().expect("a list");
    assert_eq!(logs.len(), 1);
    let action = "POST /api/im/admin/users/{user_id}/usersig";
    assert_eq!(logs[0]["action"], action);
}

#[tokio::test]
async fn administrators_read_what_is_said() {
    let api = Api::start().await;
    let mut tokens = Vec::new();
    for uid in ["alice", "bob"] {
        tokens.push(api.login(uid).await);
    }
    let group = json!({"groupId": "g1", "name": "Team", "memberIds": ["bob"]});
    api.post("/api/im/groups", &tokens[0], &group).await.data();
    let path = "/api/im/admin/messages";
    for (at, (from, to, kind, text)) in [
        ("alice", "bob", "SINGLE", "one"),
        ("bob", "alice", "SINGLE", "two"),
        ("alice", "bob", "SINGLE", "three"),
        ("alice", "g1", "GROUP", "four"),
        ("bob", "g1", "GROUP", "five apples"),
    ]
    .into_iter()
    .enumerate()
    {
        let said = json!({"messageId": format!("m{at}"), "fromId": from, "toId": to,
            "chatType": kind, "content": text});
        api.post(path, "admin", &said).await.data();
        api.clock.advance_ms(1000);
    }
    crate::consumers::search::fill(&api.im, |_| {})
        .await
        .expect("filled");
    let read = async |query: &str| {
        let path = format!("{path}?{query}");
        let answer = api.as_user("GET", &path, "admin", Value::Null).await;
        answer.data().clone()
    };
    let texts = |page: &Value| -> Vec<String> {
        let list = page["list"].as_array().expect("a list").iter();
        let text = |it: &Value| it["content"].as_str().unwrap_or_default().to_owned();
        list.map(text).collect()
    };
    let third = START_MS + 2000;
    for (query, expected) in [
        ("fromId=alice&toId=bob".to_owned(), vec!["three", "one"]),
        ("fromId=bob&toId=alice".to_owned(), vec!["two"]),
        (
            "fromId=alice&toId=bob&both=true".to_owned(),
            vec!["three", "two", "one"],
        ),
        ("groupId=g1".to_owned(), vec!["five apples", "four"]),
        (
            "chatType=GROUP&toId=g1&fromId=alice".to_owned(),
            vec!["four"],
        ),
        ("fromId=alice".to_owned(), vec!["four", "three", "one"]),
        ("keyword=apples".to_owned(), vec!["five apples"]),
        (
            format!("fromId=alice&toId=bob&both=true&from={third}"),
            vec!["three"],
        ),
        (
            format!("fromId=alice&toId=bob&both=true&to={third}"),
            vec!["two", "one"],
        ),
        (format!("fromId=alice&to={third}"), vec!["one"]),
        ("groupId=none".to_owned(), vec![]),
        ("groupId=none&keyword=x".to_owned(), vec![]),
        ("fromId=nobody".to_owned(), vec![]),
    ] {
        assert_eq!(texts(&read(&query).await), expected, "{query}");
    }
    let row = &read("fromId=bob&toId=alice").await["list"][0];
    let who = (&row["fromId"], &row["toId"], &row["chatType"]);
    assert_eq!(who, (&json!("bob"), &json!("alice"), &json!("SINGLE")));
    for query in ["fromId=alice&toId=bob&both=1", "fromId=alice"] {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        for n in 1..=3 {
            let page = read(&format!("{query}&limit=1{cursor}")).await;
            all.extend(texts(&page));
            assert_eq!(page["hasMore"], n < 3, "{query}");
            let next = page["cursor"].as_str().unwrap_or_default();
            cursor = format!("&cursor={next}");
        }
        assert_eq!(all.len(), 3, "{query}: {all:?}");
    }
    for (query, why) in [
        ("", "fromId, toId, groupId, keyword or msgType is needed"),
        ("toId=bob", "toId of a user needs fromId beside it"),
        ("toId=bob&groupId=g1", "toId or groupId, not both"),
        ("groupId=a%20b", "groupId is invalid"),
        ("chatType=ROOM", "chatType must be SINGLE or GROUP"),
        ("fromId=alice&cursor=741", "cursor is invalid"),
        ("keyword=%21", "keyword has no letter and no digit"),
    ] {
        let path = format!("{path}?{query}");
        let refused = api.as_user("GET", &path, "admin", Value::Null).await;
        assert_eq!(refused.failed(), (400, why), "{query}");
    }
}
