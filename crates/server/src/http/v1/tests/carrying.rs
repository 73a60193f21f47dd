//! What a send can carry: mentions, replies, ends; batches, forwards, and what is sent later.

use crosstalk_core::channel::{ChannelChange, ChannelKey, ChannelKind, Circle};
use crosstalk_core::im::{Credential, LoginRequest, LoginScope, OpenSession};
use crosstalk_core::message::Origin;
use crosstalk_core::session::{Delivery, Event, Offline, Session};

use super::*;
use crate::compose::sweeps::sweep;

const TEAM: &str = "/v1/channels/group/team";
const HISTORY: &str = "/v1/channels/group/team/messages";
const LATER: &str = "/v1/scheduled-messages";

/// Alice, who owns the group `team`, bob and carol, who are its members, and mallory.
async fn with_team() -> Rest {
    let rest = Rest::start().await;
    for uid in ["alice", "bob", "carol", "mallory"] {
        rest.user(uid).await;
    }
    rest.put(TEAM, json!({"owner": "alice", "members": ["bob", "carol"]}))
        .await;
    rest
}

fn message(from: &str, kind: &str, id: &str, text: &str, more: &Value) -> Value {
    let mut message = json!({
        "from": from,
        "to": {"kind": kind, "id": id},
        "content": {"type": "text", "text": text},
    });
    for (name, value) in more.as_object().expect("members") {
        message[name] = value.clone();
    }
    message
}

async fn send(rest: &Rest, message: Value) -> String {
    let sent = rest.post("/v1/messages", message).await;
    sent["id"].as_str().expect("an id").to_owned()
}

async fn shown(rest: &Rest, id: &str) -> Value {
    rest.get(&format!("/v1/messages/{id}")).await
}

fn team() -> ChannelKey {
    ChannelKey {
        realm: Realm::default(),
        kind: ChannelKind::GROUP,
        id: "team".into(),
    }
}

async fn conversation(rest: &Rest, uid: &str) -> Value {
    let list = rest.get(&format!("/v1/users/{uid}/conversations")).await;
    list["items"][0].clone()
}

#[tokio::test]
async fn members_are_mentioned_and_reminded_until_they_read_or_are_done() {
    let rest = with_team().await;
    let named = json!({"mentions": {"users": ["bob", "mallory", "nobody"]}});
    let first = send(&rest, message("alice", "group", "team", "@bob", &named)).await;
    let view = shown(&rest, &first).await;
    assert_eq!(view["mentions"], json!({"users": ["bob"], "all": false}));
    assert!(
        !rest.is_known("nobody").await,
        "names get no number by this"
    );
    let all = json!({"mentions": {"all": true}});
    let second = send(&rest, message("alice", "group", "team", "@all", &all)).await;
    let counts = async |uid: &str| {
        let row = conversation(&rest, uid).await;
        (row["mentions"].clone(), row["first_mention_seq"].clone())
    };
    assert_eq!(counts("bob").await, (json!(2), json!(1)));
    assert_eq!(counts("carol").await, (json!(1), json!(2)));
    assert_eq!(counts("alice").await, (json!(0), Value::Null));
    let bob = rest.user("bob").await;
    let mine = rest
        .call(&bob, "GET", "/v1/users/me/reminders", Value::Null)
        .await
        .ok();
    assert_eq!(
        each(&mine["items"], "/message/id"),
        [&second, &first].map(String::as_str)
    );
    assert_eq!(each(&mine["items"], "/all"), ["true", "false"]);
    let of_others = rest
        .call(&bob, "GET", "/v1/users/carol/reminders", Value::Null)
        .await;
    assert_eq!(of_others.problem().0, 403);
    let done = rest
        .call(
            &bob,
            "POST",
            "/v1/users/me/reminders/done",
            json!({"ids": [second, second]}),
        )
        .await
        .ok();
    assert_eq!(done, json!({"done": 1}));
    assert_eq!(counts("bob").await, (json!(1), json!(1)));
    let page = rest.get("/v1/users/bob/reminders?state=all&limit=1").await;
    assert_eq!(each(&page["items"], "/done"), ["true"]);
    let cursor = page["next_cursor"].as_str().expect("more");
    let next = rest
        .get(&format!(
            "/v1/users/bob/reminders?state=all&limit=1&cursor={cursor}"
        ))
        .await;
    assert_eq!(each(&next["items"], "/message/id"), [first.as_str()]);
    rest.post("/v1/users/bob/conversations/group/team/read", json!({}))
        .await;
    assert_eq!(counts("bob").await, (json!(0), Value::Null));
    assert_eq!(
        rest.get("/v1/users/bob/reminders").await["items"],
        json!([])
    );
    let by_channel = json!({"channel": {"kind": "group", "id": "team"}});
    let done = rest
        .post("/v1/users/carol/reminders/done", by_channel)
        .await;
    assert_eq!(done, json!({"done": 1}));
    for body in [
        json!({}),
        json!({"ids": ["x"]}),
        json!({"ids": ["1"], "channel": {"kind": 2, "id": "team"}}),
    ] {
        let wrong = rest.app("POST", "/v1/users/bob/reminders/done", body).await;
        assert_eq!(wrong.problem().0, 422);
    }
}

#[tokio::test]
async fn who_may_mention_all_is_a_setting() {
    let rest = with_team().await;
    let change = ChannelChange {
        mention_all_by: Some(Circle::Administrators),
        ..ChannelChange::default()
    };
    rest.im.put_channel(&team(), change).await.expect("set");
    let all = json!({"mentions": {"all": true}});
    let from = async |uid: &str| {
        let message = message(uid, "group", "team", "@all", &all);
        rest.app("POST", "/v1/messages", message).await
    };
    assert!(
        from("bob")
            .await
            .detail("forbidden")
            .starts_with("mentions.all")
    );
    from("alice").await.ok();
    from("____system").await.ok();
    // The same said in the content is the same.
    let mut said = message("bob", "group", "team", "@all", &json!({}));
    said["content"]["mention_all"] = true.into();
    assert_eq!(
        rest.app("POST", "/v1/messages", said).await.problem().1,
        "forbidden"
    );
    let many: Vec<String> = (0..101).map(|n| format!("u{n}")).collect();
    let many = message(
        "bob",
        "group",
        "team",
        "x",
        &json!({"mentions": {"users": many}}),
    );
    let wrong = rest.app("POST", "/v1/messages", many).await;
    assert!(
        wrong
            .detail("invalid_argument")
            .starts_with("mentions.users")
    );
}

#[tokio::test]
async fn a_reply_shows_what_it_answers_until_that_is_gone() {
    let rest = with_team().await;
    let first = send(
        &rest,
        message("alice", "group", "team", "the question", &json!({})),
    )
    .await;
    let reply = message(
        "bob",
        "group",
        "team",
        "the answer",
        &json!({"reply_to": first}),
    );
    let reply = send(&rest, reply).await;
    let quote = json!({"id": first, "seq": 1, "from": "alice", "content": "the question"});
    assert_eq!(shown(&rest, &reply).await["reply_to"], quote);
    let page = rest.get(HISTORY).await;
    assert_eq!(page["items"][1]["reply_to"], quote);
    // What the sender may not read cannot be answered.
    let secret = send(&rest, message("alice", "direct", "carol", "x", &json!({}))).await;
    for id in [secret.as_str(), "99"] {
        let wrong = message("bob", "group", "team", "x", &json!({"reply_to": id}));
        let wrong = rest.app("POST", "/v1/messages", wrong).await;
        assert!(
            wrong.detail("no_such_message").starts_with("reply_to"),
            "{id}"
        );
    }
    rest.post(&format!("/v1/messages/{first}/revoke"), json!({}))
        .await;
    let gone = json!({"id": first, "seq": null, "from": null, "content": null});
    assert_eq!(shown(&rest, &reply).await["reply_to"], gone);
    let late = message("bob", "group", "team", "x", &json!({"reply_to": first}));
    let late = rest.app("POST", "/v1/messages", late).await;
    assert_eq!(late.problem().1, "no_such_message");
}

#[tokio::test]
async fn a_message_ends_when_its_time_is_over() {
    let rest = with_team().await;
    let ends = json!({"expires_in_ms": 1500});
    let id = send(&rest, message("alice", "group", "team", "soon gone", &ends)).await;
    let view = shown(&rest, &id).await;
    assert_eq!(view["expires_at"], im::START_MS + 2000, "full seconds");
    assert_eq!(conversation(&rest, "bob").await["unread"], 1);
    sweep(&rest.im).await.expect("swept");
    assert_eq!(shown(&rest, &id).await["content"]["text"], "soon gone");
    rest.clock.advance_ms(2000);
    // Not shown even before anybody has swept.
    let over = shown(&rest, &id).await;
    assert_eq!(
        (&over["state"], &over["content"]),
        (&json!("expired"), &Value::Null)
    );
    sweep(&rest.im).await.expect("swept");
    assert_eq!(conversation(&rest, "bob").await["unread"], 0);
    assert_eq!(shown(&rest, &id).await["state"], "expired");
    for ms in [999, 31_536_000_001_u64] {
        let wrong = message("alice", "group", "team", "x", &json!({"expires_in_ms": ms}));
        let wrong = rest.app("POST", "/v1/messages", wrong).await;
        assert!(
            wrong
                .detail("invalid_argument")
                .starts_with("expires_in_ms")
        );
    }
}

#[tokio::test]
async fn a_direct_message_burns_after_it_was_read() {
    let rest = with_team().await;
    let burns = json!({"burn_after_ms": 5000});
    let id = send(&rest, message("alice", "direct", "bob", "secret", &burns)).await;
    rest.clock.advance_ms(3_600_000);
    let view = shown(&rest, &id).await;
    assert_eq!(
        (&view["burn_after_ms"], &view["expires_at"]),
        (&json!(5000), &Value::Null)
    );
    rest.post("/v1/users/alice/conversations/direct/bob/read", json!({}))
        .await;
    rest.clock.advance_ms(5000);
    assert_eq!(
        shown(&rest, &id).await["state"],
        "sent",
        "its author has read it"
    );
    rest.post("/v1/users/bob/conversations/direct/alice/read", json!({}))
        .await;
    rest.clock.advance_ms(4999);
    assert_eq!(shown(&rest, &id).await["content"]["text"], "secret");
    rest.clock.advance_ms(1001);
    sweep(&rest.im).await.expect("swept");
    let over = shown(&rest, &id).await;
    assert_eq!(
        (&over["state"], &over["content"]),
        (&json!("expired"), &Value::Null)
    );
    let group = message("alice", "group", "team", "x", &burns);
    let refused = rest.app("POST", "/v1/messages", group).await;
    assert!(refused.detail("wrong_state").starts_with("burn_after_ms"));
}

#[tokio::test]
async fn a_batch_says_what_became_of_each() {
    let rest = with_team().await;
    let mut batch = message(
        "bob",
        "group",
        "team",
        "to all of you",
        &json!({"client_no": "b-1"}),
    );
    batch["to"] = json!([
        {"kind": "group", "id": "team"},
        {"kind": "direct", "id": "carol"},
        {"kind": "direct", "id": "nobody"},
        {"kind": "group", "id": "elsewhere"},
    ]);
    let outcomes = rest.post("/v1/messages/batch", batch.clone()).await;
    let codes = ["null", "null", "no_such_user", "not_a_member"];
    assert_eq!(each(&outcomes["items"], "/error/code").len(), 4);
    assert_eq!(each(&outcomes["items"], "/error/code"), codes);
    assert_eq!(outcomes["items"][0]["seq"], 1);
    assert_eq!(
        outcomes["items"][1]["to"],
        json!({"kind": "direct", "id": "carol"})
    );
    let again = rest.post("/v1/messages/batch", batch.clone()).await;
    assert_eq!(
        again["items"][1]["id"], outcomes["items"][1]["id"],
        "a retry"
    );
    for to in [
        json!([]),
        json!(vec![json!({"kind": 2, "id": "team"}); 101]),
    ] {
        batch["to"] = to;
        let wrong = rest.app("POST", "/v1/messages/batch", batch.clone()).await;
        assert!(wrong.detail("invalid_argument").starts_with("to"));
    }
    let mallory = rest.user("mallory").await;
    batch["to"] = json!([{"kind": "group", "id": "team"}]);
    let forged = rest
        .call(&mallory, "POST", "/v1/messages/batch", batch.clone())
        .await;
    assert_eq!(forged.problem().0, 403);
    batch["from"] = Value::Null;
    let own = rest
        .call(&mallory, "POST", "/v1/messages/batch", batch)
        .await
        .ok();
    assert_eq!(each(&own["items"], "/error/code"), ["not_a_member"]);
}

#[tokio::test]
async fn what_one_may_read_is_forwarded_each_or_together() {
    let rest = with_team().await;
    rest.put("/v1/users/alice", json!({"name": "Alice"})).await;
    let one = send(&rest, message("alice", "group", "team", "one", &json!({}))).await;
    let two = send(&rest, message("bob", "group", "team", "two", &json!({}))).await;
    let secret = send(&rest, message("alice", "direct", "carol", "x", &json!({}))).await;
    let forward = |ids: &[&String], mode: &str| {
        json!({
            "from": "bob", "ids": ids, "mode": mode, "title": "what they said",
            "to": [{"kind": "direct", "id": "mallory"}, {"kind": "group", "id": "elsewhere"}],
        })
    };
    let ask = async |body: Value| rest.app("POST", "/v1/messages/forward", body).await;
    let sent = ask(forward(&[&one, &two], "each")).await.ok();
    assert_eq!(
        each(&sent["items"], "/source"),
        [&one, &two, &one, &two].map(String::as_str)
    );
    let codes = ["null", "null", "not_a_member", "not_a_member"];
    assert_eq!(each(&sent["items"], "/error/code"), codes);
    let copy = shown(&rest, sent["items"][0]["id"].as_str().expect("an id")).await;
    assert_eq!(
        (&copy["from"], &copy["content"]["text"]),
        (&json!("bob"), &json!("one"))
    );
    let sent = ask(forward(&[&one, &two], "merged")).await.ok();
    let mut merged = sent["items"][0]["id"].as_str().expect("an id").to_owned();
    let content = shown(&rest, &merged).await["content"].clone();
    assert_eq!(
        (&content["type"], &content["title"]),
        (&json!("merged"), &json!("what they said"))
    );
    let item = json!({
        "from": "alice", "name": "Alice", "sent_at": im::START_MS,
        "content": {"type": "text", "text": "one"},
    });
    assert_eq!(content["items"][0], item);
    assert_eq!(each(&content["items"], "/content/text"), ["one", "two"]);
    for _ in 0..2 {
        let sent = ask(forward(&[&merged], "merged")).await.ok();
        merged = sent["items"][0]["id"].as_str().expect("an id").to_owned();
    }
    let all = json!({"mentions": {"users": ["carol"], "all": true}});
    let loud = send(&rest, message("alice", "group", "team", "@all", &all)).await;
    let sent = ask(forward(&[&loud], "each")).await.ok();
    let copy = shown(&rest, sent["items"][0]["id"].as_str().expect("an id")).await;
    assert_eq!(copy["mentions"], Value::Null, "mentions do not go with it");
    let deep = ask(forward(&[&merged], "merged")).await;
    assert_eq!(deep.problem().1, "wrong_state", "three deep is enough");
    let unseen = ask(forward(&[&one, &secret], "each")).await;
    assert!(unseen.detail("no_such_message").starts_with("ids[1]"));
    rest.post(&format!("/v1/messages/{one}/revoke"), json!({}))
        .await;
    assert_eq!(
        ask(forward(&[&one], "each")).await.problem().1,
        "no_such_message"
    );
    assert_eq!(ask(forward(&[], "each")).await.problem().0, 422);
}

#[tokio::test]
async fn what_does_not_last_is_not_copied() {
    let rest = with_team().await;
    let burning = json!({"burn_after_ms": 5000});
    let ending = json!({"expires_in_ms": 60_000});
    let burning = send(&rest, message("alice", "direct", "bob", "x", &burning)).await;
    let ending = send(&rest, message("alice", "group", "team", "y", &ending)).await;
    let lasting = send(&rest, message("alice", "group", "team", "z", &json!({}))).await;
    for mode in ["each", "merged"] {
        let ask = async |id: &str| {
            let body = json!({
                "from": "bob", "ids": [lasting, id], "mode": mode,
                "to": [{"kind": "direct", "id": "mallory"}],
            });
            rest.app("POST", "/v1/messages/forward", body).await
        };
        for id in [&burning, &ending] {
            assert!(ask(id).await.detail("wrong_state").contains(id.as_str()));
        }
        ask(&lasting).await.ok();
    }
}

fn later(from: &str, kind: &str, id: &str, text: &str, at_ms: i64) -> Value {
    message(from, kind, id, text, &json!({"send_at": at_ms}))
}

#[tokio::test]
async fn a_message_is_sent_when_its_time_comes_and_once() {
    let rest = with_team().await;
    let at = im::START_MS + 60_000;
    let bob = rest.user("bob").await;
    let made = rest
        .call(
            &bob,
            "POST",
            LATER,
            later("me", "group", "team", "later", at),
        )
        .await
        .ok();
    let path = format!("{LATER}/{}", made["id"].as_str().expect("an id"));
    assert_eq!(
        (&made["state"], &made["from"]),
        (&json!("open"), &json!("bob"))
    );
    let mallory = rest.user("mallory").await;
    for method in ["GET", "PATCH", "DELETE"] {
        let theirs = rest.call(&mallory, method, &path, Value::Null).await;
        assert_eq!(theirs.problem(), (404, "not_found".to_owned()), "{method}");
    }
    let change = json!({"send_at": at + 1000, "content": {"type": "text", "text": "changed"}});
    let changed = rest.call(&bob, "PATCH", &path, change).await.ok();
    assert_eq!(
        (&changed["send_at"], &changed["content"]["text"]),
        (&json!(at + 1000), &json!("changed"))
    );
    let list = rest.call(&bob, "GET", LATER, Value::Null).await.ok();
    assert_eq!(each(&list["items"], "/content/text"), ["changed"]);
    let none = rest.call(&mallory, "GET", LATER, Value::Null).await.ok();
    assert_eq!(none["items"], json!([]));
    rest.clock.advance_ms(60_999);
    sweep(&rest.im).await.expect("swept");
    assert_eq!(rest.get(HISTORY).await["items"], json!([]));
    rest.clock.advance_ms(1);
    for _ in 0..2 {
        sweep(&rest.im).await.expect("swept");
    }
    let sent = rest.get(HISTORY).await;
    assert_eq!(each(&sent["items"], "/content/text"), ["changed"]);
    let after = rest.call(&bob, "GET", &path, Value::Null).await.ok();
    assert_eq!(
        (&after["state"], &after["content"]),
        (&json!("sent"), &Value::Null)
    );
    assert_eq!(after["message_id"], sent["items"][0]["id"]);
    for (method, body) in [
        ("PATCH", json!({"send_at": at + 90_000})),
        ("DELETE", Value::Null),
    ] {
        let over = rest.call(&bob, method, &path, body).await;
        assert_eq!(over.problem(), (409, "wrong_state".to_owned()), "{method}");
    }
    let done = rest.get(&format!("{LATER}?state=done&from=bob")).await;
    assert_eq!(each(&done["items"], "/state"), ["sent"]);
}

#[tokio::test]
async fn a_scheduled_message_is_checked_when_it_is_sent() {
    let rest = with_team().await;
    let at = im::START_MS + 1000;
    let made = rest
        .post(LATER, later("bob", "group", "team", "x", at))
        .await;
    let kept = rest
        .post(LATER, later("carol", "group", "team", "y", at))
        .await;
    let gone = rest
        .post(LATER, later("carol", "group", "team", "z", at))
        .await;
    let path = |made: &Value| format!("{LATER}/{}", made["id"].as_str().expect("an id"));
    for _ in 0..2 {
        let cancelled = rest.app("DELETE", &path(&gone), Value::Null).await.ok();
        assert_eq!(cancelled["state"], "cancelled");
    }
    let left = rest
        .app("DELETE", "/v1/channels/group/team/members/bob", Value::Null)
        .await;
    left.ok();
    rest.clock.advance_ms(500_000);
    sweep(&rest.im).await.expect("swept");
    let failed = rest.get(&path(&made)).await;
    assert_eq!(
        (&failed["state"], &failed["reason"]),
        (&json!("failed"), &json!("not_a_member"))
    );
    assert_eq!(rest.get(&path(&kept)).await["state"], "sent");
    assert_eq!(
        each(&rest.get(HISTORY).await["items"], "/content/text"),
        ["y"]
    );
    let now = im::START_MS + 500_000;
    for at in [now - 1, now + 366 * 24 * 3_600_000] {
        let wrong = rest
            .app("POST", LATER, later("carol", "group", "team", "x", at))
            .await;
        assert!(wrong.detail("invalid_argument").starts_with("send_at"));
    }
}

/// Whoever may not say it now learns that at once.
#[tokio::test]
async fn what_could_not_be_sent_is_not_scheduled() {
    let rest = with_team().await;
    let at = im::START_MS + 60_000;
    let to = async |from: &str, kind: &str, id: &str| {
        let body = later(from, kind, id, "x", at);
        rest.app("POST", LATER, body).await
    };
    let stranger = to("mallory", "group", "team").await;
    assert_eq!(stranger.problem(), (403, "not_a_member".to_owned()));
    let nobody = to("bob", "direct", "nobody").await;
    assert_eq!(nobody.problem(), (404, "no_such_user".to_owned()));
    let made = to("bob", "group", "team").await.ok();
    let quiet = json!({"send_ban": true});
    let quiet = rest.app("PATCH", "/v1/channels/group/team", quiet);
    quiet.await.ok();
    let mute = to("bob", "group", "team").await;
    assert_eq!(mute.status, 403, "{}", mute.body);
    let path = format!("{LATER}/{}", made["id"].as_str().expect("an id"));
    let change = json!({"content": {"type": "text", "text": "y"}});
    let changed = rest.app("PATCH", &path, change).await;
    assert_eq!(changed.problem().1, mute.problem().1);
    rest.app("DELETE", &path, Value::Null).await.ok();
    let list = rest.get(LATER).await;
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn a_scheduled_message_asks_for_receipts() {
    let rest = with_team().await;
    let at = im::START_MS + 1000;
    let mut body = later("bob", "group", "team", "x", at);
    body["receipt"] = true.into();
    let made = rest.post(LATER, body).await;
    assert_eq!(made["receipt"], true);
    let path = format!("{LATER}/{}", made["id"].as_str().expect("an id"));
    let alone = rest.app("PATCH", &path, json!({"receipt": false})).await;
    assert_eq!(alone.problem().0, 422);
    let change = json!({"content": {"type": "text", "text": "y"}});
    let changed = rest.app("PATCH", &path, change).await.ok();
    assert_eq!(changed["receipt"], true, "as it was");
    rest.clock.advance_ms(1000);
    sweep(&rest.im).await.expect("swept");
    let sent = rest.get(&path).await;
    let id = sent["message_id"].as_str().expect("sent");
    rest.get(&format!("/v1/messages/{id}/receipts")).await;
}

#[tokio::test]
async fn nobody_has_more_than_a_thousand_waiting() {
    let rest = with_team().await;
    let at = im::START_MS + 60_000;
    let scheduled = later("bob", "group", "team", "x", at);
    for _ in 0..1000 {
        rest.post(LATER, scheduled.clone()).await;
    }
    let more = rest.app("POST", LATER, scheduled).await;
    assert_eq!(more.problem(), (409, "too_many".to_owned()));
}

async fn session(rest: &Rest, token: &str) -> Arc<Session> {
    let scope = LoginScope::Token(Realm::default());
    let mut login = LoginRequest::new(scope, "stomp", "/ws/im", [127, 0, 0, 1].into());
    login.credentials = vec![token.to_owned()];
    let request = OpenSession {
        credential: Credential::Login(Box::new(login)),
        origin: Origin(2),
        device_id: "d".into(),
        device_flag: 0,
        delivery: Delivery::plain(Offline::Pull, true),
        sync_own: true,
        max_sessions: 10,
        peer: [127, 0, 0, 1].into(),
    };
    rest.im.open_session(request).await.expect("a session")
}

/// Who is said to be writing, to a session.
fn typists(session: &Session) -> Vec<String> {
    let drained = session.mailbox.drain(false);
    let changes = drained.events.iter().filter_map(|event| match event {
        Event::Message(message) => crosstalk_core::change::Change::of(message),
        _ => None,
    });
    let typists = changes.filter_map(|change| match change {
        crosstalk_core::change::Change::Typing { user, .. } => Some(user),
        _ => None,
    });
    typists.collect()
}

#[tokio::test]
async fn the_others_are_told_who_is_writing() {
    let rest = with_team().await;
    let (alice, bob) = (rest.user("alice").await, rest.user("bob").await);
    let (at_alice, at_bob) = (session(&rest, &alice).await, session(&rest, &bob).await);
    let typing = "/v1/channels/group/team/typing";
    let say = async |token: &str| rest.call(token, "POST", typing, Value::Null).await;
    assert_eq!(say(&bob).await.ok(), json!({"told": true}));
    assert_eq!(say(&bob).await.ok(), json!({"told": false}), "a moment ago");
    assert_eq!(typists(&at_alice), ["bob"]);
    assert_eq!(typists(&at_bob), [""; 0], "who writes knows it");
    rest.clock.advance_ms(2000);
    assert_eq!(say(&bob).await.ok(), json!({"told": true}));
    let mallory = rest.user("mallory").await;
    assert_eq!(
        say(&mallory).await.problem(),
        (403, "not_a_member".to_owned())
    );
    let unnamed = rest.app("POST", typing, json!({})).await;
    assert!(unnamed.detail("invalid_argument").starts_with("user"));
    assert_eq!(
        rest.get(HISTORY).await["items"],
        json!([]),
        "nothing is kept"
    );
}
