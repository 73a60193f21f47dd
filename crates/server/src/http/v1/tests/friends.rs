//! Friends, requests, friend groups; profiles, privacy, presence, finding users.

use super::*;

impl Rest {
    async fn as_user(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        self.call(token, method, path, body).await
    }
}

fn uids(answer: &Value) -> Vec<String> {
    each(&answer["items"], "/uid")
}

#[tokio::test]
async fn a_request_is_made_seen_and_accepted() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    let bob = rest.user("bob").await;
    let ask = json!({"to": "bob", "message": "hi", "remark": "B"});
    let path = "/v1/users/me/friend-requests";
    let asked = rest.as_user(&alice, "POST", path, ask.clone()).await;
    assert_eq!(asked.status, 201);
    let asked = asked.ok();
    assert_eq!(
        (
            &asked["from"],
            &asked["to"],
            &asked["state"],
            &asked["message"]
        ),
        (
            &json!("alice"),
            &json!("bob"),
            &json!("pending"),
            &json!("hi")
        )
    );
    let again = rest.as_user(&alice, "POST", path, ask).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.ok(), asked);

    let list = |query: &str| format!("{path}{query}");
    for (token, query, count) in [
        (&bob, "", 1),
        (&bob, "?state=pending", 1),
        (&bob, "?state=accepted", 0),
        (&bob, "?direction=outgoing", 0),
        (&alice, "", 0),
        (&alice, "?direction=outgoing&state=pending", 1),
    ] {
        let found = rest.as_user(token, "GET", &list(query), Value::Null).await;
        let found = found.ok();
        assert_eq!(
            found["items"].as_array().map(Vec::len),
            Some(count),
            "{query}"
        );
    }
    for query in ["?state=x", "?direction=x", "?limit=0", "?cursor=x"] {
        let answer = rest.as_user(&bob, "GET", &list(query), Value::Null).await;
        let field = &query[1..query.find('=').expect("a query")];
        assert!(answer.detail("invalid_argument").starts_with(field));
    }

    let id = asked["id"].as_str().expect("an id");
    let answer = |word: &str| format!("{path}/{id}/{word}");
    let own = rest
        .as_user(&alice, "POST", &answer("accept"), Value::Null)
        .await;
    assert_eq!(own.problem(), (404, "no_such_request".to_owned()));
    let keep = json!({"group": "404"});
    let nowhere = rest.as_user(&bob, "POST", &answer("accept"), keep).await;
    assert_eq!(nowhere.problem(), (404, "not_found".to_owned()));
    for _ in 0..2 {
        let accepted = rest
            .as_user(&bob, "POST", &answer("accept"), json!({"remark": "A"}))
            .await;
        assert_eq!(accepted.ok()["state"], "accepted");
    }
    for word in ["reject"] {
        let late = rest.as_user(&bob, "POST", &answer(word), Value::Null).await;
        assert_eq!(late.problem(), (409, "wrong_state".to_owned()));
    }
    let late = rest
        .as_user(&alice, "POST", &answer("cancel"), Value::Null)
        .await;
    assert_eq!(late.problem(), (409, "wrong_state".to_owned()));
    let hers = rest.as_user(&alice, "GET", "/v1/users/me/friends", Value::Null);
    let hers = hers.await.ok();
    assert_eq!(
        (uids(&hers), &hers["items"][0]["remark"]),
        (vec!["bob".to_owned()], &json!("B"))
    );
    let his = rest.get("/v1/users/bob/friends/alice").await;
    assert_eq!(
        (&his["remark"], &his["is_friend"]),
        (&json!("A"), &json!(true))
    );
    let friends = rest
        .as_user(&alice, "POST", path, json!({"to": "bob"}))
        .await;
    assert_eq!(friends.problem(), (409, "already_exists".to_owned()));
}

#[tokio::test]
async fn who_may_not_ask_does_not_learn_why() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    for uid in ["bob", "carol"] {
        rest.user(uid).await;
    }
    let path = "/v1/users/me/friend-requests";
    rest.app("PUT", "/v1/users/bob/blacklist/alice", Value::Null)
        .await
        .ok();
    rest.app(
        "PATCH",
        "/v1/users/carol/privacy",
        json!({"friend_requests": "nobody"}),
    )
    .await
    .ok();
    let mut bodies = Vec::new();
    for to in ["bob", "carol"] {
        let refused = rest.as_user(&alice, "POST", path, json!({"to": to})).await;
        bodies.push(refused.body.clone());
        assert_eq!(refused.problem(), (403, "forbidden".to_owned()));
    }
    assert_eq!(bodies[0], bodies[1]);
    let blocking = rest.app(
        "POST",
        "/v1/users/bob/friend-requests",
        json!({"to": "alice"}),
    );
    assert_eq!(blocking.await.problem(), (409, "wrong_state".to_owned()));
    for (body, code, field) in [
        (json!({"to": "alice"}), "invalid_argument", "to"),
        (json!({"to": "nobody"}), "no_such_user", "to"),
        (json!({"to": "a b"}), "invalid_uid", "to"),
        (json!({}), "invalid_argument", "to: is missing"),
        (
            json!({"to": "bob", "message": "x".repeat(501)}),
            "invalid_argument",
            "message",
        ),
        (
            json!({"to": "bob", "remark": "x".repeat(101)}),
            "invalid_argument",
            "remark",
        ),
        (
            json!({"to": "bob", "group": "x"}),
            "invalid_argument",
            "group",
        ),
    ] {
        let refused = rest.as_user(&alice, "POST", path, body.clone()).await;
        let detail = refused.detail(code);
        assert!(detail.starts_with(field), "{body}: {detail}");
    }
    assert!(!rest.is_known("nobody").await);
}

#[tokio::test]
async fn friends_are_added_listed_kept_and_deleted() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    for uid in ["bob", "carol", "dave", "erin"] {
        rest.user(uid).await;
    }
    let friends = "/v1/users/alice/friends";
    let states = |answer: Value| {
        let items = answer["items"].as_array().expect("items").clone();
        items
            .iter()
            .map(|item| item["state"].as_str().expect("a state").to_owned())
            .collect::<Vec<_>>()
    };
    let add = json!({"uids": ["bob", "carol", "ghost", "alice", "bob"]});
    let added = rest.post(friends, add.clone()).await;
    assert_eq!(added["items"][2]["error"]["code"], "no_such_user");
    assert_eq!(states(added), ["friend", "friend", "failed", "failed"]);
    assert_eq!(
        states(rest.post(friends, add).await),
        ["unchanged", "unchanged", "failed", "failed"]
    );
    // A user asks.
    let add = json!({"uids": ["dave", "bob"], "message": "hi"});
    let asked = rest.as_user(&alice, "POST", friends, add).await.ok();
    assert_eq!(asked["items"][1]["error"]["code"], "already_exists");
    assert_eq!(states(asked), ["requested", "failed"]);
    let import = json!({"pairs": [["alice", "dave"], ["alice", "bob"], ["alice", "ghost"]]});
    let imported = rest.post("/v1/friends/import", import).await;
    assert_eq!(
        (&imported["added"], &imported["unchanged"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(each(&imported["failed"], "/at"), ["2"]);
    assert_eq!(each(&imported["failed"], "/error/code"), ["no_such_user"]);
    // Whoever waited for an answer has it.
    let waiting = rest
        .get("/v1/users/dave/friend-requests?state=pending")
        .await;
    assert_eq!(waiting["items"], json!([]));

    let first = rest.get(&format!("{friends}?limit=2")).await;
    assert_eq!(uids(&first), ["bob", "carol"]);
    let cursor = first["next_cursor"].as_str().expect("more");
    let rest_of = rest
        .get(&format!("{friends}?limit=2&cursor={cursor}"))
        .await;
    assert_eq!(
        (uids(&rest_of), &rest_of["next_cursor"]),
        (vec!["dave".to_owned()], &Value::Null)
    );
    assert_eq!(
        uids(&rest.get(&format!("{friends}?keyword=ar")).await),
        ["carol"]
    );

    let groups = "/v1/users/alice/friend-groups";
    let work = rest.app("POST", groups, json!({"name": "Work"})).await;
    assert_eq!(work.status, 201);
    let work = work.ok()["id"].as_str().expect("an id").to_owned();
    let home = rest.post(groups, json!({"name": "Home"})).await;
    let home = home["id"].as_str().expect("an id").to_owned();
    let same = rest.app("POST", groups, json!({"name": "Work"})).await;
    assert!(same.detail("already_exists").starts_with("name"));
    for name in ["", " ", &"x".repeat(51), "a\nb"] {
        let bad = rest.app("POST", groups, json!({"name": name})).await;
        assert!(bad.detail("invalid_argument").starts_with("name"));
    }
    let ordered = rest
        .put(&format!("{groups}/order"), json!({"ids": [home, work]}))
        .await;
    assert_eq!(each(&ordered["items"], "/name"), ["Home", "Work"]);
    let renamed = rest
        .app(
            "PATCH",
            &format!("{groups}/{home}"),
            json!({"name": "House"}),
        )
        .await;
    assert_eq!(renamed.ok()["name"], "House");

    let kept = rest
        .app(
            "PATCH",
            &format!("{friends}/bob"),
            json!({"remark": "Bobby", "group": work}),
        )
        .await;
    let kept = kept.ok();
    assert_eq!(
        (&kept["remark"], &kept["group"]),
        (&json!("Bobby"), &json!(work))
    );
    assert_eq!(
        uids(&rest.get(&format!("{friends}?group={work}")).await),
        ["bob"]
    );
    assert_eq!(
        uids(&rest.get(&format!("{friends}?group=0")).await),
        ["carol", "dave"]
    );
    assert_eq!(rest.get(groups).await["items"][1]["members"], 1);
    let version = kept["version"].as_i64().expect("a version");
    let none = rest
        .app("PATCH", &format!("{friends}/erin"), json!({"remark": "E"}))
        .await;
    assert_eq!(none.problem(), (404, "not_found".to_owned()));
    rest.app("DELETE", &format!("{groups}/{work}"), Value::Null)
        .await
        .ok();
    assert_eq!(
        rest.get(&format!("{friends}/bob")).await["group"],
        Value::Null
    );

    // One side, then the other.
    let check = json!({"uids": ["bob", "carol", "erin", "ghost"]});
    let gone = rest
        .app(
            "DELETE",
            &format!("{friends}/carol?both=false"),
            Value::Null,
        )
        .await;
    assert_eq!(gone.status, 204);
    let checked = rest.post("/v1/users/alice/friends-check", check).await;
    let facts = |item: &Value| (item["is_friend"] == true, item["has_friend"] == true);
    let facts: Vec<_> = checked["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(facts)
        .collect();
    assert_eq!(
        facts,
        [(true, true), (false, true), (false, false), (false, false)]
    );
    let ended = rest
        .app("DELETE", friends, json!({"uids": ["bob", "carol", "erin"]}))
        .await
        .ok();
    assert_eq!(states(ended), ["deleted", "deleted", "unchanged"]);
    let changes = rest.get(&format!("{friends}?since={version}")).await;
    let mut changed: Vec<_> = uids(&changes);
    changed.sort();
    assert_eq!(changed, ["bob", "carol"]);
    assert!(
        changes["items"]
            .as_array()
            .expect("items")
            .iter()
            .all(|it| it["is_friend"] == false)
    );
    for (method, path, body) in [
        ("POST", friends, json!({"uids": []})),
        ("DELETE", friends, json!({"uids": vec!["x"; 101]})),
        ("POST", "/v1/friends/import", json!({"pairs": []})),
        ("POST", "/v1/users/alice/friends-check", json!({})),
        (
            "GET",
            "/v1/users/alice/friends?since=1&keyword=x",
            Value::Null,
        ),
    ] {
        let bad = rest.app(method, path, body).await;
        assert_eq!(
            bad.problem(),
            (422, "invalid_argument".to_owned()),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn others_see_what_is_public() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    let bob = rest.user("bob").await;
    let new = json!({
        "name": "Alice", "gender": "female", "phone": "12345", "email": "a@b.c",
        "custom": {"x": 1}, "birthday": "2000-02-29",
    });
    let profile = "/v1/users/alice/profile";
    let own = rest.as_user(&alice, "PATCH", profile, new).await.ok();
    assert_eq!(
        (&own["phone"], &own["gender"]),
        (&json!("12345"), &json!("female"))
    );
    rest.put("/v1/users/alice", json!({"avatar": "a.png"}))
        .await;
    let own = rest
        .as_user(&alice, "GET", "/v1/users/me/profile", Value::Null)
        .await
        .ok();
    assert_eq!(
        (&own["email"], &own["avatar"]),
        (&json!("a@b.c"), &json!("a.png"))
    );
    let seen = rest.as_user(&bob, "GET", profile, Value::Null).await.ok();
    assert_eq!(
        (&seen["phone"], &seen["email"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        (&seen["name"], &seen["custom"]["x"]),
        (&json!("Alice"), &json!(1))
    );
    let seen = rest
        .as_user(&bob, "GET", "/v1/users/alice", Value::Null)
        .await
        .ok();
    for hidden in [
        "phone",
        "email",
        "ban",
        "send_ban",
        "system",
        "allow_stranger",
    ] {
        assert_eq!(seen.get(hidden), None, "{hidden}");
    }
    assert_eq!(seen["birthday"], "2000-02-29");
    let batch = json!({"uids": ["alice", "ghost", "bob"]});
    let seen = rest
        .as_user(&bob, "POST", "/v1/users/batch", batch)
        .await
        .ok();
    assert_eq!(uids(&seen), ["alice", "bob"]);
    assert_eq!(
        (seen["items"][0].get("phone"), seen["items"][1].get("ban")),
        (None, Some(&json!(false)))
    );
    assert_eq!(rest.get("/v1/users/alice").await["phone"], "12345");

    for (body, field) in [
        (json!({"gender": "x"}), "gender"),
        (json!({"birthday": "2001-02-29"}), "birthday"),
        (json!({"phone": "x"}), "phone"),
        (json!({"email": "x"}), "email"),
        (json!({"language": "x_y"}), "language"),
        (json!({"signature": "x".repeat(501)}), "signature"),
        (json!({"custom": 1}), "custom"),
    ] {
        let bad = rest.as_user(&alice, "PATCH", profile, body).await;
        assert!(bad.detail("invalid_argument").contains(field), "{field}");
    }
    let large = json!({"custom": {"x": "y".repeat(4096)}});
    let large = rest.as_user(&alice, "PATCH", profile, large).await;
    assert_eq!(large.problem(), (413, "too_large".to_owned()));
    let other = rest
        .as_user(&bob, "PATCH", profile, json!({"name": "x"}))
        .await;
    assert_eq!(other.problem(), (403, "forbidden".to_owned()));
}

#[tokio::test]
async fn users_are_found_as_they_let_themselves_be() {
    let rest = Rest::start().await;
    let bob = rest.user("bob").await;
    for (uid, name, searchable) in [
        ("alice", "Wonder 小明", "name"),
        ("alan", "A", "nobody"),
        ("carol", "alfred", "all"),
    ] {
        rest.put(&format!("/v1/users/{uid}"), json!({"name": name}))
            .await;
        let path = format!("/v1/users/{uid}/profile");
        rest.app("PATCH", &path, json!({"phone": "555111"}))
            .await
            .ok();
        let path = format!("/v1/users/{uid}/privacy");
        let set = rest
            .app("PATCH", &path, json!({"searchable": searchable}))
            .await
            .ok();
        assert_eq!(set["searchable"], searchable);
    }
    let find = async |token: &str, keyword: &str| {
        let path = format!("/v1/users/search?keyword={keyword}");
        rest.call(token, "GET", &path, Value::Null).await
    };
    for (keyword, found) in [
        ("al", vec!["alice", "carol"]),
        ("555111", vec!["carol"]),
        ("%E5%B0%8F%E6%98%8E", vec!["alice"]),
        ("nobody", vec![]),
    ] {
        let answer = find(&bob, keyword).await.ok();
        assert_eq!(uids(&answer), found, "{keyword}");
        assert!(
            answer["items"]
                .as_array()
                .expect("items")
                .iter()
                .all(|it| it.get("phone").is_none())
        );
    }
    let app = rest.app.secret.to_string();
    assert_eq!(
        uids(&find(&app, "al").await.ok()),
        ["alan", "alice", "carol"]
    );
    assert_eq!(uids(&find(&app, "555111").await.ok()).len(), 3);
    let page = rest.get("/v1/users/search?keyword=al&limit=1").await;
    let cursor = page["next_cursor"].as_str().expect("more");
    let next = rest
        .get(&format!(
            "/v1/users/search?keyword=al&limit=1&cursor={cursor}"
        ))
        .await;
    assert_eq!(
        (uids(&page), uids(&next)),
        (vec!["alan".to_owned()], vec!["alice".to_owned()])
    );
    for query in [
        "keyword=",
        "keyword=%20",
        "",
        &format!("keyword={}", "x".repeat(65)),
    ] {
        let bad = rest
            .app("GET", &format!("/v1/users/search?{query}"), Value::Null)
            .await;
        assert!(bad.detail("invalid_argument").contains("keyword"));
    }
}

#[tokio::test]
async fn presence_is_told_to_whom_it_may() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    let bob = rest.user("bob").await;
    let path = "/v1/users/alice/presence";
    let set = json!({"status": "busy"});
    let own = rest.as_user(&alice, "PUT", path, set).await.ok();
    assert_eq!(
        (&own["status"], &own["online"]),
        (&json!("busy"), &json!(false))
    );
    let seen = rest.as_user(&bob, "GET", path, Value::Null).await.ok();
    assert_eq!(
        (&seen["status"], &seen["last_seen_at"]),
        (&json!("busy"), &Value::Null)
    );
    rest.as_user(
        &alice,
        "PATCH",
        "/v1/users/me/privacy",
        json!({"presence": "friends"}),
    )
    .await
    .ok();
    let seen = rest.as_user(&bob, "GET", path, Value::Null).await.ok();
    assert_eq!(seen["status"], "");
    let pairs = json!({"pairs": [["alice", "bob"]]});
    rest.post("/v1/friends/import", pairs).await;
    let many = json!({"uids": ["alice", "ghost"]});
    let seen = rest.as_user(&bob, "POST", "/v1/presence", many).await.ok();
    assert_eq!(
        (&seen["items"][0]["status"], &seen["items"][1]["online"]),
        (&json!("busy"), &json!(false))
    );
    assert!(!rest.is_known("ghost").await);
    let privacy = rest.get("/v1/users/alice/privacy").await;
    assert_eq!(
        privacy,
        json!({"friend_requests": "approval", "strangers": "inherit", "presence": "friends", "searchable": "name", "groups": "everyone"})
    );
    for (method, path, body) in [
        ("PUT", path, json!({"status": "x".repeat(101)})),
        ("PATCH", "/v1/users/alice/privacy", json!({"presence": "x"})),
        ("POST", "/v1/presence", json!({"uids": vec!["x"; 101]})),
    ] {
        let bad = rest.app(method, path, body).await;
        assert_eq!(bad.problem().0, 422, "{method} {path}");
    }
}

#[tokio::test]
async fn nobody_learns_who_blocks_them() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    rest.user("bob").await;
    rest.app("PUT", "/v1/users/bob/blacklist/alice", Value::Null)
        .await
        .ok();
    let path = "/v1/users/alice/blacklist-check";
    let check = json!({"uids": ["bob"]});
    let own = rest.as_user(&alice, "POST", path, check.clone()).await.ok();
    assert_eq!(own["items"], json!([{"uid": "bob", "blocked": false}]));
    let app = rest.post(path, check).await;
    assert_eq!(
        app["items"],
        json!([{"uid": "bob", "blocked": false, "blocks": true}])
    );
}

#[tokio::test]
async fn a_realm_of_friends_only_lets_nobody_else_write() {
    let policy = Policy {
        friends_only: crosstalk_core::send::strangers::FriendsOnly {
            everywhere: false,
            realms: [Realm::default()].into(),
        },
        ..Policy::default()
    };
    let rest = Rest::with_policy(policy).await;
    for uid in ["alice", "bob"] {
        rest.user(uid).await;
    }
    let message = json!({"from": "bob", "to": {"kind": "direct", "id": "alice"},
        "content": {"type": "text", "text": "x"}});
    let send = async || rest.app("POST", "/v1/messages", message.clone()).await;
    assert_eq!(send().await.problem(), (403, "not_allow_listed".to_owned()));
    let privacy = "/v1/users/alice/privacy";
    rest.app("PATCH", privacy, json!({"strangers": "allow"}))
        .await
        .ok();
    send().await.ok();
    rest.app("PATCH", privacy, json!({"strangers": "deny"}))
        .await
        .ok();
    assert_eq!(send().await.problem(), (403, "not_allow_listed".to_owned()));
    let pairs = json!({"pairs": [["alice", "bob"]], "both": false});
    rest.post("/v1/friends/import", pairs).await;
    send().await.ok();
}

#[tokio::test]
async fn a_user_may_be_called_as_a_route_is() {
    let rest = Rest::start().await;
    let ask = async |method: &str, path: &str| {
        let secret = rest.app.secret.to_string();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {secret}"))
            .body(Body::empty());
        let answer = rest.routes.clone().oneshot(request.expect("a request"));
        answer.await.expect("an answer").status().as_u16()
    };
    for (method, path) in [
        ("PUT", "/v1/users/batch"),
        ("PUT", "/v1/users/search"),
        ("PUT", "/v1/users/import"),
        ("GET", "/v1/users/batch"),
        ("GET", "/v1/users/import"),
        ("GET", "/v1/users/batch/profile"),
        ("GET", "/v1/users/search/friends"),
    ] {
        assert_eq!(ask(method, path).await, 200, "{method} {path}");
    }
    for uid in ["batch", "search", "import"] {
        let path = format!("/v1/users/{uid}");
        assert_eq!(ask("DELETE", &path).await, 202, "{path}");
    }
}
