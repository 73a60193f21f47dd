//! BACKGROUND: requests, events, and calls in disguise.

use crosstalk_wire::mqtt::im::background::{
    Background, Event, Logout, PushOff, Read, Request, Revoke,
};
use crosstalk_wire::mqtt::im::pull::{Pull, PullDelivery, PullMode};
use crosstalk_wire::mqtt::im::{MsgType, Outbound, SYSTEM, TypeForm, TypeTable, TypeValue, read};
use serde_json::json;

use super::same;

fn request(content: &str) -> Option<Request> {
    let background = Background::read(content).expect("a container");
    background.request().expect("well formed")
}

/// E.c and Q3-12.
#[test]
fn what_clients_ask_for() {
    assert_eq!(
        request(r#"{"type":"revoke","content":{"id":"839201"}}"#),
        Some(Request::Revoke(Revoke {
            id: "839201".into()
        }))
    );
    assert_eq!(
        request(r#"{"type":"read","content":{"ids":["839201"]}}"#),
        Some(Request::Read(Read {
            id: None,
            ids: vec!["839201".into()]
        }))
    );
    let Some(Request::Read(several)) =
        request(r#"{"type":"read","content":{"id":1,"ids":[2,"3"]}}"#)
    else {
        panic!("not a read");
    };
    assert_eq!(several.all().collect::<Vec<_>>(), ["1", "2", "3"]);
    let Some(Request::Read(single)) = request(r#"{"type":"read","content":{"ids":"4"}}"#) else {
        panic!("not a read");
    };
    assert_eq!(single.all().collect::<Vec<_>>(), ["4"]);
    assert_eq!(
        request(
            r#"{"type":"pull","content":{"startTime":"1675400000000","target":"b1","limit":"900","mode":"offline"}}"#
        ),
        Some(Request::Pull(Pull {
            start_time_ms: Some(1_675_400_000_000),
            target: "b1".into(),
            limit: Some(500),
            mode: Some(PullMode::Offline),
            ..Pull::default()
        }))
    );
    assert_eq!(
        request(r#"{"type":"pushOff","content":{"deleteToken":1}}"#),
        Some(Request::PushOff(PushOff { delete_token: true }))
    );
    for nothing in [
        r#"{"type":"logout"}"#,
        r#"{"type":"logout","content":null}"#,
    ] {
        let logout = Request::Logout(Logout::default());
        assert_eq!(request(nothing), Some(logout));
    }
    // The clients' own.
    for other in ["org", "", "Revoke", "call"] {
        assert_eq!(
            request(&json!({"type": other, "content": {"id": 1}}).to_string()),
            None
        );
    }
    assert_eq!(request("{}"), None);
}

#[test]
fn requests_of_a_wrong_form() {
    for content in [
        r#"{"type":"revoke","content":[]}"#,
        r#"{"type":"revoke","content":{"id":{}}}"#,
        r#"{"type":"read","content":{"ids":[[]]}}"#,
        r#"{"type":"pull","content":{"limit":"many"}}"#,
        r#"{"type":"pull","content":{"mode":"all"}}"#,
        r#"{"type":"pushOff","content":{"deleteToken":"maybe"}}"#,
        r#"{"type":"logout","content":"now"}"#,
    ] {
        let background = Background::read(content).expect("a container");
        assert!(background.request().is_err(), "{content}");
    }
    for content in ["[]", r#"{"type":{}}"#, "x"] {
        assert!(Background::read(content).is_err());
    }
}

/// Q3-10, Q3-11 and E.c.
#[test]
fn what_the_server_tells() {
    same(
        r#"{"type":"revoke","content":{"id":"839201","operator":"a7k2m9q0x4tzp"}}"#,
        &Event::Revoke {
            ids: Vec::new(),
            id: "839201".into(),
            operator: "a7k2m9q0x4tzp".into(),
        },
    );
    same(
        r#"{"type":"read","content":{"ids":["839201"],"reader":"b1","time":1675416709120}}"#,
        &Event::Read {
            messages: Read {
                id: None,
                ids: vec!["839201".into()],
            },
            reader: "b1".into(),
            time_ms: 1_675_416_709_120,
        },
    );
    same(
        r#"{"type":"received","content":{"id":"839201","reader":"b1"}}"#,
        &Event::Received {
            id: "839201".into(),
            reader: "b1".into(),
        },
    );
    same(
        r#"{"type":"edit","content":{"id":"839201","content":{"text":"new"}}}"#,
        &Event::Edit {
            id: "839201".into(),
            content: json!({"text": "new"}),
        },
    );
    same(
        r#"{"type":"presence","content":{"account":"b1","online":true,"os":2}}"#,
        &Event::Presence {
            account: "b1".into(),
            online: true,
            os: 2,
        },
    );
    same(
        r#"{"type":"sync","content":{"count":2,"more":false}}"#,
        &Event::Sync {
            count: 2,
            more: false,
            cursor: None,
        },
    );
    same(
        r#"{"type":"sync","content":{"count":500,"more":true,"cursor":"c"}}"#,
        &Event::Sync {
            count: 500,
            more: true,
            cursor: Some("c".into()),
        },
    );
}

#[test]
fn what_the_server_tells_in_free_form() {
    let details = json!({"groupId": "g1", "members": ["b1"]});
    let details = details.as_object().expect("an object").clone();
    same(
        r#"{"type":"group","content":{"event":"join","groupId":"g1","members":["b1"]}}"#,
        &Event::Group {
            event: "join".into(),
            details: details.clone(),
        },
    );
    for (name, event) in [
        ("reaction", Event::Reaction(details.clone())),
        ("friend", Event::Friend(details.clone())),
        ("kick", Event::Kick(details.clone())),
        ("org", Event::Org(details)),
    ] {
        let json = format!(r#"{{"type":"{name}","content":{{"groupId":"g1","members":["b1"]}}}}"#);
        same(&json, &event);
    }
}

#[test]
fn events_are_read_in_each_form() {
    let tolerant = r#"{"content":{"count":"2","more":"0"},"type":"sync"}"#;
    assert_eq!(
        read::<Event>(tolerant.as_bytes()).expect("it is read"),
        Event::Sync {
            count: 2,
            more: false,
            cursor: None
        }
    );
}

/// The whole message of Q3-10.
#[test]
fn an_error_to_the_sender() {
    let event = Event::Error {
        id: "839201".into(),
        code: 404,
        msg: "用户不存在".into(),
    };
    let kind = TypeValue::from(MsgType::Background);
    let outbound = Outbound {
        id: "1",
        from: SYSTEM,
        to: "a7k2m9q0x4tzp",
        tenant_no: "T001",
        target: "",
        kind: &kind,
        form: TypeForm::Code,
        content: &event.to_content(),
        timestamp_ms: 1_675_416_709_120,
        is_background: true,
    };
    let mut out = bytes::BytesMut::new();
    outbound.write(&TypeTable::default(), &mut out);
    assert_eq!(
        out,
        r#"{"id":"1","from":"SYSTEM","to":"a7k2m9q0x4tzp","tenantNo":"T001","target":"","type":7,"content":{"type":"error","content":{"id":"839201","code":404,"msg":"用户不存在"}},"timestamp":1675416709120,"isBackground":true}"#
    );
}

/// Q3-24.
#[test]
fn calls_in_disguise() {
    let call = |content: &str| Background::read(content).expect("a container").as_call();
    for content in [
        r#"{"type":"call","content":{"status":"invite","roomId":"r9"}}"#,
        r#"{"type":"avchat","content":{"status":"invite","roomId":"r9"}}"#,
        r#"{"type":"invite","content":{"roomId":"r9"}}"#,
        r#"{"type":"x","content":{"status":"invite","roomId":"r9"}}"#,
    ] {
        let call = call(content).expect("a call");
        assert_eq!(
            (call.status.as_str(), call.room_id.as_str()),
            ("invite", "r9")
        );
    }
    for content in [
        r#"{"type":"x","content":{"status":"invite"}}"#,
        r#"{"type":"x","content":{"roomId":"r9"}}"#,
        r#"{"type":"call","content":{"status":[]}}"#,
        r#"{"type":"call"}"#,
        r#"{"type":"read","content":{"ids":["1"]}}"#,
    ] {
        assert_eq!(call(content), None, "{content}");
    }
}

#[test]
fn pulls_come_by_query_too() {
    let pairs = [
        ("startTime", "1675400000000"),
        ("target", ""),
        ("limit", "0"),
        ("cursor", "c"),
        ("deliver", "http"),
        ("unknown", "x"),
        ("target", "b1"),
    ];
    let pull = Pull::from_query(pairs).expect("a pull");
    let wanted = Pull {
        start_time_ms: Some(1_675_400_000_000),
        end_time_ms: None,
        target: "b1".into(),
        limit: Some(1),
        cursor: Some("c".into()),
        mode: None,
        deliver: PullDelivery::Http,
    };
    assert_eq!(pull, wanted);
    assert!(Pull::from_query([("startTime", "yesterday")]).is_err());
    assert_eq!(Pull::from_query([]).expect("all of it"), Pull::default());
}
