//! Sending and reading.

use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::deliver::Sender;
use crosstalk_core::message::{Body as MessageBody, Draft, OnReuse};

use super::*;

const TEAM: &str = "/v1/channels/group/team";
const HISTORY: &str = "/v1/channels/group/team/messages";

fn to_team(from: &str, text: &str, client_no: Option<&str>) -> Value {
    json!({
        "from": from,
        "to": {"kind": "group", "id": "team"},
        "content": {"type": "text", "text": text},
        "client_no": client_no,
    })
}

async fn with_team() -> Rest {
    let rest = Rest::start().await;
    for uid in ["alice", "bob", "mallory"] {
        rest.user(uid).await;
    }
    rest.put(TEAM, json!({"owner": "alice", "members": ["bob"]}))
        .await;
    rest
}

#[tokio::test]
async fn a_message_is_answered_and_read_back() {
    let rest = with_team().await;
    let sent = rest
        .post("/v1/messages", to_team("alice", "你好", Some("m-1")))
        .await;
    let id = sent["id"].as_str().expect("ids are strings");
    let answer = json!({"id": id, "seq": 1, "client_no": "m-1", "sent_at": im::START_MS});
    assert_eq!(sent, answer);
    let expected = json!({
        "id": id,
        "to": {"kind": "group", "id": "team"},
        "seq": 1,
        "from": "alice",
        "sent_at": im::START_MS,
        "content": {"type": "text", "text": "你好"},
        "state": "sent",
        "client_no": "m-1",
    });
    assert_eq!(rest.get(&format!("/v1/messages/{id}")).await, expected);
    let page = rest.get(HISTORY).await;
    assert_eq!(page, json!({"items": [expected], "next_cursor": null}));
}

#[tokio::test]
async fn a_retry_is_the_same_message_and_other_content_a_conflict() {
    let rest = with_team().await;
    let first = rest
        .post("/v1/messages", to_team("alice", "x", Some("m-1")))
        .await;
    rest.clock.advance_ms(5000);
    let again = rest
        .post("/v1/messages", to_team("alice", "x", Some("m-1")))
        .await;
    assert_eq!(first, again);
    let other = rest
        .app("POST", "/v1/messages", to_team("alice", "y", Some("m-1")))
        .await;
    assert_eq!(other.problem(), (409, "idempotency_conflict".to_owned()));
    let key = async |body: Value| {
        let request = Request::builder()
            .method("POST")
            .uri("/v1/messages")
            .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"))
            .header("Idempotency-Key", "m-1")
            .body(Body::from(body.to_string()));
        rest.send(request.expect("a request")).await
    };
    assert_eq!(key(to_team("alice", "x", None)).await.ok(), first);
    let differs = key(to_team("alice", "x", Some("m-2"))).await;
    assert!(differs.detail("invalid_argument").starts_with("client_no"));
    assert_eq!(each(&rest.get(HISTORY).await["items"], "/seq"), ["1"]);
}

#[tokio::test]
async fn users_send_as_themselves_and_the_application_as_the_system() {
    let rest = with_team().await;
    let bob = rest.user("bob").await;
    let message = |from: Value| {
        let mut message = to_team("", "x", None);
        message["from"] = from;
        message
    };
    for from in [json!("bob"), json!("me"), Value::Null] {
        let sent = rest
            .call(&bob, "POST", "/v1/messages", message(from.clone()))
            .await
            .ok();
        let shown = rest
            .get(&format!(
                "/v1/messages/{}",
                sent["id"].as_str().expect("an id")
            ))
            .await;
        assert_eq!(shown["from"], "bob", "{from}");
    }
    let forged = rest
        .call(&bob, "POST", "/v1/messages", message(json!("alice")))
        .await;
    assert_eq!(forged.problem(), (403, "forbidden".to_owned()));
    for from in [Value::Null, json!("____system")] {
        let sent = rest.post("/v1/messages", message(from)).await;
        let shown = rest
            .get(&format!(
                "/v1/messages/{}",
                sent["id"].as_str().expect("an id")
            ))
            .await;
        assert_eq!(shown["from"], "____system");
    }
}

#[tokio::test]
async fn the_access_rules_hold_for_named_senders() {
    let rest = with_team().await;
    let send = async |from: &str| {
        rest.app("POST", "/v1/messages", to_team(from, "x", None))
            .await
    };
    assert_eq!(
        send("mallory").await.problem(),
        (403, "not_a_member".to_owned())
    );
    rest.put(TEAM, json!({"send_ban": true})).await;
    assert_eq!(send("bob").await.problem(), (403, "muted".to_owned()));
    assert_eq!(send("alice").await.status, 200, "the owner may");
    rest.put(TEAM, json!({"ban": true})).await;
    assert_eq!(
        send("alice").await.problem(),
        (403, "channel_banned".to_owned())
    );
    rest.put(TEAM, json!({"ban": false, "disband": true})).await;
    assert_eq!(
        send("alice").await.problem(),
        (403, "channel_disbanded".to_owned())
    );
    rest.put(TEAM, json!({"disband": false})).await;
    rest.put("/v1/users/alice", json!({"send_ban": true})).await;
    assert_eq!(
        send("alice").await.problem(),
        (403, "send_banned".to_owned())
    );
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_by_field() {
    let rest = with_team().await;
    let with = |changes: Value| {
        let mut message = to_team("alice", "x", None);
        for (name, value) in changes.as_object().expect("an object") {
            message[name] = value.clone();
        }
        message
    };
    let cases = [
        (
            json!({"to": {"kind": "nonsense", "id": "x"}}),
            "422 invalid_argument to.kind",
        ),
        (json!({"to": {"kind": "group"}}), "422 invalid_argument to"),
        (json!({"to": ["group", "team"]}), "422 invalid_argument to"),
        (
            json!({"to": {"kind": "group", "id": "a b"}}),
            "422 invalid_channel_id to.id",
        ),
        (
            json!({"to": {"kind": 2, "id": "x".repeat(1 << 20)}}),
            "422 invalid_channel_id to.id",
        ),
        (
            json!({"to": {"kind": 1, "id": "nobody"}}),
            "404 no_such_user to.id",
        ),
        (
            json!({"to": {"kind": 1, "id": "____system"}}),
            "422 invalid_channel_id to.id",
        ),
        (json!({"from": "nobody"}), "404 no_such_user from"),
        (json!({"from": "a b"}), "422 invalid_uid from"),
        (json!({"from": 7}), "422 invalid_argument from"),
        (json!({"content": "x"}), "422 invalid_argument content"),
        (
            json!({"content": {"type": 1}}),
            "422 invalid_argument content.type",
        ),
        (
            json!({"content": {"type": "text"}}),
            "422 invalid_argument content.text",
        ),
        (json!({"client_no": ""}), "422 invalid_argument client_no"),
        (
            json!({"client_no": "a\0b"}),
            "422 invalid_argument client_no",
        ),
        (
            json!({"client_no": "n".repeat(129)}),
            "422 invalid_argument client_no",
        ),
    ];
    for (changes, expected) in cases {
        let answer = rest
            .app("POST", "/v1/messages", with(changes.clone()))
            .await;
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        let found = format!(
            "{} {} {detail}",
            answer.status,
            answer.body["code"].as_str().unwrap_or_default()
        );
        assert!(found.starts_with(expected), "{expected}: {found}");
    }
}

#[tokio::test]
async fn users_send_no_faster_than_they_may() {
    let mut policy = Policy::default();
    policy.send.rate_per_sec = 1;
    policy.send.burst = 2;
    let rest = Rest::with_policy(policy).await;
    for uid in ["alice", "bob"] {
        rest.user(uid).await;
    }
    rest.put(TEAM, json!({"members": ["alice", "bob"]})).await;
    let send = async |from: Value| {
        let mut message = to_team("", "x", None);
        message["from"] = from;
        rest.app("POST", "/v1/messages", message).await
    };
    let mut refused = Vec::new();
    for _ in 0..20 {
        let answer = send(json!("alice")).await;
        if answer.status != 200 {
            refused.push(answer.problem());
        }
    }
    // Some of a slow machine's seconds may pass between these.
    assert!(refused.len() > 10, "{refused:?}");
    assert!(
        refused
            .iter()
            .all(|it| *it == (429, "rate_limited".to_owned()))
    );
    assert_eq!(send(json!("bob")).await.status, 200, "by user");
    for _ in 0..20 {
        let answer = send(Value::Null).await;
        assert_eq!(answer.status, 200, "the application itself is not limited");
    }
}

#[tokio::test]
async fn messages_have_a_form_and_a_size() {
    let rest = with_team().await;
    let missing = rest.app("POST", "/v1/messages", Value::Null).await;
    assert!(
        missing
            .detail("invalid_argument")
            .contains("to: is missing")
    );
    for size in [70_000, 9 << 20] {
        let mut message = to_team("alice", "x", None);
        message["content"] = json!({"type": "custom", "data": "x".repeat(size)});
        let large = rest.app("POST", "/v1/messages", message).await;
        assert_eq!(large.problem(), (413, "too_large".to_owned()));
    }
}

#[tokio::test]
async fn history_is_read_in_both_directions() {
    let rest = with_team().await;
    for n in 1..=10 {
        rest.text("alice", "group", "team", &n.to_string()).await;
    }
    let seqs = async |query: &str| {
        let page = rest.get(&format!("{HISTORY}?{query}")).await;
        let seqs = each(&page["items"], "/seq").join(" ");
        (seqs, page["next_cursor"].as_str().map(str::to_owned))
    };
    let table = [
        ("", "1 2 3 4 5 6 7 8 9 10", false),
        ("limit=3", "8 9 10", true),
        ("limit=10", "1 2 3 4 5 6 7 8 9 10", false),
        ("before_seq=4", "1 2 3", false),
        ("before_seq=8&limit=3", "5 6 7", true),
        ("before_seq=1", "", false),
        ("before_seq=0", "", false),
        ("after_seq=0&limit=3", "1 2 3", true),
        ("after_seq=7", "8 9 10", false),
        ("after_seq=7&limit=3", "8 9 10", false),
        ("after_seq=10", "", false),
        ("after_seq=18446744073709551615", "", false),
        ("before_seq=18446744073709551615&limit=1", "10", true),
    ];
    for (query, expected, more) in table {
        let (found, cursor) = seqs(query).await;
        assert_eq!(
            (found.as_str(), cursor.is_some()),
            (expected, more),
            "{query}"
        );
    }
    let (_, cursor) = seqs("limit=4").await;
    let older = format!("limit=4&cursor={}", cursor.expect("more"));
    assert_eq!(seqs(&older).await.0, "3 4 5 6");
    let (_, cursor) = seqs("after_seq=2&limit=4").await;
    let newer = format!("limit=4&cursor={}", cursor.expect("more"));
    assert_eq!(seqs(&newer).await, ("7 8 9 10".to_owned(), None));
    for query in [
        "before_seq=3&after_seq=1",
        "before_seq=x",
        "after_seq=-1",
        "cursor=x",
        "limit=999",
    ] {
        let answer = rest
            .app("GET", &format!("{HISTORY}?{query}"), Value::Null)
            .await;
        let field = query.split('=').next().unwrap_or_default();
        assert!(
            answer.detail("invalid_argument").starts_with(field),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_direct_channel_is_read_in_somebodys_view() {
    let rest = with_team().await;
    let sent = rest.text("alice", "direct", "bob", "hi").await;
    let direct = "/v1/channels/direct";
    for path in ["bob/messages?user=alice", "alice/messages?user=bob"] {
        let page = rest.get(&format!("{direct}/{path}")).await;
        assert_eq!(
            each(&page["items"], "/id"),
            [sent["id"].as_str().expect("an id")],
            "{path}"
        );
        assert_eq!(
            page["items"][0]["to"],
            json!({"kind": "direct", "id": "bob"})
        );
    }
    let bob = rest.user("bob").await;
    let own = rest
        .call(
            &bob,
            "GET",
            &format!("{direct}/alice/messages"),
            Value::Null,
        )
        .await
        .ok();
    assert_eq!(each(&own["items"], "/from"), ["alice"]);
    let nobody = rest
        .app("GET", &format!("{direct}/bob/messages"), Value::Null)
        .await;
    assert!(nobody.detail("invalid_argument").starts_with("user"));
    let unknown = rest
        .app(
            "GET",
            &format!("{direct}/bob/messages?user=nobody"),
            Value::Null,
        )
        .await;
    assert_eq!(unknown.problem(), (404, "no_such_user".to_owned()));
    let mallory = rest.user("mallory").await;
    let history = format!("{HISTORY}?before_seq=1");
    let foreign = rest.call(&mallory, "GET", &history, Value::Null).await;
    assert_eq!(foreign.problem(), (403, "not_a_member".to_owned()));
    let id = sent["id"].as_str().expect("an id");
    let foreign = rest
        .call(&mallory, "GET", &format!("/v1/messages/{id}"), Value::Null)
        .await;
    assert_eq!(foreign.problem(), (404, "no_such_message".to_owned()));
}

#[tokio::test]
async fn a_message_for_somebody_is_read_by_nobody_else() {
    let rest = with_team().await;
    let realm = Realm::default();
    let user = async |text| {
        let uid = Uid::parse(text).expect("a uid");
        rest.im.user_ref(&realm, &uid).await.expect("a user")
    };
    let carol = rest.user("carol").await;
    rest.post(&format!("{TEAM}/members"), json!({"members": ["carol"]}))
        .await;
    let draft = Draft {
        to: Address::parse(ChannelKind::GROUP, "team").expect("an address"),
        body: MessageBody {
            payload: r#"{"type":"text","text":"for bob"}"#.into(),
            audience: Some([user("bob").await.num].into()),
            ..MessageBody::default()
        },
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    let sender = Sender::User(user("alice").await);
    let sent = rest.im.send_as(&realm, sender, draft).await.expect("sent");
    let path = format!("/v1/messages/{}", sent.id);
    let bob = rest.user("bob").await;
    for (token, state, is_shown) in [(bob, "sent", true), (carol, "concealed", false)] {
        for view in [
            rest.call(&token, "GET", &path, Value::Null).await.ok(),
            rest.call(&token, "GET", HISTORY, Value::Null).await.ok()["items"][0].clone(),
        ] {
            assert_eq!(view["state"], state);
            assert_eq!(view["content"]["text"] == "for bob", is_shown, "{view}");
        }
    }
}

#[tokio::test]
async fn what_the_system_says_to_a_user_can_be_read() {
    let rest = with_team().await;
    let bob = rest.user("bob").await;
    let notice = json!({
        "to": {"kind": "direct", "id": "bob"}, "content": {"type": "text", "text": "welcome"},
    });
    rest.post("/v1/messages", notice).await;
    let path = "/v1/channels/direct/____system/messages";
    let page = rest.call(&bob, "GET", path, Value::Null).await.ok();
    assert_eq!(each(&page["items"], "/from"), ["____system"]);
}

#[tokio::test]
async fn history_since_join_begins_there() {
    let rest = with_team().await;
    rest.put(TEAM, json!({"history": "since_join"})).await;
    let before = rest.text("alice", "group", "team", "1").await;
    let carol = rest.user("carol").await;
    rest.post(&format!("{TEAM}/members"), json!({"members": ["carol"]}))
        .await;
    let after = rest.text("alice", "group", "team", "2").await;
    let page = rest.call(&carol, "GET", HISTORY, Value::Null).await.ok();
    assert_eq!(each(&page["items"], "/seq"), ["2"]);
    assert_eq!(each(&rest.get(HISTORY).await["items"], "/seq"), ["1", "2"]);
    let viewed = rest.get(&format!("{HISTORY}?user=carol")).await;
    assert_eq!(each(&viewed["items"], "/seq"), ["2"]);
    for (sent, status) in [(before, 404), (after, 200)] {
        let path = format!("/v1/messages/{}", sent["id"].as_str().expect("an id"));
        assert_eq!(
            rest.call(&carol, "GET", &path, Value::Null).await.status,
            status
        );
    }
}

#[tokio::test]
async fn ids_that_are_none_are_refused() {
    let rest = Rest::start().await;
    for id in ["x", "0", "-5", "1.5"] {
        let answer = rest
            .app("GET", &format!("/v1/messages/{id}"), Value::Null)
            .await;
        assert!(answer.detail("invalid_argument").starts_with("id"), "{id}");
    }
    let unknown = rest
        .app("GET", "/v1/messages/741200000000000001", Value::Null)
        .await;
    assert_eq!(unknown.problem(), (404, "no_such_message".to_owned()));
}
