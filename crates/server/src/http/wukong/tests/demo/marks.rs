//! Editing, deleting, reactions and pins.

use super::*;

/// The rows of a sync for u2.
async fn extras(api: &Api, version: i64) -> Value {
    let sync = at("u2", &json!({"extra_version": version}));
    managed(api, "/v1/message/extra/sync", sync).await
}

#[tokio::test]
async fn an_edit_is_among_the_extras_and_in_the_history() {
    let (api, id) = with_message().await;
    let edit = |uid: &str| {
        let content = json!({"type": 2, "url": "other"});
        at(uid, &json!({"message_id": id, "content_edit": content}))
    };
    let refused = call(&api, "t-u2", "/v1/message/edit", &edit("u2")).await;
    assert_eq!(refused.status, 403);
    let done = call(&api, "t-u1", "/v1/message/edit", &edit("u1")).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let rows = extras(&api, 0).await;
    assert_eq!(rows[0]["content_edit"], json!({"type": 2, "url": "other"}));
    assert!(rows[0]["edited_at"].as_i64().is_some_and(|at| at > 0));
    assert_eq!(rows[0]["revoke"], 0);
    let asked = at("u2", &json!({"limit": 20}));
    let page = managed(&api, "/v1/message/channel/sync", asked).await;
    let message = &page["messages"][0];
    assert_eq!(message["payload"]["url"], "other");
    assert_eq!(message["message_extra"]["content_edit"]["url"], "other");
    let wrong = at("u1", &json!({"message_id": id, "content_edit": "x"}));
    assert_eq!(
        call(&api, "t-u1", "/v1/message/edit", &wrong).await.status,
        400
    );
    // For everybody its time is over with the message.
    let delete = at("u1", &json!({"message_id": id, "mutual": 1}));
    managed(&api, "/v1/message/delete", delete).await;
    let rows = extras(&api, 0).await;
    assert_eq!(rows[0]["content_edit"], Value::Null);
    assert_eq!(
        (&rows[0]["is_mutual_deleted"], &rows[0]["revoke"]),
        (&json!(1), &json!(0))
    );
}

#[tokio::test]
async fn reactions_come_and_go_by_version() {
    let (api, id) = with_message().await;
    let react = |uid: &str| at(uid, &json!({"message_id": id, "emoji": "👍"}));
    managed(&api, "/v1/reactions", react("u2")).await;
    managed(&api, "/v1/reactions", react("u3")).await;
    let outside = call(&api, "t-u4", "/v1/reactions", &react("u4")).await;
    assert_ne!(outside.status, 200);
    for blank in ["", " ", "\u{3000} \t"] {
        let blank = at("u2", &json!({"message_id": id, "emoji": blank}));
        let refused = call(&api, "t-u2", "/v1/reactions", &blank).await;
        assert_eq!(refused.status, 400);
    }
    let rows = managed(&api, "/v1/reaction/sync", at("u1", &json!({"seq": 0}))).await;
    assert_eq!(
        (&rows[0]["uid"], &rows[0]["emoji"]),
        (&json!("u2"), &json!("👍"))
    );
    assert_eq!(
        (&rows[1]["uid"], &rows[1]["is_deleted"]),
        (&json!("u3"), &json!(0))
    );
    let seq = rows[1]["seq"].clone();
    // The same again takes it away.
    managed(&api, "/v1/reactions", react("u2")).await;
    let since = at("u1", &json!({"seq": seq}));
    let rows = managed(&api, "/v1/reactions/sync", since).await;
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&rows[0]["uid"], &rows[0]["is_deleted"]),
        (&json!("u2"), &json!(1))
    );
}

#[tokio::test]
async fn pins_are_those_of_the_channel() {
    let (api, id) = with_message().await;
    let sent = json!({
        "from_uid": "u2", "channel_id": "u1", "channel_type": 1,
        "payload": STANDARD.encode(r#"{"type":1,"content":"x"}"#), "header": {"red_dot": 1},
    });
    let sent = managed(&api, "/message/send", sent).await;
    let other = sent["data"]["message_idstr"].clone();
    let member = call(
        &api,
        "t-u2",
        "/v1/message/pinned",
        &at("u2", &json!({"message_id": id})),
    )
    .await;
    assert_eq!(member.status, 403);
    let direct = |uid: &str, peer: &str| {
        json!({
            "login_uid": uid, "channel_id": peer, "channel_type": 1, "message_id": other,
        })
    };
    managed(&api, "/v1/message/pinned", direct("u1", "u2")).await;
    let pins = managed(&api, "/v1/message/pinned/sync", direct("u2", "u1")).await;
    assert_eq!(pins["pinned_messages"][0]["message_id_str"], other);
    assert_eq!(pins["messages"][0]["payload"]["content"], "x");
    managed(&api, "/v1/message/pinned/clear", direct("u2", "u1")).await;
    let pins = managed(&api, "/v1/message/pinned/sync", direct("u2", "u1")).await;
    assert_eq!(pins, json!({"pinned_messages": [], "messages": []}));
}

#[tokio::test]
async fn rows_of_messages_have_reactions_and_extras_as_their_syncs() {
    let (api, id) = with_message().await;
    let profile = UserChange {
        profile: Some(json!({"name": "Ada"}).to_string()),
        ..UserChange::default()
    };
    let uid = Uid::parse("u2").expect("a uid");
    let put = api.im.put_user(&Realm::default(), &uid, &profile).await;
    put.expect("a profile");
    let react = at("u2", &json!({"message_id": id, "emoji": "👍"}));
    managed(&api, "/v1/reactions", react).await;
    let read = at("u2", &json!({"message_ids": [id]}));
    managed(&api, "/v1/message/readed", read).await;
    let number = id.as_str().and_then(|id| id.parse().ok()).expect("an id");
    let number = crosstalk_core::id::MessageId(number);
    let by = crosstalk_core::deliver::Operator::Application;
    let pinned = api.im.pin(&Realm::default(), number, by, true).await;
    pinned.expect("pinned");

    let reactions = managed(&api, "/v1/reaction/sync", at("u2", &json!({}))).await;
    let row = &reactions[0];
    assert_eq!(
        (&row["client_msg_no"], &row["uid"], &row["name"]),
        (&json!("m-1"), &json!("u2"), &json!("Ada"))
    );
    let extra = extras(&api, 0).await[0].clone();
    assert_eq!(
        (&extra["readed_count"], &extra["is_pinned"]),
        (&json!(1), &json!(1))
    );
    let asked = at("u2", &json!({"limit": 20}));
    let page = managed(&api, "/v1/message/channel/sync", asked).await;
    let pins = managed(&api, "/v1/message/pinned/sync", at("u2", &json!({}))).await;
    assert_eq!(pins["pinned_messages"][0]["client_msg_no"], "m-1");
    let of_message = |rows: &Value| {
        let mut rows = rows.as_array().expect("a list").iter();
        rows.find(|row| row["message_idstr"] == id).cloned()
    };
    for rows in [&page["messages"], &pins["messages"]] {
        let row = of_message(rows).expect("its row");
        assert_eq!(row["reactions"], reactions);
        assert_eq!(row["message_extra"], extra);
    }
}

#[tokio::test]
async fn what_one_has_deleted_keeps_its_place_and_says_nothing() {
    let (api, id) = with_message().await;
    let react = at("u3", &json!({"message_id": id, "emoji": "👍"}));
    managed(&api, "/v1/reactions", react).await;
    let more = json!({
        "from_uid": "u1", "channel_id": "g1", "channel_type": 2, "payload": PAYLOAD,
    });
    let more = managed(&api, "/message/send", more).await;
    let other = more["data"]["message_idstr"].clone();
    for message in [&id, &other] {
        let delete = at("u2", &json!({"message_id": message}));
        managed(&api, "/v1/message/delete", delete).await;
    }
    let path = "/v1/message/channel/sync";
    let asked = |uid: &str| at(uid, &json!({"limit": 20}));
    let rows = managed(&api, path, asked("u2")).await["messages"].clone();
    assert_eq!(seqs(&rows), [1, 2]);
    for (row, id, kind) in [(&rows[0], &id, 2), (&rows[1], &other, 1)] {
        assert_eq!((&row["message_idstr"], &row["is_deleted"]), (id, &json!(1)));
        assert_eq!(row["payload"], json!({"type": kind, "content": ""}));
        assert_eq!(row["reactions"], json!([]));
    }
    assert_eq!(
        rows[1]["message_extra"],
        Value::Null,
        "nothing became of it"
    );
    let rows = managed(&api, path, asked("u3")).await["messages"].clone();
    assert_eq!(rows[0]["is_deleted"], 0);
    assert_eq!(rows[0]["payload"]["url"], "u");
    assert_eq!(rows[0]["reactions"][0]["emoji"], "👍");
}

#[tokio::test]
async fn readers_are_called_as_their_profiles_say() {
    let (api, id) = with_message().await;
    let named = UserChange {
        profile: Some(json!({"name": "Ada"}).to_string()),
        ..UserChange::default()
    };
    let uid = Uid::parse("u2").expect("a uid");
    let put = api.im.put_user(&Realm::default(), &uid, &named).await;
    put.expect("a profile");
    for uid in ["u2", "u3"] {
        let read = at(uid, &json!({"message_ids": [id]}));
        managed(&api, "/v1/message/readed", read).await;
    }
    let id = id.as_str().expect("an id");
    let path = format!("/v1/message/{id}/receipt");
    let (status, body) = super::users::ask(&api, "GET", "t-u1", &path, json!({})).await;
    assert_eq!(status, 200, "{body}");
    let named = |at: usize| (&body["users"][at]["uid"], &body["users"][at]["name"]);
    assert_eq!(named(0), (&json!("u2"), &json!("Ada")));
    assert_eq!(named(1), (&json!("u3"), &json!("u3")));
}
