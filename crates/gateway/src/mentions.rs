//! Whom a draft mentions, whichever dialect it is written in.

use crosstalk_core::carried::{Carried, MAX_MENTIONS};
use crosstalk_core::content::Content;
use crosstalk_core::id::Uid;
use crosstalk_core::message::{Body, Draft, Origin};
use memchr::memmem;
use serde_json::Value;

use crate::content::meaning;

/// What no dialect can mention anybody without.
const WORD: &[u8] = b"mention";

/// Whether JSON may have a member whose name has this word in it; letters may be escaped.
pub(crate) fn may_say(json: &[u8], word: &[u8]) -> bool {
    memmem::find(json, word).is_some() || memmem::find(json, b"\\u00").is_some()
}

/// Whether a flag is set, in whichever of its forms (protocols/README.md A5). What is neither
/// set nor unset is set: a client may take it so.
pub(crate) fn is_set(flag: &Value) -> bool {
    match flag {
        Value::Null => false,
        Value::Bool(is_set) => *is_set,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(text.trim(), "" | "0" | "false"),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// Notes beside a draft whom its content mentions. What does not have the word in it is not
/// read; names that are no user's are left out.
pub(crate) fn note_mentions(draft: &mut Draft) {
    let body = &draft.body;
    let says = |bytes: &[u8]| may_say(bytes, WORD);
    let beside = body.extra.as_deref().is_some_and(says);
    if !beside && !says(&body.payload) {
        return;
    }
    let is_said = body.carried.is_none() && !body.flags.command && draft.fault.is_none();
    if !is_said || body.origin == Origin::CHANGE {
        return;
    }
    let (names, all) = mentioned(body);
    let uids = names.iter().take(MAX_MENTIONS);
    let uids = uids.filter_map(|name| Uid::parse(name).ok());
    draft.body.carried = Carried::mentioning(uids, all).packed();
}

/// Whom a body mentions by name, and whether it mentions all.
pub(crate) fn mentioned(body: &Body) -> (Vec<String>, bool) {
    if let Content::Text {
        mentions,
        mention_all,
        ..
    } = meaning(body)
    {
        return (mentions, mention_all);
    }
    // What is no text may mention somebody as well: beside it, or in a member of its own.
    let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
    let envelope = body.extra.as_deref().map(json).unwrap_or_default();
    let payload = json(&body.payload);
    let mention = &payload["mention"];
    let lists = [
        &envelope["mentionedUserIds"],
        &mention["uids"],
        &payload["mentions"],
    ];
    let lists = lists.into_iter().filter_map(Value::as_array).flatten();
    let names = lists.filter_map(Value::as_str).map(str::to_owned).collect();
    let flags = [
        &envelope["extra"]["mentionAll"],
        &mention["all"],
        &payload["mention_all"],
    ];
    (names, flags.into_iter().any(is_set))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Dialect;
    use crosstalk_core::channel::{Address, ChannelKind};
    use crosstalk_core::message::OnReuse;

    fn noted(dialect: Option<Dialect>, tag: &str, payload: &str, extra: &str) -> (String, bool) {
        let mut draft = Draft {
            to: Address {
                kind: ChannelKind::GROUP,
                id: "g".into(),
            },
            body: Body {
                origin: dialect.map_or(Origin::REST, Dialect::origin),
                tag: tag.into(),
                payload: payload.to_owned().into(),
                extra: (!extra.is_empty()).then(|| extra.to_owned().into()),
                ..Body::default()
            },
            on_reuse: OnReuse::Store,
            require_peer: false,
            fault: None,
        };
        note_mentions(&mut draft);
        let carried = draft.body.carried.as_deref().cloned().unwrap_or_default();
        let uids: Vec<_> = carried
            .mentions
            .iter()
            .map(|user| user.uid.as_str())
            .collect();
        (uids.join(","), carried.mention_all)
    }

    #[test]
    #[cfg(all(feature = "wukong", feature = "stomp", feature = "mqtt"))]
    #[allow(clippy::too_many_lines, reason = "a table")]
    fn the_table_of_dialects() {
        let (wukong, stomp) = (Some(Dialect::Wukong), Some(Dialect::Stomp));
        let mqtt = Some(Dialect::Mqtt);
        let cases = [
            (
                wukong,
                "1",
                r#"{"type":1,"content":"hi","mention":{"uids":["bob","a b"]}}"#,
                "",
                "bob",
                false,
            ),
            (
                wukong,
                "1",
                r#"{"type":1,"content":"hi","mention":{"all":1}}"#,
                "",
                "",
                true,
            ),
            (
                wukong,
                "1",
                r#"{"type":1,"content":"hi","\u006dention":{"\u0061ll":"true"}}"#,
                "",
                "",
                true,
            ),
            (
                wukong,
                "1",
                r#"{"type":1,"content":"hi","mention":{"all":2}}"#,
                "",
                "",
                true,
            ),
            (
                wukong,
                "1",
                r#"{"type":1,"content":"hi","mention":{"all":"0"}}"#,
                "",
                "",
                false,
            ),
            (
                stomp,
                "TEXT",
                "hi",
                r#"{"extra":{"mentionAll":"1"}}"#,
                "",
                true,
            ),
            (
                mqtt,
                "0",
                r#"{"text":"hi","ext":{"mention":{"all":"1"}}}"#,
                "",
                "",
                true,
            ),
            (
                wukong,
                "2",
                r#"{"type":2,"url":"u","mention":{"all":0,"uids":["bob"]}}"#,
                "",
                "bob",
                false,
            ),
            (
                wukong,
                "1",
                r#"{"type":1,"content":"I mention bob"}"#,
                "",
                "",
                false,
            ),
            (
                stomp,
                "TEXT",
                "hi",
                r#"{"mentionedUserIds":["bob","alice"]}"#,
                "bob,alice",
                false,
            ),
            (
                stomp,
                "TEXT",
                "hi",
                r#"{"extra":{"mentionAll":true}}"#,
                "",
                true,
            ),
            (
                stomp,
                "IMAGE",
                r#"{"url":"u"}"#,
                r#"{"mentionedUserIds":["bob"]}"#,
                "bob",
                false,
            ),
            (
                stomp,
                "TEXT",
                r#"{"mentionedUserIds":["bob"]}"#,
                "",
                "",
                false,
            ),
            (
                mqtt,
                "0",
                r#"{"text":"hi","ext":{"mention":{"uids":["bob"],"all":true}}}"#,
                "",
                "bob",
                true,
            ),
            (
                None,
                "",
                r#"{"type":"text","text":"hi","mentions":["bob"]}"#,
                "",
                "bob",
                false,
            ),
        ];
        for (dialect, tag, payload, extra, uids, all) in cases {
            let found = noted(dialect, tag, payload, extra);
            assert_eq!(found, (uids.to_owned(), all), "{tag} {payload} {extra}");
        }
    }
}
