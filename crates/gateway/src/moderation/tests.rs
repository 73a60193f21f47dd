//! What is found in which place, and what becomes of it.

use std::sync::Arc;

use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::message::OnReuse;
use serde_json::json;

use super::*;

/// A draft as a dialect's machine makes it, and what the lists make of it: `evil` is refused,
/// `damn` is covered.
fn judged(origin: u8, tag: &str, payload: &Value, extra: Option<&Value>) -> Draft {
    let own = |word: &str| [word.to_owned()];
    let words = Words::new(&own("evil"), &own("damn")).expect("lists");
    let payload = match payload {
        // A text of STOMP's is no JSON.
        Value::String(text) if origin == 2 => text.clone(),
        payload => payload.to_string(),
    };
    let mut draft = Draft {
        to: Address {
            kind: ChannelKind::DIRECT,
            id: Arc::from("bob"),
        },
        body: Body {
            origin: Origin(origin),
            tag: tag.into(),
            payload: payload.into(),
            extra: extra.map(|extra| extra.to_string().into()),
            ..Body::default()
        },
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    moderate(&words, &mut draft);
    draft
}

/// What stands in the place of words, in every place where a dialect's readers see some.
#[allow(clippy::too_many_lines)] // one row for each place
fn places(word: &str) -> Vec<(u8, &'static str, Value, Option<Value>)> {
    let said = format!("so {word}");
    let quote = |name: &str| json!({"quote": {"id": "1", name: said, "fromName": "Bob"}});
    let merged = json!({"type": 11, "title": "t", "users": [{"uid": "x", "name": said}], "msgs": [
        {"from_uid": "bob", "timestamp": 1, "payload": {"type": 1, "content": "hi"}}]});
    vec![
        (0, "", json!({"type": "text", "text": said}), None),
        (
            0,
            "",
            json!({"type": "text", "text": "x", "reply": {"id": "1", "from": "b", "text": said}}),
            None,
        ),
        (
            0,
            "",
            json!({"type": "text", "text": "x", "reply": {"id": "1", "from": said}}),
            None,
        ),
        (
            0,
            "",
            json!({"type": "text", "text": "x", "caption": said}),
            None,
        ),
        (
            0,
            "",
            json!({"type": "video", "url": "u", "name": said}),
            None,
        ),
        (
            0,
            "",
            json!({"type": "file", "url": "u", "name": said}),
            None,
        ),
        (
            0,
            "",
            json!({"type": "location", "lat": 1.0, "lng": 1.0, "address": said}),
            None,
        ),
        (
            0,
            "",
            json!({"type": "link", "title": "t", "url": "u",
            "app": {"id": "1", "name": said, "action": "open"}}),
            None,
        ),
        (
            0,
            "",
            json!({"type": "card", "uid": "bob", "name": said}),
            None,
        ),
        (
            0,
            "",
            json!({"type": "custom", "tag": "t", "data": {"a": [{"b": said}]}}),
            None,
        ),
        (
            0,
            "",
            json!({"type": "merged", "title": "t", "items": [
            {"from": "bob", "name": said, "content": {"type": "text", "text": "x"}}]}),
            None,
        ),
        (
            1,
            "1",
            json!({"type": 1, "content": "x", "reply": {"message_id": "1", "from_uid": "b",
            "from_name": "B", "payload": {"type": 1, "content": said}}}),
            None,
        ),
        (
            1,
            "1",
            json!({"type": 1, "content": "x", "reply": {"message_id": "1", "from_uid": "b",
            "from_name": said, "payload": {"type": 8, "name": said}}}),
            None,
        ),
        (
            1,
            "1",
            json!({"type": 1, "content": said, "notice": {"title": "t", "msg": "m"}}),
            None,
        ),
        (1, "11", merged, None),
        (
            2,
            "QUOTE",
            json!("x"),
            Some(json!({"extra": quote("content")})),
        ),
        (
            2,
            "QUOTE",
            json!("x"),
            Some(json!({"extra": quote("note")})),
        ),
        (2, "IMAGE", json!({"url": "u", "caption": said}), None),
        (
            2,
            "MERGE",
            json!({"title": "t", "messages": [
            {"fromId": "b", "fromName": said, "msgType": "TEXT", "content": "x"}]}),
            None,
        ),
        (
            3,
            "0",
            json!({"text": "x", "ext": {"reply": {"id": "1", "from": "b", "text": said}}}),
            None,
        ),
        (
            4,
            "2",
            json!(json!({"url": "u", "caption": said}).to_string()),
            None,
        ),
        (4, "1", json!("x"), Some(json!({"mark": {"quote": said}}))),
        (5, "3001", json!({"title": said, "msg": "m"}), None),
    ]
}

#[test]
fn a_word_is_found_wherever_a_reader_sees_it() {
    for (origin, tag, payload, extra) in places("EVIL") {
        let judged = judged(origin, tag, &payload, extra.as_ref());
        let place = format!("{origin} {tag} {payload} {extra:?}");
        assert_eq!(judged.fault, Some(Refusal::SensitiveWord), "{place}");
    }
    for (origin, tag, payload, extra) in places("fine") {
        let judged = judged(origin, tag, &payload, extra.as_ref());
        assert_eq!(judged.fault, None, "{origin} {tag} {payload} {extra:?}");
    }
}

#[test]
fn a_word_is_covered_wherever_a_text_shows_it() {
    for (origin, tag, payload, extra) in places("damn") {
        let judged = judged(origin, tag, &payload, extra.as_ref());
        let place = format!("{origin} {tag} {payload} {extra:?}");
        if judged.fault.is_some() {
            let content = meaning(&judged.body);
            assert!(!matches!(content, Content::Text { .. }), "{place}");
            continue;
        }
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let extra = judged.body.extra.as_deref().unwrap_or_default();
        let all = said(&judged.body.payload) + &said(extra);
        assert!(all.contains("so ****") && !all.contains("damn"), "{place}");
    }
}

#[test]
fn ids_addresses_and_blobs_are_no_words() {
    let blob = "damn".repeat(64);
    for (origin, tag, payload) in [
        (
            0,
            "",
            json!({"type": "text", "text": "x", "mentions": ["evil"],
            "reply": {"id": "evil", "from": "evil", "text": "x"}}),
        ),
        (
            1,
            "1",
            json!({"type": 1, "content": "x", "mention": {"uids": ["evil"]},
            "reply": {"from_uid": "damn", "message_id": "1"}}),
        ),
        (
            1,
            "4",
            json!({"type": 4, "url": "http://x/a", "waveform": "abEvilab", "data": blob}),
        ),
        (2, "IMAGE", json!({"url": "u", "link": "https://x/evil"})),
        (1, "99", json!({"type": 99, "cmd": "evil thing"})),
    ] {
        let judged = judged(origin, tag, &payload, None);
        assert_eq!(judged.fault, None, "{payload}");
        assert_eq!(judged.body.payload, payload.to_string(), "nothing changes");
    }
}

#[test]
fn escapes_hide_no_words() {
    let hidden = r#"{"type":1,"content":"x","reply":{"payload":{"content":"\u0065vil"}}}"#;
    let outer = json!({"type": 2, "url": "u", "more": hidden});
    let inner = judged(1, "2", &outer, None);
    assert_eq!(inner.fault, Some(Refusal::SensitiveWord));
}
