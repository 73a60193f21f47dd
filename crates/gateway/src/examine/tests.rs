//! What was forwarded together, in every dialect's form.

use std::sync::{Arc, Weak};

use crosstalk_core::channel::{Address, ChannelKey, ChannelKind, ChannelRef, LogKind};
use crosstalk_core::content::{MAX_MERGED_DEPTH, MAX_MERGED_ITEMS};
use crosstalk_core::directory::Aliases;
use crosstalk_core::id::{ChannelNum, MessageId, Realm, Uid, UserNum, UserRef};
use crosstalk_core::message::{Message, OnReuse};
use crosstalk_core::send::limits::MAX_PAYLOAD_BYTES;
use serde_json::{Value, json};

use super::*;
use crate::registry::Dialect;
use crate::{MqttReader, MqttSettings, content_of, mqtt_envelope, stomp_message, wukong_payload};

fn draft(origin: Origin, tag: &str, payload: String) -> Draft {
    Draft {
        to: Address {
            kind: ChannelKind::GROUP,
            id: "g".into(),
        },
        body: Body {
            origin,
            tag: tag.into(),
            payload: payload.into(),
            ..Body::default()
        },
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    }
}

fn message(body: Body) -> Message {
    let alice = UserRef {
        num: UserNum(1),
        uid: Uid::parse("alice").expect("a uid"),
    };
    Message {
        id: MessageId(7),
        channel: Arc::new(ChannelRef {
            num: ChannelNum(5),
            key: ChannelKey {
                realm: Realm::default(),
                kind: ChannelKind::GROUP,
                id: "g".into(),
            },
            log: LogKind::Chat,
        }),
        seq: 5,
        ordinal: 5,
        sender: alice,
        sent_at_ms: 1_715_000_060_000,
        body: Arc::new(body),
        revoked: None,
        edited: None,
        is_concealed: false,
    }
}

/// The bytes of a message in each dialect's form, and in REST's.
fn sizes(message: &Message) -> [usize; 4] {
    let settings = MqttSettings::new(Weak::new(), Aliases::default(), Realm::default());
    let reader = MqttReader::new(&settings, &Realm::default(), &message.sender, None);
    [
        wukong_payload(message, "alice").len(),
        stomp_message(message, "").to_json().len(),
        mqtt_envelope(message, &reader).expect("shown").len(),
        content_of(message).to_string().len(),
    ]
}

/// Messages that stand in one another, `depth` deep, with `words` in the innermost: as REST,
/// wukong and stomp write them.
fn nested(depth: usize, words: &str) -> [Draft; 3] {
    let mut rest = json!({"type": "text", "text": words});
    let mut wukong = json!({"type": 1, "content": words});
    let mut stomp = ("TEXT", words.to_owned());
    for _ in 0..depth {
        let item = json!({"from": "x", "name": "X", "sent_at": 1, "content": rest});
        rest = json!({"type": "merged", "title": "t", "items": [item]});
        let item = json!({"from_uid": "x", "timestamp": 1, "payload": wukong});
        wukong = json!({"type": 11, "title": "t", "msgs": [item]});
        let item = json!({"fromId": "x", "msgType": stomp.0, "content": stomp.1});
        let merge = json!({"title": "t", "messages": [item]});
        stomp = ("MERGE", merge.to_string());
    }
    [
        draft(Origin::REST, "", rest.to_string()),
        draft(Dialect::Wukong.origin(), "11", wukong.to_string()),
        draft(Dialect::Stomp.origin(), stomp.0, stomp.1),
    ]
}

fn is_taken(draft: &Draft) -> bool {
    let mut draft = draft.clone();
    examine(&mut draft);
    assert!(matches!(draft.fault, None | Some(Refusal::InvalidArgument)));
    draft.fault.is_none()
}

#[test]
fn what_is_too_deep_is_refused_and_what_is_stored_already_stays_small() {
    for depth in 0..=MAX_MERGED_DEPTH {
        assert!(nested(depth, "x").iter().all(is_taken), "{depth}");
    }
    // What stomp writes itself doubles with each level before it comes here.
    for depth in [MAX_MERGED_DEPTH + 1, 12, 24] {
        let [rest, wukong, _] = nested(depth, "x");
        for draft in [rest, wukong] {
            assert!(!is_taken(&draft), "{depth}");
            let sent = draft.body.payload.len();
            let sizes = sizes(&message(draft.body));
            assert!(sizes.iter().all(|size| *size < sent + 4096), "{sizes:?}");
        }
    }
    let [_, _, stomp] = nested(8, "x");
    assert!(!is_taken(&stomp));
    // Letters of a name may be escaped.
    let [_, wukong, _] = nested(5, "x");
    let text = String::from_utf8(wukong.body.payload.to_vec()).expect("text");
    let hidden = text.replace("\"msgs\"", "\"\\u006dsgs\"");
    assert!(!is_taken(&draft(wukong.body.origin, "11", hidden)));
}

#[test]
fn there_is_an_end_to_how_many_stand_in_one() {
    let items = |n| {
        let item = json!({"from": "x", "content": {"type": "text", "text": "x"}});
        let items = vec![item; n];
        let merged = json!({"type": "merged", "title": "t", "items": items});
        draft(Origin::REST, "", merged.to_string())
    };
    assert!(is_taken(&items(MAX_MERGED_ITEMS)));
    let many = items(MAX_MERGED_ITEMS + 1);
    assert!(!is_taken(&many));
    let shown = crate::content::content(&message(many.body));
    assert_eq!(shown.merged_items(), MAX_MERGED_ITEMS);
    let wukong = vec![json!({"from_uid": "x"}); MAX_MERGED_ITEMS + 1];
    let wukong = json!({"type": 11, "msgs": wukong}).to_string();
    assert!(!is_taken(&draft(Dialect::Wukong.origin(), "11", wukong)));
}

#[test]
fn the_worst_that_is_taken_is_not_much_more_in_any_dialect() {
    // What grows most in JSON within JSON, as much of it as a message may have.
    for sign in ['"', '\\', '\n', '\u{1}'] {
        let most = nested(MAX_MERGED_DEPTH, "").map(|draft| draft.body.payload.len());
        for (at, mut room) in most
            .map(|used| MAX_PAYLOAD_BYTES - used)
            .into_iter()
            .enumerate()
        {
            let draft = loop {
                let words = sign.to_string().repeat(room);
                let draft = nested(MAX_MERGED_DEPTH, &words)[at].clone();
                if draft.body.payload.len() <= MAX_PAYLOAD_BYTES {
                    break draft;
                }
                room /= 2;
            };
            assert!(is_taken(&draft));
            let sizes = sizes(&message(draft.body));
            let bound = 4 * MAX_PAYLOAD_BYTES;
            assert!(
                sizes.iter().all(|size| *size <= bound),
                "{sign:?} {sizes:?}"
            );
        }
    }
}

#[test]
fn a_notice_of_many_holes_does_not_grow() {
    let names: Vec<Value> = (1..40)
        .map(|n| json!({"name": format!("{{{n}}}{{{n}}}")}))
        .collect();
    let notice = json!({"type": 1002, "content": "{0} in {x} {", "extra": names});
    let notice = draft(Dialect::Wukong.origin(), "1002", notice.to_string());
    let shown = crate::content::content(&message(notice.body));
    assert_eq!(shown.fallback_text(), "{1}{1} in {x} {");
}
