//! The server's own REST interface, as far as scenarios ask it.

pub(super) mod setup;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::{Address, Ask, Conversation, Line, Page, Question, SITE};
use crate::target::Target;

/// The most conversations in a page.
const MAX_PAGE: u32 = 200;

/// The questions of `/v1`.
pub(crate) struct Rest;

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    channel: ChannelName,
    unread: u64,
    last_seq: u64,
    last_message: Option<Message>,
}

#[derive(Deserialize)]
struct ChannelName {
    kind: String,
    id: String,
}

#[derive(Deserialize)]
struct Message {
    seq: u64,
}

impl Rest {
    /// How a user's conversations are asked for.
    pub(crate) fn question(target: &Target, ask: &Ask<'_>) -> Result<Question> {
        let Ask::Conversations {
            uid, size, after, ..
        } = *ask
        else {
            bail!("REST is asked for conversations only");
        };
        let limit = size.min(MAX_PAGE);
        let mut path = format!("/v1/users/{uid}/conversations?limit={limit}");
        if let Some(cursor) = after {
            // Its letters need no escapes.
            path.push_str("&cursor=");
            path.push_str(cursor);
        }
        Ok(Question::get(target.url(SITE, &path)?))
    }

    /// Reads the answer.
    pub(crate) fn conversations(answer: &[u8]) -> Result<Page> {
        let list: List = serde_json::from_slice(answer).context("conversations")?;
        let mut conversations = Vec::with_capacity(list.items.len());
        for item in list.items {
            let ChannelName { kind, id } = item.channel;
            let channel = match kind.as_str() {
                "direct" => Address::User(id),
                _ => Address::Group(id),
            };
            let newest = item.last_message.map(|message| message.seq);
            ensure!(
                newest.is_none_or(|seq| seq == item.last_seq),
                "the last message of {channel:?} is not the last"
            );
            let recents = newest.map(|place| Line {
                place,
                content: Vec::new(),
            });
            conversations.push(Conversation {
                channel,
                last_place: item.last_seq,
                unread: item.unread,
                recents: recents.into_iter().collect(),
            });
        }
        Ok(Page {
            conversations,
            next: list.next_cursor,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_its_cursor_and_newest_messages() {
        let answer = r#"{"items":[
            {"channel":{"kind":"direct","id":"bob"},"unread":2,"last_seq":5,
             "last_message":{"seq":5,"content":{}}},
            {"channel":{"kind":"group","id":"g"},"unread":0,"last_seq":0,"last_message":null}
        ],"next_cursor":"c1"}"#;
        let page = Rest::conversations(answer.as_bytes()).expect("a page");
        assert_eq!(page.next.as_deref(), Some("c1"));
        let [bob, group] = &page.conversations[..] else {
            panic!("{page:?}")
        };
        assert_eq!(bob.channel, Address::User("bob".to_owned()));
        assert_eq!(
            (bob.unread, bob.last_place, bob.recents[0].place),
            (2, 5, 5)
        );
        assert_eq!(group.channel, Address::Group("g".to_owned()));
        assert!(group.recents.is_empty());
        let wrong = answer.replace("{\"seq\":5", "{\"seq\":4");
        assert!(Rest::conversations(wrong.as_bytes()).is_err());
    }
}
