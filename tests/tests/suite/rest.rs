//! REST: what a business backend does with it, and how it is told no.

use crosstalk_tests::wukong::Outgoing;
use crosstalk_tests::{Http, Server};
use serde_json::{Value, json};

/// REST with a user's own token.
async fn as_user(server: &Server, uid: &str) -> Http {
    server.rest().bearer(&server.user_token(uid).await)
}

fn text(from: &str, kind: &str, id: &str, text: &str) -> Value {
    json!({"from": from, "to": {"kind": kind, "id": id}, "content": {"type": "text", "text": text}})
}

fn texts(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("items");
    items
        .iter()
        .filter_map(|item| item["content"]["text"].as_str())
        .collect()
}

#[tokio::test]
async fn a_message_from_rest_reaches_a_wukong_client() {
    let server = Server::start().await;
    server.admin().put("/v1/users/alice", json!({})).await.ok();
    let mut bob = server.client("bob").await;
    let sent = server
        .admin()
        .post("/v1/messages", text("alice", "direct", "bob", "你好 🎉"))
        .await;
    let sent = sent.ok();
    let heard = bob.hears("你好 🎉").await;
    assert_eq!(heard.json()["type"], 1, "as a text of that dialect");
    assert_eq!(
        (
            heard.packet.from_uid.as_str(),
            heard.packet.channel_id.as_str()
        ),
        ("alice", "alice")
    );
    assert_eq!(sent["id"], heard.packet.message_id.to_string(), "{sent}");
    assert_eq!(
        sent["seq"]
            .as_u64()
            .or_else(|| sent["seq"].as_str()?.parse().ok()),
        Some(1)
    );
    let sent_at = sent["sent_at"].as_i64().expect("ms since 1970");
    assert_eq!(sent_at / 1000, i64::from(heard.packet.timestamp_secs));
}

#[tokio::test]
async fn a_message_from_a_wukong_client_is_read_in_rest() {
    let server = Server::start().await;
    let mut alice = server.client("alice").await;
    server.register("bob", 0, 0).await;
    let ack = alice.accepted(&Outgoing::direct("bob", "你好 👋")).await;
    for viewer in ["alice", "bob"] {
        let peer = if viewer == "alice" { "bob" } else { "alice" };
        let path = format!("/v1/channels/direct/{peer}/messages?user={viewer}");
        let page = server.admin().get(&path).await.ok();
        let item = &page["items"][0];
        assert_eq!(
            item["content"],
            json!({"type": "text", "text": "你好 👋"}),
            "{page}"
        );
        assert_eq!(
            (&item["id"], &item["from"]),
            (&json!(ack.message_id.to_string()), &json!("alice"))
        );
        assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
    }
}

#[tokio::test]
async fn groups_are_made_and_changed() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.put("/v1/users/alice", json!({})).await.ok();
    let body = json!({"name": "Team", "owner": "alice", "members": ["alice", "bob"]});
    admin.put("/v1/channels/group/team", body).await.ok();
    let channel = admin.get("/v1/channels/group/team").await.ok();
    assert_eq!(channel["name"], "Team", "{channel}");
    let mut bob = server.client("bob").await;
    let mut carol = server.client("carol").await;

    admin
        .post("/v1/messages", text("alice", "group", "team", "hello team"))
        .await
        .ok();
    bob.hears("hello team").await;
    assert_eq!(carol.refused(&Outgoing::group("team", "?")).await, 3);

    admin
        .post(
            "/v1/channels/group/team/members",
            json!({"members": ["carol"]}),
        )
        .await
        .ok();
    carol.accepted(&Outgoing::group("team", "thanks")).await;
    bob.hears("thanks").await;

    admin
        .delete("/v1/channels/group/team/members/bob")
        .await
        .ok();
    assert_eq!(bob.refused(&Outgoing::group("team", "am I out?")).await, 3);
}

#[tokio::test]
async fn channel_kinds_have_numbers_and_names() {
    let server = Server::start().await;
    let admin = server.admin();
    admin
        .put("/v1/channels/2/byNumber", json!({"members": ["alice"]}))
        .await
        .ok();
    let by_name = admin.get("/v1/channels/group/byNumber").await.ok();
    let by_number = admin.get("/v1/channels/2/byNumber").await.ok();
    assert_eq!(by_name, by_number);
    admin
        .put("/v1/channels/nonsense/x", json!({}))
        .await
        .problem(422, "unsupported_channel_kind");
}

#[tokio::test]
async fn sends_are_idempotent_by_their_client_number() {
    let server = Server::start().await;
    server.admin().put("/v1/users/alice", json!({})).await.ok();
    let mut bob = server.client("bob").await;
    let mut message = text("alice", "direct", "bob", "once");
    message["client_no"] = json!("order-1");
    let first = server
        .admin()
        .post("/v1/messages", message.clone())
        .await
        .ok();
    assert_eq!(first["client_no"], "order-1");
    let again = server
        .admin()
        .post("/v1/messages", message.clone())
        .await
        .ok();
    assert_eq!(first, again);

    message["content"]["text"] = json!("something else");
    let conflict = server.admin().post("/v1/messages", message).await;
    conflict.problem(409, "idempotency_conflict");
    server
        .admin()
        .post("/v1/messages", text("alice", "direct", "bob", "next"))
        .await
        .ok();
    bob.hears("once").await;
    bob.hears("next").await;
}

#[tokio::test]
async fn the_idempotency_header_does_the_same() {
    let server = Server::start().await;
    server.admin().put("/v1/users/alice", json!({})).await.ok();
    server.admin().put("/v1/users/bob", json!({})).await.ok();
    let keyed = server.admin().header("idempotency-key", "order-2");
    let message = text("alice", "direct", "bob", "once");
    let first = keyed.post("/v1/messages", message.clone()).await.ok();
    let again = keyed.post("/v1/messages", message).await.ok();
    assert_eq!(first["id"], again["id"]);
    let page = server
        .admin()
        .get("/v1/channels/direct/bob/messages?user=alice")
        .await
        .ok();
    assert_eq!(texts(&page), ["once"]);
}

#[tokio::test]
async fn history_is_paged_both_ways() {
    let server = Server::start().await;
    let admin = server.admin();
    admin.put("/v1/users/alice", json!({})).await.ok();
    admin
        .put("/v1/channels/group/g", json!({"members": ["alice"]}))
        .await
        .ok();
    for at in 1..=10 {
        admin
            .post(
                "/v1/messages",
                text("alice", "group", "g", &format!("m{at}")),
            )
            .await
            .ok();
    }
    for (query, expected) in [
        ("limit=3&before_seq=8", vec!["m5", "m6", "m7"]),
        ("limit=3&after_seq=8", vec!["m9", "m10"]),
        ("limit=3&after_seq=0", vec!["m1", "m2", "m3"]),
    ] {
        let page = admin
            .get(&format!("/v1/channels/group/g/messages?{query}"))
            .await
            .ok();
        let mut found = texts(&page);
        // Which end comes first is the interface's own affair.
        found.sort_by_key(|text| text[1..].parse::<u32>().ok());
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn blacklists_are_kept_and_lifted() {
    let server = Server::start().await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    server
        .admin()
        .put("/v1/users/bob/blacklist/alice", json!({}))
        .await
        .ok();
    assert_eq!(alice.refused(&Outgoing::direct("bob", "?")).await, 4);
    let refused = server
        .admin()
        .post("/v1/messages", text("alice", "direct", "bob", "?"))
        .await;
    refused.problem(403, "blocked");
    server
        .admin()
        .delete("/v1/users/bob/blacklist/alice")
        .await
        .ok();
    alice.accepted(&Outgoing::direct("bob", "again")).await;
    bob.hears("again").await;
}

#[tokio::test]
async fn sessions_are_listed() {
    let server = Server::start().await;
    let _alice = server.client("alice").await;
    let listed = server.admin().get("/v1/users/alice/sessions").await.ok();
    let sessions = listed["items"].as_array().expect("items");
    assert_eq!(sessions.len(), 1, "{listed}");
}

#[tokio::test]
async fn who_shows_no_or_a_wrong_key_is_401() {
    let server = Server::start().await;
    for rest in [
        server.rest(),
        server.rest().bearer("wrong"),
        server.rest().bearer("a.b.c"),
    ] {
        rest.get("/v1/users/alice")
            .await
            .problem(401, "not_authenticated");
        let send = rest
            .post("/v1/messages", text("alice", "direct", "bob", "?"))
            .await;
        send.problem(401, "not_authenticated");
    }
}

#[tokio::test]
async fn errors_are_problem_details_with_a_code() {
    let server = Server::start().await;
    let admin = server.admin();
    admin
        .get("/v1/users/nobody")
        .await
        .problem(404, "no_such_user");
    admin
        .get("/v1/channels/group/nowhere")
        .await
        .problem(404, "no_such_channel");
    admin
        .put("/v1/users/a%20b", json!({}))
        .await
        .problem(422, "invalid_uid");
    let nobody = admin
        .post("/v1/messages", text("nobody", "direct", "bob", "?"))
        .await;
    nobody.problem(404, "no_such_user");
    admin.put("/v1/users/alice", json!({})).await.ok();
    let stranger = admin
        .post("/v1/messages", text("alice", "group", "nowhere", "?"))
        .await;
    assert!((400..500).contains(&stranger.status), "{stranger:?}");
    admin
        .post_text("/v1/messages", "{not json")
        .await
        .problem(400, "undecodable_content");
    let wrong = admin
        .post("/v1/messages", json!({"from": 1, "to": []}))
        .await;
    assert!([400, 422].contains(&wrong.status), "{wrong:?}");
    let missing = admin.get("/v1/no/such/route").await;
    assert_eq!(missing.status, 404, "{missing:?}");
}

#[tokio::test]
async fn a_user_token_reaches_its_own_data_only() {
    let server = Server::start().await;
    let alice = as_user(&server, "alice").await;
    let bob = as_user(&server, "bob").await;
    server.group("ours", &["alice", "carol"]).await;
    server.group("theirs", &["bob", "carol"]).await;

    alice
        .post("/v1/messages", text("alice", "direct", "bob", "from me"))
        .await
        .ok();
    let forged = alice
        .post("/v1/messages", text("bob", "direct", "alice", "from you"))
        .await;
    forged.problem(403, "forbidden");
    let stranger = alice
        .post("/v1/messages", text("alice", "group", "theirs", "?"))
        .await;
    stranger.problem(403, "not_a_member");

    bob.get("/v1/users/me/conversations").await.ok();
    assert_eq!(bob.get("/v1/users/me").await.ok()["uid"], "bob");
    for path in [
        "/v1/users/bob/conversations",
        "/v1/users/bob/sessions",
        "/v1/channels/direct/carol/messages?user=bob",
    ] {
        alice.get(path).await.problem(403, "forbidden");
    }
    alice.get("/v1/channels/group/ours/messages").await.ok();
    let theirs = alice.get("/v1/channels/group/theirs/messages").await;
    assert_eq!(theirs.status, 403, "{theirs:?}");
    let own = alice.get("/v1/channels/direct/bob/messages").await.ok();
    assert_eq!(texts(&own), ["from me"]);
}

#[tokio::test]
async fn a_user_token_manages_nothing() {
    let server = Server::start().await;
    let alice = as_user(&server, "alice").await;
    alice
        .put("/v1/users/bob", json!({}))
        .await
        .problem(403, "forbidden");
    alice
        .post("/v1/users/bob/tokens", json!({}))
        .await
        .problem(403, "forbidden");
    alice
        .post("/v1/users/alice/tokens", json!({}))
        .await
        .problem(403, "forbidden");
    alice
        .post("/v1/apps", json!({"app_id": "mine"}))
        .await
        .problem(403, "forbidden");
    let put = alice
        .put("/v1/channels/group/x", json!({"members": ["alice"]}))
        .await;
    put.problem(403, "forbidden");
    let read = alice
        .post("/v1/users/bob/conversations/direct/alice/read", json!({}))
        .await;
    read.problem(403, "forbidden");
}

#[tokio::test]
async fn revoked_user_tokens_are_401() {
    let server = Server::start().await;
    let alice = as_user(&server, "alice").await;
    alice.get("/v1/users/me").await.ok();
    server
        .admin()
        .post("/v1/users/alice/tokens/revoke", json!({}))
        .await
        .ok();
    alice
        .get("/v1/users/me")
        .await
        .problem(401, "not_authenticated");
    as_user(&server, "alice")
        .await
        .get("/v1/users/me")
        .await
        .ok();
}

#[tokio::test]
async fn a_token_ends_when_it_says_so() {
    let server = Server::start().await;
    let answer = server
        .admin()
        .post("/v1/users/alice/tokens", json!({"ttl_secs": 60}))
        .await
        .ok();
    let expires_at = answer["expires_at"].as_i64().expect("ms since 1970");
    let longer = server
        .admin()
        .post("/v1/users/alice/tokens", json!({"ttl_secs": 120}))
        .await
        .ok();
    let longer = longer["expires_at"].as_i64().expect("ms since 1970");
    assert!(
        (30_000..120_000).contains(&(longer - expires_at)),
        "{expires_at} {longer}"
    );
}

/// Users of other realms do not exist.
#[tokio::test]
async fn an_app_secret_reaches_its_own_realm() {
    let server = Server::start().await;
    let made = json!({"app_id": "shop", "realm": "mall", "name": "The shop"});
    let app = server.admin().post("/v1/apps", made).await.ok();
    assert_eq!(
        (&app["app_id"], &app["realm"]),
        (&json!("shop"), &json!("mall"))
    );
    let secret = app["app_secret"].as_str().expect("a secret");
    let shop = server.rest().bearer(secret);
    shop.put("/v1/users/alice", json!({})).await.ok();
    shop.get("/v1/users/alice").await.ok();
    server
        .admin()
        .get("/v1/users/alice")
        .await
        .problem(404, "no_such_user");
    let in_shop = server.admin().header("x-app-id", "shop");
    in_shop.get("/v1/users/alice").await.ok();

    server.admin().put("/v1/users/bob", json!({})).await.ok();
    shop.get("/v1/users/bob").await.problem(404, "no_such_user");
    let shops_alice = shop.post("/v1/users/alice/tokens", json!({})).await.ok();
    let token = shops_alice["token"].as_str().expect("a token");
    server.register("alice", 0, 0).await;
    let refused = server
        .login("alice")
        .token(token)
        .refused()
        .await
        .expect("a CONNACK");
    assert_eq!(refused.reason, 2, "the listener's realm is another");
}

#[tokio::test]
async fn the_interface_describes_itself() {
    let server = Server::start().await;
    let rest = server.rest();
    let openapi = rest.get("/openapi.json").await.ok();
    assert!(
        openapi["openapi"]
            .as_str()
            .is_some_and(|it| it.starts_with("3.1")),
        "{openapi}"
    );
    for path in [
        "/v1/users/{uid}",
        "/v1/users/{uid}/tokens",
        "/v1/users/{uid}/tokens/revoke",
        "/v1/users/{uid}/sessions",
        "/v1/users/{uid}/conversations",
        "/v1/channels/{kind}/{id}",
        "/v1/channels/{kind}/{id}/members",
        "/v1/channels/{kind}/{id}/messages",
        "/v1/messages",
        "/v1/apps",
    ] {
        assert!(
            openapi["paths"][path].is_object(),
            "{path} is not described"
        );
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(rest.get(path).await.status, 200, "{path}");
    }
    let docs = rest.get("/docs").await;
    assert!((200..400).contains(&docs.status), "{docs:?}");
    assert!(
        rest.get("/metrics").await.text().contains("# TYPE"),
        "Prometheus' text format"
    );
}
