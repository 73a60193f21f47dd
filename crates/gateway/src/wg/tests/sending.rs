//! What a registered client sends.

use crate::protocol::{Answer, Ask};

use super::*;

fn send(id: &str, to: &str, body: impl Into<Value>) -> Value {
    let body = body.into();
    json!({"id": id, "type": 2001, "isSystem": false, "from": "u1", "to": to, "body": body})
}

#[test]
fn a_message_is_stored_as_it_was_written_and_answered_once_it_is() {
    let mut wire = Wire::open();
    let turn = wire.text(
        r#"{"id":"c-2","type":"2001","from":"u1","to":" u2 ","body":"你\u597d\n😀","more":1}"#,
    );
    assert!(turn.out.is_empty());
    let [draft] = drafts(&turn)[..] else {
        panic!("{turn:?}")
    };
    assert_eq!((&*draft.to.id, draft.to.kind.0), ("u2", 1));
    assert_eq!(&*draft.body.client_no, "c-2");
    assert_eq!(&*draft.body.tag, "2001");
    assert_eq!(draft.body.origin, ORIGIN);
    assert_eq!(draft.body.payload, r#""你\u597d\n😀""#);
    assert!(draft.body.flags.counts && draft.require_peer);
    let turn = wire.reply(accepted());
    assert_eq!(only_status(&turn), ("c-2".into(), 200));
    assert_eq!(only_msg(&turn), "发送成功");
    wire.say(&send("c-3", "u3", json!("hi")));
    assert_eq!(only_msg(&wire.reply(accepted())), "接收人不在线,已转离线");
    wire.say(&send("c-4", "group:g1", json!("hi")));
    assert_eq!(only_msg(&wire.reply(accepted())), "发送成功");
}

#[test]
fn a_list_is_so_many_messages_and_one_answer() {
    let mut wire = Wire::open();
    let turn = wire.say(&send("c", "u2,u3, u2 ,,b@d", json!("开会")));
    let drafts = drafts(&turn);
    let to: Vec<_> = drafts.iter().map(|draft| &*draft.to.id).collect();
    assert_eq!(to, ["u2", "u3"]);
    assert!(drafts.iter().all(|draft| draft.body.extra.is_none()));
    assert!(wire.reply(refused(Refusal::NoSuchUser)).out.is_empty());
    let turn = wire.reply(accepted());
    assert_eq!(only_status(&turn), ("c".into(), 200));
    assert_eq!(only_msg(&turn), "部分接收人不存在:b@d,u2");
    // Of those who know the sender too well nobody is told more than that.
    wire.say(&send("d", "u2,u3", json!("x")));
    wire.reply(refused(Refusal::Blocked));
    assert_eq!(only_msg(&wire.reply(accepted())), "部分接收人发送失败:u2");
}

#[test]
fn if_nobody_gets_it_the_answer_says_why() {
    for (replies, code) in [
        (vec![Refusal::NoSuchUser, Refusal::NoSuchUser], 406),
        (vec![Refusal::NoSuchUser, Refusal::Blocked], 400),
        (vec![Refusal::RateLimited, Refusal::NoSuchUser], 400),
        (vec![Refusal::TooLarge, Refusal::TooLarge], 401),
        (vec![Refusal::NotAMember, Refusal::NotAMember], 406),
    ] {
        let mut wire = Wire::open();
        wire.say(&send("c", "u2,group:g1", json!("x")));
        wire.reply(refused(replies[0]));
        let turn = wire.reply(refused(replies[1]));
        assert_eq!(only_status(&turn), ("c".into(), code), "{replies:?}");
    }
}

#[test]
fn answers_find_their_messages() {
    let mut wire = Wire::open();
    for id in ["a", "b", "c"] {
        wire.say(&send(id, "u2", json!("x")));
    }
    assert_eq!(only_status(&wire.reply(accepted())).0, "a");
    let turn = wire.reply(refused(Refusal::SensitiveWord));
    assert_eq!(only_status(&turn), ("b".into(), 400));
    assert_eq!(only_msg(&turn), "包含敏感词");
    assert_eq!(only_status(&wire.reply(accepted())).0, "c");
}

#[test]
fn the_first_check_that_fails_is_the_answer() {
    let mut wire = Wire::open();
    let many: Vec<String> = (0..501).map(|at| format!("u{at}")).collect();
    let cases = [
        (json!({"id": "x", "type": 2001, "isSystem": "maybe"}), 401),
        (json!({"id": "x", "type": 2999, "from": "u7"}), 403),
        (json!({"id": "x", "type": 2001, "from": "u7"}), 405),
        (json!({"id": "x", "type": 2001, "from": "SYSTEM"}), 405),
        (
            json!({"id": "x", "type": 2001, "from": "u1", "isSystem": true}),
            405,
        ),
        (
            json!({"id": "x", "type": 2001, "from": "u1", "body": 5}),
            406,
        ),
        (send("x", "", json!(5)), 406),
        (send("x", " , ,", json!("hi")), 406),
        (send("x", "nobody@", json!("hi")), 406),
        (send("x", &many.join(","), json!("hi")), 406),
        (send("x", "u2", json!("")), 404),
        (send("x", "u2", json!(5)), 404),
        (send("x", "u2", json!(null)), 404),
        (send("x", "u2", json!({"a": 1})), 404),
        (send("x", "u2", json!("x".repeat(33 * 1024))), 401),
        (send("x", "u2", json!("x".repeat(65 * 1024))), 401),
        (
            json!({"id": "x", "type": 3001, "from": "u1", "to": "u2", "body": "{\"msg\":\"x\"}"}),
            404,
        ),
        (
            json!({"id": "x", "type": 3003, "from": "u1", "to": "u2", "body": "{\"title\":\"x\"}"}),
            404,
        ),
        (
            json!({"id": "x", "type": 9101, "from": "u1", "to": "u2", "body": "{}"}),
            404,
        ),
        (
            json!({"id": "x", "type": 9001, "from": "u1", "to": "u2", "body": "{}"}),
            403,
        ),
    ];
    for (message, code) in cases {
        let turn = wire.say(&message);
        let shown: String = message.to_string().chars().take(100).collect();
        assert_eq!(only_status(&turn), ("x".into(), code), "{shown}");
        assert!(turn.commands.is_empty() && turn.close.is_none(), "{shown}");
    }
    let large = send("x", "u2", json!("x".repeat(32 * 1024)));
    assert_eq!(
        drafts(&wire.say(&large)).len(),
        1,
        "32 KiB are not too much"
    );
}

#[test]
fn notices_may_be_objects_and_need_no_target() {
    let mut wire = Wire::open();
    for (kind, body) in [
        (3001, json!({"title": "t", "msg": "m", "x": [1]})),
        (3003, json!("{\"title\":\"t\",\"msg\":\"m\"}")),
        (
            3001,
            json!("{\"title\":\"t\",\"msg\":\"m\",\"target\":null}"),
        ),
    ] {
        let message = json!({"id": "x", "type": kind, "from": "u1", "to": "u2", "body": body});
        let turn = wire.say(&message);
        let [draft] = drafts(&turn)[..] else {
            panic!("{turn:?}")
        };
        assert_eq!(*draft.body.tag, kind.to_string());
        assert_eq!(draft.body.payload, body.to_string());
    }
}

#[test]
fn types_of_their_own_go_to_who_claims_them() {
    let mut wire = Wire::open();
    let message = json!({"id": "x", "type": 4001, "from": "u1", "to": "u1", "body": "{}"});
    let turn = wire.say(&message);
    let [Command::Ask(id, Ask::Do(job))] = &turn.commands[..] else {
        panic!("{turn:?}")
    };
    let done = job.0.work().now_or_never().expect("it is quick");
    let mut turn = Turn::default();
    wire.machine
        .answer(*id, Answer::Done(done), START, &mut turn);
    assert_eq!(only_status(&turn), ("x".into(), 200));
    assert_eq!(only_msg(&turn), "u1 4001");
    for (kind, body, code) in [(5000, json!("{}"), 403), (4001, json!(5), 404)] {
        let message = json!({"id": "x", "type": kind, "from": "u1", "to": "u1", "body": body});
        assert_eq!(only_status(&wire.say(&message)), ("x".into(), code));
    }
}

#[test]
fn the_list_is_kept_only_where_receivers_are_shown_it() {
    let mut wire = Wire::opened(Wire::listing(WgListTo::AsSent));
    let turn = wire.say(&send("x", "u2,u3", json!("x")));
    for draft in drafts(&turn) {
        let extra = draft.body.extra.as_deref().expect("members");
        let extra: Value = serde_json::from_slice(extra).expect("JSON");
        assert_eq!(extra, json!({"to": "u2,u3"}));
    }
    assert!(
        drafts(&wire.say(&send("y", "u2", json!("x"))))[0]
            .body
            .extra
            .is_none()
    );
}
