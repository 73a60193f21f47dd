//! Who may call what: every route of the document, called by everybody who should not.

use super::*;

/// What callers get who are not who they should be.
struct Expected {
    method: &'static str,
    path: &'static str,
    body: Value,
    /// A user who has nothing to do with what the path names.
    stranger: u16,
    /// The user whom the path names, or a member of the channel.
    concerned: u16,
    /// An app of another realm.
    elsewhere: u16,
}

fn row(
    method: &'static str,
    path: &'static str,
    body: Value,
    [stranger, concerned, elsewhere]: [u16; 3],
) -> Expected {
    Expected {
        method,
        path,
        body,
        stranger,
        concerned,
        elsewhere,
    }
}

#[allow(clippy::too_many_lines)] // a table
fn table() -> Vec<Expected> {
    let none = Value::Null;
    let message = json!({
        "from": "alice",
        "to": {"kind": "group", "id": "team"},
        "content": {"type": "text", "text": "x"},
    });
    let group = "/v1/channels/group/team";
    let member = "/v1/channels/group/team/members/bob";
    let members = "/v1/channels/group/team/members";
    let history = "/v1/channels/group/team/messages";
    let read = "/v1/users/alice/conversations/group/team/read";
    let blocked = "/v1/users/alice/blacklist/bob";
    vec![
        row("GET", "/v1/hooks", none.clone(), [403, 403, 200]),
        row(
            "POST",
            "/v1/hooks",
            json!({"url": "http://127.0.0.1:1/"}),
            [403, 403, 201],
        ),
        row("GET", "/v1/hooks/{hook}", none.clone(), [403, 403, 404]),
        row("PATCH", "/v1/hooks/{hook}", none.clone(), [403, 403, 404]),
        row("DELETE", "/v1/hooks/{hook}", none.clone(), [403, 403, 404]),
        row("POST", "/v1/hooks/{hook}/secret", none.clone(), [403, 403, 404]),
        row("POST", "/v1/hooks/{hook}/test", none.clone(), [403, 403, 404]),
        row(
            "POST",
            "/v1/hooks/{hook}/replay",
            json!({"skip": true}),
            [403, 403, 404],
        ),
        row(
            "GET",
            "/v1/hooks/{hook}/dead-letters",
            none.clone(),
            [403, 403, 404],
        ),
        row(
            "DELETE",
            "/v1/hooks/{hook}/dead-letters",
            none.clone(),
            [403, 403, 404],
        ),
        row(
            "DELETE",
            "/v1/hooks/{hook}/dead-letters/1",
            none.clone(),
            [403, 403, 404],
        ),
        row(
            "POST",
            "/v1/hooks/{hook}/dead-letters/1/retry",
            none.clone(),
            [403, 403, 404],
        ),
        row("GET", "/v1/apps", none.clone(), [403, 403, 403]),
        row(
            "POST",
            "/v1/apps",
            json!({"app_id": "new"}),
            [403, 403, 403],
        ),
        row(
            "POST",
            "/v1/apps/default/secret",
            none.clone(),
            [403, 403, 403],
        ),
        row("GET", "/v1/users/alice", none.clone(), [200, 200, 404]),
        row(
            "PUT",
            "/v1/users/alice",
            json!({"name": "A"}),
            [403, 200, 200],
        ),
        row(
            "POST",
            "/v1/users/alice/tokens",
            none.clone(),
            [403, 403, 200],
        ),
        row(
            "POST",
            "/v1/users/alice/tokens/revoke",
            none.clone(),
            [403, 403, 404],
        ),
        row(
            "GET",
            "/v1/users/alice/sessions",
            none.clone(),
            [403, 200, 404],
        ),
        row(
            "GET",
            "/v1/users/alice/blacklist",
            none.clone(),
            [403, 200, 404],
        ),
        row("PUT", blocked, none.clone(), [403, 204, 404]),
        row("DELETE", blocked, none.clone(), [403, 204, 404]),
        row(
            "GET",
            "/v1/users/alice/conversations",
            none.clone(),
            [403, 200, 404],
        ),
        row("POST", read, none.clone(), [403, 200, 404]),
        row("GET", group, none.clone(), [403, 200, 404]),
        row("PUT", group, json!({"ban": true}), [403, 403, 200]),
        row("GET", members, none.clone(), [403, 200, 404]),
        row("POST", members, json!({"members": ["bob"]}), [403, 200, 404]),
        row("DELETE", member, none.clone(), [403, 204, 404]),
        row("GET", history, none.clone(), [403, 200, 200]),
        row("POST", "/v1/messages", message, [403, 200, 404]),
        row("GET", "/v1/messages/{id}", none.clone(), [404, 200, 404]),
        row(
            "POST",
            "/v1/messages/{id}/revoke",
            json!({}),
            [404, 200, 404],
        ),
    ]
}

/// The routes of friends, profiles, presence and the search of users.
fn people() -> Vec<Expected> {
    let own = |method, path, body| row(method, path, body, [403, 200, 404]);
    let seen = |method, path, body, elsewhere| row(method, path, body, [200, 200, elsewhere]);
    let (none, bob) = (Value::Null, json!({"uids": ["bob"]}));
    let name = json!({"name": "N"});
    let keep = json!({"remark": "r"});
    let asked = json!({"to": "bob"});
    let pairs = json!({"pairs": [["alice", "bob"]]});
    vec![
        seen("GET", "/v1/users/alice/profile", none.clone(), 404),
        own("PATCH", "/v1/users/alice/profile", name.clone()),
        seen("POST", "/v1/users/batch", bob.clone(), 200),
        seen("GET", "/v1/users/search?keyword=bo", none.clone(), 200),
        own("GET", "/v1/users/alice/privacy", none.clone()),
        own(
            "PATCH",
            "/v1/users/alice/privacy",
            json!({"strangers": "deny"}),
        ),
        seen("GET", "/v1/users/alice/presence", none.clone(), 404),
        own("PUT", "/v1/users/alice/presence", json!({"status": "s"})),
        seen("POST", "/v1/presence", bob.clone(), 200),
        row(
            "POST",
            "/v1/users/alice/friend-requests",
            asked,
            [403, 201, 404],
        ),
        own("GET", "/v1/users/alice/friend-requests", none.clone()),
        own(
            "POST",
            "/v1/users/alice/friend-requests/{request}/accept",
            keep.clone(),
        ),
        own(
            "POST",
            "/v1/users/alice/friend-requests/{request}/reject",
            none.clone(),
        ),
        own(
            "POST",
            "/v1/users/alice/friend-requests/{sent}/cancel",
            none.clone(),
        ),
        own("GET", "/v1/users/alice/friends", none.clone()),
        own("POST", "/v1/users/alice/friends", bob.clone()),
        own("DELETE", "/v1/users/alice/friends", bob.clone()),
        own("GET", "/v1/users/alice/friends/carol", none.clone()),
        own("PATCH", "/v1/users/alice/friends/carol", keep),
        row(
            "DELETE",
            "/v1/users/alice/friends/carol",
            none.clone(),
            [403, 204, 404],
        ),
        own("POST", "/v1/users/alice/friends-check", bob.clone()),
        row("POST", "/v1/friends/import", pairs, [403, 403, 200]),
        own("GET", "/v1/users/alice/friend-groups", none.clone()),
        row(
            "POST",
            "/v1/users/alice/friend-groups",
            name.clone(),
            [403, 201, 404],
        ),
        own("PATCH", "/v1/users/alice/friend-groups/{friends}", name),
        row(
            "DELETE",
            "/v1/users/alice/friend-groups/{friends}",
            none,
            [403, 204, 404],
        ),
        own(
            "PUT",
            "/v1/users/alice/friend-groups/order",
            json!({"ids": []}),
        ),
        own("POST", "/v1/users/alice/blacklist-check", bob),
    ]
}

/// A path with a hook in it, which has a dead letter.
async fn with_hook(rest: &Rest, path: &str) -> String {
    if !path.contains("{hook}") {
        return path.to_owned();
    }
    let hook = json!({"url": "http://127.0.0.1:1/"});
    let hook = rest.post("/v1/hooks", hook).await;
    let id = hook["id"].as_str().expect("an id");
    let letter = crosstalk_core::hook::NewDeadLetter {
        event: "message.stored".to_owned(),
        event_id: "1".to_owned(),
        query: String::new(),
        body: "{}".into(),
        tries: 1,
        reason: "x".to_owned(),
        at_ms: 1,
    };
    rest.im.bury(id, &letter).await.expect("buried");
    path.replace("{hook}", id)
}

/// Replaces the names of things of friends by their ids, made for it.
async fn with_friends(rest: &Rest, path: &str) -> String {
    for uid in ["carol", "dave", "erin"] {
        rest.put(&format!("/v1/users/{uid}"), json!({})).await;
    }
    let pairs = json!({"pairs": [["alice", "carol"]]});
    rest.post("/v1/friends/import", pairs).await;
    let groups = "/v1/users/alice/friend-groups";
    let friends = rest.post(groups, json!({"name": "Friends"})).await;
    let asked = json!({"to": "alice"});
    let request = rest.post("/v1/users/dave/friend-requests", asked).await;
    let asked = json!({"to": "erin"});
    let sent = rest.post("/v1/users/alice/friend-requests", asked).await;
    let mut path = path.to_owned();
    for (name, made) in [("friends", friends), ("request", request), ("sent", sent)] {
        let id = made["id"].as_str().expect("an id");
        path = path.replace(&format!("{{{name}}}"), id);
    }
    path
}

/// Channels, members, ways in.
fn group_rows() -> Vec<Expected> {
    let none = Value::Null;
    let group = "/v1/channels/group/team";
    let member = "/v1/channels/group/team/members/bob";
    let ban = "/v1/channels/group/team/bans/bob";
    let links = "/v1/channels/group/team/invite-links";
    let invited = json!({"operator": "carol"});
    let asked = json!({"operator": "dave"});
    let bob = json!({"operator": "bob"});
    let mut rows = vec![
        row("POST", "/v1/channels", json!({}), [201, 201, 201]),
        row("PATCH", group, json!({"name": "n"}), [403, 200, 404]),
        row("DELETE", group, none.clone(), [403, 204, 404]),
        row("GET", member, none.clone(), [403, 200, 404]),
        row("PATCH", member, json!({"nick": "b"}), [403, 200, 404]),
        row("PUT", ban, none.clone(), [403, 204, 404]),
        row("DELETE", ban, none.clone(), [403, 204, 404]),
        row("GET", links, none.clone(), [403, 200, 404]),
        row("POST", links, json!({}), [403, 201, 404]),
    ];
    let below = |rest: &str| -> &'static str { format!("{group}/{rest}").leak() };
    let more = [
        ("GET", below("member-changes"), none.clone(), [403, 200, 404]),
        ("GET", below("bans"), none.clone(), [403, 200, 404]),
        ("GET", below("join-requests"), none.clone(), [403, 200, 404]),
        ("POST", below("transfer"), json!({"to": "bob"}), [403, 204, 404]),
        ("POST", below("leave"), bob.clone(), [403, 403, 404]),
        ("POST", below("join"), bob, [403, 403, 404]),
        ("POST", below("invitations"), json!({"users": ["bob"]}), [403, 200, 404]),
        ("POST", below("join-requests/{invitation}/accept"), invited.clone(), [403, 403, 404]),
        ("POST", below("join-requests/{invitation}/reject"), invited, [403, 403, 404]),
        ("POST", below("join-requests/{asked}/cancel"), asked.clone(), [403, 403, 404]),
        ("DELETE", below("invite-links/{link}?operator=bob"), none.clone(), [403, 403, 404]),
        ("POST", "/v1/invite-links/{link}/join", asked, [403, 403, 404]),
        ("GET", "/v1/users/alice/channels", none.clone(), [403, 200, 404]),
        ("GET", "/v1/users/alice/join-requests", none, [403, 200, 404]),
    ];
    rows.extend(more.map(|(method, path, body, answers)| row(method, path, body, answers)));
    rows
}

/// Makes an invitation of carol's, a request of dave's and a link of bob's, and puts them into
/// a path.
async fn with_ways_in(rest: &Rest, path: &str) -> String {
    let group = "/v1/channels/group/team";
    rest.user("carol").await;
    rest.user("dave").await;
    let open = json!({"join_mode": "approval", "invite_by": "all"});
    rest.put(group, open).await;
    let invited = json!({"users": ["carol"]});
    let invited = rest.post(&format!("{group}/invitations"), invited).await;
    let asked = json!({"operator": "dave"});
    let asked = rest.post(&format!("{group}/join"), asked).await;
    let link = json!({"operator": "bob"});
    let link = rest.post(&format!("{group}/invite-links"), link).await;
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    path.replace("{invitation}", &text(&invited["items"][0]["id"]))
        .replace("{asked}", &text(&asked["request"]["id"]))
        .replace("{link}", &text(&link["token"]))
}

/// The routes of conversations, and of what is found in them.
fn conversation_rows() -> Vec<Expected> {
    let kept = "/v1/users/alice/conversations/group/team";
    let batch = json!({"op": "pin", "channels": [{"kind": "group", "id": "team"}]});
    let own = [403, 200, 404];
    vec![
        row("GET", kept, Value::Null, own),
        row("PATCH", kept, json!({"pinned": true}), own),
        row(
            "POST",
            "/v1/users/alice/conversations/group/team/clear",
            json!({}),
            own,
        ),
        row("DELETE", kept, Value::Null, own),
        row("POST", "/v1/users/alice/conversations/batch", batch, own),
        row("GET", "/v1/users/alice/unread", Value::Null, own),
        row(
            "GET",
            "/v1/search/messages?q=hello&user=alice",
            Value::Null,
            own,
        ),
        row("GET", "/v1/search?q=hello&user=alice", Value::Null, own),
        row("GET", "/v1/search/status", Value::Null, [403, 403, 403]),
        row("POST", "/v1/search/rebuild", Value::Null, [403, 403, 403]),
    ]
}

#[tokio::test]
async fn every_route_is_denied_to_whom_it_should_be() {
    let mut known = Vec::new();
    let rows = table().into_iter().chain(people()).chain(group_rows());
    let rows = rows.chain(conversation_rows());
    for expected in rows {
        let rest = Rest::start().await;
        let alice = rest.user("alice").await;
        let stranger = rest.user("mallory").await;
        rest.user("bob").await;
        let team = json!({"owner": "alice", "members": ["alice", "bob"]});
        rest.put("/v1/channels/group/team", team).await;
        let sent = rest.text("alice", "group", "team", "hello").await;
        let elsewhere = json!({"app_id": "elsewhere", "realm": "other"});
        let elsewhere = rest.call(ADMIN, "POST", "/v1/apps", elsewhere).await.ok();
        let elsewhere = elsewhere["app_secret"].as_str().expect("a secret");

        let id = sent["id"].as_str().expect("an id");
        let path = expected.path.replace("{id}", id);
        let path = with_hook(&rest, &path).await;
        let path = with_friends(&rest, &path).await;
        let path = if path.contains('{') {
            with_ways_in(&rest, &path).await
        } else {
            path
        };
        let forged = forged_token(&alice);
        let callers = [
            ("garbage", 401, "garbage"),
            ("a forged token", 401, &forged),
            ("a stranger", expected.stranger, &stranger),
            ("an app of another realm", expected.elsewhere, elsewhere),
            ("the user concerned", expected.concerned, &alice),
        ];
        let method = expected.method;
        let bare = Request::builder()
            .method(method)
            .uri(&path)
            .body(Body::empty());
        let bare = rest.send(bare.expect("a request")).await;
        assert_eq!(
            bare.headers[header::WWW_AUTHENTICATE],
            "Bearer realm=\"crosstalk\""
        );
        assert_eq!(
            bare.problem(),
            (401, "not_authenticated".to_owned()),
            "{method} {path}"
        );
        for (who, status, bearer) in callers {
            let answer = rest
                .call(bearer, method, &path, expected.body.clone())
                .await;
            assert_eq!(
                answer.status, status,
                "{who}: {method} {path}: {}",
                answer.body
            );
        }
        let (named, _) = path.split_once('?').unwrap_or((&path, ""));
        known.push(rest.operation(&method.to_lowercase(), named)["operationId"].clone());
        let changed = rest.call(ADMIN, method, &path, expected.body).await;
        // What the user concerned has made already cannot be made once more.
        assert!(
            changed.status < 300 || changed.status == 409,
            "the admin: {method} {path}: {}",
            changed.body
        );
    }
    let rest = Rest::start().await;
    let paths = rest.document["paths"].as_object().expect("paths");
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("operations") {
            let id = &operation["operationId"];
            assert!(
                known.contains(id),
                "{method} {path} has no row in the table above"
            );
        }
    }
}

/// A token with the same claims and another signature.
fn forged_token(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').expect("a JWT");
    let turned: String = signature.chars().rev().collect();
    format!("{signed}.{turned}")
}

#[tokio::test]
async fn a_user_is_me_and_nobody_else() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    rest.user("bob").await;
    let me = rest
        .call(&alice, "GET", "/v1/users/me", Value::Null)
        .await
        .ok();
    assert_eq!(me["uid"], "alice");
    let bob = rest
        .call(&alice, "GET", "/v1/users/bob/privacy", Value::Null)
        .await;
    assert_eq!(bob.problem(), (403, "forbidden".to_owned()));
    let history = "/v1/channels/direct/bob/messages";
    let own = rest.call(&alice, "GET", history, Value::Null).await;
    assert_eq!(own.status, 200);
    let others = rest
        .call(&alice, "GET", &format!("{history}?user=bob"), Value::Null)
        .await;
    assert_eq!(others.problem().0, 403);
}

#[tokio::test]
async fn flags_are_not_the_users_own_to_change() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    for flag in ["ban", "send_ban", "allow_stranger", "system"] {
        let answer = rest
            .call(&alice, "PUT", "/v1/users/me", json!({flag: true}))
            .await;
        assert_eq!(answer.problem(), (403, "forbidden".to_owned()), "{flag}");
    }
}

#[tokio::test]
async fn a_banned_user_and_a_revoked_token_reach_nothing() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    rest.put("/v1/users/alice", json!({"ban": true})).await;
    let banned = rest.call(&alice, "GET", "/v1/users/me", Value::Null).await;
    assert_eq!(banned.problem(), (403, "user_banned".to_owned()));
    rest.put("/v1/users/alice", json!({"ban": false})).await;
    assert_eq!(
        rest.call(&alice, "GET", "/v1/users/me", Value::Null)
            .await
            .status,
        200
    );
    rest.app("POST", "/v1/users/alice/tokens/revoke", Value::Null)
        .await
        .ok();
    let revoked = rest.call(&alice, "GET", "/v1/users/me", Value::Null).await;
    assert_eq!(revoked.problem(), (401, "not_authenticated".to_owned()));
    let fresh = rest.user("alice").await;
    assert_eq!(
        rest.call(&fresh, "GET", "/v1/users/me", Value::Null)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_token_expires() {
    let rest = Rest::start().await;
    let issued = rest
        .post("/v1/users/alice/tokens", json!({"ttl_secs": 60}))
        .await;
    assert_eq!(issued["expires_at"], (im::START_MS / 1000 + 60) * 1000);
    let token = issued["token"].as_str().expect("a token");
    assert_eq!(
        rest.call(token, "GET", "/v1/users/me", Value::Null)
            .await
            .status,
        200
    );
    rest.clock.advance_ms(120_000);
    assert_eq!(
        rest.call(token, "GET", "/v1/users/me", Value::Null)
            .await
            .status,
        401
    );
}
