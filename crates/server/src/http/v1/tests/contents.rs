//! What messages say, whichever way they come in and go out: how much stands in them, what
//! edits and forwards make of them, and to what they reply.

use crosstalk_core::channel::{
    Address, ChannelChange, ChannelKey, ChannelKind, Circle, HistoryFrom,
};
use crosstalk_core::deliver::Sender;
use crosstalk_core::id::MessageId;
use crosstalk_core::message::{Body as MessageBody, Draft, Flags, Message, OnReuse};
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::{
    Dialect, NewBody, content_of, edit_message, examine, note_reply, stomp_message, wukong_payload,
    wukong_tag,
};

use super::*;

const TEAM: &str = "/v1/channels/group/team";

/// Alice, who owns the group `team`, where only those who moderate it may mention all, and bob
/// and carol, who are its members.
async fn with_team() -> Rest {
    let rest = Rest::start().await;
    for uid in ["alice", "bob", "carol"] {
        rest.user(uid).await;
    }
    rest.put(TEAM, json!({"owner": "alice", "members": ["bob", "carol"]}))
        .await;
    let key = ChannelKey {
        realm: Realm::default(),
        kind: ChannelKind::GROUP,
        id: "team".into(),
    };
    let change = ChannelChange {
        mention_all_by: Some(Circle::Administrators),
        ..ChannelChange::default()
    };
    rest.im.put_channel(&key, change).await.expect("set");
    rest
}

/// What somebody says in the team.
#[allow(clippy::needless_pass_by_value)] // literals
fn said(from: &str, content: Value) -> Value {
    json!({"from": from, "to": {"kind": "group", "id": "team"}, "content": content})
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

async fn send(rest: &Rest, message: Value) -> String {
    let sent = rest.post("/v1/messages", message).await;
    sent["id"].as_str().expect("an id").to_owned()
}

async fn patch(rest: &Rest, by: &str, id: &str, content: Value) -> Answer {
    let edit = json!({"operator": by, "content": content});
    rest.app("PATCH", &format!("/v1/messages/{id}"), edit).await
}

async fn message(rest: &Rest, id: &str) -> Message {
    let id = MessageId(id.parse().expect("a number"));
    rest.im.message(id).await.expect("a message")
}

/// What a client of a dialect says in the team.
async fn write(
    rest: &Rest,
    from: &str,
    (dialect, tag): (Dialect, &str),
    (client_no, payload, extra): (&str, &str, &str),
) -> String {
    let realm = Realm::default();
    let uid = Uid::parse(from).expect("a uid");
    let author = rest.im.user_ref(&realm, &uid).await.expect("a user");
    let mut draft = Draft {
        to: Address::parse(ChannelKind::GROUP, "team").expect("an address"),
        body: MessageBody {
            client_no: client_no.into(),
            origin: dialect.origin(),
            tag: tag.into(),
            flags: Flags {
                counts: true,
                ..Flags::default()
            },
            payload: payload.to_owned().into(),
            extra: (!extra.is_empty()).then(|| extra.to_owned().into()),
            ..MessageBody::default()
        },
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    examine(&mut draft);
    note_reply(&rest.im, &realm, &author, &mut draft).await;
    let sent = rest.im.send_as(&realm, Sender::User(author), draft).await;
    sent.expect("sent").id.to_string()
}

/// What becomes of an edit by a client of a dialect.
async fn edit(
    rest: &Rest,
    by: &str,
    id: &str,
    (dialect, tag, payload): (Dialect, &str, Value),
) -> Result<(), Refusal> {
    let realm = Realm::default();
    let uid = Uid::parse(by).expect("a uid");
    let user = rest.im.user_ref(&realm, &uid).await.expect("a user");
    let payload = match payload {
        Value::String(words) => words,
        object => object.to_string(),
    };
    let tag = if dialect == Dialect::Wukong {
        wukong_tag(payload.as_bytes())
    } else {
        tag.into()
    };
    let body = NewBody {
        origin: dialect.origin(),
        tag,
        payload: payload.into(),
    };
    let message = message(rest, id).await;
    let body = body.in_kind(&message);
    let by = crosstalk_core::deliver::Operator::User(user);
    let edited = edit_message(&rest.im, &realm, by, &message, body).await;
    edited.map(|_| ())
}

fn for_wukong(message: &Message) -> Value {
    serde_json::from_slice(&wukong_payload(message, "carol")).expect("JSON")
}

fn for_stomp(message: &Message) -> Value {
    serde_json::from_slice(&stomp_message(message, "").to_json()).expect("JSON")
}

#[tokio::test]
async fn forwards_in_one_another_have_an_end_by_every_way_in() {
    let rest = with_team().await;
    let nested = |depth: usize| {
        (0..depth).fold(text("x"), |content, _| {
            let item = json!({"from": "x", "name": "X", "sent_at": 1, "content": content});
            json!({"type": "merged", "title": "t", "items": [item]})
        })
    };
    send(&rest, said("bob", nested(3))).await;
    let deep = nested(24);
    let later = json!({"send_at": rest.clock_ms() + 60_000});
    let mut scheduled = said("bob", deep.clone());
    scheduled["send_at"] = later["send_at"].clone();
    let broadcast = json!({"to": {"all": true}, "content": deep});
    for (path, body) in [
        ("/v1/messages", said("bob", deep.clone())),
        ("/v1/scheduled-messages", scheduled),
        ("/v1/broadcasts", broadcast),
    ] {
        let refused = rest.app("POST", path, body).await;
        let detail = refused.body["detail"].to_string();
        assert_eq!(refused.problem().0, 422, "{path} {detail}");
        assert!(detail.contains("content.items"), "{path} {detail}");
    }
    let merged = send(&rest, said("____system", nested(1))).await;
    let edit = json!({"content": deep});
    let path = format!("/v1/messages/{merged}");
    assert_eq!(rest.app("PATCH", &path, edit).await.problem().0, 422);
}

#[tokio::test]
async fn who_may_not_mention_all_does_not_by_an_edit_or_a_forward() {
    let rest = with_team().await;
    let plain = send(&rest, said("bob", text("x"))).await;
    let loud = json!({"type": "text", "text": "@all", "mention_all": true});
    let refused = patch(&rest, "bob", &plain, loud.clone()).await;
    assert_eq!(refused.problem().1, "forbidden");
    for all in [json!(1), json!("1"), json!("true"), json!(2), json!(true)] {
        let payload = json!({"type": 1, "content": "@all", "mention": {"all": all}});
        let refused = edit(&rest, "bob", &plain, (Dialect::Wukong, "", payload)).await;
        assert_eq!(refused, Err(Refusal::Forbidden), "{all}");
    }
    // The owner may, and what was said so goes on being said so.
    let by_owner = send(&rest, said("alice", loud.clone())).await;
    patch(&rest, "alice", &by_owner, loud.clone()).await.ok();
    let own = send(&rest, said("alice", text("x"))).await;
    patch(&rest, "alice", &own, loud).await.ok();
    // In a group of their own bob may, in every dialect; elsewhere it is words.
    rest.put("/v1/channels/group/own", json!({"owner": "bob"}))
        .await;
    let stomp = r#"{"mentionedUserIds":["bob"],"extra":{"mentionAll":true,"custom":1}}"#;
    for (dialect, tag, payload, extra) in [
        (
            Dialect::Wukong,
            "1",
            r#"{"type":1,"content":"@all","mention":{"all":1},"reply":{"message_id":"1"}}"#,
            "",
        ),
        (
            Dialect::Mqtt,
            "0",
            r#"{"text":"@all","ext":{"mention":{"all":true},"reply":{"id":"1","text":"q"}}}"#,
            "",
        ),
        (Dialect::Stomp, "TEXT", "@all", stomp),
    ] {
        let loud = write(&rest, "alice", (dialect, tag), ("", payload, extra)).await;
        let forward = json!({
            "from": "bob", "ids": [loud], "to": [{"kind": "group", "id": "team"}],
        });
        let sent = rest.post("/v1/messages/forward", forward).await;
        let copy = message(&rest, sent["items"][0]["id"].as_str().expect("an id")).await;
        assert_eq!(content_of(&copy), text("@all"), "{dialect:?}");
        let shown = for_wukong(&copy);
        assert_eq!(shown, json!({"type": 1, "content": "@all"}), "{dialect:?}");
        let shown = for_stomp(&copy);
        assert_eq!(shown["mentionedUserIds"], json!([]), "{dialect:?}");
        let extra = &shown["extra"];
        assert!(extra["mentionAll"].is_null() && extra["quote"].is_null());
    }
}

#[tokio::test]
async fn a_reply_is_forwarded_without_what_it_answers() {
    let rest = with_team().await;
    let secret = send(&rest, said("alice", text("the secret"))).await;
    let mut reply = said("bob", text("the answer"));
    reply["reply_to"] = json!(secret);
    reply["mentions"] = json!({"users": ["alice"]});
    let reply = send(&rest, reply).await;
    for mode in ["each", "merged"] {
        let forward = json!({
            "from": "bob", "ids": [reply], "mode": mode,
            "to": [{"kind": "direct", "id": "carol"}],
        });
        let sent = rest.post("/v1/messages/forward", forward).await;
        let copy = message(&rest, sent["items"][0]["id"].as_str().expect("an id")).await;
        for shown in [content_of(&copy), for_wukong(&copy), for_stomp(&copy)] {
            let shown = shown.to_string();
            assert!(shown.contains("the answer"), "{shown}");
            assert!(!shown.contains("secret"), "{shown}");
            assert!(!shown.contains("alice"), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_quote_says_nothing_that_not_all_may_read_or_for_as_long() {
    let rest = with_team().await;
    let quoted = async |id: &str| {
        let mut reply = said("alice", text("the answer"));
        reply["reply_to"] = json!(id);
        let reply = send(&rest, reply).await;
        let shown = content_of(&message(&rest, &reply).await);
        assert_eq!(shown["reply"]["id"], id);
        shown["reply"]["text"].as_str().expect("a text").to_owned()
    };
    let plain = send(&rest, said("bob", text("words"))).await;
    assert_eq!(quoted(&plain).await, "words");
    let realm = Realm::default();
    let user = async |uid: &str| {
        let uid = Uid::parse(uid).expect("a uid");
        rest.im.user_ref(&realm, &uid).await.expect("a user")
    };
    let (bob, alice) = (user("bob").await, user("alice").await);
    let directed = Draft {
        to: Address::parse(ChannelKind::GROUP, "team").expect("an address"),
        body: MessageBody {
            payload: text("for alice").to_string().into(),
            audience: Some([alice.num].into()),
            ..MessageBody::default()
        },
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    let directed = rest.im.send_as(&realm, Sender::User(bob), directed).await;
    assert_eq!(quoted(&directed.expect("sent").id.to_string()).await, "");
    let mut ending = said("bob", text("not for long"));
    ending["expires_in_ms"] = json!(60_000);
    assert_eq!(quoted(&send(&rest, ending).await).await, "");
    // Of what was said before somebody joined, if they may not read that.
    let key = ChannelKey {
        realm: realm.clone(),
        kind: ChannelKind::GROUP,
        id: "team".into(),
    };
    let change = ChannelChange {
        history: Some(HistoryFrom::SinceJoin),
        ..ChannelChange::default()
    };
    rest.im.put_channel(&key, change).await.expect("set");
    assert_eq!(quoted(&plain).await, "words");
    rest.user("dave").await;
    rest.post(&format!("{TEAM}/members"), json!({"members": ["dave"]}))
        .await;
    assert_eq!(quoted(&plain).await, "");
}

#[tokio::test]
async fn an_edit_makes_no_other_kind_of_a_message() {
    let rest = with_team().await;
    let picture = json!({"type": "image", "url": "https://x/a.png"});
    let merged = json!({"type": "merged", "title": "t", "items": []});
    let words = send(&rest, said("bob", text("x"))).await;
    let image = send(&rest, said("bob", picture.clone())).await;
    let call = json!({"type": "call", "action": "hangup", "duration_s": 5});
    let others = [
        json!({"type": "tip", "text": "x"}),
        json!({"type": "command", "cmd": "x"}),
        json!({"type": "notice", "title": "t", "msg": "m"}),
        json!({"type": "custom", "tag": "t", "data": {}}),
        json!({"type": "whatever"}),
        json!({"type": "image", "url": ""}),
        call,
        merged.clone(),
    ];
    for content in others {
        for id in [&words, &image] {
            let refused = patch(&rest, "bob", id, content.clone()).await;
            assert!(
                refused.detail("invalid_argument").starts_with("content"),
                "{content}"
            );
        }
    }
    patch(&rest, "bob", &words, text("y")).await.ok();
    let other = json!({"type": "image", "url": "https://x/b.png"});
    patch(&rest, "bob", &image, other).await.ok();
    assert_eq!(patch(&rest, "bob", &image, text("y")).await.status, 422);
    // What was forwarded together only the application changes.
    let together = send(&rest, said("bob", merged)).await;
    let forged = json!({"type": "merged", "title": "forged", "items": []});
    assert_eq!(
        patch(&rest, "bob", &together, forged.clone()).await.status,
        422
    );
    let path = format!("/v1/messages/{together}");
    rest.app("PATCH", &path, json!({"content": forged}))
        .await
        .ok();
    let refused = [
        (
            &words,
            Dialect::Wukong,
            "",
            json!({"type": 99, "cmd": "messageRevoke"}),
        ),
        (&words, Dialect::Wukong, "", json!({"content": "no type"})),
        (
            &words,
            Dialect::Wukong,
            "",
            json!({"type": "99", "cmd": "x"}),
        ),
        (&words, Dialect::Stomp, "REVOKED", json!({})),
        (&image, Dialect::Mqtt, "0", json!({"text": "words"})),
        (&image, Dialect::Stomp, "TEXT", json!("words")),
    ];
    for (id, dialect, tag, payload) in refused {
        let answer = edit(&rest, "bob", id, (dialect, tag, payload.clone())).await;
        assert_eq!(answer, Err(Refusal::InvalidArgument), "{payload}");
    }
    for (dialect, tag, payload) in [
        (Dialect::Mqtt, "1", r#"{"storageId":"s1"}"#),
        (Dialect::Stomp, "IMAGE", r#"{"url":"https://x/a.png"}"#),
    ] {
        let image = write(&rest, "bob", (dialect, tag), ("", payload, "")).await;
        let words = (dialect, "", json!({"text": "words"}));
        assert_eq!(
            edit(&rest, "bob", &image, words).await,
            Err(Refusal::InvalidArgument)
        );
    }
}

#[tokio::test]
async fn an_edit_keeps_what_is_replied_to_and_who_is_mentioned() {
    let rest = with_team().await;
    let first = send(&rest, said("alice", text("the question"))).await;
    let reply = async || {
        let mut reply = said("bob", text("the answr"));
        reply["reply_to"] = json!(first);
        reply["mentions"] = json!({"users": ["carol"]});
        send(&rest, reply).await
    };
    let check = async |id: &str| {
        let message = message(&rest, id).await;
        let content = content_of(&message);
        assert_eq!(content["text"], "the answer", "{content}");
        assert_eq!(content["mentions"], json!(["carol"]), "{content}");
        assert_eq!(content["reply"]["text"], "the question", "{content}");
        let wukong = for_wukong(&message);
        assert_eq!(wukong["mention"]["uids"], json!(["carol"]), "{wukong}");
        assert_eq!(wukong["reply"]["message_id"], first, "{wukong}");
        let stomp = for_stomp(&message);
        assert_eq!(stomp["mentionedUserIds"], json!(["carol"]), "{stomp}");
        assert_eq!(
            stomp["extra"]["quote"]["content"], "the question",
            "{stomp}"
        );
    };
    let id = reply().await;
    patch(&rest, "bob", &id, text("the answer")).await.ok();
    check(&id).await;
    for (dialect, tag, payload) in [
        (
            Dialect::Wukong,
            "",
            json!({"type": 1, "content": "the answer"}),
        ),
        (Dialect::Mqtt, "0", json!({"text": "the answer"})),
        (Dialect::Stomp, "TEXT", json!("the answer")),
    ] {
        let id = reply().await;
        edit(&rest, "bob", &id, (dialect, tag, payload))
            .await
            .expect("edited");
        check(&id).await;
    }
    // Of a dialect's own; what else its author has put there stays, too.
    let payload = r#"{"text":"x","ext":{"reply":{"id":"1","from":"a","text":"the question"},"mention":{"uids":["carol"]}}}"#;
    let id = write(&rest, "bob", (Dialect::Mqtt, "0"), ("QM-1", payload, "")).await;
    let words = (Dialect::Mqtt, "0", json!({"text": "the answer"}));
    edit(&rest, "bob", &id, words).await.expect("edited");
    let shown = content_of(&message(&rest, &id).await);
    assert_eq!(shown["reply"]["text"], "the question");
    // Whom the new words mention is whom they mention.
    let other =
        json!({"type": "text", "text": "x", "mentions": ["alice"], "reply": {"text": "forged"}});
    let id = reply().await;
    patch(&rest, "bob", &id, other).await.ok();
    let shown = content_of(&message(&rest, &id).await);
    assert_eq!(shown["mentions"], json!(["alice"]));
    assert_eq!(
        shown["reply"]["text"], "the question",
        "that is not theirs to say"
    );
}

#[tokio::test]
async fn replies_are_one_thing_in_all_dialects() {
    let rest = with_team().await;
    let born = [
        write(&rest, "alice", (Dialect::Stomp, "TEXT"), ("SM-1", "q", "")).await,
        write(
            &rest,
            "alice",
            (Dialect::Mqtt, "0"),
            ("QM-1", r#"{"text":"q"}"#, ""),
        )
        .await,
        write(
            &rest,
            "alice",
            (Dialect::Wukong, "1"),
            ("w-1", r#"{"type":1,"content":"q"}"#, ""),
        )
        .await,
    ];
    let [stomp_id, mqtt_id, wukong_id] = &born;
    let quote = r#"{"extra":{"quote":{"id":"SM-1","fromId":"alice","content":"q"}}}"#;
    let ext = r#"{"text":"a","ext":{"reply":{"id":"QM-1","from":"alice","text":"q"}}}"#;
    let by_id = json!({
        "type": 1, "content": "a",
        "reply": {"message_id": wukong_id, "from_uid": "alice", "payload": {"content": "q"}},
    })
    .to_string();
    let replies = [
        (Dialect::Stomp, "TEXT", "a", quote, stomp_id),
        (Dialect::Mqtt, "0", ext, "", mqtt_id),
        (Dialect::Wukong, "1", &by_id, "", wukong_id),
    ];
    for (dialect, tag, payload, extra, answered) in replies {
        let id = write(&rest, "bob", (dialect, tag), ("", payload, extra)).await;
        let view = rest.get(&format!("/v1/messages/{id}")).await;
        assert_eq!(view["reply_to"]["id"], *answered, "{dialect:?}");
        assert_eq!(view["content"]["reply"]["id"], *answered, "{dialect:?}");
        let shown = for_wukong(&message(&rest, &id).await);
        assert_eq!(shown["reply"]["message_id"], *answered, "{dialect:?}");
    }
    let mut reply = said("bob", text("a"));
    reply["reply_to"] = json!(stomp_id);
    let id = send(&rest, reply).await;
    let shown = for_stomp(&message(&rest, &id).await);
    assert_eq!(shown["extra"]["quote"]["id"], "SM-1");
    // What it says in content is the server's to fill in.
    let forged = json!({"type": "text", "text": "x", "reply": {"from": "alice", "text": "y"}});
    let refused = rest.app("POST", "/v1/messages", said("bob", forged)).await;
    assert!(
        refused
            .detail("invalid_argument")
            .starts_with("content.reply")
    );
    // What names nothing that the author may read names nothing.
    let quote = r#"{"extra":{"quote":{"id":"99","content":"q"}}}"#;
    let id = write(&rest, "bob", (Dialect::Stomp, "TEXT"), ("", "a", quote)).await;
    let view = rest.get(&format!("/v1/messages/{id}")).await;
    assert_eq!(view["reply_to"], Value::Null);
}
