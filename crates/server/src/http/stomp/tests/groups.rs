//! Groups: the calls of stomp.md D.b.2.

use super::*;

async fn call(api: &Api, method: &str, path: &str, token: &str, body: Value) -> Answer {
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
    api.ask(method, &format!("/api/im{path}"), &headers, &body)
        .await
}

/// A group of alice (owner) and bob, and tokens of alice, bob and carol, who is outside.
async fn team(settings: Value) -> (Api, [String; 3]) {
    let api = Api::start().await;
    let tokens = [
        api.login("alice").await,
        api.login("bob").await,
        api.login("carol").await,
    ];
    let mut new = json!({"groupId": "g1", "name": "Team", "memberIds": ["bob"]});
    for (name, value) in settings.as_object().expect("an object") {
        new[name] = value.clone();
    }
    let made = call(&api, "POST", "/groups", &tokens[0], new).await;
    assert_eq!(made.data()["ownerId"], "alice");
    (api, tokens)
}

#[tokio::test]
async fn a_group_is_made_shown_changed_and_dissolved() {
    let (api, [alice, bob, carol]) = team(json!({"joinMode": "APPROVE"})).await;
    let seen = call(&api, "GET", "/groups/g1", &bob, Value::Null).await;
    let group = seen.data();
    assert_eq!(group["memberCount"], 2);
    assert_eq!(
        (&group["joinMode"], &group["muted"]),
        (&json!("APPROVE"), &json!(false))
    );
    assert_eq!(group["permissions"]["inviteBy"], "ADMIN");
    assert_eq!(group["createdAt"], START_MS);
    let outside = call(&api, "GET", "/groups/g1", &carol, Value::Null).await;
    assert_eq!(outside.failed().0, 403);
    let list = call(&api, "GET", "/groups", &bob, Value::Null).await;
    assert_eq!(list.data()["list"][0]["groupId"], "g1");
    let rename = json!({"name": "New", "avatar": "https://example.org/a.png"});
    let refused = call(&api, "PUT", "/groups/g1", &bob, rename.clone()).await;
    assert_eq!(refused.failed().0, 403);
    let renamed = call(&api, "PUT", "/groups/g1", &alice, rename).await;
    assert_eq!(renamed.data()["name"], "New");
    let rights = json!({"editInfoBy": "all", "speak": "ADMIN", "atAllBy": "ADMIN"});
    let set = call(&api, "PUT", "/groups/g1/permissions", &alice, rights).await;
    assert_eq!(set.data()["permissions"]["speak"], "ADMIN");
    let wrong = json!({"speak": "SOME"});
    let wrong = call(&api, "PUT", "/groups/g1/permissions", &alice, wrong).await;
    assert_eq!(wrong.failed(), (400, "speak is ALL or ADMIN"));
    let text = json!({"announcement": "Lunch"});
    call(&api, "PUT", "/groups/g1/announcement", &bob, text)
        .await
        .data();
    let said = call(&api, "GET", "/groups/g1/announcement", &alice, Value::Null).await;
    assert_eq!(
        (&said.data()["announcement"], &said.data()["operatorId"]),
        (&json!("Lunch"), &json!("bob"))
    );
    let muted = call(
        &api,
        "POST",
        "/groups/g1/mute",
        &alice,
        json!({"duration": 60}),
    )
    .await;
    assert_eq!(muted.data()["mutedUntil"], START_MS + 60_000);
    let refused = call(&api, "DELETE", "/groups/g1", &bob, Value::Null).await;
    assert_eq!(refused.failed().0, 403);
    call(&api, "DELETE", "/groups/g1", &alice, Value::Null)
        .await
        .data();
    let gone = call(&api, "GET", "/groups/g1", &bob, Value::Null).await;
    assert_eq!(gone.data()["dissolved"], true);
    let nothing = call(&api, "GET", "/groups/none", &bob, Value::Null).await;
    assert_eq!(nothing.failed().0, 404);
}

#[tokio::test]
async fn members_and_requests() {
    let (api, [alice, bob, carol]) = team(json!({"joinMode": "APPROVE"})).await;
    let asked = json!({"message": "me"});
    let asked = call(&api, "POST", "/groups/g1/requests", &carol, asked).await;
    let request = asked.data()["request"].clone();
    assert_eq!(
        (&request["fromId"], &request["toId"], &request["status"]),
        (&json!("carol"), &json!("g1"), &json!("PENDING"))
    );
    let own = call(&api, "GET", "/group-requests", &carol, Value::Null).await;
    assert_eq!(own.data()["list"][0]["id"], request["id"]);
    let refused = call(&api, "GET", "/groups/g1/requests", &bob, Value::Null).await;
    assert_eq!(refused.failed().0, 403);
    let id = request["id"].as_str().expect("an id");
    let accept = format!("/groups/g1/requests/{id}/accept");
    assert_eq!(
        call(&api, "POST", &accept, &bob, Value::Null)
            .await
            .failed()
            .0,
        404
    );
    let accepted = call(&api, "POST", &accept, &alice, Value::Null).await;
    assert_eq!(accepted.data()["status"], "ACCEPTED");
    let named = json!({"role": "ADMIN", "nick": "Bobby"});
    let named = call(&api, "PUT", "/groups/g1/members/bob", &alice, named).await;
    assert_eq!(
        (&named.data()["role"], &named.data()["nick"]),
        (&json!("ADMIN"), &json!("Bobby"))
    );
    let muted = json!({"mutedUntil": START_MS + 5});
    let muted = call(&api, "POST", "/groups/g1/members/carol/mute", &bob, muted).await;
    assert_eq!(muted.data()["mutedUntil"], START_MS + 5);
    let found = call(
        &api,
        "GET",
        "/groups/g1/members?keyword=bobb",
        &carol,
        Value::Null,
    )
    .await;
    assert_eq!(found.data()["list"][0]["userId"], "bob");
    let page = call(
        &api,
        "GET",
        "/groups/g1/members?limit=2",
        &carol,
        Value::Null,
    )
    .await;
    assert_eq!(page.data()["hasMore"], true);
    let removed = json!({"userIds": ["carol"]});
    let removed = call(&api, "DELETE", "/groups/g1/members", &bob, removed).await;
    assert_eq!(removed.data()["memberCount"], 2);
    let added = json!({"userIds": ["carol"]});
    let added = call(&api, "POST", "/groups/g1/members", &alice, added).await;
    assert_eq!(added.data()["memberCount"], 3);
    let left = call(&api, "POST", "/groups/g1/leave", &alice, Value::Null).await;
    assert_eq!(left.failed().0, 409);
    let given = json!({"newOwnerId": "bob"});
    let given = call(&api, "POST", "/groups/g1/transfer", &alice, given).await;
    assert_eq!(given.data()["ownerId"], "bob");
    call(&api, "POST", "/groups/g1/leave", &alice, Value::Null)
        .await
        .data();
    let banned = json!({"userIds": ["carol"]});
    call(&api, "POST", "/groups/g1/bans", &bob, banned)
        .await
        .data();
    let out = call(&api, "POST", "/groups/g1/requests", &carol, Value::Null).await;
    assert_eq!(out.failed().0, 403);
}

#[tokio::test]
async fn who_is_muted_for_how_long_must_be_said() {
    let (api, [alice, bob, _]) = team(json!({})).await;
    for path in ["/groups/g1/mute", "/groups/g1/members/bob/mute"] {
        for vague in [Value::Null, json!({}), json!({"mutedUntil": null})] {
            let refused = call(&api, "POST", path, &alice, vague).await;
            let why = "mutedUntil, duration or muted is needed";
            assert_eq!(refused.failed(), (400, why), "{path}");
        }
        let wrong = call(&api, "POST", path, &alice, json!({"mutedUntil": -1})).await;
        assert_eq!(wrong.failed(), (400, "mutedUntil is invalid"), "{path}");
        let until = json!(START_MS + 60_000);
        for (wish, muted, until) in [
            (json!({"mutedUntil": until}), true, &until),
            (json!({"until": until}), true, &until),
            (json!({"duration": 60}), true, &until),
            (json!({"seconds": 60}), true, &until),
            (json!({"muted": true, "seconds": 60}), true, &until),
            (json!({"muted": true}), true, &Value::Null),
            (json!({"mutedUntil": 0}), false, &Value::Null),
            (json!({"duration": 0}), false, &Value::Null),
            (json!({"muted": false}), false, &Value::Null),
        ] {
            let done = call(&api, "POST", path, &alice, wish.clone()).await;
            let done = done.data();
            let found = (&done["muted"], &done["mutedUntil"]);
            assert_eq!(found, (&json!(muted), until), "{path} {wish}");
        }
    }
    let refused = call(
        &api,
        "POST",
        "/groups/g1/mute",
        &bob,
        json!({"muted": true}),
    )
    .await;
    assert_eq!(refused.failed().0, 403);
}

#[tokio::test]
async fn what_can_be_no_groups_id_is_named_everywhere() {
    let (api, [alice, _, _]) = team(json!({})).await;
    let wrong = "a%20b";
    let calls = [
        ("GET", String::new()),
        ("PUT", String::new()),
        ("DELETE", String::new()),
        ("PUT", "/permissions".to_owned()),
        ("GET", "/announcement".to_owned()),
        ("PUT", "/announcement".to_owned()),
        ("POST", "/mute".to_owned()),
        ("POST", "/transfer".to_owned()),
        ("POST", "/leave".to_owned()),
        ("GET", "/members".to_owned()),
        ("POST", "/members".to_owned()),
        ("DELETE", "/members".to_owned()),
        ("PUT", "/members/bob".to_owned()),
        ("POST", "/members/bob/mute".to_owned()),
        ("GET", "/requests".to_owned()),
        ("POST", "/requests".to_owned()),
        ("POST", "/requests/1/accept".to_owned()),
        ("POST", "/invitations".to_owned()),
        ("GET", "/bans".to_owned()),
        ("POST", "/bans".to_owned()),
    ];
    for (method, rest) in calls {
        let path = format!("/groups/{wrong}{rest}");
        let refused = call(&api, method, &path, &alice, Value::Null).await;
        assert_eq!(refused.failed(), (400, "groupId is invalid"), "{path}");
    }
    let made = call(&api, "POST", "/groups", &alice, json!({"groupId": "a b"})).await;
    assert_eq!(made.failed(), (400, "groupId is invalid"));
    let path = format!("/conversations/GROUP:{wrong}");
    let kept = call(&api, "PUT", &path, &alice, json!({"pinned": true})).await;
    assert_eq!(kept.failed(), (400, "conversationId is invalid"));
    let path = format!("/messages/search?keyword=x&chatType=GROUP&targetId={wrong}");
    let found = call(&api, "GET", &path, &alice, Value::Null).await;
    assert_eq!(found.failed(), (400, "targetId is invalid"));
}

#[tokio::test]
async fn a_group_where_nothing_was_said_is_found_and_put_away() {
    let (api, [alice, bob, _]) = team(json!({})).await;
    let found = call(&api, "GET", "/groups/search?keyword=tea", &bob, Value::Null).await;
    let listed = call(&api, "GET", "/groups", &bob, Value::Null).await;
    assert_eq!(found.data()["list"], listed.data()["list"]);
    assert_eq!(found.data()["list"][0]["createdAt"], START_MS);
    let ids = async |token: &str| {
        let list = call(&api, "GET", "/conversations", token, Value::Null).await;
        let list = list.data()["list"].as_array().expect("a list").clone();
        list.into_iter()
            .map(|it| it["id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&bob).await, ["GROUP:g1"]);
    let path = "/conversations/GROUP:g1";
    let gone = call(&api, "DELETE", path, &bob, Value::Null).await;
    assert_eq!(gone.data()["hidden"], true);
    assert!(ids(&bob).await.is_empty());
    assert_eq!(ids(&alice).await, ["GROUP:g1"]);
    let back = call(&api, "PUT", path, &bob, json!({"hidden": false})).await;
    assert_eq!(back.data()["hidden"], false);
    call(&api, "PUT", path, &bob, json!({"hidden": true}))
        .await
        .data();
    let said = json!({"toId": "g1", "chatType": "GROUP", "msgType": "TEXT", "content": "hi",
        "mentionedUserIds": ["bob"]});
    call(&api, "POST", "/messages/send", &alice, said)
        .await
        .data();
    assert_eq!(ids(&bob).await, ["GROUP:g1"], "somebody has spoken");
    // The same message mentions bob.
    let list = call(&api, "GET", "/conversations", &bob, Value::Null).await;
    let row = &list.data()["list"][0];
    assert_eq!((&row["unread"], &row["mentions"]), (&json!(1), &json!(1)));
    let read = call(&api, "POST", &format!("{path}/read"), &bob, Value::Null).await;
    assert_eq!(read.data()["mentions"], 0);
}
