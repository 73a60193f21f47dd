//! What of a message is looked for by its words.

use crosstalk_core::content::Content;
use crosstalk_core::message::Message;
use serde_json::Value;

use crate::content::content;

/// The most that is looked at of what a message says, in characters: all of the longest text.
const MAX_CHARS: usize = 32 << 10;

/// A message as those who search see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Searchable {
    /// The type of its content, as REST names it.
    pub kind: &'static str,
    /// What it says; of media their names; empty if there are no words.
    pub text: String,
}

/// What can be found of a message; `None` if it is never shown.
#[must_use]
pub fn searchable(message: &Message) -> Option<Searchable> {
    let content = content(message);
    let text = said(&content)?;
    Some(Searchable {
        kind: kind(&content),
        text: text.chars().take(MAX_CHARS).collect(),
    })
}

fn kind(content: &Content) -> &'static str {
    match content {
        Content::Text { .. } => "text",
        Content::Image { .. } => "image",
        Content::Audio { .. } => "audio",
        Content::Video { .. } => "video",
        Content::File { .. } => "file",
        Content::Location { .. } => "location",
        Content::Link { .. } => "link",
        Content::Card { .. } => "card",
        Content::Notice { .. } => "notice",
        Content::Call { .. } => "call",
        Content::Merged { .. } => "merged",
        Content::Custom { .. } => "custom",
        Content::Command { .. } => "command",
        Content::Tip { .. } => "tip",
        Content::Unknown { .. } => "unknown",
    }
}

fn said(content: &Content) -> Option<String> {
    let lines = |parts: &[&str]| {
        let parts = parts.iter().filter(|part| !part.is_empty());
        parts.copied().collect::<Vec<_>>().join("\n")
    };
    Some(match content {
        Content::Command { .. } => return None,
        Content::Text { text, .. } | Content::Tip { text } => text.clone(),
        Content::Image { .. }
        | Content::Audio { .. }
        | Content::Call { .. }
        | Content::Unknown { .. } => String::new(),
        Content::Video { name, .. } => name.clone().unwrap_or_default(),
        Content::File { name, .. } | Content::Card { name, .. } => name.clone(),
        Content::Location { title, address, .. } => lines(&[title, address]),
        Content::Link { title, text, .. } => lines(&[title, text]),
        Content::Notice { title, msg, .. } => lines(&[title, msg]),
        Content::Merged { title, items } => {
            let mut all = title.clone();
            for item in items {
                if all.len() >= MAX_CHARS * 4 {
                    break;
                }
                let said = said(&item.content).unwrap_or_default();
                all = lines(&[&all, &said]);
            }
            all
        }
        Content::Custom { data, .. } => {
            let mut strings = Vec::new();
            strings_of(data, &mut strings);
            lines(&strings)
        }
    })
}

/// The strings in a JSON value, in their order; addresses say nothing.
fn strings_of<'a>(value: &'a Value, all: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if !text.contains("://") => all.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings_of(item, all)),
        Value::Object(members) => members.values().for_each(|item| strings_of(item, all)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_what_is_said() {
        let cases = [
            (r#"{"type":"text","text":"hi"}"#, Some("hi")),
            (r#"{"type":"image","url":"http://x/a.png"}"#, Some("")),
            (
                r#"{"type":"file","url":"u","name":"plan.pdf"}"#,
                Some("plan.pdf"),
            ),
            (
                r#"{"type":"link","title":"a","text":"","url":"u"}"#,
                Some("a"),
            ),
            (
                r#"{"type":"custom","tag":"t","data":{"a":["x",{"b":"y"}],"u":"http://z"}}"#,
                Some("x\ny"),
            ),
            (r#"{"type":"command","cmd":"c"}"#, None),
        ];
        for (json, expected) in cases {
            let content: Content = serde_json::from_str(json).expect("content");
            assert_eq!(said(&content).as_deref(), expected, "{json}");
            assert!(json.contains(&format!("\"{}\"", kind(&content))), "{json}");
        }
    }
}
