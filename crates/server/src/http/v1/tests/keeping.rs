//! How conversations are kept.

use crosstalk_core::change::Change;
use crosstalk_core::channel::LogKind;
use crosstalk_core::id::MessageId;

use super::*;

const ALICE: &str = "/v1/users/bob/conversations/direct/alice";

async fn started() -> (Rest, String) {
    let rest = Rest::start().await;
    for uid in ["alice", "carol"] {
        rest.user(uid).await;
    }
    let bob = rest.user("bob").await;
    rest.text("alice", "direct", "bob", "1").await;
    rest.text("alice", "direct", "bob", "2").await;
    (rest, bob)
}

/// What a user's devices were told of conversations, in order.
async fn told(rest: &Rest, uid: &str, count: usize) -> Vec<Value> {
    let own = format!("{uid}|{uid}");
    let reading = async {
        loop {
            let all = rest.im.scan(MessageId(0), 10_000).await.expect("a scan");
            let own = all.iter().filter(|entry| {
                entry.channel.log == LogKind::Command && *entry.channel.key.id == *own
            });
            let views = own.filter_map(|entry| match Change::of(entry) {
                Some(Change::Conversation { view, .. }) => serde_json::to_value(view).ok(),
                _ => None,
            });
            let views: Vec<_> = views.collect();
            if views.len() >= count {
                return views;
            }
            tokio::task::yield_now().await;
        }
    };
    let told = tokio::time::timeout(std::time::Duration::from_secs(20), reading).await;
    told.expect("in time")
}

#[tokio::test]
async fn a_conversation_is_kept_as_its_user_says_and_their_devices_are_told() {
    let (rest, bob) = started().await;
    let patch = json!({"pinned": true, "muted": true, "marked": true, "draft": "hel"});
    let kept = rest.call(&bob, "PATCH", ALICE, patch.clone()).await.ok();
    assert_eq!(kept["pinned"], true);
    assert!(kept["pinned_at"].as_i64().is_some_and(|at| at > 0));
    assert_eq!(
        (&kept["muted"], &kept["muted_until_at"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(
        (&kept["marked"], &kept["draft"], &kept["hidden"]),
        (&json!(true), &json!("hel"), &json!(false))
    );
    assert_eq!(kept["unread"], 2);
    assert_eq!(rest.get(ALICE).await, kept);
    let again = rest.app("PATCH", ALICE, patch).await.ok();
    assert_eq!(again, kept, "nothing has changed");
    let until = rest.clock_ms() + 1000;
    let muted = json!({"muted_until_at": until});
    let kept = rest.app("PATCH", ALICE, muted).await.ok();
    assert_eq!(
        (&kept["muted"], &kept["muted_until_at"]),
        (&json!(true), &json!(until))
    );
    rest.clock.advance_ms(1000);
    let kept = rest.get(ALICE).await;
    assert_eq!(
        (&kept["muted"], &kept["muted_until_at"]),
        (&json!(false), &Value::Null)
    );
    let told = told(&rest, "bob", 2).await;
    assert_eq!(told.len(), 2, "not of what has not changed");
    assert_eq!(
        (&told[0]["draft"], &told[0]["marked"]),
        (&json!("hel"), &json!(true))
    );
    assert_eq!(told[1]["muted_until_ms"], until);
    let other = rest.get("/v1/users/alice/conversations/direct/bob").await;
    assert_eq!(
        (&other["pinned"], &other["draft"]),
        (&json!(false), &json!(""))
    );
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nobody_reaches_anothers() {
    let (rest, bob) = started().await;
    for (patch, field) in [
        (json!({"draft": "x".repeat(4097)}), "draft"),
        (json!({"muted_until_at": 0}), "muted_until_at"),
        (
            json!({"muted": false, "muted_until_at": 7}),
            "muted_until_at",
        ),
    ] {
        let answer = rest.call(&bob, "PATCH", ALICE, patch).await;
        assert!(answer.detail("invalid_argument").starts_with(field));
    }
    let carol = rest.user("carol").await;
    for (method, path) in [
        ("GET", ALICE.to_owned()),
        ("PATCH", ALICE.to_owned()),
        ("DELETE", ALICE.to_owned()),
        ("POST", format!("{ALICE}/clear")),
        ("GET", "/v1/users/bob/unread".to_owned()),
        ("POST", "/v1/users/bob/conversations/batch".to_owned()),
    ] {
        let body = json!({"op": "pin", "channels": [{"kind": "direct", "id": "alice"}]});
        let body = if method == "GET" { Value::Null } else { body };
        let answer = rest.call(&carol, method, &path, body.clone()).await;
        assert_eq!(
            answer.problem(),
            (403, "forbidden".to_owned()),
            "{method} {path}"
        );
        let nobody = rest.call("x", method, &path, body).await;
        assert_eq!(nobody.status, 401, "{method} {path}");
    }
    rest.put("/v1/channels/group/team", json!({"members": ["alice"]}))
        .await;
    let stranger = "/v1/users/bob/conversations/group/team";
    let answer = rest.app("PATCH", stranger, json!({"pinned": true})).await;
    assert_eq!(answer.problem(), (403, "not_a_member".to_owned()));
    let nowhere = "/v1/users/bob/conversations/group/none";
    assert_eq!(rest.app("GET", nowhere, Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_draft_may_come_before_the_first_message() {
    let (rest, bob) = started().await;
    let carol = "/v1/users/me/conversations/direct/carol";
    let hide = rest
        .call(&bob, "PATCH", carol, json!({"hidden": true}))
        .await;
    assert_eq!(hide.problem(), (404, "no_such_channel".to_owned()));
    let draft = json!({"draft": "dear carol"});
    let begun = rest.call(&bob, "PATCH", carol, draft.clone()).await.ok();
    assert_eq!(
        (&begun["draft"], &begun["last_seq"]),
        (&json!("dear carol"), &json!(0))
    );
    let list = rest
        .call(&bob, "GET", "/v1/users/me/conversations", Value::Null)
        .await
        .ok();
    assert_eq!(each(&list["items"], "/channel/id"), ["alice", "carol"]);
    let others = rest.get("/v1/users/carol/conversations").await;
    assert_eq!(others["items"], json!([]));
    let nobody = "/v1/users/me/conversations/direct/nobody";
    let answer = rest.call(&bob, "PATCH", nobody, draft).await;
    assert_eq!(answer.problem(), (404, "no_such_user".to_owned()));
    rest.text("bob", "direct", "carol", "hi").await;
    let seen = rest.get("/v1/users/carol/conversations/direct/bob").await;
    assert_eq!((&seen["unread"], &seen["draft"]), (&json!(1), &json!("")));
}

#[tokio::test]
async fn deleted_until_somebody_speaks_and_cleared_for_good() {
    let (rest, bob) = started().await;
    rest.app("PATCH", ALICE, json!({"draft": "x"})).await.ok();
    let gone = rest.call(&bob, "DELETE", ALICE, Value::Null).await.ok();
    assert_eq!(
        (&gone["hidden"], &gone["draft"]),
        (&json!(true), &json!(""))
    );
    let list = "/v1/users/bob/conversations";
    assert_eq!(rest.get(list).await["items"], json!([]));
    assert_eq!(
        rest.get("/v1/users/bob/unread").await["unread"],
        0,
        "hidden"
    );
    rest.text("alice", "direct", "bob", "3").await;
    assert_eq!(rest.get(list).await["items"][0]["unread"], 3);
    let cleared = rest
        .post(&format!("{ALICE}/clear"), json!({"seq": 2}))
        .await;
    assert_eq!(
        (&cleared["begins_after_seq"], &cleared["unread"]),
        (&json!(2), &json!(1))
    );
    let history = "/v1/channels/direct/alice/messages?user=bob";
    assert_eq!(each(&rest.get(history).await["items"], "/seq"), ["3"]);
    let gone = format!("{ALICE}?clear=true");
    let gone = rest.call(&bob, "DELETE", &gone, Value::Null).await.ok();
    assert_eq!(
        (&gone["last_message"], &gone["unread"]),
        (&Value::Null, &json!(0))
    );
    assert_eq!(rest.get(history).await["items"], json!([]));
    let theirs = "/v1/channels/direct/bob/messages?user=alice";
    assert_eq!(
        each(&rest.get(theirs).await["items"], "/seq"),
        ["1", "2", "3"]
    );
    let told = told(&rest, "bob", 4).await;
    assert_eq!(
        told.last().map(|it| it["deleted"].clone()),
        Some(json!(true))
    );
}

#[tokio::test]
async fn lists_are_filtered_and_totals_leave_out_what_is_muted() {
    let (rest, bob) = started().await;
    for id in ["quiet", "loud", "read"] {
        let path = format!("/v1/channels/group/{id}");
        rest.put(&path, json!({"members": ["alice", "bob"]})).await;
        rest.clock.advance_ms(1000);
        rest.text("alice", "group", id, "x").await;
    }
    let of = |id: &str| format!("/v1/users/bob/conversations/group/{id}");
    rest.app("PATCH", &of("quiet"), json!({"muted": true}))
        .await
        .ok();
    rest.app("PATCH", &of("loud"), json!({"pinned": true}))
        .await
        .ok();
    rest.post(&format!("{}/read", of("read")), Value::Null)
        .await;
    let list = async |query: &str| {
        let path = format!("/v1/users/me/conversations?{query}");
        let page = rest.call(&bob, "GET", &path, Value::Null).await.ok();
        each(&page["items"], "/channel/id")
    };
    assert_eq!(list("").await, ["loud", "read", "quiet", "alice"]);
    assert_eq!(list("unread=true").await, ["loud", "quiet", "alice"]);
    assert_eq!(list("unread=false").await, ["read"]);
    assert_eq!(list("pinned=true").await, ["loud"]);
    assert_eq!(list("pinned=false&muted=false").await, ["read", "alice"]);
    assert_eq!(list("muted=true").await, ["quiet"]);
    let now = rest.clock_ms();
    assert_eq!(list(&format!("updated_after={now}")).await.len(), 0);
    rest.clock.advance_ms(5000);
    rest.app("PATCH", &of("quiet"), json!({"marked": true}))
        .await
        .ok();
    assert_eq!(list(&format!("updated_after={now}")).await, ["quiet"]);
    let totals = rest.get("/v1/users/bob/unread").await;
    let expected = json!({
        "unread": 3, "with_muted": 4, "mentions": 0, "conversations": 3, "marked": 1,
    });
    assert_eq!(totals, expected);
}

#[tokio::test]
async fn many_are_changed_at_once_each_by_itself() {
    let (rest, bob) = started().await;
    rest.put(
        "/v1/channels/group/team",
        json!({"members": ["alice", "bob"]}),
    )
    .await;
    rest.text("alice", "group", "team", "x").await;
    let batch = "/v1/users/me/conversations/batch";
    let channels = json!([
        {"kind": "direct", "id": "alice"}, {"kind": "group", "id": "team"},
        {"kind": "group", "id": "none"},
    ]);
    let state = async |member: &str| {
        let list = rest.get("/v1/users/bob/conversations").await;
        each(&list["items"], &format!("/{member}"))
    };
    for (op, member, expected) in [
        ("pin", "pinned", "true"),
        ("unpin", "pinned", "false"),
        ("mute", "muted", "true"),
        ("unmute", "muted", "false"),
        ("mark", "marked", "true"),
        ("unmark", "marked", "false"),
        ("mark", "marked", "true"),
        ("read", "unread", "0"),
        ("clear", "last_message", "null"),
    ] {
        let body = json!({"op": op, "channels": channels});
        let done = rest.call(&bob, "POST", batch, body).await.ok();
        let done: Vec<_> = each(&done["items"], "/error/code");
        assert_eq!(done, ["null", "null", "no_such_channel"], "{op}");
        assert_eq!(state(member).await, [expected, expected], "{op}");
    }
    assert_eq!(
        state("marked").await,
        ["false", "false"],
        "reading took it away"
    );
    let drafts = json!({"op": "draft", "channels": [
        {"kind": "direct", "id": "alice", "draft": "a"},
        {"kind": "group", "id": "team", "draft": "t"},
    ]});
    rest.call(&bob, "POST", batch, drafts).await.ok();
    let mut drafts = state("draft").await;
    drafts.sort();
    assert_eq!(drafts, ["a", "t"]);
    for op in ["hide", "show", "delete"] {
        let body = json!({"op": op, "channels": channels});
        rest.call(&bob, "POST", batch, body).await.ok();
        let shown = if op == "show" { 2 } else { 0 };
        assert_eq!(state("draft").await.len(), shown, "{op}");
    }
    let none = json!({"op": "none", "channels": channels});
    let many = json!({"op": "pin", "channels": vec![channels[0].clone(); 101]});
    let wrong = json!({"op": "pin", "channels": [{"kind": "direct", "id": "a b"}]});
    for body in [none, many, json!({"op": "pin", "channels": []}), wrong] {
        let answer = rest.call(&bob, "POST", batch, body).await;
        assert_eq!(answer.status, 422);
    }
}
