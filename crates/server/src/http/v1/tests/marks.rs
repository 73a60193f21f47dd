//! The state of messages: edits, deletion, reactions, pins, receipts, and changes by version.

use super::*;

const TEAM: &str = "/v1/channels/group/team";
const HISTORY: &str = "/v1/channels/group/team/messages";
const CHANGES: &str = "/v1/channels/group/team/changes";

/// A group of alice, who owns it, bob and carol; mallory stands outside.
struct Team {
    rest: Rest,
    alice: String,
    bob: String,
    carol: String,
    mallory: String,
}

impl Team {
    async fn new() -> Self {
        Self::with_policy(Policy::default()).await
    }

    async fn with_policy(policy: Policy) -> Self {
        let rest = Rest::with_policy(policy).await;
        let alice = rest.user("alice").await;
        let bob = rest.user("bob").await;
        let carol = rest.user("carol").await;
        let mallory = rest.user("mallory").await;
        let members = json!({"owner": "alice", "members": ["bob", "carol"]});
        rest.put(TEAM, members).await;
        Self {
            rest,
            alice,
            bob,
            carol,
            mallory,
        }
    }

    /// Has somebody say something, and returns its path.
    async fn say(&self, from: &str, text: &str) -> String {
        let sent = self.rest.text(from, "group", "team", text).await;
        format!("/v1/messages/{}", sent["id"].as_str().expect("an id"))
    }

    async fn as_user(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        self.rest.call(token, method, path, body).await
    }

    async fn code(&self, token: &str, method: &str, path: &str, body: Value) -> String {
        self.as_user(token, method, path, body).await.problem().1
    }

    async fn seen(&self, token: &str) -> Vec<u64> {
        let page = self.as_user(token, "GET", HISTORY, Value::Null).await.ok();
        let items = page["items"].as_array().expect("items").clone();
        items
            .iter()
            .map(|it| it["seq"].as_u64().expect("a seq"))
            .collect()
    }
}

fn text(text: &str) -> Value {
    json!({"content": {"type": "text", "text": text}})
}

#[tokio::test]
async fn who_wrote_a_message_may_say_something_else() {
    let team = Team::new().await;
    let path = team.say("bob", "helo").await;
    team.rest.clock.advance_ms(1000);
    // Another, the owner, and one who does not know of it.
    for (token, code) in [
        (&team.carol, "forbidden"),
        (&team.alice, "forbidden"),
        (&team.mallory, "no_such_message"),
    ] {
        assert_eq!(team.code(token, "PATCH", &path, text("x")).await, code);
    }
    let edited = team
        .as_user(&team.bob, "PATCH", &path, text("hello"))
        .await
        .ok();
    assert_eq!(edited["content"]["text"], "hello");
    assert_eq!(
        (&edited["state"], &edited["edits"]),
        (&json!("edited"), &json!(1))
    );
    assert_eq!(edited["edited_at"], im::START_MS + 1000);
    // Nothing else of it has changed, and everybody sees it so.
    for token in [&team.alice, &team.bob] {
        let found = team.as_user(token, "GET", &path, Value::Null).await.ok();
        assert_eq!(found, edited);
    }
    let page = team.rest.get(HISTORY).await;
    assert_eq!(page["items"][0], edited);
    let last = team.rest.get("/v1/users/carol/conversations").await;
    assert_eq!(last["items"][0]["last_message"]["content"]["text"], "hello");
    // The same again changes nothing; the application may, too.
    team.as_user(&team.bob, "PATCH", &path, text("hello"))
        .await
        .ok();
    team.rest.app("PATCH", &path, text("HELLO")).await.ok();
    let mut as_bob = text("bye");
    as_bob["operator"] = json!("bob");
    team.rest.app("PATCH", &path, as_bob).await.ok();
    let versions = format!("{path}/versions");
    let listed = team
        .as_user(&team.carol, "GET", &versions, Value::Null)
        .await
        .ok();
    let said: Vec<_> = listed["items"].as_array().expect("items").iter().collect();
    let said: Vec<_> = said
        .iter()
        .map(|it| {
            (
                it["n"].as_u64(),
                it["content"]["text"].as_str(),
                it["by"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            (Some(0), Some("helo"), Some("bob")),
            (Some(1), Some("hello"), Some("bob")),
            (Some(2), Some("HELLO"), None),
            (Some(3), Some("bye"), Some("bob")),
        ]
    );
    let first = team.rest.get(&format!("{versions}?limit=3")).await;
    let cursor = first["next_cursor"].as_str().expect("there is more");
    let rest = team.rest.get(&format!("{versions}?cursor={cursor}")).await;
    assert_eq!(rest["items"], json!([listed["items"][3]]));
    assert_eq!(
        team.code(&team.mallory, "GET", &versions, Value::Null)
            .await,
        "no_such_message"
    );
}

#[tokio::test]
async fn what_cannot_be_edited_is_not() {
    let team = Team::with_policy(Policy {
        edit_window_ms: 5000,
        ..Policy::default()
    })
    .await;
    let path = team.say("bob", "x").await;
    let long = "x".repeat(33_000);
    assert_eq!(
        team.code(&team.bob, "PATCH", &path, text(&long)).await,
        "too_large"
    );
    let nothing = team
        .code(&team.bob, "PATCH", &path, json!({"content": 1}))
        .await;
    assert_eq!(nothing, "invalid_argument");
    // Who may not speak may not edit either.
    team.rest.put(TEAM, json!({"send_ban": true})).await;
    assert_eq!(
        team.code(&team.bob, "PATCH", &path, text("y")).await,
        "muted"
    );
    team.rest.put(TEAM, json!({"send_ban": false})).await;
    team.rest.clock.advance_ms(5001);
    assert_eq!(
        team.code(&team.bob, "PATCH", &path, text("y")).await,
        "too_late"
    );
    team.rest.app("PATCH", &path, text("y")).await.ok();
    team.rest.post(&format!("{path}/revoke"), json!({})).await;
    let gone = team.rest.app("PATCH", &path, text("z")).await;
    assert_eq!(gone.problem(), (409, "wrong_state".to_owned()));
    let versions = team.rest.get(&format!("{path}/versions")).await;
    assert_eq!(versions["items"], json!([]));
}

#[tokio::test]
async fn deleting_for_oneself_leaves_the_others_alone() {
    let team = Team::new().await;
    let first = team.say("bob", "1").await;
    team.say("bob", "2").await;
    let own = format!("{first}?scope=me");
    team.as_user(&team.carol, "DELETE", &own, Value::Null)
        .await
        .ok();
    assert_eq!(team.seen(&team.carol).await, [2]);
    assert_eq!(team.seen(&team.alice).await, [1, 2]);
    assert_eq!(
        team.code(&team.carol, "GET", &first, Value::Null).await,
        "no_such_message"
    );
    let carol = team.rest.get("/v1/users/carol/conversations").await;
    assert_eq!(carol["items"][0]["unread"], 1);
    assert_eq!(
        team.code(&team.mallory, "DELETE", &own, Value::Null).await,
        "no_such_message"
    );
    let nobody = team.rest.app("DELETE", &own, Value::Null).await;
    assert!(nobody.detail("invalid_argument").contains("operator"));
    team.rest
        .app("DELETE", &format!("{own}&operator=alice"), Value::Null)
        .await
        .ok();
    assert_eq!(team.seen(&team.alice).await, [2]);
    // The newest message that is left is the last one.
    let ids = json!({"ids": ["1", "741200000000000001"]});
    let answer = team
        .as_user(&team.bob, "POST", "/v1/messages/delete", ids)
        .await
        .ok();
    assert_eq!(answer["items"][0]["error"]["code"], "no_such_message");
    // A page is full though something on it is left out.
    for n in 3..8 {
        let path = team.say("bob", &n.to_string()).await;
        if n % 2 == 1 {
            team.as_user(&team.carol, "DELETE", &path, Value::Null)
                .await
                .ok();
        }
    }
    let page = format!("{HISTORY}?limit=2");
    let page = team
        .as_user(&team.carol, "GET", &page, Value::Null)
        .await
        .ok();
    let seqs: Vec<_> = page["items"].as_array().expect("items").iter().collect();
    assert_eq!([&seqs[0]["seq"], &seqs[1]["seq"]], [&json!(4), &json!(6)]);
    let cursor = page["next_cursor"].as_str().expect("there is more");
    let more = format!("{HISTORY}?limit=2&cursor={cursor}");
    let more = team
        .as_user(&team.carol, "GET", &more, Value::Null)
        .await
        .ok();
    assert_eq!(more["items"][0]["seq"], 2);
    assert_eq!(more["next_cursor"], Value::Null);
    let last = team.rest.get("/v1/users/carol/conversations").await;
    assert_eq!(last["items"][0]["last_message"]["seq"], 6);
}

#[tokio::test]
async fn deleting_for_all_is_for_authors_in_time_and_moderators() {
    let team = Team::new().await;
    let path = team.say("bob", "1").await;
    let all = format!("{path}?scope=all");
    for (token, code) in [
        (&team.carol, "forbidden"),
        (&team.mallory, "no_such_message"),
    ] {
        assert_eq!(team.code(token, "DELETE", &all, Value::Null).await, code);
    }
    team.rest.clock.advance_ms(121_000);
    assert_eq!(
        team.code(&team.bob, "DELETE", &all, Value::Null).await,
        "too_late"
    );
    team.as_user(&team.alice, "DELETE", &all, Value::Null)
        .await
        .ok();
    team.as_user(&team.alice, "DELETE", &all, Value::Null)
        .await
        .ok();
    assert!(team.seen(&team.carol).await.is_empty());
    assert_eq!(team.rest.get(HISTORY).await["items"], json!([]));
    let changes = team.rest.get(CHANGES).await;
    assert_eq!(changes["items"][0]["state"], "deleted");
    assert_eq!(changes["items"][0]["by"], "alice");
    let carol = team.rest.get("/v1/users/carol/conversations").await;
    assert_eq!(carol["items"][0]["unread"], 0);
    // Several at once, each by itself.
    let own = team.say("carol", "2").await;
    let other = team.say("bob", "3").await;
    let id = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    for (path, extra) in [
        ("/v1/messages/revoke", json!({})),
        ("/v1/messages/delete", json!({"scope": "all"})),
    ] {
        let mut body = json!({"ids": [id(&own), id(&other)]});
        if let (Some(body), Some(extra)) = (body.as_object_mut(), extra.as_object()) {
            body.extend(extra.clone());
        }
        let answer = team.as_user(&team.carol, "POST", path, body).await.ok();
        let items = &answer["items"];
        assert_eq!(each(items, "/id"), [id(&own), id(&other)]);
        assert_eq!(each(items, "/error/code"), ["null", "forbidden"], "{path}");
    }
    let many = json!({"ids": vec!["1"; 101]});
    let many = team.rest.app("POST", "/v1/messages/revoke", many).await;
    assert!(many.detail("invalid_argument").starts_with("ids"));
}

#[tokio::test]
async fn reactions_are_put_counted_and_taken_away() {
    let team = Team::new().await;
    let path = team.say("bob", "1").await;
    let thumb = format!("{path}/reactions/%F0%9F%91%8D");
    for _ in 0..2 {
        team.as_user(&team.alice, "PUT", &thumb, Value::Null)
            .await
            .ok();
    }
    team.rest
        .app("PUT", &format!("{thumb}?user=carol"), Value::Null)
        .await
        .ok();
    team.as_user(
        &team.carol,
        "PUT",
        &format!("{path}/reactions/x"),
        Value::Null,
    )
    .await
    .ok();
    assert_eq!(
        team.code(&team.mallory, "PUT", &thumb, Value::Null).await,
        "no_such_message"
    );
    let nobody = team.rest.app("PUT", &thumb, Value::Null).await;
    assert!(nobody.detail("invalid_argument").starts_with("user"));
    let long = format!("{path}/reactions/{}", "x".repeat(33));
    let long = team.as_user(&team.alice, "PUT", &long, Value::Null).await;
    assert!(long.detail("invalid_argument").starts_with("emoji"));
    let list = format!("{path}/reactions");
    let found = team
        .as_user(&team.alice, "GET", &list, Value::Null)
        .await
        .ok();
    let summary = json!([
        {"emoji": "👍", "count": 2, "mine": true},
        {"emoji": "x", "count": 1, "mine": false},
    ]);
    assert_eq!(found["summary"], summary);
    let who: Vec<_> = found["items"].as_array().expect("items").iter().collect();
    let who: Vec<_> = who
        .iter()
        .map(|it| (it["emoji"].as_str(), it["user"].as_str()))
        .collect();
    assert_eq!(
        who,
        [
            (Some("x"), Some("carol")),
            (Some("👍"), Some("alice")),
            (Some("👍"), Some("carol")),
        ]
    );
    let first = team.rest.get(&format!("{list}?limit=2")).await;
    let cursor = first["next_cursor"].as_str().expect("there is more");
    let rest = team
        .rest
        .get(&format!("{list}?limit=2&cursor={cursor}"))
        .await;
    assert_eq!(rest["items"], json!([found["items"][2]]));
    let message = team
        .as_user(&team.alice, "GET", &path, Value::Null)
        .await
        .ok();
    assert_eq!(message["reactions"], summary);
    // By version: what is there, and then that one is gone.
    let changes = team.rest.get(CHANGES).await;
    assert_eq!(
        changes["items"][0]["reactions"].as_array().map(Vec::len),
        Some(3)
    );
    let version = changes["version"].as_i64().expect("a version");
    team.as_user(&team.alice, "DELETE", &thumb, Value::Null)
        .await
        .ok();
    team.as_user(&team.alice, "DELETE", &thumb, Value::Null)
        .await
        .ok();
    let changes = team
        .rest
        .get(&format!("{CHANGES}?after_version={version}"))
        .await;
    let gone = &changes["items"][0]["reactions"];
    assert_eq!(
        (&gone[0]["user"], &gone[0]["removed"], &gone[1]),
        (&json!("alice"), &json!(true), &Value::Null)
    );
    let nothing = changes["version"].as_i64().expect("a version");
    let changes = team
        .rest
        .get(&format!("{CHANGES}?after_version={nothing}"))
        .await;
    assert_eq!(
        changes,
        json!({"items": [], "version": nothing, "more": false})
    );
}

#[tokio::test]
async fn who_moderates_pins() {
    let team = Team::new().await;
    let (first, second) = (team.say("bob", "1").await, team.say("bob", "2").await);
    let pin = |path: &str| format!("{path}/pin");
    for (token, code) in [(&team.bob, "forbidden"), (&team.mallory, "no_such_message")] {
        assert_eq!(
            team.code(token, "PUT", &pin(&first), Value::Null).await,
            code
        );
    }
    team.as_user(&team.alice, "PUT", &pin(&first), Value::Null)
        .await
        .ok();
    team.rest.clock.advance_ms(1);
    team.rest.app("PUT", &pin(&second), Value::Null).await.ok();
    let pins = format!("{TEAM}/pins");
    let found = team
        .as_user(&team.carol, "GET", &pins, Value::Null)
        .await
        .ok();
    let pinned = |n: usize| found["items"][n]["message"]["seq"].clone();
    assert_eq!([pinned(0), pinned(1)], [json!(2), json!(1)]);
    assert_eq!(found["items"][1]["by"], "alice");
    assert_eq!(found["items"][1]["message"]["pinned"], true);
    assert_eq!(
        team.code(&team.mallory, "GET", &pins, Value::Null).await,
        "not_a_member"
    );
    assert_eq!(
        team.code(&team.bob, "DELETE", &pin(&first), Value::Null)
            .await,
        "forbidden"
    );
    team.as_user(&team.alice, "DELETE", &pin(&first), Value::Null)
        .await
        .ok();
    team.rest.post(&format!("{second}/revoke"), json!({})).await;
    assert_eq!(team.rest.get(&pins).await["items"], json!([]));
    // Both of a direct channel may.
    let sent = team.rest.text("alice", "direct", "bob", "x").await;
    let direct = format!("/v1/messages/{}", sent["id"].as_str().expect("an id"));
    team.as_user(&team.bob, "PUT", &pin(&direct), Value::Null)
        .await
        .ok();
    assert_eq!(
        team.code(&team.carol, "PUT", &pin(&direct), Value::Null)
            .await,
        "no_such_message"
    );
}

#[tokio::test]
async fn members_pin_if_they_may() {
    let team = Team::with_policy(Policy {
        members_pin: true,
        ..Policy::default()
    })
    .await;
    let path = format!("{}/pin", team.say("alice", "1").await);
    team.as_user(&team.bob, "PUT", &path, Value::Null)
        .await
        .ok();
    assert_eq!(
        team.code(&team.mallory, "PUT", &path, Value::Null).await,
        "no_such_message"
    );
}

#[tokio::test]
async fn authors_learn_who_has_read() {
    let team = Team::new().await;
    let sent = team.rest.text("alice", "direct", "bob", "x").await;
    let path = format!(
        "/v1/messages/{}/receipts",
        sent["id"].as_str().expect("an id")
    );
    let unread = json!({
        "read_count": 0,
        "unread_count": 1,
        "counting": true,
        "items": [{"user": "bob", "read_at": null}],
        "next_cursor": null,
    });
    let of = format!("{path}?state=unread");
    let found = team
        .as_user(&team.alice, "GET", &of, Value::Null)
        .await
        .ok();
    assert_eq!(found, unread);
    team.rest
        .post("/v1/users/bob/conversations/direct/alice/read", json!({}))
        .await;
    let found = team
        .as_user(&team.alice, "GET", &path, Value::Null)
        .await
        .ok();
    assert_eq!(
        (&found["read_count"], &found["unread_count"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(found["items"][0]["user"], "bob");
    assert_eq!(
        team.code(&team.bob, "GET", &path, Value::Null).await,
        "forbidden"
    );
    let stranger = team.code(&team.mallory, "GET", &path, Value::Null).await;
    assert_eq!(stranger, "no_such_message");
}

#[tokio::test]
async fn of_groups_it_is_known_where_it_was_asked_for() {
    let team = Team::new().await;
    let silent = team.say("alice", "1").await;
    let of = format!("{silent}/receipts");
    assert_eq!(
        team.code(&team.alice, "GET", &of, Value::Null).await,
        "wrong_state"
    );
    assert_eq!(
        team.code(&team.bob, "GET", &of, Value::Null).await,
        "forbidden"
    );
    let to = json!({"kind": "group", "id": "team"});
    let asking = json!({"from": "alice", "to": to, "content": {"type": "text", "text": "2"}, "receipt": true});
    let one = team.rest.post("/v1/messages", asking.clone()).await;
    let mut many = asking;
    many["to"] = json!([to]);
    let many = team.rest.post("/v1/messages/batch", many).await;
    for id in [&one["id"], &many["items"][0]["id"]] {
        let of = format!("/v1/messages/{}/receipts", id.as_str().expect("an id"));
        let asked = team
            .as_user(&team.alice, "GET", &of, Value::Null)
            .await
            .ok();
        assert_eq!(asked["read_count"], 0);
        assert!(asked["unread_count"].as_u64() >= Some(1), "{asked}");
    }
}

fn asking() -> Value {
    json!({
        "from": "alice",
        "to": {"kind": "group", "id": "team"},
        "content": {"type": "text", "text": "?"},
        "receipt": true,
    })
}

#[tokio::test]
async fn who_was_counted_stays_so_when_the_group_grows() {
    let team = Team::new().await;
    let sent = team.rest.post("/v1/messages", asking()).await;
    assert_eq!(sent["receipt"], true);
    let of = |sent: &Value| format!("/v1/messages/{}", sent["id"].as_str().expect("an id"));
    let read = "/v1/users/bob/conversations/group/team/read";
    team.rest.post(read, json!({})).await;
    let many: Vec<String> = (0..500).map(|n| format!("u{n}")).collect();
    let join = json!({"members": many});
    team.rest.post(&format!("{TEAM}/members"), join).await;
    let receipts = team.rest.get(&format!("{}/receipts", of(&sent))).await;
    assert_eq!(
        (&receipts["read_count"], &receipts["counting"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(receipts["items"][0]["user"], "bob");
    assert_eq!(team.rest.get(&of(&sent)).await["read_count"], 1);
    // Here nobody will be counted, and the author is told so.
    let sent = team.rest.post("/v1/messages", asking()).await;
    assert_eq!(sent["receipt"], false);
    assert_eq!(team.rest.get(&of(&sent)).await["read_count"], Value::Null);
    let path = format!("{}/receipts", of(&sent));
    let receipts = team.rest.app("GET", &path, Value::Null);
    assert!(receipts.await.detail("wrong_state").contains("500"));
}

#[tokio::test]
async fn who_has_read_and_left_is_not_taken_for_one_who_has_not() {
    let team = Team::new().await;
    let join = json!({"members": ["mallory"]});
    team.rest.post(&format!("{TEAM}/members"), join).await;
    let sent = team.rest.post("/v1/messages", asking()).await;
    let read = "/v1/users/bob/conversations/group/team/read";
    team.rest.post(read, json!({})).await;
    team.rest
        .app("DELETE", &format!("{TEAM}/members/bob"), Value::Null)
        .await
        .ok();
    let id = sent["id"].as_str().expect("an id");
    let receipts = team
        .rest
        .get(&format!("/v1/messages/{id}/receipts?state=unread"))
        .await;
    assert_eq!(each(&receipts["items"], "/user"), ["carol", "mallory"]);
    assert_eq!(
        (&receipts["read_count"], &receipts["unread_count"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(receipts["counting"], true);
}

#[tokio::test]
async fn who_is_blocked_unpins_nothing() {
    let team = Team::new().await;
    let sent = team.rest.text("alice", "direct", "bob", "x").await;
    let path = format!("/v1/messages/{}/pin", sent["id"].as_str().expect("an id"));
    team.as_user(&team.alice, "PUT", &path, Value::Null)
        .await
        .ok();
    let block = "/v1/users/alice/blacklist/bob";
    team.rest.put(block, Value::Null).await;
    assert_eq!(
        team.code(&team.bob, "DELETE", &path, Value::Null).await,
        "blocked"
    );
    team.as_user(&team.alice, "DELETE", &path, Value::Null)
        .await
        .ok();
}

#[tokio::test]
async fn what_burns_needs_a_reader() {
    let team = Team::new().await;
    let note = json!({
        "to": {"kind": "direct", "id": "alice"},
        "content": {"type": "text", "text": "x"},
        "burn_after_ms": 5000,
    });
    let code = team.code(&team.alice, "POST", "/v1/messages", note).await;
    assert_eq!(code, "wrong_state");
}

#[tokio::test]
async fn an_edit_does_not_reach_who_may_not_read_the_message() {
    let team = Team::new().await;
    team.rest.put(TEAM, json!({"history": "since_join"})).await;
    let path = team.say("bob", "1").await;
    let dave = team.rest.user("dave").await;
    let join = json!({"members": ["dave"]});
    team.rest.post(&format!("{TEAM}/members"), join).await;
    team.as_user(&team.bob, "PATCH", &path, text("2"))
        .await
        .ok();
    assert_eq!(
        team.code(&dave, "GET", &path, Value::Null).await,
        "no_such_message"
    );
    let changes = team.as_user(&dave, "GET", CHANGES, Value::Null).await.ok();
    assert_eq!(changes["items"], json!([]));
    let carol = team
        .as_user(&team.carol, "GET", CHANGES, Value::Null)
        .await
        .ok();
    assert_eq!(carol["items"][0]["edit"]["content"]["text"], "2");
}
