//! Channels and members.

use crosstalk_core::channel::{ChannelKey, ChannelKind, MemberChange};
use crosstalk_core::id::{UserNum, UserRef};

use super::*;

const TEAM: &str = "/v1/channels/group/team";
const MEMBERS: &str = "/v1/channels/group/team/members";

/// `uid role` of all members, sorted.
async fn members(rest: &Rest) -> Vec<String> {
    let page = rest.get(MEMBERS).await;
    let uids = each(&page["items"], "/uid");
    let roles = each(&page["items"], "/role");
    let mut all: Vec<_> = uids
        .iter()
        .zip(&roles)
        .map(|(uid, role)| format!("{uid} {role}"))
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn settings_change_one_by_one() {
    let rest = Rest::start().await;
    assert_eq!(
        rest.app("GET", TEAM, Value::Null).await.problem().1,
        "no_such_channel"
    );
    let made = rest.put(TEAM, json!({"name": "The team"})).await;
    let expected = json!({
        "kind": "group", "id": "team", "name": "The team", "avatar": "", "announcement": null,
        "owner": null, "ban": false, "disband": false, "send_ban": false, "large": false,
        "allow_stranger": false, "history": "all", "join_mode": "invite",
        "invite_by": "administrators", "edit_by": "administrators", "mention_all_by": "all",
        "pin_by": "administrators", "speak": "all", "muted": false, "muted_until_at": null,
        "tips": false, "max_members": 0, "member_count": 0, "created_at": im::START_MS,
    });
    assert_eq!(made, expected);
    rest.put(TEAM, json!({"send_ban": true, "history": "since_join"}))
        .await;
    let changed = rest
        .put("/v1/channels/2/team", json!({"large": true}))
        .await;
    assert_eq!(changed["name"], "The team");
    assert_eq!(changed["send_ban"], true);
    assert_eq!(changed["history"], "since_join");
    assert_eq!(rest.get(TEAM).await, changed);
}

#[tokio::test]
async fn members_become_exactly_those_named_and_the_owner_stays() {
    let rest = Rest::start().await;
    let made = rest
        .put(TEAM, json!({"owner": "alice", "members": ["bob", "carol"]}))
        .await;
    assert_eq!(made["member_count"], 3);
    assert_eq!(
        members(&rest).await,
        ["alice owner", "bob member", "carol member"]
    );
    rest.put(TEAM, json!({"members": ["carol", "dave", "dave"]}))
        .await;
    assert_eq!(
        members(&rest).await,
        ["alice owner", "carol member", "dave member"]
    );
    rest.put(TEAM, json!({"owner": "carol"})).await;
    assert_eq!(
        members(&rest).await,
        ["alice administrator", "carol owner", "dave member"]
    );
    rest.put(TEAM, json!({"members": ["alice"]})).await;
    assert_eq!(
        members(&rest).await,
        ["alice administrator", "carol owner"],
        "who stays keeps their role"
    );
    rest.put(TEAM, json!({"members": ["alice", "dave"]})).await;
    rest.put(TEAM, json!({"name": "n"})).await;
    assert_eq!(members(&rest).await.len(), 3);
    rest.put(TEAM, json!({"owner": "erin", "members": []}))
        .await;
    assert_eq!(members(&rest).await, ["erin owner"]);
}

#[tokio::test]
async fn members_come_and_go_and_keep_their_role() {
    let rest = Rest::start().await;
    rest.put(TEAM, json!({"owner": "alice"})).await;
    let added = rest
        .post(MEMBERS, json!({"members": ["alice", "bob", "carol"]}))
        .await;
    assert_eq!(added["member_count"], 3);
    assert_eq!(
        members(&rest).await,
        ["alice owner", "bob member", "carol member"]
    );
    for _ in 0..2 {
        let removed = rest
            .app("DELETE", &format!("{MEMBERS}/bob"), Value::Null)
            .await;
        assert_eq!(removed.status, 204);
    }
    assert_eq!(members(&rest).await, ["alice owner", "carol member"]);
    assert_eq!(rest.get(TEAM).await["member_count"], 2);
    let none = rest.post(MEMBERS, json!({"members": []})).await;
    assert_eq!(none["member_count"], 2);
    rest.app("DELETE", &format!("{MEMBERS}/nobody"), Value::Null)
        .await
        .ok();
    assert!(!rest.is_known("nobody").await);
}

#[tokio::test]
async fn members_come_in_pages() {
    let rest = Rest::start().await;
    let uids: Vec<String> = (0..7).map(|n| format!("u{n}")).collect();
    rest.put(TEAM, json!({"members": uids})).await;
    let mut seen = Vec::new();
    let mut path = format!("{MEMBERS}?limit=3");
    let mut pages = 0;
    loop {
        let page = rest.get(&path).await;
        seen.extend(each(&page["items"], "/uid"));
        pages += 1;
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("{MEMBERS}?limit=3&cursor={cursor}");
    }
    seen.sort();
    assert_eq!((seen, pages), (uids, 3));
    for query in ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor="] {
        let answer = rest
            .app("GET", &format!("{MEMBERS}?{query}"), Value::Null)
            .await;
        let field = query.split('=').next().unwrap_or_default();
        assert!(
            answer.detail("invalid_argument").starts_with(field),
            "{query}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_a_channel_is_refused() {
    let rest = Rest::start().await;
    let cases = [
        (
            "/v1/channels/nonsense/x",
            json!({}),
            "unsupported_channel_kind",
        ),
        ("/v1/channels/13/x", json!({}), "unsupported_channel_kind"),
        (
            "/v1/channels/direct/bob",
            json!({}),
            "unsupported_channel_kind",
        ),
        ("/v1/channels/group/a%20b", json!({}), "invalid_channel_id"),
        (
            "/v1/channels/customer_service/x",
            json!({}),
            "invalid_channel_id",
        ),
        (TEAM, json!({"owner": "a b"}), "invalid_uid"),
        (TEAM, json!({"members": ["a", "b c"]}), "invalid_uid"),
        (TEAM, json!({"members": "a"}), "invalid_argument"),
        (TEAM, json!({"history": "some"}), "invalid_argument"),
        (TEAM, json!({"name": "n".repeat(201)}), "invalid_argument"),
        (TEAM, json!({"name": "a\0b"}), "invalid_argument"),
    ];
    for (path, body, code) in cases {
        let answer = rest.app("PUT", path, body.clone()).await;
        assert_eq!(answer.problem(), (422, code.to_owned()), "{path} {body}");
    }
    assert_eq!(
        rest.app("GET", TEAM, Value::Null).await.status,
        404,
        "nothing was made"
    );
    let add = rest.app("POST", MEMBERS, json!({"members": ["a"]})).await;
    assert_eq!(add.problem(), (404, "no_such_channel".to_owned()));
    let remove = rest
        .app("DELETE", &format!("{MEMBERS}/a"), Value::Null)
        .await;
    assert_eq!(remove.problem(), (404, "no_such_channel".to_owned()));
    let named = rest
        .app("PUT", TEAM, json!({"members": ["a", "b c"]}))
        .await;
    assert!(named.detail("invalid_uid").starts_with("members[1]"));
}

#[tokio::test]
async fn composite_ids_are_paths_too() {
    let rest = Rest::start().await;
    let topic = rest
        .put("/v1/channels/topic/c%40t", json!({"members": ["alice"]}))
        .await;
    assert_eq!(
        (&topic["kind"], &topic["id"]),
        (&json!("topic"), &json!("c@t"))
    );
    let desk = rest.put("/v1/channels/3/v%7Ccs", json!({})).await;
    assert_eq!(
        (&desk["kind"], &desk["id"]),
        (&json!("customer_service"), &json!("v|cs"))
    );
}

#[tokio::test]
async fn who_leaves_sees_no_more() {
    let rest = Rest::start().await;
    let bob = rest.user("bob").await;
    rest.put(TEAM, json!({"members": ["bob"]})).await;
    let sent = rest.text("bob", "group", "team", "bye").await;
    let message = format!("/v1/messages/{}", sent["id"].as_str().expect("an id"));
    let as_bob = async |method: &str, path: &str| rest.call(&bob, method, path, Value::Null).await;
    for path in [TEAM, &message] {
        assert_eq!(as_bob("GET", path).await.status, 200, "{path}");
    }
    let conversations = "/v1/users/me/conversations";
    let listed = as_bob("GET", conversations).await.ok();
    assert_eq!(each(&listed["items"], "/channel/id"), ["team"]);

    rest.app("DELETE", &format!("{MEMBERS}/bob"), Value::Null)
        .await
        .ok();
    for path in [TEAM, MEMBERS, "/v1/channels/group/team/messages"] {
        let answer = as_bob("GET", path).await;
        assert_eq!(answer.problem(), (403, "not_a_member".to_owned()), "{path}");
    }
    let own = as_bob("GET", &message).await;
    assert_eq!(own.problem(), (404, "no_such_message".to_owned()));
    let listed = as_bob("GET", conversations).await.ok();
    assert_eq!(listed["items"], json!([]));
    let read = as_bob("POST", &format!("{conversations}/group/team/read")).await;
    assert_eq!(read.problem(), (403, "not_a_member".to_owned()));
    let backend = rest.get(&format!("{TEAM}/messages")).await;
    assert_eq!(each(&backend["items"], "/from"), ["bob"]);
}

/// Nor does the application put more into a group than it may have.
#[tokio::test]
async fn a_group_has_at_most_a_hundred_thousand_members() {
    let rest = Rest::start().await;
    rest.put("/v1/channels/group/crowd", json!({})).await;
    let crowd = ChannelKey {
        realm: Realm::default(),
        kind: ChannelKind::GROUP,
        id: "crowd".into(),
    };
    let users = (0..100_000).map(|n| UserRef {
        num: UserNum(1_000_000 + n),
        uid: Uid::from_store(&format!("u{n}")),
    });
    let users: Vec<_> = users.collect();
    let enter = users.iter().cloned().map(MemberChange::Enter).collect();
    assert_eq!(rest.im.change_members(&crowd, enter).await, Ok(100_000));
    let path = "/v1/channels/group/crowd/members";
    let more = rest
        .app("POST", path, json!({"members": ["one-more"]}))
        .await;
    assert_eq!(more.problem(), (409, "too_many".to_owned()));
    // Whoever is there already takes no place.
    let again = vec![MemberChange::Enter(users[0].clone())];
    assert_eq!(rest.im.change_members(&crowd, again).await, Ok(100_000));
    let left = vec![MemberChange::Leave(users[0].clone())];
    assert_eq!(rest.im.change_members(&crowd, left).await, Ok(99_999));
    rest.app("POST", path, json!({"members": ["one-more"]}))
        .await
        .ok();
}

#[tokio::test]
async fn no_channel_is_called_like_the_server_and_none_of_users_like_an_account() {
    let rest = Rest::start().await;
    let alice = rest.user("alice").await;
    rest.user("vic").await;
    let vic = Uid::parse("vic").expect("a uid");
    let account = rest.im.aliases().of(&Realm::default(), &vic);
    for id in ["SYSTEM", "system", "____x", account.as_str()] {
        for kind in ["group", "community"] {
            let new = json!({"id": id, "kind": kind, "members": ["vic"]});
            let made = rest.call(&alice, "POST", "/v1/channels", new).await;
            assert_eq!(made.status, 422, "{kind} {id}: {}", made.body);
            assert_eq!(made.body["code"], "invalid_channel_id");
        }
    }
    for id in ["System", "____x"] {
        let path = format!("/v1/channels/group/{id}");
        let put = rest.app("PUT", &path, json!({"name": "x"})).await;
        assert_eq!(put.status, 422, "{id}: {}", put.body);
        let members = json!({"members": ["vic"]});
        let put = rest.app("POST", "/v1/channels", json!({"id": id})).await;
        assert_eq!(put.status, 422, "{id}: {}", put.body);
        let put = rest.app("POST", &format!("{path}/members"), members).await;
        assert_eq!(put.status, 404, "{id}: {}", put.body);
    }
    // What looks like an account may be a word.
    rest.put("/v1/channels/group/announcements", json!({"name": "x"}))
        .await;
}
