//! Channels, subscribers, access lists.

use crosstalk_core::channel::{
    Address, ChannelKey, ChannelKind, ChannelRecord, Member, MemberChange, MemberRole,
};
use crosstalk_core::deliver::Sender;
use crosstalk_core::message::{Body as MessageBody, Draft, Flags, OnReuse};
use crosstalk_core::refusal::Refusal;

use super::*;

fn key(kind: ChannelKind, id: &str) -> ChannelKey {
    ChannelKey {
        realm: Realm::default(),
        kind,
        id: id.into(),
    }
}

async fn group(api: &Api, id: &str) -> Result<ChannelRecord, Refusal> {
    api.im.channel(&key(ChannelKind::GROUP, id)).await
}

async fn members(api: &Api, id: &str) -> Vec<String> {
    let members = api
        .im
        .members(&key(ChannelKind::GROUP, id), None, 100)
        .await
        .expect("members");
    let mut uids: Vec<_> = members
        .iter()
        .map(|m| m.user.uid.as_str().to_owned())
        .collect();
    uids.sort();
    uids
}

/// Whether a user may write somewhere, as if a session of theirs did.
async fn may_write(api: &Api, from: &str, kind: u8, id: &str) -> Result<(), Refusal> {
    let realm = Realm::default();
    let uid = Uid::parse(from).expect("a uid");
    let user = api.im.user_ref(&realm, &uid).await.expect("a user");
    let body = MessageBody {
        client_no: "".into(),
        origin: WUKONG_ORIGIN,
        tag: "".into(),
        flags: Flags::default(),
        expire_secs: 0,
        payload: "x".into(),
        ..MessageBody::default()
    };
    let to = Address::parse(ChannelKind(kind), id).expect("an address");
    let draft = Draft {
        to,
        body,
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    let sent = api.im.send_as(&realm, Sender::User(user), draft).await;
    sent.map(|_| ()).map_err(|refused| refused.why)
}

#[tokio::test]
async fn a_channel_is_created_and_overwritten() {
    let api = Api::start().await;
    let new = json!({
        "channel_id": "g1", "channel_type": 2, "large": 1, "ban": true,
        "subscribers": ["u1", "u2", "u1"],
    });
    api.done("/channel", new).await;
    let settings = group(&api, "g1").await.expect("a channel").settings;
    assert!(settings.large && settings.ban && !settings.disband);
    assert_eq!(members(&api, "g1").await, ["u1", "u2"]);
    api.done(
        "/channel",
        json!({"channel_id": "g1", "channel_type": 2, "send_ban": 1}),
    )
    .await;
    let settings = group(&api, "g1").await.expect("a channel").settings;
    assert!(!settings.large && !settings.ban && settings.send_ban);
    assert_eq!(members(&api, "g1").await, ["u1", "u2"]);
    let reset = json!({"channel_id": "g1", "channel_type": 2, "reset": 1, "subscribers": ["u3"]});
    api.done("/channel", reset).await;
    assert_eq!(members(&api, "g1").await, ["u3"]);
    api.done(
        "/channel/info",
        json!({"channel_id": "g2", "channel_type": "2", "disband": 1}),
    )
    .await;
    assert!(group(&api, "g2").await.expect("a channel").settings.disband);
}

#[tokio::test]
async fn what_cannot_be_a_channel_is_refused() {
    let api = Api::start().await;
    for body in [
        json!({"channel_id": "a@b", "channel_type": 2}),
        json!({"channel_id": "a#b", "channel_type": 2}),
        json!({"channel_id": "a&b", "channel_type": 2}),
        json!({"channel_id": "", "channel_type": 2}),
        json!({"channel_id": "g1"}),
        json!({"channel_id": "g1", "channel_type": 0}),
        json!({"channel_id": "g1", "channel_type": 77}),
        json!({"channel_id": "u1", "channel_type": 1, "subscribers": ["u2"]}),
        json!({"channel_id": "g1", "channel_type": 2, "subscribers": ["a@b"]}),
    ] {
        api.refused("/channel", body).await;
    }
    assert_eq!(group(&api, "g1").await, Err(Refusal::NoSuchChannel));
}

#[tokio::test]
async fn a_personal_channel_is_its_user() {
    let api = Api::start().await;
    let info = async |body: Value| api.done("/channel/info", body).await;
    assert_eq!(may_write(&api, "u1", 1, "u2").await, Ok(()));
    info(json!({"channel_id": "u1", "channel_type": 1, "send_ban": 1})).await;
    assert_eq!(
        may_write(&api, "u1", 1, "u2").await,
        Err(Refusal::SendBanned)
    );
    info(json!({"channel_id": "u1", "channel_type": 1})).await;
    assert_eq!(may_write(&api, "u1", 1, "u2").await, Ok(()));
    let session = api.session("u1").await;
    info(json!({"channel_id": "u1", "channel_type": 1, "ban": 1})).await;
    assert!(session.mailbox.drain(false).ending.is_some());
    assert!(api.try_session("u1", "t").await.is_none());
}

#[tokio::test]
async fn subscribers_come_and_go() {
    let api = Api::start().await;
    let add = json!({"channel_id": "g1", "subscribers": ["u1", "u2"]});
    api.done("/channel/subscriber_add", add).await;
    assert_eq!(
        members(&api, "g1").await,
        ["u1", "u2"],
        "the type is a group's if absent"
    );
    let remove = json!({"channel_id": "g1", "channel_type": 2, "subscribers": ["u1", "nobody"]});
    api.done("/channel/subscriber_remove", remove).await;
    assert_eq!(members(&api, "g1").await, ["u2"]);
    let reset = json!({"channel_id": "g1", "channel_type": 2, "reset": 1, "subscribers": ["u5"]});
    api.done("/channel/subscriber_add", reset).await;
    assert_eq!(members(&api, "g1").await, ["u5"]);
    assert!(!api.is_known("nobody").await);
    let all = json!({"channel_id": "g1", "channel_type": 2});
    api.done("/channel/subscriber_remove_all", all).await;
    assert_eq!(members(&api, "g1").await, [""; 0]);
    let unknown = json!({"channel_id": "g9", "channel_type": 2, "subscribers": ["u1"]});
    api.done("/channel/subscriber_remove", unknown).await;
    assert_eq!(group(&api, "g9").await, Err(Refusal::NoSuchChannel));
    for body in [
        json!({"channel_id": "g1", "channel_type": 2}),
        json!({"channel_id": "g1", "channel_type": 2, "subscribers": []}),
        json!({"channel_id": "g1", "subscribers": ["u1"], "temp_subscriber": 1}),
        json!({"channel_id": "u1", "channel_type": 1, "subscribers": ["u2"]}),
        json!({"channel_id": "a@b", "channel_type": 2, "subscribers": ["u2"]}),
    ] {
        api.refused("/channel/subscriber_add", body).await;
    }
}

#[tokio::test]
async fn lists_of_a_channel_decide_who_may_write() {
    let api = Api::start().await;
    let add = json!({"channel_id": "g1", "channel_type": 2, "subscribers": ["u1", "u2"]});
    api.done("/channel/subscriber_add", add).await;
    let list = |uids: Value| json!({"channel_id": "g1", "channel_type": 2, "uids": uids});
    let u1 = async || may_write(&api, "u1", 2, "g1").await;
    api.done("/channel/blacklist_add", list(json!(["u1"])))
        .await;
    assert_eq!(u1().await, Err(Refusal::Blocked));
    api.done("/channel/blacklist_set", list(json!(["u2"])))
        .await;
    assert_eq!(u1().await, Ok(()));
    api.done("/channel/blacklist_remove", list(json!(["u2"])))
        .await;
    api.done("/channel/blacklist_set", list(json!(["u1"])))
        .await;
    api.done("/channel/blacklist_remove_all", list(Value::Null))
        .await;
    assert_eq!(u1().await, Ok(()));
    api.done("/channel/whitelist_add", list(json!(["u2"])))
        .await;
    assert_eq!(u1().await, Err(Refusal::NotAllowListed));
    api.done("/channel/whitelist_set", list(json!(["u1"])))
        .await;
    assert_eq!(u1().await, Ok(()));
    api.done("/channel/whitelist_remove", list(json!(["u1"])))
        .await;
    api.done("/channel/whitelist_set", list(json!(["u2"])))
        .await;
    api.done("/channel/whitelist_set", list(json!([]))).await;
    assert_eq!(u1().await, Ok(()));
    api.refused("/channel/whitelist_add", list(json!([]))).await;
    api.refused("/channel/blacklist_add", list(json!(["a@b"])))
        .await;
    let unknown = json!({"channel_id": "g9", "channel_type": 2, "uids": ["u1"]});
    api.done("/channel/blacklist_remove", unknown).await;
    assert_eq!(group(&api, "g9").await, Err(Refusal::NoSuchChannel));
}

/// Whom `/channel/whitelist` names.
async fn whitelist(api: &Api, kind: u8, id: &str) -> Vec<String> {
    let path = format!("/channel/whitelist?channel_id={id}&channel_type={kind}");
    let listed = api.get(&path).await;
    let listed = listed.as_array().expect("a bare list");
    let mut uids: Vec<String> = listed
        .iter()
        .map(|one| one["uid"].as_str().expect("a uid").to_owned())
        .collect();
    uids.sort();
    uids
}

/// Whom a user blocks.
async fn blocked(api: &Api, uid: &str) -> Vec<String> {
    let uid = Uid::parse(uid).expect("a uid");
    let relations = api.im.relations(&Realm::default(), &uid).await;
    let mut uids: Vec<String> = relations
        .expect("relations")
        .into_iter()
        .filter(|(_, relation)| relation.blocked)
        .map(|(other, _)| other.uid.as_str().to_owned())
        .collect();
    uids.sort();
    uids
}

#[tokio::test]
async fn the_whitelist_of_a_channel_is_told() {
    let api = Api::start().await;
    assert_eq!(whitelist(&api, 2, "g1").await, [""; 0]);
    let list = |uids: Value| json!({"channel_id": "g1", "channel_type": 2, "uids": uids});
    api.done("/channel/blacklist_add", list(json!(["u9"])))
        .await;
    api.done("/channel/whitelist_add", list(json!(["u1", "u2"])))
        .await;
    assert_eq!(whitelist(&api, 2, "g1").await, ["u1", "u2"]);
    let listed = api
        .get("/channel/whitelist?channel_id=g1&channel_type=2")
        .await;
    let mut ids = Vec::new();
    for one in listed.as_array().expect("a list") {
        let id = one["id"].as_i64().expect("a number");
        let uid = one["uid"].clone();
        let whole = json!({"id": id, "uid": uid, "created_at": null, "updated_at": null});
        assert_eq!(*one, whole);
        ids.push(id);
    }
    assert!(ids.is_sorted(), "{ids:?}");
    api.done("/channel/whitelist_remove", list(json!(["u1", "nobody"])))
        .await;
    assert_eq!(whitelist(&api, 2, "g1").await, ["u2"]);
    assert!(!api.is_known("nobody").await);
    api.done("/channel/whitelist_remove_all", list(Value::Null))
        .await;
    assert_eq!(whitelist(&api, 2, "g1").await, [""; 0]);
    for query in [
        "channel_type=2",
        "channel_id=g1",
        "channel_id=a%23b&channel_type=2",
        "channel_id=u%00&channel_type=1",
        "channel_id=____system&channel_type=1",
        "channel_id=g1&channel_type=x",
    ] {
        let path = format!("/channel/whitelist?{query}");
        let answer = api.call("GET", &path, Value::Null).await;
        assert_eq!(answer.status, 400, "{query}");
    }
}

#[tokio::test]
async fn personal_lists_are_set_and_cleared() {
    let api = Api::start().await;
    let list = |uids: Value| json!({"channel_id": "u2", "channel_type": 1, "uids": uids});
    assert_eq!(whitelist(&api, 1, "u2").await, [""; 0]);
    assert!(!api.is_known("u2").await);
    api.done("/channel/blacklist_add", list(json!(["u1", "u7"])))
        .await;
    api.done("/channel/whitelist_set", list(json!(["u1", "u3"])))
        .await;
    assert_eq!(whitelist(&api, 1, "u2").await, ["u1", "u3"]);
    api.done("/channel/whitelist_set", list(json!(["u3", "u4"])))
        .await;
    assert_eq!(whitelist(&api, 1, "u2").await, ["u3", "u4"]);
    assert_eq!(blocked(&api, "u2").await, ["u1", "u7"], "the other list");
    api.done("/channel/blacklist_set", list(json!(["u3", "u7"])))
        .await;
    assert_eq!(blocked(&api, "u2").await, ["u3", "u7"]);
    api.done("/channel/whitelist_remove", list(json!(["u4", "nobody"])))
        .await;
    assert_eq!(whitelist(&api, 1, "u2").await, ["u3"]);
    api.done("/channel/whitelist_remove_all", list(Value::Null))
        .await;
    assert_eq!(whitelist(&api, 1, "u2").await, [""; 0]);
    assert_eq!(blocked(&api, "u2").await, ["u3", "u7"]);
    api.done("/channel/blacklist_remove_all", list(json!(["u3"])))
        .await;
    assert_eq!(blocked(&api, "u2").await, [""; 0]);
    assert!(!api.is_known("nobody").await);
}

#[tokio::test]
async fn long_personal_lists_are_set() {
    let api = Api::start().await;
    let uids = |from: usize| (from..from + 300).map(|n| format!("f{n:04}"));
    let list = |uids: Vec<String>| json!({"channel_id": "u2", "channel_type": 1, "uids": uids});
    for from in [0, 150] {
        api.done("/channel/whitelist_set", list(uids(from).collect()))
            .await;
        assert!(whitelist(&api, 1, "u2").await.into_iter().eq(uids(from)));
    }
}

#[tokio::test]
async fn lists_of_a_personal_channel_are_the_users() {
    let api = Api::start().await;
    api.done("/user/token", json!({"uid": "u2", "token": "t"}))
        .await;
    let list = |uids: Value| json!({"channel_id": "u2", "channel_type": 1, "uids": uids});
    let u1 = async || may_write(&api, "u1", 1, "u2").await;
    api.done("/channel/blacklist_add", list(json!(["u1"])))
        .await;
    assert_eq!(u1().await, Err(Refusal::Blocked));
    assert_eq!(
        may_write(&api, "u2", 1, "u1").await,
        Ok(()),
        "it is one-sided"
    );
    api.done("/channel/blacklist_set", list(json!(["u1", "u3"])))
        .await;
    assert_eq!(may_write(&api, "u3", 1, "u2").await, Err(Refusal::Blocked));
    api.done("/channel/blacklist_remove", list(json!(["u1", "u3"])))
        .await;
    api.done("/channel/blacklist_set", list(json!([]))).await;
    assert_eq!(u1().await, Ok(()));
    api.done("/channel/whitelist_add", list(json!(["u1"])))
        .await;
    let u2 = api
        .im
        .user(&Realm::default(), &Uid::parse("u2").expect("a uid"))
        .await;
    assert_eq!(u2.expect("a user").allowed.len(), 1);
    api.refused("/channel/blacklist_add", list(json!([]))).await;
}

#[tokio::test]
async fn whoever_is_a_subscriber_keeps_their_role() {
    let api = Api::start().await;
    let g1 = key(ChannelKind::GROUP, "g1");
    let u1 = api
        .im
        .user_ref(&Realm::default(), &Uid::parse("u1").expect("a uid"))
        .await
        .expect("a user");
    let join = vec![MemberChange::Join(u1, MemberRole::Owner)];
    api.im.change_members(&g1, join).await.expect("an owner");
    let body = |reset: u8, uids: Value| json!({"channel_id": "g1", "channel_type": 2, "reset": reset, "subscribers": uids});
    let roles = async || {
        let members = api.im.members(&g1, None, 10).await.expect("members");
        let role = |member: &Member| format!("{} {}", member.user.uid, member.role.name());
        members.iter().map(role).collect::<Vec<_>>()
    };
    for (reset, route) in [(0, "/channel/subscriber_add"), (1, "/channel")] {
        api.done(route, body(reset, json!(["u1", "u2"]))).await;
        assert_eq!(roles().await, ["u1 owner", "u2 member"], "{route}");
    }
    api.done("/channel/subscriber_add", body(1, json!(["u2"])))
        .await;
    assert_eq!(roles().await, ["u2 member"], "the owner is no exception");
}
