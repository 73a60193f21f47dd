//! Friends, block list, profiles, status: the calls of stomp.md D.b.2.

use super::*;

impl Api {
    async fn call(&self, method: &str, path: &str, token: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", &*bearer),
            ("content-type", "application/json"),
        ];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let path = format!("/api/im{path}");
        self.ask(method, &path, &headers, &body).await
    }
}

#[tokio::test]
async fn friends_are_asked_kept_and_deleted() {
    let api = Api::start().await;
    let (alice, bob) = (api.login("alice").await, api.login("bob").await);
    let ask = json!({"userId": "bob", "message": "hi"});
    let asked = api.call("POST", "/friends/requests", &alice, ask).await;
    let asked = asked.data();
    assert_eq!(
        (&asked["fromId"], &asked["toId"], &asked["status"]),
        (&json!("alice"), &json!("bob"), &json!("PENDING"))
    );
    let id = asked["id"].as_str().expect("an id");
    let list = api
        .call("GET", "/friends/requests", &bob, Value::Null)
        .await;
    assert_eq!(list.data()["list"][0]["id"], id);
    assert_eq!(list.data()["hasMore"], false);
    let sent = api.call(
        "GET",
        "/friends/requests?direction=outgoing&status=PENDING",
        &alice,
        Value::Null,
    );
    assert_eq!(sent.await.data()["list"][0]["message"], "hi");
    let own = api
        .call(
            "POST",
            &format!("/friends/requests/{id}/accept"),
            &alice,
            json!({}),
        )
        .await;
    assert_eq!(own.failed().0, 404);
    let odd = api
        .call(
            "POST",
            &format!("/friends/requests/{id}/frobnicate"),
            &bob,
            json!({}),
        )
        .await;
    assert_eq!(odd.failed().0, 404);
    let accepted = api
        .call(
            "POST",
            &format!("/friends/requests/{id}/accept"),
            &bob,
            json!({}),
        )
        .await;
    assert_eq!(accepted.data()["status"], "ACCEPTED");

    let group = api
        .call("POST", "/friend-groups", &alice, json!({"name": "Work"}))
        .await;
    let group = group.data()["groupId"].as_str().expect("an id").to_owned();
    let renamed = api
        .call(
            "PUT",
            &format!("/friend-groups/{group}"),
            &alice,
            json!({"name": "Job"}),
        )
        .await;
    assert_eq!(renamed.data()["name"], "Job");
    let kept = json!({"remark": "Bobby", "groupId": group});
    let kept = api.call("PUT", "/friends/bob", &alice, kept).await;
    assert_eq!(
        (&kept.data()["remark"], &kept.data()["groupId"]),
        (&json!("Bobby"), &json!(group))
    );
    let friends = api.call("GET", "/friends", &alice, Value::Null).await;
    assert_eq!(friends.data()["list"][0]["userId"], "bob");
    for (name, expected) in [("", Value::Null), (&*group, json!(group))] {
        let sorted = json!({"group": name});
        let sorted = api.call("PUT", "/friends/bob", &alice, sorted).await;
        assert_eq!(sorted.data()["groupId"], expected, "as the table calls it");
    }
    let wrong = json!({"group": "x"});
    let wrong = api.call("PUT", "/friends/bob", &alice, wrong).await;
    assert_eq!(wrong.failed(), (400, "group is invalid"));
    let groups = api.call("GET", "/friend-groups", &alice, Value::Null).await;
    assert_eq!(groups.data()["list"][0]["count"], 1);
    api.call(
        "DELETE",
        &format!("/friend-groups/{group}"),
        &alice,
        Value::Null,
    )
    .await
    .data();

    let check = json!({"userIds": ["bob", "ghost"]});
    let checked = api.call("POST", "/friends/check", &alice, check).await;
    assert_eq!(
        checked.data()["list"][0],
        json!({"userId": "bob", "isFriend": true, "isFriendOf": true})
    );
    let batch = json!({"userIds": ["bob", "ghost"]});
    let batch = api.call("POST", "/friends/batch/add", &alice, batch).await;
    assert_eq!(batch.data()["failed"][0]["code"], 409);
    assert_eq!(batch.data()["failed"][1]["code"], 404);
    let gone = api
        .call("DELETE", "/friends/bob", &alice, Value::Null)
        .await;
    gone.data();
    let gone = api
        .call("DELETE", "/friends/bob", &alice, Value::Null)
        .await;
    assert_eq!(gone.failed().0, 404);
    let his = api.call("GET", "/friends", &bob, Value::Null).await;
    assert_eq!(his.data()["list"], json!([]));
    let bare = api.call("GET", "/friends", "x", Value::Null).await;
    assert_eq!(bare.failed().0, 401);
}

#[tokio::test]
async fn who_is_blocked_is_listed_and_may_not_ask() {
    let api = Api::start().await;
    let (alice, bob) = (api.login("alice").await, api.login("bob").await);
    api.call("POST", "/blacklist", &alice, json!({"userId": "bob"}))
        .await
        .data();
    let list = api.call("GET", "/blacklist", &alice, Value::Null).await;
    assert_eq!(list.data()["list"], json!([{"userId": "bob"}]));
    let check = json!({"userIds": ["bob", "eve"]});
    let checked = api.call("POST", "/blacklist/check", &alice, check).await;
    assert_eq!(checked.data()["list"][0]["blocked"], true);
    assert_eq!(checked.data()["list"][1]["blocked"], false);
    let his = api
        .call(
            "POST",
            "/blacklist/check",
            &bob,
            json!({"userIds": ["alice"]}),
        )
        .await;
    assert_eq!(his.data()["list"][0]["blocked"], false);
    let ask = api
        .call(
            "POST",
            "/friends/requests",
            &bob,
            json!({"userId": "alice"}),
        )
        .await;
    assert_eq!(ask.failed().0, 403);
    api.call("DELETE", "/blacklist/bob", &alice, Value::Null)
        .await
        .data();
    let list = api.call("GET", "/blacklist", &alice, Value::Null).await;
    assert_eq!(list.data()["list"], json!([]));
    let unknown = api
        .call("POST", "/blacklist", &alice, json!({"userId": "ghost"}))
        .await;
    assert_eq!(unknown.failed().0, 404);
}

#[tokio::test]
async fn profiles_and_status_are_shown_to_others() {
    let api = Api::start().await;
    let (alice, bob) = (api.login("alice").await, api.login("bob").await);
    let new = json!({"nickname": "Alice", "phone": "12345", "extra": {"a": 1}, "signature": "s"});
    let own = api.call("PUT", "/profile", &alice, new).await;
    assert_eq!(
        (&own.data()["nickname"], &own.data()["phone"]),
        (&json!("Alice"), &json!("12345"))
    );
    let emptied = api
        .call("PUT", "/profile", &alice, json!({"signature": null}))
        .await;
    assert_eq!(emptied.data()["signature"], Value::Null);
    let own = api.call("GET", "/profile", &alice, Value::Null).await;
    assert_eq!(own.data()["extra"], json!({"a": 1}));
    let seen = api.call("GET", "/users/alice", &bob, Value::Null).await;
    assert_eq!(
        (&seen.data()["nickname"], seen.data().get("phone")),
        (&json!("Alice"), None)
    );
    let batch = json!({"userIds": ["ghost", "alice"]});
    let batch = api.call("POST", "/users/batch", &bob, batch).await;
    assert_eq!(batch.data()["list"][0]["userId"], "alice");
    let found = api
        .call("GET", "/users/search?keyword=lic", &bob, Value::Null)
        .await;
    assert_eq!(found.data()["list"][0]["userId"], "alice");
    let set = api
        .call("PUT", "/users/status", &alice, json!({"status": "busy"}))
        .await;
    assert_eq!(set.data()["status"], "busy");
    let _session = api.session(&alice, "d").await;
    let seen = api
        .call("GET", "/users/status?ids=alice,bob", &bob, Value::Null)
        .await;
    assert_eq!(
        (
            &seen.data()["list"][0]["online"],
            &seen.data()["list"][0]["status"]
        ),
        (&json!(true), &json!("busy"))
    );
    assert_eq!(seen.data()["list"][1]["online"], false);
    for body in [
        json!({"gender": "x"}),
        json!({"nickname": 1}),
        json!({"extra": "x"}),
    ] {
        let bad = api.call("PUT", "/profile", &alice, body).await;
        assert_eq!(bad.failed().0, 400);
    }
}
