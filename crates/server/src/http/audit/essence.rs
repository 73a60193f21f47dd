//! What of a request stands in the audit log: the ids of whom and what it concerns, and the
//! essential of what was asked for. Nothing is kept but what is known to be harmless: no
//! secrets, and nothing that people say to each other.

use axum::extract::Query;
use axum::http::Uri;
use crosstalk_core::admin::audit::MAX_SUBJECTS;
use serde_json::{Map, Value};

/// The longest id that is written down, characters.
const ID_CHARS: usize = 128;
/// The longest reason and the like, characters.
const TEXT_CHARS: usize = 200;
/// The most that is written down of what was asked for, bytes.
const ASKED_BYTES: usize = 2048;
/// How deep it is looked.
const MAX_DEPTH: usize = 4;
/// Items of a list that are written down as asked; less if there is no room.
const ITEMS: [usize; 3] = [20, 3, 0];

/// Members that name somebody or something, beside those that end in `id`, `ids`, `uid`, `uids`.
const NAMES: [&str; 22] = [
    "user",
    "users",
    "member",
    "members",
    "subscribers",
    "to",
    "from",
    "owner",
    "operator",
    "target",
    "device",
    "app",
    "friend",
    "friends",
    "channel",
    "account",
    "accounts",
    "words",
    "tag",
    "tags",
    "author",
    "admins",
];
/// Members that name messages, by numbers; elsewhere they are texts.
const MESSAGES: [&str; 2] = ["message", "messages"];
/// Members that say in a word what is wanted.
const WORDS: [&str; 20] = [
    "action",
    "role",
    "reason",
    "note",
    "kind",
    "state",
    "status",
    "type",
    "mode",
    "events",
    "format",
    "join",
    "invite",
    "speak",
    "direction",
    "chattype",
    "strategy",
    "setting",
    "channeltype",
    "decision",
];
/// Members of which nothing is written down, whatever they hold.
const UNSAID: [&str; 14] = [
    "content", "payload", "text", "custom", "param", "data", "profile", "code", "password",
    "extra", "headers", "body", "quote", "reply",
];

/// What an act concerned and what was asked for.
#[derive(Debug, Default)]
pub(super) struct Essence {
    subjects: Vec<String>,
    asked: Map<String, Value>,
}

impl Essence {
    /// What stands in the path.
    pub(super) fn path(&mut self, name: &str, value: &str) {
        if name != "kind" {
            self.subject(value);
        }
    }

    /// What stands in a query or a form.
    pub(super) fn form(&mut self, form: &str) {
        let uri: Option<Uri> = format!("/?{}", form.trim()).parse().ok();
        let pairs = uri.and_then(|uri| Query::<Vec<(String, String)>>::try_from_uri(&uri).ok());
        let pairs = pairs.map(|Query(pairs)| pairs).unwrap_or_default();
        let object = pairs.into_iter().map(|(name, value)| (name, value.into()));
        self.take(&Value::Object(object.collect()));
    }

    /// What stands in a body.
    pub(super) fn json(&mut self, body: &[u8]) {
        if let Ok(body) = serde_json::from_slice::<Value>(body) {
            self.take(&body);
        }
    }

    /// What was made, as the answer calls it.
    pub(super) fn answer(&mut self, body: &[u8]) {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return;
        };
        for object in [&body, &body["data"]] {
            for name in ["id", "app_id", "message"] {
                self.subjects_in(name, &object[name], MAX_DEPTH);
            }
        }
    }

    fn take(&mut self, body: &Value) {
        match body {
            Value::Object(members) => {
                for (name, value) in members {
                    self.subjects_in(name, value, 0);
                    if !is_unsaid(name) {
                        self.asked.insert(name.clone(), value.clone());
                    }
                }
            }
            Value::Array(items) => {
                for item in items.iter().take(MAX_SUBJECTS) {
                    self.subjects_in("ids", item, 0);
                }
            }
            _ => {}
        }
    }

    fn subject(&mut self, id: &str) {
        let is_id = !id.is_empty() && id.chars().count() <= ID_CHARS;
        if is_id && self.subjects.len() < MAX_SUBJECTS && !self.subjects.iter().any(|it| it == id) {
            self.subjects.push(id.to_owned());
        }
    }

    fn subjects_in(&mut self, name: &str, value: &Value, depth: usize) {
        if self.subjects.len() >= MAX_SUBJECTS || is_unsaid(name) {
            return;
        }
        match value {
            Value::String(id) if is_name(name, id) => self.subject(id),
            Value::Number(id) if is_name(name, "0") => self.subject(&id.to_string()),
            Value::Array(items) if depth < MAX_DEPTH => {
                for item in items {
                    self.subjects_in(name, item, depth + 1);
                }
            }
            Value::Object(members) if depth < MAX_DEPTH => {
                for (name, member) in members {
                    self.subjects_in(name, member, depth + 1);
                }
            }
            _ => {}
        }
    }

    /// The subjects, and what was asked for as JSON; empty if that is nothing.
    pub(super) fn told(self) -> (Vec<String>, String) {
        let asked = Value::Object(self.asked);
        let told = ITEMS.iter().map(|items| harmless("", &asked, *items, 0));
        let told = told.map(|asked| asked.map_or_else(String::new, |asked| asked.to_string()));
        let fits = told.into_iter().find(|asked| asked.len() <= ASKED_BYTES);
        (self.subjects, fits.unwrap_or_default())
    }
}

fn folded(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    name.replace(['_', '-'], "")
}

/// Whether nothing of a member is written down.
fn is_unsaid(name: &str) -> bool {
    let name = folded(name);
    UNSAID.contains(&name.as_str())
        || ["token", "secret", "key", "sig", "sign", "pwd"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// Whether a member names somebody or something.
fn is_name(name: &str, value: &str) -> bool {
    let name = folded(name);
    if MESSAGES.contains(&name.as_str()) {
        return value.bytes().all(|byte| byte.is_ascii_digit());
    }
    ["id", "ids"].iter().any(|end| name.ends_with(end)) || NAMES.contains(&name.as_str())
}

/// What of a value may be read by whoever reads the log.
fn harmless(name: &str, value: &Value, items: usize, depth: usize) -> Option<Value> {
    if depth > MAX_DEPTH || is_unsaid(name) {
        return None;
    }
    match value {
        Value::Bool(_) | Value::Number(_) => Some(value.clone()),
        Value::String(text) => {
            let is_said = is_name(name, text) || WORDS.contains(&folded(name).as_str());
            let is_short = text.chars().count() <= TEXT_CHARS;
            (is_said && is_short).then(|| value.clone())
        }
        Value::Array(all) => {
            let some = all.iter().take(items);
            let mut some: Vec<Value> = some
                .filter_map(|item| harmless(name, item, items, depth + 1))
                .collect();
            if all.len() > items && (!some.is_empty() || items == 0) {
                some.push(format!("… {} in all", all.len()).into());
            }
            (!some.is_empty()).then_some(Value::Array(some))
        }
        Value::Object(members) => {
            let said = members.iter().filter_map(|(name, member)| {
                Some((name.clone(), harmless(name, member, items, depth + 1)?))
            });
            let said: Map<String, Value> = said.collect();
            (!said.is_empty()).then_some(Value::Object(said))
        }
        Value::Null => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(body: &Value) -> (Vec<String>, Value) {
        let mut essence = Essence::default();
        essence.json(body.to_string().as_bytes());
        let (subjects, asked) = essence.told();
        (subjects, serde_json::from_str(&asked).unwrap_or_default())
    }

    #[test]
    fn what_was_asked_is_told_without_secrets_and_texts() {
        let (subjects, asked) = told(&json!({
            "user": "bob", "reason": "spam", "until_at": 5, "token": "t", "app_secret": "s",
            "content": {"text": "dear"}, "to": {"kind": "group", "id": "g"}, "message": "hello",
            "messages": ["12", 13], "name": "Bob",
        }));
        assert_eq!(subjects, ["12", "13", "g", "bob"]);
        assert_eq!(
            asked,
            json!({
                "user": "bob", "reason": "spam", "until_at": 5,
                "to": {"kind": "group", "id": "g"}, "messages": ["12", 13],
            })
        );
    }

    #[test]
    fn what_is_long_has_an_end() {
        let many: Vec<String> = (0..10_000).map(|n| format!("{n:0>100}")).collect();
        let (subjects, asked) = told(&json!({"members": many, "x": {"members": many}}));
        assert_eq!(subjects.len(), MAX_SUBJECTS);
        assert!(asked.to_string().len() <= ASKED_BYTES);
        assert_eq!(asked["members"].as_array().map(Vec::len), Some(4));
        assert_eq!(asked["members"][3], "… 10000 in all");
    }

    #[test]
    fn a_query_and_a_bare_list_are_read_too() {
        let mut essence = Essence::default();
        essence.form("operator=alice&token=t&q=x");
        essence.json(br#"["a","b"]"#);
        essence.answer(br#"{"data":{"id":7}}"#);
        let (subjects, asked) = essence.told();
        assert_eq!(subjects, ["alice", "a", "b", "7"]);
        assert_eq!(asked, r#"{"operator":"alice"}"#);
    }
}
