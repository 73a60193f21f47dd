//! What a message means, apart from how its author's dialect writes it (interop.md G.3).
//!
//! A payload is stored as its author wrote it; `Content` is derived from it at the edge when
//! a message crosses to another dialect or to REST. Deriving is total: what cannot be
//! understood is `Unknown`. The JSON form is that of REST.

mod merged;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::merged::{MAX_MERGED_DEPTH, MAX_MERGED_ITEMS};

/// What a message replies to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reply {
    /// The message, as the author's dialect names it.
    #[serde(default)]
    pub id: String,
    /// Who wrote it.
    #[serde(default)]
    pub from: String,
    /// What it said.
    #[serde(default)]
    pub text: String,
}

/// The sub-application that a card comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SubApp {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What a click does.
    pub action: String,
}

/// One of messages that were forwarded together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MergedItem {
    /// Who said it.
    #[serde(default)]
    pub from: String,
    /// What people call them; empty = nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// When, ms since 1970; 0 = not known.
    #[serde(default)]
    pub sent_at: i64,
    /// What.
    pub content: Content,
}

/// The meaning of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Text.
    Text {
        /// The text.
        text: String,
        /// Users who are mentioned.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<String>,
        /// Everybody is mentioned.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        mention_all: bool,
        /// What it replies to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply: Option<Box<Reply>>,
    },
    /// A picture.
    Image {
        /// Where it is.
        url: String,
        /// Width in pixels; 0 = not known.
        #[serde(default)]
        width: u32,
        /// Height in pixels; 0 = not known.
        #[serde(default)]
        height: u32,
        /// Size in bytes; 0 = not known.
        #[serde(default)]
        size: u64,
        /// A small picture of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thumb: Option<String>,
    },
    /// Recorded sound.
    Audio {
        /// Where it is.
        url: String,
        /// Length in seconds.
        #[serde(default)]
        duration_s: u32,
        /// Size in bytes; 0 = not known.
        #[serde(default)]
        size: u64,
    },
    /// A film.
    Video {
        /// Where it is.
        url: String,
        /// A picture of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cover: Option<String>,
        /// Length in seconds.
        #[serde(default)]
        duration_s: u32,
        /// Width in pixels; 0 = not known.
        #[serde(default)]
        width: u32,
        /// Height in pixels; 0 = not known.
        #[serde(default)]
        height: u32,
        /// Size in bytes; 0 = not known.
        #[serde(default)]
        size: u64,
        /// Its file name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// A file.
    File {
        /// Where it is.
        url: String,
        /// Its name.
        #[serde(default)]
        name: String,
        /// Size in bytes; 0 = not known.
        #[serde(default)]
        size: u64,
        /// Its media type.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime: Option<String>,
    },
    /// A place.
    Location {
        /// Latitude in degrees.
        lat: f64,
        /// Longitude in degrees.
        lng: f64,
        /// Its name.
        #[serde(default)]
        title: String,
        /// Its address.
        #[serde(default)]
        address: String,
    },
    /// A link with a picture, or an app's card.
    Link {
        /// Title.
        title: String,
        /// Some words.
        #[serde(default)]
        text: String,
        /// Where it leads.
        url: String,
        /// A picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        image: Option<String>,
        /// The app, of an app's card.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app: Option<Box<SubApp>>,
    },
    /// A person's card.
    Card {
        /// Who.
        uid: String,
        /// Their name.
        #[serde(default)]
        name: String,
    },
    /// A notice.
    Notice {
        /// Title.
        title: String,
        /// What it says.
        msg: String,
        /// Where it leads.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<String>,
        /// Whose notice it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service_id: Option<String>,
    },
    /// A step of a call, or the record of one.
    Call {
        /// What happened: `invite`, `answer`, `refuse`, `cancel`, `busy`, `timeout`,
        /// `hangup`, …
        action: String,
        /// `audio` or `video`.
        #[serde(default)]
        media: String,
        /// Where it takes place.
        #[serde(default)]
        room: String,
        /// Who calls.
        #[serde(default)]
        caller: String,
        /// How long it lasted, in seconds; 0 = not over, or not known.
        #[serde(default)]
        duration_s: u32,
        /// Whatever else its parties tell each other.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        signal: Value,
    },
    /// Messages that were forwarded together.
    Merged {
        /// What they are.
        #[serde(default)]
        title: String,
        /// The messages, oldest first.
        items: Vec<MergedItem>,
    },
    /// The application's own type.
    Custom {
        /// Its type, as the application names it.
        #[serde(default)]
        tag: String,
        /// What it holds.
        data: Value,
    },
    /// A command to the client; never shown.
    Command {
        /// Its name.
        cmd: String,
        /// Its arguments.
        #[serde(default)]
        param: Value,
    },
    /// What the system says of a channel.
    Tip {
        /// The words.
        text: String,
    },
    /// What nobody here understands.
    Unknown {
        /// The payload, base64 if it is no text.
        raw: String,
    },
}

impl Content {
    /// Plain text content.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text {
            text: text.into(),
            mentions: Vec::new(),
            mention_all: false,
            reply: None,
        }
    }

    /// Readable words for a receiver whose dialect cannot express this.
    #[must_use]
    pub fn fallback_text(&self) -> String {
        match self {
            Self::Text { text, .. } | Self::Tip { text } => text.clone(),
            Self::Image { url, .. } => format!("[图片] {url}"),
            Self::Audio {
                url, duration_s, ..
            } => format!("[语音] {duration_s}秒 {url}"),
            Self::Video { url, .. } => format!("[视频] {url}"),
            Self::File { url, name, .. } => format!("[文件] {name} {url}"),
            Self::Location { title, address, .. } => format!("[位置] {title} {address}"),
            Self::Link {
                title, text, url, ..
            } => format!("{title}\n{text}\n{url}"),
            Self::Card { name, .. } => format!("[名片] {name}"),
            Self::Notice { title, msg, .. } => format!("【{title}】{msg}"),
            Self::Call {
                action,
                media,
                duration_s,
                ..
            } => {
                let kind = if media == "audio" {
                    "语音通话"
                } else {
                    "视频通话"
                };
                let (minutes, seconds) = (duration_s / 60, duration_s % 60);
                match (action.as_str(), *duration_s) {
                    (_, 1..) => format!("[{kind}] {minutes:02}:{seconds:02}"),
                    ("invite", _) => format!("[{kind}] 邀请你通话"),
                    ("cancel", _) => format!("[{kind}] 对方已取消"),
                    ("timeout", _) => format!("[{kind}] 未接来电"),
                    ("refuse" | "other_refuse", _) => format!("[{kind}] 已拒绝"),
                    ("busy", _) => format!("[{kind}] 对方忙"),
                    _ => format!("[{kind}]"),
                }
            }
            Self::Merged { title, items } => merged_text(title, items),
            Self::Custom { .. } => "[自定义消息]".to_owned(),
            Self::Command { .. } | Self::Unknown { .. } => "[不支持的消息]".to_owned(),
        }
    }
}

/// Characters of a fallback text (interop.md G.3).
const FALLBACK_CHARS: usize = 200;

/// The title, and what was said as far as there is room.
fn merged_text(title: &str, items: &[MergedItem]) -> String {
    let mut text = merged::named(title);
    for item in items {
        if text.chars().count() >= FALLBACK_CHARS {
            break;
        }
        let name = if item.name.is_empty() {
            &item.from
        } else {
            &item.name
        };
        let said = match &item.content {
            Content::Merged { title, .. } => merged::named(title),
            other => other.fallback_text(),
        };
        text.extend(["\n", name.as_str(), ": ", &said]);
    }
    text.chars().take(FALLBACK_CHARS).collect()
}

impl Content {
    /// All words in it that a reader of any dialect sees, a line each, for whoever judges
    /// words. Ids are none.
    #[must_use]
    pub fn all_words(&self) -> String {
        let mut all = Vec::new();
        self.add_words(&mut all);
        all.join("\n")
    }

    fn add_words(&self, all: &mut Vec<String>) {
        match self {
            Self::Text { text, reply, .. } => {
                all.push(text.clone());
                if let Some(reply) = reply {
                    all.push(reply.text.clone());
                    add_name(&reply.from, all);
                }
            }
            Self::Video { name, .. } => {
                all.push(self.fallback_text());
                all.extend(name.clone());
            }
            Self::Link { app, .. } => {
                all.push(self.fallback_text());
                all.extend(app.as_ref().map(|app| app.name.clone()));
            }
            Self::Card { uid, .. } => {
                all.push(self.fallback_text());
                add_name(uid, all);
            }
            Self::Merged { title, items } => {
                all.push(title.clone());
                for item in items {
                    all.push(item.name.clone());
                    add_name(&item.from, all);
                    item.content.add_words(all);
                }
            }
            Self::Custom { data, .. } => add_strings(data, all),
            Self::Unknown { raw } => all.push(raw.clone()),
            Self::Image { .. }
            | Self::Audio { .. }
            | Self::File { .. }
            | Self::Location { .. }
            | Self::Notice { .. }
            | Self::Call { .. }
            | Self::Command { .. }
            | Self::Tip { .. } => all.push(self.fallback_text()),
        }
    }
}

/// The longest id, in characters.
const MAX_ID_CHARS: usize = 128;

/// What stands in the place of an id and has not its form may be shown as a name.
fn add_name(id: &str, all: &mut Vec<String>) {
    let is_id = id.len() <= MAX_ID_CHARS && id.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_id {
        all.push(id.to_owned());
    }
}

fn add_strings(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) => all.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| add_strings(item, all)),
        Value::Object(members) => members.values().for_each(|item| add_strings(item, all)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_forwarded_together_has_a_depth_and_short_words() {
        let item = |content| MergedItem {
            from: "bob".into(),
            name: "Bob".into(),
            sent_at: 1,
            content,
        };
        let merged = |items| Content::Merged {
            title: "two".into(),
            items,
        };
        let one = merged(vec![
            item(Content::text("hi")),
            item(Content::text("long ".repeat(99))),
        ]);
        let two = merged(vec![item(one.clone())]);
        assert_eq!((one.merged_depth(), two.merged_depth()), (1, 2));
        assert_eq!(two.fallback_text(), "[聊天记录] two\nBob: [聊天记录] two");
        assert_eq!(one.fallback_text().chars().count(), FALLBACK_CHARS);
        assert!(
            two.all_words().ends_with("long "),
            "nothing is hidden from who judges"
        );
        let json = serde_json::to_value(&two).expect("JSON");
        assert_eq!(
            json["items"][0]["content"]["items"][0]["content"]["text"],
            "hi"
        );
        let read: Content = serde_json::from_value(json).expect("the same");
        assert_eq!(read, two);
    }

    #[test]
    fn the_rest_form_is_tagged_and_short() {
        let json = serde_json::to_value(Content::text("你好")).expect("content is JSON");
        assert_eq!(json, serde_json::json!({"type": "text", "text": "你好"}));
        let image: Content =
            serde_json::from_value(serde_json::json!({"type": "image", "url": "u", "width": 3}))
                .expect("an image");
        let expected = Content::Image {
            url: "u".into(),
            width: 3,
            height: 0,
            size: 0,
            thumb: None,
        };
        assert_eq!(image, expected);
    }
}
