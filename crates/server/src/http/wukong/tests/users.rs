//! Tokens, presence, devices.

use crosstalk_core::im::KeepFriend;
use crosstalk_core::session::{Displacement, Ending};

use super::*;

#[tokio::test]
async fn a_registered_token_logs_in_and_a_new_master_token_ends_the_old_session() {
    let api = Api::start().await;
    let session = api.session("u1").await;
    assert!(api.try_session("u1", "other").await.is_none());
    let token = json!({"uid": "u1", "token": "t2", "device_flag": "1", "device_level": 1});
    api.done("/user/token", token).await;
    assert_eq!(
        session.mailbox.drain(false).ending,
        Some(Ending::Displaced(Displacement::Kicked))
    );
    assert!(api.try_session("u1", "t").await.is_none());
    assert!(api.try_session("u1", "t2").await.is_some());
}

#[tokio::test]
async fn what_cannot_be_registered_is_refused() {
    let api = Api::start().await;
    for body in [
        json!({"uid": "", "token": "t"}),
        json!({"uid": "a@b", "token": "t"}),
        json!({"uid": "a#b", "token": "t"}),
        json!({"uid": "a&b", "token": "t"}),
        json!({"uid": "____system", "token": "t"}),
        json!({"uid": "u1", "token": ""}),
        json!({"uid": "u1"}),
        json!({"uid": "u1", "token": "t", "device_level": 2}),
        json!({"uid": "u1", "token": "t", "device_flag": -1}),
        json!({"uid": "u1", "token": "t", "device_flag": "web"}),
    ] {
        api.refused("/user/token", body).await;
    }
    api.done(
        "/channel/info",
        json!({"channel_id": "u1", "channel_type": 1, "ban": 1}),
    )
    .await;
    let banned = api
        .post("/user/token", json!({"uid": "u1", "token": "t"}))
        .await;
    assert_eq!(banned, json!({"status": 19}));
}

#[tokio::test]
async fn numbers_are_ids_too() {
    let api = Api::start().await;
    api.done(
        "/user/token",
        json!({"uid": 10001, "token": 7, "device_flag": 1}),
    )
    .await;
    assert!(api.try_session("10001", "7").await.is_some());
}

#[tokio::test]
async fn presence_has_one_element_per_connection() {
    let api = Api::start().await;
    let _u1 = api.session("u1").await;
    let _u2 = api.session("u2").await;
    let online = api
        .post("/user/onlinestatus", json!(["u1", "u3", "a@b", "u2"]))
        .await;
    let expected = json!([
        {"uid": "u1", "device_flag": 1, "online": 1},
        {"uid": "u2", "device_flag": 1, "online": 1},
    ]);
    assert_eq!(online, expected);
    assert_eq!(
        api.post("/user/onlinestatus", json!(["u3"])).await,
        json!([])
    );
    api.done("/user/onlinestatus", json!([])).await;
}

#[tokio::test]
async fn a_device_that_quits_is_out_and_stays_out() {
    let api = Api::start().await;
    let session = api.session("u1").await;
    api.done("/user/device_quit", json!({"uid": "u1", "device_flag": 0}))
        .await;
    assert_eq!(
        session.mailbox.drain(false).ending,
        None,
        "another kind of device"
    );
    api.done("/user/device_quit", json!({"uid": "u1", "device_flag": -1}))
        .await;
    let ending = session.mailbox.drain(false).ending;
    assert_eq!(ending, Some(Ending::Displaced(Displacement::Kicked)));
    assert!(api.try_session("u1", "t").await.is_none());
    assert!(api.try_session("u1", "").await.is_none());
    api.done(
        "/user/device_quit",
        json!({"uid": "nobody", "device_flag": 1}),
    )
    .await;
    assert!(!api.is_known("nobody").await);
    api.refused("/user/device_quit", json!({"device_flag": 1}))
        .await;
}

#[tokio::test]
async fn a_banned_user_quits_for_good() {
    let api = Api::start().await;
    let ban = async |ban: u8| {
        let info = json!({"channel_id": "u1", "channel_type": 1, "ban": ban});
        api.done("/channel/info", info).await;
    };
    let _session = api.session("u1").await;
    ban(1).await;
    api.done("/user/device_quit", json!({"uid": "u1", "device_flag": 1}))
        .await;
    ban(0).await;
    assert!(api.try_session("u1", "t").await.is_none());
}

/// Neither in their own name nor by being put somewhere; and nobody is told what they wrote.
#[tokio::test]
async fn who_was_erased_neither_speaks_nor_belongs_to_anything() {
    let api = Api::start().await;
    for uid in ["zed", "bob"] {
        api.session(uid).await;
    }
    let (realm, zed) = (Realm::default(), Uid::parse("zed").expect("a uid"));
    let bob = Uid::parse("bob").expect("a uid");
    let ask = KeepFriend {
        message: "ZEDMARK".to_owned(),
        ..KeepFriend::default()
    };
    let asked = api.im.ask_friend(&realm, &zed, &bob, &ask).await;
    asked.expect("asked");
    let command = json!({
        "header": {"sync_once": 1}, "from_uid": "zed", "channel_id": "bob", "channel_type": 1,
        "payload": STANDARD.encode(r#"{"type":99,"cmd":"ZEDMARK"}"#),
    });
    api.post("/message/send", command).await;
    let waiting = async || {
        let waiting = api.post("/message/sync", json!({"uid": "bob"})).await;
        let payloads = waiting.as_array().expect("a list").iter().map(|it| {
            let bytes = STANDARD.decode(it["payload"].as_str().unwrap_or_default());
            String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
        });
        payloads.collect::<String>()
    };
    assert_eq!(waiting().await.matches("ZEDMARK").count(), 2);
    let erased = api.im.erase_user(&realm, &zed, "admin").await;
    erased.expect("begun");
    api.im.work_off(&|_| String::new()).await;
    let left = waiting().await;
    assert!(!left.contains("ZEDMARK"), "{left}");
    let send = json!({
        "from_uid": "zed", "channel_id": "bob", "channel_type": 1, "payload": PAYLOAD,
    });
    let send_to = json!({
        "from_uid": "bob", "channel_id": "zed", "channel_type": 1, "payload": PAYLOAD,
    });
    let group = json!({"channel_id": "g", "channel_type": 2, "subscribers": ["zed"]});
    let list = json!({"channel_id": "g", "channel_type": 2, "uids": ["zed"]});
    let token = json!({"uid": "zed", "token": "t", "device_flag": 1, "device_level": 1});
    for (path, body) in [
        ("/message/send", send),
        ("/message/send", send_to),
        ("/channel", group.clone()),
        ("/channel/subscriber_add", group),
        ("/channel/whitelist_add", list.clone()),
        ("/channel/blacklist_add", list),
        ("/user/systemuids_add", json!({"uids": ["zed"]})),
    ] {
        api.refused(path, body).await;
    }
    let banned = api.post("/user/token", token).await;
    assert_eq!(banned["status"], 19, "{banned}");
    assert!(api.try_session("zed", "t").await.is_none());
    let members = json!({"channel_id": "g", "channel_type": 2, "subscribers": ["zed"]});
    api.done("/channel/subscriber_remove", members).await;
}
