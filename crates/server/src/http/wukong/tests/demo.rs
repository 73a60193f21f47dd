//! The demo backend's routes: taking back, receipts, extras.

mod commands;
mod conversations;
mod friends;
mod marks;
mod users;

use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::deliver::Sender;
use crosstalk_core::directory::{AppId, UserChange};
use crosstalk_core::message::{Body as MessageBody, Draft, Flags, OnReuse};

use super::*;

const MANAGER: &str = "a long manager token";

/// An answer to a request with this token.
async fn call(api: &Api, token: &str, path: &str, body: &Value) -> Answer {
    let mut request = Request::builder().method("POST").uri(path);
    if !token.is_empty() {
        request = request.header("token", token);
    }
    let request = request.body(Body::from(body.to_string()));
    api.send(request.expect("a request")).await
}

/// The body of a request of the manager's that must succeed.
async fn managed(api: &Api, path: &str, body: Value) -> Value {
    let answer = call(api, MANAGER, path, &body).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

/// A group with a message of u1's that asks for receipts, and its id.
async fn with_message() -> (Api, Value) {
    let api = Api::with_token(Some(MANAGER)).await;
    let group = json!({"channel_id": "g1", "channel_type": 2, "subscribers": ["u1", "u2", "u3"]});
    managed(&api, "/channel", group).await;
    for uid in ["u1", "u2", "u3", "u4"] {
        let token = json!({"uid": uid, "token": format!("t-{uid}"), "device_flag": 1});
        managed(&api, "/user/token", token).await;
    }
    let realm = Realm::default();
    let author = Uid::parse("u1").expect("a uid");
    let author = api.im.user_ref(&realm, &author).await.expect("a user");
    let draft = Draft {
        to: Address::parse(ChannelKind::GROUP, "g1").expect("an address"),
        body: MessageBody {
            client_no: "m-1".into(),
            origin: WUKONG_ORIGIN,
            tag: "2".into(),
            flags: Flags {
                counts: true,
                receipt: true,
                ..Flags::default()
            },
            payload: r#"{"type":2,"url":"u"}"#.into(),
            ..MessageBody::default()
        },
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    let sent = api.im.send_as(&realm, Sender::User(author), draft).await;
    let id = json!(sent.expect("sent").id.to_string());
    (api, id)
}

/// The next message of a session: changes are told in their own time.
async fn next(session: &Session) -> Arc<Message> {
    let waiting = async {
        loop {
            if let Some(told) = received(session).pop() {
                return told;
            }
            session.mailbox.ready().await;
        }
    };
    let told = tokio::time::timeout(std::time::Duration::from_secs(20), waiting).await;
    told.expect("in time")
}

fn at(uid: &str, members: &Value) -> Value {
    let mut body = json!({"login_uid": uid, "channel_id": "g1", "channel_type": 2});
    for (name, value) in members.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn a_message_is_taken_back_and_says_so_everywhere() {
    let (api, id) = with_message().await;
    let session = api.try_session("u2", "t-u2").await.expect("a session");
    let revoke = at(
        "u1",
        &json!({"message_id": id, "client_msg_no": "m-1", "message_seq": 1}),
    );
    let done = call(&api, "t-u1", "/v1/message/revoke", &revoke).await;
    assert_eq!((done.status, done.body), (200, json!({"status": 200})));

    // Everybody is told by a CMD…
    let told = next(&session).await;
    let payload = crosstalk_gateway::wukong_payload(&told, "u2");
    let payload: Value = serde_json::from_slice(&payload).expect("JSON");
    assert_eq!(
        payload,
        json!({"type": 99, "cmd": "messageRevoke", "param": {
            "channel_id": "g1", "channel_type": 2, "message_id": id, "client_msg_no": "m-1",
        }})
    );
    // … finds it among the extras …
    let sync = at(
        "u2",
        &json!({"source": "u2", "limit": 100, "extra_version": 0}),
    );
    let rows = call(&api, "t-u2", "/v1/message/extra/sync", &sync)
        .await
        .body;
    let number: i64 = id.as_str().and_then(|id| id.parse().ok()).expect("an id");
    assert_eq!(rows[0]["message_id"], number);
    let row = json!({
        "message_id": number, "message_id_str": id, "client_msg_no": "m-1", "channel_id": "g1",
        "channel_type": 2, "revoke": 1, "revoker": "u1", "readed": 0, "readed_count": 0,
        "unread_count": 2, "content_edit": null, "edited_at": 0, "is_mutual_deleted": 0,
        "extra_version": rows[0]["extra_version"],
    });
    assert_eq!(rows, json!([row]));
    // … and in the history without what it said, but with its type.
    let asked = at("u2", &json!({"limit": 20}));
    let page = managed(&api, "/channel/messagesync", asked).await;
    let message = &page["messages"][0];
    let payload = STANDARD.decode(message["payload"].as_str().expect("a text"));
    let payload: Value = serde_json::from_slice(&payload.expect("base64")).expect("JSON");
    assert_eq!(payload, json!({"type": 2, "content": ""}));
    assert_eq!(
        (&message["revoke"], &message["message_extra"]["revoke"]),
        (&json!(1), &json!(1))
    );

    // Nothing is left to be told after that version.
    let version = rows[0]["extra_version"].clone();
    let sync = at("u2", &json!({"extra_version": version}));
    let rows = call(&api, "t-u2", "/v1/message/extra/sync", &sync)
        .await
        .body;
    assert_eq!(rows, json!([]));
}

#[tokio::test]
async fn late_foreign_and_unknown_revocations_are_refused() {
    let (api, id) = with_message().await;
    let revoke = |uid: &str, id: &Value| at(uid, &json!({"message_id": id}));
    let foreign = call(&api, "t-u2", "/v1/message/revoke", &revoke("u2", &id)).await;
    assert_eq!(
        (foreign.status, &foreign.body["status"]),
        (403, &json!(403))
    );
    let unknown = call(
        &api,
        "t-u1",
        "/v1/message/revoke",
        &revoke("u1", &json!("17")),
    )
    .await;
    assert_eq!(unknown.status, 400);
    api.clock.advance_ms(121_000);
    let late = call(&api, "t-u1", "/v1/message/revoke", &revoke("u1", &id)).await;
    assert_eq!(
        (late.status, &late.body["msg"]),
        (400, &json!("超过撤回时间"))
    );
    let rows = managed(&api, "/v1/message/extra/sync", at("u2", &json!({}))).await;
    assert_eq!(rows, json!([]));
}

#[tokio::test]
async fn readers_are_counted_and_the_author_is_told() {
    let (api, id) = with_message().await;
    let author = api.try_session("u1", "t-u1").await.expect("a session");
    for uid in ["u2", "u3", "u3"] {
        let read = at(uid, &json!({"message_ids": [id]}));
        let done = call(&api, &format!("t-{uid}"), "/v1/message/readed", &read).await;
        assert_eq!((done.status, done.body), (200, json!({"status": 200})));
    }
    let rows = managed(&api, "/v1/message/extra/sync", at("u1", &json!({}))).await;
    let counts = (&rows[0]["readed_count"], &rows[0]["unread_count"]);
    assert_eq!(counts, (&json!(2), &json!(0)));
    let told = next(&author).await;
    let payload = crosstalk_gateway::wukong_payload(&told, "u1");
    let payload: Value = serde_json::from_slice(&payload).expect("JSON");
    assert_eq!(
        payload,
        json!({"type": 99, "cmd": "syncMessageExtra",
               "param": {"channel_id": "g1", "channel_type": 2,
                         "messages": [{"message_id": id, "client_msg_no": "m-1"}]}})
    );
}

#[tokio::test]
async fn a_user_acts_for_nobody_else() {
    let (api, id) = with_message().await;
    let revoke = at("u1", &json!({"message_id": id}));
    let none = call(&api, "", "/v1/message/revoke", &revoke).await;
    assert_eq!(none.status, 401);
    let unknown = call(&api, "t-u9", "/v1/message/revoke", &revoke).await;
    assert_eq!(unknown.status, 401);
    let wrong = call(&api, "t-u2", "/v1/message/revoke", &revoke).await;
    assert_eq!(wrong.status, 403, "it is u2's");
    let stranger = at("u4", &json!({}));
    let stranger = call(&api, "t-u4", "/v1/message/extra/sync", &stranger).await;
    assert_eq!(stranger.status, 403, "u4 is no member");
    let nobody = call(&api, MANAGER, "/v1/message/revoke", &at("", &json!({}))).await;
    assert_eq!(nobody.status, 400);
}

#[tokio::test]
async fn a_registered_token_says_whose_it_is() {
    let (api, id) = with_message().await;
    let read = at("", &json!({"message_ids": [id]}));
    let nobody = call(&api, "t-u9", "/v1/message/readed", &read).await;
    assert_eq!(nobody.status, 401);
    let read = call(&api, "t-u2", "/v1/message/readed", &read).await;
    assert_eq!(read.status, 200, "{}", read.body);
    let rows = managed(&api, "/v1/message/extra/sync", at("u1", &json!({}))).await;
    assert_eq!(rows[0]["readed_count"], 1);
    // The reader's own row says so, too: the conversation is not read up to there.
    let own = call(&api, "t-u2", "/v1/message/extra/sync", &at("", &json!({}))).await;
    assert_eq!(own.body[0]["readed"], 1);
    let other = call(&api, "t-u3", "/v1/message/extra/sync", &at("", &json!({}))).await;
    assert_eq!(other.body[0]["readed"], 0);
    // What two have says nothing by itself.
    let shared = json!({"uid": "u3", "token": "t-u2", "device_flag": 0});
    managed(&api, "/user/token", shared).await;
    let sync = |uid| at(uid, &json!({}));
    let path = "/v1/message/extra/sync";
    assert_eq!(call(&api, "t-u2", path, &sync("")).await.status, 401);
    assert_eq!(call(&api, "t-u2", path, &sync("u2")).await.status, 200);
    assert_eq!(call(&api, "t-u2", path, &sync("u3")).await.status, 200);
}

#[tokio::test]
async fn tokens_cannot_be_guessed_here_either() {
    let (api, _) = with_message().await;
    let sync = at("u1", &json!({}));
    let mut guesses = Vec::new();
    for n in 0..30 {
        let guess = call(&api, &format!("g{n}"), "/v1/message/extra/sync", &sync).await;
        guesses.push(guess.status);
    }
    assert_eq!((guesses[0], guesses[29]), (401, 429));
    let right = call(&api, "t-u1", "/v1/message/extra/sync", &sync).await;
    assert_eq!(right.status, 429, "not even the right one, for a while");
    let other = call(
        &api,
        "t-u2",
        "/v1/message/extra/sync",
        &at("u2", &json!({})),
    )
    .await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn a_banned_user_acts_no_more_with_a_token_either() {
    let (api, _) = with_message().await;
    let realm = Realm::default();
    let app = api.im.apps().get(&AppId::default()).expect("the app");
    let uid = Uid::parse("u1").expect("a uid");
    let token = api
        .im
        .issue_token(&app, &uid, 60, None)
        .await
        .expect("a token");
    let sync = at("", &json!({}));
    let before = call(&api, &token.token, "/v1/message/extra/sync", &sync).await;
    assert_eq!(before.status, 200, "{}", before.body);
    let ban = UserChange {
        ban: Some(true),
        ..UserChange::default()
    };
    api.im.put_user(&realm, &uid, &ban).await.expect("banned");
    let after = call(&api, &token.token, "/v1/message/extra/sync", &sync).await;
    assert_eq!(after.status, 400);
}

#[tokio::test]
async fn mentions_are_reminders_by_version() {
    let (api, _) = with_message().await;
    let payload = json!({"type": 1, "content": "@", "mention": {"uids": ["u2"]}}).to_string();
    let draft = Draft {
        to: Address::parse(ChannelKind::GROUP, "g1").expect("an address"),
        body: MessageBody {
            origin: WUKONG_ORIGIN,
            tag: "1".into(),
            flags: Flags {
                counts: true,
                ..Flags::default()
            },
            payload: payload.into(),
            ..MessageBody::default()
        },
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    let mut draft = draft;
    crosstalk_gateway::examine(&mut draft);
    let realm = Realm::default();
    let author = Uid::parse("u1").expect("a uid");
    let author = api.im.user_ref(&realm, &author).await.expect("a user");
    let later = draft.clone();
    let sent = api
        .im
        .send_as(&realm, Sender::User(author.clone()), draft)
        .await
        .expect("sent");
    let sync = async |uid: &str, version: i64| {
        let body = json!({"login_uid": uid, "version": version, "limit": 10});
        managed(&api, "/v1/message/reminder/sync", body).await
    };
    let rows = sync("u2", 0).await;
    let row = &rows[0];
    assert_eq!(row["message_id"], sent.id.to_string());
    assert_eq!(
        (&row["channel_id"], &row["channel_type"]),
        (&json!("g1"), &json!(2))
    );
    assert_eq!(
        (&row["reminder_type"], &row["done"], &row["uid"]),
        (&json!(1), &json!(0), &json!("u2"))
    );
    let version = row["version"].as_i64().expect("a version");
    assert_eq!(sync("u2", version).await, json!([]));
    assert_eq!(sync("u3", 0).await, json!([]));
    // The SDKs send a bare list, with a token that says whose it is.
    let app = api.im.apps().get(&AppId::default()).expect("the app");
    let reader = Uid::parse("u2").expect("a uid");
    let issued = api.im.issue_token(&app, &reader, 60, None).await;
    let token = issued.expect("a token").token;
    let path = "/v1/message/reminder/done";
    let session = api.try_session("u2", "t-u2").await.expect("a session");
    let done = call(&api, &token, path, &json!([sent.id.0])).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let rows = sync("u2", version).await;
    assert_eq!(
        (&rows[0]["done"], &rows[0]["id"]),
        (&json!(1), &json!(sent.id.0))
    );
    // The user's other devices are told.
    let told = next(&session).await;
    let payload = crosstalk_gateway::wukong_payload(&told, "u2");
    let payload: Value = serde_json::from_slice(&payload).expect("JSON");
    let expected = json!({"type": 99, "cmd": "syncReminders",
                          "param": {"channel_id": "g1", "channel_type": 2}});
    assert_eq!(payload, expected);
    let version = rows[0]["version"].as_i64().expect("a version");
    // What is gone is done with, and comes with a new version.
    let second = api.im.send_as(&realm, Sender::User(author.clone()), later);
    let second = second.await.expect("sent").id;
    let rows = sync("u2", version).await;
    assert_eq!(
        (&rows[0]["id"], &rows[0]["done"]),
        (&json!(second.0), &json!(0))
    );
    let version = rows[0]["version"].as_i64().expect("a version");
    let by = crosstalk_core::deliver::Operator::User(author);
    api.im.revoke(&realm, second, by).await.expect("revoked");
    let rows = sync("u2", version).await;
    assert_eq!(
        (&rows[0]["id"], &rows[0]["done"]),
        (&json!(second.0), &json!(1))
    );
    let version = rows[0]["version"].as_i64().expect("a version");
    assert_eq!(sync("u2", version).await, json!([]));
    let again = json!({"login_uid": "u2", "ids": [sent.id.to_string()]});
    assert_eq!(call(&api, "t-u2", path, &again).await.status, 200);
    let none = call(&api, &token, path, &json!([])).await;
    assert_eq!(none.status, 400);
    let own = call(&api, "t-u2", path, &json!([sent.id.0])).await;
    assert_eq!(own.status, 200, "{}", own.body);
    let nobody = call(&api, "t-u9", path, &json!([sent.id.0])).await;
    assert_eq!(nobody.status, 401);
}
