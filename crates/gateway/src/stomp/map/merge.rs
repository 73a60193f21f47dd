//! Messages that were forwarded together, as `MERGE` has them (stomp.md Q2-17): JSON
//! `{"title","messages":[{"fromId","fromName","createdAt","msgType","content"}]}`, where a
//! `content` is what it would be in a message of its own.

use bytes::Bytes;
use crosstalk_core::content::{Content, MAX_MERGED_ITEMS, MergedItem};
use crosstalk_core::message::Body;
use serde::{Deserialize, Serialize};

/// Characters of what stands for what there is no room for.
const SHORT_CHARS: usize = 200;

#[derive(Serialize, Deserialize)]
struct Merge {
    #[serde(default)]
    title: String,
    messages: Vec<Item>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(default)]
    from_id: String,
    #[serde(default)]
    from_name: String,
    #[serde(default)]
    created_at: i64,
    #[serde(default)]
    msg_type: String,
    #[serde(default)]
    content: String,
}

/// What a `content` means; `None` if it is nothing of this form.
pub(super) fn content(text: &str) -> Option<Content> {
    let merge: Merge = serde_json::from_str(text).ok()?;
    // One more, so that it is seen that there are too many.
    let items = merge.messages.into_iter().take(MAX_MERGED_ITEMS + 1);
    let items = items.map(|item| {
        let body = Body {
            origin: super::super::render::ORIGIN,
            tag: item.msg_type.into(),
            payload: Bytes::from(item.content),
            ..Body::default()
        };
        MergedItem {
            from: item.from_id,
            name: item.from_name,
            sent_at: item.created_at,
            content: super::content(&body),
        }
    });
    Some(Content::Merged {
        title: merge.title,
        items: items.collect(),
    })
}

/// How much of a content there may be in a `content`, bytes: as text in text it grows with each
/// that stands around it. What is more is said in short words.
const MAX_BYTES: usize = 128 << 10;

/// How this dialect says it.
pub(super) fn said(title: &str, items: &[MergedItem]) -> String {
    let mut room = MAX_BYTES;
    let messages = items.iter().map(|item| {
        let mut said = super::said(&item.content);
        if said.content.len() > room {
            said = super::said(&Content::text(short(&item.content)));
        }
        room = room.saturating_sub(said.content.len());
        Item {
            from_id: item.from.clone(),
            from_name: item.name.clone(),
            created_at: item.sent_at,
            msg_type: said.msg_type.to_owned(),
            content: said.content,
        }
    });
    super::json(&Merge {
        title: title.to_owned(),
        messages: messages.collect(),
    })
}

fn short(content: &Content) -> String {
    content.fallback_text().chars().take(SHORT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_as_it_was_also_in_itself() {
        let item = |content| MergedItem {
            from: "bob".into(),
            name: "Bob".into(),
            sent_at: 5,
            content,
        };
        let merged = |items: Vec<MergedItem>| {
            (
                items.clone(),
                Content::Merged {
                    title: "t".into(),
                    items,
                },
            )
        };
        let (_, inner) = merged(vec![item(Content::text("hi"))]);
        let (items, outer) = merged(vec![item(inner), item(Content::text("ho"))]);
        assert_eq!(content(&said("t", &items)), Some(outer));
        for text in ["", "{}", "[]", "words", r#"{"messages":1}"#] {
            assert_eq!(content(text), None, "{text}");
        }
    }
}
