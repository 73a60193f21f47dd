//! Conversations and search.

use crosstalk_core::channel::{Address, ChannelKind, MemberChange, MemberRole};
use crosstalk_core::deliver::Sender;
use crosstalk_core::message::{Body as MessageBody, Draft, Flags, OnReuse, Origin};

use super::*;
use crate::consumers::search::fill;

const BASE: &str = "/api/im/conversations";

impl Api {
    async fn fetch(&self, method: &str, path: &str, token: &str, body: &Value) -> Answer {
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
        self.ask(method, path, &headers, &body).await
    }

    async fn say(&self, from: &str, to: Address, text: &str) {
        let realm = Realm::default();
        let from = Uid::parse(from).expect("a uid");
        let from = self.im.user_ref(&realm, &from).await.expect("a user");
        let draft = Draft {
            to,
            body: MessageBody {
                origin: Origin::REST,
                flags: Flags {
                    counts: true,
                    ..Flags::default()
                },
                payload: json!({"type": "text", "text": text}).to_string().into(),
                ..MessageBody::default()
            },
            on_reuse: OnReuse::Store,
            require_peer: false,
            fault: None,
        };
        let sent = self.im.send_as(&realm, Sender::User(from), draft).await;
        sent.expect("sent");
    }
}

/// Bob with words from alice and in a group, and his token.
async fn started() -> (Api, String) {
    let api = Api::start().await;
    api.login("alice").await;
    let bob = api.login("bob").await;
    let realm = Realm::default();
    let group = Address::parse(ChannelKind::GROUP, "team").expect("an address");
    let key = crosstalk_core::channel::ChannelKey {
        realm: realm.clone(),
        kind: ChannelKind::GROUP,
        id: Arc::clone(&group.id),
    };
    let named = crosstalk_core::channel::ChannelChange {
        name: Some("Blue".to_owned()),
        ..Default::default()
    };
    api.im.put_channel(&key, named).await.expect("a group");
    let uids = ["alice", "bob"].map(|uid| Uid::parse(uid).expect("a uid"));
    let users = api.im.user_refs(&realm, &uids).await.expect("users");
    let join = |user| MemberChange::Join(user, MemberRole::Member);
    let joins = users.into_iter().map(join).collect();
    api.im.change_members(&key, joins).await.expect("joined");
    api.say("alice", Address::direct(&uids[1]), "hello bob")
        .await;
    api.clock.advance_ms(1000);
    api.say("alice", group, "hello all").await;
    (api, bob)
}

#[tokio::test]
async fn conversations_are_listed_kept_read_and_deleted() {
    let (api, bob) = started().await;
    let list = api.fetch("GET", BASE, &bob, &Value::Null).await;
    let list = list.data();
    assert_eq!(
        (&list["hasMore"], &list["cursor"]),
        (&json!(false), &Value::Null)
    );
    let ids: Vec<_> = list["list"].as_array().expect("a list").iter().collect();
    assert_eq!(ids.len(), 2);
    let team = ids[0];
    assert_eq!(
        (&team["id"], &team["chatType"], &team["targetId"]),
        (&json!("GROUP:team"), &json!("GROUP"), &json!("team"))
    );
    assert_eq!((&team["unread"], &team["readSeq"]), (&json!(1), &json!(0)));
    assert_eq!(team["lastMessage"]["content"], "hello all");
    assert_eq!(ids[1]["id"], "SINGLE:alice");

    let one = format!("{BASE}/SINGLE:alice");
    let wish = json!({"pinned": true, "muted": true, "draft": "well"});
    let kept = api.fetch("PUT", &one, &bob, &wish).await;
    let kept = kept.data();
    assert_eq!(
        (&kept["pinned"], &kept["muted"], &kept["draft"]),
        (&json!(true), &json!(true), &json!("well"))
    );
    let page = api
        .fetch("GET", &format!("{BASE}?limit=1"), &bob, &Value::Null)
        .await;
    assert_eq!(page.data()["list"][0]["id"], "SINGLE:alice", "pinned first");
    let cursor = page.data()["cursor"].as_str().expect("a cursor").to_owned();
    let next = format!("{BASE}?limit=1&cursor={cursor}");
    let page = api.fetch("GET", &next, &bob, &Value::Null).await;
    assert_eq!(page.data()["list"][0]["id"], "GROUP:team");
    let unread = api
        .fetch("GET", &format!("{BASE}/unread"), &bob, &Value::Null)
        .await;
    let expected = json!({"unread": 1, "total": 2, "mentions": 0, "conversations": 2});
    assert_eq!(*unread.data(), expected);

    let read = api
        .fetch("POST", &format!("{one}/read"), &bob, &Value::Null)
        .await;
    assert_eq!(
        (&read.data()["unread"], &read.data()["readSeq"]),
        (&json!(0), &json!(1))
    );
    let gone = api.fetch("DELETE", &one, &bob, &Value::Null).await;
    assert_eq!(gone.data()["draft"], Value::Null);
    let list = api.fetch("GET", BASE, &bob, &Value::Null).await;
    assert_eq!(list.data()["list"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn several_are_changed_at_once() {
    let (api, bob) = started().await;
    let ids = json!(["SINGLE:alice", "GROUP:team", "GROUP:none", "nonsense"]);
    for op in ["pin", "mute", "read", "delete"] {
        let path = format!("{BASE}/batch/{op}");
        let done = api
            .fetch("POST", &path, &bob, &json!({"conversationIds": ids}))
            .await;
        let done = done.data();
        assert_eq!(
            done["succeeded"],
            json!(["SINGLE:alice", "GROUP:team"]),
            "{op}"
        );
        let failed = done["failed"].as_array().expect("a list");
        let failed: Vec<_> = failed.iter().map(|it| (&it["id"], &it["code"])).collect();
        let expected = [
            (&json!("nonsense"), &json!(400)),
            (&json!("GROUP:none"), &json!(404)),
        ];
        assert_eq!(failed, expected, "{op}");
    }
    let list = api.fetch("GET", BASE, &bob, &Value::Null).await;
    assert_eq!(list.data()["list"], json!([]));
    // Each is told what of it is not there.
    api.login("carol").await;
    let ids = json!(["SINGLE:nobody", "SINGLE:carol", "GROUP:none"]);
    let body = json!({"conversationIds": ids});
    let mute = format!("{BASE}/batch/mute");
    let none = api.fetch("POST", &mute, &bob, &body).await;
    let failed = none.data()["failed"].as_array().expect("a list").clone();
    let failed: Vec<_> = failed
        .iter()
        .map(|it| (&it["id"], &it["message"]))
        .collect();
    let expected = [
        (&ids[0], &json!("User not found")),
        (&ids[1], &json!("Conversation not found")),
        (&ids[2], &json!("Group not found")),
    ];
    assert_eq!(failed, expected);
    let many = json!({"conversationIds": vec!["SINGLE:alice"; 101]});
    let refused = api
        .fetch("POST", &format!("{BASE}/batch/pin"), &bob, &many)
        .await;
    assert_eq!(refused.failed().0, 400);
    let unknown = api
        .fetch("POST", &format!("{BASE}/batch/eat"), &bob, &many)
        .await;
    assert_eq!(unknown.failed().0, 404);
}

#[tokio::test]
async fn nobody_calls_without_a_token_and_wrong_fields_are_named() {
    let (api, bob) = started().await;
    for (method, path) in [
        ("GET", BASE.to_owned()),
        ("GET", format!("{BASE}/unread")),
        ("PUT", format!("{BASE}/SINGLE:alice")),
        ("DELETE", format!("{BASE}/SINGLE:alice")),
        ("POST", format!("{BASE}/SINGLE:alice/read")),
        ("POST", format!("{BASE}/batch/pin")),
        ("GET", "/api/im/messages/search?keyword=x".to_owned()),
        ("GET", "/api/im/groups/search?keyword=x".to_owned()),
    ] {
        let answer = api.fetch(method, &path, "x", &Value::Null).await;
        assert_eq!(answer.failed().0, 401, "{method} {path}");
    }
    let one = format!("{BASE}/SINGLE:alice");
    for wish in [
        json!({"pinned": "maybe"}),
        json!({"draft": "x".repeat(4097)}),
    ] {
        assert_eq!(api.fetch("PUT", &one, &bob, &wish).await.failed().0, 400);
    }
    let carol = api.login("carol").await;
    let theirs = format!("{BASE}/GROUP:team");
    assert_eq!(
        api.fetch("GET", &theirs, &carol, &Value::Null)
            .await
            .failed()
            .0,
        403
    );
}

#[tokio::test]
async fn messages_and_groups_are_found() {
    let (api, bob) = started().await;
    fill(&api.im, |_| {}).await.expect("indexed");
    let search = async |query: &str| {
        let path = format!("/api/im/messages/search?{query}");
        let found = api.fetch("GET", &path, &bob, &Value::Null).await;
        found.data().clone()
    };
    let all = search("keyword=hello").await;
    let contents = |found: &Value| -> Vec<String> {
        let list = found["list"].as_array().expect("a list").iter();
        let content = |it: &Value| {
            it["message"]["content"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        list.map(content).collect()
    };
    assert_eq!(contents(&all), ["hello all", "hello bob"]);
    assert_eq!(
        all["list"][0]["highlights"],
        json!([{"start": 0, "len": 5}])
    );
    for (query, expected) in [
        (
            "keyword=hello&chatType=GROUP&targetId=team",
            vec!["hello all"],
        ),
        (
            "keyword=hello&chatType=SINGLE&targetId=alice",
            vec!["hello bob"],
        ),
        ("keyword=hello&page=2&size=1", vec!["hello bob"]),
        ("keyword=hello&page=3&size=1", vec![]),
        ("keyword=hello&fromId=bob", vec![]),
        ("keyword=hello&msgType=TEXT", vec!["hello all", "hello bob"]),
        ("msgType=IMAGE", vec![]),
    ] {
        assert_eq!(contents(&search(query).await), expected, "{query}");
    }
    let page = search("keyword=hello&size=1").await;
    assert_eq!(page["hasMore"], true);
    let cursor = page["cursor"].as_str().expect("a cursor").to_owned();
    let next = search(&format!("keyword=hello&size=1&cursor={cursor}")).await;
    assert_eq!(contents(&next), ["hello bob"]);
    let forged = "/api/im/messages/search?keyword=hello&cursor=741200000000000001";
    let refused = api.fetch("GET", forged, &bob, &Value::Null).await;
    assert_eq!(refused.failed().0, 400, "no cursor is made by hand");
    let groups = api
        .fetch(
            "GET",
            "/api/im/groups/search?keyword=blu",
            &bob,
            &Value::Null,
        )
        .await;
    let group = &groups.data()["list"][0];
    assert_eq!(
        (&group["groupId"], &group["name"]),
        (&json!("team"), &json!("Blue"))
    );
    assert_eq!(group["memberCount"], 2);
    let missing = api
        .fetch("GET", "/api/im/messages/search", &bob, &Value::Null)
        .await;
    assert_eq!(missing.failed().0, 400);
}
