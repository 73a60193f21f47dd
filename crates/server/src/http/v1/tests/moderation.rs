//! Word lists, reviews, bans, reports and the audit log.

use crosstalk_core::im::{Credential, OpenSession};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::send::words::Words;
use crosstalk_core::session::{Delivery, Ending, Offline, Session};

use super::*;

const WORDS: &str = "/v1/moderation/words";
const REVIEWS: &str = "/v1/moderation/reviews";

/// Opens a session on a device.
pub(super) async fn session(
    rest: &Rest,
    uid: &str,
    token: &str,
    device: &str,
) -> Result<Arc<Session>, Refusal> {
    let request = OpenSession {
        credential: Credential::Token {
            realm: Realm::default(),
            uid: Uid::parse(uid).expect("a uid"),
            token: token.to_owned(),
            dialect: "test",
        },
        origin: crosstalk_core::message::Origin(1),
        device_id: device.into(),
        device_flag: 1,
        delivery: Delivery::plain(Offline::Sync, true),
        sync_own: true,
        max_sessions: 0,
        peer: [127, 0, 0, 1].into(),
    };
    rest.im.open_session(request).await
}

async fn say(rest: &Rest, token: &str, to: &str, text: &str) -> Answer {
    let message = json!({
        "to": {"kind": "direct", "id": to},
        "content": {"type": "text", "text": text},
    });
    rest.call(token, "POST", "/v1/messages", message).await
}

async fn texts(rest: &Rest, viewer: &str, peer: &str) -> Vec<String> {
    let path = format!("/v1/channels/direct/{peer}/messages?user={viewer}");
    let page = rest.get(&path).await;
    each(&page["items"], "/content/text")
}

#[tokio::test]
async fn words_hold_at_once_and_only_in_their_realm() {
    let rest = Rest::start().await;
    let (alice, _bob) = (rest.user("alice").await, rest.user("bob").await);
    say(&rest, &alice, "bob", "some spam").await.ok();
    let added = json!({"words": ["Spam", "casino"]});
    assert_eq!(rest.post(WORDS, added).await["changed"], 2);
    let masked = json!({"words": ["damn"], "action": "mask"});
    rest.post(WORDS, masked).await;
    let refused = say(&rest, &alice, "bob", "more SPAM").await;
    assert_eq!(refused.problem(), (403, "sensitive_word".into()));
    say(&rest, &alice, "bob", "damn it").await.ok();
    assert_eq!(texts(&rest, "bob", "alice").await, ["some spam", "**** it"]);
    let listed = rest.get(&format!("{WORDS}?action=mask")).await;
    assert_eq!(each(&listed["items"], "/word"), ["damn"]);
    let first = rest.get(&format!("{WORDS}?limit=1")).await;
    let cursor = first["next_cursor"].as_str().expect("more");
    let rest_of = rest.get(&format!("{WORDS}?cursor={cursor}")).await;
    assert_eq!(each(&rest_of["items"], "/word"), ["casino", "damn"]);
    let gone = rest.app("DELETE", WORDS, json!({"words": ["SPAM"]})).await;
    assert_eq!(gone.ok()["changed"], 1);
    say(&rest, &alice, "bob", "spam again").await.ok();
    for (body, field) in [
        (json!({"words": []}), "words"),
        (json!({"words": [" "]}), "words[0]"),
        (json!({"words": ["x".repeat(101)]}), "words[0]"),
        (json!({"words": ["x"], "action": "burn"}), "action"),
        (json!({"words": vec!["x"; 1001]}), "words"),
    ] {
        let detail = rest.app("POST", WORDS, body).await;
        let detail = detail.detail("invalid_argument");
        assert!(detail.starts_with(&format!("{field}:")), "{detail}");
    }
}

#[tokio::test]
async fn names_are_looked_at_too() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    rest.post(WORDS, json!({"words": ["spam"]})).await;
    rest.post(WORDS, json!({"words": ["damn"], "action": "mask"}))
        .await;
    let named = rest.call(&alice, "PUT", "/v1/users/me", json!({"name": "Mr Spam"}));
    assert_eq!(named.await.problem(), (403, "sensitive_word".into()));
    let named = rest.call(&alice, "PUT", "/v1/users/me", json!({"name": "ｄａｍｎ"}));
    assert_eq!(named.await.ok()["name"], "****");
    // And what is said beside a request, and of oneself.
    rest.user("bob").await;
    let request = json!({"to": "bob", "message": "sp\u{200b}am"});
    let requests = "/v1/users/me/friend-requests";
    let presence = "/v1/users/me/presence";
    for (method, path, said) in [
        ("POST", requests, request),
        ("PUT", presence, json!({"status": "SPAM"})),
    ] {
        let refused = rest.call(&alice, method, path, said).await;
        assert_eq!(refused.problem(), (403, "sensitive_word".into()), "{path}");
    }
}

#[tokio::test]
async fn what_is_edited_is_looked_at_again() {
    let rest = Rest::with_policy(Policy {
        edit_window_ms: 5000,
        ..Policy::default()
    })
    .await;
    let (alice, _bob) = (rest.user("alice").await, rest.user("bob").await);
    rest.post(WORDS, json!({"words": ["odd"], "action": "review"}))
        .await;
    let sent = say(&rest, &alice, "bob", "fine").await.ok();
    let path = format!("/v1/messages/{}", sent["id"].as_str().expect("an id"));
    for text in ["odd now", "odder"] {
        assert_eq!(rest.get(REVIEWS).await["items"], json!([]));
        let edit = json!({"content": {"type": "text", "text": text}});
        rest.call(&alice, "PATCH", &path, edit).await.ok();
        let queue = rest.get(REVIEWS).await;
        assert_eq!(each(&queue["items"], "/content/text"), [text]);
        let id = queue["items"][0]["id"].as_str().expect("an id");
        rest.post(&format!("{REVIEWS}/{id}/approve"), json!({}))
            .await;
    }
    // What is refused is nothing to look at: what was decided stays decided.
    rest.clock.advance_ms(5001);
    let edit = json!({"content": {"type": "text", "text": "odd still"}});
    let refused = rest.call(&alice, "PATCH", &path, edit).await;
    assert_eq!(refused.problem().1, "too_late");
    assert_eq!(rest.get(REVIEWS).await["items"], json!([]));
}

#[tokio::test]
async fn what_was_delivered_is_looked_at_afterwards() {
    let rest = Rest::start().await;
    let (alice, _bob) = (rest.user("alice").await, rest.user("bob").await);
    rest.post(WORDS, json!({"words": ["odd"], "action": "review"}))
        .await;
    let sent = say(&rest, &alice, "bob", "how odd").await.ok();
    say(&rest, &alice, "bob", "fine").await.ok();
    say(&rest, &alice, "bob", "odd again").await.ok();
    let queue = rest.get(REVIEWS).await;
    assert_eq!(
        each(&queue["items"], "/content/text"),
        ["how odd", "odd again"]
    );
    let first = &queue["items"][0];
    assert_eq!(
        (&first["held"], &first["message"]),
        (&json!(false), &sent["id"])
    );
    assert_eq!(first["to"], json!({"kind": "direct", "id": "bob"}));
    let at = |item: &Value, what: &str| {
        format!("{REVIEWS}/{}/{what}", item["id"].as_str().expect("an id"))
    };
    let rejected = rest.post(&at(first, "reject"), json!({"note": "no"})).await;
    assert_eq!(rejected["state"], "rejected");
    assert_eq!(rejected["content"]["text"], "how odd", "that stays known");
    rest.post(&at(&queue["items"][1], "approve"), json!({}))
        .await;
    let again = rest.app("POST", &at(first, "approve"), json!({})).await;
    assert_eq!(again.problem(), (409, "wrong_state".into()));
    assert_eq!(rest.get(REVIEWS).await["items"], json!([]));
    let left = texts(&rest, "bob", "alice").await;
    assert!(!left.contains(&"how odd".to_owned()), "{left:?}");
    assert!(left.contains(&"odd again".to_owned()), "{left:?}");
}

#[tokio::test]
async fn what_is_held_is_sent_once_it_is_approved() {
    let words = Words::default().reviewing(&["odd".to_owned()], true);
    let policy = Policy {
        words: Arc::new(words.expect("lists")),
        ..Policy::default()
    };
    let rest = Rest::with_policy(policy).await;
    let (alice, _bob) = (rest.user("alice").await, rest.user("bob").await);
    for text in ["odd one", "odd two"] {
        let held = say(&rest, &alice, "bob", text).await;
        assert_eq!(held.problem(), (403, "held_for_review".into()));
    }
    assert!(texts(&rest, "bob", "alice").await.is_empty());
    let queue = rest.get(REVIEWS).await;
    assert_eq!(
        each(&queue["items"], "/content/text"),
        ["odd one", "odd two"]
    );
    assert_eq!(queue["items"][0]["held"], true);
    let at = |n: usize, what: &str| {
        let id = queue["items"][n]["id"].as_str().expect("an id");
        format!("{REVIEWS}/{id}/{what}")
    };
    let approved = rest.post(&at(0, "approve"), json!({})).await;
    assert!(approved["message"].is_string(), "{approved}");
    rest.post(&at(1, "reject"), json!({})).await;
    assert_eq!(texts(&rest, "bob", "alice").await, ["odd one"]);
    // Who may not write at all is told that, and nothing is held.
    rest.put("/v1/users/alice", json!({"send_ban": true})).await;
    let refused = say(&rest, &alice, "bob", "odd three").await;
    assert_eq!(refused.problem(), (403, "send_banned".into()));
    assert_eq!(rest.get(REVIEWS).await["items"], json!([]));
}

#[tokio::test]
async fn who_is_banned_is_thrown_out_until_the_ban_ends() {
    let rest = Rest::start().await;
    let token = rest.user("alice").await;
    let live = session(&rest, "alice", &token, "d")
        .await
        .expect("a session");
    let until = im::START_MS + 10_000;
    let ban = json!({"user": "alice", "reason": "spam", "until_at": until});
    let ban = rest.post("/v1/bans", ban).await;
    assert_eq!(ban["reason"], "spam");
    assert_eq!(live.mailbox.drain(false).ending, Some(Ending::Kicked));
    rest.im.close_session(&live).await;
    let refused = session(&rest, "alice", &token, "d").await;
    assert_eq!(refused.err(), Some(Refusal::UserBanned));
    rest.im.lift_due_bans().await.expect("nothing is due");
    assert_eq!(rest.get("/v1/users/alice").await["ban"], true);
    rest.clock.advance_ms(10_000);
    rest.im.lift_due_bans().await.expect("lifted");
    assert_eq!(rest.get("/v1/users/alice").await["ban"], false);
    assert_eq!(rest.get("/v1/bans").await["items"], json!([]));
    session(&rest, "alice", &token, "d")
        .await
        .expect("a session");
    let missing = rest
        .app("POST", "/v1/bans", json!({"user": "nobody"}))
        .await;
    assert_eq!(missing.problem(), (404, "no_such_user".into()));
    let over = json!({"user": "alice", "until_at": 5});
    let over = rest.app("POST", "/v1/bans", over).await;
    assert!(over.detail("invalid_argument").starts_with("until_at:"));
}

#[tokio::test]
async fn a_banned_device_is_refused_whoever_uses_it() {
    let rest = Rest::start().await;
    let (alice, bob) = (rest.user("alice").await, rest.user("bob").await);
    let bad = session(&rest, "alice", &alice, "bad")
        .await
        .expect("a session");
    let good = session(&rest, "alice", &alice, "good")
        .await
        .expect("a session");
    let ban = rest.post("/v1/bans", json!({"device": "bad"})).await;
    assert_eq!(bad.mailbox.drain(false).ending, Some(Ending::Kicked));
    assert_eq!(good.mailbox.drain(false).ending, None);
    let refused = session(&rest, "bob", &bob, "bad").await;
    assert_eq!(refused.err(), Some(Refusal::DeviceBanned));
    let path = format!("/v1/bans/{}", ban["id"].as_str().expect("an id"));
    rest.app("DELETE", &path, Value::Null).await.ok();
    let gone = rest.app("DELETE", &path, Value::Null).await;
    assert_eq!(gone.problem(), (404, "not_found".into()));
    session(&rest, "bob", &bob, "bad").await.expect("a session");
}

#[tokio::test]
async fn reports_are_filed_and_resolved() {
    let rest = Rest::start().await;
    let (alice, bob) = (rest.user("alice").await, rest.user("bob").await);
    let eve = rest.user("eve").await;
    let sent = say(&rest, &bob, "alice", "you fool").await.ok();
    let report = json!({"message": sent["id"], "reason": "abuse", "text": "see"});
    let stranger = rest.call(&eve, "POST", "/v1/reports", report.clone()).await;
    assert_eq!(stranger.problem(), (404, "no_such_message".into()));
    let filed = rest
        .call(&alice, "POST", "/v1/reports", report.clone())
        .await;
    assert_eq!((filed.status, &filed.body["state"]), (201, &json!("open")));
    let user = json!({"user": "bob", "reason": "abuse"});
    let user = rest.call(&alice, "POST", "/v1/reports", user).await.ok();
    for body in [
        json!({"reason": "x"}),
        json!({"user": "bob", "message": "1", "reason": "x"}),
        json!({"user": "bob", "reason": " "}),
    ] {
        let wrong = rest.call(&alice, "POST", "/v1/reports", body).await;
        assert_eq!(wrong.problem().0, 422);
    }
    let open = rest.get("/v1/reports").await;
    assert_eq!(each(&open["items"], "/kind"), ["message", "user"]);
    let at = |report: &Value| {
        let id = report["id"].as_str().expect("an id");
        format!("/v1/reports/{id}/resolve")
    };
    let path = at(&filed.body);
    let deleted = rest.post(&path, json!({"action": "delete_message"})).await;
    assert_eq!(deleted["action"], "delete_message");
    let again = rest.app("POST", &path, json!({"action": "none"})).await;
    assert_eq!(again.problem(), (409, "wrong_state".into()));
    assert!(
        !texts(&rest, "alice", "bob")
            .await
            .contains(&"you fool".to_owned())
    );
    let cannot = rest
        .app("POST", &at(&user), json!({"action": "delete_message"}))
        .await;
    assert_eq!(cannot.problem().0, 422);
    let warned = json!({"action": "warn", "note": "be nice"});
    rest.post(&at(&user), warned).await;
    assert_eq!(texts(&rest, "bob", "____system").await, ["be nice"]);
    // As many as there may be in a day.
    for _ in 0..18 {
        let body = json!({"user": "bob", "reason": "x"});
        rest.call(&alice, "POST", "/v1/reports", body).await.ok();
    }
    let many = json!({"user": "bob", "reason": "x"});
    let many = rest.call(&alice, "POST", "/v1/reports", many).await;
    assert_eq!(many.problem(), (429, "rate_limited".into()));
}

#[tokio::test]
async fn acts_of_the_backend_are_written_down_and_users_are_not() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    rest.user("bob").await;
    rest.post("/v1/bans", json!({"user": "bob", "reason": "spam"}))
        .await;
    rest.call(ADMIN, "POST", "/v1/apps", json!({"app_id": "new"}))
        .await
        .ok();
    rest.call(&alice, "PUT", "/v1/users/me", json!({"name": "A"}))
        .await
        .ok();
    rest.text("alice", "direct", "alice", "x").await;
    let refused = rest
        .app("POST", "/v1/bans", json!({"user": "nobody"}))
        .await;
    assert_eq!(refused.status, 404);
    let all = rest.call(ADMIN, "GET", "/v1/audit", Value::Null).await.ok();
    let actions = each(&all["items"], "/action");
    assert_eq!(
        actions,
        [
            "POST /v1/bans",
            "POST /v1/apps",
            "POST /v1/bans",
            "POST /v1/users/{uid}/tokens",
            "POST /v1/users/{uid}/tokens",
        ]
    );
    assert_eq!(each(&all["items"], "/outcome")[..3], ["404", "201", "201"]);
    assert_eq!(all["items"][2]["note"], "spam");
    assert_eq!(all["items"][3]["target"], "/v1/users/bob/tokens");
    assert!(!all.to_string().contains(&*rest.app.secret), "no secrets");
    let own = rest.get("/v1/audit?actor=app:default&limit=1").await;
    assert_eq!(own["items"][0]["outcome"], 404);
    let cursor = own["next_cursor"].as_str().expect("more");
    let path = format!("/v1/audit?actor=app:default&cursor={cursor}");
    assert_eq!(
        rest.get(&path).await["items"].as_array().map(Vec::len),
        Some(3)
    );
    let since = im::START_MS + 1;
    let none = rest.get(&format!("/v1/audit?since={since}")).await;
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn none_of_it_is_for_users() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    let none = Value::Null;
    let cases = [
        ("GET", WORDS, none.clone()),
        ("POST", WORDS, json!({"words": ["x"]})),
        ("DELETE", WORDS, json!({"words": ["x"]})),
        ("GET", REVIEWS, none.clone()),
        ("GET", "/v1/moderation/reviews/1", none.clone()),
        ("POST", "/v1/moderation/reviews/1/approve", none.clone()),
        ("POST", "/v1/moderation/reviews/1/reject", none.clone()),
        ("GET", "/v1/bans", none.clone()),
        ("POST", "/v1/bans", json!({"user": "alice"})),
        ("DELETE", "/v1/bans/1", none.clone()),
        ("GET", "/v1/reports", none.clone()),
        ("GET", "/v1/reports/1", none.clone()),
        ("POST", "/v1/reports/1/resolve", json!({"action": "none"})),
        ("GET", "/v1/audit", none.clone()),
        ("GET", "/v1/users", none.clone()),
        ("POST", "/v1/users/import", json!({"users": [{"uid": "x"}]})),
        ("GET", "/v1/users/alice/tags", none.clone()),
        ("PUT", "/v1/users/alice/tags", json!({"tags": []})),
        ("POST", "/v1/users/alice/disable", none.clone()),
        ("POST", "/v1/users/alice/enable", none.clone()),
        ("DELETE", "/v1/users/alice", none.clone()),
        ("GET", "/v1/users/alice/erasure", none.clone()),
        ("POST", "/v1/users/alice/export", none.clone()),
        ("GET", "/v1/users/alice/exports/1", none.clone()),
        ("GET", "/v1/users/alice/exports/1/download", none.clone()),
        ("GET", "/v1/broadcasts", none.clone()),
        (
            "POST",
            "/v1/broadcasts",
            json!({"to": "all", "content": {"type": "x"}}),
        ),
        ("GET", "/v1/broadcasts/1", none.clone()),
        ("DELETE", "/v1/broadcasts/1", none.clone()),
        ("GET", "/v1/stats", none.clone()),
        ("GET", "/v1/sessions", none.clone()),
        ("DELETE", "/v1/users/alice/sessions", none.clone()),
        ("DELETE", "/v1/users/alice/sessions/1", none.clone()),
        ("PATCH", "/v1/apps/default", json!({"disabled": true})),
        ("PATCH", "/v1/apps/default/limits", json!({"send_rate": 1})),
        ("POST", "/v1/apps/default/rotate", none.clone()),
    ];
    for (method, path, body) in cases {
        let refused = rest.call(&alice, method, path, body.clone()).await;
        assert_eq!(
            refused.problem(),
            (403, "forbidden".into()),
            "{method} {path}"
        );
        let nobody = rest.call("nobody", method, path, body).await;
        assert_eq!(nobody.problem().0, 401, "{method} {path}");
    }
    let app = rest.app(
        "POST",
        "/v1/reports",
        json!({"user": "alice", "reason": "x"}),
    );
    assert_eq!(app.await.problem().0, 403, "reports are for users");
    for path in ["/v1/apps/default", "/v1/apps/default/limits"] {
        let app = rest.app("PATCH", path, json!({"send_rate": 1})).await;
        assert_eq!(app.problem().0, 403, "{path} is for the admin key");
    }
}
